//! What people read, as snapshots.

use chrono::DateTime;
use serde_json::Value;

use super::{Report, RunInfo, build::build, console, diff, holdout, html, json, junit, markdown, schema};
use crate::gate::baseline::{self, Baseline, Hashes};
use crate::gate::exit::{coverage, decide};
use crate::gate::judge::judge_all;
use crate::gate::power::power;
use crate::gate::regression;
use crate::gate::spec::parse_flag;
use crate::golden::case::Case;
use crate::golden::split::{Selection, Split};
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
        prices_as_of: None,
        mode: super::Mode::Live,
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
    insta::assert_snapshot!(markdown::render(&report(&graded(), &GATES), None));
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
    json::write(dir.path(), &written, None).unwrap();
    let read = json::read(dir.path()).unwrap();
    assert_eq!(console::render(&read), console::render(&written));
    assert_eq!(markdown::render(&read, None), markdown::render(&written, None));
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

/// A reply that tries to leave its place, in a case of the dev split, and an invented sentence.
fn hostile() -> Vec<Graded> {
    let mut rows = graded();
    let at = rows
        .iter()
        .position(|row| {
            crate::golden::split::split_of(&row.case.id) == Split::Dev && !row.observed.is_error()
        })
        .unwrap();
    let text = "Ask <script>alert(1)</script> ]]> \u{1} Kofi.";
    rows[at].case.question = "</details><img src=x onerror=alert(2)>".into();
    rows[at].reply.answer.as_mut().unwrap().text = format!("It is free. {text}");
    rows[at].unsupported = vec![crate::metrics::claims::Unsupported {
        text: text.into(),
        why: "no evidence names Kofi".into(),
    }];
    rows[at].correct = Some(false);
    rows[at].standing = crate::metrics::hallucination::Standing::Undecided;
    rows
}

#[test]
fn a_testcase_per_case_and_metric() {
    let report = report(&hostile(), &GATES);
    let xml = junit::render(&report).unwrap();
    let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let checks: usize = report.cases.iter().map(|case| case.checks.len()).sum();
    assert_eq!(read.tests, checks + report.gates.len());
    let bad = report
        .cases
        .iter()
        .flat_map(|case| &case.checks)
        .filter(|check| !check.passed)
        .count();
    let gates = report
        .gates
        .iter()
        .filter(|gate| gate.verdict != crate::gate::judge::Verdict::Pass)
        .count();
    assert_eq!(read.failures + read.errors, bad + gates);
    assert!(
        xml.contains("expected nothing but what the evidence holds; got") && !xml.contains("<script>"),
        "{xml}"
    );
}

#[test]
fn the_page_needs_nothing_else_and_cannot_be_broken_out_of() {
    let before = report(&graded(), &GATES);
    let page = html::render(&report(&hostile(), &GATES), Some(&before)).unwrap();
    for foreign in [
        "<script", "http://", "https://", "url(", "<link", "@import", "<img",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(
        page.contains("<mark title=\"no evidence names Kofi\">Ask "),
        "{page}"
    );
    assert!(page.matches("<svg").count() == 2 && page.contains("Against the run compared with"));
    assert_eq!(
        page.matches("<details").count(),
        page.matches("</details>").count()
    );
}

/// What is withheld is in none of the files; what is counted stays the same.
#[test]
fn the_test_split_is_counted_and_not_shown() {
    let mut rows = graded();
    for row in &mut rows {
        let secret = format!("secret-of-{}", crate::golden::split::split_of(&row.case.id));
        row.case.question.clone_from(&secret);
        row.case.must_not.push(secret.clone());
        if let Ok(answer) = &mut row.reply.answer {
            answer.text = format!("{} {secret}", answer.text);
        }
    }
    let whole = report(&rows, &GATES);
    let held = holdout::withhold(whole.clone());
    let texts = [
        serde_json::to_string(&held).unwrap(),
        markdown::render(&held, Some(&whole)),
        junit::render(&held).unwrap(),
        html::render(&held, None).unwrap(),
        diff::render(&whole, &held),
    ];
    for text in &texts {
        assert!(!text.contains("secret-of-test"), "{text}");
    }
    assert!(texts[0].contains("secret-of-dev") && texts[3].contains("of the test split are counted"));
    assert!(!console::render(&held).contains("lacks: secret-of-test"));
    let counts = |report: &Report| report.cases.iter().filter(|case| case.passed).count();
    assert_eq!(counts(&held), counts(&whole));
}

#[test]
fn the_difference_for_a_pull_request() {
    let before = report(&graded(), &[]);
    let mut rows = graded();
    rows[0] = as_error(&rows[0]);
    rows[9] = as_error(&rows[9]);
    insta::assert_snapshot!(diff::render_markdown(&before, &report(&rows, &[])));
}

#[test]
fn the_schema_is_the_published_one() {
    let published = std::fs::read_to_string("../docs/report.schema.json").unwrap();
    assert_eq!(
        published,
        schema::schema(),
        "the layout changed; write it with: plumbline-eval schema > docs/report.schema.json"
    );
}

/// A report fits the published schema, and one with another layout does not.
#[test]
fn a_report_fits_its_schema() {
    let schema: Value = serde_json::from_str(&schema::schema()).unwrap();
    let mut written = serde_json::to_value(report(&hostile(), &GATES)).unwrap();
    assert_eq!(misfit(&schema, &schema, &written), None);
    written["cases"][3]["kind"] = "maybe".into();
    assert!(misfit(&schema, &schema, &written).unwrap().contains("maybe"));
    written["cases"][3].as_object_mut().unwrap().remove("kind");
    assert!(misfit(&schema, &schema, &written).unwrap().contains("kind"));
}

/// The first place where a value does not fit, by the keywords that the schema uses.
fn misfit(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).expect(name);
        return misfit(root, target, value);
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[keyword].as_array()
            && choices.iter().all(|choice| misfit(root, choice, value).is_some())
        {
            return Some(format!("none of {keyword} fits {value}"));
        }
    }
    let same = |wanted: &Value| wanted == value;
    if schema["enum"]
        .as_array()
        .is_some_and(|names| !names.iter().any(same))
        || schema.get("const").is_some_and(|wanted| !same(wanted))
    {
        return Some(format!("{value} is no choice of {schema}"));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() || number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = types.contains(&kind) || (kind == "integer" && types.contains(&"number"));
    if !types.is_empty() && !fits {
        return Some(format!("{value} is no {types:?}"));
    }
    let required = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    if let Some(missing) = required.into_iter().find(|&name| value.get(name).is_none()) {
        return Some(format!("{missing} is missing"));
    }
    let inside = schema["properties"].as_object().into_iter().flatten();
    let inside = inside.filter_map(|(name, schema)| Some((schema, value.get(name)?)));
    let items = value
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| (&schema["items"], item));
    inside
        .chain(items)
        .find_map(|(schema, value)| misfit(root, schema, value))
}
