//! Styles: which are headings, lists, bold, hidden, or tables with a header row.
//!
//! Style ids are localised ("Ttulo1", "berschrift1"); names are not, as long as a word processor
//! wrote them. Some converters localise the names too.

use std::collections::HashMap;

use crate::extract::Limits;
use crate::extract::docx::xml::{Element, Event, Problem, Xml};

#[derive(Debug, Clone, Default)]
struct Style {
    name: String,
    based_on: Option<String>,
    outline: Option<u8>,
    list_id: Option<String>,
    list_level: Option<u8>,
    hidden: Option<bool>,
    bold: Option<bool>,
    size: Option<u16>,
    first_row: bool,
}

/// The styles of a document by id.
#[derive(Debug, Default)]
pub(super) struct Styles {
    by_id: HashMap<String, Style>,
    default_size: Option<u16>,
}

/// Longest chain of `basedOn` that is followed; also ends cycles.
const MAX_CHAIN: usize = 12;
/// Half points, when the document does not say: what word processors assume.
const USUAL_SIZE: u16 = 20;

/// "Heading" as converters write it that translate style names.
const HEADING_NAMES: [&str; 22] = [
    "heading",
    "überschrift",
    "titre",
    "título",
    "titulo",
    "titolo",
    "titel",
    "kop",
    "rubrik",
    "overskrift",
    "otsikko",
    "nagłówek",
    "nadpis",
    "заголовок",
    "başlık",
    "címsor",
    "标题",
    "標題",
    "見出し",
    "제목",
    "judul",
    "titlu",
];

impl Styles {
    pub(super) fn read(text: &str, limits: &Limits) -> Result<Self, Problem> {
        let mut styles = Self::default();
        let mut xml = Xml::new(text, limits);
        let mut current: Option<(String, Style)> = None;
        let mut conditional = false; // formatting of parts of a table does not hold for all of it
        while let Some(event) = xml.next()? {
            match event {
                Event::Start(element) if element.is("style") => {
                    current = Some((element.attribute("styleId").unwrap_or_default(), Style::default()));
                }
                Event::End(name) if name == "style" => styles.by_id.extend(current.take()),
                Event::End(name) if name == "tblStylePr" => conditional = false,
                Event::Start(element) if element.is("tblStylePr") => {
                    conditional = true;
                    if let Some((_, style)) = current.as_mut() {
                        style.first_row |= element.attribute("type").as_deref() == Some("firstRow");
                    }
                }
                Event::Start(element) if !conditional => match current.as_mut() {
                    Some((_, style)) => style.set(&element),
                    None if element.is("sz") => styles.default_size = number(&element),
                    None => {}
                },
                _ => {}
            }
        }
        Ok(styles)
    }

    fn chain<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Style> + 'a {
        let first = self.by_id.get(id);
        std::iter::successors(first, |style| {
            style.based_on.as_ref().and_then(|id| self.by_id.get(id))
        })
        .take(MAX_CHAIN)
    }

    /// The ids of a style and of those it is based on.
    pub(super) fn ancestry<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::once(id).chain(self.chain(id).filter_map(|style| style.based_on.as_deref()))
    }

    /// Heading level of a paragraph style, 1 being the highest; 0 is the document's title.
    pub(super) fn heading(&self, id: &str) -> Option<u8> {
        if !self.by_id.contains_key(id) {
            return heading_by_name(&id.to_lowercase());
        }
        self.chain(id).find_map(|style| {
            if style.name == "title" {
                return Some(0);
            }
            heading_by_name(&style.name)
                .or_else(|| style.outline.filter(|level| *level < 9).map(|level| level + 1))
        })
    }

    /// The list number and level a paragraph style puts its paragraphs into.
    pub(super) fn list(&self, id: &str) -> (Option<String>, Option<u8>) {
        let list = self.chain(id).find_map(|style| style.list_id.clone());
        (list, self.chain(id).find_map(|style| style.list_level))
    }

    /// Depth a list style's name promises: "list number 2" is one level in.
    pub(super) fn list_depth(&self, id: &str) -> u8 {
        let name = self
            .by_id
            .get(id)
            .map(|style| style.name.as_str())
            .unwrap_or_default();
        let level = name
            .strip_prefix("list ")
            .and_then(|rest| rest.rsplit(' ').next())
            .and_then(|n| n.parse::<u8>().ok());
        level.map_or(0, |level| level.saturating_sub(1).min(8))
    }

    /// True for entries of a table of contents: they repeat the headings.
    pub(super) fn is_contents(&self, id: &str) -> bool {
        self.by_id
            .get(id)
            .is_some_and(|style| style.name.starts_with("toc ") || style.name == "table of figures")
    }

    pub(super) fn is_hidden(&self, id: &str) -> bool {
        self.chain(id).find_map(|style| style.hidden).unwrap_or(false)
    }

    pub(super) fn is_bold(&self, id: &str) -> bool {
        self.chain(id).find_map(|style| style.bold).unwrap_or(false)
    }

    /// The size a style sets, in half points.
    pub(super) fn size(&self, id: &str) -> Option<u16> {
        self.chain(id).find_map(|style| style.size)
    }

    pub(super) fn default_size(&self) -> u16 {
        self.default_size.unwrap_or(USUAL_SIZE)
    }

    /// True for a table style that draws the first row differently.
    pub(super) fn has_first_row(&self, id: &str) -> bool {
        self.chain(id).any(|style| style.first_row)
    }
}

impl Style {
    fn set(&mut self, element: &Element<'_>) {
        match element.name() {
            "name" => self.name = element.val().unwrap_or_default().trim().to_lowercase(),
            "basedOn" => self.based_on = element.val(),
            "outlineLvl" => self.outline = number(element),
            "numId" => self.list_id = element.val(),
            "ilvl" => self.list_level = number(element),
            "vanish" => self.hidden = Some(element.is_on()),
            "b" => self.bold = Some(element.is_on()),
            "sz" => self.size = number(element),
            _ => {}
        }
    }
}

fn number<T: std::str::FromStr>(element: &Element<'_>) -> Option<T> {
    element.val().and_then(|value| value.trim().parse().ok())
}

/// The level in "heading 2", "Überschrift 2" or "标题2".
fn heading_by_name(name: &str) -> Option<u8> {
    let digit = name.chars().next_back()?;
    let word = name.strip_suffix(digit)?.trim_end();
    let level = digit.to_digit(10).and_then(|level| u8::try_from(level).ok());
    level.filter(|level| (1..=9).contains(level) && HEADING_NAMES.contains(&word))
}
