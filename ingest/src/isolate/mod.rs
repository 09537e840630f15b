//! Reading files in a child process.
//!
//! Parsers of strangers' files loop, overflow their stack and eat memory; some do so inside
//! native code where nothing can be caught. A process is the only limit that holds: the child
//! caps its own address space first thing, the parent holds the clock. An out-of-memory inside
//! pdfium can dead-lock without using any CPU, so only the wall clock is trusted.

mod parent;
mod worker;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::block::Extraction;
use crate::catalogue::Code;
use crate::extract::{ExtractError, Limits};

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
    limits: Limits,
}

/// What the child writes to its standard output.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Extraction(Box<Extraction>),
    Error { code: Code, message: String },
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
