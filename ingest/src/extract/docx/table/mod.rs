//! Tables of a DOCX: merged cells repeated, column names put into every row, frames that only
//! arrange text taken apart again.

mod header;

use crate::clean;
use crate::extract::docx::item::Item;
use crate::extract::docx::styles::Styles;

/// A nested table larger than this comes after its row instead of inside the cell.
const MAX_NESTED: usize = 600;
/// More columns than any page holds; a span may not claim more.
const MAX_SPAN: usize = 64;
/// Longest text of a merged cell that is repeated in every row beside it.
const MAX_REPEATED: usize = 2_000;

/// Which neighbour a cell continues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Merge {
    #[default]
    None,
    Above,
    Left,
}

/// One cell as read.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    pub(super) items: Vec<Item>,
    pub(super) span: usize,
    pub(super) merge: Merge,
    /// A tracked deletion.
    pub(super) deleted: bool,
    pub(super) shaded: bool,
}

impl Cell {
    /// The cell on one line; rows of a table inside it are set apart.
    fn text(&self) -> String {
        let mut out = String::new();
        let mut after_row = false;
        for item in &self.items {
            let is_row = matches!(item, Item::Row { .. });
            if !out.is_empty() {
                out.push_str(if after_row || is_row { "; " } else { " " });
            }
            out.push_str(item.text());
            after_row = is_row;
        }
        clean::collapse(&out)
    }

    fn all_bold(&self) -> bool {
        self.items
            .iter()
            .all(|item| matches!(item, Item::Block { look, .. } if look.bold))
    }

    /// Rows of an inner table that are too long for one line.
    fn take_large_table(&mut self) -> Vec<Item> {
        let rows = self.items.iter().filter(|item| matches!(item, Item::Row { .. }));
        if rows.map(|row| row.text().len()).sum::<usize>() <= MAX_NESTED {
            return Vec::new();
        }
        let (rows, rest) = std::mem::take(&mut self.items)
            .into_iter()
            .partition(|item| matches!(item, Item::Row { .. }));
        self.items = rest;
        rows
    }
}

/// One row as read.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    pub(super) is_header: bool,
    pub(super) deleted: bool,
    /// Columns left empty before the first cell.
    pub(super) columns_before: usize,
}

/// A table as read.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
    /// Footnotes of its cells, which follow it.
    pub(super) notes: Vec<Item>,
    pub(super) style: String,
    /// The table asks its style to draw the first row differently.
    pub(super) first_row_differs: bool,
}

/// A row laid out on the grid: the text of every column, and the cells it was made of.
struct Line {
    columns: Vec<String>,
    /// First column, columns covered, text.
    cells: Vec<(usize, usize, String)>,
    bold: bool,
    shaded: bool,
    is_header: bool,
    /// Rows of large inner tables.
    inner: Vec<Item>,
}

impl Line {
    /// The text of a row that is one cell across the table, such as a title or a section's name.
    fn only(&self) -> Option<&str> {
        match &self.cells[..] {
            [(_, _, text)] => Some(text),
            _ => None,
        }
    }
}

impl Table {
    /// The table as items.
    pub(super) fn into_items(mut self, number: u32, styles: &Styles) -> Vec<Item> {
        for row in &mut self.rows {
            row.cells.retain(|cell| !cell.deleted);
        }
        self.rows.retain(|row| !row.deleted && !row.cells.is_empty());
        let notes = std::mem::take(&mut self.notes);
        if self.is_layout() {
            let cells = self.rows.into_iter().flat_map(|row| row.cells);
            let items = cells
                .filter(|cell| cell.merge == Merge::None)
                .flat_map(|cell| cell.items);
            return items.chain(notes).collect();
        }
        let header_by_style = self.first_row_differs && styles.has_first_row(&self.style);
        let mut lines = lay_out(self.rows);
        let found = header::find(&lines, header_by_style);
        let names = header::names(&lines[found.first..found.end]);
        let mut out = Vec::new();
        for (index, line) in lines.iter_mut().enumerate() {
            let is_header = (found.first..found.end).contains(&index);
            let repeats = index >= found.end && found.repeats(&line.columns);
            if !is_header && !repeats {
                let text = render(line, &names);
                if !text.is_empty() {
                    out.push(Item::Row { text, table: number });
                }
            }
            out.append(&mut line.inner);
        }
        out.extend(notes);
        out
    }

    /// Whether the table only arranges text on the page: one column, or cells that hold headings,
    /// or a single row of cells with several paragraphs each.
    fn is_layout(&self) -> bool {
        let cells = || self.rows.iter().flat_map(|row| &row.cells);
        let paragraphs = |cell: &Cell| {
            let blocks = cell
                .items
                .iter()
                .filter(|item| matches!(item, Item::Block { .. }));
            blocks.count()
        };
        self.rows.iter().all(|row| row.cells.len() == 1)
            || cells().any(|cell| cell.items.iter().any(Item::is_heading) && cell.items.len() > 1)
            || (self.rows.len() == 1 && cells().any(|cell| paragraphs(cell) > 2))
    }
}

fn lay_out(rows: Vec<Row>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::with_capacity(rows.len());
    for row in rows {
        let mut line = Line {
            columns: vec![String::new(); row.columns_before.min(MAX_SPAN)],
            cells: Vec::new(),
            bold: true,
            shaded: true,
            is_header: row.is_header,
            inner: Vec::new(),
        };
        for mut cell in row.cells {
            let span = cell.span.clamp(1, MAX_SPAN);
            if cell.merge == Merge::Left
                && let Some((_, covered, text)) = line.cells.last_mut()
            {
                *covered += span;
                line.columns.extend(std::iter::repeat_n(text.clone(), span));
                continue;
            }
            let column = line.columns.len();
            line.inner.extend(cell.take_large_table());
            let above = lines.last().and_then(|line| line.columns.get(column));
            let above = above.filter(|text| text.len() <= MAX_REPEATED);
            let text = if cell.merge == Merge::Above {
                above.cloned().unwrap_or_default()
            } else {
                cell.text()
            };
            line.bold &= text.is_empty() || cell.all_bold();
            line.shaded &= cell.shaded;
            line.cells.push((column, span, text.clone()));
            line.columns.extend(std::iter::repeat_n(text, span));
        }
        lines.push(line);
    }
    lines
}

fn render(line: &Line, names: &[String]) -> String {
    if let Some(only) = line.only() {
        return only.to_owned();
    }
    let filled: Vec<_> = line
        .cells
        .iter()
        .filter(|(_, _, text)| !text.is_empty())
        .collect();
    if names.is_empty()
        && line.cells.len() == 2
        && let [(_, _, key), (_, _, value)] = filled[..]
    {
        return format!("{}: {value}", key.trim_end_matches(':'));
    }
    let cells = filled.iter().map(|(column, span, text)| {
        // A cell that runs to the table's edge is a remark about its first column.
        let span = if column + span >= names.len() { 1 } else { *span };
        let covered = names.get(*column..(column + span).min(names.len()));
        let mut own: Vec<&str> = Vec::new();
        for name in covered
            .unwrap_or_default()
            .iter()
            .map(|name| name.trim_end_matches(':'))
        {
            if !name.is_empty() && !own.contains(&name) {
                own.push(name);
            }
        }
        if own.is_empty() {
            text.clone()
        } else {
            format!("{}: {text}", own.join(" / "))
        }
    });
    cells.collect::<Vec<_>>().join(" | ")
}
