//! Files made by code: PDF through lopdf, DOCX through zip and docx-rs.

use std::io::{Cursor, Write};

use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Object, Stream, StringFormat, dictionary};
use plumbline_ingest::{ExtractError, Extraction, Limits, extract};
use zip::write::SimpleFileOptions;

/// A piece of text on a page: position, size, bold, text. Drawn in the order given.
#[derive(Clone)]
pub(crate) struct Draw {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) size: f32,
    pub(crate) bold: bool,
    pub(crate) text: String,
}

pub(crate) fn draw(x: f32, y: f32, size: f32, text: &str) -> Draw {
    Draw {
        x,
        y,
        size,
        bold: false,
        text: text.to_owned(),
    }
}

pub(crate) fn bold(x: f32, y: f32, size: f32, text: &str) -> Draw {
    Draw {
        bold: true,
        ..draw(x, y, size, text)
    }
}

/// Lines below each other from `y` downwards.
pub(crate) fn lines(x: f32, y: f32, size: f32, texts: &[&str]) -> Vec<Draw> {
    let mut at = y;
    texts
        .iter()
        .map(|text| {
            let line = draw(x, at, size, text);
            at -= size * 1.25;
            line
        })
        .collect()
}

/// A PDF with one page per list; `rotate` turns the pages and writes the text so that it reads
/// upright on the turned page.
pub(crate) fn pdf(pages: &[Vec<Draw>], rotate: i64) -> Vec<u8> {
    save(document(pages, rotate))
}

pub(crate) fn save(mut document: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

pub(crate) fn document(pages: &[Vec<Draw>], rotate: i64) -> Document {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let font = |name: &str| dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => name, "Encoding" => "WinAnsiEncoding" };
    let regular = document.add_object(font("Helvetica"));
    let heavy = document.add_object(font("Helvetica-Bold"));
    let resources =
        document.add_object(dictionary! { "Font" => dictionary! { "F1" => regular, "F2" => heavy } });
    let mut kids: Vec<Object> = Vec::new();
    for page in pages {
        let content = Content::<Vec<Operation>> {
            operations: page.iter().flat_map(|item| operations(item, rotate)).collect(),
        };
        let stream = document.add_object(Stream::new(dictionary! {}, content.encode().unwrap()));
        let page_id = document.add_object(dictionary! {
            "Type" => "Page", "Parent" => tree, "Contents" => stream, "Resources" => resources, "Rotate" => rotate,
            "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
        });
        kids.push(page_id.into());
    }
    let count = i64::try_from(kids.len()).unwrap();
    document.objects.insert(
        tree,
        Object::Dictionary(dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }),
    );
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    document
}

fn operations(item: &Draw, rotate: i64) -> Vec<Operation> {
    let (encoded, _, _) = encoding_rs::WINDOWS_1252.encode(&item.text);
    let text = Object::String(encoded.into_owned(), StringFormat::Literal);
    // On a page turned by 90 degrees upright text runs up the unturned page.
    let matrix: [f32; 6] = if rotate == 90 {
        [0.0, 1.0, -1.0, 0.0, 842.0 - item.y, item.x]
    } else {
        [1.0, 0.0, 0.0, 1.0, item.x, item.y]
    };
    vec![
        Operation::new("BT", vec![]),
        Operation::new(
            "Tf",
            vec![if item.bold { "F2" } else { "F1" }.into(), item.size.into()],
        ),
        Operation::new("Tm", matrix.iter().map(|value| (*value).into()).collect()),
        Operation::new("Tj", vec![text]),
        Operation::new("ET", vec![]),
    ]
}

/// The same document with a password handler that no password opens.
pub(crate) fn locked_pdf() -> Vec<u8> {
    let mut document = document(&[vec![draw(72.0, 700.0, 12.0, "Secret")]], 0);
    let bytes = |fill: u8| Object::String(vec![fill; 32], StringFormat::Hexadecimal);
    let encrypt: Dictionary = dictionary! { "Filter" => "Standard", "V" => 1, "R" => 2, "O" => bytes(7), "U" => bytes(9), "P" => -4 };
    let id = document.add_object(encrypt);
    document.trailer.set("Encrypt", id);
    document.trailer.set("ID", vec![bytes(1), bytes(1)]);
    save(document)
}

/// A page that holds a picture only.
pub(crate) fn scanned_pdf() -> Vec<u8> {
    let mut document = document(&[vec![]], 0);
    let image = Stream::new(
        dictionary! { "Type" => "XObject", "Subtype" => "Image", "Width" => 2, "Height" => 2, "ColorSpace" => "DeviceGray", "BitsPerComponent" => 8 },
        vec![0, 255, 255, 0],
    );
    let image = document.add_object(image);
    let page_id = document.get_pages()[&1];
    let content = document.add_object(Stream::new(
        dictionary! {},
        b"q 400 0 0 400 50 50 cm /Im0 Do Q".to_vec(),
    ));
    let resources = document.add_object(dictionary! { "XObject" => dictionary! { "Im0" => image } });
    let page = document.get_object_mut(page_id).unwrap().as_dict_mut().unwrap();
    page.set("Contents", content);
    page.set("Resources", resources);
    save(document)
}

const CONTENT_TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;
const ROOT_RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;

/// A DOCX package: the body's XML and further parts. Relationships are made from the names.
pub(crate) fn docx(body: &str, parts: &[(&str, &str)]) -> Vec<u8> {
    let document = format!(
        r#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="x" xmlns:wps="y"><w:body>{body}</w:body></w:document>"#
    );
    let mut relations = String::from(
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">"#,
    );
    for (number, (name, _)) in parts.iter().enumerate() {
        let kind = name.trim_end_matches(".xml").trim_end_matches(char::is_numeric);
        relations.push_str(&format!(
            r#"<Relationship Id="x{number}" Type="http://t/{kind}" Target="{name}"/>"#
        ));
    }
    relations.push_str("</Relationships>");
    let mut all = vec![
        ("[Content_Types].xml".to_owned(), CONTENT_TYPES.to_owned()),
        ("_rels/.rels".to_owned(), ROOT_RELATIONS.to_owned()),
        ("word/document.xml".to_owned(), document),
        ("word/_rels/document.xml.rels".to_owned(), relations),
    ];
    all.extend(
        parts
            .iter()
            .map(|(name, text)| (format!("word/{name}"), (*text).to_owned())),
    );
    package(&all)
}

pub(crate) fn package(parts: &[(String, String)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer
            .start_file(name.as_str(), SimpleFileOptions::default())
            .unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn read(bytes: &[u8], name: &str) -> Result<Extraction, ExtractError> {
    let outcome = extract(bytes, name, &Limits::default());
    if let Ok(extraction) = &outcome {
        assert_valid(extraction);
    }
    outcome
}

/// What every extraction promises about its text and ranges.
pub(crate) fn assert_valid(extraction: &Extraction) {
    let text = &extraction.text;
    assert!(
        !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'),
        "control characters"
    );
    assert!(
        text.split('\n').all(|line| line == line.trim_end()),
        "trailing spaces"
    );
    let mut end = 0;
    for block in &extraction.blocks {
        assert!(
            block.range.start >= end && block.range.end > block.range.start,
            "{block:?}"
        );
        assert!(text.is_char_boundary(block.range.start) && text.is_char_boundary(block.range.end));
        assert!(
            text[end..block.range.start].chars().all(|c| c == '\n'),
            "text outside blocks"
        );
        end = block.range.end;
    }
    assert_eq!(end, text.len(), "text after the last block");
}

/// One line per block, for snapshots.
pub(crate) fn outline(extraction: &Extraction) -> String {
    let mut out = String::new();
    for warning in &extraction.warnings {
        out.push_str(&format!("! {}: {}\n", warning.code, warning.message));
    }
    for block in &extraction.blocks {
        let page = block.page.map(|page| format!("p{page} ")).unwrap_or_default();
        let path = block.heading_path.join(" > ");
        out.push_str(&format!(
            "{page}{:?} [{path}] {}\n",
            block.kind,
            block.range.of(&extraction.text)
        ));
    }
    out
}
