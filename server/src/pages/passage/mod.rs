//! The passage that a sentence rests on, in the text it was taken from.
//!
//! The text of a version is kept for ever, so the evidence of an old answer stays readable after its document was
//! replaced or deleted; the page says which.

pub mod view;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Html;
use plumbline_store::{ChunkRow, Document, StoreError, Version};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use view::{Around, PageStart, PassagePage, PassageView, Range};

use super::document::view::{chunk_place, passage_href};
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
    page: Option<u32>,
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
    let mut tx = app.store.tenant(viewer.tenant.id).await?;
    let version = tx.version(id).await?;
    let text = tx.version_text(id).await?;
    let document = match tx.document(version.document_id).await {
        Ok(document) => Some(document),
        Err(StoreError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let passage = asked.passage(&text, &version.pages.0)?;
    let (before, after) = asked.reach();
    let window = view::window(&text, passage, before, after);
    let offset = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
    let chunks = tx
        .chunks_within(id, offset(window.start), offset(window.end))
        .await?;
    drop(tx);
    let shell = viewer.shell(Tab::Documents);
    let view = compose(&Found {
        text: &text,
        passage,
        window,
        version: &version,
        document: document.as_ref(),
        chunks: &chunks,
        asked: &asked,
        may_see_documents: viewer.email.is_some(),
    });
    Ok(Html(PassagePage { shell, view }.render()?))
}

impl Asked {
    fn reach(&self) -> (usize, usize) {
        // a page is shown alone at first
        let first = if self.page.is_some() { 0 } else { REACH };
        let reach = |wish: Option<usize>| wish.unwrap_or(first).min(FARTHEST);
        (reach(self.before), reach(self.after))
    }

    /// The passage that is meant: from where to where, or all of a page.
    fn passage(&self, text: &str, pages: &Value) -> Result<Range, Trouble> {
        if let Some(page) = self.page {
            return page_range(pages, page)
                .and_then(|range| view::fit(text, range).or_else(|| view::fit_empty(text, range)))
                .ok_or(Trouble::BadAddress("This version has no such page."));
        }
        let (Some(start), Some(end)) = (self.start, self.end) else {
            return Err(Trouble::BadAddress(
                "It names no passage: start and end are missing.",
            ));
        };
        view::fit(text, Range { start, end }).ok_or(Trouble::BadAddress(
            "The text of this version has no such passage.",
        ))
    }
}

/// Everything the page is made from.
struct Found<'a> {
    text: &'a str,
    passage: Range,
    window: Range,
    version: &'a Version,
    document: Option<&'a Document>,
    chunks: &'a [ChunkRow],
    asked: &'a Asked,
    may_see_documents: bool,
}

fn compose(found: &Found<'_>) -> PassageView {
    let (text, passage, window, version) = (found.text, found.passage, found.window, found.version);
    let (before, after) = found.asked.reach();
    let pages = page_starts(&version.pages.0);
    let rows = view::row_starts(text, found.chunks);
    let (standing, live) = standing(version, found.document);
    let link = |before: usize, after: usize| match found.asked.page {
        Some(page) => format!(
            "/passages/{}?page={page}&before={before}&after={after}",
            version.id
        ),
        None => view::href(version.id, passage, before, after),
    };
    let more = |reach: usize| reach.max(REACH / 4) * 4;
    // all of a page marked would only make it harder to read
    let start = window.start;
    let marked = found.asked.page.map_or(passage, |_| Range { start, end: start });
    let title = |document: &Document| document.title.clone();
    let whole_page = found.asked.page.map(|page| format!("page {page}"));
    PassageView {
        title: found.document.map_or_else(|| version.file_name.clone(), title),
        place: whole_page
            .or_else(|| whole_chunk(found))
            .unwrap_or_else(|| place(&pages, passage, found.asked.row, text.len())),
        number: version.number,
        standing,
        live_href: live
            .filter(|_| found.may_see_documents)
            .map(|id| format!("/documents/{id}")),
        document_href: found
            .document
            .filter(|_| found.may_see_documents)
            .map(|document| format!("/documents/{}?version={}", document.id, version.id)),
        around: if found.asked.page.is_none() {
            around(found)
        } else {
            None
        },
        nothing: found
            .asked
            .page
            .filter(|_| passage.start == passage.end)
            .map(|page| format!("No text was read on page {page}.")),
        pieces: view::pieces(text, marked, window, &pages, &rows),
        earlier: (window.start > 0 && before < FARTHEST).then(|| link(more(before), after)),
        later: (window.end < text.trim_end().len() && after < FARTHEST).then(|| link(before, more(after))),
    }
}

/// Pages or rows of the chunk that the passage is, where it is one and has any.
fn whole_chunk(found: &Found<'_>) -> Option<String> {
    let is_it = |chunk: &&ChunkRow| {
        usize::try_from(chunk.text_start) == Ok(found.passage.start)
            && usize::try_from(chunk.text_end) == Ok(found.passage.end)
    };
    let place = found.chunks.iter().find(is_it).map(chunk_place);
    place.filter(|place| !place.is_empty())
}

/// The chunk that holds the passage, with the ways to its neighbours.
fn around(found: &Found<'_>) -> Option<Around> {
    let offset = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
    let (start, end) = (offset(found.passage.start), offset(found.passage.end));
    let index = found
        .chunks
        .iter()
        .position(|chunk| (chunk.text_start, chunk.text_end) == (start, end))
        .or_else(|| {
            let holds = |chunk: &ChunkRow| chunk.text_start <= start && end <= chunk.text_end;
            found.chunks.iter().position(holds)
        })?;
    let chunk = &found.chunks[index];
    let may_edit = found.may_see_documents && found.document.is_some();
    Some(Around {
        number: chunk.ordinal + 1,
        headings: chunk.heading_path.clone(),
        edit_href: may_edit.then(|| format!("/chunks/{}", chunk.id)),
        previous: index
            .checked_sub(1)
            .map(|before| passage_href(&found.chunks[before])),
        next: found.chunks.get(index + 1).map(passage_href),
    })
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

fn page_range(pages: &Value, number: u32) -> Option<Range> {
    let mut pages = pages.as_array()?.iter();
    let page = pages.find(|page| page["page"].as_u64() == Some(number.into()))?;
    Some(Range {
        start: usize::try_from(page["range"]["start"].as_u64()?).ok()?,
        end: usize::try_from(page["range"]["end"].as_u64()?).ok()?,
    })
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
    let place = words::place(
        (page_at(passage.start), page_at(passage.end.saturating_sub(1))),
        (row, None),
    );
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
