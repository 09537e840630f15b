//! Compares what the vector index finds with what the comparison of all vectors finds.

use std::time::{Duration, Instant};

use plumbline_models::reading::sentence_spans;
use plumbline_store::{Filter, RECALL_WANTED, RetrievalSettings, Scope, VectorMatch, VectorScan};
use uuid::Uuid;

use crate::{SearchError, Searcher};

/// Nearest chunks that are compared per question.
const COMPARED: usize = 10;

/// Longest sentence of a document that is asked like a question, in characters.
const LONGEST_SENTENCE: usize = 200;

/// What one way to search the index found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recall {
    /// Chunks that the comparison of all vectors found.
    pub wanted: usize,
    /// How many of them, or others just as near, the index found.
    pub found: usize,
    /// Share found of the question that fared worst, 0 to 1.
    pub worst: f32,
}

/// What an audit found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Audited {
    /// Questions asked.
    pub questions: usize,
    /// How the index should be searched: with as few candidates as are enough.
    pub scan: VectorScan,
    /// What is found when it is.
    pub recall: Recall,
}

impl Recall {
    const NOTHING_ASKED: Self = Self {
        wanted: 0,
        found: 0,
        worst: 1.0,
    };

    /// Counts one question. Of chunks that are equally near, any is as good as another.
    #[expect(clippy::cast_precision_loss, reason = "ten at most")]
    fn count(&mut self, exact: &[VectorMatch], near: &[VectorMatch]) {
        let Some(last) = exact.last() else { return };
        let near = near.iter().take(exact.len());
        let found = near.filter(|one| one.cosine >= last.cosine).count();
        self.wanted += exact.len();
        self.found += found;
        self.worst = self.worst.min(found as f32 / exact.len() as f32);
    }

    #[expect(clippy::cast_precision_loss, reason = "some thousands at most")]
    fn is_good(self) -> bool {
        self.found as f64 >= self.wanted as f64 * RECALL_WANTED
    }
}

impl Searcher {
    /// Searches the vectors of `tenant` for `questions` through the index and without it, until `budget` is used up. The
    /// legs look as deep as in a search.
    ///
    /// # Errors
    /// [`SearchError`] when a question cannot be embedded or searched.
    pub async fn audit(
        &self,
        tenant: Uuid,
        settings: &RetrievalSettings,
        questions: &[String],
        budget: Duration,
    ) -> Result<Audited, SearchError> {
        let began = Instant::now();
        let (mut usual, mut thorough) = (Recall::NOTHING_ASKED, Recall::NOTHING_ASKED);
        let mut asked = 0;
        for question in questions {
            if began.elapsed() > budget {
                break;
            }
            let query = self.embed(tenant, &settings.model, question).await?;
            let mut tx = self.store().tenant(tenant).await?;
            tx.hold_still().await?; // what is published in between is no fault of the index
            let (scope, filter) = (Scope::default(), Filter::default());
            let mut nearest = async |depth, scan| {
                tx.nearest_chunks(query.space(), query.values(), depth, scan, &scope, &filter)
                    .await
            };
            let exact = nearest(COMPARED, VectorScan::Exact).await?;
            let near = nearest(settings.leg_depth, VectorScan::Approximate).await?;
            let more = nearest(settings.leg_depth, VectorScan::Thorough).await?;
            drop(tx);
            usual.count(&exact, &near);
            thorough.count(&exact, &more);
            asked += 1;
        }
        let (scan, recall) = if usual.is_good() {
            (VectorScan::Approximate, usual)
        } else {
            (VectorScan::Thorough, thorough)
        };
        Ok(Audited {
            questions: asked,
            scan,
            recall,
        })
    }
}

/// A sentence from the middle of a chunk's text, to be asked where customers have not asked enough.
pub fn sentence_to_ask(text: &str) -> String {
    let spans = sentence_spans(text);
    let middle = spans.get(spans.len() / 2).cloned().unwrap_or(0..text.len());
    text[middle].trim().chars().take(LONGEST_SENTENCE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(cosines: &[f32]) -> Vec<VectorMatch> {
        let matches = cosines.iter().map(|&cosine| VectorMatch {
            chunk_id: Uuid::now_v7(),
            cosine,
        });
        matches.collect()
    }

    #[test]
    fn the_recall_is_what_is_found_of_what_is_wanted() {
        let mut recall = Recall::NOTHING_ASKED;
        recall.count(&found(&[0.9, 0.8, 0.7, 0.6]), &found(&[0.9, 0.8, 0.7, 0.6]));
        assert_eq!((recall.wanted, recall.found, recall.worst), (4, 4, 1.0));
        recall.count(&found(&[0.9, 0.8, 0.7, 0.6]), &found(&[0.9, 0.7, 0.5, 0.4]));
        assert_eq!((recall.wanted, recall.found, recall.worst), (8, 6, 0.5));
        assert!(!recall.is_good());
        recall.count(&[], &[]);
        assert_eq!((recall.wanted, recall.found, recall.worst), (8, 6, 0.5));
    }

    #[test]
    fn one_of_equally_near_chunks_is_as_good_as_another() {
        let mut recall = Recall::NOTHING_ASKED;
        recall.count(&found(&[0.9, 0.5, 0.5]), &found(&[0.9, 0.5, 0.5, 0.5]));
        assert_eq!((recall.wanted, recall.found), (3, 3));
        assert!(recall.is_good());
    }

    #[test]
    fn a_sentence_is_taken_from_the_middle() {
        assert_eq!(
            sentence_to_ask("We open at nine. Delivery takes three days. Ask at the till."),
            "Delivery takes three days."
        );
        assert_eq!(sentence_to_ask("no end"), "no end");
        assert_eq!(sentence_to_ask(""), "");
        assert_eq!(
            sentence_to_ask(&"é".repeat(900)).chars().count(),
            LONGEST_SENTENCE
        );
    }
}
