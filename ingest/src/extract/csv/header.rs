//! Whether the first row names the columns, and what the columns are called.

use csv::StringRecord;

use crate::clean;
use crate::extract::csv::shape::Shape;

/// Longest text that is still taken for a column name.
const MAX_NAME: usize = 120;

/// Column names in order; a column without one is numbered.
pub(super) fn names(first: &StringRecord, shape: &Shape, max_columns: usize) -> Vec<String> {
    if !shape.has_header {
        return (0..shape.columns.min(max_columns)).map(numbered).collect();
    }
    let name = |(column, cell): (usize, &str)| {
        let name = clean::one_line(cell.trim_matches(['"', '\'']));
        if name.is_empty() { numbered(column) } else { name }
    };
    first.iter().take(max_columns).enumerate().map(name).collect()
}

pub(super) fn numbered(column: usize) -> String {
    format!("Column {}", column + 1)
}

/// A header has distinct, short, worded cells. Business files nearly always have one, so only a
/// row that looks like data is refused.
pub(super) fn looks_like_header(first: &StringRecord, following: &[StringRecord]) -> bool {
    let cells: Vec<&str> = first.iter().map(str::trim).collect();
    let filled: Vec<&&str> = cells.iter().filter(|cell| !cell.is_empty()).collect();
    if filled.is_empty() || filled.len() * 2 < cells.len() {
        return false;
    }
    let mut lower: Vec<String> = filled.iter().map(|cell| cell.to_lowercase()).collect();
    lower.sort();
    lower.dedup();
    let distinct = lower.len() == filled.len();
    let worded = filled
        .iter()
        .all(|cell| cell.len() <= MAX_NAME && !looks_like_value(cell));
    let repeats = following
        .iter()
        .any(|row| row.iter().map(str::trim).eq(cells.iter().copied()));
    distinct && worded && !repeats
}

/// Numbers, dates, prices, addresses: what a column name is not. A year is allowed, tables by
/// year are common.
fn looks_like_value(cell: &str) -> bool {
    if cell.contains('@') || cell.starts_with("http") {
        return true;
    }
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    let is_year = letters == 0 && cell.len() == 4 && (cell.starts_with("19") || cell.starts_with("20"));
    digits > 0 && letters <= 3 && digits >= letters && !is_year
}
