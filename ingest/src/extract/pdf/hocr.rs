//! The hOCR that tesseract writes: XHTML whose `title` attributes hold places and measures.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::clean;
use crate::extract::pdf::chars::{PageChars, Segment};
use crate::extract::pdf::layout::median;

/// Words tesseract is less sure of than this, in percent, are specks of dirt.
const SPECK: f32 = 15.0;
/// Gaps wider than this many font sizes separate table cells or columns.
const WIDE_GAP: f32 = 1.6;
/// Share by which the measured sizes of one font differ from line to line.
const SIZE_NOISE: f32 = 0.3;

/// What tesseract read in the picture of one page; measures are in points.
#[derive(Debug, Default)]
pub(super) struct Recognised {
    lines: Vec<Line>,
}

#[derive(Debug, Default)]
struct Line {
    x0: f32,
    bottom: f32,
    /// The base line rises by `slope` per point and starts `offset` from the bottom of the box.
    slope: f32,
    offset: f32,
    size: f32,
    /// Degrees, against the clock, by which its letters are turned.
    angle: f32,
    words: Vec<Word>,
}

#[derive(Debug, Default)]
struct Word {
    text: String,
    x0: f32,
    x1: f32,
    confidence: f32,
}

/// `None` when it is not XML.
pub(super) fn parse(hocr: &[u8], points_per_pixel: f32) -> Option<Recognised> {
    let hocr = String::from_utf8_lossy(hocr);
    let mut reader = Reader::from_str(&hocr);
    let mut lines: Vec<Line> = Vec::new();
    let mut in_word = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) if tag.name().as_ref() == "span" => {
                let (class, title) = (attribute(&tag, "class"), attribute(&tag, "title"));
                if class == "ocrx_word" {
                    in_word = true;
                    let line = lines.last_mut()?;
                    line.words.push(Word::new(&title, points_per_pixel)?);
                } else if class.starts_with("ocr_") {
                    in_word = false;
                    lines.push(Line::new(&title, points_per_pixel)?);
                }
            }
            Event::Text(text) if in_word => add(&mut lines, &text),
            Event::GeneralRef(entity) if in_word => {
                let known = match &*entity {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    _ => "'",
                };
                add(&mut lines, known);
            }
            Event::End(tag) if tag.name().as_ref() == "span" => in_word = false,
            Event::Eof => break,
            _ => {}
        }
    }
    for line in &mut lines {
        line.words
            .retain(|word| word.confidence >= SPECK && !word.text.trim().is_empty());
    }
    lines.retain(|line| !line.words.is_empty());
    Some(Recognised { lines })
}

fn add(lines: &mut [Line], text: &str) {
    if let Some(word) = lines.last_mut().and_then(|line| line.words.last_mut()) {
        word.text.push_str(text);
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> String {
    let found = tag
        .attributes()
        .flatten()
        .find(|attribute| attribute.key.as_ref() == name);
    found
        .map(|attribute| attribute.value.to_string())
        .unwrap_or_default()
}

/// The numbers after `name` in a title such as `bbox 1 2 3 4; x_size 40`.
fn numbers(title: &str, name: &str) -> Vec<f32> {
    let property = |part: &str| part.trim().strip_prefix(name).map(str::to_owned);
    let found = title.split(';').find_map(property).unwrap_or_default();
    found
        .split_whitespace()
        .filter_map(|number| number.parse().ok())
        .collect()
}

impl Line {
    fn new(title: &str, scale: f32) -> Option<Self> {
        let [x0, top, x1, bottom] = numbers(title, "bbox ")[..] else {
            return None;
        };
        let (slope, offset) = match numbers(title, "baseline ")[..] {
            [slope, offset] => (slope, offset),
            _ => (0.0, 0.0),
        };
        let size = numbers(title, "x_size ").first().copied().unwrap_or(10.0 / scale);
        let angle = numbers(title, "textangle ").first().copied();
        // tesseract tells angles, except that of text that runs downwards.
        let tall = bottom - top > 2.0 * (x1 - x0);
        let angle = angle.unwrap_or(if tall { 270.0 } else { 0.0 });
        Some(Self {
            angle,
            x0: x0 * scale,
            bottom: bottom * scale,
            slope,
            offset: offset * scale,
            size: size * scale,
            words: Vec::new(),
        })
    }

    /// The base line at the left edge of the page, so that the cells of a table row that was
    /// scanned at an angle are level.
    fn y(&self, slope: f32) -> f32 {
        self.bottom + self.offset - slope * self.x0
    }
}

impl Word {
    fn new(title: &str, scale: f32) -> Option<Self> {
        let [x0, _, x1, _] = numbers(title, "bbox ")[..] else {
            return None;
        };
        Some(Self {
            text: String::new(),
            x0: x0 * scale,
            x1: x1 * scale,
            confidence: numbers(title, "x_wconf ").first().copied().unwrap_or(0.0),
        })
    }

    fn chars(&self) -> usize {
        self.text.chars().filter(|c| !c.is_whitespace()).count()
    }
}

impl Recognised {
    fn words(&self) -> impl Iterator<Item = &Word> {
        self.lines.iter().flat_map(|line| &line.words)
    }

    pub(super) fn chars(&self) -> usize {
        self.words().map(Word::chars).sum()
    }

    /// The angle most characters are turned by, when it is not upright: 90, 180 or 270.
    pub(super) fn turned(&self) -> Option<u16> {
        let chars = |line: &Line| line.words.iter().map(Word::chars).sum::<usize>();
        let by = |angle: u16| {
            let turned = self
                .lines
                .iter()
                .filter(|line| (line.angle - f32::from(angle)).abs() < 1.0);
            turned.map(chars).sum::<usize>()
        };
        [90, 180, 270]
            .into_iter()
            .find(|angle| by(*angle) * 2 > self.chars())
    }

    /// The mean over all characters, in percent.
    pub(super) fn confidence(&self) -> u32 {
        #[expect(clippy::cast_precision_loss, reason = "a mean needs no precision")]
        let weigh = |word: &Word| (word.confidence * word.chars() as f32, word.chars() as f32);
        let (sum, chars) = self
            .words()
            .map(weigh)
            .fold((0.0, 0.0), |(sum, all), (part, chars)| (sum + part, all + chars));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a percentage is small and not negative"
        )]
        let percent = (sum / f32::max(chars, 1.0)) as u32;
        percent
    }

    /// The page as if it had been read from letters.
    pub(super) fn page(&self) -> PageChars {
        let slope = median(self.lines.iter().map(|line| line.slope));
        let usual = median(self.lines.iter().map(|line| line.size));
        let mut segments: Vec<Segment> = Vec::new();
        for line in &self.lines {
            let noisy = (line.size - usual).abs() <= usual * SIZE_NOISE;
            let size = if noisy { usual } else { line.size };
            for cell in line.words.chunk_by(|a, b| b.x0 - a.x1 < size * WIDE_GAP) {
                segments.push(segment(cell, line.y(slope), size, segments.len()));
            }
        }
        let chars = self.chars();
        PageChars {
            segments,
            chars,
            recognised: chars,
            ..PageChars::default()
        }
    }
}

fn segment(words: &[Word], y: f32, size: f32, order: usize) -> Segment {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let mut text = clean::one_line(&texts.join(" "));
    let stem = text.strip_suffix(['-', '‐']);
    let broken = stem
        .filter(|stem| stem.ends_with(char::is_alphabetic))
        .map(str::to_owned);
    let hyphen = broken.is_some();
    if let Some(stem) = broken {
        text = stem;
    }
    Segment {
        text,
        x0: words.first().map_or(0.0, |word| word.x0),
        x1: words.last().map_or(0.0, |word| word.x1),
        y,
        size,
        bold: false,
        order,
        hyphen,
        space_after: true,
        part: None,
        words: words.iter().map(|word| (word.x0, word.x1)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<div class='ocr_page' title='bbox 0 0 100 100'>\
        <span class='ocr_line' title=\"bbox 100 50 900 90; baseline 0.01 -8; x_size 40\">\
        <span class='ocrx_word' title='bbox 100 50 200 90; x_wconf 96'>Salt</span> \
        <span class='ocrx_word' title='bbox 215 50 300 90; x_wconf 90'><em>&amp;</em></span> \
        <span class='ocrx_word' title='bbox 700 50 900 90; x_wconf 94'>2.50</span> \
        <span class='ocrx_word' title='bbox 905 50 906 90; x_wconf 3'>|</span></span></div>";

    #[test]
    fn words_become_cells_and_specks_vanish() {
        let read = parse(PAGE.as_bytes(), 0.5).unwrap();
        assert_eq!((read.chars(), read.confidence()), (9, 94));
        let page = read.page();
        let cells: Vec<_> = page
            .segments
            .iter()
            .map(|cell| (cell.text.as_str(), cell.x0, cell.size))
            .collect();
        assert_eq!(cells, [("Salt &", 50.0, 20.0), ("2.50", 350.0, 20.0)]);
        assert!((page.segments[0].y - 40.5).abs() < 0.01, "{}", page.segments[0].y);
        assert!(parse(b"<span class='ocr_line' title='bbox 1'>", 1.0).is_none());
    }
}
