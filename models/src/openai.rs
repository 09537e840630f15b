//! Embeddings from an OpenAI-compatible endpoint (`POST {base}/embeddings`): `OpenAI` itself, and the many servers that
//! speak its format, such as vLLM, Ollama, LM Studio, text-embeddings-inference.
//!
//! Nothing that comes back is believed: vectors are put in order by their `index`, counted, measured against the
//! dimension of the space and brought to unit length. What may pass (too many requests, a server that is down) is tried
//! again with growing pauses, or after the pause that the server asks for; what cannot pass (a wrong key, a wrong name)
//! is told at once. The key goes into one header and nowhere else: it is cut out of whatever a server says about it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Embedder, ModelError};

/// Longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Largest answer that is read, in bytes: far above a full batch of 4,000 dimensions.
const LARGEST_ANSWER: usize = 64 << 20;

/// Longest part of what a server says that is repeated, in characters.
const LONGEST_QUOTE: usize = 300;

/// An API key; its value shows in no message.
#[derive(Clone, Default)]
pub struct ApiKey(String);

impl ApiKey {
    /// A key as it was given.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// Which model of which endpoint, and how it is asked.
#[derive(Debug, Clone)]
pub struct OpenAiOptions {
    /// Address before `/embeddings`, as `https://api.openai.com/v1`.
    pub base_url: String,
    /// Key, if the endpoint wants one.
    pub api_key: Option<ApiKey>,
    /// Name of the model as the endpoint knows it.
    pub model: String,
    /// Length of its vectors.
    pub dimension: usize,
    /// Whether the endpoint is asked for that length (`dimensions`), for models that can shorten their vectors. What
    /// they shorten is a space of its own, named `model@dimension`.
    pub shortened: bool,
    /// Longest input in tokens; a longer text is cut.
    pub max_tokens: usize,
    /// Most texts of one request.
    pub batch_texts: usize,
    /// Most tokens of one request, estimated; one text is always sent.
    pub batch_tokens: usize,
    /// Time for one request.
    pub timeout: Duration,
    /// Time for the vector of one question, all attempts together: a customer is waiting.
    pub question_timeout: Duration,
    /// Attempts at a request.
    pub attempts: u32,
    /// Pause after the first failed attempt; it doubles with each.
    pub pause: Duration,
}

impl OpenAiOptions {
    /// 64 texts and 16,000 tokens per request, 30 s each, 5 attempts, 1 s after the first; 8 s for a question.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>, dimension: usize) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            model: model.into(),
            dimension,
            shortened: false,
            max_tokens: 512,
            batch_texts: 64,
            batch_tokens: 16_000,
            timeout: Duration::from_secs(30),
            question_timeout: Duration::from_secs(8),
            attempts: 5,
            pause: Duration::from_secs(1),
        }
    }
}

/// A model behind an OpenAI-compatible endpoint.
pub struct OpenAiEmbedder {
    name: String,
    http: Client,
    url: Url,
    options: OpenAiOptions,
    counter: Arc<dyn Embedder>,
}

impl OpenAiEmbedder {
    /// A client for the endpoint; nothing is asked yet. No tokenizer of the remote model is at hand, so tokens are those
    /// of `counter`: an estimate, for batches and for the cutting of documents.
    ///
    /// # Errors
    /// [`ModelError::Load`] for an address, key or dimension that cannot be.
    pub fn new(options: OpenAiOptions, counter: Arc<dyn Embedder>) -> Result<Self, ModelError> {
        let refused = |reason: String| ModelError::Load {
            model: options.model.clone(),
            reason,
        };
        if !(1..=4_000).contains(&options.dimension) {
            return Err(refused(format!(
                "its dimension is {}; it must be 1 to 4000",
                options.dimension
            )));
        }
        let url = endpoint(&options.base_url).map_err(refused)?;
        let mut headers = HeaderMap::new();
        if let Some(ApiKey(key)) = &options.api_key {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
                .map_err(|_| refused("its key holds characters that no header can".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut builder = Client::builder()
            .user_agent(concat!("plumbline/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .timeout(options.timeout)
            .connect_timeout(options.timeout.min(Duration::from_secs(10)))
            // a redirect would carry the key to somebody else
            .redirect(redirect::Policy::none());
        if matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| refused(error.to_string()))?;
        let name = if options.shortened {
            format!("{}@{}", options.model, options.dimension)
        } else {
            options.model.clone()
        };
        Ok(Self {
            name,
            http,
            url,
            options,
            counter,
        })
    }

    /// Indexes of `texts`, in order, in batches that respect both limits.
    fn batches(&self, texts: &[String]) -> Vec<std::ops::Range<usize>> {
        let mut batches = Vec::new();
        let (mut start, mut tokens) = (0, 0);
        for (index, text) in texts.iter().enumerate() {
            let more = self.counter.count_tokens(text);
            let full = index - start >= self.options.batch_texts.max(1);
            if index > start && (full || tokens + more > self.options.batch_tokens) {
                batches.push(start..index);
                (start, tokens) = (index, 0);
            }
            tokens += more;
        }
        if start < texts.len() {
            batches.push(start..texts.len());
        }
        batches
    }

    /// `text`, cut to the model's limit; an empty one is a space, because endpoints refuse nothing at all.
    fn fitting(&self, mut text: String) -> String {
        loop {
            let tokens = self.counter.count_tokens(&text);
            if tokens <= self.options.max_tokens || text.len() < 2 {
                break;
            }
            let keep = (text.len() * self.options.max_tokens / tokens).clamp(1, text.len() - 1);
            text.truncate(text.floor_char_boundary(keep));
        }
        if text.trim().is_empty() {
            " ".clone_into(&mut text);
        }
        text
    }

    async fn batch(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut body = json!({ "model": self.options.model, "input": texts, "encoding_format": "float" });
        if self.options.shortened {
            body["dimensions"] = json!(self.options.dimension);
        }
        let mut attempt = 1;
        loop {
            let trouble = match self.ask(&body).await {
                Ok(answer) => return self.vectors(&answer, texts.len()),
                Err(trouble) => trouble,
            };
            if !trouble.passing || attempt >= self.options.attempts {
                return Err(self.error(&trouble));
            }
            let doubled = self.options.pause.saturating_mul(1 << (attempt - 1).min(6));
            let pause = trouble.pause.unwrap_or(doubled).min(LONGEST_PAUSE);
            let reason = self.redacted(&trouble.reason);
            tracing::debug!(model = self.name, attempt, ?pause, reason, "models.remote.again");
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn ask(&self, body: &Value) -> Result<Vec<u8>, Trouble> {
        let sent = self.http.post(self.url.clone()).json(body).send().await;
        let response = sent.map_err(|error| Trouble::passing(with_causes(&error.without_url())))?;
        let status = response.status();
        let pause = retry_after(&response);
        let answer = read(response).await?;
        if status.is_success() {
            return Ok(answer);
        }
        // the key goes before the cut, which could leave a part of it
        let quote: String = self
            .redacted(&said(&answer))
            .chars()
            .take(LONGEST_QUOTE)
            .collect();
        let colon = if quote.is_empty() { "" } else { ": " };
        let passing = status.is_server_error()
            || matches!(
                status,
                StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
            );
        Err(Trouble {
            reason: format!("the endpoint answered {status}{colon}{quote}{}", advice(status)),
            passing,
            pause,
        })
    }

    /// The vectors of an answer, in the order of the texts.
    fn vectors(&self, answer: &[u8], texts: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        let wrong = |reason: String| ModelError::Inference {
            model: self.name.clone(),
            reason,
        };
        let answer: Answer = serde_json::from_slice(answer)
            .map_err(|error| wrong(format!("the endpoint's answer is no list of embeddings: {error}")))?;
        if answer.data.len() != texts {
            return Err(wrong(format!(
                "{texts} texts were sent and {} vectors came back",
                answer.data.len()
            )));
        }
        let mut vectors = vec![Vec::new(); texts];
        for datum in answer.data {
            let length = datum.embedding.len();
            if length != self.options.dimension {
                return Err(wrong(format!(
                    "a vector has {length} dimensions and {} are expected; set the model's dimension to what the \
                     endpoint returns",
                    self.options.dimension
                )));
            }
            let place = vectors.get_mut(datum.index).filter(|place| place.is_empty());
            let place = place.ok_or_else(|| {
                wrong(format!(
                    "the index {} comes twice or belongs to no text",
                    datum.index
                ))
            })?;
            *place = unit(datum.embedding).ok_or_else(|| wrong("a vector has no length".to_owned()))?;
        }
        Ok(vectors)
    }

    fn error(&self, trouble: &Trouble) -> ModelError {
        let model = self.name.clone();
        let reason = self.redacted(&trouble.reason);
        if trouble.passing {
            ModelError::Unavailable { model, reason }
        } else {
            ModelError::Refused { model, reason }
        }
    }

    fn redacted(&self, text: &str) -> String {
        match &self.options.api_key {
            Some(ApiKey(key)) if !key.is_empty() => text.replace(key.as_str(), "…"),
            _ => text.to_owned(),
        }
    }
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn model(&self) -> &str {
        &self.name
    }

    fn dimension(&self) -> usize {
        self.options.dimension
    }

    fn max_tokens(&self) -> usize {
        self.options.max_tokens
    }

    fn speaks(&self, _language: &str) -> bool {
        // what is offered behind such endpoints today was trained on many languages
        true
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.counter.count_tokens(text)
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let texts: Vec<String> = texts.into_iter().map(|text| self.fitting(text)).collect();
        let mut vectors = Vec::with_capacity(texts.len());
        for range in self.batches(&texts) {
            vectors.extend(self.batch(&texts[range]).await?);
        }
        Ok(vectors)
    }

    async fn embed_one(&self, text: &str) -> Result<Vec<f32>, ModelError> {
        let limit = self.options.question_timeout;
        let vectors = tokio::time::timeout(limit, self.embed(vec![text.to_owned()])).await;
        let vectors = vectors.map_err(|_| ModelError::Unavailable {
            model: self.name.clone(),
            reason: format!("no vector came within {} ms", limit.as_millis()),
        })??;
        Ok(vectors.into_iter().next().unwrap_or_default())
    }
}

/// Why a request brought no answer.
struct Trouble {
    reason: String,
    /// Whether another attempt may help.
    passing: bool,
    /// The pause before it that the server asked for.
    pause: Option<Duration>,
}

impl Trouble {
    fn passing(reason: String) -> Self {
        Self {
            reason,
            passing: true,
            pause: None,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Datum>,
}

#[derive(Deserialize)]
struct Datum {
    index: usize,
    embedding: Vec<f32>,
}

fn endpoint(base: &str) -> Result<Url, String> {
    let url = Url::parse(&format!("{}/embeddings", base.trim_end_matches('/')))
        .map_err(|error| format!("its address is none: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("its address must begin with https:// or http://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("its address holds a password; give the key as a key".to_owned());
    }
    Ok(url)
}

async fn read(mut response: Response) -> Result<Vec<u8>, Trouble> {
    let mut answer = Vec::new();
    let broken = |error: reqwest::Error| {
        Trouble::passing(format!(
            "the answer broke off: {}",
            with_causes(&error.without_url())
        ))
    };
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        answer.extend_from_slice(&chunk);
        if answer.len() > LARGEST_ANSWER {
            return Err(Trouble {
                reason: format!("the answer is larger than {LARGEST_ANSWER} bytes"),
                passing: false,
                pause: None,
            });
        }
    }
    Ok(answer)
}

/// The pause in seconds that the server asks for; the other form, a date, is left to the usual pause.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds: f64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// What the server says is wrong, on one line.
fn said(answer: &[u8]) -> String {
    let body: Option<Value> = serde_json::from_slice(answer).ok();
    let said = body.as_ref().and_then(|body| {
        let error = &body["error"];
        let places = [&error["message"], error, &body["message"], &body["detail"]];
        places.into_iter().find_map(Value::as_str)
    });
    let text = said.map_or_else(|| String::from_utf8_lossy(answer).into_owned(), str::to_owned);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "; set PLUMBLINE_EMBEDDING_API_KEY to a key that may use the model"
        }
        StatusCode::NOT_FOUND => "; check PLUMBLINE_EMBEDDING_URL and the name of the model",
        _ => "",
    }
}

/// An error with what is behind it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// `vector` brought to unit length; none when it has no direction.
fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let square: f64 = vector.iter().map(|x| f64::from(*x).powi(2)).sum();
    let norm = square.sqrt();
    if !norm.is_finite() || norm <= 0.0 {
        return None;
    }
    for x in &mut vector {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a share of the length, at most 1: its nearest 32-bit value is wanted"
        )]
        {
            *x = (f64::from(*x) / norm) as f32;
        }
    }
    Some(vector)
}
