//! A chat model on tape.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use plumbline_models::{ChatModel, ComposeRequest, Composition, ModelError};

use super::{Stage, Tape, Use, model_parts};

/// Stands where the real model stands: writes its calls down, or answers from what was written.
pub struct Taped {
    inner: Arc<dyn ChatModel>,
    tape: Arc<Tape>,
    corpus: String,
}

impl Taped {
    /// `inner` on `tape`, for questions about the corpus of that name.
    pub fn new(inner: Arc<dyn ChatModel>, tape: Arc<Tape>, corpus: String) -> Self {
        Self { inner, tape, corpus }
    }

    fn replay(&self, request: &ComposeRequest) -> Result<Composition, ModelError> {
        let parts = model_parts(request, self.inner.name(), &self.corpus);
        let mut reels = self.tape.reels.lock().unwrap_or_else(PoisonError::into_inner);
        let found = reels
            .model
            .find(&request.question, &parts)
            .map(|cassette| cassette.body.clone());
        let read = found.and_then(|body| {
            serde_json::from_value(body).map_err(|error| format!("{}: {error}", request.question))
        });
        read.map_err(|miss| {
            reels.misses.push(miss.clone());
            ModelError::Inference {
                model: self.inner.name().to_owned(),
                reason: format!("not recorded: {miss}"),
            }
        })
    }
}

#[async_trait]
impl ChatModel for Taped {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn compose(&self, request: &ComposeRequest) -> Result<Composition, ModelError> {
        if self.tape.purpose == Use::Replay(Stage::Model) {
            return self.replay(request);
        }
        let clock = Instant::now();
        let composition = self.inner.compose(request).await?;
        let latency_ms = clock.elapsed().as_secs_f64() * 1_000.0;
        let parts = model_parts(request, self.inner.name(), &self.corpus);
        let body = serde_json::to_value(&composition).unwrap_or_default();
        self.tape.keep(
            |reels| &mut reels.model,
            &request.question,
            parts,
            latency_ms,
            body,
        );
        Ok(composition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use plumbline_models::{Passage, ScriptedChat};

    fn request(text: &str, max_sentences: usize) -> ComposeRequest {
        ComposeRequest {
            question: "When do you open?".into(),
            language: "en".into(),
            passages: vec![Passage {
                title: "Hours".into(),
                heading_path: Vec::new(),
                text: text.into(),
                score: 0.5,
            }],
            max_sentences,
            max_chars: 700,
        }
    }

    fn model(says: &str, dir: &std::path::Path, purpose: Use, corpus: &str) -> (Taped, Arc<Tape>) {
        let tape = Arc::new(Tape::open(dir, purpose, DateTime::UNIX_EPOCH).unwrap());
        let inner = Arc::new(ScriptedChat::new([says]));
        (Taped::new(inner, Arc::clone(&tape), corpus.into()), tape)
    }

    #[tokio::test]
    async fn a_replayed_model_is_never_called_and_a_changed_call_ends_the_run() {
        let dir = tempfile::tempdir().unwrap();
        let (recorded, tape) = model("At eight.", dir.path(), Use::Record, "c");
        let said = recorded.compose(&request("We open at 08:00.", 3)).await.unwrap();
        tape.finish().unwrap();

        let replay = Use::Replay(Stage::Model);
        let (player, tape) = model("Something else.", dir.path(), replay, "c");
        assert_eq!(
            player.compose(&request("We open at 08:00.", 3)).await.unwrap(),
            said
        );
        tape.finish().unwrap();

        for (changed, corpus, part) in [
            (request("We open at 09:00.", 3), "c", "prompt"),
            (request("We open at 08:00.", 2), "c", "params"),
            (request("We open at 08:00.", 3), "d", "corpus"),
        ] {
            let (player, tape) = model("Something else.", dir.path(), replay, corpus);
            assert!(player.compose(&changed).await.is_err());
            let error = tape.finish().unwrap_err();
            assert_eq!(error.exit_code(), 5);
            assert!(
                error.to_string().contains(&format!("changed since: {part}")),
                "{error}"
            );
        }
    }
}
