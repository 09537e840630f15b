//! From bytes to blocks.
//!
//! The content decides which extractor runs; a name that says something else is only a warning.
//! Each extractor writes through one builder, which alone knows the rules of the canonical text.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::block::{BlockKind, Extraction, Format, Warning};
use crate::catalogue::Code;
use crate::clean;

mod builder;
mod csv;
mod detect;
mod docx;
mod language;
mod library;
mod pattern;
mod pdf;
mod text;

pub use detect::{Detected, detect};
pub use library::find_libpdfium;
pub use pdf::installed_languages as ocr_languages;

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

/// What the caller wants of one file; [`Limits`] stays what protects the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// Formats that may be read; empty means all. Markdown is read as plain text where only
    /// [`Format::Text`] is allowed.
    pub formats: Vec<Format>,
    /// Recognise the text of scanned pages.
    pub ocr: Option<Ocr>,
}

/// How the text of scanned pages is recognised. Slow: seconds per page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ocr {
    /// The languages to expect, as tesseract names them: `eng`, `eng+spa`.
    pub languages: String,
    /// Most seconds for one page.
    pub page_seconds: u32,
    /// Most pages of one file; scanned pages after them get a warning.
    pub max_pages: u32,
}

impl Default for Ocr {
    fn default() -> Self {
        Self {
            languages: "eng".to_owned(),
            page_seconds: 60,
            max_pages: 200,
        }
    }
}

impl Ocr {
    /// Most time for one page.
    pub fn page_time(&self) -> Duration {
        Duration::from_secs(self.page_seconds.into())
    }
}

/// What is heard from an extractor while it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// So much was read: pages of a PDF, rows of a CSV file, blocks of other files.
    Progress {
        /// Units read so far.
        done: u64,
        /// Units in the file, an estimate for CSV; 0 when not known.
        total: u64,
    },
    /// A scanned page is next; it may take [`Ocr::page_seconds`].
    Recognising {
        /// 1-based page.
        page: u32,
    },
}

/// Where an extractor reports its steps to.
pub type Listener<'a> = dyn FnMut(Step) + 'a;

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
    extract_with(bytes, file_name, limits, &Wanted::default(), &mut |_| {})
}

/// Reads a file as the caller wants it, telling `listener` how far it got.
pub fn extract_with(
    bytes: &[u8],
    file_name: &str,
    limits: &Limits,
    wanted: &Wanted,
    listener: &mut Listener<'_>,
) -> Result<Extraction, ExtractError> {
    let file_name = &clean::file_name(file_name);
    if bytes.len() as u64 > limits.max_bytes {
        let message = format!(
            "{file_name} has {} bytes, the limit is {}",
            bytes.len(),
            limits.max_bytes
        );
        return Err(ExtractError::new(Code::TooLarge, message));
    }
    let detected = detect(bytes, file_name)?;
    let format = wanted.format(detected.format);
    // Only its extractor can tell a DOCX package from other archives, so that one is asked first.
    if format != Format::Docx {
        wanted.allow(format, file_name)?;
    }
    let text = detected.text.unwrap_or_default();
    let mut extraction = match format {
        Format::Pdf => pdf::extract(bytes, file_name, limits, wanted.ocr.as_ref(), listener)?,
        Format::Docx => docx::extract(bytes, file_name, limits)?,
        Format::Csv => csv::extract(&text, file_name, limits, listener),
        Format::Markdown => text::extract_markdown(&text, limits),
        Format::Text => text::extract_plain(&text, limits),
    };
    wanted.allow(format, file_name)?;
    extraction.warnings.splice(0..0, detected.warnings);
    if extraction.blocks.is_empty() {
        return Err(no_text(file_name, &extraction));
    }
    extraction.language = language::language(&extraction);
    if extraction.title.is_none() {
        extraction.title = first_heading(&extraction);
    }
    let units = match format {
        Format::Pdf => extraction.pages.len() as u64,
        _ => extraction.rows.unwrap_or(extraction.blocks.len() as u64),
    };
    listener(Step::Progress {
        done: units,
        total: units,
    });
    Ok(extraction)
}

impl Wanted {
    /// The format to read content of this format as.
    fn format(&self, found: Format) -> Format {
        let as_text = found == Format::Markdown
            && self.formats.contains(&Format::Text)
            && !self.formats.contains(&Format::Markdown);
        if as_text { Format::Text } else { found }
    }

    fn allow(&self, found: Format, file_name: &str) -> Result<(), ExtractError> {
        if self.formats.is_empty() || self.formats.contains(&found) {
            return Ok(());
        }
        let allowed: Vec<&str> = self.formats.iter().map(|format| format.as_str()).collect();
        let message = format!(
            "the content of {file_name} is {}; allowed here: {}",
            found.as_str(),
            allowed.join(", ")
        );
        Err(ExtractError::new(Code::FormatNotAllowed, message))
    }
}

fn no_text(file_name: &str, extraction: &Extraction) -> ExtractError {
    match extraction.format {
        Format::Pdf | Format::Docx => {}
        Format::Csv => {
            let message = format!("{file_name} has no row with content below its column names");
            return ExtractError::new(Code::EmptyFile, message);
        }
        Format::Text | Format::Markdown => {
            let message = format!("{file_name} holds only characters nobody can see");
            return ExtractError::new(Code::EmptyFile, message);
        }
    }
    let about_pages: Vec<&str> = extraction
        .warnings
        .iter()
        .filter(|warning| warning.code == Code::PageWithoutText)
        .map(|warning| warning.message.as_str())
        .collect();
    let message = match extraction.pages.len() {
        0 => format!("{file_name} holds no text"),
        1 => format!("{file_name} holds no text: {}", about_pages.join("; ")),
        pages => format!(
            "none of the {pages} pages of {file_name} holds text: {}",
            about_pages.join("; ")
        ),
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
    Some(clean::shortened(heading.range.of(&extraction.text)))
}

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
