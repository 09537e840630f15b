//! Near-duplicates among the leading candidates: the same paragraph in two documents, the overlap of two chunks.
//!
//! Five hits that say one thing are one hit and four lost places. A text that differs in a number or a name never
//! counts as a repetition: last year's price list is another answer.

use std::collections::{HashMap, HashSet};

use plumbline_models::reading::Word;
use uuid::Uuid;

use crate::rerank::Passage;

/// Share of a text's words from which another one says the same, in percent.
const SAME_PASSAGE: usize = 90;

/// The candidates that add nothing to a better one, each with the one that holds all they say. Best first; one without a
/// fingerprint is no repetition and none of it.
pub(crate) fn duplicates(
    leading: impl Iterator<Item = Uuid>,
    fingerprints: &HashMap<Uuid, Fingerprint<'_>>,
) -> HashMap<Uuid, Uuid> {
    let mut kept: Vec<(Uuid, &Fingerprint<'_>)> = Vec::new();
    let mut found = HashMap::new();
    for chunk in leading {
        let Some(fingerprint) = fingerprints.get(&chunk) else {
            continue;
        };
        match kept.iter().find(|(_, other)| other.holds(fingerprint)) {
            Some((other, _)) => {
                found.insert(chunk, *other);
            }
            None => kept.push((chunk, fingerprint)),
        }
    }
    found
}

/// The words of a passage, to be compared with those of others.
pub(crate) struct Fingerprint<'a> {
    stems: HashSet<&'a str>,
    /// Words that make two otherwise equal texts different: with digits or a capital.
    telling: HashSet<&'a str>,
}

impl<'a> Fingerprint<'a> {
    /// The words of each of `passages`.
    pub(crate) fn of_all(passages: &'a [Passage<'_>]) -> HashMap<Uuid, Self> {
        passages
            .iter()
            .map(|passage| (passage.hit.chunk_id, Self::of(&passage.words)))
            .collect()
    }

    fn of(words: &'a [Word<'_>]) -> Self {
        let telling = words
            .iter()
            .filter(|word| word.has_digit() || word.is_capitalised());
        Self {
            telling: telling.map(|word| word.folded.as_str()).collect(),
            stems: words.iter().map(|word| word.stem.as_str()).collect(),
        }
    }

    /// Whether `other` adds nothing to this text. A text without words repeats nothing.
    fn holds(&self, other: &Self) -> bool {
        if other.stems.is_empty() || !other.telling.is_subset(&self.telling) {
            return false;
        }
        let shared = other.stems.intersection(&self.stems).count();
        shared * 100 >= other.stems.len() * SAME_PASSAGE
    }
}

#[cfg(test)]
mod tests {
    use plumbline_models::reading::words;
    use proptest::prelude::*;

    use super::*;

    fn repeated(bodies: &[&str]) -> Vec<(u128, u128)> {
        let read: Vec<Vec<Word<'_>>> = bodies.iter().map(|body| words(body)).collect();
        let fingerprints: HashMap<Uuid, Fingerprint<'_>> = (1..)
            .zip(&read)
            .map(|(n, words)| (Uuid::from_u128(n), Fingerprint::of(words)))
            .collect();
        let order = (1..).take(bodies.len()).map(Uuid::from_u128);
        let mut found: Vec<(u128, u128)> = duplicates(order, &fingerprints)
            .into_iter()
            .map(|(chunk, of)| (chunk.as_u128(), of.as_u128()))
            .collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn the_same_words_are_one_passage_and_another_number_is_another() {
        let bodies = [
            "Opened goods are taken back within 10 days, at 85 % of the price.",
            "Opened goods are taken back within 10 days at 85 % of the price",
            "Opened goods are taken back within 14 days, at 85 % of the price.",
            "opened goods are taken back",
        ];
        assert_eq!(repeated(&bodies), [(2, 1), (4, 1)]);
    }

    #[test]
    fn a_longer_text_adds_something_to_a_shorter_one() {
        assert_eq!(
            repeated(&["We open at 8.", "We open at 8. On Sundays the shop is closed."]),
            []
        );
    }

    #[test]
    fn texts_without_words_repeat_nothing() {
        assert_eq!(repeated(&["…", "—"]), []);
    }

    proptest! {
        #[test]
        fn a_duplicate_points_to_a_better_one_that_is_none(bodies in prop::collection::vec("[a-c 12]{0,12}", 0..8)) {
            let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
            let found = repeated(&bodies);
            for (chunk, of) in &found {
                prop_assert!(of < chunk, "{found:?}");
                prop_assert!(found.iter().all(|(other, _)| other != of), "{found:?}");
            }
        }
    }
}
