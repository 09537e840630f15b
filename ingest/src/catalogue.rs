//! The catalogue of everything that can be wrong with an upload.
//!
//! Codes are stable: they are stored with a document version, shown by the API and linked from
//! the documentation. Text may be improved at any time, a code may never change its meaning.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether an entry stops a file from being searchable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing of the file can be used.
    Error,
    /// The file is searchable; something about it deserves a look.
    Warning,
}

/// One entry of the catalogue, for documentation.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Entry {
    /// The stable code.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// A few words.
    pub title: &'static str,
    /// What happened, in the words of a person who uploads files.
    pub happened: &'static str,
    /// What that person can do about it.
    pub to_do: &'static str,
}

macro_rules! catalogue {
    ($($variant:ident, $code:literal, $severity:ident, $title:literal, $happened:literal, $to_do:literal;)*) => {
        /// A stable code; its serialised form is the string.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(
                #[doc = $happened]
                #[serde(rename = $code)]
                $variant,
            )*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The entry this code stands for.
            pub fn entry(self) -> Entry {
                match self {
                    $(Self::$variant => Entry {
                        code: self,
                        severity: Severity::$severity,
                        title: $title,
                        happened: $happened,
                        to_do: $to_do,
                    },)*
                }
            }

            /// The stable string.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }
        }
    };
}

catalogue! {
    EmptyFile, "empty_file", Error, "Empty file",
        "The file has no content.",
        "Check that the upload finished and that the right file was chosen.";
    TooLarge, "too_large", Error, "Too large",
        "The file, or the text in it, is larger than the limit.",
        "Split the file, or raise the upload limit in the settings.";
    BinaryFile, "binary_file", Error, "Not a text file",
        "The content is binary data, not text and not a known document format.",
        "Upload a PDF, DOCX, TXT, Markdown or CSV file.";
    Unsupported, "unsupported", Error, "Unsupported format",
        "The content is a format that is recognised but not read, such as a spreadsheet, a slide deck, a picture or HTML.",
        "Export it as PDF, DOCX, TXT or CSV and upload that.";
    FormatNotAllowed, "format_not_allowed", Error, "Format not allowed here",
        "The content is a format that can be read, but not one of those this upload allows.",
        "Upload a file of an allowed format, or allow this format in the settings.";
    Encrypted, "encrypted", Error, "Password protected",
        "The file is locked with a password.",
        "Save a copy without a password and upload the copy.";
    LegacyDoc, "legacy_doc", Error, "Old Word format",
        "The file is in the binary Word format used before 2007 (.doc).",
        "Open it in Word or LibreOffice, save it as .docx and upload that.";
    DamagedPdf, "damaged_pdf", Error, "Damaged PDF",
        "The PDF is cut off or its structure is damaged, so no page can be opened.",
        "Open it in a viewer, save or print it as a new PDF and upload that.";
    DamagedDocx, "damaged_docx", Error, "Damaged DOCX",
        "The DOCX archive or the XML in it is cut off or damaged.",
        "Open it in Word or LibreOffice, save it again and upload that.";
    NoText, "no_text", Error, "No text",
        "The file can be opened but holds no text; it is probably scanned, or its letters are drawn as shapes.",
        "Run text recognition (OCR) on it, or export it again from the program it was written in.";
    GarbledFile, "garbled_file", Error, "Letters without meaning",
        "Most characters of the file have no known meaning, because it does not say which letters its glyphs are.",
        "Export the file again with embedded, standard fonts, or switch on text recognition (OCR) and upload it again.";
    ZipBomb, "zip_bomb", Error, "Suspicious archive",
        "A part of the archive inflates beyond the limit, or the archive has too many entries.",
        "Save the document again from Word or LibreOffice; if it still fails, do not trust the file.";
    XmlTooDeep, "xml_too_deep", Error, "XML nested too deeply",
        "The XML in the document is nested deeper than any real document.",
        "Save the document again from Word or LibreOffice; if it still fails, do not trust the file.";
    DoctypeRefused, "doctype_refused", Error, "DOCTYPE refused",
        "The XML in the document declares a document type, which no word processor writes and attacks rely on.",
        "Save the document again from Word or LibreOffice; if it still fails, do not trust the file.";
    Timeout, "timeout", Error, "Took too long",
        "Reading the file took longer than the time limit and was stopped.",
        "Split the file or export it again; a very complex or damaged file can cause this.";
    MemoryLimit, "memory_limit", Error, "Needs too much memory",
        "Reading the file needed more memory than the limit and was stopped.",
        "Split the file or export it again; a very complex or damaged file can cause this.";
    WorkerDied, "worker_died", Error, "Reader stopped",
        "The process that reads files ended before it had an answer.",
        "Export the file again and retry; if it keeps failing, report it with the reason shown.";
    BuildFailed, "build_failed", Error, "Could not be built",
        "Building the version failed at every attempt, although the file itself may be fine.",
        "Retry it; if it keeps failing, look at the server's log and `plumbline doctor`.";
    Cancelled, "cancelled", Error, "Cancelled",
        "The building of this version was cancelled.",
        "Retry it when you want it after all.";
    PdfiumMissing, "pdfium_missing", Error, "PDF library missing",
        "The PDF library (libpdfium) is not installed where the service looks for it.",
        "Run the provisioning script of the runtime folder, or set PDFIUM_LIB to the library's path.";
    Unreadable, "unreadable", Error, "File cannot be opened",
        "The stored file could not be opened by the service.",
        "Upload it again; if it keeps failing, check the blob store.";

    NameMismatch, "name_mismatch", Warning, "Name and content differ",
        "The file name's extension does not say what the content is; the content decided.",
        "Rename the file if the name confuses you; nothing else is needed.";
    Repaired, "repaired", Warning, "Damaged file repaired",
        "The PDF is damaged or cut off; the pages that could be found in it were read, others may be missing.",
        "Check that the last pages are there; save or print the file as a new PDF if not.";
    PageWithoutText, "page_without_text", Warning, "Page without text",
        "A page has no text that can be read; it may be empty, scanned or drawn as shapes.",
        "Look at the page; if it matters, switch on text recognition (OCR) in the settings and process the file again.";
    PageUnreadable, "page_unreadable", Warning, "Page unreadable",
        "A page could not be opened while others could.",
        "Export the file again; the other pages are searchable.";
    GarbledText, "garbled_text", Warning, "Garbled text",
        "Many characters of a page have no known meaning, because the file does not say which letters its glyphs are.",
        "Export the file again with embedded, standard fonts, or run text recognition (OCR) on it.";
    ReadingOrder, "reading_order", Warning, "Reading order guessed",
        "The order in which a page's columns are read had to be guessed.",
        "Compare the page's text with the page; upload a single-column version if it is wrong.";
    TruncatedPages, "truncated_pages", Warning, "Too many pages",
        "The file has more pages than the limit; the pages after it were not read.",
        "Split the file.";
    TruncatedText, "truncated_text", Warning, "Too much text",
        "The file has more text than the limit; the rest was not read.",
        "Split the file.";
    RaggedRow, "ragged_row", Warning, "Row with a different number of cells",
        "Some rows have more or fewer cells than the header.",
        "Check the rows named; a delimiter inside a cell needs quotes around the cell.";
    UnclosedQuote, "unclosed_quote", Warning, "Unclosed quote",
        "A quotation mark is never closed, so it was read as an ordinary character.",
        "Close or double the quotation mark in the row named.";
    GuessedEncoding, "guessed_encoding", Warning, "Encoding guessed",
        "The file does not say how its letters are encoded; the most likely encoding was chosen.",
        "If letters with accents look wrong, save the file as UTF-8 and upload it again.";
    DecodingErrors, "decoding_errors", Warning, "Undecodable bytes",
        "Some bytes are not valid in the file's encoding and were replaced.",
        "Save the file as UTF-8 and upload it again.";
    RecognisedText, "recognised_text", Warning, "Text recognised from pictures",
        "The text of a scanned page was recognised from its picture (OCR); single letters and digits can be wrong.",
        "Compare prices, dates and names with the page.";
    DoubtfulRecognition, "doubtful_recognition", Warning, "Text poorly recognised",
        "The text of a scanned page was recognised from its picture (OCR), but much of it is a guess.",
        "Compare the text with the page; scan it again, straight and at 300 dpi, or check the languages in the settings.";
    HiddenText, "hidden_text", Warning, "Hidden text left out",
        "The file holds text that a reader cannot see; it was left out.",
        "Remove it or make it visible, depending on whether customers should get it.";
    HeaderGuessed, "header_guessed", Warning, "No header row",
        "The first row does not look like column names, so columns were numbered.",
        "Add a header row: column names make answers much better.";
    NumericTable, "numeric_table", Warning, "Table of numbers",
        "The rows hold numbers, dates and codes but hardly a word, so they are searched in large groups: exact values are found, and the column names, but not the meaning of single rows.",
        "Add a column with words, or a document that explains the table, if customers ask about it in their own words.";
    TooManyColumns, "too_many_columns", Warning, "Too many columns",
        "Rows have more cells than the limit; the cells after it were not read.",
        "Remove columns that customers never ask about.";
    CellTruncated, "cell_truncated", Warning, "Very long cell",
        "A cell is longer than the limit and was cut.",
        "Move long texts into a document of their own.";
    PartSkipped, "part_skipped", Warning, "Part skipped",
        "A secondary part of the document, such as its footnotes, is damaged and was left out.",
        "Save the document again from Word or LibreOffice and upload that.";
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The whole catalogue, for documentation and for the API.
pub fn all() -> impl Iterator<Item = Entry> {
    Code::ALL.iter().map(|code| code.entry())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_snake_case_and_serialise_to_themselves() {
        let mut seen = HashSet::new();
        for entry in all() {
            let code = entry.code.as_str();
            assert!(seen.insert(code), "{code} twice");
            assert!(code.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            assert_eq!(serde_json::to_string(&entry.code).unwrap(), format!("\"{code}\""));
            assert!(
                entry.happened.ends_with('.') && entry.to_do.ends_with('.'),
                "{code}"
            );
        }
    }
}
