//! How often does a reply say what its evidence does not? (definition row 8)
//!
//! The unit is the answered reply. The screen of [`super::claims`], the phrases that a case
//! forbids, and citations that do not resolve each *flag* a reply. A flagged reply counts as a
//! hallucination until a person has judged it; a verdict holds for exactly that answer with exactly
//! that evidence. `ok` clears a reply, `hallucinated` convicts it, also when nothing flagged it,
//! `benign-extra` does what the policy of the set says, and `bad-gold` leaves it undecided until the
//! case is mended.
//!
//! **The rate.** Let N be the answered replies plus the errors and empty replies. They fall into the
//! flagged ones F, each of which needs a verdict, and the others U, of which a random sample S does.
//! With h the hallucinations found,
//!
//! ```text
//! rate = (h_F + N_U · h_S / n_S) / N
//! W⁺   = (N_F · W⁺(h_F, N_F) + N_U · W⁺(h_S, n_S)) / N      each at α/2 (Bonferroni)
//! ```
//!
//! When every reply has a verdict nothing is sampled any more, and the bound is the plain W⁺(h, N) at
//! α. The sample is the head of an order that the ids decide ([`sample_rank`]): nobody can choose whom
//! to judge, and a verdict stays useful from run to run. A hallucination that was found beyond the
//! head counts with the flagged replies.
//!
//! **Rule of the gate.** In the worst case every flagged reply without a verdict (or with bad gold, an
//! error, empty) is a hallucination and the sample is what it is; in the best case everything without
//! a verdict is fine. The gate passes when the worst case passes, fails when the best case fails, and
//! is inconclusive otherwise. An error is thus never called a hallucination and still can never turn a
//! red gate green. A gate on the bound is inconclusive, too, when the verdicts themselves cannot be
//! relied on: too few were given twice, or the two people do not agree (see [`super::agreement`]).
//!
//! A gate on the point takes unflagged replies that nobody judged for clean, since the screen is all
//! there is; only a gate on the bound asks for people.

use serde::{Deserialize, Serialize};

use super::grade::{Graded, Observed};
use super::{Estimate, Measured, agreement};
use crate::golden::verdict::{Policy, Verdict};
use crate::stats::random::seed_of;
use crate::stats::wilson::{self, Z975};
use crate::stats::{real, share};

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
pub fn standing(observed: Observed, flagged: bool, verdict: Option<Verdict>, policy: Policy) -> Standing {
    match (observed, verdict) {
        (Observed::Error | Observed::Empty, _) | (Observed::Answered, Some(Verdict::BadGold)) => {
            Standing::Undecided
        }
        (Observed::Abstained | Observed::HandedOff, _) => Standing::NotApplicable,
        (Observed::Answered, Some(Verdict::Hallucinated)) => Standing::Convicted,
        (Observed::Answered, Some(Verdict::BenignExtra)) if policy.benign_extra_counts => Standing::Convicted,
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

/// Place of a case in the order in which unflagged replies are sampled.
pub fn sample_rank(case: &str) -> u64 {
    seed_of(&format!("sample of unflagged replies: {case}"))
}

/// The two strata with what is known of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Strata {
    /// `N_F`: flagged, undecided, or found out beyond the sample.
    pub flagged: usize,
    /// `h_F`.
    pub flagged_bad: usize,
    /// Those of `N_F` that nobody knows about.
    pub open: usize,
    /// `N_U`.
    pub unflagged: usize,
    /// `n_S`.
    pub sampled: usize,
    /// `h_S`.
    pub sampled_bad: usize,
}

impl Strata {
    /// Sorts the replies into the strata.
    pub fn of(graded: &[&Graded]) -> Self {
        let mut strata = Self::default();
        let mut unflagged: Vec<&Graded> = Vec::new();
        for &reply in graded {
            match (reply.standing, reply.flagged) {
                (Standing::NotApplicable, _) => {}
                (Standing::Undecided, _) => {
                    strata.flagged += 1;
                    strata.open += 1;
                }
                (Standing::Convicted, true) => {
                    strata.flagged += 1;
                    strata.flagged_bad += 1;
                }
                (_, true) => strata.flagged += 1,
                (_, false) => unflagged.push(reply),
            }
        }
        unflagged.sort_by_key(|reply| (sample_rank(&reply.case.id), reply.case.id.clone()));
        let judged = |reply: &&&Graded| matches!(reply.standing, Standing::Cleared | Standing::Convicted);
        let convicted = |reply: &&&Graded| reply.standing == Standing::Convicted;
        strata.sampled = unflagged.iter().take_while(judged).count();
        let (sample, beyond) = unflagged.split_at(strata.sampled);
        strata.sampled_bad = sample.iter().filter(convicted).count();
        let found_out = beyond.iter().filter(convicted).count();
        strata.flagged += found_out;
        strata.flagged_bad += found_out;
        strata.unflagged = unflagged.len() - found_out;
        strata
    }

    /// N.
    pub fn n(self) -> usize {
        self.flagged + self.unflagged
    }

    /// Whether every reply has a verdict.
    pub fn complete(self) -> bool {
        self.open == 0 && self.sampled == self.unflagged
    }

    /// The rate with its bounds, every open reply counted as `open_bad` says.
    pub fn estimate(self, open_bad: bool) -> Estimate {
        let bad = self.flagged_bad + if open_bad { self.open } else { 0 };
        let n = self.n();
        if self.sampled == self.unflagged {
            return Estimate::share(real(bad + self.sampled_bad), n);
        }
        let parts = [
            (real(self.flagged), bad, self.flagged),
            (real(self.unflagged), self.sampled_bad, self.sampled),
        ];
        let total = |of: &dyn Fn(f64, usize) -> f64| -> f64 {
            parts.iter().map(|&(weight, k, n)| weight * of(real(k), n)).sum()
        };
        let k = total(&share);
        Estimate {
            k,
            n,
            point: share(k, n),
            lower: share(total(&|k, n| wilson::bounds_at(k, n, Z975).0), n),
            upper: share(total(&|k, n| wilson::bounds_at(k, n, Z975).1), n),
        }
    }

    /// The same replies when everything without a verdict turns out fine.
    #[must_use]
    pub fn at_best(self) -> Self {
        Self {
            sampled: self.unflagged,
            open: 0,
            ..self
        }
    }

    /// Unflagged replies that have to be judged before the bound can reach `limit`, if nothing more is found: all of them up to
    /// `ALL` replies, or when no smaller sample does.
    pub fn sample_needed(self, limit: f64) -> usize {
        /// Below this many replies all are judged: a sample would save little and widen the bound.
        const ALL: usize = 400;
        if self.n() <= ALL {
            return self.unflagged;
        }
        let enough = |sampled: usize| {
            let judged = Self {
                sampled,
                open: 0,
                ..self
            };
            judged.estimate(false).upper <= limit
        };
        (self.sampled..self.unflagged)
            .find(|&sampled| enough(sampled))
            .unwrap_or(self.unflagged)
    }
}

/// The rate with its worst and best case.
pub fn rate(graded: &[&Graded]) -> Measured {
    let strata = Strata::of(graded);
    let errors = graded.iter().filter(|g| g.observed.is_error()).count();
    let value = strata.estimate(true);
    let flawless = Some(Estimate::share(0.0, value.n));
    let best = strata.at_best().estimate(false);
    Measured {
        best: (!strata.complete()).then_some(best),
        undecided: strata.open,
        unsampled: strata.unflagged - strata.sampled,
        flawless,
        unproven: agreement::objection(graded),
        ..Measured::plain(value, errors)
    }
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
    use proptest::prelude::*;

    fn stands(observed: Observed, flagged: bool, verdict: Option<Verdict>) -> Standing {
        standing(observed, flagged, verdict, Policy::default())
    }

    #[test]
    fn verdicts_decide_and_their_absence_does_not() {
        use Observed::{Abstained, Answered, Empty};
        assert_eq!(stands(Answered, true, None), Standing::Undecided);
        assert_eq!(stands(Answered, true, Some(Verdict::Ok)), Standing::Cleared);
        assert_eq!(
            stands(Answered, true, Some(Verdict::BenignExtra)),
            Standing::Cleared
        );
        assert_eq!(
            stands(Answered, false, Some(Verdict::Hallucinated)),
            Standing::Convicted
        );
        assert_eq!(
            stands(Answered, false, Some(Verdict::BadGold)),
            Standing::Undecided
        );
        assert_eq!(stands(Answered, false, None), Standing::Unflagged);
        assert_eq!(stands(Abstained, true, None), Standing::NotApplicable);
        assert_eq!(stands(Empty, false, None), Standing::Undecided);
        let strict = Policy {
            benign_extra_counts: true,
            ..Policy::default()
        };
        assert_eq!(
            standing(Answered, true, Some(Verdict::BenignExtra), strict),
            Standing::Convicted
        );
    }

    /// `n` answered replies: the first of the given number flagged and cleared, the rest unflagged; of the latter the first in
    /// the order of the sample have a verdict.
    fn replies(flagged: usize, unflagged: usize, sampled: usize, sampled_bad: usize) -> Vec<Graded> {
        let mut all: Vec<Graded> = (0..flagged + unflagged)
            .map(|i| {
                let mut row = observed(Kind::Answerable, Observed::Answered);
                row.case.id = format!("case-{i:04}");
                row.flagged = i < flagged;
                if row.flagged {
                    row.standing = Standing::Cleared;
                }
                row
            })
            .collect();
        let mut order: Vec<usize> = (flagged..all.len()).collect();
        order.sort_by_key(|&i| sample_rank(&all[i].case.id));
        for (place, &i) in order.iter().take(sampled).enumerate() {
            all[i].standing = if place < sampled_bad {
                Standing::Convicted
            } else {
                Standing::Cleared
            };
        }
        all
    }

    fn of(rows: &[Graded]) -> Measured {
        rate(&rows.iter().collect::<Vec<_>>())
    }

    /// ```python
    /// from statsmodels.stats.proportion import proportion_confint as w     # statsmodels 0.15
    /// up = lambda k, n: w(k, n, alpha=0.05, method="wilson")[1]            # one-sided at α/2 = 0.025
    /// (20 * up(0, 20) + 480 * up(1, 200)) / 500, (0 + 480 * 1 / 200) / 500
    /// ```
    #[test]
    fn the_stratified_bound_agrees_with_statsmodels() {
        let measured = of(&replies(20, 480, 200, 1));
        assert!((measured.value.point - 0.004_8).abs() < 1e-12);
        assert!(
            (measured.value.upper - 0.033_107_762_544).abs() < 1e-9,
            "{measured:?}"
        );
        assert_eq!((measured.undecided, measured.unsampled), (0, 280));
    }

    #[test]
    fn without_a_sample_nothing_is_proven() {
        let measured = of(&replies(0, 300, 0, 0));
        assert!(measured.value.point.abs() < 1e-12 && (measured.value.upper - 1.0).abs() < 1e-12);
        assert!(measured.best.is_some_and(|best| best.upper < 0.01));
    }

    #[test]
    fn with_every_verdict_the_bound_is_the_plain_one() {
        let measured = of(&replies(12, 400, 400, 3));
        assert!((measured.value.upper - wilson::upper(3.0, 412)).abs() < 1e-12);
        assert_eq!(measured.best, None);
    }

    #[test]
    fn only_the_head_of_the_order_is_a_sample() {
        let mut rows = replies(0, 100, 0, 0);
        rows.sort_by_key(|row| sample_rank(&row.case.id));
        // Somebody judged the comfortable ones and one bad one, none of them first in order.
        for row in &mut rows[1..60] {
            row.standing = Standing::Cleared;
        }
        rows[70].standing = Standing::Convicted;
        let strata = Strata::of(&rows.iter().collect::<Vec<_>>());
        assert_eq!(
            (
                strata.sampled,
                strata.flagged,
                strata.flagged_bad,
                strata.unflagged
            ),
            (0, 1, 1, 99)
        );
        rows[0].standing = Standing::Cleared;
        assert_eq!(Strata::of(&rows.iter().collect::<Vec<_>>()).sampled, 60);
    }

    /// Of 1,000 clean replies with 10 flagged ones, a sample is enough for 2 %.
    #[test]
    fn the_sample_is_as_large_as_the_gate_needs() {
        let strata = |n: usize| Strata {
            flagged: 10,
            unflagged: n - 10,
            ..Strata::default()
        };
        assert_eq!(strata(400).sample_needed(0.02), 390);
        let needed = strata(1_000).sample_needed(0.02);
        assert!((188..260).contains(&needed), "{needed}");
        let judged = |sampled| Strata {
            sampled,
            ..strata(1_000)
        };
        assert!(
            judged(needed).estimate(false).upper <= 0.02 && judged(needed - 1).estimate(false).upper > 0.02
        );
        assert_eq!(strata(1_000).sample_needed(0.000_1), 990, "nothing less would do");
    }

    #[test]
    fn worst_and_best_case_by_hand() {
        let mut cases: Vec<Graded> = (0..10)
            .map(|_| observed(Kind::Answerable, Observed::Answered))
            .collect();
        cases[0].standing = Standing::Convicted;
        cases[1].standing = Standing::Undecided;
        cases[2].standing = Standing::Cleared;
        for case in &mut cases[..3] {
            case.flagged = true;
        }
        cases.push(observed(Kind::Unanswerable, Observed::Abstained));
        cases.push(observed(Kind::Answerable, Observed::Error));
        let measured = of(&cases);
        assert_eq!((measured.value.k, measured.value.n), (3.0, 11));
        assert_eq!(measured.best.map(|best| best.k), Some(1.0));
        assert_eq!((measured.undecided, measured.errors), (2, 1));
    }

    proptest! {
        /// A verdict against a reply never helps, one for it never hurts.
        #[test]
        fn verdicts_move_the_bound_the_right_way(flagged in 0_usize..20, unflagged in 1_usize..60, sampled in 0_usize..60, bad in 0_usize..5) {
            let sampled = sampled.min(unflagged - 1);
            let before = of(&replies(flagged, unflagged, sampled, bad.min(sampled))).value;
            let more = of(&replies(flagged, unflagged, sampled + 1, bad.min(sampled))).value;
            let worse = of(&replies(flagged, unflagged, sampled + 1, bad.min(sampled) + 1)).value;
            prop_assert!(more.upper <= before.upper + 1e-12);
            prop_assert!(worse.point >= more.point - 1e-12 && worse.upper >= more.upper - 1e-12);
            prop_assert!(before.lower <= before.point + 1e-12 && before.point <= before.upper + 1e-12);
        }
    }
}
