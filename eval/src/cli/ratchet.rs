//! `plumbline-eval ratchet`.

use std::path::PathBuf;

use clap::Args;

use crate::accept;
use crate::error::EvalError;
use crate::ratchet::{self, Rules};

/// The command's arguments.
#[derive(Debug, Args)]
pub(super) struct RatchetArgs {
    /// What the rules are compared with: a reference of git, or a directory with another checkout.
    #[arg(long, value_name = "REF|DIR")]
    base: String,
    /// Golden directory.
    #[arg(long, value_name = "DIR", default_value = "golden")]
    golden: PathBuf,
    /// Gate file.
    #[arg(long, value_name = "FILE", default_value = "ci/gates.toml")]
    gates: PathBuf,
    /// Accepted outcomes; baseline.json in the golden directory unless told otherwise.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

/// Compares the rules with those of a base.
#[expect(
    clippy::disallowed_methods,
    reason = "the edge where the clock becomes a value"
)]
pub(super) fn run(args: RatchetArgs) -> Result<u8, EvalError> {
    let rules = Rules {
        baseline: args.baseline.unwrap_or_else(|| args.golden.join(accept::FILE)),
        golden: args.golden,
        gates: args.gates,
    };
    let outcome = ratchet::run(&rules, &args.base, chrono::Utc::now().date_naive())?;
    for told in &outcome.findings {
        println!("{told}");
    }
    for note in &outcome.notes {
        println!("note     {note}");
    }
    let exit = outcome.exit(&args.base);
    println!("{exit}");
    Ok(exit.code)
}
