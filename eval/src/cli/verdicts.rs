//! `plumbline-eval verdicts`: worksheets for people, their answers, their agreement.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::error::EvalError;
use crate::gate::Exit;
use crate::golden::load::load;
use crate::metrics::agreement::MIN_KAPPA;
use crate::worksheet;

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(super) enum VerdictsCommand {
    /// Print a worksheet: every flagged reply and a sample of the others, or what a second person has to judge.
    List {
        /// Directory of the report of a run.
        #[arg(long, value_name = "DIR", default_value = "target/eval")]
        report: PathBuf,
        /// The worksheet of this person, who judges again a part of what others have judged.
        #[arg(long, value_name = "NAME")]
        second: Option<String>,
    },
    /// Add the verdicts of a worksheet to verdicts.jsonl.
    Import {
        /// The worksheet; lines that say TODO are left out.
        file: PathBuf,
        /// Who judged.
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Golden directory.
        #[arg(long, value_name = "DIR", default_value = "golden")]
        golden: PathBuf,
    },
    /// How well two people agree: kappa, raw agreement, base rate. Exit code 3 below 0.6.
    Agreement {
        /// Golden directory.
        #[arg(long, value_name = "DIR", default_value = "golden")]
        golden: PathBuf,
    },
}

/// Runs one of them.
pub(super) fn run(command: VerdictsCommand) -> Result<u8, EvalError> {
    let exit = match command {
        VerdictsCommand::List { report, second } => return list(&report, second.as_deref()),
        VerdictsCommand::Import { file, by, golden } => import(&file, &by, &golden)?,
        VerdictsCommand::Agreement { golden } => agreement(&golden)?,
    };
    println!("{exit}");
    Ok(exit.code)
}

fn list(report: &Path, second: Option<&str>) -> Result<u8, EvalError> {
    let name = if second.is_some() {
        worksheet::SECOND
    } else {
        worksheet::FIRST
    };
    let items = worksheet::read(report, name, second)?;
    print!("{}", worksheet::text(&items)?);
    // A worksheet is redirected into a file: what is told about it goes to the terminal.
    eprintln!("{} replies to judge", items.len());
    Ok(0)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge where the clock becomes a value"
)]
fn import(file: &Path, by: &str, golden: &Path) -> Result<Exit, EvalError> {
    load(golden)?;
    let text = std::fs::read_to_string(file).map_err(|error| EvalError::unreadable(file, &error))?;
    let today = chrono::Utc::now().format("%Y-%m-%d").to_string();
    let (lines, open) = worksheet::returned(file, &text, by, &today)?;
    worksheet::add(golden, &lines)?;
    let told = format!("{} verdicts by {by} added, {open} still to be given", lines.len());
    Ok(Exit::ok(told))
}

fn agreement(golden: &Path) -> Result<Exit, EvalError> {
    let Some(found) = worksheet::agreement_of(&load(golden)?) else {
        return Ok(Exit {
            code: 3,
            cause: "nothing was judged twice".to_owned(),
        });
    };
    let unreliable = found.kappa.is_some_and(|kappa| kappa < MIN_KAPPA);
    Ok(Exit {
        code: if unreliable { 3 } else { 0 },
        cause: found.to_string(),
    })
}
