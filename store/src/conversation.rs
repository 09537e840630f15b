//! Contacts, conversations and turns.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{Element, Job, StoreError, TenantTx};

/// How a person is known on WhatsApp. Any of them may be missing; what comes together belongs to one contact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases {
    /// Phone number in digits.
    pub phone: Option<String>,
    /// Business-scoped user id.
    pub user_id: Option<String>,
    /// User id of the parent business.
    pub parent_user_id: Option<String>,
}

impl Aliases {
    fn known(&self) -> Vec<(&'static str, &str)> {
        [
            ("phone", &self.phone),
            ("user_id", &self.user_id),
            ("parent_user_id", &self.parent_user_id),
        ]
        .into_iter()
        .filter_map(|(kind, value)| value.as_deref().map(|value| (kind, value)))
        .collect()
    }
}

/// A conversation of a contact on a channel.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct Conversation {
    /// Identifier.
    pub id: Uuid,
    /// Channel.
    pub channel_id: Uuid,
    /// Contact.
    pub contact_id: Uuid,
    /// `bot` or `human`.
    pub owner: String,
    /// Raised whenever the owner acts or changes; a reply written under an older epoch is not sent.
    pub epoch: i64,
    /// Language of the customer's last turn.
    pub language: Option<String>,
    /// The customer's last message.
    pub last_inbound_at: Option<DateTime<Utc>>,
}

impl Conversation {
    /// Whether the bot may answer.
    pub fn bot_owns(&self) -> bool {
        self.owner == "bot"
    }
}

/// All pending messages of a customer, to be answered at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Identifier.
    pub id: Uuid,
    /// Conversation as it was when the turn began.
    pub conversation: Conversation,
    /// Its messages in order.
    pub messages: Vec<Element>,
    /// True when a reply was stored by an earlier attempt.
    pub answered: bool,
}

/// Something said earlier in a conversation.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Said {
    /// The customer's message as it came, if the customer said it.
    pub payload: Option<Value>,
    /// The reply, if we said it.
    pub reply: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

const CONVERSATION: &str = "id, channel_id, contact_id, owner, epoch, language, last_inbound_at";

impl TenantTx {
    /// The contact known by any of `aliases`, created when none is; unknown aliases are added to it. When the aliases
    /// lead to two contacts, the older one stays and takes over what the other had.
    pub async fn resolve_contact(&mut self, aliases: &Aliases, name: &str) -> Result<Uuid, StoreError> {
        let tenant = self.tenant();
        let known = aliases.known();
        let (kinds, values): (Vec<&str>, Vec<&str>) = known.iter().copied().unzip();
        // One contact at a time per tenant: two messages of a new customer must not create two contacts.
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext('contacts'), hashtext($1::text))")
            .bind(tenant)
            .execute(self.conn())
            .await?;
        let contacts: Vec<Uuid> = sqlx::query_scalar(
            "SELECT c.id FROM contacts c
              WHERE c.id IN (SELECT a.contact_id FROM contact_aliases a
                               JOIN unnest($1::text[], $2::text[]) AS u(kind, value) USING (kind, value))
              ORDER BY c.created_at, c.id",
        )
        .bind(&kinds)
        .bind(&values)
        .fetch_all(self.conn())
        .await?;
        let contact = match contacts.split_first() {
            None => {
                let id = Uuid::now_v7();
                sqlx::query("INSERT INTO contacts (id, tenant_id, name) VALUES ($1, $2, $3)")
                    .bind(id)
                    .bind(tenant)
                    .bind(name)
                    .execute(self.conn())
                    .await?;
                id
            }
            Some((&contact, others)) => {
                self.merge_contacts(contact, others).await?;
                contact
            }
        };
        sqlx::query(
            "INSERT INTO contact_aliases (tenant_id, kind, value, contact_id)
             SELECT $1, u.kind, u.value, $2 FROM unnest($3::text[], $4::text[]) AS u(kind, value)
             ON CONFLICT (tenant_id, kind, value) DO NOTHING",
        )
        .bind(tenant)
        .bind(contact)
        .bind(&kinds)
        .bind(&values)
        .execute(self.conn())
        .await?;
        Ok(contact)
    }

    async fn merge_contacts(&mut self, into: Uuid, others: &[Uuid]) -> Result<(), StoreError> {
        if others.is_empty() {
            return Ok(());
        }
        sqlx::query("UPDATE contact_aliases SET contact_id = $1 WHERE contact_id = ANY($2)")
            .bind(into)
            .bind(others)
            .execute(self.conn())
            .await?;
        // Where both had a conversation on one channel, the other's stays with its old contact as history.
        sqlx::query(
            "UPDATE conversations c SET contact_id = $1
              WHERE c.contact_id = ANY($2)
                AND NOT EXISTS (SELECT FROM conversations k WHERE k.contact_id = $1 AND k.channel_id = c.channel_id)",
        )
        .bind(into)
        .bind(others)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The conversation of a contact on a channel, begun when there is none.
    pub async fn ensure_conversation(
        &mut self,
        channel: Uuid,
        contact: Uuid,
    ) -> Result<Conversation, StoreError> {
        let tenant = self.tenant();
        Ok(sqlx::query_as(
            "INSERT INTO conversations (id, tenant_id, channel_id, contact_id) VALUES ($1, $2, $3, $4)
             ON CONFLICT ON CONSTRAINT conversations_contact_unique DO UPDATE SET channel_id = excluded.channel_id
             RETURNING id, channel_id, contact_id, owner, epoch, language, last_inbound_at",
        )
        .bind(Uuid::now_v7())
        .bind(tenant)
        .bind(channel)
        .bind(contact)
        .fetch_one(self.conn())
        .await?)
    }

    /// The messages of `sender` that no turn has taken yet, in the order the customer wrote them.
    pub async fn pending_messages(
        &mut self,
        channel: Uuid,
        sender: &str,
    ) -> Result<Vec<Element>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, channel_id, kind, external_id, sender, payload, contact, occurred_at
               FROM inbound_elements
              WHERE channel_id = $1 AND sender = $2 AND kind = 'message' AND turn_id IS NULL
              ORDER BY occurred_at, id FOR UPDATE",
        )
        .bind(channel)
        .bind(sender)
        .fetch_all(self.conn())
        .await?)
    }

    /// Opens the turn of this job (or finds the one an earlier attempt opened) and gives it `pending`.
    pub async fn open_turn(
        &mut self,
        job: &Job,
        conversation: &Conversation,
        pending: &[Element],
    ) -> Result<Turn, StoreError> {
        let tenant = self.tenant();
        let turn: Uuid = sqlx::query_scalar(
            "INSERT INTO turns (id, tenant_id, conversation_id, job_id) VALUES ($1, $2, $3, $4)
             ON CONFLICT ON CONSTRAINT turns_job_unique DO UPDATE SET job_id = excluded.job_id RETURNING id",
        )
        .bind(Uuid::now_v7())
        .bind(tenant)
        .bind(conversation.id)
        .bind(job.id)
        .fetch_one(self.conn())
        .await?;
        let answered: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM answers WHERE turn_id = $1)")
            .bind(turn)
            .fetch_one(self.conn())
            .await?;
        if !answered {
            let ids: Vec<i64> = pending.iter().map(|element| element.id).collect();
            sqlx::query("UPDATE inbound_elements SET turn_id = $1, conversation_id = $2 WHERE id = ANY($3)")
                .bind(turn)
                .bind(conversation.id)
                .bind(ids)
                .execute(self.conn())
                .await?;
            sqlx::query(
                "UPDATE conversations SET last_inbound_at = greatest(last_inbound_at,
                     (SELECT max(coalesce(occurred_at, received_at)) FROM inbound_elements WHERE turn_id = $2))
                  WHERE id = $1",
            )
            .bind(conversation.id)
            .bind(turn)
            .execute(self.conn())
            .await?;
        }
        let messages = sqlx::query_as(
            "SELECT id, channel_id, kind, external_id, sender, payload, contact, occurred_at
               FROM inbound_elements WHERE turn_id = $1 ORDER BY occurred_at, id",
        )
        .bind(turn)
        .fetch_all(self.conn())
        .await?;
        Ok(Turn {
            id: turn,
            conversation: conversation.clone(),
            messages,
            answered,
        })
    }

    /// The conversation of the turn that an earlier attempt of this job opened.
    pub async fn conversation_of_job(&mut self, job: &Job) -> Result<Option<Conversation>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT c.id, c.channel_id, c.contact_id, c.owner, c.epoch, c.language, c.last_inbound_at
               FROM turns t JOIN conversations c ON c.id = t.conversation_id WHERE t.job_id = $1",
        )
        .bind(job.id)
        .fetch_optional(self.conn())
        .await?)
    }

    /// The conversation, locked until the transaction ends: who owns it cannot change under the caller.
    pub async fn lock_conversation(&mut self, id: Uuid) -> Result<Conversation, StoreError> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT {CONVERSATION} FROM conversations WHERE id = $1 FOR UPDATE"
        )))
        .bind(id)
        .fetch_optional(self.conn())
        .await?
        .ok_or(StoreError::NotFound { what: "conversation" })
    }

    /// Gives the conversation to people or back to the bot, and raises its epoch; returns the new epoch.
    pub async fn set_owner(&mut self, conversation: Uuid, bot: bool) -> Result<i64, StoreError> {
        sqlx::query_scalar(
            "UPDATE conversations SET owner = $2, owner_since = now(), epoch = epoch + 1
              WHERE id = $1 RETURNING epoch",
        )
        .bind(conversation)
        .bind(if bot { "bot" } else { "human" })
        .fetch_optional(self.conn())
        .await?
        .ok_or(StoreError::NotFound { what: "conversation" })
    }

    /// Gives a conversation back to the bot when a person has had it for longer than `hours`; true when it did.
    pub async fn release_if_stale(&mut self, conversation: Uuid, hours: u32) -> Result<bool, StoreError> {
        let released = sqlx::query(
            "UPDATE conversations SET owner = 'bot', owner_since = now(), epoch = epoch + 1
              WHERE id = $1 AND owner = 'human' AND owner_since < now() - make_interval(hours => $2)",
        )
        .bind(conversation)
        .bind(hours.cast_signed())
        .execute(self.conn())
        .await?;
        Ok(released.rows_affected() == 1)
    }

    /// Whether the customer wrote within the last 24 hours, the time in which free text may be sent.
    pub async fn in_service_window(&mut self, conversation: Uuid) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT coalesce(last_inbound_at > now() - interval '24 hours', true) FROM conversations WHERE id = $1",
        )
        .bind(conversation)
        .fetch_one(self.conn())
        .await?)
    }

    /// Conversations that people own, longest silent first.
    pub async fn handed_over(&mut self, limit: i64) -> Result<Vec<Conversation>, StoreError> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT {CONVERSATION} FROM conversations WHERE owner = 'human'
              ORDER BY last_inbound_at NULLS FIRST LIMIT $1"
        )))
        .bind(limit)
        .fetch_all(self.conn())
        .await?)
    }

    /// Remembers the customer's language.
    pub async fn set_language(&mut self, conversation: Uuid, language: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE conversations SET language = $2 WHERE id = $1")
            .bind(conversation)
            .bind(language)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// What was said in the last `turns` turns before `turn` (or so far), oldest first.
    pub async fn said_before(
        &mut self,
        conversation: Uuid,
        turn: Option<Uuid>,
        turns: i64,
    ) -> Result<Vec<Said>, StoreError> {
        Ok(sqlx::query_as(
            "WITH recent AS (
                 SELECT id, seq, created_at FROM turns
                  WHERE conversation_id = $1
                    AND ($2::uuid IS NULL OR seq < (SELECT seq FROM turns WHERE id = $2))
                  ORDER BY seq DESC LIMIT $3)
             SELECT payload, reply, at FROM (
                 SELECT e.payload, NULL::text AS reply, t.created_at AS at, t.seq, 0 AS side, e.id AS ord
                   FROM recent t JOIN inbound_elements e ON e.turn_id = t.id
                 UNION ALL
                 SELECT NULL, a.text, a.created_at, t.seq, 1, 0
                   FROM recent t JOIN answers a ON a.turn_id = t.id) said
              ORDER BY seq, side, ord",
        )
        .bind(conversation)
        .bind(turn)
        .bind(turns)
        .fetch_all(self.conn())
        .await?)
    }

    /// The phone number, else the user id, to send to.
    pub async fn address_of(&mut self, contact: Uuid) -> Result<Aliases, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT kind, value FROM contact_aliases WHERE contact_id = $1")
                .bind(contact)
                .fetch_all(self.conn())
                .await?;
        let find = |kind: &str| {
            rows.iter()
                .find(|(k, _)| k == kind)
                .map(|(_, value)| value.clone())
        };
        Ok(Aliases {
            phone: find("phone"),
            user_id: find("user_id"),
            parent_user_id: find("parent_user_id"),
        })
    }
}
