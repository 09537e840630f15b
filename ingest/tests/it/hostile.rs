//! Broken and hostile bytes: each ends in a catalogued error or in text with a warning.

use plumbline_ingest::{Code, Limits, extract};

use crate::fixtures::read;

fn code(bytes: &[u8], name: &str) -> Code {
    read(bytes, name).unwrap_err().code
}

#[test]
fn nothing_and_almost_nothing() {
    assert_eq!(code(b"", "a.txt"), Code::EmptyFile);
    assert_eq!(code(b" \r\n\t\n", "a.csv"), Code::EmptyFile);
    assert_eq!(code(&[0xEF, 0xBB, 0xBF], "a.txt"), Code::EmptyFile);
    assert_eq!(code(&[0; 4096], "a.pdf"), Code::EmptyFile);
    assert_eq!(code(b"PK\x03\x04", "a.docx"), Code::DamagedDocx);
}

#[test]
fn other_formats_are_named() {
    for (bytes, name) in [
        (&b"{\\rtf1 hello}"[..], "a.rtf"),
        (b"\x89PNG\r\n\x1a\n123456", "a.png"),
        (b"<!DOCTYPE html><html><body>Hi</body></html>", "a.html"),
        (b"<?xml version=\"1.0\"?><a/>", "a.xml"),
        (b"\x1F\x8B\x08\x00abcdef", "a.gz"),
    ] {
        assert_eq!(code(bytes, name), Code::Unsupported, "{name}");
    }
    let ole = |marker: &str| {
        let mut bytes = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
        bytes.resize(512, 0);
        bytes.extend(marker.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    };
    assert_eq!(code(&ole("EncryptedPackage"), "a.docx"), Code::Encrypted);
    assert_eq!(code(&ole("WordDocument"), "a.docx"), Code::LegacyDoc);
    assert_eq!(code(&ole("Workbook"), "a.xls"), Code::Unsupported);
}

#[test]
fn nul_bytes_in_text_vanish_and_binary_is_refused() {
    let mut bytes = b"The shop opens at nine and closes at five on all days of the week. ".repeat(4);
    bytes[10] = 0;
    assert!(!read(&bytes, "a.txt").unwrap().text.contains('\0'));
    let extraction = read(
        b"name,note\nfirst,a\0b\nsecond,c d e f g h i j k l m n o p q r s t u v w x\nthird,more words here\n",
        "a.csv",
    )
    .unwrap();
    assert!(extraction.text.contains("note: ab"));
    let noise: Vec<u8> = (0..5000_u32)
        .map(|i| u8::try_from(i.wrapping_mul(2_654_435_761) >> 24).unwrap())
        .collect();
    assert_eq!(code(&noise, "a.txt"), Code::BinaryFile);
}

#[test]
fn one_line_of_ten_megabytes_is_text() {
    let line = "word ".repeat(2_000_000);
    let extraction = read(line.as_bytes(), "a.txt").unwrap();
    assert_eq!(extraction.blocks.len(), 1);
}

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

#[test]
fn every_error_says_what_to_do() {
    let error = read(b"", "empty.txt").unwrap_err();
    assert!(error.message.contains("empty.txt") && !error.suggestion.is_empty());
    assert_eq!(error.to_string(), "empty_file: empty.txt is empty");
}
