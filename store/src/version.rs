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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The version whose chunks stand for this one's because its text is the same; that one is published instead.
    pub same_text_as: Option<Uuid>,
    /// Work began.
    pub started_at: Option<DateTime<Utc>>,
    /// The present stage began.
    pub stage_started_at: Option<DateTime<Utc>>,
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
        windows_embedded, windows_reused, created_at, same_text_as, started_at, stage_started_at, finished_at,
        published_at
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
            "SELECT v.id, v.number, v.blob_sha256, v.state,
                    coalesce(v.same_text_as, v.id) IS NOT DISTINCT FROM d.live_version_id
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

    /// For each key and hash of a file: the version that holds exactly these bytes already and answers or is being
    /// built, if there is one. One query for a whole folder, and it writes nothing.
    pub async fn unchanged_files(
        &mut self,
        files: &[(String, [u8; 32])],
    ) -> Result<Vec<Option<Received>>, StoreError> {
        let keys: Vec<&str> = files.iter().map(|(key, _)| key.as_str()).collect();
        let hashes: Vec<&[u8]> = files.iter().map(|(_, hash)| hash.as_slice()).collect();
        let rows: Vec<(i64, Uuid, Uuid, i32)> = sqlx::query_as(
            "SELECT f.place, d.id, v.id, v.number
               FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS f(key, hash, place)
               JOIN documents d ON d.key = f.key AND d.deleted_at IS NULL
               JOIN LATERAL (SELECT * FROM document_versions n WHERE n.document_id = d.id
                              ORDER BY n.number DESC LIMIT 1) v ON true
              WHERE v.blob_sha256 = f.hash
                AND (coalesce(v.same_text_as, v.id) = d.live_version_id
                     OR v.state NOT IN ('ready', 'ready_with_warnings', 'failed', 'cancelled'))",
        )
        .bind(keys)
        .bind(hashes)
        .fetch_all(self.conn())
        .await?;
        let mut found = vec![None; files.len()];
        for (place, document_id, version_id, number) in rows {
            let place = usize::try_from(place - 1).unwrap_or_default();
            if let Some(entry) = found.get_mut(place) {
                *entry = Some(Received {
                    document_id,
                    version_id,
                    number,
                    unchanged: true,
                });
            }
        }
        Ok(found)
    }

    /// Adds a version from the file of the newest one, to be built with today's settings and overlays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such document.
    pub async fn receive_again(&mut self, document: Uuid) -> Result<Received, StoreError> {
        self.lock_document(document).await?;
        let tenant = self.tenant();
        let version_id = Uuid::now_v7();
        let number: Option<i32> = sqlx::query_scalar(
            "INSERT INTO document_versions (id, tenant_id, document_id, number, file_name, blob_sha256, blob_bytes)
             SELECT $1, $2, v.document_id, v.number + 1, v.file_name, v.blob_sha256, v.blob_bytes
               FROM document_versions v JOIN documents d ON d.id = v.document_id
              WHERE v.document_id = $3 AND d.deleted_at IS NULL ORDER BY v.number DESC LIMIT 1
             RETURNING number",
        )
        .bind(version_id)
        .bind(tenant)
        .bind(document)
        .fetch_optional(self.conn())
        .await?;
        Ok(Received {
            document_id: document,
            version_id,
            number: number.ok_or(StoreError::NotFound { what: "document" })?,
            unchanged: false,
        })
    }

    /// Serialises what changes the versions or overlays of one document, to the end of the transaction.
    pub(crate) async fn lock_document(&mut self, document: Uuid) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM documents WHERE id = $1 FOR UPDATE")
            .bind(document)
            .execute(self.conn())
            .await?;
        Ok(())
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

    /// Those of `versions` that are complete and belong to a document that is there.
    pub async fn ready_versions(&mut self, versions: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT v.id FROM document_versions v JOIN documents d ON d.id = v.document_id AND d.deleted_at IS NULL
              WHERE v.id = ANY($1) AND v.state IN ('ready', 'ready_with_warnings')",
        )
        .bind(versions)
        .fetch_all(self.conn())
        .await?)
    }

    /// Those of `versions` that have ended.
    pub async fn ended_versions(&mut self, versions: &[Uuid]) -> Result<Vec<Version>, StoreError> {
        Ok(sqlx::query_as(concat_query(
            VERSION_COLUMNS,
            " WHERE id = ANY($1) AND state IN ('ready', 'ready_with_warnings', 'failed', 'cancelled')",
        ))
        .bind(versions)
        .fetch_all(self.conn())
        .await?)
    }

    /// The state of a version, none when it does not exist.
    pub async fn version_state(&mut self, id: Uuid) -> Result<Option<VersionState>, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT state FROM document_versions WHERE id = $1")
                .bind(id)
                .fetch_optional(self.conn())
                .await?,
        )
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

    /// Makes a complete version the one that answers: publish and rollback are the same flip. A version that shares its
    /// text with another stands for that one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the version is not complete or its document was deleted.
    pub async fn publish_version(&mut self, version: Uuid) -> Result<(), StoreError> {
        self.share_models().await?;
        if let Some(space) = self.space_in_force().await?
            && self.has_unembedded(version, space).await?
        {
            return Err(StoreError::Conflict(
                "the version has no vectors of the embedding model in force yet; publish it again".to_owned(),
            ));
        }
        let published: Option<(Uuid, Uuid)> = sqlx::query_as(
            "UPDATE documents d SET live_version_id = coalesce(v.same_text_as, v.id)
               FROM document_versions v
              WHERE v.id = $1 AND d.id = v.document_id AND d.deleted_at IS NULL
                AND v.state IN ('ready', 'ready_with_warnings')
             RETURNING d.id, d.live_version_id",
        )
        .bind(version)
        .fetch_optional(self.conn())
        .await?;
        let (document, live) = published.ok_or_else(|| {
            StoreError::Conflict("the version is not complete, or its document was deleted".to_owned())
        })?;
        sqlx::query("UPDATE document_versions SET published_at = now() WHERE id IN ($1, $2)")
            .bind(version)
            .bind(live)
            .execute(self.conn())
            .await?;
        self.bump_revision(document).await
    }

    /// Publishes `version` unless a newer version of the document is live already (a slow build must not undo a
    /// newer upload). Returns whether it was published.
    pub async fn publish_if_newest(&mut self, version: Uuid) -> Result<bool, StoreError> {
        if self.is_superseded(version).await? {
            return Ok(false);
        }
        self.publish_version(version).await?;
        Ok(true)
    }

    /// Whether a newer version of the document is live already, or the document was deleted. Locks the document.
    pub async fn is_superseded(&mut self, version: Uuid) -> Result<bool, StoreError> {
        let superseded: Option<bool> = sqlx::query_scalar(
            "SELECT d.deleted_at IS NOT NULL OR coalesce(
                    (SELECT l.number > v.number FROM document_versions l WHERE l.id = d.live_version_id), false)
               FROM document_versions v JOIN documents d ON d.id = v.document_id
              WHERE v.id = $1 FOR UPDATE OF d",
        )
        .bind(version)
        .fetch_optional(self.conn())
        .await?;
        Ok(superseded.unwrap_or(true))
    }
}

/// `a || b` for two fixed texts of this file; nothing of a request is ever part of them.
fn concat_query(head: &'static str, tail: &'static str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{head}{tail}"))
}
