//! Parts of replies on their way to a customer.
//!
//! A part's id travels with the message and comes back in its statuses. A send whose outcome is unknown (the connection
//! broke after the request left) stays `sending` until a status settles it or the grace time has passed; only then is
//! it sent again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::{NewJob, StoreError, TenantTx};

/// Queue of parts to send; its key is the conversation.
pub const SEND_QUEUE: &str = "send";

/// A part of a reply.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct OutboxPart {
    /// Identifier; also the callback data that comes back in statuses.
    pub id: Uuid,
    /// Conversation.
    pub conversation_id: Uuid,
    /// Answer it is a part of.
    pub answer_id: Option<Uuid>,
    /// Epoch of the conversation under which it was written.
    pub epoch: i64,
    /// Text.
    pub body: String,
    /// State.
    pub state: String,
    /// Attempts so far.
    pub attempts: i32,
    /// Seconds since it was last tried, by the database's clock.
    pub seconds_since_attempt: Option<f64>,
    /// Identifier given by the platform.
    pub wamid: Option<String>,
    /// Highest status reported.
    pub status: Option<String>,
    /// Platform's error code.
    pub error_code: Option<i32>,
    /// What went wrong.
    pub error: Option<String>,
}

/// A status reported by the platform for a part.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusReport<'a> {
    /// Identifier given by the platform.
    pub wamid: &'a str,
    /// Our part, if the status carries it.
    pub part: Option<Uuid>,
    /// The status.
    pub status: &'a str,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// Error code of a failure.
    pub error_code: Option<i32>,
    /// Words of a failure.
    pub error: Option<&'a str>,
}

const COLUMNS: &str = "id, conversation_id, answer_id, epoch, body, state, attempts, wamid, status, error_code, error, \
                       extract(epoch FROM now() - last_attempt_at)::float8 AS seconds_since_attempt";

impl TenantTx {
    /// Puts the parts of a reply into the outbox, with one send job each, in order.
    pub async fn send_parts(
        &mut self,
        conversation: Uuid,
        answer: Option<Uuid>,
        epoch: i64,
        parts: &[String],
    ) -> Result<(), StoreError> {
        let tenant = self.tenant();
        for (ordinal, body) in (0_i32..).zip(parts) {
            let id = Uuid::now_v7();
            sqlx::query(
                "INSERT INTO outbox (id, tenant_id, conversation_id, answer_id, ordinal, epoch, body)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(id)
            .bind(tenant)
            .bind(conversation)
            .bind(answer)
            .bind(ordinal)
            .bind(epoch)
            .bind(body)
            .execute(self.conn())
            .await?;
            let job = NewJob {
                queue: SEND_QUEUE,
                key: conversation.to_string(),
                dedupe: None,
                payload: json!({ "part": id }),
                delay: Duration::ZERO,
                max_attempts: 8,
            };
            self.enqueue(&job, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// One part, locked until the transaction ends.
    pub async fn lock_part(&mut self, id: Uuid) -> Result<OutboxPart, StoreError> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM outbox WHERE id = $1 FOR UPDATE"
        )))
        .bind(id)
        .fetch_optional(self.conn())
        .await?
        .ok_or(StoreError::NotFound { what: "outbox part" })
    }

    /// The parts of a conversation, oldest first.
    pub async fn parts(&mut self, conversation: Uuid) -> Result<Vec<OutboxPart>, StoreError> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM outbox WHERE conversation_id = $1 ORDER BY created_at, ordinal"
        )))
        .bind(conversation)
        .fetch_all(self.conn())
        .await?)
    }

    /// The part sent under this platform identifier.
    pub async fn part_by_wamid(&mut self, wamid: &str) -> Result<Option<OutboxPart>, StoreError> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM outbox WHERE wamid = $1"
        )))
        .bind(wamid)
        .fetch_optional(self.conn())
        .await?)
    }

    /// Carries the parts that still wait over to a new epoch: the bot changed the owner itself, after writing them.
    pub async fn renew_waiting_parts(
        &mut self,
        conversation: Uuid,
        from: i64,
        to: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE outbox SET epoch = $3
              WHERE conversation_id = $1 AND epoch = $2 AND state IN ('queued', 'sending', 'parked')",
        )
        .bind(conversation)
        .bind(from)
        .bind(to)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Notes that a send is about to happen. From here on its outcome is unknown until noted.
    pub async fn begin_send(&mut self, part: Uuid) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, last_attempt_at = now(),
                               first_attempt_at = coalesce(first_attempt_at, now()) WHERE id = $1",
        )
        .bind(part)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Notes that the platform accepted the part.
    pub async fn part_sent(&mut self, part: Uuid, wamid: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE outbox SET state = 'sent', wamid = coalesce(wamid, $2), sent_at = coalesce(sent_at, now()),
                               error = NULL, error_code = NULL
              WHERE id = $1 AND state <> 'failed'",
        )
        .bind(part)
        .bind(wamid)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Notes that a part was refused and may be tried again, or that it was not sent at all (`cancelled`, `failed`,
    /// `parked`).
    pub async fn part_not_sent(
        &mut self,
        part: Uuid,
        state: &'static str,
        code: Option<i32>,
        error: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE outbox SET state = $2, error_code = $3, error = $4 WHERE id = $1 AND state <> 'sent'",
        )
        .bind(part)
        .bind(state)
        .bind(code)
        .bind(error)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Applies a status. Statuses arrive in any order and more than once: a part's status only ever rises. Returns
    /// false when the message is none of ours.
    pub async fn apply_status(&mut self, report: &StatusReport<'_>) -> Result<bool, StoreError> {
        let found: Option<(Uuid, Option<String>)> = sqlx::query_as(
            "SELECT id, status FROM outbox WHERE wamid = $1 OR id = $2 ORDER BY (id = $2) DESC NULLS LAST
              LIMIT 1 FOR UPDATE",
        )
        .bind(report.wamid)
        .bind(report.part)
        .fetch_optional(self.conn())
        .await?;
        let Some((part, current)) = found else {
            return Ok(false);
        };
        let rises = status_rank(report.status) > current.as_deref().map_or(0, status_rank);
        let state = if report.status == "failed" {
            "failed"
        } else {
            "sent"
        };
        if rises {
            sqlx::query(
                "UPDATE outbox SET status = $2, status_at = $3, state = $4, wamid = coalesce(wamid, $5),
                                   sent_at = coalesce(sent_at, now()), error_code = $6, error = $7 WHERE id = $1",
            )
            .bind(part)
            .bind(report.status)
            .bind(report.at)
            .bind(state)
            .bind(report.wamid)
            .bind(report.error_code)
            .bind(report.error)
            .execute(self.conn())
            .await?;
        }
        Ok(true)
    }
}

/// Order of statuses; a higher one replaces a lower one, never the reverse. `failed` is the end.
fn status_rank(status: &str) -> u8 {
    match status {
        "sent" => 1,
        "delivered" => 2,
        "read" => 3,
        "played" => 4,
        "failed" => 5,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::status_rank;
    use proptest::prelude::*;

    const STATUSES: [&str; 5] = ["sent", "delivered", "read", "played", "failed"];

    proptest! {
        #[test]
        fn any_order_of_statuses_ends_at_the_highest(order in prop::collection::vec(0_usize..5, 1..20)) {
            let mut current = "";
            for &index in &order {
                if status_rank(STATUSES[index]) > status_rank(current) {
                    current = STATUSES[index];
                }
            }
            prop_assert_eq!(current, STATUSES[order.into_iter().max().unwrap()]);
        }
    }
}
