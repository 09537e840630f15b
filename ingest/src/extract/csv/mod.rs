//! CSV: every data row becomes one line that names its columns.
//!
//! `Product: Chair | Price: 49 €` reads well in a citation and embeds well alone, so a row needs
//! no table around it. Two passes over the decoded text keep memory flat: the first learns the
//! dialect and the shape (columns, preamble, header), the second writes the rows. Between them
//! stray quotes are repaired.

mod header;
mod repair;
mod rows;
mod shape;
pub(super) mod sniff;
mod words;

use csv::{ReaderBuilder, StringRecord};

use crate::block::Extraction;
use crate::extract::{Limits, Listener, Step};
use rows::Writer;
use sniff::Dialect;

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
    let columns = repair::usual_columns(sniff::sample(body), dialect);
    let repaired = repair::repair(body, dialect, columns);
    let shape = shape::survey(&repaired.text, dialect, limits.max_columns);
    let mut writer = Writer::new(shape, repaired.stray, file_name, limits);
    let mut reader = reader(&repaired.text, dialect);
    let mut record = StringRecord::new();
    let mut index = 0;
    // A read error cannot happen on text in memory with flexible rows; the file then ends there.
    while reader.read_record(&mut record).unwrap_or(false) {
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        writer.record(&record, index, end);
        index += 1;
        if index % ROWS_PER_STEP == 0 {
            let done = writer.rows();
            listener(Step::Progress {
                done,
                total: total.max(done),
            });
        }
        if writer.is_full() {
            break;
        }
    }
    writer.finish()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Code;

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
