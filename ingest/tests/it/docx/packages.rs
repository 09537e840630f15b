//! Packages: where parts are, how they are encoded, what happens when one is damaged.

use plumbline_ingest::Code;

use super::{p, run, runs};
use crate::fixtures::{docx, package, read};

const DOCUMENT: &str =
    r#"<w:document xmlns:w="w"><w:body><w:p><w:r><w:t>Größe</w:t></w:r></w:p></w:body></w:document>"#;

fn zipped(parts: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in parts {
        writer.start_file(*name, options).unwrap();
        std::io::Write::write_all(&mut writer, bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn stored(parts: &[(&str, &[u8])]) -> Vec<u8> {
    zipped(parts, zip::CompressionMethod::Stored)
}

#[test]
fn the_main_part_may_be_anywhere_in_any_encoding() {
    let document = r#"<?xml version="1.0" encoding="UTF-16"?><x:document xmlns:x="http://purl.oclc.org/ooxml/wordprocessingml/main"><x:body><x:p><x:r><x:t>Größe</x:t></x:r></x:p></x:body></x:document>"#;
    let mut utf16 = vec![0xFF, 0xFE];
    utf16.extend(document.encode_utf16().flat_map(u16::to_le_bytes));
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut add = |name: &str, bytes: &[u8]| {
        writer
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        std::io::Write::write_all(&mut writer, bytes).unwrap();
    };
    add("[Content_Types].xml", b"<Types>wordprocessingml</Types>");
    add("_rels/.rels", br#"<Relationships><Relationship Type="http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument" Target="/Custom/Main2.xml"/></Relationships>"#);
    add("custom\\main2.xml", &utf16);
    let extraction = read(&writer.finish().unwrap().into_inner(), "a.docx").unwrap();
    assert_eq!(extraction.text, "Größe");
}

#[test]
fn damage_in_a_secondary_part_is_a_warning() {
    let extraction = read(
        &docx(&p("x", "Text"), &[("styles.xml", "<w:styles><broken")]),
        "a.docx",
    )
    .unwrap();
    assert_eq!(
        (extraction.text.as_str(), extraction.warnings[0].code),
        ("Text", Code::PartSkipped)
    );
}

#[test]
fn a_part_with_a_byte_order_mark_and_names_in_any_case_are_read() {
    let mut marked = vec![0xEF, 0xBB, 0xBF];
    marked.extend(DOCUMENT.bytes());
    let bytes = stored(&[
        ("[content_types].XML", b"<Types>wordprocessingml</Types>"),
        ("Word/Document.XML", &marked),
    ]);
    assert_eq!(read(&bytes, "a.docx").unwrap().text, "Größe");
}

#[test]
fn utf_16_without_a_byte_order_mark_and_a_package_without_relationships() {
    let utf16: Vec<u8> = DOCUMENT.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let bytes = stored(&[("word/document.xml", &utf16)]);
    assert_eq!(read(&bytes, "a.docx").unwrap().text, "Größe");
}

#[test]
fn a_part_whose_checksum_is_wrong_is_damage() {
    let mut bytes = stored(&[
        ("[Content_Types].xml", b"wordprocessingml"),
        ("word/document.xml", DOCUMENT.as_bytes()),
    ]);
    let at = bytes.windows(5).position(|window| window == b"w:t>G").unwrap() + 4;
    bytes[at] = b'X';
    let error = read(&bytes, "a.docx").unwrap_err();
    assert_eq!(error.code, Code::DamagedDocx);
    assert!(error.message.contains("word/document.xml"), "{}", error.message);
}

#[test]
fn an_embedded_file_is_named_and_left_out() {
    let extraction = read(
        &docx(&(r#"<w:altChunk r:id="x9"/>"#.to_owned() + &p("x", "Text")), &[]),
        "a.docx",
    )
    .unwrap();
    assert_eq!(
        (extraction.text.as_str(), extraction.warnings[0].code),
        ("Text", Code::PartSkipped)
    );
}

#[test]
fn headers_and_footers_come_once_and_without_page_numbers() {
    let page = |word: &str| {
        format!(
            r#"<w:ftr xmlns:w="w"><w:p>{}<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> PAGE </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>3</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p></w:ftr>"#,
            run(word)
        )
    };
    let header = format!(r#"<w:hdr xmlns:w="w">{}</w:hdr>"#, runs(&run("Acme AG")));
    let (plain, named) = (page("Page "), page("Form 27-B, page "));
    let parts = [
        ("header1.xml", header.as_str()),
        ("header2.xml", header.as_str()),
        ("footer1.xml", plain.as_str()),
        ("footer2.xml", named.as_str()),
    ];
    let extraction = read(&docx(&p("x", "Body."), &parts), "a.docx").unwrap();
    assert_eq!(extraction.text, "Body.\n\nAcme AG\n\nForm 27-B, page");
}

#[test]
fn a_package_of_another_kind_is_named() {
    let other = |types: &str| {
        let parts = [("[Content_Types].xml".to_owned(), types.to_owned())];
        read(&package(&parts), "a.docx").unwrap_err().message
    };
    assert!(other("presentationml").contains("slide deck"));
    assert!(other("spreadsheetml").contains("spreadsheet"));
}
