//! What the webhook stores before it answers 200, and the channels that say whose it is.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{NewJob, Store, StoreError, SystemTx, TenantTx};

/// Queue of turns to answer.
pub const TURN_QUEUE: &str = "turn";
/// Queue of statuses, echoes and other elements that are no customer message.
pub const ELEMENT_QUEUE: &str = "element";

/// A WhatsApp number of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Channel {
    /// Identifier.
    pub id: Uuid,
    /// Tenant.
    pub tenant_id: Uuid,
    /// Meta's id of the number; part of the sending address.
    pub phone_number_id: String,
    /// Why sending is stopped, if it is (expired token, policy lock).
    pub parked_reason: Option<String>,
}

/// What an element of a webhook body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ElementKind {
    /// A customer's message.
    Message,
    /// A delivery status of a message of ours.
    Status,
    /// A message that a person sent from the business's phone.
    Echo,
    /// An error that belongs to no message.
    Error,
    /// Anything else: kept as it came.
    Opaque,
}

impl ElementKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Status => "status",
            Self::Echo => "echo",
            Self::Error => "error",
            Self::Opaque => "opaque",
        }
    }
}

/// One element of a webhook body.
#[derive(Debug, Clone, PartialEq)]
pub struct NewElement {
    /// Number it came to.
    pub phone_number_id: String,
    /// Kind.
    pub kind: ElementKind,
    /// Identity within its kind: the wamid, or the wamid and status, or a hash.
    pub external_id: String,
    /// The customer: business-scoped user id, else phone number.
    pub sender: Option<String>,
    /// The element itself.
    pub payload: Value,
    /// The matching entry of the body's contacts.
    pub contact: Option<Value>,
    /// The platform's timestamp.
    pub occurred_at: Option<DateTime<Utc>>,
}

/// What was stored of a webhook body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Elements stored for the first time.
    pub fresh: usize,
    /// Elements that were known already.
    pub repeated: usize,
    /// Elements for numbers that are no channel of ours; they stay in the raw body.
    pub unrouted: usize,
}

/// A stored element.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Element {
    /// Identifier, in order of arrival.
    pub id: i64,
    /// Channel.
    pub channel_id: Uuid,
    /// Kind.
    pub kind: String,
    /// Identity within its kind.
    pub external_id: String,
    /// The customer.
    pub sender: Option<String>,
    /// The element itself.
    pub payload: Value,
    /// The matching entry of the body's contacts.
    pub contact: Option<Value>,
    /// The platform's timestamp.
    pub occurred_at: Option<DateTime<Utc>>,
}

impl SystemTx {
    /// Ties a WhatsApp number to a tenant.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the number belongs to another tenant.
    pub async fn ensure_channel(
        &mut self,
        tenant: Uuid,
        phone_number_id: &str,
        display_number: &str,
    ) -> Result<Channel, StoreError> {
        sqlx::query_as(
            "INSERT INTO channels (id, tenant_id, phone_number_id, display_number) VALUES ($1, $2, $3, $4)
             ON CONFLICT (phone_number_id) DO UPDATE SET display_number = excluded.display_number
               WHERE channels.tenant_id = excluded.tenant_id
             RETURNING id, tenant_id, phone_number_id, parked_reason",
        )
        .bind(Uuid::now_v7())
        .bind(tenant)
        .bind(phone_number_id)
        .bind(display_number)
        .fetch_optional(self.conn())
        .await?
        .ok_or_else(|| StoreError::Conflict(format!("number {phone_number_id} belongs to another tenant")))
    }
}

impl SystemTx {
    /// Webhook bodies stored so far.
    pub async fn count_inbound_events(&mut self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM inbound_events")
            .fetch_one(self.conn())
            .await?)
    }
}

impl Store {
    /// Stores a signed webhook body and its elements in one transaction, with the jobs that will handle them.
    /// Repeating a body, or delivering its elements in another envelope, adds nothing.
    pub async fn store_webhook(
        &self,
        body: &[u8],
        elements: &[NewElement],
        problem: Option<&str>,
    ) -> Result<Stored, StoreError> {
        let mut tx = self.system().await?;
        let event: i64 =
            sqlx::query_scalar("INSERT INTO inbound_events (body, problem) VALUES ($1, $2) RETURNING id")
                .bind(body)
                .bind(problem)
                .fetch_one(tx.conn())
                .await?;
        let mut by_number: BTreeMap<&str, Vec<&NewElement>> = BTreeMap::new();
        for element in elements {
            by_number
                .entry(&element.phone_number_id)
                .or_default()
                .push(element);
        }
        let mut stored = Stored::default();
        for (number, elements) in by_number {
            let channel: Option<Channel> = sqlx::query_as(
                "SELECT id, tenant_id, phone_number_id, parked_reason FROM channels WHERE phone_number_id = $1",
            )
            .bind(number)
            .fetch_optional(tx.conn())
            .await?;
            let Some(channel) = channel else {
                stored.unrouted += elements.len();
                continue;
            };
            let mut tenant = tx.for_tenant(channel.tenant_id).await?;
            let conversation = tenant.settings().await?.settings.conversation;
            let wait = Duration::from_millis(conversation.debounce_ms);
            let longest = Duration::from_millis(conversation.debounce_max_ms);
            // One body at a time per number: two with the same messages in another order would wait for each other.
            sqlx::query("SELECT pg_advisory_xact_lock(hashtext('webhook'), hashtext($1::text))")
                .bind(channel.id)
                .execute(tenant.conn())
                .await?;
            for element in elements {
                match tenant.insert_element(event, &channel, element).await? {
                    None => stored.repeated += 1,
                    Some(id) => {
                        stored.fresh += 1;
                        tenant
                            .enqueue_element(id, &channel, element, wait, longest)
                            .await?;
                    }
                }
            }
            tx = tenant.into_system();
        }
        tx.commit().await?;
        Ok(stored)
    }
}

impl TenantTx {
    async fn insert_element(
        &mut self,
        event: i64,
        channel: &Channel,
        element: &NewElement,
    ) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar(
            "INSERT INTO inbound_elements (tenant_id, event_id, channel_id, kind, external_id, sender, payload,
                                           contact, occurred_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT ON CONSTRAINT inbound_elements_once DO NOTHING RETURNING id",
        )
        .bind(channel.tenant_id)
        .bind(event)
        .bind(channel.id)
        .bind(element.kind.as_str())
        .bind(&element.external_id)
        .bind(&element.sender)
        .bind(&element.payload)
        .bind(&element.contact)
        .bind(element.occurred_at)
        .fetch_optional(self.conn())
        .await?)
    }

    /// A message waits for the customer to finish typing: all messages of one quiet stretch are one turn.
    async fn enqueue_element(
        &mut self,
        id: i64,
        channel: &Channel,
        element: &NewElement,
        wait: Duration,
        longest: Duration,
    ) -> Result<(), StoreError> {
        let job = match (element.kind, &element.sender) {
            (ElementKind::Message, Some(sender)) => {
                let key = format!("{}:{sender}", channel.id);
                NewJob {
                    queue: TURN_QUEUE,
                    dedupe: Some(key.clone()),
                    key,
                    payload: json!({ "channel_id": channel.id, "sender": sender }),
                    delay: wait,
                    max_attempts: 6,
                }
            }
            (ElementKind::Status | ElementKind::Echo, _) => NewJob {
                queue: ELEMENT_QUEUE,
                key: format!("element:{id}"),
                dedupe: None,
                payload: json!({ "element_id": id }),
                delay: Duration::ZERO,
                max_attempts: 6,
            },
            _ => return Ok(()),
        };
        self.enqueue(&job, longest).await?;
        Ok(())
    }

    /// A channel of this tenant.
    pub async fn channel(&mut self, id: Uuid) -> Result<Channel, StoreError> {
        sqlx::query_as("SELECT id, tenant_id, phone_number_id, parked_reason FROM channels WHERE id = $1")
            .bind(id)
            .fetch_optional(self.conn())
            .await?
            .ok_or(StoreError::NotFound { what: "channel" })
    }

    /// Stops or resumes sending on a channel.
    pub async fn park_channel(&mut self, id: Uuid, reason: Option<&str>) -> Result<(), StoreError> {
        sqlx::query("UPDATE channels SET parked_reason = $2 WHERE id = $1")
            .bind(id)
            .bind(reason)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// One stored element.
    pub async fn element(&mut self, id: i64) -> Result<Element, StoreError> {
        sqlx::query_as(
            "SELECT id, channel_id, kind, external_id, sender, payload, contact, occurred_at
               FROM inbound_elements WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(self.conn())
        .await?
        .ok_or(StoreError::NotFound {
            what: "inbound element",
        })
    }
}
