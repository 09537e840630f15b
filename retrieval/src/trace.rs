//! What a search looked at, step by step: question, analysis, both legs, fusion, reading again, collapse.
//!
//! A trace is data, not prose: every number that decided is in it, so that a page can draw it and a replay can be
//! compared with it. It is only made when asked for, and costs a copy of what the search knew anyway.

use plumbline_store::Fusion;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Hit, LegScore, LexicalState, ScoreParts, SearchTimings};

/// Characters of a candidate that are kept: enough to know it by, its chunk has the rest.
const EXCERPT: usize = 200;

/// One search, from the question to the hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SearchTrace {
    /// The question as searched.
    pub query: String,
    /// Hits wanted.
    pub k: usize,
    /// Candidates taken from each leg.
    pub leg_depth: usize,
    /// How the lexical leg read the question.
    pub analysis: Analysis,
    /// The lexical leg.
    pub lexical: LexicalTrace,
    /// The vector leg.
    pub vector: VectorTrace,
    /// How the scores became one.
    #[schema(value_type = String, example = "bounded")]
    pub fusion: Fusion,
    /// Weight of the lexical leg in the fused scores, 0 to 1; the vector leg gets the rest.
    pub lexical_weight: f32,
    /// Who read the leading candidates again; none when the settings leave that out.
    pub rerank: Option<RerankTrace>,
    /// Every live chunk that a leg offered, in the order they ended in.
    pub candidates: Vec<Considered>,
    /// Chunks that a leg offered and that were replaced or deleted before they could be loaded.
    pub gone: usize,
    /// Revision of the documents that were searched: the name of what was live then, see
    /// [`plumbline_store::TenantTx::index_version`].
    pub index_version: i64,
    /// Milliseconds per stage.
    pub timings: SearchTimings,
}

/// How the lexical leg read a question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Analysis {
    /// Language it was taken for, among those of the documents (ISO 639-1).
    pub language: Option<String>,
    /// Its words that mean something.
    pub words: Vec<AnalysedWord>,
}

/// A word of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AnalysedWord {
    /// As typed.
    pub text: String,
    /// Inverse document frequency.
    pub idf: f32,
    /// Terms of the index that stand for it; none when no document holds anything like it.
    pub terms: Vec<AnalysedTerm>,
}

/// A term of the index that stands for a word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AnalysedTerm {
    /// The term: folded and stemmed.
    pub text: String,
    /// What a match counts: 1 for the word itself, less for a word of the same meaning or a guessed spelling.
    pub weight: f32,
}

/// The lexical leg of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LexicalTrace {
    /// Its state.
    pub state: LexicalState,
    /// Chunks it found, at most four times the depth.
    pub found: usize,
    /// The most that any chunk could score, in BM25.
    pub bound: f32,
}

/// The vector leg of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct VectorTrace {
    /// Embedding model.
    pub model: String,
    /// `exact` or `hnsw`.
    pub scan: String,
    /// Windows among which it looked.
    pub windows: i64,
    /// Chunks it found, at most the depth.
    pub found: usize,
}

/// The reading of the leading candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RerankTrace {
    /// `features`, or the name of the model.
    pub by: String,
    /// Candidates read.
    pub read: usize,
    /// Why the model that the settings ask for did not judge.
    pub missed: Option<String>,
    /// Milliseconds.
    pub ms: f64,
}

/// A chunk that was considered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Considered {
    /// Chunk.
    pub chunk_id: Uuid,
    /// Document.
    pub document_id: Uuid,
    /// Version.
    pub version_id: Uuid,
    /// Logical key of the document.
    pub document_key: String,
    /// Title shown to people.
    pub document_title: String,
    /// Version number, 1-based.
    pub version_number: i32,
    /// First page, 1-based.
    pub page: Option<u32>,
    /// First data row, 1-based (CSV).
    pub row: Option<u64>,
    /// Headings above it, outermost first.
    pub heading_path: Vec<String>,
    /// Its beginning.
    pub excerpt: String,
    /// Place in the lexical leg, if that leg found it.
    pub lexical: Option<LegScore>,
    /// Place in the vector leg; rank 0 when that leg did not offer it and its cosine is known all the same.
    pub vector: Option<LegScore>,
    /// What its score is made of.
    pub parts: ScoreParts,
    /// Its score.
    pub score: f32,
    /// Place that the legs alone gave it, 1-based.
    pub fused_rank: u32,
    /// The better candidate that says all that this one says, which put it behind the others.
    pub duplicate_of: Option<Uuid>,
    /// Whether it is among the hits.
    pub hit: bool,
}

impl Considered {
    pub(crate) fn of(candidate: Hit, fused_rank: u32, hit: bool) -> Self {
        Self {
            chunk_id: candidate.chunk_id,
            document_id: candidate.document_id,
            version_id: candidate.version_id,
            document_key: candidate.document_key,
            document_title: candidate.document_title,
            version_number: candidate.version_number,
            page: candidate.page,
            row: candidate.row,
            heading_path: candidate.heading_path,
            excerpt: candidate.text.chars().take(EXCERPT).collect(),
            lexical: candidate.lexical,
            vector: candidate.vector,
            parts: candidate.parts,
            score: candidate.score,
            fused_rank,
            duplicate_of: candidate.duplicate_of,
            hit,
        }
    }
}
