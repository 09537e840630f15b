//! Scanned pages are recognised when asked for, and say what is missing when that fails. The
//! fixtures are pictures of pages, made by `examples/scan.rs` from the price sheet of the golden corpus.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use plumbline_ingest::{BlockKind, Code, ExtractError, Extraction, Isolation, Ocr, Wanted};

const WORKER: &str = env!("CARGO_BIN_EXE_plumbline-extract-worker");

fn worker() -> Isolation {
    Isolation::new(WORKER, Vec::<String>::new())
}

/// A worker that finds only the programs in this folder.
fn worker_with_path(folder: &Path) -> Isolation {
    Isolation::new(
        "/usr/bin/env",
        [format!("PATH={}", folder.display()), WORKER.to_owned()],
    )
}

async fn recognise(isolation: &Isolation, name: &str, ocr: Ocr) -> Result<Extraction, ExtractError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    let wanted = Wanted {
        ocr: Some(ocr),
        ..Wanted::default()
    };
    isolation.extract(&path, name, &wanted, &|_, _| {}).await
}

/// Locally a machine may lack tesseract; a pipeline may not.
#[expect(clippy::disallowed_methods, reason = "CI announces itself in the environment")]
fn tesseract_is_here() -> bool {
    let here = std::process::Command::new("tesseract")
        .arg("--version")
        .output()
        .is_ok();
    assert!(
        here || std::env::var_os("CI").is_none(),
        "tesseract is not installed"
    );
    here
}

fn assert_is_the_price_sheet(extraction: &Extraction) {
    let page = &extraction.pages[0];
    assert!(page.ocr && !page.looks_scanned, "{page:?}");
    assert_eq!(extraction.warnings.len(), 1, "{:?}", extraction.warnings);
    assert_eq!(extraction.warnings[0].code, Code::RecognisedText);
    assert_eq!(
        extraction.title.as_deref(),
        Some("Pay-as-you-go plan prices, October to December 2026")
    );
    let rows: Vec<&str> = extraction
        .blocks
        .iter()
        .filter(|block| block.kind == BlockKind::TableRow)
        .map(|block| block.range.of(&extraction.text))
        .collect();
    assert!(
        rows.contains(&"KA-5 | Kora A5 smartphone | 380 | 36 | 52 | 2,252 | No payment pause"),
        "{rows:#?}"
    );
    assert!(
        extraction.text.contains("Valid 1 October to 31 December 2026."),
        "{}",
        extraction.text
    );
}

#[tokio::test]
async fn a_scanned_price_sheet_is_read_row_by_row() {
    if tesseract_is_here() {
        let read = recognise(&worker(), "scanned-prices.pdf", Ocr::default()).await;
        assert_is_the_price_sheet(&read.unwrap());
    }
}

#[tokio::test]
async fn a_page_scanned_sideways_is_turned() {
    if tesseract_is_here() {
        let read = recognise(&worker(), "scanned-prices-sideways.pdf", Ocr::default()).await;
        assert_is_the_price_sheet(&read.unwrap());
    }
}

#[tokio::test]
async fn what_is_missing_is_named_with_its_package() {
    let empty = tempfile::tempdir().unwrap();
    let error = recognise(
        &worker_with_path(empty.path()),
        "scanned-prices.pdf",
        Ocr::default(),
    )
    .await
    .unwrap_err();
    assert_eq!(error.code, Code::NoText);
    assert_eq!(
        error.message,
        "scanned-prices.pdf holds no text: page 1 looks scanned; text recognition needs tesseract, \
         which is not installed (apt-get install tesseract-ocr)"
    );

    let folder = fake_tesseract("echo 'List of available languages (2):'; echo eng; echo osd");
    let languages = |languages: &str| Ocr {
        languages: languages.to_owned(),
        ..Ocr::default()
    };
    let error = recognise(
        &worker_with_path(folder.path()),
        "scanned-prices.pdf",
        languages("eng+chi_sim"),
    )
    .await
    .unwrap_err();
    assert!(
        error
            .message
            .ends_with("lacks the language chi_sim (apt-get install tesseract-ocr-chi-sim)"),
        "{}",
        error.message
    );
    let error = recognise(
        &worker_with_path(folder.path()),
        "scanned-prices.pdf",
        languages("eng --version"),
    )
    .await
    .unwrap_err();
    assert!(
        error.message.contains("must look like eng or eng+spa"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_page_that_takes_too_long_is_given_up() {
    let folder = fake_tesseract("[ \"$1\" = --list-langs ] && { echo eng; exit; }; exec /bin/sleep 600");
    let mut isolation = worker_with_path(folder.path());
    isolation.wall_clock = Duration::from_secs(5);
    let ocr = Ocr {
        page_seconds: 1,
        ..Ocr::default()
    };
    let error = recognise(&isolation, "scanned-prices.pdf", ocr)
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::NoText);
    assert!(
        error
            .message
            .ends_with("recognising the text took longer than 1 seconds"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_tesseract_that_fails_is_quoted() {
    let folder = fake_tesseract(
        "[ \"$1\" = --list-langs ] && { echo eng; exit; }; echo 'Image too large' >&2; exit 1",
    );
    let error = recognise(
        &worker_with_path(folder.path()),
        "scanned-prices.pdf",
        Ocr::default(),
    )
    .await
    .unwrap_err();
    assert!(
        error
            .message
            .ends_with("text recognition failed: Image too large"),
        "{}",
        error.message
    );
    let none = Ocr {
        max_pages: 0,
        ..Ocr::default()
    };
    let error = recognise(&worker_with_path(folder.path()), "scanned-prices.pdf", none)
        .await
        .unwrap_err();
    assert!(
        error.message.ends_with("only 0 pages of a file are recognised"),
        "{}",
        error.message
    );
}

fn fake_tesseract(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("tesseract");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}
