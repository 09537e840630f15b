//! What a search returns.

use plumbline_store::LiveHit;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rank::Ranked;

/// Place of a hit in one leg.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LegScore {
    /// Rank in that leg, 1-based.
    pub rank: u32,
    /// Raw score of that leg: BM25 (unbounded, positive) or cosine (−1 to 1).
    pub score: f32,
}

/// What a fused score is made of: `(w * lexical + (1 - w) * vector + rerank + late) * boost`, `w` being the weight of the lexical
/// leg; a sum below 0 is divided by the boost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScoreParts {
    /// What the lexical leg gives, 0 to 1; by default the score as a share of the most that the question could score.
    pub lexical: f32,
    /// What the vector leg gives, by default the cosine.
    pub vector: f32,
    /// What reading the passage once more added.
    pub rerank: f32,
    /// What it added that the passage says what the question says word piece by word piece.
    #[serde(default)] // traces of an earlier program do not say
    pub late: f32,
    /// Factor that an admin gave the passage.
    pub boost: f32,
}

/// One passage found: a chunk of a live document version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Hit {
    /// Chunk.
    pub chunk_id: Uuid,
    /// Document.
    pub document_id: Uuid,
    /// Version that was live when the search ran.
    pub version_id: Uuid,
    /// Logical key of the document.
    pub document_key: String,
    /// Title shown to people.
    pub document_title: String,
    /// Version number, 1-based.
    pub version_number: i32,
    /// Start of the chunk in bytes of the version's canonical text.
    pub start: usize,
    /// End (exclusive), in bytes.
    pub end: usize,
    /// First page, 1-based.
    pub page: Option<u32>,
    /// First data row, 1-based (CSV).
    pub row: Option<u64>,
    /// Headings above the chunk, outermost first.
    pub heading_path: Vec<String>,
    /// Text of the chunk: `canonical_text[start..end]`.
    pub text: String,
    /// Fused score, higher is better; comparable within one settings version.
    pub score: f32,
    /// What the score is made of.
    #[serde(default)] // answers of an earlier program do not say
    pub parts: ScoreParts,
    /// Place in the lexical leg, if it found the chunk.
    pub lexical: Option<LegScore>,
    /// Place in the vector leg, if it found the chunk (score: mean of the cosines of its best window and of the whole).
    pub vector: Option<LegScore>,
    /// A better hit that says all that this one says: it comes after all others that were found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<Uuid>,
}

impl Hit {
    /// A chunk that was loaded, at the place it got.
    pub(crate) fn of(live: &LiveHit, place: &Ranked) -> Self {
        let fused = place.fused;
        // The vector leg may have stopped before this chunk; its cosine is known all the same, its rank is not.
        let vector = fused
            .vector
            .or_else(|| live.cosine.map(|score| LegScore { rank: 0, score }));
        Self {
            chunk_id: live.chunk_id,
            document_id: live.document_id,
            version_id: live.version_id,
            document_key: live.document_key.clone(),
            document_title: live.document_title.clone(),
            version_number: live.version_number,
            start: usize::try_from(live.text_start).unwrap_or_default(),
            end: usize::try_from(live.text_end).unwrap_or_default(),
            page: live.page_from.and_then(|page| u32::try_from(page).ok()),
            row: live.row_from.and_then(|row| u64::try_from(row).ok()),
            heading_path: live.heading_path.clone(),
            text: live.body.clone(),
            score: fused.score,
            parts: fused.parts,
            lexical: fused.lexical,
            vector,
            duplicate_of: place.duplicate_of,
        }
    }
}
