//! What the pages of the eval show, from rows to HTML.

use askama::Template;
use chrono::{DateTime, Duration, TimeZone, Utc};
use plumbline_store::{EvalRun, EvalState, JudgedRun, TrendPoint};
use serde_json::{Value, json};
use uuid::Uuid;

use super::cases::Asked;
use super::compare::{ComparePage, CompareView, Judged};
use super::history::{EvalsPart, History, Material as HistoryMaterial};
use super::report::Report;
use super::run::{EvalPage, Material, RunView};
use crate::pages::layout::Shell;

const EVIL: &str = "<script>alert(1)</script>\" onclick=\"x";

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 16, 0, 0).unwrap()
}

fn run(number: u128, state: EvalState) -> JudgedRun {
    let at = now() - Duration::hours(30 - i64::try_from(number).unwrap());
    JudgedRun {
        run: EvalRun {
            id: Uuid::from_u128(number),
            version_id: None,
            settings_version: None,
            state,
            exit_code: Some(i32::from(state == EvalState::Refused)),
            cause: "all 7 blocking gates passed".to_owned(),
            created_at: at,
            started_at: Some(at),
            finished_at: Some(at + Duration::seconds(48)),
        },
        document_id: None,
        document_title: None,
        version_number: None,
        deleted: false,
        live: false,
        metrics: Some(metrics(0.8, 140.0)),
        made_on: Some(
            json!({ "golden": "shop", "selection": "all", "cases": 3, "coverage": 1.0, "mode": "live" }),
        ),
    }
}

fn of_version(run: JudgedRun) -> JudgedRun {
    JudgedRun {
        run: EvalRun {
            version_id: Some(Uuid::from_u128(77)),
            ..run.run
        },
        document_id: Some(Uuid::from_u128(7)),
        document_title: Some("Prices".to_owned()),
        version_number: Some(3),
        ..run
    }
}

fn metrics(recall: f64, p95: f64) -> Value {
    let share =
        |point: f64| json!({ "value": { "k": 4, "n": 5, "point": point, "lower": 0.6, "upper": 0.9 } });
    json!([
        { "name": "recall_at_5", "direction": "high", "unit": "share", "measured": share(recall) },
        { "name": "false_abstention", "direction": "low", "unit": "share", "measured": share(1.0 - recall) },
        { "name": "hallucination_rate", "direction": "low", "unit": "share",
          "measured": { "value": { "k": 1, "n": 4, "point": 0.25, "lower": 0.1, "upper": 0.5 }, "undecided": 2 } },
        { "name": "p95_latency_ms", "direction": "low", "unit": "milliseconds",
          "measured": { "value": { "k": 420, "n": 442, "point": p95, "lower": 90.0, "upper": null } } },
    ])
}

fn report(recall: f64, passed: bool) -> Report {
    let answer = if passed {
        "It costs GHS 120."
    } else {
        "It costs GHS 150. Anything else?"
    };
    let report = json!({
        "run": { "golden": "shop", "selection": "all", "cases": 3, "corpus_manifest_sha256": "a", "coverage": 1.0 },
        "gates": [{ "gate": { "metric": "recall_at_5", "threshold": 0.79, "proof": "point", "severity": "block" },
                    "measured": { "value": { "k": 4, "n": 5, "point": recall, "lower": 0.6, "upper": 0.9 } },
                    "direction": "high", "unit": "share", "verdict": if passed { "pass" } else { "fail" },
                    "reason": if passed { None } else { Some("74.0 % is below the threshold") } }],
        "metrics": metrics(recall, 140.0),
        "slices": [{ "slice": "lang:es", "n": 2, "recall_at_5": 0.5, "correct_abstention": null }],
        "regression": { "fixed": ["a", "b"], "broke": [{ "id": "price-lamp", "problems": [] }], "still_failing": [] },
        "cases": [
            { "id": "hello", "kind": "chitchat", "passed": true, "question": "hi", "observed": "answered" },
            { "id": "price-lamp", "kind": "answerable", "passed": passed, "slices": ["lang:es"],
              "history": [{ "role": "customer", "text": "I saw a lamp" }],
              "question": "how much is it?", "observed": "answered", "route": "reasoning", "expected_route": "commodity",
              "problems": if passed { vec![] } else { vec!["claims: number 150"] },
              "expected": [{ "document": "prices.csv", "quote": "Aurora lamp,120", "rank": 7 }],
              "unsupported": if passed { vec![] } else { vec![json!({ "text": "It costs GHS 150.", "why": "number 150" })] },
              "top": [{ "document": "prices.csv", "holds": [], "text": "Dawn lamp,80" },
                      { "document": "prices.csv", "holds": ["1"], "text": "Aurora lamp,120" }],
              "answer": answer, "wall_ms": 41.0 },
            { "id": "held-back", "kind": "answerable", "passed": false, "withheld": true, "question": "" },
        ],
    });
    Report::read(report).unwrap()
}

fn page(run: &JudgedRun, report: Option<&Report>, change: impl FnOnce(&mut Material<'_>)) -> String {
    let asked = Asked::default();
    let mut material = Material {
        run,
        report,
        unproven: None,
        version_before: Some((Uuid::from_u128(76), 2)),
        settings_before: Some(4),
        compare_href: None,
        asked: &asked,
    };
    change(&mut material);
    let view = RunView::new(&material);
    let (shell, notices) = (Shell::visitor(), Vec::new());
    main_of(&EvalPage { shell, notices, view }.render().unwrap())
}

/// The page without its frame, whose links carry hashes.
fn main_of(html: &str) -> String {
    let (from, to) = (html.find("<main").unwrap(), html.find("</main>").unwrap());
    html[from..to].to_owned()
}

#[test]
fn the_history_shows_verdicts_figures_and_their_trend() {
    let mut broken = of_version(run(2, EvalState::Broken));
    broken.run.cause = "plumbline-eval could not be started".to_owned();
    (broken.metrics, broken.made_on) = (None, None);
    let mut live = run(1, EvalState::Passed);
    (live.run.settings_version, live.live) = (Some(5), true);
    let mut running = run(3, EvalState::Running);
    running.metrics = None;
    let trend = [(0.8, EvalState::Passed), (0.74, EvalState::Refused)].map(|(recall, state)| TrendPoint {
        id: Uuid::nil(),
        state,
        created_at: now(),
        metrics: metrics(recall, 140.0),
    });
    let runs = [running, broken, run(4, EvalState::Refused), live];
    let view = History::new(&HistoryMaterial {
        runs: &runs,
        total: 4,
        page: 1,
        trend: &trend,
        drafts: 2,
        now: now(),
    });
    assert!(view.pending && view.previous.is_none() && view.next.is_none());
    insta::assert_snapshot!(EvalsPart { view }.render().unwrap());
}

#[test]
fn a_run_shows_its_gates_and_what_failed_first() {
    let refused = of_version(run(4, EvalState::Refused));
    let html = page(&refused, Some(&report(0.74, false)), |material| {
        material.unproven = Some("its eval run did not pass");
    });
    insta::assert_snapshot!(html);
}

#[test]
fn what_can_be_done_follows_from_what_is_live() {
    let buttons = |run: &JudgedRun, unproven: Option<&'static str>| -> Vec<String> {
        let html = page(run, None, |material| material.unproven = unproven);
        let cut = html.split("<button class=\"button").skip(1);
        cut.map(|rest| rest[rest.find('>').unwrap() + 1..rest.find('<').unwrap()].to_owned())
            .collect()
    };
    let mut version = of_version(run(4, EvalState::Refused));
    assert_eq!(
        buttons(&version, Some("refused")),
        ["Publish anyway", "Run it again"]
    );
    version.live = true;
    assert_eq!(buttons(&version, None), ["Roll back to version 2"]);
    version.deleted = true;
    assert!(buttons(&version, None).is_empty());
    let mut settings = run(4, EvalState::Queued);
    settings.run.settings_version = Some(6);
    assert_eq!(buttons(&settings, None), ["Put into force anyway"]);
    (settings.live, settings.run.state) = (true, EvalState::Passed);
    assert_eq!(buttons(&settings, None), ["Roll back to settings 4"]);
    assert!(
        buttons(&run(1, EvalState::Passed), None).is_empty(),
        "only recorded"
    );
}

#[test]
fn a_report_of_another_layout_is_told_and_can_be_read_as_json() {
    let html = page(&run(1, EvalState::Passed), None, |_| {});
    assert!(
        html.contains("another version of the program") && html.contains("/report.json"),
        "{html}"
    );
}

#[test]
fn two_runs_are_compared_case_by_case() {
    let runs = [run(2, EvalState::Refused), run(1, EvalState::Passed)];
    let (old, mut new) = (report(0.8, true), report(0.74, false));
    "b".clone_into(&mut new.run.corpus_manifest_sha256);
    "hi there".clone_into(&mut new.cases[0].question);
    let compared = |a, b| {
        let side = |run, report| Judged { run, report };
        CompareView::new(&runs, Some((side(&runs[1], a), side(&runs[0], b))))
    };
    let view = compared(&old, &new);
    let told: Vec<(&str, usize)> = view
        .groups
        .iter()
        .map(|group| (group.label, group.count))
        .collect();
    assert_eq!(told, [("Broken", 1), ("Fixed", 0), ("Still failing", 1)]);
    let noticed: Vec<&str> = view.notices.iter().map(|notice| notice.text.as_str()).collect();
    assert_eq!(
        noticed,
        [
            "The documents changed between them.",
            "1 case had another question before and is left out below."
        ]
    );
    let shell = Shell::visitor();
    insta::assert_snapshot!(main_of(&ComparePage { shell, view }.render().unwrap()));
    let back = compared(&new, &old);
    assert_eq!(back.groups[1].count, 1, "the other way round it is fixed");
    assert_eq!(
        (back.metrics[0].tone, back.metrics[0].change.as_str()),
        ("ok", "+6.0 points")
    );
    let alone = CompareView::new(&runs[..1], None);
    let shell = Shell::visitor();
    let html = ComparePage { shell, view: alone }.render().unwrap();
    assert!(html.contains("Nothing to compare yet"));
}

#[test]
fn words_of_customers_and_reports_are_text() {
    let mut hostile = of_version(run(4, EvalState::Refused));
    hostile.run.cause = EVIL.to_owned();
    hostile.document_title = Some(EVIL.to_owned());
    let mut report = report(0.74, false);
    report.slices[0].slice = EVIL.to_owned();
    report.gates[0].reason = Some(EVIL.to_owned());
    for case in &mut report.cases {
        (case.id, case.question) = (EVIL.to_owned(), EVIL.to_owned());
        (case.answer, case.problems) = (EVIL.to_owned(), vec![EVIL.to_owned()]);
        for hit in &mut case.top {
            hit.text = EVIL.to_owned();
        }
    }
    let html = page(&hostile, Some(&report), |_| {});
    assert!(
        !html.contains("<script>") && !html.contains("\" onclick"),
        "{html}"
    );
    assert!(html.contains("&#60;script&#62;"));
}
