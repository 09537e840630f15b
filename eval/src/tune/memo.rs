//! Computed once: vectors of texts, and what a model says to a request. Neither depends on a weight or a threshold.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use plumbline_models::{ChatModel, ComposeRequest, Composition, Embedder, Embedding, ModelError};

/// An embedder that remembers the vectors of single texts. A question and a passage of the same words may have two.
pub(super) struct MemoEmbedder {
    inner: Arc<dyn Embedder>,
    known: Mutex<HashMap<String, Vec<f32>>>,
    questions: Mutex<HashMap<String, Embedding>>,
}

impl MemoEmbedder {
    pub(super) fn new(inner: Arc<dyn Embedder>) -> Self {
        Self {
            inner,
            known: Mutex::default(),
            questions: Mutex::default(),
        }
    }
}

#[async_trait]
impl Embedder for MemoEmbedder {
    fn model(&self) -> &str {
        self.inner.model()
    }

    fn dimension(&self) -> usize {
        self.inner.dimension()
    }

    fn max_tokens(&self) -> usize {
        self.inner.max_tokens()
    }

    fn speaks(&self, language: &str) -> bool {
        self.inner.speaks(language)
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.inner.count_tokens(text)
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let unknown: Vec<String> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            texts
                .iter()
                .filter(|text| !known.contains_key(*text))
                .cloned()
                .collect()
        };
        let vectors = if unknown.is_empty() {
            Vec::new()
        } else {
            self.inner.embed(unknown.clone()).await?
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(unknown.into_iter().zip(vectors));
        let vector = |text: &String| {
            known.get(text).cloned().ok_or_else(|| ModelError::Inference {
                model: self.inner.model().to_owned(),
                reason: "no vector came back".to_owned(),
            })
        };
        texts.iter().map(vector).collect()
    }

    async fn embed_one(&self, text: &str) -> Result<Vec<f32>, ModelError> {
        Ok(self.embed_one_in_pieces(text).await?.vector)
    }

    async fn embed_one_in_pieces(&self, text: &str) -> Result<Embedding, ModelError> {
        let known = |embedding: Option<&Embedding>| {
            let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
            match embedding {
                Some(embedding) => questions.insert(text.to_owned(), embedding.clone()),
                None => questions.get(text).cloned(),
            }
        };
        if let Some(embedding) = known(None) {
            return Ok(embedding);
        }
        let embedding = self.inner.embed_one_in_pieces(text).await?;
        known(Some(&embedding));
        Ok(embedding)
    }
}

/// A chat model that remembers what it said.
pub(super) struct MemoModel {
    inner: Arc<dyn ChatModel>,
    known: Mutex<HashMap<String, Composition>>,
}

impl MemoModel {
    pub(super) fn new(inner: Arc<dyn ChatModel>) -> Self {
        Self {
            inner,
            known: Mutex::default(),
        }
    }
}

#[async_trait]
impl ChatModel for MemoModel {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn compose(&self, request: &ComposeRequest) -> Result<Composition, ModelError> {
        let key = serde_json::to_string(request).unwrap_or_default();
        let said = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(said) = said {
            return Ok(said);
        }
        let said = self.inner.compose(request).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, said.clone());
        Ok(said)
    }
}

/// A model that says nothing, for stages that end before anything is said.
pub(super) struct Mute;

#[async_trait]
impl ChatModel for Mute {
    fn name(&self) -> &'static str {
        "mute"
    }

    async fn compose(&self, _: &ComposeRequest) -> Result<Composition, ModelError> {
        Ok(Composition::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_models::HashEmbedder;

    #[tokio::test]
    async fn a_remembered_vector_is_the_same_and_in_its_place() {
        let plain = HashEmbedder::new(16);
        let memo = MemoEmbedder::new(Arc::new(HashEmbedder::new(16)));
        let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        memo.embed(texts(&["b"])).await.unwrap();
        let both = memo.embed(texts(&["a", "b", "a"])).await.unwrap();
        assert_eq!(both, plain.embed(texts(&["a", "b", "a"])).await.unwrap());
    }
}
