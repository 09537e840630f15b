//! What the pages take out of a `report.json`. It was written by another program, perhaps of another version: what is
//! not known here is left alone, and what is missing is empty.

use serde::Deserialize;
use serde_json::Value;

/// A report.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Report {
    /// What ran on what.
    pub run: RunInfo,
    /// Gates with their verdicts.
    pub gates: Vec<GateResult>,
    /// Metrics over all cases.
    pub metrics: Vec<Metric>,
    /// Chief metrics per slice.
    pub slices: Vec<Slice>,
    /// The run against its baseline.
    pub regression: Option<Regression>,
    /// Every case.
    pub cases: Vec<Case>,
}

impl Report {
    /// Reads a report; none when its layout is another one.
    pub fn read(value: Value) -> Option<Self> {
        serde_json::from_value(value).ok()
    }
}

/// What ran on what.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RunInfo {
    /// Name of the golden set.
    pub golden: String,
    /// Hash of the documents asked about.
    pub corpus_manifest_sha256: String,
    /// The system that was asked.
    pub target: String,
    /// Which cases were asked.
    pub selection: Value,
    /// Cases asked.
    pub cases: i64,
    /// Cases left out because their evidence is gone.
    pub stale: Vec<String>,
    /// Share of the cases that came back with something to score.
    pub coverage: Option<f64>,
    /// Where the replies come from.
    pub mode: String,
}

/// A number with its bounds; `None` stands for one that is not finite.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Estimate {
    /// Numerator.
    pub k: f64,
    /// Denominator.
    pub n: i64,
    /// The value.
    pub point: Option<f64>,
    /// Lower 95 % bound.
    pub lower: Option<f64>,
    /// Upper 95 % bound.
    pub upper: Option<f64>,
}

/// What was measured.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// The value.
    pub value: Estimate,
    /// Replies that a person has yet to judge.
    pub undecided: i64,
    /// Why it could not be measured.
    pub problem: Option<String>,
}

/// A metric.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// `high` or `low`: which way is good.
    pub direction: String,
    /// `share`, `milliseconds` or one of a later program.
    pub unit: String,
    /// What was measured.
    pub measured: Measured,
}

/// What a gate asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Gate {
    /// Metric.
    pub metric: String,
    /// Threshold.
    pub threshold: f64,
    /// `point` or `bound`: which of them has to meet it.
    pub proof: String,
    /// Part of the cases.
    pub slice: Option<String>,
    /// `block` or `warn`.
    pub severity: String,
}

/// A gate with its verdict.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct GateResult {
    /// What was asked for.
    pub gate: Gate,
    /// What was measured.
    pub measured: Measured,
    /// Which way is good.
    pub direction: String,
    /// What the numbers are.
    pub unit: String,
    /// `pass`, `fail` or `inconclusive`.
    pub verdict: String,
    /// Why, when it did not pass.
    pub reason: Option<String>,
}

/// The chief metrics of a slice.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Slice {
    /// Its name, such as `lang:es`.
    pub slice: String,
    /// Cases.
    pub n: i64,
    /// Recall at 5.
    pub recall_at_5: Option<f64>,
    /// Correct replies.
    pub answer_correct: Option<f64>,
    /// Answerable cases that were not answered.
    pub false_abstention: Option<f64>,
    /// Unanswerable cases that were not answered.
    pub correct_abstention: Option<f64>,
    /// Cases routed right.
    pub routing_accuracy: Option<f64>,
}

/// The run against its baseline.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Regression {
    /// Failed in the baseline, passed now.
    pub fixed: Vec<String>,
    /// Passed in the baseline, failed now.
    pub broke: Vec<Broke>,
    /// Failed in both.
    pub still_failing: Vec<String>,
}

/// A case that got worse.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Broke {
    /// Its id.
    pub id: String,
}

/// A case with its reply.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Case {
    /// Id.
    pub id: String,
    /// Kind.
    pub kind: String,
    /// Slices.
    pub slices: Vec<String>,
    /// Of the test split: only counted, never shown.
    pub withheld: bool,
    /// What was said before.
    pub history: Vec<Turn>,
    /// The customer's message.
    pub question: String,
    /// Evidence that a good search finds.
    pub expected: Vec<Expected>,
    /// Whether nothing is wrong.
    pub passed: bool,
    /// What is wrong, worst first.
    pub problems: Vec<String>,
    /// The outcome.
    pub observed: String,
    /// The right route.
    pub expected_route: Option<String>,
    /// The route taken.
    pub route: Option<String>,
    /// First hits.
    pub top: Vec<Hit>,
    /// The reply.
    pub answer: String,
    /// Claims without support.
    pub unsupported: Vec<Unsupported>,
    /// Time of the call, milliseconds.
    pub wall_ms: f64,
}

/// An earlier message.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Turn {
    /// `customer` or `bot`.
    pub role: String,
    /// Its text.
    pub text: String,
}

/// A piece of evidence.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Expected {
    /// Document.
    pub document: String,
    /// Passage.
    pub quote: String,
    /// Rank of the first hit that holds it, from 1.
    pub rank: Option<i64>,
}

/// A hit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Hit {
    /// Document.
    pub document: String,
    /// Evidence groups it holds.
    pub holds: Vec<String>,
    /// First words.
    pub text: String,
}

/// A claim without support.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Unsupported {
    /// The claim.
    pub text: String,
    /// What is missing.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_unknown_is_left_alone_and_what_is_missing_is_empty() {
        let report = json!({
            "schema_version": 9, "later": true,
            "metrics": [{ "name": "p95_latency_ms", "unit": "milliseconds", "measured": { "value": { "point": null } } }],
            "cases": [{ "id": "a", "passed": true, "standing": "cleared" }],
        });
        let report = Report::read(report).unwrap();
        assert_eq!(report.metrics[0].measured.value.point, None);
        assert!(report.cases[0].passed && report.cases[0].question.is_empty());
        assert!(Report::read(json!({ "cases": "many" })).is_none());
    }
}
