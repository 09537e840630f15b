//! `/v1/traces`: what questions looked at, found again and asked again.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use chrono::{DateTime, Utc};
use plumbline_store::{StoredTrace, TraceRow, TraceSource};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::ApiTenant;
use super::error::{ApiError, ErrorBody};
use crate::app::App;
use crate::traces::{self, Against, Comparison, TraceQuery, TraceRecord};

/// A trace in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraceEntry {
    /// Identifier; of an answer, the answer's own.
    pub id: Uuid,
    /// Where the question came from: `whatsapp`, `answer`, `search`, `playground` or `replay`.
    #[schema(value_type = String, example = "whatsapp")]
    pub source: TraceSource,
    /// The question as asked.
    pub question: String,
    /// As it was searched.
    pub query: String,
    /// `answered`, `abstained` or `handed_off`; none for a search.
    pub outcome: Option<String>,
    /// Version of the settings it was asked with.
    pub settings_version: i64,
    /// What was live, if that was kept: then it can be asked again against `then`.
    pub index_version: Option<i64>,
    /// Keys of the documents of the passages that were handed on, best first.
    pub document_keys: Vec<String>,
    /// Milliseconds.
    pub total_ms: f64,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl From<TraceRow> for TraceEntry {
    fn from(row: TraceRow) -> Self {
        Self {
            id: row.id,
            source: row.source,
            question: row.question,
            query: row.query,
            outcome: row.outcome,
            settings_version: row.settings_version,
            index_version: row.index_version,
            document_keys: row.document_keys,
            total_ms: row.total_ms,
            created_at: row.created_at,
        }
    }
}

/// Traces, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraceList {
    /// The traces.
    pub traces: Vec<TraceEntry>,
    /// What `before` takes to list older ones; none when these were the last.
    pub next: Option<Uuid>,
}

/// The traces that are kept, newest first.
#[utoipa::path(get, path = "/v1/traces", tag = "traces", security(("key" = [])), params(TraceQuery),
    responses((status = 200, body = TraceList), (status = 400, body = ErrorBody, description = "names the field")))]
pub async fn list(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    query: Result<Query<TraceQuery>, QueryRejection>,
) -> Result<Json<TraceList>, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    let (filter, limit) = query
        .read()
        .map_err(|problem| ApiError::BadRequest(problem.in_json()))?;
    let mut tx = app.store.tenant(tenant).await?;
    let mut rows = tx.traces(&filter, limit + 1).await?;
    tx.commit().await?;
    let more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        rows.pop();
    }
    let next = rows.last().filter(|_| more).map(|row| row.id);
    let traces = rows.into_iter().map(Into::into).collect();
    Ok(Json(TraceList { traces, next }))
}

/// A whole trace.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraceResponse {
    /// What a list shows of it.
    #[serde(flatten)]
    pub entry: TraceEntry,
    /// Everything that was looked at.
    #[schema(value_type = TraceRecord)]
    pub record: serde_json::Value,
}

impl From<StoredTrace> for TraceResponse {
    fn from(trace: StoredTrace) -> Self {
        Self {
            entry: trace.row.into(),
            record: trace.record,
        }
    }
}

/// A trace: the question, its analysis, both legs, the fusion, the reranking, what the composer was given, and what
/// came of it.
#[utoipa::path(get, path = "/v1/traces/{id}", tag = "traces", security(("key" = [])),
    params(("id" = Uuid, Path, description = "id of the trace, or of the answer")),
    responses((status = 200, body = TraceResponse),
              (status = 404, body = ErrorBody, description = "it was not sampled, or it was forgotten")))]
pub async fn get(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<Json<TraceResponse>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let trace = tx.trace(id).await?;
    tx.commit().await?;
    Ok(Json(trace.into()))
}

/// How a trace is asked again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplayRequest {
    /// `then`: what was live when it was asked, as far as its documents still exist. `now`: what is live now.
    pub against: Against,
    /// Settings version to ask with; left out, the settings of the trace.
    pub settings_version: Option<i64>,
}

/// A trace that was asked again.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayResponse {
    /// The new trace, see `/v1/traces/{id}`.
    pub trace_id: Option<Uuid>,
    /// What it was asked again on.
    pub against: Against,
    /// Settings version it was asked with.
    pub settings_version: i64,
    /// Versions that were live then and cannot be searched any more, because their documents were deleted.
    pub missing: usize,
    /// How it differs from the first one.
    pub comparison: Comparison,
    /// The new trace.
    pub record: TraceRecord,
}

/// Asks a trace again, on what was live then or on what is live now, and says what differs. Nobody is answered.
#[utoipa::path(post, path = "/v1/traces/{id}/replay", tag = "traces", security(("key" = [])),
    params(("id" = Uuid, Path)), request_body = ReplayRequest,
    responses((status = 200, body = ReplayResponse), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
              (status = 409, body = ErrorBody, description = "what was live then was not kept: ask it against `now`")))]
pub async fn replay(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
    request: Result<Option<Json<ReplayRequest>>, JsonRejection>,
) -> Result<Json<ReplayResponse>, ApiError> {
    let request = request.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    let Json(request) = request.unwrap_or_default();
    let replayed = traces::replay(&app, tenant, id, request.against, request.settings_version).await?;
    Ok(Json(ReplayResponse {
        trace_id: replayed.trace_id,
        against: request.against,
        settings_version: replayed.settings_version,
        missing: replayed.missing,
        comparison: replayed.comparison,
        record: replayed.record,
    }))
}
