//! From items to blocks: the outline, by heading styles and, where nobody used them, by looks.

use std::collections::BTreeSet;

use crate::block::BlockKind;
use crate::extract::builder::{Builder, Origin};
use crate::extract::docx::item::{Item, Look, Walked};

/// Level of a heading that only looks like one, below all styled headings.
const BELOW_STYLED: u8 = 8;
/// More lines than this in a row that all look like headings are something else: an address, a
/// menu, a poem.
const MAX_RUN: usize = 2;

pub(super) fn emit(builder: &mut Builder, walked: &Walked) {
    let items = &walked.items;
    let guessed = guessed_headings(walked);
    // Under a title everything is one level deeper.
    let has_title = items.iter().any(|item| {
        matches!(
            item,
            Item::Block {
                kind: BlockKind::Heading { level: 0 },
                ..
            }
        )
    });
    let mut list = 1_000_000; // groups of lists, far from those of tables
    let mut in_list = false;
    for (item, guess) in items.iter().zip(guessed) {
        let (kind, text, group) = match item {
            Item::Block { kind, text, .. } => {
                let kind = match (*kind, guess) {
                    (BlockKind::Heading { level }, _) => BlockKind::Heading {
                        level: (level + u8::from(has_title)).min(9),
                    },
                    (_, Some(level)) => BlockKind::Heading { level },
                    (other, None) => other,
                };
                let is_item = matches!(kind, BlockKind::ListItem { .. });
                list += u32::from(is_item && !in_list);
                in_list = is_item;
                (kind, text, is_item.then_some(list))
            }
            Item::Row { text, table } => {
                in_list = false;
                (BlockKind::TableRow, text, Some(*table))
            }
        };
        let origin = Origin {
            group,
            ..Origin::default()
        };
        builder.push(kind, text, origin);
    }
}

/// For every item, the level of the heading it looks like.
fn guessed_headings(walked: &Walked) -> Vec<Option<u8>> {
    let items = &walked.items;
    let styled = items.iter().any(Item::is_heading);
    let body = walked.body_size();
    let looks: Vec<Option<Look>> = items.iter().map(|item| heading_look(item, body)).collect();
    let sizes: BTreeSet<u16> = looks
        .iter()
        .flatten()
        .map(|look| look.size)
        .filter(|size| is_larger(*size, body))
        .collect();
    let level = |look: Look| {
        let above = sizes.iter().filter(|size| **size > look.size).count();
        let level = u8::try_from(above + 1).unwrap_or(6).min(6);
        if styled {
            BELOW_STYLED
        } else if is_larger(look.size, body) {
            level
        } else {
            level.max(2)
        }
    };
    let mut out = vec![None; items.len()];
    let mut start = 0;
    while start < items.len() {
        let same = |look: &Option<Look>| look.is_some() && *look == looks[start];
        let run = looks[start..].iter().take_while(|look| same(look)).count();
        let end = start + run.max(1);
        let has_text_below = end < items.len() && !items[end].is_heading();
        if run <= MAX_RUN && has_text_below {
            for index in start..start + run {
                out[index] = looks[index].map(level);
            }
        }
        start = end;
    }
    out
}

/// A short bold or large line without a full stop: what people write who do not know heading
/// styles. A numbered item may be one too ("1. Definitions").
fn heading_look(item: &Item, body: u16) -> Option<Look> {
    let Item::Block { kind, text, look } = item else {
        return None;
    };
    let is_candidate = match kind {
        BlockKind::Paragraph => true,
        BlockKind::ListItem { depth: 0 } => text.starts_with(|c: char| c.is_alphanumeric()),
        _ => false,
    };
    let reads_like_one = text.len() <= 90
        && !text.contains('\n')
        && !text.ends_with(['.', ',', ';', '!', '。'])
        && text.chars().filter(|c| c.is_alphabetic()).count() >= 3;
    (is_candidate && reads_like_one && (look.bold || is_larger(look.size, body))).then_some(*look)
}

/// Clearly larger than the body text, by a fifth or more.
fn is_larger(size: u16, body: u16) -> bool {
    body > 0 && u32::from(size) * 5 >= u32::from(body) * 6
}
