//! One document: its versions, how well it was read, its chunks, and what an admin can do with it.

mod actions;
pub mod history;
pub mod overlays;
pub mod quality;
pub mod view;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use plumbline_ingest::Code;
use serde::Deserialize;
use uuid::Uuid;

pub use actions::{cancel, delete, publish, rebuild, retry, tag};
use history::Judgement;
use view::{BodyPart, CHUNKS_PER_PAGE, DocumentPage, DocumentView, Material};

use super::layout::{Notice, Tab};
use super::session::SignedIn;
use super::trouble::Trouble;
use super::{wants_part, words};
use crate::app::App;
use crate::http::documents;

/// Which version to show, which of its chunks, and what was just done.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    version: Option<Uuid>,
    page: Option<i64>,
    done: Option<String>,
}

/// A heading and a remedy for the code of a warning.
fn catalogue(code: &str) -> Option<(&'static str, &'static str)> {
    let entry = Code::ALL.iter().find(|known| known.as_str() == code)?.entry();
    Some((entry.title, entry.to_do))
}

fn notices(done: Option<&str>) -> Vec<Notice> {
    let text = match done {
        Some("published") => "Done. This version answers from now on.",
        Some("retried") => "The file is being read again.",
        Some("cancelled") => "Cancelled. What answered before goes on answering.",
        Some("rebuilt") => {
            "A new version is being built from the newest file. Until it is ready, nothing changes."
        }
        Some("edited") => {
            "Saved. A new version with your text is being built; it answers as soon as it is ready."
        }
        Some("tagged") => "Saved. Searches that ask for tags see these from now on.",
        Some("removed") => "Removed.",
        Some("restored") => {
            "Removed. A new version with the original text is being built; it answers as soon as it is ready."
        }
        _ => return Vec::new(),
    };
    vec![Notice {
        tone: "ok",
        text: text.to_owned(),
        to_do: String::new(),
    }]
}

/// `GET /documents/{id}`
pub async fn show(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let document = tx.document(id).await?;
    let versions = tx.versions(id).await?;
    let wanted = asked.version.or(document.live_version_id);
    let shown = versions
        .iter()
        .find(|version| Some(version.id) == wanted)
        .or_else(|| versions.first().filter(|_| asked.version.is_none()))
        .ok_or(Trouble::Missing("version of this document"))?;
    let page = asked.page.unwrap_or(1).clamp(1, 1_000_000);
    let chunks = tx
        .chunks(shown.id, CHUNKS_PER_PAGE, (page - 1) * CHUNKS_PER_PAGE)
        .await?;
    let cited = tx.citations_of(id).await?;
    let overlays = tx.overlays(id).await?.list;
    let places = tx.overlay_places(shown.id).await?;
    let ids: Vec<Uuid> = versions.iter().map(|version| version.id).collect();
    let runs = tx.runs_of_versions(&ids).await?;
    let unproven = tx.unproven_among(&ids).await?;
    let now = words::now();
    let view = DocumentView::new(&Material {
        document: &document,
        versions: &versions,
        judged: Judgement {
            runs: &runs,
            unproven: &unproven,
        },
        shown,
        chunks: &chunks,
        page,
        overlays: &overlays,
        places: &places,
        pinned: asked.version.is_some(),
        cited,
        catalogue,
        now,
    });
    let body = if wants_part(&headers) {
        BodyPart { view }.render()?
    } else {
        let shell = who.shell(Tab::Documents);
        let notices = notices(asked.done.as_deref());
        DocumentPage { shell, notices, view }.render()?
    };
    Ok(([(header::VARY, "HX-Request")], Html(body)).into_response())
}

/// `GET /versions/{id}/original`: the file as it was uploaded, always as a download.
pub async fn original(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<Response, Trouble> {
    let version = app.store.tenant(who.tenant.id).await?.version(id).await?;
    let file = app.blobs.open(&version.blob_sha256).await?;
    // The name in both forms of RFC 6266; what cannot stand in a header becomes an underscore in the first.
    let plain: String = version
        .file_name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".-_ ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let disposition = format!(
        "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
        words::query_escape(&version.file_name)
    );
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, documents::stream(file)).into_response())
}
