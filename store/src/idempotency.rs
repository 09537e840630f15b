//! Requests that may be sent again: the answer to the first one is kept and given again.

use std::time::Duration;

use sqlx::types::Json;

use crate::{Store, StoreError, TenantTx};

/// What is known of a request's key.
#[derive(Debug, Clone, PartialEq)]
pub enum Replay {
    /// It is new. The transaction that goes on must end with [`TenantTx::keep_response`].
    New,
    /// The same request was answered with this.
    Answered(serde_json::Value),
}

impl TenantTx {
    /// Looks up the key of a request. Of two requests with one key at the same time, the second waits here until the
    /// transaction of the first has ended.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the key came with another request (another fingerprint) before.
    pub async fn replay(&mut self, key: &str, fingerprint: &[u8; 32]) -> Result<Replay, StoreError> {
        let tenant = self.tenant();
        let new = sqlx::query(
            "INSERT INTO idempotency_keys (tenant_id, key, fingerprint, response) VALUES ($1, $2, $3, 'null')
             ON CONFLICT DO NOTHING",
        )
        .bind(tenant)
        .bind(key)
        .bind(fingerprint.as_slice())
        .execute(self.conn())
        .await?;
        if new.rows_affected() == 1 {
            return Ok(Replay::New);
        }
        let (known, Json(response)): (Vec<u8>, Json<serde_json::Value>) =
            sqlx::query_as("SELECT fingerprint, response FROM idempotency_keys WHERE key = $1")
                .bind(key)
                .fetch_one(self.conn())
                .await?;
        if known != fingerprint {
            return Err(StoreError::Conflict(
                "this idempotency key was used for another request; use a new key for every upload"
                    .to_owned(),
            ));
        }
        Ok(Replay::Answered(response))
    }

    /// Keeps the answer to the request of a new key, in the transaction that did what the request asked for.
    pub async fn keep_response(&mut self, key: &str, response: &serde_json::Value) -> Result<(), StoreError> {
        sqlx::query("UPDATE idempotency_keys SET response = $2 WHERE key = $1")
            .bind(key)
            .bind(Json(response))
            .execute(self.conn())
            .await?;
        Ok(())
    }
}

impl Store {
    /// Forgets keys that are older than `age`.
    pub async fn forget_idempotency_keys(&self, age: Duration) -> Result<u64, StoreError> {
        let mut tx = self.system().await?;
        let gone =
            sqlx::query("DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(secs => $1)")
                .bind(age.as_secs_f64())
                .execute(tx.conn())
                .await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }
}
