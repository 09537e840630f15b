//! `plumbline with-postgres COMMAND …`: the test suite's database.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use anyhow::Context;
use plumbline_store::local::{LocalOptions, LocalPostgres};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::CommonArgs;

/// Runs the command against a cluster that is thrown away with everything in it.
pub(crate) async fn run(common: &CommonArgs, command: &[OsString]) -> anyhow::Result<ExitCode> {
    let folder = std::env::temp_dir().join(format!("plumbline-test-{}", std::process::id()));
    // not one that is there already: it might be anybody's
    std::fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let ended = run_in(&folder, common, command).await;
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(ExitCode::from(
        ended?
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    ))
}

async fn run_in(folder: &Path, common: &CommonArgs, command: &[OsString]) -> anyhow::Result<ExitStatus> {
    let (program, arguments) = command.split_first().context("no command given")?;
    // Ctrl-C is for the command; this process stays to stop the database after it.
    let _ignored = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let postgres = LocalPostgres::start(&LocalOptions {
        install: common.postgres_install(),
        directory: folder.to_owned(),
        durable: false,
    })?;
    let mut child = Command::new(program)
        .args(arguments)
        .env("DATABASE_URL", postgres.url("postgres"))
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    tokio::select! {
        status = child.wait() => Ok(status?),
        _ = terminated.recv() => {
            child.start_kill()?;
            Ok(child.wait().await?)
        }
    }
}
