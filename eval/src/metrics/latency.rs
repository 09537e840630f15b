//! How long does a customer wait? (definition row 10)
//!
//! Nearest-rank 95th percentile over live calls. The first calls of a run are dropped as warm-up,
//! a failed call is infinitely slow and stays in the sample, and a reply that was not computed just
//! now makes the whole figure unusable rather than fast.

use plumbline_answer::Timings;
use serde::{Deserialize, Serialize};

use super::grade::Graded;
use super::{Estimate, Measured};
use crate::stats::percentile::{nearest_rank, percentile, upper_bound};
use crate::stats::real;

/// Calls below which no upper bound of the 95th percentile exists.
pub const MIN_CALLS: usize = 59;

/// 95th percentile of the wall-clock time in milliseconds with its distribution-free upper bound.
pub fn p95(graded: &[&Graded]) -> Measured {
    let calls: Vec<&&Graded> = graded.iter().filter(|g| !g.warm_up).collect();
    let values: Vec<f64> = calls
        .iter()
        .map(|g| {
            if g.observed.is_error() {
                f64::INFINITY
            } else {
                g.reply.wall_ms
            }
        })
        .collect();
    let n = values.len();
    let value = Estimate {
        k: real(if n == 0 { 0 } else { nearest_rank(n, 0.95) }),
        n,
        point: percentile(&values, 0.95).unwrap_or(f64::INFINITY),
        lower: 0.0,
        upper: upper_bound(&values, 0.95).unwrap_or(f64::INFINITY),
    };
    let mut measured = Measured::plain(value, calls.iter().filter(|g| g.observed.is_error()).count());
    if calls.iter().any(|g| !g.reply.live) {
        measured.problem = Some("some replies were replayed; latency needs live calls".to_owned());
    } else if n < MIN_CALLS {
        measured.problem = Some(format!("{n} live calls after warm-up, {MIN_CALLS} are needed"));
    }
    measured
}

/// Median and 95th percentile of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Stage {
    /// Name of the stage.
    pub name: String,
    /// Median, milliseconds.
    pub p50_ms: f64,
    /// 95th percentile, milliseconds.
    pub p95_ms: f64,
}

/// A stage's name and how to read its time.
type Reader = (&'static str, fn(&Timings) -> f64);

/// The stages in the order in which a question passes them.
const STAGES: [Reader; 8] = [
    ("route", |t| t.route_ms),
    ("embed", |t| t.embed_ms),
    ("lexical", |t| t.lexical_ms),
    ("vector", |t| t.vector_ms),
    ("fuse", |t| t.fuse_ms),
    ("compose", |t| t.compose_ms),
    ("ground", |t| t.ground_ms),
    ("total", |t| t.total_ms),
];

/// Time per stage as the answers themselves report it; a failed call reports none.
pub fn stages(graded: &[&Graded]) -> Vec<Stage> {
    let timings: Vec<&Timings> = graded
        .iter()
        .filter(|g| !g.warm_up && g.reply.live)
        .filter_map(|g| g.reply.answer.as_ref().ok())
        .map(|answer| &answer.timings)
        .collect();
    let stage = |&(name, read): &Reader| {
        let values: Vec<f64> = timings.iter().map(|t| read(t)).collect();
        let p95_ms = percentile(&values, 0.95)?;
        Some(Stage {
            name: name.to_owned(),
            p50_ms: percentile(&values, 0.5)?,
            p95_ms,
        })
    };
    STAGES.iter().filter_map(stage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::case::Kind;
    use crate::metrics::grade::Observed;
    use crate::testing::observed;

    fn sample(n: usize) -> Vec<Graded> {
        (1..=n)
            .map(|i| {
                let mut graded = observed(Kind::Chitchat, Observed::Answered);
                graded.reply.wall_ms = real(i);
                graded
            })
            .collect()
    }

    /// n = 100 with 1..=100 ms: point at rank 95, bound at rank 99.
    #[test]
    fn ranks_by_hand() {
        let cases = sample(100);
        let measured = p95(&cases.iter().collect::<Vec<_>>());
        assert_eq!((measured.value.point, measured.value.upper), (95.0, 99.0));
        assert_eq!(measured.problem, None);
    }

    #[test]
    fn errors_are_infinitely_slow_and_stay() {
        let mut cases = sample(100);
        for case in cases.iter_mut().take(6) {
            case.observed = Observed::Error;
        }
        let measured = p95(&cases.iter().collect::<Vec<_>>());
        assert!(measured.value.point.is_infinite());
        assert_eq!((measured.value.n, measured.errors), (100, 6));
    }

    #[test]
    fn replayed_or_too_few_calls_are_no_latency() {
        let few = sample(58);
        assert!(
            p95(&few.iter().collect::<Vec<_>>())
                .problem
                .unwrap()
                .contains("58 live calls")
        );
        let mut replayed = sample(100);
        replayed[3].reply.live = false;
        assert!(
            p95(&replayed.iter().collect::<Vec<_>>())
                .problem
                .unwrap()
                .contains("replayed")
        );
    }

    #[test]
    fn warm_up_is_dropped() {
        let mut cases = sample(100);
        cases[99].warm_up = true;
        assert_eq!(p95(&cases.iter().collect::<Vec<_>>()).value.n, 99);
    }
}
