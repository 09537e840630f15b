//! The Wilson score interval (E. B. Wilson, "Probable inference, the law of succession, and
//! statistical inference", Journal of the American Statistical Association 22, 1927).
//!
//! Bounds are one-sided at 95 %: "the share is at least W⁻" is wrong in at most 5 % of samples.
//! With `p = k/n` and `z` the normal quantile:
//!
//! ```text
//! W∓ = (p + z²/2n ∓ z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)
//! ```
//!
//! `k` may be fractional: the mean of values in [0, 1] has at most the variance of a share with
//! the same mean, so the interval is then conservative.

use super::real;

/// Normal quantile of 0.95, for one-sided 95 % bounds.
pub const Z95: f64 = 1.644_853_626_951_472_2;

/// Normal quantile of 0.975, for one-sided bounds at α/2.
pub const Z975: f64 = 1.959_963_984_540_054;

/// Lower bound W⁻ of `k` successes in `n`; 0 when nothing was measured.
pub fn lower(k: f64, n: usize) -> f64 {
    bounds(k, n).0
}

/// Upper bound W⁺ of `k` successes in `n`; 1 when nothing was measured.
pub fn upper(k: f64, n: usize) -> f64 {
    bounds(k, n).1
}

/// Both bounds.
pub fn bounds(k: f64, n: usize) -> (f64, f64) {
    bounds_at(k, n, Z95)
}

/// Both bounds for the normal quantile `z`.
pub fn bounds_at(k: f64, n: usize, z: f64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let n = real(n);
    let p = (k / n).clamp(0.0, 1.0);
    let z2 = z * z;
    let centre = p + z2 / (2.0 * n);
    let margin = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // Rounding must not push the bound of a clean sample past the point estimate.
    (
        ((centre - margin) / scale).clamp(0.0, p),
        ((centre + margin) / scale).clamp(p, 1.0),
    )
}

/// Bounds of the mean of independent shares, each with its own sample, by recovering the variance
/// from the single intervals (MOVER: G. Y. Zou and A. Donner, Statistics in Medicine 27, 2008):
/// `L = θ − √Σ(pᵢ−lᵢ)²/m`, `U = θ + √Σ(uᵢ−pᵢ)²/m`.
pub fn mean_of_shares(shares: &[(f64, usize)]) -> (f64, f64) {
    if shares.is_empty() {
        return (0.0, 1.0);
    }
    let m = real(shares.len());
    let (mut sum, mut below, mut above) = (0.0, 0.0, 0.0);
    for &(k, n) in shares {
        let p = super::share(k, n);
        let (lower, upper) = bounds(k, n);
        sum += p;
        below += (p - lower).powi(2);
        above += (upper - p).powi(2);
    }
    let mean = sum / m;
    (
        (mean - below.sqrt() / m).max(0.0),
        (mean + above.sqrt() / m).min(1.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `statsmodels.stats.proportion.proportion_confint(k, n, alpha=0.10, method="wilson")`,
    /// statsmodels 0.14: a two-sided 90 % interval is two one-sided 95 % bounds.
    const REFERENCE: &[(usize, usize, f64, f64)] = &[
        (383, 412, 0.905_958_280_3, 0.947_659_438_6),
        (0, 80, 0.0, 0.032_712_963_9),
        (7, 412, 0.009_237_719_9, 0.031_045_183_8),
        (3, 412, 0.002_913_703_5, 0.018_078_404_2),
        (0, 149, 0.0, 0.017_834_176_6),
        (50, 100, 0.418_847_796_1, 0.581_152_203_9),
        (1, 10, 0.022_634_908_7, 0.347_718_667_3),
        (10, 10, 0.787_058_029_9, 1.0),
    ];

    #[test]
    fn bounds_agree_with_statsmodels() {
        for &(k, n, expected_lower, expected_upper) in REFERENCE {
            let (l, u) = bounds(real(k), n);
            assert!((l - expected_lower).abs() < 1e-9, "{k}/{n}: {l}");
            assert!((u - expected_upper).abs() < 1e-9, "{k}/{n}: {u}");
        }
    }

    /// The same with `alpha=0.05`.
    #[test]
    fn bounds_at_half_the_error_agree_with_statsmodels() {
        for (k, n, expected_lower, expected_upper) in [
            (5.0, 80, 0.026_989_375_7, 0.138_101_487_7),
            (0.0, 183, 0.0, 0.020_559_991_6),
            (0.0, 189, 0.0, 0.019_920_295_4),
        ] {
            let (l, u) = bounds_at(k, n, Z975);
            assert!(
                (l - expected_lower).abs() < 1e-9 && (u - expected_upper).abs() < 1e-9,
                "{k}/{n}: {l} {u}"
            );
        }
    }

    #[test]
    fn nothing_measured_bounds_nothing() {
        assert_eq!(bounds(0.0, 0), (0.0, 1.0));
        assert_eq!(mean_of_shares(&[]), (0.0, 1.0));
    }

    #[test]
    fn one_share_has_its_own_bounds() {
        let (l, u) = mean_of_shares(&[(50.0, 100)]);
        assert!((l - lower(50.0, 100)).abs() < 1e-12);
        assert!((u - upper(50.0, 100)).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn bounds_contain_the_point(n in 1_usize..2_000, part in 0.0_f64..=1.0) {
            let k = part * real(n);
            let (l, u) = bounds(k, n);
            prop_assert!(0.0 <= l && l <= k / real(n) + 1e-12);
            prop_assert!(k / real(n) - 1e-12 <= u && u <= 1.0);
        }

        #[test]
        fn bounds_rise_with_k(n in 1_usize..500, k in 0_usize..500) {
            let k = k.min(n - 1);
            prop_assert!(lower(real(k), n) <= lower(real(k + 1), n));
            prop_assert!(upper(real(k), n) <= upper(real(k + 1), n));
        }
    }
}
