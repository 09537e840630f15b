//! Which rows of a table name its columns.

use crate::extract::docx::table::Line;
use crate::extract::pattern::shape;

/// Longest text that is still taken for a column name.
const MAX_NAME: usize = 60;

/// The header rows of a table: from `first` up to, but not including, `end`. Rows before them are
/// its title. Empty when the table has none.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    pub(super) first: usize,
    pub(super) end: usize,
    columns: Vec<String>,
}

impl Header {
    /// A row that says the header again, as long tables do by hand.
    pub(super) fn repeats(&self, columns: &[String]) -> bool {
        self.end > self.first && self.columns == columns
    }
}

/// Header rows by what the document says (marked rows, a table style with a first row) or by what
/// they look like. `styled`: the style draws the first row differently.
pub(super) fn find(lines: &[Line], styled: bool) -> Header {
    let marked = lines.iter().take_while(|line| line.is_header).count();
    let title = lines.iter().take_while(|line| line.only().is_some()).count();
    let (first, rows) = if marked == lines.len() || title == lines.len() {
        (0, 0)
    } else if marked > 0 {
        (0, marked)
    } else {
        (title, recognised(&lines[title..], styled && title == 0))
    };
    let end = first + rows;
    let last = if rows == 0 { None } else { lines.get(end - 1) };
    Header {
        first,
        end,
        columns: last.map(|line| line.columns.clone()).unwrap_or_default(),
    }
}

fn recognised(lines: &[Line], styled: bool) -> usize {
    let [first, following @ ..] = lines else { return 0 };
    if following.is_empty() || !names_columns(first, following) {
        return 0;
    }
    let columns = first.columns.len();
    let differs = |of: fn(&Line) -> bool| of(first) && !following.iter().all(of);
    let values_below = (1..columns).any(|column| {
        let cells = following.iter().filter_map(|line| line.columns.get(column));
        let values = cells.filter(|text| has_value(text)).count();
        values * 2 >= following.len()
    });
    let is_header =
        styled || differs(|line| line.bold) || differs(|line| line.shaded) || columns >= 3 || values_below;
    if !is_header {
        return 0;
    }
    // "2025" across "Q1" and "Q2": the names of the columns are in the row below.
    let spans = first.cells.iter().any(|(_, span, _)| *span > 1);
    let second = following.first().filter(|_| spans && following.len() > 1);
    1 + usize::from(
        second.is_some_and(|line| names_columns(line, &following[1..]) && line.columns.len() == columns),
    )
}

/// Distinct short words, with at most one cell left empty.
fn names_columns(line: &Line, following: &[Line]) -> bool {
    let filled: Vec<_> = line
        .cells
        .iter()
        .filter(|(_, _, text)| !text.is_empty())
        .collect();
    let spans = line.cells.iter().any(|(_, span, _)| *span > 1);
    let distinct = filled
        .iter()
        .enumerate()
        .all(|(i, (_, _, name))| filled[..i].iter().all(|(_, _, other)| other != name));
    let is_name = |(column, _, text): &&(usize, usize, String)| {
        let mut below = following
            .iter()
            .take(3)
            .filter_map(|line| line.columns.get(*column));
        text.len() <= MAX_NAME && !is_value(text, || below.any(|other| shape(other) == shape(text)))
    };
    let short = filled.iter().all(is_name);
    filled.len() >= 2 && filled.len() + 1 >= line.cells.len() && (distinct || spans) && short
}

/// Whether a cell is a value rather than a name: "2 days" is, and "GHS 35" above "GHS 63", but
/// neither "Water for 500 g" nor "Q1", "Price 2026" or a year above a column of amounts.
fn is_value(text: &str, repeated_below: impl FnOnce() -> bool) -> bool {
    let is_year = text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    if is_year && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return repeated_below();
    }
    if text.starts_with(|c: char| !c.is_alphabetic() && !"#№(¿".contains(c)) {
        return true;
    }
    let letters = text.chars().filter(|c| !c.is_whitespace()).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let signs = text.chars().filter(|c| "€$£%".contains(*c)).count();
    (digits + signs) * 10 > letters * 3 && (digits == 0 || repeated_below())
}

fn has_value(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit() || "€$£%".contains(c))
}

/// Column names from one or more header rows; a spanning header stands before its columns' own.
pub(super) fn names(header: &[Line]) -> Vec<String> {
    let columns = header.iter().map(|line| line.columns.len()).max().unwrap_or(0);
    let name = |column: usize| {
        let mut parts: Vec<&str> = Vec::new();
        for line in header {
            let part = line.columns.get(column).map(String::as_str).unwrap_or_default();
            if !part.is_empty() && !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts.join(" ")
    };
    (0..columns).map(name).collect()
}
