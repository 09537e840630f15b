//! Runs of the eval, and what waits for their verdict.
//!
//! With `publishing.gated` a complete version is not published: it is staged, and a job asks the golden set against the
//! live versions with this one among them. The staging is part of the transaction that completes the version, so that no
//! version waits for a run that nobody starts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{NewJob, Settings, StoreError, TenantTx};

/// Queue of the jobs that run the eval.
pub const GATE_QUEUE: &str = "gate";

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum EvalState {
    /// It waits for a worker.
    Queued,
    /// It runs.
    Running,
    /// Every blocking gate passed.
    Passed,
    /// A gate failed, could not be decided, or cases lost their evidence.
    Refused,
    /// There is no verdict: the run could not be made.
    Broken,
}

impl EvalState {
    /// What an exit code of `plumbline-eval` means; none when it was killed.
    pub fn of_exit(code: Option<i32>) -> Self {
        match code {
            Some(0) => Self::Passed,
            Some(1 | 3 | 4) => Self::Refused,
            _ => Self::Broken,
        }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct EvalRun {
    /// Identifier.
    pub id: Uuid,
    /// The version that waits for it.
    pub version_id: Option<Uuid>,
    /// The settings that wait for it.
    pub settings_version: Option<i64>,
    /// State.
    pub state: EvalState,
    /// Exit code of the program.
    pub exit_code: Option<i32>,
    /// Why it ended as it did, in one line.
    pub cause: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// The verdict of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// How it ended.
    pub state: EvalState,
    /// Exit code of the program, none when it was killed or could not be started.
    pub exit_code: Option<i32>,
    /// Why, in one line.
    pub cause: String,
    /// The whole report, if there is one.
    pub report: Option<Value>,
}

/// What became of a version that is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publication {
    /// It answers.
    Live,
    /// It waits for the verdict of the eval.
    Staged,
    /// A newer version answers already, or the document was deleted.
    Superseded,
}

/// What waits for a run.
enum Subject {
    Version(Uuid),
    Settings(i64),
}

/// The columns of [`EvalRun`].
macro_rules! run_columns {
    () => {
        "id, version_id, settings_version, state, exit_code, cause, created_at, started_at, finished_at"
    };
}

impl TenantTx {
    /// Publishes a complete version, or stages it when the tenant's settings want a verdict first. Neither when a newer
    /// version answers already.
    pub async fn publish_or_stage(&mut self, version: Uuid) -> Result<Publication, StoreError> {
        if !self.settings().await?.settings.publishing.gated {
            let published = self.publish_if_newest(version).await?;
            return Ok(if published {
                Publication::Live
            } else {
                Publication::Superseded
            });
        }
        if self.is_superseded(version).await? {
            return Ok(Publication::Superseded);
        }
        self.ask_for_run(Subject::Version(version)).await?;
        Ok(Publication::Staged)
    }

    /// Stores new settings like [`TenantTx::replace_settings`]. Those that change what customers are answered are not put
    /// into force but staged when the tenant wants a verdict first; the run that was asked for is returned with them.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another version than `base` is live.
    pub async fn replace_or_stage_settings(
        &mut self,
        base: i64,
        settings: &Settings,
        note: &str,
    ) -> Result<(i64, Option<Uuid>), StoreError> {
        let live = self.settings().await?;
        if live.version != base || !live.settings.publishing.gated || !live.settings.answers_differ(settings)
        {
            return Ok((self.replace_settings(base, settings, note).await?, None));
        }
        self.lock_settings().await?;
        // nothing can be judged that half of the windows know nothing of
        self.check_model(&live.settings.retrieval.model, &settings.retrieval.model)
            .await?;
        let version = self.stage_settings(settings, note).await?;
        Ok((version, Some(self.ask_for_run(Subject::Settings(version)).await?)))
    }

    /// Why a version may not be published without a word that it should be all the same: it was never published, the
    /// tenant wants a verdict, and there is none that passed.
    pub async fn unproven(&mut self, version: Uuid) -> Result<Option<String>, StoreError> {
        Ok(self.unproven_among(&[version]).await?.pop().map(|(_, why)| why))
    }

    /// Those of `versions` that are not proven, each with the reason; see [`TenantTx::unproven`].
    pub async fn unproven_among(&mut self, versions: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
        if !self.settings().await?.settings.publishing.gated {
            return Ok(Vec::new());
        }
        let never_published: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM document_versions WHERE id = ANY($1) AND published_at IS NULL ORDER BY number DESC",
        )
        .bind(versions)
        .fetch_all(self.conn())
        .await?;
        let runs = self.runs_of_versions(&never_published).await?;
        let unproven = never_published.into_iter().filter_map(|version| {
            let run = runs.iter().find(|run| run.version_id == Some(version));
            doubt(run).map(|why| (version, why))
        });
        Ok(unproven.collect())
    }

    /// Asks for a run on a staged version; its id.
    pub async fn gate_version(&mut self, version: Uuid) -> Result<Uuid, StoreError> {
        self.ask_for_run(Subject::Version(version)).await
    }

    /// Asks for a run on staged settings; its id.
    pub async fn gate_settings(&mut self, version: i64) -> Result<Uuid, StoreError> {
        self.ask_for_run(Subject::Settings(version)).await
    }

    async fn ask_for_run(&mut self, subject: Subject) -> Result<Uuid, StoreError> {
        let (id, tenant) = (Uuid::now_v7(), self.tenant());
        let (version, settings) = match subject {
            Subject::Version(version) => (Some(version), None),
            Subject::Settings(settings) => (None, Some(settings)),
        };
        sqlx::query(
            "INSERT INTO eval_runs (id, tenant_id, version_id, settings_version, state)
             VALUES ($1, $2, $3, $4, 'queued')",
        )
        .bind(id)
        .bind(tenant)
        .bind(version)
        .bind(settings)
        .execute(self.conn())
        .await?;
        // one at a time: each is judged against what the one before it left live
        let job = NewJob {
            queue: GATE_QUEUE,
            key: GATE_QUEUE.to_owned(),
            dedupe: None,
            payload: json!({ "run_id": id }),
            delay: Duration::ZERO,
            max_attempts: 3,
        };
        self.enqueue(&job, Duration::ZERO).await?;
        Ok(id)
    }

    /// Notes that a run began.
    pub async fn begin_eval_run(&mut self, id: Uuid) -> Result<(), StoreError> {
        sqlx::query("UPDATE eval_runs SET state = 'running', started_at = now() WHERE id = $1")
            .bind(id)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Notes how a run ended.
    pub async fn end_eval_run(&mut self, id: Uuid, verdict: &Verdict) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE eval_runs SET state = $2, exit_code = $3, cause = $4, report = $5, finished_at = now()
              WHERE id = $1",
        )
        .bind(id)
        .bind(verdict.state)
        .bind(verdict.exit_code)
        .bind(&verdict.cause)
        .bind(verdict.report.as_ref().map(Json))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keeps a run that was made elsewhere; its id.
    pub async fn record_eval_run(&mut self, verdict: &Verdict) -> Result<Uuid, StoreError> {
        let (id, tenant) = (Uuid::now_v7(), self.tenant());
        sqlx::query(
            "INSERT INTO eval_runs (id, tenant_id, state, exit_code, cause, report, started_at, finished_at)
             VALUES ($1, $2, $3, $4, $5, $6, now(), now())",
        )
        .bind(id)
        .bind(tenant)
        .bind(verdict.state)
        .bind(verdict.exit_code)
        .bind(&verdict.cause)
        .bind(verdict.report.as_ref().map(Json))
        .execute(self.conn())
        .await?;
        Ok(id)
    }

    /// A run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn eval_run(&mut self, id: Uuid) -> Result<EvalRun, StoreError> {
        sqlx::query_as(concat!(
            "SELECT ",
            run_columns!(),
            " FROM eval_runs WHERE id = $1"
        ))
        .bind(id)
        .fetch_optional(self.conn())
        .await?
        .ok_or(StoreError::NotFound { what: "eval run" })
    }

    /// The report of a run, if it has one.
    pub async fn eval_report(&mut self, id: Uuid) -> Result<Option<Value>, StoreError> {
        let report: Option<Option<Json<Value>>> =
            sqlx::query_scalar("SELECT report FROM eval_runs WHERE id = $1")
                .bind(id)
                .fetch_optional(self.conn())
                .await?;
        Ok(report.flatten().map(|Json(report)| report))
    }

    /// The newest runs, newest first.
    pub async fn eval_runs(&mut self, limit: i64) -> Result<Vec<EvalRun>, StoreError> {
        Ok(sqlx::query_as(concat!(
            "SELECT ",
            run_columns!(),
            " FROM eval_runs ORDER BY created_at DESC, id DESC LIMIT $1"
        ))
        .bind(limit)
        .fetch_all(self.conn())
        .await?)
    }

    /// The newest run of each of these versions that has one.
    pub async fn runs_of_versions(&mut self, versions: &[Uuid]) -> Result<Vec<EvalRun>, StoreError> {
        Ok(sqlx::query_as(concat!(
            "SELECT DISTINCT ON (version_id) ",
            run_columns!(),
            " FROM eval_runs WHERE version_id = ANY($1) ORDER BY version_id, created_at DESC, id DESC"
        ))
        .bind(versions)
        .fetch_all(self.conn())
        .await?)
    }

    /// Key, blob hash (hex) and version of every document that `scope` sees: what a run is made on.
    pub async fn visible_documents(
        &mut self,
        scope: &crate::Scope,
    ) -> Result<Vec<VisibleDocument>, StoreError> {
        let mut sql = sqlx::QueryBuilder::new(
            "SELECT d.key, encode(v.blob_sha256, 'hex') AS sha256, v.id AS version_id FROM ",
        );
        crate::filter::push_visible(&mut sql, scope, &crate::Filter::default());
        sql.push(
            " seen JOIN documents d ON d.id = seen.document_id JOIN document_versions v ON v.id = seen.version_id
              ORDER BY d.key",
        );
        Ok(sql.build_query_as().fetch_all(self.conn()).await?)
    }
}

/// Why the newest run of a version, or that there is none, proves nothing.
fn doubt(run: Option<&EvalRun>) -> Option<String> {
    match run {
        Some(run) if run.state == EvalState::Passed => None,
        Some(run) if matches!(run.state, EvalState::Queued | EvalState::Running) => {
            Some("its eval run has not ended yet".to_owned())
        }
        Some(run) => Some(format!("its eval run did not pass: {}", run.cause)),
        None => Some("it was never judged by an eval run".to_owned()),
    }
}

/// A document as a scope sees it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct VisibleDocument {
    /// Logical key.
    pub key: String,
    /// SHA-256 of its file, in hex.
    pub sha256: String,
    /// The version that is seen.
    pub version_id: Uuid,
}
