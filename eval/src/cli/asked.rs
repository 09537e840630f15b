//! Flags of a run, and what they become.

use std::path::PathBuf;

use clap::Args;

use super::tape::TapeArgs;
use crate::accept::Compared;
use crate::error::EvalError;
use crate::golden::split::Selection;
use crate::machine::Machine;
use crate::run::RunOptions;
use crate::settings;
use crate::target::local::LocalSettings;
use crate::target::options::TargetOptions;
use crate::target::tenant::TenantOptions;
use uuid::Uuid;

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one field per flag of the command line"
)]
pub(super) struct RunArgs {
    /// Golden directory: corpus/ with documents, cases/ or cases.jsonl with questions, golden.toml if there is one.
    #[arg(long, value_name = "DIR", default_value = "golden")]
    pub(super) golden: PathBuf,
    /// A demand such as `recall_at_5=0.75`; overrules the same metric of --gates. May be repeated.
    #[arg(long = "gate", value_name = "METRIC=VALUE")]
    pub(super) gate: Vec<String>,
    /// File of demands with slices, bounds and severities.
    #[arg(long, value_name = "FILE")]
    pub(super) gates: Option<PathBuf>,
    /// Ask a running server instead of an answerer in this process.
    #[arg(long, value_name = "URL", requires = "api_key_env")]
    pub(super) target: Option<String>,
    /// Name of the environment variable that holds the server's API key.
    #[arg(long, value_name = "NAME")]
    pub(super) api_key_env: Option<String>,
    /// Ask about the documents of this tenant in --database-url, instead of the corpus directory.
    #[arg(long, value_name = "SLUG", requires = "database_url", conflicts_with_all = ["target", "settings"])]
    pub(super) tenant: Option<String>,
    /// See this ready version of a document of --tenant instead of the live one. May be repeated.
    #[arg(long, value_name = "ID", requires = "tenant")]
    pub(super) preview_version: Vec<Uuid>,
    /// Answer with this settings version of --tenant instead of the live one.
    #[arg(long, value_name = "N", requires = "tenant")]
    pub(super) preview_settings: Option<i64>,
    /// Write report.json, report.md, report.xml (`JUnit`) and report.html there.
    #[arg(long, value_name = "DIR")]
    pub(super) report: Option<PathBuf>,
    /// Compare with an earlier report.json (or the directory that holds it) in report.md and report.html.
    #[arg(long, value_name = "PATH")]
    pub(super) compare: Option<PathBuf>,
    /// Show the cases of the test split too; without it they are only counted.
    #[arg(long)]
    pub(super) show_test: bool,
    /// Where the private database and the ingested corpus are kept between runs.
    #[arg(long, value_name = "DIR", env = "PLUMBLINE_DATA", default_value = ".data")]
    pub(super) data: PathBuf,
    #[command(flatten)]
    pub(super) machine: Machine,
    #[command(flatten)]
    pub(super) tape: TapeArgs,
    /// Settings to answer with, in TOML, instead of the defaults (such as `retrieval.vector = false`).
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    pub(super) settings: Option<PathBuf>,
    /// Use this Postgres instead of a private one.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub(super) database_url: Option<String>,
    /// Calls at a time.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) concurrency: u16,
    /// First calls whose latency is not counted.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(super) warmup: usize,
    /// Which side of the fixed split to ask.
    #[arg(long, value_enum, default_value_t = Selection::All)]
    pub(super) split: Selection,
    /// Accepted outcomes to compare with; baseline.json in the golden directory when there is one.
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Compare with nothing.
    #[arg(long, conflicts_with = "baseline")]
    pub(super) no_baseline: bool,
    /// Write the outcomes of this run as the new baseline.
    #[arg(long, conflicts_with = "no_baseline")]
    pub(super) write_baseline: bool,
    /// End with 0 although a gate is inconclusive.
    #[arg(long)]
    pub(super) allow_inconclusive: bool,
    /// Print the whole report as JSON instead of tables.
    #[arg(long)]
    pub(super) json: bool,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge where clock and environment become values"
)]
pub(super) fn options(args: RunArgs) -> Result<RunOptions, EvalError> {
    let target = match (args.target, args.api_key_env) {
        (Some(url), Some(name)) => {
            let api_key = std::env::var(&name)
                .map_err(|_| EvalError::Usage(format!("--api-key-env: the variable {name} is not set")))?;
            TargetOptions::Http { url, api_key }
        }
        _ if args.tenant.is_some() => TargetOptions::Tenant(TenantOptions {
            database_url: args.database_url.unwrap_or_default(),
            slug: args.tenant.unwrap_or_default(),
            staged: args.preview_version,
            settings_version: args.preview_settings,
            data: args.data,
        }),
        _ => TargetOptions::Local(Box::new(LocalSettings {
            data: args.data,
            database_url: args.database_url,
            settings: args
                .settings
                .as_deref()
                .map(settings::read)
                .transpose()?
                .unwrap_or_default(),
            tape: args.tape.open(chrono::Utc::now())?,
        })),
    };
    Ok(RunOptions {
        golden: args.golden,
        gates: args.gate,
        gate_file: args.gates,
        machine: args.machine,
        target,
        report: args.report,
        compare: args.compare,
        show_test: args.show_test,
        concurrency: usize::from(args.concurrency),
        warm_up: args.warmup,
        selection: args.split,
        allow_inconclusive: args.allow_inconclusive,
        baseline: match (args.baseline, args.no_baseline) {
            (Some(file), _) => Compared::File(file),
            (None, true) => Compared::Nothing,
            (None, false) => Compared::IfThere,
        },
        write_baseline: args.write_baseline,
        started_at: chrono::Utc::now(),
    })
}
