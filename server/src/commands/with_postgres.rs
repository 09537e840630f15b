//! `plumbline with-postgres COMMAND …`: the test suite's database.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context;
use plumbline_store::local::{LocalOptions, LocalPostgres};

use crate::config::CommonArgs;

/// Runs the command against a cluster that is thrown away with everything in it.
pub(crate) async fn run(common: &CommonArgs, command: &[OsString]) -> anyhow::Result<ExitCode> {
    let folder = std::env::temp_dir().join(format!("plumbline-test-{}", std::process::id()));
    let options = LocalOptions {
        install: common.postgres_install(),
        directory: folder.clone(),
        durable: false,
    };
    let postgres = LocalPostgres::start(&options)?;
    let (program, arguments) = command.split_first().context("no command given")?;
    // Ctrl-C is for the command; this process stays to stop the database after it.
    let _ignored = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let status = tokio::process::Command::new(program)
        .args(arguments)
        .env("DATABASE_URL", postgres.url("postgres"))
        .status()
        .await
        .with_context(|| format!("cannot run {}", program.display()))?;
    drop(postgres);
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(ExitCode::from(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    ))
}
