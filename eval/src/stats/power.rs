//! What a golden set of this size can see at all.
//!
//! A gate that cannot fail is no gate, and with few cases a test cannot fail. So before a run says anything, it says what it
//! could say: the drop that the test of [`super::mcnemar`] finds four times out of five, and how many failures still prove a
//! bound.

use super::{mcnemar, real, wilson};

/// Share of the cases that are assumed to be fixed by the very change that breaks others, since few changes only break. An
/// assumption, and printed with every figure that rests on it: the larger it is, the harder a drop is to see.
pub const ALSO_FIXED: f64 = 0.02;

/// Probability that the one-sided exact McNemar test at `alpha` finds a drop, when each of `n` cases breaks with probability
/// `broke` and is fixed with probability `fixed`. Exact: summed over the number of changed cases and of broken ones.
pub fn power(n: usize, broke: f64, fixed: f64, alpha: f64) -> f64 {
    let changes = broke + fixed;
    if n == 0 || changes <= 0.0 {
        return 0.0;
    }
    let binomial = Binomial::up_to(n);
    let detects = |changed: usize| match mcnemar::critical(changed, alpha) {
        Some(least) => binomial.upper_tail(least, changed, broke / changes),
        None => 0.0,
    };
    (0..=n)
        .map(|changed| (changed, binomial.mass(changed, n, changes)))
        .filter(|&(_, mass)| mass > 1e-12)
        .map(|(changed, mass)| mass * detects(changed))
        .sum()
}

/// The least drop that is found with probability `wanted`, to a tenth of a percentage point; `None` when not even a drop of
/// everything is.
pub fn detectable_drop(n: usize, alpha: f64, wanted: f64) -> Option<f64> {
    let found = |thousandths: usize| {
        let drop = real(thousandths) / 1_000.0;
        let fixed = ALSO_FIXED.min((1.0 - drop) / 2.0);
        power(n, drop + fixed, fixed, alpha) >= wanted
    };
    let (mut missed, mut seen) = (0, 1_000);
    if !found(seen) {
        return None;
    }
    while seen - missed > 1 {
        let middle = usize::midpoint(missed, seen);
        if found(middle) {
            seen = middle;
        } else {
            missed = middle;
        }
    }
    Some(real(seen) / 1_000.0)
}

/// The most failures in `n` whose one-sided 95 % Wilson bound still meets `limit`; `None` when not even none does.
pub fn failures_allowed(n: usize, limit: f64) -> Option<usize> {
    (0..=n).take_while(|&k| wilson::upper(real(k), n) <= limit).last()
}

/// The least `n` in which no failure proves `limit`: from z²/(n + z²) ≤ limit. `None` for a limit of 0, which nothing proves.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number far below 2^53"
)]
pub fn clean_needed(limit: f64) -> Option<usize> {
    let z2 = wilson::Z95 * wilson::Z95;
    (limit > 0.0).then(|| ((z2 * (1.0 - limit) / limit - 1e-9).ceil() as usize).max(1))
}

/// Binomial probabilities, with the logarithms of the factorials they need.
struct Binomial {
    log_factorial: Vec<f64>,
}

impl Binomial {
    fn up_to(n: usize) -> Self {
        let sum = |sum: &mut f64, i: usize| {
            *sum += real(i.max(1)).ln();
            Some(*sum)
        };
        Self {
            log_factorial: (0..=n).scan(0.0, sum).collect(),
        }
    }

    /// `P(X = k)` for `X ~ Bin(n, p)`.
    fn mass(&self, k: usize, n: usize, p: f64) -> f64 {
        let choose = self.log_factorial[n] - self.log_factorial[k] - self.log_factorial[n - k];
        // 0·ln 0 is 0 here: what cannot happen did not happen.
        let log = |count: usize, p: f64| if count == 0 { 0.0 } else { real(count) * p.ln() };
        (choose + log(k, p) + log(n - k, 1.0 - p)).exp()
    }

    /// `P(X ≥ k)` for `X ~ Bin(n, p)`.
    fn upper_tail(&self, k: usize, n: usize, p: f64) -> f64 {
        (k..=n).map(|i| self.mass(i, n, p)).sum::<f64>().min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// ```python
    /// from scipy.stats import binom                # scipy 1.17
    /// import numpy as np
    /// def power(n, broke, fixed, alpha):
    ///     total = 0
    ///     for d in range(n + 1):
    ///         b = np.arange(d + 1)
    ///         ok = b[binom.sf(b - 1, d, .5) <= alpha]
    ///         if len(ok):
    ///             total += binom.pmf(d, n, broke + fixed) * binom.sf(ok[0] - 1, d, broke / (broke + fixed))
    ///     return total
    /// ```
    #[test]
    fn power_agrees_with_scipy() {
        let reference = [
            (412, 0.05, 0.02, 0.05, 0.703_216_038_577_8),
            (412, 0.04, 0.01, 0.05, 0.842_934_061_967_8),
            (100, 0.07, 0.02, 0.05, 0.371_289_894_652_0),
            (60, 0.25, 0.02, 0.05, 0.980_998_522_606_8),
            (600, 0.05, 0.02, 0.05 / 6.0, 0.614_705_844_986_9),
        ];
        for (n, broke, fixed, alpha, expected) in reference {
            let ours = power(n, broke, fixed, alpha);
            assert!(
                (ours - expected).abs() < 1e-9,
                "{n} {broke} {fixed} {alpha}: {ours}"
            );
        }
    }

    #[test]
    fn small_sets_see_only_large_drops() {
        let at = |n| detectable_drop(n, 0.05, 0.8);
        assert!(
            at(412).unwrap() < 0.045 && at(100).unwrap() > 0.08,
            "{:?} {:?}",
            at(412),
            at(100)
        );
        assert_eq!(at(4), None, "four cases cannot be significant");
        assert!(power(412, at(412).unwrap() + 0.02, 0.02, 0.05) >= 0.8);
    }

    /// By `statsmodels.stats.proportion.proportion_confint(k, n, alpha=0.10, method="wilson")`.
    #[test]
    fn two_percent_proven() {
        assert_eq!(failures_allowed(412, 0.02), Some(3));
        assert_eq!(failures_allowed(200, 0.02), Some(0));
        assert_eq!(failures_allowed(132, 0.02), None);
        assert_eq!(clean_needed(0.02), Some(133));
        assert_eq!(clean_needed(0.0), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn more_cases_see_no_less(n in 20_usize..150) {
            let (few, many) = (detectable_drop(n, 0.05, 0.8), detectable_drop(2 * n, 0.05, 0.8));
            prop_assert!(many.unwrap() <= few.unwrap_or(1.0));
        }

        #[test]
        fn a_clean_sample_of_the_needed_size_is_the_smallest(limit in 0.005_f64..0.5) {
            let n = clean_needed(limit).unwrap();
            prop_assert!(failures_allowed(n, limit).is_some());
            prop_assert!(n == 1 || failures_allowed(n - 1, limit).is_none());
        }
    }
}
