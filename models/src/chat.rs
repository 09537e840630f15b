//! The `ChatModel` trait: a question and numbered passages in, cited sentences out.
//!
//! A model never returns free prose: every sentence names the byte ranges of the passages it rests on. What it names
//! is checked again by the grounding stage; a model is not believed, it is quoted.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::ModelError;

/// One passage offered as evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    /// Title of the document.
    pub title: String,
    /// Headings above the passage, outermost first.
    pub heading_path: Vec<String>,
    /// The text that may be quoted.
    pub text: String,
    /// Fused search score, higher is better.
    pub score: f32,
}

/// What a model is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComposeRequest {
    /// The customer's question, complete in itself (follow-ups are rewritten before).
    pub question: String,
    /// Language to answer in, ISO 639-1.
    pub language: String,
    /// Evidence, best first.
    pub passages: Vec<Passage>,
    /// Most sentences wanted.
    pub max_sentences: usize,
    /// Most characters wanted.
    pub max_chars: usize,
}

/// A byte range of one passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Index into [`ComposeRequest::passages`].
    pub passage: usize,
    /// Start in bytes of the passage's text.
    pub start: usize,
    /// End (exclusive), in bytes.
    pub end: usize,
}

/// One sentence with what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComposedSentence {
    /// The sentence.
    pub text: String,
    /// Its sources; a sentence without one is never sent.
    pub sources: Vec<Source>,
    /// How well it answers the question in the model's own measure, 0 to 1.
    pub relevance: f32,
}

/// Tokens billed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
}

/// What a model answered; no sentences means that it found nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Composition {
    /// Sentences in reading order.
    pub sentences: Vec<ComposedSentence>,
    /// Tokens billed.
    pub usage: TokenUsage,
}

/// Composes a reply from evidence.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// Stable name, stored with every answer.
    fn name(&self) -> &str;

    /// Composes a reply; the caller grounds it.
    async fn compose(&self, request: &ComposeRequest) -> Result<Composition, ModelError>;
}
