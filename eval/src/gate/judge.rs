//! Whether a gate was met.
//!
//! The order of the questions is what makes the gate fail closed:
//!
//! 1. a metric with a problem, or fewer cases than `min_n`, is inconclusive;
//! 2. the gate passes when the pessimistic value meets the threshold, unless it asks for a bound and what the bound rests on
//!    cannot be relied on;
//! 3. it is inconclusive when only the optimistic value does, since the undecided replies then
//!    decide;
//! 4. it is inconclusive when it asks for a bound that a flawless system could not show on a sample
//!    of this size, and the point does not already miss the threshold;
//! 5. otherwise it fails.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::spec::{Gate, Severity};
use crate::metrics::registry::{Direction, Proof, Unit};
use crate::metrics::slice::part;
use crate::metrics::{Estimate, Graded, Measured};

/// What came out of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The threshold is met.
    Pass,
    /// It is not.
    Fail,
    /// Nobody can tell.
    Inconclusive,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Inconclusive => "INCONCLUSIVE",
        })
    }
}

/// A gate with what was measured and what follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GateResult {
    /// What was asked for.
    pub gate: Gate,
    /// What was measured.
    pub measured: Measured,
    /// Which way is good.
    pub direction: Direction,
    /// What the numbers are.
    pub unit: Unit,
    /// What follows.
    pub verdict: Verdict,
    /// Why, when it did not pass.
    pub reason: Option<String>,
}

impl GateResult {
    /// Whether the verdict has an effect on the exit code.
    pub fn blocks(&self) -> bool {
        self.gate.severity == Severity::Block
    }

    /// The bound on the side that matters.
    pub fn bound(&self) -> f64 {
        bound(&self.measured.value, self.direction)
    }

    /// `>=` or `<=`.
    pub fn relation(&self) -> &'static str {
        relation(self.direction)
    }
}

/// Judges every gate over the replies.
pub fn judge_all(gates: &[Gate], graded: &[Graded]) -> Vec<GateResult> {
    gates.iter().filter_map(|gate| judge(gate, graded)).collect()
}

/// Judges one gate; `None` only for a gate without a metric, which cannot be built from input.
pub fn judge(gate: &Gate, graded: &[Graded]) -> Option<GateResult> {
    let metric = gate.metric()?;
    let measured = (metric.measure)(&part(graded, gate.slice.as_deref()));
    let (verdict, reason) = decide(gate, metric.direction, &measured);
    let (direction, unit) = (metric.direction, metric.unit);
    Some(GateResult {
        gate: gate.clone(),
        measured,
        direction,
        unit,
        verdict,
        reason,
    })
}

fn decide(gate: &Gate, direction: Direction, measured: &Measured) -> (Verdict, Option<String>) {
    let inconclusive = |reason: String| (Verdict::Inconclusive, Some(reason));
    let n = measured.value.n;
    if let Some(problem) = &measured.problem {
        return inconclusive(problem.clone());
    }
    if n < gate.min_n {
        return inconclusive(format!("{n} cases, the gate asks for {}", gate.min_n));
    }
    let meets = |estimate: &Estimate| meets(estimate, gate, direction);
    let at_best = measured.best.as_ref().is_some_and(meets);
    let unproven = measured.unproven.as_ref().filter(|_| gate.proof == Proof::Bound);
    if let Some(reason) = unproven.filter(|_| meets(&measured.value)) {
        return inconclusive(reason.clone());
    }
    if meets(&measured.value) {
        return (Verdict::Pass, None);
    }
    if at_best {
        return inconclusive(waiting(measured, gate.proof));
    }
    let too_few = measured
        .flawless
        .as_ref()
        .is_some_and(|flawless| !meets(flawless));
    let optimistic = measured.best.as_ref().unwrap_or(&measured.value);
    if too_few && reaches(optimistic.point, gate.threshold, direction) {
        return inconclusive(format!(
            "{n} cases are too few to prove it, even without any mistake"
        ));
    }
    let compared = compared(&measured.value, gate.proof, direction);
    let what = if gate.proof == Proof::Bound {
        "bound"
    } else {
        "value"
    };
    (
        Verdict::Fail,
        Some(format!(
            "{what} {compared:.3} is not {} {}",
            relation(direction),
            gate.threshold
        )),
    )
}

/// What would decide the gate.
fn waiting(measured: &Measured, proof: Proof) -> String {
    let flagged = measured.undecided;
    match (proof, measured.unsampled) {
        (Proof::Bound, unsampled) if unsampled > 0 => format!(
            "{flagged} flagged replies and a sample of {unsampled} others wait for a verdict and decide it; see `plumbline-eval \
             verdicts list`"
        ),
        _ => {
            format!("{flagged} replies wait for a verdict and decide it; see `plumbline-eval verdicts list`")
        }
    }
}

fn meets(estimate: &Estimate, gate: &Gate, direction: Direction) -> bool {
    reaches(
        compared(estimate, gate.proof, direction),
        gate.threshold,
        direction,
    )
}

fn reaches(value: f64, threshold: f64, direction: Direction) -> bool {
    /// 0.7 + 0.1 + 0.1 must meet 0.9.
    const ROUNDING: f64 = 1e-9;
    match direction {
        Direction::High => value >= threshold - ROUNDING,
        Direction::Low => value <= threshold + ROUNDING,
    }
}

fn compared(estimate: &Estimate, proof: Proof, direction: Direction) -> f64 {
    match proof {
        Proof::Point => estimate.point,
        Proof::Bound => bound(estimate, direction),
    }
}

fn bound(estimate: &Estimate, direction: Direction) -> f64 {
    match direction {
        Direction::High => estimate.lower,
        Direction::Low => estimate.upper,
    }
}

fn relation(direction: Direction) -> &'static str {
    match direction {
        Direction::High => ">=",
        Direction::Low => "<=",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::spec::parse_flag;

    fn verdict(gate: &str, measured: &Measured) -> (Verdict, String) {
        let gate = parse_flag(gate).unwrap();
        let (verdict, reason) = decide(&gate, gate.metric().unwrap().direction, measured);
        (verdict, reason.unwrap_or_default())
    }

    #[test]
    fn point_and_bound_differ() {
        let measured = Measured::success(78.0, 100, 0);
        assert_eq!(verdict("recall_at_5=0.75", &measured).0, Verdict::Pass);
        let mut gate = parse_flag("recall_at_5=0.75").unwrap();
        gate.proof = Proof::Bound;
        // W⁻(78, 100) = 0.705
        assert_eq!(decide(&gate, Direction::High, &measured).0, Verdict::Fail);
    }

    /// "≤ 2 % proven" needs ≤ 3/412, ≤ 0/200 or a clean sample of at least 133
    /// (z²/(n + z²) ≤ 0.02 for z = 1.645).
    #[test]
    fn two_percent_has_to_be_proven() {
        assert_eq!(
            verdict("hallucination_rate=0.02", &Measured::failure(3.0, 412, 0)).0,
            Verdict::Pass
        );
        assert_eq!(
            verdict("hallucination_rate=0.02", &Measured::failure(4.0, 412, 0)).0,
            Verdict::Fail
        );
        assert_eq!(
            verdict("hallucination_rate=0.02", &Measured::failure(0.0, 133, 0)).0,
            Verdict::Pass
        );
        let (outcome, reason) = verdict("hallucination_rate=0.02", &Measured::failure(0.0, 132, 0));
        assert_eq!(outcome, Verdict::Inconclusive);
        assert!(reason.contains("too few"), "{reason}");
        // A small sample proves nothing good, but it can be bad.
        assert_eq!(
            verdict("hallucination_rate=0.02", &Measured::failure(9.0, 50, 0)).0,
            Verdict::Fail
        );
    }

    #[test]
    fn undecided_replies_decide_only_when_they_matter() {
        let open = |worst: f64, best: f64| Measured {
            best: Some(Estimate::share(best, 412)),
            undecided: 4,
            ..Measured::failure(worst, 412, 0)
        };
        assert_eq!(
            verdict("hallucination_rate=0.02", &open(3.0, 0.0)).0,
            Verdict::Pass
        );
        assert_eq!(
            verdict("hallucination_rate=0.02", &open(30.0, 26.0)).0,
            Verdict::Fail
        );
        let (outcome, reason) = verdict("hallucination_rate=0.02", &open(5.0, 1.0));
        assert_eq!(outcome, Verdict::Inconclusive);
        assert!(reason.contains("4 replies"), "{reason}");
    }

    #[test]
    fn a_bound_on_verdicts_that_nobody_can_rely_on_proves_nothing() {
        let measured = Measured {
            unproven: Some("kappa 0.31".into()),
            ..Measured::failure(0.0, 412, 0)
        };
        let (outcome, reason) = verdict("hallucination_rate=0.02", &measured);
        assert!(
            outcome == Verdict::Inconclusive && reason == "kappa 0.31",
            "{reason}"
        );
        let mut point = parse_flag("hallucination_rate=0.02").unwrap();
        point.proof = Proof::Point;
        assert_eq!(decide(&point, Direction::Low, &measured).0, Verdict::Pass);
    }

    #[test]
    fn too_few_cases_are_inconclusive() {
        let mut gate = parse_flag("recall_at_5=0.5").unwrap();
        gate.min_n = 30;
        assert_eq!(
            decide(&gate, Direction::High, &Measured::success(29.0, 29, 0)).0,
            Verdict::Inconclusive
        );
        assert_eq!(
            decide(&gate, Direction::High, &Measured::success(0.0, 0, 0)).0,
            Verdict::Inconclusive
        );
    }

    #[test]
    fn an_infinite_latency_fails() {
        let mut measured = Measured::plain(Estimate::share(1.0, 100), 10);
        measured.value.point = f64::INFINITY;
        assert_eq!(verdict("p95_latency_ms=250", &measured).0, Verdict::Fail);
    }
}
