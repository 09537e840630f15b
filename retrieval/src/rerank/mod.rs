//! Rerank: the leading candidates are read once more, together with the question.
//!
//! By default a few cheap features judge them ([`features`]). Where a cross-encoder is installed and the settings ask for
//! it, that one does, within a hard deadline: a customer waits for no model, so when it is late, or fails, the features
//! judge and the trace says why.

pub(crate) mod features;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plumbline_models::Reranker;
use plumbline_store::{LiveHit, RerankBy, RetrievalSettings};
use uuid::Uuid;

use self::features::Reader;
use crate::RerankTrace;
use crate::lexical::Word;

/// Candidates that are read again, unless more hits are wanted.
pub(crate) const RERANKED: usize = 20;

/// What reading again gave.
#[derive(Debug, Default)]
pub(crate) struct Reread {
    /// What is added to the fused score of a candidate.
    pub(crate) bonuses: HashMap<Uuid, f32>,
    /// Who read; none when the settings leave it out.
    pub(crate) trace: Option<RerankTrace>,
}

/// Reads `leading` again for `question`, whose words the lexical leg found to be worth `known`.
pub(crate) async fn read_again(
    model: Option<&Arc<dyn Reranker>>,
    question: &str,
    known: &[Word],
    leading: &[&LiveHit],
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
        match judged(model, question, leading, settings).await {
            Ok((name, judged)) => (by, bonuses) = (name, Some(judged)),
            Err(reason) => {
                tracing::warn!(reason, "retrieval.rerank.missed");
                missed = Some(reason);
            }
        }
    }
    let bonuses = bonuses.unwrap_or_else(|| {
        let reader = Reader::new(question, known);
        leading
            .iter()
            .map(|hit| (hit.chunk_id, settings.rerank_weight * reader.bonus(hit)))
            .collect()
    });
    Reread {
        bonuses,
        trace: Some(RerankTrace {
            by,
            read: leading.len(),
            missed,
            ms: began.elapsed().as_secs_f64() * 1_000.0,
        }),
    }
}

/// What the cross-encoder says, as parts of the fused score; or why it says nothing.
async fn judged(
    model: Option<&Arc<dyn Reranker>>,
    question: &str,
    leading: &[&LiveHit],
    settings: &RetrievalSettings,
) -> Result<(String, HashMap<Uuid, f32>), String> {
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
    let part = |logit: f32| settings.rerank_model_weight / (1.0 + (-logit).exp());
    let bonuses = leading.iter().zip(scores);
    Ok((
        model.model().to_owned(),
        bonuses.map(|(hit, logit)| (hit.chunk_id, part(logit))).collect(),
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
        let model = model.map(|model| Arc::new(model) as Arc<dyn Reranker>);
        read_again(model.as_ref(), question, &[], &leading, settings).await
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
        let part = |n| judged.bonuses[&Uuid::from_u128(n)];
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
