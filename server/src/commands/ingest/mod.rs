//! `plumbline ingest`: files to searchable documents, with a bar per file at work.
//!
//! Files are hashed first and compared with what is stored: a folder in which nothing changed is done after one query per
//! thousand files, without a model or a worker.

mod files;
mod follow;
mod report;

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;
use plumbline_ingest::{NewFile, Progress};
use plumbline_store::{Store, StoreError, Tags, Version, VersionState};
use tokio::sync::broadcast::Receiver;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use files::{Found, find_files};
pub(crate) use report::Report;

use self::files::{Compared, compare};
use super::stop::{close, interrupted};
use crate::app::{App, boot_on, open};
use crate::config::CommonArgs;
use crate::worker;

/// How long the workers may take to put down their files when the command is interrupted.
const PATIENCE: Duration = Duration::from_secs(3);

/// Files stored before their versions are enqueued together.
const BATCH: usize = 50;

/// What is to be made searchable.
pub(crate) struct Wanted {
    /// Files and folders.
    pub(crate) paths: Vec<PathBuf>,
    /// Tags of the documents; those that they have when there are none.
    pub(crate) tags: Vec<String>,
}

pub(crate) async fn run(
    common: &CommonArgs,
    wanted: &Wanted,
    json: bool,
    watch: bool,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let paths = wanted.paths.as_slice();
    let tags = Tags::parse(&wanted.tags).map_err(|problem| anyhow::anyhow!("--tag: {problem}"))?;
    let tags = Some(tags).filter(|_| !wanted.tags.is_empty());
    let tags = tags.as_ref();
    let before = follow::seen(paths);
    let files = find_files(paths)?;
    let Some(opened) = stop.run_until_cancelled(open(common)).await else {
        return Ok(interrupted());
    };
    let opened = opened?;
    let (store, tenant) = (opened.store.clone(), opened.tenant.id);
    let report = if json { Report::Json } else { Report::bars() };
    let compared = stop.run_until_cancelled(compare(&store, tenant, &files)).await;
    let Some(compared) = compared.transpose()? else {
        return Ok(interrupted());
    };
    let waits = building(&store, tenant, &compared).await?;
    if compared.changed.is_empty() && waits.is_empty() && !watch {
        let failed = already_there(&store, tenant, &compared, tags, &report).await?;
        close(&store).await;
        return Ok(told(&failed, files.len(), json));
    }
    let Some(booted) = stop.run_until_cancelled(boot_on(opened, common, None)).await else {
        return Ok(interrupted());
    };
    let booted = booted?;
    let mut ended = ingest_compared(&booted.app, tenant, compared, tags, &report, &stop).await?;
    if watch && let Ended::All { failed } = &ended {
        for line in failed {
            eprintln!("failed: {line}");
        }
        ended = follow::follow(&booted.app, tenant, paths, (before, tags), &report, &stop).await?;
    }
    close(&store).await;
    match ended {
        Ended::All { failed } => Ok(told(&failed, files.len(), json)),
        Ended::Interrupted => {
            eprintln!("interrupted; run the command again to go on");
            Ok(interrupted())
        }
    }
}

/// Lists what failed; the exit code says whether anything did.
fn told(failed: &[String], files: usize, json: bool) -> ExitCode {
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    if !json {
        eprintln!("{} of {files} files failed:", failed.len());
        for line in failed {
            eprintln!("  {line}");
        }
    }
    ExitCode::FAILURE
}

/// How an ingest ended.
pub(crate) enum Ended {
    /// Every file is searchable or failed.
    All {
        /// A line per failed file.
        failed: Vec<String>,
    },
    /// It was stopped; what was received is built by the next worker that runs.
    Interrupted,
}

/// The versions to wait for, each with its file and bar.
type Waiting<'a> = HashMap<Uuid, (&'a Found, Option<ProgressBar>)>;

/// Makes `files` searchable: works the document queue until all have ended, or until `stop`.
pub(crate) async fn ingest(
    app: &App,
    tenant: Uuid,
    files: &[Found],
    tags: Option<&Tags>,
    report: &Report,
    stop: &CancellationToken,
) -> anyhow::Result<Ended> {
    let compared = stop.run_until_cancelled(compare(&app.store, tenant, files)).await;
    match compared.transpose()? {
        Some(compared) => ingest_compared(app, tenant, compared, tags, report, stop).await,
        None => Ok(Ended::Interrupted),
    }
}

async fn ingest_compared(
    app: &App,
    tenant: Uuid,
    compared: Compared<'_>,
    tags: Option<&Tags>,
    report: &Report,
    stop: &CancellationToken,
) -> anyhow::Result<Ended> {
    let mut failed = already_there(&app.store, tenant, &compared, tags, report).await?;
    let mut waiting = building(&app.store, tenant, &compared).await?;
    if compared.changed.is_empty() && waiting.is_empty() {
        return Ok(Ended::All { failed });
    }
    let mut listening = app.progress.listen();
    let working = stop.child_token();
    let workers = tokio::spawn(worker::run_documents(app.clone(), working.clone()));
    let all = async {
        for batch in compared.changed.chunks(BATCH) {
            failed.extend(receive(app, tenant, (batch, tags), report, &mut waiting).await?);
            look(app, tenant, &mut waiting, report, &mut failed).await?;
        }
        watch(app, tenant, &mut waiting, &mut listening, report, &mut failed).await
    };
    let ended: Option<anyhow::Result<()>> = stop.run_until_cancelled(all).await;
    working.cancel();
    let Some(ended) = ended else {
        // a file half built is built again by whoever gets its job next
        let _ = tokio::time::timeout(PATIENCE, workers).await;
        return Ok(Ended::Interrupted);
    };
    workers.await?;
    ended?;
    Ok(Ended::All { failed })
}

/// The versions of unchanged files that are still being built: they are waited for.
async fn building<'a>(
    store: &Store,
    tenant: Uuid,
    compared: &Compared<'a>,
) -> Result<Waiting<'a>, StoreError> {
    let ended = states(store, tenant, compared).await?;
    let unended = compared
        .unchanged
        .iter()
        .filter(|(_, received)| !ended.contains_key(&received.version_id));
    Ok(unended
        .map(|(file, received)| (received.version_id, (*file, None)))
        .collect())
}

/// Reports the files for which there is nothing to do, and those with which nothing can be done.
async fn already_there(
    store: &Store,
    tenant: Uuid,
    compared: &Compared<'_>,
    tags: Option<&Tags>,
    report: &Report,
) -> Result<Vec<String>, StoreError> {
    if let Some(tags) = tags {
        let documents: Vec<Uuid> = compared
            .unchanged
            .iter()
            .map(|(_, known)| known.document_id)
            .collect();
        let mut tx = store.tenant(tenant).await?;
        tx.set_tags(&documents, tags).await?;
        tx.commit().await?;
    }
    let ended = states(store, tenant, compared).await?;
    for (file, received) in &compared.unchanged {
        if let Some(state) = ended.get(&received.version_id) {
            report.unchanged(file, received, *state);
        }
    }
    if !ended.is_empty() {
        let all = compared.unchanged.len() + compared.changed.len() + compared.unreadable.len();
        report.remark(&format!("{} of {all} files are unchanged", ended.len()));
    }
    let unreadable = compared.unreadable.iter();
    Ok(unreadable
        .map(|(file, reason)| report.unreadable(file, reason))
        .collect())
}

/// States of the unchanged files whose versions have ended.
async fn states(
    store: &Store,
    tenant: Uuid,
    compared: &Compared<'_>,
) -> Result<HashMap<Uuid, VersionState>, StoreError> {
    let ids: Vec<Uuid> = compared
        .unchanged
        .iter()
        .map(|(_, received)| received.version_id)
        .collect();
    let mut tx = store.tenant(tenant).await?;
    let states = tx.ended_states(&ids).await?;
    tx.commit().await?;
    Ok(states.into_iter().collect())
}

/// Stores files and enqueues their versions; returns a line per file that could not be read.
async fn receive<'a>(
    app: &App,
    tenant: Uuid,
    (batch, tags): (&[&'a Found], Option<&Tags>),
    report: &Report,
    waiting: &mut Waiting<'a>,
) -> anyhow::Result<Vec<String>> {
    let (mut files, mut stored, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for &file in batch {
        match app.blobs.put_file(&file.path).await {
            Ok((sha256, bytes)) => {
                files.push(NewFile {
                    key: file.key.clone(),
                    file_name: file.name(),
                    sha256,
                    bytes,
                    tags: tags.cloned(),
                });
                stored.push(file);
            }
            Err(StoreError::File { path, source, .. }) if path == file.path => {
                failed.push(report.unreadable(file, &source.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let received = app.pipeline.receive(tenant, &files, None).await?;
    for (file, received) in stored.into_iter().zip(received) {
        waiting.insert(received.version_id, (file, None));
    }
    Ok(failed)
}

/// Follows the versions until all have ended.
async fn watch(
    app: &App,
    tenant: Uuid,
    waiting: &mut Waiting<'_>,
    listening: &mut Receiver<(Uuid, Progress)>,
    report: &Report,
    failed: &mut Vec<String>,
) -> anyhow::Result<()> {
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    while !waiting.is_empty() {
        tokio::select! {
            told = listening.recv() => {
                // a listener that fell behind misses a step of a bar, nothing else
                if let Ok((id, progress)) = told && let Some((file, bar)) = waiting.get_mut(&id) {
                    report.show(file, bar, progress);
                }
            }
            _ = tick.tick() => look(app, tenant, waiting, report, failed).await?,
        }
    }
    Ok(())
}

/// Reports the versions that have ended and waits for them no longer.
async fn look(
    app: &App,
    tenant: Uuid,
    waiting: &mut Waiting<'_>,
    report: &Report,
    failed: &mut Vec<String>,
) -> anyhow::Result<()> {
    let ids: Vec<Uuid> = waiting.keys().copied().collect();
    let mut tx = app.store.tenant(tenant).await?;
    let ended: Vec<Version> = tx.ended_versions(&ids).await?;
    tx.commit().await?;
    for version in ended {
        if let Some((file, bar)) = waiting.remove(&version.id) {
            failed.extend(report.finish(file, bar, &version));
        }
    }
    Ok(())
}
