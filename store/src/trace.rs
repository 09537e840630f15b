//! Traces of searches, and the index versions that they can be asked again on.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::{Store, StoreError, TenantTx};

/// Where a traced question came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum TraceSource {
    /// A customer's turn.
    Whatsapp,
    /// A question put to the answerer by the API or the command line.
    Answer,
    /// A search of the API or the command line; nothing was composed.
    Search,
    /// The playground.
    Playground,
    /// An earlier trace, asked again.
    Replay,
}

/// A trace to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTrace {
    /// Identifier; of an answer, the answer's own.
    pub id: Uuid,
    /// Where the question came from.
    pub source: TraceSource,
    /// The question as asked.
    pub question: String,
    /// As it was searched.
    pub query: String,
    /// `answered`, `abstained` or `handed_off`; none for a search.
    pub outcome: Option<String>,
    /// Settings it was asked with.
    pub settings_version: i64,
    /// Revision of the documents when it was searched, if it was.
    pub index_version: Option<i64>,
    /// Keys of the documents of the hits, best first.
    pub document_keys: Vec<String>,
    /// Wall-clock milliseconds.
    pub total_ms: f64,
    /// Everything that was looked at.
    pub record: Value,
}

/// A trace in a list.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct TraceRow {
    /// Identifier.
    pub id: Uuid,
    /// Where the question came from.
    pub source: TraceSource,
    /// The question as asked.
    pub question: String,
    /// As it was searched.
    pub query: String,
    /// `answered`, `abstained` or `handed_off`; none for a search.
    pub outcome: Option<String>,
    /// Settings it was asked with.
    pub settings_version: i64,
    /// What was live, if that was kept.
    pub index_version: Option<i64>,
    /// Keys of the documents of the hits, best first.
    pub document_keys: Vec<String>,
    /// Wall-clock milliseconds.
    pub total_ms: f64,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A whole trace.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct StoredTrace {
    /// What a list shows of it.
    #[sqlx(flatten)]
    pub row: TraceRow,
    /// Everything that was looked at.
    pub record: Value,
}

/// Which traces are wanted; a field that is empty asks for nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TraceFilter {
    /// Words of the question, as asked or as searched: all of them occur, in any order and case.
    pub words: String,
    /// Where the question came from.
    pub source: Option<TraceSource>,
    /// `answered`, `abstained` or `handed_off`.
    pub outcome: Option<String>,
    /// A document is among the hits.
    pub document: Option<String>,
    /// It took at least this long, in milliseconds.
    pub slower_than_ms: Option<f64>,
    /// Asked at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Older than this trace.
    pub before: Option<Uuid>,
}

macro_rules! trace_columns {
    () => {
        "t.id, t.source, t.question, t.query, t.outcome, t.settings_version, t.index_version, t.document_keys, t.total_ms,
         t.created_at"
    };
}

impl TenantTx {
    /// Stores a trace. What was live when it was searched is kept with it, unless the documents have changed since: a
    /// list of what is live now would be a wrong one.
    pub async fn insert_trace(&mut self, trace: &NewTrace) -> Result<(), StoreError> {
        let tenant = self.tenant();
        let kept = match trace.index_version {
            Some(revision) if self.keep_index_version(revision).await? => Some(revision),
            _ => None,
        };
        sqlx::query(
            "INSERT INTO traces (id, tenant_id, source, question, query, outcome, settings_version, index_version,
                                 document_keys, total_ms, record)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(trace.id)
        .bind(tenant)
        .bind(trace.source)
        .bind(&trace.question)
        .bind(&trace.query)
        .bind(&trace.outcome)
        .bind(trace.settings_version)
        .bind(kept)
        .bind(&trace.document_keys)
        .bind(trace.total_ms)
        .bind(&trace.record)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keeps the list of live versions under `revision`; false when that is not known any more. One statement reads the
    /// revision and the list, and both change in one transaction, so that they belong together.
    async fn keep_index_version(&mut self, revision: i64) -> Result<bool, StoreError> {
        let tenant = self.tenant();
        sqlx::query(
            "INSERT INTO index_versions (tenant_id, revision, versions)
             SELECT $1, $2, coalesce((SELECT array_agg(d.live_version_id ORDER BY d.live_version_id) FROM documents d
                                       WHERE d.deleted_at IS NULL AND d.live_version_id IS NOT NULL), '{}')
              WHERE (SELECT coalesce(max(revision), 0) FROM revisions) = $2
                 ON CONFLICT DO NOTHING",
        )
        .bind(tenant)
        .bind(revision)
        .execute(self.conn())
        .await?;
        Ok(
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM index_versions WHERE revision = $1)")
                .bind(revision)
                .fetch_one(self.conn())
                .await?,
        )
    }

    /// The versions that were live at `revision`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when they were not kept, or not any more.
    pub async fn index_version(&mut self, revision: i64) -> Result<Vec<Uuid>, StoreError> {
        sqlx::query_scalar("SELECT versions FROM index_versions WHERE revision = $1")
            .bind(revision)
            .fetch_optional(self.conn())
            .await?
            .ok_or(StoreError::NotFound {
                what: "index version",
            })
    }

    /// How many of these versions can still be searched: their documents exist and their chunks are kept.
    pub async fn searchable_versions(&mut self, versions: &[Uuid]) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT count(*) FROM document_versions v JOIN documents d ON d.id = v.document_id
              WHERE v.id = ANY($1) AND d.deleted_at IS NULL
                AND (v.chunk_count = 0 OR EXISTS (SELECT FROM chunks c WHERE c.version_id = v.id))",
        )
        .bind(versions)
        .fetch_one(self.conn())
        .await?)
    }

    /// One trace.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none: it was not sampled, or it was forgotten.
    pub async fn trace(&mut self, id: Uuid) -> Result<StoredTrace, StoreError> {
        sqlx::query_as(concat!(
            "SELECT ",
            trace_columns!(),
            ", t.record FROM traces t WHERE t.id = $1"
        ))
        .bind(id)
        .fetch_optional(self.conn())
        .await?
        .ok_or(StoreError::NotFound { what: "trace" })
    }

    /// The traces that a filter keeps, newest first.
    pub async fn traces(&mut self, filter: &TraceFilter, limit: i64) -> Result<Vec<TraceRow>, StoreError> {
        let mut sql = QueryBuilder::new(concat!("SELECT ", trace_columns!(), " FROM traces t WHERE true"));
        for word in filter.words.split_whitespace() {
            sql.push(" AND strpos(lower(t.question || ' ' || t.query), lower(")
                .push_bind(word.to_owned())
                .push(")) > 0");
        }
        if let Some(source) = filter.source {
            sql.push(" AND t.source = ").push_bind(source);
        }
        if let Some(outcome) = &filter.outcome {
            sql.push(" AND t.outcome = ").push_bind(outcome);
        }
        if let Some(document) = &filter.document {
            sql.push(" AND ")
                .push_bind(document)
                .push(" = ANY(t.document_keys)");
        }
        if let Some(least) = filter.slower_than_ms {
            sql.push(" AND t.total_ms >= ").push_bind(least);
        }
        if let Some(since) = filter.since {
            sql.push(" AND t.created_at >= ").push_bind(since);
        }
        if let Some(before) = filter.before {
            sql.push(" AND (t.created_at, t.id) < (SELECT b.created_at, b.id FROM traces b WHERE b.id = ")
                .push_bind(before)
                .push(")");
        }
        sql.push(" ORDER BY t.created_at DESC, t.id DESC LIMIT ")
            .push_bind(limit);
        Ok(sql.build_query_as().fetch_all(self.conn()).await?)
    }

    /// The newest different questions that were searched for customers or by the API, as they were searched.
    pub async fn traced_queries(&mut self, limit: i64) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT query FROM (
                 SELECT DISTINCT ON (query) query, created_at FROM traces
                  WHERE index_version IS NOT NULL AND source IN ('whatsapp', 'answer', 'search')
                  ORDER BY query, created_at DESC) asked
              ORDER BY created_at DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(self.conn())
        .await?)
    }

    /// Forgets the traces that are older than `age`, and the index versions that no trace names any more; returns how
    /// many traces.
    pub async fn forget_traces(&mut self, age: Duration) -> Result<u64, StoreError> {
        let gone = sqlx::query("DELETE FROM traces WHERE created_at < now() - make_interval(secs => $1)")
            .bind(age.as_secs_f64())
            .execute(self.conn())
            .await?;
        // one that is being kept for a trace not yet committed is younger than an hour
        sqlx::query(
            "DELETE FROM index_versions i
              WHERE i.created_at < now() - interval '1 hour'
                AND NOT EXISTS (SELECT FROM traces t WHERE t.index_version = i.revision)",
        )
        .execute(self.conn())
        .await?;
        Ok(gone.rows_affected())
    }
}

impl Store {
    /// Forgets every tenant's traces that are older than its settings say; returns how many.
    pub async fn forget_traces(&self) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        for tenant in self.tenants().await? {
            let mut tx = self.tenant(tenant).await?;
            let days = tx.settings().await?.settings.traces.keep_days;
            forgotten += tx
                .forget_traces(Duration::from_hours(24 * u64::from(days)))
                .await?;
            tx.commit().await?;
        }
        Ok(forgotten)
    }
}
