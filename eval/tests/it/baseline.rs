//! The accepted outcomes, from the command line to the exit code.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::golden_dir::{GoldenDir, case, corpus_text, eval, verdict};
use crate::server::{Behaviour, answer, start};

const CASES: usize = 80;

/// Answers that find the evidence at `rank`.
fn ranked(rank: impl Fn(usize) -> usize + Send + Sync + 'static) -> Behaviour {
    let corpus = corpus_text(CASES);
    Arc::new(move |number| Some(answer(&corpus, number, rank(number))))
}

fn run(golden: &GoldenDir, command: &str, behaviour: Behaviour, more: &[&str]) -> (i32, String, String) {
    let url = start(golden.read("corpus/returns.txt"), behaviour);
    let (dir, report) = (golden.path().to_string_lossy(), golden.report());
    let report = report.to_string_lossy();
    let mut args = vec![
        command,
        "--golden",
        &dir,
        "--target",
        &url,
        "--api-key-env",
        "EVAL_TEST_KEY",
    ];
    args.extend(["--report", &report]);
    args.extend(more);
    let output = eval(&args);
    let (code, last) = verdict(&output);
    (code, last, String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A gate so low that only a comparison can fail.
const GATE: [&str; 2] = ["--gate", "success_at_5=0.1"];

fn accepted() -> GoldenDir {
    let golden = GoldenDir::new(CASES);
    assert_eq!(
        run(
            &golden,
            "baseline",
            ranked(|_| 1),
            &[&GATE[..], &["--write"]].concat()
        )
        .0,
        0
    );
    golden
}

#[test]
fn a_significant_drop_fails_although_the_threshold_is_met() {
    let golden = accepted();
    let (code, _, console) = run(&golden, "run", ranked(|_| 1), &GATE);
    assert_eq!(code, 0);
    assert!(
        console.contains("80 pairs, 0 broke, 0 fixed, 0 still failing; 0 new, 0 rewritten, 0 missing"),
        "{console}"
    );

    let (code, last, console) = run(&golden, "run", ranked(|i| if i < 8 { 9 } else { 1 }), &GATE);
    assert_eq!(code, 1, "{console}");
    assert!(
        last.contains("success_at_5 got worse by 0.100: 8 broke, 0 were fixed"),
        "{last}"
    );
    assert!(console.contains("broke  return-003: recall@5 0.00"), "{console}");
    assert!(golden.read("report/report.md").contains("broke: return-003"));
    let report: Value = serde_json::from_str(&golden.read("report/report.json")).unwrap();
    assert_eq!(report["regression"]["broke"].as_array().map(Vec::len), Some(8));
    assert_eq!(
        report["run"]["hashes"]["baseline_sha256"].as_str().map(str::len),
        Some(64)
    );

    // Three broken cases may be chance; nobody named a margin.
    assert_eq!(
        run(&golden, "run", ranked(|i| if i < 3 { 9 } else { 1 }), &GATE).0,
        0
    );
    assert_eq!(
        run(
            &golden,
            "run",
            ranked(|i| if i < 8 { 9 } else { 1 }),
            &["--no-baseline", GATE[0], GATE[1]]
        )
        .0,
        0
    );
}

#[test]
fn a_margin_that_is_exceeded_does_not_pass() {
    let golden = accepted();
    golden.write(
        "gates.toml",
        "[[gate]]\nmetric = \"success_at_5\"\nmin = 0.1\nmax_regression = 0.02\n",
    );
    let gates = golden.path().join("gates.toml").to_string_lossy().into_owned();
    let broken = |n: usize| ranked(move |i| if i < n { 9 } else { 1 });
    assert_eq!(
        run(&golden, "run", broken(1), &["--gates", &gates]).0,
        0,
        "1 of 80 is within two points"
    );
    let (code, last, _) = run(&golden, "run", broken(3), &["--gates", &gates]);
    assert!(code == 3 && last.contains("cannot tell it from chance"), "{last}");
    std::fs::remove_file(golden.path().join("baseline.json")).unwrap();
    let (code, last, _) = run(&golden, "run", broken(0), &["--gates", &gates]);
    assert!(code == 3 && last.contains("baseline --write"), "{last}");
}

#[test]
fn a_case_that_disappears_fails_and_a_new_one_is_told() {
    let golden = accepted();
    let lines: Vec<String> = (1..CASES).map(|i| case(i).to_string()).collect();
    golden.write("cases/returns.jsonl", &lines.join("\n"));
    let mut added = case(0);
    added["id"] = json!("return-new");
    golden.write("cases/new.jsonl", &added.to_string());
    let (code, last, console) = run(&golden, "run", ranked(|_| 1), &GATE);
    assert_eq!(code, 1);
    assert!(
        last.contains("1 cases of the baseline were not asked: return-000"),
        "{last}"
    );
    assert!(
        console.contains("79 pairs") && console.contains("new  return-new"),
        "{console}"
    );
}

#[test]
fn nothing_is_accepted_from_a_system_that_is_down() {
    let golden = GoldenDir::new(CASES);
    let down: Behaviour = Arc::new(|_| None);
    assert_eq!(run(&golden, "baseline", down, &["--write"]).0, 5);
    assert!(!golden.path().join("baseline.json").exists());
    let missing = golden.path().join("none.json").to_string_lossy().into_owned();
    assert_eq!(run(&golden, "run", ranked(|_| 1), &["--baseline", &missing]).0, 2);
}

#[test]
fn what_the_set_can_see_is_said_before_it_is_asked() {
    let golden = GoldenDir::new(CASES);
    let url = start(golden.read("corpus/returns.txt"), ranked(|_| 1));
    let dir = golden.path().to_string_lossy();
    let gates = ["--gate", "recall_at_5=0.7", "--gate", "hallucination_rate=0.02"];
    let mut args = vec![
        "run",
        "--golden",
        &dir,
        "--target",
        &url,
        "--api-key-env",
        "EVAL_TEST_KEY",
    ];
    args.extend(gates);
    let output = eval(&args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let (sees, asks) = (
        told.find("recall_at_5: 80 cases can see a drop of"),
        told.find("asking: 80"),
    );
    assert!(sees.is_some() && sees < asks, "{told}");
    assert!(
        told.contains("133 cases without a failure: too few here"),
        "{told}"
    );
}
