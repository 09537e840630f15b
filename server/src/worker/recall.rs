//! Audits the vector indexes of large tenants: what they find of what a comparison of all vectors finds.
//!
//! What an approximate index misses depends on a tenant's own texts and on what its customers ask, so it is asked what
//! they asked. An audit that finds too little makes searches keep twice as many candidates until another one finds that
//! fewer are enough, see `plumbline_store::TenantTx::search_state`.

use std::time::Duration;

use plumbline_retrieval::sentence_to_ask;
use plumbline_store::{
    Job, NewJob, NewRecallAudit, RECALL_QUEUE, RECALL_WANTED, RetrievalSettings, StoreError, TenantTx,
    VectorIndex,
};
use serde_json::json;

use super::{Done, WorkError, field};
use crate::app::App;

/// How often an index is audited.
const EVERY: Duration = Duration::from_hours(24);

/// Questions of an audit, at most.
const QUESTIONS: usize = 100;

/// Questions of customers that are enough by themselves.
const ENOUGH: usize = 20;

/// How long an audit asks: comparing all vectors of a very large tenant takes seconds per question.
const BUDGET: Duration = Duration::from_mins(1);

/// Enqueues the audits of all indexes that were not audited for a day.
pub(super) async fn ask_where_due(app: &App) -> Result<(), StoreError> {
    for tenant in app.store.tenants().await? {
        let mut tx = app.store.tenant(tenant).await?;
        for index in tx.vector_indexes().await? {
            if index.state == VectorIndex::Ready && tx.recall_audit_is_due(index.space, EVERY).await? {
                ask(&mut tx, index.space).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Enqueues the audit of one index.
pub(super) async fn ask(tx: &mut TenantTx, space: i32) -> Result<(), StoreError> {
    let job = NewJob {
        queue: RECALL_QUEUE,
        key: RECALL_QUEUE.to_owned(),
        dedupe: Some(space.to_string()),
        payload: json!({ "space": space }),
        delay: Duration::ZERO,
        max_attempts: 3,
    };
    tx.enqueue(&job, Duration::ZERO).await?;
    Ok(())
}

/// Audits the index of the job and records what it finds.
pub async fn audit(app: &App, job: &Job) -> Result<Done, WorkError> {
    let (tenant, space): (_, i32) = (job.tenant_id, field(job, "space")?);
    let mut tx = app.store.tenant(tenant).await?;
    let indexes = tx.vector_indexes().await?;
    let index = indexes
        .iter()
        .find(|index| index.space == space && index.state == VectorIndex::Ready);
    let Some(index) = index.filter(|index| app.embedders.get(&index.model).is_ok()) else {
        return Ok(Done::Finished); // dropped meanwhile, or of a model that this process does not have
    };
    let settings = RetrievalSettings {
        model: index.model.clone(),
        ..tx.settings().await?.settings.retrieval
    };
    let mut questions = tx.searched_questions(limit(QUESTIONS)).await?;
    let asked_by_customers = questions.len();
    if asked_by_customers < ENOUGH {
        let chunks = tx.random_chunks(limit(QUESTIONS - asked_by_customers)).await?;
        questions.extend(chunks.iter().map(|chunk| sentence_to_ask(chunk)));
        questions.retain(|question| !question.is_empty());
    }
    let windows = tx.live_windows().await?;
    tx.commit().await?;
    let audited = app
        .searcher
        .audit(tenant, &settings, &questions, BUDGET)
        .await
        .map_err(|error| WorkError::retry(error.to_string()))?;
    let recall = audited.recall;
    if recall.wanted == 0 {
        return Ok(Done::Finished);
    }
    let audit = NewRecallAudit {
        space,
        windows,
        scan: audited.scan,
        questions: audited.questions,
        sampled_from_documents: audited.questions.saturating_sub(asked_by_customers),
        wanted: recall.wanted,
        found: recall.found,
        worst: recall.worst,
    };
    let mut tx = app.store.tenant(tenant).await?;
    tx.record_recall_audit(&audit).await?;
    tx.commit().await?;
    tell(job, &audit);
    Ok(Done::Finished)
}

fn tell(job: &Job, audit: &NewRecallAudit) {
    let (tenant, good) = (job.tenant_id, audit.is_good());
    let result = if good { "good" } else { "low" };
    metrics::counter!("plumbline_recall_audits_total", "result" => result).increment(1);
    let (found, wanted, scan) = (audit.found, audit.wanted, audit.scan);
    if good {
        tracing::info!(%tenant, space = audit.space, found, wanted, ?scan, "recall.audit.done");
    } else {
        tracing::warn!(%tenant, space = audit.space, found, wanted, ?scan, worst = audit.worst,
                       wanted_recall = RECALL_WANTED, "recall.audit.low");
    }
}

fn limit(questions: usize) -> i64 {
    i64::try_from(questions).unwrap_or(i64::MAX)
}
