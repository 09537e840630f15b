//! The parent's side.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout_at};

use crate::block::Extraction;
use crate::clean;
use crate::extract::{ExtractError, Ocr, Wanted};
use crate::isolate::failure::{Failure, Remains};
use crate::isolate::{Isolation, Reply, Request};

/// How much of the child's standard error is kept for the reason.
const STDERR_TAIL: usize = 2_000;
/// Replies larger than this are parsed off the async threads.
const LARGE_REPLY: usize = 64 * 1024;

/// What the child needs to find its libraries, and tesseract its languages.
const KEPT_VARIABLES: [&str; 7] = [
    "LD_LIBRARY_PATH",
    "PATH",
    "PDFIUM_LIB",
    "PLUMBLINE_RUNTIME",
    "RUST_BACKTRACE",
    "TESSDATA_PREFIX",
    "TMPDIR",
];

/// Hears how much was read, and of how much; a total of 0 is not known.
pub type Progress<'a> = dyn Fn(u64, u64) + Send + Sync + 'a;

impl Isolation {
    /// Reads a file in a child process, telling `progress` how many pages, rows or blocks of how
    /// many were read. The child and what it started are killed when this future is dropped.
    pub async fn extract(
        &self,
        path: &Path,
        file_name: &str,
        wanted: &Wanted,
        progress: &Progress<'_>,
    ) -> Result<Extraction, ExtractError> {
        let file_name = &clean::file_name(file_name);
        let size = tokio::fs::metadata(path)
            .await
            .map_or(0, |metadata| metadata.len());
        let clock = Clock::new(self.deadline(size), wanted.ocr.as_ref());
        let request = Request {
            path: path.to_owned(),
            file_name: file_name.to_owned(),
            memory_bytes: self.memory_bytes,
            cpu_seconds: clock.longest().as_secs() + 1,
            limits: self.limits.clone(),
            wanted: wanted.clone(),
        };
        match self.run(&request, clock, progress).await {
            Ok(extraction) => Ok(*extraction),
            Err(failure) => Err(failure.explain(self, file_name)),
        }
    }

    /// The wall clock for a file of this size, recognised pages not counted.
    fn deadline(&self, bytes: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a time limit needs no precision")]
        let mib = bytes as f64 / (1024.0 * 1024.0);
        self.wall_clock + Duration::from_secs_f64(mib * Self::SECONDS_PER_MIB)
    }

    async fn run(
        &self,
        request: &Request,
        mut clock: Clock,
        progress: &Progress<'_>,
    ) -> Result<Box<Extraction>, Failure> {
        let mut group = Group(self.spawn()?);
        let child = &mut group.0;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(std::io::Error::other("the child has no pipes").into());
        };
        let last_words = tokio::spawn(tail(stderr));
        let mut line = serde_json::to_vec(request).map_err(Failure::Garbled)?;
        line.push(b'\n');
        // A child that dies before it reads its request says why on stderr; the broken pipe does not.
        let sent = timeout_at(clock.until(), stdin.write_all(&line)).await;
        drop((sent.map_err(|_| clock.late())?, stdin));
        let answer = listen(stdout, self.output_cap, &mut clock, progress).await?;
        if answer.is_none() {
            group.kill();
        }
        let status = timeout_at(clock.until(), group.0.wait()).await;
        match answer {
            Some(answer) => answer,
            None => Err(Failure::Ended(Remains {
                status: status.map_err(|_| clock.late())??,
                stderr: last_words.await.unwrap_or_default(),
            })),
        }
    }

    fn spawn(&self) -> std::io::Result<Child> {
        Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            // A group of its own: Ctrl-C in a terminal stops the program, which then decides about
            // its children; and what the child starts can be ended with it.
            .process_group(0)
            // Passwords and tokens in the environment are no business of a parser of strangers' files.
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| KEPT_VARIABLES.iter().any(|kept| name == kept)))
            .spawn()
    }
}

/// A child that leads a process group; none of the group outlives this value.
struct Group(Child);

impl Group {
    /// Does nothing once the child was waited for: its id may then belong to someone else.
    fn kill(&self) {
        let leader = self.0.id().and_then(|id| i32::try_from(id).ok());
        if let Some(leader) = leader.and_then(Pid::from_raw) {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How long a child may take: each page it recognises adds its time, up to the most pages.
struct Clock {
    started: Instant,
    allowed: Duration,
    page: Duration,
    pages_left: u32,
}

impl Clock {
    fn new(allowed: Duration, ocr: Option<&Ocr>) -> Self {
        Self {
            started: Instant::now(),
            allowed,
            page: ocr.map_or(Duration::ZERO, Ocr::page_time),
            pages_left: ocr.map_or(0, |ocr| ocr.max_pages),
        }
    }

    fn until(&self) -> Instant {
        self.started + self.allowed
    }

    fn longest(&self) -> Duration {
        self.allowed + self.page * self.pages_left
    }

    fn add_page(&mut self) {
        if self.pages_left > 0 {
            self.pages_left -= 1;
            self.allowed += self.page;
        }
    }

    fn late(&self) -> Failure {
        Failure::Late(self.allowed)
    }
}

/// Reads lines until the answer; `None` when the child ends without one.
async fn listen(
    stdout: impl AsyncRead + Unpin,
    cap: u64,
    clock: &mut Clock,
    progress: &Progress<'_>,
) -> Result<Option<Result<Box<Extraction>, Failure>>, Failure> {
    let mut stdout = BufReader::new(stdout.take(cap + 1));
    let mut line = Vec::new();
    let mut heard = 0;
    loop {
        line.clear();
        let read = timeout_at(clock.until(), stdout.read_until(b'\n', &mut line)).await;
        heard += read.map_err(|_| clock.late())?? as u64;
        if heard > cap {
            return Err(Failure::Talkative);
        }
        if line.last() != Some(&b'\n') {
            return Ok(None);
        }
        match parse(&mut line).await? {
            Reply::Progress { done, total } => progress(done, total),
            Reply::Recognising { .. } => clock.add_page(),
            Reply::Extraction(extraction) => return Ok(Some(Ok(extraction))),
            Reply::Error { code, message } => {
                return Ok(Some(Err(Failure::File(ExtractError::new(code, message)))));
            }
        }
    }
}

async fn parse(line: &mut Vec<u8>) -> Result<Reply, Failure> {
    if line.len() < LARGE_REPLY {
        return serde_json::from_slice(line).map_err(Failure::Garbled);
    }
    let line = std::mem::take(line);
    let parsed = tokio::task::spawn_blocking(move || serde_json::from_slice(&line)).await;
    parsed.map_err(std::io::Error::other)?.map_err(Failure::Garbled)
}

/// The last words of the child.
async fn tail(mut pipe: impl AsyncRead + Unpin) -> String {
    let mut kept: Vec<u8> = Vec::new();
    let mut buffer = [0_u8; 4096];
    while let Ok(read) = pipe.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..read]);
        let excess = kept.len().saturating_sub(STDERR_TAIL);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}
