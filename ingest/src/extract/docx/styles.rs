//! Paragraph styles: which are headings, lists or hidden.
//!
//! Style ids are localised ("Ttulo1", "berschrift1"); their names are not.

use std::collections::HashMap;

use crate::extract::Limits;
use crate::extract::docx::xml::{Event, Problem, Xml};

#[derive(Debug, Clone, Default)]
struct Style {
    name: String,
    based_on: Option<String>,
    outline: Option<u8>,
    list: Option<(String, u8)>,
    hidden: bool,
    bold: bool,
}

/// The styles of a document by id.
#[derive(Debug, Default)]
pub(super) struct Styles {
    by_id: HashMap<String, Style>,
}

/// Longest chain of `basedOn` that is followed; also ends cycles.
const MAX_CHAIN: usize = 12;

impl Styles {
    pub(super) fn read(text: &str, limits: &Limits) -> Result<Self, Problem> {
        let mut styles = Self::default();
        let mut xml = Xml::new(text, limits);
        let mut current: Option<(String, Style)> = None;
        while let Some(event) = xml.next()? {
            match event {
                Event::Start(element) if element.is("style") => {
                    current = Some((element.attribute("styleId").unwrap_or_default(), Style::default()));
                }
                Event::End(name) if name == "style" => {
                    styles.by_id.extend(current.take());
                }
                Event::Start(element) => {
                    let Some((_, style)) = current.as_mut() else {
                        continue;
                    };
                    let number = || element.val().and_then(|value| value.parse::<u8>().ok());
                    match element.name() {
                        "name" => style.name = element.val().unwrap_or_default().to_lowercase(),
                        "basedOn" => style.based_on = element.val(),
                        "outlineLvl" => style.outline = number(),
                        "numId" => {
                            style.list = Some((
                                element.val().unwrap_or_default(),
                                style.list.take().map_or(0, |(_, level)| level),
                            ));
                        }
                        "ilvl" => {
                            style.list = Some((
                                style.list.take().map_or_else(String::new, |(id, _)| id),
                                number().unwrap_or(0),
                            ));
                        }
                        "vanish" => style.hidden = element.is_on(),
                        "b" => style.bold = element.is_on(),
                        _ => {}
                    }
                }
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

    /// Heading level of a paragraph style, 1 being the highest; 0 is the document's title.
    pub(super) fn heading(&self, id: &str) -> Option<u8> {
        if self.by_id.is_empty() {
            return id
                .to_lowercase()
                .strip_prefix("heading")
                .and_then(|level| level.parse().ok());
        }
        self.chain(id).find_map(|style| {
            if style.name == "title" {
                return Some(0);
            }
            let named = style
                .name
                .strip_prefix("heading ")
                .and_then(|level| level.trim().parse::<u8>().ok());
            named
                .filter(|level| (1..=9).contains(level))
                .or_else(|| style.outline.filter(|level| *level < 9).map(|level| level + 1))
        })
    }

    /// The list (number id, level) a paragraph style puts its paragraphs into.
    pub(super) fn list(&self, id: &str) -> Option<(String, u8)> {
        self.chain(id)
            .find_map(|style| style.list.clone())
            .filter(|(id, _)| !id.is_empty())
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
        self.chain(id)
            .next()
            .is_some_and(|style| style.name.starts_with("toc ") || style.name == "table of figures")
    }

    pub(super) fn is_hidden(&self, id: &str) -> bool {
        self.chain(id).any(|style| style.hidden)
    }

    pub(super) fn is_bold(&self, id: &str) -> bool {
        self.chain(id).any(|style| style.bold)
    }
}
