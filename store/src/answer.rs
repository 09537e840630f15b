//! Answers as they were given, with their citations.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{StoreError, TenantTx};

/// A citation to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCitation {
    /// Version quoted.
    pub version_id: Uuid,
    /// Chunk found.
    pub chunk_id: Uuid,
    /// Start in bytes of the canonical text.
    pub start: usize,
    /// End (exclusive).
    pub end: usize,
    /// Page, 1-based.
    pub page: Option<u32>,
    /// Data row, 1-based.
    pub row: Option<u64>,
}

/// An answer to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAnswer {
    /// Identifier.
    pub id: Uuid,
    /// Conversation, none for the playground and the API.
    pub conversation_id: Option<Uuid>,
    /// Turn it answers.
    pub turn_id: Option<Uuid>,
    /// The question as asked.
    pub question: String,
    /// `answered`, `abstained` or `handed_off`.
    pub outcome: String,
    /// Route taken.
    pub route: String,
    /// Why it is no ordinary reply.
    pub reason: Option<String>,
    /// Reply as sent.
    pub text: String,
    /// Confidence, 0 to 1.
    pub confidence: f32,
    /// The whole structured record.
    pub record: Value,
    /// Settings in force.
    pub settings_version: i64,
    /// Model.
    pub model: String,
    /// Input tokens.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Wall-clock milliseconds.
    pub total_ms: f64,
    /// Citations in order.
    pub citations: Vec<NewCitation>,
}

/// An answer in a list.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct AnswerRow {
    /// Identifier.
    pub id: Uuid,
    /// The question as asked.
    pub question: String,
    /// Outcome.
    pub outcome: String,
    /// Route.
    pub route: String,
    /// Reason.
    pub reason: Option<String>,
    /// Reply.
    pub text: String,
    /// Confidence.
    pub confidence: f32,
    /// The whole structured record.
    pub record: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl TenantTx {
    /// Why the last answer of a conversation was no ordinary reply, if it was none.
    pub async fn last_reason(&mut self, conversation: Uuid) -> Result<Option<String>, StoreError> {
        let reason: Option<Option<String>> = sqlx::query_scalar(
            "SELECT reason FROM answers WHERE conversation_id = $1 ORDER BY created_at DESC LIMIT 1",
        )
        .bind(conversation)
        .fetch_optional(self.conn())
        .await?;
        Ok(reason.flatten())
    }

    /// Whether all of these versions still belong to documents that exist; they then do until the transaction ends.
    pub async fn still_exist(&mut self, versions: &[Uuid]) -> Result<bool, StoreError> {
        let locked: Vec<Uuid> = sqlx::query_scalar(
            "SELECT v.id FROM documents d JOIN document_versions v ON v.document_id = d.id
              WHERE v.id = ANY($1) AND d.deleted_at IS NULL ORDER BY d.id FOR SHARE OF d",
        )
        .bind(versions)
        .fetch_all(self.conn())
        .await?;
        Ok(versions.iter().all(|version| locked.contains(version)))
    }

    /// Stores an answer with its citations.
    pub async fn insert_answer(&mut self, answer: &NewAnswer) -> Result<(), StoreError> {
        let tenant = self.tenant();
        sqlx::query(
            "INSERT INTO answers (id, tenant_id, conversation_id, turn_id, question, outcome, route, reason, text,
                                  confidence, record, settings_version, model, input_tokens, output_tokens, total_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(answer.id)
        .bind(tenant)
        .bind(answer.conversation_id)
        .bind(answer.turn_id)
        .bind(&answer.question)
        .bind(&answer.outcome)
        .bind(&answer.route)
        .bind(&answer.reason)
        .bind(&answer.text)
        .bind(answer.confidence)
        .bind(&answer.record)
        .bind(answer.settings_version)
        .bind(&answer.model)
        .bind(answer.input_tokens.cast_signed())
        .bind(answer.output_tokens.cast_signed())
        .bind(answer.total_ms)
        .execute(self.conn())
        .await?;
        for (ordinal, citation) in (0_i32..).zip(&answer.citations) {
            sqlx::query(
                "INSERT INTO answer_citations (answer_id, tenant_id, ordinal, version_id, chunk_id, text_start,
                                               text_end, page, row)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(answer.id)
            .bind(tenant)
            .bind(ordinal)
            .bind(citation.version_id)
            .bind(citation.chunk_id)
            .bind(i64::try_from(citation.start).unwrap_or(i64::MAX))
            .bind(i64::try_from(citation.end).unwrap_or(i64::MAX))
            .bind(citation.page.map(u32::cast_signed))
            .bind(citation.row.map(u64::cast_signed))
            .execute(self.conn())
            .await?;
        }
        Ok(())
    }

    /// One answer.
    pub async fn answer(&mut self, id: Uuid) -> Result<AnswerRow, StoreError> {
        sqlx::query_as(
            "SELECT id, question, outcome, route, reason, text, confidence, record, created_at
               FROM answers WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(self.conn())
        .await?
        .ok_or(StoreError::NotFound { what: "answer" })
    }

    /// How many answers cite a version of this document.
    pub async fn citations_of(&mut self, document: Uuid) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT count(*) FROM answer_citations c JOIN document_versions v ON v.id = c.version_id
              WHERE v.document_id = $1",
        )
        .bind(document)
        .fetch_one(self.conn())
        .await?)
    }
}
