//! What a search found, as it is returned and as it is traced.

use std::collections::HashMap;

use plumbline_store::LiveHit;
use uuid::Uuid;

use crate::rank::Ranked;
use crate::{Considered, Hit, RerankTrace};

/// What the legs found, joined and ordered.
pub(crate) struct Found {
    pub(crate) ranked: Vec<Ranked>,
    pub(crate) live: HashMap<Uuid, LiveHit>,
    pub(crate) rerank: Option<RerankTrace>,
    /// Candidates that were replaced or deleted before they could be loaded.
    pub(crate) gone: usize,
    /// Whether one of the vector leg was.
    pub(crate) moved: bool,
}

impl Found {
    /// The best `k`.
    pub(crate) fn hits(&self, k: usize) -> Vec<Hit> {
        let best = self.ranked.iter().take(k);
        best.filter_map(|place| Some(Hit::of(self.live.get(&place.fused.chunk)?, place)))
            .collect()
    }

    /// All of them, with what decided.
    pub(crate) fn considered(&self, k: usize) -> Vec<Considered> {
        let places = self.ranked.iter().enumerate();
        places
            .filter_map(|(index, place)| {
                let hit = self.live.get(&place.fused.chunk)?;
                Some(Considered::of(Hit::of(hit, place), place.fused_rank, index < k))
            })
            .collect()
    }
}
