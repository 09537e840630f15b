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
    /// True when it settles what two people disagreed about.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settles: bool,
}

/// What one person said about a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Who; unknown where the file does not tell.
    pub by: Option<String>,
    /// What.
    pub verdict: Verdict,
}

/// What people said about one reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// In the order of the file, one per person.
    said: Vec<Label>,
    /// The verdict that settled a disagreement.
    settled: Option<Verdict>,
}

impl Judged {
    /// The verdict that counts: the one that settled it, else what all say, else the worst of what they say. Two people who
    /// disagree have not cleared a reply.
    pub fn in_force(&self) -> Verdict {
        let severity = |verdict: &Verdict| match verdict {
            Verdict::Ok => 0,
            Verdict::BenignExtra => 1,
            Verdict::BadGold => 2,
            Verdict::Hallucinated => 3,
        };
        let worst = self.said.iter().map(|label| label.verdict).max_by_key(severity);
        // Nothing is stored without a verdict; bad gold leaves a reply undecided.
        self.settled.or(worst).unwrap_or(Verdict::BadGold)
    }

    /// One verdict per person.
    pub fn labels(&self) -> &[Label] {
        &self.said
    }

    fn add(&mut self, line: VerdictLine) {
        if line.settles {
            self.settled = Some(line.verdict);
            return;
        }
        let VerdictLine { by, verdict, .. } = line;
        match self.said.iter_mut().find(|label| label.by == by) {
            Some(label) => label.verdict = verdict,
            None => self.said.push(Label { by, verdict }),
        }
    }
}

/// All verdicts by case, answer and evidence.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdicts {
    by_key: HashMap<(String, String, String), Judged>,
    /// How they are to be read.
    pub policy: Policy,
}

impl Verdicts {
    /// What was said about exactly this answer with exactly this evidence.
    pub fn of(&self, case: &str, answer: &Answer) -> Option<&Judged> {
        self.on(case, &answer_sha256(answer), &evidence_sha256(answer))
    }

    /// The same by the hashes.
    pub fn on(&self, case: &str, answer_sha256: &str, evidence_sha256: &str) -> Option<&Judged> {
        let key = (
            case.to_owned(),
            answer_sha256.to_owned(),
            evidence_sha256.to_owned(),
        );
        self.by_key.get(&key)
    }

    /// The first two verdicts on each reply that has two.
    pub fn pairs(&self) -> Vec<(Verdict, Verdict)> {
        let two = |judged: &Judged| match judged.said.as_slice() {
            [first, second, ..] => Some((first.verdict, second.verdict)),
            _ => None,
        };
        self.by_key.values().filter_map(two).collect()
    }

    /// Adds a line; a later line of the same person overrules an earlier one.
    pub fn add(&mut self, line: VerdictLine) {
        let key = (
            line.case.clone(),
            line.answer_sha256.clone(),
            line.evidence_sha256.clone(),
        );
        self.by_key.entry(key).or_default().add(line);
    }

    /// Number of replies that were judged.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::answer;

    fn judged(lines: &[&str]) -> Judged {
        let reply = answer("Within 21 days.");
        let key = format!(
            r#""case":"a","answer_sha256":"{}","evidence_sha256":"{}""#,
            answer_sha256(&reply),
            evidence_sha256(&reply)
        );
        let text: Vec<String> = lines.iter().map(|rest| format!("{{{key},{rest}}}")).collect();
        let mut problems = Vec::new();
        let verdicts = parse_verdicts(Path::new("verdicts.jsonl"), &text.join("\n"), &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        verdicts.of("a", &reply).unwrap().clone()
    }

    #[test]
    fn two_people_who_disagree_have_not_cleared_a_reply() {
        let (ama, kofi) = (
            r#""by":"ama","verdict":"ok""#,
            r#""by":"kofi","verdict":"hallucinated""#,
        );
        assert_eq!(judged(&[ama]).in_force(), Verdict::Ok);
        let both = judged(&[ama, kofi]);
        assert_eq!((both.in_force(), both.labels().len()), (Verdict::Hallucinated, 2));
        let settled = judged(&[
            ama,
            kofi,
            r#""by":"efua","verdict":"benign-extra","settles":true"#,
        ]);
        assert_eq!(
            (settled.in_force(), settled.labels().len()),
            (Verdict::BenignExtra, 2)
        );
        assert_eq!(settled.labels()[1].by.as_deref(), Some("kofi"));
    }

    #[test]
    fn a_person_may_think_again() {
        let again = judged(&[
            r#""by":"ama","verdict":"hallucinated""#,
            r#""by":"ama","verdict":"ok""#,
        ]);
        assert_eq!((again.in_force(), again.labels().len()), (Verdict::Ok, 1));
    }
}
