//! What an answer was made from: the search, and the passages as the composer got them.

use plumbline_retrieval::{Hit, SearchTrace};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::evidence::Evidence;

/// What was looked at on the way to an answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AnswerTrace {
    /// Whether the question was completed from what was said before.
    pub rewritten: bool,
    /// The search; none when the words alone decided (small talk, a request for a person).
    pub search: Option<SearchTrace>,
    /// What the composer was given, best first; empty when nothing was composed.
    pub packed: Vec<PackedPassage>,
}

/// A passage as the composer got it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PackedPassage {
    /// Title of its document.
    pub title: String,
    /// Headings above it, outermost first.
    pub heading_path: Vec<String>,
    /// Its text; neighbouring hits are one passage.
    pub text: String,
    /// The chunks it comes from, in the order of the text.
    pub chunks: Vec<Uuid>,
    /// Score of its best hit.
    pub score: f32,
}

/// The passages of `evidence`, with the chunks of `hits` they come from.
pub(crate) fn packed(evidence: &Evidence, hits: &[Hit]) -> Vec<PackedPassage> {
    let passages = evidence.passages.iter().zip(&evidence.parts);
    passages
        .map(|(passage, parts)| PackedPassage {
            title: passage.title.clone(),
            heading_path: passage.heading_path.clone(),
            text: passage.text.clone(),
            chunks: parts.iter().map(|part| hits[part.hit].chunk_id).collect(),
            score: passage.score,
        })
        .collect()
}
