//! Drafts of golden cases: what customers asked and what went wrong with it, kept without telling who asked.
//!
//! Every text of a draft is a [`Scrubbed`], and there is one way to make one: a draft cannot be stored that nobody took
//! the names and numbers out of.

mod scrub;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;

use crate::{StoreError, TenantTx};

/// A text without what tells who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Scrubbed(String);

impl Scrubbed {
    /// Takes addresses, telephone and account numbers, and names out of `text`; `known` are names of its writer.
    pub fn new(text: &str, known: &[&str]) -> Self {
        Self(scrub::scrub(&text.replace('\0', ""), known))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What two questions have in common that differ in case, accents and punctuation alone.
pub fn question_key(question: &str) -> String {
    let plain: String = question
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a good system probably does with the question, guessed from what ours did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum DraftKind {
    /// The documents hold the answer.
    Answerable,
    /// They do not.
    Unanswerable,
    /// Greetings, thanks, goodbyes.
    Chitchat,
    /// A matter for a person.
    Handoff,
    /// None of the business's concern.
    OutOfScope,
}

/// Why a question became a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum DraftReason {
    /// The customer did not like the answer.
    ThumbsDown,
    /// It was handed to a person.
    Handoff,
    /// It was not answered.
    Abstained,
    /// It was answered with little confidence.
    LowConfidence,
    /// Somebody chose it.
    Chosen,
}

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum DraftState {
    /// It waits for a person.
    Draft,
    /// A person did not want it.
    Dismissed,
    /// It was written to a file.
    Exported,
}

/// Something said before the question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DraftTurn {
    /// `customer` or `bot`.
    pub role: &'static str,
    /// Its text.
    pub text: Scrubbed,
}

/// A draft to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDraft {
    /// Answer it comes from.
    pub answer_id: Uuid,
    /// The question as asked.
    pub question: Scrubbed,
    /// The question as understood, complete in itself: what tells it from others.
    pub understood: Scrubbed,
    /// What was said before, oldest first.
    pub history: Vec<DraftTurn>,
    /// Language of the question, ISO 639-1.
    pub lang: String,
    /// Guessed kind.
    pub kind: DraftKind,
    /// Why it is one.
    pub reason: DraftReason,
}

/// A stored draft.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct GoldenDraft {
    /// Identifier.
    pub id: Uuid,
    /// Answer it comes from, as long as that exists.
    pub answer_id: Option<Uuid>,
    /// The question, scrubbed.
    pub question: String,
    /// What was said before, scrubbed: `role` and `text`, oldest first.
    pub history: Json<serde_json::Value>,
    /// Language of the question.
    pub lang: String,
    /// Guessed kind.
    pub kind: DraftKind,
    /// Why it is one.
    pub reason: DraftReason,
    /// What became of it.
    pub state: DraftState,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An answer with what a draft is made from. Nothing of it is scrubbed.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AskedAnswer {
    /// Answer.
    pub id: Uuid,
    /// Its conversation, none for the playground and the API.
    pub conversation_id: Option<Uuid>,
    /// Its turn.
    pub turn_id: Option<Uuid>,
    /// The question as asked.
    pub question: String,
    /// The question as searched.
    pub understood: Option<String>,
    /// Language of the reply.
    pub language: Option<String>,
    /// `answered`, `abstained` or `handed_off`.
    pub outcome: String,
    /// Route taken.
    pub route: String,
    /// Confidence.
    pub confidence: f32,
    /// Whether the customer's last reaction to a part of it was a thumb down.
    pub disliked: bool,
    /// Name of the customer as the platform tells it.
    pub contact_name: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

macro_rules! draft_columns {
    () => {
        "id, answer_id, question, history, lang, kind, reason, state, created_at"
    };
}

/// The query of [`AskedAnswer`] up to its conditions. A reaction that was taken back or changed counts as it is now.
macro_rules! asked_answers {
    () => {
        "SELECT * FROM (
             SELECT a.id, a.conversation_id, a.turn_id, a.question, a.record ->> 'query' AS understood,
                    a.record ->> 'language' AS language, a.outcome, a.route, a.reason, a.confidence, a.created_at,
                    p.name AS contact_name,
                    EXISTS (
                        SELECT FROM outbox o CROSS JOIN LATERAL (
                            SELECT e.payload -> 'reaction' ->> 'emoji' AS emoji FROM inbound_elements e
                             WHERE e.conversation_id = a.conversation_id AND e.kind = 'message'
                               AND e.payload -> 'reaction' ->> 'message_id' = o.wamid
                             ORDER BY e.occurred_at DESC NULLS LAST, e.id DESC LIMIT 1) last
                         WHERE o.answer_id = a.id AND last.emoji LIKE '👎%') AS disliked
               FROM answers a
               LEFT JOIN conversations c ON c.id = a.conversation_id
               LEFT JOIN contacts p ON p.id = c.contact_id) asked"
    };
}

impl TenantTx {
    /// One answer with what a draft is made from.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn asked_answer(&mut self, id: Uuid) -> Result<AskedAnswer, StoreError> {
        sqlx::query_as(concat!(asked_answers!(), " WHERE id = $1"))
            .bind(id)
            .fetch_optional(self.conn())
            .await?
            .ok_or(StoreError::NotFound { what: "answer" })
    }

    /// Answers of customers' conversations that may be worth a golden case, oldest first: disliked, handed over, not
    /// answered, or answered with less confidence than `below`. Those after `since` and, in the order of the list,
    /// after the answer `after`.
    pub async fn answers_to_grow_from(
        &mut self,
        since: DateTime<Utc>,
        below: f32,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<AskedAnswer>, StoreError> {
        Ok(sqlx::query_as(concat!(
            asked_answers!(),
            " WHERE conversation_id IS NOT NULL AND created_at >= $1
                AND reason IS DISTINCT FROM 'bot_disabled'
                AND (outcome <> 'answered' OR disliked
                     OR (confidence < $2 AND route IN ('commodity', 'reasoning')))
                AND ($3::uuid IS NULL OR (created_at, id) > (SELECT created_at, id FROM answers WHERE id = $3))
              ORDER BY created_at, id LIMIT $4"
        ))
        .bind(since)
        .bind(below)
        .bind(after)
        .bind(limit)
        .fetch_all(self.conn())
        .await?)
    }

    /// Stores a draft unless there is one for the same question; its id, and whether it is new. One that was dismissed
    /// comes back when somebody chooses it.
    pub async fn add_golden_draft(&mut self, draft: &NewDraft) -> Result<(Uuid, bool), StoreError> {
        let (id, tenant) = (Uuid::now_v7(), self.tenant());
        let stored: Uuid = sqlx::query_scalar(
            "INSERT INTO golden_drafts (id, tenant_id, answer_id, question, question_key, history, lang, kind, reason)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT ON CONSTRAINT golden_drafts_question_unique DO UPDATE
                SET state = CASE WHEN excluded.reason = 'chosen' AND golden_drafts.state = 'dismissed' THEN 'draft'
                                 ELSE golden_drafts.state END
             RETURNING id",
        )
        .bind(id)
        .bind(tenant)
        .bind(draft.answer_id)
        .bind(draft.question.as_str())
        .bind(question_key(draft.understood.as_str()))
        .bind(Json(&draft.history))
        .bind(&draft.lang)
        .bind(draft.kind)
        .bind(draft.reason)
        .fetch_one(self.conn())
        .await?;
        Ok((stored, stored == id))
    }

    /// A draft.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn golden_draft(&mut self, id: Uuid) -> Result<GoldenDraft, StoreError> {
        sqlx::query_as(concat!(
            "SELECT ",
            draft_columns!(),
            " FROM golden_drafts WHERE id = $1"
        ))
        .bind(id)
        .fetch_optional(self.conn())
        .await?
        .ok_or(StoreError::NotFound { what: "golden draft" })
    }

    /// The draft that was made from an answer.
    pub async fn draft_of_answer(&mut self, answer: Uuid) -> Result<Option<GoldenDraft>, StoreError> {
        Ok(sqlx::query_as(concat!(
            "SELECT ",
            draft_columns!(),
            " FROM golden_drafts WHERE answer_id = $1 LIMIT 1"
        ))
        .bind(answer)
        .fetch_optional(self.conn())
        .await?)
    }

    /// Drafts in a state, newest first.
    pub async fn golden_drafts(
        &mut self,
        state: DraftState,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<GoldenDraft>, StoreError> {
        Ok(sqlx::query_as(concat!(
            "SELECT ",
            draft_columns!(),
            " FROM golden_drafts WHERE state = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"
        ))
        .bind(state)
        .bind(limit)
        .bind(offset)
        .fetch_all(self.conn())
        .await?)
    }

    /// How many drafts are in a state.
    pub async fn count_golden_drafts(&mut self, state: DraftState) -> Result<i64, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT count(*) FROM golden_drafts WHERE state = $1")
                .bind(state)
                .fetch_one(self.conn())
                .await?,
        )
    }

    /// Sets what became of a draft.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn set_draft_state(&mut self, id: Uuid, state: DraftState) -> Result<(), StoreError> {
        let set = sqlx::query("UPDATE golden_drafts SET state = $2 WHERE id = $1")
            .bind(id)
            .bind(state)
            .execute(self.conn())
            .await?;
        if set.rows_affected() == 0 {
            return Err(StoreError::NotFound { what: "golden draft" });
        }
        Ok(())
    }

    /// The drafts in a state, oldest first; from now on they count as exported.
    pub async fn export_golden_drafts(&mut self, state: DraftState) -> Result<Vec<GoldenDraft>, StoreError> {
        Ok(sqlx::query_as(concat!(
            "WITH taken AS (
                 UPDATE golden_drafts SET state = 'exported' WHERE state = $1 RETURNING *)
             SELECT ",
            draft_columns!(),
            " FROM taken ORDER BY created_at, id"
        ))
        .bind(state)
        .fetch_all(self.conn())
        .await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_punctuation_make_no_other_question() {
        assert_eq!(
            question_key("  ¿Cuánto CUESTA el kit-80?! "),
            "cuanto cuesta el kit 80"
        );
        assert_eq!(question_key("ﬁve"), question_key("FIVE"));
        assert_ne!(question_key("kit 80"), question_key("kit 50"));
        assert_eq!(question_key("?!"), "");
    }

    #[test]
    fn a_text_that_no_column_takes_is_made_one() {
        assert_eq!(Scrubbed::new("a\0b", &[]).as_str(), "ab");
    }
}
