//! Evidence: what the search found becomes passages to quote, and quotations become citations.

use plumbline_models::{Passage, Source};
use plumbline_retrieval::Hit;

use crate::answer::Citation;
use crate::language;

/// What lies between two paragraphs of a canonical text.
const PARAGRAPH_BREAK: &str = "\n\n";

/// Passages, each with the hits it comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// What may be quoted, best first.
    pub passages: Vec<Passage>,
    /// For each passage, its parts in the order of the text.
    pub parts: Vec<Vec<Part>>,
}

/// A hit's share of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Index of the hit.
    pub hit: usize,
    /// First byte of the passage that is the hit's.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// Bytes at the beginning of the hit that the part before holds already.
    pub skipped: usize,
}

impl Evidence {
    /// Passages of `hits`, best first.
    ///
    /// A near-duplicate of a better hit would only repeat it and is left out. Neighbours (two pieces of one section, one
    /// going on where the other ends) are one passage in the place of the better one: a sentence that the cut between
    /// them parted from its context has it again, and what their overlap says is not said twice.
    pub fn from_hits(hits: &[Hit]) -> Self {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (index, hit) in hits.iter().enumerate() {
            let repeats = hit
                .duplicate_of
                .is_some_and(|other| hits.iter().any(|hit| hit.chunk_id == other));
            if repeats || hit.text.trim().is_empty() {
                continue;
            }
            let adjoining: Vec<usize> = (0..groups.len())
                .filter(|&group| groups[group].iter().any(|&other| adjoin(&hits[other], hit)))
                .collect();
            match adjoining.split_first() {
                None => groups.push(vec![index]),
                Some((&first, others)) => {
                    // what stood apart on both sides of this hit is now one
                    for &other in others.iter().rev() {
                        let joined = groups.remove(other);
                        groups[first].extend(joined);
                    }
                    groups[first].push(index);
                }
            }
        }
        let mut evidence = Self::default();
        for group in groups {
            evidence.push(hits, group);
        }
        evidence
    }

    fn push(&mut self, hits: &[Hit], mut group: Vec<usize>) {
        group.sort_by_key(|&index| (hits[index].start, hits[index].end));
        let mut text = String::new();
        let mut parts: Vec<Part> = Vec::new();
        let mut reached = None;
        for index in group.iter().copied() {
            let hit = &hits[index];
            let end = reached.unwrap_or(hit.start);
            if hit.end <= end && !parts.is_empty() {
                continue; // it lies within the one before
            }
            if hit.start > end {
                text.push_str(PARAGRAPH_BREAK);
            }
            let skipped = end.saturating_sub(hit.start);
            let start = text.len();
            text.push_str(hit.text.get(skipped..).unwrap_or_default());
            parts.push(Part {
                hit: index,
                start,
                end: text.len(),
                skipped,
            });
            reached = Some(hit.end);
        }
        let best = group
            .iter()
            .map(|&index| &hits[index])
            .max_by(|a, b| a.score.total_cmp(&b.score));
        let Some(best) = best else { return };
        self.parts.push(parts);
        self.passages.push(Passage {
            title: best.document_title.clone(),
            heading_path: best.heading_path.clone(),
            text,
            score: best.score,
        });
    }

    /// The part that a source begins in.
    fn part(&self, source: Source) -> Option<Part> {
        let parts = self.parts.get(source.passage)?;
        parts
            .iter()
            .copied()
            .find(|part| (part.start..part.end).contains(&source.start))
    }

    /// The hit that a source begins in.
    pub fn hit(&self, source: Source) -> Option<usize> {
        self.part(source).map(|part| part.hit)
    }

    /// The citation of a source, if it lies inside its passage.
    pub fn citation(&self, hits: &[Hit], source: Source) -> Option<Citation> {
        let part = self.part(source)?;
        let hit = hits.get(part.hit)?;
        let quote = self
            .passages
            .get(source.passage)?
            .text
            .get(source.start..source.end)?;
        let start = source.start - part.start + part.skipped;
        Some(Citation {
            document_id: hit.document_id,
            version_id: hit.version_id,
            document_key: hit.document_key.clone(),
            document_title: hit.document_title.clone(),
            version_number: hit.version_number,
            chunk_id: hit.chunk_id,
            start: hit.start + start,
            end: hit.start + start + quote.len(),
            page: hit.page,
            row: hit.row.map(|first| first + rows_before(&hit.text, start)),
            quote: quote.to_owned(),
        })
    }
}

/// Whether two hits are pieces of one section and the text goes on from one to the other: they overlap, touch, or an
/// empty line is all that lies between them. Rows of a table are things of their own and stay apart.
fn adjoin(a: &Hit, b: &Hit) -> bool {
    let (first, second) = if a.start <= b.start { (a, b) } else { (b, a) };
    a.version_id == b.version_id
        && a.heading_path == b.heading_path
        && a.row.is_none()
        && b.row.is_none()
        && (second.start <= first.end || second.start == first.end + PARAGRAPH_BREAK.len())
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
    hits.sort_by(|a, b| {
        let repeats = |hit: &Hit| hit.duplicate_of.is_some();
        repeats(a).cmp(&repeats(b)).then(b.score.total_cmp(&a.score))
    });
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
            duplicate_of: None,
        }
    }

    /// A piece of running text as it is cut out of a whole.
    fn piece(whole: &str, start: usize, end: usize, score: f32) -> Hit {
        Hit {
            chunk_id: Uuid::from_u128(1 + start as u128),
            row: None,
            score,
            ..hit(&whole[start..end], start)
        }
    }

    #[test]
    fn what_repeats_a_better_hit_is_left_out_unless_that_one_is() {
        let mut hits = vec![
            hit("Returns within 14 days.", 0),
            hit("returns within 14 days", 900),
            hit(" ", 5),
        ];
        hits[0].chunk_id = Uuid::from_u128(1);
        hits[1].duplicate_of = Some(Uuid::from_u128(1));
        let quoted = |hits: &[Hit]| {
            let parts = Evidence::from_hits(hits).parts;
            parts
                .iter()
                .flatten()
                .map(|part| hits[part.hit].start)
                .collect::<Vec<_>>()
        };
        assert_eq!(quoted(&hits), [0]);
        assert_eq!(quoted(&hits[1..]), [900]);
    }

    #[test]
    fn neighbours_become_one_passage_and_are_cited_where_they_stand() {
        let whole = "One is here. Two is there. Three is far.\n\nFour is near. Five is new.";
        // the first two overlap in "Two is there.", the third begins after an empty line
        let hits = [
            piece(whole, 42, 68, 0.5),
            piece(whole, 0, 26, 0.9),
            piece(whole, 13, 40, 0.7),
        ];
        let evidence = Evidence::from_hits(&hits);
        assert_eq!(evidence.passages.len(), 1);
        assert_eq!(evidence.passages[0].text, whole);
        assert!((evidence.passages[0].score - 0.9).abs() < f32::EPSILON);
        for (quote, hit) in [
            ("One is here.", 1),
            ("Two is there.", 1),
            ("Three is far.", 2),
            ("Five is new.", 0),
        ] {
            let start = whole.find(quote).unwrap();
            let source = Source {
                passage: 0,
                start,
                end: start + quote.len(),
            };
            let citation = evidence.citation(&hits, source).unwrap();
            assert_eq!(
                (citation.quote.as_str(), citation.start, citation.end),
                (quote, start, start + quote.len())
            );
            assert_eq!(evidence.hit(source), Some(hit), "{quote}");
        }
    }

    #[test]
    fn rows_sections_and_versions_are_not_joined() {
        let whole = "One is here. Two is there.";
        let (first, second) = (piece(whole, 0, 13, 0.9), piece(whole, 13, 26, 0.8));
        let passages = |second: Hit| Evidence::from_hits(&[first.clone(), second]).passages.len();
        assert_eq!(passages(second.clone()), 1);
        assert_eq!(
            passages(Hit {
                row: Some(1),
                ..second.clone()
            }),
            2
        );
        assert_eq!(
            passages(Hit {
                heading_path: vec!["Two".to_owned()],
                ..second.clone()
            }),
            2
        );
        assert_eq!(
            passages(Hit {
                version_id: Uuid::from_u128(9),
                ..second
            }),
            2
        );
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
