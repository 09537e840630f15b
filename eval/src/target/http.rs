//! A running server as the target.

use std::sync::Arc;
use std::time::Duration;

use plumbline_answer::Answer;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::json;

use super::VersionKey;
use crate::error::EvalError;
use crate::golden::case::Case;
use crate::golden::pin::{CorpusDoc, excerpt};

/// A call that takes longer is an error; a customer has long given up.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Most documents asked for when comparing the corpus.
const DOCUMENT_LIMIT: usize = 1_000;

/// A server at a base URL.
pub struct Http {
    client: Client,
    base: String,
    api_key: String,
}

#[derive(Deserialize)]
struct TextBody {
    text: String,
}

/// What the listing tells about a document; fields that this program does not need are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListedDocument {
    /// Logical key.
    #[serde(alias = "document_key")]
    pub key: String,
    /// Hash of the live version's bytes, where the server tells it.
    #[serde(default, alias = "content_sha256", alias = "live_sha256")]
    pub sha256: Option<String>,
}

#[derive(Deserialize)]
struct Listing {
    #[serde(alias = "items")]
    documents: Vec<ListedDocument>,
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

    /// Asks one case.
    pub async fn ask(&self, case: &Case) -> Result<Answer, String> {
        let body = json!({ "question": case.question, "history": case.history });
        let request = self.client.post(format!("{}/v1/answer", self.base)).json(&body);
        let text = self.fetch(request).await?;
        serde_json::from_str(&text)
            .map_err(|error| format!("reply is no answer: {error}: {}", excerpt(&text)))
    }

    /// The canonical text of a version.
    pub async fn version_text(&self, key: VersionKey) -> Result<Arc<str>, String> {
        let VersionKey {
            document_id,
            version_id,
        } = key;
        let url = format!(
            "{}/v1/documents/{document_id}/versions/{version_id}/text",
            self.base
        );
        let text = self.fetch(self.client.get(url)).await?;
        let body: TextBody = serde_json::from_str(&text).map_err(|error| format!("version text: {error}"))?;
        Ok(body.text.into())
    }

    /// Documents of the corpus that the server does not hold in these very bytes.
    pub async fn missing_documents(&self, corpus: &[CorpusDoc]) -> Result<Vec<String>, String> {
        let url = format!("{}/v1/documents?limit={DOCUMENT_LIMIT}", self.base);
        let text = self.fetch(self.client.get(url)).await?;
        let listed = parse_listing(&text)?;
        Ok(missing(corpus, &listed))
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

/// Reads the listing, bare or wrapped.
fn parse_listing(text: &str) -> Result<Vec<ListedDocument>, String> {
    let bare = serde_json::from_str::<Vec<ListedDocument>>(text);
    bare.or_else(|_| serde_json::from_str::<Listing>(text).map(|listing| listing.documents))
        .map_err(|error| format!("list of documents: {error}: {}", excerpt(text)))
}

/// Corpus documents without a listed document of the same key and, where told, the same bytes.
fn missing(corpus: &[CorpusDoc], listed: &[ListedDocument]) -> Vec<String> {
    let held = |doc: &CorpusDoc| {
        listed.iter().any(|l| {
            same_document(&l.key, &doc.path) && l.sha256.as_ref().is_none_or(|sha256| *sha256 == doc.sha256)
        })
    };
    corpus
        .iter()
        .filter(|doc| !held(doc))
        .map(|doc| doc.path.clone())
        .collect()
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

    #[test]
    fn other_bytes_are_missing() {
        let corpus = [CorpusDoc {
            path: "a.txt".into(),
            sha256: "aa".into(),
        }];
        let listed = |json: &str| parse_listing(json).unwrap();
        assert!(
            missing(
                &corpus,
                &listed(r#"{"documents":[{"key":"a.txt","sha256":"aa"}],"next":null}"#)
            )
            .is_empty()
        );
        assert!(missing(&corpus, &listed(r#"{"items":[{"key":"a.txt"}]}"#)).is_empty());
        assert_eq!(
            missing(&corpus, &listed(r#"[{"key":"a.txt","sha256":"bb"}]"#)),
            ["a.txt"]
        );
        assert_eq!(missing(&corpus, &listed("[]")), ["a.txt"]);
    }
}
