//! The characters of a page and where they stand, as pdfium tells them.
//!
//! They are read one by one (the page's own text call loses rotated pages), as UTF-16 units
//! (letters outside the basic plane come in two), and turned so that the direction most of the
//! page is written in runs from left to right. A page written from right to left is mirrored: its
//! letters, columns and cells then follow each other to the right like everywhere else.

use pdfium_render::prelude::{PdfPageText, PdfPageTextChar, PdfRect};

use crate::extract::pdf::hidden::{Scene, Sight};
use crate::extract::pdf::script;

/// One character and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyph {
    pub(super) c: char,
    pub(super) x0: f32,
    pub(super) x1: f32,
    /// Baseline, growing downwards.
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) bold: bool,
    /// Quarter turns; `None` when slanted.
    pub(super) turn: Option<u8>,
    /// White space that pdfium invented; the distance decides whether it is one.
    pub(super) invented: bool,
}

/// How a page's own coordinates became upright ones.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Frame {
    /// Quarter turns of the text.
    pub(super) turn: u8,
    /// Written from right to left.
    pub(super) mirrored: bool,
}

impl Frame {
    /// A rectangle of the page (left, right, bottom, top) as x0, x1 and top, bottom, growing
    /// downwards.
    pub(super) fn upright(self, rect: [f32; 4]) -> [f32; 4] {
        let [left, right, bottom, top] = rect;
        let (x0, x1, y0, y1) = match self.turn {
            1 => (bottom, top, left, right),
            2 => (-right, -left, bottom, top),
            3 => (-top, -bottom, -right, -left),
            _ => (left, right, -top, -bottom),
        };
        if self.mirrored {
            [-x1, -x0, y0, y1]
        } else {
            [x0, x1, y0, y1]
        }
    }
}

/// All characters in the order they are drawn, and the frame they were put into. Characters at
/// another angle than the frame's keep their `turn`.
pub(super) fn read(text: &PdfPageText<'_>, scene: &Scene<'_>) -> (Vec<Glyph>, Frame, Seen) {
    let (mut glyphs, seen) = glyphs(text, scene);
    let mut frame = Frame {
        turn: dominant_turn(&glyphs),
        mirrored: false,
    };
    let (right_to_left, letters) =
        glyphs
            .iter()
            .fold((0_usize, 0_usize), |(right_to_left, letters), glyph| {
                (
                    right_to_left + usize::from(script::is_right_to_left(glyph.c)),
                    letters + usize::from(glyph.c.is_alphabetic()),
                )
            });
    if right_to_left * 2 > letters {
        frame.mirrored = true;
        for glyph in &mut glyphs {
            (glyph.x0, glyph.x1) = (-glyph.x1, -glyph.x0);
        }
    }
    (glyphs, frame, seen)
}

/// Characters that are not simply read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// A reader cannot see them; they are left out.
    pub(super) hidden: usize,
    /// A recogniser laid them over a picture.
    pub(super) recognised: usize,
    /// The file does not say which letters they are.
    pub(super) nameless: usize,
}

fn glyphs(text: &PdfPageText<'_>, scene: &Scene<'_>) -> (Vec<Glyph>, Seen) {
    let mut seen = Seen::default();
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
        invented: false,
    };
    for item in chars.iter() {
        #[expect(clippy::cast_possible_truncation, reason = "pdfium hands out UTF-16 units")]
        let unit = item.unicode_value() as u16;
        let Some(c) = decode(unit, &mut high) else {
            seen.nameless += usize::from(unit == 0);
            continue;
        };
        if c.is_whitespace() || c.is_control() {
            // it stands where the character before it ended
            out.push(Glyph {
                c,
                x0: last.x1,
                invented: c == ' ' && item.is_generated().unwrap_or(false),
                ..last
            });
            word_starts = true;
            continue;
        }
        let bounds = item.loose_bounds().ok();
        match bounds.map_or(Sight::Visible, |bounds| scene.sight(&item, &bounds)) {
            Sight::Hidden => {
                seen.hidden += 1;
                continue;
            }
            Sight::Recognised => seen.recognised += 1,
            Sight::Visible => {}
        }
        if word_starts {
            bold = is_bold(&item);
            word_starts = false;
        }
        let glyph = bounds
            .and_then(|bounds| place(&item, &bounds, c, bold))
            .unwrap_or(Glyph { c, ..last });
        if is_redrawn(&out, &glyph) {
            continue;
        }
        last = glyph;
        out.push(last);
    }
    turn_upright(&mut out);
    share_boxes(&mut out);
    (out, seen)
}

/// The letters of a ligature all claim the ligature's box; each gets its share.
fn share_boxes(glyphs: &mut [Glyph]) {
    const SAME: f32 = 0.01;
    let alike = |a: &Glyph, b: &Glyph| {
        (a.x0 - b.x0).abs() < SAME && (a.x1 - b.x1).abs() < SAME && (a.y - b.y).abs() < SAME && a.x1 > a.x0
    };
    for letters in glyphs.chunk_by_mut(alike).filter(|letters| letters.len() > 1) {
        #[expect(clippy::cast_precision_loss, reason = "a ligature has a few letters")]
        let share = (letters[0].x1 - letters[0].x0) / letters.len() as f32;
        let mut at = letters[0].x0;
        for letter in letters {
            (letter.x0, letter.x1) = (at, at + share);
            at += share;
        }
    }
}

/// The same character at the place of one of the last few: drawn again to look bold, or the second
/// piece of a letter whose pieces all claim to be the whole (as some fonts of Thai do).
fn is_redrawn(known: &[Glyph], glyph: &Glyph) -> bool {
    /// Far enough for the pieces of one syllable.
    const LOOK_BACK: usize = 6;
    /// In font sizes; two equal letters side by side are at least an "l" apart (0.22).
    const SAME_PLACE: f32 = 0.08;
    // Not the one just before: the two letters of a ligature share one place.
    let Some((_, known)) = known.split_last() else {
        return false;
    };
    let near = known.len().saturating_sub(LOOK_BACK);
    let middle = glyph.x0 + glyph.x1;
    let reach = SAME_PLACE * glyph.size;
    known[near..].iter().any(|other| {
        other.c == glyph.c
            && (other.x0 + other.x1 - middle).abs() < 2.0 * reach
            && (other.y - glyph.y).abs() < reach
    })
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
fn place(item: &PdfPageTextChar<'_>, bounds: &PdfRect, c: char, bold: bool) -> Option<Glyph> {
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
        invented: false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_join() {
        let mut high = None;
        assert_eq!(decode(0xD83D, &mut high), None);
        assert_eq!(decode(0xDE00, &mut high), Some('😀'));
        assert_eq!(decode(0xDE00, &mut high), None);
    }

    #[test]
    fn a_frame_turns_rectangles_as_it_turns_text() {
        let turned = |turn| {
            let frame = Frame {
                turn,
                mirrored: false,
            };
            format!("{:?}", frame.upright([10.0, 30.0, 100.0, 150.0]))
        };
        assert_eq!(turned(0), "[10.0, 30.0, -150.0, -100.0]");
        assert_eq!(turned(1), "[100.0, 150.0, 10.0, 30.0]");
        assert_eq!(turned(2), "[-30.0, -10.0, 100.0, 150.0]");
        assert_eq!(turned(3), "[-150.0, -100.0, -30.0, -10.0]");
    }
}
