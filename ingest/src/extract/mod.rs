//! From bytes to blocks.
//!
//! The content decides which extractor runs; a name that says something else is only a warning.
//! Each extractor writes through one builder, which alone knows the rules of the canonical text.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::block::{BlockKind, Extraction, Format, Warning};
use crate::catalogue::Code;

mod builder;
mod csv;
mod detect;
mod docx;
mod library;
mod pdf;
mod text;

pub use detect::{Detected, detect};
pub use library::find_libpdfium;

/// How much an extractor may read and write. The defaults suit a support knowledge base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Largest file.
    pub max_bytes: u64,
    /// Largest canonical text; reading stops there with a warning.
    pub max_text_bytes: usize,
    /// Most pages of a PDF.
    pub max_pages: u32,
    /// Most entries of a zip archive.
    pub max_zip_entries: usize,
    /// Largest inflated part of a zip archive.
    pub max_part_bytes: u64,
    /// Deepest nesting of XML elements.
    pub max_xml_depth: usize,
    /// Most columns of a CSV file.
    pub max_columns: usize,
    /// Largest cell of a CSV file.
    pub max_cell_bytes: usize,
    /// Where libpdfium is; found by [`find_libpdfium`] when not given.
    pub libpdfium: Option<PathBuf>,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            max_bytes: 100 * MIB as u64,
            max_text_bytes: 64 * MIB,
            max_pages: 5_000,
            max_zip_entries: 10_000,
            max_part_bytes: 64 * MIB as u64,
            max_xml_depth: 256,
            max_columns: 1_000,
            max_cell_bytes: 64 * 1024,
            libpdfium: None,
        }
    }
}

/// Why nothing of a file can be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ExtractError {
    /// Entry of the catalogue.
    pub code: Code,
    /// One sentence about this file, page or row.
    pub message: String,
    /// What the person who uploaded it can do.
    pub suggestion: &'static str,
}

impl ExtractError {
    /// An error with the catalogue's suggestion.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            suggestion: code.entry().to_do,
        }
    }
}

/// Reads a file of any supported format.
pub fn extract(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<Extraction, ExtractError> {
    if bytes.len() as u64 > limits.max_bytes {
        let message = format!(
            "{file_name} has {} bytes, the limit is {}",
            bytes.len(),
            limits.max_bytes
        );
        return Err(ExtractError::new(Code::TooLarge, message));
    }
    let detected = detect(bytes, file_name)?;
    let text = detected.text.unwrap_or_default();
    let mut extraction = match detected.format {
        Format::Pdf => pdf::extract(bytes, file_name, limits)?,
        Format::Docx => docx::extract(bytes, file_name, limits)?,
        Format::Csv => csv::extract(&text, file_name, limits),
        Format::Markdown => text::extract_markdown(&text, limits),
        Format::Text => text::extract_plain(&text, limits),
    };
    extraction.warnings.splice(0..0, detected.warnings);
    if extraction.blocks.is_empty() {
        return Err(no_text(file_name, &extraction));
    }
    extraction.language = language(&extraction);
    if extraction.title.is_none() {
        extraction.title = first_heading(&extraction);
    }
    Ok(extraction)
}

fn no_text(file_name: &str, extraction: &Extraction) -> ExtractError {
    let scanned = extraction.pages.iter().filter(|page| page.looks_scanned).count();
    let message = match (extraction.pages.len(), scanned) {
        (0, _) => format!("{file_name} holds no text"),
        (pages, 0) => format!("none of the {pages} pages of {file_name} holds text"),
        (pages, scanned) => {
            format!("none of the {pages} pages of {file_name} holds text; {scanned} look scanned")
        }
    };
    ExtractError::new(Code::NoText, message)
}

/// A heading is a title only where a title stands: plain text begins with it, other documents
/// may have a line or two before it.
fn first_heading(extraction: &Extraction) -> Option<String> {
    let lead = if extraction.format == Format::Text { 1 } else { 4 };
    let first = extraction.blocks.iter().take(lead);
    let heading = first
        .into_iter()
        .find(|block| matches!(block.kind, BlockKind::Heading { .. }))?;
    Some(heading.range.of(&extraction.text).to_owned())
}

/// The main language, when a sample of the text tells it reliably. Of a table only cells that
/// are sentences count: column names and codes are no language.
fn language(extraction: &Extraction) -> Option<String> {
    const SAMPLE_BYTES: usize = 20_000;
    const MIN_CELL_WORDS: usize = 5;
    const MIN_BYTES: usize = 60;
    let mut sample = String::new();
    for block in &extraction.blocks {
        let text = block.range.of(&extraction.text);
        if block.kind == BlockKind::TableRow {
            let values = text
                .split(" | ")
                .map(|cell| cell.split_once(": ").map_or(cell, |(_, value)| value));
            for value in values.filter(|value| value.split(' ').count() >= MIN_CELL_WORDS) {
                sample.push_str(value);
                sample.push('\n');
            }
        } else {
            sample.push_str(text);
            sample.push('\n');
        }
        if sample.len() > SAMPLE_BYTES {
            break;
        }
    }
    if extraction.format == Format::Csv && sample.len() < MIN_BYTES {
        return None;
    }
    sample.truncate(sample.floor_char_boundary(SAMPLE_BYTES));
    let info = whatlang::detect(&sample)?;
    info.is_reliable().then(|| iso_639_1(info.lang()).to_owned())
}

/// whatlang speaks ISO 639-3; the rest of the product speaks 639-1.
fn iso_639_1(lang: whatlang::Lang) -> &'static str {
    let code = lang.code();
    ISO_639
        .iter()
        .find(|(three, _)| *three == code)
        .map_or(code, |(_, two)| two)
}

const ISO_639: &[(&str, &str)] = &[
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];

/// A warning when the extension promises another format than the content is.
fn name_mismatch(file_name: &str, format: Format) -> Option<Warning> {
    let (_, extension) = file_name.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    let promised: &[Format] = match extension.as_str() {
        "pdf" => &[Format::Pdf],
        "docx" | "docm" | "dotx" => &[Format::Docx],
        "csv" | "tsv" | "tab" => &[Format::Csv],
        "md" | "markdown" | "txt" | "text" | "log" => &[Format::Text, Format::Markdown],
        "doc" | "xls" | "xlsx" | "pptx" | "rtf" | "html" | "htm" | "json" | "xml" | "jpg" | "png" => &[],
        _ => return None,
    };
    if promised.contains(&format) {
        return None;
    }
    let message = format!(
        "the name {file_name} says .{extension}, the content is {}",
        format.as_str()
    );
    Some(Warning::new(Code::NameMismatch, message))
}
