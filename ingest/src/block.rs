//! The block model: what every extractor produces and everything after it reads.
//!
//! A block owns no text. It is a range of the canonical text, so that text exists once and a
//! citation can never drift from what is stored.

use serde::{Deserialize, Serialize};

use crate::catalogue::Code;

/// The kind of file the content turned out to be, whatever its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Portable Document Format.
    Pdf,
    /// Office Open XML text document.
    Docx,
    /// Plain text in any supported encoding.
    Text,
    /// Plain text with Markdown structure.
    Markdown,
    /// Delimiter-separated values (comma, semicolon, tab or pipe).
    Csv,
}

impl Format {
    /// The stable name used in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
        }
    }

    /// The media type to store and serve a file of this format with.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Text => "text/plain",
            Self::Markdown => "text/markdown",
            Self::Csv => "text/csv",
        }
    }
}

/// A half-open range of bytes of the canonical text, on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteRange {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl ByteRange {
    /// The range from `start` up to, but not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Number of bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// True when the range covers no byte.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// The part of `text` this range covers; empty when it does not fit `text`.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// What a block is to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BlockKind {
    /// A heading; level 1 is the highest.
    Heading {
        /// 1 to 9.
        level: u8,
    },
    /// Running text.
    Paragraph,
    /// One item of a list, its number or bullet included.
    ListItem {
        /// Nesting depth, 0 for the outermost list.
        depth: u8,
    },
    /// One row of a table, on one line.
    TableRow,
    /// Preformatted text whose line breaks matter.
    Code,
}

/// One unit of a document in reading order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Where it is in the canonical text.
    pub range: ByteRange,
    /// 1-based page, for formats that have pages.
    pub page: Option<u32>,
    /// 1-based data row of a CSV file, the header not counted.
    pub row: Option<u64>,
    /// The headings this block stands under, outermost first. For a heading: its ancestors.
    pub heading_path: Vec<String>,
}

/// What one page of a PDF yielded, so that a page without usable text is never silent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageReport {
    /// 1-based page number.
    pub page: u32,
    /// Characters read, white space not counted.
    pub chars: usize,
    /// Share of U+FFFD among them, glyphs whose letter the file does not tell included.
    pub replacement_share: f32,
    /// Share of private-use characters among them: glyphs without a meaning we can know.
    pub private_use_share: f32,
    /// True when the page has a picture, or letters drawn as shapes, and (almost) no other text.
    pub looks_scanned: bool,
    /// True when the text was recognised from a picture, now or before the file was uploaded.
    #[serde(default)]
    pub ocr: bool,
    /// True when the reading order had to be guessed.
    pub reading_order_doubt: bool,
    /// The page's part of the canonical text; empty at its position when nothing was read.
    pub range: ByteRange,
}

/// Something an admin should know although the file was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    /// Entry of the catalogue.
    pub code: Code,
    /// One sentence about this file.
    pub message: String,
    /// 1-based page the warning is about.
    pub page: Option<u32>,
    /// 1-based row the warning is about.
    pub row: Option<u64>,
}

impl Warning {
    /// A warning about the whole file.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            page: None,
            row: None,
        }
    }

    /// The same warning, about one page.
    #[must_use]
    pub fn on_page(mut self, page: u32) -> Self {
        self.page = Some(page);
        self
    }

    /// The same warning, about one row.
    #[must_use]
    pub fn on_row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }
}

/// Everything that was read from one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extraction {
    /// What the content is.
    pub format: Format,
    /// The document's own title, from its metadata or its first heading.
    pub title: Option<String>,
    /// ISO 639-1 code of the main language, when it could be told reliably.
    pub language: Option<String>,
    /// The canonical text; all ranges are byte ranges into it.
    pub text: String,
    /// Blocks in reading order, disjoint, with increasing ranges.
    pub blocks: Vec<Block>,
    /// One report per page of a PDF, else empty.
    pub pages: Vec<PageReport>,
    /// What an admin should know.
    pub warnings: Vec<Warning>,
    /// Data rows of a CSV file.
    pub rows: Option<u64>,
}
