//! `/v1/documents`: upload, look, publish, roll back, delete.

pub mod events;

use axum::Json;
use axum::body::Body;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use plumbline_store::{BlobReader, DocumentFilter, TenantTx, Version, VersionState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::auth::ApiTenant;
use super::error::{ApiError, ErrorBody, refuse_nul};
use crate::app::App;
use crate::documents::{ReceivedFile, read_uploads};

/// Rows of one page.
const LARGEST_PAGE: i64 = 200;

/// Several files.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form in the OpenAPI document")]
pub struct UploadForm {
    /// Logical key of the file that follows; the file name when left out.
    key: Option<String>,
    /// A PDF, DOCX, TXT, Markdown or CSV file. May be repeated.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// What became of the files.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UploadResponse {
    /// One row per file, in order.
    pub files: Vec<ReceivedFile>,
}

/// Receives files; each becomes a new version of its document, built in the background.
#[utoipa::path(post, path = "/v1/documents", tag = "documents", security(("key" = [])),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 202, body = UploadResponse), (status = 400, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub async fn upload(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    form: Multipart,
) -> Result<(StatusCode, Json<UploadResponse>), ApiError> {
    let uploads = read_uploads(form, app.web).await?;
    let files = app.receive(tenant, uploads, None).await?;
    Ok((StatusCode::ACCEPTED, Json(UploadResponse { files })))
}

/// Which documents to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct ListQuery {
    /// Part of the key or title.
    search: Option<String>,
    /// State of the newest version, for instance `failed`.
    state: Option<String>,
    /// Rows wanted, at most 200; 50 when left out.
    limit: Option<i64>,
    /// Rows to skip.
    offset: Option<i64>,
}

/// A page of documents.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListResponse {
    /// Documents, newest change first.
    #[schema(value_type = Vec<Object>)]
    pub documents: Vec<plumbline_store::Document>,
    /// Documents that match, on all pages.
    pub total: i64,
}

/// Lists documents with the state of their newest version.
#[utoipa::path(get, path = "/v1/documents", tag = "documents", security(("key" = [])), params(ListQuery),
    responses((status = 200, body = ListResponse), (status = 400, body = ErrorBody)))]
pub async fn list(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Query(query): Query<ListQuery>,
) -> Result<Json<ListResponse>, ApiError> {
    let state = query.state.map(|state| {
        serde_json::from_value::<VersionState>(Value::String(state.clone())).map_err(|_| {
            ApiError::BadRequest(format!("`state` is {state:?}, which is no state of a version"))
        })
    });
    refuse_nul("search", query.search.as_deref().unwrap_or_default())?;
    let filter = DocumentFilter {
        search: query.search.filter(|text| !text.is_empty()),
        state: state.transpose()?,
        limit: query.limit.unwrap_or(50).clamp(1, LARGEST_PAGE),
        offset: query.offset.unwrap_or(0).max(0),
    };
    let mut tx = app.store.tenant(tenant).await?;
    let documents = tx.documents(&filter).await?;
    let total = tx.count_documents(&filter).await?;
    tx.commit().await?;
    Ok(Json(ListResponse { documents, total }))
}

/// One document.
#[utoipa::path(get, path = "/v1/documents/{id}", tag = "documents", security(("key" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = Object), (status = 404, body = ErrorBody)))]
pub async fn get(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<Json<plumbline_store::Document>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let document = tx.document(id).await?;
    tx.commit().await?;
    Ok(Json(document))
}

/// Deletes a document. Once this returns, no answer cites it.
#[utoipa::path(delete, path = "/v1/documents/{id}", tag = "documents", security(("key" = [])),
    params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = ErrorBody)))]
pub async fn delete(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    tx.delete_document(id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All versions of a document, newest first, each with its warnings, page reports and reason.
#[utoipa::path(get, path = "/v1/documents/{id}/versions", tag = "documents", security(("key" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = Vec<Object>), (status = 404, body = ErrorBody)))]
pub async fn versions(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<Json<Vec<Version>>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let versions = tx.versions(id).await?;
    tx.commit().await?;
    if versions.is_empty() {
        return Err(plumbline_store::StoreError::NotFound { what: "document" }.into());
    }
    Ok(Json(versions))
}

/// A document and a version number, as in `/v1/documents/{id}/versions/{number}`.
type Place = Path<(Uuid, i32)>;

async fn version_at(tx: &mut TenantTx, document: Uuid, number: i32) -> Result<Version, ApiError> {
    let versions = tx.versions(document).await?;
    let found = versions.into_iter().find(|version| version.number == number);
    Ok(found.ok_or(plumbline_store::StoreError::NotFound {
        what: "document version",
    })?)
}

/// The canonical text that citations point into, and its blocks of pages.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TextResponse {
    /// Canonical text; citations are byte ranges of its UTF-8 form.
    pub text: String,
    /// Language, ISO 639-1.
    pub language: Option<String>,
}

/// The canonical text of a version. It outlives replacement and deletion, because answers cite it.
#[utoipa::path(get, path = "/v1/documents/{id}/versions/{number}/text", tag = "documents", security(("key" = [])),
    params(("id" = Uuid, Path), ("number" = i32, Path)),
    responses((status = 200, body = TextResponse), (status = 404, body = ErrorBody)))]
pub async fn text(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
) -> Result<Json<TextResponse>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let version = version_at(&mut tx, id, number).await?;
    let text = tx.version_text(version.id).await?;
    tx.commit().await?;
    Ok(Json(TextResponse {
        text,
        language: version.language,
    }))
}

/// Which chunks to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct ChunkQuery {
    /// Rows wanted, at most 200; 50 when left out.
    limit: Option<i64>,
    /// Rows to skip.
    offset: Option<i64>,
}

/// The chunks of a version, in order.
#[utoipa::path(get, path = "/v1/documents/{id}/versions/{number}/chunks", tag = "documents",
    security(("key" = [])), params(("id" = Uuid, Path), ("number" = i32, Path), ChunkQuery),
    responses((status = 200, body = Vec<Object>), (status = 404, body = ErrorBody)))]
pub async fn chunks(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
    Query(query): Query<ChunkQuery>,
) -> Result<Json<Vec<plumbline_store::ChunkRow>>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let version = version_at(&mut tx, id, number).await?;
    let limit = query.limit.unwrap_or(50).clamp(1, LARGEST_PAGE);
    let chunks = tx
        .chunks(version.id, limit, query.offset.unwrap_or(0).max(0))
        .await?;
    tx.commit().await?;
    Ok(Json(chunks))
}

/// The file as it was uploaded.
#[utoipa::path(get, path = "/v1/documents/{id}/versions/{number}/file", tag = "documents", security(("key" = [])),
    params(("id" = Uuid, Path), ("number" = i32, Path)),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = ErrorBody)))]
pub async fn download(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
) -> Result<Response, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let version = version_at(&mut tx, id, number).await?;
    tx.commit().await?;
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

/// Makes a complete version the one that answers: publishing a new one, or rolling back to an old one.
#[utoipa::path(post, path = "/v1/documents/{id}/versions/{number}/publish", tag = "documents",
    security(("key" = [])), params(("id" = Uuid, Path), ("number" = i32, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub async fn publish(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
) -> Result<StatusCode, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let version = version_at(&mut tx, id, number).await?;
    tx.commit().await?;
    app.pipeline.publish(tenant, &version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Builds a failed version once more.
#[utoipa::path(post, path = "/v1/documents/{id}/versions/{number}/retry", tag = "documents", security(("key" = [])),
    params(("id" = Uuid, Path), ("number" = i32, Path)),
    responses((status = 202), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub async fn retry(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
) -> Result<StatusCode, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let version = version_at(&mut tx, id, number).await?;
    tx.commit().await?;
    app.pipeline.retry(tenant, &version).await?;
    Ok(StatusCode::ACCEPTED)
}
