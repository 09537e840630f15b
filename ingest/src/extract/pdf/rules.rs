//! The lines and boxes a page draws: what an author put between cells and around notes.

use pdfium_render::prelude::{
    PdfPage, PdfPageObjectCommon, PdfPageObjectsCommon, PdfPagePathObject, PdfPathFillMode,
    PdfPathSegmentType, PdfPathSegments,
};

use crate::extract::pdf::glyphs::Frame;

/// A straight line along one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    /// Height of a horizontal line, place of a vertical one.
    pub(super) at: f32,
    pub(super) from: f32,
    pub(super) to: f32,
}

/// A rectangle: left, right, top, bottom; downwards grows.
pub(super) type Area = [f32; 4];

/// What a page draws beside its text, in the same coordinates as its segments.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) horizontal: Vec<Rule>,
    pub(super) vertical: Vec<Rule>,
    pub(super) boxes: Vec<Area>,
}

/// Pages with more paths are drawings; their lines say nothing about text.
const MAX_PATHS: usize = 3_000;
/// Pieces of one path that are looked at: a grid may be one path, a drawn curve has more.
const MAX_PIECES: u32 = 1_200;
/// Lines are thinner than this, in points; the lowest line of text is taller.
const THIN: f32 = 3.2;
/// Lines shorter than this, in points, are dashes, ticks and parts of letters.
const SHORT: f32 = 7.0;
/// Distance in points within which two lines meet: corners are drawn with gaps of a line's width.
pub(super) const JOINT: f32 = 3.0;

pub(super) fn read(page: &PdfPage<'_>, frame: Frame) -> Rules {
    let mut rules = Rules::default();
    let mut paths = 0;
    for object in page.objects().iter() {
        let Some(path) = object.as_path_object() else {
            continue;
        };
        paths += 1;
        if paths > MAX_PATHS {
            return Rules::default();
        }
        let Ok(bounds) = object.bounds() else {
            continue;
        };
        let rect = frame.upright([
            bounds.left().value,
            bounds.right().value,
            bounds.bottom().value,
            bounds.top().value,
        ]);
        if !rules.add_line(rect) {
            rules.add_path(path, rect, frame);
        }
    }
    rules.horizontal = joined(std::mem::take(&mut rules.horizontal));
    rules.vertical = joined(std::mem::take(&mut rules.vertical));
    rules
}

impl Rules {
    /// Takes a rectangle that is as thin as a line; false when it is not.
    fn add_line(&mut self, [x0, x1, y0, y1]: Area) -> bool {
        let (width, height) = (x1 - x0, y1 - y0);
        if height <= THIN && width > SHORT {
            self.horizontal.push(Rule {
                at: f32::midpoint(y0, y1),
                from: x0,
                to: x1,
            });
        } else if width <= THIN && height > SHORT {
            self.vertical.push(Rule {
                at: f32::midpoint(x0, x1),
                from: y0,
                to: y1,
            });
        } else {
            return width <= THIN && height <= THIN;
        }
        true
    }

    fn add_path(&mut self, path: &PdfPagePathObject<'_>, rect: Area, frame: Frame) {
        let segments = path.segments();
        if segments.len() <= 6 {
            let is_rectangle = path
                .segments()
                .iter()
                .all(|piece| piece.segment_type() != PdfPathSegmentType::BezierTo);
            let visible = path.is_stroked().unwrap_or(false)
                || path.fill_mode().is_ok_and(|mode| mode != PdfPathFillMode::None);
            if is_rectangle && visible && segments.len() >= 4 {
                self.add_box(rect);
            }
            return;
        }
        if segments.len() > MAX_PIECES {
            return;
        }
        let Ok(matrix) = path.matrix() else {
            return;
        };
        let mut from: Option<(f32, f32)> = None;
        for piece in segments.transform(matrix).iter() {
            let (x, y) = (piece.x().value, piece.y().value);
            if let (PdfPathSegmentType::LineTo, Some((a, b))) = (piece.segment_type(), from) {
                self.add_line(frame.upright([a.min(x), a.max(x), b.min(y), b.max(y)]));
            }
            from = Some((x, y));
        }
    }

    /// A box, and its edges as lines.
    fn add_box(&mut self, [x0, x1, y0, y1]: Area) {
        self.boxes.push([x0, x1, y0, y1]);
        for at in [y0, y1] {
            self.horizontal.push(Rule { at, from: x0, to: x1 });
        }
        for at in [x0, x1] {
            self.vertical.push(Rule { at, from: y0, to: y1 });
        }
    }
}

/// Lines that continue or cover each other become one.
fn joined(mut lines: Vec<Rule>) -> Vec<Rule> {
    /// Thinner than the space between two lines of text.
    const SAME: f32 = 1.2;
    lines.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut out: Vec<Rule> = Vec::new();
    let mut rest = lines.as_slice();
    while let Some(first) = rest.first() {
        let (mut level, later) = {
            let count = rest.partition_point(|line| line.at - first.at <= SAME);
            (rest[..count].to_vec(), &rest[count..])
        };
        rest = later;
        level.sort_by(|a, b| a.from.total_cmp(&b.from));
        let start = out.len();
        for line in level {
            match out[start..].last_mut() {
                Some(last) if line.from <= last.to + JOINT => last.to = last.to.max(line.to),
                _ => out.push(line),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_on_one_height_are_one_line() {
        let line = |at, from, to| Rule { at, from, to };
        let lines = vec![
            line(10.4, 20.0, 30.0),
            line(10.0, 0.0, 18.0),
            line(40.0, 0.0, 30.0),
            line(10.0, 90.0, 99.0),
        ];
        assert_eq!(
            joined(lines),
            [
                line(10.0, 0.0, 30.0),
                line(10.0, 90.0, 99.0),
                line(40.0, 0.0, 30.0)
            ]
        );
    }
}
