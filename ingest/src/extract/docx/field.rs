//! Fields: a reader sees the result, never the instruction.
//!
//! A complex field is a run of marks, begin … instruction … separate … result … end, which may
//! nest and may span paragraphs. Text counts only where every open field is in its result. A
//! field that never gets to its result is forgotten with the paragraph it began in, so a damaged
//! one cannot swallow the document.

use crate::extract::docx::link;
use crate::extract::docx::walk::Walker;
use crate::extract::docx::xml::Element;

/// Deepest nesting that is followed; word processors write three or four.
const MAX_NESTING: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Field {
    instruction: String,
    in_result: bool,
    /// Paragraphs open when it began.
    depth: usize,
    /// Where in the paragraph's text the result begins.
    start: usize,
}

impl Field {
    fn is(&self, name: &str) -> bool {
        let word = self.instruction.split_whitespace().next().unwrap_or_default();
        word.eq_ignore_ascii_case(name)
    }

    fn is_page_number(&self) -> bool {
        ["PAGE", "NUMPAGES", "SECTIONPAGES"]
            .into_iter()
            .any(|name| self.is(name))
    }
}

impl Walker<'_> {
    /// `w:fldChar`.
    pub(super) fn field_mark(&mut self, element: &Element<'_>) {
        match element.attribute("fldCharType").as_deref() {
            Some("begin") => self.open_field(String::new(), false),
            Some("separate") => {
                let start = self.paragraph().map_or(0, |paragraph| paragraph.text.len());
                if let Some(field) = self.fields.last_mut() {
                    (field.in_result, field.start) = (true, start);
                }
            }
            Some("end") => self.close_field(),
            _ => {}
        }
    }

    /// Begins a field; a simple one starts with its result.
    pub(super) fn open_field(&mut self, instruction: String, in_result: bool) {
        let depth = self.open_paragraphs();
        let start = self.paragraph().map_or(0, |paragraph| paragraph.text.len());
        if self.fields.len() < MAX_NESTING {
            self.fields.push(Field {
                instruction,
                in_result,
                depth,
                start,
            });
        }
    }

    pub(super) fn field_instruction(&mut self, text: &str) {
        if let Some(field) = self.fields.last_mut().filter(|field| !field.in_result) {
            field.instruction.push_str(text);
        }
    }

    pub(super) fn close_field(&mut self) {
        let Some(field) = self.fields.pop().filter(|field| field.in_result) else {
            return;
        };
        let same_paragraph = field.depth == self.open_paragraphs();
        if let Some(address) = link::field_target(&field.instruction).filter(|_| same_paragraph) {
            self.add_link(field.start, address);
        }
        let refers_inside = field.is("PAGEREF") || field.instruction.contains("\\l ");
        if let Some(paragraph) = self.paragraph().filter(|_| refers_inside) {
            paragraph.refers_inside = true;
        }
    }

    /// Forgets fields of a closing paragraph that never came to a result.
    pub(super) fn drop_unfinished_fields(&mut self) {
        let depth = self.open_paragraphs();
        self.fields.retain(|field| field.in_result || field.depth < depth);
    }

    /// True where text is not what a reader sees: in an instruction, or the number of the page
    /// in a header, which is another one on each page.
    pub(super) fn is_muted(&self) -> bool {
        self.fields
            .iter()
            .any(|field| !field.in_result || (self.context.in_margin && field.is_page_number()))
    }

    pub(super) fn in_contents_field(&self) -> bool {
        self.fields.iter().any(|field| field.in_result && field.is("TOC"))
    }
}
