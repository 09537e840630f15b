//! Damaged files: what can be found in them is read, with a warning.

use lopdf::SaveOptions;
use plumbline_ingest::Code;

use crate::fixtures::{document, lines, locked_pdf, pdf, read};

fn pages(count: usize) -> Vec<Vec<crate::fixtures::Draw>> {
    (1..=count)
        .map(|page| {
            let first = format!("Chapter {page} of the guide begins here.");
            lines(
                60.0,
                700.0,
                11.0,
                &[&first, "It says what to do and what to leave."],
            )
        })
        .collect()
}

/// Everything before a marker.
fn until<'a>(bytes: &'a [u8], marker: &str) -> &'a [u8] {
    let marker = marker.as_bytes();
    let end = bytes
        .windows(marker.len())
        .rposition(|window| window == marker)
        .unwrap();
    &bytes[..end]
}

fn assert_repaired(bytes: &[u8], expected: &[usize], what: &str) {
    let extraction = read(bytes, "guide.pdf").unwrap_or_else(|error| panic!("{what}: {error}"));
    let found: Vec<usize> = (1..=9)
        .filter(|page| {
            extraction
                .text
                .contains(&format!("Chapter {page} of the guide begins here."))
        })
        .collect();
    assert_eq!(found, expected, "{what}: {}", extraction.text);
    let warning = &extraction.warnings[0];
    assert_eq!(warning.code, Code::Repaired, "{what}");
    assert!(
        warning.message.contains("others may be missing"),
        "{}",
        warning.message
    );
}

#[test]
fn a_file_without_its_table_is_read() {
    let whole = pdf(&pages(3), 0);
    assert_repaired(until(&whole, "/XRef"), &[1, 2, 3], "no table");
    assert_repaired(
        &[b"junk from a mail server\n", until(&whole, "/XRef")].concat(),
        &[1, 2, 3],
        "junk",
    );
}

#[test]
fn of_a_file_that_was_cut_off_the_first_pages_are_read() {
    let whole = pdf(&pages(9), 0);
    let half = &whole[..whole.len() / 2];
    let extraction = read(half, "guide.pdf").unwrap();
    assert_eq!(extraction.warnings[0].code, Code::Repaired);
    assert!(extraction.text.starts_with("Chapter 1 of the guide begins here."));
    assert!(!extraction.text.contains("Chapter 9"), "{}", extraction.text);
    assert_eq!(
        extraction.warnings[0].message,
        format!(
            "guide.pdf is damaged; {} of its pages were found, others may be missing",
            extraction.pages.len()
        )
    );
}

#[test]
fn objects_in_object_streams_are_unpacked() {
    let mut modern = document(&pages(4), 0);
    let mut bytes = Vec::new();
    let options = SaveOptions::builder()
        .use_object_streams(true)
        .use_xref_streams(true)
        .build();
    modern.save_with_options(&mut bytes, options).unwrap();
    assert!(
        bytes.windows(7).any(|window| window == b"/ObjStm"),
        "the fixture has no object stream"
    );
    let cut = until(&bytes, "/XRef");
    assert_repaired(cut, &[1, 2, 3, 4], "object streams");
}

#[test]
fn what_cannot_be_repaired_is_an_error() {
    let whole = pdf(&pages(1), 0);
    for (what, bytes) in [
        ("no pages", whole[..whole.len() / 3].to_vec()),
        (
            "nothing",
            b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n".to_vec(),
        ),
    ] {
        let error = read(&bytes, "guide.pdf").unwrap_err();
        assert_eq!(error.code, Code::DamagedPdf, "{what}");
    }
    let locked = locked_pdf();
    let error = read(until(&locked, "/XRef"), "locked.pdf").unwrap_err();
    assert!(
        matches!(error.code, Code::Encrypted | Code::DamagedPdf),
        "an encrypted file without its trailer is not guessed at: {error}"
    );
}
