//! Atoms: the sentences, rows and headings chunks are made of, each with its tokens.

use unicode_segmentation::UnicodeSegmentation;

use crate::block::{BlockKind, ByteRange, Extraction};
use crate::chunk::ChunkingSettings;

/// A piece that is not cut any further.
#[derive(Debug, Clone)]
pub(super) struct Atom {
    pub(super) range: ByteRange,
    pub(super) tokens: usize,
    /// Index of its block.
    pub(super) block: usize,
    pub(super) is_row: bool,
    /// Continues the row or heading of the atom before it.
    pub(super) glued: bool,
    /// On the first row of a table: tokens of the whole table.
    pub(super) table_tokens: Option<usize>,
}

/// No tokenizer makes tokens this long on average: longer text is cut before it is counted.
const BYTES_PER_TOKEN: usize = 24;
/// Sentence boundaries are looked for in pieces of at most this size.
const SENTENCE_WINDOW: usize = 32 * 1024;
/// What stands between two cells of a row.
const CELL_BREAK: &str = " | ";
/// Bytes on both sides of a cut that are looked at for characters made of several code points.
const GRAPHEME_WINDOW: usize = 64;

pub(super) fn split(
    extraction: &Extraction,
    settings: &ChunkingSettings,
    count: &dyn Fn(&str) -> usize,
) -> Vec<Atom> {
    let mut splitter = Splitter {
        text: &extraction.text,
        window: settings.window_tokens,
        count,
        atoms: Vec::new(),
    };
    for (index, block) in extraction.blocks.iter().enumerate() {
        let whole = matches!(block.kind, BlockKind::TableRow | BlockKind::Heading { .. });
        let is_row = block.kind == BlockKind::TableRow;
        let first = splitter.atoms.len();
        if whole {
            splitter.fit(block.range, index, is_row);
        } else {
            splitter.sentences(block.range, index);
        }
        for atom in splitter.atoms.iter_mut().skip(first + 1).filter(|_| whole) {
            atom.glued = true;
        }
    }
    let mut atoms = splitter.atoms;
    mark_tables(extraction, &mut atoms);
    atoms
}

/// Rows separated by one line break are one table.
fn mark_tables(extraction: &Extraction, atoms: &mut [Atom]) {
    let mut start = 0;
    while start < atoms.len() {
        let mut end = start + 1;
        let adjacent = |a: &Atom, b: &Atom| a.is_row && b.is_row && b.range.start <= a.range.end + 1;
        while end < atoms.len() && adjacent(&atoms[end - 1], &atoms[end]) {
            end += 1;
        }
        if atoms[start].is_row && extraction.rows.is_none() {
            let tokens = atoms[start..end].iter().map(|atom| atom.tokens).sum();
            atoms[start].table_tokens = Some(tokens);
        }
        start = end;
    }
}

struct Splitter<'a> {
    text: &'a str,
    window: usize,
    count: &'a dyn Fn(&str) -> usize,
    atoms: Vec<Atom>,
}

impl Splitter<'_> {
    fn sentences(&mut self, range: ByteRange, block: usize) {
        let text = self.text;
        let mut start = range.start;
        while start < range.end {
            let end = self.boundary(start, range.end, SENTENCE_WINDOW);
            let mut line_start = start;
            for line in text[start..end].split_inclusive('\n') {
                for (offset, sentence) in line.split_sentence_bound_indices() {
                    let first = line_start + offset;
                    self.fit(ByteRange::new(first, first + sentence.len()), block, false);
                }
                line_start += line.len();
            }
            start = end;
        }
    }

    /// Adds a range, halved until it fits a window. A stack instead of recursion: the depth is
    /// small, but the text is a stranger's.
    fn fit(&mut self, range: ByteRange, block: usize, is_row: bool) {
        let mut stack = vec![range];
        while let Some(range) = stack.pop() {
            let Some(range) = trimmed(self.text, range) else {
                continue;
            };
            let text = range.of(self.text);
            let mut tokens = usize::MAX;
            if text.len() <= self.window * BYTES_PER_TOKEN {
                tokens = (self.count)(text);
            }
            let middle = if is_row {
                self.between_cells(range)
            } else {
                self.boundary(range.start, range.end, text.len() / 2)
            };
            if tokens <= self.window || middle == range.end {
                let tokens = if tokens == usize::MAX {
                    (self.count)(text)
                } else {
                    tokens
                };
                self.atoms.push(Atom {
                    range,
                    tokens,
                    block,
                    is_row,
                    glued: false,
                    table_tokens: None,
                });
            } else {
                stack.push(ByteRange::new(middle, range.end));
                stack.push(ByteRange::new(range.start, middle));
            }
        }
    }

    /// Where a row is cut in two: between two cells if there is a place near its middle, so that
    /// a value keeps the name of its column.
    fn between_cells(&self, row: ByteRange) -> usize {
        let text = row.of(self.text);
        let middle = text.floor_char_boundary(text.len() / 2);
        let before = text[..middle].rfind(CELL_BREAK);
        let after = text[middle..].find(CELL_BREAK).map(|found| middle + found);
        let nearest = [before, after]
            .into_iter()
            .flatten()
            .min_by_key(|place| place.abs_diff(middle))
            .filter(|place| place.abs_diff(middle) <= text.len() / 3);
        match nearest {
            Some(place) => row.start + place + CELL_BREAK.len(),
            None => self.boundary(row.start, row.end, text.len() / 2),
        }
    }

    /// A good place to cut near `start + length`: after white space or a clause if there is some,
    /// else between two characters as a reader sees them. Returns `end` when nothing can be cut.
    fn boundary(&self, start: usize, end: usize, length: usize) -> usize {
        if end - start <= length {
            return end;
        }
        let cut = self.text.ceil_char_boundary(start + length);
        let from = self.text.ceil_char_boundary(start + length / 2);
        let near = self.text.get(from..cut).unwrap_or_default();
        let last = near.rfind([' ', '\n', '\t', '、', '，', '；', '。']);
        let place = match last {
            Some(last) => near[last..]
                .chars()
                .next()
                .map_or(cut, |c| from + last + c.len_utf8()),
            None => self.between_graphemes(cut),
        };
        if place > start && place < end {
            place
        } else if cut > start {
            cut.min(end)
        } else {
            next_char(self.text, start).min(end)
        }
    }

    /// The first place from `cut` on that does not tear an accent or a joined emoji from its base.
    /// Only near text is looked at: a stranger's "character" can be a megabyte long.
    fn between_graphemes(&self, cut: usize) -> usize {
        let from = self.text.floor_char_boundary(cut.saturating_sub(GRAPHEME_WINDOW));
        let to = self
            .text
            .ceil_char_boundary((cut + GRAPHEME_WINDOW).min(self.text.len()));
        let near = &self.text[from..to];
        let boundaries = near.grapheme_indices(true).map(|(offset, _)| from + offset);
        boundaries.into_iter().find(|place| *place >= cut).unwrap_or(cut)
    }
}

fn next_char(text: &str, start: usize) -> usize {
    text[start..]
        .chars()
        .next()
        .map_or(start, |c| start + c.len_utf8())
}

/// The range without white space at its ends; `None` when nothing is left.
fn trimmed(text: &str, range: ByteRange) -> Option<ByteRange> {
    let raw = range.of(text);
    let start = range.start + (raw.len() - raw.trim_start().len());
    let length = raw.trim().len();
    (length > 0).then(|| ByteRange::new(start, start + length))
}
