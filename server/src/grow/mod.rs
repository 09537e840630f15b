//! Golden cases out of production: questions that went wrong become drafts, scrubbed of who asked them, and leave as
//! lines of the golden set for a person to label.
//!
//! A draft is never a case by itself. What the system made of the question is no gold, so a draft holds neither
//! evidence nor a demanded reply, and the gate asks none of them before a person wrote those.

mod case;
mod draft;
mod golden;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use plumbline_answer::Message;
use plumbline_store::{AskedAnswer, DraftReason, GoldenDraft, Store, StoreError, TenantTx, question_key};
use uuid::Uuid;

pub use case::{case_line, case_lines};
use draft::new_draft;
pub use golden::KnownQuestions;

use crate::traces::TraceRecord;
use crate::worker::turn::message;

/// How far above the threshold of answering a confidence counts as low.
const LOW_MARGIN: f32 = 0.1;

/// Answers looked at in one transaction.
const BATCH: i64 = 200;

/// What a scan looks for.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Answers since then.
    pub since: DateTime<Utc>,
    /// Confidence that counts as low; `None` for a little above the tenant's threshold of answering.
    pub below: Option<f32>,
    /// Questions that the golden set asks already.
    pub known: KnownQuestions,
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Growth {
    /// Answers that went wrong, by what went wrong.
    pub found: BTreeMap<DraftReason, usize>,
    /// New drafts.
    pub fresh: usize,
    /// Questions that were drafts before.
    pub drafted: usize,
    /// Questions that the golden set asks already.
    pub in_golden: usize,
}

/// Makes drafts of the answers of a tenant that went wrong.
pub async fn scan(store: &Store, tenant: Uuid, scan: &Scan) -> Result<Growth, StoreError> {
    let mut growth = Growth::default();
    let mut after = None;
    loop {
        let mut tx = store.tenant(tenant).await?;
        let threshold = tx.settings().await?.settings.answer.min_confidence;
        let below = scan.below.unwrap_or(threshold + LOW_MARGIN);
        let asked = tx.answers_to_grow_from(scan.since, below, after, BATCH).await?;
        let Some(last) = asked.last() else {
            return Ok(growth);
        };
        after = Some(last.id);
        for asked in &asked {
            grow(&mut tx, asked, &scan.known, &mut growth).await?;
        }
        tx.commit().await?;
    }
}

async fn grow(
    tx: &mut TenantTx,
    asked: &AskedAnswer,
    known: &KnownQuestions,
    growth: &mut Growth,
) -> Result<(), StoreError> {
    let reason = draft::reason(asked);
    *growth.found.entry(reason).or_default() += 1;
    let draft = new_draft(asked, said_before(tx, asked).await?, reason);
    let texts = [draft.question.as_str(), draft.understood.as_str()];
    if texts.iter().any(|text| known.ask(&question_key(text))) || known.ask(&question_key(&asked.question)) {
        growth.in_golden += 1;
        return Ok(());
    }
    let (_, fresh) = tx.add_golden_draft(&draft).await?;
    *(if fresh {
        &mut growth.fresh
    } else {
        &mut growth.drafted
    }) += 1;
    Ok(())
}

/// Makes a draft of an answer that somebody chose; the draft, and whether it is new.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such answer.
pub async fn choose(tx: &mut TenantTx, answer: Uuid) -> Result<(GoldenDraft, bool), StoreError> {
    let asked = tx.asked_answer(answer).await?;
    let said = said_before(tx, &asked).await?;
    let draft = new_draft(&asked, said, DraftReason::Chosen);
    let (id, fresh) = tx.add_golden_draft(&draft).await?;
    Ok((tx.golden_draft(id).await?, fresh))
}

/// What was said before the question, as far back as the bot remembers. Of an answer outside any conversation only its
/// trace knows.
async fn said_before(tx: &mut TenantTx, asked: &AskedAnswer) -> Result<Vec<Message>, StoreError> {
    let (Some(conversation), Some(turn)) = (asked.conversation_id, asked.turn_id) else {
        return told_with(tx, asked.id).await;
    };
    let turns = tx.settings().await?.settings.answer.memory_turns;
    let turns = i64::try_from(turns).unwrap_or(i64::MAX);
    let said = tx.said_before(conversation, Some(turn), turns).await?;
    Ok(said.into_iter().filter_map(message).collect())
}

/// The history that was sent with a question, if its trace is kept.
async fn told_with(tx: &mut TenantTx, answer: Uuid) -> Result<Vec<Message>, StoreError> {
    match tx.trace(answer).await {
        Ok(trace) => Ok(TraceRecord::read(&trace).map_or_else(|_| Vec::new(), |record| record.history)),
        Err(StoreError::NotFound { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
