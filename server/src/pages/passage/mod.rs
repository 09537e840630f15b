//! The passage that a sentence rests on, in the text it was taken from.
//!
//! The text of a version is kept for ever, so the evidence of an old answer stays readable after its document was
//! replaced or deleted; the page says which.

pub mod view;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Html;
use plumbline_store::{Document, StoreError, Version};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use view::{PageStart, PassagePage, PassageView, Range};

use super::layout::{Badge, Tab};
use super::session::Viewer;
use super::trouble::Trouble;
use super::words;
use crate::app::App;

/// Bytes of text shown around a passage at first.
const REACH: usize = 1_600;
/// Most bytes shown on one side.
const FARTHEST: usize = 400_000;

/// Which passage, and how much around it.
#[derive(Debug, Deserialize)]
pub struct Asked {
    start: Option<usize>,
    end: Option<usize>,
    row: Option<i64>,
    before: Option<usize>,
    after: Option<usize>,
}

/// `GET /passages/{version}`
pub async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Trouble> {
    let (Some(start), Some(end)) = (asked.start, asked.end) else {
        return Err(Trouble::BadAddress(
            "It names no passage: start and end are missing.",
        ));
    };
    let mut tx = app.store.tenant(viewer.tenant.id).await?;
    let version = tx.version(id).await?;
    let text = tx.version_text(id).await?;
    let document = match tx.document(version.document_id).await {
        Ok(document) => Some(document),
        Err(StoreError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    drop(tx);
    let passage = view::fit(&text, Range { start, end }).ok_or(Trouble::BadAddress(
        "The text of this version has no such passage.",
    ))?;
    let shell = viewer.shell(Tab::Documents);
    let view = compose(
        &text,
        passage,
        &version,
        document.as_ref(),
        &asked,
        viewer.email.is_some(),
    );
    Ok(Html(PassagePage { shell, view }.render()?))
}

fn compose(
    text: &str,
    passage: Range,
    version: &Version,
    document: Option<&Document>,
    asked: &Asked,
    may_see_documents: bool,
) -> PassageView {
    let before = asked.before.unwrap_or(REACH).min(FARTHEST);
    let after = asked.after.unwrap_or(REACH).min(FARTHEST);
    let window = view::window(text, passage, before, after);
    let pages = page_starts(&version.pages.0);
    let (standing, live) = standing(version, document);
    let link = |before, after| view::href(version.id, passage, before, after);
    PassageView {
        title: document.map_or_else(|| version.file_name.clone(), |document| document.title.clone()),
        place: place(&pages, passage, asked.row, text.len()),
        number: version.number,
        standing,
        live_href: live
            .filter(|_| may_see_documents)
            .map(|id| format!("/documents/{id}")),
        document_href: document
            .filter(|_| may_see_documents)
            .map(|document| format!("/documents/{}?version={}", document.id, version.id)),
        pieces: view::pieces(text, passage, window, &pages),
        earlier: (window.start > 0 && before < FARTHEST).then(|| link(before * 4, after)),
        later: (window.end < text.trim_end().len() && after < FARTHEST).then(|| link(before, after * 4)),
    }
}

/// Whether the version answers today, and the document to open if another one does.
fn standing(version: &Version, document: Option<&Document>) -> (Badge, Option<Uuid>) {
    let Some(document) = document else {
        return (
            Badge {
                tone: "bad",
                label: "Deleted: no answer uses it any more",
            },
            None,
        );
    };
    match document.live_version_id {
        Some(live) if live == version.id => (
            Badge {
                tone: "ok",
                label: "This version answers",
            },
            None,
        ),
        Some(_) if document.live_number.is_some_and(|live| live > version.number) => (
            Badge {
                tone: "warn",
                label: "Replaced: a newer version answers",
            },
            Some(document.id),
        ),
        Some(_) => (
            Badge {
                tone: "warn",
                label: "Another version answers",
            },
            Some(document.id),
        ),
        None => (
            Badge {
                tone: "",
                label: "Not published",
            },
            None,
        ),
    }
}

fn page_starts(pages: &Value) -> Vec<PageStart> {
    let start = |page: &Value| {
        Some(PageStart {
            page: u32::try_from(page["page"].as_u64()?).ok()?,
            start: usize::try_from(page["range"]["start"].as_u64()?).ok()?,
        })
    };
    let mut starts: Vec<PageStart> = pages.as_array().into_iter().flatten().filter_map(start).collect();
    starts.sort_by_key(|page| (page.start, page.page));
    starts
}

fn place(pages: &[PageStart], passage: Range, row: Option<i64>, length: usize) -> String {
    let page_at = |at: usize| {
        pages
            .iter()
            .rev()
            .find(|page| page.start <= at)
            .map(|page| i64::from(page.page))
    };
    let place = words::place((page_at(passage.start), page_at(passage.end - 1)), (row, None));
    if place.is_empty() {
        format!("{} % into the text", passage.start * 100 / length.max(1))
    } else {
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_is_the_pages_it_covers() {
        let pages = page_starts(&json!([
            {"page": 2, "range": {"start": 100, "end": 200}},
            {"page": 1, "range": {"start": 0, "end": 100}},
            {"page": 3, "range": {"start": 200, "end": 300}},
            {"no": "page"}
        ]));
        let at = |start, end| place(&pages, Range { start, end }, None, 300);
        assert_eq!(
            [at(0, 100), at(90, 110), at(250, 260)],
            ["page 1", "pages 1–2", "page 3"]
        );
        assert_eq!(
            place(&[], Range { start: 150, end: 160 }, None, 300),
            "50 % into the text"
        );
        assert_eq!(place(&[], Range { start: 150, end: 160 }, Some(7), 300), "row 7");
    }
}
