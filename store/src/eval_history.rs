//! Runs of the eval as people look back on them: what each judged, and its figures over time.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{EvalRun, EvalState, StoreError, TenantTx};

/// A run with what it judged.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct JudgedRun {
    /// The run.
    #[sqlx(flatten)]
    pub run: EvalRun,
    /// Document of the version that waited for it.
    pub document_id: Option<Uuid>,
    /// Title of that document.
    pub document_title: Option<String>,
    /// Number of that version.
    pub version_number: Option<i32>,
    /// Whether that document was deleted.
    pub deleted: bool,
    /// Whether what it judged is live now; false for a run that was only recorded.
    pub live: bool,
    /// `metrics` of the report, if it has one.
    pub metrics: Option<Value>,
    /// `run` of the report, if it has one.
    pub made_on: Option<Value>,
}

/// A run in a trend.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct TrendPoint {
    /// The run.
    pub id: Uuid,
    /// How it ended.
    pub state: EvalState,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// `metrics` of its report.
    pub metrics: Value,
}

/// The query of [`JudgedRun`] up to its conditions.
macro_rules! judged_runs {
    () => {
        "SELECT r.id, r.version_id, r.settings_version, r.state, r.exit_code, r.cause, r.created_at, r.started_at,
                r.finished_at, r.metrics, r.made_on, d.id AS document_id, d.title AS document_title,
                v.number AS version_number, coalesce(d.deleted_at IS NOT NULL, false) AS deleted,
                coalesce(d.live_version_id = r.version_id, l.version = r.settings_version, false) AS live
           FROM eval_runs r
           LEFT JOIN document_versions v ON v.id = r.version_id
           LEFT JOIN documents d ON d.id = v.document_id
           LEFT JOIN settings_live l ON l.tenant_id = r.tenant_id AND r.settings_version IS NOT NULL"
    };
}

impl TenantTx {
    /// Runs with what they judged, newest first.
    pub async fn judged_runs(&mut self, limit: i64, offset: i64) -> Result<Vec<JudgedRun>, StoreError> {
        Ok(sqlx::query_as(concat!(
            judged_runs!(),
            " ORDER BY r.created_at DESC, r.id DESC LIMIT $1 OFFSET $2"
        ))
        .bind(limit)
        .bind(offset)
        .fetch_all(self.conn())
        .await?)
    }

    /// A run with what it judged.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn judged_run(&mut self, id: Uuid) -> Result<JudgedRun, StoreError> {
        sqlx::query_as(concat!(judged_runs!(), " WHERE r.id = $1"))
            .bind(id)
            .fetch_optional(self.conn())
            .await?
            .ok_or(StoreError::NotFound { what: "eval run" })
    }

    /// Runs that have a report, newest first: what can be compared.
    pub async fn reported_runs(&mut self, limit: i64) -> Result<Vec<JudgedRun>, StoreError> {
        Ok(sqlx::query_as(concat!(
            judged_runs!(),
            " WHERE r.made_on IS NOT NULL ORDER BY r.created_at DESC, r.id DESC LIMIT $1"
        ))
        .bind(limit)
        .fetch_all(self.conn())
        .await?)
    }

    /// All runs.
    pub async fn count_eval_runs(&mut self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM eval_runs")
            .fetch_one(self.conn())
            .await?)
    }

    /// The figures of the latest runs that asked what the newest one asked (the same golden set, the same part of it),
    /// oldest first: others would not lie on one line.
    pub async fn eval_trend(&mut self, limit: i64) -> Result<Vec<TrendPoint>, StoreError> {
        let mut points: Vec<TrendPoint> = sqlx::query_as(
            "WITH newest AS (
                 SELECT made_on FROM eval_runs WHERE jsonb_typeof(metrics) = 'array'
                  ORDER BY created_at DESC, id DESC LIMIT 1)
             SELECT r.id, r.state, r.created_at, r.metrics FROM eval_runs r, newest n
              WHERE jsonb_typeof(r.metrics) = 'array'
                AND r.made_on -> 'golden' IS NOT DISTINCT FROM n.made_on -> 'golden'
                AND r.made_on -> 'selection' IS NOT DISTINCT FROM n.made_on -> 'selection'
              ORDER BY r.created_at DESC, r.id DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(self.conn())
        .await?;
        points.reverse();
        Ok(points)
    }

    /// The version to go back to from the live one of `document`: the newest older one that was live before.
    pub async fn version_before_live(&mut self, document: Uuid) -> Result<Option<(Uuid, i32)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT v.id, v.number
               FROM documents d
               JOIN document_versions l ON l.id = d.live_version_id
               JOIN document_versions v ON v.document_id = d.id
              WHERE d.id = $1 AND v.number < l.number AND v.published_at IS NOT NULL AND v.same_text_as IS NULL
              ORDER BY v.number DESC LIMIT 1",
        )
        .bind(document)
        .fetch_optional(self.conn())
        .await?)
    }

    /// The settings to go back to from the live ones: the newest older ones that did not wait for a verdict in vain.
    pub async fn settings_before_live(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT s.version FROM settings s JOIN settings_live l ON l.tenant_id = s.tenant_id
              WHERE s.version < l.version
                AND NOT EXISTS (SELECT FROM eval_runs r WHERE r.settings_version = s.version AND r.state <> 'passed')
              ORDER BY s.version DESC LIMIT 1",
        )
        .fetch_optional(self.conn())
        .await?)
    }
}
