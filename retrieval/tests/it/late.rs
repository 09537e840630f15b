//! Late interaction: word by word where both legs see the same.

use std::sync::Arc;

use async_trait::async_trait;
use plumbline_models::reading::words;
use plumbline_models::{Embedder, Embedding, HashEmbedder, InContext, ModelError, Piece};
use plumbline_store::RetrievalSettings;

use super::{World, owned};

/// Tells a piece per word, whose signs are those of the vector of its first three letters: words of one family are alike.
struct Telling(HashEmbedder);

impl Telling {
    async fn pieces(&self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for word in words(text) {
            let stem: String = word.folded.chars().take(3).collect();
            let vector = self.0.embed_one(&stem).await.unwrap();
            let bits: Vec<bool> = vector.iter().map(|value| *value > 0.0).collect();
            let byte = |bits: &[bool]| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
            pieces.push(Piece {
                at: word.start..word.end(),
                signs: bits.chunks(8).map(byte).collect(),
            });
        }
        pieces
    }
}

#[async_trait]
impl Embedder for Telling {
    fn model(&self) -> &str {
        self.0.model()
    }
    fn dimension(&self) -> usize {
        self.0.dimension()
    }
    fn max_tokens(&self) -> usize {
        self.0.max_tokens()
    }
    fn speaks(&self, language: &str) -> bool {
        self.0.speaks(language)
    }
    fn count_tokens(&self, text: &str) -> usize {
        self.0.count_tokens(text)
    }
    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        // all alike: the vectors decide nothing
        Ok(vec![self.0.embed_one("the same").await?; texts.len()])
    }
    fn tells_pieces(&self) -> bool {
        true
    }
    async fn embed_in_pieces(&self, passages: Vec<InContext>) -> Result<Vec<Embedding>, ModelError> {
        let mut told = Vec::new();
        for passage in passages {
            told.push(Embedding {
                vector: self.0.embed_one("the same").await?,
                pieces: self.pieces(&passage.text[passage.from..]).await,
            });
        }
        Ok(told)
    }
    async fn embed_one_in_pieces(&self, text: &str) -> Result<Embedding, ModelError> {
        let mut told = self.embed_in_pieces(vec![text.to_owned().into()]).await?;
        Ok(told.remove(0))
    }
}

#[tokio::test]
async fn what_says_a_question_word_by_word_comes_before_what_is_as_near_as_a_whole() {
    let world = World::telling(Arc::new(Telling(HashEmbedder::new(64)))).await;
    let texts = owned(&[
        "We open at nine on Sundays",
        "Repairs of lamps are paid in advance",
        "Fans come in white",
    ]);
    world.publish(world.tenant, "shop.txt", "en", &texts).await;
    let settings = RetrievalSettings {
        lexical: false, // neither leg tells them apart
        ..RetrievalSettings::default()
    };
    let found = world.search("repairing a lampshade", settings.clone()).await;
    let hits: Vec<(&str, f32)> = found
        .hits
        .iter()
        .map(|hit| (hit.text.as_str(), hit.parts.late))
        .collect();
    assert_eq!(hits[0].0, texts[1]);
    assert!(
        hits[0].1 > 0.03 && hits.iter().any(|(_, late)| *late <= 0.0),
        "{hits:?}"
    );

    let off = RetrievalSettings {
        late_weight: 0.0,
        ..settings
    };
    let found = world.search("repairing a lampshade", off).await;
    assert_eq!(found.hits.len(), 3);
    assert!(found.hits.iter().all(|hit| hit.parts.late == 0.0));
    world.end().await;
}
