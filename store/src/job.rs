//! The durable queue: leases, retries with backoff, dead letters, strict order per key.

use std::time::Duration;

use rand::Rng;
use serde_json::Value;
use uuid::Uuid;

use crate::{Store, StoreError, SystemTx, TenantTx};

/// A job to enqueue.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Queue name; each has its own workers.
    pub queue: &'static str,
    /// Jobs of one key run one after another, oldest first.
    pub key: String,
    /// While a job with this value waits, enqueueing it again does not add a second one.
    pub dedupe: Option<String>,
    /// What to do.
    pub payload: Value,
    /// How long to wait before the first attempt.
    pub delay: Duration,
    /// Attempts before the job is dead.
    pub max_attempts: i32,
}

/// A job under a worker's lease.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Job {
    /// Identifier, increasing with the time of enqueueing.
    pub id: i64,
    /// Tenant it works for.
    pub tenant_id: Uuid,
    /// Queue.
    pub queue: String,
    /// Ordering key.
    pub key: String,
    /// What to do.
    pub payload: Value,
    /// Attempts so far, this one included.
    pub attempts: i32,
    /// Attempts allowed.
    pub max_attempts: i32,
    /// The worker's lease; every later word about the job must name it.
    pub leased_by: Uuid,
}

/// What became of a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// It will run again after this time.
    Retry(Duration),
    /// It used its last attempt; its key goes on without it.
    Dead,
}

/// A job that gave up, as the admin sees it.
#[derive(Debug, Clone, serde::Serialize, sqlx::FromRow)]
pub struct DeadJob {
    /// Identifier.
    pub id: i64,
    /// Queue.
    pub queue: String,
    /// Ordering key.
    pub key: String,
    /// What was to be done.
    pub payload: Value,
    /// Attempts made.
    pub attempts: i32,
    /// Last error.
    pub error: Option<String>,
}

/// Depth of one queue.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct QueueDepth {
    /// Queue.
    pub queue: String,
    /// State.
    pub state: String,
    /// Jobs.
    pub jobs: i64,
    /// Seconds that the oldest due job has waited.
    pub oldest_seconds: f64,
}

impl TenantTx {
    /// Enqueues within this transaction; returns the id of the new job or of the waiting one it is merged into. A
    /// merged job is postponed to `delay` from now, but never beyond `postpone_max` after it was first enqueued.
    pub async fn enqueue(&mut self, job: &NewJob, postpone_max: Duration) -> Result<i64, StoreError> {
        let tenant = self.tenant();
        let id = sqlx::query_scalar(
            "INSERT INTO jobs (tenant_id, queue, key, dedupe, payload, run_at, max_attempts)
             VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6), $7)
             ON CONFLICT (tenant_id, queue, dedupe) WHERE state = 'queued' AND dedupe IS NOT NULL
             DO UPDATE SET run_at = greatest(jobs.run_at,
                 least(excluded.run_at, jobs.created_at + make_interval(secs => $8)))
             RETURNING id",
        )
        .bind(tenant)
        .bind(job.queue)
        .bind(&job.key)
        .bind(&job.dedupe)
        .bind(&job.payload)
        .bind(job.delay.as_secs_f64())
        .bind(job.max_attempts)
        .bind(postpone_max.as_secs_f64())
        .fetch_one(self.conn())
        .await?;
        Ok(id)
    }

    /// Runs the waiting jobs of a queue now: what they waited for was mended.
    pub async fn hurry_jobs(&mut self, queue: &str) -> Result<u64, StoreError> {
        let hurried = sqlx::query(
            "UPDATE jobs SET run_at = now() WHERE queue = $1 AND state = 'queued' AND run_at > now()",
        )
        .bind(queue)
        .execute(self.conn())
        .await?;
        Ok(hurried.rows_affected())
    }

    /// Jobs that gave up, newest first.
    pub async fn dead_jobs(&mut self, limit: i64) -> Result<Vec<DeadJob>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, queue, key, payload, attempts, error FROM jobs
              WHERE state = 'dead' ORDER BY id DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(self.conn())
        .await?)
    }

    /// Gives a dead job a fresh set of attempts.
    pub async fn requeue(&mut self, id: i64) -> Result<(), StoreError> {
        let done = sqlx::query(
            "UPDATE jobs SET state = 'queued', attempts = 0, run_at = now(), finished_at = NULL, dedupe = NULL
              WHERE id = $1 AND state = 'dead'",
        )
        .bind(id)
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 {
            Err(StoreError::NotFound { what: "dead job" })
        } else {
            Ok(())
        }
    }
}

impl SystemTx {
    /// Depth and age per queue and state of unfinished and dead jobs.
    pub async fn queue_depths(&mut self) -> Result<Vec<QueueDepth>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT queue, state, count(*) AS jobs,
                    coalesce(extract(epoch FROM now() - min(run_at)), 0)::float8 AS oldest_seconds
               FROM jobs WHERE state IN ('queued', 'running', 'dead') GROUP BY queue, state",
        )
        .fetch_all(self.conn())
        .await?)
    }
}

impl Store {
    /// Takes the next due job of `queue` under a lease, if there is one whose key is free.
    ///
    /// A key is free when none of its jobs runs and no older one of it waits, due or not: a retry keeps its place.
    pub async fn claim_job(
        &self,
        queue: &str,
        worker: Uuid,
        lease: Duration,
    ) -> Result<Option<Job>, StoreError> {
        let mut tx = self.system().await?;
        let claimed = sqlx::query_as(
            "UPDATE jobs SET state = 'running', attempts = attempts + 1, leased_by = $2,
                             lease_until = now() + make_interval(secs => $3)
              WHERE id = (
                    SELECT j.id FROM jobs j
                     WHERE j.queue = $1 AND j.state = 'queued' AND j.run_at <= now()
                       AND NOT EXISTS (
                           SELECT FROM jobs o
                            WHERE o.tenant_id = j.tenant_id AND o.queue = j.queue AND o.key = j.key
                              AND o.state IN ('queued', 'running') AND (o.id < j.id OR o.state = 'running'))
                     ORDER BY j.run_at, j.id
                     LIMIT 1
                     FOR UPDATE SKIP LOCKED)
             RETURNING id, tenant_id, queue, key, payload, attempts, max_attempts, leased_by",
        )
        .bind(queue)
        .bind(worker)
        .bind(lease.as_secs_f64())
        .fetch_optional(tx.conn())
        .await
        .map_err(StoreError::from);
        match claimed {
            Ok(job) => {
                tx.commit().await?;
                Ok(job)
            }
            // Another worker took a job of the same key between our read and our write: nothing to do this time.
            Err(error) if error.constraint() == Some("jobs_one_running") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Extends the lease; false means that the job is no longer ours and the work must stop.
    pub async fn heartbeat_job(&self, job: &Job, lease: Duration) -> Result<bool, StoreError> {
        let mut tx = self.system().await?;
        let done = sqlx::query(
            "UPDATE jobs SET lease_until = now() + make_interval(secs => $3)
              WHERE id = $1 AND leased_by = $2 AND state = 'running'",
        )
        .bind(job.id)
        .bind(job.leased_by)
        .bind(lease.as_secs_f64())
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Marks the job done; false when the lease was lost meanwhile.
    pub async fn finish_job(&self, job: &Job) -> Result<bool, StoreError> {
        let mut tx = self.system().await?;
        let done = sqlx::query(
            "UPDATE jobs SET state = 'done', finished_at = now(), lease_until = NULL, error = NULL
              WHERE id = $1 AND leased_by = $2 AND state = 'running'",
        )
        .bind(job.id)
        .bind(job.leased_by)
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Puts the job back without counting the attempt: it is waiting for something, not failing.
    pub async fn postpone_job(&self, job: &Job, delay: Duration) -> Result<(), StoreError> {
        let mut tx = self.system().await?;
        sqlx::query(
            "UPDATE jobs SET state = 'queued', attempts = attempts - 1, lease_until = NULL, dedupe = NULL,
                             run_at = now() + make_interval(secs => $3)
              WHERE id = $1 AND leased_by = $2 AND state = 'running'",
        )
        .bind(job.id)
        .bind(job.leased_by)
        .bind(delay.as_secs_f64())
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// Records a failed attempt: another try after `retry_after` or an exponential wait, or the end.
    pub async fn fail_job(
        &self,
        job: &Job,
        error: &str,
        retry: bool,
        retry_after: Option<Duration>,
    ) -> Result<Failed, StoreError> {
        let mut tx = self.system().await?;
        let outcome = if retry && job.attempts < job.max_attempts {
            let wait = retry_after.unwrap_or_else(|| backoff(job.attempts, rand::rng().random()));
            // dedupe is dropped: a newer job of the same kind may have been enqueued while this one ran
            sqlx::query(
                "UPDATE jobs SET state = 'queued', lease_until = NULL, error = $3, dedupe = NULL,
                                 run_at = now() + make_interval(secs => $4)
                  WHERE id = $1 AND leased_by = $2 AND state = 'running'",
            )
            .bind(job.id)
            .bind(job.leased_by)
            .bind(error)
            .bind(wait.as_secs_f64())
            .execute(tx.conn())
            .await?;
            Failed::Retry(wait)
        } else {
            sqlx::query(
                "UPDATE jobs SET state = 'dead', told = false, lease_until = NULL, finished_at = now(), error = $3
                  WHERE id = $1 AND leased_by = $2 AND state = 'running'",
            )
            .bind(job.id)
            .bind(job.leased_by)
            .bind(error)
            .execute(tx.conn())
            .await?;
            Failed::Dead
        };
        tx.commit().await?;
        Ok(outcome)
    }

    /// Forgets jobs that were done longer than `age` ago; the dead stay until a person decides.
    pub async fn forget_done_jobs(&self, age: Duration) -> Result<u64, StoreError> {
        let mut tx = self.system().await?;
        let gone = sqlx::query(
            "DELETE FROM jobs WHERE state = 'done' AND finished_at < now() - make_interval(secs => $1)",
        )
        .bind(age.as_secs_f64())
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }

    /// Returns the jobs whose lease ran out (their worker died) to the queue, or to the dead when attempts are used up.
    pub async fn reap_jobs(&self) -> Result<(), StoreError> {
        let mut tx = self.system().await?;
        sqlx::query(
            "UPDATE jobs SET state = 'queued', lease_until = NULL, dedupe = NULL, run_at = now(),
                             error = 'the worker stopped while working on this'
              WHERE state = 'running' AND lease_until < now() AND attempts < max_attempts",
        )
        .execute(tx.conn())
        .await?;
        sqlx::query(
            "UPDATE jobs SET state = 'dead', told = false, lease_until = NULL, finished_at = now(),
                             error = 'the worker stopped while working on this, at every attempt'
              WHERE state = 'running' AND lease_until < now() AND attempts >= max_attempts",
        )
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// Dead jobs of which nobody was told yet, with their last error. Telling must be repeatable: it happens again when
    /// the process dies before [`Store::job_told`].
    pub async fn untold_jobs(&self) -> Result<Vec<(Job, String)>, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Untold {
            #[sqlx(flatten)]
            job: Job,
            error: Option<String>,
        }
        let mut tx = self.system().await?;
        let untold: Vec<Untold> = sqlx::query_as(
            "SELECT id, tenant_id, queue, key, payload, attempts, max_attempts, leased_by, error
               FROM jobs WHERE NOT told ORDER BY id LIMIT 100",
        )
        .fetch_all(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(untold
            .into_iter()
            .map(|row| (row.job, row.error.unwrap_or_default()))
            .collect())
    }

    /// Whoever waited for a dead job knows.
    pub async fn job_told(&self, job: i64) -> Result<(), StoreError> {
        let mut tx = self.system().await?;
        sqlx::query("UPDATE jobs SET told = true WHERE id = $1")
            .bind(job)
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }
}

/// Exponential backoff with jitter: 1, 2, 4 … 64 s for attempt 1, 2, 3 …, times 0.5 to 1.
fn backoff(attempt: i32, jitter: f64) -> Duration {
    let exponent = attempt.clamp(1, 7) - 1;
    Duration::from_secs_f64(f64::from(1 << exponent) * (0.5 + jitter / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn backoff_is_bounded_and_never_zero(attempt in -3_i32..1_000, jitter in 0.0_f64..1.0) {
            let wait = backoff(attempt, jitter).as_secs_f64();
            prop_assert!((0.5..=64.0).contains(&wait));
        }

        #[test]
        fn backoff_doubles(attempt in 1_i32..6, jitter in 0.0_f64..1.0) {
            let ratio = backoff(attempt + 1, jitter).as_secs_f64() / backoff(attempt, jitter).as_secs_f64();
            prop_assert!((ratio - 2.0).abs() < 1e-6, "durations are whole nanoseconds");
        }
    }
}
