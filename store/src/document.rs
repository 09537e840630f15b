//! Documents as an admin sees them: each with its newest version and the one that answers.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::{StoreError, TenantTx, VersionState};

/// A document with its newest version and the live one's number.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct Document {
    /// Identifier.
    pub id: Uuid,
    /// Logical key.
    pub key: String,
    /// Title shown to people.
    pub title: String,
    /// Tags, see [`crate::Tags`].
    pub tags: Vec<String>,
    /// The version that answers, if any.
    pub live_version_id: Option<Uuid>,
    /// Its number.
    pub live_number: Option<i32>,
    /// First upload.
    pub created_at: DateTime<Utc>,
    /// The newest version.
    #[sqlx(flatten)]
    #[serde(rename = "newest_version")]
    pub newest: NewestVersion,
}

/// The newest version of a document in a list.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct NewestVersion {
    /// Identifier.
    pub version_id: Uuid,
    /// Number, 1-based.
    pub number: i32,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// Media type found in the content.
    pub media_type: String,
    /// Size in bytes.
    pub blob_bytes: i64,
    /// State.
    pub state: VersionState,
    /// Steps done of the present stage.
    pub stage_done: i64,
    /// Steps of the present stage.
    pub stage_total: i64,
    /// Code of the reason of a failure.
    pub reason_code: Option<String>,
    /// Reason of a failure.
    pub reason: Option<String>,
    /// What to do about it.
    pub suggestion: Option<String>,
    /// Warnings.
    pub warning_count: i32,
    /// Chunks.
    pub chunk_count: i32,
    /// Language of the text.
    pub language: Option<String>,
    /// The version whose chunks stand for this one's because its text is the same.
    pub same_text_as: Option<Uuid>,
    /// Received.
    pub received_at: DateTime<Utc>,
    /// The present stage began.
    pub stage_started_at: Option<DateTime<Utc>>,
}

/// How many documents stand where, for tabs and for noticing that something happened.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StateCount {
    /// State of the newest version.
    pub state: VersionState,
    /// Documents in it.
    pub count: i64,
    /// When the last of them came to be in it.
    pub latest: DateTime<Utc>,
}

/// Which documents to list.
#[derive(Debug, Clone, Default)]
pub struct DocumentFilter {
    /// Part of the key or title, case-insensitive.
    pub search: Option<String>,
    /// State of the newest version.
    pub state: Option<VersionState>,
    /// Media type of the newest version.
    pub media_type: Option<String>,
    /// Language of the newest version, ISO 639-1.
    pub language: Option<String>,
    /// Whether the newest version has warnings.
    pub warnings: Option<bool>,
    /// Whether a version answers.
    pub live: Option<bool>,
    /// Most rows.
    pub limit: i64,
    /// Rows to skip.
    pub offset: i64,
}

/// The conditions of a [`DocumentFilter`] on a document `d` and its newest version `v`, without limit and offset.
macro_rules! document_filter {
    () => {
        " AND ($1::text IS NULL OR d.key ILIKE '%' || $1 || '%' OR d.title ILIKE '%' || $1 || '%')
          AND (cardinality($2::text[]) = 0 OR v.state = ANY($2))
          AND ($3::text IS NULL OR v.media_type = $3)
          AND ($4::text IS NULL OR v.language = $4)
          AND ($5::boolean IS NULL OR (v.warnings <> '[]') = $5)
          AND ($6::boolean IS NULL OR (d.live_version_id IS NOT NULL) = $6) "
    };
}

macro_rules! document_query {
    ($tail:literal) => {
        concat!(
            "SELECT d.id, d.key, d.title, d.tags, d.live_version_id, d.created_at,
                    (SELECT l.number FROM document_versions l WHERE l.id = d.live_version_id) AS live_number,
                    v.id AS version_id, v.number, v.file_name, v.media_type, v.blob_bytes, v.state, v.stage_done,
                    v.stage_total, v.reason_code, v.reason, v.suggestion,
                    jsonb_array_length(v.warnings) AS warning_count, v.chunk_count, v.language, v.same_text_as,
                    v.created_at AS received_at, v.stage_started_at
               FROM documents d
               JOIN LATERAL (SELECT * FROM document_versions n WHERE n.document_id = d.id
                              ORDER BY n.number DESC LIMIT 1) v ON true
              WHERE d.deleted_at IS NULL ",
            $tail
        )
    };
}

impl TenantTx {
    /// The documents that `versions` belong to, each once; versions that do not exist belong to none.
    pub async fn documents_of(&mut self, versions: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT DISTINCT v.document_id FROM document_versions v JOIN documents d ON d.id = v.document_id
              WHERE v.id = ANY($1) AND d.deleted_at IS NULL",
        )
        .bind(versions)
        .fetch_all(self.conn())
        .await?)
    }

    /// Documents that were not deleted, newest change first.
    pub async fn documents(&mut self, filter: &DocumentFilter) -> Result<Vec<Document>, StoreError> {
        self.documents_in(filter, &states_of(filter)).await
    }

    /// Documents whose newest version is in one of `states`, in any when there are none; the filter's own state does
    /// not count.
    pub async fn documents_in(
        &mut self,
        filter: &DocumentFilter,
        states: &[VersionState],
    ) -> Result<Vec<Document>, StoreError> {
        let query = sqlx::query_as(concat!(
            document_query!(""),
            document_filter!(),
            "ORDER BY v.created_at DESC, d.key LIMIT $7 OFFSET $8"
        ));
        Ok(query
            .bind(filter.search.as_deref().map(escape_like))
            .bind(names(states))
            .bind(&filter.media_type)
            .bind(&filter.language)
            .bind(filter.warnings)
            .bind(filter.live)
            .bind(filter.limit)
            .bind(filter.offset)
            .fetch_all(self.conn())
            .await?)
    }

    /// Documents matching the filter, whatever its limit.
    pub async fn count_documents(&mut self, filter: &DocumentFilter) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar(concat!(
            "SELECT count(*) FROM documents d
               JOIN LATERAL (SELECT n.state, n.media_type, n.language, n.warnings FROM document_versions n
                              WHERE n.document_id = d.id ORDER BY n.number DESC LIMIT 1) v ON true
              WHERE d.deleted_at IS NULL",
            document_filter!()
        ));
        Ok(query
            .bind(filter.search.as_deref().map(escape_like))
            .bind(names(&states_of(filter)))
            .bind(&filter.media_type)
            .bind(&filter.language)
            .bind(filter.warnings)
            .bind(filter.live)
            .fetch_one(self.conn())
            .await?)
    }

    /// How many documents matching `search` are in each state that any is in.
    pub async fn document_counts(&mut self, search: Option<&str>) -> Result<Vec<StateCount>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT v.state, count(*) AS count,
                    max(greatest(v.created_at, v.started_at, v.finished_at)) AS latest
               FROM documents d
               JOIN LATERAL (SELECT n.state, n.created_at, n.started_at, n.finished_at
                               FROM document_versions n WHERE n.document_id = d.id
                              ORDER BY n.number DESC LIMIT 1) v ON true
              WHERE d.deleted_at IS NULL
                AND ($1::text IS NULL OR d.key ILIKE '%' || $1 || '%' OR d.title ILIKE '%' || $1 || '%')
              GROUP BY v.state ORDER BY v.state",
        )
        .bind(search.map(escape_like))
        .fetch_all(self.conn())
        .await?)
    }

    /// One document that was not deleted.
    pub async fn document(&mut self, id: Uuid) -> Result<Document, StoreError> {
        sqlx::query_as(document_query!("AND d.id = $1"))
            .bind(id)
            .fetch_optional(self.conn())
            .await?
            .ok_or(StoreError::NotFound { what: "document" })
    }

    /// The document with this key, if it exists and was not deleted.
    pub async fn document_by_key(&mut self, key: &str) -> Result<Option<Document>, StoreError> {
        Ok(sqlx::query_as(document_query!("AND d.key = $1"))
            .bind(key)
            .fetch_optional(self.conn())
            .await?)
    }

    /// Deletes a document: from the commit on, no search finds it and its key is free. Its text stays for the answers
    /// that cited it.
    pub async fn delete_document(&mut self, document: Uuid) -> Result<(), StoreError> {
        let done = sqlx::query(
            "UPDATE documents SET deleted_at = now(), live_version_id = NULL WHERE id = $1 AND deleted_at IS NULL",
        )
        .bind(document)
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound { what: "document" });
        }
        sqlx::query(
            "UPDATE document_versions SET state = 'cancelled', finished_at = now()
              WHERE document_id = $1 AND state IN ('received', 'extracting', 'chunking', 'embedding', 'indexing')",
        )
        .bind(document)
        .execute(self.conn())
        .await?;
        sqlx::query(
            "DELETE FROM embedded_windows e USING document_versions v
              WHERE v.document_id = $1 AND e.version_id = v.id",
        )
        .bind(document)
        .execute(self.conn())
        .await?;
        self.bump_revision(document).await
    }
}

fn states_of(filter: &DocumentFilter) -> Vec<VersionState> {
    filter.state.into_iter().collect()
}

fn names(states: &[VersionState]) -> Vec<&'static str> {
    states.iter().map(|state| state.as_str()).collect()
}

/// Makes `%`, `_` and `\` of a search text match themselves.
fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
