//! The exit code and the sentence that goes with it.
//!
//! Both come from one value, so the last line of the output and the code of the process cannot say
//! different things.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | every blocking gate passed |
//! | 1 | a gate failed |
//! | 2 | the command line, a gate or the golden set is wrong |
//! | 3 | a gate is inconclusive: too few cases, missing verdicts |
//! | 4 | the corpus has moved away from the cases |
//! | 5 | the system could not be asked: too many errors, or nothing to ask |
//!
//! When several apply, the one that makes the others meaningless wins: 2, 4, 5, 1, 3.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::judge::{GateResult, Verdict};
use crate::metrics::Graded;
use crate::stats::{real, share};

/// Share of the cases that have to come back with something to score.
pub const MIN_COVERAGE: f64 = 0.98;

/// How the process ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Exit {
    /// The exit code.
    pub code: u8,
    /// Why, in one line.
    pub cause: String,
}

impl Exit {
    /// A clean end.
    pub fn ok(cause: impl Into<String>) -> Self {
        Self {
            code: 0,
            cause: cause.into(),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}: {}", self.code, self.cause)
    }
}

/// Share of the cases that came back with something to score.
pub fn coverage(graded: &[Graded]) -> f64 {
    let errors = graded.iter().filter(|g| g.observed.is_error()).count();
    1.0 - share(real(errors), graded.len())
}

/// Decides the exit of a run that got as far as asking.
pub fn decide(graded: &[Graded], results: &[GateResult], allow_inconclusive: bool) -> Exit {
    let coverage = coverage(graded);
    if coverage < MIN_COVERAGE {
        let errors = graded.iter().filter(|g| g.observed.is_error()).count();
        let cause = format!(
            "{errors} of {} cases came back as an error or empty: coverage {coverage:.3} is below {MIN_COVERAGE}",
            graded.len()
        );
        return Exit { code: 5, cause };
    }
    let blocking = |verdict: Verdict| -> Vec<String> {
        let these = results.iter().filter(|r| r.blocks() && r.verdict == verdict);
        these
            .map(|r| format!("{} ({})", r.gate, r.reason.as_deref().unwrap_or("no reason")))
            .collect()
    };
    let failed = blocking(Verdict::Fail);
    if !failed.is_empty() {
        return Exit {
            code: 1,
            cause: format!("gate failed: {}", failed.join("; ")),
        };
    }
    let open = blocking(Verdict::Inconclusive);
    if !open.is_empty() && !allow_inconclusive {
        return Exit {
            code: 3,
            cause: format!("inconclusive: {}", open.join("; ")),
        };
    }
    let passed = results
        .iter()
        .filter(|r| r.blocks() && r.verdict == Verdict::Pass)
        .count();
    match (results.is_empty(), open.is_empty()) {
        (true, _) => Exit::ok("measured only, no gate was given"),
        (false, true) => Exit::ok(format!("all {passed} blocking gates passed")),
        (false, false) => Exit::ok(format!(
            "{passed} gates passed; allowed to be inconclusive: {}",
            open.join("; ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::judge::judge_all;
    use crate::gate::spec::parse_flag;
    use crate::golden::case::Kind;
    use crate::metrics::Observed;
    use crate::testing::{good_hit, graded, hit, observed, sample, span};

    fn exit_of(rows: &[Graded], gates: &[&str], allow: bool) -> Exit {
        let gates: Vec<_> = gates.iter().map(|gate| parse_flag(gate).unwrap()).collect();
        decide(rows, &judge_all(&gates, rows), allow)
    }

    /// 40 answerable cases whose evidence is at the given rank (0 = not found).
    fn ranked(rank: impl Fn(usize) -> usize) -> Vec<Graded> {
        (0..40)
            .map(|i| {
                let mut row = observed(Kind::Answerable, Observed::Answered);
                let mut answer = row.reply.answer.unwrap();
                answer.hits = (0..10)
                    .map(|at| hit("e.txt", at * 50, "something else"))
                    .collect();
                if rank(i) > 0 {
                    answer.hits.insert(rank(i) - 1, good_hit());
                }
                row.case.id = format!("case-{i}");
                graded(&row.case, &[span()], Ok(answer))
            })
            .collect()
    }

    #[test]
    fn a_broken_ranking_turns_the_gate_red() {
        let gate = ["recall_at_5=0.75"];
        assert_eq!(exit_of(&ranked(|i| i % 3 + 1), &gate, false).code, 0);
        let shuffled = exit_of(&ranked(|i| (i * 7) % 11 + 1), &gate, false);
        assert_eq!(shuffled.code, 1);
        assert!(shuffled.cause.contains("recall_at_5"), "{shuffled}");
        assert_eq!(
            exit_of(&ranked(|i| usize::from(i % 2 == 0)), &gate, false).code,
            1
        );
        assert_eq!(exit_of(&ranked(|_| 0), &gate, false).code, 1);
    }

    #[test]
    fn errors_beyond_two_percent_are_an_infrastructure_failure() {
        let mut rows: Vec<Graded> = (0..100)
            .map(|_| observed(Kind::Chitchat, Observed::Answered))
            .collect();
        rows[0] = observed(Kind::Chitchat, Observed::Error);
        rows[1] = observed(Kind::Chitchat, Observed::Empty);
        assert_eq!(exit_of(&rows, &[], false).code, 0, "98 of 100 is enough");
        rows[2] = observed(Kind::Chitchat, Observed::Error);
        let exit = exit_of(&rows, &["recall_at_5=0.9"], true);
        assert_eq!(exit.code, 5);
        assert!(exit.cause.contains("3 of 100"), "{exit}");
    }

    #[test]
    fn inconclusive_has_to_be_allowed() {
        let rows = [observed(Kind::Chitchat, Observed::Answered)];
        assert_eq!(exit_of(&rows, &["recall_at_5=0.5"], false).code, 3);
        let allowed = exit_of(&rows, &["recall_at_5=0.5"], true);
        assert_eq!(allowed.code, 0);
        assert!(allowed.cause.contains("recall_at_5"), "{allowed}");
    }

    #[test]
    fn a_warning_has_no_effect_on_the_code() {
        let rows = ranked(|_| 0);
        let mut gate = parse_flag("recall_at_5=0.9").unwrap();
        gate.severity = crate::gate::spec::Severity::Warn;
        let results = judge_all(&[gate], &rows);
        assert_eq!(results[0].verdict, Verdict::Fail);
        assert_eq!(decide(&rows, &results, false).code, 0);
    }

    #[test]
    fn nothing_asked_for_is_said() {
        let rows: Vec<Graded> = sample(5)
            .into_iter()
            .filter(|row| !row.observed.is_error())
            .collect();
        assert_eq!(
            exit_of(&rows, &[], false).cause,
            "measured only, no gate was given"
        );
    }
}
