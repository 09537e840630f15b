//! Follows the versions of a tenant step by step, whichever process builds them.
//!
//! PostgreSQL notes every step; one connection per process listens, from the first watcher on until the last has gone.
//! A note only says that something moved: what is true is read from the database, so a lost note or connection delays an
//! event and never loses one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{Stream, stream};
use plumbline_store::{Store, StoreError, VersionProgress, VersionState};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

use crate::app::App;

/// Versions that ended this long before a watcher came are told to it: it may have waited for just those.
const RECENT: Duration = Duration::from_secs(20);

/// Time in which several notes become one look.
const GATHER: Duration = Duration::from_millis(150);

/// How often a watcher looks without having heard anything.
const LOOK: Duration = Duration::from_secs(5);

/// Steps of a build, from received to indexing.
pub const STAGES: u8 = 5;

/// A version moved.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct VersionEvent {
    /// Version.
    pub version_id: Uuid,
    /// Document.
    pub document_id: Uuid,
    /// Logical key of the document.
    pub key: String,
    /// Number of the version.
    pub number: i32,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// State.
    #[schema(value_type = crate::http::documents::model::State)]
    pub state: VersionState,
    /// Stage of the build, 1 to `stages`.
    pub stage: u8,
    /// Stages of a build.
    pub stages: u8,
    /// Steps done of the present stage: pages, rows, windows, chunks.
    pub done: i64,
    /// Steps of the present stage, 0 when unknown.
    pub total: i64,
    /// Seconds of work so far, or in all.
    pub elapsed_seconds: Option<f64>,
    /// Seconds that the present stage may still take; none when that cannot be told.
    pub estimated_seconds_left: Option<f64>,
    /// Whether nothing more will happen by itself.
    pub ended: bool,
    /// Whether customers are answered from it now.
    pub live: bool,
    /// Code of the reason of a failure.
    pub code: Option<String>,
    /// Reason of a failure.
    pub reason: Option<String>,
    /// What to do about it.
    pub suggestion: Option<String>,
    /// Warnings.
    pub warning_count: i32,
    /// Chunks.
    pub chunk_count: i32,
}

impl From<VersionProgress> for VersionEvent {
    fn from(row: VersionProgress) -> Self {
        let pace = Pace {
            state: row.state,
            done: row.stage_done,
            total: row.stage_total,
            started_at: row.started_at,
            stage_started_at: row.stage_started_at,
            finished_at: row.finished_at,
            now: row.now,
        };
        Self {
            version_id: row.id,
            document_id: row.document_id,
            key: row.key,
            number: row.number,
            file_name: row.file_name,
            state: row.state,
            stage: stage(row.state),
            stages: STAGES,
            done: row.stage_done,
            total: row.stage_total,
            elapsed_seconds: pace.elapsed_seconds(),
            estimated_seconds_left: pace.estimated_seconds_left(),
            ended: row.state.is_final(),
            live: row.live,
            code: row.reason_code,
            reason: row.reason,
            suggestion: row.suggestion,
            warning_count: row.warning_count,
            chunk_count: row.chunk_count,
        }
    }
}

/// The stage of a build that a state belongs to, 1 to [`STAGES`].
pub fn stage(state: VersionState) -> u8 {
    match state {
        VersionState::Received => 1,
        VersionState::Extracting => 2,
        VersionState::Chunking => 3,
        VersionState::Embedding => 4,
        VersionState::Indexing
        | VersionState::Ready
        | VersionState::ReadyWithWarnings
        | VersionState::Failed
        | VersionState::Cancelled => STAGES,
    }
}

/// How fast a version gets on.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// State.
    pub state: VersionState,
    /// Steps done of the present stage.
    pub done: i64,
    /// Steps of the present stage.
    pub total: i64,
    /// Work began.
    pub started_at: Option<DateTime<Utc>>,
    /// The present stage began.
    pub stage_started_at: Option<DateTime<Utc>>,
    /// Work ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Now, by the clock of the database.
    pub now: DateTime<Utc>,
}

impl Pace {
    /// Seconds of work so far, or in all; none before it began.
    pub fn elapsed_seconds(&self) -> Option<f64> {
        let until = self.finished_at.unwrap_or(self.now);
        self.started_at.map(|began| seconds(until - began))
    }

    /// Seconds that the present stage takes if it goes on as it began.
    pub fn estimated_seconds_left(&self) -> Option<f64> {
        if self.state.is_final() || self.done <= 0 || self.total <= 0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let share = (self.total - self.done).max(0) as f64 / self.done as f64;
        self.stage_started_at
            .map(|began| (seconds(self.now - began) * share * 10.0).round() / 10.0)
    }
}

fn seconds(time: TimeDelta) -> f64 {
    let milliseconds = time.num_milliseconds().max(0);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a build")]
    let seconds = milliseconds as f64 / 1_000.0;
    seconds
}

/// Hears of the versions of all tenants once per process, for all who watch.
#[derive(Debug, Clone)]
pub struct VersionWatch {
    store: Store,
    listening: Arc<Mutex<Weak<Listening>>>,
}

/// The listening connection; ends with the last watcher.
#[derive(Debug)]
struct Listening {
    /// The tenant that moved; none when it may have been any.
    notes: broadcast::Sender<Option<Uuid>>,
    task: tokio::task::AbortHandle,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl VersionWatch {
    /// Does not listen before somebody watches.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            listening: Arc::default(),
        }
    }

    /// Everything that happens to the versions of `tenant` from now on, beginning with those that are under way or ended
    /// just now. Steps in quick succession are told as one, always the latest.
    pub fn watch(&self, tenant: Uuid) -> impl Stream<Item = VersionEvent> + Send + use<> {
        let listening = self.listen();
        let watcher = Watcher {
            store: self.store.clone(),
            tenant,
            notes: listening.notes.subscribe(),
            _listening: listening,
            known: HashMap::new(),
            told: VecDeque::new(),
            heard: true,
        };
        stream::unfold(watcher, |mut watcher| async {
            let event = watcher.next().await;
            Some((event, watcher))
        })
    }

    fn listen(&self) -> Arc<Listening> {
        let mut slot = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        slot.upgrade().unwrap_or_else(|| {
            let notes = broadcast::channel(1_024).0;
            let task = tokio::spawn(listen(self.store.clone(), notes.clone())).abort_handle();
            let listening = Arc::new(Listening { notes, task });
            *slot = Arc::downgrade(&listening);
            listening
        })
    }
}

/// Watches the versions of a tenant; see [`VersionWatch::watch`].
pub fn watch_versions(app: &App, tenant: Uuid) -> impl Stream<Item = VersionEvent> + Send + use<> {
    app.versions.watch(tenant)
}

async fn listen(store: Store, notes: broadcast::Sender<Option<Uuid>>) {
    loop {
        let lost = async {
            let mut heard = store.version_notes().await?;
            // what moved before the connection stood was not heard
            let _ = notes.send(None);
            loop {
                let _ = notes.send(heard.next().await?);
            }
        };
        let lost: Result<(), StoreError> = lost.await;
        if let Err(error) = lost {
            tracing::warn!(%error, "documents.watch.lost");
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

struct Watcher {
    store: Store,
    tenant: Uuid,
    notes: broadcast::Receiver<Option<Uuid>>,
    _listening: Arc<Listening>,
    /// What was told last of each version that is under way or ended just now.
    known: HashMap<Uuid, (VersionState, i64, i64)>,
    told: VecDeque<VersionEvent>,
    heard: bool,
}

impl Watcher {
    async fn next(&mut self) -> VersionEvent {
        loop {
            if let Some(event) = self.told.pop_front() {
                return event;
            }
            if !self.heard {
                self.hear().await;
                tokio::time::sleep(GATHER).await;
            }
            self.heard = false;
            // the notes up to here are answered by what is read now, later ones may not be
            while self.notes.try_recv().is_ok() {}
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "documents.watch.failed");
                self.heard = true;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// Waits for a note of this tenant, or long enough to look without one.
    async fn hear(&mut self) {
        let (notes, tenant) = (&mut self.notes, self.tenant);
        let note = async {
            loop {
                match notes.recv().await {
                    Ok(Some(other)) if other != tenant => {}
                    // an overrun is as good as a note; a channel that closed is never heard of again
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        let _ = tokio::time::timeout(LOOK, note).await;
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let under_way: Vec<Uuid> = self
            .known
            .iter()
            .filter(|(_, (state, ..))| !state.is_final())
            .map(|(id, _)| *id)
            .collect();
        let mut tx = self.store.tenant(self.tenant).await?;
        let rows = tx.versions_on_their_way(&under_way, RECENT).await?;
        tx.commit().await?;
        let before = std::mem::take(&mut self.known);
        for row in rows {
            let step = (row.state, row.stage_done, row.stage_total);
            if before.get(&row.id) != Some(&step) {
                self.told.push_back(row.clone().into());
            }
            self.known.insert(row.id, step);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_goes_by_the_pace_of_the_stage() {
        let now = DateTime::from_timestamp(1_000, 0).unwrap_or_default();
        let pace = Pace {
            state: VersionState::Embedding,
            done: 25,
            total: 100,
            started_at: Some(now - TimeDelta::seconds(30)),
            stage_started_at: Some(now - TimeDelta::seconds(10)),
            finished_at: None,
            now,
        };
        assert_eq!(pace.elapsed_seconds(), Some(30.0));
        assert_eq!(pace.estimated_seconds_left(), Some(30.0));
        assert_eq!(Pace { done: 0, ..pace }.estimated_seconds_left(), None);
        let state = VersionState::Ready;
        assert_eq!(Pace { state, ..pace }.estimated_seconds_left(), None);
    }
}
