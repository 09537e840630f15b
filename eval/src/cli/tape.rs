//! Flags of recording and replaying.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Args;

use crate::error::EvalError;
use crate::tape::{Stage, Tape, Use};

/// Whether calls are made, written down, or answered from what was written down.
#[derive(Debug, Args)]
pub(super) struct TapeArgs {
    /// Write every reply and every call of a model down in this folder.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["target", "replay"])]
    record: Option<PathBuf>,
    /// Make no call: take what was recorded in this folder. Whatever was not recorded as it is made now ends the run with 5.
    // A server's code, prompts and settings are not known from outside, so a recording of it could not tell a change.
    #[arg(long, value_name = "DIR", conflicts_with = "target")]
    replay: Option<PathBuf>,
    /// What is replayed.
    #[arg(long, value_enum, default_value_t = Stage::Reply, requires = "replay")]
    replay_stage: Stage,
    /// Ask the system itself; so it is unless --replay is given.
    #[arg(long, conflicts_with = "replay")]
    live: bool,
}

impl TapeArgs {
    /// Whether any flag was given.
    pub(super) fn is_given(&self) -> bool {
        self.record.is_some() || self.replay.is_some()
    }

    /// The tape, if there is one.
    pub(super) fn open(&self, now: DateTime<Utc>) -> Result<Option<Arc<Tape>>, EvalError> {
        let (folder, purpose) = match (&self.record, &self.replay) {
            (Some(folder), _) => (folder, Use::Record),
            (None, Some(folder)) => (folder, Use::Replay(self.replay_stage)),
            (None, None) => return Ok(None),
        };
        Tape::open(folder, purpose, now).map(|tape| Some(Arc::new(tape)))
    }
}
