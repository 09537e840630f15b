//! Why a search fails.

use plumbline_models::ModelError;
use plumbline_store::StoreError;

/// A search failed.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedding model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The index directory cannot be used.
    #[error("lexical index in {path}: {reason}")]
    Index {
        /// Directory.
        path: String,
        /// Why.
        reason: String,
    },
}
