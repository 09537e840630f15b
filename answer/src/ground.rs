//! Ground: every sentence must be supported by the text it cites.
//!
//! Two tests, for any model. The veto: a number, amount, date, unit, code, phone, address or proper name that the cited
//! text does not hold, or a "not" that it does not have, is a near-certain invention. Then token precision: a sentence
//! most of whose words are not in its evidence says something else. The veto is strict and the precision lenient,
//! because a new number is almost always wrong and a new verb almost never.

#![expect(
    clippy::cast_precision_loss,
    reason = "counts of words and examples are far below 2^23"
)]

mod facts;

use std::collections::HashSet;

use plumbline_models::reading::{sentence_spans, words};
use plumbline_models::{ComposedSentence, Passage, Source};

use crate::language;
use facts::Facts;

/// Least share of a sentence's content words that its cited text must hold.
const LEAST_PRECISION: f32 = 0.6;

/// The same for sentences of at most [`SHORT`] content words, where one synonym weighs much.
const LEAST_PRECISION_SHORT: f32 = 0.5;
const SHORT: usize = 4;

/// Share of common words from which two sentences are one statement, so that their negations must agree.
const SAME_STATEMENT: f32 = 0.6;

/// Why a sentence was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Veto {
    /// It cites nothing, or ranges that do not exist.
    NoSource,
    /// The cited text does not hold this number, amount, date, unit, code, phone, address or name.
    Unfounded(String),
    /// The cited text says the opposite.
    Negation,
    /// Most of its words are not in the cited text.
    OffEvidence,
}

/// What grounding leaves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grounded {
    /// Sentences that may be sent.
    pub sentences: Vec<ComposedSentence>,
    /// Sentences that may not, with the reason.
    pub vetoed: Vec<(String, Veto)>,
}

/// Keeps the sentences that their cited text supports.
pub fn ground(sentences: Vec<ComposedSentence>, passages: &[Passage], question: &str) -> Grounded {
    let mut grounded = Grounded::default();
    for sentence in sentences {
        match check(&sentence, passages, question) {
            None => grounded.sentences.push(sentence),
            Some(veto) => {
                tracing::warn!(?veto, sentence = sentence.text, "a sentence was not sent");
                grounded.vetoed.push((sentence.text, veto));
            }
        }
    }
    grounded
}

/// Why `sentence` must not be sent; `None` when it may.
fn check(sentence: &ComposedSentence, passages: &[Passage], question: &str) -> Option<Veto> {
    let Some(cited) = cited_text(&sentence.sources, passages) else {
        return Some(Veto::NoSource);
    };
    // Names may also come from the headings the passage stands under, or be the customer's own.
    let around: Vec<&str> = sentence
        .sources
        .iter()
        .filter_map(|source| passages.get(source.passage))
        .flat_map(|passage| passage.heading_path.iter().chain([&passage.title]))
        .map(String::as_str)
        .chain([question])
        .collect();
    if let Some(unfounded) =
        Facts::of(&sentence.text).not_in(&Facts::of(&cited), &Facts::of(&around.join("\n")))
    {
        return Some(Veto::Unfounded(unfounded));
    }
    // In another language neither the words nor the negations can be compared.
    if speaks_another_language(&sentence.text, &cited) {
        return None;
    }
    if flips_negation(&sentence.text, &cited) {
        return Some(Veto::Negation);
    }
    let (precision, content) = precision(
        &sentence.text,
        &format!("{cited}\n{}", around[..around.len() - 1].join("\n")),
    );
    let least = if content <= SHORT {
        LEAST_PRECISION_SHORT
    } else {
        LEAST_PRECISION
    };
    (precision < least).then_some(Veto::OffEvidence)
}

/// The cited ranges joined; `None` when there is none or one does not fit its passage.
fn cited_text(sources: &[Source], passages: &[Passage]) -> Option<String> {
    let parts: Option<Vec<&str>> = sources
        .iter()
        .map(|source| {
            passages
                .get(source.passage)
                .and_then(|passage| passage.text.get(source.start..source.end))
        })
        .collect();
    parts
        .filter(|parts| parts.iter().any(|part| !part.trim().is_empty()))
        .map(|parts| parts.join("\n"))
}

fn speaks_another_language(sentence: &str, cited: &str) -> bool {
    match (language::of_text(sentence), language::of_text(cited)) {
        (Some(a), Some(b)) => a != b,
        _ => false,
    }
}

/// Share of the sentence's content words that `cited` holds, and how many there are.
fn precision(sentence: &str, cited: &str) -> (f32, usize) {
    let known: HashSet<String> = words(cited).into_iter().map(|word| word.stem).collect();
    let content: Vec<_> = words(sentence)
        .into_iter()
        .filter(|word| !word.is_stop_word())
        .collect();
    let held = content.iter().filter(|word| known.contains(&word.stem)).count();
    let share = if content.is_empty() {
        1.0
    } else {
        held as f32 / content.len() as f32
    };
    (share, content.len())
}

/// Folded words that turn a statement round.
const NEGATIONS: &[&str] = &[
    "not", "no", "never", "cannot", "without", "nor", "neither", "none", "nothing", "nobody", "pas",
    "jamais", "sans", "aucun", "aucune", "ni", "nao", "nunca", "sem", "nenhum", "nenhuma", "nem", "sin",
    "ningun", "ninguna", "excluded", "except",
];

fn negations(text: &str) -> usize {
    let found = words(text);
    // "doesn't" is read as "doesn" and "t".
    let contracted = found
        .windows(2)
        .filter(|pair| pair[1].folded == "t" && pair[0].folded.ends_with('n'))
        .count();
    found
        .iter()
        .filter(|word| NEGATIONS.contains(&word.folded.as_str()))
        .count()
        + contracted
}

/// Whether the sentence says nearly the same as a cited one, but one of the two negates it.
fn flips_negation(sentence: &str, cited: &str) -> bool {
    let stems = |text: &str| -> HashSet<String> {
        words(text)
            .into_iter()
            .filter(|word| !word.is_stop_word())
            .map(|word| word.stem)
            .collect()
    };
    let said = stems(sentence);
    let nearest = sentence_spans(cited)
        .into_iter()
        .map(|span| &cited[span])
        .map(|text| {
            let other = stems(text);
            let shared = said.intersection(&other).count() as f32;
            (shared / said.union(&other).count().max(1) as f32, text)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.is_some_and(|(overlap, text)| {
        overlap >= SAME_STATEMENT && (negations(sentence) > 0) != (negations(text) > 0)
    })
}

#[cfg(test)]
#[path = "ground_tests.rs"]
mod tests;
