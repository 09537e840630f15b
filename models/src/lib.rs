//! Embedder and `ChatModel`: the real models and the deterministic ones.
//!
//! Everything above this crate speaks to models through two small traits, because several implementations of each run
//! today: the ONNX sentence encoder, OpenAI-compatible endpoints and a hash-based embedder for unit tests; the
//! extractive composer (no language model, nothing to invent) beside a scripted one that plays a model which invents
//! things. Threads and batch sizes are explicit arguments: on two cores a runtime that helps itself to every core makes
//! the others wait.

mod chat;
mod deterministic;
mod embedder;
mod embedders;
mod error;
mod extractive;
mod on_demand;
mod onnx;
mod openai;
mod pieces;
mod query_cache;
pub mod reading;
mod reranker;
mod scripted;
mod sessions;

pub use chat::{ChatModel, ComposeRequest, ComposedSentence, Composition, Passage, Source, TokenUsage};
pub use deterministic::HashEmbedder;
pub use embedder::{Embedder, cosine, mean_direction};
pub use embedders::{Embedders, RemoteModels};
pub use error::ModelError;
pub use extractive::Extractive;
pub use on_demand::OnDemand;
pub use onnx::{OnnxEmbedder, OnnxOptions, init_runtime, speaks};
pub use openai::{ApiKey, OpenAiEmbedder, OpenAiOptions};
pub use pieces::{Embedding, InContext, Piece};
pub use query_cache::QueryCache;
pub use reranker::{OnnxReranker, Reranker};
pub use scripted::ScriptedChat;
