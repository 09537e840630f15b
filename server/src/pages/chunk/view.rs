//! One chunk as its page shows it.

use askama::Template;
use plumbline_store::{ChunkRow, Document, Overlay, OverlayKind, Version};
use uuid::Uuid;

use crate::pages::document::overlays::factor;
use crate::pages::document::view::{chunk_place, passage_href};
use crate::pages::layout::{Notice, Shell};

/// The whole page.
#[derive(Debug, Template)]
#[template(path = "chunk.html")]
pub struct ChunkPage {
    /// Frame.
    pub shell: Shell,
    /// The chunk.
    pub view: ChunkView,
}

/// What changes when a form is sent.
#[derive(Debug, Template)]
#[template(path = "chunk_body.html")]
pub struct ChunkPart {
    /// The chunk.
    pub view: ChunkView,
}

/// A question that an admin added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its overlay.
    pub overlay: Uuid,
    /// The words.
    pub words: String,
}

/// A chunk with what lies on it.
#[derive(Debug, Clone)]
pub struct ChunkView {
    /// Chunk.
    pub id: Uuid,
    /// Number, from 1.
    pub number: i32,
    /// Chunks of the version.
    pub total: i32,
    /// Title of the document.
    pub title: String,
    /// The document with this chunk's version.
    pub document_href: String,
    /// Headings above.
    pub headings: Vec<String>,
    /// Page or row.
    pub place: String,
    /// Tokens.
    pub tokens: i32,
    /// Number of the version.
    pub version: i32,
    /// Number of the version that answers, when it is another one.
    pub other_live: Option<i32>,
    /// Text, as it is cut.
    pub text: String,
    /// Its passage in the text.
    pub href: String,
    /// Page of the chunk before.
    pub previous: Option<String>,
    /// Page of the chunk after.
    pub next: Option<String>,
    /// Overlay that hides it.
    pub disabled: Option<Uuid>,
    /// Overlay that prefers it.
    pub pinned: Option<Uuid>,
    /// Overlay that weighs it.
    pub boosted: Option<Uuid>,
    /// Its weight.
    pub factor: String,
    /// Questions.
    pub questions: Vec<Question>,
    /// Overlay that corrected its text.
    pub edited: Option<Uuid>,
    /// What the field for the text holds.
    pub draft: String,
    /// Lines of that field.
    pub draft_rows: usize,
    /// What the field for a question holds.
    pub question: String,
    /// What was just done, or refused.
    pub notices: Vec<Notice>,
}

/// Everything the page is made from.
#[derive(Debug)]
pub struct Material<'a> {
    /// The document.
    pub document: &'a Document,
    /// The chunk's version.
    pub version: &'a Version,
    /// The chunk.
    pub chunk: &'a ChunkRow,
    /// It and its neighbours, in order.
    pub near: &'a [ChunkRow],
    /// What lies on it, oldest first.
    pub overlays: Vec<&'a Overlay>,
    /// What was just done, or refused.
    pub notices: Vec<Notice>,
    /// A text that was refused.
    pub typed_text: Option<String>,
    /// A question that was refused.
    pub typed_question: Option<String>,
}

impl ChunkView {
    /// The view of a chunk.
    pub fn new(from: &Material<'_>) -> Self {
        let (chunk, document) = (from.chunk, from.document);
        let last = |kind: OverlayKind| {
            let of_kind = from.overlays.iter().rev().find(|overlay| overlay.kind == kind);
            of_kind.map(|overlay| overlay.id)
        };
        let neighbour = |ordinal: i32| {
            let found = from.near.iter().find(|near| near.ordinal == ordinal);
            found.map(|near| format!("/chunks/{}", near.id))
        };
        let questions = from
            .overlays
            .iter()
            .filter(|overlay| overlay.kind == OverlayKind::Question);
        let draft = from.typed_text.clone().unwrap_or_else(|| chunk.body.clone());
        Self {
            id: chunk.id,
            number: chunk.ordinal + 1,
            total: from.version.chunk_count,
            title: document.title.clone(),
            document_href: format!(
                "/documents/{}?version={}&page={}#c-{}",
                document.id,
                from.version.id,
                i64::from(chunk.ordinal) / crate::pages::document::view::CHUNKS_PER_PAGE + 1,
                chunk.ordinal + 1
            ),
            headings: chunk.heading_path.clone(),
            place: chunk_place(chunk),
            tokens: chunk.tokens,
            version: from.version.number,
            other_live: document.live_number.filter(|&live| live != from.version.number),
            text: chunk.body.clone(),
            href: passage_href(chunk),
            previous: neighbour(chunk.ordinal - 1),
            next: neighbour(chunk.ordinal + 1),
            disabled: last(OverlayKind::Disable),
            pinned: last(OverlayKind::Pin),
            boosted: last(OverlayKind::Boost),
            factor: factor(chunk.boost),
            questions: questions
                .map(|overlay| Question {
                    overlay: overlay.id,
                    words: overlay.body.clone().unwrap_or_default(),
                })
                .collect(),
            edited: last(OverlayKind::Edit),
            // a line of the field holds about 80 letters
            draft_rows: draft
                .lines()
                .map(|line| line.len() / 80 + 1)
                .sum::<usize>()
                .clamp(4, 24),
            draft,
            question: from.typed_question.clone().unwrap_or_default(),
            notices: from.notices.clone(),
        }
    }
}
