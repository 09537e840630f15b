//! Hostile and broken files, each made here and read as production reads them: by the child
//! process, under its memory limit and its deadline.
//!
//! Every case ends in an error of the catalogue that names the file and says what to do, or in
//! text with exactly the warnings named. The service's side stays small, and a good file is read
//! after all of them. The tables are the documentation of what Plumbline makes of such files.

#![expect(clippy::too_many_lines, reason = "tables of cases are long and flat")]
#![expect(clippy::format_collect, reason = "brevity over allocations in fixtures")]

mod archive;
mod csv;
mod docx;
mod files;
mod limits;
mod mixed;
mod pdf;
mod text;
mod zip;

use std::collections::BTreeSet;
use std::io::Write;

use plumbline_ingest::catalogue::Severity;
use plumbline_ingest::{ChunkingSettings, Code, ExtractError, Extraction, Isolation, Wanted, chunk};

use crate::chunking::{assert_chunks, words};
use crate::fixtures::{assert_valid, lines, pdf as good_pdf};

/// Larger texts would only cost time.
const LARGEST_CHUNKED: usize = 4 << 20;

/// What makes a file.
type Bytes = fn() -> Vec<u8>;

/// One file and what must become of it.
struct Case {
    what: &'static str,
    file_name: String,
    bytes: Bytes,
    expect: Expect,
}

enum Expect {
    /// The error is one of these; more than one only where native code decides how it dies.
    Error(&'static [Code]),
    /// The canonical text contains this, and these are the warnings, in any order and number.
    Text(&'static str, &'static [Code]),
}

/// A file that cannot be used.
fn fails(what: &'static str, file_name: &str, codes: &'static [Code], bytes: Bytes) -> Case {
    let expect = Expect::Error(codes);
    Case {
        what,
        file_name: file_name.to_owned(),
        bytes,
        expect,
    }
}

/// A file whose text is read.
fn reads(
    what: &'static str,
    file_name: &str,
    text: &'static str,
    warnings: &'static [Code],
    bytes: Bytes,
) -> Case {
    let expect = Expect::Text(text, warnings);
    Case {
        what,
        file_name: file_name.to_owned(),
        bytes,
        expect,
    }
}

fn worker() -> Isolation {
    Isolation::new(
        env!("CARGO_BIN_EXE_plumbline-extract-worker"),
        Vec::<String>::new(),
    )
}

async fn read(isolation: &Isolation, bytes: &[u8], file_name: &str) -> Result<Extraction, ExtractError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    isolation
        .extract(file.path(), file_name, &Wanted::default(), &|_, _| {})
        .await
}

/// Reads all files of a table and collects what is wrong, so that one run shows everything.
async fn run(cases: Vec<Case>) {
    /// What the service's process may need on top, for the largest text and its JSON.
    const PEAK_GROWTH_KIB: u64 = 600 * 1024;
    let before = peak_memory_kib();
    let isolation = worker();
    let mut wrong = Vec::new();
    for case in &cases {
        let bytes = (case.bytes)();
        let started = std::time::Instant::now();
        let outcome = read(&isolation, &bytes, &case.file_name).await;
        // Seen with --nocapture; no test is about time.
        eprintln!(
            "{:>7.2?} {:>10} bytes  {}",
            started.elapsed(),
            bytes.len(),
            case.what
        );
        if let Some(problem) = problem(case, &outcome) {
            wrong.push(format!("{}: {problem}", case.what));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    if let (Some(before), Some(after)) = (before, peak_memory_kib()) {
        let growth = after - before;
        assert!(
            growth < PEAK_GROWTH_KIB,
            "the peak memory of the parent grew by {growth} KiB"
        );
    }
    let good = good_pdf(&[lines(60.0, 700.0, 11.0, &["Shops open at nine."])], 0);
    let extraction = read(&isolation, &good, "hours.pdf").await.unwrap();
    assert_eq!(extraction.text, "Shops open at nine.");
}

fn problem(case: &Case, outcome: &Result<Extraction, ExtractError>) -> Option<String> {
    match (outcome, &case.expect) {
        (Ok(extraction), Expect::Text(text, warnings)) => wrong_text(extraction, text, warnings),
        (Err(error), Expect::Error(codes)) => wrong_error(error, codes, &case.file_name),
        (Ok(extraction), Expect::Error(codes)) => {
            let start: String = extraction.text.chars().take(80).collect();
            Some(format!(
                "read as {start:?} {:?}, expected {codes:?}",
                codes_of(extraction)
            ))
        }
        (Err(error), Expect::Text(..)) => Some(format!("failed with {error}")),
    }
}

fn codes_of(extraction: &Extraction) -> BTreeSet<&'static str> {
    extraction
        .warnings
        .iter()
        .map(|warning| warning.code.as_str())
        .collect()
}

fn wrong_text(extraction: &Extraction, text: &str, warnings: &[Code]) -> Option<String> {
    assert_valid(extraction);
    // Chunks are made by the service itself, so no text may be a trap for it either.
    if extraction.text.len() < LARGEST_CHUNKED {
        let settings = ChunkingSettings::default();
        assert_chunks(extraction, &chunk(extraction, &settings, &words), &settings);
    }
    let start: String = extraction.text.chars().take(120).collect();
    if !extraction.text.contains(text) {
        return Some(format!("the text has no {text:?}; it starts {start:?}"));
    }
    let expected: BTreeSet<&str> = warnings.iter().map(|code| code.as_str()).collect();
    let found = codes_of(extraction);
    let are_warnings = extraction
        .warnings
        .iter()
        .all(|warning| warning.code.entry().severity == Severity::Warning && !warning.message.is_empty());
    (found != expected || !are_warnings)
        .then(|| format!("warnings {:?}, expected {expected:?}", extraction.warnings))
}

fn wrong_error(error: &ExtractError, codes: &[Code], file_name: &str) -> Option<String> {
    // A long name is shortened, control characters are not shown.
    let shown: String = file_name
        .chars()
        .take_while(|c| !c.is_control())
        .take(40)
        .collect();
    let says_it = error.message.contains(shown.trim()) && !error.message.contains(char::is_control);
    let says_what_to_do = !error.suggestion.is_empty() && error.message.len() < 500;
    let is_error = error.code.entry().severity == Severity::Error;
    (!codes.contains(&error.code) || !says_it || !says_what_to_do || !is_error)
        .then(|| format!("failed with {error}, expected {codes:?}"))
}

/// The most memory this process ever had, where the system tells.
fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[tokio::test]
async fn hostile_text() {
    run(text::cases()).await;
}

#[tokio::test]
async fn hostile_tables() {
    run(csv::cases()).await;
}

#[tokio::test]
async fn hostile_word_documents() {
    run(docx::cases()).await;
}

#[tokio::test]
async fn hostile_archives() {
    run(zip::cases()).await;
}

#[tokio::test]
async fn hostile_pdfs() {
    run(pdf::cases()).await;
}

#[tokio::test]
async fn files_that_are_not_what_they_say() {
    run(mixed::cases()).await;
}

/// A file that hangs its reader does not hold up the file after it.
#[tokio::test]
async fn a_poisonous_file_blocks_no_other() {
    let mut hanging = Isolation::new("/bin/sh", ["-c", "exec sleep 600"]);
    hanging.wall_clock = std::time::Duration::from_hours(1);
    let poison = tokio::spawn(async move { read(&hanging, b"poison", "poison.txt").await });
    let good = read(&worker(), b"Shops open at nine.", "hours.txt")
        .await
        .unwrap();
    assert_eq!(good.text, "Shops open at nine.");
    assert!(!poison.is_finished());
    poison.abort();
}

/// Writes every file into the target folder, to look at them and to seed the fuzz targets.
#[test]
#[ignore = "writes the seeds of the fuzz targets; fuzz/README.md says how it is run"]
fn write_the_hostile_files() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    let groups = [
        ("text", text::cases()),
        ("csv", csv::cases()),
        ("docx", docx::cases()),
        ("zip", zip::cases()),
        ("pdf", pdf::cases()),
        ("mixed", mixed::cases()),
    ];
    for (group, cases) in groups {
        std::fs::create_dir_all(folder.join(group)).unwrap();
        for (number, case) in cases.iter().enumerate() {
            let name = format!("{number:02} {}", case.what.replace(['/', '%'], " "));
            std::fs::write(folder.join(group).join(name), (case.bytes)()).unwrap();
        }
    }
}
