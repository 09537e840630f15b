use std::path::Path;

use super::*;
use crate::gate::baseline::{Hashes, Outcome as Row, SCHEMA_VERSION};
use crate::gate::spec::parse_file;
use crate::metrics::Observed;
use crate::ratchet::judge;
use crate::ratchet::snapshot::CaseRule;
use chrono::NaiveDate;

const GATES: &str = "[[gate]]
metric = 'recall_at_5'
min = 0.8
min_n = 100
max_regression = 0.02
[[gate]]
metric = 'hallucination_rate'
max = 0.02
evidence = 'bound'
[[gate]]
metric = 'recall_at_5'
slice = 'lang:es'
min = 0.7
";

fn row(i: usize, score: f64) -> Row {
    Row {
        id: format!("case-{i}"),
        case_sha256: "0".into(),
        cluster: format!("case:{i}"),
        passed: score > 0.0,
        observed: Observed::Answered,
        gold_route: None,
        route: None,
        answer_sha256: None,
        wall_ms: None,
        scores: [("recall_at_5".to_owned(), score)].into(),
        slices: std::collections::BTreeSet::new(),
        problems: Vec::new(),
    }
}

fn snapshot(gates: &str, broken: usize) -> Snapshot {
    let rule = |i| {
        let rule = CaseRule {
            demands: "d".into(),
            slices: ["lang:en".to_owned()].into(),
        };
        (format!("case-{i}"), rule)
    };
    let key = |case: &str| (case.to_owned(), "a".to_owned(), "e".to_owned(), None);
    Snapshot {
        gates: Some(parse_file(Path::new("gates.toml"), gates).unwrap()),
        cases: (0..40).map(rule).collect(),
        verdicts: [
            (key("case-1"), Verdict::Hallucinated),
            (key("case-2"), Verdict::Ok),
        ]
        .into(),
        policy: crate::golden::verdict::Policy::default(),
        baseline: Some(Baseline {
            schema_version: SCHEMA_VERSION,
            started_at: chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            target: "in-process".into(),
            selection: Selection::All,
            hashes: Hashes::default(),
            cases: (0..40)
                .map(|i| row(i, if i < broken { 0.0 } else { 1.0 }))
                .collect(),
        }),
    }
}

fn found(now: &Snapshot) -> Vec<String> {
    compare(&snapshot(GATES, 0), now)
        .0
        .into_iter()
        .map(|finding| finding.id)
        .collect()
}

#[test]
fn nothing_changed_and_stricter_rules_are_no_finding() {
    assert!(found(&snapshot(GATES, 0)).is_empty());
    let stricter = GATES
        .replace("min = 0.8", "min = 0.9")
        .replace("max = 0.02", "max = 0.01")
        .replace("max_regression = 0.02", "max_regression = 0.01");
    assert!(found(&snapshot(&stricter, 0)).is_empty());
    let more = format!("{GATES}[[gate]]\nmetric = 'mrr'\nmin = 0.1\n");
    assert!(found(&snapshot(&more, 0)).is_empty());
}

#[test]
fn every_way_to_loosen_a_gate_is_found() {
    let changes = [
        ("min = 0.8", "min = 0.75", "threshold:recall_at_5"),
        ("max = 0.02", "max = 0.05", "threshold:hallucination_rate"),
        (
            "evidence = 'bound'",
            "evidence = 'point'",
            "evidence:hallucination_rate",
        ),
        ("min_n = 100", "min_n = 10", "min_n:recall_at_5"),
        ("min_n = 100", "min_n = 900", "min_n:recall_at_5"),
        (
            "max_regression = 0.02",
            "max_regression = 0.2",
            "max_regression:recall_at_5",
        ),
        ("max_regression = 0.02\n", "", "max_regression:recall_at_5"),
        (
            "max = 0.02",
            "max = 0.02\nmax_regression = 0.1",
            "max_regression:hallucination_rate",
        ),
        (
            "min_n = 100",
            "min_n = 100\nseverity = 'warn'",
            "severity:recall_at_5",
        ),
        (
            "slice = 'lang:es'",
            "slice = 'lang:fr'",
            "gate-deleted:recall_at_5[lang:es]",
        ),
    ];
    for (from, to, id) in changes {
        let loosened = GATES.replacen(from, to, 1);
        assert_ne!(loosened, GATES, "{from}");
        assert_eq!(found(&snapshot(&loosened, 0)), [id], "{from} -> {to}");
    }
    assert_eq!(
        found(&snapshot(&format!("max_stale = 3\n{GATES}"), 0)),
        ["max_stale"]
    );
    let gone = Snapshot {
        gates: None,
        ..snapshot(GATES, 0)
    };
    assert_eq!(found(&gone), ["gates-deleted"]);
}

#[test]
fn cases_verdicts_and_outcomes_may_not_disappear() {
    let mut now = snapshot(GATES, 0);
    now.cases.remove("case-7");
    assert_eq!(found(&now), ["case-deleted:case-7"]);

    let mut now = snapshot(GATES, 0);
    let key = now.verdicts.keys().next().cloned().unwrap();
    now.verdicts.insert(key.clone(), Verdict::Ok);
    assert_eq!(found(&now), ["verdict-changed:case-1"]);
    now.verdicts.remove(&key);
    assert_eq!(found(&now), ["verdict-removed:case-1"]);

    let mut now = snapshot(GATES, 0);
    now.policy.double_label = 0.0;
    assert_eq!(found(&now), ["policy:double_label"]);

    let mut now = snapshot(GATES, 0);
    now.baseline.as_mut().unwrap().cases.remove(3);
    assert_eq!(found(&now), ["baseline-case-deleted:case-3"]);
    now.baseline = None;
    assert_eq!(found(&now), ["baseline-deleted"]);
}

#[test]
fn accepting_worse_outcomes_is_found() {
    assert_eq!(found(&snapshot(GATES, 12)), ["baseline:recall_at_5"]);
}

#[test]
fn a_rewritten_case_is_told() {
    let mut now = snapshot(GATES, 0);
    now.cases.get_mut("case-5").unwrap().demands = "less".into();
    let (findings, notes) = compare(&snapshot(GATES, 0), &now);
    assert!(findings.is_empty() && notes[0].contains("case-5"), "{notes:?}");
}

#[test]
fn a_waiver_holds_until_its_day() {
    let waiver = "[[waiver]]\nfinding = 'threshold:recall_at_5'\nreason = 'labels are on their way'\nexpires = '2027-01-31'\n";
    let now = snapshot(&format!("{}{waiver}", GATES.replace("min = 0.8", "min = 0.7")), 0);
    let day = |day| NaiveDate::from_ymd_opt(2027, 1, day).unwrap();
    let on_time = judge(&snapshot(GATES, 0), &now, day(31));
    assert_eq!(on_time.exit("main").code, 0);
    assert!(
        on_time.findings[0]
            .to_string()
            .contains("labels are on their way")
    );
    let late = judge(&snapshot(GATES, 0), &now, day(31).succ_opt().unwrap());
    let told: Vec<String> = late.findings.iter().map(ToString::to_string).collect();
    assert!(
        told[0].starts_with("finding  threshold:recall_at_5: 0.8 -> 0.7"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("finding  waiver-expired:threshold:recall_at_5"),
        "{told:?}"
    );
    assert_eq!(late.exit("main").code, 1);

    let idle = snapshot(&format!("{GATES}{waiver}"), 0);
    assert!(judge(&snapshot(GATES, 0), &idle, day(1)).notes[0].contains("covers nothing"));
}

#[test]
fn a_waiver_names_what_it_waives() {
    let read = |finding: &str, reason: &str| {
        let waiver = format!(
            "{GATES}[[waiver]]\nfinding = '{finding}'\nreason = '{reason}'\nexpires = '2027-01-31'\n"
        );
        parse_file(Path::new("gates.toml"), &waiver)
    };
    assert!(
        read("*", "all")
            .unwrap_err()
            .to_string()
            .contains("one kind of finding")
    );
    assert!(
        read("threshold:mrr", " ")
            .unwrap_err()
            .to_string()
            .contains("needs a reason")
    );
    let waiver = &read("case-deleted:fr-*", "moved").unwrap().waivers[0];
    assert!(waiver.covers("case-deleted:fr-12") && !waiver.covers("case-deleted:es-1"));
}
