//! The record of a trace: everything that a question was asked with, and everything that was looked at.
//!
//! The settings are in it whole and the versions are named by their index version, so that a record is enough to ask
//! again. What the composer was given is in it word for word; of the other candidates only their beginning is.

use plumbline_answer::{
    Answer, AnswerTrace, Ask, Citation, Message, Outcome, PackedPassage, Reason, Route, Sentence, Timings,
};
use plumbline_retrieval::{Results, SearchTrace};
use plumbline_store::{Filter, NewTrace, Settings, SettingsVersion, TraceSource};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Against;
use crate::http::settings::SettingsBody;

/// Version of the record's layout.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that is kept of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TraceRecord {
    /// Layout of this record.
    pub schema_version: u32,
    /// The question as asked.
    pub question: String,
    /// What was said before, oldest first.
    #[serde(default)]
    pub history: Vec<Message>,
    /// Language that the customer was believed to speak.
    #[serde(default)]
    pub language_hint: Option<String>,
    /// Passages wanted; of an answer, those that could be handed to the composer.
    pub k: usize,
    /// Which documents were looked at.
    #[schema(value_type = Object)]
    pub filter: Filter,
    /// Staged versions that were seen instead of the live ones of their documents.
    #[serde(default)]
    pub staged: Vec<Uuid>,
    /// The settings in force, whole.
    #[schema(value_type = SettingsBody)]
    pub settings: Settings,
    /// What was changed of the settings version for this question alone, as `retrieval.lexical_weight=0.5`.
    #[serde(default)]
    pub changes: Vec<String>,
    /// Whether the question was completed from what was said before.
    #[serde(default)]
    pub rewritten: bool,
    /// The search; none when the words alone decided.
    pub search: Option<SearchTrace>,
    /// Chunks that were handed on, best first.
    #[serde(default)]
    pub hits: Vec<Uuid>,
    /// What the composer was given, best first.
    #[serde(default)]
    pub packed: Vec<PackedPassage>,
    /// What came of it; none for a search.
    pub answer: Option<AnswerSummary>,
    /// The trace that was asked again.
    #[serde(default)]
    pub replay: Option<ReplayOf>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AnswerSummary {
    /// Identifier; whether the answer is stored under it depends on where the question came from.
    pub id: Uuid,
    /// What the customer got.
    pub outcome: Outcome,
    /// Why it is no ordinary reply.
    pub reason: Option<Reason>,
    /// How the question was routed.
    pub route: Route,
    /// Estimated probability that the evidence answers the question, 0 to 1.
    pub confidence: f32,
    /// The reply.
    pub text: String,
    /// The reply sentence by sentence.
    pub sentences: Vec<Sentence>,
    /// Evidence of the sentences.
    pub citations: Vec<Citation>,
    /// Language of the reply.
    pub language: String,
    /// Milliseconds per stage.
    pub timings: Timings,
}

impl From<&Answer> for AnswerSummary {
    fn from(answer: &Answer) -> Self {
        Self {
            id: answer.id,
            outcome: answer.outcome,
            reason: answer.reason,
            route: answer.route,
            confidence: answer.confidence,
            text: answer.text.clone(),
            sentences: answer.sentences.clone(),
            citations: answer.citations.clone(),
            language: answer.language.clone(),
            timings: answer.timings,
        }
    }
}

/// Which trace was asked again, and on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayOf {
    /// The trace.
    pub trace: Uuid,
    /// What it was asked again on.
    pub against: Against,
    /// Versions that were live then and cannot be searched any more: their documents were deleted since.
    pub missing: usize,
    /// The index version that it was asked on; none for what is live.
    #[serde(default)]
    pub index_version: Option<i64>,
}

/// Where a question came from, and what was special about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// Where it came from.
    pub source: TraceSource,
    /// Staged versions that are seen.
    pub staged: Vec<Uuid>,
    /// What was changed of the settings version.
    pub changes: Vec<String>,
    /// The trace that is asked again.
    pub replay: Option<ReplayOf>,
}

impl Origin {
    /// A question of a kind, with nothing special about it.
    pub fn of(source: TraceSource) -> Self {
        Self {
            source,
            staged: Vec::new(),
            changes: Vec::new(),
            replay: None,
        }
    }
}

impl TraceRecord {
    /// The record of an answer to `ask`.
    pub fn of_answer(
        ask: &Ask,
        settings: &Settings,
        (answer, trace): (&Answer, AnswerTrace),
        origin: &Origin,
    ) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            question: ask.question.clone(),
            history: ask.history.iter().map(storable_message).collect(),
            language_hint: ask.language_hint.clone(),
            k: settings.retrieval.top_k,
            filter: ask.filter.clone(),
            staged: origin.staged.clone(),
            settings: settings.clone(),
            changes: origin.changes.clone(),
            rewritten: trace.rewritten,
            search: trace.search,
            hits: answer.hits.iter().map(|hit| hit.chunk_id).collect(),
            packed: trace.packed,
            answer: Some(answer.into()),
            replay: origin.replay,
        }
    }

    /// The record of a search that nothing was composed from; its trace is taken out of `results`.
    pub fn of_search(
        query: &str,
        filter: &Filter,
        settings: &Settings,
        results: &mut Results,
        origin: &Origin,
    ) -> Self {
        let search = results.trace.take();
        Self {
            schema_version: SCHEMA_VERSION,
            question: query.to_owned(),
            history: Vec::new(),
            language_hint: None,
            k: search.as_ref().map_or(results.hits.len(), |search| search.k),
            filter: filter.clone(),
            staged: origin.staged.clone(),
            settings: settings.clone(),
            changes: origin.changes.clone(),
            rewritten: false,
            search,
            hits: results.hits.iter().map(|hit| hit.chunk_id).collect(),
            packed: Vec::new(),
            answer: None,
            replay: origin.replay,
        }
    }

    /// The settings that it was asked with, under the number of the version they come from.
    pub fn settings_version(&self, version: i64) -> SettingsVersion {
        SettingsVersion {
            version,
            settings: self.settings.clone(),
        }
    }

    /// Wall-clock milliseconds.
    pub fn total_ms(&self) -> f64 {
        match (&self.answer, &self.search) {
            (Some(answer), _) => answer.timings.total_ms,
            (None, Some(search)) => search.timings.total_ms,
            (None, None) => 0.0,
        }
    }

    /// As JSON, with numbers as short as they are.
    fn to_json(&self) -> Value {
        // by way of text: a 32-bit 0.4 turned into a JSON number directly is 0.4000000059604645
        let text = serde_json::to_string(self).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The row that keeps it.
    pub fn into_row(self, id: Uuid, source: TraceSource, settings_version: i64) -> NewTrace {
        let mut document_keys: Vec<String> = Vec::new();
        let candidates = self.search.iter().flat_map(|search| &search.candidates);
        let keys = candidates.map(|candidate| (candidate.chunk_id, &candidate.document_key));
        let keys: std::collections::HashMap<_, _> = keys.collect();
        for key in self.hits.iter().filter_map(|chunk| keys.get(chunk)) {
            if !document_keys.contains(key) {
                document_keys.push((*key).clone());
            }
        }
        let query = self
            .search
            .as_ref()
            .map_or(&self.question, |search| &search.query);
        let asked_on = self.replay.and_then(|replay| replay.index_version);
        NewTrace {
            id,
            source,
            question: storable(&self.question),
            query: storable(query),
            outcome: self
                .answer
                .as_ref()
                .map(|answer| outcome(answer.outcome).to_owned()),
            settings_version,
            index_version: asked_on.or(self.search.as_ref().map(|search| search.index_version)),
            document_keys,
            total_ms: self.total_ms(),
            record: self.to_json(),
        }
    }
}

/// PostgreSQL holds no NUL in a text.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}

fn storable_message(message: &Message) -> Message {
    Message {
        role: message.role,
        text: storable(&message.text),
    }
}

/// An outcome as it is stored.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Abstained => "abstained",
        Outcome::HandedOff => "handed_off",
    }
}
