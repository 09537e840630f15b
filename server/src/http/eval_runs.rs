//! `/v1/eval/runs`: what the eval said, about what is staged and elsewhere.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use plumbline_store::{self as store, EvalState, Verdict};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::ApiTenant;
use super::error::{ApiError, ErrorBody};
use crate::app::App;

/// Runs of a list.
const LONGEST_LIST: i64 = 200;

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It waits for a worker.
    Queued,
    /// It runs.
    Running,
    /// Every blocking gate passed; what waited for it is live.
    Passed,
    /// A gate failed, could not be decided, or cases lost their evidence; what waited for it stays staged.
    Refused,
    /// There is no verdict: the run could not be made.
    Broken,
}

impl From<EvalState> for RunState {
    fn from(state: EvalState) -> Self {
        match state {
            EvalState::Queued => Self::Queued,
            EvalState::Running => Self::Running,
            EvalState::Passed => Self::Passed,
            EvalState::Refused => Self::Refused,
            EvalState::Broken => Self::Broken,
        }
    }
}

/// A run of the eval.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvalRun {
    /// Identifier.
    pub id: Uuid,
    /// The document version that waits for it.
    pub version_id: Option<Uuid>,
    /// The settings version that waits for it.
    pub settings_version: Option<i64>,
    /// State.
    pub state: RunState,
    /// Exit code of the program: 0 pass, 1 gate failed, 2 usage, 3 inconclusive, 4 stale, 5 infrastructure.
    pub exit_code: Option<i32>,
    /// Why it ended as it did.
    pub cause: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<store::EvalRun> for EvalRun {
    fn from(run: store::EvalRun) -> Self {
        Self {
            id: run.id,
            version_id: run.version_id,
            settings_version: run.settings_version,
            state: run.state.into(),
            exit_code: run.exit_code,
            cause: run.cause,
            created_at: run.created_at,
            started_at: run.started_at,
            finished_at: run.finished_at,
        }
    }
}

/// The latest runs, newest first, at most 200.
#[utoipa::path(get, path = "/v1/eval/runs", tag = "eval", security(("key" = [])),
    responses((status = 200, body = Vec<EvalRun>)))]
pub async fn list(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
) -> Result<Json<Vec<EvalRun>>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let runs = tx.eval_runs(LONGEST_LIST).await?;
    tx.commit().await?;
    Ok(Json(runs.into_iter().map(Into::into).collect()))
}

/// A run.
#[utoipa::path(get, path = "/v1/eval/runs/{id}", tag = "eval", security(("key" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = EvalRun), (status = 404, body = ErrorBody)))]
pub async fn get(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<Json<EvalRun>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let run = tx.eval_run(id).await?;
    tx.commit().await?;
    Ok(Json(run.into()))
}

/// The report of a run, as `plumbline-eval` wrote it to `report.json`.
#[utoipa::path(get, path = "/v1/eval/runs/{id}/report", tag = "eval", security(("key" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Value), (status = 404, body = ErrorBody, description = "no run, or it has no report")))]
pub async fn report(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<Json<Value>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let report = tx.eval_report(id).await?;
    tx.commit().await?;
    let report = report.ok_or(store::StoreError::NotFound {
        what: "report of the eval run",
    })?;
    Ok(Json(report))
}

/// Keeps the report of a run that was made elsewhere, in a pipeline for example, so that it stands in the history.
#[utoipa::path(post, path = "/v1/eval/runs", tag = "eval", security(("key" = [])), request_body = Value,
    responses((status = 201, body = EvalRun), (status = 400, body = ErrorBody, description = "it is no report")))]
pub async fn record(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    request: Result<Json<Value>, JsonRejection>,
) -> Result<(StatusCode, Json<EvalRun>), ApiError> {
    let Json(report) = request.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    let verdict = verdict_of(report).ok_or_else(|| {
        ApiError::BadRequest(
            "this is no report of plumbline-eval: `exit.code` and `exit.cause` are wanted; send report.json as it is"
                .to_owned(),
        )
    })?;
    let mut tx = app.store.tenant(tenant).await?;
    let id = tx.record_eval_run(&verdict).await?;
    let run = tx.eval_run(id).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(run.into())))
}

fn verdict_of(report: Value) -> Option<Verdict> {
    let code = i32::try_from(report["exit"]["code"].as_i64()?).ok()?;
    let cause = report["exit"]["cause"].as_str()?.replace('\0', "");
    Some(Verdict {
        state: EvalState::of_exit(Some(code)),
        exit_code: Some(code),
        cause,
        report: Some(report),
    })
}
