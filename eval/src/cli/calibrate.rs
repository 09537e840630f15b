//! `plumbline-eval calibrate`.

use std::path::PathBuf;

use clap::Args;

use crate::calibrate;
use crate::error::EvalError;
use crate::machine::Machine;
use crate::progress::Progress;
use crate::settings;
use crate::target::local::LocalSettings;

/// The command's arguments.
#[derive(Debug, Args)]
pub(super) struct CalibrateArgs {
    /// Golden directory.
    #[arg(long, value_name = "DIR", default_value = "golden")]
    golden: PathBuf,
    /// Where the private database and the ingested corpus are kept between runs.
    #[arg(long, value_name = "DIR", env = "PLUMBLINE_DATA", default_value = ".data")]
    data: PathBuf,
    #[command(flatten)]
    machine: Machine,
    /// Use this Postgres instead of a private one.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Settings to answer with, in TOML, instead of the defaults.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// File for the coefficients, such as answer/src/calibration.toml; without it they are printed.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// Fits, shows the curve and writes or prints the coefficients.
pub(super) fn run(args: CalibrateArgs) -> Result<u8, EvalError> {
    let given = args.settings.as_deref().map(settings::read).transpose()?;
    let target = LocalSettings {
        data: args.data,
        database_url: args.database_url,
        settings: given.unwrap_or_default(),
        tape: None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| EvalError::Infra(format!("no threads: {error}")))?;
    let progress = Progress::new();
    let fitted = runtime.block_on(calibrate::run(&args.golden, &args.machine, target, &progress))?;
    print!("{}", fitted.curve);
    match args.write {
        Some(path) => calibrate::write(&path, &fitted.calibration)?,
        None => print!("\n{}", calibrate::as_toml(&fitted.calibration)?),
    }
    Ok(0)
}
