//! What happens to documents while somebody looks, as server-sent events.
//!
//! The database says *that* something changed; a stream then looks at what is being built and tells the difference to
//! what it told last: `stage` carries the progress of one version as HTML, `changed` asks the page to load its list
//! again, `said` is a sentence for people who listen to the page instead of seeing it. A stream begins with `changed`, so
//! that nothing is missed between loading a page and hearing of it.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt, stream};
use plumbline_store::{DocumentFilter, StateCount, StoreError, TenantTx, Version, VersionState};
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::view::GROUPS;
use crate::app::App;
use crate::pages::session::SignedIn;
use crate::pages::trouble::Trouble;
use crate::pages::versions::{self, Going, Stage};
use crate::pages::words;
use crate::watch::watch_versions;

/// Shortest time between two looks: a fast build changes more often than a person can read.
const BREATH: Duration = Duration::from_millis(200);

/// Most versions whose progress is told one by one.
const MOST_TOLD: i64 = 100;

/// Which part of the documents a page shows.
#[derive(Debug, Deserialize)]
pub struct Watched {
    document: Option<Uuid>,
}

/// `GET /documents/events`
pub async fn events(
    State(app): State<App>,
    who: SignedIn,
    stop: Option<Extension<CancellationToken>>,
    Query(watched): Query<Watched>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Trouble> {
    let stopped = async move {
        match stop {
            Some(Extension(stop)) => stop.cancelled().await,
            None => std::future::pending().await,
        }
    };
    let changes = watch_versions(&app, who.tenant.id).map(|_| ()).boxed();
    let live = Live {
        app,
        tenant: who.tenant.id,
        document: watched.document,
        changes,
        told: None,
        waiting: VecDeque::new(),
    };
    let events = stream::unfold(live, Live::next).take_until(stopped).map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// A template alone, for an event.
#[derive(Debug, Template)]
#[template(path = "stage.html")]
struct StagePart<'a> {
    stage: &'a Stage,
}

/// A version that is being built.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Built {
    title: String,
    stage: Stage,
}

impl Built {
    /// Whether a person would see a difference; the page counts the seconds itself.
    fn looks_like(&self, other: &Self) -> bool {
        let seen = |stage: &Stage| (stage.label, stage.done, stage.count.clone());
        seen(&self.stage) == seen(&other.stage)
    }
}

/// How things stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Picture {
    building: BTreeMap<Uuid, Built>,
    counts: Vec<StateCount>,
    versions: Vec<(Uuid, VersionState)>,
}

struct Live {
    app: App,
    tenant: Uuid,
    document: Option<Uuid>,
    changes: BoxStream<'static, ()>,
    told: Option<Picture>,
    waiting: VecDeque<Event>,
}

impl Live {
    async fn next(mut self) -> Option<(Event, Self)> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some((event, self));
            }
            if self.told.is_some() {
                self.changes.next().await?;
                tokio::time::sleep(BREATH).await;
                // one look answers everything that was noted meanwhile
                while let Some(Some(())) = self.changes.next().now_or_never() {}
            }
            // a stream that ends is opened again by the browser, and begins with everything
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "pages.documents.events.failed");
                return None;
            }
        }
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let mut tx = self.app.store.tenant(self.tenant).await?;
        let picture = match self.document {
            Some(document) => picture_of(&tx.versions(document).await?),
            None => picture(&mut tx).await?,
        };
        let Some(told) = self.told.replace(picture.clone()) else {
            self.waiting.push_back(changed());
            return Ok(());
        };
        for (version, built) in &told.building {
            if !picture.building.contains_key(version)
                && let Ok(version) = tx.version(*version).await
            {
                let said = became(&built.title, &version);
                self.waiting.push_back(Event::default().event("said").data(said));
            }
        }
        self.waiting.extend(difference(&told, &picture));
        Ok(())
    }
}

async fn picture(tx: &mut TenantTx) -> Result<Picture, StoreError> {
    let filter = DocumentFilter {
        limit: MOST_TOLD,
        ..DocumentFilter::default()
    };
    let working = GROUPS.iter().find(|group| group.name == "working");
    let states = working.map_or(&[][..], |group| group.states);
    let counts = tx.document_counts(None).await?;
    let documents = tx.documents_in(&filter, states).await?;
    let building = documents.iter().filter_map(|document| {
        let stage = versions::stage(&Going::newest(&document.newest), words::now())?;
        let title = document.title.clone();
        Some((stage.version, Built { title, stage }))
    });
    Ok(Picture {
        building: building.collect(),
        counts,
        versions: Vec::new(),
    })
}

fn picture_of(versions: &[Version]) -> Picture {
    let building = versions.iter().filter_map(|version| {
        let stage = versions::stage(&Going::version(version), words::now())?;
        let title = format!("Version {}", version.number);
        Some((version.id, Built { title, stage }))
    });
    Picture {
        building: building.collect(),
        counts: Vec::new(),
        versions: versions
            .iter()
            .map(|version| (version.id, version.state))
            .collect(),
    }
}

/// The events that bring a page from one picture to the next.
fn difference(told: &Picture, now: &Picture) -> Vec<Event> {
    let states = |picture: &Picture| {
        let ended = |(_, state): &&(Uuid, VersionState)| state.is_final();
        let ended: Vec<_> = picture.versions.iter().filter(ended).copied().collect();
        let counts = picture.counts.iter().filter(|count| count.state.is_final());
        let counts: Vec<StateCount> = counts.cloned().collect();
        let building: Vec<Uuid> = picture.building.keys().copied().collect();
        (ended, counts, building)
    };
    if states(told) != states(now) {
        return vec![changed()];
    }
    let moved = now.building.iter().filter(|(version, built)| {
        let before = told.building.get(version);
        before.is_none_or(|before| !before.looks_like(built))
    });
    moved
        .filter_map(|(version, built)| progress(*version, &built.stage))
        .collect()
}

/// An event without data is none to a browser.
fn changed() -> Event {
    Event::default().event("changed").data("documents")
}

fn progress(version: Uuid, stage: &Stage) -> Option<Event> {
    match (StagePart { stage }).render() {
        Ok(html) => {
            let told = json!({ "version": version, "html": html });
            Some(Event::default().event("stage").data(told.to_string()))
        }
        Err(error) => {
            tracing::error!(%error, "pages.stage.failed");
            None
        }
    }
}

/// What became of a version, as a sentence.
fn became(title: &str, version: &Version) -> String {
    match version.state {
        VersionState::Ready => format!("{title} is ready."),
        VersionState::ReadyWithWarnings => format!("{title} is ready, with warnings."),
        VersionState::Failed => {
            let reason = version.reason.as_deref().unwrap_or("it could not be read");
            format!("{title} failed: {}", words::sentence(reason))
        }
        VersionState::Cancelled => format!("{title} was cancelled."),
        _ => format!("{title} is being read."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn building(done: i64) -> Picture {
        let version = Uuid::from_u128(7);
        let going = Going {
            version,
            state: VersionState::Embedding,
            done,
            total: 90,
            since: DateTime::UNIX_EPOCH,
            file_name: "prices.pdf",
        };
        let stage = versions::stage(&going, DateTime::UNIX_EPOCH).unwrap();
        let title = "Prices".to_owned();
        Picture {
            building: BTreeMap::from([(version, Built { title, stage })]),
            ..Picture::default()
        }
    }

    fn told(events: &[Event]) -> String {
        format!("{events:?}")
    }

    #[test]
    fn progress_is_told_by_itself_and_an_end_loads_the_list_again() {
        assert!(difference(&building(3), &building(3)).is_empty());
        let moved = difference(&building(3), &building(4));
        assert_eq!(moved.len(), 1);
        let said = told(&moved);
        assert!(
            said.contains("event: stage") && said.contains("piece 4 of 90"),
            "{said}"
        );
        let ended = told(&difference(&building(90), &Picture::default()));
        assert!(ended.contains("event: changed"), "{ended}");
        let begun = told(&difference(&Picture::default(), &building(0)));
        assert!(begun.contains("event: changed"), "{begun}");
    }
}
