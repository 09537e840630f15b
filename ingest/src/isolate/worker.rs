//! The child's side.

use std::io::{self, BufRead, BufWriter, StdoutLock, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rlimit::Resource;

use crate::catalogue::Code;
use crate::extract::{ExtractError, Step, extract_with};
use crate::isolate::{Reply, Request};

/// Progress is told at most this often.
const PROGRESS_PAUSE: Duration = Duration::from_millis(100);

/// Reads one request from standard input, limits itself, extracts, writes steps and the reply to
/// standard output. The exit code is 0 whenever a reply was written, also when it is an error.
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
    // The parent's clock decides; this one is for a child whose parent was killed.
    Resource::CPU.set(request.cpu_seconds, request.cpu_seconds)?;
    let mut voice = Voice {
        out: BufWriter::new(io::stdout().lock()),
        last: None,
        broken: None,
    };
    let outcome = read(&request, &mut voice);
    voice.broken.take().map_or(Ok(()), Err)?;
    voice.say(&Reply::from(outcome))
}

/// Standard output, one message per line.
struct Voice {
    out: BufWriter<StdoutLock<'static>>,
    last: Option<Instant>,
    broken: Option<io::Error>,
}

impl Voice {
    fn say(&mut self, reply: &Reply) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, reply)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }

    /// Progress is for a person to watch: often enough is enough, but the end is always told.
    fn step(&mut self, step: Step) {
        if let Step::Progress { done, total } = step {
            let recent = self.last.is_some_and(|last| last.elapsed() < PROGRESS_PAUSE);
            if recent && done != total {
                return;
            }
            self.last = Some(Instant::now());
        }
        if let Err(error) = self.say(&Reply::from(step)) {
            self.broken = Some(error);
        }
    }
}

fn read(request: &Request, voice: &mut Voice) -> Result<crate::block::Extraction, ExtractError> {
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
    extract_with(
        &bytes,
        &request.file_name,
        &request.limits,
        &request.wanted,
        &mut |step| voice.step(step),
    )
}
