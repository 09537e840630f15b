//! A running server as the target.

use std::sync::Arc;
use std::time::Duration;

use plumbline_answer::Answer;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use super::VersionKey;
use crate::error::EvalError;
use crate::golden::case::Case;
use crate::golden::pin::{CorpusDoc, excerpt};
use crate::metrics::tools::ToolCall;

/// A call that takes longer is an error; a customer has long given up.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Documents asked for at a time when comparing the corpus.
const PAGE: usize = 200;

/// A server at a base URL.
pub struct Http {
    client: Client,
    base: String,
    api_key: String,
}

#[derive(Deserialize)]
struct Called {
    #[serde(default)]
    tools: Vec<ToolCall>,
}

#[derive(Deserialize)]
struct TextBody {
    text: String,
}

/// What the listing tells about a document; fields that this program does not need are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct ListedDocument {
    id: Uuid,
    key: String,
    live_version_id: Option<Uuid>,
}

#[derive(Deserialize)]
struct Listing {
    documents: Vec<ListedDocument>,
}

#[derive(Deserialize)]
struct ListedVersion {
    id: Uuid,
    blob_sha256: String,
}

impl Http {
    /// A client for the server at `base`.
    pub fn new(base: &str, api_key: String) -> Result<Self, EvalError> {
        let client = Client::builder()
            .timeout(TIMEOUT)
            .user_agent(concat!("plumbline-eval/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| EvalError::Infra(format!("the HTTP client cannot be built: {error}")))?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
            api_key,
        })
    }

    /// The base URL.
    pub fn label(&self) -> &str {
        &self.base
    }

    /// Asks one case: the answer, and the calls in its field `tools`, which a server may leave out.
    pub async fn ask(&self, case: &Case) -> Result<(Answer, Vec<ToolCall>), String> {
        let body = json!({ "question": case.question, "history": case.history });
        let request = self.client.post(format!("{}/v1/answer", self.base)).json(&body);
        let text = self.fetch(request).await?;
        let no_answer = |error| format!("reply is no answer: {error}: {}", excerpt(&text));
        let answer = serde_json::from_str(&text).map_err(no_answer)?;
        let called: Called = serde_json::from_str(&text).map_err(no_answer)?;
        Ok((answer, called.tools))
    }

    /// The canonical text of a version.
    pub async fn version_text(&self, key: VersionKey) -> Result<Arc<str>, String> {
        let VersionKey {
            document_id, number, ..
        } = key;
        let url = format!("{}/v1/documents/{document_id}/versions/{number}/text", self.base);
        let body: TextBody = self.json(&url).await?;
        Ok(body.text.into())
    }

    /// Documents of the corpus that do not answer on the server in these very bytes.
    pub async fn missing_documents(&self, corpus: &[CorpusDoc]) -> Result<Vec<String>, String> {
        let listed = self.documents().await?;
        let mut missing = Vec::new();
        for doc in corpus {
            let held = listed.iter().find(|listed| same_document(&listed.key, &doc.path));
            let sha256 = match held {
                Some(held) => self.live_sha256(held).await?,
                None => None,
            };
            if sha256.as_deref() != Some(doc.sha256.as_str()) {
                missing.push(doc.path.clone());
            }
        }
        Ok(missing)
    }

    async fn documents(&self) -> Result<Vec<ListedDocument>, String> {
        let mut all = Vec::new();
        loop {
            let offset = all.len();
            let url = format!("{}/v1/documents?limit={PAGE}&offset={offset}", self.base);
            let page: Listing = self.json(&url).await?;
            let last = page.documents.len() < PAGE;
            all.extend(page.documents);
            if last {
                return Ok(all);
            }
        }
    }

    /// Hash of the bytes that answer; `None` while no version is live.
    async fn live_sha256(&self, document: &ListedDocument) -> Result<Option<String>, String> {
        let url = format!("{}/v1/documents/{}/versions", self.base, document.id);
        let versions: Vec<ListedVersion> = self.json(&url).await?;
        let live = versions
            .into_iter()
            .find(|version| Some(version.id) == document.live_version_id);
        Ok(live.map(|version| version.blob_sha256))
    }

    async fn json<T: DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let text = self.fetch(self.client.get(url)).await?;
        serde_json::from_str(&text).map_err(|error| format!("{url}: {error}: {}", excerpt(&text)))
    }

    async fn fetch(&self, request: RequestBuilder) -> Result<String, String> {
        let response = request
            .bearer_auth(&self.api_key)
            .send()
            .await
            .map_err(|error| cause(&error))?;
        let status = response.status();
        let text = response.text().await.map_err(|error| cause(&error))?;
        if status.is_success() {
            Ok(text)
        } else {
            Err(format!("HTTP {status}: {}", excerpt(&text)))
        }
    }
}

/// Whether a server's document key names the corpus document at `path`: the same path, or the same
/// with or without leading directories.
pub fn same_document(key: &str, path: &str) -> bool {
    let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
    key == path || ends(key, path) || ends(path, key)
}

/// The innermost cause: "connection refused" says more than "error sending request".
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if innermost.to_string() == error.to_string() {
        error.to_string()
    } else {
        format!("{error}: {innermost}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_carry_or_lack_directories() {
        assert!(same_document("policies/a.pdf", "policies/a.pdf"));
        assert!(same_document("corpus/policies/a.pdf", "policies/a.pdf"));
        assert!(same_document("a.pdf", "policies/a.pdf"));
        assert!(!same_document("ba.pdf", "a.pdf"));
    }
}
