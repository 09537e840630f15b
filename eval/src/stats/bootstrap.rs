//! The paired bootstrap over clusters (B. Efron, Annals of Statistics 7, 1979; whole clusters are drawn, as in A. C. Davison and
//! D. V. Hinkley, "Bootstrap Methods and their Application", section 3.8).
//!
//! Questions about one document fail together, and so do the turns of one conversation: drawn one by one they would pretend to
//! more evidence than there is. So whole documents are drawn with replacement, each with both runs' scores of its cases, which
//! keeps the pairs together.
//!
//! A cluster brings a vector of sums. They are added up over the clusters drawn, and the statistic is a function of the totals:
//! `[Σ change, cases]` for the mean change of a score, the counts of each class for a macro precision.

use super::random::SplitMix64;
use super::real;

/// Resamples drawn.
pub const RESAMPLES: usize = 10_000;

/// What the resamples say about a statistic for which low is bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// The statistic of the sample itself.
    pub point: f64,
    /// 5th percentile of the resamples: a lower bound at one-sided 95 %.
    pub lower: f64,
    /// 95th percentile: an upper bound at one-sided 95 %.
    pub upper: f64,
    /// Share of the resamples that show no worsening, `(1 + #{T* ≥ 0}) / (1 + resamples)`: below 0.05 when even the upper
    /// bound is negative.
    pub p_worse: f64,
}

/// Draws [`RESAMPLES`] times as many clusters as there are.
pub fn bootstrap<const K: usize>(
    clusters: &[[f64; K]],
    statistic: impl Fn(&[f64; K]) -> f64,
    seed: u64,
) -> Bootstrap {
    /// Sums of the same numbers in another order differ by less than this.
    const ROUNDING: f64 = 1e-12;
    let total = |draw: &mut dyn FnMut(usize) -> usize| {
        let mut totals = [0.0; K];
        for place in 0..clusters.len() {
            for (sum, value) in totals.iter_mut().zip(&clusters[draw(place)]) {
                *sum += value;
            }
        }
        statistic(&totals)
    };
    let point = total(&mut |place| place);
    let mut random = SplitMix64::new(seed);
    let mut drawn: Vec<f64> = (0..RESAMPLES)
        .map(|_| total(&mut |_| random.below(clusters.len())))
        .collect();
    drawn.sort_by(f64::total_cmp);
    let not_worse = drawn.iter().filter(|&&value| value >= -ROUNDING).count();
    let at = |q: f64| drawn[super::percentile::nearest_rank(RESAMPLES, q) - 1];
    Bootstrap {
        point,
        lower: at(0.05),
        upper: at(0.95),
        p_worse: real(not_worse + 1) / real(RESAMPLES + 1),
    }
}

/// The mean change with its bounds; one cluster is one slice of changes (later − earlier, high = good).
pub fn mean_change(clusters: &[Vec<f64>], seed: u64) -> Bootstrap {
    let sums: Vec<[f64; 2]> = clusters
        .iter()
        .map(|changes| [changes.iter().sum(), real(changes.len())])
        .collect();
    bootstrap(&sums, |[sum, n]| if *n > 0.0 { sum / n } else { 0.0 }, seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn single(changes: &[f64]) -> Vec<Vec<f64>> {
        changes.iter().map(|&change| vec![change]).collect()
    }

    /// ```python
    /// import numpy as np
    /// from scipy.stats import bootstrap            # scipy 1.17
    /// x = np.array([0, 0, -1, 0, 0.5, -0.5, 0, -1, 0, 0, 1, -0.5, 0, 0, -1, 0, 0, -0.5, 0.5, 0])
    /// r = bootstrap((x,), np.mean, n_resamples=1_000_000, confidence_level=0.9, method="percentile", rng=1, batch=10_000)
    /// r.confidence_interval, (r.bootstrap_distribution >= 0).mean()
    /// ```
    #[test]
    fn bounds_agree_with_scipy() {
        let changes = [
            0.0, 0.0, -1.0, 0.0, 0.5, -0.5, 0.0, -1.0, 0.0, 0.0, 1.0, -0.5, 0.0, 0.0, -1.0, 0.0, 0.0, -0.5,
            0.5, 0.0,
        ];
        let ours = mean_change(&single(&changes), 1);
        assert!((ours.point + 0.125).abs() < 1e-12);
        assert!((ours.lower + 0.3).abs() <= 0.025, "{ours:?}");
        assert!((ours.upper - 0.05).abs() <= 0.025, "{ours:?}");
        assert!((ours.p_worse - 0.154_771).abs() < 0.01, "{ours:?}");
    }

    /// Three clusters have 27 equally likely resamples; of (−2/2, 0/1, +1/1) 11 of them are not negative.
    ///
    /// ```python
    /// from itertools import product
    /// c = [(-2, 2), (0, 1), (1, 1)]
    /// sum(sum(s for s, _ in d) / sum(n for _, n in d) >= 0 for d in product(c, repeat=3)), 27      # 11, 27
    /// ```
    #[test]
    fn whole_clusters_are_drawn() {
        let ours = mean_change(&[vec![-1.0, -1.0], vec![0.0], vec![1.0]], 3);
        assert!((ours.point + 0.25).abs() < 1e-12);
        assert!((ours.p_worse - 11.0 / 27.0).abs() < 0.02, "{ours:?}");
    }

    #[test]
    fn cases_that_fail_together_are_weaker_evidence() {
        let changes: Vec<f64> = (0..80).map(|i| if i < 6 { -1.0 } else { 0.0 }).collect();
        let apart = mean_change(&single(&changes), 1);
        let together: Vec<Vec<f64>> = changes.chunks(8).map(<[f64]>::to_vec).collect();
        let together = mean_change(&together, 1);
        assert!((apart.point - together.point).abs() < 1e-12);
        assert!(
            apart.p_worse < 0.05 && together.p_worse > 0.2,
            "{apart:?} {together:?}"
        );
    }

    #[test]
    fn nothing_changed_is_no_evidence() {
        let none = mean_change(&single(&[0.0; 50]), 1);
        assert!((none.p_worse - 1.0).abs() < 1e-12 && none.upper.abs() < 1e-12);
        let empty = mean_change(&[], 1);
        assert!((empty.p_worse - 1.0).abs() < 1e-12 && empty.point.abs() < 1e-12);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn the_same_seed_gives_the_same_figures(changes in proptest::collection::vec(-1.0_f64..=1.0, 1..30), seed: u64) {
            let clusters = single(&changes);
            prop_assert_eq!(mean_change(&clusters, seed), mean_change(&clusters, seed));
        }

        #[test]
        fn bounds_stay_within_the_changes(changes in proptest::collection::vec(-1.0_f64..=1.0, 1..30)) {
            let ours = mean_change(&single(&changes), 1);
            let (least, most) = changes.iter().fold((1.0_f64, -1.0_f64), |(l, m), &c| (l.min(c), m.max(c)));
            prop_assert!(least - 1e-9 <= ours.lower && ours.lower <= ours.upper && ours.upper <= most + 1e-9);
        }

        #[test]
        fn evidence_of_worse_and_of_better_exclude_each_other(changes in proptest::collection::vec(-1.0_f64..=1.0, 2..30)) {
            let ours = mean_change(&single(&changes), 1);
            let negated: Vec<f64> = changes.iter().map(|c| -c).collect();
            let other = mean_change(&single(&negated), 1);
            prop_assert!(ours.p_worse + other.p_worse >= 1.0 - 1e-9);
        }
    }
}
