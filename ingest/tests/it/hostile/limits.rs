//! The limits themselves, shrunk: what exceeds one is an error or a warning that says so.

use plumbline_ingest::{Code, Limits, extract};

#[test]
fn limits_are_errors_or_warnings() {
    let small = Limits {
        max_bytes: 10,
        max_text_bytes: 40,
        ..Limits::default()
    };
    assert_eq!(
        extract(b"more than ten bytes", "a.txt", &small).unwrap_err().code,
        Code::TooLarge
    );
    let small = Limits {
        max_text_bytes: 40,
        ..Limits::default()
    };
    let extraction = extract(
        b"The first paragraph.\n\nThe second paragraph is lost.\n",
        "a.txt",
        &small,
    )
    .unwrap();
    assert_eq!(
        (extraction.text.as_str(), extraction.warnings[0].code),
        ("The first paragraph.", Code::TruncatedText)
    );
    let cells = Limits {
        max_columns: 2,
        max_cell_bytes: 4,
        ..Limits::default()
    };
    let extraction = extract(b"aa,bb,cc\nlong cell,2,3\nx,y,z\n", "a.csv", &cells).unwrap();
    let codes: Vec<Code> = extraction.warnings.iter().map(|warning| warning.code).collect();
    assert!(
        codes.contains(&Code::TooManyColumns) && codes.contains(&Code::CellTruncated),
        "{codes:?}"
    );
}
