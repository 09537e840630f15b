//! What users of other evaluation tools complain about, one test each. Every one of them would fail if we had the fault.

use std::collections::BTreeSet;
use std::sync::Arc;

use plumbline_eval::gate::baseline::{Baseline, Hashes, Outcome, SCHEMA_VERSION};
use plumbline_eval::gate::regression::compare;
use plumbline_eval::gate::spec::parse_flag;
use plumbline_eval::gate::{Gate, Verdict};
use plumbline_eval::golden::split::Selection;
use plumbline_eval::metrics::Observed;
use plumbline_eval::stats::random::SplitMix64;
use plumbline_eval::stats::real;
use serde_json::{Value, json};

use crate::golden_dir::{GoldenDir, case, corpus_text, eval, verdict};
use crate::server::{Behaviour, answer, start};

const CASES: usize = 80;

struct Ran {
    code: i32,
    last: String,
    console: String,
    report: Value,
}

impl Ran {
    /// `k/n` and point of a metric.
    fn metric(&self, name: &str) -> (f64, u64, f64) {
        let rows = self.report["metrics"].as_array().unwrap();
        let value = &rows.iter().find(|row| row["name"] == name).unwrap()["measured"]["value"];
        (
            value["k"].as_f64().unwrap(),
            value["n"].as_u64().unwrap(),
            value["point"].as_f64().unwrap_or(f64::INFINITY),
        )
    }
}

fn run(golden: &GoldenDir, behaviour: Behaviour, gates: &[&str]) -> Ran {
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
    for gate in gates {
        args.extend(["--gate", gate]);
    }
    let output = eval(&args);
    let (code, last) = verdict(&output);
    Ran {
        code,
        last,
        console: String::from_utf8_lossy(&output.stdout).into_owned(),
        report: serde_json::from_str(&golden.read("report/report.json")).unwrap(),
    }
}

/// The right answer, changed by `change`; `None` is a failed call.
fn replies(change: impl Fn(usize, Value) -> Option<Value> + Send + Sync + 'static) -> Behaviour {
    let corpus = corpus_text(CASES);
    Arc::new(move |number| change(number, answer(&corpus, number, 1)))
}

#[test]
fn complaint_01_failed_rows_leave_the_denominator_and_the_score_rises() {
    let golden = GoldenDir::new(CASES);
    let wrong = |mut reply: Value| {
        reply["hits"] = json!([]);
        reply
    };
    let before = run(
        &golden,
        replies(move |i, reply| Some(if i < 4 { wrong(reply) } else { reply })),
        &[],
    );
    // The four wrong ones fail altogether, and one good one with them.
    let after = run(&golden, replies(|i, reply| (i > 4).then_some(reply)), &[]);
    assert_eq!(
        (before.metric("recall_at_5").0, before.metric("recall_at_5").1),
        (76.0, 80)
    );
    assert_eq!(
        (after.metric("recall_at_5").0, after.metric("recall_at_5").1),
        (75.0, 80)
    );
    assert_eq!(
        after.code, 5,
        "and too many of them are no verdict at all: {}",
        after.last
    );
}

#[test]
fn complaint_02_the_same_system_scores_differently_from_run_to_run() {
    let golden = GoldenDir::new(CASES);
    let figures = || {
        let ran = run(
            &golden,
            replies(|i, reply| {
                Some(if i % 7 == 0 {
                    json!({"hits": []})
                } else {
                    reply.clone()
                })
                .map(|change| {
                    let mut reply = reply;
                    if change["hits"] == json!([]) {
                        reply["text"] = json!("It depends on Kofi.");
                        reply["sentences"][0]["text"] = json!("It depends on Kofi.");
                    }
                    reply
                })
            }),
            &["answer_correct=0.5"],
        );
        let metrics = ran.report["metrics"].as_array().unwrap().iter();
        let timeless: Vec<String> = metrics
            .filter(|row| row["name"] != "p95_latency_ms")
            .map(ToString::to_string)
            .collect();
        (ran.code, ran.last, timeless)
    };
    let first = figures();
    for _ in 0..2 {
        assert_eq!(figures(), first);
    }
}

#[test]
fn complaint_03_the_verdict_on_the_screen_and_the_exit_code_differ() {
    let golden = GoldenDir::new(CASES);
    let some_wrong = || {
        replies(|i, mut reply| {
            if i % 10 == 0 {
                reply["hits"] = json!([]);
            }
            Some(reply)
        })
    };
    // A rate is asked for, so that single failures are no failure of the gate …
    let enough = run(&golden, some_wrong(), &["recall_at_5=0.85"]);
    assert_eq!(enough.code, 0, "{}", enough.console);
    // … and whatever fails is told by line, last line and code alike.
    let few = run(
        &golden,
        some_wrong(),
        &["recall_at_5=0.95", "citation_resolves=1"],
    );
    let lines = |of: &str| few.console.lines().filter(|line| line.starts_with(of)).count();
    assert_eq!(
        (few.code, lines("FAIL "), lines("PASS ")),
        (1, 1, 1),
        "{}",
        few.console
    );
    assert_eq!(few.report["exit"]["code"], 1);
    assert!(
        few.last.starts_with("exit 1: gate failed: recall_at_5"),
        "{}",
        few.last
    );
}

#[test]
fn complaint_04_thresholds_are_lowered_until_the_pipeline_is_green() {
    let (base, now) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (dir, min) in [(&base, "0.7"), (&now, "0.6")] {
        let gate = format!("[[gate]]\nmetric = \"recall_at_5\"\nmin = {min}\n");
        std::fs::write(dir.path().join("gates.toml"), gate).unwrap();
    }
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_plumbline-eval"))
        .current_dir(now.path())
        .args(["ratchet", "--golden", ".", "--gates", "gates.toml", "--base"])
        .arg(base.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("threshold:recall_at_5: 0.7 -> 0.6"), "{told}");
}

#[test]
fn complaint_05_gold_rots_when_the_corpus_is_ingested_again() {
    let golden = GoldenDir::new(CASES);
    let dir = golden.path().to_string_lossy().into_owned();
    assert_eq!(verdict(&eval(&["repin", "--golden", &dir, "--write"])).0, 0);
    // A preface moves every passage, and the new pipeline cuts differently: each hit holds the line before it, too.
    let moved = format!("Preface.\n\n{}", corpus_text(CASES));
    golden.write("corpus/returns.txt", &moved);
    let recut: Behaviour = Arc::new(move |number| {
        let mut reply = answer(&moved, number, 1);
        for hit in reply["hits"].as_array_mut().unwrap() {
            let start = usize::try_from(hit["start"].as_u64().unwrap()).unwrap();
            let from = moved[..start.saturating_sub(1)]
                .rfind('\n')
                .map_or(0, |at| at + 1);
            let end = usize::try_from(hit["end"].as_u64().unwrap()).unwrap();
            (hit["start"], hit["text"]) = (json!(from), json!(moved[from..end]));
            hit["chunk_id"] = json!(format!("00000000-0000-0000-0001-{from:012}"));
        }
        Some(reply)
    });
    let ran = run(&golden, recut, &["recall_at_5=1", "mrr=0.5"]);
    assert_eq!(
        (ran.code, ran.metric("recall_at_5").0),
        (0, 80.0),
        "{}",
        ran.console
    );
    assert_eq!(ran.report["run"]["relocated"], 80);
}

#[test]
fn complaint_06_gold_made_by_the_retriever_under_test_scores_one() {
    let golden = GoldenDir::new(3);
    let mut circular = case(1);
    (circular["id"], circular["source"]) = (json!("circular"), json!("retriever"));
    circular["question"] = json!("Until when does article one go back?");
    golden.write("cases/circular.jsonl", &circular.to_string());
    let dir = golden.path().to_string_lossy();
    let output = eval(&["lint", "--golden", &dir]);
    assert_eq!(verdict(&output).0, 2);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("circular") && told.contains("source"), "{told}");
    assert_eq!(verdict(&eval(&["run", "--golden", &dir])).0, 2);
}

#[test]
fn complaint_07_abstentions_are_recognised_by_their_phrases() {
    let golden = GoldenDir::new(CASES);
    let words = [
        "No lo sé, lo siento.",
        "Je ne trouve pas cela.",
        "Article number 000 is returned within 0 days of delivery.",
    ];
    let silent = run(
        &golden,
        replies(move |i, mut reply| {
            reply["outcome"] = json!("abstained");
            reply["text"] = json!(words[i % 3]);
            reply["sentences"] = json!([]);
            Some(reply)
        }),
        &["false_abstention=0.1"],
    );
    // Whatever the words and citations: the field says abstained. Refusing everything fails.
    assert_eq!(silent.metric("false_abstention"), (80.0, 80, 1.0));
    assert_eq!(
        silent.metric("hallucination_rate").1,
        0,
        "an abstention is no hallucination"
    );
    assert_eq!(silent.code, 1);
    let sorry = run(
        &golden,
        replies(|_, mut reply| {
            let text = format!("I am sorry, I do not know. {}", reply["text"].as_str().unwrap());
            reply["text"] = json!(text);
            Some(reply)
        }),
        &[],
    );
    assert_eq!(sorry.metric("false_abstention"), (0.0, 80, 0.0));
    let empty = run(
        &golden,
        replies(|_, mut reply| {
            (reply["text"], reply["sentences"], reply["citations"]) = (json!(""), json!([]), json!([]));
            Some(reply)
        }),
        &[],
    );
    assert_eq!(
        empty.code, 5,
        "an empty reply is an error, not a hallucination: {}",
        empty.last
    );
}

#[test]
fn complaint_08_a_cached_reply_passes_the_latency_gate() {
    let golden = GoldenDir::new(CASES);
    let live = run(
        &golden,
        replies(|_, reply| Some(reply)),
        &["p95_latency_ms=60000"],
    );
    assert_eq!(live.code, 0, "{}", live.console);
    let (dir, stored) = (golden.path().to_string_lossy(), golden.report().join("run.json"));
    let again = eval(&[
        "score",
        &stored.to_string_lossy(),
        "--golden",
        &dir,
        "--gate",
        "p95_latency_ms=60000",
    ]);
    let (code, last) = verdict(&again);
    assert!(code == 3 && last.contains("live"), "{last}");
}

#[test]
fn complaint_09_a_stale_cache_answers_for_something_that_changed() {
    let golden = GoldenDir::new(CASES);
    let suspicious = |evidence: &'static str| {
        replies(move |i, mut reply| {
            if i == 7 {
                let text = format!("{} Ask Kofi.", reply["text"].as_str().unwrap());
                (reply["text"], reply["sentences"][0]["text"]) = (json!(text), json!(text));
                let quote = reply["citations"][0]["quote"].as_str().unwrap();
                let shorter = quote.strip_suffix(evidence).unwrap_or(quote).to_owned();
                reply["citations"][0]["end"] =
                    json!(reply["citations"][0]["start"].as_u64().unwrap() + shorter.len() as u64);
                reply["citations"][0]["quote"] = json!(shorter);
            }
            Some(reply)
        })
    };
    let flagged = |ran: &Ran| ran.report["hallucination"]["undecided"].as_u64().unwrap();
    assert_eq!(flagged(&run(&golden, suspicious(""), &[])), 1);
    let sheet = golden.read("report/verdicts.todo.jsonl");
    golden.write("sheet.jsonl", &sheet.replace("\"TODO\"", "\"ok\""));
    let (dir, file) = (
        golden.path().to_string_lossy().into_owned(),
        golden.path().join("sheet.jsonl"),
    );
    assert_eq!(
        verdict(&eval(&[
            "verdicts",
            "import",
            &file.to_string_lossy(),
            "--by",
            "ama",
            "--golden",
            &dir
        ]))
        .0,
        0
    );
    assert_eq!(
        flagged(&run(&golden, suspicious(""), &[])),
        0,
        "the verdict holds"
    );
    assert_eq!(
        flagged(&run(&golden, suspicious(" of delivery."), &[])),
        1,
        "other evidence, other verdict"
    );
}

fn outcome(i: usize, good: bool, wall_ms: f64) -> Outcome {
    Outcome {
        id: format!("case-{i:03}"),
        case_sha256: "0".into(),
        cluster: format!("case:{i}"),
        passed: good,
        observed: Observed::Answered,
        gold_route: None,
        route: None,
        answer_sha256: None,
        wall_ms: Some(wall_ms),
        scores: [("answer_correct".to_owned(), if good { 1.0 } else { 0.0 })].into(),
        slices: BTreeSet::new(),
        problems: Vec::new(),
    }
}

fn compared(gate: Gate, before: Vec<Outcome>, now: &[Outcome]) -> Verdict {
    let baseline = Baseline {
        schema_version: SCHEMA_VERSION,
        started_at: chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        target: "in-process".into(),
        selection: Selection::All,
        hashes: Hashes::default(),
        cases: before,
    };
    compare(&[gate], &baseline, now, Selection::All)
        .tests
        .remove(0)
        .verdict
}

/// 220 cases, 132 right before and 118 after, 20 broken and 6 fixed: a z-test that forgets the pairs says p = .09, McNemar
/// says .005.
#[test]
fn complaint_10_paired_runs_are_compared_by_an_unpaired_test() {
    let before: Vec<Outcome> = (0..220).map(|i| outcome(i, i < 132, 10.0)).collect();
    let now: Vec<Outcome> = (0..220)
        .map(|i| outcome(i, (20..138).contains(&i), 10.0))
        .collect();
    let share = |rows: &[Outcome]| real(rows.iter().filter(|row| row.passed).count()) / 220.0;
    let (p1, p2) = (share(&before), share(&now));
    let pooled = f64::midpoint(p1, p2);
    let z = (p1 - p2) / (pooled * (1.0 - pooled) * 2.0 / 220.0).sqrt();
    assert!(z < 1.645, "the wrong test sees nothing: z = {z}");
    assert_eq!(
        compared(parse_flag("answer_correct=0.1").unwrap(), before, &now),
        Verdict::Fail
    );
}

/// The same system on a busy machine: calls take between once and three times as long, at random.
#[test]
fn complaint_11_latency_on_shared_runners_raises_false_alarms() {
    let mut random = SplitMix64::new(11);
    let mut noisy = || -> Vec<Outcome> {
        (0..200)
            .map(|i| outcome(i, true, 20.0 + real(random.below(40))))
            .collect()
    };
    for _ in 0..30 {
        let gate = Gate {
            max_regression: Some(0.5),
            ..parse_flag("p95_latency_ms=1000").unwrap()
        };
        assert_eq!(compared(gate, noisy(), &noisy()), Verdict::Pass);
    }
    // Too few calls are no verdict, however fast they were.
    let golden = GoldenDir::new(20);
    let few = run(
        &golden,
        replies(|_, reply| Some(reply)),
        &["p95_latency_ms=60000"],
    );
    assert_eq!(few.code, 3, "{}", few.last);
}

#[test]
fn complaint_12_agreement_is_quoted_without_a_definition_and_without_kappa() {
    let golden = GoldenDir::new(CASES);
    let good = || replies(|_, reply| Some(reply));
    run(&golden, good(), &[]);
    let sheet = golden.read("report/verdicts.todo.jsonl");
    let (dir, report) = (
        golden.path().to_string_lossy().into_owned(),
        golden.report().to_string_lossy().into_owned(),
    );
    let import = |text: &str, by: &str| {
        golden.write("sheet.jsonl", text);
        let file = golden.path().join("sheet.jsonl").to_string_lossy().into_owned();
        assert_eq!(
            verdict(&eval(&[
                "verdicts", "import", &file, "--by", by, "--golden", &dir
            ]))
            .0,
            0
        );
    };
    import(&sheet.replace("\"TODO\"", "\"ok\""), "ama");
    run(&golden, good(), &[]);
    let second = eval(&["verdicts", "list", "--second", "kofi", "--report", &report]);
    let second = String::from_utf8_lossy(&second.stdout).into_owned();
    // Kofi holds half of them for harmless extras: raw agreement .5, and no kappa to speak of.
    let split: Vec<String> = second
        .lines()
        .enumerate()
        .map(|(i, line)| line.replace("\"TODO\"", if i % 2 == 0 { "\"ok\"" } else { "\"benign-extra\"" }))
        .collect();
    import(&split.join("\n"), "kofi");
    let (code, told) = verdict(&eval(&["verdicts", "agreement", "--golden", &dir]));
    assert!(
        code == 3 && told.contains("kappa 0.00") && told.contains("base rate"),
        "{told}"
    );
    let ran = run(&golden, good(), &["hallucination_rate=0.05"]);
    assert!(
        ran.code == 3 && ran.last.contains("verdicts prove nothing"),
        "{}",
        ran.last
    );

    // The clause about extras is written down, and it decides.
    let counts = |counts: bool| {
        let policy =
            format!("name = \"small\"\n[verdicts]\nbenign_extra_counts = {counts}\ndouble_label = 0.1\n");
        golden.write("golden.toml", &policy);
        run(&golden, good(), &[]).report["hallucination"]["convicted"]
            .as_u64()
            .unwrap()
    };
    assert_eq!((counts(false), counts(true)), (0, 4));
}
