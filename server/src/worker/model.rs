//! Makes the vectors of the embedding model that a tenant wants, and puts it into force.
//!
//! The model in force goes on answering meanwhile. Every batch of vectors is kept, so a worker that was killed costs one
//! batch, and uploads that come meanwhile are embedded with both models by their own builds. When no window is left, the
//! switch is one transaction, or a run of the eval where the tenant's changes wait for a verdict.

use std::time::Duration;

use plumbline_ingest::BuildError;
use plumbline_models::ModelError;
use plumbline_store::{Job, StoreError, Switched};
use uuid::Uuid;

use super::{Done, WorkError, field, vector_index};
use crate::app::App;
use crate::embedding;

/// How long a switch waits for a process that has the model, or for an endpoint that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the vectors of a model are kept after it answered last.
const KEEP_IDLE_MODELS: Duration = Duration::from_hours(24 * 30);

/// Makes what is missing and switches.
pub async fn switch(app: &App, job: &Job) -> Result<Done, WorkError> {
    let (tenant, model): (Uuid, String) = (job.tenant_id, field(job, "model")?);
    let embedder = match app.embedders.get(&model) {
        Ok(embedder) => embedder,
        Err(error) => return wait(app, tenant, &model, &error).await,
    };
    let mut tx = app.store.tenant(tenant).await?;
    let space = tx.ensure_space(embedder.model(), embedder.dimension()).await?;
    if !tx.note_model(&model, Some(space), "").await? {
        return Ok(Done::Finished); // another switch took its place
    }
    tx.note_model_progress(&model, space).await?;
    tx.commit().await?;
    loop {
        let mut tx = app.store.tenant(tenant).await?;
        let wanted = tx.note_model(&model, Some(space), "").await?;
        let next = tx.unembedded_version(space).await?;
        tx.commit().await?;
        if !wanted {
            return Ok(Done::Finished);
        }
        let Some(version) = next else { break };
        match app.pipeline.fill_version(tenant, version, &model).await {
            Ok(()) => {}
            Err(BuildError::Model(error @ ModelError::Unavailable { .. })) => {
                return wait(app, tenant, &model, &error).await;
            }
            Err(BuildError::Model(error)) => return Err(WorkError::fatal(error.to_string())),
            Err(error) => return Err(WorkError::retry(error.to_string())),
        }
    }
    vector_index::build_if_due(app, tenant, space).await?;
    finish(app, tenant, &model, space).await
}

/// The switch itself.
async fn finish(app: &App, tenant: Uuid, model: &str, space: i32) -> Result<Done, WorkError> {
    let mut tx = app.store.tenant(tenant).await?;
    let row = tx
        .tenant_models()
        .await?
        .into_iter()
        .find(|row| row.model == model && row.wanted);
    let Some(row) = row else {
        return Ok(Done::Finished);
    };
    tx.note_model_progress(model, space).await?;
    let setting = embedding::setting(&app.embedders, model);
    let switched = tx.switch_model(setting, space, row.judged).await?;
    if setting.is_empty() && !matches!(switched, Switched::Incomplete(_)) {
        tx.forget_wish(model).await?;
    }
    tx.commit().await?;
    match switched {
        Switched::InForce(version) => tracing::info!(%tenant, model, version, "model.switched"),
        Switched::Judged(version, run) => tracing::info!(%tenant, model, version, %run, "model.judged"),
        // something was published between the last look and the lock
        Switched::Incomplete(_) => return Ok(Done::Later(Duration::from_secs(1))),
    }
    Ok(Done::Finished)
}

/// Says what is missing and looks again later, without counting an attempt.
async fn wait(app: &App, tenant: Uuid, model: &str, error: &ModelError) -> Result<Done, WorkError> {
    tracing::warn!(%tenant, model, %error, "model.switch.waits");
    let mut tx = app.store.tenant(tenant).await?;
    let wanted = tx.note_model(model, None, &error.to_string()).await?;
    tx.commit().await?;
    Ok(if wanted {
        Done::Later(PATIENCE)
    } else {
        Done::Finished
    })
}

/// Ends a switch that failed at every attempt; what answered goes on answering.
pub async fn give_up(app: &App, job: &Job, reason: &str) -> Result<(), WorkError> {
    let model: String = field(job, "model")?;
    let mut tx = app.store.tenant(job.tenant_id).await?;
    tx.end_switch(&model, reason).await?;
    Ok(tx.commit().await?)
}

/// Removes what nobody went back to for a month.
pub(super) async fn tidy(app: &App) -> Result<(), StoreError> {
    for tenant in app.store.tenants().await? {
        let mut tx = app.store.tenant(tenant).await?;
        let idle = tx.idle_models(KEEP_IDLE_MODELS).await?;
        tx.commit().await?;
        for model in idle {
            if app.embedders.is_own(&model) {
                continue;
            }
            embedding::forget(&app.store, tenant, &model).await?;
            tracing::info!(%tenant, model, "model.forgotten");
        }
    }
    Ok(())
}
