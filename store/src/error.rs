//! What can go wrong in the store, and the one place where database errors are translated.

use std::path::PathBuf;

/// A store operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row asked for does not exist for this tenant.
    #[error("{what} not found")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// The operation contradicts the present state.
    #[error("{0}")]
    Conflict(String),
    /// A file of the blob store or the data directory.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was attempted.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A stored file is not where it should be.
    #[error("{store} holds no file {sha256}; restore it from a backup or upload it again")]
    BlobMissing {
        /// The blob store.
        store: String,
        /// Address of the file.
        sha256: String,
    },
    /// The blob store could not do what was asked of it.
    #[error("cannot {action} {store}: {reason}")]
    Blob {
        /// What was attempted.
        action: &'static str,
        /// The blob store.
        store: String,
        /// Why it failed, and what to do.
        reason: String,
    },
    /// The private Postgres could not be set up, started or stopped.
    #[error("private PostgreSQL: {0}")]
    Local(String),
    /// The schema could not be brought up to date.
    #[error("migration failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database refused or could not be reached.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    /// The name of the violated constraint, if that is what happened.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.constraint(),
            _ => None,
        }
    }

    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
