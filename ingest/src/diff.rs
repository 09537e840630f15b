//! What a new version of a document changed, chunk by chunk.
//!
//! Chunks with the same hash are the same. Where a run of old chunks was replaced by a run of new ones, the most similar
//! of each are shown as one changed chunk, so that an admin reads "the price changed" and not "one removed, one added".

use std::collections::HashMap;

use plumbline_store::ChunkRow;
use serde::Serialize;
use similar::{Algorithm, ChangeTag, DiffOp, TextDiff};

use crate::overlay::{likeness, words};

/// Least likeness of an old and a new chunk to be shown as one that changed.
const CHANGED: f32 = 0.4;

/// Replaced runs longer than this are paired in order only: comparing all with all would be quadratic.
const COMPARED: usize = 60;

/// What changed from one version to another.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct VersionDiff {
    /// Chunks that are the same in both, also where they moved.
    pub unchanged: usize,
    /// Chunks of the newer version alone.
    pub added: Vec<ChunkRow>,
    /// Chunks of the older version alone.
    pub removed: Vec<ChunkRow>,
    /// Chunks whose text changed.
    pub changed: Vec<ChangedChunk>,
}

/// A chunk whose text changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangedChunk {
    /// As it was.
    pub old: ChunkRow,
    /// As it is.
    pub new: ChunkRow,
    /// Likeness of both, 0 to 1.
    pub similarity: f32,
    /// The words in order: kept, removed, inserted.
    pub words: Vec<Piece>,
}

/// A run of words of a changed chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// What happened to it.
    pub change: Change,
    /// Text.
    pub text: String,
}

/// What happened to a run of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// In both.
    Kept,
    /// In the older version alone.
    Removed,
    /// In the newer version alone.
    Inserted,
}

/// Compares the chunks of two versions, each in order.
pub fn diff(old: &[ChunkRow], new: &[ChunkRow]) -> VersionDiff {
    let hashes = |chunks: &[ChunkRow]| chunks.iter().map(|chunk| chunk.hash.clone()).collect::<Vec<_>>();
    let mut out = VersionDiff::default();
    for op in similar::capture_diff_slices(Algorithm::Patience, &hashes(old), &hashes(new)) {
        match op {
            DiffOp::Equal { len, .. } => out.unchanged += len,
            DiffOp::Delete {
                old_index, old_len, ..
            } => {
                out.removed
                    .extend_from_slice(&old[old_index..old_index + old_len]);
            }
            DiffOp::Insert {
                new_index, new_len, ..
            } => {
                out.added.extend_from_slice(&new[new_index..new_index + new_len]);
            }
            DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            } => pair(
                &old[old_index..old_index + old_len],
                &new[new_index..new_index + new_len],
                &mut out,
            ),
        }
    }
    forget_moved(&mut out);
    out
}

/// Pairs the chunks of a replaced run, the most similar first.
fn pair(old: &[ChunkRow], new: &[ChunkRow], out: &mut VersionDiff) {
    let bags = |chunks: &'_ [ChunkRow]| chunks.iter().map(|chunk| chunk.body.clone()).collect::<Vec<_>>();
    let (old_texts, new_texts) = (bags(old), bags(new));
    let old_words: Vec<_> = old_texts.iter().map(|text| words(text)).collect();
    let new_words: Vec<_> = new_texts.iter().map(|text| words(text)).collect();
    let mut likely: Vec<(f32, usize, usize)> = Vec::new();
    for (o, of) in old_words.iter().enumerate() {
        let near = if old.len().max(new.len()) > COMPARED {
            o.min(new.len())..(o + 1).min(new.len())
        } else {
            0..new.len()
        };
        likely.extend(near.map(|n| (likeness(of, &new_words[n]), o, n)));
    }
    likely.retain(|(similarity, ..)| *similarity >= CHANGED);
    likely.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut taken_old, mut taken_new) = (vec![false; old.len()], vec![false; new.len()]);
    let mut changed = Vec::new();
    for (similarity, o, n) in likely {
        if !taken_old[o] && !taken_new[n] {
            (taken_old[o], taken_new[n]) = (true, true);
            changed.push((n, changed_chunk(&old[o], &new[n], similarity)));
        }
    }
    changed.sort_by_key(|(n, _)| *n);
    out.changed.extend(changed.into_iter().map(|(_, chunk)| chunk));
    let left = |chunks: &[ChunkRow], taken: &[bool]| {
        let free = chunks.iter().zip(taken).filter(|(_, taken)| !**taken);
        free.map(|(chunk, _)| chunk.clone()).collect::<Vec<_>>()
    };
    out.removed.extend(left(old, &taken_old));
    out.added.extend(left(new, &taken_new));
}

fn changed_chunk(old: &ChunkRow, new: &ChunkRow, similarity: f32) -> ChangedChunk {
    let mut pieces: Vec<Piece> = Vec::new();
    for change in TextDiff::from_unicode_words(old.body.as_str(), new.body.as_str()).iter_all_changes() {
        let tag = match change.tag() {
            ChangeTag::Equal => Change::Kept,
            ChangeTag::Delete => Change::Removed,
            ChangeTag::Insert => Change::Inserted,
        };
        match pieces.last_mut() {
            Some(piece) if piece.change == tag => piece.text.push_str(change.value()),
            _ => pieces.push(Piece {
                change: tag,
                text: change.value().to_owned(),
            }),
        }
    }
    ChangedChunk {
        old: old.clone(),
        new: new.clone(),
        similarity,
        words: pieces,
    }
}

/// A chunk that was removed here and added there only moved.
fn forget_moved(out: &mut VersionDiff) {
    let mut gone: HashMap<Vec<u8>, usize> = HashMap::new();
    for chunk in &out.removed {
        *gone.entry(chunk.hash.clone()).or_default() += 1;
    }
    let mut moved: HashMap<Vec<u8>, usize> = HashMap::new();
    out.added.retain(|chunk| match gone.get_mut(&chunk.hash) {
        Some(left) if *left > 0 => {
            *left -= 1;
            *moved.entry(chunk.hash.clone()).or_default() += 1;
            false
        }
        _ => true,
    });
    out.unchanged += moved.values().sum::<usize>();
    out.removed.retain(|chunk| match moved.get_mut(&chunk.hash) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    });
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
