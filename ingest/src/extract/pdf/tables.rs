//! Tables by geometry: neighbouring rows whose parts stand under each other.
//!
//! The order of drawing does not matter here, so a table that was drawn column by column comes
//! out row by row.

use crate::extract::pdf::chars::Segment;
use crate::extract::pdf::layout::{Row, median};

/// A table's rows as cells, and whether the first names the columns.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) rows: Vec<Vec<String>>,
    pub(super) has_header: bool,
}

/// A region's content from top to bottom.
pub(super) enum Piece {
    Row(Row),
    Table(Table),
}

/// Largest distance between two rows of a table, in font sizes.
const MAX_PITCH: f32 = 3.6;

/// Cuts the tables out of a region.
pub(super) fn cut(rows: Vec<Row>) -> Vec<Piece> {
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
        cut_run(run, &mut out);
    }
    out
}

/// Within rows that follow each other closely, a table is the stretch from the first to the last
/// row with several parts, as long as their columns hold.
fn cut_run(rows: Vec<Row>, out: &mut Vec<Piece>) {
    let rows = split_at_columns(rows);
    let is_multi = |row: &Row| row.segments.len() >= 2;
    let pairs = rows
        .windows(2)
        .filter(|pair| is_multi(&pair[0]) && is_multi(&pair[1]));
    let pitch = median(pairs.map(|pair| pair[1].y() - pair[0].y()));
    let mut index = 0;
    while index < rows.len() {
        let end = table_end(&rows, index, pitch);
        if let Some(end) = end
            && let Some(table) = build(&rows[index..end])
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
/// rows begin a column, such a part is cut, if the gap before the word there is wider than a
/// space.
fn split_at_columns(mut rows: Vec<Row>) -> Vec<Row> {
    let mut starts: Vec<(f32, usize)> = Vec::new();
    for segment in rows.iter().flat_map(|row| row.segments.iter().skip(1)) {
        match starts.iter_mut().find(|(x, _)| (*x - segment.x0).abs() < 1.5) {
            Some((_, count)) => *count += 1,
            None => starts.push((segment.x0, 1)),
        }
    }
    starts.retain(|(_, count)| *count >= 2);
    if starts.is_empty() {
        return rows;
    }
    for row in &mut rows {
        let parts = row
            .segments
            .drain(..)
            .flat_map(|segment| cut_segment(segment, &starts))
            .collect();
        row.segments = parts;
    }
    rows
}

fn cut_segment(segment: Segment, starts: &[(f32, usize)]) -> Vec<Segment> {
    let texts: Vec<&str> = segment.text.split(' ').collect();
    if texts.len() != segment.words.len() {
        return vec![segment];
    }
    let begins_column = |index: usize| {
        let (x, gap) = (
            segment.words[index].0,
            segment.words[index].0 - segment.words[index - 1].1,
        );
        gap > segment.size * 0.38 && starts.iter().any(|(start, _)| (start - x).abs() < 1.5)
    };
    let mut cuts: Vec<usize> = (1..texts.len()).filter(|index| begins_column(*index)).collect();
    cuts.push(texts.len());
    let mut first = 0;
    let mut parts = Vec::with_capacity(cuts.len());
    for end in cuts {
        let words = segment.words[first..end].to_vec();
        parts.push(Segment {
            text: texts[first..end].join(" "),
            x0: words[0].0,
            x1: words[words.len() - 1].1,
            hyphen: segment.hyphen && end == texts.len(),
            words,
            ..segment.clone()
        });
        first = end;
    }
    parts
}

/// One past the last row of a table that starts at `start`.
fn table_end(rows: &[Row], start: usize, pitch: f32) -> Option<usize> {
    if rows[start].segments.len() < 2 {
        return None;
    }
    let mut columns = intervals(&rows[start]);
    let mut end = start + 1;
    let mut multi = 1;
    while let Some(row) = rows.get(end) {
        let mut merged = columns.clone();
        for interval in intervals(row) {
            merge(&mut merged, interval);
        }
        let enough = merged.len() >= 2 && merged.len() + 1 >= columns.len().min(3);
        if row.segments.len() >= 2 && enough {
            multi += 1;
        } else if !(row.segments.len() == 1 && enough && is_continuation(rows, start, end, pitch)) {
            break;
        }
        columns = merged;
        end += 1;
    }
    while end > start + 1 && rows[end - 1].segments.len() < 2 && !is_continuation(rows, start, end - 1, pitch)
    {
        end -= 1;
    }
    let wide = rows[start..end]
        .iter()
        .filter(|row| row.segments.len() >= 3)
        .count();
    (multi >= 3 || (multi >= 2 && wide >= 2)).then_some(end)
}

/// A single part directly below a row is the second line of one of its cells, unless it starts
/// at the left edge and fills the width like a sentence.
fn is_continuation(rows: &[Row], start: usize, index: usize, pitch: f32) -> bool {
    let (Some(row), Some(above)) = (
        rows.get(index),
        index.checked_sub(1).and_then(|above| rows.get(above)),
    ) else {
        return false;
    };
    let close = is_tight(row.y() - above.y(), row.size(), pitch);
    let under_a_later_cell = row.x0() > rows[start].x0() + row.size();
    let narrow = row.x1() < above.segments.get(1).map_or(f32::MIN, |second| second.x0);
    let same_look = (row.size() - above.size()).abs() < 1.0;
    close && same_look && (under_a_later_cell || (narrow && above.segments.len() >= 2))
}

/// Lines of one cell stand closer than rows do.
fn is_tight(distance: f32, size: f32, pitch: f32) -> bool {
    distance < 1.45 * size || (distance < 1.9 * size && distance < pitch * 0.85)
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

fn build(rows: &[Row]) -> Option<Table> {
    let mut columns: Vec<(f32, f32)> = Vec::new();
    for interval in rows.iter().flat_map(intervals) {
        merge(&mut columns, interval);
    }
    if columns.len() < 2 || !lines_up(rows, &columns) {
        return None;
    }
    let pitch = median(rows.windows(2).map(|pair| pair[1].y() - pair[0].y()));
    let mut grid: Vec<Vec<String>> = Vec::new();
    let mut bold: Vec<bool> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let cells = cells(row, &columns);
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        let distance = index
            .checked_sub(1)
            .map_or(f32::MAX, |above| row.y() - rows[above].y());
        let tight = is_tight(distance, row.size(), pitch);
        let wraps =
            index > 0 && filled < columns.len() && tight && (cells[0].is_empty() || distance < pitch * 0.85);
        if let Some(last) = grid.last_mut().filter(|_| wraps) {
            for (known, more) in last.iter_mut().zip(cells) {
                append(known, &more);
            }
        } else {
            grid.push(cells);
            bold.push(row.bold());
        }
    }
    let has_header = looks_like_header(&grid, &bold);
    Some(Table {
        rows: grid,
        has_header,
    })
}

fn append(cell: &mut String, more: &str) {
    if !cell.is_empty() && !more.is_empty() {
        cell.push(' ');
    }
    cell.push_str(more);
}

/// Most columns are met by at least two rows: parts that stand side by side by accident do not.
fn lines_up(rows: &[Row], columns: &[(f32, f32)]) -> bool {
    let met = |column: &(f32, f32)| {
        rows.iter()
            .filter(|row| row.segments.iter().any(|segment| inside(segment, *column)))
            .count()
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

fn inside(segment: &Segment, column: (f32, f32)) -> bool {
    segment.x0 >= column.0 - 0.5 && segment.x1 <= column.1 + 0.5
}

fn cells(row: &Row, columns: &[(f32, f32)]) -> Vec<String> {
    let mut cells = vec![String::new(); columns.len()];
    for segment in &row.segments {
        let column = columns
            .iter()
            .position(|column| inside(segment, *column))
            .unwrap_or(0);
        append(&mut cells[column], &segment.text);
    }
    cells
}

/// The first row is a header when it has words in (nearly) every column and either stands out in
/// bold or stands over values.
fn looks_like_header(grid: &[Vec<String>], bold: &[bool]) -> bool {
    let [first, following @ ..] = grid else {
        return false;
    };
    let filled = first.iter().filter(|cell| !cell.is_empty()).count();
    let has_digit = |cell: &String| cell.chars().any(|c| c.is_ascii_digit());
    if following.is_empty()
        || filled < 2
        || filled + 1 < first.len()
        || first.iter().any(|cell| cell.len() > 60)
    {
        return false;
    }
    let stands_out = bold[0] && bold[1..].iter().filter(|bold| **bold).count() * 2 < following.len();
    let over_values = !first.iter().any(has_digit)
        && (0..first.len()).any(|column| {
            following.iter().filter(|row| has_digit(&row[column])).count() * 2 > following.len()
        });
    stands_out || over_values
}
