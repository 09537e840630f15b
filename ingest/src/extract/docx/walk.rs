//! The walk over a part's body: one pass, an explicit stack, no recursion.
//!
//! This file knows the order of things: what opens, what closes, where finished items go. What a
//! construct means is in a file of its own: [`paragraph`](super::paragraph), `inline`,
//! `properties`, `field`, `link`, `math`, `table`.

use std::collections::HashMap;

use crate::clean;
use crate::extract::Limits;
use crate::extract::docx::field::Field;
use crate::extract::docx::item::{Item, Notes, Walked};
use crate::extract::docx::link::{self, Link};
use crate::extract::docx::math::Part;
use crate::extract::docx::numbering::Numbering;
use crate::extract::docx::paragraph::Paragraph;
use crate::extract::docx::properties::Run;
use crate::extract::docx::styles::Styles;
use crate::extract::docx::table::{Cell, Row, Table};
use crate::extract::docx::xml::{Element, Event, Problem, Xml};

/// What a part is read with.
pub(super) struct Context<'a> {
    pub(super) limits: &'a Limits,
    pub(super) styles: &'a Styles,
    pub(super) notes: &'a Notes,
    /// Addresses outside the document by relationship id.
    pub(super) links: HashMap<String, String>,
    /// A header or footer: its text is on every page.
    pub(super) in_margin: bool,
}

pub(super) enum Frame {
    Paragraph(Box<Paragraph>),
    Run(Run),
    Table(Box<Table>),
    Row(Row),
    Cell(Cell),
    TextBox(Vec<Item>),
    Note {
        id: String,
        is_separator: bool,
        items: Vec<Item>,
    },
    /// The first branch with content is taken, never two.
    Alternate {
        chosen: bool,
    },
    /// A content control; a placeholder is no text, a table of contents repeats the headings.
    Control {
        placeholder: bool,
        contents: bool,
    },
    Link {
        address: Option<String>,
        start: usize,
    },
    SimpleField,
    Math(Part, usize),
    Text,
    Instruction,
    /// Any element whose properties must not be taken for those of its parent.
    Properties(&'static str),
    Other,
}

/// Elements whose content no reader sees, or sees elsewhere; and the properties something had
/// before a tracked change of its formatting.
const SKIPPED: [&str; 16] = [
    "del",
    "moveFrom",
    "delText",
    "delInstrText",
    "rt",
    "tblPrEx",
    "binData",
    "pPrChange",
    "rPrChange",
    "tblPrChange",
    "trPrChange",
    "tcPrChange",
    "sectPrChange",
    "tblGridChange",
    "numberingChange",
    "ffData",
];

pub(super) struct Walker<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) frames: Vec<Frame>,
    pub(super) fields: Vec<Field>,
    pub(super) walked: Walked,
    pub(super) note_count: usize,
    /// The number each note was given at its first call.
    pub(super) note_numbers: HashMap<(&'static str, String), usize>,
    numbering: &'a mut Numbering,
    /// A paragraph whose mark was deleted: the next one continues it.
    carried: Option<Paragraph>,
    skip_depth: usize,
    tables: u32,
}

impl<'a> Walker<'a> {
    /// Walks the main part, a header, a footer, or a part of notes.
    pub(super) fn walk(
        xml: &str,
        context: &'a Context<'a>,
        numbering: &'a mut Numbering,
    ) -> Result<Walked, Problem> {
        let mut walker = Self {
            context,
            frames: Vec::new(),
            fields: Vec::new(),
            walked: Walked::default(),
            note_count: 0,
            note_numbers: HashMap::new(),
            numbering,
            carried: None,
            skip_depth: 0,
            tables: 0,
        };
        let mut xml = Xml::new(xml, context.limits);
        while let Some(event) = xml.next()? {
            match event {
                Event::Start(_) if walker.skip_depth > 0 => walker.skip_depth += 1,
                Event::End(_) if walker.skip_depth > 0 => walker.skip_depth -= 1,
                Event::Start(element) => walker.start(&element),
                Event::End(_) => walker.end(),
                Event::Text(text) => walker.text_node(&text),
            }
        }
        walker.release_carried();
        Ok(walker.walked)
    }

    fn start(&mut self, element: &Element<'_>) {
        if self.is_skipped(element) {
            self.skip_depth = 1;
            return;
        }
        let frame = self.container(element).unwrap_or_else(|| {
            self.inline(element);
            self.property(element);
            Frame::Other
        });
        self.frames.push(frame);
    }

    /// The frame of an element that holds something.
    fn container(&mut self, element: &Element<'_>) -> Option<Frame> {
        Some(match element.name() {
            "p" => {
                let mut paragraph = Box::<Paragraph>::default();
                if let Some(before) = self.carried.take() {
                    paragraph.continue_from(before);
                }
                Frame::Paragraph(paragraph)
            }
            "r" => Frame::Run(Run::default()),
            "tbl" => {
                self.release_carried();
                Frame::Table(Box::default())
            }
            "tr" => Frame::Row(Row::default()),
            "tc" => Frame::Cell(Cell::default()),
            "txbxContent" => Frame::TextBox(Vec::new()),
            "footnote" | "endnote" => Frame::Note {
                id: element.attribute("id").unwrap_or_default(),
                is_separator: element.attribute("type").is_some_and(|kind| kind != "normal"),
                items: Vec::new(),
            },
            "AlternateContent" => Frame::Alternate { chosen: false },
            "sdt" => Frame::Control {
                placeholder: false,
                contents: false,
            },
            "hyperlink" => self.link(element),
            "fldSimple" => {
                self.open_field(element.attribute("instr").unwrap_or_default(), true);
                Frame::SimpleField
            }
            "t" => Frame::Text,
            "instrText" => Frame::Instruction,
            "pPr" => Frame::Properties("pPr"),
            "rPr" => Frame::Properties("rPr"),
            "tblPr" => Frame::Properties("tblPr"),
            "trPr" => Frame::Properties("trPr"),
            "tcPr" => Frame::Properties("tcPr"),
            "sdtPr" => Frame::Properties("sdtPr"),
            _ => {
                let part = Part::of(element)?;
                Frame::Math(part, self.paragraph()?.text.len())
            }
        })
    }

    /// Deleted text, phonetic guides and the like; the second branch of an alternative; the
    /// placeholder of an empty control. A deletion mark among properties is a property.
    fn is_skipped(&mut self, element: &Element<'_>) -> bool {
        let name = element.name();
        match self.frames.last_mut() {
            Some(Frame::Alternate { chosen }) if matches!(name, "Choice" | "Fallback") => {
                return std::mem::replace(chosen, true);
            }
            Some(Frame::Control {
                placeholder: true, ..
            }) if name == "sdtContent" => return true,
            Some(Frame::Properties(_)) if matches!(name, "del" | "moveFrom") => return false,
            _ => {}
        }
        SKIPPED.contains(&name)
    }

    fn link(&mut self, element: &Element<'_>) -> Frame {
        let start = self.paragraph().map_or(0, |paragraph| paragraph.text.len());
        let target = element.attribute("id").and_then(|id| self.context.links.get(&id));
        let address = target.and_then(|target| link::address(target));
        if element.attribute("anchor").is_some()
            && target.is_none()
            && let Some(paragraph) = self.paragraph()
        {
            paragraph.refers_inside = true;
        }
        Frame::Link { address, start }
    }

    pub(super) fn add_link(&mut self, start: usize, address: String) {
        if let Some(paragraph) = self.paragraph() {
            let end = paragraph.text.len();
            paragraph.links.push(Link { start, end, address });
        }
    }

    pub(super) fn paragraph(&mut self) -> Option<&mut Paragraph> {
        self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Paragraph(paragraph) => Some(paragraph.as_mut()),
            _ => None,
        })
    }

    pub(super) fn open_paragraphs(&self) -> usize {
        let is_paragraph = |frame: &&Frame| matches!(frame, Frame::Paragraph(_));
        self.frames.iter().filter(is_paragraph).count()
    }

    fn text_node(&mut self, text: &str) {
        // White space between elements is layout of the XML, not text.
        match self.frames.last() {
            _ if self.skip_depth > 0 => {}
            Some(Frame::Text) => self.append(text),
            Some(Frame::Instruction) => self.field_instruction(text),
            _ => {}
        }
    }

    fn end(&mut self) {
        match self.frames.last() {
            Some(Frame::Cell(_) | Frame::TextBox(_) | Frame::Note { .. }) => self.release_carried(),
            Some(Frame::Paragraph(_)) => self.drop_unfinished_fields(),
            _ => {}
        }
        match self.frames.pop() {
            Some(Frame::Paragraph(paragraph)) if paragraph.mark_deleted => self.carried = Some(*paragraph),
            Some(Frame::Paragraph(paragraph)) => self.end_paragraph(*paragraph),
            Some(Frame::Link {
                address: Some(address),
                start,
            }) => self.add_link(start, address),
            Some(Frame::SimpleField) => self.close_field(),
            Some(Frame::Math(part, start)) => self.end_math(part, start),
            Some(Frame::Cell(cell)) => self.end_cell(cell),
            Some(Frame::Row(row)) => {
                if let Some(table) = self.table() {
                    table.rows.push(row);
                }
            }
            Some(Frame::Table(table)) => {
                self.tables += 1;
                let items = table.into_items(self.tables, self.context.styles);
                self.emit(items);
            }
            Some(Frame::TextBox(items)) => match self.paragraph() {
                Some(paragraph) => paragraph.after.extend(items),
                None => self.emit(items),
            },
            Some(Frame::Note {
                id,
                is_separator: false,
                items,
            }) => {
                let texts: Vec<&str> = items.iter().map(Item::text).collect();
                self.walked.notes.push((id, clean::collapse(&texts.join(" "))));
            }
            _ => {}
        }
    }

    fn end_cell(&mut self, cell: Cell) {
        let row = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Row(row) => Some(row),
            _ => None,
        });
        match row {
            Some(row) => row.cells.push(cell),
            None => self.emit(cell.items),
        }
    }

    /// The outermost open table's frame is the one that notes follow; the innermost takes rows.
    pub(super) fn table(&mut self) -> Option<&mut Table> {
        self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Table(table) => Some(table.as_mut()),
            _ => None,
        })
    }

    fn release_carried(&mut self) {
        if let Some(paragraph) = self.carried.take() {
            self.end_paragraph(paragraph);
        }
    }

    fn end_paragraph(&mut self, mut paragraph: Paragraph) {
        let in_contents = self.in_contents_field()
            || self
                .frames
                .iter()
                .any(|frame| matches!(frame, Frame::Control { contents: true, .. }));
        let after = std::mem::take(&mut paragraph.after);
        let notes = std::mem::take(&mut paragraph.notes).into_iter().map(Item::plain);
        let item = paragraph.finish(self.context.styles, self.numbering, in_contents);
        let mut items: Vec<Item> = item.into_iter().chain(after).collect();
        let table = self.frames.iter_mut().find_map(|frame| match frame {
            Frame::Table(table) => Some(table),
            _ => None,
        });
        match table {
            Some(table) => table.notes.extend(notes),
            None => items.extend(notes),
        }
        self.emit(items);
    }

    /// Hands finished items to the innermost container that is still open.
    fn emit(&mut self, items: Vec<Item>) {
        for frame in self.frames.iter_mut().rev() {
            match frame {
                Frame::Cell(cell) => return cell.items.extend(items),
                Frame::TextBox(open) | Frame::Note { items: open, .. } => return open.extend(items),
                Frame::Paragraph(paragraph) => return paragraph.after.extend(items),
                _ => {}
            }
        }
        self.walked.items.extend(items);
    }
}
