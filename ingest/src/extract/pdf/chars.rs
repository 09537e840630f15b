//! From a page of pdfium to segments: pieces of text on one baseline without a wide gap.
//!
//! Characters are read one by one (the page's own text call loses rotated pages), as UTF-16
//! units (letters outside the basic plane come in two), and turned so that the direction most of
//! the page is written in runs from left to right.

use pdfium_render::prelude::{PdfPageText, PdfPageTextChar};

use crate::clean;

/// A piece of text on one baseline, in page coordinates turned upright.
#[derive(Debug, Clone, Default)]
pub(super) struct Segment {
    pub(super) text: String,
    pub(super) x0: f32,
    pub(super) x1: f32,
    /// Baseline, growing downwards.
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) bold: bool,
    /// Position in the page's drawing order.
    pub(super) order: usize,
    /// Ends with a hyphen that only exists because the line ends.
    pub(super) hyphen: bool,
    /// Left and right end of each word.
    pub(super) words: Vec<(f32, f32)>,
}

impl Segment {
    pub(super) fn width(&self) -> f32 {
        self.x1 - self.x0
    }

    pub(super) fn chars(&self) -> usize {
        self.text.chars().count()
    }
}

/// What was read from one page.
#[derive(Debug, Default)]
pub(super) struct PageChars {
    pub(super) segments: Vec<Segment>,
    /// Text at another angle than the page's: stamps, margin notes, watermarks.
    pub(super) stray: Vec<String>,
    pub(super) chars: usize,
    pub(super) replacement: usize,
    pub(super) private_use: usize,
}

/// One character and where it stands.
#[derive(Debug, Clone, Copy)]
struct Glyph {
    c: char,
    x0: f32,
    x1: f32,
    y: f32,
    size: f32,
    bold: bool,
    /// Quarter turns; `None` when slanted.
    turn: Option<u8>,
}

/// pdfium's mark for a hyphen at a line end.
const LINE_END_HYPHEN: char = '\u{2}';
/// Gaps wider than this many font sizes separate table cells or columns.
const WIDE_GAP: f32 = 1.0;

pub(super) fn read(text: &PdfPageText<'_>) -> PageChars {
    let glyphs = glyphs(text);
    let mut page = PageChars::default();
    for glyph in glyphs
        .iter()
        .filter(|glyph| !glyph.c.is_whitespace() && glyph.c != LINE_END_HYPHEN)
    {
        page.chars += 1;
        page.replacement += usize::from(glyph.c == char::REPLACEMENT_CHARACTER);
        page.private_use += usize::from(clean::is_private_use(glyph.c));
    }
    let upright = dominant_turn(&glyphs);
    let mut stray = String::new();
    let mut body = Vec::with_capacity(glyphs.len());
    for glyph in glyphs {
        if glyph.turn == Some(upright) {
            body.push(glyph);
        } else if glyph.c.is_whitespace() {
            stray.push(glyph.c);
            body.push(glyph);
        } else {
            stray.push(glyph.c);
        }
    }
    page.segments = segments(&body);
    page.stray = stray
        .lines()
        .map(clean::one_line)
        .filter(|line| line.chars().any(char::is_alphanumeric))
        .collect();
    page
}

fn glyphs(text: &PdfPageText<'_>) -> Vec<Glyph> {
    let chars = text.chars();
    let mut out: Vec<Glyph> = Vec::with_capacity(chars.len());
    let mut high: Option<u16> = None;
    let mut bold = false;
    let mut word_starts = true;
    let mut last = Glyph {
        c: ' ',
        x0: 0.0,
        x1: 0.0,
        y: 0.0,
        size: 0.0,
        bold: false,
        turn: Some(0),
    };
    for item in chars.iter() {
        #[expect(clippy::cast_possible_truncation, reason = "pdfium hands out UTF-16 units")]
        let unit = item.unicode_value() as u16;
        let Some(c) = decode(unit, &mut high) else {
            continue;
        };
        if c.is_whitespace() || c.is_control() {
            // pdfium invents these; they stand where the character before them ended
            out.push(Glyph {
                c,
                x0: last.x1,
                ..last
            });
            word_starts = true;
            continue;
        }
        if word_starts {
            bold = is_bold(&item);
            word_starts = false;
        }
        last = place(&item, c, bold).unwrap_or(Glyph { c, ..last });
        out.push(last);
    }
    turn_upright(&mut out);
    out
}

/// Joins surrogate pairs; drops halves and NULs.
fn decode(unit: u16, high: &mut Option<u16>) -> Option<char> {
    match (high.take(), unit) {
        (Some(first), 0xDC00..=0xDFFF) => char::decode_utf16([first, unit]).next()?.ok(),
        (_, 0xD800..=0xDBFF) => {
            *high = Some(unit);
            None
        }
        (_, 0 | 0xFFFE | 0xFFFF) => None,
        (_, unit) => char::from_u32(u32::from(unit)),
    }
}

fn is_bold(item: &PdfPageTextChar<'_>) -> bool {
    let name = item.font_name().to_ascii_lowercase();
    ["bold", "black", "heavy", "semibold", "demi"]
        .iter()
        .any(|word| name.contains(word))
}

/// The glyph in the page's own coordinates; `x0..x1` along x or y, whichever the text runs along.
fn place(item: &PdfPageTextChar<'_>, c: char, bold: bool) -> Option<Glyph> {
    let bounds = item.loose_bounds().ok()?;
    let (origin_x, origin_y) = item.origin().ok()?;
    let matrix = item.matrix().ok()?;
    let (run, rise) = (matrix.a(), matrix.b());
    let scale = (matrix.c() * matrix.c() + matrix.d() * matrix.d()).sqrt();
    let size = (item.unscaled_font_size().value * scale).abs();
    let turn = quarter_turn(run, rise);
    let (left, right, bottom, top) = (
        bounds.left().value,
        bounds.right().value,
        bounds.bottom().value,
        bounds.top().value,
    );
    let (x0, x1, y) = match turn {
        Some(1) => (bottom, top, origin_x.value),
        Some(2) => (-right, -left, origin_y.value),
        Some(3) => (-top, -bottom, -origin_x.value),
        _ => (left, right, -origin_y.value),
    };
    Some(Glyph {
        c,
        x0: x0.min(x1),
        x1: x0.max(x1),
        y,
        size,
        bold,
        turn,
    })
}

/// Which way text runs: 0 to the right, 1 upwards, 2 to the left, 3 downwards.
fn quarter_turn(run: f32, rise: f32) -> Option<u8> {
    const SLACK: f32 = 0.09; // about five degrees
    if rise.abs() <= run.abs() * SLACK {
        Some(if run >= 0.0 { 0 } else { 2 })
    } else if run.abs() <= rise.abs() * SLACK {
        Some(if rise >= 0.0 { 1 } else { 3 })
    } else {
        None
    }
}

/// White space takes the direction of what it follows, which [`glyphs`] has copied already.
fn turn_upright(glyphs: &mut [Glyph]) {
    if let Some(first) = glyphs.iter().position(|glyph| !glyph.c.is_whitespace()) {
        let turn = glyphs[first].turn;
        glyphs[..first].iter_mut().for_each(|glyph| glyph.turn = turn);
    }
}

fn dominant_turn(glyphs: &[Glyph]) -> u8 {
    let mut tally = [0_usize; 4];
    for glyph in glyphs {
        if let (Some(turn), false) = (glyph.turn, glyph.c.is_whitespace()) {
            tally[usize::from(turn)] += 1;
        }
    }
    let best = (0..4_u8).max_by_key(|turn| (tally[usize::from(*turn)], 4 - *turn));
    best.unwrap_or(0)
}

/// Cuts the stream of glyphs where the baseline changes or a gap is wide.
fn segments(glyphs: &[Glyph]) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    let mut open: Option<Segment> = None;
    let mut space = false;
    let mut gaps = WordGaps::default();
    for glyph in glyphs {
        match glyph.c {
            '\n' | '\r' => {
                out.extend(open.take());
                space = false;
                gaps = WordGaps::default();
            }
            LINE_END_HYPHEN | '\u{AD}' => {
                if let Some(mut segment) = open.take() {
                    segment.hyphen = true;
                    out.push(segment);
                }
                space = false;
            }
            c if c.is_whitespace() => space = true,
            c if c.is_control() => {}
            _ => {
                if let Some(segment) = open.as_mut().filter(|segment| continues(segment, glyph, &gaps)) {
                    let gap = glyph.x0 - segment.x1;
                    if space || gap > glyph.size * 0.3 {
                        segment.text.push(' ');
                        segment.words.push((glyph.x0, glyph.x1));
                        gaps.add(gap / glyph.size.max(1.0));
                    }
                    extend(segment, glyph);
                } else {
                    let order = out.len() + usize::from(open.is_some());
                    out.extend(open.take());
                    open = Some(begin(glyph, order));
                }
                space = false;
            }
        }
    }
    out.extend(open);
    for (order, segment) in out.iter_mut().enumerate() {
        segment.order = order;
        segment.text = leaders(&clean::one_line(&segment.text));
    }
    out.retain(|segment| !segment.text.is_empty());
    out
}

fn begin(glyph: &Glyph, order: usize) -> Segment {
    let Glyph {
        c,
        x0,
        x1,
        y,
        size,
        bold,
        ..
    } = *glyph;
    Segment {
        text: c.to_string(),
        x0,
        x1,
        y,
        size,
        bold,
        order,
        hyphen: false,
        words: vec![(x0, x1)],
    }
}

fn extend(segment: &mut Segment, glyph: &Glyph) {
    segment.text.push(glyph.c);
    if let Some((_, end)) = segment.words.last_mut() {
        *end = end.max(glyph.x1);
    }
    segment.x0 = segment.x0.min(glyph.x0);
    segment.x1 = segment.x1.max(glyph.x1);
    // A raised small digit does not move the line or shrink it.
    if glyph.size > segment.size {
        segment.y = glyph.y;
        segment.size = glyph.size;
    }
    segment.bold &= glyph.bold;
}

fn continues(segment: &Segment, glyph: &Glyph, gaps: &WordGaps) -> bool {
    let size = segment.size.max(glyph.size).max(1.0);
    let gap = glyph.x0 - segment.x1;
    let drop = (glyph.y - segment.y).abs();
    let near = gap < size * 0.4 && gap > -size * 0.5;
    let same_line = drop < size * 0.2 || (near && drop < size * 0.55);
    same_line && gap > -size * 0.8 && gap < size * gaps.limit()
}

/// The usual gap between words of the line so far: justified lines have wide ones.
#[derive(Default)]
struct WordGaps {
    sum: f32,
    count: u8,
}

impl WordGaps {
    fn add(&mut self, gap: f32) {
        if self.count < 40 {
            self.sum += gap;
            self.count += 1;
        }
    }

    fn limit(&self) -> f32 {
        if self.count < 3 {
            WIDE_GAP
        } else {
            (self.sum / f32::from(self.count) * 2.2).clamp(WIDE_GAP, 2.2)
        }
    }
}

/// Dot leaders ("Soup ........ 5.50") say nothing; one ellipsis keeps the two ends apart.
fn leaders(text: &str) -> String {
    if !text.contains("....") && !text.contains(". . . .") {
        return text.to_owned();
    }
    let mut out: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        let dots = word.trim_end_matches('.');
        if dots.is_empty() {
            if out.last() != Some(&"…") {
                out.push("…");
            }
        } else if word.len() - dots.len() >= 4 {
            out.extend([dots, "…"]);
        } else if let Some((before, after)) = word.split_once("....") {
            out.extend([before, "…", after.trim_start_matches('.')]);
        } else {
            out.push(word);
        }
    }
    out.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_join_and_leaders_shrink() {
        let mut high = None;
        assert_eq!(decode(0xD83D, &mut high), None);
        assert_eq!(decode(0xDE00, &mut high), Some('😀'));
        assert_eq!(leaders("Soup ........ 5.50"), "Soup … 5.50");
        assert_eq!(leaders("Soup......5.50"), "Soup … 5.50");
        assert_eq!(leaders("Wait... what"), "Wait... what");
    }
}
