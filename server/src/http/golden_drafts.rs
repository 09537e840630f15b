//! `/v1/golden/drafts`: questions of customers on their way into the golden set.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use plumbline_store::{self as store, DraftKind, DraftReason};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::auth::ApiTenant;
use super::error::{ApiError, ErrorBody};
use crate::app::App;
use crate::grow;

/// Drafts of a list.
const LONGEST_LIST: i64 = 500;

/// What became of a draft.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DraftState {
    /// It waits for a person.
    #[default]
    Draft,
    /// A person did not want it.
    Dismissed,
    /// It was written to a file.
    Exported,
}

impl From<DraftState> for store::DraftState {
    fn from(state: DraftState) -> Self {
        match state {
            DraftState::Draft => Self::Draft,
            DraftState::Dismissed => Self::Dismissed,
            DraftState::Exported => Self::Exported,
        }
    }
}

impl From<store::DraftState> for DraftState {
    fn from(state: store::DraftState) -> Self {
        match state {
            store::DraftState::Draft => Self::Draft,
            store::DraftState::Dismissed => Self::Dismissed,
            store::DraftState::Exported => Self::Exported,
        }
    }
}

/// A question of a customer without names, numbers and addresses, for a person to make a golden case of.
#[derive(Debug, Serialize, ToSchema)]
pub struct GoldenDraft {
    /// Identifier.
    pub id: Uuid,
    /// Answer it comes from, as long as that exists.
    pub answer_id: Option<Uuid>,
    /// The question.
    pub question: String,
    /// What was said before, oldest first.
    #[schema(value_type = Vec<Object>)]
    pub history: serde_json::Value,
    /// Language of the question, ISO 639-1.
    pub lang: String,
    /// Guessed kind: `answerable`, `unanswerable`, `chitchat`, `handoff` or `out_of_scope`.
    #[schema(value_type = String)]
    pub kind: DraftKind,
    /// Why it is one: `thumbs_down`, `handoff`, `abstained`, `low_confidence` or `chosen`.
    #[schema(value_type = String)]
    pub reason: DraftReason,
    /// What became of it.
    pub state: DraftState,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl From<store::GoldenDraft> for GoldenDraft {
    fn from(draft: store::GoldenDraft) -> Self {
        Self {
            id: draft.id,
            answer_id: draft.answer_id,
            question: draft.question,
            history: draft.history.0,
            lang: draft.lang,
            kind: draft.kind,
            reason: draft.reason,
            state: draft.state.into(),
            created_at: draft.created_at,
        }
    }
}

/// An answer to make a golden case of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// Identifier of the answer.
    pub answer_id: Uuid,
}

/// Makes a draft of a golden case from an answer. There is one draft per question: a second one is the first.
#[utoipa::path(post, path = "/v1/golden/drafts", tag = "golden", security(("key" = [])), request_body = Chosen,
    responses((status = 201, body = GoldenDraft), (status = 200, body = GoldenDraft, description = "there was one"),
              (status = 404, body = ErrorBody)))]
pub async fn make(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    request: Result<Json<Chosen>, JsonRejection>,
) -> Result<(StatusCode, Json<GoldenDraft>), ApiError> {
    let Json(chosen) = request.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    let mut tx = app.store.tenant(tenant).await?;
    let (draft, fresh) = grow::choose(&mut tx, chosen.answer_id).await?;
    tx.commit().await?;
    let status = if fresh {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(draft.into())))
}

/// Which drafts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// In this state.
    #[serde(default)]
    #[param(inline)]
    pub state: DraftState,
}

/// The drafts in a state, newest first, at most 500.
#[utoipa::path(get, path = "/v1/golden/drafts", tag = "golden", security(("key" = [])), params(Which),
    responses((status = 200, body = Vec<GoldenDraft>)))]
pub async fn list(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Query(which): Query<Which>,
) -> Result<Json<Vec<GoldenDraft>>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let drafts = tx.golden_drafts(which.state.into(), LONGEST_LIST, 0).await?;
    tx.commit().await?;
    Ok(Json(drafts.into_iter().map(Into::into).collect()))
}

/// A person does not want this one. The same question does not come back by itself.
#[utoipa::path(post, path = "/v1/golden/drafts/{id}/dismiss", tag = "golden", security(("key" = [])),
    params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = ErrorBody)))]
pub async fn dismiss(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    tx.set_draft_state(id, store::DraftState::Dismissed).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All drafts in a state, oldest first, as lines of a case file. They count as exported from now on; `?state=exported`
/// gives them once more.
#[utoipa::path(post, path = "/v1/golden/drafts/export", tag = "golden", security(("key" = [])), params(Which),
    responses((status = 200, content_type = "application/x-ndjson", body = String)))]
pub async fn export(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Query(which): Query<Which>,
) -> Result<Response, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let drafts = tx.export_golden_drafts(which.state.into()).await?;
    let lines = grow::case_lines(&drafts);
    tx.commit().await?;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response())
}
