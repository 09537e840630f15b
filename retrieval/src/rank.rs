//! The order of what the legs found: fused, read again, near-duplicates behind.
//!
//! Everything here is a function of what was loaded: no clock, no database. So the same legs give the same order, and a
//! trace can say at which step a passage rose or fell.

use std::collections::HashMap;

use plumbline_store::{LiveHit, VectorMatch};
use uuid::Uuid;

use crate::collapse::{Fingerprint, duplicates};
use crate::fuse::{Candidate, Fused, Weights, Wish, fuse};
use crate::lexical::LexicalMatches;
use crate::rerank::Bonus;

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
    /// What both legs found and is live.
    pub(crate) live: &'a [LiveHit],
    /// The vector leg, best first.
    pub(crate) nearest: &'a [(Uuid, f32)],
    /// The lexical leg.
    pub(crate) lexical: &'a LexicalMatches,
    /// How the legs are put together.
    pub(crate) weights: Weights,
    /// How many candidates are looked at again: read, and compared with each other.
    pub(crate) leading: usize,
}

impl<'a> Ranking<'a> {
    /// The candidates that are worth reading again, best first: as the legs alone order them.
    pub(crate) fn leading(&self) -> Vec<&'a LiveHit> {
        let by_chunk: HashMap<Uuid, &LiveHit> = self.live.iter().map(|hit| (hit.chunk_id, hit)).collect();
        let first = self.fuse(&HashMap::new());
        let leading = first.iter().take(self.leading);
        leading
            .filter_map(|place| by_chunk.get(&place.chunk).copied())
            .collect()
    }

    /// All candidates, best first, with `bonuses` added to their scores; near-duplicates of better ones come after all that
    /// say something of their own, so that a shortage is filled with them and nothing else is pushed out by them.
    pub(crate) fn order(
        &self,
        bonuses: &HashMap<Uuid, Bonus>,
        fingerprints: &HashMap<Uuid, Fingerprint<'_>>,
    ) -> Vec<Ranked> {
        let first = self.fuse(&HashMap::new());
        let places: HashMap<Uuid, u32> = (1_u32..)
            .zip(&first)
            .map(|(rank, place)| (place.chunk, rank))
            .collect();
        let fused = if bonuses.is_empty() {
            first
        } else {
            self.fuse(bonuses)
        };
        let leading = fused.iter().take(self.leading).map(|place| place.chunk);
        let repeated = duplicates(leading, fingerprints);
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

    fn fuse(&self, bonuses: &HashMap<Uuid, Bonus>) -> Vec<Fused> {
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
}

/// The vector leg as it counts, best first: it is found by the nearest window of a chunk, and scored by that and the whole
/// chunk. What is not live any more is left out.
pub(crate) fn nearest(matches: &[VectorMatch], live: &[LiveHit]) -> Vec<(Uuid, f32)> {
    let cosines: HashMap<Uuid, f32> = live
        .iter()
        .filter_map(|hit| Some((hit.chunk_id, hit.cosine?)))
        .collect();
    let mut nearest: Vec<(Uuid, f32)> = matches
        .iter()
        .filter_map(|found| Some((found.chunk_id, *cosines.get(&found.chunk_id)?)))
        .collect();
    nearest.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    nearest
}
