//! `/v1/documents/{id}/diff`: what a version changed.

use axum::Json;
use axum::extract::{Path, Query, State};
use plumbline_ingest::diff;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::Chunk;
use super::versions::version_at;
use crate::app::App;
use crate::http::auth::ApiTenant;
use crate::http::error::{ApiError, ErrorBody};

/// Which versions to compare.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct DiffQuery {
    /// Number of the older version.
    from: i32,
    /// Number of the newer version.
    to: i32,
}

/// What changed from one version to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct Diff {
    /// Number of the older version.
    pub from: i32,
    /// Number of the newer version.
    pub to: i32,
    /// Chunks that are the same in both, also where they moved.
    pub unchanged: usize,
    /// Chunks of the newer version alone.
    pub added: Vec<Chunk>,
    /// Chunks of the older version alone.
    pub removed: Vec<Chunk>,
    /// Chunks whose text changed.
    pub changed: Vec<ChangedChunk>,
}

/// A chunk whose text changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedChunk {
    /// As it was.
    pub old: Chunk,
    /// As it is.
    pub new: Chunk,
    /// Likeness of both, 0 to 1.
    pub similarity: f32,
    /// The words in order: kept, removed, inserted.
    pub words: Vec<Piece>,
}

/// A run of words of a changed chunk.
#[derive(Debug, Serialize, ToSchema)]
pub struct Piece {
    /// What happened to it.
    pub change: Change,
    /// Text.
    pub text: String,
}

/// What happened to a run of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// In both.
    Kept,
    /// In the older version alone.
    Removed,
    /// In the newer version alone.
    Inserted,
}

impl From<diff::Piece> for Piece {
    fn from(piece: diff::Piece) -> Self {
        Self {
            change: match piece.change {
                diff::Change::Kept => Change::Kept,
                diff::Change::Removed => Change::Removed,
                diff::Change::Inserted => Change::Inserted,
            },
            text: piece.text,
        }
    }
}

impl From<diff::ChangedChunk> for ChangedChunk {
    fn from(chunk: diff::ChangedChunk) -> Self {
        Self {
            old: chunk.old.into(),
            new: chunk.new.into(),
            similarity: chunk.similarity,
            words: chunk.words.into_iter().map(Into::into).collect(),
        }
    }
}

/// What changed between two versions, chunk by chunk; changed chunks word by word.
#[utoipa::path(get, path = "/v1/documents/{id}/diff", tag = "versions", security(("key" = [])),
    params(("id" = Uuid, Path), DiffQuery),
    responses((status = 200, body = Diff), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
              (status = 409, body = ErrorBody, description = "one of the versions is not complete")))]
pub async fn diff(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
    query: Result<Query<DiffQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Diff>, ApiError> {
    let Query(query) = query.map_err(|_| {
        ApiError::BadRequest("`from` and `to` must be numbers of versions of the document".to_owned())
    })?;
    let old = version_at(&app, tenant, id, query.from).await?;
    let new = version_at(&app, tenant, id, query.to).await?;
    for version in [&old, &new] {
        if !version.state.is_ready() {
            return Err(plumbline_store::StoreError::Conflict(format!(
                "version {} is {}; only complete versions have chunks to compare",
                version.number,
                version.state.as_str()
            ))
            .into());
        }
    }
    let changes = app.pipeline.diff(tenant, old.id, new.id).await?;
    Ok(Json(Diff {
        from: query.from,
        to: query.to,
        unchanged: changes.unchanged,
        added: changes.added.into_iter().map(Into::into).collect(),
        removed: changes.removed.into_iter().map(Into::into).collect(),
        changed: changes.changed.into_iter().map(Into::into).collect(),
    }))
}
