//! A golden directory of one text document.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The document: one line per case.
pub(crate) fn corpus_text(cases: usize) -> String {
    let line = |i| format!("Article number {i:03} is returned within {i} days of delivery.\n");
    let lines: Vec<String> = (0..cases).map(line).collect();
    lines.concat()
}

/// A directory that is removed at the end of the test.
pub(crate) struct GoldenDir(TempDir);

impl GoldenDir {
    /// `cases` answerable cases about `returns.txt`.
    pub(crate) fn new(cases: usize) -> Self {
        let golden = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(golden.path().join("corpus")).unwrap();
        std::fs::create_dir_all(golden.path().join("cases")).unwrap();
        golden.write("golden.toml", "name = \"small\"\ncorpus_manifest_sha256 = \"\"\n");
        golden.write("corpus/returns.txt", &corpus_text(cases));
        let lines: Vec<String> = (0..cases).map(|i| case(i).to_string()).collect();
        golden.write("cases/returns.jsonl", &(lines.join("\n") + "\n"));
        golden
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path().join(file), text).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).unwrap()
    }

    pub(crate) fn report(&self) -> PathBuf {
        self.path().join("report")
    }
}

/// One answerable case.
pub(crate) fn case(i: usize) -> Value {
    json!({
        "id": format!("return-{i:03}"), "kind": "answerable", "route": "commodity", "lang": "en",
        "question": format!("When may I bring back article {i:03}?"), "source": "human",
        "evidence": [{
            "group": 1, "doc": "returns.txt",
            "quote": format!("Article number {i:03} is returned within {i} days of delivery."),
        }],
        "must_include": [format!("{i} days")],
    })
}

/// Runs the binary.
pub(crate) fn eval(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plumbline-eval"))
        .args(args)
        .env("EVAL_TEST_KEY", "secret")
        .env_remove("DATABASE_URL")
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

/// Code and last line of the output, after checking that they agree.
pub(crate) fn verdict(output: &Output) -> (i32, String) {
    let code = output.status.code().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last = stdout.lines().last().unwrap_or_default().to_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(last.starts_with(&format!("exit {code}: ")), "{last}\n{stderr}");
    (code, last)
}
