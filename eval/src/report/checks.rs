//! One case, one metric: what was expected, what came.
//!
//! The metrics are sums over cases; here the same rules are told case by case, for a test runner's page and for `diff`.
//! Every check is named after the metric it counts in, so that a red testcase leads to the number it lowered. Cases
//! whose kind has no rate of its own (small talk, handoffs, out of scope) are checked as `outcome`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::golden::case::{Kind, route_name};
use crate::metrics::hallucination::Standing;
use crate::metrics::{Graded, Observed};

/// One case judged by one metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseCheck {
    /// Name of the metric, or `outcome`.
    pub metric: String,
    /// Whether the case counts as good there.
    pub passed: bool,
    /// What a good reply does; empty when withheld.
    pub expected: String,
    /// What this one did; empty when withheld.
    pub got: String,
}

/// Every check that applies to a case, in the order of the metrics.
pub fn checks(graded: &Graded) -> Vec<CaseCheck> {
    let mut checks: Vec<CaseCheck> = [
        recall(graded),
        correct(graded),
        citations(graded),
        Some(outcome(graded)),
        hallucination(graded),
        forbidden(graded),
        routing(graded),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(failure) = failure(graded) {
        for check in &mut checks {
            check.got.clone_from(&failure);
        }
    }
    checks
}

/// What to say of a reply that is none.
fn failure(graded: &Graded) -> Option<String> {
    match (&graded.reply.answer, graded.observed) {
        (Err(error), _) => Some(format!("error: {error}")),
        (_, Observed::Empty) => Some("empty reply".to_owned()),
        _ => None,
    }
}

fn check(metric: &str, passed: bool, expected: String, got: String) -> CaseCheck {
    CaseCheck {
        metric: metric.to_owned(),
        passed,
        expected,
        got,
    }
}

fn recall(graded: &Graded) -> Option<CaseCheck> {
    if graded.case.kind != Kind::Answerable {
        return None;
    }
    let found = graded.ranking.map_or(0.0, |ranking| ranking.recall_at_5);
    let groups: Vec<String> = graded
        .spans
        .iter()
        .map(|span| format!("{} ({})", span.group, span.doc))
        .collect();
    let expected = format!("every evidence group in the first 5 hits: {}", groups.join(", "));
    Some(check(
        "recall_at_5",
        found >= 1.0,
        expected,
        format!("recall {found:.2}"),
    ))
}

fn correct(graded: &Graded) -> Option<CaseCheck> {
    let case = &graded.case;
    if case.kind != Kind::Answerable || case.must_include.is_empty() {
        return None;
    }
    let never = case.must_not.join(", ");
    let without = if never.is_empty() {
        never
    } else {
        format!("; without: {never}")
    };
    let expected = format!("an answer with: {}{without}", case.must_include.join(", "));
    Some(check(
        "answer_correct",
        graded.correct == Some(true),
        expected,
        reply(graded),
    ))
}

fn citations(graded: &Graded) -> Option<CaseCheck> {
    if !graded.observed.is_error() && graded.citations.is_empty() {
        return None;
    }
    let broken: Vec<String> = graded
        .citations
        .iter()
        .filter_map(|c| {
            Some(format!(
                "{} {}..{}: {}",
                c.document,
                c.start,
                c.end,
                c.problem.as_ref()?
            ))
        })
        .collect();
    let got = format!(
        "{} of {} do not resolve: {}",
        broken.len(),
        graded.citations.len(),
        broken.join("; ")
    );
    let passed = broken.is_empty() && !graded.observed.is_error();
    let expected = "every citation resolves to the text it quotes".to_owned();
    Some(check("citation_resolves", passed, expected, got))
}

fn outcome(graded: &Graded) -> CaseCheck {
    let observed = graded.observed;
    let silent = matches!(observed, Observed::Abstained | Observed::HandedOff);
    let (metric, passed, expected) = match graded.case.kind {
        Kind::Answerable => ("false_abstention", observed == Observed::Answered, "answered"),
        Kind::Unanswerable => ("correct_abstention", silent, "abstained or handed_off"),
        Kind::Chitchat => ("outcome", observed == Observed::Answered, "answered"),
        Kind::Handoff => ("outcome", observed == Observed::HandedOff, "handed_off"),
        Kind::OutOfScope => ("outcome", silent, "abstained or handed_off"),
    };
    let got = format!("{}: {}", observed.as_str(), reply(graded));
    check(metric, passed, expected.to_owned(), got)
}

fn hallucination(graded: &Graded) -> Option<CaseCheck> {
    let passed = match graded.standing {
        Standing::NotApplicable => return None,
        Standing::Unflagged | Standing::Cleared => true,
        Standing::Convicted | Standing::Undecided => false,
    };
    let mut why: Vec<String> = graded
        .unsupported
        .iter()
        .map(|claim| format!("“{}” ({})", claim.text, claim.why))
        .collect();
    if graded.standing == Standing::Convicted {
        why.push("a person found it unsupported".to_owned());
    }
    if !graded.phrases.forbidden.is_empty() {
        why.push(format!("says {}", graded.phrases.forbidden.join(", ")));
    }
    if graded.citations.iter().any(|citation| citation.problem.is_some()) {
        why.push("a citation does not resolve".to_owned());
    }
    let expected = "nothing but what the evidence holds".to_owned();
    Some(check("hallucination_rate", passed, expected, why.join("; ")))
}

fn forbidden(graded: &Graded) -> Option<CaseCheck> {
    if graded.case.must_not.is_empty() {
        return None;
    }
    let passed = !graded.observed.is_error() && graded.phrases.forbidden.is_empty();
    let expected = format!("never: {}", graded.case.must_not.join(", "));
    let got = format!("says: {}", graded.phrases.forbidden.join(", "));
    Some(check("forbidden_content", passed, expected, got))
}

fn routing(graded: &Graded) -> Option<CaseCheck> {
    let gold = graded.case.expected_route()?;
    let taken = graded.route();
    let got = taken.map(route_name).unwrap_or_default().to_owned();
    Some(check(
        "routing_accuracy",
        taken == Some(gold),
        route_name(gold).to_owned(),
        got,
    ))
}

fn reply(graded: &Graded) -> String {
    graded
        .reply
        .answer
        .as_ref()
        .map(|answer| answer.text.clone())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::registry::{Direction, METRICS};
    use crate::testing::sample;

    /// The testcases of a metric are its denominator, and where a case is plain good or bad, its count.
    #[test]
    fn the_checks_add_up_to_the_metrics() {
        for seed in 0..20 {
            let graded = sample(seed);
            let all: Vec<&Graded> = graded.iter().collect();
            let checks: Vec<CaseCheck> = graded.iter().flat_map(checks).collect();
            let mut seen = 0;
            for metric in METRICS {
                let of: Vec<&CaseCheck> = checks
                    .iter()
                    .filter(|check| check.metric == metric.name)
                    .collect();
                if of.is_empty() {
                    continue;
                }
                seen += 1;
                let value = (metric.measure)(&all).value;
                assert_eq!(of.len(), value.n, "{}", metric.name);
                let good = crate::stats::real(of.iter().filter(|check| check.passed).count());
                let counted = if metric.direction == Direction::High {
                    good
                } else {
                    crate::stats::real(of.len()) - good
                };
                assert!(
                    (counted - value.k).abs() < 1e-9,
                    "{}: {counted} {}",
                    metric.name,
                    value.k
                );
            }
            assert_eq!(seen, 8, "every metric that tells its cases apart");
        }
    }

    #[test]
    fn a_failed_call_fails_every_check_and_says_so() {
        for row in sample(3).iter().filter(|row| row.observed == Observed::Error) {
            for check in checks(row) {
                assert!(!check.passed && check.got.starts_with("error: "), "{check:?}");
            }
        }
    }
}
