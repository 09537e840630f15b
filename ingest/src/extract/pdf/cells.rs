//! Lines of a table, cut into cells, and which of them are one row.
//!
//! A row may have several lines: its cells wrap. Three things tell a wrapped line from a new row,
//! in this order: a rule drawn between rows; rows that stand further apart than the lines within
//! them; and room: text wraps only where its next word would not have fitted.

use crate::extract::pdf::layout::Row;
use crate::extract::pdf::script;

/// What one line has in one column.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) text: String,
    x0: f32,
    x1: f32,
    /// Width of its first word.
    first: f32,
    hyphen: bool,
}

/// A line of text across the columns of a table.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) cells: Vec<Option<Cell>>,
}

impl Line {
    pub(super) fn filled(&self) -> usize {
        self.cells.iter().flatten().count()
    }
}

/// Cuts a row at the columns, given as the left edge of each but the first.
pub(super) fn line(row: &Row, starts: &[f32]) -> Line {
    let mut cells: Vec<Option<Cell>> = vec![None; starts.len() + 1];
    for segment in &row.segments {
        let middle = f32::midpoint(segment.x0, segment.x1);
        let column = starts.partition_point(|start| *start <= segment.x0 + 1.0);
        // What begins left of its column's edge (centred or right-aligned) belongs where it mostly is.
        let column = if starts
            .get(column)
            .is_some_and(|next| *next < middle && *next - segment.x0 < segment.size)
        {
            column + 1
        } else {
            column
        };
        let first = segment.words.first().map_or(0.0, |word| word.1 - word.0);
        match &mut cells[column] {
            Some(cell) => {
                push_text(&mut cell.text, cell.hyphen, &segment.text);
                cell.x1 = cell.x1.max(segment.x1);
                cell.hyphen = segment.hyphen;
            }
            empty => {
                *empty = Some(Cell {
                    text: segment.text.clone(),
                    x0: segment.x0,
                    x1: segment.x1,
                    first,
                    hyphen: segment.hyphen,
                });
            }
        }
    }
    Line {
        y: row.y(),
        size: row.size(),
        bold: row.bold(),
        cells,
    }
}

/// Appends a further line of a cell or paragraph.
pub(super) fn push_text(text: &mut String, hyphen: bool, more: &str) {
    if !text.is_empty() && !hyphen && script::joins_with_space(text, more) {
        text.push(' ');
    }
    text.push_str(more);
}

/// The texts of a row's cells.
pub(super) fn texts(lines: &[Line]) -> Vec<String> {
    let columns = lines.first().map_or(0, |line| line.cells.len());
    let mut out = vec![(String::new(), false); columns];
    for line in lines {
        for ((text, hyphen), cell) in out.iter_mut().zip(&line.cells) {
            if let Some(cell) = cell {
                push_text(text, *hyphen, &cell.text);
                *hyphen = cell.hyphen;
            }
        }
    }
    out.into_iter().map(|(text, _)| text).collect()
}

/// What two lines of one column say about each other.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bond {
    /// The second would have fitted behind the first: it begins something new.
    Parted,
    /// It would not have fitted.
    Wrapped,
    Unknown,
}

/// Whether a line of text broke off because its next word did not fit into `width`.
pub(super) fn wraps(width: f32, upper: f32, next_word: f32, size: f32) -> bool {
    // A space is a quarter of the size; justified lines are full to the last point.
    upper + next_word + 0.25 * size > width + 0.5
}

fn bond(upper: &Cell, lower: &Cell, width: f32, size: f32) -> Bond {
    if upper.hyphen {
        return Bond::Wrapped;
    }
    // A label ends with its colon; a capital after a few words is more often a new name than a wrap.
    let capital = lower
        .text
        .starts_with(|c: char| c.is_uppercase() || c.is_numeric());
    if upper.text.ends_with(':') && capital {
        return Bond::Parted;
    }
    let few = upper.text.split(' ').count() <= 4;
    let room = width - (upper.x1 - upper.x0);
    let single = |cell: &Cell| !cell.text.contains(' ');
    if wraps(width, upper.x1 - upper.x0, lower.first, size) {
        if single(upper) && single(lower) || few && capital {
            Bond::Unknown
        } else {
            Bond::Wrapped
        }
    } else if room - lower.first > size {
        Bond::Parted
    } else {
        Bond::Unknown
    }
}

fn is_value(cell: &Cell) -> bool {
    cell.text.contains(|c: char| c.is_ascii_digit()) && !cell.text.contains(char::is_alphabetic)
}

/// True when most lines begin something new.
pub(super) fn are_rows(lines: &[Line]) -> bool {
    let widths = widths(lines);
    let parted = lines
        .windows(2)
        .filter(|pair| verdict(&pair[0], &pair[1], &widths) == Bond::Parted)
        .count();
    lines.len() >= 3 && parted * 2 >= lines.len()
}

/// How two neighbouring lines stand to each other, all columns considered.
fn verdict(upper: &Line, lower: &Line, widths: &[f32]) -> Bond {
    let (mut parted, mut wrapped) = (0, 0);
    for ((upper_cell, lower_cell), width) in upper.cells.iter().zip(&lower.cells).zip(widths) {
        if let (Some(a), Some(b)) = (upper_cell, lower_cell) {
            if is_value(a) && is_value(b) {
                return Bond::Parted; // numbers do not wrap
            }
            match bond(a, b, *width, lower.size) {
                Bond::Parted => parted += 1,
                Bond::Wrapped => wrapped += 1,
                Bond::Unknown => {}
            }
        }
    }
    // A line that brings the first column in begins a row, unless that column is set to the middle.
    let brings_key =
        upper.cells.first().is_some_and(Option::is_none) && lower.cells.first().is_some_and(Option::is_some);
    match (parted, wrapped) {
        (0, 0) => Bond::Unknown,
        (0, _) if brings_key => Bond::Unknown,
        (parted, wrapped) if parted > wrapped => Bond::Parted,
        (0, _) => Bond::Wrapped,
        _ => Bond::Unknown,
    }
}

/// Every cell of the lower line had no room in the upper one.
fn all_wrap(upper: &Line, lower: &Line, widths: &[f32]) -> bool {
    let mut pairs = upper.cells.iter().zip(&lower.cells).zip(widths);
    pairs.all(
        |((upper_cell, lower_cell), width)| match (upper_cell, lower_cell) {
            (Some(a), Some(b)) => bond(a, b, *width, lower.size) == Bond::Wrapped,
            (_, below) => below.is_none(),
        },
    )
}

/// The widest cell of each column.
pub(super) fn widths(lines: &[Line]) -> Vec<f32> {
    let columns = lines.first().map_or(0, |line| line.cells.len());
    let mut widths = vec![0.0_f32; columns];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(&line.cells) {
            if let Some(cell) = cell {
                *width = width.max(cell.x1 - cell.x0);
            }
        }
    }
    widths
}

/// The number of lines of each row. `drawn` are the heights of lines drawn across the table.
pub(super) fn rows(lines: &[Line], drawn: &[f32]) -> Vec<usize> {
    let widths = widths(lines);
    let bonds: Vec<Bond> = lines
        .windows(2)
        .map(|pair| verdict(&pair[0], &pair[1], &widths))
        .collect();
    let is_ruled: Vec<bool> = lines
        .windows(2)
        .map(|pair| {
            // Between the baselines; not the underline of the upper line's own words.
            let (top, bottom) = (pair[0].y + 0.12 * pair[0].size, pair[1].y - 0.3 * pair[1].size);
            drawn.iter().any(|rule| *rule > top && *rule < bottom)
        })
        .collect();
    let inside = bonds.iter().zip(&is_ruled).filter(|(_, across)| !**across);
    let (mut total, mut parted) = (0, 0);
    for (bond, _) in inside {
        total += 1;
        parted += usize::from(*bond == Bond::Parted);
    }
    let bands_drawn = is_ruled.iter().filter(|across| **across).count() + 1;
    // Rules between all rows, or only below the header and between groups.
    let breaks = if bands_drawn >= 3 && parted * 2 <= total {
        is_ruled
    } else {
        let spaced = by_distance(lines, &bonds, &is_ruled).unwrap_or_else(|| by_room(lines, &bonds, &widths));
        spaced.iter().zip(&is_ruled).map(|(a, b)| *a || *b).collect()
    };
    let mut counts = vec![1];
    for is_break in breaks {
        match counts.last_mut() {
            Some(count) if !is_break => *count += 1,
            _ => counts.push(1),
        }
    }
    counts
}

/// Breaks where lines stand further apart than others, if what stands closer belongs together.
fn by_distance(lines: &[Line], bonds: &[Bond], ruled: &[bool]) -> Option<Vec<bool>> {
    let distances: Vec<f32> = lines
        .windows(2)
        .map(|pair| (pair[1].y - pair[0].y) / pair[1].size.max(1.0))
        .collect();
    let mut sorted: Vec<f32> = distances
        .iter()
        .zip(ruled)
        .filter(|(_, ruled)| !**ruled)
        .map(|(distance, _)| *distance)
        .collect();
    sorted.sort_by(f32::total_cmp);
    // Leading is even to a hundredth; a seventh more is deliberate.
    let mut jumps: Vec<(f32, f32)> = sorted
        .windows(2)
        // Lines of one cell are set solid to loose (1.0 to 1.6), never with a line between.
        .filter(|pair| pair[1] > pair[0] * 1.14 && pair[0] < 1.75)
        .map(|pair| (pair[1] / pair[0].max(0.1), f32::midpoint(pair[0], pair[1])))
        .collect();
    jumps.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, limit) in jumps.into_iter().take(4) {
        let breaks: Vec<bool> = distances.iter().map(|distance| *distance > limit).collect();
        let inside = || {
            breaks
                .iter()
                .zip(bonds)
                .zip(ruled)
                .filter(|((far, _), ruled)| !**far && !**ruled)
        };
        let parted = inside().filter(|((_, bond), _)| **bond == Bond::Parted).count();
        let across = || breaks.iter().zip(bonds).filter(|(far, _)| **far);
        let wrapped = across().filter(|(_, bond)| **bond == Bond::Wrapped).count();
        if parted * 5 <= inside().count() * 2 && wrapped * 2 <= across().count().max(1) {
            return Some(breaks);
        }
    }
    None
}

/// Breaks where a line has something of its own in the first column, and everywhere else where
/// text did not have to wrap.
fn by_room(lines: &[Line], bonds: &[Bond], widths: &[f32]) -> Vec<bool> {
    lines
        .windows(2)
        .zip(bonds)
        .map(|(pair, bond)| {
            let (upper, lower) = (&pair[0], &pair[1]);
            let has_key = lower.cells.first().is_some_and(Option::is_some);
            let fewer_or_two = lower.filled() < upper.cells.len() || upper.cells.len() == 2;
            let tight = lower.y - upper.y < 1.9 * lower.size;
            let goes_on = match bond {
                Bond::Parted => false,
                // Words under words may be either; all of them must have wrapped.
                Bond::Wrapped if has_key => fewer_or_two && all_wrap(upper, lower, widths),
                Bond::Wrapped => true,
                Bond::Unknown => !has_key,
            };
            !(goes_on && tight)
        })
        .collect()
}
