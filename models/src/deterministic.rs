//! A deterministic embedder for tests: hashed character trigrams, no model file.
//!
//! Texts that share words get similar vectors, so that tests of search and chunking see sensible neighbours without a
//! neural network. It is never a production default: it knows no synonyms.

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::{Embedder, ModelError};

/// Hashes lower-cased character trigrams of words into `dimension` buckets and normalises.
#[derive(Debug, Clone)]
pub struct HashEmbedder {
    dimension: usize,
    model: String,
}

impl HashEmbedder {
    /// An embedder of the given dimension (at least 8 buckets are used).
    pub fn new(dimension: usize) -> Self {
        let dimension = dimension.max(8);
        Self {
            dimension,
            model: format!("hash-trigram-{dimension}"),
        }
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        let mut vector = vec![0.0_f32; self.dimension];
        for word in text
            .to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
        {
            let padded: Vec<char> = format!(" {word} ").chars().collect();
            for gram in padded.windows(3) {
                let digest = Sha256::digest(gram.iter().collect::<String>().as_bytes());
                let bucket = u64::from_le_bytes(digest[..8].try_into().unwrap_or_default());
                let index = usize::try_from(bucket % self.dimension as u64).unwrap_or_default();
                vector[index] += if digest[8] % 2 == 0 { 1.0 } else { -1.0 };
            }
        }
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        if norm > 0.0 {
            for x in &mut vector {
                *x /= norm;
            }
        } else {
            vector[0] = 1.0;
        }
        vector
    }
}

#[async_trait]
impl Embedder for HashEmbedder {
    fn model(&self) -> &str {
        &self.model
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    fn max_tokens(&self) -> usize {
        256
    }

    fn speaks(&self, _language: &str) -> bool {
        true
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        Ok(texts.iter().map(|text| self.vector(text)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosine;

    #[test]
    fn shared_words_are_nearer_than_none() {
        let embedder = HashEmbedder::new(128);
        let [a, b, c] =
            ["battery warranty", "warranty of the battery", "open on sundays"].map(|t| embedder.vector(t));
        assert!(cosine(&a, &b) > cosine(&a, &c) + 0.2);
    }

    #[test]
    fn every_vector_has_unit_length() {
        let embedder = HashEmbedder::new(64);
        for text in ["", "...", "prix", "a b c"] {
            let vector = embedder.vector(text);
            assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-5, "{text:?}");
        }
    }
}
