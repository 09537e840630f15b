//! Text and the elements that stand for characters.

use crate::extract::docx::item::Look;
use crate::extract::docx::symbol;
use crate::extract::docx::walk::{Frame, Walker};
use crate::extract::docx::xml::Element;

impl Walker<'_> {
    pub(super) fn inline(&mut self, element: &Element<'_>) {
        match element.name() {
            // a tab stop in the paragraph's properties is also called "tab"
            "tab" | "ptab" if !self.in_properties() => self.append(" "),
            "br" | "cr" => self.append("\n"),
            "noBreakHyphen" => self.append("-"),
            "sym" => {
                let code = element
                    .attribute("char")
                    .and_then(|code| u32::from_str_radix(&code, 16).ok());
                let font = element.attribute("font").unwrap_or_default();
                if let Some(code) = code {
                    self.append(&symbol::text(code, &font));
                }
            }
            "fldChar" => self.field_mark(element),
            "footnoteReference" => self.note_reference("footnotes", element),
            "endnoteReference" => self.note_reference("endnotes", element),
            "begChr" | "endChr" => self.bracket(element),
            "altChunk" => self.walked.embedded += 1,
            _ => {}
        }
    }

    fn in_properties(&self) -> bool {
        let nearest = self.frames.iter().rev().take(3);
        nearest
            .into_iter()
            .any(|frame| matches!(frame, Frame::Properties(_)))
    }

    /// A note gets a number in the text and follows its paragraph under the same number. A mark
    /// the author typed himself stays the only one.
    fn note_reference(&mut self, kind: &'static str, element: &Element<'_>) {
        let Some(id) = element.attribute("id") else { return };
        let context = self.context;
        let Some(text) = context.notes.get(kind, id.clone()) else {
            return;
        };
        let own_mark = element
            .attribute("customMarkFollows")
            .is_some_and(|value| !matches!(value.as_str(), "0" | "false" | "off"));
        let known = self.note_numbers.get(&(kind, id.clone())).copied();
        let number = known.unwrap_or(self.note_count + usize::from(!own_mark));
        let mark = if own_mark {
            String::new()
        } else {
            format!("[{number}] ")
        };
        self.append(mark.trim_end());
        if known.is_some() {
            return; // its text stands below its first call
        }
        self.note_count = number;
        self.note_numbers.insert((kind, id), number);
        if let Some(paragraph) = self.paragraph() {
            paragraph.notes.push(format!("{mark}{text}"));
        }
    }

    pub(super) fn append(&mut self, text: &str) {
        if self.is_muted() {
            return;
        }
        let run = self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Run(run) => Some(Some(run)),
            Frame::Paragraph(_) => Some(None),
            _ => None,
        });
        let run = run.flatten().cloned().unwrap_or_default();
        let styles = self.context.styles;
        let style = self
            .paragraph()
            .map(|paragraph| paragraph.style.clone())
            .unwrap_or_default();
        let hidden = run
            .hidden
            .unwrap_or_else(|| styles.is_hidden(&run.style) || styles.is_hidden(&style));
        if hidden {
            self.walked.hidden |= !text.trim().is_empty();
            return;
        }
        let look = Look {
            bold: run
                .bold
                .unwrap_or_else(|| styles.is_bold(&run.style) || styles.is_bold(&style)),
            size: run
                .size
                .or_else(|| styles.size(&run.style))
                .or_else(|| styles.size(&style))
                .unwrap_or_else(|| styles.default_size()),
        };
        let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
        *self.walked.sizes.entry(look.size).or_default() += letters;
        let text = without_glyph_codes(text, &run.font);
        if let Some(paragraph) = self.paragraph() {
            paragraph.append(&text, look);
        }
    }
}

/// Text typed in a symbol font is stored as private-use codes.
fn without_glyph_codes<'a>(text: &'a str, font: &str) -> std::borrow::Cow<'a, str> {
    let is_code = |c: char| matches!(c, '\u{F020}'..='\u{F0FF}');
    if !text.contains(is_code) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_code(c) {
            out.push_str(&symbol::text(u32::from(c), font));
        } else {
            out.push(c);
        }
    }
    out.into()
}
