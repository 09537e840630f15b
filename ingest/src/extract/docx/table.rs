//! Tables of a DOCX: merged cells repeated, header names put into every row.

use crate::clean;
use crate::extract::docx::walk::Item;

/// One cell as read.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    pub(super) items: Vec<Item>,
    pub(super) span: usize,
    /// Continues the cell above.
    pub(super) merged: bool,
}

impl Cell {
    fn text(&self) -> String {
        let texts: Vec<&str> = self.items.iter().map(Item::text).collect();
        clean::collapse(&texts.join(" "))
    }

    fn all_bold(&self) -> bool {
        self.items
            .iter()
            .all(|item| matches!(item, Item::Block { bold: true, .. }))
    }
}

/// One row as read.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    pub(super) is_header: bool,
    pub(super) deleted: bool,
}

/// A table as read.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
}

/// A row laid out on the grid: the text of every column, and how many cells it was made of.
struct Line {
    columns: Vec<String>,
    cells: Vec<(usize, String)>,
    bold: bool,
    is_header: bool,
}

impl Table {
    /// The table as items. A table of one column is a layout frame: its content comes out as it
    /// went in.
    pub(super) fn into_items(mut self, number: u32) -> Vec<Item> {
        self.rows.retain(|row| !row.deleted && !row.cells.is_empty());
        if self.rows.iter().all(|row| row.cells.len() == 1) {
            return self
                .rows
                .into_iter()
                .flat_map(|row| row.cells)
                .flat_map(|cell| cell.items)
                .collect();
        }
        let lines = lay_out(&self.rows);
        let header = header_rows(&lines);
        let names = names(&lines[..header]);
        let rendered = lines[header..].iter().map(|line| render(line, &names));
        let rows: Vec<String> = if header == lines.len() {
            lines.iter().map(|line| render(line, &[])).collect()
        } else {
            rendered.collect()
        };
        rows.into_iter()
            .filter(|text| !text.is_empty())
            .map(|text| Item::Row { text, table: number })
            .collect()
    }
}

fn lay_out(rows: &[Row]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::with_capacity(rows.len());
    for row in rows {
        let mut line = Line {
            columns: Vec::new(),
            cells: Vec::new(),
            bold: true,
            is_header: row.is_header,
        };
        for cell in &row.cells {
            let column = line.columns.len();
            let above = lines.last().and_then(|line| line.columns.get(column));
            let text = if cell.merged {
                above.cloned().unwrap_or_default()
            } else {
                cell.text()
            };
            line.bold &= text.is_empty() || cell.all_bold();
            line.cells.push((column, text.clone()));
            let span = cell.span.clamp(1, 64);
            line.columns.extend(std::iter::repeat_n(text, span));
        }
        lines.push(line);
    }
    lines
}

/// How many leading rows name the columns: marked as header, or recognised as one.
fn header_rows(lines: &[Line]) -> usize {
    let marked = lines.iter().take_while(|line| line.is_header).count();
    if marked > 0 {
        return marked;
    }
    let [first, following @ ..] = lines else { return 0 };
    let filled = first.cells.iter().filter(|(_, text)| !text.is_empty());
    let names: Vec<&str> = filled.map(|(_, text)| text.as_str()).collect();
    let distinct = names
        .iter()
        .enumerate()
        .all(|(i, name)| !names[..i].contains(name));
    let short = names.iter().all(|name| name.len() <= 60 && !is_value(name));
    if following.is_empty() || names.len() < 2 || names.len() + 1 < first.cells.len() || !distinct || !short {
        return 0;
    }
    let bold_first = first.bold && !following.iter().all(|line| line.bold);
    let columns = first.columns.len();
    let values_below = (1..columns).any(|column| {
        let cells = following.iter().filter_map(|line| line.columns.get(column));
        let values = cells.filter(|text| has_value(text)).count();
        values * 2 >= following.len()
    });
    usize::from(bold_first || columns >= 3 || values_below)
}

/// Whether a cell is a value rather than a name: "2 days" and "GHS 35" are, "Water for 500 g" is not.
fn is_value(text: &str) -> bool {
    let letters = text.chars().filter(|c| !c.is_whitespace()).count();
    let digits = text
        .chars()
        .filter(|c| c.is_ascii_digit() || "€$£%".contains(*c))
        .count();
    text.starts_with(|c: char| !c.is_alphabetic()) || digits * 10 > letters * 3
}

fn has_value(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit() || "€$£%".contains(c))
}

/// Column names from one or more header rows; a spanning header stands before its columns' own.
fn names(header: &[Line]) -> Vec<String> {
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

fn render(line: &Line, names: &[String]) -> String {
    let filled: Vec<&(usize, String)> = line.cells.iter().filter(|(_, text)| !text.is_empty()).collect();
    if let [(_, only)] = filled[..]
        && line.cells.len() == 1
    {
        return only.clone(); // a row that spans the table is a caption of what follows
    }
    if names.is_empty() && line.cells.len() == 2 && filled.len() == 2 {
        return format!("{}: {}", filled[0].1.trim_end_matches(':'), filled[1].1);
    }
    let cells =
        filled.iter().map(
            |(column, text)| match names.get(*column).filter(|name| !name.is_empty()) {
                Some(name) => format!("{}: {text}", name.trim_end_matches(':')),
                None => text.clone(),
            },
        );
    cells.collect::<Vec<_>>().join(" | ")
}
