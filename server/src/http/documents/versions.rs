//! `/v1/documents/{id}/versions`: what became of each file, what was read out of it, and what is done with it.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use plumbline_store::{self as store, BlobReader, StoreError};
use serde::{Deserialize, Serialize};
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::{Around, PageReport, Version, Warning, warnings};
use crate::app::App;
use crate::http::auth::ApiTenant;
use crate::http::error::{ApiError, ErrorBody};

/// A document and a version number, as in `/v1/documents/{id}/versions/{number}`.
pub(super) type Place = Path<(Uuid, i32)>;

/// All versions of a document with what they are shown with.
struct Found {
    versions: Vec<store::Version>,
    live: Option<Uuid>,
    now: chrono::DateTime<chrono::Utc>,
}

impl Found {
    async fn of(app: &App, tenant: Uuid, document: Uuid) -> Result<Self, ApiError> {
        let mut tx = app.store.tenant(tenant).await?;
        let versions = tx.versions(document).await?;
        if versions.is_empty() {
            return Err(StoreError::NotFound { what: "document" }.into());
        }
        // the versions of a deleted document stay readable, because answers cite them
        let live = match tx.document(document).await {
            Ok(document) => document.live_version_id,
            Err(StoreError::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let now = tx.now().await?;
        tx.commit().await?;
        Ok(Self { versions, live, now })
    }

    fn number(&self, number: i32) -> Result<&store::Version, ApiError> {
        let found = self.versions.iter().find(|version| version.number == number);
        Ok(found.ok_or(StoreError::NotFound {
            what: "document version",
        })?)
    }

    fn show(&self, version: &store::Version) -> Version {
        let around = Around {
            versions: &self.versions,
            live: self.live,
            now: self.now,
        };
        Version::new(version, around)
    }
}

/// One version of a document.
pub(super) async fn version_at(
    app: &App,
    tenant: Uuid,
    document: Uuid,
    number: i32,
) -> Result<store::Version, ApiError> {
    let found = Found::of(app, tenant, document).await?;
    found.number(number).cloned()
}

/// All versions of a document, newest first, each with its stage, warnings and reason.
#[utoipa::path(get, path = "/v1/documents/{id}/versions", tag = "versions", security(("key" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = Vec<Version>), (status = 404, body = ErrorBody)))]
pub async fn list(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<Json<Vec<Version>>, ApiError> {
    let found = Found::of(&app, tenant, id).await?;
    Ok(Json(
        found.versions.iter().map(|version| found.show(version)).collect(),
    ))
}

/// One version.
#[utoipa::path(get, path = "/v1/documents/{id}/versions/{number}", tag = "versions", security(("key" = [])),
    params(("id" = Uuid, Path), ("number" = i32, Path)),
    responses((status = 200, body = Version), (status = 404, body = ErrorBody)))]
pub async fn get(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
) -> Result<Json<Version>, ApiError> {
    let found = Found::of(&app, tenant, id).await?;
    Ok(Json(found.show(found.number(number)?)))
}

/// How well a file could be read.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quality {
    /// One report per page, for formats that have pages.
    pub pages: Vec<PageReport>,
    /// What deserves a look, with what to do about it.
    pub warnings: Vec<Warning>,
}

/// The quality report of a version: every page, every warning.
#[utoipa::path(get, path = "/v1/documents/{id}/versions/{number}/quality", tag = "versions", security(("key" = [])),
    params(("id" = Uuid, Path), ("number" = i32, Path)),
    responses((status = 200, body = Quality), (status = 404, body = ErrorBody)))]
pub async fn quality(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
) -> Result<Json<Quality>, ApiError> {
    let version = version_at(&app, tenant, id, number).await?;
    let warnings = warnings(&version.warnings.0);
    let pages = serde_json::from_value(version.pages.0)
        .map_err(|error| ApiError::Unavailable(format!("the stored page reports cannot be read: {error}")))?;
    Ok(Json(Quality { pages, warnings }))
}

/// The canonical text that citations point into.
#[derive(Debug, Serialize, ToSchema)]
pub struct TextResponse {
    /// Canonical text; citations are byte ranges of its UTF-8 form.
    pub text: String,
    /// Language, ISO 639-1.
    pub language: Option<String>,
}

/// The canonical text of a version. It outlives replacement and deletion, because answers cite it.
#[utoipa::path(get, path = "/v1/documents/{id}/versions/{number}/text", tag = "versions", security(("key" = [])),
    params(("id" = Uuid, Path), ("number" = i32, Path)),
    responses((status = 200, body = TextResponse), (status = 404, body = ErrorBody)))]
pub async fn text(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
) -> Result<Json<TextResponse>, ApiError> {
    let version = version_at(&app, tenant, id, number).await?;
    let mut tx = app.store.tenant(tenant).await?;
    let text = tx.version_text(version.id).await?;
    tx.commit().await?;
    Ok(Json(TextResponse {
        text,
        language: version.language,
    }))
}

/// Which part of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct PartQuery {
    /// Rows wanted, at most 200; 50 when left out.
    limit: Option<i64>,
    /// Rows to skip.
    offset: Option<i64>,
}

impl PartQuery {
    /// Rows wanted and rows to skip.
    pub(super) fn range(&self) -> (i64, i64) {
        let limit = self.limit.unwrap_or(50).clamp(1, super::LARGEST_PAGE);
        (limit, self.offset.unwrap_or(0).max(0))
    }
}

/// Chunks of a version.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChunkList {
    /// Chunks in order, with what overlays do to them.
    pub chunks: Vec<super::model::Chunk>,
    /// Chunks of the version in all.
    pub total: i32,
}

/// The chunks of a version in order.
#[utoipa::path(get, path = "/v1/documents/{id}/versions/{number}/chunks", tag = "versions", security(("key" = [])),
    params(("id" = Uuid, Path), ("number" = i32, Path), PartQuery),
    responses((status = 200, body = ChunkList), (status = 404, body = ErrorBody)))]
pub async fn chunks(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
    Query(query): Query<PartQuery>,
) -> Result<Json<ChunkList>, ApiError> {
    let version = version_at(&app, tenant, id, number).await?;
    let (limit, offset) = query.range();
    let mut tx = app.store.tenant(tenant).await?;
    let chunks = tx.chunks(version.id, limit, offset).await?;
    tx.commit().await?;
    Ok(Json(ChunkList {
        chunks: chunks.into_iter().map(Into::into).collect(),
        total: version.chunk_count,
    }))
}

/// The file as it was uploaded.
#[utoipa::path(get, path = "/v1/documents/{id}/versions/{number}/file", tag = "versions", security(("key" = [])),
    params(("id" = Uuid, Path), ("number" = i32, Path)),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = ErrorBody)))]
pub async fn download(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
) -> Result<Response, ApiError> {
    let version = version_at(&app, tenant, id, number).await?;
    let file = app.blobs.open(&version.blob_sha256).await?;
    // Always a download: a file of a stranger is never shown as a page of ours.
    let name: String = version
        .file_name
        .chars()
        .map(|c| if c.is_ascii_graphic() && c != '"' { c } else { '_' })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, stream(file)).into_response())
}

/// The bytes of a file as they come: a file may be larger than memory. One that turns out to be damaged ends early, and
/// its length tells the receiver.
pub(crate) fn stream(file: BlobReader) -> impl IntoResponse {
    let length = [(header::CONTENT_LENGTH, file.length().to_string())];
    (
        length,
        Body::from_stream(ReaderStream::with_capacity(file, 64 << 10)),
    )
}

/// How to publish.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Publishing {
    /// Also without a verdict of the eval, or against it.
    #[serde(default)]
    pub force: bool,
}

/// Makes a complete version the one that answers: publishing a new one, or rolling back to an old one. With
/// `publishing.gated`, a version that was never published needs an eval run that passed, or `force`.
#[utoipa::path(post, path = "/v1/documents/{id}/versions/{number}/publish", tag = "versions",
    security(("key" = [])), params(("id" = Uuid, Path), ("number" = i32, Path), Publishing),
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub async fn publish(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
    Query(how): Query<Publishing>,
) -> Result<StatusCode, ApiError> {
    let version = version_at(&app, tenant, id, number).await?;
    if !how.force {
        let mut tx = app.store.tenant(tenant).await?;
        let unproven = tx.unproven(version.id).await?;
        tx.commit().await?;
        if let Some(why) = unproven {
            return Err(StoreError::Conflict(format!(
                "version {number} waits for the eval ({why}); publish it all the same with ?force=true"
            ))
            .into());
        }
    }
    app.pipeline.publish(tenant, &version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Builds a failed or cancelled version once more.
#[utoipa::path(post, path = "/v1/documents/{id}/versions/{number}/retry", tag = "versions", security(("key" = [])),
    params(("id" = Uuid, Path), ("number" = i32, Path)),
    responses((status = 202), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub async fn retry(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
) -> Result<StatusCode, ApiError> {
    let version = version_at(&app, tenant, id, number).await?;
    app.pipeline.retry(tenant, &version).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Stops the building of a version. Another version that answers goes on answering.
#[utoipa::path(post, path = "/v1/documents/{id}/versions/{number}/cancel", tag = "versions", security(("key" = [])),
    params(("id" = Uuid, Path), ("number" = i32, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub async fn cancel(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
) -> Result<StatusCode, ApiError> {
    let version = version_at(&app, tenant, id, number).await?;
    app.pipeline.cancel(tenant, version.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
