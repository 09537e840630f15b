//! Reading order: columns of running text are read one after the other, everything else from top
//! to bottom, tables row by row.
//!
//! A column and a table look alike (a vertical gap through many lines). What tells them apart is
//! the text on both sides (lines that fill their column) and the order in which the page draws
//! them (a table is drawn row by row, columns one after the other).

use crate::extract::pdf::chars::Segment;
use crate::extract::pdf::columns::best_gutter;
use crate::extract::pdf::rules::{Area, Rules};
use crate::extract::pdf::tables::{self, Table};
use crate::extract::pdf::{grid, lines};

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

    /// Stands for a table or box that was read before.
    pub(super) fn has_part(&self) -> bool {
        self.segments.iter().any(|segment| segment.part.is_some())
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

/// Puts a page's text into reading order.
pub(super) fn arrange(segments: Vec<Segment>, rules: &Rules) -> Page {
    let mut page = Page::default();
    let drawn = grid::tables(&segments, rules);
    let segments = stand_in(segments, &drawn);
    let mut parts: Vec<Option<Table>> = drawn.into_iter().map(|(_, table)| Some(table)).collect();
    let mut reader = Reader {
        page: &mut page,
        parts: &mut parts,
        rules,
    };
    reader.split(rows(segments), MAX_SPLITS);
    page
}

/// Lines inside a drawn table are read already. One piece as wide as the table stands in for each
/// of them, so that columns and paragraphs around it are seen as they are.
fn stand_in(segments: Vec<Segment>, drawn: &[(Area, Table)]) -> Vec<Segment> {
    if drawn.is_empty() {
        return segments;
    }
    let (mut out, mut inside) = (Vec::new(), vec![Vec::new(); drawn.len()]);
    for segment in segments {
        match drawn.iter().position(|(area, _)| grid::holds(*area, &segment)) {
            Some(part) => inside[part].push(segment),
            None => out.push(segment),
        }
    }
    for ((part, segments), (area, _)) in inside.into_iter().enumerate().zip(drawn) {
        for row in rows(segments) {
            out.push(Segment {
                text: row.text(),
                x0: area[0],
                x1: area[1],
                y: row.y(),
                size: row.size(),
                order: row.first_order(),
                words: vec![(area[0], area[1])],
                part: Some(part),
                ..Segment::default()
            });
        }
    }
    out
}

/// Groups segments by baseline, top to bottom.
pub(super) fn rows(segments: Vec<Segment>) -> Vec<Row> {
    let mut rows: Vec<Row> = lines::by_baseline(segments)
        .into_iter()
        .map(|segments| Row { segments })
        .collect();
    for row in &mut rows {
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
        return bullet || is_section_number(text);
    };
    let label = label.trim_start_matches('(');
    let number = (1..=2).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_digit());
    bullet
        || number
        || is_section_number(label)
        || (label.len() == 1 && label.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// "2.1", "3.4.1": the number of a section stands before its title.
fn is_section_number(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    // "12.50" is an amount; sections are counted, and seldom beyond a hundred.
    (2..=4).contains(&parts.len())
        && parts.iter().all(|part| {
            (1..=2).contains(&part.len())
                && !part.starts_with('0')
                && part.bytes().all(|b| b.is_ascii_digit())
        })
        && (parts.len() > 2 || parts[1].len() == 1)
}

/// Cuts a page into units, region by region.
struct Reader<'a> {
    page: &'a mut Page,
    /// Tables that were read from their rules, each emitted once.
    parts: &'a mut Vec<Option<Table>>,
    rules: &'a Rules,
}

impl Reader<'_> {
    fn split(&mut self, rows: Vec<Row>, depth: usize) {
        let gutter = if depth == 0 {
            None
        } else {
            best_gutter(&rows, self.rules)
        };
        let Some(gutter) = gutter else {
            self.leaf(rows);
            return;
        };
        self.page.doubt |= gutter.interleaved;
        let mut above = rows;
        let mut band = above.split_off(gutter.first);
        let below = band.split_off(gutter.last + 1 - gutter.first);
        let (left, right): (Vec<Segment>, Vec<Segment>) = band
            .into_iter()
            .flat_map(|row| row.segments)
            .partition(|segment| segment.x1 <= gutter.x + 1.0);
        for region in [above, self::rows(left), self::rows(right), below] {
            if !region.is_empty() {
                self.split(region, depth - 1);
            }
        }
    }

    /// A region without columns: tables are cut out, the rest are lines.
    fn leaf(&mut self, rows: Vec<Row>) {
        let mut lines: Vec<Row> = Vec::new();
        for piece in tables::cut(rows, &self.rules.horizontal) {
            match piece {
                tables::Piece::Row(row) if row.has_part() => self.place_parts(row, &mut lines),
                tables::Piece::Row(row) => lines.push(row),
                tables::Piece::Table(table) => {
                    flush(&mut lines, self.page);
                    self.page.units.push(Unit::Table(table));
                }
            }
        }
        flush(&mut lines, self.page);
    }

    /// The first line that stands for a table brings all of it.
    fn place_parts(&mut self, row: Row, lines: &mut Vec<Row>) {
        let (parts, text): (Vec<Segment>, Vec<Segment>) = row
            .segments
            .into_iter()
            .partition(|segment| segment.part.is_some());
        if !text.is_empty() {
            lines.push(Row { segments: text });
        }
        for part in parts.iter().filter_map(|segment| segment.part) {
            if let Some(table) = self.parts[part].take() {
                flush(lines, self.page);
                self.page.units.push(Unit::Table(table));
            }
        }
    }
}

pub(super) fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
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
