//! Which first rows name the columns, and what the columns are called.

use std::collections::HashMap;

use csv::StringRecord;

use crate::clean;
use crate::extract::csv::shape::filled;
use crate::extract::pattern::shape;

/// Longest text that is still taken for a column name.
const MAX_NAME: usize = 120;
/// Rows a first row is compared with.
const COMPARED: usize = 50;

/// Units that stand below column names in tables of measurements.
const UNITS: [&str; 40] = [
    "mm", "cm", "m", "km", "in", "ft", "g", "kg", "t", "lb", "lbs", "oz", "ml", "l", "m2", "m²", "m3", "m³",
    "s", "sec", "min", "h", "hrs", "days", "€", "$", "£", "eur", "usd", "gbp", "ghs", "w", "kw", "kwh", "v",
    "a", "ah", "°c", "%", "pcs",
];

/// The rows that name the columns.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) rows: usize,
    pub(super) names: Vec<String>,
    pub(super) columns: usize,
}

/// Finds the header among the first records of a table.
pub(super) fn find(records: &[StringRecord], columns: usize, max_columns: usize) -> Header {
    let [first, rest @ ..] = records else {
        return Header::default();
    };
    if let Some([second, below @ ..]) = Some(rest)
        && let Some(names) = two_rows(first, second, below)
    {
        return Header {
            rows: 2,
            columns,
            names: distinct(names.into_iter().take(max_columns)),
        };
    }
    if !looks_like_header(first, rest) {
        return Header::default();
    }
    let mut names: Vec<String> = first
        .iter()
        .map(|cell| clean::one_line(cell.trim_matches(['"', '\''])))
        .collect();
    while names.len() > columns && names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    let columns = names.len();
    let units = rest.first().filter(|row| holds_units(row) && rest.len() > 1);
    if let Some(units) = units {
        for (name, unit) in names.iter_mut().zip(units) {
            let unit = unit.trim().trim_matches(['(', ')', '[', ']', '-']).trim();
            if !unit.is_empty() && !name.is_empty() {
                *name = format!("{name} ({unit})");
            }
        }
    }
    Header {
        rows: 1 + usize::from(units.is_some()),
        columns,
        names: distinct(names.into_iter().take(max_columns)),
    }
}

pub(super) fn numbered(column: usize) -> String {
    format!("Column {}", column + 1)
}

/// Every column gets a name of its own: a missing one is numbered, a repeated one counted.
fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let name = |(column, name): (usize, String)| {
        if name.is_empty() {
            return numbered(column);
        }
        let times = seen.entry(name.to_lowercase()).or_default();
        *times += 1;
        if *times == 1 {
            name
        } else {
            format!("{name} ({times})")
        }
    };
    names.enumerate().map(name).collect()
}

/// "2025, , 2026, " above "Q1, Q2, Q1, Q2": the upper names hold for the blanks to their right.
fn two_rows(upper: &StringRecord, lower: &StringRecord, below: &[StringRecord]) -> Option<Vec<String>> {
    let blanks = upper.len() - filled(upper);
    let reaches = upper.iter().skip(1).any(|cell| cell.trim().is_empty());
    let lower_names: Vec<&str> = lower.iter().map(str::trim).collect();
    let worded = lower_names
        .iter()
        .enumerate()
        .all(|(column, cell)| cell.is_empty() || is_name(cell, column, below));
    let repeated = lower_names
        .iter()
        .enumerate()
        .any(|(i, name)| !name.is_empty() && lower_names[..i].contains(name));
    let plausible = upper.len() == lower.len()
        && filled(upper) >= 1
        && reaches
        && worded
        && filled(lower) * 3 >= lower.len() * 2
        && !below.is_empty()
        && (repeated || (blanks * 5 >= upper.len() * 2 && filled(upper) >= 2));
    if !plausible
        || below
            .iter()
            .take(COMPARED)
            .all(|row| row.iter().all(|cell| !has_digit(cell)))
    {
        return None;
    }
    let mut above = String::new();
    let mut names = Vec::with_capacity(lower.len());
    for (upper, lower) in upper.iter().zip(lower) {
        let (upper, lower) = (clean::one_line(upper), clean::one_line(lower));
        if !upper.is_empty() {
            above = upper;
        }
        names.push(match (above.is_empty(), lower.is_empty()) {
            (false, false) => format!("{above} {lower}"),
            (false, true) => above.clone(),
            _ => lower,
        });
    }
    Some(names)
}

fn holds_units(row: &StringRecord) -> bool {
    let cells: Vec<&str> = row
        .iter()
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect();
    let bracketed =
        |cell: &str| cell.len() <= 12 && cell.starts_with(['(', '[']) && cell.ends_with([')', ']']);
    let is_unit =
        |cell: &&str| bracketed(cell) || UNITS.contains(&cell.to_lowercase().as_str()) || *cell == "-";
    !cells.is_empty() && cells.iter().all(is_unit) && cells.iter().any(|cell| *cell != "-")
}

/// A header has short, worded cells, hardly a repeated one, and does not come again. Business
/// files nearly always have one, so only a row that looks like data is refused.
pub(super) fn looks_like_header(first: &StringRecord, following: &[StringRecord]) -> bool {
    let cells: Vec<&str> = first.iter().map(str::trim).collect();
    let filled: Vec<(usize, &&str)> = cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| !cell.is_empty())
        .collect();
    let used = cells.len() - cells.iter().rev().take_while(|cell| cell.is_empty()).count();
    if filled.is_empty() || filled.len() * 2 < used {
        return false;
    }
    let mut lower: Vec<String> = filled.iter().map(|(_, cell)| cell.to_lowercase()).collect();
    lower.sort();
    lower.dedup();
    let distinct = lower.len() == filled.len();
    let worded = filled
        .iter()
        .all(|(column, cell)| is_name(cell, *column, following));
    let row_is_first = |row: &StringRecord| row.iter().map(str::trim).eq(cells.iter().copied());
    let repeats = following.iter().take(COMPARED).any(row_is_first);
    // Repeated names ("Price, Price") are believed where the cells below are of another kind.
    let differs = || {
        let of_another_kind = |(column, cell): &(usize, &&str)| {
            let mut below = following.iter().take(COMPARED).filter_map(|row| row.get(*column));
            below.any(has_digit) && !has_digit(cell)
        };
        lower.len() * 2 >= filled.len() && filled.iter().any(of_another_kind)
    };
    worded && !repeats && (distinct || differs())
}

fn is_name(cell: &str, column: usize, following: &[StringRecord]) -> bool {
    let mut below = following.iter().take(COMPARED).filter_map(|row| row.get(column));
    cell.len() <= MAX_NAME
        && !looks_like_value(cell, || below.any(|other| shape(other.trim()) == shape(cell)))
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Numbers, dates, prices, addresses: what a column name is not. A year is allowed, tables by
/// year are common; so is "Q1" above anything but another "Q1".
fn looks_like_value(cell: &str, like_below: impl FnOnce() -> bool) -> bool {
    if cell.contains('@') || cell.starts_with("http") {
        return true;
    }
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    let is_year = letters == 0 && cell.len() == 4 && (cell.starts_with("19") || cell.starts_with("20"));
    if digits == 0 || is_year {
        return false;
    }
    if letters == 0 {
        return true;
    }
    letters <= 3 && digits >= letters && (digits > 2 || like_below())
}
