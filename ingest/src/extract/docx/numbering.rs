//! List labels. DOCX stores "this is item of list 3, level 1"; the "2." or "b)" a reader sees has
//! to be counted.

use std::collections::HashMap;

use crate::extract::Limits;
use crate::extract::docx::xml::{Element, Event, Problem, Xml};

const LEVELS: usize = 9;

#[derive(Debug, Clone)]
struct Level {
    format: String,
    /// Such as "%1.%2)".
    text: String,
    start: u32,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            format: "decimal".to_owned(),
            text: String::new(),
            start: 1,
        }
    }
}

#[derive(Debug, Clone, Default)]
struct List {
    abstract_id: String,
    restarts: HashMap<usize, u32>,
}

/// The lists of a document and how far each has counted.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    abstracts: HashMap<String, Vec<Level>>,
    lists: HashMap<String, List>,
    counters: HashMap<String, [Option<u32>; LEVELS]>,
    restarted: Vec<String>,
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
        Ok(reader.numbering)
    }

    /// Counts one paragraph and returns its label; `None` when the list does not exist. Bullets
    /// are all "•": which dingbat a font draws says nothing.
    pub(super) fn next(&mut self, id: &str, level: u8) -> Option<String> {
        let level = usize::from(level).min(LEVELS - 1);
        let list = self.lists.get(id)?.clone();
        let levels = self.abstracts.get(&list.abstract_id)?;
        let start = |level: usize| levels.get(level).map_or(1, |level| level.start);
        let counters = self.counters.entry(list.abstract_id.clone()).or_default();
        if !list.restarts.is_empty() && !self.restarted.iter().any(|seen| seen == id) {
            self.restarted.push(id.to_owned());
            for (level, value) in &list.restarts {
                counters[*level] = value.checked_sub(1);
            }
        }
        let next = counters[level].map_or(start(level), |value| value.saturating_add(1));
        counters[level] = Some(next);
        counters[level + 1..].fill(None);
        for (above, counter) in counters.iter_mut().enumerate().take(level) {
            counter.get_or_insert(start(above));
        }
        let fallback = Level::default();
        let this = levels.get(level).unwrap_or(&fallback);
        Some(match this.format.as_str() {
            "bullet" => "•".to_owned(),
            "none" => String::new(),
            _ => label(this, levels, counters),
        })
    }
}

fn label(level: &Level, levels: &[Level], counters: &[Option<u32>; LEVELS]) -> String {
    let mut out = String::new();
    let mut chars = level.text.chars().peekable();
    while let Some(c) = chars.next() {
        let place = chars
            .peek()
            .and_then(|digit| digit.to_digit(10))
            .filter(|_| c == '%');
        match place {
            Some(place) if (1..=9).contains(&place) => {
                chars.next();
                let index = place as usize - 1;
                let format = levels.get(index).map_or("decimal", |level| level.format.as_str());
                out.push_str(&number(counters[index].unwrap_or(1), format));
            }
            _ => out.push(c),
        }
    }
    out
}

/// A number in one of the formats people use; all others are shown as digits.
fn number(value: u32, format: &str) -> String {
    match format {
        "lowerLetter" => letters(value),
        "upperLetter" => letters(value).to_uppercase(),
        "lowerRoman" => roman(value),
        "upperRoman" => roman(value).to_uppercase(),
        "decimalZero" => format!("{value:02}"),
        _ => value.to_string(),
    }
}

/// 1 → a, 26 → z, 27 → aa, 28 → bb, as word processors count.
fn letters(value: u32) -> String {
    let Some(index) = value.checked_sub(1) else {
        return String::new();
    };
    let letter = char::from(b'a' + u8::try_from(index % 26).unwrap_or(0));
    let times = (index / 26 + 1).min(20);
    (0..times).map(|_| letter).collect()
}

fn roman(value: u32) -> String {
    const PARTS: [(u32, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    let mut left = value.min(10_000);
    let mut out = String::new();
    for (size, digits) in PARTS {
        while left >= size {
            out.push_str(digits);
            left -= size;
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
    in_override: bool,
}

impl Reading {
    fn start(&mut self, element: &Element<'_>) {
        match element.name() {
            "abstractNum" => {
                let id = element.attribute("abstractNumId").unwrap_or_default();
                self.numbering
                    .abstracts
                    .insert(id.clone(), vec![Level::default(); LEVELS]);
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
            "lvl" => self.level = level_of(element),
            "lvlOverride" => {
                self.level = level_of(element);
                self.in_override = true;
            }
            "startOverride" => {
                let value = element.val().and_then(|value| value.parse().ok()).unwrap_or(1);
                if let (Some(level), Some(list)) = (self.level, self.list()) {
                    list.restarts.insert(level, value);
                }
            }
            "numFmt" => self.set(|level| level.format = element.val().unwrap_or_default()),
            "lvlText" => self.set(|level| level.text = element.val().unwrap_or_default()),
            "start" => self
                .set(|level| level.start = element.val().and_then(|value| value.parse().ok()).unwrap_or(1)),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "abstractNum" => self.abstract_id = None,
            "num" => self.list_id = None,
            "lvlOverride" => (self.in_override, self.level) = (false, None),
            "lvl" if !self.in_override => self.level = None,
            _ => {}
        }
    }

    fn list(&mut self) -> Option<&mut List> {
        self.numbering.lists.get_mut(self.list_id.as_ref()?)
    }

    fn set(&mut self, change: impl FnOnce(&mut Level)) {
        let levels = self
            .abstract_id
            .as_ref()
            .and_then(|id| self.numbering.abstracts.get_mut(id));
        if let (Some(levels), Some(level)) = (levels, self.level)
            && let Some(level) = levels.get_mut(level)
        {
            change(level);
        }
    }
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

    #[test]
    fn labels_are_what_a_reader_sees() {
        let xml = r#"<w:numbering xmlns:w="x"><w:abstractNum w:abstractNumId="0">
            <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
            <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl>
            </w:abstractNum><w:num w:numId="5"><w:abstractNumId w:val="0"/></w:num>
            <w:num w:numId="6"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>
            </w:numbering>"#;
        let mut numbering = Numbering::read(xml, &Limits::default()).unwrap();
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
        assert_eq!(next("6", 0), "1.");
        assert_eq!((letters(28).as_str(), roman(1994).as_str()), ("bb", "mcmxciv"));
    }
}
