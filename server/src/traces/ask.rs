//! Asking with a trace: the one way that the API, the playground and a replay take to the answerer and the search.

use plumbline_answer::{Answer, AnswerError, AnswerTrace, Ask, Outcome};
use plumbline_retrieval::{Results, SearchError, SearchOptions};
use plumbline_store::{NewTrace, SettingsVersion, StoreError};
use uuid::Uuid;

use super::record::{Origin, TraceRecord};
use super::{keep, sampled, wanted};
use crate::app::App;
use crate::worker::turn::record;

/// Attempts at an answer whose documents are deleted meanwhile.
const MOST_ATTEMPTS: usize = 4;

/// Which traces are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Those that the settings sample.
    Sampled,
    /// This one.
    Always,
    /// None.
    Never,
}

impl Keep {
    /// As somebody said, or else by the settings; a look at what is staged is only kept when somebody said so.
    pub fn asked_for(explicitly: Option<bool>, preview: bool) -> Self {
        match explicitly {
            Some(true) => Self::Always,
            Some(false) => Self::Never,
            None if preview => Self::Never,
            None => Self::Sampled,
        }
    }

    fn looks(self, settings: &SettingsVersion) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Sampled => wanted(settings.settings.traces),
        }
    }

    fn keeps(self, id: Uuid, settings: &SettingsVersion, outcome: Option<Outcome>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Sampled => sampled(id, settings.settings.traces, outcome),
        }
    }
}

/// How a question is asked.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Where it came from.
    pub origin: Origin,
    /// Whether its trace is kept.
    pub keep: Keep,
    /// Whether the answer is stored, so that its evidence can be looked at and it can become a golden case.
    pub store_answer: bool,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Asked<T> {
    /// The answer, or what was found.
    pub result: T,
    /// The trace, if one was made.
    pub record: Option<TraceRecord>,
    /// Its identifier, if it was kept.
    pub trace_id: Option<Uuid>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// A part that the answer needs is down.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The search is down.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Documents were deleted at every attempt.
    #[error("the documents change faster than they can be quoted")]
    TooFast,
}

/// Answers `ask` with `settings`. A document deleted while the answer was being written is not cited: it is answered
/// again without it.
pub async fn ask(
    app: &App,
    tenant: Uuid,
    ask: &Ask,
    settings: &SettingsVersion,
    asking: &Asking,
) -> Result<Asked<Answer>, AskError> {
    for _ in 0..MOST_ATTEMPTS {
        let (answer, trace) = if asking.keep.looks(settings) {
            let (answer, trace) = app.answerer.answer_traced(tenant, ask).await?;
            (answer, Some(trace))
        } else {
            (app.answerer.answer(tenant, ask).await?, None)
        };
        let cited: Vec<Uuid> = answer
            .citations
            .iter()
            .map(|citation| citation.version_id)
            .collect();
        let mut tx = app.store.tenant(tenant).await?;
        if !tx.still_exist(&cited).await? {
            continue;
        }
        if asking.store_answer {
            tx.insert_answer(&record(&answer, &ask.question, None)).await?;
        }
        tx.commit().await?;
        return Ok(with_trace(app, tenant, (ask, settings, asking), answer, trace).await);
    }
    Err(AskError::TooFast)
}

async fn with_trace(
    app: &App,
    tenant: Uuid,
    (ask, settings, asking): (&Ask, &SettingsVersion, &Asking),
    answer: Answer,
    trace: Option<AnswerTrace>,
) -> Asked<Answer> {
    let record =
        trace.map(|trace| TraceRecord::of_answer(ask, &settings.settings, (&answer, trace), &asking.origin));
    let trace_id = match &record {
        Some(record) if asking.keep.keeps(answer.id, settings, Some(answer.outcome)) => {
            let row = record
                .clone()
                .into_row(answer.id, asking.origin.source, settings.version);
            kept(app, tenant, row).await
        }
        _ => None,
    };
    Asked {
        result: answer,
        record,
        trace_id,
    }
}

/// Searches with `options`, whose retrieval settings are those of `settings`.
pub async fn search(
    app: &App,
    tenant: Uuid,
    query: &str,
    mut options: SearchOptions,
    settings: &SettingsVersion,
    asking: &Asking,
) -> Result<Asked<Results>, AskError> {
    let id = Uuid::now_v7();
    let keeps = asking.keep.keeps(id, settings, None);
    options.trace = options.trace || keeps;
    let mut results = app.searcher.search(tenant, query, &options).await?;
    if results.trace.is_none() {
        return Ok(Asked {
            result: results,
            record: None,
            trace_id: None,
        });
    }
    let record = TraceRecord::of_search(
        query,
        &options.filter,
        &settings.settings,
        &mut results,
        &asking.origin,
    );
    let trace_id = if keeps {
        let row = record
            .clone()
            .into_row(id, asking.origin.source, settings.version);
        kept(app, tenant, row).await
    } else {
        None
    };
    Ok(Asked {
        result: results,
        record: Some(record),
        trace_id,
    })
}

async fn kept(app: &App, tenant: Uuid, row: NewTrace) -> Option<Uuid> {
    keep(&app.store, tenant, &row).await.then_some(row.id)
}
