//! The exact one-sided test of McNemar for paired outcomes (Q. McNemar, Psychometrika 12, 1947): did more cases break than a
//! coin would have broken?
//!
//! Only the cases whose outcome changed say anything. If nothing became worse, each of them broke or was fixed with
//! probability ½, so that the number that broke is binomial, and
//!
//! ```text
//! p = P(X ≥ broke),  X ~ Bin(broke + fixed, ½)
//! ```
//!
//! The exact tail, not the mid-p variant: a gate had rather be a little too quiet than stop a tenth of all deployments.

use super::real;

/// Probability of at least `broke` broken cases among `broke + fixed` changed ones, when nothing became worse.
pub fn p_worse(broke: usize, fixed: usize) -> f64 {
    upper_tail(broke, broke + fixed)
}

/// `P(X ≥ k)` for `X ~ Bin(n, ½)`.
pub fn upper_tail(k: usize, n: usize) -> f64 {
    if k == 0 {
        return 1.0;
    }
    // Summed from the rarest outcome on, in logarithms, so that neither rounding nor underflow hurts.
    let mut log_mass = -real(n) * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for successes in (k..=n).rev() {
        tail += log_mass.exp();
        log_mass += (real(successes) / real(n - successes + 1)).ln();
    }
    f64::min(tail, 1.0)
}

/// The least number of broken cases among `changed` ones that is significant at `alpha`; `None` when not even all of them are.
pub fn critical(changed: usize, alpha: f64) -> Option<usize> {
    let mut least = None;
    let mut log_mass = -real(changed) * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for successes in (0..=changed).rev() {
        tail += log_mass.exp();
        if tail > alpha {
            return least;
        }
        least = Some(successes);
        log_mass += (real(successes) / real(changed - successes + 1)).ln();
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// ```python
    /// from scipy.stats import binomtest            # scipy 1.17
    /// binomtest(broke, broke + fixed, 0.5, alternative="greater").pvalue
    /// # and statsmodels.stats.contingency_tables.mcnemar([[0, broke], [fixed, 0]], exact=True).pvalue, which is two-sided:
    /// # twice the smaller tail. statsmodels 0.15
    /// ```
    const REFERENCE: &[(usize, usize, f64, f64)] = &[
        (0, 0, 1.0, 1.0),
        (1, 0, 0.5, 1.0),
        (5, 0, 0.031_25, 0.062_5),
        (4, 1, 0.187_5, 0.375),
        (8, 2, 0.054_687_5, 0.109_375),
        (15, 4, 0.009_605_407_714_843_75, 0.019_210_815_429_687_5),
        (20, 20, 0.562_685_343_809_789_6, 1.0),
        (3, 9, 0.980_712_890_625, 0.145_996_093_75),
        (30, 12, 0.003_957_948_667_448_363, 0.007_915_897_334_896_727),
        (120, 80, 0.002_842_577_998_375_153, 0.005_685_155_996_750_306),
    ];

    #[test]
    fn tails_agree_with_scipy() {
        for &(broke, fixed, greater, _) in REFERENCE {
            let p = p_worse(broke, fixed);
            assert!(
                (p - greater).abs() <= 1e-12 * greater.max(1e-3),
                "{broke}/{fixed}: {p}"
            );
        }
    }

    #[test]
    fn twice_the_smaller_tail_is_the_two_sided_test_of_statsmodels() {
        for &(broke, fixed, _, two_sided) in REFERENCE {
            let p = f64::min(1.0, 2.0 * p_worse(broke.max(fixed), broke.min(fixed)));
            assert!((p - two_sided).abs() < 1e-12, "{broke}/{fixed}: {p}");
        }
    }

    #[test]
    fn nothing_changed_is_no_evidence() {
        assert!((p_worse(0, 0) - 1.0).abs() < 1e-12);
        assert!((p_worse(0, 30) - 1.0).abs() < 1e-12);
        assert_eq!(critical(4, 0.05), None, "4 of 4 has p = 0.0625");
        assert_eq!(critical(5, 0.05), Some(5));
    }

    proptest! {
        #[test]
        fn more_broken_cases_are_stronger_evidence(broke in 0_usize..300, fixed in 0_usize..300) {
            prop_assert!(p_worse(broke + 1, fixed) <= p_worse(broke, fixed) + 1e-9);
            prop_assert!(p_worse(broke, fixed + 1) >= p_worse(broke, fixed) - 1e-9);
        }

        #[test]
        fn both_tails_meet_in_the_middle(broke in 0_usize..300, fixed in 0_usize..300) {
            let n = broke + fixed;
            // P(X ≥ broke) + P(X ≥ fixed + 1) = 1 by symmetry.
            let other = if fixed + 1 > n { 0.0 } else { upper_tail(fixed + 1, n) };
            prop_assert!((p_worse(broke, fixed) + other - 1.0).abs() < 1e-9);
        }

        #[test]
        fn the_critical_count_is_the_least_significant_one(changed in 1_usize..200, alpha in 0.001_f64..0.2) {
            match critical(changed, alpha) {
                None => prop_assert!(upper_tail(changed, changed) > alpha),
                Some(k) => {
                    prop_assert!(upper_tail(k, changed) <= alpha + 1e-12);
                    prop_assert!(k == 0 || upper_tail(k - 1, changed) > alpha - 1e-12);
                }
            }
        }
    }
}
