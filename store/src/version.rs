//! Versions of documents: what was uploaded, what became of it, which one answers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{StoreError, TenantTx};

/// Where a version stands. The names are those of the API and the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum VersionState {
    /// Stored, waiting for a worker.
    Received,
    /// Text is being read out of the file.
    Extracting,
    /// Text is being cut.
    Chunking,
    /// Windows are being embedded.
    Embedding,
    /// Chunks and vectors are being written.
    Indexing,
    /// Complete.
    Ready,
    /// Complete, and something about the file deserves a look.
    ReadyWithWarnings,
    /// Ended with a reason.
    Failed,
    /// Ended by a person.
    Cancelled,
}

impl VersionState {
    /// The name in the API, the pages and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Extracting => "extracting",
            Self::Chunking => "chunking",
            Self::Embedding => "embedding",
            Self::Indexing => "indexing",
            Self::Ready => "ready",
            Self::ReadyWithWarnings => "ready_with_warnings",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen to the version by itself.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Ready | Self::ReadyWithWarnings | Self::Failed | Self::Cancelled
        )
    }

    /// Whether the version can answer customers.
    pub fn is_ready(self) -> bool {
        matches!(self, Self::Ready | Self::ReadyWithWarnings)
    }
}

/// A file that was received for a document.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// Logical key: uploads of the same key are versions of one document.
    pub key: String,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// sha256 of the bytes.
    pub blob_sha256: [u8; 32],
    /// Size in bytes.
    pub blob_bytes: i64,
}

/// What became of a received file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Received {
    /// Document.
    pub document_id: Uuid,
    /// The new version, or the one that already holds these bytes.
    pub version_id: Uuid,
    /// Its number.
    pub number: i32,
    /// True when the newest version already holds exactly these bytes: nothing was added.
    pub unchanged: bool,
}

/// A version as people see it (without its text).
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct Version {
    /// Identifier.
    pub id: Uuid,
    /// Document.
    pub document_id: Uuid,
    /// Number, 1-based.
    pub number: i32,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// Media type found in the content, empty until extracted.
    pub media_type: String,
    /// sha256 of the bytes.
    #[serde(serialize_with = "hex_bytes")]
    pub blob_sha256: Vec<u8>,
    /// Size in bytes.
    pub blob_bytes: i64,
    /// State.
    pub state: VersionState,
    /// Steps done of the present stage (pages, rows, windows).
    pub stage_done: i64,
    /// Steps of the present stage, 0 when unknown.
    pub stage_total: i64,
    /// Stable code of the reason of a failure.
    pub reason_code: Option<String>,
    /// What happened, in words.
    pub reason: Option<String>,
    /// What to do about it.
    pub suggestion: Option<String>,
    /// Warnings of the extraction.
    pub warnings: Json<serde_json::Value>,
    /// Quality report per page.
    pub pages: Json<serde_json::Value>,
    /// Language of the text, ISO 639-1, when it could be told.
    pub language: Option<String>,
    /// Chunks.
    pub chunk_count: i32,
    /// Windows embedded for this version.
    pub windows_embedded: i32,
    /// Windows whose vector was taken from an earlier version.
    pub windows_reused: i32,
    /// Received.
    pub created_at: DateTime<Utc>,
    /// Work began.
    pub started_at: Option<DateTime<Utc>>,
    /// Work ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Last published.
    pub published_at: Option<DateTime<Utc>>,
}

fn hex_bytes<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

const VERSION_COLUMNS: &str =
    "SELECT id, document_id, number, file_name, media_type, blob_sha256, blob_bytes, state,
        stage_done, stage_total, reason_code, reason, suggestion, warnings, pages, language, chunk_count,
        windows_embedded, windows_reused, created_at, started_at, finished_at, published_at
   FROM document_versions";

impl TenantTx {
    /// Records a received file as a new version of the document `key`, unless the newest version holds the same bytes
    /// and answers or is being built.
    pub async fn receive_version(&mut self, new: &NewVersion) -> Result<Received, StoreError> {
        let tenant = self.tenant();
        let document_id: Uuid = sqlx::query_scalar(
            "INSERT INTO documents (id, tenant_id, key, title) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, key) WHERE deleted_at IS NULL DO UPDATE SET key = excluded.key
             RETURNING id",
        )
        .bind(Uuid::now_v7())
        .bind(tenant)
        .bind(&new.key)
        .bind(&new.file_name)
        .fetch_one(self.conn())
        .await?;
        // The row lock taken by the upsert serialises uploads of one key, so the number below is ours alone.
        let newest: Option<(Uuid, i32, Vec<u8>, VersionState, bool)> = sqlx::query_as(
            "SELECT v.id, v.number, v.blob_sha256, v.state, v.id IS NOT DISTINCT FROM d.live_version_id
               FROM document_versions v JOIN documents d ON d.id = v.document_id
              WHERE v.document_id = $1 ORDER BY v.number DESC LIMIT 1",
        )
        .bind(document_id)
        .fetch_optional(self.conn())
        .await?;
        // A version that was rolled back does not count as there: who uploads it again wants it to answer.
        if let Some((version_id, number, sha, state, live)) = &newest
            && sha.as_slice() == new.blob_sha256
            && (*live || !state.is_final())
        {
            return Ok(Received {
                document_id,
                version_id: *version_id,
                number: *number,
                unchanged: true,
            });
        }
        let number = newest.map_or(1, |(_, number, ..)| number + 1);
        let version_id = Uuid::now_v7();
        sqlx::query(
            "INSERT INTO document_versions (id, tenant_id, document_id, number, file_name, blob_sha256, blob_bytes)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(version_id)
        .bind(tenant)
        .bind(document_id)
        .bind(number)
        .bind(&new.file_name)
        .bind(new.blob_sha256.as_slice())
        .bind(new.blob_bytes)
        .execute(self.conn())
        .await?;
        Ok(Received {
            document_id,
            version_id,
            number,
            unchanged: false,
        })
    }

    /// All versions of a document, newest first.
    pub async fn versions(&mut self, document: Uuid) -> Result<Vec<Version>, StoreError> {
        Ok(sqlx::query_as(concat_query(
            VERSION_COLUMNS,
            " WHERE document_id = $1 ORDER BY number DESC",
        ))
        .bind(document)
        .fetch_all(self.conn())
        .await?)
    }

    /// One version.
    pub async fn version(&mut self, id: Uuid) -> Result<Version, StoreError> {
        sqlx::query_as(concat_query(VERSION_COLUMNS, " WHERE id = $1"))
            .bind(id)
            .fetch_optional(self.conn())
            .await?
            .ok_or(StoreError::NotFound {
                what: "document version",
            })
    }

    /// The canonical text of a version; kept for ever, also of replaced and deleted ones, because answers cite it.
    pub async fn version_text(&mut self, id: Uuid) -> Result<String, StoreError> {
        let text: Option<Option<String>> =
            sqlx::query_scalar("SELECT canonical_text FROM document_versions WHERE id = $1")
                .bind(id)
                .fetch_optional(self.conn())
                .await?;
        text.flatten().ok_or(StoreError::NotFound {
            what: "text of the document version",
        })
    }

    /// Moves a version to a stage of its building and starts its clock. Does nothing to a version that has ended.
    pub async fn begin_stage(
        &mut self,
        version: Uuid,
        state: VersionState,
        total: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE document_versions
                SET state = $2, stage_done = 0, stage_total = $3, started_at = coalesce(started_at, now())
              WHERE id = $1 AND state NOT IN ('ready', 'ready_with_warnings', 'failed', 'cancelled')",
        )
        .bind(version)
        .bind(state.as_str())
        .bind(total)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Records progress within the present stage.
    pub async fn stage_progress(&mut self, version: Uuid, done: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE document_versions SET stage_done = $2 WHERE id = $1")
            .bind(version)
            .bind(done)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Ends a version with a reason a person can act on. The live version of the document goes on answering.
    pub async fn fail_version(
        &mut self,
        version: Uuid,
        code: &str,
        reason: &str,
        suggestion: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE document_versions
                SET state = 'failed', reason_code = $2, reason = $3, suggestion = $4, finished_at = now()
              WHERE id = $1 AND state NOT IN ('ready', 'ready_with_warnings', 'cancelled')",
        )
        .bind(version)
        .bind(code)
        .bind(reason)
        .bind(suggestion)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Puts a failed version back to the start; the caller enqueues the job.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the version did not fail.
    pub async fn restart_version(&mut self, version: Uuid) -> Result<(), StoreError> {
        let done = sqlx::query(
            "UPDATE document_versions
                SET state = 'received', stage_done = 0, stage_total = 0, reason_code = NULL, reason = NULL,
                    suggestion = NULL, started_at = NULL, finished_at = NULL
              WHERE id = $1 AND state IN ('failed', 'cancelled')",
        )
        .bind(version)
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Conflict(
                "only a failed or cancelled version can be retried".to_owned(),
            ));
        }
        Ok(())
    }

    /// Makes a complete version the one that answers: publish and rollback are the same flip.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the version is not complete or its document was deleted.
    pub async fn publish_version(&mut self, version: Uuid) -> Result<(), StoreError> {
        let document: Option<Uuid> = sqlx::query_scalar(
            "UPDATE documents d SET live_version_id = v.id
               FROM document_versions v
              WHERE v.id = $1 AND d.id = v.document_id AND d.deleted_at IS NULL
                AND v.state IN ('ready', 'ready_with_warnings')
             RETURNING d.id",
        )
        .bind(version)
        .fetch_optional(self.conn())
        .await?;
        let document = document.ok_or_else(|| {
            StoreError::Conflict("the version is not complete, or its document was deleted".to_owned())
        })?;
        sqlx::query("UPDATE document_versions SET published_at = now() WHERE id = $1")
            .bind(version)
            .execute(self.conn())
            .await?;
        self.bump_revision(document).await
    }

    /// Publishes `version` unless a newer version of the document is live already (a slow build must not undo a
    /// newer upload). Returns whether it was published.
    pub async fn publish_if_newest(&mut self, version: Uuid) -> Result<bool, StoreError> {
        let superseded: Option<bool> = sqlx::query_scalar(
            "SELECT d.deleted_at IS NOT NULL OR coalesce(
                    (SELECT l.number > v.number FROM document_versions l WHERE l.id = d.live_version_id), false)
               FROM document_versions v JOIN documents d ON d.id = v.document_id
              WHERE v.id = $1 FOR UPDATE OF d",
        )
        .bind(version)
        .fetch_optional(self.conn())
        .await?;
        if superseded.unwrap_or(true) {
            return Ok(false);
        }
        self.publish_version(version).await?;
        Ok(true)
    }
}

/// `a || b` for two fixed texts of this file; nothing of a request is ever part of them.
fn concat_query(head: &'static str, tail: &'static str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{head}{tail}"))
}
