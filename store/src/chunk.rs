//! Chunks and embedding windows of a version: written all at once, read through the live pointer.

use std::collections::HashMap;

use pgvector::HalfVector;
use serde::Serialize;
use sqlx::types::Json;
use uuid::Uuid;

use crate::{StoreError, TenantTx, VersionState};

/// A window of a chunk with its vector.
#[derive(Debug, Clone)]
pub struct NewWindow {
    /// Start in bytes of the canonical text.
    pub start: usize,
    /// End (exclusive).
    pub end: usize,
    /// sha256 of the text that was embedded.
    pub hash: [u8; 32],
    /// Unit vector of the space's dimension.
    pub embedding: Vec<f32>,
}

/// A chunk to write.
#[derive(Debug, Clone)]
pub struct NewChunk {
    /// Position in the version, from 0.
    pub ordinal: u32,
    /// Start in bytes of the canonical text.
    pub start: usize,
    /// End (exclusive).
    pub end: usize,
    /// First page, 1-based.
    pub page_from: Option<u32>,
    /// Last page.
    pub page_to: Option<u32>,
    /// First data row, 1-based.
    pub row_from: Option<u64>,
    /// Last data row.
    pub row_to: Option<u64>,
    /// Headings above, outermost first.
    pub heading_path: Vec<String>,
    /// `canonical_text[start..end]`.
    pub text: String,
    /// Tokens of the embedding model.
    pub tokens: u32,
    /// sha256 of heading path and text.
    pub hash: [u8; 32],
    /// Windows, covering the chunk.
    pub windows: Vec<NewWindow>,
}

/// Everything a completed build writes.
#[derive(Debug, Clone)]
pub struct BuiltVersion {
    /// Version.
    pub version_id: Uuid,
    /// Title found in the document, if any.
    pub title: Option<String>,
    /// Media type found in the content.
    pub media_type: String,
    /// Canonical text.
    pub text: String,
    /// sha256 of the canonical text.
    pub text_sha256: [u8; 32],
    /// Language, ISO 639-1.
    pub language: Option<String>,
    /// Warnings; any makes the version `ready_with_warnings`.
    pub warnings: serde_json::Value,
    /// Page reports.
    pub pages: serde_json::Value,
    /// Chunks.
    pub chunks: Vec<NewChunk>,
    /// Embedding space of the windows.
    pub space_id: i32,
    /// Windows embedded for this build.
    pub windows_embedded: i32,
    /// Windows whose vector existed already.
    pub windows_reused: i32,
}

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
}

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

    /// The vectors already known for these window hashes.
    pub async fn known_vectors(
        &mut self,
        space: i32,
        hashes: &[[u8; 32]],
    ) -> Result<HashMap<[u8; 32], Vec<f32>>, StoreError> {
        let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
        let rows: Vec<(Vec<u8>, HalfVector)> = sqlx::query_as(
            "SELECT DISTINCT ON (hash) hash, embedding FROM windows WHERE space_id = $1 AND hash = ANY($2)",
        )
        .bind(space)
        .bind(hashes)
        .fetch_all(self.conn())
        .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(hash, vector)| {
                let vector = vector.to_vec().into_iter().map(f32::from).collect();
                Some((hash.try_into().ok()?, vector))
            })
            .collect())
    }

    /// Writes the text, chunks and vectors of a version and marks it ready, replacing what an earlier attempt wrote.
    /// Returns false when the version was cancelled or completed meanwhile; nothing is written then.
    pub async fn complete_version(&mut self, built: &BuiltVersion) -> Result<bool, StoreError> {
        // The document before its version, the order in which deleting locks them.
        sqlx::query(
            "SELECT 1 FROM documents d JOIN document_versions v ON v.document_id = d.id
              WHERE v.id = $1 FOR UPDATE OF d",
        )
        .bind(built.version_id)
        .execute(self.conn())
        .await?;
        let no_warnings = built.warnings.as_array().is_none_or(Vec::is_empty);
        let state = if no_warnings {
            VersionState::Ready
        } else {
            VersionState::ReadyWithWarnings
        };
        let document: Option<Uuid> = sqlx::query_scalar(
            "UPDATE document_versions
                SET state = $2, media_type = $3, canonical_text = $4, text_sha256 = $5, language = $6, warnings = $7,
                    pages = $8, chunk_count = $9, windows_embedded = $10, windows_reused = $11, finished_at = now(),
                    reason_code = NULL, reason = NULL, suggestion = NULL
              WHERE id = $1 AND state NOT IN ('ready', 'ready_with_warnings', 'cancelled')
             RETURNING document_id",
        )
        .bind(built.version_id)
        .bind(state.as_str())
        .bind(&built.media_type)
        .bind(&built.text)
        .bind(built.text_sha256.as_slice())
        .bind(&built.language)
        .bind(Json(&built.warnings))
        .bind(Json(&built.pages))
        .bind(i32::try_from(built.chunks.len()).unwrap_or(i32::MAX))
        .bind(built.windows_embedded)
        .bind(built.windows_reused)
        .fetch_optional(self.conn())
        .await?;
        let Some(document) = document else {
            return Ok(false);
        };
        if let Some(title) = &built.title {
            sqlx::query("UPDATE documents SET title = $2 WHERE id = $1")
                .bind(document)
                .bind(title)
                .execute(self.conn())
                .await?;
        }
        sqlx::query("DELETE FROM chunks WHERE version_id = $1")
            .bind(built.version_id)
            .execute(self.conn())
            .await?;
        for batch in built.chunks.chunks(500) {
            self.insert_chunks(document, built, batch).await?;
        }
        Ok(true)
    }

    async fn insert_chunks(
        &mut self,
        document: Uuid,
        built: &BuiltVersion,
        batch: &[NewChunk],
    ) -> Result<(), StoreError> {
        let tenant = self.tenant();
        let ids: Vec<Uuid> = batch.iter().map(|_| Uuid::now_v7()).collect();
        // heading_path is an array per row, which unnest cannot carry: it travels as JSON
        let headings: Vec<Json<&Vec<String>>> = batch.iter().map(|c| Json(&c.heading_path)).collect();
        sqlx::query(
            "INSERT INTO chunks (id, tenant_id, document_id, version_id, ordinal, text_start, text_end, page_from,
                                 page_to, row_from, row_to, heading_path, body, tokens, hash)
             SELECT id, $1, $2, $3, ordinal, text_start, text_end, page_from, page_to, row_from, row_to,
                    ARRAY(SELECT jsonb_array_elements_text(headings)), body, tokens, hash
               FROM unnest($4::uuid[], $5::int[], $6::bigint[], $7::bigint[], $8::int[], $9::int[], $10::bigint[],
                           $11::bigint[], $12::jsonb[], $13::text[], $14::int[], $15::bytea[])
                 AS u(id, ordinal, text_start, text_end, page_from, page_to, row_from, row_to, headings, body,
                      tokens, hash)",
        )
        .bind(tenant)
        .bind(document)
        .bind(built.version_id)
        .bind(&ids)
        .bind(batch.iter().map(|c| c.ordinal.cast_signed()).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| db_offset(c.start)).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| db_offset(c.end)).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.page_from.map(u32::cast_signed)).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.page_to.map(u32::cast_signed)).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.row_from.map(u64::cast_signed)).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.row_to.map(u64::cast_signed)).collect::<Vec<_>>())
        .bind(headings)
        .bind(batch.iter().map(|c| c.text.as_str()).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.tokens.cast_signed()).collect::<Vec<_>>())
        .bind(batch.iter().map(|c| c.hash.as_slice()).collect::<Vec<_>>())
        .execute(self.conn())
        .await?;
        self.insert_windows(built, batch, &ids).await
    }

    async fn insert_windows(
        &mut self,
        built: &BuiltVersion,
        batch: &[NewChunk],
        ids: &[Uuid],
    ) -> Result<(), StoreError> {
        let tenant = self.tenant();
        let windows: Vec<(Uuid, i32, &NewWindow)> = batch
            .iter()
            .zip(ids)
            .flat_map(|(chunk, id)| {
                (0_i32..)
                    .zip(&chunk.windows)
                    .map(move |(ordinal, w)| (*id, ordinal, w))
            })
            .collect();
        sqlx::query(
            "INSERT INTO windows (tenant_id, version_id, space_id, chunk_id, ordinal, text_start, text_end, hash,
                                  embedding)
             SELECT $1, $2, $3, u.* FROM unnest($4::uuid[], $5::int[], $6::bigint[], $7::bigint[], $8::bytea[],
                                                $9::halfvec[]) AS u",
        )
        .bind(tenant)
        .bind(built.version_id)
        .bind(built.space_id)
        .bind(windows.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
        .bind(windows.iter().map(|(_, ordinal, _)| *ordinal).collect::<Vec<_>>())
        .bind(windows.iter().map(|(.., w)| db_offset(w.start)).collect::<Vec<_>>())
        .bind(windows.iter().map(|(.., w)| db_offset(w.end)).collect::<Vec<_>>())
        .bind(windows.iter().map(|(.., w)| w.hash.as_slice()).collect::<Vec<_>>())
        .bind(windows.iter().map(|(.., w)| HalfVector::from_f32_slice(&w.embedding)).collect::<Vec<_>>())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The chunks of a version in order.
    pub async fn chunks(
        &mut self,
        version: Uuid,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<ChunkRow>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, document_id, version_id, ordinal, text_start, text_end, page_from, page_to, row_from, row_to,
                    heading_path, body, tokens
               FROM chunks WHERE version_id = $1 ORDER BY ordinal LIMIT $2 OFFSET $3",
        )
        .bind(version)
        .bind(limit)
        .bind(offset)
        .fetch_all(self.conn())
        .await?)
    }
}

/// Byte offsets fit: a canonical text is far below 2^63 bytes.
fn db_offset(offset: usize) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}
