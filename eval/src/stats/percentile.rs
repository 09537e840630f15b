//! Nearest-rank percentiles and their distribution-free bound.
//!
//! A latency sample may hold `+∞` for a call that failed: it sorts last, stays in the sample and
//! moves the percentile, so an outage can never look like a fast system.

use super::real;

/// 1-based rank of the `q` quantile by the nearest-rank rule: `⌈q·n⌉`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank between 1 and n"
)]
pub fn nearest_rank(n: usize, q: f64) -> usize {
    // The tiny step keeps 0.95 × 100 = 95.00000000000001 at rank 95.
    ((q * real(n) - 1e-9).ceil() as usize).clamp(1, n.max(1))
}

/// The `q` quantile of `values` by nearest rank; `None` when there are none.
pub fn percentile(values: &[f64], q: f64) -> Option<f64> {
    let sorted = sorted(values);
    sorted.get(nearest_rank(sorted.len(), q) - 1).copied()
}

/// 1-based rank `r` whose order statistic is an upper bound of the `q` quantile at the one-sided
/// `confidence`: the least `r` with `P(Bin(n, q) ≤ r − 1) ≥ confidence`
/// (H. A. David and H. N. Nagaraja, "Order Statistics", 3rd ed., section 7.1).
///
/// `None` when even the largest value is no such bound, for the 95th percentile below n = 59.
pub fn upper_rank(n: usize, q: f64, confidence: f64) -> Option<usize> {
    let mut log_mass = real(n) * (1.0 - q).ln();
    let mut below = 0.0;
    for rank in 1..=n {
        below += log_mass.exp();
        if below >= confidence {
            return Some(rank);
        }
        let successes = real(rank);
        log_mass += ((real(n) - successes + 1.0) / successes).ln() + (q / (1.0 - q)).ln();
    }
    None
}

/// The upper bound of the `q` quantile at one-sided 95 %.
pub fn upper_bound(values: &[f64], q: f64) -> Option<f64> {
    let rank = upper_rank(values.len(), q, 0.95)?;
    sorted(values).get(rank - 1).copied()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nearest_rank_by_hand() {
        assert_eq!(nearest_rank(412, 0.95), 392);
        assert_eq!(nearest_rank(100, 0.95), 95);
        assert_eq!(nearest_rank(20, 0.95), 19);
        assert_eq!(nearest_rank(1, 0.95), 1);
    }

    /// `scipy.stats.binom.cdf(r - 1, n, .95) >= .95`, scipy 1.16.
    #[test]
    fn upper_rank_agrees_with_scipy() {
        let reference = [
            (58, None),
            (59, Some(59)),
            (100, Some(99)),
            (412, Some(399)),
            (1_000, Some(962)),
        ];
        for (n, expected) in reference {
            assert_eq!(upper_rank(n, 0.95, 0.95), expected, "n = {n}");
        }
    }

    #[test]
    fn a_failed_call_is_slower_than_everything() {
        let mut values = vec![10.0; 18];
        values.push(f64::INFINITY);
        values.push(f64::INFINITY);
        assert_eq!(percentile(&values, 0.95), Some(f64::INFINITY));
        assert_eq!(percentile(&values, 0.5), Some(10.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    proptest! {
        #[test]
        fn bound_is_at_least_the_percentile(values in proptest::collection::vec(0.0_f64..1e6, 59..200)) {
            let point = percentile(&values, 0.95).unwrap();
            prop_assert!(upper_bound(&values, 0.95).unwrap() >= point);
        }

        #[test]
        fn order_does_not_matter(mut values in proptest::collection::vec(0.0_f64..1e6, 1..100)) {
            let before = percentile(&values, 0.95);
            values.reverse();
            prop_assert_eq!(before, percentile(&values, 0.95));
        }
    }
}
