//! The second look: every data row becomes one line that names its columns.

use std::collections::VecDeque;

use csv::StringRecord;

use crate::block::{BlockKind, Extraction, Format, Warning};
use crate::catalogue::Code;
use crate::clean;
use crate::extract::Limits;
use crate::extract::builder::{Builder, Origin};
use crate::extract::csv::header;
use crate::extract::csv::shape::{Shape, filled};
use crate::extract::csv::words::has_words;

/// Warnings about single rows after which only a total is kept.
const MAX_ROW_WARNINGS: u64 = 20;
/// Tables with fewer rows are small enough to be searched like any other.
const MIN_NUMERIC_ROWS: u64 = 60;

/// Kinds of trouble that are counted and reported row by row.
#[derive(Default)]
struct Tally {
    ragged: u64,
    stray: u64,
    long_cells: u64,
    wide: u64,
}

pub(super) struct Writer<'a> {
    builder: Builder,
    limits: &'a Limits,
    file_name: &'a str,
    shape: Shape,
    /// Where the lines with a stray quote begin.
    stray: VecDeque<usize>,
    row: u64,
    /// Rows with a word, and rows with a digit.
    worded: u64,
    numeric: u64,
    tally: Tally,
}

impl<'a> Writer<'a> {
    pub(super) fn new(shape: Shape, stray: Vec<usize>, file_name: &'a str, limits: &'a Limits) -> Self {
        let mut builder = Builder::new(limits.max_text_bytes);
        if shape.header == 0 {
            let message = format!("the first row of {file_name} does not look like column names");
            builder.warnings.push(Warning::new(Code::HeaderGuessed, message));
        }
        Self {
            builder,
            limits,
            file_name,
            shape,
            stray: stray.into(),
            row: 0,
            worded: 0,
            numeric: 0,
            tally: Tally::default(),
        }
    }

    /// Data rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.row
    }

    pub(super) fn is_full(&self) -> bool {
        self.builder.is_full()
    }

    /// Takes record number `index`, which ends at byte `end` of the text.
    pub(super) fn record(&mut self, record: &StringRecord, index: usize, end: usize) {
        let mut has_stray = false;
        while self.stray.front().is_some_and(|start| *start < end) {
            self.stray.pop_front();
            has_stray = true;
        }
        if has_stray && index < self.shape.preamble + self.shape.header {
            let message = format!(
                "a quote opened above the rows of {} is never closed",
                self.file_name
            );
            self.builder
                .warnings
                .push(Warning::new(Code::UnclosedQuote, message));
        }
        if index < self.shape.preamble {
            let cells = record.iter().map(clean::one_line);
            let text: Vec<String> = cells.filter(|cell| !cell.is_empty()).collect();
            let line = text.join(" ");
            let line = line.trim_start_matches('#').trim();
            self.builder.push(BlockKind::Paragraph, line, Origin::default());
            return;
        }
        if index < self.shape.preamble + self.shape.header || filled(record) == 0 {
            return;
        }
        self.row += 1;
        if has_stray {
            self.tally.stray += 1;
            let message = format!("row {} opens a quote that is never closed", self.row);
            self.warn(Code::UnclosedQuote, self.tally.stray, message);
        }
        self.data_row(record);
    }

    fn warn(&mut self, code: Code, times: u64, message: String) {
        if times <= MAX_ROW_WARNINGS {
            let warning = Warning::new(code, message).on_row(self.row);
            self.builder.warnings.push(warning);
        }
    }

    fn data_row(&mut self, record: &StringRecord) {
        let columns = self.shape.columns;
        let surplus = record.iter().skip(columns).any(|cell| !cell.trim().is_empty());
        if record.len() < columns || surplus {
            self.tally.ragged += 1;
            let message = format!(
                "row {} has {} cells, the header has {columns}",
                self.row,
                record.len()
            );
            self.warn(Code::RaggedRow, self.tally.ragged, message);
        }
        if record.len() > self.limits.max_columns {
            self.tally.wide += 1;
        }
        self.worded += u64::from(has_words(record));
        self.numeric += u64::from(
            record
                .iter()
                .any(|cell| cell.bytes().any(|byte| byte.is_ascii_digit())),
        );
        let origin = Origin {
            page: None,
            row: Some(self.row),
            group: Some(1),
        };
        let line = self.line(record);
        self.builder.push(BlockKind::TableRow, &line, origin);
    }

    fn line(&mut self, record: &StringRecord) -> String {
        // A remark or the name of a section, alone in its row, is no value of the first column.
        let alone = self.shape.columns >= 3 && filled(record) == 1;
        let remark = record
            .get(0)
            .filter(|cell| alone && cell.chars().any(char::is_alphabetic));
        if let Some(remark) = remark {
            return self.cell(remark);
        }
        let mut line = String::new();
        for (column, raw) in record.iter().enumerate().take(self.limits.max_columns) {
            let cell = self.cell(raw);
            if cell.is_empty() {
                continue;
            }
            if !line.is_empty() {
                line.push_str(" | ");
            }
            match self.shape.names.get(column) {
                Some(name) => line.push_str(name.trim_end_matches(':')),
                None => line.push_str(&header::numbered(column)),
            }
            line.push_str(": ");
            line.push_str(&cell);
        }
        line
    }

    fn cell(&mut self, raw: &str) -> String {
        let mut raw = raw.trim();
        if raw.len() > self.limits.max_cell_bytes {
            self.tally.long_cells += 1;
            raw = &raw[..raw.floor_char_boundary(self.limits.max_cell_bytes)];
            let message = format!(
                "a cell of row {} is longer than {} bytes",
                self.row, self.limits.max_cell_bytes
            );
            self.warn(Code::CellTruncated, self.tally.long_cells, message);
        }
        clean::one_line(raw)
    }

    pub(super) fn finish(mut self) -> Extraction {
        let totals = [
            (
                Code::RaggedRow,
                self.tally.ragged,
                "have a different number of cells than the header",
            ),
            (
                Code::UnclosedQuote,
                self.tally.stray,
                "open a quote that is never closed",
            ),
            (
                Code::CellTruncated,
                self.tally.long_cells,
                "have cells that are too long",
            ),
        ];
        for (code, times, what) in totals {
            if times > MAX_ROW_WARNINGS {
                let message = format!("{times} rows of {} {what}", self.file_name);
                self.builder.warnings.push(Warning::new(code, message));
            }
        }
        if self.tally.wide > 0 {
            let message = format!(
                "{} rows of {} have more than {} columns",
                self.tally.wide, self.file_name, self.limits.max_columns
            );
            self.builder
                .warnings
                .push(Warning::new(Code::TooManyColumns, message));
        }
        let is_numeric = self.numeric * 10 >= self.row * 8 && self.worded * 10 <= self.row;
        if self.row >= MIN_NUMERIC_ROWS && is_numeric {
            let message = format!(
                "the {} rows of {} hold numbers, dates and codes but hardly a word",
                self.row, self.file_name
            );
            self.builder
                .warnings
                .push(Warning::new(Code::NumericTable, message));
        }
        self.builder.rows = Some(self.row);
        self.builder.finish(Format::Csv)
    }
}
