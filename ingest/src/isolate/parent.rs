//! The parent's side.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::block::Extraction;
use crate::catalogue::Code;
use crate::extract::ExtractError;
use crate::isolate::{Isolation, Reply, Request};

/// How much of the child's standard error is kept for the reason.
const STDERR_TAIL: usize = 2_000;

/// What is left of a child.
struct Remains {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: String,
}

/// What the child needs to find its libraries.
const KEPT_VARIABLES: [&str; 6] = [
    "LD_LIBRARY_PATH",
    "PATH",
    "PDFIUM_LIB",
    "PLUMBLINE_RUNTIME",
    "RUST_BACKTRACE",
    "TMPDIR",
];

impl Isolation {
    /// Reads a file in a child process. The child is killed when this future is dropped.
    pub async fn extract(&self, path: &Path, file_name: &str) -> Result<Extraction, ExtractError> {
        let size = tokio::fs::metadata(path)
            .await
            .map_or(0, |metadata| metadata.len());
        let deadline = self.deadline(size);
        let Ok(remains) = tokio::time::timeout(deadline, self.run(path, file_name)).await else {
            let message = format!("{file_name} was not read within {} seconds", deadline.as_secs());
            return Err(ExtractError::new(Code::Timeout, message));
        };
        let remains = remains.map_err(|error| {
            let message = format!(
                "the reader for {file_name} ({}) failed: {error}",
                self.program.display()
            );
            ExtractError::new(Code::WorkerDied, message)
        })?;
        if remains.stdout.len() as u64 > self.output_cap {
            let message = format!("the text of {file_name} is larger than {} bytes", self.output_cap);
            return Err(ExtractError::new(Code::TooLarge, message));
        }
        if !remains.status.success() {
            return Err(post_mortem(&remains, file_name));
        }
        match serde_json::from_slice(&remains.stdout) {
            Ok(Reply::Extraction(extraction)) => Ok(*extraction),
            Ok(Reply::Error { code, message }) => Err(ExtractError::new(code, message)),
            Err(error) => {
                let message = format!("the reader's reply for {file_name} is not valid: {error}");
                Err(ExtractError::new(Code::WorkerDied, message))
            }
        }
    }

    /// The wall clock for a file of this size.
    fn deadline(&self, bytes: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a time limit needs no precision")]
        let mib = bytes as f64 / (1024.0 * 1024.0);
        self.wall_clock + Duration::from_secs_f64(mib * Self::SECONDS_PER_MIB)
    }

    async fn run(&self, path: &Path, file_name: &str) -> std::io::Result<Remains> {
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            // A group of its own: Ctrl-C in a terminal stops the program, which then decides about its children.
            .process_group(0)
            // Passwords and tokens in the environment are no business of a parser of strangers' files.
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| KEPT_VARIABLES.iter().any(|kept| name == kept)))
            .spawn()?;
        let mut request = serde_json::to_vec(&Request {
            path: path.to_owned(),
            file_name: file_name.to_owned(),
            memory_bytes: self.memory_bytes,
            limits: self.limits.clone(),
        })?;
        request.push(b'\n');
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(std::io::Error::other("the child has no pipes"));
        };
        // A child that dies before it reads its request says why on stderr; the broken pipe does not.
        let _ = stdin.write_all(&request).await;
        drop(stdin);
        let (stdout, stderr) = tokio::join!(capped(stdout, self.output_cap), tail(stderr));
        let stdout = stdout?;
        if stdout.len() as u64 > self.output_cap {
            child.start_kill()?;
        }
        let status = child.wait().await?;
        Ok(Remains {
            status,
            stdout,
            stderr,
        })
    }
}

/// At most one byte more than the cap, so that the caller can tell.
async fn capped(pipe: impl AsyncRead + Unpin, cap: u64) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    pipe.take(cap + 1).read_to_end(&mut out).await?;
    Ok(out)
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

/// What a child that died without a reply died of.
fn post_mortem(remains: &Remains, file_name: &str) -> ExtractError {
    const ILLEGAL: i32 = 4;
    const TRAP: i32 = 5;
    const KILL: i32 = 9;
    let signal = remains.status.signal();
    // Rust says so; native code that cannot allocate traps; the kernel's killer kills.
    let out_of_memory = remains.stderr.contains("memory allocation of")
        || remains.stderr.contains("std::bad_alloc")
        || matches!(signal, Some(ILLEGAL | TRAP | KILL));
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
