//! What can go wrong with a model.

use std::path::PathBuf;

/// A model could not be loaded or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file of the model is missing or unreadable.
    #[error("model file {path} cannot be read: {source}; run `make runtime` or set PLUMBLINE_MODEL_DIR")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The ONNX Runtime library is missing or too old.
    #[error(
        "ONNX Runtime at {path} cannot be loaded: {reason}; run `make runtime` or set ORT_DYLIB_PATH to libonnxruntime 1.24 or newer"
    )]
    Runtime {
        /// The library.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The model's files contradict each other or the library refused them.
    #[error("model {model} cannot be loaded: {reason}")]
    Load {
        /// Model name.
        model: String,
        /// Why.
        reason: String,
    },
    /// Inference failed.
    #[error("model {model} failed: {reason}")]
    Inference {
        /// Model name.
        model: String,
        /// Why.
        reason: String,
    },
    /// An endpoint refused the request; another attempt changes nothing.
    #[error("model {model} was refused: {reason}")]
    Refused {
        /// Model name.
        model: String,
        /// Why, and what to set.
        reason: String,
    },
    /// An endpoint did not answer, at any attempt.
    #[error("model {model} does not answer: {reason}")]
    Unavailable {
        /// Model name.
        model: String,
        /// Why.
        reason: String,
    },
    /// This process has no model of that name.
    #[error(
        "this process has no embedding model {model}; it has {known}: see PLUMBLINE_EMBEDDING_DIRS and PLUMBLINE_EMBEDDING_MODELS"
    )]
    Unknown {
        /// Name that was asked for.
        model: String,
        /// Names of those it has.
        known: String,
    },
}
