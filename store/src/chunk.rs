//! The chunks of a version as they are read, and the embedding spaces of their windows.

use serde::Serialize;
use uuid::Uuid;

use crate::{StoreError, TenantTx};

/// A stored chunk.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct ChunkRow {
    /// Identifier.
    pub id: Uuid,
    /// Document.
    pub document_id: Uuid,
    /// Version.
    pub version_id: Uuid,
    /// Position in the version, from 0.
    pub ordinal: i32,
    /// Start in bytes of the canonical text.
    pub text_start: i64,
    /// End (exclusive).
    pub text_end: i64,
    /// First page, 1-based.
    pub page_from: Option<i32>,
    /// Last page.
    pub page_to: Option<i32>,
    /// First data row, 1-based.
    pub row_from: Option<i64>,
    /// Last data row.
    pub row_to: Option<i64>,
    /// Headings above, outermost first.
    pub heading_path: Vec<String>,
    /// Text.
    pub body: String,
    /// Tokens of the embedding model.
    pub tokens: i32,
    /// sha256 of heading path and text: what stayed the same between versions has the same hash.
    #[serde(skip)]
    pub hash: Vec<u8>,
    /// An overlay keeps it out of every search.
    pub disabled: bool,
    /// An overlay puts it before others that are about as good.
    pub pinned: bool,
    /// Factor of its score, 1 without an overlay.
    pub boost: f32,
    /// Questions that an admin says it answers.
    pub questions: Vec<String>,
}

/// The columns of a [`ChunkRow`], of a table named `c`.
macro_rules! chunk_columns {
    () => {
        "c.id, c.document_id, c.version_id, c.ordinal, c.text_start, c.text_end, c.page_from, c.page_to, c.row_from,
         c.row_to, c.heading_path, c.body, c.tokens, c.hash, c.disabled, c.pinned, c.boost, c.questions"
    };
}
pub(crate) use chunk_columns;

impl TenantTx {
    /// Registers the embedding model's vector space (with its index) if it is new; returns its id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the model is known with another dimension.
    pub async fn ensure_space(&mut self, model: &str, dimension: usize) -> Result<i32, StoreError> {
        let dimension = i32::try_from(dimension).unwrap_or(i32::MAX);
        sqlx::query_scalar("SELECT ensure_embedding_space($1, $2)")
            .bind(model)
            .bind(dimension)
            .fetch_one(self.conn())
            .await
            .map_err(|error| match StoreError::from(error) {
                e if e.constraint() == Some("embedding_spaces_dimension") => StoreError::Conflict(format!(
                    "model {model} was stored with another dimension than {dimension}; give the new model another name"
                )),
                e => e,
            })
    }

    /// The chunks of a version in order; of a version that shares its text with another, that one's.
    pub async fn chunks(
        &mut self,
        version: Uuid,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<ChunkRow>, StoreError> {
        Ok(sqlx::query_as(concat!(
            "SELECT ",
            chunk_columns!(),
            " FROM document_versions v JOIN chunks c ON c.version_id = coalesce(v.same_text_as, v.id)
               WHERE v.id = $1 ORDER BY c.ordinal LIMIT $2 OFFSET $3"
        ))
        .bind(version)
        .bind(limit)
        .bind(offset)
        .fetch_all(self.conn())
        .await?)
    }

    /// All chunks of a version in order.
    pub async fn all_chunks(&mut self, version: Uuid) -> Result<Vec<ChunkRow>, StoreError> {
        self.chunks(version, i64::MAX, 0).await
    }

    /// The chunks of a version that touch a stretch of its text, in order.
    pub async fn chunks_within(
        &mut self,
        version: Uuid,
        start: i64,
        end: i64,
    ) -> Result<Vec<ChunkRow>, StoreError> {
        Ok(sqlx::query_as(concat!(
            "SELECT ",
            chunk_columns!(),
            " FROM document_versions v JOIN chunks c ON c.version_id = coalesce(v.same_text_as, v.id)
               WHERE v.id = $1 AND c.text_end > $2 AND c.text_start < $3 ORDER BY c.ordinal"
        ))
        .bind(version)
        .bind(start)
        .bind(end)
        .fetch_all(self.conn())
        .await?)
    }

    /// One chunk.
    pub async fn chunk(&mut self, id: Uuid) -> Result<ChunkRow, StoreError> {
        sqlx::query_as(concat!(
            "SELECT ",
            chunk_columns!(),
            " FROM chunks c WHERE c.id = $1"
        ))
        .bind(id)
        .fetch_optional(self.conn())
        .await?
        .ok_or(StoreError::NotFound { what: "chunk" })
    }
}
