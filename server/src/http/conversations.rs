//! `/v1/conversations`: those that people own, and the way back to the bot.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use super::auth::ApiTenant;
use super::error::{ApiError, ErrorBody};
use crate::app::App;

/// Rows of the list.
const MOST_ROWS: i64 = 200;

/// Conversations that wait for people.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct HandedOver {
    /// Longest silent first, at most 200.
    #[schema(value_type = Vec<Object>)]
    pub conversations: Vec<plumbline_store::Conversation>,
}

/// Lists the conversations that were handed over to people.
#[utoipa::path(get, path = "/v1/conversations", tag = "conversations", security(("key" = [])),
    responses((status = 200, body = HandedOver), (status = 401, body = ErrorBody)))]
pub async fn list(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
) -> Result<Json<HandedOver>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let conversations = tx.handed_over(MOST_ROWS).await?;
    tx.commit().await?;
    Ok(Json(HandedOver { conversations }))
}

/// Gives a conversation back to the bot.
#[utoipa::path(post, path = "/v1/conversations/{id}/release", tag = "conversations", security(("key" = [])),
    params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = ErrorBody)))]
pub async fn release(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    tx.set_owner(id, true).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
