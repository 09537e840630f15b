//! Did it get worse? (definition row 15)
//!
//! Every gate is also a question about the pairs: the same case, then and now. Scores that are right or wrong are compared by
//! the exact one-sided test of McNemar, graded ones (recall, nDCG), macro precision and times by a bootstrap over clusters;
//! Holm's adjustment over all gates of the run keeps the chance of any false alarm at 5 %.
//!
//! | drop | significant | not significant |
//! |---|---|---|
//! | within `max_regression` (0 when the gate names none) | pass | pass |
//! | beyond it, named by the gate | fail | inconclusive: too few cases to tell it from chance |
//! | beyond 0, none named | fail | pass |
//!
//! Times are only compared where a gate names a `max_regression`: the machine of a baseline is not the machine of a run.
//!
//! A case of the baseline that was not asked fails the run, since leaving out what fails is the oldest way to improve a score.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::baseline::{Baseline, Outcome};
use super::exit::Exit;
use super::judge::Verdict;
use super::paired::{self, Pair, Paired};
use super::spec::{Gate, Severity};
use crate::golden::split::Selection;
use crate::metrics::registry::Pairing;
use crate::stats::holm;
use crate::stats::random::seed_of;

/// Error rate of the whole family of tests.
pub const ALPHA: f64 = 0.05;

/// One gate against the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Test {
    /// The gate, as it is told.
    pub gate: String,
    /// What a miss does.
    pub severity: Severity,
    /// How the pairs compare.
    #[serde(flatten)]
    pub paired: Paired,
    /// What the gate tolerates.
    pub max_regression: Option<f64>,
    /// Its probability by chance, adjusted for the number of gates.
    pub p_adjusted: f64,
    /// What follows.
    pub verdict: Verdict,
    /// Why, when it did not pass.
    pub reason: Option<String>,
}

/// A case with what is wrong now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Moved {
    /// Id.
    pub id: String,
    /// What is wrong.
    pub problems: Vec<String>,
}

/// The run against the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Comparison {
    /// When the baseline was measured.
    pub baseline: String,
    /// Pairs: asked then and now, and not rewritten since.
    pub pairs: usize,
    /// One test per gate that can be compared.
    pub tests: Vec<Test>,
    /// Failed then, passes now.
    pub fixed: Vec<String>,
    /// Passed then, fails now.
    pub broke: Vec<Moved>,
    /// Failed then, fails now.
    pub still_failing: Vec<String>,
    /// Not asked then.
    pub new: Vec<String>,
    /// Rewritten since.
    pub rewritten: Vec<String>,
    /// Asked then, not now: each fails the run.
    pub missing: Vec<String>,
}

/// Compares a run with the baseline. `selection` is what the run asked: the other side of the split is not missing.
pub fn compare(gates: &[Gate], baseline: &Baseline, now: &[Outcome], selection: Selection) -> Comparison {
    let old: BTreeMap<&str, &Outcome> = baseline
        .cases
        .iter()
        .map(|case| (case.id.as_str(), case))
        .collect();
    let asked: BTreeMap<&str, &Outcome> = now.iter().map(|case| (case.id.as_str(), case)).collect();
    let mut comparison = Comparison {
        baseline: baseline.started_at.format("%Y-%m-%d %H:%M").to_string(),
        pairs: 0,
        tests: Vec::new(),
        fixed: Vec::new(),
        broke: Vec::new(),
        still_failing: Vec::new(),
        new: Vec::new(),
        rewritten: Vec::new(),
        missing: Vec::new(),
    };
    let mut pairs = Vec::new();
    for &now in asked.values() {
        match old.get(now.id.as_str()) {
            None => comparison.new.push(now.id.clone()),
            Some(before) if before.case_sha256 != now.case_sha256 => {
                comparison.rewritten.push(now.id.clone());
            }
            Some(before) => pairs.push(Pair { before, now }),
        }
    }
    let missing = old
        .keys()
        .filter(|id| selection.holds(id) && !asked.contains_key(*id));
    comparison.missing = missing.map(|&id| id.to_owned()).collect();
    for Pair { before, now } in &pairs {
        match (before.passed, now.passed) {
            (true, false) => comparison.broke.push(Moved {
                id: now.id.clone(),
                problems: now.problems.clone(),
            }),
            (false, true) => comparison.fixed.push(now.id.clone()),
            (false, false) => comparison.still_failing.push(now.id.clone()),
            (true, true) => {}
        }
    }
    comparison.pairs = pairs.len();
    comparison.tests = test_all(gates, &pairs, now);
    comparison
}

fn test_all(gates: &[Gate], pairs: &[Pair<'_>], now: &[Outcome]) -> Vec<Test> {
    let mut tests: Vec<(Test, usize)> = gates.iter().filter_map(|gate| test(gate, pairs, now)).collect();
    let p: Vec<f64> = tests.iter().map(|(test, _)| test.paired.p).collect();
    for ((test, asked), p_adjusted) in tests.iter_mut().zip(holm::adjust(&p)) {
        test.p_adjusted = p_adjusted;
        (test.verdict, test.reason) = judge(test, *asked);
    }
    tests.into_iter().map(|(test, _)| test).collect()
}

/// One gate's test with the number of cases asked that it is about; `None` for a gate that is not compared.
fn test(gate: &Gate, pairs: &[Pair<'_>], now: &[Outcome]) -> Option<(Test, usize)> {
    let metric = gate.metric()?;
    let in_slice = |outcome: &Outcome| {
        gate.slice
            .as_ref()
            .is_none_or(|slice| outcome.slices.contains(slice))
    };
    let pairs: Vec<&Pair<'_>> = pairs.iter().filter(|pair| in_slice(pair.now)).collect();
    let asked = |counts: &dyn Fn(&Outcome) -> bool| now.iter().filter(|o| in_slice(o) && counts(o)).count();
    let seed = seed_of(&gate.to_string());
    let (paired, asked) = match metric.pairing {
        Pairing::Good(_) | Pairing::Score(_) => {
            let scores = paired::scores(&pairs, metric.name);
            let right_or_wrong = matches!(metric.pairing, Pairing::Good(_));
            let paired = paired::by_score(&scores, right_or_wrong, metric.direction, seed);
            (paired, asked(&|o| o.scores.contains_key(metric.name)))
        }
        Pairing::Routes => (
            paired::by_routes(&pairs, seed),
            asked(&|o| o.gold_route.is_some()),
        ),
        Pairing::Not => return None,
        Pairing::Times if gate.max_regression.is_none() => return None,
        Pairing::Times => (paired::by_times(&pairs, seed), asked(&|o| o.wall_ms.is_some())),
    };
    let test = Test {
        gate: gate.to_string(),
        severity: gate.severity,
        max_regression: gate.max_regression,
        p_adjusted: paired.p,
        paired,
        verdict: Verdict::Inconclusive,
        reason: None,
    };
    Some((test, asked))
}

fn judge(test: &Test, asked: usize) -> (Verdict, Option<String>) {
    /// Drops that differ by less are one.
    const ROUNDING: f64 = 1e-9;
    let paired = &test.paired;
    if paired.pairs * 2 < asked || asked == 0 {
        let reason = format!(
            "{} of {asked} cases have a counterpart in the baseline; accept a new one with `plumbline-eval baseline --write`",
            paired.pairs
        );
        return (Verdict::Inconclusive, Some(reason));
    }
    if paired.drop <= test.max_regression.unwrap_or(0.0) + ROUNDING {
        return (Verdict::Pass, None);
    }
    let tolerated = test
        .max_regression
        .map_or(String::new(), |max| format!(" where {max} is tolerated"));
    let told = format!(
        "got worse by {:.3}{tolerated}: {} broke, {} were fixed, adjusted p {:.3}",
        paired.drop, paired.broke, paired.fixed, test.p_adjusted
    );
    if test.p_adjusted <= ALPHA {
        (Verdict::Fail, Some(told))
    } else if test.max_regression.is_some() {
        (
            Verdict::Inconclusive,
            Some(format!(
                "{told}: {} pairs cannot tell it from chance",
                paired.pairs
            )),
        )
    } else {
        (Verdict::Pass, None)
    }
}

impl Comparison {
    /// What the comparison adds to the exit of the gates: a regression fails a run that they pass, and an inconclusive one
    /// does not pass. Where nothing can be trusted (code 5), nothing is added.
    pub fn extend(&self, exit: Exit, allow_inconclusive: bool) -> Exit {
        let blocking = |verdict: Verdict| -> Vec<String> {
            let these = self
                .tests
                .iter()
                .filter(|t| t.severity == Severity::Block && t.verdict == verdict);
            these
                .map(|t| format!("{} {}", t.gate, t.reason.as_deref().unwrap_or_default()))
                .collect()
        };
        let mut failed = blocking(Verdict::Fail);
        if !self.missing.is_empty() {
            failed.push(format!(
                "{} cases of the baseline were not asked: {}",
                self.missing.len(),
                some(&self.missing)
            ));
        }
        let open = blocking(Verdict::Inconclusive);
        let (code, told) = match (failed.is_empty(), open.is_empty() || allow_inconclusive) {
            (false, _) => (1, format!("against the baseline: {}", failed.join("; "))),
            (true, false) => (
                3,
                format!("inconclusive against the baseline: {}", open.join("; ")),
            ),
            (true, true) => return exit,
        };
        match exit.code {
            0 => Exit { code, cause: told },
            3 if code == 1 => Exit { code, cause: told },
            5 => exit,
            _ => Exit {
                code: exit.code,
                cause: format!("{}; {told}", exit.cause),
            },
        }
    }
}

/// The first few of many ids.
pub fn some(ids: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut told = ids.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if ids.len() > SHOWN {
        told.push_str(" …");
    }
    told
}

#[cfg(test)]
#[path = "regression_tests.rs"]
mod tests;
