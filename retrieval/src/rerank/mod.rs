//! Rerank: the leading candidates are read once more, together with the question.
//!
//! By default a few cheap features judge them ([`features`]), and how much of the question they say word piece by word piece
//! ([`late`]). Where a cross-encoder is installed and the settings ask for
//! it, that one does, within a hard deadline: a customer waits for no model, so when it is late, or fails, the features
//! judge and the trace says why.

pub(crate) mod features;
pub(crate) mod late;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plumbline_models::{Piece, Reranker, reading};
use plumbline_store::{LiveHit, RerankBy, RetrievalSettings};
use uuid::Uuid;

use self::features::Reader;
use self::late::LateQuestion;
use crate::RerankTrace;
use crate::lexical::Word;

/// Candidates that are read again, unless more hits are wanted.
pub(crate) const RERANKED: usize = 20;

/// What is read again, and for what.
pub(crate) struct Rereading<'a> {
    /// The question.
    pub(crate) question: &'a str,
    /// Its words, and what the lexical leg found them to be worth.
    pub(crate) known: &'a [Word],
    /// Its pieces; none when its model does not tell them.
    pub(crate) pieces: &'a [Piece],
    /// The candidates.
    pub(crate) leading: &'a [&'a LiveHit],
    /// What their features add, see [`features_of`].
    pub(crate) features: &'a HashMap<Uuid, f32>,
    /// The signs of their pieces, of those that have some.
    pub(crate) signs: &'a HashMap<Uuid, Vec<u8>>,
}

/// A candidate whose text was read.
pub(crate) struct Passage<'a> {
    /// The candidate.
    pub(crate) hit: &'a LiveHit,
    /// The words of its body, in order.
    pub(crate) words: Vec<reading::Word<'a>>,
}

impl<'a> Passage<'a> {
    /// Reads `hit`.
    pub(crate) fn of(hit: &'a LiveHit) -> Self {
        Self {
            words: reading::words(&hit.body),
            hit,
        }
    }
}

/// What the features of `passages` add to their scores, before it is weighed.
pub(crate) fn features_of(question: &str, known: &[Word], passages: &[Passage<'_>]) -> HashMap<Uuid, f32> {
    let reader = Reader::new(question, known);
    passages
        .iter()
        .map(|passage| (passage.hit.chunk_id, reader.bonus(passage)))
        .collect()
}

/// What reading a candidate again adds to its fused score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Bonus {
    /// The features, or the model.
    pub(crate) rerank: f32,
    /// Late interaction.
    pub(crate) late: f32,
}

/// What reading again gave.
#[derive(Debug, Default)]
pub(crate) struct Reread {
    /// What is added to the fused score of a candidate.
    pub(crate) bonuses: HashMap<Uuid, Bonus>,
    /// Who read; none when the settings leave it out.
    pub(crate) trace: Option<RerankTrace>,
}

/// Reads the leading candidates again.
pub(crate) async fn read_again(
    model: Option<&Arc<dyn Reranker>>,
    reading: &Rereading<'_>,
    settings: &RetrievalSettings,
) -> Reread {
    if !settings.rerank {
        return Reread::default();
    }
    let began = Instant::now();
    let mut missed = None;
    let mut by = "features".to_owned();
    let mut bonuses = None;
    if settings.rerank_by == RerankBy::Model {
        match judged(model, reading.question, reading.leading, settings).await {
            Ok((name, judged)) => (by, bonuses) = (name, Some(judged)),
            Err(reason) => {
                tracing::warn!(reason, "retrieval.rerank.missed");
                missed = Some(reason);
            }
        }
    }
    let bonuses = bonuses.unwrap_or_else(|| reading.bonuses(settings));
    Reread {
        bonuses,
        trace: Some(RerankTrace {
            by,
            read: reading.leading.len(),
            missed,
            ms: began.elapsed().as_secs_f64() * 1_000.0,
        }),
    }
}

impl Rereading<'_> {
    /// What the features and late interaction add.
    fn bonuses(&self, settings: &RetrievalSettings) -> HashMap<Uuid, Bonus> {
        let late = self.similarities();
        // Only differences count, so that a boost and a pin mean the same with and without. A passage that was built before
        // its pieces were kept gets what the weakest has.
        let weakest = late.values().copied().min_by(f32::total_cmp).unwrap_or_default();
        let bonus = |hit: &&LiveHit| {
            let late = late
                .get(&hit.chunk_id)
                .map_or(0.0, |similarity| similarity - weakest);
            let bonus = Bonus {
                rerank: settings.rerank_weight
                    * self.features.get(&hit.chunk_id).copied().unwrap_or_default(),
                late: settings.late_weight * late,
            };
            (hit.chunk_id, bonus)
        };
        self.leading.iter().map(bonus).collect()
    }

    fn similarities(&self) -> HashMap<Uuid, f32> {
        let Some(question) = LateQuestion::new(self.question, self.pieces, self.known) else {
            return HashMap::new();
        };
        let similarity = |(chunk, signs): (&Uuid, &Vec<u8>)| Some((*chunk, question.similarity(signs)?));
        self.signs.iter().filter_map(similarity).collect()
    }
}

/// What the cross-encoder says, as parts of the fused score; or why it says nothing.
async fn judged(
    model: Option<&Arc<dyn Reranker>>,
    question: &str,
    leading: &[&LiveHit],
    settings: &RetrievalSettings,
) -> Result<(String, HashMap<Uuid, Bonus>), String> {
    let Some(model) = model else {
        return Err("no reranking model is installed in this process".to_owned());
    };
    let passages = leading.iter().map(|hit| passage(hit)).collect();
    let deadline = Duration::from_millis(settings.rerank_deadline_ms);
    let scores = match tokio::time::timeout(deadline, model.score(question, passages)).await {
        Ok(Ok(scores)) if scores.len() == leading.len() => scores,
        Ok(Ok(scores)) => {
            let (got, wanted) = (scores.len(), leading.len());
            return Err(format!("{got} scores came for {wanted} passages"));
        }
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => {
            return Err(format!(
                "{} did not answer within {} ms",
                model.model(),
                settings.rerank_deadline_ms
            ));
        }
    };
    let bonus = |logit: f32| Bonus {
        rerank: settings.rerank_model_weight / (1.0 + (-logit).exp()),
        late: 0.0,
    };
    let bonuses = leading.iter().zip(scores);
    Ok((
        model.model().to_owned(),
        bonuses.map(|(hit, logit)| (hit.chunk_id, bonus(logit))).collect(),
    ))
}

/// A passage as the cross-encoder reads it: what stands above it is part of what it says.
fn passage(hit: &LiveHit) -> String {
    let mut text = hit.document_title.clone();
    for heading in &hit.heading_path {
        text.push('\n');
        text.push_str(heading);
    }
    text.push('\n');
    text.push_str(&hit.body);
    text
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use plumbline_models::ModelError;

    use super::*;

    /// Likes long passages, after some time.
    struct Slow(Duration);

    #[async_trait]
    impl Reranker for Slow {
        fn model(&self) -> &'static str {
            "slow"
        }

        async fn score(&self, question: &str, passages: Vec<String>) -> Result<Vec<f32>, ModelError> {
            tokio::time::sleep(self.0).await;
            if question == "broken" {
                return Err(ModelError::Inference {
                    model: "slow".to_owned(),
                    reason: "out of memory".to_owned(),
                });
            }
            let length = |passage: &String| if passage.len() > 30 { 4.0 } else { -4.0 };
            Ok(passages.iter().map(length).collect())
        }
    }

    fn hit(n: u128, body: &str) -> LiveHit {
        features::tests::hit_of(Uuid::from_u128(n), "Title", body)
    }

    async fn reread(model: Option<Slow>, question: &str, settings: &RetrievalSettings) -> Reread {
        let hits = [
            hit(1, "short"),
            hit(2, "a passage that is longer than all others are"),
        ];
        let leading: Vec<&LiveHit> = hits.iter().collect();
        let passages: Vec<Passage<'_>> = hits.iter().map(Passage::of).collect();
        let model = model.map(|model| Arc::new(model) as Arc<dyn Reranker>);
        let reading = Rereading {
            question,
            known: &[],
            pieces: &[],
            leading: &leading,
            features: &features_of(question, &[], &passages),
            signs: &HashMap::new(),
        };
        read_again(model.as_ref(), &reading, settings).await
    }

    #[tokio::test]
    async fn the_model_judges_within_its_deadline_and_the_features_otherwise() {
        let settings = RetrievalSettings {
            rerank_by: RerankBy::Model,
            rerank_deadline_ms: 2_000,
            rerank_model_weight: 0.5,
            ..RetrievalSettings::default()
        };
        let quick = || Some(Slow(Duration::ZERO));
        let judged = reread(quick(), "a question", &settings).await;
        let trace = judged.trace.unwrap();
        assert_eq!((trace.by.as_str(), trace.read, trace.missed), ("slow", 2, None));
        let part = |n| judged.bonuses[&Uuid::from_u128(n)].rerank;
        assert!(part(2) > 0.49 && part(2) <= 0.5 && part(1) < 0.01);

        let settings = RetrievalSettings {
            rerank_deadline_ms: 20,
            ..settings
        };
        let late = Some(Slow(Duration::from_hours(1)));
        for (model, question, reason) in [
            (late, "a question", "did not answer within 20 ms"),
            (quick(), "broken", "out of memory"),
            (None, "a question", "no reranking model is installed"),
        ] {
            let trace = reread(model, question, &settings).await.trace.unwrap();
            assert_eq!(trace.by, "features");
            let missed = trace.missed.unwrap();
            assert!(missed.contains(reason), "{missed}");
        }
    }

    #[tokio::test]
    async fn what_a_passage_says_piece_by_piece_counts_from_the_weakest_on() {
        let hits = [hit(1, "all"), hit(2, "half"), hit(3, "none"), hit(4, "not kept")];
        let leading: Vec<&LiveHit> = hits.iter().collect();
        let pieces = [Piece {
            at: 0..3,
            signs: vec![0xFF],
        }];
        let signs = [(1, 0xFF), (2, 0x0F), (3, 0x00)];
        let signs = signs.map(|(n, byte)| (Uuid::from_u128(n), vec![byte]));
        let reading = Rereading {
            question: "fan",
            known: &[],
            pieces: &pieces,
            leading: &leading,
            features: &HashMap::new(),
            signs: &HashMap::from(signs),
        };
        let settings = RetrievalSettings {
            late_weight: 0.5,
            ..RetrievalSettings::default()
        };
        let bonuses = read_again(None, &reading, &settings).await.bonuses;
        let late = [1, 2, 3, 4].map(|n| bonuses[&Uuid::from_u128(n)].late);
        for (got, wanted) in late.into_iter().zip([1.0, 0.5, 0.0, 0.0]) {
            assert!((got - wanted).abs() < 1e-6, "{late:?}");
        }
    }

    #[tokio::test]
    async fn nobody_is_asked_whom_the_settings_do_not_name() {
        let never = || Some(Slow(Duration::from_hours(1)));
        let settings = RetrievalSettings::default();
        let trace = reread(never(), "a question", &settings).await.trace.unwrap();
        assert_eq!((trace.by.as_str(), trace.missed), ("features", None));
        let off = RetrievalSettings {
            rerank: false,
            rerank_by: RerankBy::Model,
            ..settings
        };
        let reread = reread(never(), "a question", &off).await;
        assert!(reread.trace.is_none() && reread.bonuses.is_empty());
    }
}
