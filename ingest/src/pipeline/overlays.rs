//! Overlays on versions that are built: adding, removing, and placing them when a version is published.

use std::collections::HashSet;

use plumbline_store::{
    ChunkRow, NewChunk, NewOverlay, NewPlace, Overlay, OverlayKind, Received, StoreError, Version,
};
use uuid::Uuid;

use super::windows::question_hash;
use super::{BuildError, Pipeline};
use crate::overlay::{Passage, find};

/// An overlay that an admin wants on a chunk.
#[derive(Debug, Clone)]
pub struct WantedOverlay {
    /// What it does.
    pub kind: OverlayKind,
    /// Edit: the new text. Question: the question.
    pub body: Option<String>,
    /// Boost: the factor, above 0 and at most 10.
    pub factor: Option<f32>,
    /// The admin.
    pub by: Option<Uuid>,
}

/// Longest text of an edit or a question, in bytes.
const LONGEST_BODY: usize = 20_000;

impl Pipeline {
    /// Lays an overlay over a chunk. It takes effect with the commit; an edit takes effect with the new version that is
    /// returned, because chunks are made of the text.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for an overlay that makes no sense, with what to do.
    pub async fn add_overlay(
        &self,
        tenant: Uuid,
        chunk: Uuid,
        wanted: &WantedOverlay,
    ) -> Result<(Overlay, Option<Received>), BuildError> {
        let wanted = checked(wanted)?;
        let mut tx = self.store.tenant(tenant).await?;
        let chunk = tx.chunk(chunk).await?;
        let new = NewOverlay {
            kind: wanted.kind,
            anchor_hash: chunk.hash.clone(),
            anchor_text: chunk.body.clone(),
            anchor_headings: chunk.heading_path.clone(),
            anchor_ordinal: chunk.ordinal,
            body: wanted.body,
            factor: wanted.factor,
            created_by: wanted.by,
        };
        let overlay = tx.add_overlay(chunk.document_id, &new).await?;
        let live = tx.document(chunk.document_id).await?.live_version_id;
        tx.commit().await?;
        if overlay.kind == OverlayKind::Edit {
            let received = self.rebuild(tenant, chunk.document_id).await?;
            return Ok((overlay, Some(received)));
        }
        let versions: HashSet<Uuid> = live.into_iter().chain([chunk.version_id]).collect();
        for version in versions {
            self.place_on(tenant, version, std::slice::from_ref(&overlay))
                .await?;
        }
        let mut tx = self.store.tenant(tenant).await?;
        tx.overlays_took_effect(overlay.document_id).await?;
        tx.commit().await?;
        Ok((overlay, None))
    }

    /// Takes an overlay away; without an edit the document is built again, and that version is returned.
    pub async fn remove_overlay(&self, tenant: Uuid, overlay: Uuid) -> Result<Option<Received>, BuildError> {
        let mut tx = self.store.tenant(tenant).await?;
        let overlay = tx.remove_overlay(overlay).await?;
        tx.commit().await?;
        if overlay.kind == OverlayKind::Edit {
            return Ok(Some(self.rebuild(tenant, overlay.document_id).await?));
        }
        Ok(None)
    }

    /// Makes a complete version the one that answers. Overlays that were made while another version answered are found
    /// again in it first.
    pub async fn publish(&self, tenant: Uuid, version: &Version) -> Result<(), BuildError> {
        let text_of = version.same_text_as.unwrap_or(version.id);
        let mut tx = self.store.tenant(tenant).await?;
        let overlays = tx.overlays(version.document_id).await?;
        let placed: HashSet<Uuid> = tx
            .overlay_places(version.id)
            .await?
            .into_iter()
            .map(|place| place.overlay_id)
            .collect();
        tx.commit().await?;
        let new: Vec<Overlay> = overlays
            .list
            .into_iter()
            .filter(|overlay| overlay.kind != OverlayKind::Edit && !placed.contains(&overlay.id))
            .collect();
        if version.state.is_ready() && !new.is_empty() {
            self.place_on(tenant, text_of, &new).await?;
        }
        // an older version may come from a time before the model that is in force
        self.fill_kept(tenant, text_of).await?;
        let mut tx = self.store.tenant(tenant).await?;
        tx.publish_version(version.id).await?;
        Ok(tx.commit().await?)
    }

    async fn place_on(&self, tenant: Uuid, version: Uuid, overlays: &[Overlay]) -> Result<(), BuildError> {
        let mut tx = self.store.tenant(tenant).await?;
        let chunks = tx.all_chunks(version).await?;
        tx.commit().await?;
        let mut kept = vec![self.own_space(tenant).await?];
        kept.extend(self.kept_spaces(tenant).await?);
        self.embed_questions((tenant, version), &mut kept, overlays)
            .await?;
        let places = place(overlays, &chunks);
        let spaces: Vec<i32> = kept.iter().map(|kept| kept.space).collect();
        let mut tx = self.store.tenant(tenant).await?;
        tx.place_overlays(version, &spaces, &places).await?;
        tx.forget_embedded(version).await?;
        Ok(tx.commit().await?)
    }
}

pub(super) fn question(overlay: &Overlay) -> Option<&str> {
    let is_question = overlay.kind == OverlayKind::Question;
    overlay.body.as_deref().filter(|_| is_question)
}

/// The fields that the kind wants, trimmed.
fn checked(wanted: &WantedOverlay) -> Result<WantedOverlay, StoreError> {
    let refuse = |message: &str| Err(StoreError::Conflict(message.to_owned()));
    let body = wanted
        .body
        .as_deref()
        .map(str::trim)
        .filter(|body| !body.is_empty());
    let wants_body = matches!(wanted.kind, OverlayKind::Edit | OverlayKind::Question);
    if wants_body && body.is_none() {
        return refuse("`body` is missing: an edit needs its new text, a question its words");
    }
    if body.is_some_and(|body| body.len() > LONGEST_BODY || body.contains('\0')) {
        return refuse("`body` is longer than 20,000 bytes or holds a NUL character");
    }
    let wants_factor = wanted.kind == OverlayKind::Boost;
    if wants_factor && !wanted.factor.is_some_and(|factor| factor > 0.0 && factor <= 10.0) {
        return refuse("`factor` must be above 0 and at most 10; 1 changes nothing");
    }
    Ok(WantedOverlay {
        kind: wanted.kind,
        body: body.filter(|_| wants_body).map(str::to_owned),
        factor: wanted.factor.filter(|_| wants_factor),
        by: wanted.by,
    })
}

/// A chunk that overlays are looked for in.
pub(super) trait Looked {
    fn passage(&self) -> Passage<'_>;
}

impl Looked for NewChunk {
    fn passage(&self) -> Passage<'_> {
        Passage {
            ordinal: self.ordinal,
            hash: &self.hash,
            headings: &self.heading_path,
            text: &self.text,
        }
    }
}

impl Looked for ChunkRow {
    fn passage(&self) -> Passage<'_> {
        Passage {
            ordinal: u32::try_from(self.ordinal).unwrap_or_default(),
            hash: &self.hash,
            headings: &self.heading_path,
            text: &self.body,
        }
    }
}

/// Where the overlays that land on chunks come to lie.
pub(super) fn place(overlays: &[Overlay], chunks: &[impl Looked]) -> Vec<NewPlace> {
    let wanted: Vec<&Overlay> = overlays
        .iter()
        .filter(|overlay| overlay.kind != OverlayKind::Edit)
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let passages: Vec<Passage<'_>> = chunks.iter().map(Looked::passage).collect();
    let place = |overlay: &Overlay| {
        let found = find(overlay, &passages);
        NewPlace {
            overlay_id: overlay.id,
            question_hash: question(overlay)
                .filter(|_| found.chunk.is_some())
                .map(question_hash),
            chunk: found.chunk,
            similarity: found.similarity,
            note: found.note,
        }
    };
    wanted.into_iter().map(place).collect()
}
