//! Formatting properties of the paragraph, run, table, row, cell or control they belong to.

use crate::extract::docx::paragraph::Paragraph;
use crate::extract::docx::table::{Cell, Merge, Row};
use crate::extract::docx::walk::{Frame, Walker};
use crate::extract::docx::xml::Element;

/// Properties of a run of text; `None` where the style decides.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    pub(super) hidden: Option<bool>,
    pub(super) bold: Option<bool>,
    /// In half points.
    pub(super) size: Option<u16>,
    pub(super) font: String,
    pub(super) style: String,
}

impl Walker<'_> {
    pub(super) fn property(&mut self, element: &Element<'_>) {
        let owner = self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Properties(name) => Some(*name),
            Frame::Other => None,
            _ => Some(""),
        });
        match owner.unwrap_or_default() {
            "pPr" => self.paragraph_property(element),
            "rPr" => self.run_property(element),
            "tblPr" => self.table_property(element),
            "trPr" => self.row_property(element),
            "tcPr" => self.cell_property(element),
            "sdtPr" => self.control_property(element),
            _ => {}
        }
    }

    fn paragraph_property(&mut self, element: &Element<'_>) {
        let level = || element.val().and_then(|value| value.trim().parse::<u8>().ok());
        let change: Option<&mut Paragraph> = self.paragraph();
        let Some(paragraph) = change else { return };
        match element.name() {
            "pStyle" => paragraph.style = element.val().unwrap_or_default(),
            "outlineLvl" => paragraph.outline = level().filter(|level| *level < 9),
            "ilvl" => paragraph.list_level = level(),
            "numId" => paragraph.list_id = element.val(),
            _ => {}
        }
    }

    /// Run properties count directly inside a run. Those of a paragraph's mark say only whether
    /// the mark itself was deleted or moved away.
    fn run_property(&mut self, element: &Element<'_>) {
        let owner = self
            .frames
            .iter_mut()
            .rev()
            .find(|frame| !matches!(frame, Frame::Properties(_) | Frame::Other));
        match owner {
            Some(Frame::Run(run)) => match element.name() {
                "vanish" => run.hidden = Some(element.is_on()),
                "b" => run.bold = Some(element.is_on()),
                "sz" => run.size = element.val().and_then(|value| value.trim().parse().ok()),
                "rStyle" => run.style = element.val().unwrap_or_default(),
                "rFonts" => {
                    let font = element.attribute("ascii").or_else(|| element.attribute("hAnsi"));
                    run.font = font.unwrap_or_default();
                }
                _ => {}
            },
            Some(Frame::Paragraph(paragraph)) => {
                paragraph.mark_deleted |= matches!(element.name(), "del" | "moveFrom");
            }
            _ => {}
        }
    }

    fn table_property(&mut self, element: &Element<'_>) {
        let Some(table) = self.table() else { return };
        match element.name() {
            "tblStyle" => table.style = element.val().unwrap_or_default(),
            "tblLook" => {
                let flags = element
                    .val()
                    .and_then(|value| u32::from_str_radix(&value, 16).ok());
                let named = element
                    .attribute("firstRow")
                    .map(|value| matches!(value.as_str(), "1" | "true" | "on"));
                table.first_row_differs = named.or(flags.map(|flags| flags & 0x20 != 0)).unwrap_or(true);
            }
            _ => {}
        }
    }

    fn row_property(&mut self, element: &Element<'_>) {
        let row: Option<&mut Row> = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Row(row) => Some(row),
            _ => None,
        });
        let Some(row) = row else { return };
        match element.name() {
            "tblHeader" => row.is_header = element.is_on(),
            "del" => row.deleted = true,
            "gridBefore" => row.columns_before = number(element, 0),
            _ => {}
        }
    }

    fn cell_property(&mut self, element: &Element<'_>) {
        let cell: Option<&mut Cell> = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Cell(cell) => Some(cell),
            _ => None,
        });
        let Some(cell) = cell else { return };
        let merge = |side: Merge| match element.val().as_deref() {
            Some("restart") => Merge::None,
            _ => side,
        };
        match element.name() {
            "gridSpan" => cell.span = number(element, 1),
            "vMerge" => cell.merge = merge(Merge::Above),
            "hMerge" => cell.merge = merge(Merge::Left),
            "cellDel" => cell.deleted = true,
            "shd" => {
                let fill = element.attribute("fill").unwrap_or_default();
                cell.shaded = !matches!(fill.to_ascii_lowercase().as_str(), "" | "auto" | "ffffff");
            }
            _ => {}
        }
    }

    fn control_property(&mut self, element: &Element<'_>) {
        let control = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Control {
                placeholder,
                contents,
            } => Some((placeholder, contents)),
            _ => None,
        });
        let Some((placeholder, contents)) = control else {
            return;
        };
        match element.name() {
            "showingPlcHdr" => *placeholder = element.is_on(),
            "docPartGallery" => *contents = element.val().as_deref() == Some("Table of Contents"),
            _ => {}
        }
    }
}

fn number(element: &Element<'_>, default: usize) -> usize {
    element
        .val()
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(default)
}
