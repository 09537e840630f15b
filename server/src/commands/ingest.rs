//! `plumbline ingest`: files to searchable documents, with a bar per file.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use plumbline_ingest::Progress;
use plumbline_store::{Version, VersionState};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::stop::{close, interrupted};
use crate::app::{App, boot};
use crate::config::CommonArgs;
use crate::worker;

/// How long the workers may take to put down their files when the command is interrupted.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) async fn run(
    common: &CommonArgs,
    paths: &[PathBuf],
    json: bool,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let files = find_files(paths)?;
    let Some(booted) = stop.run_until_cancelled(boot(common, None)).await else {
        return Ok(interrupted());
    };
    let booted = booted?;
    let report = if json { Report::Json } else { Report::bars() };
    let ended = ingest(&booted.app, booted.tenant.id, &files, &report, &stop).await?;
    close(&booted.app.store).await;
    let Ended::All { failed } = ended else {
        eprintln!("interrupted; run the command again to go on");
        return Ok(interrupted());
    };
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if !json {
        eprintln!("{} of {} files failed:", failed.len(), files.len());
        for line in failed {
            eprintln!("  {line}");
        }
    }
    Ok(ExitCode::FAILURE)
}

/// A file with the key of its document: its path below the folder that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    path: PathBuf,
    key: String,
}

/// All files of `paths`, folders included, without hidden ones; sorted.
pub(crate) fn find_files(paths: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for path in paths {
        let kind = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if kind.is_dir() {
            walk(path, path, &mut found)?;
        } else {
            let key = path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned();
            found.push(Found {
                path: path.clone(),
                key,
            });
        }
    }
    found.sort_by(|a, b| a.key.cmp(&b.key));
    anyhow::ensure!(!found.is_empty(), "no file below the given paths");
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Found>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, found)?;
        } else {
            let key = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            found.push(Found { path, key });
        }
    }
    Ok(())
}

/// How progress is shown.
pub(crate) enum Report {
    /// One JSON object per file when it ended.
    Json,
    /// A bar per file on a terminal, a line per file elsewhere.
    Bars(MultiProgress),
}

impl Report {
    pub(crate) fn bars() -> Self {
        Self::Bars(MultiProgress::new())
    }
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

/// Receives `files` and works the document queue until all have ended, or until `stop`.
pub(crate) async fn ingest(
    app: &App,
    tenant: Uuid,
    files: &[Found],
    report: &Report,
    stop: &CancellationToken,
) -> anyhow::Result<Ended> {
    let listening = app.progress.listen();
    let received = stop.run_until_cancelled(receive(app, tenant, files, report));
    let Some(mut waiting) = received.await.transpose()? else {
        return Ok(Ended::Interrupted);
    };
    let unchanged = files.len() - waiting.len();
    let working = stop.child_token();
    let workers = tokio::spawn(worker::run_documents(app.clone(), working.clone()));
    let watched = stop
        .run_until_cancelled(watch(app, tenant, &mut waiting, listening, report))
        .await;
    working.cancel();
    let Some(failed) = watched else {
        // a file half built is built again by whoever gets its job next
        let _ = tokio::time::timeout(PATIENCE, workers).await;
        return Ok(Ended::Interrupted);
    };
    workers.await?;
    if let Report::Bars(_) = report
        && unchanged > 0
    {
        eprintln!("{unchanged} of {} files are unchanged", files.len());
    }
    Ok(Ended::All { failed: failed? })
}

/// Stores the files; those that were stored and built before are reported at once and not waited for.
async fn receive<'a>(
    app: &App,
    tenant: Uuid,
    files: &'a [Found],
    report: &Report,
) -> anyhow::Result<Waiting<'a>> {
    let mut waiting = Waiting::new();
    for file in files {
        let bytes = tokio::fs::read(&file.path)
            .await
            .with_context(|| format!("cannot read {}", file.path.display()))?;
        let name = file
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let received = app
            .pipeline
            .receive_bytes(tenant, &file.key, &name, bytes)
            .await?;
        let state = version(app, tenant, received.version_id).await?.state;
        if !(received.unchanged && state.is_final()) {
            waiting.insert(received.version_id, (file, None));
        } else if matches!(report, Report::Json) {
            println!(
                "{}",
                json!({ "file": file.path, "key": file.key, "state": state, "unchanged": true })
            );
        }
    }
    Ok(waiting)
}

async fn watch(
    app: &App,
    tenant: Uuid,
    waiting: &mut Waiting<'_>,
    mut listening: tokio::sync::broadcast::Receiver<(Uuid, Progress)>,
    report: &Report,
) -> anyhow::Result<Vec<String>> {
    let mut failed = Vec::new();
    let mut look = tokio::time::interval(Duration::from_millis(200));
    while !waiting.is_empty() {
        tokio::select! {
            told = listening.recv() => {
                // a listener that fell behind misses a step of a bar, nothing else
                if let Ok((id, progress)) = told && let Some((file, bar)) = waiting.get_mut(&id) {
                    show(report, file, bar, progress);
                }
            }
            _ = look.tick() => {
                let ids: Vec<Uuid> = waiting.keys().copied().collect();
                for id in ids {
                    let version = version(app, tenant, id).await?;
                    if version.state.is_final()
                        && let Some((file, bar)) = waiting.remove(&id)
                    {
                        failed.extend(finish(report, file, bar, &version)?);
                    }
                }
            }
        }
    }
    Ok(failed)
}

fn show(report: &Report, file: &Found, bar: &mut Option<ProgressBar>, progress: Progress) {
    let Report::Bars(bars) = report else {
        return;
    };
    let bar = bar.get_or_insert_with(|| {
        let bar = bars.add(ProgressBar::new(0));
        let style = ProgressStyle::with_template("{prefix:<44!} {msg:<11} {bar:24} {pos}/{len}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(file.key.clone());
        bar
    });
    bar.set_message(progress.state.as_str());
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
}

/// Shows the end of a file; returns a line if it failed.
fn finish(
    report: &Report,
    file: &Found,
    bar: Option<ProgressBar>,
    version: &Version,
) -> anyhow::Result<Option<String>> {
    let warnings = version.warnings.0.as_array().map_or(0, Vec::len);
    let reason = version.reason.as_deref().unwrap_or_default();
    let suggestion = version.suggestion.as_deref().unwrap_or_default();
    let code = version.reason_code.as_deref().unwrap_or_default();
    match report {
        Report::Json => println!(
            "{}",
            serde_json::to_string(&json!({
                "file": file.path, "key": file.key, "state": version.state, "version": version.number,
                "unchanged": false, "chunks": version.chunk_count, "embedded": version.windows_embedded,
                "reused": version.windows_reused, "warnings": version.warnings.0,
                "code": version.reason_code, "reason": version.reason, "suggestion": version.suggestion,
            }))?
        ),
        Report::Bars(bars) => {
            if let Some(bar) = bar {
                bar.finish_and_clear();
                bars.remove(&bar);
            }
            let line = match version.state {
                VersionState::Failed => format!("✗ {}: {reason}", file.key),
                _ if warnings > 0 => format!(
                    "✓ {}: {} chunks, {warnings} warnings",
                    file.key, version.chunk_count
                ),
                _ => format!("✓ {}: {} chunks", file.key, version.chunk_count),
            };
            if std::io::stderr().is_terminal() {
                bars.println(line)?;
            } else {
                eprintln!("{line}");
            }
        }
    }
    let failed = matches!(version.state, VersionState::Failed | VersionState::Cancelled);
    Ok(failed.then(|| format!("{}: {code}: {reason} {suggestion}", file.path.display())))
}

async fn version(app: &App, tenant: Uuid, id: Uuid) -> anyhow::Result<Version> {
    let mut tx = app.store.tenant(tenant).await?;
    let version = tx.version(id).await?;
    tx.commit().await?;
    Ok(version)
}
