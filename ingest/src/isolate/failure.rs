//! Why there is no extraction, in words for the person who uploaded the file.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use crate::catalogue::Code;
use crate::extract::ExtractError;
use crate::isolate::Isolation;

/// What is left of a child that ended without an answer.
pub(super) struct Remains {
    pub(super) status: ExitStatus,
    pub(super) stderr: String,
}

/// Why a child gave no extraction.
pub(super) enum Failure {
    /// The child said so.
    File(ExtractError),
    /// It could not be started or spoken to.
    Broken(std::io::Error),
    /// It took longer than this.
    Late(Duration),
    /// It wrote more than allowed.
    Talkative,
    /// It wrote something else than messages.
    Garbled(serde_json::Error),
    /// It died.
    Ended(Remains),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Failure {
    pub(super) fn explain(self, isolation: &Isolation, file_name: &str) -> ExtractError {
        let (code, message) = match self {
            Self::File(error) => return error,
            Self::Ended(remains) => return post_mortem(&remains, file_name),
            Self::Broken(error) => {
                let program = isolation.program.display();
                let message = format!("the reader for {file_name} ({program}) failed: {error}");
                (Code::WorkerDied, message)
            }
            Self::Late(allowed) => {
                let seconds = allowed.as_secs();
                let message = format!("{file_name} was not read within {seconds} seconds");
                (Code::Timeout, message)
            }
            Self::Talkative => {
                let cap = isolation.output_cap;
                let message = format!("the text of {file_name} is larger than {cap} bytes");
                (Code::TooLarge, message)
            }
            Self::Garbled(error) => {
                let message = format!("the reader's reply for {file_name} is not valid: {error}");
                (Code::WorkerDied, message)
            }
        };
        ExtractError::new(code, message)
    }
}

/// What a child that died without a reply died of.
fn post_mortem(remains: &Remains, file_name: &str) -> ExtractError {
    const ILLEGAL: i32 = 4;
    const TRAP: i32 = 5;
    const ABORT: i32 = 6;
    const KILL: i32 = 9;
    let signal = remains.status.signal();
    // Rust says so; native code that cannot allocate traps, aborts without a word or throws the
    // only exception it knows; the kernel's killer kills.
    let out_of_memory = ["memory allocation of", "std::bad_alloc", "foreign exception"]
        .iter()
        .any(|words| remains.stderr.contains(words))
        || matches!(signal, Some(ILLEGAL | TRAP | KILL))
        || (signal == Some(ABORT) && remains.stderr.is_empty());
    if out_of_memory {
        let message = format!("reading {file_name} needed more memory than allowed");
        return ExtractError::new(Code::MemoryLimit, message);
    }
    let last = remains.stderr.lines().last().unwrap_or("no message");
    let how = match (signal, remains.status.code()) {
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "an unknown cause".to_owned(),
    };
    ExtractError::new(
        Code::WorkerDied,
        format!("the reader of {file_name} ended with {how}: {last}"),
    )
}
