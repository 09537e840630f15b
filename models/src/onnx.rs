//! A BERT sentence encoder on ONNX Runtime, mean-pooled and normalised.
//!
//! The sessions share one tokenizer, which is why they are not fastembed's: each of those has its own, and the tokenizer of
//! a model of many languages takes 280 MB.
//!
//! Several sessions may serve side by side, one text batch each, so that a question never waits behind a document that
//! is being embedded. Each session has its own thread count and does not spin: on shared cores ONNX Runtime's
//! spinning burns the core that the next stage needs.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::Tensor;
use tokenizers::Tokenizer;

use crate::pieces::pieces;
use crate::reranker::read;
use crate::sessions::Sessions;
use crate::{Embedder, Embedding, InContext, ModelError, mean_direction};

/// How an [`OnnxEmbedder`] or an [`crate::OnnxReranker`] is loaded.
#[derive(Debug, Clone)]
pub struct OnnxOptions {
    /// Directory with `model.onnx`, `tokenizer.json`, `config.json`, `special_tokens_map.json`, `tokenizer_config.json`; an
    /// embedding model may have `config_sentence_transformers.json` beside them, see [`OnnxEmbedder`].
    pub directory: PathBuf,
    /// Sessions that may run side by side.
    pub sessions: usize,
    /// Threads inside one session.
    pub threads: usize,
    /// Texts per inference; above 8 nothing is gained on a CPU.
    pub batch_size: usize,
    /// Longest input in tokens.
    pub max_tokens: usize,
}

impl OnnxOptions {
    /// Two sessions of one thread each, batches of 8, 256 tokens: what serves best on two cores.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            sessions: 2,
            threads: 1,
            batch_size: 8,
            max_tokens: 256,
        }
    }

    /// The model's name: that of its directory.
    pub(crate) fn model(&self) -> String {
        let name = self.directory.file_name();
        name.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
    }
}

/// Loads the ONNX Runtime library; call once, before the first [`OnnxEmbedder`]. Later calls do nothing.
///
/// # Errors
/// [`ModelError::Runtime`] when the library is missing or older than 1.24.
pub fn init_runtime(library: &Path) -> Result<(), ModelError> {
    let failed = |reason: String| ModelError::Runtime {
        path: library.to_owned(),
        reason,
    };
    if !library.is_file() {
        return Err(failed("no such file".to_owned()));
    }
    // Loading the library is all that is wanted; the first session makes its own environment.
    drop(ort::init_from(library).map_err(|error| failed(error.to_string()))?);
    Ok(())
}

/// The production embedder.
///
/// Some models want to be told which text is a question and which a passage, by words before it. They are read where
/// sentence-transformers keeps them: `prompts` of `config_sentence_transformers.json`, with the names `query` and
/// `passage` (or `document`).
pub struct OnnxEmbedder {
    model: String,
    dimension: usize,
    prompts: Prompts,
    max_tokens: usize,
    batch_size: usize,
    tokenizer: Arc<Tokenizer>,
    sessions: Arc<Sessions<Session>>,
}

impl OnnxEmbedder {
    /// Loads the model in `options.directory`; the directory's name becomes the model's name.
    ///
    /// # Errors
    /// [`ModelError::File`] for a missing file, [`ModelError::Load`] for one that the library refuses.
    pub fn load(options: &OnnxOptions) -> Result<Self, ModelError> {
        let directory = &options.directory;
        let model = options.model();
        let refused = |reason: String| ModelError::Load {
            model: model.clone(),
            reason,
        };
        let read = |name: &str| read(directory, name);
        let dimension = dimension(options)?;
        let tokenizer_bytes = read("tokenizer.json")?;
        let mut tokenizer =
            Tokenizer::from_bytes(&tokenizer_bytes).map_err(|e| refused(format!("tokenizer.json: {e}")))?;
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|e| refused(format!("tokenizer.json: {e}")))?;
        let environment = environment().map_err(&refused)?;
        let idle = (0..options.sessions.max(1))
            .map(|_| session(&environment, options).map_err(&refused))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            prompts: Prompts::read(directory).map_err(refused)?,
            model,
            dimension,
            max_tokens: longest(options)?,
            batch_size: options.batch_size.max(1),
            tokenizer: Arc::new(tokenizer),
            sessions: Sessions::new(idle),
        })
    }

    /// Embeds texts with `prompt` before each.
    async fn prompted(&self, prompt: &str, passages: &[InContext]) -> Result<Vec<Embedding>, ModelError> {
        // Sorted by length, a batch pads little; the results go back to the order asked for.
        let mut order: Vec<usize> = (0..passages.len()).collect();
        order.sort_by_key(|&i| passages[i].text.len());
        let mut embedded = vec![Embedding::default(); passages.len()];
        let prompted = |&i: &usize| InContext {
            text: format!("{prompt}{}", passages[i].text),
            from: prompt.len() + passages[i].from,
        };
        for indexes in order.chunks(self.batch_size) {
            let batch = indexes.iter().map(prompted).collect();
            for (&i, one) in indexes.iter().zip(self.batch(batch).await?) {
                embedded[i] = one;
            }
        }
        Ok(embedded)
    }

    /// One batch on an idle session.
    async fn batch(&self, passages: Vec<InContext>) -> Result<Vec<Embedding>, ModelError> {
        let (tokenizer, longest) = (Arc::clone(&self.tokenizer), self.max_tokens);
        let embedded = self
            .sessions
            .run(move |session| Tokens::of(&tokenizer, passages, longest)?.embed(session));
        embedded.await.map_err(|reason| ModelError::Inference {
            model: self.model.clone(),
            reason,
        })
    }
}

/// The tokens of a batch.
struct Tokens {
    passages: Vec<InContext>,
    /// Those of every text, with their bytes in it.
    rows: Vec<Vec<(i64, Range<usize>)>>,
    /// Of the longest row: the others are filled up to it.
    length: usize,
}

impl Tokens {
    /// At most `longest` per text; what is more is cut before the token that ends every text.
    fn of(tokenizer: &Tokenizer, passages: Vec<InContext>, longest: usize) -> Result<Self, String> {
        let mut rows = Vec::with_capacity(passages.len());
        for InContext { text, .. } in &passages {
            let encoding = tokenizer
                .encode(text.as_str(), true)
                .map_err(|error| error.to_string())?;
            let tokens = encoding.get_ids().iter().zip(encoding.get_offsets());
            let mut row: Vec<_> = tokens
                .map(|(&id, &(start, end))| (i64::from(id), start..end))
                .collect();
            if row.len() > longest {
                let end = row.pop();
                row.truncate(longest.saturating_sub(1));
                row.extend(end);
            }
            rows.push(row);
        }
        let length = rows.iter().map(Vec::len).max().unwrap_or_default();
        Ok(Self {
            passages,
            rows,
            length,
        })
    }

    /// One value per token of every text, `0` where a row is filled up.
    fn filled(&self, value: impl Fn(i64) -> i64) -> Vec<i64> {
        let mut values = Vec::with_capacity(self.rows.len() * self.length);
        for row in &self.rows {
            values.extend(row.iter().map(|(id, _)| value(*id)));
            values.resize(values.len() + self.length - row.len(), 0);
        }
        values
    }

    /// The mean of the states of every text's tokens, at unit length, and the pieces.
    fn embed(self, session: &mut Session) -> Result<Vec<Embedding>, String> {
        let said = |error: ort::Error| error.to_string();
        let shape = [self.rows.len(), self.length];
        let mut inputs = Vec::new();
        for input in session.inputs() {
            let values = match input.name() {
                "input_ids" => self.filled(|id| id),
                "attention_mask" => self.filled(|_| 1),
                _ => self.filled(|_| 0),
            };
            inputs.push((
                input.name().to_owned(),
                Tensor::from_array((shape, values)).map_err(said)?,
            ));
        }
        let outputs = session.run(inputs).map_err(said)?;
        let (shape, states) = outputs[0].try_extract_tensor::<f32>().map_err(said)?;
        let sizes: Vec<usize> = shape.iter().filter_map(|&size| size.try_into().ok()).collect();
        let [texts, length, hidden] = sizes[..] else {
            return Err(format!(
                "its output {shape:?} is not [texts, tokens, hidden]: no model for embeddings"
            ));
        };
        if (texts, length) != (self.rows.len(), self.length) || hidden == 0 {
            return Err(format!(
                "its output {shape:?} is not for {} texts of {} tokens",
                self.rows.len(),
                self.length
            ));
        }
        let rows = self.passages.iter().zip(&self.rows);
        let embedding = |((passage, row), states): ((&InContext, &Vec<_>), &[f32])| {
            let states = &states[..row.len() * hidden];
            Embedding {
                vector: mean_direction(states.chunks_exact(hidden), hidden),
                pieces: pieces(passage, row, states, hidden),
            }
        };
        Ok(rows
            .zip(states.chunks_exact((length * hidden).max(1)))
            .map(embedding)
            .collect())
    }
}

/// The one environment that ONNX Runtime allows a process, for everything that makes sessions.
pub(crate) fn environment() -> Result<Environment, String> {
    static MADE: Mutex<Option<Environment>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = made.as_ref() {
        return Ok(environment.clone());
    }
    let environment = ort::init().build().map_err(|error| error.to_string())?;
    Ok(made.insert(environment).clone())
}

/// One session over the model in `options.directory`.
fn session(environment: &Environment, options: &OnnxOptions) -> Result<Session, String> {
    let path = options.directory.join("model.onnx");
    let failed = |error: ort::Error<ort::session::builder::SessionBuilder>| error.to_string();
    Session::builder(environment)
        .map_err(|error| error.to_string())?
        .with_optimization_level(GraphOptimizationLevel::Level3)
        .map_err(failed)?
        .with_intra_threads(options.threads.max(1))
        .map_err(failed)?
        .with_config_entry("session.intra_op.allow_spinning", "0")
        .map_err(failed)?
        .commit_from_file(path)
        .map_err(|error| error.to_string())
}

#[async_trait]
impl Embedder for OnnxEmbedder {
    fn model(&self) -> &str {
        &self.model
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    fn speaks(&self, language: &str) -> bool {
        speaks(&self.model, language)
    }

    fn count_tokens(&self, text: &str) -> usize {
        // A tokenizer error can only mean text that it cannot encode; its bytes are then an upper bound.
        self.tokenizer
            .encode_fast(text, false)
            .map_or(text.len(), |encoding| encoding.len())
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let passages = texts.into_iter().map(InContext::from).collect();
        let embedded = self.embed_in_pieces(passages).await?;
        Ok(embedded.into_iter().map(|one| one.vector).collect())
    }

    async fn embed_one(&self, text: &str) -> Result<Vec<f32>, ModelError> {
        Ok(self.embed_one_in_pieces(text).await?.vector)
    }

    fn tells_pieces(&self) -> bool {
        true
    }

    async fn embed_in_pieces(&self, passages: Vec<InContext>) -> Result<Vec<Embedding>, ModelError> {
        self.prompted(&self.prompts.passage, &passages).await
    }

    async fn embed_one_in_pieces(&self, text: &str) -> Result<Embedding, ModelError> {
        let question = InContext::from(text.to_owned());
        let mut embedded = self.prompted(&self.prompts.query, &[question]).await?;
        embedded.pop().ok_or_else(|| ModelError::Inference {
            model: self.model.clone(),
            reason: "no vector came back".to_owned(),
        })
    }
}

/// What a model wants before a text.
#[derive(Debug, Default, PartialEq)]
struct Prompts {
    query: String,
    passage: String,
}

impl Prompts {
    /// Those of `directory`; a model without the file wants none.
    fn read(directory: &Path) -> Result<Self, String> {
        const FILE: &str = "config_sentence_transformers.json";
        let path = directory.join(FILE);
        if !path.is_file() {
            return Ok(Self::default());
        }
        let text = std::fs::read(&path).map_err(|error| format!("{FILE}: {error}"))?;
        let config: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| format!("{FILE}: {error}"))?;
        let prompt = |names: &[&str]| {
            let found = names.iter().find_map(|name| config["prompts"][*name].as_str());
            found.unwrap_or_default().to_owned()
        };
        Ok(Self {
            query: prompt(&["query"]),
            passage: prompt(&["passage", "document"]),
        })
    }
}

/// Longest input of a model in tokens: what the options want, and at most what its `tokenizer_config.json` says it reads.
///
/// # Errors
/// [`ModelError::File`] without the file, [`ModelError::Load`] when it is none.
fn longest(options: &OnnxOptions) -> Result<usize, ModelError> {
    let text = read(&options.directory, "tokenizer_config.json")?;
    let config: serde_json::Value = serde_json::from_slice(&text).map_err(|error| ModelError::Load {
        model: options.model(),
        reason: format!("tokenizer_config.json: {error}"),
    })?;
    // models without a limit say 10^30, which is no integer
    let read = config["model_max_length"]
        .as_u64()
        .and_then(|n| usize::try_from(n).ok());
    Ok(options.max_tokens.min(read.unwrap_or(usize::MAX)).max(2))
}

/// Length of the vectors of a model, as its `config.json` has it.
///
/// # Errors
/// [`ModelError::File`] without the file, [`ModelError::Load`] when it does not say.
pub(crate) fn dimension(options: &OnnxOptions) -> Result<usize, ModelError> {
    let refused = |reason: String| ModelError::Load {
        model: options.model(),
        reason,
    };
    let config: serde_json::Value = serde_json::from_slice(&read(&options.directory, "config.json")?)
        .map_err(|error| refused(format!("config.json: {error}")))?;
    config["hidden_size"]
        .as_u64()
        .and_then(|n| usize::try_from(n).ok())
        .ok_or_else(|| refused("config.json has no hidden_size".to_owned()))
}

/// Whether the model of that name was trained on texts in `language`. Sentence encoders for many languages say so in their
/// name; all others are English.
pub fn speaks(model: &str, language: &str) -> bool {
    model.to_lowercase().contains("multilingual") || language == "en"
}
