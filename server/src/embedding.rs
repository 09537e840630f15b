//! The embedding model of a tenant: what there is, switching, going back.
//!
//! A switch that has nothing left to do happens at once, in one transaction. Any other is a job
//! ([`crate::worker::model`]): the model in force goes on answering until the new one has a vector of every window.

use plumbline_models::{Embedders, ModelError};
use plumbline_store::{Store, StoreError, Switched, TenantModel};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A model that this process has or that the tenant keeps vectors of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a person wants to know of a model, in any combination"
)]
pub struct ModelState {
    /// Name.
    pub model: String,
    /// Length of its vectors; none when this process does not have the model.
    pub dimension: Option<usize>,
    /// It is the installation's own, which every document has vectors of.
    pub own: bool,
    /// It answers.
    pub in_force: bool,
    /// A switch to it is under way.
    pub wanted: bool,
    /// It was in force once and its vectors are kept: a rollback to it needs no work.
    pub kept: bool,
    /// Windows that have a vector, as of the last count.
    pub windows_done: i64,
    /// Windows that need one.
    pub windows_total: i64,
    /// What keeps the switch from going on, empty for nothing.
    pub problem: String,
}

/// What became of a switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SwitchState {
    /// The model answers.
    InForce {
        /// Version of the settings.
        settings_version: i64,
    },
    /// It waits for the verdict of a run of the eval.
    Judged {
        /// Version of the settings, staged.
        settings_version: i64,
        /// The run, see `/v1/eval/runs`.
        eval_run: Uuid,
    },
    /// Its vectors are being made; it is put into force after that.
    Building {
        /// Windows without a vector of it.
        windows_missing: i64,
    },
}

/// Why a switch cannot be.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// This process does not have the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The database, or what it holds.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All models, the installation's own first.
pub async fn list(store: &Store, embedders: &Embedders, tenant: Uuid) -> Result<Vec<ModelState>, StoreError> {
    let mut tx = store.tenant(tenant).await?;
    let in_force = tx.settings().await?.settings.retrieval.model;
    let kept = tx.tenant_models().await?;
    tx.commit().await?;
    let mut states: Vec<ModelState> = embedders
        .all()
        .map(|embedder| {
            let row = kept.iter().find(|row| row.model == embedder.model());
            state(embedder.model(), Some(embedder.dimension()), row)
        })
        .collect();
    for row in &kept {
        if !states.iter().any(|state| state.model == row.model) {
            states.push(state(&row.model, None, Some(row)));
        }
    }
    for state in &mut states {
        state.own = embedders.is_own(&state.model);
        state.in_force = state.model == in_force || (state.own && in_force.is_empty());
    }
    Ok(states)
}

fn state(model: &str, dimension: Option<usize>, row: Option<&TenantModel>) -> ModelState {
    ModelState {
        model: model.to_owned(),
        dimension,
        own: false,
        in_force: false,
        wanted: row.is_some_and(|row| row.wanted),
        kept: row.is_some_and(|row| row.served),
        windows_done: row.map_or(0, |row| row.windows_done),
        windows_total: row.map_or(0, |row| row.windows_total),
        problem: row.map(|row| row.problem.clone()).unwrap_or_default(),
    }
}

/// Puts `model` into force, or begins to. Where the tenant wants a verdict and `judged` says so, it waits for one.
///
/// # Errors
/// [`SwitchError::Model`] when this process does not have the model.
pub async fn switch(
    store: &Store,
    embedders: &Embedders,
    tenant: Uuid,
    model: &str,
    judged: bool,
) -> Result<SwitchState, SwitchError> {
    let embedder = embedders.get(model)?;
    let mut tx = store.tenant(tenant).await?;
    let space = tx.ensure_space(embedder.model(), embedder.dimension()).await?;
    tx.commit().await?;
    let mut tx = store.tenant(tenant).await?;
    let setting = setting(embedders, embedder.model());
    if !setting.is_empty() {
        // the wish first: uploads take part in it from this moment on
        tx.want_model(setting, judged).await?;
        tx.note_model(setting, Some(space), "").await?;
    }
    let state = match tx.switch_model(setting, space, judged).await? {
        Switched::InForce(settings_version) => SwitchState::InForce { settings_version },
        Switched::Judged(settings_version, eval_run) => SwitchState::Judged {
            settings_version,
            eval_run,
        },
        Switched::Incomplete(windows_missing) => {
            // the own model is incomplete only where the installation got another one
            tx.want_model(embedder.model(), judged).await?;
            tx.note_model(embedder.model(), Some(space), "").await?;
            tx.note_model_progress(embedder.model(), space).await?;
            tx.make_vectors(embedder.model()).await?;
            SwitchState::Building { windows_missing }
        }
    };
    tx.commit().await?;
    Ok(state)
}

/// Back to the model that answered before, without a verdict.
///
/// # Errors
/// [`StoreError::Conflict`] when there was none.
pub async fn rollback(
    store: &Store,
    embedders: &Embedders,
    tenant: Uuid,
) -> Result<(String, SwitchState), SwitchError> {
    let mut tx = store.tenant(tenant).await?;
    let before = tx.model_before().await?;
    tx.commit().await?;
    let before = before.ok_or_else(|| {
        StoreError::Conflict("no other model answered before, or its vectors were removed".to_owned())
    })?;
    let model = embedders.get(&before)?.model().to_owned();
    let state = switch(store, embedders, tenant, &model, false).await?;
    Ok((model, state))
}

/// Removes the vectors of a model that does not answer.
///
/// # Errors
/// [`StoreError::Conflict`] when it is in force, or the installation's own.
pub async fn remove(
    store: &Store,
    embedders: &Embedders,
    tenant: Uuid,
    model: &str,
) -> Result<(), StoreError> {
    if embedders.is_own(model) {
        return Err(StoreError::Conflict(format!(
            "{model} is the installation's own model; its vectors stay"
        )));
    }
    forget(store, tenant, model).await
}

/// Removes a model with its vectors and their index.
pub(crate) async fn forget(store: &Store, tenant: Uuid, model: &str) -> Result<(), StoreError> {
    let mut tx = store.tenant(tenant).await?;
    let space = tx.remove_model(model).await?;
    tx.commit().await?;
    if let Some(space) = space {
        store.drop_vector_index(tenant, space).await?;
    }
    Ok(())
}

/// What `retrieval.model` says for a model: nothing for the installation's own.
pub(crate) fn setting<'a>(embedders: &Embedders, model: &'a str) -> &'a str {
    if embedders.is_own(model) { "" } else { model }
}
