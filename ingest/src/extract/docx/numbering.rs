//! List labels. DOCX stores "this is item of list 3, level 1"; the "2." or "b)" a reader sees has
//! to be counted.

use std::collections::{HashMap, HashSet};

use crate::extract::Limits;
use crate::extract::docx::label;
use crate::extract::docx::xml::{Element, Event, Problem, Xml};

const LEVELS: usize = 9;
/// Most characters of a label's pattern, which every item of its list repeats.
const MAX_LABEL: usize = 64;

#[derive(Debug, Clone)]
struct Level {
    format: String,
    /// Such as "%1.%2)".
    text: String,
    start: u32,
    /// The paragraph style that means this level.
    style: Option<String>,
    /// Counts on until a level this high (1 is the highest) counts; 0: never starts again.
    restarts_after: Option<usize>,
    /// All numbers of the label as digits.
    legal: bool,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            format: "decimal".to_owned(),
            text: String::new(),
            start: 1,
            style: None,
            restarts_after: None,
            legal: false,
        }
    }
}

/// A definition that lists share; their counters are common too.
#[derive(Debug, Clone, Default)]
struct Abstract {
    levels: Vec<Level>,
    /// The list style this is the definition of.
    defines: Option<String>,
    /// The list style whose definition is meant instead.
    refers_to: Option<String>,
}

#[derive(Debug, Clone, Default)]
struct List {
    abstract_id: String,
    restarts: HashMap<usize, u32>,
    levels: HashMap<usize, Level>,
}

/// The lists of a document and how far each has counted.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    abstracts: HashMap<String, Abstract>,
    lists: HashMap<String, List>,
    counters: HashMap<String, [Option<u32>; LEVELS]>,
    restarted: HashSet<String>,
}

impl Numbering {
    pub(super) fn read(text: &str, limits: &Limits) -> Result<Self, Problem> {
        let mut reader = Reading::default();
        let mut xml = Xml::new(text, limits);
        while let Some(event) = xml.next()? {
            match event {
                Event::Start(element) => reader.start(&element),
                Event::End(name) => reader.end(&name),
                Event::Text(_) => {}
            }
        }
        let mut numbering = reader.numbering;
        numbering.follow_styles();
        Ok(numbering)
    }

    /// Lists that only name a list style get the definition of that style.
    fn follow_styles(&mut self) {
        let defined: HashMap<String, String> = self
            .abstracts
            .iter()
            .filter_map(|(id, definition)| Some((definition.defines.clone()?, id.clone())))
            .collect();
        for list in self.lists.values_mut() {
            let style = self
                .abstracts
                .get(&list.abstract_id)
                .and_then(|definition| definition.refers_to.as_ref());
            if let Some(target) = style.and_then(|style| defined.get(style)) {
                list.abstract_id.clone_from(target);
            }
        }
    }

    /// The level of a list that one of these paragraph styles stands for.
    pub(super) fn level_of_style<'a>(
        &self,
        id: &str,
        mut styles: impl Iterator<Item = &'a str>,
    ) -> Option<u8> {
        let definition = self.abstracts.get(&self.lists.get(id)?.abstract_id)?;
        styles.find_map(|style| {
            let level = definition
                .levels
                .iter()
                .position(|level| level.style.as_deref() == Some(style))?;
            u8::try_from(level).ok()
        })
    }

    /// Counts one paragraph and returns its label; `None` when the list does not exist. Bullets
    /// are all "•": which dingbat a font draws says nothing.
    pub(super) fn next(&mut self, id: &str, level: u8) -> Option<String> {
        let level = usize::from(level).min(LEVELS - 1);
        let list = self.lists.get(id)?;
        let definition = self.abstracts.get(&list.abstract_id)?;
        let fallback = Level::default();
        let at = |level: usize| {
            let own = list.levels.get(&level).or_else(|| definition.levels.get(level));
            own.unwrap_or(&fallback)
        };
        let start = |level: usize| list.restarts.get(&level).copied().unwrap_or(at(level).start);
        let counters = self.counters.entry(list.abstract_id.clone()).or_default();
        if !list.restarts.is_empty() && self.restarted.insert(id.to_owned()) {
            for level in list.restarts.keys() {
                counters[*level] = None;
            }
        }
        let next = counters[level].map_or(start(level), |value| value.saturating_add(1));
        counters[level] = Some(next);
        for (below, counter) in counters.iter_mut().enumerate().skip(level + 1) {
            if at(below).restarts_after.unwrap_or(below) > level {
                *counter = None;
            }
        }
        for (above, counter) in counters.iter_mut().enumerate().take(level) {
            counter.get_or_insert(start(above));
        }
        let this = at(level);
        Some(match this.format.as_str() {
            // an item that goes on has a blank for a bullet
            "bullet" if this.text.trim().is_empty() && !this.text.is_empty() => String::new(),
            "bullet" => "•".to_owned(),
            "none" => String::new(),
            _ => written(&this.text, |index| {
                let format = if this.legal && at(index).format != "decimalZero" {
                    "decimal"
                } else {
                    at(index).format.as_str()
                };
                label::number(counters[index].unwrap_or(1), format)
            }),
        })
    }
}

/// A label's pattern with its numbers filled in.
fn written(pattern: &str, number: impl Fn(usize) -> String) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        let place = chars
            .peek()
            .and_then(|digit| digit.to_digit(10))
            .filter(|_| c == '%');
        match place {
            Some(place) if (1..=9).contains(&place) => {
                chars.next();
                out.push_str(&number(place as usize - 1));
            }
            _ => out.push(c),
        }
    }
    out
}

#[derive(Default)]
struct Reading {
    numbering: Numbering,
    abstract_id: Option<String>,
    list_id: Option<String>,
    level: Option<usize>,
}

impl Reading {
    fn start(&mut self, element: &Element<'_>) {
        match element.name() {
            "abstractNum" => {
                let id = element.attribute("abstractNumId").unwrap_or_default();
                let definition = Abstract {
                    levels: vec![Level::default(); LEVELS],
                    ..Abstract::default()
                };
                self.numbering.abstracts.insert(id.clone(), definition);
                self.abstract_id = Some(id);
            }
            "num" => {
                let id = element.attribute("numId").unwrap_or_default();
                self.numbering.lists.insert(id.clone(), List::default());
                self.list_id = Some(id);
            }
            "abstractNumId" => {
                if let Some(list) = self.list() {
                    list.abstract_id = element.val().unwrap_or_default();
                }
            }
            "styleLink" => self.definition(|definition| definition.defines = element.val()),
            "numStyleLink" => self.definition(|definition| definition.refers_to = element.val()),
            "lvl" | "lvlOverride" => self.level = level_of(element).or(self.level),
            "startOverride" => {
                let value = number(element).unwrap_or(1);
                if let (Some(level), Some(list)) = (self.level, self.list()) {
                    list.restarts.insert(level, value);
                }
            }
            "numFmt" => self.set(|level| level.format = element.val().unwrap_or_default()),
            "lvlText" => {
                let text = element.val().unwrap_or_default();
                self.set(|level| level.text = text.chars().take(MAX_LABEL).collect());
            }
            "start" => self.set(|level| level.start = number(element).unwrap_or(1)),
            "pStyle" => self.set(|level| level.style = element.val()),
            "lvlRestart" => {
                self.set(|level| level.restarts_after = number(element).map(|value| value as usize));
            }
            "isLgl" => self.set(|level| level.legal = element.is_on()),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "abstractNum" => self.abstract_id = None,
            "num" => self.list_id = None,
            "lvlOverride" => self.level = None,
            "lvl" if self.list_id.is_none() => self.level = None,
            _ => {}
        }
    }

    fn list(&mut self) -> Option<&mut List> {
        self.numbering.lists.get_mut(self.list_id.as_ref()?)
    }

    fn definition(&mut self, change: impl FnOnce(&mut Abstract)) {
        let id = self.abstract_id.as_ref();
        id.and_then(|id| self.numbering.abstracts.get_mut(id)).map(change);
    }

    /// Changes the open level, of a definition or of one list only.
    fn set(&mut self, change: impl FnOnce(&mut Level)) {
        let Some(index) = self.level else { return };
        if let Some(list) = self.list() {
            change(list.levels.entry(index).or_default());
        } else {
            self.definition(|definition| definition.levels.get_mut(index).map_or((), change));
        }
    }
}

fn number(element: &Element<'_>) -> Option<u32> {
    element.val().and_then(|value| value.trim().parse().ok())
}

fn level_of(element: &Element<'_>) -> Option<usize> {
    element
        .attribute("ilvl")
        .and_then(|level| level.parse().ok())
        .filter(|level| *level < LEVELS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(index: u8, format: &str, text: &str, more: &str) -> String {
        format!(
            r#"<w:lvl w:ilvl="{index}"><w:start w:val="1"/><w:numFmt w:val="{format}"/>{more}<w:lvlText w:val="{text}"/></w:lvl>"#
        )
    }

    fn read(abstracts: &str, lists: &str) -> Numbering {
        let xml = format!(r#"<w:numbering xmlns:w="x">{abstracts}{lists}</w:numbering>"#);
        Numbering::read(&xml, &Limits::default()).unwrap()
    }

    #[test]
    fn labels_are_what_a_reader_sees() {
        let levels = level(0, "decimal", "%1.", "") + &level(1, "lowerLetter", "%1.%2)", "");
        let mut numbering = read(
            &format!(r#"<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>"#),
            r#"<w:num w:numId="5"><w:abstractNumId w:val="0"/></w:num>
            <w:num w:numId="6"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="4"/></w:lvlOverride></w:num>
            <w:num w:numId="7"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:lvl w:ilvl="0"><w:numFmt w:val="upperRoman"/><w:lvlText w:val="%1:"/></w:lvl></w:lvlOverride></w:num>"#,
        );
        let mut next = |id: &str, level: u8| numbering.next(id, level).unwrap();
        assert_eq!(
            [
                next("5", 0),
                next("5", 1),
                next("5", 1),
                next("5", 0),
                next("5", 1)
            ],
            ["1.", "1.a)", "1.b)", "2.", "2.a)"]
        );
        assert_eq!([next("6", 0), next("6", 0)], ["4.", "5."]);
        assert_eq!(next("7", 0), "VI:", "the counter is shared, the format its own");
    }

    #[test]
    fn levels_restart_as_they_say_and_legal_labels_are_digits() {
        let levels = level(0, "upperRoman", "Article %1", "")
            + &level(1, "decimal", "%1.%2", r#"<w:lvlRestart w:val="0"/><w:isLgl/>"#);
        let mut numbering = read(
            &format!(r#"<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>"#),
            r#"<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>"#,
        );
        let mut next = |level: u8| numbering.next("1", level).unwrap();
        assert_eq!(
            [next(0), next(1), next(0), next(1)],
            ["Article I", "1.1", "Article II", "2.2"]
        );
    }

    #[test]
    fn a_list_style_and_a_paragraph_style_lead_to_their_definition() {
        let levels = level(0, "decimal", "%1", r#"<w:pStyle w:val="H1"/>"#)
            + &level(1, "decimal", "%1.%2", r#"<w:pStyle w:val="H2"/>"#);
        let mut numbering = read(
            &format!(
                r#"<w:abstractNum w:abstractNumId="0"><w:styleLink w:val="Mine"/>{levels}</w:abstractNum><w:abstractNum w:abstractNumId="1"><w:numStyleLink w:val="Mine"/></w:abstractNum>"#
            ),
            r#"<w:num w:numId="3"><w:abstractNumId w:val="1"/></w:num>"#,
        );
        assert_eq!(
            numbering.level_of_style("3", ["Other", "H2"].into_iter()),
            Some(1)
        );
        assert_eq!(numbering.next("3", 1).as_deref(), Some("1.1"));
    }
}
