//! The gate against the real pipeline: real PostgreSQL, real model, real search, from files to the exit code.

use plumbline_eval::gate::exit::decide;
use plumbline_eval::gate::judge::judge_all;
use plumbline_eval::gate::spec::parse_flag;
use plumbline_eval::golden::load::load;
use plumbline_eval::golden::pin::pin;
use plumbline_eval::golden::texts::read_texts;
use plumbline_eval::machine::Machine;
use plumbline_eval::metrics::grade::{Graded, grade};
use plumbline_eval::progress::Progress;
use plumbline_eval::target::local::{Local, LocalSettings};
use plumbline_eval::target::{Reply, VersionTexts};
use plumbline_store::Settings;
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
    // a file that nobody can read is told, and no reason to judge nothing
    golden.write("corpus/cover.txt", "");
    let output = run(&[]);
    let (code, last) = verdict(&output);
    assert_eq!(code, 0, "{last}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("left out: cover.txt: "), "{told}");

    let broken = golden.path().join("broken.toml");
    std::fs::write(&broken, "[retrieval]\nlexical = false\n").unwrap();
    let (code, last) = verdict(&run(&["--settings", broken.to_str().unwrap()]));
    assert!(code == 1 && last.contains("recall_at_5"), "{last}");
}

/// One leg off and the ranks shuffled, on the answers of the real answerer.
#[test]
fn a_leg_off_and_shuffled_ranks_turn_the_gate_red() {
    let golden_dir = golden();
    let data = tempfile::tempdir().unwrap();
    let runtime = plumbline_store::testing::find_runtime();
    // the program brings the corpus in: files are read by a child process, which a test program cannot be
    let (dir, at) = (golden_dir.path().to_str().unwrap(), data.path().to_str().unwrap());
    let whole = [
        "run",
        "--golden",
        dir,
        "--data",
        at,
        "--runtime",
        runtime.to_str().unwrap(),
    ];
    assert_eq!(verdict(&eval(&whole)).0, 0);

    let machine = Machine {
        runtime: runtime.clone(),
        ..Machine::default()
    };
    let mut settings = Settings::default();
    settings.retrieval.lexical = false;
    let local = LocalSettings {
        data: data.path().to_owned(),
        database_url: None,
        settings,
        tape: None,
    };
    let golden = load(golden_dir.path()).unwrap();
    let texts = read_texts(&golden, &machine.limits()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let graded: Vec<Graded> = runtime.block_on(async {
        let target = Local::open(&local, &machine, &golden, &Progress::new())
            .await
            .unwrap();
        let mut graded = Vec::new();
        for located in &golden.cases {
            let spans = pin(&located.case, &golden.docs, &texts).unwrap();
            let mut answer = target.ask(&located.case).await.unwrap();
            answer.hits.reverse();
            let reply = Reply {
                answer: Ok(answer),
                calls: Vec::new(),
                wall_ms: 1.0,
                live: true,
            };
            graded.push(grade(
                &located.case,
                &spans,
                reply,
                &VersionTexts::new(),
                &golden.verdicts,
            ));
        }
        graded
    });
    let results = judge_all(&[parse_flag("recall_at_5=0.9").unwrap()], &graded);
    let exit = decide(&graded, &results, false);
    assert!(exit.code == 1 && exit.cause.contains("recall_at_5"), "{exit}");
}
