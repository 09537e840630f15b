//! Tables by geometry: neighbouring rows whose parts stand under each other.
//!
//! The order of drawing does not matter here, so a table that was drawn column by column comes
//! out row by row.

use crate::extract::pdf::cells;
use crate::extract::pdf::chars::Segment;
use crate::extract::pdf::layout::Row;
use crate::extract::pdf::rules::Rule;

/// A table's rows as cells.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    /// How many leading rows name the columns.
    header: usize,
    /// Names of the columns; empty without a header.
    names: Vec<String>,
    /// Left edges of the columns.
    columns: Vec<f32>,
}

impl Table {
    pub(super) fn new(rows: Vec<Vec<String>>, bold: &[bool], columns: Vec<f32>) -> Self {
        let header = header_rows(&rows, bold);
        let names = names(&rows[..header]);
        Self {
            rows,
            header,
            names,
            columns,
        }
    }

    /// Each row as a line of text, and the names of the columns it stands under.
    pub(super) fn lines(&self) -> impl Iterator<Item = (String, Option<String>)> {
        let names = joined(&self.names);
        let names = (!names.is_empty()).then_some(names);
        self.rows.iter().enumerate().map(move |(index, cells)| {
            let under = names.clone().filter(|_| index >= self.header);
            (self.line(index, cells), under)
        })
    }

    /// A row with a hole names its cells: without the hole they would slip under other names.
    fn line(&self, index: usize, cells: &[String]) -> String {
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        let last = cells.iter().rposition(|cell| !cell.is_empty());
        let has_hole = filled > 1 && last.is_some_and(|last| last + 1 > filled);
        if index < self.header || !has_hole || self.names.len() != cells.len() {
            return joined(cells);
        }
        let named: Vec<String> = cells
            .iter()
            .zip(&self.names)
            .filter(|(cell, _)| !cell.is_empty())
            .map(|(cell, name)| {
                if name.is_empty() {
                    cell.clone()
                } else {
                    format!("{}: {cell}", name.trim_end_matches(':'))
                }
            })
            .collect();
        named.join(" | ")
    }

    /// Goes on with the names of a table that ends on the page before, if the columns are its.
    pub(super) fn continue_from(&mut self, before: &Self) {
        /// Pages are set alike to a point; columns are further apart than this.
        const ALIKE: f32 = 4.0;
        let alike = self.columns.len() == before.columns.len()
            && self
                .columns
                .iter()
                .zip(&before.columns)
                .all(|(a, b)| (a - b).abs() < ALIKE);
        if alike && !before.names.is_empty() && self.names != before.names {
            self.header = 0;
            self.names.clone_from(&before.names);
        }
    }
}

fn joined(cells: &[String]) -> String {
    let filled: Vec<&str> = cells
        .iter()
        .map(String::as_str)
        .filter(|cell| !cell.is_empty())
        .collect();
    filled.join(" | ")
}

/// Column names from one or more header rows; a name over several columns stands before each of
/// their own.
fn names(header: &[Vec<String>]) -> Vec<String> {
    let columns = header.first().map_or(0, Vec::len);
    let mut names = vec![String::new(); columns];
    for (index, row) in header.iter().enumerate() {
        let mut over = "";
        for (column, name) in names.iter_mut().enumerate() {
            let own = row[column].as_str();
            let below = header[index + 1..].iter().any(|row| !row[column].is_empty());
            if !own.is_empty() {
                over = own;
            }
            let part = if own.is_empty() && below { over } else { own };
            if !part.is_empty() && !name.ends_with(part) {
                cells::push_text(name, false, part);
            }
        }
    }
    names
}

/// A region's content from top to bottom.
pub(super) enum Piece {
    Row(Row),
    Table(Table),
}

/// Largest distance between two rows of a table, in font sizes.
const MAX_PITCH: f32 = 3.6;

/// Cuts the tables out of a region. `rules` are the horizontal lines of the page.
pub(super) fn cut(rows: Vec<Row>, rules: &[Rule]) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut rows = std::collections::VecDeque::from(rows);
    while let Some(row) = rows.pop_front() {
        let mut run = vec![row];
        while let Some(next) = rows.front() {
            let last = &run[run.len() - 1];
            if next.y() - last.y() > MAX_PITCH * next.size().max(last.size()) {
                break;
            }
            run.extend(rows.pop_front());
        }
        cut_run(run, rules, &mut out);
    }
    out
}

/// Within rows that follow each other closely, a table is the stretch from the first to the last
/// row with several parts, as long as their columns hold.
fn cut_run(rows: Vec<Row>, rules: &[Rule], out: &mut Vec<Piece>) {
    let rows = split_at_columns(rows);
    let mut index = 0;
    while index < rows.len() {
        let end = table_end(&rows, index);
        if let Some(end) = end
            && let Some(table) = build(&rows[index..end], rules)
        {
            out.push(Piece::Table(table));
            index = end;
        } else {
            out.push(Piece::Row(rows[index].clone()));
            index += 1;
        }
    }
}

/// A long cell may end so close to the next column that both were read as one part. Where other
/// rows begin or end a column, such a part is cut, if the gap before the word there is wider than
/// a space.
fn split_at_columns(mut rows: Vec<Row>) -> Vec<Row> {
    let mut starts: Vec<(f32, usize)> = Vec::new();
    let mut note = |x: f32| match starts.iter_mut().find(|(known, _)| (*known - x).abs() < 1.5) {
        Some((_, count)) => *count += 1,
        None => starts.push((x, 1)),
    };
    for row in rows.iter().filter(|row| row.segments.len() > 1) {
        row.segments.iter().skip(1).for_each(|segment| note(segment.x0));
    }
    starts.retain(|(_, count)| *count >= 2);
    if starts.is_empty() {
        return rows;
    }
    for row in &mut rows {
        let parts = row.segments.drain(..).flat_map(|segment| {
            let begins_column = |index: usize| {
                let (x, gap) = (
                    segment.words[index].0,
                    segment.words[index].0 - segment.words[index - 1].1,
                );
                gap > segment.size * 0.38 && starts.iter().any(|(start, _)| (start - x).abs() < 1.5)
            };
            let cuts: Vec<usize> = (1..segment.words.len())
                .filter(|index| begins_column(*index))
                .collect();
            segment.cut_before(&cuts)
        });
        row.segments = parts.collect();
    }
    rows
}

/// One past the last row of a table that starts at `start`.
fn table_end(rows: &[Row], start: usize) -> Option<usize> {
    if rows[start].segments.len() < 2 || rows[start].has_part() {
        return None;
    }
    let mut columns = intervals(&rows[start]);
    let mut end = start + 1;
    let mut last_multi = start;
    let mut multi = 1;
    while let Some(row) = rows.get(end) {
        if row.has_part() {
            break;
        }
        let mut merged = columns.clone();
        for interval in intervals(row) {
            merge(&mut merged, interval);
        }
        let holds = merged.len() >= 2 && merged.len() + 1 >= columns.len().min(3);
        if holds && row.segments.len() >= 2 {
            multi += 1;
            last_multi = end;
            columns = merged;
        } else if holds && is_cell_line(&rows[end - 1], row, &columns) {
            columns = merged; // a further line of one cell
        } else if multi < 2 || !spans(rows, end, &columns) {
            break;
        }
        end += 1;
    }
    end = last_multi + 1;
    // Behind the last row with several parts, only the lines that wrap its cells belong to it.
    while let Some(row) = rows.get(end)
        && row.segments.len() == 1
        && !row.has_part()
        && is_wrapped_line(&rows[end - 1], row, &rows[last_multi])
    {
        end += 1;
    }
    let wide = rows[start..end]
        .iter()
        .filter(|row| row.segments.len() >= 3)
        .count();
    (multi >= 3 || (multi >= 2 && wide >= 2)).then_some(end)
}

/// A line that stands alone: as close as the lines of one cell, or under a later column.
fn is_cell_line(above: &Row, row: &Row, columns: &[(f32, f32)]) -> bool {
    let near = row.y() - above.y() < 1.9 * row.size();
    let later = columns
        .get(1)
        .is_some_and(|second| row.x0() > second.0 - row.size());
    (near || later) && (row.size() - above.size()).abs() < 0.1 * row.size()
}

/// A line across the columns that names the rows below it: one line, and the table goes on.
fn spans(rows: &[Row], index: usize, columns: &[(f32, f32)]) -> bool {
    let row = &rows[index];
    let (Some(above), Some(below)) = (rows.get(index - 1), rows.get(index + 1)) else {
        return false;
    };
    let mut merged = columns.to_vec();
    for interval in intervals(below) {
        merge(&mut merged, interval);
    }
    let width = columns.last().map_or(0.0, |last| last.1) - columns[0].0;
    // It stands no further from its rows than they from each other, or a line more.
    let near = row.y() - above.y() < 2.4 * row.size() && below.y() - row.y() < 2.4 * row.size();
    near && row.segments.len() == 1
        && above.segments.len() >= 2
        && below.segments.len() >= 2
        && merged.len() == columns.len()
        && row.x1() - row.x0() < 0.75 * width
        && (row.size() - below.size()).abs() < 0.2 * below.size()
        && (row.bold() || row.x1() - row.x0() < 0.5 * width)
        && !row.text().ends_with(['.', ','])
}

/// A single part close below a row's cells: the next line of one of them.
fn is_wrapped_line(above: &Row, row: &Row, last: &Row) -> bool {
    let distance = row.y() - above.y();
    let close = distance < 1.5 * row.size() && (row.size() - above.size()).abs() < 1.0;
    let under = last
        .segments
        .iter()
        .any(|segment| (segment.x0 - row.x0()).abs() < row.size());
    let later = row.x0() > last.x0() + row.size();
    let narrow = last.segments.get(1).is_some_and(|second| row.x1() < second.x0);
    close && under && (later || narrow)
}

fn intervals(row: &Row) -> Vec<(f32, f32)> {
    row.segments
        .iter()
        .map(|segment| (segment.x0, segment.x1))
        .collect()
}

/// Adds an interval to a sorted list of disjoint ones.
fn merge(columns: &mut Vec<(f32, f32)>, new: (f32, f32)) {
    let (mut x0, mut x1) = new;
    columns.retain(|(a, b)| {
        let overlaps = *a < x1 - 0.5 && *b > x0 + 0.5;
        if overlaps {
            x0 = x0.min(*a);
            x1 = x1.max(*b);
        }
        !overlaps
    });
    let place = columns.partition_point(|(a, _)| *a < x0);
    columns.insert(place, (x0, x1));
}

fn build(rows: &[Row], rules: &[Rule]) -> Option<Table> {
    let mut columns: Vec<(f32, f32)> = Vec::new();
    let usual = rows.iter().map(|row| row.segments.len()).max().unwrap_or(0);
    // Lines across the table would melt its columns.
    let is_across = |row: &&Row| row.segments.len() == 1 && usual >= 3;
    for interval in rows.iter().filter(|row| !is_across(row)).flat_map(intervals) {
        merge(&mut columns, interval);
    }
    if columns.len() < 2 || !lines_up(rows, &columns) {
        return None;
    }
    let starts: Vec<f32> = columns.iter().skip(1).map(|(x0, _)| *x0 - 1.0).collect();
    let lines: Vec<cells::Line> = rows.iter().map(|row| cells::line(row, &starts)).collect();
    let (left, right) = (columns[0].0, columns[columns.len() - 1].1);
    // Drawn over most of the width: between rows, not under a word.
    let across: Vec<f32> = rules
        .iter()
        .filter(|rule| rule.to.min(right) - rule.from.max(left) > 0.6 * (right - left))
        .map(|rule| rule.at)
        .collect();
    let mut grid: Vec<Vec<String>> = Vec::new();
    let mut bold: Vec<bool> = Vec::new();
    let mut rest = lines.as_slice();
    for count in cells::rows(&lines, &across) {
        let (own, later) = rest.split_at(count);
        rest = later;
        grid.push(cells::texts(own));
        bold.push(own.iter().all(|line| line.bold));
    }
    let columns = columns.into_iter().map(|(x0, _)| x0).collect();
    Some(Table::new(grid, &bold, columns))
}

/// Most columns are met by at least two rows: parts that stand side by side by accident do not.
fn lines_up(rows: &[Row], columns: &[(f32, f32)]) -> bool {
    let met = |column: &(f32, f32)| {
        let inside = |row: &&Row| {
            row.segments
                .iter()
                .any(|segment| segment.x0 >= column.0 - 0.5 && segment.x1 <= column.1 + 0.5)
        };
        rows.iter().filter(inside).count()
    };
    let shared = columns.iter().filter(|column| met(column) >= 2).count();
    let chars: usize = rows
        .iter()
        .flat_map(|row| &row.segments)
        .map(Segment::chars)
        .sum();
    let parts: usize = rows.iter().map(|row| row.segments.len()).sum();
    shared >= 2 && shared * 2 >= columns.len() && chars < parts * 60
}

/// The first row is a header when it has words in (nearly) every column and either stands out in
/// bold or stands over values; further bold rows below it belong to it.
fn header_rows(grid: &[Vec<String>], bold: &[bool]) -> usize {
    let [first, following @ ..] = grid else {
        return 0;
    };
    let filled = first.iter().filter(|cell| !cell.is_empty()).count();
    let has_digit = |cell: &String| cell.chars().any(|c| c.is_ascii_digit());
    if following.is_empty() || filled < 2 || first.iter().any(|cell| cell.chars().count() > 60) {
        return 0;
    }
    let bold_rows = bold.iter().take_while(|bold| **bold).count();
    let others = bold[bold_rows..].iter().filter(|bold| **bold).count();
    if (1..=3).contains(&bold_rows) && bold_rows < grid.len() && others * 2 < grid.len() - bold_rows {
        let named = names(&grid[..bold_rows]);
        let nameless = named.iter().filter(|name| name.is_empty()).count();
        return if nameless <= 1 { bold_rows } else { 0 };
    }
    let over_values = filled + 1 >= first.len()
        && !first.iter().any(has_digit)
        && (0..first.len()).any(|column| {
            following.iter().filter(|row| has_digit(&row[column])).count() * 2 > following.len()
        });
    usize::from(over_values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(row: &[&str]) -> Vec<String> {
        row.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn a_name_over_several_columns_counts_for_each() {
        let header = [cells(&["Model", "Indoor", ""]), cells(&["", "Power", "Hours"])];
        assert_eq!(names(&header), ["Model", "Indoor Power", "Indoor Hours"]);
    }

    #[test]
    fn a_row_with_a_hole_names_its_cells() {
        let rows = vec![
            cells(&["Stop", "Bus 1", "Bus 2"]),
            cells(&["Port", "", "5:40"]),
            cells(&["Mall", "6:10", ""]),
        ];
        let table = Table::new(rows, &[true, false, false], vec![0.0, 50.0, 90.0]);
        let lines: Vec<String> = table.lines().map(|(line, _)| line).collect();
        assert_eq!(
            lines,
            ["Stop | Bus 1 | Bus 2", "Stop: Port | Bus 2: 5:40", "Mall | 6:10"]
        );
    }
}
