//! `/v1/settings`: the versioned settings of a tenant.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use plumbline_store::{Settings, SettingsEntry, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, Object, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::auth::ApiTenant;
use super::error::{ApiError, ErrorBody};
use crate::app::App;

/// Rows of the history.
const LARGEST_HISTORY: i64 = 200;

/// The settings; their description is made from the defaults, so that it cannot fall behind.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct SettingsBody(Settings);

impl ToSchema for SettingsBody {
    fn name() -> std::borrow::Cow<'static, str> {
        "Settings".into()
    }
}

impl PartialSchema for SettingsBody {
    fn schema() -> RefOr<Schema> {
        described(&Settings::default().to_json())
    }
}

fn described(default: &Value) -> RefOr<Schema> {
    let simple = |kind: Type| Object::with_type(SchemaType::Type(kind));
    let mut object = match default {
        Value::Object(fields) if !fields.is_empty() => {
            let all = fields.iter().fold(ObjectBuilder::new(), |object, (name, field)| {
                object.property(name.clone(), described(field))
            });
            return RefOr::T(Schema::Object(all.build()));
        }
        // the one map: examples per route
        Value::Object(_) => {
            let texts = ArrayBuilder::new().items(simple(Type::String)).build();
            let object = ObjectBuilder::new()
                .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(Schema::Array(texts)))));
            return RefOr::T(Schema::Object(object.build()));
        }
        Value::Array(_) => {
            let texts = ArrayBuilder::new().items(simple(Type::String)).build();
            return RefOr::T(Schema::Array(texts));
        }
        Value::Bool(_) => simple(Type::Boolean),
        Value::Number(number) if number.is_f64() => simple(Type::Number),
        Value::Number(_) => simple(Type::Integer),
        Value::String(_) | Value::Null => simple(Type::String),
    };
    object.default = Some(default.clone());
    RefOr::T(Schema::Object(object))
}

/// Settings with their version.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingsResponse {
    /// Version; 0 stands for the built-in defaults, when nothing was stored yet.
    pub version: i64,
    /// The settings.
    pub settings: SettingsBody,
}

impl SettingsResponse {
    fn reply(version: i64, settings: Settings) -> Response {
        let etag = [(header::ETAG, format!("\"{version}\""))];
        let settings = SettingsBody(settings);
        (etag, Json(Self { version, settings })).into_response()
    }
}

/// The settings in force. The header `ETag` holds their version.
#[utoipa::path(get, path = "/v1/settings", tag = "settings", security(("key" = [])),
    responses((status = 200, body = SettingsResponse)))]
pub async fn get(State(app): State<App>, ApiTenant(tenant): ApiTenant) -> Result<Response, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let live = tx.settings().await?;
    tx.commit().await?;
    Ok(SettingsResponse::reply(live.version, live.settings))
}

/// New settings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSettings {
    /// The version they are based on; the header `If-Match` may say it instead.
    pub version: Option<i64>,
    /// Why they are changed.
    pub note: Option<String>,
    /// All settings; what is left out takes its default.
    #[schema(value_type = SettingsBody)]
    pub settings: Value,
}

/// Stores new settings as the next version and puts them into force, or stages them until the golden set passes when
/// `publishing.gated` is on and they change what customers are answered. They must be based on the version that is in force:
/// nobody's change is overwritten unseen.
#[utoipa::path(put, path = "/v1/settings", tag = "settings", security(("key" = [])),
    params(("If-Match" = Option<String>, Header, description = "the `ETag` of the settings that were read")),
    request_body = NewSettings,
    responses((status = 200, body = SettingsResponse),
              (status = 202, body = StagedSettings, description = "`publishing.gated`: they wait for an eval run"),
              (status = 400, body = ErrorBody, description = "names every field that is wrong"),
              (status = 409, body = ErrorBody, description = "`version` is not in force any more"),
              (status = 412, body = ErrorBody, description = "`If-Match` is not in force any more")))]
pub async fn put(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    headers: HeaderMap,
    request: Result<Json<NewSettings>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(new) = request.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    let matched = if_match(&headers)?;
    let base = matched.or(new.version).ok_or_else(|| {
        ApiError::BadRequest(
            "say which version the change is based on: `version`, or the header `If-Match`".to_owned(),
        )
    })?;
    let settings = Settings::from_json(&new.settings).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        ApiError::BadRequest(problems.join("; "))
    })?;
    let note: String = new
        .note
        .unwrap_or_default()
        .replace('\0', "")
        .chars()
        .take(500)
        .collect();
    let mut tx = app.store.tenant(tenant).await?;
    let stored = tx.replace_or_stage_settings(base, &settings, &note).await;
    let (version, run) = stored.map_err(|error| match error {
        StoreError::Conflict(message) if matched.is_some() => ApiError::Precondition(message),
        other => other.into(),
    })?;
    tx.commit().await?;
    let Some(eval_run) = run else {
        return Ok(SettingsResponse::reply(version, settings));
    };
    let staged = StagedSettings { version, eval_run };
    Ok((StatusCode::ACCEPTED, Json(staged)).into_response())
}

/// Settings that wait for the verdict of an eval run.
#[derive(Debug, Serialize, ToSchema)]
pub struct StagedSettings {
    /// Their version; they are put into force when the run passes.
    pub version: i64,
    /// The run, see `/v1/eval/runs`.
    pub eval_run: Uuid,
}

fn if_match(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let version = value
        .to_str()
        .ok()
        .and_then(|value| value.trim_start_matches("W/").trim_matches('"').parse().ok());
    version.map(Some).ok_or_else(|| {
        ApiError::BadRequest("the header `If-Match` must be the `ETag` of `GET /v1/settings`".to_owned())
    })
}

/// A stored version of the settings.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingsVersionEntry {
    /// Version.
    pub version: i64,
    /// Why it was made.
    pub note: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Whether it is in force.
    pub live: bool,
}

impl From<SettingsEntry> for SettingsVersionEntry {
    fn from(entry: SettingsEntry) -> Self {
        Self {
            version: entry.version,
            note: entry.note,
            created_at: entry.created_at,
            live: entry.live,
        }
    }
}

/// The latest versions of the settings, newest first, at most 200.
#[utoipa::path(get, path = "/v1/settings/versions", tag = "settings", security(("key" = [])),
    responses((status = 200, body = Vec<SettingsVersionEntry>)))]
pub async fn history(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
) -> Result<Json<Vec<SettingsVersionEntry>>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let history = tx.settings_history(LARGEST_HISTORY).await?;
    tx.commit().await?;
    Ok(Json(history.into_iter().map(Into::into).collect()))
}

/// Puts a stored version of the settings into force again.
#[utoipa::path(post, path = "/v1/settings/versions/{version}/activate", tag = "settings", security(("key" = [])),
    params(("version" = i64, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub async fn activate(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(version): Path<i64>,
) -> Result<StatusCode, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    tx.activate_settings(version).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
