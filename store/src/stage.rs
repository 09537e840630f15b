//! The stages of a version on its way: begun, noted, and ended by a person, a failure or a retry.
//!
//! A worker that comes late undoes nothing: only a retry touches a version that has ended.

use uuid::Uuid;

use crate::{StoreError, TenantTx, VersionState};

impl TenantTx {
    /// Moves a version to a stage of its building and starts its clock. False when the version has ended meanwhile (it
    /// was cancelled, or its document deleted): the work on it must stop.
    pub async fn begin_stage(
        &mut self,
        version: Uuid,
        state: VersionState,
        total: i64,
    ) -> Result<bool, StoreError> {
        let begun = sqlx::query(
            "UPDATE document_versions
                SET state = $2, stage_done = 0, stage_total = $3, stage_started_at = now(),
                    started_at = coalesce(started_at, now())
              WHERE id = $1 AND state NOT IN ('ready', 'ready_with_warnings', 'failed', 'cancelled')",
        )
        .bind(version)
        .bind(state.as_str())
        .bind(total)
        .execute(self.conn())
        .await?;
        Ok(begun.rows_affected() == 1)
    }

    /// Records progress within the present stage; `total` may have become known only now.
    pub async fn stage_progress(&mut self, version: Uuid, done: i64, total: i64) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE document_versions SET stage_done = $2, stage_total = $3
              WHERE id = $1 AND state NOT IN ('ready', 'ready_with_warnings', 'failed', 'cancelled')",
        )
        .bind(version)
        .bind(done)
        .bind(total)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Ends the building of a version because a person said so; its worker notices and stops, a job that waits is taken
    /// away.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the version has ended already.
    pub async fn cancel_version(&mut self, version: Uuid) -> Result<(), StoreError> {
        let document: Option<Uuid> = sqlx::query_scalar(
            "UPDATE document_versions
                SET state = 'cancelled', finished_at = now(), reason_code = 'cancelled',
                    reason = 'the building of this version was cancelled', suggestion = 'retry it when you want it after all'
              WHERE id = $1 AND state NOT IN ('ready', 'ready_with_warnings', 'failed', 'cancelled')
             RETURNING document_id",
        )
        .bind(version)
        .fetch_optional(self.conn())
        .await?;
        let document = document.ok_or_else(|| {
            StoreError::Conflict("the version has ended already, there is nothing to cancel".to_owned())
        })?;
        sqlx::query(
            "UPDATE jobs SET state = 'cancelled', finished_at = now()
              WHERE key = $1 AND state = 'queued' AND payload->>'version_id' = $2",
        )
        .bind(document.to_string())
        .bind(version.to_string())
        .execute(self.conn())
        .await?;
        self.forget_embedded(version).await
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
        self.forget_embedded(version).await
    }

    /// Puts a failed version back to the start; the caller enqueues the job.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the version did not fail.
    pub async fn restart_version(&mut self, version: Uuid) -> Result<(), StoreError> {
        let done = sqlx::query(
            "UPDATE document_versions
                SET state = 'received', stage_done = 0, stage_total = 0, reason_code = NULL, reason = NULL,
                    suggestion = NULL, started_at = NULL, stage_started_at = NULL, finished_at = NULL
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
}
