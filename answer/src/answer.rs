//! What an answer is: the structured record that WhatsApp, the HTTP API, the pages and the eval all read.
//!
//! The outcome and the route are fields, never something to be parsed out of prose, so that no consumer has to
//! guess whether the customer got an answer, an honest "I don't know", or a person.

use plumbline_retrieval::Hit;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::calibration::Features;

/// What the customer got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A reply whose every factual sentence is cited (or small talk, which states no facts).
    Answered,
    /// The documents do not hold the answer; the customer was told so.
    Abstained,
    /// A person takes over.
    HandedOff,
}

/// The kind of treatment a question asks for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// A fact that one passage states.
    Commodity,
    /// A comparison, a computation or several passages.
    Reasoning,
    /// Greetings, thanks, goodbyes.
    Smalltalk,
    /// A request for a person, or a matter only a person may handle.
    Handoff,
    /// Not this business's concern.
    OutOfScope,
}

/// Why an answer is not an ordinary grounded reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No passage was close enough to the question.
    NoEvidence,
    /// Passages are on the topic, but none states what was asked for (a price, a date, a name).
    MissingDetail,
    /// A composed sentence held a number, date, price, name or link that its citations do not hold.
    Vetoed,
    /// The router found the question to be none of this business's concern.
    OutOfScope,
    /// The customer asked for a person.
    AskedForPerson,
    /// An account, complaint, safety or legal matter.
    NeedsPerson,
    /// The business switched automatic answers off.
    BotDisabled,
}

/// One sentence of the reply with the indexes of its citations in [`Answer::citations`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sentence {
    /// The sentence as sent.
    pub text: String,
    /// Indexes into [`Answer::citations`]; empty only for sentences that state no fact.
    pub citations: Vec<usize>,
}

/// Where a sentence comes from: a byte range of the canonical text of a pinned document version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Citation {
    /// Document.
    pub document_id: Uuid,
    /// The exact version that was quoted.
    pub version_id: Uuid,
    /// Logical key of the document (its path or file name).
    pub document_key: String,
    /// Title shown to people.
    pub document_title: String,
    /// Version number, 1-based.
    pub version_number: i32,
    /// Chunk that the search returned.
    pub chunk_id: Uuid,
    /// Start of the quoted passage, in bytes of the version's canonical text.
    pub start: usize,
    /// End (exclusive), in bytes.
    pub end: usize,
    /// Page, 1-based, for paged formats.
    pub page: Option<u32>,
    /// Data row, 1-based, for tables in CSV files.
    pub row: Option<u64>,
    /// The quoted passage: `canonical_text[start..end]`.
    pub quote: String,
}

/// Wall-clock milliseconds spent per stage of one answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Timings {
    /// Routing.
    pub route_ms: f64,
    /// Embedding the question.
    pub embed_ms: f64,
    /// Lexical leg.
    pub lexical_ms: f64,
    /// Vector leg.
    pub vector_ms: f64,
    /// Fusion and loading the hits.
    pub fuse_ms: f64,
    /// Composing the reply.
    pub compose_ms: f64,
    /// Grounding checks and decision.
    pub ground_ms: f64,
    /// Everything, start to end.
    pub total_ms: f64,
}

/// What the model behind the reply used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Usage {
    /// Model name, `extractive` for the built-in one.
    pub model: String,
    /// Input tokens billed.
    pub input_tokens: u64,
    /// Output tokens billed.
    pub output_tokens: u64,
}

/// The full record of one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Answer {
    /// Identifier, also the trace id.
    pub id: Uuid,
    /// What the customer got.
    pub outcome: Outcome,
    /// How the question was routed.
    pub route: Route,
    /// Why it is not an ordinary reply, if so.
    pub reason: Option<Reason>,
    /// The reply as sent, all sentences joined.
    pub text: String,
    /// The reply sentence by sentence.
    pub sentences: Vec<Sentence>,
    /// Evidence of the sentences.
    pub citations: Vec<Citation>,
    /// Estimated probability that the evidence answers the question, 0 to 1.
    pub confidence: f32,
    /// What the confidence was estimated from; none for a reply that quotes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Features>,
    /// The question as searched (after rewriting a follow-up).
    pub query: String,
    /// Passages found, best first.
    pub hits: Vec<Hit>,
    /// Language of the reply, ISO 639-1.
    pub language: String,
    /// Time spent.
    pub timings: Timings,
    /// Tokens and model.
    pub usage: Usage,
    /// Version of the settings row in force.
    pub settings_version: i64,
}

/// Who said an earlier message of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The customer.
    Customer,
    /// The bot or an agent of the business.
    Bot,
}

/// One earlier message, oldest first in a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Message {
    /// Who said it.
    pub role: Speaker,
    /// Its text.
    pub text: String,
}
