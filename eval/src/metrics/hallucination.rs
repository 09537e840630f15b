//! How often does a reply say what its evidence does not? (definition row 8)
//!
//! The unit is the answered reply. The screen of [`super::claims`], the phrases that a case
//! forbids, and citations that do not resolve each *flag* a reply. A flagged reply counts as a
//! hallucination until a person has judged it; a verdict holds for exactly that answer with exactly
//! that evidence. `ok` and `benign-extra` clear a reply, `hallucinated` convicts it, also when
//! nothing flagged it, and `bad-gold` leaves it undecided until the case is mended.
//!
//! **Rule of the gate.** Let N be the answered replies plus the errors and empty replies. In the
//! worst case every undecided reply (flagged without a verdict, bad gold, error, empty) is a
//! hallucination; in the best case none is. The gate passes when the worst case passes, fails when
//! the best case fails, and is inconclusive otherwise. An error is thus never called a
//! hallucination and still can never turn a red gate green.
//!
//! Replies that nothing flagged and nobody judged count as clean; their number is reported, since
//! the screen does not see everything.

use serde::{Deserialize, Serialize};

use super::grade::{Graded, Observed};
use super::{Estimate, Measured};
use crate::golden::verdict::Verdict;
use crate::stats::real;

/// What is known about one reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not an answered reply.
    NotApplicable,
    /// Nothing flagged it, nobody judged it.
    Unflagged,
    /// A person found it supported or harmless.
    Cleared,
    /// A person found it unsupported.
    Convicted,
    /// Flagged without a verdict, or its case is wrong, or the reply is an error or empty.
    Undecided,
}

/// The standing of one reply.
pub fn standing(observed: Observed, flagged: bool, verdict: Option<Verdict>) -> Standing {
    match (observed, verdict) {
        (Observed::Error | Observed::Empty, _) | (Observed::Answered, Some(Verdict::BadGold)) => {
            Standing::Undecided
        }
        (Observed::Abstained | Observed::HandedOff, _) => Standing::NotApplicable,
        (Observed::Answered, Some(Verdict::Hallucinated)) => Standing::Convicted,
        (Observed::Answered, Some(Verdict::Ok | Verdict::BenignExtra)) => Standing::Cleared,
        (Observed::Answered, None) if flagged => Standing::Undecided,
        (Observed::Answered, None) => Standing::Unflagged,
    }
}

/// Counts behind the rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Tally {
    /// Replies nothing flagged and nobody judged.
    pub unflagged: usize,
    /// Replies a person cleared.
    pub cleared: usize,
    /// Replies a person convicted.
    pub convicted: usize,
    /// Replies nobody knows about.
    pub undecided: usize,
}

impl Tally {
    /// Counts the standings.
    pub fn of(graded: &[&Graded]) -> Self {
        let mut tally = Self::default();
        for reply in graded {
            match reply.standing {
                Standing::NotApplicable => {}
                Standing::Unflagged => tally.unflagged += 1,
                Standing::Cleared => tally.cleared += 1,
                Standing::Convicted => tally.convicted += 1,
                Standing::Undecided => tally.undecided += 1,
            }
        }
        tally
    }
}

/// The rate with its worst and best case.
pub fn rate(graded: &[&Graded]) -> Measured {
    let Tally {
        unflagged,
        cleared,
        convicted,
        undecided,
    } = Tally::of(graded);
    let n = unflagged + cleared + convicted + undecided;
    let errors = graded.iter().filter(|g| g.observed.is_error()).count();
    let mut measured = Measured::failure(real(convicted + undecided), n, errors);
    measured.undecided = undecided;
    measured.best = (undecided > 0).then(|| Estimate::share(real(convicted), n));
    measured
}

/// Whether the customer was told no invention, as far as is known: a reply that nobody answered told none, and one that is
/// undecided counts as told.
pub fn nothing_invented(graded: &Graded) -> Option<bool> {
    Some(!matches!(
        graded.standing,
        Standing::Convicted | Standing::Undecided
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::case::Kind;
    use crate::testing::observed;

    #[test]
    fn verdicts_decide_and_their_absence_does_not() {
        use Observed::{Abstained, Answered, Empty};
        assert_eq!(standing(Answered, true, None), Standing::Undecided);
        assert_eq!(standing(Answered, true, Some(Verdict::Ok)), Standing::Cleared);
        assert_eq!(
            standing(Answered, true, Some(Verdict::BenignExtra)),
            Standing::Cleared
        );
        assert_eq!(
            standing(Answered, false, Some(Verdict::Hallucinated)),
            Standing::Convicted
        );
        assert_eq!(
            standing(Answered, false, Some(Verdict::BadGold)),
            Standing::Undecided
        );
        assert_eq!(standing(Answered, false, None), Standing::Unflagged);
        assert_eq!(standing(Abstained, true, None), Standing::NotApplicable);
        assert_eq!(standing(Empty, false, None), Standing::Undecided);
    }

    #[test]
    fn worst_and_best_case_by_hand() {
        let mut cases: Vec<Graded> = (0..10)
            .map(|_| observed(Kind::Answerable, Observed::Answered))
            .collect();
        cases[0].standing = Standing::Convicted;
        cases[1].standing = Standing::Undecided;
        cases[2].standing = Standing::Cleared;
        cases.push(observed(Kind::Unanswerable, Observed::Abstained));
        cases.push(observed(Kind::Answerable, Observed::Error));
        let measured = rate(&cases.iter().collect::<Vec<_>>());
        assert_eq!((measured.value.k, measured.value.n), (3.0, 11));
        assert_eq!(measured.best.map(|best| best.k), Some(1.0));
        assert_eq!((measured.undecided, measured.errors), (2, 1));
    }
}
