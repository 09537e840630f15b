//! A chat model that says what a test tells it to, for instance a price that no passage holds.

use async_trait::async_trait;

use crate::{ChatModel, ComposeRequest, ComposedSentence, Composition, ModelError, Source, TokenUsage};

/// Always answers with the same sentences, each citing the whole first passage.
#[derive(Debug, Clone)]
pub struct ScriptedChat {
    sentences: Vec<String>,
}

impl ScriptedChat {
    /// A model that will say `sentences`.
    pub fn new(sentences: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            sentences: sentences.into_iter().map(Into::into).collect(),
        }
    }
}

#[async_trait]
impl ChatModel for ScriptedChat {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn compose(&self, request: &ComposeRequest) -> Result<Composition, ModelError> {
        let Some(first) = request.passages.first() else {
            return Ok(Composition::default());
        };
        let whole = Source {
            passage: 0,
            start: 0,
            end: first.text.len(),
        };
        let sentences = self
            .sentences
            .iter()
            .map(|text| ComposedSentence {
                text: text.clone(),
                sources: vec![whole],
                relevance: 1.0,
            })
            .collect();
        Ok(Composition {
            sentences,
            usage: TokenUsage::default(),
        })
    }
}
