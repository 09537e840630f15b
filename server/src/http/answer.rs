//! `/v1/answer`: the answer a customer would get.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use plumbline_answer::{Answer, Ask, Message};
use plumbline_store::TraceSource;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::auth::ApiTenant;
use super::error::{ApiError, ErrorBody, refuse_nul};
use super::preview::{Preview, look};
use crate::app::App;
use crate::filter::FilterRequest;
use crate::traces::{self, Asking, Keep, Origin};

/// Most earlier messages of a request; the answerer looks at the last few.
const MOST_HISTORY: usize = 100;

/// Longest question in characters: a WhatsApp message has at most 4,096.
const LONGEST_QUESTION: usize = 8_192;

/// A question.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerRequest {
    /// What the customer wrote.
    #[schema(example = "can I return an opened fan?")]
    pub question: String,
    /// What was said before, oldest first.
    #[serde(default)]
    pub history: Vec<Message>,
    /// Language the customer is believed to speak, ISO 639-1.
    pub language: Option<String>,
    /// Quote only these documents.
    #[serde(default)]
    pub filter: FilterRequest,
    /// Answer with staged versions or settings. No customer sees such an answer, and no record of it is kept.
    pub preview: Option<Preview>,
    /// `true` keeps the trace of this answer under the answer's id, `false` keeps none; left out, the setting
    /// `traces.sample` decides.
    pub trace: Option<bool>,
}

/// An answer, and whether one can look up how it came about.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AnswerResponse {
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
    /// Its trace, see `/v1/traces/{id}`: the id of the answer, or nothing when none was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Uuid>,
}

/// Answers a question with the same settings as WhatsApp does, and keeps the record under its id.
#[utoipa::path(post, path = "/v1/answer", tag = "answers", security(("key" = [])), request_body = AnswerRequest,
    responses((status = 200, body = AnswerResponse), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub async fn answer(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    request: Result<Json<AnswerRequest>, JsonRejection>,
) -> Result<Json<AnswerResponse>, ApiError> {
    let Json(request) = request.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    if request.question.trim().is_empty() {
        return Err(ApiError::BadRequest("`question` is empty".to_owned()));
    }
    if request.question.chars().count() > LONGEST_QUESTION {
        return Err(ApiError::BadRequest(format!(
            "`question` has more than {LONGEST_QUESTION} characters"
        )));
    }
    refuse_nul("question", &request.question)?;
    if request.history.len() > MOST_HISTORY {
        return Err(ApiError::BadRequest(format!(
            "`history` has more than {MOST_HISTORY} messages"
        )));
    }
    let filter = request.filter.read();
    let filter = filter.map_err(|problem| ApiError::BadRequest(problem.in_json()))?;
    let looked = look(&app, tenant, request.preview.as_ref()).await?;
    let ask = Ask {
        question: request.question,
        history: request.history,
        language_hint: request.language,
        settings: Some(looked.settings.clone()),
        scope: looked.scope,
        filter,
    };
    let preview = request.preview.is_some();
    let asking = Asking {
        origin: Origin {
            staged: looked.staged,
            ..Origin::of(TraceSource::Answer)
        },
        keep: Keep::asked_for(request.trace, preview),
        store_answer: !preview,
    };
    let asked = traces::ask(&app, tenant, &ask, &looked.settings, &asking).await?;
    Ok(Json(AnswerResponse {
        answer: asked.result,
        trace_id: asked.trace_id,
    }))
}

/// The record of an answer that was given.
#[utoipa::path(get, path = "/v1/answers/{id}", tag = "answers", security(("key" = [])),
    params(("id" = Uuid, Path, description = "id of the answer")),
    responses((status = 200, body = Answer), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub async fn get(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<Json<serde_json::Value>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let row = tx.answer(id).await?;
    tx.commit().await?;
    Ok(Json(row.record))
}
