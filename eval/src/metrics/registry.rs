//! Every metric by name: what it means, which way is good, and what a gate on it asks for unless
//! told otherwise.
//!
//! Quality metrics are gated on the point, since a bound on a small set would block good systems;
//! safety metrics on the bound, since an absence of evidence is no evidence of safety.

use serde::{Deserialize, Serialize};

use super::grade::Graded;
use super::{Measured, abstention, citation, correct, cost, hallucination, latency, recall, routing, tools};

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A gate sets a minimum.
    High,
    /// A gate sets a maximum.
    Low,
}

/// What a gate compares with its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The measured value.
    Point,
    /// The one-sided 95 % bound: the threshold has to be proven.
    Bound,
}

/// What a metric's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 0 to 1.
    Share,
    /// Milliseconds.
    Milliseconds,
    /// US dollars.
    Dollars,
}

/// How two runs of the same cases are compared.
#[derive(Clone, Copy)]
pub enum Pairing {
    /// Case by case, good or not; `None` for a case that does not count.
    Good(fn(&Graded) -> Option<bool>),
    /// Case by case, by a score from 0 (bad) to 1 (good).
    Score(fn(&Graded) -> Option<f64>),
    /// By the routes taken, all cases together.
    Routes,
    /// By the times of the calls.
    Times,
    /// Not at all: prices change without anything getting worse.
    Not,
}

/// A metric.
pub struct Metric {
    /// Name in gates and reports.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Which way is good.
    pub direction: Direction,
    /// What a gate compares unless told otherwise.
    pub proof: Proof,
    /// What its numbers are.
    pub unit: Unit,
    /// Computes it.
    pub measure: fn(&[&Graded]) -> Measured,
    /// How it is compared with a baseline.
    pub pairing: Pairing,
}

const fn quality(
    name: &'static str,
    about: &'static str,
    measure: fn(&[&Graded]) -> Measured,
    pairing: Pairing,
) -> Metric {
    Metric {
        name,
        about,
        direction: Direction::High,
        proof: Proof::Point,
        unit: Unit::Share,
        measure,
        pairing,
    }
}

const fn failure(
    name: &'static str,
    about: &'static str,
    proof: Proof,
    measure: fn(&[&Graded]) -> Measured,
    pairing: Pairing,
) -> Metric {
    Metric {
        name,
        about,
        direction: Direction::Low,
        proof,
        unit: Unit::Share,
        measure,
        pairing,
    }
}

/// Every metric, in the order of the reports.
pub const METRICS: &[Metric] = &[
    quality(
        "recall_at_5",
        "evidence groups found in the first 5 hits, mean over answerable cases",
        |g| recall::mean(g, |r| r.recall_at_5),
        Pairing::Score(|g| recall::of(g, |r| r.recall_at_5)),
    ),
    quality(
        "recall_at_1",
        "the same for the first hit",
        |g| recall::mean(g, |r| r.recall_at_1),
        Pairing::Score(|g| recall::of(g, |r| r.recall_at_1)),
    ),
    quality(
        "recall_at_10",
        "the same for the first 10 hits",
        |g| recall::mean(g, |r| r.recall_at_10),
        Pairing::Score(|g| recall::of(g, |r| r.recall_at_10)),
    ),
    quality(
        "success_at_5",
        "answerable cases with any evidence in the first 5 hits",
        |g| recall::mean(g, |r| r.success_at_5),
        Pairing::Good(|g| recall::of(g, |r| r.success_at_5).map(|flag| flag > 0.0)),
    ),
    quality(
        "all_hit_at_5",
        "answerable cases with all evidence in the first 5 hits",
        |g| recall::mean(g, |r| r.all_hit_at_5),
        Pairing::Good(|g| recall::of(g, |r| r.all_hit_at_5).map(|flag| flag > 0.0)),
    ),
    quality(
        "ndcg_at_5",
        "graded and discounted gain of the first 5 hits",
        |g| recall::mean(g, |r| r.ndcg_at_5),
        Pairing::Score(|g| recall::of(g, |r| r.ndcg_at_5)),
    ),
    quality(
        "mrr",
        "1 / rank of the first evidence",
        |g| recall::mean(g, |r| r.mrr),
        Pairing::Score(|g| recall::of(g, |r| r.mrr)),
    ),
    quality(
        "answer_correct",
        "replies that include all they must and nothing they must not",
        correct::answer_correct,
        Pairing::Good(correct::correct),
    ),
    quality(
        "citation_resolves",
        "replies whose citations all resolve to what they quote",
        citation::citation_resolves,
        Pairing::Good(citation::resolves),
    ),
    quality(
        "correct_abstention",
        "unanswerable cases that were not answered",
        abstention::correct_abstention,
        Pairing::Good(abstention::rightly_silent),
    ),
    failure(
        "false_abstention",
        "answerable cases that were not answered",
        Proof::Point,
        abstention::false_abstention,
        Pairing::Good(abstention::rightly_answered),
    ),
    failure(
        "hallucination_rate",
        "answered replies with a claim that their evidence does not hold",
        Proof::Bound,
        hallucination::rate,
        Pairing::Good(hallucination::nothing_invented),
    ),
    failure(
        "forbidden_content",
        "cases whose reply says what it must not",
        Proof::Bound,
        correct::forbidden_content,
        Pairing::Good(correct::nothing_forbidden),
    ),
    quality(
        "routing_macro_precision",
        "macro precision over routes with enough gold",
        routing::macro_precision,
        Pairing::Routes,
    ),
    quality(
        "routing_accuracy",
        "cases routed right (for comparison, not a headline)",
        routing::accuracy,
        Pairing::Good(routing::rightly),
    ),
    failure(
        "routing_harm",
        "reasoning and handoff cases that were treated cheaply",
        Proof::Bound,
        routing::harm,
        Pairing::Good(routing::not_cheaply),
    ),
    failure(
        "routing_waste",
        "commodity and small-talk cases treated dearly",
        Proof::Point,
        routing::waste,
        Pairing::Good(routing::not_dearly),
    ),
    quality(
        "handoff_recall",
        "handoff cases routed to a person",
        |g| routing::recall_of(g, routing::rightly_handed_off),
        Pairing::Good(routing::rightly_handed_off),
    ),
    quality(
        "out_of_scope_recall",
        "out-of-scope cases recognised",
        |g| routing::recall_of(g, routing::rightly_out_of_scope),
        Pairing::Good(routing::rightly_out_of_scope),
    ),
    Metric {
        name: "p95_latency_ms",
        about: "95th percentile of the time of a live call; a failed call is infinitely slow",
        direction: Direction::Low,
        proof: Proof::Point,
        unit: Unit::Milliseconds,
        measure: latency::p95,
        pairing: Pairing::Times,
    },
    quality(
        "tool_success",
        "cases about calls of tools in which every call is right and none is too many",
        tools::tool_success,
        Pairing::Good(tools::called_right),
    ),
    Metric {
        name: "cost_per_message_usd",
        about: "mean cost of a reply by the price table; a failed call is charged a dollar",
        direction: Direction::Low,
        proof: Proof::Point,
        unit: Unit::Dollars,
        measure: cost::mean,
        pairing: Pairing::Not,
    },
    Metric {
        name: "p95_cost_usd",
        about: "95th percentile of the same",
        direction: Direction::Low,
        proof: Proof::Point,
        unit: Unit::Dollars,
        measure: cost::p95,
        pairing: Pairing::Not,
    },
];

/// The metric of that name.
pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

/// Names of all metrics, for messages.
pub fn names() -> String {
    METRICS
        .iter()
        .map(|metric| metric.name)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::case::Kind;
    use crate::metrics::Observed;
    use crate::metrics::hallucination::Standing;
    use crate::testing::{as_error, sample};
    use proptest::prelude::*;

    /// What a gate would see, high = good: the pessimistic value.
    fn goodness(metric: &Metric, graded: &[Graded]) -> f64 {
        let point = (metric.measure)(&graded.iter().collect::<Vec<_>>()).value.point;
        if metric.direction == Direction::High {
            point
        } else {
            -point
        }
    }

    #[test]
    fn names_are_unique() {
        for metric in METRICS {
            assert_eq!(
                METRICS.iter().filter(|m| m.name == metric.name).count(),
                1,
                "{}",
                metric.name
            );
        }
    }

    #[test]
    fn nothing_measured_is_a_problem() {
        for metric in METRICS {
            assert!((metric.measure)(&[]).problem.is_some(), "{}", metric.name);
        }
    }

    #[test]
    fn failed_rows_keep_the_denominator() {
        let graded = sample(7);
        let broken: Vec<Graded> = graded.iter().map(as_error).collect();
        let n = |rows: &[Graded]| recall::mean(&rows.iter().collect::<Vec<_>>(), |r| r.recall_at_5).value;
        assert_eq!(n(&graded).n, n(&broken).n);
        assert!(n(&broken).point.abs() < f64::EPSILON);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Complaint 1 of every other tool: a row that fails must never raise the score.
        #[test]
        fn an_error_never_helps(seed in 0_u64..1_000, at in 0_usize..120) {
            let before = sample(seed);
            let mut after = before.clone();
            let at = at % after.len();
            after[at] = as_error(&after[at]);
            for metric in METRICS {
                prop_assert!(goodness(metric, &after) <= goodness(metric, &before) + 1e-12, "{}", metric.name);
            }
        }

        #[test]
        fn the_order_of_cases_does_not_matter(seed in 0_u64..1_000, turn in 0_usize..120) {
            let before = sample(seed);
            let mut after = before.clone();
            let turn = turn % after.len();
            after.rotate_left(turn);
            after.reverse();
            for metric in METRICS {
                let (now, then) = (goodness(metric, &after), goodness(metric, &before));
                // Two infinite latencies are equal, but their difference is no number.
                prop_assert!(now.total_cmp(&then).is_eq() || (now - then).abs() < 1e-9, "{}", metric.name);
            }
        }

        #[test]
        fn bounds_contain_the_point(seed in 0_u64..1_000) {
            let graded = sample(seed);
            for metric in METRICS {
                let value = (metric.measure)(&graded.iter().collect::<Vec<_>>()).value;
                prop_assert!(value.lower <= value.point && value.point <= value.upper, "{}", metric.name);
                if metric.unit == Unit::Share {
                    prop_assert!((0.0..=1.0).contains(&value.lower) && (0.0..=1.0).contains(&value.upper));
                }
            }
        }
    }

    /// What is compared with a baseline is what the metric counts: the mean of the cases' scores is its point.
    #[test]
    fn pairs_mean_what_the_metric_means() {
        for seed in 0..20 {
            let graded = sample(seed);
            for metric in METRICS
                .iter()
                .filter(|m| m.name != "hallucination_rate" && m.name != "citation_resolves")
            {
                let scores: Vec<f64> = match metric.pairing {
                    Pairing::Good(good) => graded
                        .iter()
                        .filter_map(good)
                        .map(|g| if g { 1.0 } else { 0.0 })
                        .collect(),
                    Pairing::Score(score) => graded.iter().filter_map(score).collect(),
                    Pairing::Routes | Pairing::Times | Pairing::Not => continue,
                };
                let mean = crate::stats::share(scores.iter().sum(), scores.len());
                let value = (metric.measure)(&graded.iter().collect::<Vec<_>>()).value;
                let good = if metric.direction == Direction::High {
                    value.point
                } else {
                    1.0 - value.point
                };
                assert!(
                    (mean - good).abs() < 1e-9 && value.n == scores.len(),
                    "{}",
                    metric.name
                );
            }
        }
    }

    #[test]
    fn an_error_is_no_hallucination_but_leaves_the_rate_open() {
        let mut graded = sample(3);
        for row in &mut graded {
            row.standing = if row.observed == Observed::Answered {
                Standing::Unflagged
            } else {
                row.standing
            };
        }
        graded.retain(|row| !row.observed.is_error() && row.case.kind == Kind::Answerable);
        graded[0] = as_error(&graded[0]);
        let measured = hallucination::rate(&graded.iter().collect::<Vec<_>>());
        assert_eq!(measured.best.map(|best| best.k), Some(0.0));
        assert!((measured.value.k - 1.0).abs() < 1e-12);
    }
}
