//! Formulas on one line: the marks that layout stands for are written out, `a/b`, `x^2`, `√(x)`.

use crate::extract::docx::walk::{Frame, Walker};
use crate::extract::docx::xml::Element;

/// A part of a formula whose place says something.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Denominator,
    Superscript,
    Subscript,
    Numerator,
    Root,
    Brackets(char, char),
}

impl Part {
    pub(super) fn of(element: &Element<'_>) -> Option<Self> {
        if !element.has_prefix("m") {
            return None;
        }
        Some(match element.name() {
            "num" => Self::Numerator,
            "den" => Self::Denominator,
            "sup" => Self::Superscript,
            "sub" => Self::Subscript,
            "rad" => Self::Root,
            "d" => Self::Brackets('(', ')'),
            _ => return None,
        })
    }
}

impl Walker<'_> {
    /// `m:begChr` and `m:endChr` of a pair of brackets.
    pub(super) fn bracket(&mut self, element: &Element<'_>) {
        let mark = element
            .val()
            .and_then(|value| value.chars().next())
            .unwrap_or(' ');
        let open = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Math(Part::Brackets(open, close), _) => Some((open, close)),
            _ => None,
        });
        match (open, element.name()) {
            (Some((open, _)), "begChr") => *open = mark,
            (Some((_, close)), "endChr") => *close = mark,
            _ => {}
        }
    }

    /// Writes a finished part the way one would type it.
    pub(super) fn end_math(&mut self, part: Part, start: usize) {
        let Some(paragraph) = self.paragraph() else { return };
        let Some(content) = paragraph.text.get(start..).map(str::to_owned) else {
            return;
        };
        if content.trim().is_empty() {
            return;
        }
        let grouped = if content.chars().any(|c| "+-−=*/ ".contains(c)) {
            format!("({content})")
        } else {
            content.clone()
        };
        let written = match part {
            Part::Numerator => format!("{grouped}/"),
            Part::Denominator => grouped,
            Part::Superscript => format!("^{grouped}"),
            Part::Subscript => format!("_{grouped}"),
            Part::Root => format!("√({content})"),
            Part::Brackets(open, close) => format!("{open}{content}{close}"),
        };
        paragraph.text.truncate(start);
        paragraph.text.push_str(&written);
    }
}
