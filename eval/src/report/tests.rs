//! What people read, as snapshots.

use chrono::DateTime;

use super::{Report, RunInfo, build::build, console, diff, json, markdown};
use crate::gate::baseline::{self, Baseline, Hashes};
use crate::gate::exit::{coverage, decide};
use crate::gate::judge::judge_all;
use crate::gate::power::power;
use crate::gate::regression;
use crate::gate::spec::parse_flag;
use crate::golden::case::Case;
use crate::golden::split::Selection;
use crate::metrics::Graded;
use crate::testing::{as_error, sample};

fn report(graded: &[Graded], gates: &[&str]) -> Report {
    let gates: Vec<_> = gates.iter().map(|gate| parse_flag(gate).unwrap()).collect();
    let results = judge_all(&gates, graded);
    let exit = decide(graded, &results, false);
    let run = RunInfo {
        version: "0.0.0".into(),
        started_at: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        golden: "sample".into(),
        corpus_manifest_sha256: "0123456789abcdef".into(),
        corpus_pinned: true,
        target: "in-process".into(),
        selection: Selection::All,
        cases: graded.len(),
        stale: Vec::new(),
        relocated: 0,
        concurrency: 2,
        warm_up: 0,
        coverage: coverage(graded),
        hashes: Hashes::default(),
    };
    let baseline = Baseline {
        schema_version: baseline::SCHEMA_VERSION,
        started_at: run.started_at,
        target: run.target.clone(),
        selection: run.selection,
        hashes: Hashes::default(),
        cases: baseline::outcomes(&accepted()),
    };
    let now = baseline::outcomes(graded);
    let comparison = regression::compare(&gates, &baseline, &now, Selection::All);
    let cases: Vec<&Case> = graded.iter().map(|row| &row.case).collect();
    let exit = if gates.is_empty() {
        exit
    } else {
        comparison.extend(exit, false)
    };
    let mut report = build(run, graded, results, exit);
    report.regression = Some(comparison);
    report.power = power(&gates, &cases, 0);
    report
}

/// What was accepted: the same cases, answered a little better.
fn accepted() -> Vec<Graded> {
    let mut rows: Vec<Graded> = graded().into_iter().skip(2).collect();
    for row in rows.iter_mut().filter(|row| row.correct == Some(false)).take(9) {
        let mut answer = crate::testing::answer("Within 21 days.");
        answer.hits = vec![crate::testing::good_hit()];
        answer.route = row.case.expected_route().unwrap_or(answer.route);
        *row = crate::testing::graded(&row.case, &row.spans, Ok(answer));
    }
    rows
}

/// A sample in which few calls fail.
fn graded() -> Vec<Graded> {
    let mut rows: Vec<Graded> = sample(4)
        .into_iter()
        .filter(|row| !row.observed.is_error())
        .collect();
    rows[7] = as_error(&rows[7]);
    rows
}

const GATES: [&str; 4] = [
    "recall_at_5=0.6",
    "hallucination_rate=0.02",
    "routing_macro_precision=0.7",
    "p95_latency_ms=250",
];

#[test]
fn console_report() {
    insta::assert_snapshot!(console::render(&report(&graded(), &GATES)));
}

#[test]
fn markdown_report() {
    insta::assert_snapshot!(markdown::render(&report(&graded(), &GATES)));
}

#[test]
fn the_last_line_is_the_exit_code() {
    for gates in [&GATES[..], &GATES[..1], &[]] {
        let report = report(&graded(), gates);
        let console = console::render(&report);
        let last = console.lines().last().unwrap();
        assert!(
            last.starts_with(&format!("exit {}: ", report.exit.code)),
            "{last}"
        );
        let any_failed = console.lines().any(|line| line.starts_with("FAIL"));
        assert_eq!(any_failed, report.exit.code == 1, "{console}");
    }
}

#[test]
fn a_report_survives_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut graded = graded();
    graded.truncate(59);
    let written = report(&graded, &GATES);
    json::write(dir.path(), &written).unwrap();
    let read = json::read(dir.path()).unwrap();
    assert_eq!(console::render(&read), console::render(&written));
    assert_eq!(markdown::render(&read), markdown::render(&written));
    assert_eq!(read.cases.len(), written.cases.len());

    let path = dir.path().join("report.json");
    let newer = std::fs::read_to_string(&path).unwrap().replacen(
        "\"schema_version\": 1",
        "\"schema_version\": 99",
        1,
    );
    std::fs::write(&path, newer).unwrap();
    assert!(
        json::read(&path)
            .unwrap_err()
            .to_string()
            .contains("schema version 99")
    );
}

#[test]
fn a_diff_tells_fixed_broken_and_still_failing() {
    let before = report(&graded(), &[]);
    let mut after = before.clone();
    let flip = |row: &mut super::CaseRow| {
        row.passed = !row.passed;
        row.problems = if row.passed {
            Vec::new()
        } else {
            vec!["recall@5 0.00".into()]
        };
    };
    let passing = before.cases.iter().position(|case| case.passed).unwrap();
    let failing = before.cases.iter().position(|case| !case.passed).unwrap();
    flip(&mut after.cases[passing]);
    flip(&mut after.cases[failing]);
    let gone = after.cases.remove(before.cases.len() - 1);
    let difference = diff::diff(&before, &after);
    assert_eq!(
        difference.broken,
        [(before.cases[passing].id.clone(), "recall@5 0.00".to_owned())]
    );
    assert_eq!(difference.fixed, [before.cases[failing].id.clone()]);
    assert_eq!(difference.gone, [gone.id]);
    assert!(!difference.still_failing.is_empty());
    assert!(diff::render(&before, &after).contains("broken: 1\n"));
}
