//! `/v1/documents`: upload, list, look, build again, delete.

pub mod blocks;
pub mod diff;
pub mod events;
pub mod model;
pub mod overlays;
pub mod versions;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use plumbline_ingest::Format;
use plumbline_store::{DocumentFilter, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use versions::stream;

use super::auth::ApiTenant;
use super::error::{ApiError, ErrorBody, refuse_nul};
use crate::app::App;
use crate::documents::{ReceivedFile, RefusedFile, Uploads, read_uploads};

/// Rows of one page.
const LARGEST_PAGE: i64 = 200;

/// Longest idempotency key in characters.
const LONGEST_IDEMPOTENCY_KEY: usize = 200;

/// Several files.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the form in the OpenAPI document")]
pub struct UploadForm {
    /// Logical key of the file that follows; the file name when left out.
    key: Option<String>,
    /// Tags of the documents of all files that follow, with commas between them, instead of those that they have; empty
    /// takes them away, without this part they stay.
    tags: Option<String>,
    /// A PDF, DOCX, TXT, Markdown or CSV file. May be repeated.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// What became of the files.
#[derive(Debug, Serialize, ToSchema)]
pub struct UploadResponse {
    /// The files that were taken, in order.
    pub files: Vec<ReceivedFile>,
    /// The files that were not, each with the reason.
    pub refused: Vec<RefusedFile>,
}

/// Receives files; each becomes a new version of its document, built in the background. With an `Idempotency-Key` the
/// request can be sent again for three days: the same files are answered as they were the first time, other files are
/// refused. A file that breaks a limit does not keep the others out; when no file was taken, the first reason is the
/// error.
#[utoipa::path(post, path = "/v1/documents", tag = "documents", security(("key" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "at most 200 visible ASCII characters")),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 202, body = UploadResponse), (status = 400, body = ErrorBody),
              (status = 409, body = ErrorBody, description = "the key came with other files before"),
              (status = 413, body = ErrorBody), (status = 415, body = ErrorBody)))]
pub async fn upload(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    headers: HeaderMap,
    form: Multipart,
) -> Result<(StatusCode, Json<UploadResponse>), ApiError> {
    let key = idempotency_key(&headers)?;
    let limits = app.upload_limits(tenant).await?;
    let Uploads { files, mut refused } = read_uploads(&app, form, &limits).await?;
    if files.is_empty() && !refused.is_empty() {
        return Err(ApiError::Refused(refused.swap_remove(0)));
    }
    let files = app.receive_files(tenant, files, key.as_deref()).await?;
    let refused = refused.into_iter().map(RefusedFile::from).collect();
    Ok((StatusCode::ACCEPTED, Json(UploadResponse { files, refused })))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    let visible = key.chars().all(|c| c.is_ascii_graphic());
    if key.is_empty() || !visible || key.len() > LONGEST_IDEMPOTENCY_KEY {
        return Err(ApiError::BadRequest(format!(
            "the header `Idempotency-Key` must be 1 to {LONGEST_IDEMPOTENCY_KEY} visible ASCII characters, a UUID for instance"
        )));
    }
    Ok(Some(key.to_owned()))
}

/// Formats that can be read.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormatName {
    /// PDF.
    Pdf,
    /// DOCX.
    Docx,
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
    /// CSV and TSV.
    Csv,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Pdf => Self::Pdf,
            FormatName::Docx => Self::Docx,
            FormatName::Text => Self::Text,
            FormatName::Markdown => Self::Markdown,
            FormatName::Csv => Self::Csv,
        }
    }
}

/// Which documents to list; state, format, language and warnings are those of the newest version.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Part of the key or title.
    search: Option<String>,
    /// State, for instance `failed`.
    #[param(inline)]
    state: Option<model::State>,
    /// Format of the content.
    #[param(inline)]
    format: Option<FormatName>,
    /// Language, ISO 639-1.
    language: Option<String>,
    /// Only documents with, or without, warnings.
    warnings: Option<bool>,
    /// Only documents that answer, or that do not.
    live: Option<bool>,
    /// Rows wanted, at most 200; 50 when left out.
    limit: Option<i64>,
    /// Rows to skip.
    offset: Option<i64>,
}

/// A page of documents.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListResponse {
    /// Documents, newest change first.
    pub documents: Vec<model::Document>,
    /// Documents that match, on all pages.
    pub total: i64,
}

/// Lists documents with the state of their newest version.
#[utoipa::path(get, path = "/v1/documents", tag = "documents", security(("key" = [])), params(ListQuery),
    responses((status = 200, body = ListResponse), (status = 400, body = ErrorBody)))]
pub async fn list(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<ListResponse>, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    refuse_nul("search", query.search.as_deref().unwrap_or_default())?;
    refuse_nul("language", query.language.as_deref().unwrap_or_default())?;
    let filter = DocumentFilter {
        search: query.search.filter(|text| !text.is_empty()),
        state: query.state.map(Into::into),
        media_type: query
            .format
            .map(|format| Format::from(format).media_type().to_owned()),
        language: query.language,
        warnings: query.warnings,
        live: query.live,
        limit: query.limit.unwrap_or(50).clamp(1, LARGEST_PAGE),
        offset: query.offset.unwrap_or(0).max(0),
    };
    let mut tx = app.store.tenant(tenant).await?;
    let documents = tx.documents(&filter).await?;
    let total = tx.count_documents(&filter).await?;
    let now = tx.now().await?;
    tx.commit().await?;
    Ok(Json(ListResponse {
        documents: documents
            .into_iter()
            .map(|document| model::Document::new(document, now))
            .collect(),
        total,
    }))
}

/// One document.
#[utoipa::path(get, path = "/v1/documents/{id}", tag = "documents", security(("key" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = model::Document), (status = 404, body = ErrorBody)))]
pub async fn get(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<Json<model::Document>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let document = tx.document(id).await?;
    let now = tx.now().await?;
    tx.commit().await?;
    Ok(Json(model::Document::new(document, now)))
}

/// What of a document is changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentChange {
    /// Its tags from now on, instead of those that it has: at most 20, compared in lower case.
    #[schema(max_items = 20, example = json!(["price list"]))]
    tags: Vec<String>,
}

/// Changes the tags of a document; searches see them at once.
#[utoipa::path(patch, path = "/v1/documents/{id}", tag = "documents", security(("key" = [])),
    params(("id" = Uuid, Path)), request_body = DocumentChange,
    responses((status = 200, body = model::Document), (status = 400, body = ErrorBody),
              (status = 404, body = ErrorBody)))]
pub async fn change(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
    change: Result<Json<DocumentChange>, JsonRejection>,
) -> Result<Json<model::Document>, ApiError> {
    let Json(change) = change.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    let tags =
        Tags::parse(&change.tags).map_err(|problem| ApiError::BadRequest(format!("`tags`: {problem}")))?;
    let mut tx = app.store.tenant(tenant).await?;
    tx.set_tags(&[id], &tags).await?;
    let document = tx.document(id).await?;
    let now = tx.now().await?;
    tx.commit().await?;
    Ok(Json(model::Document::new(document, now)))
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

/// Builds the newest file of a document again as a new version, with today's settings and overlays.
#[utoipa::path(post, path = "/v1/documents/{id}/rebuild", tag = "documents", security(("key" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 202, body = overlays::Building), (status = 404, body = ErrorBody)))]
pub async fn rebuild(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, Json<overlays::Building>), ApiError> {
    let received = app.pipeline.rebuild(tenant, id).await?;
    Ok((StatusCode::ACCEPTED, Json(received.into())))
}
