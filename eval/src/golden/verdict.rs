//! The verdict cache: what people said about an answer.
//!
//! A verdict is kept under the case, the hash of the answer and the hash of the evidence shown
//! with it. As long as neither changes, the person is not asked again; when one changes, the old
//! verdict silently stops applying.

use std::collections::HashMap;
use std::path::Path;

use plumbline_answer::Answer;
use serde::{Deserialize, Serialize};

use super::load::{Place, skipped, without_line};
use super::pin::sha256_hex;

/// What a person said about a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every claim follows from the evidence shown.
    Ok,
    /// At least one claim does not follow from the evidence shown.
    Hallucinated,
    /// True and harmless, but not in the evidence: does not count as a hallucination.
    BenignExtra,
    /// The case itself is wrong: the reply stays undecided until the case is mended.
    BadGold,
}

impl Verdict {
    /// The name used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Hallucinated => "hallucinated",
            Self::BenignExtra => "benign-extra",
            Self::BadGold => "bad-gold",
        }
    }
}

/// `[verdicts]` of `golden.toml`: the clauses of the policy that a team decides for itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Whether something true and harmless that the evidence does not hold counts as a hallucination.
    pub benign_extra_counts: bool,
    /// Share of the judged replies that a second person judges too, without seeing the first verdict.
    pub double_label: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            benign_extra_counts: false,
            double_label: 0.1,
        }
    }
}

/// One line of `verdicts.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictLine {
    /// Id of the case.
    pub case: String,
    /// SHA-256 of the reply's text, hex.
    pub answer_sha256: String,
    /// SHA-256 of the evidence shown, hex; see [`evidence_sha256`].
    pub evidence_sha256: String,
    /// What the person said.
    pub verdict: Verdict,
    /// Who said it.
    #[serde(default)]
    pub by: Option<String>,
    /// When, `YYYY-MM-DD`.
    #[serde(default)]
    pub date: Option<String>,
    /// Why.
    #[serde(default)]
    pub note: Option<String>,
}

/// A line for a person to complete: the verdict is still to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Id of the case.
    pub case: String,
    /// Hash of the reply.
    pub answer_sha256: String,
    /// Hash of the evidence shown.
    pub evidence_sha256: String,
    /// To be replaced by `ok`, `hallucinated`, `benign-extra` or `bad-gold`.
    pub verdict: &'static str,
    /// Why it was flagged, and the reply.
    pub note: String,
}

/// All verdicts by case, answer and evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdicts {
    by_key: HashMap<(String, String, String), Verdict>,
}

impl Verdicts {
    /// The verdict on exactly this answer with exactly this evidence.
    pub fn of(&self, case: &str, answer: &Answer) -> Option<Verdict> {
        let key = (case.to_owned(), answer_sha256(answer), evidence_sha256(answer));
        self.by_key.get(&key).copied()
    }

    /// Adds a line; a later line overrules an earlier one with the same key.
    pub fn add(&mut self, line: VerdictLine) {
        self.by_key.insert(
            (line.case, line.answer_sha256, line.evidence_sha256),
            line.verdict,
        );
    }

    /// Number of verdicts.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// True when nobody has judged anything yet.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

/// Hash of the reply as sent.
pub fn answer_sha256(answer: &Answer) -> String {
    sha256_hex(answer.text.as_bytes())
}

/// Hash of the quotes shown with the reply, in order, each ended by a line feed.
pub fn evidence_sha256(answer: &Answer) -> String {
    let quotes: String = answer
        .citations
        .iter()
        .flat_map(|citation| [citation.quote.as_str(), "\n"])
        .collect();
    sha256_hex(quotes.as_bytes())
}

/// Reads the lines of a verdict file; problems are collected.
pub fn parse_verdicts(file: &Path, text: &str, problems: &mut Vec<String>) -> Verdicts {
    let mut verdicts = Verdicts::default();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !skipped(line)) {
        match serde_json::from_str::<VerdictLine>(line) {
            Ok(line) => verdicts.add(line),
            Err(error) => {
                let place = Place {
                    file: file.to_owned(),
                    line: i + 1,
                };
                problems.push(format!("{place}: {}", without_line(&error)));
            }
        }
    }
    verdicts
}
