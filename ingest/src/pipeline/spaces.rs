//! The spaces that a tenant's windows have vectors in, and the filling of a new one.
//!
//! Every window has a vector of the installation's own model. Tenants with other models (`plumbline models`) get those
//! beside it, so that a switch back needs no work. A model that does not answer keeps no upload from being built unless
//! it is the one in force; what it missed is made up for before it can be put into force again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use plumbline_models::Embedder;
use plumbline_store::{
    BlobStore, BuiltVersion, NeededVector, NewVector, Overlay, StoreError, UnembeddedWindow, WindowSource,
};
use uuid::Uuid;

use super::windows::{AT_ONCE, BATCH, embedded_text, question_hash};
use super::{BuildError, Pipeline};

/// Windows filled in one transaction: the most that a crash loses.
const FILLED: usize = 2 * BATCH;

/// A space that windows get vectors in.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) space: i32,
    /// Nothing can be published without it.
    pub(super) needed: bool,
    /// Passages are kept piece by piece too: those of the own space, if its model tells them.
    pub(super) in_pieces: bool,
}

/// A version about to be completed, with the spaces that its windows have vectors in besides the own one.
pub(super) struct Completing {
    pub(super) built: BuiltVersion,
    pub(super) kept: Vec<Kept>,
}

impl Completing {
    /// Ids of the spaces besides the own one.
    pub(super) fn also(&self) -> Vec<i32> {
        self.kept.iter().map(|kept| kept.space).collect()
    }
}

impl Pipeline {
    /// The space of the installation's own model.
    pub(super) async fn own_space(&self, tenant: Uuid) -> Result<Kept, BuildError> {
        let embedder = Arc::clone(self.embedders.own());
        let mut tx = self.store.tenant(tenant).await?;
        let space = tx.ensure_space(embedder.model(), embedder.dimension()).await?;
        tx.commit().await?;
        Ok(Kept {
            in_pieces: embedder.tells_pieces(),
            embedder,
            space,
            needed: true,
        })
    }

    /// The other spaces that uploads of the tenant are embedded into.
    ///
    /// # Errors
    /// [`BuildError::Model`] when this process does not have the model in force.
    pub(super) async fn kept_spaces(&self, tenant: Uuid) -> Result<Vec<Kept>, BuildError> {
        let mut tx = self.store.tenant(tenant).await?;
        let in_force = tx.settings().await?.settings.retrieval.model;
        let mut kept = Vec::new();
        for model in tx.tenant_models().await? {
            if !model.is_kept_current() || self.embedders.is_own(&model.model) {
                continue;
            }
            let needed = model.model == in_force;
            match self.embedders.get(&model.model) {
                Ok(embedder) => kept.push(Kept {
                    space: tx.ensure_space(embedder.model(), embedder.dimension()).await?,
                    embedder: Arc::clone(embedder),
                    needed,
                    in_pieces: false,
                }),
                Err(error) if needed => return Err(error.into()),
                Err(error) => tracing::debug!(%tenant, %error, "ingest.space.skipped"),
            }
        }
        tx.commit().await?;
        Ok(kept)
    }

    /// Saves the vectors of the questions among `overlays` in `kept`; what is not needed and fails is taken out of it.
    pub(super) async fn embed_questions(
        &self,
        (tenant, version): (Uuid, Uuid),
        kept: &mut Vec<Kept>,
        overlays: &[Overlay],
    ) -> Result<(), BuildError> {
        let mut done = Vec::with_capacity(kept.len());
        for one in kept.drain(..) {
            match self.questions_of((tenant, version), &one, overlays).await {
                Ok(()) => done.push(one),
                Err(error) if one.needed => return Err(error),
                Err(error) => {
                    tracing::warn!(%tenant, model = one.embedder.model(), %error, "ingest.space.behind");
                }
            }
        }
        *kept = done;
        Ok(())
    }

    async fn questions_of(
        &self,
        (tenant, version): (Uuid, Uuid),
        kept: &Kept,
        overlays: &[Overlay],
    ) -> Result<(), BuildError> {
        let questions: Vec<&str> = overlays.iter().filter_map(super::overlays::question).collect();
        if questions.is_empty() {
            return Ok(());
        }
        let needed: Vec<NeededVector> = questions
            .iter()
            .map(|text| NeededVector::whole(question_hash(text)))
            .collect();
        let mut tx = self.store.tenant(tenant).await?;
        let unknown: HashSet<[u8; 32]> = tx
            .unknown_windows(kept.space, &needed)
            .await?
            .into_iter()
            .collect();
        tx.commit().await?;
        let texts: Vec<String> = questions
            .iter()
            .filter(|text| unknown.contains(&question_hash(text)))
            .map(|&text| text.to_owned())
            .collect();
        if texts.is_empty() {
            return Ok(());
        }
        let hashes: Vec<[u8; 32]> = texts.iter().map(|text| question_hash(text)).collect();
        let vectors = kept.embedder.embed(texts).await?;
        let new = hashes.into_iter().zip(vectors);
        let vectors: Vec<NewVector> = new.map(|(hash, vector)| NewVector::whole(hash, vector)).collect();
        let mut tx = self.store.tenant(tenant).await?;
        tx.save_vectors(version, kept.space, &vectors).await?;
        Ok(tx.commit().await?)
    }

    /// Gives the windows of a version their vectors in the spaces that the tenant keeps, before it is published again.
    pub(super) async fn fill_kept(&self, tenant: Uuid, version: Uuid) -> Result<(), BuildError> {
        for kept in self.kept_spaces(tenant).await? {
            match self.fill(tenant, version, &kept).await {
                Err(error) if kept.needed => return Err(error),
                Err(error) => {
                    tracing::warn!(%tenant, model = kept.embedder.model(), %error, "ingest.space.behind");
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Gives the windows of a version their vectors of `model`, in batches that are kept whatever happens; each is added
    /// to the model's progress.
    ///
    /// # Errors
    /// [`BuildError::Model`] when this process has no such model, or it fails.
    pub async fn fill_version(&self, tenant: Uuid, version: Uuid, model: &str) -> Result<(), BuildError> {
        let embedder = Arc::clone(self.embedders.get(model)?);
        let mut tx = self.store.tenant(tenant).await?;
        let space = tx.ensure_space(embedder.model(), embedder.dimension()).await?;
        tx.commit().await?;
        let kept = Kept {
            embedder,
            space,
            needed: true,
            in_pieces: false,
        };
        self.fill(tenant, version, &kept).await
    }

    async fn fill(&self, tenant: Uuid, version: Uuid, kept: &Kept) -> Result<(), BuildError> {
        let mut source = None;
        loop {
            let mut tx = self.store.tenant(tenant).await?;
            let windows = tx.unembedded_windows(version, kept.space, FILLED).await?;
            if windows.is_empty() {
                return Ok(());
            }
            if source.is_none() {
                source = tx.window_source(version).await?;
            }
            let source = source.as_ref().ok_or(StoreError::NotFound {
                what: "text of the version",
            })?;
            let texts: HashMap<[u8; 32], String> = windows
                .iter()
                .map(|window| {
                    let text = text_of(window, source);
                    (BlobStore::hash(text.as_bytes()), text)
                })
                .collect();
            let needed: Vec<NeededVector> = texts.keys().copied().map(NeededVector::whole).collect();
            let unknown = tx.unknown_windows(kept.space, &needed).await?;
            tx.commit().await?;
            let vectors = vectors_of(kept, &texts, &unknown).await?;
            let filled: Vec<(UnembeddedWindow, [u8; 32])> = windows
                .into_iter()
                .map(|window| {
                    let hash = BlobStore::hash(text_of(&window, source).as_bytes());
                    (window, hash)
                })
                .collect();
            let mut tx = self.store.tenant(tenant).await?;
            tx.put_windows(kept.space, &filled, &vectors).await?;
            tx.note_model_step(kept.embedder.model(), filled.len()).await?;
            tx.commit().await?;
        }
    }
}

/// What is embedded of a window: the same words as when it was made.
fn text_of(window: &UnembeddedWindow, source: &WindowSource) -> String {
    if let Some(question) = &window.question {
        return question.clone();
    }
    let start = usize::try_from(window.text_start).unwrap_or_default();
    let end = usize::try_from(window.text_end).unwrap_or_default();
    let body = source.text.get(start..end).unwrap_or_default();
    embedded_text(source.title.as_deref(), &window.heading_path, body)
}

async fn vectors_of(
    kept: &Kept,
    texts: &HashMap<[u8; 32], String>,
    unknown: &[[u8; 32]],
) -> Result<HashMap<[u8; 32], Vec<f32>>, BuildError> {
    let batches: Vec<_> = unknown
        .chunks(BATCH)
        .map(|hashes| async move {
            let batch = hashes.iter().map(|hash| texts[hash].clone()).collect();
            let vectors = kept.embedder.embed(batch).await?;
            Ok::<_, BuildError>(hashes.iter().copied().zip(vectors).collect::<Vec<_>>())
        })
        .collect();
    let pairs: Vec<Vec<([u8; 32], Vec<f32>)>> = stream::iter(batches)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(pairs.into_iter().flatten().collect())
}
