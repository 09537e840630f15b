//! The ratchet on real repositories and directories.

use std::path::Path;
use std::process::Command;

use crate::golden_dir::{GoldenDir, eval, verdict};

const GATES: &str = "[[gate]]\nmetric = \"recall_at_5\"\nmin = 0.8\n";

fn git(dir: &Path, args: &[&str]) {
    let settings = [
        "-c",
        "user.name=test",
        "-c",
        "user.email=test@example.org",
        "-c",
        "commit.gpgsign=false",
    ];
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(settings)
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A repository whose first commit holds the set and its gates.
fn repository() -> GoldenDir {
    let golden = GoldenDir::new(4);
    golden.write("gates.toml", GATES);
    git(golden.path(), &["init", "--quiet", "--initial-branch=main"]);
    git(golden.path(), &["add", "."]);
    git(golden.path(), &["commit", "--quiet", "--message=first"]);
    golden
}

fn ratchet(golden: &GoldenDir, base: &str) -> (i32, String, String) {
    let (dir, gates) = (golden.path().to_string_lossy(), golden.path().join("gates.toml"));
    let output = eval(&[
        "ratchet",
        "--base",
        base,
        "--golden",
        &dir,
        "--gates",
        &gates.to_string_lossy(),
    ]);
    let (code, last) = verdict(&output);
    (code, last, String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn laxer_rules_are_found_against_a_commit_and_waived_with_a_date() {
    let golden = repository();
    let (code, last, _) = ratchet(&golden, "main");
    assert!(
        code == 0 && last.contains("no rule is laxer than in main"),
        "{last}"
    );

    golden.write("gates.toml", &GATES.replace("0.8", "0.6"));
    let cases = golden.read("cases/returns.jsonl");
    let kept: Vec<&str> = cases
        .lines()
        .filter(|line| !line.contains("return-002"))
        .collect();
    golden.write("cases/returns.jsonl", &kept.join("\n"));
    let (code, last, told) = ratchet(&golden, "main");
    assert!(
        code == 1 && last.contains("2 rules are laxer than in main"),
        "{last}"
    );
    assert!(
        told.contains("finding  threshold:recall_at_5: 0.8 -> 0.6"),
        "{told}"
    );
    assert!(told.contains("finding  case-deleted:return-002"), "{told}");

    let waive = |day: &str| {
        let waiver = |finding: &str| {
            format!(
                "[[waiver]]\nfinding = \"{finding}\"\nreason = \"the supplier changed\"\nexpires = \"{day}\"\n"
            )
        };
        let both = waiver("threshold:recall_at_5") + &waiver("case-deleted:*");
        golden.write("gates.toml", &(GATES.replace("0.8", "0.6") + &both));
    };
    waive("2999-01-31");
    let (code, _, told) = ratchet(&golden, "main");
    assert!(
        code == 0 && told.contains("waived   case-deleted:return-002"),
        "{told}"
    );
    waive("2020-01-31");
    let (code, _, told) = ratchet(&golden, "main");
    assert!(
        code == 1 && told.contains("finding  waiver-expired:case-deleted:*"),
        "{told}"
    );
}

#[test]
fn a_new_set_has_nothing_to_be_laxer_than() {
    let golden = repository();
    git(
        golden.path(),
        &[
            "rm",
            "--quiet",
            "-r",
            "--cached",
            "cases",
            "gates.toml",
            "golden.toml",
        ],
    );
    git(golden.path(), &["commit", "--quiet", "--message=without"]);
    assert_eq!(ratchet(&golden, "HEAD").0, 0);
}

#[test]
fn a_base_that_is_not_there_is_no_pass() {
    let golden = repository();
    let (code, last, _) = ratchet(&golden, "origin/main");
    assert!(code == 2 && last.contains("fetch it first"), "{last}");
}

#[test]
fn a_directory_serves_as_well_as_a_commit() {
    let (base, now) = (repository(), repository());
    now.write(
        "gates.toml",
        &GATES.replace("min = 0.8", "min = 0.8\nseverity = \"warn\""),
    );
    let output = Command::new(env!("CARGO_BIN_EXE_plumbline-eval"))
        .current_dir(now.path())
        .args([
            "ratchet",
            "--base",
            &base.path().to_string_lossy(),
            "--golden",
            ".",
            "--gates",
            "gates.toml",
        ])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.code() == Some(1) && told.contains("severity:recall_at_5: block -> warn"),
        "{told}"
    );
}
