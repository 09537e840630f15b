//! One test per exit code and per promise of the gate, on the real binary.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::golden_dir::{GoldenDir, case, corpus_text, eval, verdict};
use crate::server::{Behaviour, answer, start};

const CASES: usize = 80;

/// Runs the eval of a golden directory against a server with the given behaviour.
fn run(golden: &GoldenDir, behaviour: Behaviour, more: &[&str]) -> (i32, String, String) {
    let url = start(golden.read("corpus/returns.txt"), behaviour);
    let (dir, report) = (golden.path().to_string_lossy(), golden.report());
    let report = report.to_string_lossy();
    let mut args = vec![
        "run",
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

fn good(rank: impl Fn(usize) -> usize + Send + Sync + 'static) -> Behaviour {
    let corpus = corpus_text(CASES);
    Arc::new(move |number| Some(answer(&corpus, number, rank(number))))
}

const GATES: [&str; 8] = [
    "--gate",
    "recall_at_5=0.75",
    "--gate",
    "citation_resolves=1",
    "--gate",
    "answer_correct=0.9",
    "--gate",
    "p95_latency_ms=60000",
];

#[test]
fn zero_when_every_gate_passes() {
    let golden = GoldenDir::new(CASES);
    let (code, last, console) = run(&golden, good(|_| 1), &GATES);
    assert_eq!(code, 0, "{console}");
    assert!(last.contains("all 4 blocking gates passed"), "{last}");
    assert_eq!(
        console.lines().filter(|line| line.starts_with("PASS ")).count(),
        4,
        "{console}"
    );
    let report: Value = serde_json::from_str(&golden.read("report/report.json")).unwrap();
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["exit"]["code"], 0);
    assert_eq!(report["cases"][7]["top"][0]["holds"], json!(["1"]));
    assert!(golden.read("report/report.md").contains("Eval gate passed"));
}

#[test]
fn one_when_the_ranking_is_shuffled_or_dropped() {
    let golden = GoldenDir::new(CASES);
    let (code, last, console) = run(&golden, good(|number| number * 7 % 10 + 1), &GATES);
    assert_eq!(code, 1);
    assert!(last.contains("recall_at_5"), "{last}");
    assert!(
        console
            .lines()
            .any(|line| line.starts_with("FAIL ") && line.contains("recall_at_5")),
        "{console}"
    );

    let corpus = corpus_text(CASES);
    let dropped: Behaviour = Arc::new(move |number| {
        let mut reply = answer(&corpus, number, 1);
        reply["hits"] = json!([]);
        Some(reply)
    });
    assert_eq!(run(&golden, dropped, &GATES).0, 1);
}

#[test]
fn one_when_citations_do_not_resolve() {
    let golden = GoldenDir::new(CASES);
    let corpus = corpus_text(CASES);
    let drifted: Behaviour = Arc::new(move |number| {
        let mut reply = answer(&corpus, number, 1);
        let start = reply["citations"][0]["start"].as_u64().unwrap_or_default();
        reply["citations"][0]["start"] = json!(start + 1);
        Some(reply)
    });
    let (code, last, _) = run(&golden, drifted, &GATES);
    assert_eq!(code, 1);
    assert!(last.contains("citation_resolves"), "{last}");
}

#[test]
fn two_for_lint_errors_bad_gates_and_missing_directories() {
    let golden = GoldenDir::new(3);
    let dir = golden.path().to_string_lossy().into_owned();
    let mut twice = case(0);
    twice["evidence"][0]["doc"] = json!("unknown.pdf");
    golden.write("cases/zz.jsonl", &format!("{twice}\n{{\"id\": 7}}\n"));
    let output = eval(&["lint", "--golden", &dir]);
    assert_eq!(verdict(&output).0, 2);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("zz.jsonl:2: "),
        "{output:?}"
    );

    golden.write("cases/zz.jsonl", &format!("{twice}\n"));
    let output = eval(&["lint", "--golden", &dir]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(verdict(&output).0, 2);
    assert!(
        told.contains("zz.jsonl:1: error: return-000: id: is already used at"),
        "{told}"
    );
    assert!(told.contains("unknown document `unknown.pdf`"), "{told}");
    assert_eq!(verdict(&eval(&["run", "--golden", &dir])).0, 2);

    std::fs::remove_file(golden.path().join("cases/zz.jsonl")).unwrap();
    let (code, last) = verdict(&eval(&["run", "--golden", &dir, "--gate", "recal=0.5"]));
    assert_eq!(code, 2);
    assert!(last.contains("known are recall_at_5"), "{last}");
    golden.write(
        "gates.toml",
        "[[gate]]\nmetric = \"recall_at_5\"\nmin = 0.5\nslice = \"lang:xx\"\n",
    );
    let gates = golden.path().join("gates.toml").to_string_lossy().into_owned();
    let (code, last) = verdict(&eval(&["run", "--golden", &dir, "--gates", &gates]));
    assert_eq!(code, 2);
    assert!(last.contains("unknown slice `lang:xx`"), "{last}");
    assert_eq!(verdict(&eval(&["run", "--golden", "/nowhere"])).0, 2);
    assert_eq!(eval(&["run", "--no-such-flag"]).status.code(), Some(2));
}

#[test]
fn three_when_the_sample_decides_nothing() {
    let golden = GoldenDir::new(CASES);
    // 80 clean replies prove at most W⁺(0, 80) = 3.3 %.
    let demand = ["--gate", "hallucination_rate=0.02"];
    let (code, last, _) = run(&golden, good(|_| 1), &demand);
    assert_eq!(code, 3);
    assert!(last.contains("too few"), "{last}");
    let (code, last, _) = run(
        &golden,
        good(|_| 1),
        &[&demand[..], &["--allow-inconclusive"]].concat(),
    );
    assert_eq!(code, 0);
    assert!(last.contains("allowed to be inconclusive"), "{last}");
}

#[test]
fn three_when_verdicts_are_missing_and_zero_when_they_are_there() {
    let golden = GoldenDir::new(CASES);
    let corpus = corpus_text(CASES);
    let inventive: Behaviour = Arc::new(move |number| {
        let mut reply = answer(&corpus, number, 1);
        if number < 5 {
            let text = format!("{} Bring it to Kofi.", reply["text"].as_str().unwrap_or_default());
            reply["text"] = json!(text);
            reply["sentences"][0]["text"] = json!(text);
        }
        Some(reply)
    });
    let demand = ["--gate", "hallucination_rate=0.05"];
    let (code, last, _) = run(&golden, Arc::clone(&inventive), &demand);
    assert_eq!(code, 3);
    assert!(
        last.contains("5 flagged replies and a sample of 75 others wait for a verdict"),
        "{last}"
    );

    // On the point the screen is believed: only what it flagged has to be judged.
    golden.write(
        "point.toml",
        "[[gate]]\nmetric = \"hallucination_rate\"\nmax = 0.01\nevidence = \"point\"\n",
    );
    let point = golden.path().join("point.toml").to_string_lossy().into_owned();
    let (code, last, _) = run(&golden, Arc::clone(&inventive), &["--gates", &point]);
    assert!(
        code == 3 && last.contains("5 replies wait for a verdict"),
        "{last}"
    );

    let (dir, report) = (
        golden.path().to_string_lossy().into_owned(),
        golden.report().to_string_lossy().into_owned(),
    );
    let judge = |more: &[&str], by: &str, from: &str, to: &str| {
        let listed = eval(&[&["verdicts", "list", "--report", &report][..], more].concat());
        let sheet = String::from_utf8_lossy(&listed.stdout).into_owned();
        golden.write(
            "sheet.jsonl",
            &sheet.replace("\"TODO\"", "\"ok\"").replace(from, to),
        );
        let file = golden.path().join("sheet.jsonl").to_string_lossy().into_owned();
        let (code, last) = verdict(&eval(&[
            "verdicts", "import", &file, "--by", by, "--golden", &dir,
        ]));
        assert_eq!(code, 0, "{last}");
        sheet.lines().count()
    };
    assert_eq!(judge(&[], "ama", "", ""), 80);
    let (code, last, _) = run(&golden, Arc::clone(&inventive), &demand);
    assert!(
        code == 3 && last.contains("0 of the 80 judged replies were judged by a second person, 8 have to be"),
        "{last}"
    );
    assert_eq!(judge(&["--second", "kofi"], "kofi", "", ""), 8);
    assert_eq!(run(&golden, Arc::clone(&inventive), &demand).0, 0);
    assert_eq!(verdict(&eval(&["verdicts", "agreement", "--golden", &dir])).0, 0);

    // Thinking again: every reply that names Kofi is an invention, five of eighty.
    let verdicts = golden.read("verdicts.jsonl");
    let convicted = |line: &str| {
        ["000", "001", "002", "003", "004"]
            .iter()
            .any(|n| line.contains(&format!("return-{n}")))
    };
    let lines: Vec<String> = verdicts
        .lines()
        .map(|line| {
            if convicted(line) {
                line.replace("\"ok\"", "\"hallucinated\"")
            } else {
                line.to_owned()
            }
        })
        .collect();
    golden.write("verdicts.jsonl", &lines.join("\n"));
    assert_eq!(run(&golden, inventive, &demand).0, 1);
}

#[test]
fn four_when_the_corpus_moved_away_and_repin_mends_what_can_be_mended() {
    let golden = GoldenDir::new(3);
    let dir = golden.path().to_string_lossy().into_owned();
    assert_eq!(verdict(&eval(&["repin", "--golden", &dir])).0, 0);
    assert!(
        !golden.read("cases/returns.jsonl").contains("\"start\""),
        "shown only"
    );
    assert_eq!(verdict(&eval(&["repin", "--golden", &dir, "--write"])).0, 0);
    let pinned = golden.read("cases/returns.jsonl");
    assert!(pinned.contains("\"start\":0,"), "{pinned}");

    // A line more at the top moves every span; repin finds them again.
    golden.write("corpus/returns.txt", &format!("Returns\n\n{}", corpus_text(3)));
    let output = eval(&["repin", "--golden", &dir, "--write"]);
    assert_eq!(verdict(&output).0, 0);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains(" -> "),
        "{output:?}"
    );
    assert_ne!(golden.read("cases/returns.jsonl"), pinned);

    // The server still answers from the old bytes: its offsets and facts are not those of the set.
    let url = start(corpus_text(3), good(|_| 1));
    let args = [
        "run",
        "--golden",
        &dir,
        "--target",
        &url,
        "--api-key-env",
        "EVAL_TEST_KEY",
    ];
    let (code, last) = verdict(&eval(&args));
    assert_eq!(code, 4);
    assert!(last.contains("returns.txt"), "{last}");

    golden.write("corpus/returns.txt", &corpus_text(2));
    let (code, last) = verdict(&eval(&["run", "--golden", &dir]));
    assert_eq!(code, 4);
    assert!(last.contains("1 stale cases"), "{last}");
    assert_eq!(verdict(&eval(&["repin", "--golden", &dir])).0, 4);
}

#[test]
fn five_when_the_target_fails_and_errors_stay_in_the_denominator() {
    let golden = GoldenDir::new(CASES);
    let corpus = corpus_text(CASES);
    let failing: Behaviour = Arc::new(move |number| (number % 10 != 0).then(|| answer(&corpus, number, 1)));
    let (code, last, console) = run(&golden, failing, &GATES);
    assert_eq!(code, 5);
    assert!(last.contains("8 of 80 cases"), "{last}");
    assert!(console.contains("72/80"), "{console}");

    let corpus = corpus_text(CASES);
    let mute: Behaviour = Arc::new(move |number| {
        let mut reply = answer(&corpus, number, 1);
        if number % 10 == 0 {
            (reply["text"], reply["sentences"], reply["citations"]) = (json!(""), json!([]), json!([]));
            reply["outcome"] = json!("abstained");
        }
        Some(reply)
    });
    let (code, last, _) = run(&golden, mute, &GATES);
    assert_eq!(
        (
            code,
            last.contains("8 of 80 cases came back as an error or empty")
        ),
        (5, true),
        "{last}"
    );

    let dir = golden.path().to_string_lossy();
    let nobody = [
        "run",
        "--golden",
        &dir,
        "--target",
        "http://127.0.0.1:9",
        "--api-key-env",
        "EVAL_TEST_KEY",
    ];
    assert_eq!(verdict(&eval(&nobody)).0, 5);
    let wrong_key = start(corpus_text(CASES), good(|_| 1));
    let args = [
        "run",
        "--golden",
        &dir,
        "--target",
        &wrong_key,
        "--api-key-env",
        "PATH",
    ];
    assert_eq!(verdict(&eval(&args)).0, 5);
}

#[test]
fn an_abstention_is_read_from_the_field() {
    let golden = GoldenDir::new(CASES);
    let corpus = corpus_text(CASES);
    let shy: Behaviour = Arc::new(move |number| {
        let mut reply = answer(&corpus, number, 1);
        if number % 2 == 0 {
            reply["outcome"] = json!("abstained");
        } else {
            reply["text"] = json!("I am sorry, I do not know that.");
        }
        Some(reply)
    });
    let (_, _, console) = run(&golden, shy, &[]);
    let line = console
        .lines()
        .find(|line| line.starts_with("false_abstention"))
        .unwrap();
    assert!(line.contains("40/80"), "{line}");
}

#[test]
fn the_difference_of_two_runs_is_told_case_by_case() {
    let golden = GoldenDir::new(CASES);
    run(&golden, good(|_| 1), &[]);
    let before = golden.path().join("before.json");
    std::fs::rename(golden.report().join("report.json"), &before).unwrap();
    run(&golden, good(|number| if number == 3 { 9 } else { 1 }), &[]);
    let output = eval(&[
        "diff",
        &before.to_string_lossy(),
        &golden.report().to_string_lossy(),
    ]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0));
    assert!(told.contains("broken: 1\n  return-003: recall@5 0.00"), "{told}");
    assert!(told.contains("fixed: 0"), "{told}");
}

#[test]
fn json_goes_to_stdout_alone() {
    let golden = GoldenDir::new(CASES);
    let url = start(corpus_text(CASES), good(|_| 1));
    let dir = golden.path().to_string_lossy();
    let args = [
        "run",
        "--golden",
        &dir,
        "--target",
        &url,
        "--api-key-env",
        "EVAL_TEST_KEY",
        "--json",
    ];
    let output = eval(&args);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report["exit"]["code"].as_i64(),
        output.status.code().map(i64::from)
    );
}
