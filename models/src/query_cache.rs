//! Vectors of questions that were asked before.
//!
//! Customers ask the same things in the same words, a question is searched more than once on its way to an answer, and
//! an endpoint far away takes longer than the whole search. Only single texts are kept: those are questions, while
//! documents come in batches. Nothing has to be thrown away when something changes, because a vector depends on the
//! model and the text alone, and every model has a cache of its own.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use lru::LruCache;

use crate::{Embedder, Embedding, InContext, ModelError};

/// Questions kept: 3 MiB of vectors of 384 dimensions, and 2 MiB of pieces.
const KEPT: NonZeroUsize = NonZeroUsize::new(2_048).unwrap();

/// Longest text in bytes that is kept: nobody asks a longer one twice.
const LONGEST: usize = 1_024;

/// A model that remembers the vectors of the latest questions, by their exact text.
pub struct QueryCache {
    model: Arc<dyn Embedder>,
    known: Mutex<LruCache<String, Embedding>>,
}

impl QueryCache {
    /// A cache, empty at first, before `model`.
    pub fn new(model: Arc<dyn Embedder>) -> Self {
        Self {
            model,
            known: Mutex::new(LruCache::new(KEPT)),
        }
    }

    fn known(&self, text: &str) -> Option<Embedding> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(text).cloned()
    }
}

#[async_trait]
impl Embedder for QueryCache {
    fn model(&self) -> &str {
        self.model.model()
    }

    fn dimension(&self) -> usize {
        self.model.dimension()
    }

    fn max_tokens(&self) -> usize {
        self.model.max_tokens()
    }

    fn speaks(&self, language: &str) -> bool {
        self.model.speaks(language)
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.model.count_tokens(text)
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        self.model.embed(texts).await
    }

    async fn embed_one(&self, text: &str) -> Result<Vec<f32>, ModelError> {
        Ok(self.embed_one_in_pieces(text).await?.vector)
    }

    fn tells_pieces(&self) -> bool {
        self.model.tells_pieces()
    }

    async fn embed_in_pieces(&self, passages: Vec<InContext>) -> Result<Vec<Embedding>, ModelError> {
        self.model.embed_in_pieces(passages).await
    }

    async fn embed_one_in_pieces(&self, text: &str) -> Result<Embedding, ModelError> {
        if let Some(embedding) = self.known(text) {
            return Ok(embedding);
        }
        let embedding = self.model.embed_one_in_pieces(text).await?;
        if text.len() <= LONGEST {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.put(text.to_owned(), embedding.clone());
        }
        Ok(embedding)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::HashEmbedder;

    /// Counts what the model is asked, and fails when told to.
    struct Counting {
        model: HashEmbedder,
        asked: AtomicUsize,
    }

    #[async_trait]
    impl Embedder for Counting {
        fn model(&self) -> &str {
            self.model.model()
        }
        fn dimension(&self) -> usize {
            self.model.dimension()
        }
        fn max_tokens(&self) -> usize {
            self.model.max_tokens()
        }
        fn speaks(&self, language: &str) -> bool {
            self.model.speaks(language)
        }
        fn count_tokens(&self, text: &str) -> usize {
            self.model.count_tokens(text)
        }
        async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
            let before = self.asked.fetch_add(1, Ordering::Relaxed);
            if before == 0 {
                return Err(ModelError::Inference {
                    model: self.model().to_owned(),
                    reason: "still starting".to_owned(),
                });
            }
            self.model.embed(texts).await
        }
    }

    #[tokio::test]
    async fn a_question_is_embedded_once_and_a_failure_is_not_remembered() {
        let plain = HashEmbedder::new(16);
        let counting = Arc::new(Counting {
            model: HashEmbedder::new(16),
            asked: AtomicUsize::new(0),
        });
        let cache = QueryCache::new(counting.clone());
        let asked = || counting.asked.load(Ordering::Relaxed);
        assert!(cache.embed_one("how much is a fan").await.is_err());
        let vector = plain.embed_one("how much is a fan").await.unwrap();
        for _ in 0..3 {
            assert_eq!(cache.embed_one("how much is a fan").await.unwrap(), vector);
        }
        assert_eq!(asked(), 2, "the failure, and once more");
        assert_ne!(
            cache.embed_one("How much is a fan?").await.unwrap(),
            vec![0.0; 16]
        );
        assert_eq!(asked(), 3, "only the very same text is the same question");
        let long = "x".repeat(LONGEST + 1);
        cache.embed_one(&long).await.unwrap();
        cache.embed_one(&long).await.unwrap();
        assert_eq!(asked(), 5);
        cache.embed(vec!["how much is a fan".to_owned()]).await.unwrap();
        assert_eq!(asked(), 6, "a batch is no question");
    }

    #[tokio::test]
    async fn the_questions_that_were_asked_longest_ago_are_forgotten() {
        let cache = QueryCache::new(Arc::new(HashEmbedder::new(4)));
        for n in 0..=KEPT.get() {
            cache.embed_one(&n.to_string()).await.unwrap();
        }
        assert!(cache.known("0").is_none());
        assert!(cache.known("1").is_some() && cache.known(&KEPT.get().to_string()).is_some());
    }
}
