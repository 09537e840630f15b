//! The DOCX extractor: a raw archive when the input begins with `PK`, else the text of its parts,
//! separated by NUL bytes and packed here, because no mutation survives a CRC.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// The parts in the order in which the input gives them.
const PARTS: [&str; 8] = [
    "document.xml",
    "styles.xml",
    "numbering.xml",
    "footnotes.xml",
    "endnotes.xml",
    "header1.xml",
    "footer1.xml",
    "_rels/document.xml.rels",
];

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"PK") {
        plumbline_fuzz::read(bytes, "a.docx");
    } else {
        plumbline_fuzz::read(&package(bytes), "a.docx");
    }
});

fn package(bytes: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, content: &[u8]| {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        writer.start_file(name, stored).expect("a short name");
        writer.write_all(content).expect("memory");
    };
    for (name, part) in PARTS.into_iter().zip(&parts) {
        add(&format!("word/{name}"), part);
    }
    if parts.len() < PARTS.len() {
        add("word/_rels/document.xml.rels", relations().as_bytes());
    }
    writer.finish().expect("memory").into_inner()
}

fn relations() -> String {
    let relation = |name: &str| {
        let kind = name.trim_end_matches(".xml").trim_end_matches('1');
        format!("<Relationship Id=\"{kind}\" Type=\"http://t/{kind}\" Target=\"{name}\"/>")
    };
    let all: String = PARTS[1..7].iter().copied().map(relation).collect();
    format!("<Relationships>{all}</Relationships>")
}
