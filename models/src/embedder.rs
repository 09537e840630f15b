//! The `Embedder` trait: texts in, unit vectors out.

use async_trait::async_trait;

use crate::{Embedding, InContext, ModelError};

/// Turns texts into vectors of unit length, so that the dot product of two of them is their cosine.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Stable name of the vector space; vectors of different names are never compared.
    fn model(&self) -> &str;

    /// Length of every vector.
    fn dimension(&self) -> usize;

    /// Longest input in tokens, special tokens included; more is cut off by the model.
    fn max_tokens(&self) -> usize;

    /// Whether the model was trained on texts in `language` (ISO 639-1). Where it was not, its cosines say less and a
    /// search leans more on words.
    fn speaks(&self, language: &str) -> bool;

    /// Tokens of `text` as the model counts them, special tokens excluded.
    fn count_tokens(&self, text: &str) -> usize;

    /// Embeds passages, in order: one vector of [`Embedder::dimension`] values per text.
    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError>;

    /// Embeds a question. Models that tell questions from passages need a method of their own here, and so does whatever
    /// stands before another embedder.
    async fn embed_one(&self, text: &str) -> Result<Vec<f32>, ModelError> {
        let mut vectors = self.embed(vec![text.to_owned()]).await?;
        vectors.pop().ok_or_else(|| ModelError::Inference {
            model: self.model().to_owned(),
            reason: "no vector came back".to_owned(),
        })
    }

    /// Whether [`Embedding::pieces`] are told.
    fn tells_pieces(&self) -> bool {
        false
    }

    /// Embeds passages as [`Embedder::embed`] does, and tells their pieces.
    async fn embed_in_pieces(&self, passages: Vec<InContext>) -> Result<Vec<Embedding>, ModelError> {
        let texts = passages.into_iter().map(|passage| passage.text);
        let vectors = self.embed(texts.collect()).await?;
        let whole = |vector| Embedding {
            vector,
            pieces: Vec::new(),
        };
        Ok(vectors.into_iter().map(whole).collect())
    }

    /// Embeds a question as [`Embedder::embed_one`] does, and tells its pieces.
    async fn embed_one_in_pieces(&self, text: &str) -> Result<Embedding, ModelError> {
        let vector = self.embed_one(text).await?;
        Ok(Embedding {
            vector,
            pieces: Vec::new(),
        })
    }
}

/// Cosine of two unit vectors (their dot product).
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The mean of vectors of `dimension` values, at unit length; zeros when there is none.
pub fn mean_direction<'a>(vectors: impl IntoIterator<Item = &'a [f32]>, dimension: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; dimension];
    for vector in vectors {
        for (total, value) in sum.iter_mut().zip(vector) {
            *total += value;
        }
    }
    // their number goes out with the length
    let squares = sum.iter().map(|value| value * value);
    let length = squares.sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    for value in &mut sum {
        *value /= length;
    }
    sum
}
