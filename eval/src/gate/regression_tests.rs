use std::collections::BTreeSet;

use super::*;
use crate::gate::baseline::{Hashes, SCHEMA_VERSION};
use crate::gate::paired::Method;
use crate::gate::spec::parse_flag;
use crate::golden::split::{Split, split_of};
use crate::metrics::Observed;
use proptest::prelude::*;

/// A case of its own cluster that was right or wrong by every score.
fn outcome(i: usize, good: bool) -> Outcome {
    let score = if good { 1.0 } else { 0.0 };
    let scores = ["recall_at_5", "answer_correct", "correct_abstention"];
    Outcome {
        id: format!("case-{i:03}"),
        case_sha256: "0".into(),
        cluster: format!("case:{i}"),
        passed: good,
        observed: Observed::Answered,
        gold_route: Some("commodity".into()),
        route: Some(if good { "commodity" } else { "reasoning" }.into()),
        answer_sha256: None,
        wall_ms: Some(20.0),
        scores: scores.iter().map(|&name| (name.to_owned(), score)).collect(),
        slices: BTreeSet::from([if i.is_multiple_of(2) { "lang:en" } else { "lang:es" }.to_owned()]),
        problems: if good {
            vec![]
        } else {
            vec!["recall@5 0.00".into()]
        },
    }
}

fn outcomes(good: impl Fn(usize) -> bool) -> Vec<Outcome> {
    (0..100).map(|i| outcome(i, good(i))).collect()
}

fn baseline(cases: Vec<Outcome>) -> Baseline {
    Baseline {
        schema_version: SCHEMA_VERSION,
        started_at: chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        target: "in-process".into(),
        selection: Selection::All,
        hashes: Hashes::default(),
        cases,
    }
}

fn gate(text: &str, max_regression: Option<f64>) -> Gate {
    Gate {
        max_regression,
        ..parse_flag(text).unwrap()
    }
}

fn against(gates: &[Gate], before: Vec<Outcome>, now: &[Outcome]) -> Comparison {
    compare(gates, &baseline(before), now, Selection::All)
}

fn one(gate: Gate, now: impl Fn(usize) -> bool) -> Test {
    against(&[gate], outcomes(|_| true), &outcomes(now))
        .tests
        .remove(0)
}

#[test]
fn the_table_of_verdicts() {
    let correct = |max| gate("answer_correct=0.1", max);
    // (tolerated, broken of 100, verdict); 5 of 5 have p = .03, 4 of 4 have p = .06.
    let table = [
        (None, 0, Verdict::Pass),
        (None, 4, Verdict::Pass),
        (None, 5, Verdict::Fail),
        (Some(0.02), 2, Verdict::Pass),
        (Some(0.02), 4, Verdict::Inconclusive),
        (Some(0.02), 5, Verdict::Fail),
        (Some(0.1), 9, Verdict::Pass),
        (Some(0.0), 1, Verdict::Inconclusive),
    ];
    for (max, broken, verdict) in table {
        let test = one(correct(max), |i| i >= broken);
        assert_eq!(test.verdict, verdict, "{max:?} {broken}: {test:?}");
        assert_eq!((test.paired.method, test.paired.broke), (Method::Mcnemar, broken));
        assert!((test.paired.drop - crate::stats::real(broken) / 100.0).abs() < 1e-9);
    }
}

#[test]
fn a_failure_rate_is_told_as_it_counts() {
    let mut before = outcomes(|_| true);
    let mut now = outcomes(|i| i >= 10);
    for outcome in before.iter_mut().chain(&mut now) {
        let score = outcome.scores["answer_correct"];
        outcome.scores.insert("false_abstention".into(), score);
    }
    let test = against(&[gate("false_abstention=0.9", None)], before, &now)
        .tests
        .remove(0);
    assert!(
        test.paired.before.abs() < 1e-9 && (test.paired.now - 0.1).abs() < 1e-9,
        "{test:?}"
    );
    assert_eq!(test.verdict, Verdict::Fail);
}

#[test]
fn many_gates_share_one_error_rate() {
    let gates = [
        "answer_correct=0.1",
        "recall_at_5=0.1",
        "correct_abstention=0.1",
        "routing_macro_precision=0.1",
    ];
    let gates: Vec<Gate> = gates.iter().map(|text| gate(text, None)).collect();
    let alone = one(gates[0].clone(), |i| i >= 5);
    assert_eq!(alone.verdict, Verdict::Fail);
    // Only one of four gates got worse: the same five broken cases are no longer enough.
    let mut now = outcomes(|_| true);
    for outcome in now.iter_mut().take(5) {
        outcome.scores.insert("answer_correct".into(), 0.0);
    }
    let together = against(&gates, outcomes(|_| true), &now);
    assert_eq!(together.tests[0].verdict, Verdict::Pass);
    assert!((together.tests[0].p_adjusted - 4.0 * alone.paired.p).abs() < 1e-12);
}

#[test]
fn routes_and_times_are_compared_too() {
    let mut now = outcomes(|i| i >= 12);
    let routes = against(
        &[gate("routing_macro_precision=0.1", None)],
        outcomes(|_| true),
        &now,
    )
    .tests
    .remove(0);
    // 12 commodity questions went to reasoning, which has no gold: commodity stays precise.
    assert!((routes.paired.before - 1.0).abs() < 1e-12 && (routes.paired.now - 1.0).abs() < 1e-12);
    for outcome in now.iter_mut().take(30) {
        outcome.gold_route = Some("reasoning".into());
        outcome.route = Some("commodity".into());
    }
    let mut before = outcomes(|_| true);
    for outcome in before.iter_mut().take(30) {
        outcome.gold_route = Some("reasoning".into());
        outcome.route = Some("reasoning".into());
    }
    let routes = against(&[gate("routing_macro_precision=0.1", None)], before, &now)
        .tests
        .remove(0);
    assert!((routes.paired.before - 1.0).abs() < 1e-12);
    assert!(
        (routes.paired.now - 0.35).abs() < 1e-12,
        "(70/100 + 0/0)/2: {routes:?}"
    );
    assert_eq!(routes.verdict, Verdict::Fail);

    let slower = |factor: f64| {
        let mut now = outcomes(|_| true);
        for outcome in &mut now {
            outcome.wall_ms = Some(20.0 * factor);
        }
        now
    };
    let latency = |max| gate("p95_latency_ms=1000", max);
    assert!(
        against(&[latency(None)], outcomes(|_| true), &slower(9.0))
            .tests
            .is_empty()
    );
    let half = against(&[latency(Some(0.5))], outcomes(|_| true), &slower(1.4))
        .tests
        .remove(0);
    assert_eq!(half.verdict, Verdict::Pass, "{half:?}");
    let double = against(&[latency(Some(0.5))], outcomes(|_| true), &slower(2.0))
        .tests
        .remove(0);
    assert!(
        double.verdict == Verdict::Fail && (double.paired.drop - 1.0).abs() < 1e-9,
        "{double:?}"
    );
}

/// Thirty graded scores fall by a third: in thirty documents that is a regression, in three it may be those three documents.
#[test]
fn few_clusters_are_little_evidence() {
    let drop = |clusters: usize| {
        let clustered = |score: f64| {
            let mut rows = outcomes(|_| true);
            for (i, row) in rows.iter_mut().enumerate() {
                row.cluster = format!("document:{}", i % clusters);
                if i % 100 < 30 {
                    row.scores.insert("recall_at_5".into(), score);
                }
            }
            rows
        };
        against(&[gate("recall_at_5=0.1", None)], clustered(1.0), &clustered(0.67))
            .tests
            .remove(0)
    };
    assert_eq!(drop(100).verdict, Verdict::Fail);
    let few = drop(3);
    assert!(
        (few.paired.p - 0.125).abs() < 1e-12 && few.verdict == Verdict::Pass,
        "{few:?}"
    );
}

#[test]
fn a_slice_is_tested_on_its_own_pairs() {
    let sliced = Gate {
        slice: Some("lang:es".into()),
        ..gate("answer_correct=0.1", None)
    };
    let test = one(sliced, |i| i >= 12);
    assert_eq!((test.paired.pairs, test.paired.broke), (50, 6));
}

#[test]
fn cases_are_told_apart() {
    let mut before = outcomes(|i| i != 3);
    before[9].case_sha256 = "another".into();
    let mut now = outcomes(|i| i != 4 && i != 5);
    now.remove(7);
    now.push(outcome(100, true));
    before[5].passed = false;
    let comparison = against(&[], before, &now);
    assert_eq!(comparison.fixed, ["case-003"]);
    assert_eq!(comparison.broke[0].id, "case-004");
    assert_eq!(comparison.still_failing, ["case-005"]);
    assert_eq!(comparison.new, ["case-100"]);
    assert_eq!(comparison.rewritten, ["case-009"]);
    assert_eq!(comparison.missing, ["case-007"]);
    assert_eq!(comparison.pairs, 98);
}

#[test]
fn the_other_side_of_the_split_is_not_missing() {
    let dev = |outcome: &Outcome| split_of(&outcome.id) == Split::Dev;
    let now: Vec<Outcome> = outcomes(|_| true).into_iter().filter(dev).collect();
    let comparison = compare(&[], &baseline(outcomes(|_| true)), &now, Selection::Dev);
    assert!(comparison.missing.is_empty());
}

#[test]
fn the_exit_says_what_the_comparison_says() {
    let gates = [gate("answer_correct=0.1", Some(0.02))];
    let exit =
        |now: &[Outcome], before: Exit, allow| against(&gates, outcomes(|_| true), now).extend(before, allow);
    let passed = || Exit::ok("all 1 blocking gates passed");
    assert_eq!(exit(&outcomes(|_| true), passed(), false), passed());
    let failed = exit(&outcomes(|i| i >= 5), passed(), true);
    assert!(failed.code == 1 && failed.cause.contains("5 broke"), "{failed}");
    let open = exit(&outcomes(|i| i >= 4), passed(), false);
    assert!(open.code == 3 && open.cause.contains("cannot tell"), "{open}");
    assert_eq!(exit(&outcomes(|i| i >= 4), passed(), true).code, 0);
    let missing = exit(&outcomes(|_| true)[1..], passed(), true);
    assert!(
        missing.code == 1 && missing.cause.contains("case-000"),
        "{missing}"
    );
    let down = Exit {
        code: 5,
        cause: "down".into(),
    };
    assert_eq!(exit(&outcomes(|i| i >= 5), down.clone(), false), down);
    let inconclusive = Exit {
        code: 3,
        cause: "few".into(),
    };
    assert_eq!(exit(&outcomes(|i| i >= 5), inconclusive, false).code, 1);
}

#[test]
fn a_baseline_of_other_cases_decides_nothing() {
    let mut before = outcomes(|_| true);
    before.truncate(40);
    let test = against(&[gate("answer_correct=0.1", None)], before, &outcomes(|_| true))
        .tests
        .remove(0);
    assert_eq!(test.verdict, Verdict::Inconclusive);
    assert!(test.reason.unwrap().contains("40 of 100"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Breaking one more case never turns a failing comparison into a passing one.
    #[test]
    fn breaking_a_case_never_helps(broken in 0_usize..30, fixed in 0_usize..30) {
        let before = outcomes(|i| i < 70);
        let now = |broken: usize| outcomes(move |i| if i < 70 { i >= broken } else { i < 70 + fixed });
        let gates = [gate("answer_correct=0.1", None), gate("recall_at_5=0.1", None)];
        let few = against(&gates, before.clone(), &now(broken));
        let more = against(&gates, before, &now(broken + 1));
        for (few, more) in few.tests.iter().zip(&more.tests) {
            prop_assert!(more.paired.p <= few.paired.p + 1e-9, "{few:?} {more:?}");
            prop_assert!(few.verdict != Verdict::Fail || more.verdict == Verdict::Fail);
        }
    }

    #[test]
    fn the_same_outcomes_are_no_regression(bad in 0_usize..100) {
        let same = outcomes(|i| i >= bad);
        let gates = [gate("answer_correct=0.1", Some(0.0)), gate("recall_at_5=0.1", None), gate("routing_macro_precision=0.1", None)];
        let comparison = against(&gates, same.clone(), &same);
        prop_assert!(comparison.tests.iter().all(|test| test.verdict == Verdict::Pass));
        prop_assert!(comparison.broke.is_empty() && comparison.fixed.is_empty());
    }
}
