//! What can stop a run before it has a verdict, each with its exit code.

use std::path::Path;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The command line, a gate or the golden set is wrong: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The corpus has moved away from the cases: exit code 4.
    #[error("{0}")]
    Stale(String),
    /// Files, network, database or models are not there: exit code 5.
    #[error("{0}")]
    Infra(String),
}

impl EvalError {
    /// Something of the golden set that cannot be read.
    pub fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Self {
        Self::Usage(format!("{}: cannot be read: {error}", path.display()))
    }

    /// The exit code that this error ends in.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Stale(_) => 4,
            Self::Infra(_) => 5,
        }
    }
}
