//! What a search returns besides its hits.

use serde::{Deserialize, Serialize};

use crate::{Hit, SearchTrace};

/// State of the lexical leg during a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LexicalState {
    /// It had seen everything published.
    Current,
    /// It is replaying; the vector leg alone saw the newest versions.
    Behind,
    /// It could not be read; the vector leg answered alone.
    Unavailable,
    /// Switched off in the settings.
    Off,
}

/// Milliseconds per stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SearchTimings {
    /// Embedding the question; what the legs must know is read meanwhile.
    pub embed_ms: f64,
    /// Lexical leg, run beside the vector leg.
    pub lexical_ms: f64,
    /// Vector leg.
    pub vector_ms: f64,
    /// Loading, fusing.
    pub fuse_ms: f64,
    /// Everything, start to end.
    pub total_ms: f64,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Results {
    /// Hits, best first.
    pub hits: Vec<Hit>,
    /// Vector of the question by the installation's own model, whichever one the passages were compared with.
    #[serde(skip)]
    pub query_vector: Vec<f32>,
    /// BM25 of the best hit as a share of the most that this question could score, 0 to 1.
    pub lexical_coverage: f32,
    /// The most that any chunk could score for this question in the lexical leg, in BM25.
    pub lexical_bound: f32,
    /// Weight of the lexical leg in the fused scores, 0 to 1; the vector leg gets the rest.
    pub lexical_weight: f32,
    /// State of the lexical leg.
    pub lexical: LexicalState,
    /// How the vectors were scanned.
    pub vector_scan: &'static str,
    /// Time spent.
    pub timings: SearchTimings,
    /// What the search looked at, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<SearchTrace>,
}
