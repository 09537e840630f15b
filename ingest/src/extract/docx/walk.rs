//! The walk over a part's body: one pass, an explicit stack, no recursion.

use std::collections::HashMap;

use crate::block::BlockKind;
use crate::clean;
use crate::extract::Limits;
use crate::extract::docx::numbering::Numbering;
use crate::extract::docx::styles::Styles;
use crate::extract::docx::table::{Cell, Row, Table};
use crate::extract::docx::xml::{Element, Event, Problem, Xml};

/// A unit of the body in reading order.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Block {
        kind: BlockKind,
        text: String,
        bold: bool,
    },
    Row {
        text: String,
        table: u32,
    },
}

impl Item {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Block { text, .. } | Self::Row { text, .. } => text,
        }
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
}

/// What a part yielded.
pub(super) struct Walked {
    pub(super) items: Vec<Item>,
    pub(super) hidden: bool,
}

#[derive(Default)]
struct Paragraph {
    text: String,
    style: String,
    list: Option<(String, u8)>,
    outline: Option<u8>,
    bold_letters: usize,
    letters: usize,
    /// Text boxes anchored here and notes referred to here: they follow the paragraph.
    after: Vec<Item>,
    notes: Vec<(&'static str, String)>,
}

enum Frame {
    Paragraph(Box<Paragraph>),
    Run {
        hidden: bool,
        bold: Option<bool>,
    },
    Table(Table),
    Row(Row),
    Cell(Cell),
    TextBox(Vec<Item>),
    Note {
        id: String,
        is_separator: bool,
        items: Vec<Item>,
    },
    Alternate {
        chosen: bool,
    },
    /// Any element whose properties must not be taken for those of its parent.
    Properties(&'static str),
    Other,
}

/// Elements whose content no reader sees, or sees elsewhere.
const SKIPPED: [&str; 10] = [
    "del",
    "moveFrom",
    "delText",
    "instrText",
    "delInstrText",
    "rt",
    "sdtPr",
    "tblPrEx",
    "binData",
    "pPrChange",
];

pub(super) struct Walker<'a> {
    styles: &'a Styles,
    numbering: Option<&'a mut Numbering>,
    notes: Option<&'a Notes>,
    frames: Vec<Frame>,
    items: Vec<Item>,
    found_notes: Vec<(String, String)>,
    skip_depth: usize,
    tables: u32,
    note_numbers: usize,
    hidden: bool,
}

impl<'a> Walker<'a> {
    fn new(styles: &'a Styles) -> Self {
        Self {
            styles,
            numbering: None,
            notes: None,
            frames: Vec::new(),
            items: Vec::new(),
            found_notes: Vec::new(),
            skip_depth: 0,
            tables: 0,
            note_numbers: 0,
            hidden: false,
        }
    }

    /// Walks the main part, a header or a footer.
    pub(super) fn document(
        xml: &str,
        limits: &Limits,
        styles: &'a Styles,
        numbering: &'a mut Numbering,
        notes: &'a Notes,
    ) -> Result<Walked, Problem> {
        let mut walker = Self::new(styles);
        walker.numbering = Some(numbering);
        walker.notes = Some(notes);
        walker.run(xml, limits)?;
        Ok(Walked {
            items: walker.items,
            hidden: walker.hidden,
        })
    }

    /// Walks a footnote or endnote part: (id, text).
    pub(super) fn notes(
        xml: &str,
        limits: &Limits,
        styles: &'a Styles,
    ) -> Result<Vec<(String, String)>, Problem> {
        let mut walker = Self::new(styles);
        walker.run(xml, limits)?;
        Ok(walker.found_notes)
    }

    fn run(&mut self, xml: &str, limits: &Limits) -> Result<(), Problem> {
        let mut xml = Xml::new(xml, limits);
        while let Some(event) = xml.next()? {
            match event {
                Event::Start(_) if self.skip_depth > 0 => self.skip_depth += 1,
                Event::End(_) if self.skip_depth > 0 => self.skip_depth -= 1,
                Event::Start(element) => self.start(&element),
                Event::End(name) => self.end(&name),
                Event::Text(text) => self.text_node(&text),
            }
        }
        Ok(())
    }

    fn start(&mut self, element: &Element<'_>) {
        let name = element.name();
        if self.is_skipped(name) {
            self.skip_depth = 1;
            return;
        }
        let frame = match name {
            "p" => Frame::Paragraph(Box::default()),
            "r" => Frame::Run {
                hidden: false,
                bold: None,
            },
            "tbl" => Frame::Table(Table::default()),
            "tr" => Frame::Row(Row::default()),
            "tc" => Frame::Cell(Cell::default()),
            "txbxContent" => Frame::TextBox(Vec::new()),
            "footnote" | "endnote" => Frame::Note {
                id: element.attribute("id").unwrap_or_default(),
                is_separator: element.attribute("type").is_some_and(|kind| kind != "normal"),
                items: Vec::new(),
            },
            "AlternateContent" => Frame::Alternate { chosen: false },
            "t" => Frame::Properties("t"),
            "pPr" => Frame::Properties("pPr"),
            "rPr" => Frame::Properties("rPr"),
            "trPr" => Frame::Properties("trPr"),
            "tcPr" => Frame::Properties("tcPr"),
            _ => {
                self.inline(element);
                self.property(element);
                Frame::Other
            }
        };
        self.frames.push(frame);
    }

    /// Deleted text, field codes and the like; the second branch of an alternative; a deletion
    /// mark among a row's properties is a property, not a container.
    fn is_skipped(&mut self, name: &str) -> bool {
        if let Some(Frame::Alternate { chosen }) = self.frames.last_mut()
            && matches!(name, "Choice" | "Fallback")
        {
            return std::mem::replace(chosen, true);
        }
        let in_row_properties = matches!(self.frames.last(), Some(Frame::Properties("trPr")));
        SKIPPED.contains(&name) && !(in_row_properties && name == "del")
    }

    /// Elements that stand for a character.
    fn inline(&mut self, element: &Element<'_>) {
        match element.name() {
            // a tab stop in the paragraph's properties is also called "tab"
            "tab" | "ptab" if !self.in_properties() => self.append(" "),
            "br" | "cr" => self.append("\n"),
            "noBreakHyphen" => self.append("-"),
            "sym" => {
                let symbol = element.attribute("char").map_or("", |code| symbol(&code));
                self.append(symbol);
            }
            "footnoteReference" => self.note_reference("footnotes", element),
            "endnoteReference" => self.note_reference("endnotes", element),
            _ => {}
        }
    }

    fn in_properties(&self) -> bool {
        self.frames
            .iter()
            .rev()
            .take(3)
            .any(|frame| matches!(frame, Frame::Properties(name) if *name != "t"))
    }

    fn note_reference(&mut self, kind: &'static str, element: &Element<'_>) {
        let Some(text) = self
            .notes
            .and_then(|notes| notes.by_key.get(&(kind, element.attribute("id")?)))
            .cloned()
        else {
            return;
        };
        self.note_numbers += 1;
        let number = self.note_numbers;
        self.append(&format!("[{number}]"));
        if let Some(paragraph) = self.paragraph() {
            paragraph.notes.push((kind, format!("[{number}] {text}")));
        }
    }

    /// Formatting properties of the paragraph, run, row or cell they belong to.
    fn property(&mut self, element: &Element<'_>) {
        let level = || element.val().and_then(|value| value.parse::<u8>().ok());
        let owner = self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Properties(name) => Some(*name),
            Frame::Other => None,
            _ => Some(""),
        });
        match (owner.unwrap_or_default(), element.name()) {
            ("pPr", "pStyle") => self.set(|p| p.style = element.val().unwrap_or_default()),
            ("pPr", "outlineLvl") => self.set(|p| p.outline = level().filter(|level| *level < 9)),
            ("pPr", "ilvl") => self.set(|p| p.list.get_or_insert_default().1 = level().unwrap_or(0)),
            ("pPr", "numId") => {
                self.set(|p| p.list.get_or_insert_default().0 = element.val().unwrap_or_default());
            }
            ("rPr", "vanish" | "webHidden") => self.set_run(|hidden, _| *hidden = element.is_on()),
            ("rPr", "b") => self.set_run(|_, bold| *bold = Some(element.is_on())),
            ("rPr", "rStyle") => {
                let is_hidden = element.val().is_some_and(|id| self.styles.is_hidden(&id));
                self.set_run(|hidden, _| *hidden |= is_hidden);
            }
            ("trPr", "tblHeader") => self.set_row(|row| row.is_header = element.is_on()),
            ("trPr", "del") => self.set_row(|row| row.deleted = true),
            ("tcPr", "gridSpan") => self
                .set_cell(|cell| cell.span = element.val().and_then(|value| value.parse().ok()).unwrap_or(1)),
            ("tcPr", "vMerge") => {
                self.set_cell(|cell| cell.merged = element.val().as_deref() != Some("restart"));
            }
            _ => {}
        }
    }

    fn paragraph(&mut self) -> Option<&mut Paragraph> {
        self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Paragraph(paragraph) => Some(paragraph.as_mut()),
            _ => None,
        })
    }

    fn set(&mut self, change: impl FnOnce(&mut Paragraph)) {
        if let Some(paragraph) = self.paragraph() {
            change(paragraph);
        }
    }

    /// Run properties count only directly inside a run: a paragraph mark has some of its own.
    fn set_run(&mut self, change: impl FnOnce(&mut bool, &mut Option<bool>)) {
        let run = self
            .frames
            .iter_mut()
            .rev()
            .find(|frame| !matches!(frame, Frame::Properties(_) | Frame::Other));
        if let Some(Frame::Run { hidden, bold }) = run {
            change(hidden, bold);
        }
    }

    fn set_row(&mut self, change: impl FnOnce(&mut Row)) {
        let row = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Row(row) => Some(row),
            _ => None,
        });
        row.map(change);
    }

    fn set_cell(&mut self, change: impl FnOnce(&mut Cell)) {
        let cell = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Cell(cell) => Some(cell),
            _ => None,
        });
        cell.map(change);
    }

    fn text_node(&mut self, text: &str) {
        // White space between elements is layout of the XML, not text.
        if self.skip_depth == 0 && matches!(self.frames.last(), Some(Frame::Properties("t"))) {
            self.append(text);
        }
    }

    fn append(&mut self, text: &str) {
        let run = self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Run { hidden, bold } => Some((*hidden, *bold)),
            Frame::Paragraph(_) => Some((false, None)),
            _ => None,
        });
        let (hidden, bold) = run.unwrap_or_default();
        if hidden {
            self.hidden |= !text.trim().is_empty();
            return;
        }
        let styles = self.styles;
        self.set(|paragraph| {
            let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
            paragraph.letters += letters;
            if bold.unwrap_or_else(|| styles.is_bold(&paragraph.style)) {
                paragraph.bold_letters += letters;
            }
            paragraph.text.push_str(text);
        });
    }

    fn end(&mut self, _name: &str) {
        match self.frames.pop() {
            Some(Frame::Paragraph(paragraph)) => self.end_paragraph(*paragraph),
            Some(Frame::Cell(cell)) => match self
                .frames
                .iter_mut()
                .rev()
                .find(|frame| matches!(frame, Frame::Row(_)))
            {
                Some(Frame::Row(row)) => row.cells.push(cell),
                _ => self.emit(cell.items),
            },
            Some(Frame::Row(row)) => {
                if let Some(Frame::Table(table)) = self
                    .frames
                    .iter_mut()
                    .rev()
                    .find(|frame| matches!(frame, Frame::Table(_)))
                {
                    table.rows.push(row);
                }
            }
            Some(Frame::Table(table)) => {
                self.tables += 1;
                let items = table.into_items(self.tables);
                self.emit(items);
            }
            Some(Frame::TextBox(items)) => match self.paragraph() {
                Some(paragraph) => paragraph.after.extend(items),
                None => self.emit(items),
            },
            Some(Frame::Note {
                id,
                is_separator,
                items,
            }) if !is_separator => {
                let texts: Vec<&str> = items.iter().map(Item::text).collect();
                self.found_notes.push((id, clean::collapse(&texts.join(" "))));
            }
            _ => {}
        }
    }

    fn end_paragraph(&mut self, mut paragraph: Paragraph) {
        let after = std::mem::take(&mut paragraph.after);
        let notes = std::mem::take(&mut paragraph.notes);
        let mut items: Vec<Item> = self.finished(&paragraph).into_iter().collect();
        items.extend(after);
        items.extend(notes.into_iter().map(|(_, text)| Item::Block {
            kind: BlockKind::Paragraph,
            text,
            bold: false,
        }));
        self.emit(items);
    }

    fn finished(&mut self, paragraph: &Paragraph) -> Option<Item> {
        if self.styles.is_contents(&paragraph.style) {
            return None;
        }
        let text = clean::characters(&paragraph.text);
        let lines: Vec<String> = text
            .split('\n')
            .map(clean::collapse)
            .filter(|line| !line.is_empty())
            .collect();
        let mut text = lines.join("\n");
        if text.is_empty() {
            return None;
        }
        let list = paragraph
            .list
            .clone()
            .filter(|(id, _)| !id.is_empty())
            .or_else(|| self.styles.list(&paragraph.style));
        let label = list
            .as_ref()
            .and_then(|(id, level)| self.numbering.as_mut()?.next(id, *level));
        if let Some(label) = label.as_ref().filter(|label| !label.trim().is_empty()) {
            text = format!("{} {text}", label.trim());
        }
        let heading = self
            .styles
            .heading(&paragraph.style)
            .or(paragraph.outline.map(|level| level + 1));
        let kind = match (heading, &list, &label) {
            (Some(level), _, _) => BlockKind::Heading { level },
            (None, Some((_, depth)), Some(_)) => BlockKind::ListItem {
                depth: (*depth).max(self.styles.list_depth(&paragraph.style)),
            },
            _ => BlockKind::Paragraph,
        };
        if heading.is_some() {
            text = clean::collapse(&text);
        }
        let bold = paragraph.letters > 0 && paragraph.bold_letters == paragraph.letters;
        Some(Item::Block { kind, text, bold })
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
        self.items.extend(items);
    }
}

/// The dingbats people use in documents; others say nothing without their font.
fn symbol(code: &str) -> &'static str {
    match code.to_ascii_uppercase().as_str() {
        "F0FC" | "2713" | "F0FE" => "✓",
        "F0FB" | "F0FD" => "✗",
        "F0E0" | "F0AE" => "→",
        "F0B0" => "°",
        "F0B1" => "±",
        "F0B3" => "≥",
        "F0A3" => "≤",
        "F0B4" => "×",
        "F028" | "F029" => "☎",
        "F02A" => "✉",
        "F0B7" | "F0A7" | "F0D8" | "F06E" => "•",
        _ => "",
    }
}
