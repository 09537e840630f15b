//! Judges what is staged: asks the tenant's golden set with it, and publishes it or says why not.
//!
//! The eval is a program of its own, and stays one: the verdict that a pipeline gets and the verdict that publishes come
//! from the same command. It works on this database and sees the live versions with the staged one among them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use plumbline_store::{EvalRun, EvalState, Job, Secret, Store, StoreError, Verdict};
use tokio::process::Command;
use uuid::Uuid;

use super::{Done, WorkError, field};
use crate::app::App;
use crate::config::CommonArgs;

/// Longest that a run may take.
const LONGEST_RUN: Duration = Duration::from_mins(30);

/// Where the eval program is and what it works with.
#[derive(Debug)]
pub struct EvalProgram {
    /// The program.
    pub program: PathBuf,
    /// Folder of golden sets, one per tenant, named by its slug. Each holds its `gates.toml`.
    pub golden: PathBuf,
    /// The database.
    pub database_url: Secret,
    /// Directories of the model and the libraries, as variables.
    pub environment: Vec<(&'static str, PathBuf)>,
    /// The endpoint of further models, as variables.
    pub endpoint: Vec<(&'static str, Secret)>,
}

/// Directories in one variable, as the command line takes them.
fn listed(directories: &[PathBuf]) -> PathBuf {
    let names: Vec<&std::ffi::OsStr> = directories.iter().map(|path| path.as_os_str()).collect();
    names.join(std::ffi::OsStr::new(",")).into()
}

impl EvalProgram {
    /// `plumbline-eval` in the directory of this program, with the golden sets of the data directory.
    pub fn beside_this_one(common: &CommonArgs, database_url: Secret) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("plumbline-eval");
        Ok(Self {
            program,
            golden: common.data_dir().golden(),
            database_url,
            environment: [
                ("PLUMBLINE_RUNTIME", Some(common.runtime.clone())),
                ("PLUMBLINE_MODEL_DIR", Some(common.model_directory())),
                (
                    "PLUMBLINE_EMBEDDING_DIRS",
                    common.embedding_dirs.as_deref().map(listed),
                ),
                ("PLUMBLINE_RERANKER_DIR", common.reranker_dir.clone()),
                ("ORT_DYLIB_PATH", Some(common.onnx_runtime())),
                ("PDFIUM_LIB", Some(common.pdfium_library())),
                ("PLUMBLINE_DATA", Some(common.data.clone())),
            ]
            .into_iter()
            .filter_map(|(name, path)| Some((name, path?)))
            .collect(),
            endpoint: common.embedding.variables(),
        })
    }

    /// Runs it on what waits for `run`.
    async fn run(&self, slug: &str, run: Subject<'_>) -> Verdict {
        match self.try_run(slug, run).await {
            Ok(verdict) => verdict,
            Err(error) => Verdict {
                state: EvalState::Broken,
                exit_code: None,
                cause: format!("{error:#}"),
                report: None,
            },
        }
    }

    async fn try_run(&self, slug: &str, run: Subject<'_>) -> anyhow::Result<Verdict> {
        let golden = self.golden.join(slug);
        anyhow::ensure!(
            golden.is_dir(),
            "{} is not there: put the golden set of the tenant there, with its gates.toml",
            golden.display()
        );
        let report = tempfile::tempdir().context("no folder for the report")?;
        let mut command = Command::new(&self.program);
        command
            .arg("run")
            .arg("--tenant")
            .arg(slug)
            .arg("--golden")
            .arg(&golden)
            .arg("--gates")
            .arg(golden.join("gates.toml"))
            .arg("--report")
            .arg(report.path())
            .env("DATABASE_URL", self.database_url.expose())
            .envs(self.environment.iter().map(|(name, path)| (name, path)))
            .envs(self.endpoint.iter().map(|(name, value)| (name, value.expose())))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        run.add_to(&mut command);
        let output = tokio::time::timeout(LONGEST_RUN, command.output())
            .await
            .with_context(|| format!("the run took longer than {} minutes", LONGEST_RUN.as_secs() / 60))?
            .with_context(|| {
                format!(
                    "{} could not be started; install it beside plumbline",
                    self.program.display()
                )
            })?;
        let said = String::from_utf8_lossy(&output.stdout);
        let cause = said
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or_default();
        let report = tokio::fs::read(report.path().join("report.json")).await.ok();
        Ok(Verdict {
            state: EvalState::of_exit(output.status.code()),
            exit_code: output.status.code(),
            cause: without_code(cause).to_owned(),
            report: report.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
        })
    }
}

/// What a run is made on, and what its outcomes are compared with.
#[derive(Clone, Copy)]
enum Subject<'a> {
    /// What waits for it; compared with the outcomes in this file, if there is one.
    Staged(&'a EvalRun, Option<&'a Path>),
    /// What is live; its outcomes go into this file.
    Live(&'a Path),
}

impl Subject<'_> {
    fn add_to(self, command: &mut Command) {
        let (run, baseline) = match self {
            Self::Live(file) => {
                command.arg("--baseline").arg(file).arg("--write-baseline");
                return;
            }
            Self::Staged(run, baseline) => (run, baseline),
        };
        if let Some(file) = baseline {
            command.arg("--baseline").arg(file);
        }
        if let Some(version) = run.version_id {
            command.arg("--preview-version").arg(version.to_string());
        }
        if let Some(settings) = run.settings_version {
            command.arg("--preview-settings").arg(settings.to_string());
        }
    }
}

/// `exit 1: a gate failed` without the code, which is kept beside it.
fn without_code(line: &str) -> &str {
    match line.strip_prefix("exit ").and_then(|rest| rest.split_once(": ")) {
        Some((_, cause)) => cause,
        None => line,
    }
}

/// Runs the eval for what waits, and publishes it when it passed.
pub async fn judge(app: &App, job: &Job) -> Result<Done, WorkError> {
    let id: Uuid = field(job, "run_id")?;
    let tenant = job.tenant_id;
    let mut tx = app.store.tenant(tenant).await?;
    let run = match tx.eval_run(id).await {
        Ok(run) => run,
        // the document it waited with was removed
        Err(StoreError::NotFound { .. }) => return Ok(Done::Finished),
        Err(error) => return Err(error.into()),
    };
    if !matches!(run.state, EvalState::Queued | EvalState::Running) {
        return Ok(Done::Finished);
    }
    tx.begin_eval_run(id).await?;
    tx.commit().await?;
    let mut tx = app.store.system().await?;
    let slug = tx.tenant_by_id(tenant).await?.slug;
    tx.commit().await?;
    let Some(eval) = &app.eval else {
        return Ok(Done::Later(Duration::from_mins(1))); // a process that has the program takes it
    };
    let verdict = match model_of(app, tenant, &run).await? {
        Some(model) => beside_the_live_one(app, eval, (tenant, &slug), &run, &model).await?,
        None => eval.run(&slug, Subject::Staged(&run, None)).await,
    };
    tracing::info!(run = %id, state = ?verdict.state, cause = verdict.cause, "gate.run.ended");
    if verdict.state == EvalState::Passed {
        publish(app, tenant, &run).await?;
    }
    note(&app.store, tenant, id, &verdict).await?;
    Ok(Done::Finished)
}

/// The model that staged settings would put into force, if it is another than the one that answers.
async fn model_of(app: &App, tenant: Uuid, run: &EvalRun) -> Result<Option<String>, StoreError> {
    let Some(version) = run.settings_version else {
        return Ok(None);
    };
    let mut tx = app.store.tenant(tenant).await?;
    let live = tx.settings().await?.settings.retrieval.model;
    let staged = tx.settings_version(version).await?.settings.retrieval.model;
    tx.commit().await?;
    Ok((staged != live).then_some(staged))
}

/// Asks the golden set of the model in force first, keeps that run beside the other one, and then of the new model
/// against its outcomes: the gates hold, and no case got worse by more than chance.
async fn beside_the_live_one(
    app: &App,
    eval: &EvalProgram,
    (tenant, slug): (Uuid, &str),
    run: &EvalRun,
    model: &str,
) -> Result<Verdict, WorkError> {
    let folder = tempfile::tempdir().map_err(|error| WorkError::retry(error.to_string()))?;
    let outcomes = folder.path().join("live.json");
    let mut live = eval.run(slug, Subject::Live(&outcomes)).await;
    if live.state == EvalState::Broken {
        live.cause = format!("the model in force could not be measured: {}", live.cause);
        return Ok(live);
    }
    live.cause = format!("the model in force, for comparison: {}", live.cause);
    let mut tx = app.store.tenant(tenant).await?;
    tx.record_eval_run(&live).await?;
    tx.commit().await?;
    let verdict = eval.run(slug, Subject::Staged(run, Some(&outcomes))).await;
    if verdict.state != EvalState::Passed {
        let mut tx = app.store.tenant(tenant).await?;
        tx.end_switch(
            model,
            &format!("eval run {} did not pass: {}", run.id, verdict.cause),
        )
        .await?;
        tx.commit().await?;
    }
    Ok(verdict)
}

/// Makes live what passed, unless something newer is live already.
async fn publish(app: &App, tenant: Uuid, run: &EvalRun) -> Result<(), WorkError> {
    let mut tx = app.store.tenant(tenant).await?;
    if let Some(settings) = run.settings_version {
        if tx.settings().await?.version < settings {
            tx.activate_settings(settings).await?;
        }
        return Ok(tx.commit().await?);
    }
    let Some(version) = run.version_id else {
        return Ok(());
    };
    let superseded = tx.is_superseded(version).await?;
    let version = tx.version(version).await?;
    tx.commit().await?;
    if superseded {
        return Ok(());
    }
    app.pipeline
        .publish(tenant, &version)
        .await
        .map_err(|error| WorkError::retry(error.to_string()))
}

async fn note(store: &Store, tenant: Uuid, run: Uuid, verdict: &Verdict) -> Result<(), StoreError> {
    let mut tx = store.tenant(tenant).await?;
    tx.end_eval_run(run, verdict).await?;
    tx.commit().await
}

/// Ends a run that was interrupted at every attempt.
pub async fn give_up(app: &App, job: &Job, reason: &str) -> Result<(), WorkError> {
    let id: Uuid = field(job, "run_id")?;
    let verdict = Verdict {
        state: EvalState::Broken,
        exit_code: None,
        cause: format!("the run was interrupted at every attempt: {reason}"),
        report: None,
    };
    let mut tx = app.store.tenant(job.tenant_id).await?;
    let run = tx.eval_run(id).await?;
    tx.commit().await?;
    if let Some(model) = model_of(app, job.tenant_id, &run).await? {
        let mut tx = app.store.tenant(job.tenant_id).await?;
        tx.end_switch(&model, &verdict.cause).await?;
        tx.commit().await?;
    }
    Ok(note(&app.store, job.tenant_id, id, &verdict).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_told_without_its_code() {
        assert_eq!(without_code("exit 1: recall_at_5 failed"), "recall_at_5 failed");
        assert_eq!(without_code("killed"), "killed");
    }
}
