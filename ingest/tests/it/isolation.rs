//! The child process: results pass through, whatever kills a child becomes a catalogued error.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use plumbline_ingest::{Code, ExtractError, Extraction, Format, Isolation, Limits, Ocr, Wanted, extract};

use crate::fixtures::{docx, lines, pdf};

/// Reading without wishes.
trait Plain {
    async fn read(&self, path: &Path, name: &str) -> Result<Extraction, ExtractError>;
}

impl Plain for Isolation {
    async fn read(&self, path: &Path, name: &str) -> Result<Extraction, ExtractError> {
        self.extract(path, name, &Wanted::default(), &|_, _| {}).await
    }
}

/// Reading that keeps what was told on the way.
async fn watched(isolation: &Isolation, path: &Path, name: &str) -> (Vec<(u64, u64)>, Extraction) {
    let told = Mutex::new(Vec::new());
    let tell = |done, total| told.lock().unwrap().push((done, total));
    let read = isolation.extract(path, name, &Wanted::default(), &tell).await;
    let extraction = read.unwrap();
    (told.into_inner().unwrap(), extraction)
}

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
    let isolated = worker().read(file.path(), "hours.pdf").await.unwrap();
    assert_eq!(
        isolated,
        extract(&bytes, "hours.pdf", &Limits::default()).unwrap()
    );
}

#[tokio::test]
async fn errors_of_the_extractor_pass_through() {
    let error = worker().read(file(b"").path(), "empty.txt").await.unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (Code::EmptyFile, "empty.txt is empty")
    );
    let error = worker().read(Path::new("/nowhere"), "a.txt").await.unwrap_err();
    assert_eq!(error.code, Code::Unreadable);
    let mut small = worker();
    small.limits.max_bytes = 3;
    assert_eq!(
        small.read(file(b"four").path(), "a.txt").await.unwrap_err().code,
        Code::TooLarge
    );
}

#[tokio::test]
async fn a_child_that_hangs_is_killed() {
    let mut isolation = shell("exec sleep 600");
    isolation.wall_clock = Duration::from_millis(100);
    let error = isolation.read(file(b"text").path(), "a.txt").await.unwrap_err();
    assert_eq!(error.code, Code::Timeout);
}

#[tokio::test]
async fn a_child_that_dies_leaves_its_last_words() {
    let error = shell("echo 'the parser gave up' >&2; exit 3")
        .read(file(b"x").path(), "a.txt")
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::WorkerDied);
    assert!(
        error.message.contains("exit code 3: the parser gave up"),
        "{}",
        error.message
    );
    let error = shell("kill -SEGV $$")
        .read(file(b"x").path(), "a.txt")
        .await
        .unwrap_err();
    assert!(error.message.contains("signal 11"), "{}", error.message);
    let error = shell("echo not json")
        .read(file(b"x").path(), "a.txt")
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::WorkerDied);
    let error = Isolation::new("/no/such/program", ["x"])
        .read(file(b"x").path(), "a.txt")
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
    let error = isolation.read(file.path(), "big.docx").await.unwrap_err();
    assert_eq!(error.code, Code::MemoryLimit);
}

#[tokio::test]
async fn output_is_capped() {
    for endless in [
        "while :; do printf xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
        r#"while :; do echo '{"progress":{"done":1,"total":2}}'; done"#,
    ] {
        let mut isolation = shell(endless);
        isolation.output_cap = 10_000;
        let error = isolation.read(file(b"x").path(), "a.txt").await.unwrap_err();
        assert_eq!(error.code, Code::TooLarge);
    }
}

#[tokio::test]
async fn progress_is_told_and_ends_at_the_end() {
    let pages: Vec<_> = (0..40)
        .map(|n| lines(60.0, 700.0, 11.0, &[&format!("Page {n} of the guide.")]))
        .collect();
    let (told, extraction) = watched(&worker(), file(&pdf(&pages, 0)).path(), "guide.pdf").await;
    assert_eq!(extraction.pages.len(), 40);
    assert!(
        told.iter().all(|(done, total)| *total == 40 && done <= total),
        "{told:?}"
    );
    assert!(told.is_sorted(), "{told:?}");
    assert_eq!(told.last(), Some(&(40, 40)));

    let mut rows = String::from("Item,Price\n");
    for row in 0..5_000 {
        rows.push_str(&format!("chair {row},{row} EUR\n"));
    }
    let (told, extraction) = watched(&worker(), file(rows.as_bytes()).path(), "prices.csv").await;
    assert_eq!(extraction.rows, Some(5_000));
    assert_eq!(told.first(), Some(&(999, 5_001)));
    assert_eq!(told.last(), Some(&(5_000, 5_000)));
}

#[tokio::test]
async fn an_unwanted_format_is_refused_by_content() {
    let wanted = |formats: &[Format]| Wanted {
        formats: formats.to_vec(),
        ocr: None,
    };
    let read = async |bytes: &[u8], name: &str, formats: &[Format]| {
        worker()
            .extract(file(bytes).path(), name, &wanted(formats), &|_, _| {})
            .await
    };
    let table = b"Item;Price;Stock\nchair;1;4\ntable;2;5\nlamp;3;6\n";
    let error = read(table, "prices.txt", &[Format::Pdf, Format::Docx])
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::FormatNotAllowed);
    assert_eq!(
        error.message,
        "the content of prices.txt is csv; allowed here: pdf, docx"
    );
    assert!(read(table, "prices.csv", &[Format::Csv]).await.is_ok());
    let word = docx("<w:p><w:r><w:t>Hello</w:t></w:r></w:p>", &[]);
    let error = read(&word, "a.docx", &[Format::Text]).await.unwrap_err();
    assert_eq!(error.code, Code::FormatNotAllowed);
    // A spreadsheet is not called a DOCX file that is not allowed.
    let error = read(b"PK\x03\x04", "a.docx", &[Format::Text]).await.unwrap_err();
    assert_eq!(error.code, Code::DamagedDocx);
    let notes = b"# Opening hours\n\n- Monday to Friday\n- nine to five\n";
    let extraction = read(notes, "hours.txt", &[Format::Text]).await.unwrap();
    assert_eq!(extraction.format, Format::Text);
}

#[tokio::test]
async fn pages_that_are_recognised_get_time_but_not_without_end() {
    let wanted = Wanted {
        formats: Vec::new(),
        ocr: Some(Ocr {
            page_seconds: 1,
            max_pages: 2,
            ..Ocr::default()
        }),
    };
    let answer = r#"{"error":{"code":"no_text","message":"done"}}"#;
    let page = r#"{"recognising":{"page":1}}"#;
    let mut patient = shell(&format!("echo '{page}'; sleep 0.5; echo '{answer}'"));
    patient.wall_clock = Duration::from_millis(200);
    let error = patient
        .extract(file(b"x").path(), "a.pdf", &wanted, &|_, _| {})
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::NoText);
    let mut greedy = shell(&format!("while :; do echo '{page}'; sleep 0.1; done"));
    greedy.wall_clock = Duration::from_millis(200);
    let error = greedy
        .extract(file(b"x").path(), "a.pdf", &wanted, &|_, _| {})
        .await
        .unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (Code::Timeout, "a.pdf was not read within 2 seconds")
    );
}

#[tokio::test]
async fn what_the_child_started_ends_with_it() {
    let pid = tempfile::NamedTempFile::new().unwrap();
    let mut isolation = shell(&format!("sleep 600 & echo $! > {}; wait", pid.path().display()));
    isolation.wall_clock = Duration::from_millis(500);
    let error = isolation.read(file(b"x").path(), "a.txt").await.unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    let pid = std::fs::read_to_string(pid.path()).unwrap();
    let stat = format!("/proc/{}/stat", pid.trim());
    for _ in 0..200 {
        // gone, or waiting to be reaped by whoever adopted it
        if std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z ")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the grandchild {pid} still runs");
}
