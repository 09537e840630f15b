//! What a gate asks for: `--gate recall_at_5=0.75`, or a `[[gate]]` of a gate file.
//!
//! ```toml
//! # share of the cases that may have lost their evidence; 0 is the default
//! max_stale = 0
//!
//! [[gate]]
//! metric = "recall_at_5"     # see `plumbline-eval run --help` for the names
//! min = 0.75                 # min where high is good, max where low is good
//! evidence = "point"         # or "bound": the 95 % bound has to reach the threshold
//! slice = "lang:es"          # optional: one part of the set
//! min_n = 30                 # fewer cases are inconclusive
//! max_regression = 0.02      # optional: how much worse than the baseline is tolerated (points; of a time the part, 0.5 = half)
//! severity = "block"         # or "warn": reported, without effect on the exit code
//!
//! # accepts a finding of `plumbline-eval ratchet` for a while
//! [[waiver]]
//! finding = "threshold:recall_at_5"
//! reason = "the new price lists are not labelled yet"
//! expires = "2027-01-31"
//! ```
//!
//! Unknown keys and metrics are refused: a gate that is silently ignored is the worst kind.

use std::fmt;
use std::path::Path;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::error::EvalError;
use crate::metrics::registry::{Direction, Metric, Pairing, Proof, find, names};

/// What a missed gate does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It fails the run.
    #[default]
    Block,
    /// It is only told.
    Warn,
}

/// One demand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Gate {
    /// Name of the metric.
    pub metric: String,
    /// The threshold: a minimum or a maximum, as the metric's direction says.
    pub threshold: f64,
    /// What is compared with it.
    pub proof: Proof,
    /// Part of the set it is about.
    pub slice: Option<String>,
    /// Denominator below which the gate is inconclusive.
    pub min_n: usize,
    /// What a miss does.
    pub severity: Severity,
    /// How much worse than the baseline is tolerated: points of a share, part of a time. Without it, any significant drop fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_regression: Option<f64>,
}

impl Gate {
    /// The metric; gates are only built for metrics that exist.
    pub fn metric(&self) -> Option<&'static Metric> {
        find(&self.metric)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.metric)?;
        match &self.slice {
            Some(slice) => write!(f, "[{slice}]"),
            None => Ok(()),
        }
    }
}

/// The gates of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gates {
    /// All demands.
    pub gates: Vec<Gate>,
    /// Stale cases that are tolerated.
    pub max_stale: usize,
    /// What may be laxer than in the base branch for a while; see [`crate::ratchet`].
    pub waivers: Vec<Waiver>,
}

/// A finding of the ratchet that is accepted for a while.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Name of the finding; a `*` at its end stands for any rest, as in `case-deleted:fr-*`.
    pub finding: String,
    /// Why.
    pub reason: String,
    /// Last day on which it holds.
    pub expires: NaiveDate,
}

impl Waiver {
    /// Whether it is about this finding.
    pub fn covers(&self, finding: &str) -> bool {
        match self.finding.strip_suffix('*') {
            Some(start) => finding.starts_with(start),
            None => finding == self.finding,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GateFile {
    #[serde(default)]
    max_stale: usize,
    #[serde(default)]
    gate: Vec<GateEntry>,
    #[serde(default)]
    waiver: Vec<Waiver>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GateEntry {
    metric: String,
    min: Option<f64>,
    max: Option<f64>,
    evidence: Option<Proof>,
    slice: Option<String>,
    #[serde(default)]
    min_n: usize,
    max_regression: Option<f64>,
    #[serde(default)]
    severity: Severity,
}

/// Parses `metric=threshold`; the direction is the metric's own.
pub fn parse_flag(text: &str) -> Result<Gate, String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is no gate; write metric=threshold, such as recall_at_5=0.75"))?;
    let metric = known(name.trim())?;
    let threshold: f64 = value
        .trim()
        .parse()
        .map_err(|_| format!("`{value}` in `{text}` is no number"))?;
    checked(Gate {
        metric: metric.name.to_owned(),
        threshold,
        proof: metric.proof,
        slice: None,
        min_n: 0,
        severity: Severity::Block,
        max_regression: None,
    })
}

/// Parses a gate file; `slices` are those that exist in the golden set.
pub fn parse_file(path: &Path, text: &str) -> Result<Gates, EvalError> {
    let usage = |message: String| EvalError::Usage(format!("{}: {message}", path.display()));
    let file: GateFile = toml::from_str(text).map_err(|error| usage(error.to_string()))?;
    if file.gate.is_empty() {
        return Err(usage(
            "holds no [[gate]]; a run that demands nothing cannot be a gate".to_owned(),
        ));
    }
    // A star alone would waive the ratchet itself.
    let vague = |waiver: &&Waiver| {
        waiver.reason.trim().is_empty() || !waiver.finding.contains(':') && waiver.finding.contains('*')
    };
    if let Some(waiver) = file.waiver.iter().find(vague) {
        return Err(usage(format!(
            "the waiver of `{}` needs a reason and has to name one kind of finding",
            waiver.finding
        )));
    }
    let gates = file.gate.into_iter().enumerate().map(|(i, entry)| {
        entry
            .into_gate()
            .map_err(|message| usage(format!("gate {}: {message}", i + 1)))
    });
    Ok(Gates {
        gates: gates.collect::<Result<_, _>>()?,
        max_stale: file.max_stale,
        waivers: file.waiver,
    })
}

impl GateEntry {
    fn into_gate(self) -> Result<Gate, String> {
        let metric = known(&self.metric)?;
        let threshold = match (metric.direction, self.min, self.max) {
            (Direction::High, Some(min), None) => min,
            (Direction::Low, None, Some(max)) => max,
            (Direction::High, _, _) => {
                return Err(format!("{}: high is good, give `min` alone", metric.name));
            }
            (Direction::Low, _, _) => return Err(format!("{}: low is good, give `max` alone", metric.name)),
        };
        checked(Gate {
            metric: self.metric,
            threshold,
            proof: self.evidence.unwrap_or(metric.proof),
            slice: self.slice,
            min_n: self.min_n,
            severity: self.severity,
            max_regression: self.max_regression,
        })
    }
}

fn known(name: &str) -> Result<&'static Metric, String> {
    find(name).ok_or_else(|| format!("unknown metric `{name}`; known are {}", names()))
}

fn checked(gate: Gate) -> Result<Gate, String> {
    let share = gate
        .metric()
        .is_some_and(|m| m.unit == crate::metrics::registry::Unit::Share);
    let sensible = gate.threshold.is_finite() && gate.threshold >= 0.0 && !(share && gate.threshold > 1.0);
    if let Some(max) = gate
        .max_regression
        .filter(|max| !(max.is_finite() && *max >= 0.0))
    {
        return Err(format!(
            "{}: max_regression {max} is not 0 or more (0.02 tolerates two points less)",
            gate.metric
        ));
    }
    let paired = gate.metric().is_some_and(|m| !matches!(m.pairing, Pairing::Not));
    if gate.max_regression.is_some() && !paired {
        return Err(format!(
            "{}: is not compared with a baseline, leave max_regression out",
            gate.metric
        ));
    }
    if sensible {
        return Ok(gate);
    }
    let allowed = if share {
        "a share between 0 and 1"
    } else {
        "a number, 0 or more"
    };
    Err(format!(
        "{}: the threshold {} is not {allowed}",
        gate.metric, gate.threshold
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_takes_direction_and_proof_from_its_metric() {
        let gate = parse_flag("hallucination_rate=0.02").unwrap();
        assert_eq!((gate.threshold, gate.proof), (0.02, Proof::Bound));
        assert_eq!(parse_flag("recall_at_5 = 0.75").unwrap().proof, Proof::Point);
    }

    #[test]
    fn mistakes_are_named_with_what_would_be_right() {
        assert!(
            parse_flag("recall_at_5")
                .unwrap_err()
                .contains("metric=threshold")
        );
        assert!(
            parse_flag("recal=0.7")
                .unwrap_err()
                .contains("known are recall_at_5, ")
        );
        assert!(
            parse_flag("recall_at_5=75")
                .unwrap_err()
                .contains("between 0 and 1")
        );
        assert!(
            parse_flag("recall_at_5=NaN")
                .unwrap_err()
                .contains("between 0 and 1")
        );
        assert!(parse_flag("recall_at_5=high").unwrap_err().contains("no number"));
    }

    #[test]
    fn a_gate_file_is_read_strictly() {
        let read = |text: &str| parse_file(Path::new("gates.toml"), text).map_err(|e| e.to_string());
        let gates =
            read("[[gate]]\nmetric='recall_at_5'\nmin=0.7\nslice='lang:es'\nmin_n=9\nseverity='warn'")
                .unwrap();
        assert_eq!(gates.gates[0].to_string(), "recall_at_5[lang:es]");
        assert_eq!(
            (gates.gates[0].min_n, gates.gates[0].severity),
            (9, Severity::Warn)
        );
        assert!(read("").unwrap_err().contains("holds no [[gate]]"));
        let negative = read("[[gate]]\nmetric='recall_at_5'\nmin=0.7\nmax_regression=-0.1");
        assert!(negative.unwrap_err().contains("max_regression -0.1"));
        let cost = read("[[gate]]\nmetric='cost_per_message_usd'\nmax=0.01\nmax_regression=0.1");
        assert!(cost.unwrap_err().contains("leave max_regression out"));
        assert!(
            read("[[gate]]\nmetric='recall_at_5'\nmax=0.7")
                .unwrap_err()
                .contains("give `min` alone")
        );
        assert!(
            read("[[gate]]\nmetric='p95_latency_ms'\nmin=7")
                .unwrap_err()
                .contains("give `max` alone")
        );
        assert!(
            read("[[gate]]\nmetric='recall_at_5'\nmin=0.7\nmin_m=1")
                .unwrap_err()
                .contains("min_m")
        );
    }
}
