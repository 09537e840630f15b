//! Reranker: how well a passage answers a question, read together by a cross-encoder.
//!
//! An encoder of single texts has to say everything about a passage before it knows the question; a cross-encoder reads
//! both at once and is the better judge, at some ten milliseconds a passage. So it reads only the leading candidates, and
//! whoever asks it sets a deadline.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use fastembed::{
    OnnxSource, RerankInitOptionsUserDefined, TextRerank, TokenizerFiles, UserDefinedRerankingModel,
};

use crate::ModelError;
use crate::onnx::OnnxOptions;
use crate::onnx::environment;
use crate::sessions::Sessions;

/// Judges passages by a question.
#[async_trait]
pub trait Reranker: Send + Sync {
    /// Name of the model.
    fn model(&self) -> &str;

    /// The model's logit for each passage, in order: the higher, the better it answers; comparable within one question.
    async fn score(&self, question: &str, passages: Vec<String>) -> Result<Vec<f32>, ModelError>;
}

/// A cross-encoder on ONNX Runtime through fastembed: any with one output per pair, such as `ms-marco-MiniLM-L-6-v2`,
/// `bge-reranker-base` or `jina-reranker-v1-turbo-en` in their ONNX form.
pub struct OnnxReranker {
    model: String,
    batch_size: usize,
    sessions: Arc<Sessions<TextRerank>>,
}

impl OnnxReranker {
    /// Loads the model in `options.directory`, with files as [`OnnxOptions::directory`] says; the directory's name becomes
    /// the model's name.
    ///
    /// # Errors
    /// [`ModelError::File`] for a missing file, [`ModelError::Load`] for one that the library refuses.
    pub fn load(options: &OnnxOptions) -> Result<Self, ModelError> {
        let directory = &options.directory;
        let model = options.model();
        let read = |name: &str| read(directory, name);
        let files = UserDefinedRerankingModel::new(
            OnnxSource::Memory(read("model.onnx")?),
            TokenizerFiles {
                tokenizer_file: read("tokenizer.json")?,
                config_file: read("config.json")?,
                special_tokens_map_file: read("special_tokens_map.json")?,
                tokenizer_config_file: read("tokenizer_config.json")?,
            },
        );
        let refused = |reason: String| ModelError::Load {
            model: model.clone(),
            reason,
        };
        let environment = environment().map_err(refused)?;
        let session = || {
            let init = RerankInitOptionsUserDefined::new()
                .with_environment(environment.clone())
                .with_max_length(options.max_tokens)
                .with_intra_threads(options.threads.max(1))
                .with_session_config("session.intra_op.allow_spinning", "0");
            TextRerank::try_new_from_user_defined(files.clone(), init)
                .map_err(|error| refused(error.to_string()))
        };
        let idle = (0..options.sessions.max(1))
            .map(|_| session())
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            batch_size: options.batch_size.max(1),
            sessions: Sessions::new(idle),
            model,
        })
    }

    fn failed(&self, reason: String) -> ModelError {
        ModelError::Inference {
            model: self.model.clone(),
            reason,
        }
    }
}

/// A file of a model.
pub(crate) fn read(directory: &Path, name: &str) -> Result<Vec<u8>, ModelError> {
    let path = directory.join(name);
    std::fs::read(&path).map_err(|source| ModelError::File { path, source })
}

#[async_trait]
impl Reranker for OnnxReranker {
    fn model(&self) -> &str {
        &self.model
    }

    async fn score(&self, question: &str, passages: Vec<String>) -> Result<Vec<f32>, ModelError> {
        let (question, size, wanted) = (question.to_owned(), self.batch_size, passages.len());
        let ranked = self
            .sessions
            .run(move |session| {
                let texts: Vec<&str> = passages.iter().map(String::as_str).collect();
                let ranked = session.rerank(question.as_str(), texts, false, Some(size));
                ranked.map_err(|error| error.to_string())
            })
            .await
            .map_err(|reason| self.failed(reason))?;
        let mut scores = vec![None; wanted];
        for result in ranked {
            if let Some(score) = scores.get_mut(result.index) {
                *score = Some(result.score);
            }
        }
        let scores: Option<Vec<f32>> = scores.into_iter().collect();
        match scores {
            Some(scores) if scores.iter().all(|score| score.is_finite()) => Ok(scores),
            _ => Err(self.failed("a passage got no usable score".to_owned())),
        }
    }
}
