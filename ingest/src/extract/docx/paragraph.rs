//! One paragraph: what is collected while it is open, and the item it becomes.

use crate::block::BlockKind;
use crate::clean;
use crate::extract::docx::item::{Item, Look};
use crate::extract::docx::link::{self, Link};
use crate::extract::docx::numbering::Numbering;
use crate::extract::docx::styles::Styles;

#[derive(Debug, Default)]
pub(super) struct Paragraph {
    pub(super) text: String,
    pub(super) style: String,
    pub(super) list_id: Option<String>,
    pub(super) list_level: Option<u8>,
    pub(super) outline: Option<u8>,
    letters: usize,
    bold_letters: usize,
    smallest: Option<u16>,
    pub(super) links: Vec<Link>,
    /// Text boxes anchored here: they follow the paragraph.
    pub(super) after: Vec<Item>,
    /// Notes referred to here: they follow the paragraph, or the table it is in.
    pub(super) notes: Vec<String>,
    /// A tracked deletion of the paragraph mark: the next paragraph continues this one.
    pub(super) mark_deleted: bool,
    /// Refers to a page or place of this document, as entries of a table of contents do.
    pub(super) refers_inside: bool,
}

impl Paragraph {
    pub(super) fn append(&mut self, text: &str, look: Look) {
        let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
        self.letters += letters;
        if look.bold {
            self.bold_letters += letters;
        }
        if letters > 0 {
            self.smallest = Some(self.smallest.map_or(look.size, |size| size.min(look.size)));
        }
        self.text.push_str(text);
    }

    /// Takes over the text of the paragraph before, whose mark was deleted.
    pub(super) fn continue_from(&mut self, before: Self) {
        self.text = before.text;
        self.links = before.links;
        self.after = before.after;
        self.notes = before.notes;
        self.letters = before.letters;
        self.bold_letters = before.bold_letters;
        self.smallest = before.smallest;
    }

    fn look(&self) -> Look {
        Look {
            bold: self.letters > 0 && self.bold_letters == self.letters,
            size: self.smallest.unwrap_or(0),
        }
    }

    /// The item, with its list label counted; `None` when there is no text.
    pub(super) fn finish(
        &self,
        styles: &Styles,
        numbering: &mut Numbering,
        in_contents: bool,
    ) -> Option<Item> {
        if styles.is_contents(&self.style) || (in_contents && self.is_contents_entry()) {
            return None;
        }
        let heading = styles
            .heading(&self.style)
            .or(self.outline.map(|level| level + 1));
        let text = match heading {
            Some(_) => clean::one_line(&self.text),
            None => lines(&link::with_targets(&self.text, &self.links)),
        };
        if text.is_empty() {
            return None;
        }
        let list = self.list(styles, numbering);
        let label = list
            .as_ref()
            .and_then(|(id, level)| numbering.next(id, *level))
            .map(|label| clean::one_line(&label))
            .filter(|label| !label.is_empty());
        let kind = match (heading, &list, &label) {
            (Some(level), _, _) => BlockKind::Heading { level },
            (None, Some((_, depth)), Some(_)) => BlockKind::ListItem {
                depth: (*depth).max(styles.list_depth(&self.style)),
            },
            _ => BlockKind::Paragraph,
        };
        let text = match label {
            Some(label) => format!("{label} {text}"),
            None => text,
        };
        let look = self.look();
        Some(Item::Block { kind, text, look })
    }

    /// The list this paragraph is an item of, by itself or through its style, and the level.
    fn list(&self, styles: &Styles, numbering: &Numbering) -> Option<(String, u8)> {
        let (style_id, style_level) = styles.list(&self.style);
        let id = self.list_id.clone().or(style_id)?;
        if id.is_empty() || id == "0" {
            return None; // the way to say "no list although the style has one"
        }
        let linked = || numbering.level_of_style(&id, styles.ancestry(&self.style));
        let level = self.list_level.or_else(linked).or(style_level).unwrap_or(0);
        Some((id, level))
    }

    /// An entry of a table of contents refers to a place or ends with a page number. Other text
    /// inside one (a field that was never closed) stays.
    fn is_contents_entry(&self) -> bool {
        self.refers_inside || self.text.trim_end().ends_with(|c: char| c.is_ascii_digit())
    }
}

/// Clean lines without empty ones.
fn lines(raw: &str) -> String {
    let text = clean::characters(raw);
    let lines = text.split('\n').map(clean::collapse);
    let filled: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    filled.join("\n")
}
