//! Recorded, replayed and stored replies, through the real pipeline and the real binary.

use std::path::Path;

use serde_json::{Value, json};

use crate::golden_dir::{GoldenDir, corpus_text, eval, verdict};

/// Enough live calls for a 95th percentile, after the warm-up.
const CASES: usize = 66;

struct Replay {
    golden: GoldenDir,
    data: tempfile::TempDir,
}

impl Replay {
    fn run(&self, more: &[&str]) -> (i32, String) {
        self.command("run", more)
    }

    fn command(&self, command: &str, more: &[&str]) -> (i32, String) {
        let runtime = plumbline_store::testing::find_runtime();
        let (golden, report) = (self.golden.path(), self.golden.report());
        let mut args = vec![command];
        args.extend(more);
        let fixed = [
            ("--golden", golden),
            ("--data", self.data.path()),
            ("--runtime", &runtime),
            ("--report", &report),
        ];
        args.extend(fixed.iter().flat_map(|(flag, path)| [*flag, text(path)]));
        verdict(&eval(&args))
    }

    fn report(&self) -> Value {
        serde_json::from_str(&self.golden.read("report/report.json")).unwrap()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const RECALL: [&str; 2] = ["--gate", "recall_at_5=0.5"];
const LATENCY: [&str; 4] = ["--gate", "recall_at_5=0.5", "--gate", "p95_latency_ms=600000"];

/// Complaints 8 and 9 of every other tool: a cached reply that passes a latency gate, and a cache that does not see a change.
#[test]
fn a_recording_answers_only_what_it_was_made_of_and_is_never_fast() {
    let replay = Replay {
        golden: GoldenDir::new(CASES),
        data: tempfile::tempdir().unwrap(),
    };
    let tape = replay.golden.path().join("tape");
    let (record, play) = (["--record", text(&tape)], ["--replay", text(&tape)]);
    let (code, last) = replay.run(&[&LATENCY[..], &record].concat());
    assert_eq!(code, 0, "{last}");
    let live = replay.report();
    assert_eq!(live["run"]["mode"], "live");

    // whole replies: the same figures, the recording's latency, and no gate on it
    assert_eq!(replay.run(&[&RECALL[..], &play].concat()).0, 0);
    let replayed = replay.report();
    assert_eq!(replayed["run"]["mode"], "replayed");
    assert_eq!(replayed["metrics"][0], live["metrics"][0]);
    let case = |report: &Value| {
        (
            report["cases"][9]["wall_ms"].clone(),
            report["cases"][9]["timed"].clone(),
        )
    };
    assert_eq!(case(&replayed), (case(&live).0, json!(false)));
    let (code, last) = replay.run(&[&LATENCY[..], &play].concat());
    assert!(code == 3 && last.contains("replayed"), "{last}");

    // model calls only: the rest runs, and is no latency either
    let model = [&LATENCY[..], &play, &["--replay-stage", "model"]].concat();
    let (code, last) = replay.run(&model);
    assert!(code == 3 && last.contains("replayed"), "{last}");
    assert_eq!(replay.report()["metrics"][0], live["metrics"][0]);

    let settings = replay.golden.path().join("settings.toml");
    std::fs::write(&settings, "[answer]\nmax_sentences = 1\n").unwrap();
    let (code, last) = replay.run(&[&play[..], &["--settings", text(&settings)]].concat());
    assert!(code == 5 && last.contains("66 calls were not recorded"), "{last}");
    let (code, last) = replay.run(&[&model[..], &["--settings", text(&settings)]].concat());
    assert!(code == 5 && last.contains("were not recorded"), "{last}");

    let cases = replay.golden.read("cases/returns.jsonl");
    replay.golden.write(
        "cases/returns.jsonl",
        &cases.replace("article 001?", "that article 001?"),
    );
    let (code, last) = replay.run(&play);
    assert!(code == 5 && last.contains("1 calls were not recorded"), "{last}");
    replay.golden.write("cases/returns.jsonl", &cases);

    replay.golden.write(
        "corpus/returns.txt",
        &(corpus_text(CASES) + "Closed on Mondays.\n"),
    );
    let (code, last) = replay.run(&play);
    assert!(code == 5 && last.contains("66 calls were not recorded"), "{last}");
}

#[test]
fn stored_replies_are_scored_again_without_a_call() {
    let replay = Replay {
        golden: GoldenDir::new(CASES),
        data: tempfile::tempdir().unwrap(),
    };
    assert_eq!(replay.run(&RECALL).0, 0);
    let live = replay.report();
    let file = replay.golden.path().join("run.json");
    std::fs::rename(replay.golden.report().join("run.json"), &file).unwrap();
    let nobody = tempfile::tempdir().unwrap();
    let replay = Replay {
        data: nobody,
        ..replay
    };

    assert_eq!(
        replay.command("score", &[&[text(&file)], &RECALL[..]].concat()).0,
        0
    );
    assert_eq!(replay.report()["run"]["mode"], "rescored");
    for (before, after) in live["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .zip(replay.report()["metrics"].as_array().unwrap())
    {
        if before["name"] != "p95_latency_ms" {
            assert_eq!(before, after);
        }
    }
    assert!(
        replay.data.path().read_dir().unwrap().next().is_none(),
        "no database was started"
    );
    let (code, last) = replay.command("score", &[&[text(&file)], &LATENCY[..]].concat());
    assert!(code == 3 && last.contains("replayed"), "{last}");

    // a reply to another question is no reply, and a case that was not asked has none
    let cases = replay.golden.read("cases/returns.jsonl");
    replay.golden.write(
        "cases/returns.jsonl",
        &cases.replace("When may I", "Till when may I"),
    );
    assert_eq!(replay.command("score", &[text(&file)]).0, 5);
    replay.golden.write("cases/returns.jsonl", &cases);
    replay.golden.write(
        "corpus/returns.txt",
        &(corpus_text(CASES) + "Closed on Mondays.\n"),
    );
    assert_eq!(replay.command("score", &[text(&file)]).0, 4);
}
