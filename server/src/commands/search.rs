//! `plumbline search`.

mod explain;

use std::process::ExitCode;

use plumbline_retrieval::SearchOptions;
use plumbline_store::{Scope, TraceSource};

use crate::app::boot;
use crate::config::CommonArgs;
use crate::filter::FilterRequest;
use crate::traces::{self, Asking, Keep, Origin};

/// How the result is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    /// With ranks, scores and timings.
    pub(crate) explain: bool,
    /// With its trace kept.
    pub(crate) trace: bool,
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
    let settings = tx.settings().await?;
    tx.commit().await?;
    booted.app.searcher.catch_up(booted.tenant.id).await?;
    let options = SearchOptions {
        k,
        settings: settings.settings.retrieval.clone(),
        scope: Scope::default(),
        filter,
        trace: format.explain,
    };
    let narrowed = !options.filter.is_empty();
    let asking = Asking {
        origin: Origin::of(TraceSource::Search),
        keep: if format.trace { Keep::Always } else { Keep::Never },
        store_answer: false,
    };
    let asked = traces::search(&booted.app, booted.tenant.id, query, options, &settings, &asking).await?;
    let results = &asked.result;
    if format.json {
        let mut body = serde_json::to_value(results)?;
        if let Some(id) = asked.trace_id {
            body["trace_id"] = id.to_string().into();
        }
        println!("{}", serde_json::to_string_pretty(&body)?);
    } else if results.hits.is_empty() && narrowed {
        println!("nothing found: no document that is live passes the filter");
    } else if results.hits.is_empty() {
        println!("nothing found: no document is live; see `plumbline ingest --help`");
    } else {
        let analysis = asked.record.as_ref().and_then(|record| record.search.as_ref());
        let analysis = analysis.filter(|_| format.explain).map(|search| &search.analysis);
        print!("{}", explain::text(results, analysis));
    }
    if let Some(id) = asked.trace_id.filter(|_| !format.json) {
        println!("trace {id}");
    }
    booted.app.store.close().await;
    Ok(ExitCode::SUCCESS)
}
