//! What the walk hands on: units of the body in reading order, and how each looked.

use std::collections::HashMap;

use crate::block::BlockKind;

/// How the letters of a paragraph looked: what headings are recognised by where nobody used a
/// heading style.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Every letter is bold.
    pub(super) bold: bool,
    /// Size of the smallest letter in half points; 0 when there is no letter.
    pub(super) size: u16,
}

/// A unit of the body in reading order.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Block {
        kind: BlockKind,
        text: String,
        look: Look,
    },
    Row {
        text: String,
        table: u32,
    },
}

impl Item {
    /// Text that looks like nothing in particular, such as a footnote.
    pub(super) fn plain(text: String) -> Self {
        Self::Block {
            kind: BlockKind::Paragraph,
            text,
            look: Look::default(),
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Block { text, .. } | Self::Row { text, .. } => text,
        }
    }

    pub(super) fn is_heading(&self) -> bool {
        matches!(
            self,
            Self::Block {
                kind: BlockKind::Heading { .. },
                ..
            }
        )
    }
}

/// Footnotes and endnotes by kind and id.
#[derive(Debug, Default)]
pub(super) struct Notes {
    by_key: HashMap<(&'static str, String), String>,
}

impl Notes {
    pub(super) fn add(&mut self, kind: &'static str, notes: Vec<(String, String)>) {
        self.by_key
            .extend(notes.into_iter().map(|(id, text)| ((kind, id), text)));
    }

    pub(super) fn get(&self, kind: &'static str, id: String) -> Option<&str> {
        self.by_key.get(&(kind, id)).map(String::as_str)
    }
}

/// What a part yielded.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) items: Vec<Item>,
    /// Footnotes or endnotes: (id, text).
    pub(super) notes: Vec<(String, String)>,
    /// Some text was formatted as hidden.
    pub(super) hidden: bool,
    /// Whole files embedded in place of text.
    pub(super) embedded: usize,
    /// Letters by their size in half points.
    pub(super) sizes: HashMap<u16, usize>,
}

impl Walked {
    /// The size most letters have.
    pub(super) fn body_size(&self) -> u16 {
        let most = self
            .sizes
            .iter()
            .max_by_key(|(size, letters)| (**letters, **size));
        most.map_or(0, |(size, _)| *size)
    }
}
