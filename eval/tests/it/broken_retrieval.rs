//! The gate against the real pipeline: real PostgreSQL, real model, real search, from files to the exit code.

use serde_json::json;

use crate::golden_dir::{GoldenDir, eval, verdict};

const DOCUMENTS: usize = 40;

/// Near twins: only the article's name tells them apart, so that finding the right one needs both legs.
fn golden() -> GoldenDir {
    let golden = GoldenDir::new(1);
    let mut cases = Vec::new();
    for i in 0..DOCUMENTS {
        let sentence = format!(
            "Article TX-{i:03} may be returned within {} days of delivery.",
            i + 3
        );
        golden.write(&format!("corpus/article-{i:03}.txt"), &sentence);
        let case = json!({
            "id": format!("article-{i:03}"), "kind": "answerable", "route": "commodity", "lang": "en",
            "question": format!("how many days do I have to send back a tx{i:03}?"), "source": "human",
            "evidence": [{ "group": 1, "doc": format!("article-{i:03}.txt"), "quote": sentence }],
            "must_include": [format!("{} days", i + 3)],
        });
        cases.push(case.to_string());
    }
    golden.write("cases/articles.jsonl", &cases.join("\n"));
    golden
}

#[test]
fn a_retrieval_that_lost_a_leg_turns_the_gate_red() {
    let golden = golden();
    let data = tempfile::tempdir().unwrap();
    let runtime = plumbline_store::testing::find_runtime();
    let path = golden.path().to_str().unwrap().to_owned();
    let run = |settings: &[&str]| {
        let mut args = vec!["run", "--golden", &path, "--gate", "recall_at_5=0.9"];
        args.extend([
            "--data",
            data.path().to_str().unwrap(),
            "--runtime",
            runtime.to_str().unwrap(),
        ]);
        args.extend(settings);
        eval(&args)
    };
    let (code, last) = verdict(&run(&[]));
    assert_eq!(code, 0, "{last}");

    let broken = golden.path().join("broken.toml");
    std::fs::write(&broken, "[retrieval]\nlexical = false\n").unwrap();
    let (code, last) = verdict(&run(&["--settings", broken.to_str().unwrap()]));
    assert!(code == 1 && last.contains("recall_at_5"), "{last}");
}
