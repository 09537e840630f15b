//! Two traces side by side: where each passage went, and whether the reply is another one.

use std::collections::HashMap;

use plumbline_retrieval::Considered;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::TraceRecord;

/// What differs between two traces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// Every passage that either handed on: those of the second in their order, then those that only the first has.
    pub passages: Vec<MovedPassage>,
    /// Whether the same passages were handed on in the same order.
    pub same_passages: bool,
    /// Whether the customer would have got the same kind of reply; none unless both were answers.
    pub same_outcome: Option<bool>,
    /// Whether the replies are the same word for word; none unless both were answers.
    pub same_text: Option<bool>,
}

/// What became of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is in the same place.
    Same,
    /// It is further up.
    Up,
    /// It is further down.
    Down,
    /// The first did not hand it on.
    New,
    /// The second does not hand it on.
    Gone,
}

/// A passage with its places. It is the same passage when it is the same chunk, or one of another version of the same
/// document that begins with the same words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedPassage {
    /// Chunk, in the second if it is there.
    pub chunk_id: Uuid,
    /// Logical key of the document.
    pub document_key: String,
    /// Title of the document.
    pub document_title: String,
    /// First page, 1-based.
    pub page: Option<u32>,
    /// First data row, 1-based.
    pub row: Option<u64>,
    /// Its beginning.
    pub excerpt: String,
    /// Version of the document in the first.
    pub version_then: Option<i32>,
    /// Version of the document in the second.
    pub version_now: Option<i32>,
    /// Place in the first, 1-based.
    pub rank_then: Option<u32>,
    /// Place in the second, 1-based.
    pub rank_now: Option<u32>,
    /// What became of it.
    pub change: Change,
}

impl Comparison {
    /// What differs between `then` and `now`.
    pub fn new(then: &TraceRecord, now: &TraceRecord) -> Self {
        let (before, after) = (handed_on(then), handed_on(now));
        let mut matched = vec![false; before.len()];
        let mut passages = Vec::with_capacity(after.len());
        for (rank, passage) in ranked(&after) {
            let exactly = before.iter().position(|other| other.chunk_id == passage.chunk_id);
            let alike = || (0..before.len()).find(|&at| !matched[at] && same_words(before[at], passage));
            let from = exactly.or_else(alike);
            if let Some(at) = from {
                matched[at] = true;
            }
            let from = from.map(|at| (rank_of(at), before[at]));
            passages.push(moved(from, Some((rank, passage))));
        }
        let left = ranked(&before).zip(&matched).filter(|(_, matched)| !**matched);
        passages.extend(left.map(|(from, _)| moved(Some(from), None)));
        let answers = then.answer.as_ref().zip(now.answer.as_ref());
        Self {
            same_passages: passages.iter().all(|passage| passage.change == Change::Same),
            passages,
            same_outcome: answers.map(|(then, now)| then.outcome == now.outcome),
            same_text: answers.map(|(then, now)| then.text == now.text),
        }
    }
}

/// The passages that a question handed on, best first.
fn handed_on(record: &TraceRecord) -> Vec<&Considered> {
    let candidates = record.search.iter().flat_map(|search| &search.candidates);
    let by_chunk: HashMap<Uuid, &Considered> = candidates.map(|found| (found.chunk_id, found)).collect();
    record
        .hits
        .iter()
        .filter_map(|chunk| by_chunk.get(chunk).copied())
        .collect()
}

fn same_words(one: &Considered, other: &Considered) -> bool {
    one.document_id == other.document_id
        && one.version_id != other.version_id
        && one.excerpt == other.excerpt
        && one.row == other.row
}

fn rank_of(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

fn ranked<'a>(passages: &'a [&'a Considered]) -> impl Iterator<Item = (u32, &'a Considered)> {
    (1_u32..).zip(passages.iter().copied())
}

type Place<'a> = Option<(u32, &'a Considered)>;

/// A passage that is in at least one of them.
fn moved(then: Place<'_>, now: Place<'_>) -> MovedPassage {
    let (rank_then, rank_now) = (then.map(|(rank, _)| rank), now.map(|(rank, _)| rank));
    let change = match (rank_then, rank_now) {
        (Some(then), Some(now)) if now < then => Change::Up,
        (Some(then), Some(now)) if now > then => Change::Down,
        (Some(_), Some(_)) => Change::Same,
        (None, _) => Change::New,
        (Some(_), None) => Change::Gone,
    };
    let shown = now.or(then).map(|(_, passage)| passage);
    MovedPassage {
        chunk_id: shown.map_or(Uuid::nil(), |shown| shown.chunk_id),
        document_key: shown.map_or_else(String::new, |shown| shown.document_key.clone()),
        document_title: shown.map_or_else(String::new, |shown| shown.document_title.clone()),
        page: shown.and_then(|shown| shown.page),
        row: shown.and_then(|shown| shown.row),
        excerpt: shown.map_or_else(String::new, |shown| shown.excerpt.clone()),
        version_then: then.map(|(_, passage)| passage.version_number),
        version_now: now.map(|(_, passage)| passage.version_number),
        rank_then,
        rank_now,
        change,
    }
}
