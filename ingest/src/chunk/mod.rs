//! Structure-aware chunks: what is found and cited, and the smaller windows that are embedded.
//!
//! A chunk is a contiguous range of the canonical text inside one section. It never runs across a
//! heading of the same or a higher level, with one exception: sections that are tiny on both
//! sides (fewer than `min_tokens`) share a chunk while they fit the target, because a chunk of
//! five words is found by everything and answers nothing. For the same reason a heading without
//! text of its own goes with what follows, and a tiny introduction with its first subsection. Rows are never cut in half; a table that fits a chunk is kept whole; rows of
//! a question-and-answer file are one chunk each.
//!
//! Tokens are counted once per sentence or row and summed, so the cost is linear; text without
//! any boundary is halved until it fits.

mod atoms;
mod tables;
mod windows;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use plumbline_store::ChunkingSettings;

use crate::block::{Block, BlockKind, ByteRange, Extraction};
use atoms::Atom;
use tables::Kind;

/// How many targets long a group of rows without words is.
const NUMBERS_FACTOR: usize = 4;
/// How many targets long a single row may be before it is cut.
const ROW_FACTOR: usize = 4;

/// A piece of a document that is searched and cited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Position in the document, from 0.
    pub ordinal: u32,
    /// Range of the canonical text.
    pub range: ByteRange,
    /// First page, 1-based.
    pub page_from: Option<u32>,
    /// Last page, 1-based.
    pub page_to: Option<u32>,
    /// First data row, 1-based.
    pub row_from: Option<u64>,
    /// Last data row, 1-based.
    pub row_to: Option<u64>,
    /// The headings all of it stands under.
    pub heading_path: Vec<String>,
    /// The canonical text of the range.
    pub text: String,
    /// Tokens of the embedding model, summed over its sentences and rows.
    pub tokens: u32,
    /// SHA-256 of heading path and text: equal chunks are embedded once.
    pub hash: [u8; 32],
    /// Ranges of the canonical text that are embedded; together they cover the chunk, or, in a
    /// table of numbers, its first rows.
    pub windows: Vec<ByteRange>,
}

impl Chunk {
    /// What is embedded of the chunk by a model that reads `max_tokens`: its windows, and after several of them the whole
    /// of it once more. A window knows one thing exactly and the whole knows what it is about; a chunk that answers is
    /// near to its question in both. What the model cannot read to its end, and rows of numbers, have no whole.
    pub fn embedded(&self, max_tokens: usize) -> Vec<ByteRange> {
        let mut ranges = self.windows.clone();
        let covers = ranges.last().is_some_and(|last| last.end == self.range.end);
        if ranges.len() > 1 && covers && usize::try_from(self.tokens).is_ok_and(|tokens| tokens <= max_tokens)
        {
            ranges.push(self.range);
        }
        ranges
    }
}

/// Cuts an extraction into chunks. `count_tokens` counts without special tokens.
pub fn chunk(
    extraction: &Extraction,
    settings: &ChunkingSettings,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Vec<Chunk> {
    let settings = sane(settings);
    let kind = tables::kind(extraction);
    let atoms = atoms::split(extraction, &settings, count_tokens);
    let mut cutter = Cutter {
        extraction,
        settings: &settings,
        atoms: &atoms,
        target: settings.target_tokens * if kind == Kind::Numbers { NUMBERS_FACTOR } else { 1 },
        lead_only: kind == Kind::Numbers,
        chunks: Vec::new(),
    };
    for section in sections(extraction, &atoms, &settings) {
        if kind == Kind::QuestionsAndAnswers {
            cutter.cut_rows(section);
        } else {
            cutter.cut(section);
        }
    }
    cutter.chunks
}

fn sane(settings: &ChunkingSettings) -> ChunkingSettings {
    let target = settings.target_tokens.max(8);
    ChunkingSettings {
        target_tokens: target,
        overlap_tokens: settings.overlap_tokens.min(target / 3),
        window_tokens: settings.window_tokens.clamp(4, target),
        min_tokens: settings.min_tokens.min(target / 2),
    }
}

/// A run of atoms that may share chunks.
#[derive(Debug, Clone, Copy)]
struct Section {
    first: usize,
    end: usize,
    tokens: usize,
    level: u8,
    headings_only: bool,
}

/// Sections between headings, tiny neighbours merged.
fn sections(extraction: &Extraction, atoms: &[Atom], settings: &ChunkingSettings) -> Vec<Section> {
    let mut out: Vec<Section> = Vec::new();
    for (index, atom) in atoms.iter().enumerate() {
        let level = heading_level(&extraction.blocks[atom.block]);
        let begins = level.is_some() && !atom.glued;
        match out.last_mut() {
            Some(section) if !begins => {
                section.end = index + 1;
                section.tokens += atom.tokens;
                section.headings_only &= level.is_some();
            }
            _ => out.push(Section {
                first: index,
                end: index + 1,
                tokens: atom.tokens,
                level: level.unwrap_or(0),
                headings_only: level.is_some(),
            }),
        }
    }
    let mut merged: Vec<Section> = Vec::new();
    for section in out {
        match merged.last_mut() {
            Some(last) if belongs_together(last, &section, settings) => {
                last.end = section.end;
                last.tokens += section.tokens;
                last.headings_only &= section.headings_only;
            }
            _ => merged.push(section),
        }
    }
    merged
}

fn belongs_together(last: &Section, next: &Section, settings: &ChunkingSettings) -> bool {
    let fits = last.tokens + next.tokens <= settings.target_tokens;
    let is_inside = next.level > last.level;
    if last.headings_only && (is_inside || last.tokens < settings.min_tokens) {
        return true;
    }
    let (last_tiny, next_tiny) = (
        last.tokens < settings.min_tokens,
        next.tokens < settings.min_tokens,
    );
    fits && last_tiny && (next_tiny || is_inside)
}

fn heading_level(block: &Block) -> Option<u8> {
    match block.kind {
        BlockKind::Heading { level } => Some(level),
        _ => None,
    }
}

struct Cutter<'a> {
    extraction: &'a Extraction,
    settings: &'a ChunkingSettings,
    atoms: &'a [Atom],
    target: usize,
    /// Only the first rows of a chunk are embedded.
    lead_only: bool,
    chunks: Vec<Chunk>,
}

impl Cutter<'_> {
    fn cut(&mut self, section: Section) {
        let min = self.settings.min_tokens;
        let mut start = section.first;
        let mut done = start;
        let mut left: usize = section.tokens;
        let mut index = section.first;
        let mut tokens = 0;
        while index < section.end {
            let ahead = self.ahead(index, section.end);
            let full = index > start && tokens + ahead > self.target;
            let too_little = tokens < min / 2 && tokens + ahead <= self.target * 2;
            if full && left >= min && !too_little && !self.in_row(index, tokens) {
                // not back into what the chunk before holds already
                let place = self.before_introduction(start, index);
                if place > done {
                    self.push(start, place);
                    done = place;
                    left += self.atoms[place..index]
                        .iter()
                        .map(|atom| atom.tokens)
                        .sum::<usize>();
                    (start, tokens) = self.overlap(start, place);
                    index = place;
                }
            }
            tokens += self.atoms[index].tokens;
            left -= self.atoms[index].tokens;
            index += 1;
        }
        self.push(start, section.end);
    }

    /// A chunk does not end with what introduces the next one: a heading, a short block ending in
    /// a colon or question mark, the caption of a table. Returns where to cut instead.
    fn before_introduction(&self, start: usize, index: usize) -> usize {
        let mut place = index;
        while place > start {
            let (before, after) = (self.atoms[place - 1].block, self.atoms[place].block);
            if before == after {
                break;
            }
            let mut first = place - 1;
            while first > start && self.atoms[first - 1].block == before {
                first -= 1;
            }
            let tokens: usize = self.atoms[first..place].iter().map(|atom| atom.tokens).sum();
            let (block, next) = (&self.extraction.blocks[before], &self.extraction.blocks[after]);
            let text = block.range.of(&self.extraction.text);
            let is_caption = block.kind == BlockKind::Paragraph && next.kind == BlockKind::TableRow;
            let leads_on = text.ends_with([':', '：', '?', '？', '؟']) && block.kind != BlockKind::TableRow;
            let introduces = heading_level(block).is_some() || is_caption || leads_on;
            if !introduces || tokens > self.settings.min_tokens {
                break;
            }
            place = first;
        }
        place
    }

    fn cut_rows(&mut self, section: Section) {
        let mut start = section.first;
        for index in section.first + 1..section.end {
            if !self.atoms[index].glued {
                self.push(start, index);
                start = index;
            }
        }
        self.push(start, section.end);
    }

    /// Tokens that have to be taken with this atom: a whole row, a table that fits one chunk.
    fn ahead(&self, index: usize, end: usize) -> usize {
        let atom = &self.atoms[index];
        match atom.table_tokens {
            Some(tokens) if tokens <= self.target => tokens,
            _ => {
                let rest = self.atoms[index + 1..end].iter().take_while(|next| next.glued);
                let limit = self.settings.target_tokens * ROW_FACTOR;
                let mut row = atom.tokens;
                // No further than it matters: a row can be megabytes, a heading too.
                for next in rest.take(limit) {
                    row += next.tokens;
                    if row > limit {
                        break;
                    }
                }
                if atom.is_row && row <= limit {
                    row
                } else {
                    atom.tokens
                }
            }
        }
    }

    /// Parts of one row stay together unless the row is enormous; a heading stays whole.
    fn in_row(&self, index: usize, tokens: usize) -> bool {
        let atom = &self.atoms[index];
        atom.glued && tokens < self.settings.target_tokens * ROW_FACTOR
    }

    /// Where the next chunk starts: some sentences back in running text, never back into a table
    /// or a heading.
    fn overlap(&self, start: usize, end: usize) -> (usize, usize) {
        let is_text = |index: usize| {
            let atom = &self.atoms[index];
            !atom.is_row && heading_level(&self.extraction.blocks[atom.block]).is_none()
        };
        let (mut first, mut tokens) = (end, 0);
        if !is_text(end) {
            return (end, 0);
        }
        while first > start + 1
            && is_text(first - 1)
            && tokens + self.atoms[first - 1].tokens <= self.settings.overlap_tokens
        {
            first -= 1;
            tokens += self.atoms[first].tokens;
        }
        (first, tokens)
    }

    fn push(&mut self, first: usize, end: usize) {
        let atoms = &self.atoms[first..end];
        let ([head, ..], [.., tail]) = (atoms, atoms) else {
            return;
        };
        let range = ByteRange::new(head.range.start, tail.range.end);
        let blocks = &self.extraction.blocks[head.block..=tail.block];
        let heading_path = common_path(blocks);
        let text = range.of(&self.extraction.text).to_owned();
        self.chunks.push(Chunk {
            ordinal: u32::try_from(self.chunks.len()).unwrap_or(u32::MAX),
            range,
            page_from: blocks.iter().filter_map(|block| block.page).min(),
            page_to: blocks.iter().filter_map(|block| block.page).max(),
            row_from: blocks.iter().filter_map(|block| block.row).min(),
            row_to: blocks.iter().filter_map(|block| block.row).max(),
            hash: hash(&heading_path, &text),
            heading_path,
            text,
            tokens: u32::try_from(atoms.iter().map(|atom| atom.tokens).sum::<usize>()).unwrap_or(u32::MAX),
            windows: windows::pack(atoms, self.settings.window_tokens, self.lead_only),
        });
    }
}

/// The headings that hold for all text of the blocks. Headings themselves do not vote unless
/// there is nothing else.
fn common_path(blocks: &[Block]) -> Vec<String> {
    let text = blocks.iter().filter(|block| heading_level(block).is_none());
    let mut paths = text.map(|block| &block.heading_path);
    let Some(first) = paths.next() else {
        return blocks
            .first()
            .map(|block| block.heading_path.clone())
            .unwrap_or_default();
    };
    let mut length = first.len();
    for path in paths {
        let same = first.iter().zip(path).take_while(|(a, b)| a == b).count();
        length = length.min(same);
    }
    first[..length].to_vec()
}

fn hash(heading_path: &[String], text: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for heading in heading_path {
        hasher.update(heading.as_bytes());
        hasher.update([0x1F]);
    }
    hasher.update([0x1E]);
    hasher.update(text.as_bytes());
    hasher.finalize().into()
}
