//! Embedder and `ChatModel`: the real models and the deterministic ones.
//!
//! Everything above this crate speaks to models through two small traits, because two implementations of each run
//! today: the ONNX sentence encoder beside a hash-based one for unit tests, and the extractive composer (no language
//! model, nothing to invent) beside a scripted one that plays a model which invents things. Threads and batch sizes
//! are explicit arguments: on two cores a runtime that helps itself to every core makes the others wait.

mod chat;
mod deterministic;
mod embedder;
mod error;
mod extractive;
mod onnx;
pub mod reading;
mod scripted;

pub use chat::{ChatModel, ComposeRequest, ComposedSentence, Composition, Passage, Source, TokenUsage};
pub use deterministic::HashEmbedder;
pub use embedder::{Embedder, cosine};
pub use error::ModelError;
pub use extractive::Extractive;
pub use onnx::{OnnxEmbedder, OnnxOptions, init_runtime};
pub use scripted::ScriptedChat;
