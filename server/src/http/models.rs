//! `/v1/models`: the embedding model that answers, and the switch to another.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::ApiTenant;
use super::error::{ApiError, ErrorBody};
use crate::app::App;
use crate::embedding::{self, ModelState, SwitchError, SwitchState};

impl From<SwitchError> for ApiError {
    fn from(error: SwitchError) -> Self {
        match error {
            SwitchError::Store(error) => error.into(),
            SwitchError::Model(error) => Self::BadRequest(error.to_string()),
        }
    }
}

/// The models of this server and those that the tenant keeps vectors of, the installation's own first.
#[utoipa::path(get, path = "/v1/models", tag = "settings", security(("key" = [])),
    responses((status = 200, body = Vec<ModelState>)))]
pub async fn list(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
) -> Result<Json<Vec<ModelState>>, ApiError> {
    Ok(Json(embedding::list(&app.store, &app.embedders, tenant).await?))
}

/// A switch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewModel {
    /// Name of a model of this server.
    pub model: String,
}

/// Puts another model into force. Its vectors are made in the background while the present one answers; with
/// `publishing.gated` it then waits for the verdict of the eval.
#[utoipa::path(post, path = "/v1/models/switch", tag = "settings", security(("key" = [])), request_body = NewModel,
    responses((status = 202, body = SwitchState), (status = 400, body = ErrorBody, description = "no such model here")))]
pub async fn switch(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    request: Result<Json<NewModel>, JsonRejection>,
) -> Result<(StatusCode, Json<SwitchState>), ApiError> {
    let Json(wanted) = request.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    let state = embedding::switch(&app.store, &app.embedders, tenant, &wanted.model, true).await?;
    Ok((StatusCode::ACCEPTED, Json(state)))
}

/// A rollback.
#[derive(Debug, Serialize, ToSchema)]
pub struct RolledBack {
    /// The model that answered before.
    pub model: String,
    /// What became of it.
    #[serde(flatten)]
    pub switch: SwitchState,
}

/// Back to the model that answered before, without a verdict.
#[utoipa::path(post, path = "/v1/models/rollback", tag = "settings", security(("key" = [])),
    responses((status = 202, body = RolledBack), (status = 409, body = ErrorBody, description = "there was none")))]
pub async fn rollback(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
) -> Result<(StatusCode, Json<RolledBack>), ApiError> {
    let (model, switch) = embedding::rollback(&app.store, &app.embedders, tenant).await?;
    Ok((StatusCode::ACCEPTED, Json(RolledBack { model, switch })))
}

/// Removes the vectors of a model that does not answer.
#[utoipa::path(delete, path = "/v1/models/{model}", tag = "settings", security(("key" = [])),
    params(("model" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody),
              (status = 409, body = ErrorBody, description = "it is in force, or the installation's own")))]
pub async fn remove(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(model): Path<String>,
) -> Result<StatusCode, ApiError> {
    embedding::remove(&app.store, &app.embedders, tenant, &model).await?;
    Ok(StatusCode::NO_CONTENT)
}
