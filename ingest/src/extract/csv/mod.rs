//! CSV: every data row becomes one line that names its columns.
//!
//! `Product: Chair | Price: 49 €` reads well in a citation and embeds well alone, so a row needs
//! no table around it. Two passes over the decoded text keep memory flat: the first learns the
//! shape (columns, preamble, an unclosed quote), the second writes the rows.

mod header;
mod shape;
pub(super) mod sniff;

use csv::{ReaderBuilder, StringRecord};

use crate::block::{BlockKind, Extraction, Format, Warning};
use crate::catalogue::Code;
use crate::clean;
use crate::extract::builder::{Builder, Origin};
use crate::extract::{Limits, Listener, Step};
use shape::Shape;
use sniff::Dialect;

/// Warnings about single rows after which only a total is kept.
const MAX_ROW_WARNINGS: u64 = 20;
/// Records between two reports of progress.
const ROWS_PER_STEP: usize = 1_000;

pub(super) fn extract(
    text: &str,
    file_name: &str,
    limits: &Limits,
    listener: &mut Listener<'_>,
) -> Extraction {
    // A cell with line breaks counts more than once: good enough for a progress bar.
    let total = text.bytes().filter(|byte| *byte == b'\n').count() as u64;
    let (dialect, body) = sniff::dialect(text);
    let shape = shape::survey(body, dialect);
    let mut writer = Writer {
        builder: Builder::new(limits.max_text_bytes),
        limits,
        names: Vec::new(),
        row: 0,
        ragged: 0,
        wide: 0,
        long_cells: 0,
    };
    if let Some(line) = shape.unclosed_quote_line {
        let message = format!("a quote opened near line {line} of {file_name} is never closed");
        writer
            .builder
            .warnings
            .push(Warning::new(Code::UnclosedQuote, message));
    }
    let mut reader = reader(body, shape.dialect);
    let mut record = StringRecord::new();
    let mut index = 0;
    // A read error cannot happen on text in memory with flexible rows; the file then ends there.
    while reader.read_record(&mut record).unwrap_or(false) {
        writer.record(&record, index, &shape, file_name);
        index += 1;
        if index % ROWS_PER_STEP == 0 {
            let done = writer.row;
            listener(Step::Progress {
                done,
                total: total.max(done),
            });
        }
        if writer.builder.is_full() {
            break;
        }
    }
    writer.finish(file_name)
}

fn reader(body: &str, dialect: Dialect) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(dialect.delimiter)
        .quote(dialect.quote.unwrap_or(b'"'))
        .quoting(dialect.quote.is_some())
        .from_reader(body.as_bytes())
}

struct Writer<'a> {
    builder: Builder,
    limits: &'a Limits,
    names: Vec<String>,
    row: u64,
    ragged: u64,
    wide: u64,
    long_cells: u64,
}

impl Writer<'_> {
    fn record(&mut self, record: &StringRecord, index: usize, shape: &Shape, file_name: &str) {
        if index < shape.preamble {
            let text = record
                .iter()
                .map(clean::one_line)
                .filter(|cell| !cell.is_empty())
                .collect::<Vec<_>>();
            self.builder.push(
                BlockKind::Paragraph,
                text.join(" ").trim_start_matches('#').trim(),
                Origin::default(),
            );
            return;
        }
        if index == shape.preamble {
            self.names = header::names(record, shape, self.limits.max_columns);
            if shape.has_header {
                return;
            }
            let message = format!("the first row of {file_name} does not look like column names");
            self.builder
                .warnings
                .push(Warning::new(Code::HeaderGuessed, message));
        }
        if record.iter().all(|cell| cell.trim().is_empty()) {
            return;
        }
        self.row += 1;
        self.data_row(record, shape);
    }

    fn data_row(&mut self, record: &StringRecord, shape: &Shape) {
        if record.len() != shape.columns {
            self.ragged += 1;
            if self.ragged <= MAX_ROW_WARNINGS {
                let message = format!(
                    "row {} has {} cells, the header has {}",
                    self.row,
                    record.len(),
                    shape.columns
                );
                self.builder
                    .warnings
                    .push(Warning::new(Code::RaggedRow, message).on_row(self.row));
            }
        }
        let mut line = String::new();
        for (column, raw) in record.iter().enumerate() {
            if column >= self.limits.max_columns {
                self.wide += 1;
                break;
            }
            let cell = self.cell(raw, shape);
            if cell.is_empty() {
                continue;
            }
            if !line.is_empty() {
                line.push_str(" | ");
            }
            match self.names.get(column) {
                Some(name) => line.push_str(name),
                None => line.push_str(&header::numbered(column)),
            }
            line.push_str(": ");
            line.push_str(&cell);
        }
        let origin = Origin {
            page: None,
            row: Some(self.row),
            group: Some(1),
        };
        self.builder.push(BlockKind::TableRow, &line, origin);
    }

    fn cell(&mut self, raw: &str, shape: &Shape) -> String {
        let mut raw = raw.trim();
        if shape.unclosed_quote_line.is_some() {
            raw = raw.trim_matches('"');
        }
        if raw.len() > self.limits.max_cell_bytes {
            self.long_cells += 1;
            let mut end = self.limits.max_cell_bytes;
            while !raw.is_char_boundary(end) {
                end -= 1;
            }
            raw = &raw[..end];
            if self.long_cells <= MAX_ROW_WARNINGS {
                let message = format!(
                    "a cell of row {} is longer than {} bytes",
                    self.row, self.limits.max_cell_bytes
                );
                self.builder
                    .warnings
                    .push(Warning::new(Code::CellTruncated, message).on_row(self.row));
            }
        }
        clean::one_line(raw)
    }

    fn finish(mut self, file_name: &str) -> Extraction {
        if self.ragged > MAX_ROW_WARNINGS {
            let message = format!(
                "{} rows of {file_name} have a different number of cells than the header",
                self.ragged
            );
            self.builder.warnings.push(Warning::new(Code::RaggedRow, message));
        }
        if self.wide > 0 {
            let message = format!(
                "{} rows of {file_name} have more than {} columns",
                self.wide, self.limits.max_columns
            );
            self.builder
                .warnings
                .push(Warning::new(Code::TooManyColumns, message));
        }
        self.builder.rows = Some(self.row);
        self.builder.finish(Format::Csv)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Extraction {
        extract(text, "a.csv", &Limits::default(), &mut |_| {})
    }

    fn codes(extraction: &Extraction) -> Vec<Code> {
        extraction.warnings.iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn rows_name_their_columns_and_count_without_the_header() {
        let extraction =
            run("Product,Price,Note\nChair,49 €,\n\"Table, oak\",199 €,\"two\nlines\"\n\nLamp,19 €,x\n");
        assert_eq!(
            extraction.text,
            "Product: Chair | Price: 49 €\nProduct: Table, oak | Price: 199 € | Note: two lines\nProduct: Lamp | Price: 19 € | Note: x"
        );
        assert_eq!(
            extraction.blocks.iter().map(|b| b.row).collect::<Vec<_>>(),
            [Some(1), Some(2), Some(3)]
        );
        assert_eq!((extraction.rows, codes(&extraction)), (Some(3), vec![]));
    }

    #[test]
    fn semicolons_tabs_pipes_sep_line_and_lone_carriage_returns() {
        for source in [
            "a;b\nx1;y1\nx2;y2\n",
            "a\tb\nx1\ty1\nx2\ty2\n",
            "a|b\nx1|y1\nx2|y2\n",
            "sep=;\na;b\nx1;y1\nx2;y2\n",
            "a,b\rx1,y1\rx2,y2\r",
        ] {
            assert_eq!(run(source).text, "a: x1 | b: y1\na: x2 | b: y2", "{source:?}");
        }
    }

    #[test]
    fn ragged_rows_are_kept_and_reported_by_number() {
        let extraction = run("a,b\nx1,y1\nx2\nx3,y3,z3\nx4,y4\n");
        assert_eq!(
            extraction.text,
            "a: x1 | b: y1\na: x2\na: x3 | b: y3 | Column 3: z3\na: x4 | b: y4"
        );
        let rows: Vec<_> = extraction.warnings.iter().map(|w| (w.code, w.row)).collect();
        assert_eq!(rows, [(Code::RaggedRow, Some(2)), (Code::RaggedRow, Some(3))]);
    }

    #[test]
    fn an_unclosed_quote_loses_no_row() {
        let mut source = String::from("name,size,price\n");
        for i in 0..200 {
            let name = if i == 20 {
                "\"broken".to_owned()
            } else {
                format!("item {i}")
            };
            source.extend([name, format!(",{i} cm,{i}.50\n")]);
        }
        let extraction = run(&source);
        assert_eq!(extraction.rows, Some(200));
        assert!(codes(&extraction).contains(&Code::UnclosedQuote));
        assert!(extraction.text.contains("name: broken | size: 20 cm"));
    }

    #[test]
    fn a_preamble_is_text_and_a_missing_header_is_numbered() {
        let extraction = run("Price list 2026\nvalid from May\n\nItem,Price\nA,1\nB,2\nC,3\n");
        assert!(
            extraction
                .text
                .starts_with("Price list 2026\n\nvalid from May\n\nItem: A | Price: 1\n"),
            "{}",
            extraction.text
        );
        let extraction = run("1,2.5,2026-01-01\n2,3.5,2026-01-02\n3,4.5,2026-01-03\n");
        assert!(extraction.text.starts_with("Column 1: 1 | Column 2: 2.5"));
        assert_eq!(
            (extraction.rows, codes(&extraction)),
            (Some(3), vec![Code::HeaderGuessed])
        );
    }
}
