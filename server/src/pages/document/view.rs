//! One document as its page shows it: versions, reading quality, chunks.

use askama::Template;
use chrono::{DateTime, Utc};
use plumbline_store::{ChunkRow, Document, Version};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::pages::layout::{Badge, Notice, Problem, Shell};
use crate::pages::versions::{self, FormatMark, Stage};
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

/// A version in the history.
#[derive(Debug, Clone)]
pub struct VersionLine {
    /// Version.
    pub id: Uuid,
    /// Number.
    pub number: i32,
    /// Class of its point on the line.
    pub tone: &'static str,
    /// Whether the page shows its chunks.
    pub shown: bool,
    /// Whether it answers.
    pub live: bool,
    /// State, once ended.
    pub badge: Badge,
    /// How far it is, until then.
    pub stage: Option<Stage>,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// When it came.
    pub received: String,
    /// When it came, for programs.
    pub received_iso: String,
    /// Size.
    pub size: String,
    /// What was done for it.
    pub work: String,
    /// Words of the button that makes it the live one, where that is possible.
    pub publish: Option<&'static str>,
    /// Whether it may be tried again.
    pub can_retry: bool,
}

/// Something the extraction wants an admin to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarningLine {
    /// Title of its entry in the catalogue.
    pub title: String,
    /// About this file.
    pub message: String,
    /// What to do.
    pub to_do: String,
    /// Page or row.
    pub place: String,
}

/// How one page was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageMark {
    /// Page, from 1.
    pub number: u32,
    /// Class of the style sheet.
    pub tone: &'static str,
    /// In words.
    pub words: String,
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
    /// Its passage in the text.
    pub href: String,
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
    /// Warnings.
    pub warnings: Vec<WarningLine>,
    /// Pages.
    pub pages: Vec<PageMark>,
    /// Whether any page needs a look, so that the colours need a legend.
    pub doubtful: bool,
    /// The quality in a few words.
    pub quality_summary: String,
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
    /// Whether the page should ask again.
    pub polls: bool,
    /// Address of this very page.
    pub here: String,
}

#[derive(Debug, Deserialize)]
struct StoredWarning {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    page: Option<i64>,
    row: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct StoredPage {
    page: u32,
    #[serde(default)]
    chars: i64,
    #[serde(default)]
    replacement_share: f32,
    #[serde(default)]
    private_use_share: f32,
    #[serde(default)]
    looks_scanned: bool,
    #[serde(default)]
    reading_order_doubt: bool,
}

/// A heading and a remedy for the code of a warning.
pub type Catalogue = fn(&str) -> Option<(&'static str, &'static str)>;

fn stored<T: serde::de::DeserializeOwned>(list: &Value) -> Vec<T> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| serde_json::from_value(entry.clone()).ok())
        .collect()
}

fn warning_lines(list: &Value, catalogue: Catalogue) -> Vec<WarningLine> {
    stored::<StoredWarning>(list)
        .into_iter()
        .map(|warning| {
            let (title, to_do) = catalogue(&warning.code).unwrap_or(("Warning", ""));
            WarningLine {
                title: title.to_owned(),
                to_do: to_do.to_owned(),
                place: words::place((warning.page, None), (warning.row, None)),
                message: words::sentence(&warning.message),
            }
        })
        .collect()
}

fn page_marks(list: &Value) -> Vec<PageMark> {
    stored::<StoredPage>(list)
        .into_iter()
        .map(|page| {
            let garbled = page.replacement_share + page.private_use_share;
            let (tone, words) = match () {
                () if page.looks_scanned => ("bad", "looks scanned, no text".to_owned()),
                () if page.chars == 0 => ("bad", "no text".to_owned()),
                () if garbled > 0.3 => (
                    "bad",
                    format!("{:.0} % of the letters are garbled", garbled * 100.0),
                ),
                () if garbled > 0.02 => (
                    "warn",
                    format!("{:.0} % of the letters are garbled", garbled * 100.0),
                ),
                () if page.reading_order_doubt => ("warn", "the reading order was guessed".to_owned()),
                () => ("", words::count(page.chars, "character", "characters")),
            };
            PageMark {
                number: page.page,
                tone,
                words,
            }
        })
        .collect()
}

fn quality_summary(pages: &[PageMark], warnings: usize) -> String {
    let doubtful = pages.iter().filter(|page| !page.tone.is_empty()).count();
    let of = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    match (pages.len(), doubtful) {
        (0, _) => words::count(of(warnings), "warning", "warnings"),
        (all, 0) => format!("{} read well", words::count(of(all), "page", "pages")),
        (all, bad) => format!(
            "{} of {} need a look",
            bad,
            words::count(of(all), "page", "pages")
        ),
    }
}

/// The address of a chunk's passage.
fn passage_href(chunk: &ChunkRow) -> String {
    let row = chunk
        .row_from
        .map(|row| format!("&row={row}"))
        .unwrap_or_default();
    format!(
        "/passages/{}?start={}&end={}{row}#passage",
        chunk.version_id, chunk.text_start, chunk.text_end
    )
}

fn chunk_line(chunk: &ChunkRow) -> ChunkLine {
    ChunkLine {
        number: chunk.ordinal + 1,
        headings: chunk.heading_path.clone(),
        place: words::place(
            (chunk.page_from.map(i64::from), chunk.page_to.map(i64::from)),
            (chunk.row_from, chunk.row_to),
        ),
        tokens: chunk.tokens,
        text: chunk
            .body
            .split('\n')
            .filter(|line| !line.trim().is_empty())
            .collect::<Vec<_>>()
            .join("\n"),
        href: passage_href(chunk),
    }
}

fn work_done(version: &Version) -> String {
    if !version.state.is_ready() {
        return version.file_name.clone();
    }
    let windows = match (version.windows_embedded, version.windows_reused) {
        (0, 0) => String::new(),
        (new, 0) => format!(", {} embedded", words::thousands(new.into())),
        (new, kept) => {
            format!(
                ", {} embedded and {} kept",
                words::thousands(new.into()),
                words::thousands(kept.into())
            )
        }
    };
    format!(
        "{}{windows}",
        words::count(version.chunk_count.into(), "chunk", "chunks")
    )
}

fn version_line(version: &Version, live: Option<&Version>, shown: Uuid) -> VersionLine {
    let is_live = live.is_some_and(|live| live.id == version.id);
    let failed = version.state == plumbline_store::VersionState::Failed;
    VersionLine {
        id: version.id,
        number: version.number,
        tone: if is_live {
            "live"
        } else if failed {
            "bad"
        } else {
            ""
        },
        shown: version.id == shown,
        live: is_live,
        badge: versions::badge(version.state, version.warnings.0.as_array().map_or(0, Vec::len)),
        stage: versions::stage(version.state, version.stage_done, version.stage_total),
        problem: versions::problem(
            version.state,
            version.reason_code.as_deref(),
            version.reason.as_deref(),
            version.suggestion.as_deref(),
        ),
        received: words::moment(version.created_at),
        received_iso: version.created_at.to_rfc3339(),
        size: words::size(version.blob_bytes),
        work: work_done(version),
        publish: (version.state.is_ready() && !is_live).then_some(match live {
            Some(live) if live.number > version.number => "Roll back to this version",
            _ => "Publish",
        }),
        can_retry: failed || version.state == plumbline_store::VersionState::Cancelled,
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

/// Everything the page is made from.
#[derive(Debug)]
pub struct Material<'a> {
    /// The document.
    pub document: &'a Document,
    /// All its versions, newest first.
    pub versions: &'a [Version],
    /// The one to show.
    pub shown: &'a Version,
    /// Its chunks on this page.
    pub chunks: &'a [ChunkRow],
    /// Page of the chunks, from 1.
    pub page: i64,
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
        let pages = page_marks(&shown.pages.0);
        let warnings = warning_lines(&shown.warnings.0, from.catalogue);
        let total = i64::from(shown.chunk_count);
        let before = (from.page - 1) * CHUNKS_PER_PAGE;
        let last = before + i64::try_from(from.chunks.len()).unwrap_or_default();
        Self {
            id: document.id,
            title: document.title.clone(),
            key: document.key.clone(),
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
            versions: from
                .versions
                .iter()
                .map(|version| version_line(version, live, shown.id))
                .collect(),
            quality_summary: quality_summary(&pages, warnings.len()),
            warnings,
            doubtful: pages.iter().any(|page| !page.tone.is_empty()),
            pages,
            chunks: from.chunks.iter().map(chunk_line).collect(),
            chunk_summary: if from.chunks.is_empty() {
                String::new()
            } else {
                format!("{}–{} of {}", before + 1, last, words::thousands(total))
            },
            no_chunks: if shown.state.is_final() {
                "This version has no chunks."
            } else {
                "Chunks appear here as soon as the file is read."
            },
            previous: (from.page > 1).then(|| href(from.page - 1)),
            next: (last < total).then(|| href(from.page + 1)),
            polls: from.versions.iter().any(|version| !version.state.is_final()),
            here: href(from.page),
        }
    }
}
