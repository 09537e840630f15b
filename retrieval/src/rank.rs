//! The order of what the legs found: fused, read again, near-duplicates behind.
//!
//! Everything here is a function of what was loaded: no clock, no database. So the same legs give the same order, and a
//! trace can say at which step a passage rose or fell.

use std::collections::HashMap;

use plumbline_store::LiveHit;
use uuid::Uuid;

use crate::collapse::duplicates;
use crate::fuse::{Candidate, Fused, Weights, Wish, fuse};
use crate::lexical::LexicalMatches;
use crate::rerank::{RERANKED, Reader};

/// A candidate with its place and how it came there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ranked {
    /// Place, score and where it comes from.
    pub(crate) fused: Fused,
    /// Place that the legs alone give it, 1-based.
    pub(crate) fused_rank: u32,
    /// The better candidate that says all that this one says.
    pub(crate) duplicate_of: Option<Uuid>,
}

/// What is ordered, and how.
pub(crate) struct Ranking<'a> {
    /// The question as searched.
    pub(crate) question: &'a str,
    /// What both legs found and is live.
    pub(crate) live: &'a [LiveHit],
    /// The vector leg, best first.
    pub(crate) nearest: &'a [(Uuid, f32)],
    /// The lexical leg.
    pub(crate) lexical: &'a LexicalMatches,
    /// How the legs are put together.
    pub(crate) weights: Weights,
    /// Whether the leading candidates are read again.
    pub(crate) rerank: bool,
    /// Hits wanted.
    pub(crate) k: usize,
}

impl Ranking<'_> {
    /// All candidates, best first; near-duplicates of better ones come after all that say something of their own, so that
    /// a shortage is filled with them and nothing else is pushed out by them.
    pub(crate) fn order(&self) -> Vec<Ranked> {
        let first = self.fuse(&HashMap::new());
        let bonuses = self.bonuses(&first);
        let fused = if bonuses.is_empty() {
            first.clone()
        } else {
            self.fuse(&bonuses)
        };
        let places: HashMap<Uuid, u32> = (1_u32..)
            .zip(&first)
            .map(|(rank, place)| (place.chunk, rank))
            .collect();
        let by_chunk: HashMap<Uuid, &LiveHit> = self.live.iter().map(|hit| (hit.chunk_id, hit)).collect();
        let leading = fused.iter().take(RERANKED.max(self.k));
        let repeated = duplicates(leading.filter_map(|place| by_chunk.get(&place.chunk).copied()));
        let mut ranked: Vec<Ranked> = fused
            .into_iter()
            .map(|fused| Ranked {
                fused,
                fused_rank: places.get(&fused.chunk).copied().unwrap_or_default(),
                duplicate_of: repeated.get(&fused.chunk).copied(),
            })
            .collect();
        ranked.sort_by_key(|place| place.duplicate_of.is_some()); // stable: each part keeps its order
        ranked
    }

    fn fuse(&self, bonuses: &HashMap<Uuid, f32>) -> Vec<Fused> {
        let candidates: Vec<Candidate> = self
            .live
            .iter()
            .map(|hit| Candidate {
                chunk: hit.chunk_id,
                cosine: hit.cosine,
                bonus: bonuses.get(&hit.chunk_id).copied().unwrap_or_default(),
                wish: Wish {
                    pinned: hit.pinned,
                    boost: hit.boost,
                },
            })
            .collect();
        fuse(
            &candidates,
            &self.lexical.chunks,
            self.lexical.bound,
            self.nearest,
            self.weights,
        )
    }

    fn bonuses(&self, first: &[Fused]) -> HashMap<Uuid, f32> {
        if !self.rerank {
            return HashMap::new();
        }
        let reader = Reader::new(self.question, &self.lexical.words);
        let by_chunk: HashMap<Uuid, &LiveHit> = self.live.iter().map(|hit| (hit.chunk_id, hit)).collect();
        first
            .iter()
            .take(RERANKED.max(self.k))
            .filter_map(|place| Some((place.chunk, reader.bonus(by_chunk.get(&place.chunk)?))))
            .collect()
    }
}
