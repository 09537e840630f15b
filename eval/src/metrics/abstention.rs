//! Did it stay silent when it should, and only then? (definition row 7)
//!
//! The outcome is read from the answer's structured field, never from phrases. Two rates keep each
//! other honest: refusing everything makes the first perfect and the second terrible.
//!
//! A handoff counts as not answering: the customer was given no invention (good on an unanswerable
//! question) and no answer (bad on an answerable one). An error or an empty reply is neither; it
//! scores worst in both.

use serde::{Deserialize, Serialize};

use super::Measured;
use super::grade::{Graded, Observed};
use crate::golden::case::Kind;
use crate::stats::real;

/// Counts of outcomes for one kind of case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OutcomeRow {
    /// Kind of case.
    pub kind: Kind,
    /// Cases of that kind.
    pub n: usize,
    /// Counts in the order of [`Observed::ALL`].
    pub outcomes: Vec<usize>,
}

/// Outcomes by kind.
pub fn matrix(graded: &[&Graded]) -> Vec<OutcomeRow> {
    let row = |kind: Kind| {
        let of_kind: Vec<Observed> = graded
            .iter()
            .filter(|g| g.case.kind == kind)
            .map(|g| g.observed)
            .collect();
        let count = |observed: &Observed| of_kind.iter().filter(|o| *o == observed).count();
        OutcomeRow {
            kind,
            n: of_kind.len(),
            outcomes: Observed::ALL.iter().map(count).collect(),
        }
    };
    Kind::ALL.into_iter().map(row).collect()
}

/// Share of the unanswerable cases that were not answered.
pub fn correct_abstention(graded: &[&Graded]) -> Measured {
    let (k, n, errors) = count(graded, rightly_silent);
    Measured::success(real(k), n, errors)
}

/// Share of the answerable cases that were not answered; errors count as not answered.
pub fn false_abstention(graded: &[&Graded]) -> Measured {
    let (k, n, errors) = count(graded, rightly_answered);
    Measured::failure(real(n - k), n, errors)
}

/// Whether an unanswerable case was not answered; `None` for other kinds.
pub fn rightly_silent(graded: &Graded) -> Option<bool> {
    let silent = matches!(graded.observed, Observed::Abstained | Observed::HandedOff);
    (graded.case.kind == Kind::Unanswerable).then_some(silent)
}

/// Whether an answerable case was answered; `None` for other kinds.
pub fn rightly_answered(graded: &Graded) -> Option<bool> {
    (graded.case.kind == Kind::Answerable).then_some(graded.observed == Observed::Answered)
}

/// Good cases, cases that count, errors among them.
fn count(graded: &[&Graded], good: fn(&Graded) -> Option<bool>) -> (usize, usize, usize) {
    let judged: Vec<(bool, bool)> = graded
        .iter()
        .filter_map(|g| Some((good(g)?, g.observed.is_error())))
        .collect();
    let k = judged.iter().filter(|(good, _)| *good).count();
    let errors = judged.iter().filter(|(_, error)| *error).count();
    (k, judged.len(), errors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::observed;

    #[test]
    fn both_rates_by_hand() {
        let cases = [
            observed(Kind::Unanswerable, Observed::Abstained),
            observed(Kind::Unanswerable, Observed::HandedOff),
            observed(Kind::Unanswerable, Observed::Answered),
            observed(Kind::Unanswerable, Observed::Empty),
            observed(Kind::Answerable, Observed::Answered),
            observed(Kind::Answerable, Observed::Abstained),
            observed(Kind::Answerable, Observed::Error),
        ];
        let all: Vec<&Graded> = cases.iter().collect();
        let correct = correct_abstention(&all);
        assert_eq!((correct.value.k, correct.value.n, correct.errors), (2.0, 4, 1));
        let wrong = false_abstention(&all);
        assert_eq!((wrong.value.k, wrong.value.n, wrong.errors), (2.0, 3, 1));
        assert_eq!(matrix(&all)[1].outcomes, [1, 1, 1, 1, 0]);
    }

    #[test]
    fn refusing_everything_shows_in_the_other_rate() {
        let cases = [
            observed(Kind::Unanswerable, Observed::Abstained),
            observed(Kind::Answerable, Observed::Abstained),
        ];
        let all: Vec<&Graded> = cases.iter().collect();
        assert!((correct_abstention(&all).value.point - 1.0).abs() < 1e-12);
        assert!((false_abstention(&all).value.point - 1.0).abs() < 1e-12);
    }
}
