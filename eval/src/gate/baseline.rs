//! The baseline: what each case scored when the system was last accepted, committed beside the golden set.
//!
//! It holds outcomes and hashes, never the replies, and every case is one line of the file, so that a change of the baseline
//! reads in a review as what it is: these cases used to pass. Each line also carries a hash of what the case demanded; a case
//! that was rewritten since is another case and is not compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::EvalError;
use crate::golden::case::{Case, route_name};
use crate::golden::pin::sha256_hex;
use crate::golden::split::Selection;
use crate::golden::verdict::answer_sha256;
use crate::metrics::registry::{METRICS, Pairing};
use crate::metrics::slice::slices_of;
use crate::metrics::{Graded, Observed};

/// Version of the layout; raised when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// What was measured, and on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// [`SCHEMA_VERSION`] of the program that wrote it.
    pub schema_version: u32,
    /// When the run began.
    pub started_at: DateTime<Utc>,
    /// The system under test.
    pub target: String,
    /// Which cases were asked.
    pub selection: Selection,
    /// What it was measured with.
    pub hashes: Hashes,
    /// Every case, by id.
    pub cases: Vec<Outcome>,
}

/// The files that decide a verdict, by hash: a report that shows other hashes was made by other rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Hashes {
    /// Over the sorted lines `<id>  <hash of what the case demands>`.
    pub dataset_sha256: String,
    /// The corpus manifest.
    pub corpus_manifest_sha256: String,
    /// Bytes of the gate file; `None` when there was none.
    #[serde(default)]
    pub gates_sha256: Option<String>,
    /// Bytes of `verdicts.jsonl`.
    #[serde(default)]
    pub verdicts_sha256: Option<String>,
    /// Bytes of the baseline that was compared with.
    #[serde(default)]
    pub baseline_sha256: Option<String>,
}

/// How one case came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Id of the case.
    pub id: String,
    /// Hash of what the case demands; see [`case_hash`].
    pub case_sha256: String,
    /// What it fails together with; see [`cluster_of`].
    pub cluster: String,
    /// Whether nothing was wrong.
    pub passed: bool,
    /// The outcome.
    pub observed: Observed,
    /// The gold route.
    pub gold_route: Option<String>,
    /// The route taken; an error has none.
    pub route: Option<String>,
    /// Hash of the reply.
    pub answer_sha256: Option<String>,
    /// Milliseconds of the call; only kept when a gate compares times, since they change with every run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<f64>,
    /// Score of the case for every metric that it counts for, 0 bad to 1 good.
    pub scores: BTreeMap<String, f64>,
    /// Slices it belongs to; not in the file, since the case says so.
    #[serde(skip)]
    pub slices: BTreeSet<String>,
    /// What is wrong; not in the file.
    #[serde(skip)]
    pub problems: Vec<String>,
}

/// The outcomes of a run, by id.
pub fn outcomes(graded: &[Graded]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = graded.iter().map(outcome).collect();
    outcomes.sort_by(|a, b| a.id.cmp(&b.id));
    outcomes
}

fn outcome(graded: &Graded) -> Outcome {
    let problems = graded.problems();
    let name = |route| route_name(route).to_owned();
    let scores = METRICS
        .iter()
        .filter_map(|metric| Some((metric.name.to_owned(), score(metric.pairing, graded)?)));
    let timed = graded.reply.live && !graded.warm_up && !graded.observed.is_error();
    Outcome {
        id: graded.case.id.clone(),
        case_sha256: case_hash(&graded.case),
        cluster: cluster_of(&graded.case),
        passed: problems.is_empty(),
        observed: graded.observed,
        gold_route: graded.case.expected_route().map(name),
        route: graded.route().map(name),
        answer_sha256: graded.reply.answer.as_ref().ok().map(answer_sha256),
        wall_ms: timed.then_some(graded.reply.wall_ms),
        scores: scores.collect(),
        slices: slices_of(&graded.case),
        problems,
    }
}

fn score(pairing: Pairing, graded: &Graded) -> Option<f64> {
    match pairing {
        Pairing::Good(good) => good(graded).map(|good| if good { 1.0 } else { 0.0 }),
        Pairing::Score(score) => score(graded),
        Pairing::Routes | Pairing::Times | Pairing::Not => None,
    }
}

/// Hash of what a case asks and demands, 16 hex digits. Labels, dates and pinned offsets are left out: they say where a case
/// came from and where its evidence stands, not what is right.
pub fn case_hash(case: &Case) -> String {
    let evidence: Vec<Value> = case
        .evidence
        .iter()
        .map(|e| json!([e.group, e.doc, e.quote, e.grade]))
        .collect();
    let demands = json!([
        case.kind,
        case.question,
        case.history,
        evidence,
        case.must_include,
        case.must_not,
        case.expected_route(),
        case.tools,
        case.ordered,
        case.forbidden_tools,
    ]);
    let mut hash = sha256_hex(demands.to_string().as_bytes());
    hash.truncate(16);
    hash
}

/// What a case fails together with: the turns of one conversation, which begin with the same message, else the questions
/// about one document; a case with neither stands alone.
pub fn cluster_of(case: &Case) -> String {
    if let Some(first) = case.history.first() {
        let mut hash = sha256_hex(first.text.as_bytes());
        hash.truncate(12);
        return format!("conversation:{hash}");
    }
    match case.evidence.first() {
        Some(evidence) => format!("document:{}", evidence.doc),
        None => format!("case:{}", case.id),
    }
}

/// Hash of a whole set of cases.
pub fn dataset_hash<'a>(cases: impl IntoIterator<Item = &'a Case>) -> String {
    let mut lines: Vec<String> = cases
        .into_iter()
        .map(|case| format!("{}  {}\n", case.id, case_hash(case)))
        .collect();
    lines.sort();
    sha256_hex(lines.concat().as_bytes())
}

impl Baseline {
    /// The file's text: one line per case.
    pub fn to_text(&self) -> Result<String, EvalError> {
        let failed =
            |error: serde_json::Error| EvalError::Infra(format!("the baseline cannot be written: {error}"));
        let mut head = serde_json::to_value(self).map_err(failed)?;
        let fields = head.as_object_mut().into_iter().flatten();
        let mut text = "{\n".to_owned();
        for (name, value) in fields.filter(|(name, _)| *name != "cases") {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  \"{name}\": {value},");
        }
        let cases = self
            .cases
            .iter()
            .map(|case| serde_json::to_string(case).map(|line| format!("    {line}")));
        let cases = cases.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let _ = writeln!(text, "  \"cases\": [\n{}\n  ]\n}}", cases.join(",\n"));
        Ok(text)
    }

    /// Reads the text of a baseline; `place` is told in messages.
    pub fn parse(place: &str, text: &str) -> Result<Self, EvalError> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let usage =
            |error: &dyn std::fmt::Display| EvalError::Usage(format!("{place}: no baseline: {error}"));
        let version: Version = serde_json::from_str(text).map_err(|error| usage(&error))?;
        if version.schema_version != SCHEMA_VERSION {
            let message = format!(
                "it has schema version {}, this program reads {SCHEMA_VERSION}; write it again with `plumbline-eval baseline --write`",
                version.schema_version
            );
            return Err(usage(&message));
        }
        serde_json::from_str(text).map_err(|error| usage(&error))
    }

    /// Reads a baseline file.
    pub fn read(path: &Path) -> Result<(Self, String), EvalError> {
        let text = std::fs::read_to_string(path).map_err(|error| EvalError::unreadable(path, &error))?;
        let hash = sha256_hex(text.as_bytes());
        Ok((Self::parse(&path.display().to_string(), &text)?, hash))
    }

    /// Writes a baseline file; times only when they are `timed`.
    pub fn write(mut self, path: &Path, timed: bool) -> Result<(), EvalError> {
        if !timed {
            for case in &mut self.cases {
                case.wall_ms = None;
            }
        }
        std::fs::write(path, self.to_text()?)
            .map_err(|error| EvalError::Infra(format!("{}: cannot be written: {error}", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{case, sample};

    pub(super) fn baseline(seed: u64) -> Baseline {
        Baseline {
            schema_version: SCHEMA_VERSION,
            started_at: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            target: "in-process".into(),
            selection: Selection::All,
            hashes: Hashes::default(),
            cases: outcomes(&sample(seed)),
        }
    }

    #[test]
    fn a_case_is_one_line_and_survives_its_file() {
        let written = baseline(1);
        let text = written.to_text().unwrap();
        assert_eq!(text.lines().filter(|line| line.contains("\"id\":")).count(), 120);
        let read = Baseline::parse("b.json", &text).unwrap();
        assert_eq!(read.to_text().unwrap(), text);
        assert_eq!(read.cases[7].scores, written.cases[7].scores);
        let newer = text.replacen("\"schema_version\": 1", "\"schema_version\": 9", 1);
        let error = Baseline::parse("b.json", &newer).unwrap_err();
        assert!(
            error.exit_code() == 2 && error.to_string().contains("schema version 9"),
            "{error}"
        );
    }

    #[test]
    fn the_hash_is_that_of_the_demand() {
        let mut asked = case("How long?");
        let before = case_hash(&asked);
        asked.tags.push("typo".into());
        asked.added = Some("2026-01-01".into());
        assert_eq!(case_hash(&asked), before);
        asked.must_include.push("21 days".into());
        assert_ne!(case_hash(&asked), before);
    }

    #[test]
    fn cases_of_one_document_or_conversation_stand_together() {
        let mut about = sample(1).remove(0).case;
        assert_eq!(cluster_of(&about), "document:d.txt");
        about.history.push(plumbline_answer::Message {
            role: plumbline_answer::Speaker::Customer,
            text: "hi".into(),
        });
        assert!(cluster_of(&about).starts_with("conversation:"));
        assert_eq!(cluster_of(&case("q")), "case:case");
    }
}
