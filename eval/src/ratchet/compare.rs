//! What became laxer from one state of the rules to the next.

use std::fmt;

use super::snapshot::Snapshot;
use crate::gate::regression::{self, some};
use crate::gate::spec::{Gate, Severity};
use crate::gate::{Baseline, Verdict as Outcome};
use crate::golden::split::Selection;
use crate::golden::verdict::Verdict;
use crate::metrics::registry::{Direction, Proof};

/// One rule that became laxer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What a waiver names: `threshold:recall_at_5`, `case-deleted:returns-phone`.
    pub id: String,
    /// From what to what.
    pub what: String,
}

impl Finding {
    /// A finding.
    pub fn new(id: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.what)
    }
}

/// Everything laxer in `now` than in `before`, and notes that have no effect.
pub fn compare(before: &Snapshot, now: &Snapshot) -> (Vec<Finding>, Vec<String>) {
    let mut findings = Vec::new();
    gates(before, now, &mut findings);
    cases(before, now, &mut findings);
    verdicts(before, now, &mut findings);
    baseline(before, now, &mut findings);
    let rewritten: Vec<String> = before
        .cases
        .iter()
        .filter(|(id, rule)| {
            now.cases
                .get(*id)
                .is_some_and(|other| other.demands != rule.demands)
        })
        .map(|(id, _)| id.clone())
        .collect();
    let mut notes = Vec::new();
    if !rewritten.is_empty() {
        notes.push(format!(
            "{} cases demand something else than before: {}",
            rewritten.len(),
            some(&rewritten)
        ));
    }
    (findings, notes)
}

fn gates(before: &Snapshot, now: &Snapshot, findings: &mut Vec<Finding>) {
    let Some(old) = &before.gates else { return };
    let Some(new) = &now.gates else {
        findings.push(Finding::new("gates-deleted", "the gate file is gone"));
        return;
    };
    if new.max_stale > old.max_stale {
        findings.push(Finding::new(
            "max_stale",
            format!("{} -> {}", old.max_stale, new.max_stale),
        ));
    }
    for gate in &old.gates {
        let same = |other: &&Gate| other.metric == gate.metric && other.slice == gate.slice;
        let exact = new
            .gates
            .iter()
            .filter(same)
            .find(|other| other.proof == gate.proof);
        match exact.or_else(|| new.gates.iter().find(same)) {
            Some(other) => one_gate(gate, other, findings),
            None => findings.push(Finding::new(
                format!("gate-deleted:{gate}"),
                "is not asked for any more",
            )),
        }
    }
}

fn one_gate(old: &Gate, new: &Gate, findings: &mut Vec<Finding>) {
    let mut add = |rule: &str, what: String| findings.push(Finding::new(format!("{rule}:{old}"), what));
    let lowered = match old.metric().map(|metric| metric.direction) {
        Some(Direction::Low) => new.threshold > old.threshold,
        _ => new.threshold < old.threshold,
    };
    if lowered {
        add("threshold", format!("{} -> {}", old.threshold, new.threshold));
    }
    if (old.proof, new.proof) == (Proof::Bound, Proof::Point) {
        add("evidence", "bound -> point".to_owned());
    }
    if (old.severity, new.severity) == (Severity::Block, Severity::Warn) {
        add("severity", "block -> warn".to_owned());
    }
    // More cases than there are make a gate inconclusive, fewer make it content with little: neither is stricter.
    if old.min_n != new.min_n {
        add("min_n", format!("{} -> {}", old.min_n, new.min_n));
    }
    let told = |max: Option<f64>| max.map_or("none".to_owned(), |max| max.to_string());
    let laxer = match (old.max_regression, new.max_regression) {
        (Some(old), Some(new)) => new > old,
        // Without a margin a drop has to be significant, with one a significant drop may be tolerated.
        (Some(_), None) => true,
        (None, new) => new.is_some_and(|new| new > 0.0),
    };
    if laxer {
        add(
            "max_regression",
            format!("{} -> {}", told(old.max_regression), told(new.max_regression)),
        );
    }
}

fn cases(before: &Snapshot, now: &Snapshot, findings: &mut Vec<Finding>) {
    let gone = before.cases.keys().filter(|id| !now.cases.contains_key(*id));
    findings.extend(gone.map(|id| Finding::new(format!("case-deleted:{id}"), "is not asked any more")));
}

fn verdicts(before: &Snapshot, now: &Snapshot, findings: &mut Vec<Finding>) {
    for (key, verdict) in &before.verdicts {
        let (case, answer, ..) = key;
        let answer = answer.get(..12).unwrap_or(answer);
        match now.verdicts.get(key) {
            None => findings.push(Finding::new(
                format!("verdict-removed:{case}"),
                format!("what was said about the answer {answer} is gone"),
            )),
            Some(other) if *verdict == Verdict::Hallucinated && *other != Verdict::Hallucinated => {
                let what = format!("the answer {answer} was hallucinated and is {}", other.as_str());
                findings.push(Finding::new(format!("verdict-changed:{case}"), what));
            }
            Some(_) => {}
        }
    }
    let (old, new) = (before.policy, now.policy);
    if new.double_label < old.double_label {
        let what = format!("{} -> {}", old.double_label, new.double_label);
        findings.push(Finding::new("policy:double_label", what));
    }
    if old.benign_extra_counts && !new.benign_extra_counts {
        findings.push(Finding::new("policy:benign_extra_counts", "true -> false"));
    }
}

fn baseline(before: &Snapshot, now: &Snapshot, findings: &mut Vec<Finding>) {
    let Some(old) = &before.baseline else { return };
    let Some(new) = &now.baseline else {
        findings.push(Finding::new(
            "baseline-deleted",
            "there is nothing to compare a run with any more",
        ));
        return;
    };
    let gates = now
        .gates
        .as_ref()
        .map(|gates| gates.gates.as_slice())
        .unwrap_or_default();
    let sliced = |baseline: &Baseline| {
        let mut cases = baseline.cases.clone();
        for case in &mut cases {
            case.slices = now
                .cases
                .get(&case.id)
                .map(|rule| rule.slices.clone())
                .unwrap_or_default();
        }
        cases
    };
    let comparison = regression::compare(gates, old, &sliced(new), Selection::All);
    // A case that left the set is a finding of its own already.
    let left_out = comparison.missing.iter().filter(|id| now.cases.contains_key(*id));
    findings.extend(
        left_out.map(|id| Finding::new(format!("baseline-case-deleted:{id}"), "is not compared any more")),
    );
    let worse = comparison
        .tests
        .iter()
        .filter(|test| test.verdict == Outcome::Fail);
    findings.extend(worse.map(|test| {
        let what = format!(
            "the accepted outcomes {}",
            test.reason.as_deref().unwrap_or("got worse")
        );
        Finding::new(format!("baseline:{}", test.gate), what)
    }));
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
