//! From the characters of a page to segments: pieces of text on one baseline without a wide gap.
//!
//! Characters come in drawing order, which is the order of the words on most pages. Where it is
//! not (letters one by one, words in any order, a second direction of writing), the pieces are put
//! together by where they stand: [`crate::extract::pdf::lines`].

use pdfium_render::prelude::PdfPageText;

use crate::clean;
use crate::extract::pdf::glyphs::{self, Frame, Glyph};
use crate::extract::pdf::hidden::Scene;
use crate::extract::pdf::{lines, quality, script};

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
    /// The file has a space behind it.
    pub(super) space_after: bool,
    /// Left and right end of each word.
    pub(super) words: Vec<(f32, f32)>,
    /// Stands for a line of this table or box of the page.
    pub(super) part: Option<usize>,
}

impl Segment {
    pub(super) fn chars(&self) -> usize {
        self.text.chars().count()
    }

    /// The parts between given places; a place inside a word does not cut it.
    pub(super) fn cut(self, places: &[f32]) -> Vec<Self> {
        // A word may reach a little over a border: italics, the box of its last letter.
        const OVER: f32 = 1.5;
        let inside = |place: &&f32| **place > self.x0 + OVER && **place < self.x1 - OVER;
        let places: Vec<f32> = places.iter().filter(inside).copied().collect();
        let starts_behind = |index: usize| {
            let (end, start) = (self.words[index - 1].1, self.words[index].0);
            places
                .iter()
                .any(|place| end <= place + OVER && start >= place - OVER)
        };
        let cuts: Vec<usize> = (1..self.words.len())
            .filter(|index| starts_behind(*index))
            .collect();
        self.cut_before(&cuts)
    }

    /// The parts that begin at the given words.
    pub(super) fn cut_before(self, cuts: &[usize]) -> Vec<Self> {
        let texts: Vec<&str> = self.text.split(' ').collect();
        if cuts.is_empty() || texts.len() != self.words.len() {
            return vec![self];
        }
        let mut first = 0;
        let mut parts = Vec::with_capacity(cuts.len() + 1);
        for end in cuts.iter().copied().chain([texts.len()]) {
            let words = self.words[first..end].to_vec();
            parts.push(Self {
                text: texts[first..end].join(" "),
                x0: words[0].0,
                x1: words[words.len() - 1].1,
                hyphen: self.hyphen && end == texts.len(),
                words,
                ..self.clone()
            });
            first = end;
        }
        parts
    }
}

/// A segment that is still growing.
struct Open {
    segment: Segment,
    /// Grows to the left: words of the other direction of writing, or letters drawn last to first.
    leftwards: bool,
    /// Letters are drawn last to first.
    reversed: bool,
    /// Middle of the character drawn last.
    middle: f32,
}

/// What was read from one page.
#[derive(Debug, Default)]
pub(super) struct PageChars {
    /// How coordinates of the page became those of the segments.
    pub(super) frame: Frame,
    pub(super) segments: Vec<Segment>,
    /// Text at another angle than the page's: stamps, margin notes, watermarks.
    pub(super) stray: Vec<String>,
    pub(super) chars: usize,
    pub(super) replacement: usize,
    pub(super) private_use: usize,
    /// Characters a reader cannot see; they were left out.
    pub(super) hidden: usize,
    /// Characters a recogniser laid over a picture.
    pub(super) recognised: usize,
}

impl PageChars {
    /// Characters with a meaning.
    pub(super) fn usable(&self) -> usize {
        self.chars.saturating_sub(self.replacement + self.private_use)
    }

    /// Mostly the work of a recogniser.
    pub(super) fn was_recognised(&self) -> bool {
        self.recognised * 2 > self.chars
    }

    /// Mostly characters without one.
    pub(super) fn is_garbage(&self) -> bool {
        quality::is_useless(quality::share(self.chars - self.usable(), self.chars))
    }
}

/// pdfium's mark for a hyphen at a line end.
const LINE_END_HYPHEN: char = '\u{2}';
/// Gaps wider than this many font sizes separate table cells or columns.
const WIDE_GAP: f32 = 1.0;

pub(super) fn read(text: &PdfPageText<'_>, scene: &Scene<'_>) -> PageChars {
    let (glyphs, frame, seen) = glyphs::read(text, scene);
    let mut page = PageChars {
        frame,
        chars: seen.nameless,
        replacement: seen.nameless,
        hidden: seen.hidden,
        recognised: seen.recognised,
        ..PageChars::default()
    };
    for glyph in glyphs
        .iter()
        .filter(|glyph| !glyph.c.is_whitespace() && glyph.c != LINE_END_HYPHEN)
    {
        page.chars += 1;
        page.replacement += usize::from(glyph.c == char::REPLACEMENT_CHARACTER);
        page.private_use += usize::from(clean::is_private_use(glyph.c));
    }
    let mut stray = String::new();
    let mut body = Vec::with_capacity(glyphs.len());
    for glyph in glyphs {
        if glyph.turn == Some(frame.turn) {
            body.push(glyph);
        } else if glyph.c.is_whitespace() {
            stray.push(glyph.c);
            body.push(glyph);
        } else {
            stray.push(glyph.c);
        }
    }
    page.segments = lines::assemble(segments(&body, frame));
    page.stray = stray
        .lines()
        .map(clean::one_line)
        .filter(|line| line.chars().any(char::is_alphanumeric))
        .collect();
    page
}

/// Cuts the stream of glyphs where the baseline changes or a gap is wide.
fn segments(glyphs: &[Glyph], frame: Frame) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    let mut open: Option<Open> = None;
    let mut space = Space::None;
    let mut gaps = WordGaps::default();
    for glyph in glyphs {
        match glyph.c {
            '\n' | '\r' => {
                out.extend(open.take().map(|open| open.segment));
                space = Space::None;
                gaps = WordGaps::default();
            }
            LINE_END_HYPHEN | '\u{AD}' => {
                out.extend(open.take().map(|open| Segment {
                    hyphen: true,
                    ..open.segment
                }));
                space = Space::None;
            }
            c if c.is_whitespace() => {
                if !glyph.invented {
                    space = Space::Written;
                } else if space == Space::None {
                    space = Space::Invented;
                }
            }
            c if c.is_control() => {}
            _ => {
                if let Some(open) = &mut open {
                    open.take_direction(glyph, frame);
                }
                if let Some(open) = open.as_mut().filter(|open| open.continues(glyph, &gaps, frame)) {
                    let gap = open.gap(glyph);
                    let spaced = parts_words(&open.segment, glyph, gap, space);
                    if spaced {
                        gaps.add(gap / glyph.size.max(1.0));
                    }
                    open.extend(glyph, spaced);
                } else {
                    out.extend(open.take().map(|open| Segment {
                        space_after: space == Space::Written,
                        ..open.segment
                    }));
                    open = Some(Open::begin(glyph, frame));
                }
                space = Space::None;
            }
        }
    }
    out.extend(open.map(|open| open.segment));
    for (order, segment) in out.iter_mut().enumerate() {
        segment.order = order;
        segment.text = leaders(&clean::one_line(&segment.text));
    }
    out.retain(|segment| !segment.text.is_empty());
    out
}

/// White space before a glyph.
#[derive(Clone, Copy, PartialEq)]
enum Space {
    None,
    /// pdfium saw a gap.
    Invented,
    /// The file has a space there.
    Written,
}

/// Whether a word ends between the segment and the glyph.
fn parts_words(segment: &Segment, glyph: &Glyph, gap: f32, space: Space) -> bool {
    // Narrower than any space of a font (0.2 and more); kerning and odd boxes stay below.
    const TOUCHING: f32 = 0.1;
    let gap = gap / glyph.size.max(1.0);
    let unspaced = script::has_no_word_spaces(glyph.c)
        && segment
            .text
            .chars()
            .next_back()
            .is_some_and(script::has_no_word_spaces);
    match space {
        Space::Written => true,
        // Half a character: such scripts are set without any gap.
        _ if unspaced => gap > 0.5,
        Space::Invented => gap > TOUCHING,
        Space::None => gap > 0.3,
    }
}

impl Open {
    fn begin(glyph: &Glyph, frame: Frame) -> Self {
        let Glyph {
            c,
            x0,
            x1,
            y,
            size,
            bold,
            ..
        } = *glyph;
        Self {
            segment: Segment {
                text: c.to_string(),
                x0,
                x1,
                y,
                size,
                bold,
                words: vec![(x0, x1)],
                ..Segment::default()
            },
            leftwards: direction(c, frame) == Some(true),
            reversed: false,
            middle: f32::midpoint(x0, x1),
        }
    }

    /// The second letter of a piece in a right-to-left script tells which way it was drawn: pdfium
    /// hands out most such words from their first letter on, some from their last.
    fn take_direction(&mut self, glyph: &Glyph, frame: Frame) {
        if !script::is_right_to_left(glyph.c) {
            return;
        }
        let mut letters = self.segment.text.chars();
        let (Some(only), None) = (letters.next(), letters.next()) else {
            return;
        };
        if script::is_right_to_left(only) {
            let left = f32::midpoint(glyph.x0, glyph.x1) < self.middle;
            self.reversed = left == frame.mirrored;
            self.leftwards = left;
        }
    }

    /// Distance from the growing end to the glyph.
    fn gap(&self, glyph: &Glyph) -> f32 {
        if self.leftwards {
            self.segment.x0 - glyph.x1
        } else {
            glyph.x0 - self.segment.x1
        }
    }

    fn continues(&self, glyph: &Glyph, gaps: &WordGaps, frame: Frame) -> bool {
        let leftwards = direction(glyph.c, frame).map(|leftwards| leftwards != self.reversed);
        if leftwards.is_some_and(|leftwards| leftwards != self.leftwards) {
            return false;
        }
        let segment = &self.segment;
        let size = segment.size.max(glyph.size).max(1.0);
        let gap = self.gap(glyph);
        let drop = (glyph.y - segment.y).abs();
        let near = gap < size * 0.4 && gap > -size * 0.5;
        let same_line = drop < size * 0.2 || (near && drop < size * 0.55);
        // A letter much larger than its neighbours is a drop capital, which reaches several lines.
        let same_kind = segment.size.min(glyph.size) * 2.2 > size;
        same_line && same_kind && gap > -size * 0.8 && gap < size * gaps.limit()
    }

    fn extend(&mut self, glyph: &Glyph, spaced: bool) {
        let segment = &mut self.segment;
        let place = (glyph.x0, glyph.x1);
        if self.reversed {
            if spaced {
                segment.text.insert(0, ' ');
            }
            segment.text.insert(0, glyph.c);
        } else {
            if spaced {
                segment.text.push(' ');
            }
            segment.text.push(glyph.c);
        }
        match segment.words.last_mut() {
            Some(word) if !spaced => *word = (word.0.min(place.0), word.1.max(place.1)),
            _ => segment.words.push(place),
        }
        self.middle = f32::midpoint(glyph.x0, glyph.x1);
        segment.x0 = segment.x0.min(glyph.x0);
        segment.x1 = segment.x1.max(glyph.x1);
        // A raised small digit does not move the line or shrink it.
        if glyph.size > segment.size {
            segment.y = glyph.y;
            segment.size = glyph.size;
        }
        segment.bold &= glyph.bold;
    }
}

/// Whether a character runs against the page; `None` for signs that go with their neighbours.
fn direction(c: char, frame: Frame) -> Option<bool> {
    if script::is_right_to_left(c) {
        Some(!frame.mirrored)
    } else if c.is_alphanumeric() {
        Some(frame.mirrored)
    } else {
        None
    }
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
    fn leaders_shrink() {
        assert_eq!(leaders("Soup ........ 5.50"), "Soup … 5.50");
        assert_eq!(leaders("Soup......5.50"), "Soup … 5.50");
        assert_eq!(leaders("Wait... what"), "Wait... what");
    }
}
