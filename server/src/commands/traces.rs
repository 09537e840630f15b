//! `plumbline traces`: what questions looked at, at a terminal.

mod text;

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use plumbline_store::{Store, StoreError};
use uuid::Uuid;

use crate::app::{boot, open_database};
use crate::config::CommonArgs;
use crate::pages::words;
use crate::traces::{self, Against, TraceQuery, TraceRecord};

pub(super) use text::analysis;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum TracesCommand {
    /// List the traces that are kept, newest first
    List {
        #[command(flatten)]
        query: TraceQuery,
        /// As JSON, one object per line
        #[arg(long)]
        json: bool,
    },
    /// Show one: analysis, both legs, fusion, what the composer was given, the reply
    Show {
        /// Its identifier, or that of its answer
        id: Uuid,
        /// The whole record as JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask one again on what was live then, and show what differs
    Replay {
        /// Its identifier
        id: Uuid,
        /// On what is live now instead
        #[arg(long)]
        now: bool,
        /// Settings version to ask with [default: the settings of the trace]
        #[arg(long, value_name = "N")]
        settings_version: Option<i64>,
        /// The comparison as JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(common: &CommonArgs, command: TracesCommand) -> anyhow::Result<ExitCode> {
    match command {
        TracesCommand::List { query, json } => list(common, &query, json).await,
        TracesCommand::Show { id, json } => show(common, id, json).await,
        TracesCommand::Replay {
            id,
            now,
            settings_version,
            json,
        } => {
            let against = if now { Against::Now } else { Against::Then };
            replay(common, id, (against, settings_version), json).await
        }
    }
}

async fn tenant(store: &Store, common: &CommonArgs) -> anyhow::Result<Uuid> {
    let mut tx = store.system().await?;
    let tenant = tx.tenant_by_slug(&common.tenant).await?;
    tx.commit().await?;
    let tenant = tenant.with_context(|| format!("there is no tenant {}", common.tenant))?;
    Ok(tenant.id)
}

async fn list(common: &CommonArgs, query: &TraceQuery, json: bool) -> anyhow::Result<ExitCode> {
    let (filter, limit) = query
        .read()
        .map_err(|problem| anyhow::anyhow!(problem.on_command_line()))?;
    let (url, _postgres) = open_database(common).await?;
    let store = Store::connect(&url, 2).await?;
    let mut tx = store.tenant(tenant(&store, common).await?).await?;
    let rows = tx.traces(&filter, limit).await?;
    tx.commit().await?;
    store.close().await;
    if json {
        for row in &rows {
            println!("{}", serde_json::to_string(row)?);
        }
    } else if rows.is_empty() {
        println!("no trace is like this; which are kept is said by the setting `traces.sample`");
    } else {
        print!("{}", text::list(&rows, words::now()));
    }
    Ok(ExitCode::SUCCESS)
}

/// A trace that is not there, said in a way that helps.
fn missing(error: StoreError, id: Uuid) -> anyhow::Error {
    match error {
        StoreError::NotFound { what: "trace" } => {
            anyhow::anyhow!(
                "there is no trace {id}: it was not kept, or it was forgotten; see `plumbline traces list`"
            )
        }
        error => error.into(),
    }
}

async fn show(common: &CommonArgs, id: Uuid, json: bool) -> anyhow::Result<ExitCode> {
    let (url, _postgres) = open_database(common).await?;
    let store = Store::connect(&url, 2).await?;
    let mut tx = store.tenant(tenant(&store, common).await?).await?;
    let trace = tx.trace(id).await.map_err(|error| missing(error, id))?;
    tx.commit().await?;
    store.close().await;
    if json {
        println!("{}", serde_json::to_string_pretty(&trace.record)?);
    } else {
        print!("{}", text::whole(&trace.row, &TraceRecord::read(&trace)?));
    }
    Ok(ExitCode::SUCCESS)
}

async fn replay(
    common: &CommonArgs,
    id: Uuid,
    (against, settings_version): (Against, Option<i64>),
    json: bool,
) -> anyhow::Result<ExitCode> {
    let booted = boot(common, None).await?;
    booted.app.searcher.catch_up(booted.tenant.id).await?;
    let replayed = traces::replay(&booted.app, booted.tenant.id, id, against, settings_version).await;
    let replayed = replayed.map_err(|error| match error {
        traces::ReplayError::Store(error) => missing(error, id),
        traces::ReplayError::NotKept | traces::ReplayError::NothingSearched => {
            anyhow::anyhow!("{}", error.to_string().replace("`now`", "`--now`"))
        }
        traces::ReplayError::NoSettings(version) => {
            anyhow::anyhow!("--settings-version: there is no version {version}")
        }
        error => error.into(),
    })?;
    if json {
        let told = serde_json::json!({
            "trace_id": replayed.trace_id,
            "settings_version": replayed.settings_version,
            "missing": replayed.missing,
            "comparison": replayed.comparison,
        });
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        print!("{}", text::replayed(&replayed, against));
    }
    booted.app.store.close().await;
    Ok(ExitCode::SUCCESS)
}
