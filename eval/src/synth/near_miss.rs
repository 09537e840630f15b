//! Questions that look answerable and are not: the next model, the attribute nobody wrote down.

use super::draft;
use super::source::{Material, Row};
use super::write::{ask, spread};
use crate::golden::case::{Case, Kind};
use crate::golden::normal::contains;

/// Attributes that customers ask about and documents often leave out, per language.
const ATTRIBUTES: [(&str, &[&str]); 4] = [
    (
        "en",
        &[
            "country of manufacture",
            "noise level",
            "resale value",
            "carbon footprint",
            "insurance number",
            "release date",
        ],
    ),
    (
        "fr",
        &[
            "pays de fabrication",
            "niveau sonore",
            "valeur de revente",
            "empreinte carbone",
        ],
    ),
    (
        "pt",
        &[
            "país de fabrico",
            "nível de ruído",
            "valor de revenda",
            "pegada de carbono",
        ],
    ),
    (
        "es",
        &[
            "país de fabricación",
            "nivel de ruido",
            "valor de reventa",
            "huella de carbono",
        ],
    ),
];

/// Everything that any document says.
pub(super) struct Corpus<'a>(Vec<&'a str>);

impl<'a> Corpus<'a> {
    pub(super) fn new(materials: &'a [Material]) -> Self {
        Self(materials.iter().map(|material| material.text.as_str()).collect())
    }

    fn says(&self, phrase: &str) -> bool {
        self.0.iter().any(|text| contains(text, phrase))
    }
}

/// Near misses beside the rows of a document.
pub(super) fn of(material: &Material, corpus: &Corpus<'_>, most: usize) -> Vec<Case> {
    let lang = material.lang.as_str();
    let attributes = ATTRIBUTES
        .iter()
        .find(|(of, _)| *of == lang)
        .map_or(ATTRIBUTES[0].1, |(_, attributes)| attributes);
    let unsaid: Vec<&&str> = attributes
        .iter()
        .filter(|attribute| !corpus.says(attribute))
        .collect();
    let rows = spread(&material.rows, most.div_ceil(2));
    let mut cases = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        if let Some(attribute) = unsaid.get(i % unsaid.len().max(1)) {
            let question = ask(lang, attribute, &row.entity);
            cases.push(draft(Kind::Unanswerable, "near_miss", lang, question, &[]));
        }
        cases.extend(unknown_entity(row, lang, corpus, i));
    }
    cases
}

/// The row's attribute of a thing that does not exist.
fn unknown_entity(row: &Row, lang: &str, corpus: &Corpus<'_>, i: usize) -> Option<Case> {
    let entity = (1..=9)
        .filter_map(|by| next(&row.entity, by))
        .find(|entity| !corpus.says(entity))?;
    let (attribute, value) = row.fields.get(i % row.fields.len().max(1))?;
    let question = ask(lang, attribute, &entity);
    let mut case = draft(Kind::Unanswerable, "near_miss", lang, question, &[]);
    // the neighbour's figure is the answer that a careless system gives
    if value.chars().any(|c| c.is_ascii_digit()) {
        case.must_not = vec![value.clone()];
    }
    Some(case)
}

/// The name with its last number moved on; nothing when it has none.
fn next(entity: &str, by: u64) -> Option<String> {
    let end = entity.rfind(|c: char| c.is_ascii_digit())? + 1;
    let digits = entity[..end].bytes().rev().take_while(u8::is_ascii_digit).count();
    let start = end - digits;
    let number: u64 = entity[start..end].parse().ok()?;
    let moved = format!("{:0digits$}", number.checked_add(by)?);
    Some(format!("{}{moved}{}", &entity[..start], &entity[end..]))
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_last_number_moves_and_keeps_its_length() {
        assert_eq!(next("SunNest 80TV", 1).as_deref(), Some("SunNest 81TV"));
        assert_eq!(next("TX-009", 1).as_deref(), Some("TX-010"));
        assert_eq!(next("Accra Mall", 1), None);
    }
}
