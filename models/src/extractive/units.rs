//! Passages to units: the sentences, list items and table rows that may be quoted whole.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::Passage;
use crate::reading::{fold, sentence_spans};

/// What a unit is to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A sentence of running text, or a line that stands alone.
    Sentence,
    /// A sentence that announces a list (it ends in a colon).
    LeadIn,
    /// One item of a list.
    Item,
    /// One row of a table.
    Row,
}

/// Something that can be quoted as it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    /// Index of its passage.
    pub(super) passage: usize,
    /// Its bytes in the passage.
    pub(super) range: Range<usize>,
    /// As a customer reads it.
    pub(super) text: String,
    /// Title and headings, for ranking.
    pub(super) context: String,
    pub(super) kind: Kind,
    /// Column and value, for rows.
    pub(super) cells: Vec<(String, String)>,
    /// Number of the list within all passages, for items and lead-ins.
    pub(super) list: Option<usize>,
    /// The question of a question-and-answer pair.
    pub(super) asked: Option<String>,
    /// Bytes of the header row that names a row's columns, when it is a line of its own.
    pub(super) header: Option<Range<usize>>,
}

impl Unit {
    /// What is embedded: the heading says what a sentence is about when the sentence itself does not.
    pub(super) fn to_embed(&self) -> String {
        let whole = match &self.asked {
            Some(asked) => format!("{asked} {}", self.text),
            None if self.context.is_empty() => self.text.clone(),
            None => format!("{}: {}", self.context, self.text),
        };
        let end = whole.char_indices().nth(LONGEST_EMBEDDED).map(|(at, _)| at);
        match end {
            Some(end) => whole[..whole[..end].rfind(' ').unwrap_or(end)].to_owned(),
            None => whole,
        }
    }
}

/// Characters of a unit that are embedded: what it is about shows early, and a long text costs several short ones.
const LONGEST_EMBEDDED: usize = 260;

static LIST_MARK: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*(?:[-*•–·▪◦]|\d{1,3}[.)]|[a-zA-Z][.)]|\([a-z0-9]{1,3}\))\s+\S"));

static QUESTION_LINE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*(?i:q|question|pergunta|pregunta|p)\s*\d*\s*[:.]\s+\S"));

static ANSWER_LINE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*(?i:a|answer|réponse|reponse|resposta|respuesta|r)\s*\d*\s*[:.]\s+"));

fn pattern(text: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "the patterns are constants of this file and every one is tested"
    )]
    Regex::new(text).expect("a valid pattern")
}

/// The units of all passages, in reading order.
pub(super) fn of_passages(passages: &[Passage]) -> Vec<Unit> {
    let mut reader = Reader {
        units: Vec::new(),
        lists: 0,
    };
    for (index, passage) in passages.iter().enumerate() {
        reader.read(index, passage);
    }
    reader.units
}

/// The column names of a table whose rows do not repeat them.
struct Header {
    names: Vec<String>,
    range: Range<usize>,
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

struct Reader {
    units: Vec<Unit>,
    lists: usize,
}

impl Reader {
    fn read(&mut self, index: usize, passage: &Passage) {
        let context = context_of(passage);
        let mut list: Option<usize> = None;
        let mut asked: Option<String> = None;
        let mut header: Option<Header> = None;
        for line in lines(&passage.text) {
            let text = &passage.text[line.clone()];
            let unit = Unit {
                passage: index,
                range: line.clone(),
                text: String::new(),
                context: context.clone(),
                kind: Kind::Sentence,
                cells: Vec::new(),
                list: None,
                asked: asked.clone(),
                header: None,
            };
            let table = header.take();
            if let Some(cells) = row_cells(text) {
                list = None;
                self.units.extend(row_unit(unit, cells));
            } else if text.contains(" | ") {
                list = None;
                header = self.bare_row(text, unit, table);
            } else if QUESTION_LINE.is_match(text) || is_question_heading(text) {
                list = None;
                asked = Some(tidy(text));
            } else if LIST_MARK.is_match(text) {
                let number = *list.get_or_insert_with(|| {
                    self.lists += 1;
                    self.lists
                });
                self.units.push(Unit {
                    text: tidy(text),
                    kind: Kind::Item,
                    list: Some(number),
                    ..unit
                });
            } else if is_heading(text, passage) {
                list = None;
                asked = None;
            } else {
                list = self.sentences(&passage.text, &unit);
            }
        }
    }

    /// A row without column names: the first of a table names the columns of those after it.
    fn bare_row(&mut self, text: &str, unit: Unit, header: Option<Header>) -> Option<Header> {
        let values: Vec<String> = text.split(" | ").map(tidy).collect();
        let Some(header) = header else {
            let names_columns = values.len() > 1
                && values
                    .iter()
                    .all(|value| !value.is_empty() && value.len() <= 40 && !starts_with_digit(value));
            if names_columns {
                return Some(Header {
                    names: values,
                    range: unit.range,
                });
            }
            self.units.extend(row_unit(
                unit,
                values.into_iter().map(|value| (String::new(), value)).collect(),
            ));
            return None;
        };
        let fits = header.names.len() == values.len();
        let names = if fits {
            header.names.clone()
        } else {
            vec![String::new(); values.len()]
        };
        let range = fits.then(|| header.range.clone());
        let unit = Unit {
            header: range,
            ..unit
        };
        self.units
            .extend(row_unit(unit, names.into_iter().zip(values).collect()));
        Some(header)
    }

    /// The sentences of one paragraph; returns the number of the list that the last one announces.
    fn sentences(&mut self, text: &str, unit: &Unit) -> Option<usize> {
        let paragraph = &text[unit.range.clone()];
        let skipped = ANSWER_LINE
            .find(paragraph)
            .filter(|_| unit.asked.is_some())
            .map_or(0, |found| found.end());
        let mut announced = None;
        let mut asked = unit.asked.clone();
        for span in sentence_spans(&paragraph[skipped..]) {
            let start = unit.range.start + skipped + span.start;
            let range = start..start + span.len();
            let sentence = &text[range.clone()];
            // A question in a text is answered by what follows it, and answers nothing itself.
            if sentence.ends_with('?') {
                asked = Some(tidy(sentence));
                continue;
            }
            let leads_in = sentence.ends_with(':');
            announced = leads_in.then(|| {
                self.lists += 1;
                self.lists
            });
            let kind = if leads_in { Kind::LeadIn } else { Kind::Sentence };
            self.units.push(Unit {
                range,
                text: tidy(sentence),
                kind,
                list: announced,
                asked: asked.clone(),
                ..unit.clone()
            });
        }
        announced
    }
}

fn context_of(passage: &Passage) -> String {
    let depth = passage.heading_path.len();
    let headings = &passage.heading_path[depth.saturating_sub(2)..];
    if headings.is_empty() {
        passage.title.clone()
    } else {
        headings.join(", ")
    }
}

/// Lines that a reader sees as one: a line wrapped in the middle of a sentence is joined with the next.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut gap = true;
    for raw in text.split_inclusive('\n') {
        let trimmed_start = start + (raw.len() - raw.trim_start().len());
        let end = start + raw.trim_end().len();
        start += raw.len();
        if raw.trim().is_empty() {
            gap = true;
            continue;
        }
        let line = &text[trimmed_start..end];
        let joins = !gap
            && found
                .last()
                .is_some_and(|last| continues(&text[last.clone()], line));
        match found.last_mut() {
            Some(last) if joins => last.end = end,
            _ => found.push(trimmed_start..end),
        }
        gap = false;
    }
    found
}

fn continues(previous: &str, line: &str) -> bool {
    let ended = previous.ends_with(['.', '!', '?', ':', ';', '…']);
    let starts_low = line.starts_with(|c: char| c.is_lowercase()) && !LIST_MARK.is_match(line);
    !ended && starts_low && row_cells(previous).is_none() && row_cells(line).is_none()
}

/// Column and value of each cell, when the line is a table row ("h1: v1 | h2: v2").
pub(super) fn row_cells(line: &str) -> Option<Vec<(String, String)>> {
    if !line.contains(" | ") {
        return None;
    }
    let cells: Vec<(String, String)> = line
        .split(" | ")
        .map(|cell| {
            match cell
                .split_once(": ")
                .or_else(|| cell.strip_suffix(':').map(|name| (name, "")))
            {
                Some((name, value)) if !name.trim().is_empty() && name.len() <= 60 => {
                    (tidy(name), tidy(value))
                }
                _ => (String::new(), tidy(cell)),
            }
        })
        .collect();
    let named = cells.iter().filter(|(name, _)| !name.is_empty()).count();
    (named * 2 >= cells.len()).then_some(cells)
}

fn row_unit(unit: Unit, cells: Vec<(String, String)>) -> Option<Unit> {
    let cells: Vec<(String, String)> = cells.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let cell = |names: &[&str]| {
        cells
            .iter()
            .find(|(name, _)| names.contains(&fold(name).as_str()))
            .map(|(_, value)| value.clone())
    };
    let asked = cell(&["question", "q", "pergunta", "pregunta"]);
    let answer = cell(&["answer", "a", "reponse", "resposta", "respuesta"]);
    if let (Some(asked), Some(answer)) = (asked, answer) {
        return Some(Unit {
            text: closed(&answer),
            kind: Kind::Row,
            asked: Some(asked),
            ..unit
        });
    }
    if cells.is_empty() {
        return None;
    }
    Some(Unit {
        text: row_text(&cells),
        kind: Kind::Row,
        cells,
        ..unit
    })
}

/// A row as one readable sentence.
pub(super) fn row_text(cells: &[(String, String)]) -> String {
    let parts: Vec<String> = cells
        .iter()
        .map(|(name, value)| {
            if name.is_empty() {
                value.clone()
            } else {
                format!("{name}: {value}")
            }
        })
        .collect();
    closed(&parts.join(", "))
}

/// With a full stop when nothing ends the sentence.
pub(super) fn closed(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?', '…', ':', ')']) || text.is_empty() {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

fn is_question_heading(text: &str) -> bool {
    text.ends_with('?') && !text.contains(". ") && text.len() < 200
}

/// A heading repeats what the passage's heading path says, or is a short line without a verb's full stop or a fact.
fn is_heading(text: &str, passage: &Passage) -> bool {
    let plain = text.trim_start_matches('#').trim();
    let known = passage
        .heading_path
        .iter()
        .chain([&passage.title])
        .any(|heading| heading.trim() == plain);
    let short = plain.split_whitespace().count() <= 10 && plain.len() <= 90;
    let states = plain.ends_with(['.', '!', ':', ';'])
        || plain.contains(": ")
        || plain.bytes().any(|b| b.is_ascii_digit());
    known || text.starts_with('#') || (short && !states)
}

/// One line, single spaces.
fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<Unit> {
        of_passages(&[Passage {
            title: "Guide".to_owned(),
            heading_path: vec!["Opening hours".to_owned()],
            text: text.to_owned(),
            score: 1.0,
        }])
    }

    #[test]
    fn headings_are_not_sentences_and_wrapped_lines_are_joined() {
        let found = units("Opening hours\nWe open at 8. We close\nat noon.\n\nClosed on Sundays.");
        let texts: Vec<_> = found.iter().map(|u| u.text.as_str()).collect();
        assert_eq!(
            texts,
            ["We open at 8.", "We close at noon.", "Closed on Sundays."]
        );
    }

    #[test]
    fn rows_become_readable_and_keep_their_range() {
        let text = "Town: Ho | Weight band: 5-10 kg | Price GHS: 35 | Note: ";
        let found = units(text);
        assert_eq!(found[0].text, "Town: Ho, Weight band: 5-10 kg, Price GHS: 35.");
        assert_eq!(&text[found[0].range.clone()], text.trim_end());
    }

    #[test]
    fn question_and_answer_rows_answer_with_the_answer() {
        let found = units("Question: Do you open on Sundays? | Answer: Yes, from 9 to 12");
        assert_eq!(found[0].text, "Yes, from 9 to 12.");
        assert_eq!(found[0].asked.as_deref(), Some("Do you open on Sundays?"));
        let lines = units("Q: Do you deliver?\nA: Yes, everywhere.");
        assert_eq!(lines[0].text, "Yes, everywhere.");
    }

    #[test]
    fn a_header_row_names_the_columns_below_it() {
        let text = "Food | Minutes | Release\nRice | 8 | slow\nBeans | 25 | slow";
        let found = units(text);
        let texts: Vec<_> = found.iter().map(|u| u.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "Food: Rice, Minutes: 8, Release: slow.",
                "Food: Beans, Minutes: 25, Release: slow."
            ]
        );
        assert_eq!(
            &text[found[1].header.clone().unwrap()],
            "Food | Minutes | Release"
        );
        assert_eq!(
            units("07 | Overload | Switch off")[0].text,
            "07, Overload, Switch off."
        );
    }

    #[test]
    fn a_question_in_running_text_is_answered_by_what_follows() {
        let found = units("Can I change my number? Yes, at any shop.");
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].text.as_str(), found[0].asked.as_deref()),
            ("Yes, at any shop.", Some("Can I change my number?"))
        );
    }

    #[test]
    fn items_know_their_lead_in() {
        let found = units("Bring the following:\n- an identity card\n- the receipt\n\nWe copy both.");
        assert_eq!(found[0].kind, Kind::LeadIn);
        assert_eq!((found[1].kind, found[1].list), (Kind::Item, found[0].list));
        assert_eq!(found[2].list, found[0].list);
        assert_eq!(found[3].list, None);
    }

    proptest::proptest! {
        #[test]
        fn ranges_always_fit(text in "[A-Za-zé.:|?\n -]{0,120}") {
            for unit in units(&text) {
                proptest::prop_assert!(text.get(unit.range.clone()).is_some_and(|t| !t.trim().is_empty()));
            }
        }
    }
}
