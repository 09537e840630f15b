//! Tables whose cells are drawn: rules that cross form a grid, and its cells are the table's.

use crate::extract::pdf::cells;
use crate::extract::pdf::chars::Segment;
use crate::extract::pdf::layout::{Row, rows};
use crate::extract::pdf::rules::{Area, JOINT, Rule, Rules};
use crate::extract::pdf::tables::Table;

/// A grid's lines: places of the columns' and the rows' borders.
struct Grid {
    xs: Vec<f32>,
    ys: Vec<f32>,
    horizontal: Vec<Rule>,
    vertical: Vec<Rule>,
}

/// Rules beyond this many are a drawing or graph paper.
const MAX_RULES: usize = 400;
/// Borders closer than this, in points, are one: no text fits between.
const NARROW: f32 = 4.5;
/// Text lines per row above which a grid frames a layout and holds no table.
const MAX_LINES_PER_ROW: usize = 9;

/// The tables drawn on a page and where they stand.
pub(super) fn tables(segments: &[Segment], rules: &Rules) -> Vec<(Area, Table)> {
    grids(rules)
        .iter()
        .filter_map(|grid| grid.table(segments))
        .collect()
}

/// True when a point is in an area.
pub(super) fn holds(area: Area, segment: &Segment) -> bool {
    let x = f32::midpoint(segment.x0, segment.x1);
    let y = segment.y - 0.3 * segment.size;
    x > area[0] && x < area[1] && y > area[2] && y < area[3]
}

fn grids(rules: &Rules) -> Vec<Grid> {
    let (horizontal, vertical) = (&rules.horizontal, &rules.vertical);
    if horizontal.len() < 2 || vertical.len() < 2 || horizontal.len() + vertical.len() > MAX_RULES {
        return Vec::new();
    }
    let meets = |h: &Rule, v: &Rule| {
        h.from <= v.at + JOINT && h.to >= v.at - JOINT && v.from <= h.at + JOINT && v.to >= h.at - JOINT
    };
    // Every vertical rule begins a group of its own; horizontal ones join the groups they meet.
    let mut groups: Vec<(Vec<Rule>, Vec<Rule>)> = vertical.iter().map(|v| (Vec::new(), vec![*v])).collect();
    for h in horizontal {
        let (mut met, apart): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|(_, verticals)| verticals.iter().any(|v| meets(h, v)));
        groups = apart;
        if let Some((mut horizontals, mut verticals)) = met.pop() {
            for (more_horizontals, more_verticals) in met {
                horizontals.extend(more_horizontals);
                verticals.extend(more_verticals);
            }
            horizontals.push(*h);
            groups.push((horizontals, verticals));
        }
    }
    groups
        .into_iter()
        .filter(|(horizontals, verticals)| horizontals.len() >= 2 && verticals.len() >= 2)
        .map(|(horizontal, vertical)| Grid {
            xs: places(
                vertical
                    .iter()
                    .map(|v| v.at)
                    .chain(horizontal.iter().flat_map(|h| [h.from, h.to])),
            ),
            ys: places(
                horizontal
                    .iter()
                    .map(|h| h.at)
                    .chain(vertical.iter().flat_map(|v| [v.from, v.to])),
            ),
            horizontal,
            vertical,
        })
        .collect()
}

/// Sorted places, those nearer than any text is high as one.
fn places(values: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut sorted: Vec<f32> = values.collect();
    sorted.sort_by(f32::total_cmp);
    let mut out: Vec<f32> = Vec::new();
    for value in sorted {
        if out.last().is_none_or(|last| value - last > NARROW) {
            out.push(value);
        }
    }
    out
}

impl Grid {
    fn area(&self) -> Area {
        let ends = |places: &[f32]| (places[0], places[places.len() - 1]);
        let ((x0, x1), (y0, y1)) = (ends(&self.xs), ends(&self.ys));
        [x0, x1, y0, y1]
    }

    /// A rule between row `row` and the one below, over column `column`.
    fn is_ruled_below(&self, row: usize, column: usize) -> bool {
        let (y, x) = (
            self.ys[row + 1],
            f32::midpoint(self.xs[column], self.xs[column + 1]),
        );
        self.horizontal
            .iter()
            .any(|h| (h.at - y).abs() <= NARROW && h.from < x && h.to > x)
    }

    fn is_ruled_right(&self, row: usize, column: usize) -> bool {
        let (x, y) = (self.xs[column + 1], f32::midpoint(self.ys[row], self.ys[row + 1]));
        self.vertical
            .iter()
            .any(|v| (v.at - x).abs() <= NARROW && v.from < y && v.to > y)
    }

    fn table(&self, segments: &[Segment]) -> Option<(Area, Table)> {
        if self.xs.len() < 3 || self.ys.len() < 3 {
            return None;
        }
        let area = self.area();
        let inside: Vec<Segment> = segments
            .iter()
            .filter(|segment| holds(area, segment))
            .cloned()
            .collect();
        let lines = rows(inside);
        let row_count = self.ys.len() - 1;
        if lines.is_empty() || lines.len() > MAX_LINES_PER_ROW * row_count {
            return None;
        }
        let mut filled = vec![Vec::new(); row_count];
        for line in cut_at(lines, &self.xs) {
            let y = line.y() - 0.3 * line.size();
            let row = self.ys.partition_point(|at| *at <= y).clamp(1, row_count) - 1;
            filled[row].push(line);
        }
        let (mut grid, mut bold) = (Vec::new(), Vec::new());
        for (row, lines) in filled.iter().enumerate() {
            self.add_rows(row, lines, &mut grid, &mut bold);
        }
        let columns = (0..self.xs.len() - 1)
            .filter(|column| grid.iter().any(|row: &Vec<String>| !row[*column].is_empty()))
            .count();
        let several = grid
            .iter()
            .filter(|row| row.iter().filter(|cell| !cell.is_empty()).count() > 1)
            .count();
        (columns >= 2 && several >= 2 || columns >= 3 && several >= 1)
            .then(|| (area, Table::new(grid, &bold, self.xs.clone())))
    }

    /// The rows that stand between two rules: one, unless only the columns are ruled.
    fn add_rows(&self, row: usize, lines: &[Row], grid: &mut Vec<Vec<String>>, bold: &mut Vec<bool>) {
        let starts = &self.xs[1..self.xs.len() - 1];
        let lines: Vec<cells::Line> = lines.iter().map(|line| cells::line(line, starts)).collect();
        if lines.is_empty() {
            return;
        }
        // Where only the columns are ruled, the lines between two rules are rows of their own.
        let counts = if cells::are_rows(&lines) {
            cells::rows(&lines, &[])
        } else {
            vec![lines.len()]
        };
        let mut rest = lines.as_slice();
        for (index, count) in counts.into_iter().enumerate() {
            let (own, later) = rest.split_at(count);
            rest = later;
            let mut texts = cells::texts(own);
            self.spread(row, &mut texts);
            if let Some(above) = grid.last().filter(|_| row > 0 && index == 0) {
                for (column, text) in texts.iter_mut().enumerate() {
                    // A cell that spans rows counts for each of them.
                    if text.is_empty() && !self.is_ruled_below(row - 1, column) {
                        text.clone_from(&above[column]);
                    }
                }
            }
            bold.push(own.iter().all(|line| line.bold));
            grid.push(texts);
        }
    }

    /// A cell that spans columns has its text in the first of them, wherever it was written.
    fn spread(&self, row: usize, texts: &mut [String]) {
        for column in (1..texts.len()).rev() {
            if !self.is_ruled_right(row, column - 1) && !texts[column].is_empty() {
                let text = std::mem::take(&mut texts[column]);
                cells::push_text(&mut texts[column - 1], false, &text);
            }
        }
    }
}

/// Cuts pieces of text that reach over a border at the word behind it.
fn cut_at(lines: Vec<Row>, borders: &[f32]) -> Vec<Row> {
    lines
        .into_iter()
        .map(|row| Row {
            segments: row
                .segments
                .into_iter()
                .flat_map(|segment| segment.cut(borders))
                .collect(),
        })
        .collect()
}
