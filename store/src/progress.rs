//! Versions on their way: what live pages and event streams ask for whenever something moved.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgListener;
use uuid::Uuid;

use crate::{Store, StoreError, TenantTx, VersionState};

/// Notes of every step of every version, whichever process makes it; their text is the tenant.
const CHANNEL: &str = "plumbline_versions";

/// How far a version is, by the clock of the database.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct VersionProgress {
    /// Version.
    pub id: Uuid,
    /// Document.
    pub document_id: Uuid,
    /// Logical key of the document.
    pub key: String,
    /// Number of the version.
    pub number: i32,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// State.
    pub state: VersionState,
    /// Steps done of the present stage.
    pub stage_done: i64,
    /// Steps of the present stage, 0 when unknown.
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
    /// Whether it is what customers are answered from.
    pub live: bool,
    /// Work began.
    pub started_at: Option<DateTime<Utc>>,
    /// The present stage began.
    pub stage_started_at: Option<DateTime<Utc>>,
    /// Work ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When this was read.
    pub now: DateTime<Utc>,
}

impl TenantTx {
    /// The versions that are being built, those that ended within `window`, and those of `known`: who remembers what
    /// was under way is never left without its end. Oldest first.
    pub async fn versions_on_their_way(
        &mut self,
        known: &[Uuid],
        window: Duration,
    ) -> Result<Vec<VersionProgress>, StoreError> {
        Ok(sqlx::query_as(
            "WITH wanted AS (
                 SELECT id FROM document_versions
                  WHERE state IN ('received', 'extracting', 'chunking', 'embedding', 'indexing')
                 UNION
                 SELECT id FROM document_versions WHERE finished_at > now() - make_interval(secs => $2)
                 UNION
                 SELECT unnest($1::uuid[]))
             SELECT v.id, v.document_id, d.key, v.number, v.file_name, v.state, v.stage_done, v.stage_total,
                    v.reason_code, v.reason, v.suggestion, jsonb_array_length(v.warnings) AS warning_count,
                    v.chunk_count,
                    v.state IN ('ready', 'ready_with_warnings')
                        AND coalesce(v.same_text_as, v.id) IS NOT DISTINCT FROM d.live_version_id AS live,
                    v.started_at, v.stage_started_at, v.finished_at, now() AS now
               FROM wanted w JOIN document_versions v ON v.id = w.id JOIN documents d ON d.id = v.document_id
              ORDER BY v.created_at, v.id",
        )
        .bind(known)
        .bind(window.as_secs_f64())
        .fetch_all(self.conn())
        .await?)
    }

    /// Those of `versions` that have ended, with their states alone.
    pub async fn ended_states(&mut self, versions: &[Uuid]) -> Result<Vec<(Uuid, VersionState)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, state FROM document_versions
              WHERE id = ANY($1) AND state IN ('ready', 'ready_with_warnings', 'failed', 'cancelled')",
        )
        .bind(versions)
        .fetch_all(self.conn())
        .await?)
    }

    /// The clock of the database: what its times are compared with.
    pub async fn now(&mut self) -> Result<DateTime<Utc>, StoreError> {
        Ok(sqlx::query_scalar("SELECT now()").fetch_one(self.conn()).await?)
    }
}

/// Hears that versions moved, over a connection of its own.
#[derive(Debug)]
pub struct VersionNotes(PgListener);

impl VersionNotes {
    /// The tenant whose version moved; none when the connection was lost meanwhile, so that anybody's may have.
    pub async fn next(&mut self) -> Result<Option<Uuid>, StoreError> {
        let note = self.0.try_recv().await?;
        Ok(note.and_then(|note| note.payload().parse().ok()))
    }
}

impl Store {
    /// Listens to the progress of the versions of all tenants from now on.
    pub async fn version_notes(&self) -> Result<VersionNotes, StoreError> {
        Ok(VersionNotes(self.listen(CHANNEL).await?))
    }
}
