//! What a file is, by its content.
//!
//! Magic numbers first, then an encoding, then the shape of the text. The name breaks ties only
//! between kinds of text (a one-column CSV file looks like any other list of lines).

use crate::block::{Format, Warning};
use crate::catalogue::Code;
use crate::extract::csv::sniff::looks_like_csv;
use crate::extract::text::{decode, looks_like_markdown};
use crate::extract::{ExtractError, name_mismatch};

/// The outcome of detection.
#[derive(Debug, Clone, PartialEq)]
pub struct Detected {
    /// What the content is.
    pub format: Format,
    /// Name mismatch, guessed encoding and the like.
    pub warnings: Vec<Warning>,
    /// The decoded text, for the formats that are text.
    pub text: Option<String>,
}

/// Detects the format of a file. Encrypted, legacy, binary and unsupported files are errors here.
pub fn detect(bytes: &[u8], file_name: &str) -> Result<Detected, ExtractError> {
    if bytes.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err(ExtractError::new(
            Code::EmptyFile,
            format!("{file_name} is empty"),
        ));
    }
    if let Some(format) = container(bytes, file_name)? {
        return Ok(Detected {
            format,
            warnings: name_mismatch(file_name, format).into_iter().collect(),
            text: None,
        });
    }
    let decoded = decode::decode(bytes, file_name)?;
    if decoded.text.trim().is_empty() {
        return Err(ExtractError::new(
            Code::EmptyFile,
            format!("{file_name} holds only white space"),
        ));
    }
    refuse_markup(&decoded.text, file_name)?;
    let extension = file_name
        .rsplit_once('.')
        .map(|(_, e)| e.to_ascii_lowercase())
        .unwrap_or_default();
    let format = if looks_like_csv(&decoded.text, &extension) {
        Format::Csv
    } else if matches!(extension.as_str(), "md" | "markdown") || looks_like_markdown(&decoded.text) {
        Format::Markdown
    } else {
        Format::Text
    };
    let mut warnings: Vec<Warning> = name_mismatch(file_name, format).into_iter().collect();
    warnings.extend(decoded.warnings);
    Ok(Detected {
        format,
        warnings,
        text: Some(decoded.text),
    })
}

fn container(bytes: &[u8], file_name: &str) -> Result<Option<Format>, ExtractError> {
    if is_pdf(bytes) {
        return Ok(Some(Format::Pdf));
    }
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) {
        return Err(ole(bytes, file_name));
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Ok(Some(Format::Docx)); // the DOCX extractor tells other packages apart
    }
    let unsupported = [
        (&b"{\\rtf"[..], "RTF text"),
        (b"\x89PNG", "a PNG picture"),
        (b"\xFF\xD8\xFF", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"II*\x00", "a TIFF picture"),
        (b"MM\x00*", "a TIFF picture"),
        (b"%!PS", "PostScript"),
        (b"\x1F\x8B", "a gzip archive"),
        (b"7z\xBC\xAF", "a 7z archive"),
        (b"Rar!", "a RAR archive"),
    ];
    if let Some((_, what)) = unsupported.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(ExtractError::new(
            Code::Unsupported,
            format!("{file_name} is {what}"),
        ));
    }
    Ok(None)
}

/// `%PDF-` may stand behind up to 1,024 bytes of junk; there it must come with objects, so that a
/// text that merely mentions it stays a text.
fn is_pdf(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    match find(head, b"%PDF-") {
        None => false,
        Some(0) => true,
        Some(_) => find(bytes, b" obj").is_some(),
    }
}

/// OLE compound files: an encrypted OOXML package, an old Word file, or something else.
fn ole(bytes: &[u8], file_name: &str) -> ExtractError {
    let utf16 = |name: &str| -> Vec<u8> { name.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    if find(bytes, &utf16("EncryptedPackage")).is_some() {
        return ExtractError::new(
            Code::Encrypted,
            format!("{file_name} is an Office file locked with a password"),
        );
    }
    if find(bytes, &utf16("WordDocument")).is_some() || file_name.to_ascii_lowercase().ends_with(".doc") {
        return ExtractError::new(Code::LegacyDoc, format!("{file_name} is a Word 97-2003 document"));
    }
    if file_name.to_ascii_lowercase().ends_with(".docx") {
        let message = format!("{file_name} is an old or encrypted Office file, not a DOCX package");
        return ExtractError::new(Code::Encrypted, message);
    }
    ExtractError::new(Code::Unsupported, format!("{file_name} is an old Office file"))
}

fn refuse_markup(text: &str, file_name: &str) -> Result<(), ExtractError> {
    let mut end = text.len().min(512);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = text[..end].trim_start().to_ascii_lowercase();
    let what = if head.starts_with("<!doctype html") || head.starts_with("<html") {
        "a web page (HTML)"
    } else if head.starts_with("<?xml") {
        "an XML file"
    } else {
        return Ok(());
    };
    Err(ExtractError::new(
        Code::Unsupported,
        format!("{file_name} is {what}"),
    ))
}

/// First position of `needle`; both detection needles are short, so the plain search will do.
pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
