//! Questions that have an answer.

use plumbline_answer::{Message, Speaker};

use super::source::{Material, Row};
use super::{draft, name};
use crate::golden::case::{Case, Kind};

/// How something is asked in one language.
struct Phrases {
    attribute: fn(&str, &str) -> String,
    and_its: fn(&str) -> String,
    two: fn(&str, &str, &str, &str) -> String,
    section: fn(&str, &str) -> String,
}

const ENGLISH: Phrases = Phrases {
    attribute: |attribute, entity| format!("What is the {attribute} of {entity}?"),
    and_its: |attribute| format!("and the {attribute}?"),
    two: |a, x, b, y| format!("What is the {a} of {x}, and the {b} of {y}?"),
    section: |heading, title| format!("What does \"{title}\" say about {heading}?"),
};

const FRENCH: Phrases = Phrases {
    attribute: |attribute, entity| format!("{attribute} pour {entity} ?"),
    and_its: |attribute| format!("et {attribute} ?"),
    two: |a, x, b, y| format!("{a} pour {x}, et {b} pour {y} ?"),
    section: |heading, title| format!("Que dit « {title} » sur {heading} ?"),
};

const PORTUGUESE: Phrases = Phrases {
    attribute: |attribute, entity| format!("{attribute} de {entity}?"),
    and_its: |attribute| format!("e {attribute}?"),
    two: |a, x, b, y| format!("{a} de {x}, e {b} de {y}?"),
    section: |heading, title| format!("O que diz \"{title}\" sobre {heading}?"),
};

const SPANISH: Phrases = Phrases {
    attribute: |attribute, entity| format!("¿{attribute} de {entity}?"),
    and_its: |attribute| format!("¿y {attribute}?"),
    two: |a, x, b, y| format!("¿{a} de {x}, y {b} de {y}?"),
    section: |heading, title| format!("¿Qué dice \"{title}\" sobre {heading}?"),
};

fn phrases(lang: &str) -> &'static Phrases {
    match lang {
        "fr" => &FRENCH,
        "pt" => &PORTUGUESE,
        "es" => &SPANISH,
        _ => &ENGLISH,
    }
}

/// How a thing's attribute is asked for in a language.
pub(super) fn ask(lang: &str, attribute: &str, entity: &str) -> String {
    (phrases(lang).attribute)(&spoken(attribute), entity)
}

/// A header as it is said inside a sentence: `Cash price GHS` is `cash price GHS`.
fn spoken(header: &str) -> String {
    let word = |word: &str| {
        let code = word.chars().count() > 1 && !word.chars().any(char::is_lowercase);
        if code {
            word.to_owned()
        } else {
            word.to_lowercase()
        }
    };
    header.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// Questions with their answers, sections, and single cells.
pub(super) fn answered(material: &Material, most: usize) -> Vec<Case> {
    let (doc, lang) = (material.doc.as_str(), material.lang.as_str());
    let mut cases = Vec::new();
    for (question, quote) in spread(&material.faq, most) {
        cases.push(draft(
            Kind::Answerable,
            "faq",
            lang,
            question.clone(),
            &[(doc, quote)],
        ));
    }
    for (heading, quote) in spread(&material.sections, most) {
        let question = (phrases(lang).section)(heading, &material.title);
        cases.push(draft(
            Kind::Answerable,
            "heading",
            lang,
            question,
            &[(doc, quote)],
        ));
    }
    for (i, row) in spread(&material.rows, most).into_iter().enumerate() {
        if let Some((attribute, value)) = field(row, i) {
            let question = ask(lang, attribute, &row.entity);
            let mut case = draft(Kind::Answerable, "csv_row", lang, question, &[(doc, &row.line)]);
            case.must_include = vec![value.to_owned()];
            cases.push(case);
        }
    }
    cases
}

/// A second attribute of the same thing, asked without naming it again.
pub(super) fn follow_ups(material: &Material, most: usize) -> Vec<Case> {
    let (doc, lang) = (material.doc.as_str(), material.lang.as_str());
    let mut cases = Vec::new();
    for (i, row) in spread(&material.rows, most.div_ceil(2)).into_iter().enumerate() {
        let (Some((first, told)), Some((second, value))) = (field(row, i), field(row, i + 1)) else {
            continue;
        };
        if first == second {
            continue;
        }
        let question = (phrases(lang).and_its)(&spoken(second));
        let mut case = draft(
            Kind::Answerable,
            "multi_turn",
            lang,
            question,
            &[(doc, &row.line)],
        );
        case.must_include = vec![value.to_owned()];
        case.history = vec![
            Message {
                role: Speaker::Customer,
                text: ask(lang, first, &row.entity),
            },
            Message {
                role: Speaker::Bot,
                text: format!("{}: {first}: {told}", row.entity),
            },
        ];
        name(&mut case, "multi_turn");
        cases.push(case);
    }
    cases
}

/// Two things of two documents in one question.
pub(super) fn across(materials: &[Material], most: usize) -> Vec<Case> {
    let tables: Vec<&Material> = materials
        .iter()
        .filter(|material| !material.rows.is_empty())
        .collect();
    let mut cases = Vec::new();
    for pair in tables.windows(2).filter(|pair| pair[0].lang == pair[1].lang) {
        let rows = spread(&pair[0].rows, most.div_ceil(3))
            .into_iter()
            .zip(spread(&pair[1].rows, most.div_ceil(3)));
        for (i, (one, two)) in rows.enumerate() {
            let (Some((a, x)), Some((b, y))) = (field(one, i), field(two, i + 1)) else {
                continue;
            };
            let question = (phrases(&pair[0].lang).two)(&spoken(a), &one.entity, &spoken(b), &two.entity);
            let evidence = [
                (pair[0].doc.as_str(), one.line.as_str()),
                (pair[1].doc.as_str(), two.line.as_str()),
            ];
            let mut case = draft(
                Kind::Answerable,
                "multi_evidence",
                &pair[0].lang,
                question,
                &evidence,
            );
            case.must_include = vec![x.to_owned(), y.to_owned()];
            cases.push(case);
        }
    }
    cases
}

/// The `i`-th attribute of a row that is worth asking for: its value holds a digit or several words.
fn field(row: &Row, i: usize) -> Option<(&str, &str)> {
    let worth: Vec<&(String, String)> = row
        .fields
        .iter()
        .filter(|(_, value)| {
            value.chars().any(|c| c.is_ascii_digit()) || value.split_whitespace().count() > 1
        })
        .collect();
    let (attribute, value) = worth.get(i % worth.len().max(1))?;
    Some((attribute, value))
}

/// At most `most` of the items, from the whole length of the list.
pub(super) fn spread<T>(items: &[T], most: usize) -> Vec<&T> {
    let step = items.len().div_ceil(most.max(1)).max(1);
    items.iter().step_by(step).take(most).collect()
}
