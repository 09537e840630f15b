//! Tuning and ablation through the real pipeline and the real binary.

use std::process::Output;

use plumbline_eval::golden::split::{Split, split_of};
use serde_json::{Value, json};

use crate::golden_dir::{GoldenDir, case, eval, verdict};

const CASES: usize = 40;

fn run(golden: &GoldenDir, data: &tempfile::TempDir, command: &str, more: &[&str]) -> Output {
    let runtime = plumbline_store::testing::find_runtime();
    let mut args = vec![command, "--golden", golden.path().to_str().unwrap()];
    args.extend(["--data", data.path().to_str().unwrap()]);
    args.extend(["--runtime", runtime.to_str().unwrap()]);
    args.extend(more);
    eval(&args)
}

/// Returns, and a few questions that the document does not answer.
fn golden() -> GoldenDir {
    let golden = GoldenDir::new(CASES);
    let lines: Vec<String> = (0..12)
        .map(|i| {
            json!({
                "id": format!("unknown-{i}"), "kind": "unanswerable", "route": "commodity", "lang": "en",
                "question": format!("Who is the manufacturer of article {i:03} and where is it made?"), "source": "human",
            })
            .to_string()
        })
        .collect();
    golden.write("cases/unknown.jsonl", &lines.join("\n"));
    golden
}

/// A quote that is nowhere: who asks this case ends with 4.
fn lost(id: &str) -> String {
    let mut lost: Value = case(1);
    lost["id"] = json!(id);
    lost["question"] = json!("What does the lost page say about opening hours?");
    lost["evidence"][0]["quote"] = json!("This sentence is in no document at all.");
    lost.to_string()
}

#[test]
fn settings_are_tuned_on_the_dev_split_alone_and_say_where_they_come_from() {
    let (golden, data) = (golden(), tempfile::tempdir().unwrap());
    let of = |side: Split| {
        (0..99)
            .map(|i| format!("lost-{i}"))
            .find(|id| split_of(id) == side)
            .unwrap()
    };
    golden.write("cases/lost.jsonl", &lost(&of(Split::Test)));
    let file = golden.path().join("tuned.toml");
    let out = ["--out", file.to_str().unwrap()];
    let output = run(&golden, &data, "tune", &out);
    assert_eq!(verdict(&output).0, 0, "{output:?}");

    let settings: toml::Table = toml::from_str(&golden.read("tuned.toml")).unwrap();
    let provenance = &settings["provenance"];
    assert_eq!(provenance["version"].as_integer(), Some(1));
    assert_eq!(provenance["split"].as_str(), Some("dev"));
    for hash in ["dataset_sha256", "corpus_manifest_sha256", "code"] {
        assert_eq!(provenance[hash].as_str().map(str::len), Some(64), "{hash}");
    }
    let asked = (0..CASES)
        .filter(|i| split_of(&format!("return-{i:03}")) == Split::Dev)
        .count()
        + (0..12)
            .filter(|i| split_of(&format!("unknown-{i}")) == Split::Dev)
            .count();
    assert_eq!(provenance["cases"].as_integer(), i64::try_from(asked).ok());
    assert!(
        settings["retrieval"]["lexical_weight"].is_float() && settings["answer"]["min_confidence"].is_float()
    );
    let tried = golden.read("tuned.md");
    assert!(
        tried.contains("| dense only") && tried.contains("**kept**"),
        "{tried}"
    );

    // the same search again is the next version, and the file is one that a run takes
    assert_eq!(verdict(&run(&golden, &data, "tune", &out)).0, 0);
    let again: toml::Table = toml::from_str(&golden.read("tuned.toml")).unwrap();
    assert_eq!(again["provenance"]["version"].as_integer(), Some(2));
    assert_eq!(again["retrieval"], settings["retrieval"]);
    let dev = ["--split", "dev", "--settings", file.to_str().unwrap()];
    assert_eq!(verdict(&run(&golden, &data, "run", &dev)).0, 0);

    // the same lost case on the side that is asked
    golden.write("cases/lost.jsonl", &lost(&of(Split::Dev)));
    assert_eq!(verdict(&run(&golden, &data, "tune", &out)).0, 4);
}

#[test]
fn an_ablation_fails_when_fusion_does_not_pay() {
    let (golden, data) = (golden(), tempfile::tempdir().unwrap());
    let output = run(&golden, &data, "ablate", &["--split", "all"]);
    let (code, last) = verdict(&output);
    assert_eq!(code, 0, "{last}");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    for row in ["| lexical only", "| dense only", "| fused "] {
        assert!(told.contains(row), "{told}");
    }
    // no search is half a point better than itself
    let demanding = run(&golden, &data, "ablate", &["--split", "all", "--epsilon=-0.5"]);
    assert_eq!(verdict(&demanding).0, 1);
}
