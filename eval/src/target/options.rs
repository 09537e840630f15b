//! Which system is asked, and what is left of its replies.

use std::path::{Path, PathBuf};

use super::http::Http;
use super::local::{Local, LocalSettings};
use super::stored::{self, Stored};
use super::tenant::{TenantDocuments, TenantOptions};
use super::{Reply, Target, VersionTexts};
use crate::error::EvalError;
use crate::golden::case::Case;
use crate::golden::load::Golden;
use crate::golden::split::Selection;
use crate::machine::Machine;
use crate::progress::Progress;
use crate::tape::{Recorded, Stage, Use};

/// Which system is asked.
#[derive(Debug, Clone)]
pub enum TargetOptions {
    /// The answerer in this process.
    Local(Box<LocalSettings>),
    /// A running server.
    Http {
        /// Base URL.
        url: String,
        /// API key of the tenant.
        api_key: String,
    },
    /// The documents of a tenant in its own database, asked in this process.
    Tenant(TenantOptions),
    /// The replies of an earlier run, in its `run.json`.
    Stored(PathBuf),
}

impl TargetOptions {
    /// The documents that the run is made on, when they are not those of the golden directory.
    pub async fn documents(&self) -> Result<Option<TenantDocuments>, EvalError> {
        match self {
            Self::Tenant(options) => TenantDocuments::open(options).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Opens the system, or the replies that stand for it. `documents` are those of [`TargetOptions::documents`].
    pub async fn open(
        &self,
        machine: &Machine,
        golden: &Golden,
        documents: Option<TenantDocuments>,
        selection: Selection,
        progress: &Progress,
    ) -> Result<Target, EvalError> {
        if let (Self::Tenant(options), Some(documents)) = (self, documents) {
            let local = Local::of_tenant(documents, options, machine).await?;
            return Ok(Target::Local(Box::new(local)));
        }
        Ok(match self {
            Self::Tenant(options) => {
                return Err(EvalError::Infra(format!(
                    "the documents of tenant {} were not read",
                    options.slug
                )));
            }
            Self::Http { url, api_key } => Target::Http(Http::new(url, api_key.clone())?),
            Self::Stored(file) => Target::Stored(Box::new(Stored::of_file(file, golden)?)),
            Self::Local(settings) => match &settings.tape {
                Some(tape) if tape.purpose() == Use::Replay(Stage::Reply) => {
                    let corpus = settings.corpus(machine, golden);
                    let parts = |case: &Case| settings.reply_parts(case, &corpus);
                    let label = settings.label(machine);
                    let stored = Stored::of_tape(tape, golden, selection, label, parts)?;
                    Target::Stored(Box::new(stored))
                }
                _ => Target::Local(Box::new(Local::open(settings, machine, golden, progress).await?)),
            },
        })
    }

    /// Leaves the replies for `score` beside the report, and on the tape of a recording. A replay that missed a call ends
    /// here.
    pub fn keep(
        &self,
        machine: &Machine,
        golden: &Golden,
        report: Option<&Path>,
        asked: &[(&Case, &Reply)],
        texts: &VersionTexts,
    ) -> Result<(), EvalError> {
        let target = match self {
            // scoring again must not overwrite what is scored
            Self::Stored(_) => return Ok(()),
            Self::Http { url, .. } => url.clone(),
            Self::Tenant(options) => options.label(),
            Self::Local(settings) => {
                record(settings, machine, golden, asked, texts)?;
                settings.label(machine)
            }
        };
        match report {
            Some(dir) => stored::write(dir, &target, golden, asked, texts),
            None => Ok(()),
        }
    }
}

fn record(
    settings: &LocalSettings,
    machine: &Machine,
    golden: &Golden,
    asked: &[(&Case, &Reply)],
    texts: &VersionTexts,
) -> Result<(), EvalError> {
    let Some(tape) = &settings.tape else {
        return Ok(());
    };
    if tape.purpose() == Use::Record {
        let corpus = settings.corpus(machine, golden);
        for (case, reply) in asked {
            if let Ok(answer) = &reply.answer {
                let recorded = Recorded {
                    answer: answer.clone(),
                    latency_ms: reply.wall_ms,
                };
                tape.keep_reply(&case.id, settings.reply_parts(case, &corpus), &recorded);
            }
        }
        tape.keep_texts(texts);
    }
    tape.finish()
}
