//! One document as its page shows it: versions, reading quality, chunks.

use askama::Template;
use chrono::{DateTime, Utc};
use plumbline_store::{ChunkRow, Document, Overlay, OverlayPlace, Version};
use uuid::Uuid;

use super::history::{Judgement, VersionLine, version_lines};
use super::overlays::{Mark, OverlayLine, chunk_marks, overlay_lines};
use super::quality::{Catalogue, Quality};
use crate::pages::layout::{Notice, Shell};
use crate::pages::versions::{self, FormatMark};
use crate::pages::words;

/// Chunks on one page.
pub const CHUNKS_PER_PAGE: i64 = 20;

/// The whole page.
#[derive(Debug, Template)]
#[template(path = "document.html")]
pub struct DocumentPage {
    /// Frame.
    pub shell: Shell,
    /// What an action just did.
    pub notices: Vec<Notice>,
    /// The document.
    pub view: DocumentView,
}

/// What changes while a version is being built.
#[derive(Debug, Template)]
#[template(path = "document_body.html")]
pub struct BodyPart {
    /// The document.
    pub view: DocumentView,
}

/// A figure of the version shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Of what.
    pub label: &'static str,
    /// The figure.
    pub value: String,
}

/// A chunk in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkLine {
    /// Number, from 1.
    pub number: i32,
    /// Headings above.
    pub headings: Vec<String>,
    /// Page or row.
    pub place: String,
    /// Tokens.
    pub tokens: i32,
    /// Text.
    pub text: String,
    /// What was laid over it by hand.
    pub marks: Vec<Mark>,
    /// Its passage in the text.
    pub href: String,
    /// The page where it is changed.
    pub edit_href: String,
}

/// A document with the version that is shown.
#[derive(Debug, Clone)]
pub struct DocumentView {
    /// Document.
    pub id: Uuid,
    /// Title.
    pub title: String,
    /// Logical key.
    pub key: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Format.
    pub format: FormatMark,
    /// Number of the version that answers.
    pub live_number: Option<i32>,
    /// Whether the server hands out the original file.
    pub has_original: bool,
    /// How often answers cite it, as a sentence.
    pub cited: String,
    /// Version shown.
    pub shown_id: Uuid,
    /// Its number.
    pub shown_number: i32,
    /// Its figures.
    pub facts: Vec<Fact>,
    /// All versions, newest first.
    pub versions: Vec<VersionLine>,
    /// How well it was read.
    pub quality: Quality,
    /// Overlays.
    pub overlays: Vec<OverlayLine>,
    /// What needs a look.
    pub attention: Option<Notice>,
    /// Whether a version is being built.
    pub working: bool,
    /// Chunks of this page of them.
    pub chunks: Vec<ChunkLine>,
    /// Which chunks these are.
    pub chunk_summary: String,
    /// Why there are none.
    pub no_chunks: &'static str,
    /// Address of the chunks before.
    pub previous: Option<String>,
    /// Address of the chunks after.
    pub next: Option<String>,
    /// Address of this very page.
    pub here: String,
}

/// The address of a chunk's passage.
pub fn passage_href(chunk: &ChunkRow) -> String {
    let row = chunk
        .row_from
        .map(|row| format!("&row={row}"))
        .unwrap_or_default();
    format!(
        "/passages/{}?start={}&end={}{row}#passage",
        chunk.version_id, chunk.text_start, chunk.text_end
    )
}

/// Page or row of a chunk in words.
pub fn chunk_place(chunk: &ChunkRow) -> String {
    words::place(
        (chunk.page_from.map(i64::from), chunk.page_to.map(i64::from)),
        (chunk.row_from, chunk.row_to),
    )
}

/// A text without its empty lines.
pub fn dense(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.join("\n")
}

fn chunk_line(chunk: &ChunkRow, overlays: &[Overlay], places: &[OverlayPlace]) -> ChunkLine {
    ChunkLine {
        number: chunk.ordinal + 1,
        headings: chunk.heading_path.clone(),
        place: chunk_place(chunk),
        tokens: chunk.tokens,
        text: dense(&chunk.body),
        marks: chunk_marks(chunk, overlays, places),
        href: passage_href(chunk),
        edit_href: format!("/chunks/{}", chunk.id),
    }
}

fn facts(version: &Version, now: DateTime<Utc>) -> Vec<Fact> {
    let mut facts = vec![
        Fact {
            label: "Chunks",
            value: words::thousands(version.chunk_count.into()),
        },
        Fact {
            label: "Size",
            value: words::size(version.blob_bytes),
        },
    ];
    if let Some(code) = &version.language {
        facts.push(Fact {
            label: "Language",
            value: words::language(code),
        });
    }
    if let (Some(began), Some(ended)) = (version.started_at, version.finished_at) {
        let ms = (ended - began).num_milliseconds().max(0);
        #[expect(clippy::cast_precision_loss, reason = "a duration shown with two digits")]
        facts.push(Fact {
            label: "Built in",
            value: words::milliseconds(ms as f64),
        });
    }
    facts.push(Fact {
        label: "Received",
        value: words::ago(version.created_at, now),
    });
    facts
}

/// Overlays that do not lie in the version are a person's business.
fn conflict_notice(overlays: &[OverlayLine], shown: &Version) -> Option<Notice> {
    let lost = overlays.iter().filter(|line| line.conflict.is_some()).count();
    (lost > 0).then(|| Notice {
        tone: "warn",
        text: format!(
            "{} made by hand found no place in version {}.",
            words::count(i64::try_from(lost).unwrap_or_default(), "change", "changes"),
            shown.number
        ),
        to_do: "Look at them under “Overlays” below: make them again on the right chunk, or remove them."
            .to_owned(),
    })
}

/// Everything the page is made from.
#[derive(Debug)]
pub struct Material<'a> {
    /// The document.
    pub document: &'a Document,
    /// All its versions, newest first.
    pub versions: &'a [Version],
    /// What the eval said of them.
    pub judged: Judgement<'a>,
    /// The one to show.
    pub shown: &'a Version,
    /// Its chunks on this page.
    pub chunks: &'a [ChunkRow],
    /// Page of the chunks, from 1.
    pub page: i64,
    /// Overlays of the document.
    pub overlays: &'a [Overlay],
    /// Where they lie in the version shown.
    pub places: &'a [OverlayPlace],
    /// Whether the address names the version; else the page follows the one that answers.
    pub pinned: bool,
    /// How many answers cite the document.
    pub cited: i64,
    /// Words for warning codes.
    pub catalogue: Catalogue,
    /// The present time.
    pub now: DateTime<Utc>,
}

impl DocumentView {
    /// The view of a document.
    pub fn new(from: &Material<'_>) -> Self {
        let (document, shown) = (from.document, from.shown);
        let href = |page: i64| format!("/documents/{}?version={}&page={page}", document.id, shown.id);
        let live = from
            .versions
            .iter()
            .find(|version| Some(version.id) == document.live_version_id);
        let quality = Quality::new(shown, from.catalogue);
        let overlays = overlay_lines(from.overlays, from.places, shown);
        let attention = conflict_notice(&overlays, shown);
        let total = i64::from(shown.chunk_count);
        let before = (from.page - 1) * CHUNKS_PER_PAGE;
        let last = before + i64::try_from(from.chunks.len()).unwrap_or_default();
        Self {
            id: document.id,
            title: document.title.clone(),
            key: document.key.clone(),
            tags: document.tags.clone(),
            format: versions::format_mark(&shown.media_type, &shown.file_name),
            live_number: document.live_number,
            has_original: true,
            cited: match from.cited {
                0 => "No answer has cited it so far.".to_owned(),
                n => format!(
                    "{} that cited it keep their evidence.",
                    words::count(n, "answer", "answers")
                ),
            },
            shown_id: shown.id,
            shown_number: shown.number,
            facts: facts(shown, from.now),
            versions: version_lines(from.versions, live, shown.id, from.judged, from.now),
            quality,
            overlays,
            attention,
            working: from.versions.iter().any(|version| !version.state.is_final()),
            chunks: from
                .chunks
                .iter()
                .map(|chunk| chunk_line(chunk, from.overlays, from.places))
                .collect(),
            chunk_summary: if from.chunks.is_empty() {
                String::new()
            } else {
                format!("{}–{} of {}", before + 1, last, words::thousands(total))
            },
            no_chunks: if shown.state.is_final() {
                "This version has no chunks, so no answer can use it."
            } else {
                "Chunks appear here as soon as the file is read."
            },
            previous: (from.page > 1).then(|| href(from.page - 1)),
            next: (last < total).then(|| href(from.page + 1)),
            here: if from.pinned {
                href(from.page)
            } else {
                format!("/documents/{}?page={}", document.id, from.page)
            },
        }
    }
}
