//! The child process: results pass through, whatever kills a child becomes a catalogued error.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use plumbline_ingest::{Code, Isolation, Limits, extract};

use crate::fixtures::{docx, lines, pdf};

fn worker() -> Isolation {
    Isolation::new(
        env!("CARGO_BIN_EXE_plumbline-extract-worker"),
        Vec::<String>::new(),
    )
}

fn shell(script: &str) -> Isolation {
    Isolation::new("/bin/sh", ["-c", script])
}

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

#[tokio::test]
async fn the_child_reads_what_the_library_reads() {
    let bytes = pdf(&[lines(60.0, 700.0, 11.0, &["Shops open at nine."])], 0);
    let file = file(&bytes);
    let isolated = worker().extract(file.path(), "hours.pdf").await.unwrap();
    assert_eq!(
        isolated,
        extract(&bytes, "hours.pdf", &Limits::default()).unwrap()
    );
}

#[tokio::test]
async fn errors_of_the_extractor_pass_through() {
    let error = worker().extract(file(b"").path(), "empty.txt").await.unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (Code::EmptyFile, "empty.txt is empty")
    );
    let error = worker()
        .extract(Path::new("/nowhere"), "a.txt")
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::Unreadable);
    let mut small = worker();
    small.limits.max_bytes = 3;
    assert_eq!(
        small
            .extract(file(b"four").path(), "a.txt")
            .await
            .unwrap_err()
            .code,
        Code::TooLarge
    );
}

#[tokio::test]
async fn a_child_that_hangs_is_killed() {
    let mut isolation = shell("exec sleep 600");
    isolation.wall_clock = Duration::from_millis(100);
    let error = isolation
        .extract(file(b"text").path(), "a.txt")
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::Timeout);
}

#[tokio::test]
async fn a_child_that_dies_leaves_its_last_words() {
    let error = shell("echo 'the parser gave up' >&2; exit 3")
        .extract(file(b"x").path(), "a.txt")
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::WorkerDied);
    assert!(
        error.message.contains("exit code 3: the parser gave up"),
        "{}",
        error.message
    );
    let error = shell("kill -SEGV $$")
        .extract(file(b"x").path(), "a.txt")
        .await
        .unwrap_err();
    assert!(error.message.contains("signal 11"), "{}", error.message);
    let error = shell("echo not json")
        .extract(file(b"x").path(), "a.txt")
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::WorkerDied);
    let error = Isolation::new("/no/such/program", ["x"])
        .extract(file(b"x").path(), "a.txt")
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::WorkerDied);
}

#[tokio::test]
async fn memory_is_limited_in_the_child() {
    let body = format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", "a ".repeat(30_000_000));
    let file = file(&docx(&body, &[]));
    let mut isolation = worker();
    isolation.memory_bytes = 96 * 1024 * 1024;
    let error = isolation.extract(file.path(), "big.docx").await.unwrap_err();
    assert_eq!(error.code, Code::MemoryLimit);
}

#[tokio::test]
async fn output_is_capped() {
    let mut isolation = shell("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done");
    isolation.output_cap = 10_000;
    let error = isolation.extract(file(b"x").path(), "a.txt").await.unwrap_err();
    assert_eq!(error.code, Code::TooLarge);
}
