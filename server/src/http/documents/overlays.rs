//! `/v1/documents/{id}/overlays`: what an admin lays over a document by hand.

use std::collections::HashMap;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use plumbline_ingest::WantedOverlay;
use plumbline_store::{self as store, OverlayPlace, Received, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::http::auth::ApiTenant;
use crate::http::error::{ApiError, ErrorBody};

/// What an overlay does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverlayKind {
    /// The chunk is never found.
    Disable,
    /// The chunk comes before others that are about as good.
    Pin,
    /// The chunk's score is multiplied by `factor`.
    Boost,
    /// `body` stands in the place of the passage.
    Edit,
    /// The chunk answers the question in `body`, which it does not resemble.
    Question,
}

impl From<OverlayKind> for store::OverlayKind {
    fn from(kind: OverlayKind) -> Self {
        match kind {
            OverlayKind::Disable => Self::Disable,
            OverlayKind::Pin => Self::Pin,
            OverlayKind::Boost => Self::Boost,
            OverlayKind::Edit => Self::Edit,
            OverlayKind::Question => Self::Question,
        }
    }
}

impl From<store::OverlayKind> for OverlayKind {
    fn from(kind: store::OverlayKind) -> Self {
        match kind {
            store::OverlayKind::Disable => Self::Disable,
            store::OverlayKind::Pin => Self::Pin,
            store::OverlayKind::Boost => Self::Boost,
            store::OverlayKind::Edit => Self::Edit,
            store::OverlayKind::Question => Self::Question,
        }
    }
}

/// Where an overlay lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// On `chunk_id`.
    Applied,
    /// Its passage is not in the version, see `note`; a person has to look at it.
    Conflict,
    /// It was not looked for yet: its version is still being built.
    Waiting,
}

/// An overlay, and where it lies in the version that answers (in the newest one while none does).
#[derive(Debug, Serialize, ToSchema)]
pub struct Overlay {
    /// Identifier.
    pub id: Uuid,
    /// What it does.
    pub kind: OverlayKind,
    /// The passage it was made for.
    pub anchor_text: String,
    /// Headings above that passage.
    pub anchor_headings: Vec<String>,
    /// Edit: the new text. Question: the question.
    pub body: Option<String>,
    /// Boost: the factor.
    pub factor: Option<f32>,
    /// Made.
    pub created_at: DateTime<Utc>,
    /// Where it lies.
    pub standing: Standing,
    /// The chunk it lies on.
    pub chunk_id: Option<Uuid>,
    /// Likeness of that passage to the one it was made for, 0 to 1.
    pub similarity: Option<f32>,
    /// Why it is a conflict, or what changed.
    pub note: String,
}

impl Overlay {
    fn new(overlay: store::Overlay, place: Option<&OverlayPlace>) -> Self {
        let standing = match place {
            Some(place) if place.chunk_id.is_some() => Standing::Applied,
            Some(_) => Standing::Conflict,
            None => Standing::Waiting,
        };
        Self {
            id: overlay.id,
            kind: overlay.kind.into(),
            anchor_text: overlay.anchor_text,
            anchor_headings: overlay.anchor_headings,
            body: overlay.body,
            factor: overlay.factor,
            created_at: overlay.created_at,
            standing,
            chunk_id: place.and_then(|place| place.chunk_id),
            similarity: place.map(|place| place.similarity),
            note: place.map(|place| place.note.clone()).unwrap_or_default(),
        }
    }
}

/// The overlays of a document, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverlayList {
    /// The version in which they are placed.
    pub version: i32,
    /// Overlays.
    pub overlays: Vec<Overlay>,
}

/// The overlays of a document with their places in the live version: on a chunk, or a conflict and why.
#[utoipa::path(get, path = "/v1/documents/{id}/overlays", tag = "overlays", security(("key" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = OverlayList), (status = 404, body = ErrorBody)))]
pub async fn list(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
) -> Result<Json<OverlayList>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let document = tx.document(id).await?;
    let shown = document.live_version_id.unwrap_or(document.newest.version_id);
    let overlays = tx.overlays(id).await?.list;
    let places = tx.overlay_places(shown).await?;
    tx.commit().await?;
    let places: HashMap<Uuid, OverlayPlace> = places
        .into_iter()
        .map(|place| (place.overlay_id, place))
        .collect();
    Ok(Json(OverlayList {
        version: document.live_number.unwrap_or(document.newest.number),
        overlays: overlays
            .into_iter()
            .map(|overlay| {
                let place = places.get(&overlay.id);
                Overlay::new(overlay, place)
            })
            .collect(),
    }))
}

/// An overlay to lay over a chunk.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOverlay {
    /// The chunk, of any version of the document.
    pub chunk_id: Uuid,
    /// What it does.
    pub kind: OverlayKind,
    /// Edit: the new text. Question: the question. At most 20,000 bytes.
    pub body: Option<String>,
    /// Boost: the factor, above 0 and at most 10.
    pub factor: Option<f32>,
}

impl NewOverlay {
    /// The fields that the kind wants, and none that it has no use for: those would be a misunderstanding.
    fn check(&self) -> Result<(), ApiError> {
        let wants_body = matches!(self.kind, OverlayKind::Edit | OverlayKind::Question);
        let wants_factor = self.kind == OverlayKind::Boost;
        let has_body = self.body.as_deref().is_some_and(|body| !body.trim().is_empty());
        let wrong = match (has_body, self.factor.is_some()) {
            (false, _) if wants_body => "`body` is missing: an edit needs its new text, a question its words",
            (true, _) if !wants_body => "`body` belongs to overlays of kind `edit` and `question` alone",
            (_, false) if wants_factor => "`factor` is missing: above 0 and at most 10; 1 changes nothing",
            (_, true) if !wants_factor => "`factor` belongs to overlays of kind `boost` alone",
            _ => return Ok(()),
        };
        Err(ApiError::BadRequest(wrong.to_owned()))
    }
}

/// An overlay that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeOverlay {
    /// The overlay.
    pub overlay: Overlay,
    /// Edits: the version that is being built with it. Other overlays are in effect already.
    pub building: Option<Building>,
}

/// A version that is being built because of an overlay.
#[derive(Debug, Serialize, ToSchema)]
pub struct Building {
    /// Version.
    pub version_id: Uuid,
    /// Its number.
    pub version: i32,
}

impl From<Received> for Building {
    fn from(received: Received) -> Self {
        Self {
            version_id: received.version_id,
            version: received.number,
        }
    }
}

/// Lays an overlay over a chunk. It survives new uploads: every version finds its passage again, or lists a conflict.
#[utoipa::path(post, path = "/v1/documents/{id}/overlays", tag = "overlays", security(("key" = [])),
    params(("id" = Uuid, Path)), request_body = NewOverlay,
    responses((status = 201, body = MadeOverlay), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
              (status = 409, body = ErrorBody)))]
pub async fn add(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path(id): Path<Uuid>,
    request: Result<Json<NewOverlay>, JsonRejection>,
) -> Result<(StatusCode, Json<MadeOverlay>), ApiError> {
    let Json(new) = request.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    new.check()?;
    let mut tx = app.store.tenant(tenant).await?;
    let chunk = tx.chunk(new.chunk_id).await?;
    tx.document(id).await?;
    tx.commit().await?;
    if chunk.document_id != id {
        return Err(StoreError::NotFound {
            what: "chunk of this document",
        }
        .into());
    }
    let wanted = WantedOverlay {
        kind: new.kind.into(),
        body: new.body,
        factor: new.factor,
        by: None,
    };
    let (overlay, received) = app.pipeline.add_overlay(tenant, chunk.id, &wanted).await?;
    let mut tx = app.store.tenant(tenant).await?;
    let live = tx.document(id).await?.live_version_id;
    let places = tx.overlay_places(live.unwrap_or(chunk.version_id)).await?;
    tx.commit().await?;
    let place = places.iter().find(|place| place.overlay_id == overlay.id);
    let made = MadeOverlay {
        overlay: Overlay::new(overlay, place),
        building: received.map(Building::from),
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// What became of the document when an overlay was taken away.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedOverlay {
    /// Edits: the version that is being built without it. The effect of other overlays is gone already.
    pub building: Option<Building>,
}

/// Takes an overlay away.
#[utoipa::path(delete, path = "/v1/documents/{id}/overlays/{overlay}", tag = "overlays", security(("key" = [])),
    params(("id" = Uuid, Path), ("overlay" = Uuid, Path)),
    responses((status = 200, body = RemovedOverlay), (status = 404, body = ErrorBody)))]
pub async fn remove(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, overlay)): Path<(Uuid, Uuid)>,
) -> Result<Json<RemovedOverlay>, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let found = tx.overlay(overlay).await?;
    tx.commit().await?;
    if found.document_id != id {
        return Err(StoreError::NotFound {
            what: "overlay of this document",
        }
        .into());
    }
    let received = app.pipeline.remove_overlay(tenant, overlay).await?;
    Ok(Json(RemovedOverlay {
        building: received.map(Building::from),
    }))
}
