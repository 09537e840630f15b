//! What a tenant's vector index finds of what a comparison of all vectors finds, and the questions that it is asked.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{StoreError, SystemTx, TenantTx, VectorScan};

/// Queue of the jobs that audit vector indexes.
pub const RECALL_QUEUE: &str = "recall_audit";

/// Recall from which an index is as good as comparing everything.
pub const RECALL_WANTED: f64 = 0.98;

/// Audits that are kept per tenant.
const KEPT: i64 = 50;

/// Newest answers among which the questions of an audit are looked for.
const RECENT_ANSWERS: i64 = 1_000;

/// An audit to record.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRecallAudit {
    /// Space of the vectors.
    pub space: i32,
    /// Live windows.
    pub windows: i64,
    /// How the index was searched, and is until the next audit.
    pub scan: VectorScan,
    /// Questions asked.
    pub questions: usize,
    /// How many of them are sentences of documents, because customers had not asked enough.
    pub sampled_from_documents: usize,
    /// Chunks that the comparison of all vectors found.
    pub wanted: usize,
    /// How many of them the index found.
    pub found: usize,
    /// Share found of the question that fared worst, 0 to 1.
    pub worst: f32,
}

impl NewRecallAudit {
    /// Whether it is as good as comparing everything.
    #[expect(clippy::cast_precision_loss, reason = "a thousand chunks at most")]
    pub fn is_good(&self) -> bool {
        self.found as f64 >= self.wanted as f64 * RECALL_WANTED
    }
}

/// An audit as it was recorded.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct RecallAudit {
    /// When.
    pub created_at: DateTime<Utc>,
    /// Live windows.
    pub windows: i64,
    /// Candidates that the index kept while it searched.
    pub ef_search: i32,
    /// Questions asked.
    pub questions: i32,
    /// How many of them are sentences of documents.
    pub sampled_from_documents: i32,
    /// Chunks that the comparison of all vectors found.
    pub wanted: i64,
    /// How many of them the index found.
    pub found: i64,
    /// Share found of the question that fared worst, 0 to 1.
    pub worst: f32,
}

impl RecallAudit {
    /// Share of the nearest chunks that the index found, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a thousand chunks at most")]
    pub fn recall(&self) -> f64 {
        self.found as f64 / self.wanted as f64
    }

    /// Whether it is as good as comparing everything.
    pub fn is_good(&self) -> bool {
        self.recall() >= RECALL_WANTED
    }
}

impl TenantTx {
    /// From now on all statements of this transaction see the same state of the database. Only as its first word.
    pub async fn hold_still(&mut self) -> Result<(), StoreError> {
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Records an audit and forgets the oldest ones. It decides how the index is searched until the next one, see
    /// [`TenantTx::search_state`].
    pub async fn record_recall_audit(&mut self, audit: &NewRecallAudit) -> Result<(), StoreError> {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let tenant = self.tenant();
        sqlx::query(
            "INSERT INTO recall_audits (tenant_id, space_id, windows, ef_search, questions, sampled_from_documents,
                                        wanted, found, worst)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(tenant)
        .bind(audit.space)
        .bind(audit.windows)
        .bind(audit.scan.ef_search())
        .bind(count(audit.questions))
        .bind(count(audit.sampled_from_documents))
        .bind(count(audit.wanted))
        .bind(count(audit.found))
        .bind(audit.worst)
        .execute(self.conn())
        .await?;
        sqlx::query(
            "DELETE FROM recall_audits WHERE tenant_id = $1 AND id NOT IN (
                 SELECT id FROM recall_audits WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2)",
        )
        .bind(tenant)
        .bind(KEPT)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The newest audits of the index over the vectors of `space`, newest first.
    pub async fn recall_audits(&mut self, space: i32, limit: i64) -> Result<Vec<RecallAudit>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT created_at, windows, ef_search, questions, sampled_from_documents, wanted, found, worst
               FROM recall_audits WHERE space_id = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(space)
        .bind(limit)
        .fetch_all(self.conn())
        .await?)
    }

    /// Whether the index over the vectors of `space` was not audited for `every`.
    pub async fn recall_audit_is_due(&mut self, space: i32, every: Duration) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT FROM recall_audits
                                 WHERE space_id = $1 AND created_at > now() - make_interval(secs => $2))",
        )
        .bind(space)
        .bind(every.as_secs_f64())
        .fetch_one(self.conn())
        .await?)
    }

    /// What was searched for the newest answers, each text once, newest first.
    pub async fn searched_questions(&mut self, limit: i64) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT query FROM (
                 SELECT coalesce(nullif(record->>'query', ''), question) AS query, created_at
                   FROM answers WHERE route IN ('commodity', 'reasoning')
                  ORDER BY created_at DESC LIMIT $1) recent
              GROUP BY query ORDER BY max(created_at) DESC, query LIMIT $2",
        )
        .bind(RECENT_ANSWERS)
        .bind(limit)
        .fetch_all(self.conn())
        .await?)
    }

    /// Texts of chunks of live versions, drawn at random.
    pub async fn random_chunks(&mut self, limit: i64) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT c.body FROM documents d JOIN chunks c ON c.version_id = d.live_version_id AND NOT c.disabled
              WHERE d.deleted_at IS NULL ORDER BY random() LIMIT $1",
        )
        .bind(limit)
        .fetch_all(self.conn())
        .await?)
    }
}

impl SystemTx {
    /// The lowest recall among the latest audits of all indexes; none where none was audited for two days.
    pub async fn lowest_recall(&mut self) -> Result<Option<f64>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT min(found::float8 / wanted) FROM (
                 SELECT DISTINCT ON (tenant_id, space_id) found, wanted FROM recall_audits
                  WHERE created_at > now() - interval '2 days'
                  ORDER BY tenant_id, space_id, created_at DESC) latest",
        )
        .fetch_one(self.conn())
        .await?)
    }
}
