//! Extractive composition: the best sentences and table rows of the passages, word for word.
//!
//! The decision here: with no language model there is nothing to invent, and a reply costs a few milliseconds. Cheap
//! features choose at most [`CANDIDATES`] sentences of the passages, one batch of embeddings judges those, and what is
//! far less relevant than the best is left out. A sentence is never cut; a table row becomes "Town: Ho, Price: 35.";
//! a list keeps its lead-in.

mod amounts;
mod cache;
mod rank;
mod reply;
mod units;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{ChatModel, ComposeRequest, Composition, Embedder, ModelError, TokenUsage, cosine};
use cache::VectorCache;
use rank::{Question, Scored};

/// Sentences that are embedded for one question; each costs a few milliseconds of a core, once.
const CANDIDATES: usize = 6;

/// Texts per batch: see [`Extractive::vectors`].
const BATCH: usize = 3;

/// Vectors kept: about 12 MB for 384 dimensions.
const CACHED_VECTORS: usize = 8_192;

/// The composer without a language model.
pub struct Extractive {
    embedder: Arc<dyn Embedder>,
    cache: VectorCache,
}

impl Extractive {
    /// A composer that judges relevance with `embedder`.
    pub fn new(embedder: Arc<dyn Embedder>) -> Self {
        Self {
            embedder,
            cache: VectorCache::new(CACHED_VECTORS),
        }
    }

    /// Vectors of `texts`, in order: from the cache, else in batches of like length.
    async fn vectors(&self, texts: &[String]) -> Result<Vec<Arc<[f32]>>, ModelError> {
        let mut found: Vec<Option<Arc<[f32]>>> = texts.iter().map(|text| self.cache.get(text)).collect();
        let mut missing: Vec<usize> = (0..texts.len()).filter(|&i| found[i].is_none()).collect();
        // A batch costs as much as its longest text in every place, so that texts of like length go together.
        missing.sort_by_key(|&i| texts[i].len());
        for indexes in missing.chunks(BATCH) {
            let batch = indexes.iter().map(|&i| texts[i].clone()).collect();
            for (&i, vector) in indexes.iter().zip(self.embedder.embed(batch).await?) {
                let vector: Arc<[f32]> = vector.into();
                self.cache.put(&texts[i], Arc::clone(&vector));
                found[i] = Some(vector);
            }
        }
        Ok(found
            .into_iter()
            .map(|vector| vector.unwrap_or_else(|| Arc::from([])))
            .collect())
    }
}

#[async_trait]
impl ChatModel for Extractive {
    fn name(&self) -> &'static str {
        "extractive"
    }

    async fn compose(&self, request: &ComposeRequest) -> Result<Composition, ModelError> {
        let units = units::of_passages(&request.passages);
        let question = Question::read(&request.question, &units);
        let candidates = rank::preselect(&question, &units, &request.passages, CANDIDATES);
        if candidates.is_empty() {
            return Ok(Composition::default());
        }
        let mut texts = vec![request.question.clone()];
        texts.extend(candidates.iter().map(|&i| units[i].to_embed()));
        let vectors = self.vectors(&texts).await?;
        let cosines: Vec<f32> = vectors[1..]
            .iter()
            .map(|vector| cosine(&vectors[0], vector))
            .collect();
        let scored: Vec<Scored> = rank::score(&question, &units, &request.passages, &candidates, &cosines);
        let sentences = reply::write(request, &question, &units, &scored);
        Ok(Composition {
            sentences,
            usage: TokenUsage::default(),
        })
    }
}

#[cfg(test)]
mod tests;
