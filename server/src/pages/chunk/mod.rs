//! One chunk, and what an admin lays over it by hand: hide it, prefer it, correct it, add questions that it answers.
//!
//! Everything here is a form with one button, so that it works without a script. An overlay that makes no sense is
//! refused on the same page, with what was typed still in it.

pub mod view;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use plumbline_ingest::{BuildError, WantedOverlay};
use plumbline_store::{ChunkRow, OverlayKind, StoreError};
use serde::Deserialize;
use uuid::Uuid;

use view::{ChunkPage, ChunkPart, ChunkView, Material};

use super::document::overlays::on_chunk;
use super::layout::{Notice, Tab};
use super::session::SignedIn;
use super::trouble::Trouble;
use super::{wants_part, words};
use crate::app::App;

/// What was just done.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    done: Option<String>,
}

/// An overlay as its form says it.
#[derive(Debug, Clone, Deserialize)]
pub struct Wish {
    kind: OverlayKind,
    #[serde(default)]
    body: String,
    #[serde(default)]
    factor: String,
}

/// Which chunk to go back to.
#[derive(Debug, Default, Deserialize)]
pub struct Back {
    chunk: Option<Uuid>,
    version: Option<Uuid>,
}

fn done(what: &str) -> Option<Notice> {
    let text = match what {
        "disable" => "Done. No answer uses this chunk from now on.",
        "pin" => "Done. It comes before others that are about as good.",
        "boost" => "Done. Its weight changed.",
        "question" => "Done. Customers who ask this are answered from this chunk.",
        "removed" => "Removed.",
        _ => return None,
    };
    Some(Notice {
        tone: "ok",
        text: text.to_owned(),
        to_do: String::new(),
    })
}

/// `GET /chunks/{id}`
pub async fn show(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let notices = asked.done.as_deref().and_then(done).into_iter().collect();
    let view = load(&app, &who, id, notices, None).await?;
    answer(view, &who, &headers, StatusCode::OK)
}

fn answer(
    view: ChunkView,
    who: &SignedIn,
    headers: &HeaderMap,
    status: StatusCode,
) -> Result<Response, Trouble> {
    let vary = [(header::VARY, "HX-Request")];
    if wants_part(headers) {
        return Ok((vary, Html(ChunkPart { view }.render()?)).into_response());
    }
    let shell = who.shell(Tab::Documents);
    Ok((status, vary, Html(ChunkPage { shell, view }.render()?)).into_response())
}

async fn load(
    app: &App,
    who: &SignedIn,
    id: Uuid,
    notices: Vec<Notice>,
    typed: Option<&Wish>,
) -> Result<ChunkView, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let chunk = tx.chunk(id).await?;
    let document = tx.document(chunk.document_id).await?;
    let version = tx.version(chunk.version_id).await?;
    let overlays = tx.overlays(chunk.document_id).await?.list;
    let places = tx.overlay_places(chunk.version_id).await?;
    let first = i64::from(chunk.ordinal - 1).max(0);
    let near: Vec<ChunkRow> = tx.chunks(chunk.version_id, 3, first).await?;
    let typed_for = |kind: OverlayKind| {
        typed
            .filter(|wish| wish.kind == kind)
            .map(|wish| wish.body.clone())
    };
    Ok(ChunkView::new(&Material {
        document: &document,
        version: &version,
        chunk: &chunk,
        near: &near,
        overlays: on_chunk(&overlays, &places, id),
        notices,
        typed_text: typed_for(OverlayKind::Edit),
        typed_question: typed_for(OverlayKind::Question),
    }))
}

/// `POST /chunks/{id}/overlays`
pub async fn add(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Form(wish): Form<Wish>,
) -> Result<Response, Trouble> {
    match lay(&app, &who, id, &wish).await {
        Ok(to) => Ok(go(&headers, &to)),
        Err(BuildError::Store(StoreError::Conflict(why))) => {
            let notice = Notice {
                tone: "bad",
                text: words::sentence(&plain(&wish, why)),
                to_do: String::new(),
            };
            let view = load(&app, &who, id, vec![notice], Some(&wish)).await?;
            answer(view, &who, &headers, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error) => Err(error.into()),
    }
}

/// The refusal in the words of the form; the store's own where it knows more.
fn plain(wish: &Wish, why: String) -> String {
    match wish.kind {
        OverlayKind::Question if wish.body.trim().is_empty() => "type the question first".to_owned(),
        OverlayKind::Edit if wish.body.trim().is_empty() => {
            "the text is empty; to keep a passage out of answers, hide it instead".to_owned()
        }
        OverlayKind::Boost => "the weight is a number above 0 and at most 10; 1 changes nothing".to_owned(),
        _ => why,
    }
}

/// Lays the overlay; says where to go next.
async fn lay(app: &App, who: &SignedIn, id: Uuid, wish: &Wish) -> Result<String, BuildError> {
    let tenant = who.tenant.id;
    let mut tx = app.store.tenant(tenant).await?;
    let chunk = tx.chunk(id).await?;
    let overlays = tx.overlays(chunk.document_id).await?.list;
    let places = tx.overlay_places(chunk.version_id).await?;
    drop(tx);
    let mut same = on_chunk(&overlays, &places, id);
    same.retain(|overlay| overlay.kind == wish.kind);
    let here = format!("/chunks/{id}?done={}", wish.kind.as_str());
    // pressed twice, it is there already
    let is_switch = matches!(wish.kind, OverlayKind::Disable | OverlayKind::Pin);
    let is_known = |question: &str| {
        let asked = question.trim();
        wish.kind == OverlayKind::Question && same.iter().any(|known| known.body.as_deref() == Some(asked))
    };
    if (is_switch && !same.is_empty()) || is_known(&wish.body) {
        return Ok(here);
    }
    let unedited = wish.body.replace("\r\n", "\n");
    if wish.kind == OverlayKind::Edit && unedited.trim() == chunk.body.trim() {
        return Err(
            StoreError::Conflict("the text is as it was, so there is nothing to save".to_owned()).into(),
        );
    }
    let wanted = WantedOverlay {
        kind: wish.kind,
        body: Some(unedited),
        factor: wish.factor.trim().replace(',', ".").parse().ok(),
        by: Some(who.admin.id),
    };
    let (overlay, received) = app.pipeline.add_overlay(tenant, id, &wanted).await?;
    tracing::info!(overlay = %overlay.id, kind = overlay.kind.as_str(), admin = %who.admin.id, "document.overlay.added");
    if wish.kind == OverlayKind::Boost {
        // one weight per chunk: the new one stands in the place of the old
        for old in same {
            app.pipeline.remove_overlay(tenant, old.id).await?;
        }
    }
    Ok(match received {
        Some(received) => format!("/documents/{}?done=edited", received.document_id),
        None => here,
    })
}

/// `POST /overlays/{id}/remove`
pub async fn remove(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Form(back): Form<Back>,
) -> Result<Response, Trouble> {
    let tenant = who.tenant.id;
    let document = app.store.tenant(tenant).await?.overlay(id).await?.document_id;
    let received = app.pipeline.remove_overlay(tenant, id).await?;
    tracing::info!(overlay = %id, admin = %who.admin.id, "document.overlay.removed");
    let to = match (received, back.chunk, back.version) {
        (Some(_), ..) => format!("/documents/{document}?done=restored"),
        (None, Some(chunk), _) => format!("/chunks/{chunk}?done=removed"),
        (None, None, Some(version)) => {
            format!("/documents/{document}?version={version}&done=removed#overlays")
        }
        (None, None, None) => format!("/documents/{document}?done=removed#overlays"),
    };
    Ok(go(&headers, &to))
}

/// To another page. A script that asked for a part of this one loads it as a whole, unless the part is on it.
fn go(headers: &HeaderMap, to: &str) -> Response {
    if wants_part(headers) && !to.starts_with("/chunks/") {
        return (StatusCode::OK, [("hx-redirect", to.to_owned())]).into_response();
    }
    Redirect::to(to).into_response()
}
