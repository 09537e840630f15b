//! What the gates of a run can see on this many cases, said before the run (definition row 16).
//!
//! The number of cases of a gate is the metric's own denominator when every call fails: the case file decides it, not the
//! replies. Where replies do decide a part of it (only answered replies can invent something), it is the most there can be.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::regression::ALPHA;
use super::spec::{Gate, Severity};
use crate::golden::case::Case;
use crate::golden::verdict::Verdicts;
use crate::metrics::Graded;
use crate::metrics::grade::grade;
use crate::metrics::latency::MIN_CALLS;
use crate::metrics::registry::{Direction, Pairing, Proof, Unit};
use crate::metrics::slice::part;
use crate::stats::power::{ALSO_FIXED, clean_needed, detectable_drop, failures_allowed};
use crate::stats::real;
use crate::target::{Reply, VersionTexts};

/// Probability with which a drop is to be found.
const WANTED: f64 = 0.8;

/// What one gate can see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Power {
    /// The gate, as it is told.
    pub gate: String,
    /// Cases, at most.
    pub n: usize,
    /// Cases that the gate asks for.
    pub min_n: usize,
    /// What it can see.
    pub sight: Sight,
}

/// What a gate can see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// A comparison with the baseline finds drops from here on, 8 times out of 10.
    Drop {
        /// As the only gate; `None` when not even a drop of everything is found.
        alone: Option<f64>,
        /// When Holm's adjustment shares the error rate among all gates of the run and no other gate drops.
        among_all: Option<f64>,
    },
    /// A bound has to reach a threshold.
    Bound {
        /// The threshold.
        limit: f64,
        /// Failures that still prove it; `None` when not even a flawless run does.
        failures_allowed: Option<usize>,
        /// Cases without any failure that prove it.
        clean_needed: Option<usize>,
    },
    /// Calls, of which the bound of a percentile needs some.
    Calls {
        /// How many.
        needed: usize,
    },
}

/// What each gate can see on these cases.
pub fn power(gates: &[Gate], cases: &[&Case], warm_up: usize) -> Vec<Power> {
    let failing: Vec<Graded> = cases
        .iter()
        .enumerate()
        .map(|(i, case)| failed(case, i < warm_up))
        .collect();
    let tested = gates
        .iter()
        .filter(|gate| {
            gate.metric()
                .is_some_and(|m| !matches!(m.pairing, Pairing::Times | Pairing::Not))
        })
        .count();
    gates
        .iter()
        .filter_map(|gate| of(gate, &failing, tested))
        .collect()
}

fn of(gate: &Gate, failing: &[Graded], tested: usize) -> Option<Power> {
    let metric = gate.metric()?;
    let cases = part(failing, gate.slice.as_deref());
    let n = (metric.measure)(&cases).value.n;
    let sight = match (metric.unit, gate.proof, metric.pairing) {
        (Unit::Milliseconds | Unit::Dollars, ..) => Sight::Calls { needed: MIN_CALLS },
        (Unit::Share, Proof::Bound, _) => {
            // A minimum is a maximum of the failures.
            let limit = match metric.direction {
                Direction::Low => gate.threshold,
                Direction::High => 1.0 - gate.threshold,
            };
            Sight::Bound {
                limit,
                failures_allowed: failures_allowed(n, limit),
                clean_needed: clean_needed(limit),
            }
        }
        (Unit::Share, Proof::Point, _) => Sight::Drop {
            alone: detectable_drop(n, ALPHA, WANTED),
            among_all: detectable_drop(n, ALPHA / real(tested.max(1)), WANTED),
        },
    };
    Some(Power {
        gate: if gate.severity == Severity::Warn {
            format!("{gate} (warns only)")
        } else {
            gate.to_string()
        },
        n,
        min_n: gate.min_n,
        sight,
    })
}

fn failed(case: &Case, warm_up: bool) -> Graded {
    let reply = Reply {
        answer: Err("not asked yet".to_owned()),
        calls: Vec::new(),
        wall_ms: 0.0,
        live: true,
    };
    let mut graded = grade(case, &[], reply, &VersionTexts::new(), &Verdicts::default());
    graded.warm_up = warm_up;
    graded
}

/// The assumption behind every drop, in words.
pub fn assumption() -> String {
    format!(
        "a drop is found 8 times out of 10 by a one-sided test at {} %, when {} % of the cases are fixed by the same change",
        ALPHA * 100.0,
        ALSO_FIXED * 100.0
    )
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let points = |drop: &Option<f64>| {
            drop.map_or("no drop at all".to_owned(), |drop| {
                format!("a drop of {:.1} points", drop * 100.0)
            })
        };
        write!(f, "{}: ", self.gate)?;
        match &self.sight {
            Sight::Drop { alone, among_all } => {
                write!(f, "{} cases can see {}", self.n, points(alone))?;
                if alone != among_all {
                    write!(f, ", {} among all gates", points(among_all))?;
                }
            }
            Sight::Bound {
                limit,
                failures_allowed,
                clean_needed,
            } => {
                write!(f, "at most {} cases; {} proven by ", self.n, share(*limit))?;
                match (failures_allowed, clean_needed) {
                    (Some(failures), _) => write!(f, "at most {failures} failures in {}", self.n)?,
                    (None, Some(needed)) => write!(f, "{needed} cases without a failure: too few here")?,
                    (None, None) => write!(f, "no number of cases")?,
                }
            }
            Sight::Calls { needed } => write!(f, "{} calls, a bound needs {needed}", self.n)?,
        }
        if self.n < self.min_n {
            write!(f, " (the gate asks for {} cases: inconclusive)", self.min_n)?;
        }
        Ok(())
    }
}

fn share(limit: f64) -> String {
    format!("at most {} % failures", (limit * 1_000.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::spec::parse_flag;
    use crate::testing::sample;

    #[test]
    fn each_gate_is_told_what_it_can_see() {
        let graded = sample(1);
        let cases: Vec<&Case> = graded.iter().map(|g| &g.case).collect();
        let mut gates: Vec<Gate> = [
            "recall_at_5=0.75",
            "hallucination_rate=0.05",
            "hallucination_rate=0.02",
            "p95_latency_ms=250",
        ]
        .iter()
        .map(|text| parse_flag(text).unwrap())
        .collect();
        gates[0].min_n = 60;
        let mut handoff = parse_flag("handoff_recall=0.9").unwrap();
        handoff.slice = Some("kind:handoff".into());
        gates.push(handoff);
        let told: Vec<String> = power(&gates, &cases, 5).iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
