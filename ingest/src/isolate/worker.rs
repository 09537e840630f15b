//! The child's side.

use std::io::{self, BufRead, BufWriter, Write};
use std::process::ExitCode;

use rlimit::Resource;

use crate::catalogue::Code;
use crate::extract::{ExtractError, extract};
use crate::isolate::{Reply, Request};

/// Reads one request from standard input, limits itself, extracts, writes the reply to standard
/// output. The exit code is 0 whenever a reply was written, also when it is an error.
pub fn worker_main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("extract-worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let request: Request = serde_json::from_str(&line)?;
    drop(line);
    Resource::AS.set(request.memory_bytes, request.memory_bytes)?;
    Resource::CORE.set(0, 0)?;
    let reply = Reply::from(read(&request));
    let mut out = BufWriter::new(io::stdout().lock());
    serde_json::to_writer(&mut out, &reply)?;
    out.flush()
}

fn read(request: &Request) -> Result<crate::block::Extraction, ExtractError> {
    let unreadable = |error: io::Error| {
        ExtractError::new(
            Code::Unreadable,
            format!("{} cannot be opened: {error}", request.file_name),
        )
    };
    let size = std::fs::metadata(&request.path).map_err(unreadable)?.len();
    if size > request.limits.max_bytes {
        let message = format!(
            "{} has {size} bytes, the limit is {}",
            request.file_name, request.limits.max_bytes
        );
        return Err(ExtractError::new(Code::TooLarge, message));
    }
    let bytes = std::fs::read(&request.path).map_err(unreadable)?;
    extract(&bytes, &request.file_name, &request.limits)
}
