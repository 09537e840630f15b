//! The command line.
//!
//! The only place that reads the clock, the environment and the arguments; everything below it gets
//! them as values.

mod asked;
mod calibrate;
mod ratchet;
mod synth;
mod tape;
mod tune;
mod verdicts;

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use plumbline_ingest::Limits;
use tracing_subscriber::EnvFilter;

use self::asked::{RunArgs, options};
use crate::error::EvalError;
use crate::gate::Exit;
use crate::golden::case::Status;
use crate::golden::lint::{Level, kinds, lint, quotes};
use crate::golden::load::{Golden, load, load_with_drafts};
use crate::golden::repin;
use crate::golden::texts::read_texts;
use crate::metrics::registry::METRICS;
use crate::mutate;

use crate::progress::Progress;
use crate::report::schema::schema;
use crate::report::{Report, console, diff, json};
use crate::run::{RunOptions, ask, run};
use crate::target::options::TargetOptions;

/// Ask a golden set, measure the answers, and say by the exit code whether they may reach customers.
#[derive(Debug, Parser)]
#[command(name = "plumbline-eval", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  every blocking gate passed (or none was given)
  1  a gate failed
  2  the command line, a gate or the golden set is wrong
  3  a gate is inconclusive: too few cases, missing verdicts (see --allow-inconclusive)
  4  the corpus has moved away from the cases; mend the quotes or run `repin --write`
  5  the system could not be asked: too many errors, no database, no server";

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask every case, print the metrics and judge the gates.
    #[command(after_help = EXIT_CODES, after_long_help = long_help())]
    Run(Box<RunArgs>),
    /// Run, and show what changed against the accepted outcomes; with --write, accept the new ones.
    Baseline(Box<BaselineArgs>),
    /// Grade the replies of an earlier run again: no call is made, so other verdicts, gates and metrics cost nothing.
    #[command(after_help = EXIT_CODES)]
    Score(Box<ScoreArgs>),
    /// Run, spoil the replies that pass in six ways, and see whether metrics and gates notice.
    Mutate(Box<MutateArgs>),
    /// Check the cases: fields, duplicates, and whether every quote stands in its document.
    Lint {
        /// Golden directory: corpus/ with documents, cases/ or cases.jsonl with questions, golden.toml if there is one.
        #[arg(long, value_name = "DIR", default_value = "golden")]
        golden: PathBuf,
    },
    /// Find every quote again after the corpus changed, and move the pin.
    Repin {
        /// Golden directory.
        #[arg(long, value_name = "DIR", default_value = "golden")]
        golden: PathBuf,
        /// Write the new offsets and the manifest hash; without it they are only shown.
        #[arg(long)]
        write: bool,
    },
    /// Compare two runs: fixed, broken, still failing.
    Diff {
        /// The earlier report.json, or the directory that holds it.
        before: PathBuf,
        /// The later one.
        after: PathBuf,
        /// For a pull request instead of a terminal.
        #[arg(long)]
        markdown: bool,
    },
    /// Compare the rules (gates, cases, verdicts, baseline) with those of a base branch: laxer ones need a waiver.
    Ratchet(ratchet::RatchetArgs),
    /// Fit the confidence of answers on the dev cases, and show what each threshold would answer.
    Calibrate(Box<calibrate::CalibrateArgs>),
    /// What people have to judge, and what they said.
    #[command(subcommand)]
    Verdicts(verdicts::VerdictsCommand),
    /// Draft cases from the documents, without a language model, for people to rewrite.
    Synth(synth::SynthArgs),
    /// Search weights and thresholds on the dev split; writes a settings file with where it comes from.
    #[command(after_help = EXIT_CODES)]
    Tune(Box<tune::TuneArgs>),
    /// Measure each leg of the search alone and fused; ends with 1 when fusion is worse than its better leg.
    #[command(after_help = EXIT_CODES)]
    Ablate(Box<tune::AblateArgs>),
    /// Print the JSON Schema of report.json, as published in docs/report.schema.json.
    Schema,
    /// Read one file for the ingest pipeline.
    #[command(hide = true)]
    ExtractWorker,
}

#[derive(Debug, Args)]
struct ScoreArgs {
    /// The run.json that a run left in its --report folder.
    file: PathBuf,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Args)]
struct MutateArgs {
    /// Spoil the replies of this run.json instead of asking.
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    replies: Option<PathBuf>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Args)]
struct BaselineArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Write the outcomes of this run as the new baseline.
    #[arg(long)]
    write: bool,
}

fn long_help() -> String {
    let mut help =
        "Metrics for --gate and gate files (min where high is good, max where low is good):\n".to_owned();
    for metric in METRICS {
        // Writing to a string cannot fail.
        let _ = writeln!(
            help,
            "  {:<23} {:?} is good. {}",
            metric.name, metric.direction, metric.about
        );
    }
    help + "\n" + EXIT_CODES
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::ExtractWorker) {
        return plumbline_ingest::worker_main();
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    // Only fails when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exit = match cli.command {
        Command::Run(args) => run_command(*args),
        Command::Score(args) => score_command(*args),
        Command::Mutate(args) => mutate_command(*args),
        Command::Baseline(args) => {
            let BaselineArgs { mut run, write } = *args;
            run.write_baseline |= write;
            run_command(run)
        }
        Command::Lint { golden } => lint_command(&golden),
        Command::Repin { golden, write } => repin_command(&golden, write),
        Command::Ratchet(args) => ratchet::run(args),
        Command::Calibrate(args) => calibrate::run(*args),
        Command::Diff {
            before,
            after,
            markdown,
        } => diff_command(&before, &after, markdown),
        Command::Synth(args) => synth::synth(&args),
        Command::Tune(args) => tune::tune(&args),
        Command::Ablate(args) => tune::ablate(&args),
        Command::Schema => {
            print!("{}", schema());
            Ok(0)
        }
        Command::Verdicts(command) => verdicts::run(command),
        Command::ExtractWorker => return plumbline_ingest::worker_main(),
    };
    ExitCode::from(exit.unwrap_or_else(|error| tell(&error)))
}

/// Tells an error: the details on stderr, the exit code with its cause as the last line.
fn tell(error: &EvalError) -> u8 {
    let message = error.to_string();
    eprintln!("{message}");
    let mut cause = message.lines().next().unwrap_or_default().to_owned();
    let more = message.lines().count().saturating_sub(1);
    if more > 0 {
        let _ = write!(cause, " (and {more} more lines above)");
    }
    let exit = Exit {
        code: error.exit_code(),
        cause,
    };
    println!("{exit}");
    exit.code
}

fn mutate_command(args: MutateArgs) -> Result<u8, EvalError> {
    let MutateArgs { replies, run } = args;
    let mut options = options(run)?;
    if let Some(file) = replies {
        options.target = TargetOptions::Stored(file);
    }
    let asked = runtime()?.block_on(ask(&options, &Progress::new()))?;
    let outcomes = mutate::mutate(
        &asked.graded,
        &asked.gates.gates,
        &asked.texts,
        &asked.golden.verdicts,
    );
    for outcome in &outcomes {
        println!("{outcome}");
    }
    let exit = mutate::exit(&outcomes);
    println!("{exit}");
    Ok(exit.code)
}

fn run_command(args: RunArgs) -> Result<u8, EvalError> {
    let as_json = args.json;
    run_with(&options(args)?, as_json)
}

fn score_command(args: ScoreArgs) -> Result<u8, EvalError> {
    let ScoreArgs { file, run } = args;
    if run.target.is_some() || run.tape.is_given() {
        let message =
            "score grades the replies of run.json: --target, --record and --replay do not go with it";
        return Err(EvalError::Usage(message.to_owned()));
    }
    let as_json = run.json;
    let options = RunOptions {
        target: TargetOptions::Stored(file),
        ..options(run)?
    };
    run_with(&options, as_json)
}

fn run_with(options: &RunOptions, as_json: bool) -> Result<u8, EvalError> {
    let report = runtime()?.block_on(run(options, &Progress::new()))?;
    print_report(&report, as_json)?;
    Ok(report.exit.code)
}

/// The threads of a command.
fn runtime() -> Result<tokio::runtime::Runtime, EvalError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| EvalError::Infra(format!("no threads: {error}")))
}

fn print_report(report: &Report, as_json: bool) -> Result<(), EvalError> {
    if !as_json {
        print!("{}", console::render(report));
        return Ok(());
    }
    let text = serde_json::to_string_pretty(report).map_err(|error| EvalError::Infra(error.to_string()))?;
    println!("{text}");
    eprintln!("{}", report.exit);
    Ok(())
}

fn lint_command(dir: &std::path::Path) -> Result<u8, EvalError> {
    let mut golden = load_with_drafts(dir)?;
    if golden.cases.is_empty() {
        // says what is missing
        golden = load(dir)?;
    }
    let mut findings = lint(&golden);
    findings.extend(quotes(&golden, &read_texts(&golden, &Limits::default())?));
    findings.sort_by(|a, b| a.place.cmp(&b.place));
    for finding in &findings {
        println!("{finding}");
    }
    summary(&golden);
    let errors = findings
        .iter()
        .filter(|finding| finding.level == Level::Error)
        .count();
    let warnings = findings.len() - errors;
    let told = format!(
        "{errors} errors, {warnings} warnings in {} cases",
        golden.cases.len()
    );
    let exit = if errors == 0 {
        Exit::ok(told)
    } else {
        Exit { code: 2, cause: told }
    };
    println!("{exit}");
    Ok(exit.code)
}

fn summary(golden: &Golden) {
    let kinds: Vec<String> = kinds(&golden.cases)
        .iter()
        .map(|(kind, n)| format!("{n} {kind}"))
        .collect();
    println!(
        "{}: {} documents, {}",
        golden.header.name,
        golden.docs.len(),
        kinds.join(", ")
    );
    let drafts = golden
        .cases
        .iter()
        .filter(|located| located.case.status == Status::Draft);
    let drafts = drafts.count();
    if drafts > 0 {
        println!("{drafts} of them are drafts, which no run asks");
    }
    if !golden.corpus_is_pinned() {
        println!(
            "the corpus is not the pinned one; run `plumbline-eval repin --write` and commit the result"
        );
    }
}

fn repin_command(dir: &std::path::Path, write: bool) -> Result<u8, EvalError> {
    let golden = load(dir)?;
    let plan = repin::plan(&golden, &read_texts(&golden, &Limits::default())?);
    for moved in &plan.moves {
        println!("{moved}");
    }
    for lost in &plan.stale {
        println!("{lost}");
    }
    if !golden.corpus_is_pinned() {
        println!(
            "corpus_manifest_sha256: {:?} -> {:?}",
            golden.header.corpus_manifest_sha256, golden.manifest
        );
    }
    if write {
        repin::write(&golden, &plan)?;
    }
    let done = if write {
        "written"
    } else {
        "shown only, use --write"
    };
    let told = format!(
        "{} moved ({done}), {} unchanged, {} stale",
        plan.moves.len(),
        plan.kept,
        plan.stale.len()
    );
    let exit = if plan.stale.is_empty() {
        Exit::ok(told)
    } else {
        Exit { code: 4, cause: told }
    };
    println!("{exit}");
    Ok(exit.code)
}

fn diff_command(before: &std::path::Path, after: &std::path::Path, markdown: bool) -> Result<u8, EvalError> {
    let (before, after) = (json::read(before)?, json::read(after)?);
    let text = if markdown {
        diff::render_markdown(&before, &after)
    } else {
        diff::render(&before, &after)
    };
    print!("{text}");
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
