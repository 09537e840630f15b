//! Who is asked: the answerer inside this process, or a server over HTTP.
//!
//! Both hand back the same record, so that every metric is computed by the same code on the same
//! data whoever answered.

pub mod corpus;
pub mod http;
pub mod local;
pub mod options;
pub mod stored;
pub mod tenant;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use plumbline_answer::{Answer, Citation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::golden::case::Case;
use crate::golden::pin::CorpusDoc;
use crate::metrics::tools::ToolCall;
use crate::report::Mode;

/// What came back for one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The answer, or why there is none.
    pub answer: Result<Answer, String>,
    /// Calls of tools that the system made for it; the answerer of this program makes none.
    pub calls: Vec<ToolCall>,
    /// Wall-clock time of the call, milliseconds.
    pub wall_ms: f64,
    /// True when the system answered just now; a replayed reply has no latency worth gating.
    pub live: bool,
}

/// A document version, as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VersionKey {
    /// Document.
    pub document_id: Uuid,
    /// Version.
    pub version_id: Uuid,
    /// Its number, by which the server's addresses name it.
    pub number: i32,
}

impl VersionKey {
    /// The version that a citation is about.
    pub fn of(citation: &Citation) -> Self {
        let Citation {
            document_id,
            version_id,
            version_number,
            ..
        } = *citation;
        Self {
            document_id,
            version_id,
            number: version_number,
        }
    }
}

/// Canonical texts of cited versions; an error is the reason why a text could not be fetched.
pub type VersionTexts = HashMap<VersionKey, Result<Arc<str>, String>>;

/// The system under test.
pub enum Target {
    /// In this process, on a private database: the gate of record.
    Local(Box<local::Local>),
    /// A running server.
    Http(http::Http),
    /// Replies given before; nobody is asked.
    Stored(Box<stored::Stored>),
}

impl Target {
    /// Asks one case.
    pub async fn ask(&self, case: &Case) -> Reply {
        let start = Instant::now();
        let (answer, calls) = match self {
            Self::Local(local) => (local.ask(case).await, Vec::new()),
            Self::Http(http) => match http.ask(case).await {
                Ok((answer, calls)) => (Ok(answer), calls),
                Err(error) => (Err(error), Vec::new()),
            },
            Self::Stored(stored) => return stored.ask(case),
        };
        Reply {
            answer,
            calls,
            wall_ms: start.elapsed().as_secs_f64() * 1_000.0,
            live: self.mode() == Mode::Live,
        }
    }

    /// Where its replies come from.
    pub fn mode(&self) -> Mode {
        match self {
            Self::Local(local) => local.mode(),
            Self::Http(_) => Mode::Live,
            Self::Stored(stored) => stored.mode(),
        }
    }

    /// The canonical text of a version.
    pub async fn version_text(&self, key: VersionKey) -> Result<Arc<str>, String> {
        match self {
            Self::Local(local) => local.version_text(key).await,
            Self::Http(http) => http.version_text(key).await,
            Self::Stored(stored) => stored.version_text(key),
        }
    }

    /// Documents of the corpus that the target does not hold in these very bytes.
    pub async fn missing_documents(&self, corpus: &[CorpusDoc]) -> Result<Vec<String>, String> {
        match self {
            // The local target was built from these files a moment ago; stored replies name their corpus by its hash.
            Self::Local(_) | Self::Stored(_) => Ok(Vec::new()),
            Self::Http(http) => http.missing_documents(corpus).await,
        }
    }

    /// What the report calls it.
    pub fn label(&self) -> String {
        match self {
            Self::Local(local) => local.label().to_owned(),
            Self::Stored(stored) => stored.label().to_owned(),
            Self::Http(http) => http.label().to_owned(),
        }
    }
}

/// The versions that the replies cite, each once.
pub fn cited_versions<'a>(replies: impl IntoIterator<Item = &'a Reply>) -> Vec<VersionKey> {
    let mut keys: Vec<VersionKey> = replies
        .into_iter()
        .filter_map(|reply| reply.answer.as_ref().ok())
        .flat_map(|answer| &answer.citations)
        .map(VersionKey::of)
        .collect();
    keys.sort();
    keys.dedup();
    keys
}
