//! `plumbline search`.

mod explain;

use std::process::ExitCode;

use plumbline_retrieval::SearchOptions;
use plumbline_store::Scope;

use crate::app::boot;
use crate::config::CommonArgs;
use crate::filter::FilterRequest;

/// How the result is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    /// With ranks, scores and timings.
    pub(crate) explain: bool,
    /// As JSON.
    pub(crate) json: bool,
}

pub(crate) async fn run(
    common: &CommonArgs,
    query: &str,
    k: usize,
    filter: &FilterRequest,
    format: Format,
) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(k > 0, "-k: at least one passage must be wanted");
    let filter = filter
        .read()
        .map_err(|problem| anyhow::anyhow!(problem.on_command_line()))?;
    let booted = boot(common, None).await?;
    let mut tx = booted.app.store.tenant(booted.tenant.id).await?;
    let settings = tx.settings().await?.settings.retrieval;
    tx.commit().await?;
    booted.app.searcher.catch_up(booted.tenant.id).await?;
    let options = SearchOptions {
        k,
        settings,
        scope: Scope::default(),
        filter,
        trace: false,
    };
    let results = booted
        .app
        .searcher
        .search(booted.tenant.id, query, &options)
        .await?;
    if format.json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    } else if results.hits.is_empty() && !options.filter.is_empty() {
        println!("nothing found: no document that is live passes the filter");
    } else if results.hits.is_empty() {
        println!("nothing found: no document is live; see `plumbline ingest --help`");
    } else {
        print!("{}", explain::text(&results, format.explain));
    }
    booted.app.store.close().await;
    Ok(ExitCode::SUCCESS)
}
