//! Where a region has two columns of running text side by side.

use crate::extract::pdf::chars::Segment;
use crate::extract::pdf::layout::{Row, median};
use crate::extract::pdf::rules::Rules;

/// Lines a side needs before it is taken for a column.
const MIN_COLUMN_LINES: usize = 4;

/// A vertical gap through neighbouring rows, with running text on both sides.
pub(super) struct Gutter {
    pub(super) x: f32,
    pub(super) first: usize,
    pub(super) last: usize,
    /// The page draws both columns line by line.
    pub(super) interleaved: bool,
}

/// The gutter with the most lines beside it.
pub(super) fn best_gutter(rows: &[Row], _rules: &Rules) -> Option<Gutter> {
    let mut best: Option<(usize, Gutter)> = None;
    for x in candidates(rows) {
        let mut first = 0;
        while first < rows.len() {
            let crossing = |row: &Row| {
                row.segments
                    .iter()
                    .any(|segment| segment.x0 < x - 1.0 && segment.x1 > x + 1.0)
            };
            let length = rows[first..].iter().take_while(|row| !crossing(row)).count();
            if length > 0
                && let Some((score, gutter)) = judge(rows, first, first + length - 1, x)
                && best.as_ref().is_none_or(|(known, _)| score > *known)
            {
                best = Some((score, gutter));
            }
            first += length + 1;
        }
    }
    best.map(|(_, gutter)| gutter)
}

/// Positions where gaps could be: just left of where many segments begin.
fn candidates(rows: &[Row]) -> Vec<f32> {
    let mut starts: Vec<(f32, usize)> = Vec::new();
    let leftmost = rows.iter().map(Row::x0).fold(f32::MAX, f32::min);
    for segment in rows.iter().flat_map(|row| &row.segments) {
        if segment.x0 < leftmost + 40.0 {
            continue;
        }
        match starts.iter_mut().find(|(x, _)| (*x - segment.x0).abs() < 6.0) {
            Some((x, count)) => {
                *x = x.min(segment.x0);
                *count += 1;
            }
            None => starts.push((segment.x0, 1)),
        }
    }
    starts.retain(|(_, count)| *count >= MIN_COLUMN_LINES);
    starts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    starts.truncate(12);
    starts.into_iter().map(|(x, _)| x - 2.0).collect()
}

/// Whether the rows `first..=last` are two columns of running text beside `x`.
fn judge(rows: &[Row], first: usize, last: usize, x: f32) -> Option<(usize, Gutter)> {
    let is_left = |segment: &&Segment| segment.x1 <= x + 1.0;
    let has_both =
        |row: &&Row| row.segments.iter().any(|s| is_left(&s)) && row.segments.iter().any(|s| !is_left(&s));
    // The band begins and ends where both sides have text; what is above or below stays outside.
    let (mut first, mut last) = (first, last);
    let band = |first: usize, last: usize| rows.get(first..=last).unwrap_or_default();
    let (left, right) = sides(band(first, last), x);
    let (left_span, right_span) = (span(&left)?, span(&right)?);
    let top = left_span.0.max(right_span.0) - 20.0;
    let bottom = left_span.1.min(right_span.1) + 20.0;
    if bottom - top <= 40.0 {
        return None;
    }
    while first < last && rows[first].y() < top {
        first += 1;
    }
    // A column may end much earlier than the other: its tail still belongs to the band.
    while last > first && rows[last].y() > bottom && !band(first, last).iter().any(|row| row.y() <= bottom) {
        last -= 1;
    }
    (first, last) = without_detached_edges(rows, first, last);
    let (left, right) = sides(band(first, last), x);
    if left.len() < MIN_COLUMN_LINES || right.len() < MIN_COLUMN_LINES {
        return None;
    }
    let size = median(left.iter().chain(&right).map(|segment| segment.size));
    let left_edge = left.iter().map(|segment| segment.x1).fold(f32::MIN, f32::max);
    let right_edge = right.iter().map(|segment| segment.x0).fold(f32::MAX, f32::min);
    if right_edge - left_edge < size * 0.6 {
        return None;
    }
    let (left_crowd, right_crowd) = (
        crowded(band(first, last), |s| is_left(&s)),
        crowded(band(first, last), |s| !is_left(&s)),
    );
    // Cells stand next to each other on both sides; of columns, one side is a column of its own.
    if left_crowd.min(right_crowd) > 0.2
        || has_short_parts(&left, left_crowd)
        || has_short_parts(&right, right_crowd)
    {
        return None;
    }
    let both = band(first, last).iter().filter(has_both).count();
    let rowwise = drawn_row_by_row(band(first, last), x);
    let aligned = both * 10 >= left.len().min(right.len()) * 7;
    let fill = fill(&left).min(fill(&right));
    let length = median_chars(&left).min(median_chars(&right));
    let interleaved = aligned && rowwise * 10 >= both * 6;
    let running = if interleaved {
        length >= 28 && fill >= 0.6
    } else if aligned {
        length >= 14 && fill >= 0.45
    } else {
        length >= 8
    };
    running.then_some((
        left.len() + right.len(),
        Gutter {
            x,
            first,
            last,
            interleaved,
        },
    ))
}

/// A page's header and footer stand apart from the columns between them.
fn without_detached_edges(rows: &[Row], first: usize, last: usize) -> (usize, usize) {
    const EDGE_ROWS: usize = 3;
    let apart = |above: usize| {
        rows[above + 1].y() - rows[above].y() > 2.4 * rows[above].size().max(rows[above + 1].size())
    };
    let top = (first..last.min(first + EDGE_ROWS))
        .rev()
        .find(|above| apart(*above) && *above + EDGE_ROWS < last);
    let first = top.map_or(first, |above| above + 1);
    let bottom = (first.max(last.saturating_sub(EDGE_ROWS))..last)
        .find(|above| apart(*above) && first + EDGE_ROWS < *above);
    (first, bottom.unwrap_or(last))
}

fn sides(rows: &[Row], x: f32) -> (Vec<&Segment>, Vec<&Segment>) {
    rows.iter()
        .flat_map(|row| &row.segments)
        .partition(|segment| segment.x1 <= x + 1.0)
}

/// Share of a side's rows that have several parts there.
#[expect(clippy::cast_precision_loss, reason = "a share of the rows of one page")]
fn crowded(rows: &[Row], on_side: impl Fn(&Segment) -> bool) -> f32 {
    let parts = |row: &Row| row.segments.iter().filter(|segment| on_side(segment)).count();
    let present = rows.iter().filter(|row| parts(row) > 0).count();
    let several = rows.iter().filter(|row| parts(row) > 1).count();
    several as f32 / present.max(1) as f32
}

/// True when a side with several parts per row has parts as short as codes or numbers.
fn has_short_parts(side: &[&Segment], crowd: f32) -> bool {
    let short = side.iter().filter(|segment| segment.chars() < 8).count();
    crowd > 0.2 && short * 4 > side.len()
}

fn span(side: &[&Segment]) -> Option<(f32, f32)> {
    let top = side.iter().map(|segment| segment.y).min_by(f32::total_cmp)?;
    let bottom = side.iter().map(|segment| segment.y).max_by(f32::total_cmp)?;
    Some((top, bottom))
}

/// Rows whose right part is drawn directly after their left part.
fn drawn_row_by_row(rows: &[Row], x: f32) -> usize {
    let follows = |row: &&Row| {
        let left = row
            .segments
            .iter()
            .filter(|segment| segment.x1 <= x + 1.0)
            .map(|segment| segment.order)
            .max();
        let right = row
            .segments
            .iter()
            .filter(|segment| segment.x1 > x + 1.0)
            .map(|segment| segment.order)
            .min();
        matches!((left, right), (Some(left), Some(right)) if right == left + 1)
    };
    rows.iter().filter(follows).count()
}

/// How much of the column's width its median line takes.
fn fill(side: &[&Segment]) -> f32 {
    let left = side.iter().map(|segment| segment.x0).fold(f32::MAX, f32::min);
    let right = side.iter().map(|segment| segment.x1).fold(f32::MIN, f32::max);
    median(side.iter().map(|segment| segment.width())) / (right - left).max(1.0)
}

fn median_chars(side: &[&Segment]) -> usize {
    let mut counts: Vec<usize> = side.iter().map(|segment| segment.chars()).collect();
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or(0)
}
