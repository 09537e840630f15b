//! One golden case: a line of `cases/*.jsonl`.
//!
//! Unknown fields are refused. A misspelt `must_inclde` would otherwise be a check that never
//! fails, and a field of a later version would be a demand that nobody verifies.

use std::fmt;

use plumbline_answer::{Message, Route};
use serde::{Deserialize, Deserializer, Serialize};

use crate::metrics::tools::ExpectedCall;

/// What a good system does with the question.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The documents hold the answer.
    Answerable,
    /// On topic, but the documents do not hold the answer: a good system abstains.
    Unanswerable,
    /// Greetings, thanks, goodbyes.
    Chitchat,
    /// Only a person may deal with it.
    Handoff,
    /// None of this business's concern.
    OutOfScope,
}

impl Kind {
    /// Every kind, in the order of the reports.
    pub const ALL: [Self; 5] = [
        Self::Answerable,
        Self::Unanswerable,
        Self::Chitchat,
        Self::Handoff,
        Self::OutOfScope,
    ];

    /// The name used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answerable => "answerable",
            Self::Unanswerable => "unanswerable",
            Self::Chitchat => "chitchat",
            Self::Handoff => "handoff",
            Self::OutOfScope => "out_of_scope",
        }
    }

    /// The route that the kind implies; `None` where the case itself has to say.
    pub fn implied_route(self) -> Option<Route> {
        match self {
            Self::Answerable | Self::Unanswerable => None,
            Self::Chitchat => Some(Route::Smalltalk),
            Self::Handoff => Some(Route::Handoff),
            Self::OutOfScope => Some(Route::OutOfScope),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who wrote the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A person who knows the business.
    Human,
    /// Generated from a document, sliced apart in the reports.
    Synthetic,
    /// Taken from production traffic and labelled by a person.
    Prod,
    /// Gold taken from what the system under test found: refused by `lint`, since such a case
    /// scores 1 by construction.
    Retriever,
}

/// Whether somebody has looked at the case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A person stands for it.
    #[default]
    Accepted,
    /// Made by a machine, or scrubbed from traffic, and not labelled yet: it lives in `drafts/` and no run asks it.
    Draft,
}

impl Status {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_accepted(&self) -> bool {
        *self == Self::Accepted
    }
}

/// One passage that states the answer, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Pieces of one group are alternatives; every group of a case is needed.
    #[serde(deserialize_with = "label")]
    pub group: String,
    /// Path of the document below the corpus directory.
    pub doc: String,
    /// The passage, as it stands in the document.
    pub quote: String,
    /// 3 states the answer, 2 supports it, 1 is related.
    #[serde(default = "best_grade")]
    pub grade: u8,
    /// Hash of the document's bytes when the span was last pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_sha256: Option<String>,
    /// First byte in the canonical text, filled by `repin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<usize>,
    /// One past the last byte, filled by `repin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<usize>,
}

/// One golden case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique and stable; decides the split.
    pub id: String,
    /// What a good system does with it.
    pub kind: Kind,
    /// The customer's message.
    pub question: String,
    /// What was said before, oldest first.
    #[serde(default)]
    pub history: Vec<Message>,
    /// Language of the question, ISO 639-1.
    pub lang: String,
    /// Labels to slice by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Where the answer stands; empty unless answerable.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// A good reply, for people who judge.
    #[serde(default)]
    pub reference: Option<String>,
    /// Every one of these occurs in a correct reply.
    #[serde(default)]
    pub must_include: Vec<String>,
    /// None of these occurs in any acceptable reply.
    #[serde(default)]
    pub must_not: Vec<String>,
    /// The right route; may be left out where the kind implies it.
    #[serde(default)]
    pub route: Option<Route>,
    /// Calls that a good system makes.
    #[serde(default)]
    pub tools: Vec<ExpectedCall>,
    /// Whether they have to come in this order.
    #[serde(default)]
    pub ordered: bool,
    /// Tools that must not be called.
    #[serde(default)]
    pub forbidden_tools: Vec<String>,
    /// Who wrote it.
    pub source: Source,
    /// Who labelled it.
    #[serde(default)]
    pub label_by: Option<String>,
    /// Day it was added, `YYYY-MM-DD`.
    #[serde(default)]
    pub added: Option<String>,
    /// Whether somebody has looked at it.
    #[serde(default, skip_serializing_if = "Status::is_accepted")]
    pub status: Status,
}

impl Case {
    /// The route a good system takes.
    pub fn expected_route(&self) -> Option<Route> {
        self.route.or(self.kind.implied_route())
    }

    /// Names of the evidence groups, in order of first mention.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = Vec::new();
        for evidence in &self.evidence {
            if !groups.contains(&evidence.group.as_str()) {
                groups.push(&evidence.group);
            }
        }
        groups
    }

    /// Formats (file extensions) of the evidence documents, sorted, each once.
    pub fn formats(&self) -> Vec<String> {
        let extension = |doc: &str| doc.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
        let mut formats: Vec<String> = self.evidence.iter().filter_map(|e| extension(&e.doc)).collect();
        formats.sort();
        formats.dedup();
        formats
    }
}

/// The name of a route in files.
pub fn route_name(route: Route) -> &'static str {
    match route {
        Route::Commodity => "commodity",
        Route::Reasoning => "reasoning",
        Route::Smalltalk => "smalltalk",
        Route::Handoff => "handoff",
        Route::OutOfScope => "out_of_scope",
    }
}

/// Every route, in the order of the reports.
pub const ROUTES: [Route; 5] = [
    Route::Commodity,
    Route::Reasoning,
    Route::Smalltalk,
    Route::Handoff,
    Route::OutOfScope,
];

fn best_grade() -> u8 {
    3
}

/// A group may be written as a number or as a word.
fn label<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Label {
        Number(u64),
        Word(String),
    }
    Ok(match Label::deserialize(deserializer)? {
        Label::Number(number) => number.to_string(),
        Label::Word(word) => word,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_is_refused_by_name() {
        let line =
            r#"{"id":"a","kind":"chitchat","question":"hi","lang":"en","source":"human","must_inclde":[]}"#;
        let error = serde_json::from_str::<Case>(line).unwrap_err().to_string();
        assert!(error.contains("must_inclde"), "{error}");
    }

    #[test]
    fn groups_and_formats_are_listed_once() {
        let line = r#"{"id":"a","kind":"answerable","question":"q","lang":"en","source":"human","route":"reasoning",
            "evidence":[{"group":1,"doc":"a/x.PDF","quote":"q"},{"group":"1","doc":"y.csv","quote":"q"},
                        {"group":2,"doc":"z.csv","quote":"q","grade":2}]}"#;
        let case: Case = serde_json::from_str(line).unwrap();
        assert_eq!(case.groups(), ["1", "2"]);
        assert_eq!(case.formats(), ["csv", "pdf"]);
        assert_eq!(case.evidence[0].grade, 3);
        assert_eq!(case.expected_route(), Some(Route::Reasoning));
    }
}
