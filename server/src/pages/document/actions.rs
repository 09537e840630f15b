//! What an admin does to a document and its versions. Each is a form; afterwards the browser is sent to a page that says
//! what was done.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Redirect;
use plumbline_store::{Tags, Version};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::App;
use crate::pages::session::SignedIn;
use crate::pages::trouble::Trouble;

/// Where to go after an action.
#[derive(Debug, Default, Deserialize)]
pub struct Back {
    #[serde(default)]
    back: String,
}

impl Back {
    fn to(&self, version: &Version, done: &str) -> Redirect {
        if self.back == "list" {
            Redirect::to(&format!("/documents?{done}=1"))
        } else {
            to_version(version.document_id, version.id, done)
        }
    }
}

fn to_version(document: Uuid, version: Uuid, done: &str) -> Redirect {
    Redirect::to(&format!("/documents/{document}?version={version}&done={done}"))
}

/// `POST /documents/{id}/delete`
pub async fn delete(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<Redirect, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    tx.delete_document(id).await?;
    tx.commit().await?;
    tracing::info!(document = %id, admin = %who.admin.id, "document.deleted");
    Ok(Redirect::to("/documents?deleted=1"))
}

/// `POST /documents/{id}/rebuild`
pub async fn rebuild(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<Redirect, Trouble> {
    let received = app.pipeline.rebuild(who.tenant.id, id).await?;
    tracing::info!(document = %id, admin = %who.admin.id, "document.rebuilt");
    let document = received.document_id;
    Ok(Redirect::to(&format!("/documents/{document}?done=rebuilt")))
}

/// The tags of a document as they are typed.
#[derive(Debug, Default, Deserialize)]
pub struct Typed {
    #[serde(default)]
    tags: String,
}

/// `POST /documents/{id}/tags`
pub async fn tag(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    Form(typed): Form<Typed>,
) -> Result<Redirect, Trouble> {
    let tags = Tags::parse([&typed.tags]).map_err(Trouble::Conflict)?;
    let mut tx = app.store.tenant(who.tenant.id).await?;
    tx.set_tags(&[id], &tags).await?;
    tx.commit().await?;
    tracing::info!(document = %id, admin = %who.admin.id, "document.tagged");
    Ok(Redirect::to(&format!("/documents/{id}?done=tagged")))
}

/// How a version is published.
#[derive(Debug, Default, Deserialize)]
pub struct Publishing {
    /// Also over the head of the eval.
    #[serde(default)]
    force: bool,
}

/// `POST /versions/{id}/publish`
pub async fn publish(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    Form(how): Form<Publishing>,
) -> Result<Redirect, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let version = tx.version(id).await?;
    let unproven = tx.unproven(id).await?;
    tx.commit().await?;
    match unproven {
        // the button said something else when the page was loaded
        Some(why) if !how.force => {
            return Err(Trouble::Conflict(format!(
                "this version waits for the eval: {why}"
            )));
        }
        Some(why) => {
            tracing::warn!(version = %id, admin = %who.admin.id, why, "document.version.published_unproven");
        }
        None => {}
    }
    app.pipeline.publish(who.tenant.id, &version).await?;
    tracing::info!(version = %id, admin = %who.admin.id, "document.version.published");
    Ok(to_version(version.document_id, version.id, "published"))
}

/// `POST /versions/{id}/retry`
pub async fn retry(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    Form(back): Form<Back>,
) -> Result<Redirect, Trouble> {
    let version = app.store.tenant(who.tenant.id).await?.version(id).await?;
    app.pipeline.retry(who.tenant.id, &version).await?;
    tracing::info!(version = %id, admin = %who.admin.id, "document.version.retried");
    Ok(back.to(&version, "retried"))
}

/// `POST /versions/{id}/cancel`
pub async fn cancel(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    Form(back): Form<Back>,
) -> Result<Redirect, Trouble> {
    let version = app.store.tenant(who.tenant.id).await?.version(id).await?;
    app.pipeline.cancel(who.tenant.id, id).await?;
    tracing::info!(version = %id, admin = %who.admin.id, "document.version.cancelled");
    Ok(back.to(&version, "cancelled"))
}
