//! What the building of a version writes, in the order of its stages: the extraction, vectors batch by batch, and at the
//! end chunks and windows all at once.
//!
//! Each step is a commit of its own, so a build that was killed goes on after the last one. Search reads nothing of them
//! before the version is complete and published.

use sqlx::types::Json;
use uuid::Uuid;

use crate::embedded::{known_of, lost_vector};
use crate::overlay::NewPlace;
use crate::{StoreError, TenantTx, VersionState};

/// What was read out of a file.
#[derive(Debug, Clone)]
pub struct NewExtraction {
    /// Version.
    pub version_id: Uuid,
    /// Media type found in the content.
    pub media_type: String,
    /// Canonical text.
    pub text: String,
    /// sha256 of the canonical text.
    pub text_sha256: [u8; 32],
    /// Structure of the text as the extractor's own JSON, without the text.
    pub outline: String,
    /// sha256 over text and structure.
    pub content_sha256: [u8; 32],
    /// Language, ISO 639-1.
    pub language: Option<String>,
    /// Warnings; any makes the version `ready_with_warnings`.
    pub warnings: serde_json::Value,
    /// Page reports.
    pub pages: serde_json::Value,
}

/// An extraction that an earlier attempt saved.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SavedExtraction {
    /// Canonical text.
    pub text: String,
    /// Structure of the text, JSON.
    pub outline: String,
}

/// A window of a chunk; its vector is known by its hash.
#[derive(Debug, Clone)]
pub struct NewWindow {
    /// Start in bytes of the canonical text.
    pub start: usize,
    /// End (exclusive).
    pub end: usize,
    /// sha256 of the text that was embedded.
    pub hash: [u8; 32],
    /// Whether its pieces stand for the chunk.
    pub in_pieces: bool,
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

/// What completes a version whose extraction and vectors were saved.
#[derive(Debug, Clone)]
pub struct BuiltVersion {
    /// Version.
    pub version_id: Uuid,
    /// Title found in the document, if any.
    pub title: Option<String>,
    /// sha256 over chunking settings and embedding model.
    pub recipe_sha256: [u8; 32],
    /// Chunks.
    pub chunks: Vec<NewChunk>,
    /// Embedding space of the windows.
    pub space_id: i32,
    /// Windows embedded for this build.
    pub windows_embedded: i32,
    /// Windows whose vector existed already.
    pub windows_reused: i32,
    /// Where the document's overlays come to lie.
    pub places: Vec<NewPlace>,
    /// The revision of the overlays that `places` were computed from.
    pub overlay_revision: i64,
}

/// What became of the attempt to complete a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// It is complete.
    Written,
    /// It was cancelled or completed meanwhile; nothing was written.
    Ended,
    /// Its overlays changed meanwhile; nothing was written, the places must be computed again.
    OverlaysChanged,
    /// Another embedding model was put into force meanwhile; nothing was written, its vectors must be made first.
    ModelChanged,
}

impl TenantTx {
    /// Saves what was read out of a version's file. False when the version has ended meanwhile.
    pub async fn save_extraction(&mut self, new: &NewExtraction) -> Result<bool, StoreError> {
        let saved = sqlx::query(
            "UPDATE document_versions
                SET media_type = $2, canonical_text = $3, text_sha256 = $4, outline = $5::json, content_sha256 = $6,
                    language = $7, warnings = $8, pages = $9
              WHERE id = $1 AND state NOT IN ('ready', 'ready_with_warnings', 'failed', 'cancelled')",
        )
        .bind(new.version_id)
        .bind(&new.media_type)
        .bind(&new.text)
        .bind(new.text_sha256.as_slice())
        .bind(&new.outline)
        .bind(new.content_sha256.as_slice())
        .bind(&new.language)
        .bind(Json(&new.warnings))
        .bind(Json(&new.pages))
        .execute(self.conn())
        .await?;
        Ok(saved.rows_affected() == 1)
    }

    /// What an earlier attempt, or the finished build, saved of a version's extraction.
    pub async fn saved_extraction(&mut self, version: Uuid) -> Result<Option<SavedExtraction>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT canonical_text AS text, outline::text AS outline FROM document_versions
              WHERE id = $1 AND canonical_text IS NOT NULL AND outline IS NOT NULL",
        )
        .bind(version)
        .fetch_optional(self.conn())
        .await?)
    }

    /// The live version of the document of `version` if content and recipe are the same: its chunks would be the same.
    pub async fn live_twin(
        &mut self,
        version: Uuid,
        recipe_sha256: &[u8; 32],
    ) -> Result<Option<Uuid>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT l.id FROM document_versions v
               JOIN documents d ON d.id = v.document_id AND d.deleted_at IS NULL
               JOIN document_versions l ON l.id = d.live_version_id
              WHERE v.id = $1 AND l.id <> v.id AND l.content_sha256 = v.content_sha256 AND l.recipe_sha256 = $2",
        )
        .bind(version)
        .bind(recipe_sha256.as_slice())
        .fetch_optional(self.conn())
        .await?)
    }

    /// Completes a version as a new file of an unchanged text: `twin` goes on answering for it. False when the version
    /// has ended or the twin is not the live one any more.
    pub async fn complete_as_same_text(&mut self, version: Uuid, twin: Uuid) -> Result<bool, StoreError> {
        self.lock_document_of(version).await?;
        let done = sqlx::query(
            "UPDATE document_versions v
                SET state = CASE WHEN v.warnings = '[]' THEN 'ready' ELSE 'ready_with_warnings' END,
                    same_text_as = t.id, chunk_count = t.chunk_count, recipe_sha256 = t.recipe_sha256,
                    windows_embedded = 0, windows_reused = t.windows_embedded + t.windows_reused, finished_at = now(),
                    stage_done = 0, stage_total = 0
               FROM document_versions t JOIN documents d ON d.live_version_id = t.id
              WHERE v.id = $1 AND t.id = $2 AND d.id = v.document_id
                AND v.state NOT IN ('ready', 'ready_with_warnings', 'failed', 'cancelled')",
        )
        .bind(version)
        .bind(twin)
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    async fn lock_document_of(&mut self, version: Uuid) -> Result<(), StoreError> {
        sqlx::query(
            "SELECT 1 FROM documents d JOIN document_versions v ON v.document_id = d.id
              WHERE v.id = $1 FOR UPDATE OF d",
        )
        .bind(version)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Writes the chunks and windows of a version and marks it ready, replacing what an earlier attempt wrote. `noted`
    /// hears how many chunks are written. Anything but [`Completed::Written`] means: roll back.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a window has no vector any more (the version it came from was purged meanwhile):
    /// building again embeds it.
    pub async fn complete_version(
        &mut self,
        built: &BuiltVersion,
        noted: &(dyn Fn(usize) + Sync),
    ) -> Result<Completed, StoreError> {
        self.complete_version_in(built, &[], noted).await
    }

    /// The same, with windows in the spaces `also` besides [`BuiltVersion::space_id`].
    pub async fn complete_version_in(
        &mut self,
        built: &BuiltVersion,
        also: &[i32],
        noted: &(dyn Fn(usize) + Sync),
    ) -> Result<Completed, StoreError> {
        self.share_models().await?;
        let spaces: Vec<i32> = [built.space_id].iter().chain(also).copied().collect();
        if let Some(space) = self.space_in_force().await?
            && !spaces.contains(&space)
        {
            return Ok(Completed::ModelChanged);
        }
        // The document before its version, the order in which deleting locks them. The version itself is only locked
        // at the very end, so that its progress can be noted meanwhile.
        let found: Option<(Uuid, i64, VersionState)> = sqlx::query_as(
            "SELECT d.id, d.overlay_revision, v.state
               FROM documents d JOIN document_versions v ON v.document_id = d.id WHERE v.id = $1 FOR UPDATE OF d",
        )
        .bind(built.version_id)
        .fetch_optional(self.conn())
        .await?;
        let Some((document, overlay_revision, state)) = found else {
            return Ok(Completed::Ended);
        };
        if state.is_final() {
            return Ok(Completed::Ended);
        }
        if overlay_revision != built.overlay_revision {
            return Ok(Completed::OverlaysChanged);
        }
        sqlx::query("DELETE FROM chunks WHERE version_id = $1")
            .bind(built.version_id)
            .execute(self.conn())
            .await?;
        let mut written = 0;
        for batch in built.chunks.chunks(500) {
            self.insert_chunks(document, built, &spaces, batch).await?;
            written += batch.len();
            noted(written);
        }
        self.place_overlays(built.version_id, &spaces, &built.places)
            .await?;
        self.mark_ready(document, built).await
    }

    async fn mark_ready(&mut self, document: Uuid, built: &BuiltVersion) -> Result<Completed, StoreError> {
        let ready = sqlx::query(
            "UPDATE document_versions
                SET state = CASE WHEN warnings = '[]' THEN 'ready' ELSE 'ready_with_warnings' END,
                    chunk_count = $2, windows_embedded = $3, windows_reused = $4, recipe_sha256 = $5,
                    finished_at = now(), stage_done = 0, stage_total = 0,
                    reason_code = NULL, reason = NULL, suggestion = NULL
              WHERE id = $1 AND canonical_text IS NOT NULL
                AND state NOT IN ('ready', 'ready_with_warnings', 'failed', 'cancelled')",
        )
        .bind(built.version_id)
        .bind(i32::try_from(built.chunks.len()).unwrap_or(i32::MAX))
        .bind(built.windows_embedded)
        .bind(built.windows_reused)
        .bind(built.recipe_sha256.as_slice())
        .execute(self.conn())
        .await?;
        if ready.rows_affected() == 0 {
            return Ok(Completed::Ended);
        }
        if let Some(title) = &built.title {
            sqlx::query("UPDATE documents SET title = $2 WHERE id = $1")
                .bind(document)
                .bind(title)
                .execute(self.conn())
                .await?;
        }
        self.forget_embedded(built.version_id).await?;
        Ok(Completed::Written)
    }

    async fn insert_chunks(
        &mut self,
        document: Uuid,
        built: &BuiltVersion,
        spaces: &[i32],
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
        for &space in spaces {
            self.insert_windows(built.version_id, space, batch, &ids).await?;
        }
        Ok(())
    }

    async fn insert_windows(
        &mut self,
        version: Uuid,
        space: i32,
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
        sqlx::query(concat!(
            "INSERT INTO windows (tenant_id, version_id, space_id, chunk_id, ordinal, text_start, text_end, hash,
                                  embedding, pieces)
             SELECT $1, $2, $3, u.chunk_id, u.ordinal, u.text_start, u.text_end, u.hash, ",
            known_of!("embedding", "u.hash"),
            ", CASE WHEN u.in_pieces THEN ",
            known_of!("pieces", "u.hash"),
            " END FROM unnest($4::uuid[], $5::int[], $6::bigint[], $7::bigint[], $8::bytea[], $9::bool[])
                AS u(chunk_id, ordinal, text_start, text_end, hash, in_pieces)"
        ))
        .bind(tenant)
        .bind(version)
        .bind(space)
        .bind(windows.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
        .bind(windows.iter().map(|(_, ordinal, _)| *ordinal).collect::<Vec<_>>())
        .bind(windows.iter().map(|(.., w)| db_offset(w.start)).collect::<Vec<_>>())
        .bind(windows.iter().map(|(.., w)| db_offset(w.end)).collect::<Vec<_>>())
        .bind(
            windows
                .iter()
                .map(|(.., w)| w.hash.as_slice())
                .collect::<Vec<_>>(),
        )
        .bind(windows.iter().map(|(.., w)| w.in_pieces).collect::<Vec<_>>())
        .execute(self.conn())
        .await
        .map_err(lost_vector)?;
        Ok(())
    }
}

/// Byte offsets fit: a canonical text is far below 2^63 bytes.
fn db_offset(offset: usize) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}
