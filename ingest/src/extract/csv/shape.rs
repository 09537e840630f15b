//! The first look at a CSV text: how many columns, where the table starts, what names them.

use std::collections::HashMap;

use csv::StringRecord;

use crate::extract::csv::sniff::Dialect;
use crate::extract::csv::{header, reader};

/// Records the shape is judged by.
const SAMPLE: usize = 1_000;
/// Leading records that may stand before the table.
const MAX_PREAMBLE: usize = 20;

/// What is needed to read the rows.
pub(super) struct Shape {
    pub(super) columns: usize,
    /// Records before the header.
    pub(super) preamble: usize,
    /// Names of the columns; empty when no row names them.
    pub(super) names: Vec<String>,
    /// Records that name the columns: titles, and a row of units.
    pub(super) header: usize,
}

pub(super) fn survey(body: &str, dialect: Dialect, max_columns: usize) -> Shape {
    let records: Vec<StringRecord> = reader(body, dialect)
        .records()
        .take(SAMPLE)
        .filter_map(Result::ok)
        .collect();
    let columns = most_common(records.iter().map(StringRecord::len));
    let preamble = preamble(&records, columns);
    let found = header::find(&records[preamble..], columns, max_columns);
    Shape {
        columns: columns.max(found.columns),
        preamble,
        names: found.names,
        header: found.rows,
    }
}

pub(super) fn filled(record: &StringRecord) -> usize {
    record.iter().filter(|cell| !cell.trim().is_empty()).count()
}

/// Leading records with hardly a filled cell, before the first full one, are a title, a date or
/// comments.
fn preamble(records: &[StringRecord], columns: usize) -> usize {
    if columns < 2 {
        let is_comment = |record: &&StringRecord| record.get(0).is_some_and(|cell| cell.starts_with('#'));
        return records.iter().take(MAX_PREAMBLE).take_while(is_comment).count();
    }
    let is_note = |record: &&StringRecord| {
        filled(record) <= 1
            || (columns >= 5
                && filled(record) * 5 <= columns * 2
                && record.get(0).is_some_and(|cell| !cell.trim().is_empty()))
            || record
                .get(0)
                .is_some_and(|cell| cell.starts_with('#') && record.len() != columns)
    };
    let notes = records.iter().take(MAX_PREAMBLE).take_while(is_note).count();
    if notes < records.len() { notes } else { 0 }
}

/// The most frequent number; of equally frequent ones the largest.
pub(super) fn most_common(counts: impl Iterator<Item = usize>) -> usize {
    let mut tally: HashMap<usize, usize> = HashMap::new();
    for count in counts {
        *tally.entry(count).or_default() += 1;
    }
    let most = tally.into_iter().max_by_key(|(value, times)| (*times, *value));
    most.map_or(0, |(value, _)| value)
}
