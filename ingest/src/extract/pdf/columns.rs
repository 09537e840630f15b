//! Where a region has two columns of running text side by side.

use crate::extract::pdf::cells;
use crate::extract::pdf::chars::Segment;
use crate::extract::pdf::layout::{Row, median};
use crate::extract::pdf::rules::{Rule, Rules};

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
pub(super) fn best_gutter(rows: &[Row], rules: &Rules) -> Option<Gutter> {
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
                && let Some((score, gutter)) = judge(rows, first, first + length - 1, x, rules)
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
fn judge(rows: &[Row], first: usize, last: usize, x: f32, rules: &Rules) -> Option<(usize, Gutter)> {
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
    let whole = band(first, last);
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
    // A column may hold a table; a side that is mostly short parts beside each other is one.
    if has_short_parts(&left, left_crowd) || has_short_parts(&right, right_crowd) {
        return None;
    }
    let rows = band(first, last);
    let both = rows.iter().filter(has_both).count();
    let rowwise = drawn_row_by_row(rows, x);
    let on_left = rows
        .iter()
        .filter(|row| row.segments.iter().any(|s| is_left(&s)))
        .count();
    let on_right = rows
        .iter()
        .filter(|row| row.segments.iter().any(|s| !is_left(&s)))
        .count();
    let aligned = both * 10 >= on_left.min(on_right) * 7;
    let interleaved = aligned && rowwise * 10 >= both * 6;
    let columns = columns_of(rows, size);
    let narrowest = columns.iter().map(Column::median_chars).min().unwrap_or(0);
    let running =
        if is_ruled_across(rows, x, rules) || is_wrapped_table(whole, &columns_of(whole, size), size) {
            false
        } else if aligned {
            narrowest >= MIN_RUNNING && columns.iter().all(|column| column.runs(interleaved))
        } else {
            narrowest >= 8
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
    crowd > 0.35 && short * 4 > side.len()
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

/// Characters of the usual line of running text beside other columns; shorter ones are cells.
const MIN_RUNNING: usize = 14;

/// The lines between two gutters of a band.
struct Column<'a> {
    lines: Vec<&'a Segment>,
    x0: f32,
    x1: f32,
}

/// All columns of a band, not only the two beside one gutter.
fn columns_of(rows: &[Row], size: f32) -> Vec<Column<'_>> {
    let mut segments: Vec<&Segment> = rows.iter().flat_map(|row| &row.segments).collect();
    segments.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    let mut columns: Vec<Column<'_>> = Vec::new();
    for segment in segments {
        match columns.last_mut() {
            Some(column) if segment.x0 < column.x1 + 0.6 * size => {
                column.x1 = column.x1.max(segment.x1);
                column.lines.push(segment);
            }
            _ => columns.push(Column {
                lines: vec![segment],
                x0: segment.x0,
                x1: segment.x1,
            }),
        }
    }
    for column in &mut columns {
        column.lines.sort_by(|a, b| a.y.total_cmp(&b.y));
    }
    columns
}

impl Column<'_> {
    fn median_chars(&self) -> usize {
        median_chars(&self.lines)
    }

    /// Lines that broke off because the next word had no room, and lines that did not have to.
    fn breaks(&self) -> (usize, usize) {
        let width = self.x1 - self.x0;
        let near = |pair: &&[&Segment]| pair[1].y - pair[0].y < 1.9 * pair[1].size && pair[1].y > pair[0].y;
        let (mut forced, mut free) = (0, 0);
        for pair in self.lines.windows(2).filter(near) {
            let next = pair[1].words.first().map_or(0.0, |word| word.1 - word.0);
            let end = pair[0].x1 - self.x0;
            if pair[0].part.is_some() || pair[0].hyphen || cells::wraps(width, end, next, pair[1].size) {
                forced += 1;
            } else {
                free += 1;
            }
        }
        (forced, free)
    }

    /// Whether this is running text. Columns drawn line by line across the page need more proof.
    fn runs(&self, interleaved: bool) -> bool {
        let (forced, free) = self.breaks();
        let long = self.median_chars() >= if interleaved { 24 } else { MIN_RUNNING };
        let wraps = if interleaved {
            forced * 2 >= free * 3
        } else {
            forced >= free
        };
        // A column may begin with a heading and hold a list, whose lines end where they like.
        long && forced >= 2 && wraps
    }
}

/// Rules drawn through the gutter between the rows are those of a table.
fn is_ruled_across(rows: &[Row], x: f32, rules: &Rules) -> bool {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return false;
    };
    let (top, bottom) = (first.y(), last.y());
    let inside = |rule: &&Rule| rule.at > top && rule.at < bottom && rule.from < x - 8.0 && rule.to > x + 8.0;
    rules.horizontal.iter().filter(inside).count() >= 2
}

/// A table whose cells have several lines looks like columns with many paragraphs. In a table the
/// paragraphs of all columns begin side by side, with space between, and end there; and one of
/// the columns is short: it names what the others explain.
fn is_wrapped_table(rows: &[Row], columns: &[Column<'_>], size: f32) -> bool {
    const MIN_GROUPS: usize = 3;
    let groups = groups(rows, columns);
    let sided: Vec<&&[Row]> = groups
        .iter()
        .filter(|group| {
            columns
                .iter()
                .filter(|column| column.begins(group).is_some())
                .count()
                > 1
        })
        .collect();
    if sided.len() < MIN_GROUPS || rows.len() > sided.len() * 8 {
        return false;
    }
    let level = sided
        .iter()
        .filter(|group| {
            let tops: Vec<f32> = columns.iter().filter_map(|column| column.begins(group)).collect();
            let (top, low) = tops
                .iter()
                .fold((f32::MAX, f32::MIN), |(a, b), y| (a.min(*y), b.max(*y)));
            low - top < 0.5 * size
        })
        .count();
    let shortest = columns
        .iter()
        .map(|column| groups.iter().map(|group| column.lines_in(group)).sum::<usize>())
        .min()
        .unwrap_or(0);
    level * 10 >= sided.len() * 8 && shortest <= sided.len() * 3
}

/// Stretches of rows with more space between them, across all columns, than lines of a column have.
fn groups<'a>(rows: &'a [Row], columns: &[Column<'_>]) -> Vec<&'a [Row]> {
    let leading = columns.iter().map(Column::leading).fold(0.0, f32::max);
    rows.chunk_by(|a, b| b.y() - a.y() <= leading * 1.14).collect()
}

impl Column<'_> {
    /// The closest distance many of its lines have.
    fn leading(&self) -> f32 {
        let mut distances: Vec<f32> = self
            .lines
            .windows(2)
            .map(|pair| pair[1].y - pair[0].y)
            .filter(|distance| *distance > 0.5)
            .collect();
        distances.sort_by(f32::total_cmp);
        distances.get(distances.len() / 4).copied().unwrap_or(0.0)
    }

    fn lines_in(&self, group: &[Row]) -> usize {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            return 0;
        };
        let inside = |line: &&&Segment| line.y >= first.y() - line.size && line.y <= last.y() + 0.5;
        self.lines.iter().filter(inside).count()
    }

    /// Baseline of its first line in a group.
    fn begins(&self, group: &[Row]) -> Option<f32> {
        let (first, last) = (group.first()?, group.last()?);
        let inside = |line: &&&Segment| line.y >= first.y() - line.size && line.y <= last.y() + 0.5;
        self.lines.iter().find(inside).map(|line| line.y)
    }
}

fn median_chars(side: &[&Segment]) -> usize {
    let mut counts: Vec<usize> = side.iter().map(|segment| segment.chars()).collect();
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or(0)
}
