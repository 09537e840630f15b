//! The system under test inside this process.

use std::path::PathBuf;
use std::sync::Arc;

use plumbline_answer::Answer;

use super::VersionKey;
use crate::error::EvalError;
use crate::golden::case::Case;
use crate::golden::load::Golden;
use crate::progress::Progress;

/// What the in-process target needs of the machine.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// Data directory.
    pub data: PathBuf,
    /// The provisioned runtime.
    pub runtime: PathBuf,
    /// A Postgres to use instead of a private one.
    pub database_url: Option<String>,
}

/// An answerer on a private database with the golden corpus.
pub struct Local {
    label: String,
}

impl Local {
    /// Opens it.
    pub async fn open(
        _settings: &LocalSettings,
        _golden: &Golden,
        _progress: &Progress,
    ) -> Result<Self, EvalError> {
        std::future::ready(Err(EvalError::Infra(
            "the in-process target is not available in this build; use --target URL".to_owned(),
        )))
        .await
    }

    /// What the report calls it.
    pub fn label(&self) -> String {
        self.label.clone()
    }

    /// Asks one case.
    pub async fn ask(&self, _case: &Case) -> Result<Answer, String> {
        std::future::ready(Err("not available".to_owned())).await
    }

    /// The canonical text of a version.
    pub async fn version_text(&self, _key: VersionKey) -> Result<Arc<str>, String> {
        std::future::ready(Err("not available".to_owned())).await
    }
}
