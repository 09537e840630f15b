//! `tune` and `ablate`.

use std::path::{Path, PathBuf};

use clap::Args;
use plumbline_store::Settings;

use super::runtime;
use crate::error::EvalError;
use crate::gate::Exit;
use crate::golden::load::load;
use crate::golden::split::Selection;
use crate::machine::Machine;
use crate::progress::Progress;
use crate::settings;
use crate::target::local::LocalSettings;
use crate::tune::file::{self, Provenance};
use crate::tune::{Bench, ablation, search};

/// What both commands ask.
#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Golden directory.
    #[arg(long, value_name = "DIR", default_value = "golden")]
    golden: PathBuf,
    /// Settings to begin with, in TOML, instead of the defaults.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Where the private database and the ingested corpus are kept between runs.
    #[arg(long, value_name = "DIR", env = "PLUMBLINE_DATA", default_value = ".data")]
    data: PathBuf,
    #[command(flatten)]
    machine: Machine,
    /// Use this Postgres instead of a private one.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct TuneArgs {
    #[command(flatten)]
    bench: BenchArgs,
    /// Where the settings go; beside it, with the ending .md, what was tried.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct AblateArgs {
    #[command(flatten)]
    bench: BenchArgs,
    /// Which side of the fixed split to ask.
    #[arg(long, value_enum, default_value_t = Selection::Dev)]
    split: Selection,
    /// By how much the fused recall@5 may be below that of the better single leg.
    #[arg(long, value_name = "SHARE", default_value_t = ablation::EPSILON)]
    epsilon: f64,
}

impl BenchArgs {
    fn local(&self) -> Result<LocalSettings, EvalError> {
        Ok(LocalSettings {
            data: self.data.clone(),
            database_url: self.database_url.clone(),
            settings: self.start()?,
            tape: None,
        })
    }

    fn start(&self) -> Result<Settings, EvalError> {
        let given = self.settings.as_deref().map(settings::read).transpose()?;
        Ok(given.unwrap_or_default())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge where the clock becomes a value"
)]
pub(super) fn tune(args: &TuneArgs) -> Result<u8, EvalError> {
    let (bench, out, now) = (&args.bench, &args.out, chrono::Utc::now());
    let (golden, local, progress) = (load(&bench.golden)?, bench.local()?, Progress::new());
    let exit = runtime()?.block_on(async {
        let tried = Bench::for_tuning(&local, &bench.machine, &golden, &progress).await?;
        let tuned = search(&tried, &local.settings, &progress).await?;
        let rows = ablation::measure(&tried, &tuned.settings, &progress).await?;
        progress.end();
        let provenance = Provenance::new(&golden, tried.ids().len(), now, out);
        write(out, &file::settings(&tuned, &provenance)?)?;
        write(
            &out.with_extension("md"),
            &file::report(&tuned, &provenance, &rows),
        )?;
        for (path, value) in &tuned.values {
            println!("{path} = {value}");
        }
        println!("\n{}", ablation::table(&rows));
        Ok::<Exit, EvalError>(ablation::verdict(&rows, ablation::EPSILON))
    })?;
    println!("{exit}");
    Ok(exit.code)
}

pub(super) fn ablate(args: &AblateArgs) -> Result<u8, EvalError> {
    let (bench, progress) = (&args.bench, Progress::new());
    let (golden, local) = (load(&bench.golden)?, bench.local()?);
    let rows = runtime()?.block_on(async {
        let tried = Bench::open(&local, &bench.machine, &golden, args.split, &progress).await?;
        ablation::measure(&tried, &local.settings, &progress).await
    })?;
    progress.end();
    println!("{}", ablation::table(&rows));
    let exit = ablation::verdict(&rows, args.epsilon);
    println!("{exit}");
    Ok(exit.code)
}

fn write(path: &Path, text: &str) -> Result<(), EvalError> {
    std::fs::write(path, text)
        .map_err(|error| EvalError::Infra(format!("{}: cannot be written: {error}", path.display())))
}
