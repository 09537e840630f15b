//! A trace asked again: on what was live then, or on what is live now.

use std::collections::HashSet;

use plumbline_answer::Ask;
use plumbline_retrieval::SearchOptions;
use plumbline_store::{Scope, SettingsVersion, StoreError, StoredTrace, TenantTx, TraceSource};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ask::{AskError, Asking, Keep, ask, search};
use super::record::{Origin, ReplayOf, TraceRecord};
use super::{Asked, Comparison};
use crate::app::App;

/// What a trace is asked again on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// What was live when it was asked.
    #[default]
    Then,
    /// What is live now.
    Now,
}

/// A trace that was asked again.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// Identifier of the new trace, if it could be stored.
    pub trace_id: Option<Uuid>,
    /// The new trace.
    pub record: TraceRecord,
    /// Version of its settings.
    pub settings_version: i64,
    /// How it differs from the first one.
    pub comparison: Comparison,
    /// Versions that were live then and cannot be searched any more.
    pub missing: usize,
}

/// Why a trace cannot be asked again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Nothing was searched, so there is nothing to search again.
    #[error(
        "nothing was searched when this was asked, so no index version was kept with it; ask it again with `now`"
    )]
    NothingSearched,
    /// What was live is not known.
    #[error(
        "what was live when this was asked was not kept, because the documents changed at that very moment; ask it again with `now`"
    )]
    NotKept,
    /// Another program wrote the record.
    #[error("the trace was written by another version of the program and cannot be asked again: {0}")]
    Unreadable(String),
    /// There are no such settings.
    #[error("`settings_version`: there is no version {0}")]
    NoSettings(i64),
    /// The database, or there is no such trace.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be answered.
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl TraceRecord {
    /// The record of a stored trace.
    ///
    /// # Errors
    /// [`ReplayError::Unreadable`] when it is of another layout.
    pub fn read(trace: &StoredTrace) -> Result<Self, ReplayError> {
        serde_json::from_value(trace.record.clone())
            .map_err(|error| ReplayError::Unreadable(error.to_string()))
    }
}

/// Asks the trace `id` again; the new trace is always kept. The settings are those of the trace, or a stored version.
pub async fn replay(
    app: &App,
    tenant: Uuid,
    id: Uuid,
    against: Against,
    settings_version: Option<i64>,
) -> Result<Replayed, ReplayError> {
    let mut tx = app.store.tenant(tenant).await?;
    let trace = tx.trace(id).await?;
    let then = TraceRecord::read(&trace)?;
    let settings = match settings_version {
        None => then.settings_version(trace.row.settings_version),
        Some(version) => match tx.settings_version(version).await {
            Err(StoreError::NotFound { .. }) => return Err(ReplayError::NoSettings(version)),
            other => other?,
        },
    };
    let seen = match against {
        Against::Now => Seen::default(),
        Against::Then => seen_then(&mut tx, &trace, &then).await?,
    };
    tx.commit().await?;
    let origin = Origin {
        source: TraceSource::Replay,
        staged: match against {
            Against::Now => Vec::new(),
            Against::Then => then.staged.clone(),
        },
        changes: match settings_version {
            None => then.changes.clone(),
            Some(_) => Vec::new(),
        },
        replay: Some(ReplayOf {
            trace: id,
            against,
            missing: seen.missing,
            index_version: seen.index_version,
        }),
    };
    let missing = seen.missing;
    let again = again(app, tenant, &then, settings.clone(), seen.scope, origin).await?;
    let record = again
        .record
        .ok_or_else(|| ReplayError::Unreadable("nothing was traced".to_owned()))?;
    Ok(Replayed {
        trace_id: again.trace_id,
        comparison: Comparison::new(&then, &record),
        record,
        settings_version: settings.version,
        missing,
    })
}

async fn again(
    app: &App,
    tenant: Uuid,
    then: &TraceRecord,
    settings: SettingsVersion,
    scope: Scope,
    origin: Origin,
) -> Result<Asked<()>, AskError> {
    let asking = Asking {
        origin,
        keep: Keep::Always,
        store_answer: false,
    };
    if then.answer.is_none() {
        let options = SearchOptions {
            k: then.k,
            settings: settings.settings.retrieval.clone(),
            scope,
            filter: then.filter.clone(),
            trace: true,
        };
        let asked = search(app, tenant, &then.question, options, &settings, &asking).await?;
        return Ok(without_result(asked));
    }
    let question = Ask {
        question: then.question.clone(),
        history: then.history.clone(),
        language_hint: then.language_hint.clone(),
        settings: Some(settings.clone()),
        scope,
        filter: then.filter.clone(),
    };
    let asked = ask(app, tenant, &question, &settings, &asking).await?;
    Ok(without_result(asked))
}

fn without_result<T>(asked: Asked<T>) -> Asked<()> {
    Asked {
        result: (),
        record: asked.record,
        trace_id: asked.trace_id,
    }
}

/// Which versions are seen.
#[derive(Debug, Default)]
struct Seen {
    scope: Scope,
    index_version: Option<i64>,
    missing: usize,
}

/// The versions that the trace saw: those that were live, and what was staged instead of them.
async fn seen_then(tx: &mut TenantTx, trace: &StoredTrace, then: &TraceRecord) -> Result<Seen, ReplayError> {
    let Some(revision) = trace.row.index_version else {
        return Err(if then.search.is_some() {
            ReplayError::NotKept
        } else {
            ReplayError::NothingSearched
        });
    };
    let mut versions = match tx.index_version(revision).await {
        Err(StoreError::NotFound { .. }) => return Err(ReplayError::NotKept),
        other => other?,
    };
    if !then.staged.is_empty() {
        let mut instead: HashSet<Uuid> = HashSet::new();
        for document in tx.documents_of(&then.staged).await? {
            instead.extend(tx.versions(document).await?.iter().map(|version| version.id));
        }
        versions.retain(|version| !instead.contains(version));
        versions.extend(&then.staged);
    }
    let searchable = tx.searchable_versions(&versions).await?;
    Ok(Seen {
        missing: versions.len()
            - usize::try_from(searchable)
                .unwrap_or_default()
                .min(versions.len()),
        index_version: Some(revision),
        scope: Scope::frozen(versions),
    })
}
