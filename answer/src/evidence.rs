//! Evidence: what the search found becomes passages to quote, and quotations become citations.

use std::collections::HashSet;

use plumbline_models::reading::words;
use plumbline_models::{Passage, Source};
use plumbline_retrieval::Hit;

use crate::answer::Citation;
use crate::language;

/// Share of common words from which two passages say the same, in percent.
const SAME_PASSAGE: usize = 90;

/// Passages, each with the hit it comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// What may be quoted, best first.
    pub passages: Vec<Passage>,
    /// For each passage, the index of its hit.
    pub hits: Vec<usize>,
}

impl Evidence {
    /// Passages of `hits`, best first. A near-duplicate of a better one (the same paragraph in two documents, an
    /// overlap of two chunks) would only repeat it and is left out; texts that differ in a number or a name never are.
    pub fn from_hits(hits: &[Hit]) -> Self {
        let mut evidence = Self::default();
        let mut kept: Vec<Fingerprint> = Vec::new();
        for (index, hit) in hits.iter().enumerate() {
            let fingerprint = Fingerprint::of(&hit.text);
            if hit.text.trim().is_empty() || kept.iter().any(|other| other.says_the_same(&fingerprint)) {
                continue;
            }
            kept.push(fingerprint);
            evidence.hits.push(index);
            evidence.passages.push(Passage {
                title: hit.document_title.clone(),
                heading_path: hit.heading_path.clone(),
                text: hit.text.clone(),
                score: hit.score,
            });
        }
        evidence
    }

    /// The citation of a source, if it lies inside its passage.
    pub fn citation(&self, hits: &[Hit], source: Source) -> Option<Citation> {
        let hit = hits.get(*self.hits.get(source.passage)?)?;
        let quote = hit.text.get(source.start..source.end)?;
        Some(Citation {
            document_id: hit.document_id,
            version_id: hit.version_id,
            document_key: hit.document_key.clone(),
            document_title: hit.document_title.clone(),
            version_number: hit.version_number,
            chunk_id: hit.chunk_id,
            start: hit.start + source.start,
            end: hit.start + source.end,
            page: hit.page,
            row: hit.row.map(|first| first + rows_before(&hit.text, source.start)),
            quote: quote.to_owned(),
        })
    }
}

/// What a hit in another language than the customer's keeps of its score.
const OTHER_LANGUAGE: f32 = 0.85;

/// The best `k` of `hits`, those in the customer's `language` preferred.
///
/// A business with documents in several languages says the same thing differently per market; the encoder finds all of
/// them alike. Nothing is lost: a passage in another language still leads when it is clearly better.
pub fn prefer_language(mut hits: Vec<Hit>, language: &str, k: usize) -> Vec<Hit> {
    for hit in &mut hits {
        if language::of_text(&hit.text).is_some_and(|other| other != language) {
            hit.score *= OTHER_LANGUAGE;
        }
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(k);
    hits
}

/// Rows that begin before `start`: one line per row, empty lines are none.
fn rows_before(text: &str, start: usize) -> u64 {
    let line = text
        .get(..start)
        .and_then(|before| before.rfind('\n'))
        .unwrap_or_default();
    text[..line]
        .lines()
        .filter(|line| !line.trim().is_empty())
        .count() as u64
}

struct Fingerprint {
    stems: HashSet<String>,
    /// Words that make two otherwise equal texts different: with digits or a capital.
    telling: HashSet<String>,
}

impl Fingerprint {
    fn of(text: &str) -> Self {
        let found = words(text);
        Self {
            telling: found
                .iter()
                .filter(|w| w.has_digit() || w.is_capitalised())
                .map(|w| w.folded.clone())
                .collect(),
            stems: found.into_iter().map(|w| w.stem).collect(),
        }
    }

    /// Whether `other` adds nothing to this text.
    fn says_the_same(&self, other: &Self) -> bool {
        let shared = self.stems.intersection(&other.stems).count();
        other.telling.is_subset(&self.telling) && shared * 100 >= other.stems.len() * SAME_PASSAGE
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    pub(crate) fn hit(text: &str, start: usize) -> Hit {
        Hit {
            chunk_id: Uuid::nil(),
            document_id: Uuid::nil(),
            version_id: Uuid::nil(),
            document_key: "a.csv".to_owned(),
            document_title: "A".to_owned(),
            version_number: 2,
            start,
            end: start + text.len(),
            page: Some(3),
            row: Some(7),
            heading_path: vec![],
            text: text.to_owned(),
            score: 0.5,
            parts: plumbline_retrieval::ScoreParts::default(),
            lexical: None,
            vector: None,
        }
    }

    #[test]
    fn near_duplicates_collapse_but_other_numbers_do_not() {
        let hits = [
            hit(
                "Returns are accepted within 14 days of delivery with the receipt.",
                0,
            ),
            hit(
                "Returns are accepted within 14 days of delivery, with the receipt",
                900,
            ),
            hit(
                "Returns are accepted within 30 days of delivery with the receipt.",
                100,
            ),
            hit(" ", 5),
        ];
        assert_eq!(Evidence::from_hits(&hits).hits, [0, 2]);
    }

    #[test]
    fn a_citation_points_into_the_canonical_text() {
        let hits = [hit("Town: Ho | Price: 35\nTown: Tema | Price: 20", 400)];
        let evidence = Evidence::from_hits(&hits);
        let citation = evidence
            .citation(
                &hits,
                Source {
                    passage: 0,
                    start: 21,
                    end: 43,
                },
            )
            .unwrap();
        assert_eq!(
            (citation.start, citation.end, citation.row, citation.page),
            (421, 443, Some(8), Some(3))
        );
        assert_eq!(citation.quote, "Town: Tema | Price: 20");
        for wrong in [(0, 0, 99), (1, 0, 2), (0, 9, 2)] {
            assert!(
                evidence
                    .citation(
                        &hits,
                        Source {
                            passage: wrong.0,
                            start: wrong.1,
                            end: wrong.2
                        }
                    )
                    .is_none()
            );
        }
    }

    #[test]
    fn the_customers_language_is_preferred_but_not_at_any_price() {
        let english = |score| Hit {
            score,
            ..hit("The delivery takes three days and is free.", 0)
        };
        let french = |score| Hit {
            score,
            ..hit("La livraison prend trois jours et elle est gratuite.", 100)
        };
        let starts = |hits: Vec<Hit>| hits.iter().map(|hit| hit.start).collect::<Vec<_>>();
        assert_eq!(
            starts(prefer_language(vec![english(0.50), french(0.45)], "fr", 2)),
            [100, 0]
        );
        assert_eq!(
            starts(prefer_language(vec![english(0.70), french(0.45)], "fr", 2)),
            [0, 100]
        );
        assert_eq!(
            starts(prefer_language(vec![english(0.50), french(0.45)], "en", 1)),
            [0]
        );
    }

    #[test]
    fn empty_lines_are_no_rows() {
        assert_eq!(rows_before("a\n\nb\nc", 3), 1);
        assert_eq!(rows_before("a\n\nb\nc", 5), 2);
        assert_eq!(rows_before("a", 0), 0);
    }
}
