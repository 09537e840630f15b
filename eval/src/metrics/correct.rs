//! Does the reply say what a correct reply says?

use plumbline_answer::{Answer, Outcome};
use serde::{Deserialize, Serialize};

use super::Measured;
use super::grade::Graded;
use crate::golden::case::{Case, Kind};
use crate::golden::normal::contains;
use crate::stats::real;

/// The phrase checks of one reply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phrases {
    /// Phrases of `must_include` that the reply lacks.
    pub missing: Vec<String>,
    /// Phrases of `must_not` that the reply holds.
    pub forbidden: Vec<String>,
}

/// Checks the phrases of a case in normal form, as whole words and numbers.
pub fn phrases(case: &Case, answer: &Answer) -> Phrases {
    let absent = |phrase: &&String| !contains(&answer.text, phrase);
    Phrases {
        missing: case.must_include.iter().filter(absent).cloned().collect(),
        forbidden: case
            .must_not
            .iter()
            .filter(|phrase| !absent(phrase))
            .cloned()
            .collect(),
    }
}

/// Whether the reply is correct; `None` for a case that does not say what a correct reply includes.
pub fn is_correct(case: &Case, answer: Option<&Answer>, phrases: &Phrases) -> Option<bool> {
    if case.kind != Kind::Answerable || case.must_include.is_empty() {
        return None;
    }
    let answered = answer.is_some_and(|answer| answer.outcome == Outcome::Answered);
    Some(answered && phrases.missing.is_empty() && phrases.forbidden.is_empty())
}

/// Share of the answerable cases with `must_include` that were answered with all of it and nothing
/// of `must_not`.
pub fn answer_correct(graded: &[&Graded]) -> Measured {
    let cases: Vec<&&Graded> = graded.iter().filter(|g| correct(g).is_some()).collect();
    let k = cases.iter().filter(|g| correct(g) == Some(true)).count();
    let errors = cases.iter().filter(|g| g.observed.is_error()).count();
    Measured::success(real(k), cases.len(), errors)
}

/// Whether a case that says what a correct reply includes got one.
pub fn correct(graded: &Graded) -> Option<bool> {
    let says = graded.case.kind == Kind::Answerable && !graded.case.must_include.is_empty();
    says.then_some(graded.correct == Some(true))
}

/// Share of the cases with `must_not` whose reply holds some of it, whatever its outcome; errors
/// count, since nobody knows what would have been said.
pub fn forbidden_content(graded: &[&Graded]) -> Measured {
    let cases: Vec<&&Graded> = graded.iter().filter(|g| nothing_forbidden(g).is_some()).collect();
    let errors = cases.iter().filter(|g| g.observed.is_error()).count();
    let k = cases
        .iter()
        .filter(|g| nothing_forbidden(g) == Some(false))
        .count();
    Measured::failure(real(k), cases.len(), errors)
}

/// Whether a case with `must_not` got a reply without any of it.
pub fn nothing_forbidden(graded: &Graded) -> Option<bool> {
    let clean = !graded.observed.is_error() && graded.phrases.forbidden.is_empty();
    (!graded.case.must_not.is_empty()).then_some(clean)
}
