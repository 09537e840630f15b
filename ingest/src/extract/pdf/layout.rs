//! Reading order: columns of running text are read one after the other, everything else from top
//! to bottom, tables row by row.
//!
//! A column and a table look alike (a vertical gap through many lines). What tells them apart is
//! the text on both sides (lines that fill their column) and the order in which the page draws
//! them (a table is drawn row by row, columns one after the other).

use crate::extract::pdf::chars::Segment;
use crate::extract::pdf::tables::{self, Table};

/// Segments on one baseline, from left to right.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) segments: Vec<Segment>,
}

impl Row {
    pub(super) fn y(&self) -> f32 {
        self.segments
            .iter()
            .map(|segment| segment.y)
            .fold(f32::MIN, f32::max)
    }

    pub(super) fn size(&self) -> f32 {
        self.segments
            .iter()
            .map(|segment| segment.size)
            .fold(0.0, f32::max)
    }

    pub(super) fn x0(&self) -> f32 {
        self.segments.first().map_or(0.0, |segment| segment.x0)
    }

    pub(super) fn x1(&self) -> f32 {
        self.segments
            .iter()
            .map(|segment| segment.x1)
            .fold(f32::MIN, f32::max)
    }

    pub(super) fn text(&self) -> String {
        let texts: Vec<&str> = self
            .segments
            .iter()
            .map(|segment| segment.text.as_str())
            .collect();
        texts.join(" ")
    }

    pub(super) fn bold(&self) -> bool {
        self.segments.iter().all(|segment| segment.bold)
    }

    pub(super) fn hyphen(&self) -> bool {
        self.segments.last().is_some_and(|segment| segment.hyphen)
    }

    pub(super) fn first_order(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| segment.order)
            .min()
            .unwrap_or(0)
    }
}

/// A piece of the page in reading order.
#[derive(Debug)]
pub(super) enum Unit {
    /// Lines of one column.
    Lines(Vec<Row>),
    Table(Table),
}

/// A page in reading order.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) units: Vec<Unit>,
    pub(super) doubt: bool,
}

/// Deepest nesting of columns within columns.
const MAX_SPLITS: usize = 6;
/// Lines a side needs before it is taken for a column.
const MIN_COLUMN_LINES: usize = 4;

pub(super) fn arrange(segments: Vec<Segment>) -> Page {
    let mut page = Page::default();
    split(rows(segments), MAX_SPLITS, &mut page);
    page
}

/// Groups segments by baseline, top to bottom.
pub(super) fn rows(mut segments: Vec<Segment>) -> Vec<Row> {
    segments.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x0.total_cmp(&b.x0)));
    let mut rows: Vec<Row> = Vec::new();
    for segment in segments {
        let fits = rows.last().is_some_and(|row| {
            let first = &row.segments[0];
            (segment.y - first.y).abs() < 0.35 * first.size.min(segment.size).max(4.0)
        });
        match rows.last_mut() {
            Some(row) if fits => row.segments.push(segment),
            _ => rows.push(Row {
                segments: vec![segment],
            }),
        }
    }
    for row in &mut rows {
        row.segments.sort_by(|a, b| a.x0.total_cmp(&b.x0));
        join_markers(row);
    }
    rows
}

/// A bullet or number that hangs before its text belongs to it.
fn join_markers(row: &mut Row) {
    let mut joined: Vec<Segment> = Vec::with_capacity(row.segments.len());
    for segment in row.segments.drain(..) {
        match joined.last_mut() {
            Some(last) if is_marker(&last.text) && segment.x0 - last.x1 < 4.0 * segment.size => {
                last.text = format!("{} {}", last.text, segment.text);
                last.x1 = segment.x1;
                last.bold = segment.bold;
                last.hyphen = segment.hyphen;
                last.size = segment.size;
                last.words.extend(segment.words);
            }
            _ => joined.push(segment),
        }
    }
    row.segments = joined;
}

fn is_marker(text: &str) -> bool {
    let bullet = matches!(
        text,
        "•" | "-"
            | "–"
            | "—"
            | "*"
            | "▪"
            | "◦"
            | "‣"
            | "·"
            | "●"
            | "○"
            | "■"
            | "✓"
            | "✔"
            | "➢"
            | "o"
    ) || (text.chars().count() == 1 && text.chars().all(crate::clean::is_private_use));
    let Some(label) = text.strip_suffix(['.', ')']) else {
        return bullet;
    };
    let label = label.trim_start_matches('(');
    let number = (1..=2).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_digit());
    bullet || number || (label.len() == 1 && label.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// A vertical gap through neighbouring rows, with running text on both sides.
struct Gutter {
    x: f32,
    first: usize,
    last: usize,
    interleaved: bool,
}

fn split(rows: Vec<Row>, depth: usize, page: &mut Page) {
    let gutter = if depth == 0 { None } else { best_gutter(&rows) };
    let Some(gutter) = gutter else {
        leaf(rows, page);
        return;
    };
    page.doubt |= gutter.interleaved;
    let mut above = rows;
    let mut band = above.split_off(gutter.first);
    let below = band.split_off(gutter.last + 1 - gutter.first);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for segment in band.into_iter().flat_map(|row| row.segments) {
        if segment.x1 <= gutter.x + 1.0 {
            left.push(segment)
        } else {
            right.push(segment)
        }
    }
    if !above.is_empty() {
        split(above, depth - 1, page);
    }
    split(self::rows(left), depth - 1, page);
    split(self::rows(right), depth - 1, page);
    if !below.is_empty() {
        split(below, depth - 1, page);
    }
}

/// The gutter with the most lines beside it.
fn best_gutter(rows: &[Row]) -> Option<Gutter> {
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

pub(super) fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// A region without columns: tables are cut out, the rest are lines.
fn leaf(rows: Vec<Row>, page: &mut Page) {
    let mut lines: Vec<Row> = Vec::new();
    for piece in tables::cut(rows) {
        match piece {
            tables::Piece::Row(row) => lines.push(row),
            tables::Piece::Table(table) => {
                flush(&mut lines, page);
                page.units.push(Unit::Table(table));
            }
        }
    }
    flush(&mut lines, page);
}

/// Lines without a table around them. Where a row's parts were drawn far apart they are not one
/// line (a side note, a form): the order of drawing decides, and the page is marked.
fn flush(lines: &mut Vec<Row>, page: &mut Page) {
    if lines.is_empty() {
        return;
    }
    let scattered = |row: &Row| {
        row.segments
            .windows(2)
            .any(|pair| pair[1].order.abs_diff(pair[0].order) > 2)
    };
    let scattered_rows = lines.iter().filter(|row| scattered(row)).count();
    if scattered_rows >= 3 {
        page.doubt = true;
        let mut segments: Vec<Segment> = lines.drain(..).flat_map(|row| row.segments).collect();
        segments.sort_by_key(|segment| segment.order);
        let mut out: Vec<Row> = Vec::new();
        for segment in segments {
            let same = out
                .last()
                .and_then(|row| row.segments.last())
                .is_some_and(|last| {
                    (last.y - segment.y).abs() < 0.35 * last.size
                        && segment.x0 >= last.x1
                        && segment.order <= last.order + 1
                });
            match out.last_mut() {
                Some(row) if same => row.segments.push(segment),
                _ => out.push(Row {
                    segments: vec![segment],
                }),
            }
        }
        out.sort_by_key(Row::first_order);
        page.units.push(Unit::Lines(out));
        return;
    }
    page.units.push(Unit::Lines(std::mem::take(lines)));
}
