//! A team's own set, without a line of code: documents and one file of cases, or documents alone to begin with.

use std::fmt::Write as _;
use std::process::Output;

use crate::golden_dir::{eval, verdict};

/// The number of prompts in the request that this project answers.
const PROMPTS: usize = 412;

fn on(dir: &tempfile::TempDir, command: &str, more: &[&str]) -> Output {
    let mut args = vec![command, "--golden", dir.path().to_str().unwrap()];
    args.extend(more);
    eval(&args)
}

fn write(dir: &tempfile::TempDir, file: &str, text: &str) {
    let path = dir.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_folder_of_documents_and_one_sheet_of_412_prompts_is_judged() {
    let dir = tempfile::tempdir().unwrap();
    let (mut prices, mut sheet) = (String::new(), String::from("question,answer,quote,document\n"));
    for i in 0..400 {
        let price = 10 + i * 3;
        let _ = writeln!(
            prices,
            "The spare part SP-{i:03} costs GHS {price} in every shop.\n"
        );
        let quote = format!("The spare part SP-{i:03} costs GHS {price} in every shop.");
        let _ = writeln!(
            sheet,
            "how much is spare part SP-{i:03}?,GHS {price},{quote},prices.txt"
        );
    }
    for i in 400..PROMPTS {
        let _ = writeln!(sheet, "who invented part SP-{i:03} of yours?,,,");
    }
    write(&dir, "corpus/shop/prices.txt", &prices);
    write(
        &dir,
        "corpus/hours.txt",
        "We open at 08:00 and close at 18:00, on Sundays we are closed.\n",
    );
    write(&dir, "cases.csv", &sheet);

    assert_eq!(verdict(&on(&dir, "lint", &[])).0, 0);
    let data = tempfile::tempdir().unwrap();
    let runtime = plumbline_store::testing::find_runtime();
    let mut args = vec!["--data", data.path().to_str().unwrap()];
    args.extend([
        "--runtime",
        runtime.to_str().unwrap(),
        "--gate",
        "recall_at_5=0.9",
    ]);
    let output = on(&dir, "run", &args);
    let (code, last) = verdict(&output);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(code, 0, "{last}");
    assert!(
        told.contains(&format!("{PROMPTS} cases")) && told.contains("/400"),
        "{told}"
    );
}

#[test]
fn drafts_are_made_linted_and_never_asked() {
    let dir = tempfile::tempdir().unwrap();
    write(
        &dir,
        "corpus/prices.csv",
        "Model,Cash price GHS,Warranty\nSunNest 20,850,24 months\nSunNest 50,1450,24 months\nSunNest 80,2600,36 months\n",
    );
    let first = on(&dir, "synth", &[]);
    assert_eq!(verdict(&first).0, 0, "{first:?}");
    let drafts = || std::fs::read_to_string(dir.path().join("drafts/synth.jsonl")).unwrap();
    let made = drafts();
    assert!(
        made.lines().count() >= 6 && made.lines().all(|line| line.contains("\"status\":\"draft\"")),
        "{made}"
    );
    assert_eq!(verdict(&on(&dir, "synth", &[])).0, 0);
    assert_eq!(drafts(), made, "what is there is left as it is");

    let case = r#"{"id":"hello","kind":"chitchat","question":"good morning","lang":"en","source":"human"}"#;
    write(&dir, "cases.jsonl", case);
    let lint = on(&dir, "lint", &[]);
    assert_eq!(verdict(&lint).0, 0, "{lint:?}");
    assert!(
        String::from_utf8_lossy(&lint.stdout).contains("drafts"),
        "{lint:?}"
    );

    // a draft among the cases would be gold that nobody has looked at
    let draft = made.lines().next().unwrap();
    write(&dir, "cases.jsonl", &format!("{case}\n{draft}\n"));
    let output = on(&dir, "run", &[]);
    assert_eq!(verdict(&output).0, 2);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("status: "),
        "{output:?}"
    );
}
