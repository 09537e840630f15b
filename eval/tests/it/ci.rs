//! What a user's pipeline calls: the templates lead to the one command, and the command tells the truth.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use yaml_rust2::{Yaml, YamlLoader};

use crate::golden_dir::{GoldenDir, corpus_text};
use crate::server::{Behaviour, answer, start};

const CASES: usize = 12;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn yaml(file: &str) -> Yaml {
    let text = std::fs::read_to_string(repository().join(file)).unwrap();
    let mut documents = YamlLoader::load_from_str(&text).unwrap();
    assert_eq!(documents.len(), 1, "{file}");
    documents.remove(0)
}

/// Every line of shell in a job's steps that asks questions.
fn gate_lines(steps: &[&str]) -> Vec<String> {
    let lines = steps.iter().flat_map(|step| step.lines());
    lines
        .filter(|line| line.contains("eval.sh") || line.contains("plumbline-eval"))
        .map(ToOwned::to_owned)
        .collect()
}

fn runs(job: &Yaml) -> Vec<&str> {
    let steps = job["steps"].as_vec().unwrap().iter();
    steps.filter_map(|step| step["run"].as_str()).collect()
}

/// A step that may fail unseen must not be the one that asks.
fn no_gate_step_may_fail(job: &Yaml) {
    assert!(job["continue-on-error"].is_badvalue());
    for step in job["steps"].as_vec().unwrap() {
        if step["run"].as_str().is_some_and(|run| run.contains("eval.sh")) {
            assert!(
                step["continue-on-error"].is_badvalue() && step["if"].is_badvalue(),
                "{step:?}"
            );
        }
    }
}

#[test]
fn the_reusable_workflow_calls_the_one_command() {
    let workflow = yaml(".github/workflows/gate.yml");
    let inputs = &workflow["on"]["workflow_call"]["inputs"];
    for input in ["plumbline", "ref", "golden", "gates", "arguments", "comment"] {
        assert!(inputs[input]["type"].as_str().is_some(), "{input}");
    }
    let job = &workflow["jobs"]["gate"];
    let lines = gate_lines(&runs(job));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].trim().starts_with(".plumbline/ci/eval.sh "), "{lines:?}");
    no_gate_step_may_fail(job);
    for variable in ["PLUMBLINE_GOLDEN", "PLUMBLINE_GATES", "PLUMBLINE_REPORT"] {
        assert!(job["env"][variable].as_str().is_some(), "{variable}");
    }
    // what a stranger writes into an input must stay an argument and never become shell
    assert!(!lines[0].contains("${{"));
}

#[test]
fn our_own_pipeline_calls_the_one_command() {
    let workflow = yaml(".github/workflows/eval.yml");
    let job = &workflow["jobs"]["gate"];
    assert_eq!(gate_lines(&runs(job)), ["make build && ci/eval.sh"]);
    no_gate_step_may_fail(job);
}

#[test]
fn the_gitlab_example_calls_the_one_command_and_shows_its_cases() {
    let pipeline = yaml("ci/examples/gitlab-ci.yml");
    let job = &pipeline["eval gate"];
    let script: Vec<&str> = job["script"]
        .as_vec()
        .unwrap()
        .iter()
        .filter_map(Yaml::as_str)
        .collect();
    assert_eq!(script, [".plumbline/ci/eval.sh"]);
    assert!(job["allow_failure"].is_badvalue(), "a red gate blocks");
    assert_eq!(job["artifacts"]["when"].as_str(), Some("always"));
    let report = pipeline["variables"]["PLUMBLINE_REPORT"].as_str().unwrap();
    let junit = job["artifacts"]["reports"]["junit"].as_str().unwrap();
    assert_eq!(format!("$CI_PROJECT_DIR/{junit}"), format!("{report}/report.xml"));
}

/// Runs ci/eval.sh on a golden directory, against a server.
fn script(golden: &GoldenDir, rank: usize, summary: &Path) -> Output {
    let corpus = corpus_text(CASES);
    let behaviour: Behaviour = Arc::new(move |number| Some(answer(&corpus, number, rank)));
    let url = start(golden.read("corpus/returns.txt"), behaviour);
    golden.write("gates.toml", "[[gate]]\nmetric = \"recall_at_5\"\nmin = 0.9\n");
    let target = Path::new(env!("CARGO_BIN_EXE_plumbline-eval"))
        .parent()
        .unwrap()
        .parent()
        .unwrap();
    Command::new(repository().join("ci/eval.sh"))
        .args(["--target", &url, "--api-key-env", "EVAL_TEST_KEY"])
        .env("EVAL_TEST_KEY", "secret")
        .env("CARGO_TARGET_DIR", target)
        .env("PLUMBLINE_GOLDEN", golden.path())
        .env("PLUMBLINE_GATES", golden.path().join("gates.toml"))
        .env("PLUMBLINE_REPORT", golden.report())
        .env("GITHUB_STEP_SUMMARY", summary)
        .env_remove("PLUMBLINE_BASE")
        .output()
        .unwrap()
}

#[test]
fn the_command_hands_on_exit_code_summary_and_every_report() {
    let golden = GoldenDir::new(CASES);
    let summary = golden.path().join("summary.md");
    let green = script(&golden, 1, &summary);
    assert_eq!(green.status.code(), Some(0), "{green:?}");
    for file in [
        "report.json",
        "report.md",
        "report.xml",
        "report.html",
        "run.json",
    ] {
        assert!(golden.report().join(file).is_file(), "{file}");
    }
    let red = script(&golden, 9, &summary);
    assert_eq!(red.status.code(), Some(1), "{red:?}");
    let told = std::fs::read_to_string(&summary).unwrap();
    assert!(
        told.contains("Eval gate passed") && told.contains("Eval gate not passed"),
        "{told}"
    );
    assert!(golden.read("report/report.xml").contains("<failure"));

    // nobody answers: the report of the run before must not be taken for this one's
    golden.write("cases/returns.jsonl", "{\"id\": 7}\n");
    assert_eq!(script(&golden, 1, &summary).status.code(), Some(2));
    assert!(!golden.report().join("report.json").exists());
}
