//! What a version of a document changed, in words.

pub mod view;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Html;
use plumbline_store::Version;
use serde::Deserialize;
use uuid::Uuid;

use view::{DiffPage, DiffView};

use super::layout::Tab;
use super::session::SignedIn;
use super::trouble::Trouble;
use crate::app::App;

/// Which versions to compare.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    from: Option<Uuid>,
    to: Option<Uuid>,
}

/// `GET /documents/{id}/diff`
pub async fn show(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let document = tx.document(id).await?;
    let mut versions = tx.versions(id).await?;
    drop(tx);
    versions.retain(|version| version.state.is_ready());
    let chosen = chosen(&versions, &asked)?;
    let compared = match chosen {
        Some((from, to)) => Some((from, to, app.pipeline.diff(who.tenant.id, from.id, to.id).await?)),
        None => None,
    };
    let view = DiffView::new(&document, &versions, compared);
    let shell = who.shell(Tab::Documents);
    Ok(Html(DiffPage { shell, view }.render()?))
}

/// The versions asked for; without a wish the newest and the one before it. None when there is but one.
fn chosen<'a>(versions: &'a [Version], asked: &Asked) -> Result<Option<(&'a Version, &'a Version)>, Trouble> {
    let named = |id: Option<Uuid>| {
        id.map(|id| {
            let found = versions.iter().find(|version| version.id == id);
            found.ok_or(Trouble::Missing("complete version of this document"))
        })
        .transpose()
    };
    let to = named(asked.to)?.or(versions.first());
    let before = to.and_then(|to| versions.iter().find(|version| version.number < to.number));
    let from = named(asked.from)?.or(before);
    Ok(from.zip(to))
}
