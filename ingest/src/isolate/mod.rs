//! Reading files in a child process.
//!
//! Parsers of strangers' files loop, overflow their stack and eat memory; some do so inside
//! native code where nothing can be caught. A process is the only limit that holds: the child
//! caps its own address space first thing, the parent holds the clock. An out-of-memory inside
//! pdfium can dead-lock without using any CPU, so only the wall clock is trusted.
//!
//! The child speaks JSON, one message per line: how far it got, and last of all the answer.

mod failure;
mod parent;
mod worker;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::block::Extraction;
use crate::catalogue::Code;
use crate::extract::{ExtractError, Limits, Step, Wanted};

pub use parent::Progress;
pub use worker::worker_main;

/// How the child is started and what it may use.
#[derive(Debug, Clone)]
pub struct Isolation {
    /// The program that calls [`worker_main`].
    pub program: PathBuf,
    /// Arguments that make it do so.
    pub args: Vec<String>,
    /// Time for a small file; each MiB adds [`Isolation::SECONDS_PER_MIB`].
    pub wall_clock: Duration,
    /// Address space of the child.
    pub memory_bytes: u64,
    /// Most bytes of result the parent reads.
    pub output_cap: u64,
    /// What the extractors may read.
    pub limits: Limits,
}

impl Isolation {
    /// Extra seconds of wall clock per MiB of file.
    pub const SECONDS_PER_MIB: f64 = 1.0;

    /// The default limits: 15 s, 1 GiB of memory, 512 MiB of output.
    pub fn new(program: impl Into<PathBuf>, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            wall_clock: Duration::from_secs(15),
            memory_bytes: 1024 * 1024 * 1024,
            output_cap: 512 * 1024 * 1024,
            limits: Limits::default(),
        }
    }
}

/// One line on the child's standard input.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    path: PathBuf,
    file_name: String,
    memory_bytes: u64,
    cpu_seconds: u64,
    limits: Limits,
    wanted: Wanted,
}

/// One line on the child's standard output: steps, and last of all the answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Progress { done: u64, total: u64 },
    Recognising { page: u32 },
    Extraction(Box<Extraction>),
    Error { code: Code, message: String },
}

impl From<Step> for Reply {
    fn from(step: Step) -> Self {
        match step {
            Step::Progress { done, total } => Self::Progress { done, total },
            Step::Recognising { page } => Self::Recognising { page },
        }
    }
}

impl From<Result<Extraction, ExtractError>> for Reply {
    fn from(outcome: Result<Extraction, ExtractError>) -> Self {
        match outcome {
            Ok(extraction) => Self::Extraction(Box::new(extraction)),
            Err(error) => Self::Error {
                code: error.code,
                message: error.message,
            },
        }
    }
}
