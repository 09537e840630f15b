//! The statistics behind the gates: intervals for shares, order statistics for latencies, tests for pairs of runs, and what a
//! set of a given size can show at all.
//!
//! Everything here is a pure function with its source named, and its tests hold reference values
//! that were computed with another program.

pub mod bootstrap;
pub mod holm;
pub mod mcnemar;
pub mod percentile;
pub mod power;
pub mod random;
pub mod wilson;

/// A count as a real number.
#[expect(clippy::cast_precision_loss, reason = "counts of cases stay far below 2^52")]
pub fn real(count: usize) -> f64 {
    count as f64
}

/// `k / n`, and 0 for an empty denominator: nothing measured is never a good score.
pub fn share(k: f64, n: usize) -> f64 {
    if n == 0 { 0.0 } else { k / real(n) }
}
