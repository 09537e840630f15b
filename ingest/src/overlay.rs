//! Finding the passages of overlays again.
//!
//! An overlay was made for a passage of one version. In the next version that passage may be the same, a little
//! different, somewhere else, or gone. Edits are applied to the canonical text before it is cut, so that chunks,
//! windows and citations of an edited passage are like all others; every other overlay lands on a chunk. What cannot be
//! found for certain is a conflict for a person, never a guess.

use std::collections::HashMap;

use plumbline_store::{Overlay, OverlayKind};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::block::{Block, BlockKind, ByteRange, Extraction};

/// Least likeness of a changed passage under the same headings to be taken for the same one.
const SAME_PLACE: f32 = 0.75;

/// The same for a passage under other headings: sections of one price list are as like as 0.85.
const OTHER_PLACE: f32 = 0.9;

/// How much more like the passage must be than the next one: of two that are as like, neither is it for certain.
const MARGIN: f32 = 0.05;

/// A chunk to look at.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    /// Position in its version.
    pub ordinal: u32,
    /// sha256 of heading path and text.
    pub hash: &'a [u8],
    /// Headings above.
    pub headings: &'a [String],
    /// Text.
    pub text: &'a str,
}

/// Where an overlay comes to lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Ordinal of the chunk; none is a conflict.
    pub chunk: Option<u32>,
    /// Likeness of the passage, 0 to 1.
    pub similarity: f32,
    /// What changed, or why it is a conflict.
    pub note: String,
}

/// The chunk of `passages` that `overlay` was made for: the same text, nearest to its old position; else the one that is
/// most like it, when it is like enough.
pub fn find(overlay: &Overlay, passages: &[Passage<'_>]) -> Found {
    let distance =
        |passage: &Passage<'_>| i64::from(passage.ordinal).abs_diff(i64::from(overlay.anchor_ordinal));
    let same = passages
        .iter()
        .filter(|passage| passage.hash == overlay.anchor_hash.as_slice())
        .min_by_key(|passage| distance(passage));
    if let Some(passage) = same {
        return Found {
            chunk: Some(passage.ordinal),
            similarity: 1.0,
            note: String::new(),
        };
    }
    let anchor = words(&overlay.anchor_text);
    let mut alike: Vec<(f32, &Passage<'_>)> = passages
        .iter()
        .map(|passage| (likeness(&anchor, &words(passage.text)), passage))
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(distance(a.1).cmp(&distance(b.1))));
    let (here, there): (Vec<_>, Vec<_>) = alike
        .iter()
        .partition(|(_, passage)| passage.headings == overlay.anchor_headings);
    match (
        certain(&here, SAME_PLACE).or_else(|| certain(&there, OTHER_PLACE)),
        alike.first(),
    ) {
        (Some((similarity, passage)), _) => Found {
            chunk: Some(passage.ordinal),
            similarity,
            note: "the text of the passage changed since".to_owned(),
        },
        (None, Some((similarity, passage))) => Found {
            chunk: None,
            similarity: *similarity,
            note: format!(
                "the passage is not in this version; the most similar chunk, number {}, shares {:.0} % of its words",
                passage.ordinal + 1,
                similarity * 100.0
            ),
        },
        (None, None) => Found {
            chunk: None,
            similarity: 0.0,
            note: "this version has no chunks".to_owned(),
        },
    }
}

/// The first of `alike`, most like first, when it is like enough and no other is about as like.
fn certain<'p, 't>(alike: &[(f32, &'p Passage<'t>)], least: f32) -> Option<(f32, &'p Passage<'t>)> {
    let (best, passage) = *alike.first()?;
    let next = alike.get(1).map_or(0.0, |(next, _)| *next);
    (best >= least && best - next >= MARGIN).then_some((best, passage))
}

/// The words of a text with how often each occurs.
pub(crate) type Words<'a> = HashMap<&'a str, u32>;

pub(crate) fn words(text: &str) -> Words<'_> {
    let mut words = HashMap::new();
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        *words.entry(word).or_insert(0) += 1;
    }
    words
}

/// Dice's coefficient of two bags of words: 1 for the same words, 0 for none in common.
pub(crate) fn likeness(a: &Words<'_>, b: &Words<'_>) -> f32 {
    let size = |bag: &Words<'_>| bag.values().map(|&n| u64::from(n)).sum::<u64>();
    let (all, common) = (
        size(a) + size(b),
        a.iter()
            .map(|(word, &n)| u64::from(n.min(b.get(word).copied().unwrap_or(0))))
            .sum::<u64>(),
    );
    if all == 0 {
        return 1.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "word counts of one chunk")]
    let share = (2 * common) as f32 / all as f32;
    share
}

/// Where an edit was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// Overlay.
    pub overlay: Uuid,
    /// Start of the new text, or why there is none.
    pub place: Result<usize, String>,
}

/// Applies the edits among `overlays`, oldest first, so that a later one may change the text of an earlier one.
pub fn apply_edits(extraction: &mut Extraction, overlays: &[Overlay]) -> Vec<Edited> {
    let mut edited: Vec<Edited> = Vec::new();
    for overlay in overlays
        .iter()
        .filter(|overlay| overlay.kind == OverlayKind::Edit)
    {
        let body = overlay.body.as_deref().unwrap_or_default();
        let place = locate(extraction, overlay).map(|range| {
            let delta = replace(extraction, range, body);
            for earlier in &mut edited {
                if let Ok(start) = &mut earlier.place
                    && *start >= range.end
                {
                    *start = start.saturating_add_signed(delta);
                }
            }
            range.start
        });
        edited.push(Edited {
            overlay: overlay.id,
            place,
        });
    }
    edited
}

/// The one passage an edit was made for; among several equal ones the one under the same headings.
fn locate(extraction: &Extraction, overlay: &Overlay) -> Result<ByteRange, String> {
    let anchor = overlay.anchor_text.as_str();
    if anchor.is_empty() {
        return Err("the edit was made for an empty passage".to_owned());
    }
    let found: Vec<ByteRange> = extraction
        .text
        .match_indices(anchor)
        .map(|(start, text)| ByteRange::new(start, start + text.len()))
        .collect();
    match found.as_slice() {
        [] => Err("the passage that was edited is not in this version, or it changed".to_owned()),
        [only] => Ok(*only),
        several => {
            let under = |range: &&ByteRange| {
                let first = extraction
                    .blocks
                    .partition_point(|block| block.range.end <= range.start);
                extraction
                    .blocks
                    .get(first)
                    .is_some_and(|block| block.heading_path == overlay.anchor_headings)
            };
            let mut here = several.iter().filter(under);
            match (here.next(), here.next()) {
                (Some(range), None) => Ok(*range),
                _ => Err(format!(
                    "the passage that was edited occurs {} times in this version",
                    several.len()
                )),
            }
        }
    }
}

/// Puts `body` in the place of `range` and brings blocks and pages in line; returns by how many bytes the text after it
/// moved. Every line of the new text becomes a block; a line that stands where a block stood keeps its kind.
fn replace(extraction: &mut Extraction, range: ByteRange, body: &str) -> isize {
    let body = body
        .trim()
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\0', "");
    let delta = signed(body.len()) - signed(range.len());
    let first = extraction
        .blocks
        .partition_point(|block| block.range.end <= range.start);
    let end = extraction
        .blocks
        .partition_point(|block| block.range.start < range.end);
    let old: Vec<Block> = extraction.blocks[first..end.max(first)].to_vec();
    let from = old
        .first()
        .map_or(range.start, |block| block.range.start.min(range.start));
    let until = old
        .last()
        .map_or(range.end, |block| block.range.end.max(range.end));
    let old_texts: Vec<String> = old
        .iter()
        .map(|block| block.range.of(&extraction.text).to_owned())
        .collect();
    extraction.text.replace_range(range.start..range.end, &body);
    let until = until.saturating_add_signed(delta);
    let fresh = blocks_of(&extraction.text, ByteRange::new(from, until), &old, &old_texts);
    let renamed = renamed_headings(&extraction.text, &fresh, &old, &old_texts);
    let count = fresh.len();
    extraction.blocks.splice(first..end.max(first), fresh);
    for block in &mut extraction.blocks[first + count..] {
        block.range = shifted(block.range, delta);
        for (was, is) in &renamed {
            for heading in block.heading_path.iter_mut().filter(|heading| *heading == was) {
                heading.clone_from(is);
            }
        }
    }
    for page in &mut extraction.pages {
        if page.range.start >= range.end {
            page.range.start = page.range.start.saturating_add_signed(delta);
        }
        if page.range.end >= range.end {
            page.range.end = page.range.end.saturating_add_signed(delta);
        }
    }
    delta
}

/// The lines of `range` as blocks that take kind, page and row from the blocks that stood there.
fn blocks_of(text: &str, range: ByteRange, old: &[Block], old_texts: &[String]) -> Vec<Block> {
    let lone_code = matches!(old, [block] if block.kind == BlockKind::Code);
    let all_rows = !old.is_empty() && old.iter().all(|block| block.kind == BlockKind::TableRow);
    let lines: Vec<ByteRange> = if lone_code {
        vec![range]
    } else {
        let mut start = range.start;
        let mut lines = Vec::new();
        for line in range.of(text).split_inclusive('\n') {
            let lead = line.len() - line.trim_start().len();
            let length = line.trim().len();
            if length > 0 {
                lines.push(ByteRange::new(start + lead, start + lead + length));
            }
            start += line.len();
        }
        lines
    };
    let as_many = lines.len() == old.len();
    lines
        .iter()
        .enumerate()
        .map(|(index, &line)| {
            let same = old_texts.iter().position(|was| was == line.of(text));
            let model = same.or_else(|| as_many.then_some(index));
            let near = model.unwrap_or(index).min(old.len().saturating_sub(1));
            let near = old.get(near);
            let kind = match model.and_then(|model| old.get(model)) {
                Some(block) => block.kind,
                None if all_rows => BlockKind::TableRow,
                None => BlockKind::Paragraph,
            };
            Block {
                kind,
                range: line,
                page: near.and_then(|block| block.page),
                row: near.and_then(|block| block.row),
                heading_path: near.map(|block| block.heading_path.clone()).unwrap_or_default(),
            }
        })
        .collect()
}

/// Headings whose words were edited: what stands under them must say so.
fn renamed_headings(
    text: &str,
    fresh: &[Block],
    old: &[Block],
    old_texts: &[String],
) -> Vec<(String, String)> {
    if fresh.len() != old.len() {
        return Vec::new();
    }
    fresh
        .iter()
        .zip(old_texts)
        .filter(|(block, was)| {
            matches!(block.kind, BlockKind::Heading { .. }) && block.range.of(text) != was.as_str()
        })
        .map(|(block, was)| (was.clone(), block.range.of(text).to_owned()))
        .collect()
}

fn shifted(range: ByteRange, delta: isize) -> ByteRange {
    ByteRange::new(
        range.start.saturating_add_signed(delta),
        range.end.saturating_add_signed(delta),
    )
}

fn signed(length: usize) -> isize {
    isize::try_from(length).unwrap_or(isize::MAX)
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
