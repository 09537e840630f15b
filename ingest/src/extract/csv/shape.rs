//! The first pass over a CSV text: how many columns, where the table starts, whether a quote was
//! never closed.
//!
//! The parser answers an unclosed quote with one huge cell and no error. What gives it away is
//! that the cell holds lines which have as many delimiters as every other line.

use csv::StringRecord;

use crate::extract::csv::sniff::Dialect;
use crate::extract::csv::{header, reader};

/// Records the shape is judged by.
const SAMPLE: usize = 1_000;
/// Leading records that may stand before the table.
const MAX_PREAMBLE: usize = 20;

/// What the second pass needs to know.
pub(super) struct Shape {
    pub(super) dialect: Dialect,
    pub(super) columns: usize,
    /// Records before the header.
    pub(super) preamble: usize,
    pub(super) has_header: bool,
    pub(super) unclosed_quote_line: Option<u64>,
}

pub(super) fn survey(body: &str, mut dialect: Dialect) -> Shape {
    let unclosed_quote_line = swallowed_rows(body, dialect);
    if unclosed_quote_line.is_some() {
        dialect.quote = None;
    }
    let mut records: Vec<StringRecord> = reader(body, dialect)
        .records()
        .take(SAMPLE)
        .filter_map(Result::ok)
        .collect();
    let columns = most_common(records.iter().map(StringRecord::len));
    let preamble = preamble(&records, columns);
    let mut rest = records.split_off(preamble);
    let following = if rest.is_empty() {
        Vec::new()
    } else {
        rest.split_off(1)
    };
    let has_header = rest
        .first()
        .is_some_and(|first| header::looks_like_header(first, &following));
    Shape {
        dialect,
        columns,
        preamble,
        has_header,
        unclosed_quote_line,
    }
}

/// Leading records with one filled cell, before the first full one, are a title or comments.
fn preamble(records: &[StringRecord], columns: usize) -> usize {
    if columns < 2 {
        return 0;
    }
    let filled = |record: &StringRecord| record.iter().filter(|cell| !cell.trim().is_empty()).count();
    let is_note = |record: &&StringRecord| {
        filled(record) <= 1
            || record
                .get(0)
                .is_some_and(|cell| cell.starts_with('#') && record.len() != columns)
    };
    let notes = records.iter().take(MAX_PREAMBLE).take_while(is_note).count();
    if notes < records.len() { notes } else { 0 }
}

pub(super) fn most_common(counts: impl Iterator<Item = usize>) -> usize {
    let mut tally: Vec<(usize, usize)> = Vec::new();
    for count in counts {
        match tally.iter_mut().find(|(value, _)| *value == count) {
            Some((_, times)) => *times += 1,
            None => tally.push((count, 1)),
        }
    }
    tally
        .into_iter()
        .max_by_key(|(value, times)| (*times, *value))
        .map_or(0, |(value, _)| value)
}

/// The line where a cell starts that swallowed rows, if there is one.
fn swallowed_rows(body: &str, dialect: Dialect) -> Option<u64> {
    let quote = dialect.quote?;
    let delimiter = char::from(dialect.delimiter);
    let delimiters = |line: &str| line.matches(delimiter).count();
    let usual = most_common(
        body.lines()
            .take(SAMPLE)
            .filter(|line| !line.is_empty())
            .map(delimiters),
    );
    let odd = body.bytes().filter(|byte| *byte == quote).count() % 2 == 1;
    if !odd && usual == 0 {
        return None;
    }
    let mut reader = reader(body, dialect);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).unwrap_or(false) {
        for cell in &record {
            if !cell.contains(['\n', '\r']) {
                continue;
            }
            let lines: Vec<&str> = cell.lines().filter(|line| !line.trim().is_empty()).collect();
            let like_rows = lines.iter().filter(|line| delimiters(line) == usual).count();
            // In the last row there is nothing left to swallow but the rest of the row itself.
            let its_own = |rest: &&str| {
                usual > 0 && cell.ends_with('\n') && record.len() - 1 + delimiters(rest) == usual
            };
            let swallowed = match lines[..] {
                [ref rest] => its_own(rest),
                _ => lines.len() >= 2 && like_rows * 10 >= (lines.len() - 1) * 8,
            };
            if swallowed && (odd || (usual > 0 && lines.len() > 50)) {
                return record.position().map(csv::Position::line);
            }
        }
    }
    None
}
