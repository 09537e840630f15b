//! The passages that a search considered, with their places from leg to leg.

use std::collections::HashMap;
use std::fmt::Write as _;

use plumbline_retrieval::{Considered, LegScore, SearchTrace};
use uuid::Uuid;

use crate::pages::evidence::view::place;
use crate::traces::TraceRecord;

/// Candidates shown at once; the others are behind a fold.
const SHOWN: usize = 20;

/// A piece of a score in its bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Class of its colour.
    pub class: &'static str,
    /// Where it begins, in thousandths of the bar.
    pub x: u32,
    /// How long it is, in thousandths of the bar.
    pub width: u32,
}

/// A passage that was considered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateLine {
    /// Chunk.
    pub chunk: Uuid,
    /// Place in the end, 1-based.
    pub place: usize,
    /// Document.
    pub title: String,
    /// Page or row, and version.
    pub at: String,
    /// Headings above it.
    pub headings: Vec<String>,
    /// Its beginning.
    pub excerpt: String,
    /// Place and score in the lexical leg.
    pub lexical: (String, String),
    /// Place and score in the vector leg.
    pub vector: (String, String),
    /// Place by fusion.
    pub fused: u32,
    /// Place after reranking.
    pub reranked: usize,
    /// Whether reranking moved it up, down or not: a class.
    pub tone: &'static str,
    /// Its score.
    pub score: String,
    /// What the score is made of, drawn.
    pub pieces: Vec<Piece>,
    /// What the score is made of, in words.
    pub sum: String,
    /// Place among the passages handed on.
    pub handed_on: Option<usize>,
    /// Whether the reply cites it.
    pub cited: bool,
    /// Place of the better passage that says the same.
    pub repeats: Option<usize>,
    /// Whether the search cut its result before this one.
    pub cut_before: bool,
}

/// All candidates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The best ones.
    pub shown: Vec<CandidateLine>,
    /// The others.
    pub folded: Vec<CandidateLine>,
}

fn leg(found: Option<LegScore>) -> (String, String) {
    match found {
        None => ("–".to_owned(), String::new()),
        Some(leg) if leg.rank == 0 => ("–".to_owned(), format!("{:.3}", leg.score)),
        Some(leg) => (leg.rank.to_string(), format!("{:.3}", leg.score)),
    }
}

/// The parts of a score as they count.
fn shares(candidate: &Considered, weight: f32) -> [f32; 4] {
    let parts = candidate.parts;
    let boost = if parts.boost > 0.0 { parts.boost } else { 1.0 };
    [
        weight * parts.lexical * boost,
        (1.0 - weight) * parts.vector * boost,
        parts.rerank * boost,
        parts.late * boost,
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the bar"
)]
fn pieces(candidate: &Considered, weight: f32, longest: f32) -> Vec<Piece> {
    let mut x = 0.0_f32;
    let mut pieces = Vec::new();
    for (share, class) in
        shares(candidate, weight)
            .into_iter()
            .zip(["p-words", "p-meaning", "p-rerank", "p-late"])
    {
        let width = (share.max(0.0) / longest * 1_000.0).clamp(0.0, 1_000.0);
        if width >= 0.5 {
            pieces.push(Piece {
                class,
                x: x.round() as u32,
                width: width.round().max(1.0) as u32,
            });
        }
        x += width;
    }
    pieces
}

fn sum(candidate: &Considered, weight: f32) -> String {
    let parts = candidate.parts;
    let mut words = format!(
        "{weight:.2} × {:.3} words + {:.2} × {:.3} meaning",
        parts.lexical,
        1.0 - weight,
        parts.vector
    );
    if parts.rerank.abs() > f32::EPSILON {
        let _ = write!(words, " + {:.3} reranking", parts.rerank);
    }
    if parts.late.abs() > f32::EPSILON {
        let _ = write!(words, " + {:.3} piece by piece", parts.late);
    }
    if (parts.boost - 1.0).abs() > f32::EPSILON {
        let _ = write!(words, ", boosted by {:.2}", parts.boost);
    }
    words
}

/// Places after reranking, before what repeats a better one was put behind the others: both halves are in that order,
/// and their scores put them together again.
fn reranked(candidates: &[Considered]) -> HashMap<Uuid, usize> {
    let mut own = candidates
        .iter()
        .filter(|candidate| candidate.duplicate_of.is_none())
        .peekable();
    let mut repeating = candidates
        .iter()
        .filter(|candidate| candidate.duplicate_of.is_some())
        .peekable();
    let mut places = HashMap::new();
    for place in 1..=candidates.len() {
        let next = match (own.peek(), repeating.peek()) {
            (Some(own_next), Some(repeat)) if repeat.score > own_next.score => repeating.next(),
            (Some(_), _) => own.next(),
            (None, _) => repeating.next(),
        };
        if let Some(next) = next {
            places.insert(next.chunk_id, place);
        }
    }
    places
}

impl Candidates {
    /// The candidates of a trace, in the order they ended in.
    pub fn new(record: &TraceRecord, search: &SearchTrace) -> Self {
        let weight = search.lexical_weight;
        let after = reranked(&search.candidates);
        let places: HashMap<Uuid, usize> = search
            .candidates
            .iter()
            .zip(1..)
            .map(|(candidate, place)| (candidate.chunk_id, place))
            .collect();
        let whole =
            |candidate: &Considered| shares(candidate, weight).iter().map(|share| share.max(0.0)).sum();
        let longest = search.candidates.iter().map(whole).fold(f32::EPSILON, f32::max);
        let cited = |chunk: Uuid| {
            let citations = record.answer.iter().flat_map(|answer| &answer.citations);
            citations.into_iter().any(|citation| citation.chunk_id == chunk)
        };
        let mut before_was_hit = false;
        let lines = search.candidates.iter().zip(1..).map(|(candidate, rank)| {
            let (fused, reranked) = (
                candidate.fused_rank,
                after.get(&candidate.chunk_id).copied().unwrap_or(rank),
            );
            let cut_before = before_was_hit && !candidate.hit;
            before_was_hit = candidate.hit;
            let spot = place(candidate.page, candidate.row);
            let version = format!("version {}", candidate.version_number);
            CandidateLine {
                chunk: candidate.chunk_id,
                place: rank,
                title: candidate.document_title.clone(),
                at: if spot.is_empty() {
                    version
                } else {
                    format!("{spot}, {version}")
                },
                headings: candidate.heading_path.clone(),
                excerpt: candidate.excerpt.clone(),
                lexical: leg(candidate.lexical),
                vector: leg(candidate.vector),
                fused,
                reranked,
                tone: match reranked.cmp(&usize::try_from(fused).unwrap_or(reranked)) {
                    std::cmp::Ordering::Less => "ok",
                    std::cmp::Ordering::Equal => "",
                    std::cmp::Ordering::Greater => "bad",
                },
                score: format!("{:.3}", candidate.score),
                pieces: pieces(candidate, weight, longest),
                sum: sum(candidate, weight),
                handed_on: record
                    .hits
                    .iter()
                    .position(|chunk| *chunk == candidate.chunk_id)
                    .map(|index| index + 1),
                cited: cited(candidate.chunk_id),
                repeats: candidate
                    .duplicate_of
                    .and_then(|other| places.get(&other).copied()),
                cut_before,
            }
        });
        let mut shown: Vec<CandidateLine> = lines.collect();
        let last_of_use = shown
            .iter()
            .rposition(|line| line.handed_on.is_some())
            .unwrap_or_default();
        let folded = shown.split_off(shown.len().min(SHOWN.max(last_of_use + 1)));
        Self { shown, folded }
    }
}
