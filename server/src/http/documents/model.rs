//! Documents, versions and what belongs to them, as the API shows them.

use chrono::{DateTime, Utc};
use plumbline_ingest::Code;
use plumbline_store::{self as store, VersionState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::watch::{Pace, STAGES, stage};

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Stored, waiting for a worker.
    Received,
    /// Text is being read out of the file.
    Extracting,
    /// Text is being cut.
    Chunking,
    /// Windows are being embedded.
    Embedding,
    /// Chunks and vectors are being written.
    Indexing,
    /// Complete.
    Ready,
    /// Complete, and something about the file deserves a look.
    ReadyWithWarnings,
    /// Ended with a reason.
    Failed,
    /// Ended by a person.
    Cancelled,
}

impl From<VersionState> for State {
    fn from(state: VersionState) -> Self {
        match state {
            VersionState::Received => Self::Received,
            VersionState::Extracting => Self::Extracting,
            VersionState::Chunking => Self::Chunking,
            VersionState::Embedding => Self::Embedding,
            VersionState::Indexing => Self::Indexing,
            VersionState::Ready => Self::Ready,
            VersionState::ReadyWithWarnings => Self::ReadyWithWarnings,
            VersionState::Failed => Self::Failed,
            VersionState::Cancelled => Self::Cancelled,
        }
    }
}

impl From<State> for VersionState {
    fn from(state: State) -> Self {
        match state {
            State::Received => Self::Received,
            State::Extracting => Self::Extracting,
            State::Chunking => Self::Chunking,
            State::Embedding => Self::Embedding,
            State::Indexing => Self::Indexing,
            State::Ready => Self::Ready,
            State::ReadyWithWarnings => Self::ReadyWithWarnings,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
        }
    }
}

/// A document with its newest version.
#[derive(Debug, Serialize, ToSchema)]
pub struct Document {
    /// Identifier.
    pub id: Uuid,
    /// Logical key: uploads of one key are versions of one document.
    pub key: String,
    /// Title shown to people.
    pub title: String,
    /// Tags: a search can be limited to them.
    pub tags: Vec<String>,
    /// The version that answers, if any.
    pub live_version_id: Option<Uuid>,
    /// Its number.
    pub live_number: Option<i32>,
    /// First upload.
    pub created_at: DateTime<Utc>,
    /// The newest version.
    pub newest_version: NewestVersion,
}

impl Document {
    /// At the time `now` of the database.
    pub fn new(document: store::Document, now: DateTime<Utc>) -> Self {
        Self {
            id: document.id,
            key: document.key,
            title: document.title,
            tags: document.tags,
            live_version_id: document.live_version_id,
            live_number: document.live_number,
            created_at: document.created_at,
            newest_version: NewestVersion::new(document.newest, now),
        }
    }
}

/// The newest version of a document.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewestVersion {
    /// Identifier.
    pub version_id: Uuid,
    /// Number, 1-based.
    pub number: i32,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// Media type found in the content, empty until it was read.
    pub media_type: String,
    /// Size in bytes.
    pub blob_bytes: i64,
    /// State.
    pub state: State,
    /// Stage of the build, 1 to `stages`.
    pub stage: u8,
    /// Stages of a build.
    pub stages: u8,
    /// Steps done of the present stage: pages, rows, windows, chunks.
    pub stage_done: i64,
    /// Steps of the present stage, 0 when unknown.
    pub stage_total: i64,
    /// Seconds that the present stage may still take.
    pub estimated_seconds_left: Option<f64>,
    /// Code of the reason of a failure, see `/v1/errors`.
    pub reason_code: Option<String>,
    /// What happened.
    pub reason: Option<String>,
    /// What to do about it.
    pub suggestion: Option<String>,
    /// Warnings.
    pub warning_count: i32,
    /// Chunks.
    pub chunk_count: i32,
    /// Language of the text, ISO 639-1.
    pub language: Option<String>,
    /// The version whose chunks stand for this one's because its text is the same.
    pub same_text_as: Option<Uuid>,
    /// Received.
    pub received_at: DateTime<Utc>,
}

impl NewestVersion {
    fn new(version: store::NewestVersion, now: DateTime<Utc>) -> Self {
        let pace = Pace {
            state: version.state,
            done: version.stage_done,
            total: version.stage_total,
            started_at: None,
            stage_started_at: version.stage_started_at,
            finished_at: None,
            now,
        };
        Self {
            version_id: version.version_id,
            number: version.number,
            file_name: version.file_name,
            media_type: version.media_type,
            blob_bytes: version.blob_bytes,
            state: version.state.into(),
            stage: stage(version.state),
            stages: STAGES,
            stage_done: version.stage_done,
            stage_total: version.stage_total,
            estimated_seconds_left: pace.estimated_seconds_left(),
            reason_code: version.reason_code,
            reason: version.reason,
            suggestion: version.suggestion,
            warning_count: version.warning_count,
            chunk_count: version.chunk_count,
            language: version.language,
            same_text_as: version.same_text_as,
            received_at: version.received_at,
        }
    }
}

/// A version of a document.
#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    /// Identifier.
    pub id: Uuid,
    /// Document.
    pub document_id: Uuid,
    /// Number, 1-based.
    pub number: i32,
    /// Whether customers are answered from it now.
    pub live: bool,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// Media type found in the content, empty until it was read.
    pub media_type: String,
    /// sha256 of the bytes.
    pub blob_sha256: String,
    /// Size in bytes.
    pub blob_bytes: i64,
    /// State.
    pub state: State,
    /// Stage of the build, 1 to `stages`.
    pub stage: u8,
    /// Stages of a build.
    pub stages: u8,
    /// Steps done of the present stage: pages, rows, windows, chunks.
    pub stage_done: i64,
    /// Steps of the present stage, 0 when unknown.
    pub stage_total: i64,
    /// Seconds of work so far, or in all.
    pub elapsed_seconds: Option<f64>,
    /// Seconds that the present stage may still take.
    pub estimated_seconds_left: Option<f64>,
    /// Code of the reason of a failure, see `/v1/errors`.
    pub reason_code: Option<String>,
    /// What happened.
    pub reason: Option<String>,
    /// What to do about it.
    pub suggestion: Option<String>,
    /// What an admin should know although the file was read.
    pub warnings: Vec<Warning>,
    /// Pages, for formats that have pages.
    pub page_count: usize,
    /// Language of the text, ISO 639-1.
    pub language: Option<String>,
    /// Chunks.
    pub chunk_count: i32,
    /// Windows embedded for this version.
    pub windows_embedded: i32,
    /// Windows whose vector was known before.
    pub windows_reused: i32,
    /// The version whose chunks stand for this one's because its text is the same.
    pub same_text_as: Option<Uuid>,
    /// Its number.
    pub same_text_as_number: Option<i32>,
    /// Received.
    pub created_at: DateTime<Utc>,
    /// Work began.
    pub started_at: Option<DateTime<Utc>>,
    /// The present stage began.
    pub stage_started_at: Option<DateTime<Utc>>,
    /// Work ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Last published.
    pub published_at: Option<DateTime<Utc>>,
}

/// What the version of a document is shown with.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// All versions of the document.
    pub versions: &'a [store::Version],
    /// The version that answers.
    pub live: Option<Uuid>,
    /// Now, by the clock of the database.
    pub now: DateTime<Utc>,
}

impl Version {
    /// The version as the API shows it.
    pub fn new(version: &store::Version, around: Around<'_>) -> Self {
        let pace = Pace {
            state: version.state,
            done: version.stage_done,
            total: version.stage_total,
            started_at: version.started_at,
            stage_started_at: version.stage_started_at,
            finished_at: version.finished_at,
            now: around.now,
        };
        let stands = version.same_text_as.unwrap_or(version.id);
        let twin = version
            .same_text_as
            .and_then(|id| around.versions.iter().find(|other| other.id == id));
        Self {
            id: version.id,
            document_id: version.document_id,
            number: version.number,
            live: version.state.is_ready() && around.live == Some(stands),
            file_name: version.file_name.clone(),
            media_type: version.media_type.clone(),
            blob_sha256: hex::encode(&version.blob_sha256),
            blob_bytes: version.blob_bytes,
            state: version.state.into(),
            stage: stage(version.state),
            stages: STAGES,
            stage_done: version.stage_done,
            stage_total: version.stage_total,
            elapsed_seconds: pace.elapsed_seconds(),
            estimated_seconds_left: pace.estimated_seconds_left(),
            reason_code: version.reason_code.clone(),
            reason: version.reason.clone(),
            suggestion: version.suggestion.clone(),
            warnings: warnings(&version.warnings.0),
            page_count: version.pages.0.as_array().map_or(0, Vec::len),
            language: version.language.clone(),
            chunk_count: version.chunk_count,
            windows_embedded: version.windows_embedded,
            windows_reused: version.windows_reused,
            same_text_as: version.same_text_as,
            same_text_as_number: twin.map(|twin| twin.number),
            created_at: version.created_at,
            started_at: version.started_at,
            stage_started_at: version.stage_started_at,
            finished_at: version.finished_at,
            published_at: version.published_at,
        }
    }
}

/// Something an admin should know although the file was read.
#[derive(Debug, Serialize, ToSchema)]
pub struct Warning {
    /// Stable code, see `/v1/errors`.
    pub code: String,
    /// What the code stands for.
    pub title: String,
    /// What it is about in this file.
    pub message: String,
    /// What to do about it.
    pub to_do: String,
    /// 1-based page.
    pub page: Option<u32>,
    /// 1-based row.
    pub row: Option<u64>,
}

/// The warnings stored with a version, with the catalogue's help.
pub fn warnings(stored: &Value) -> Vec<Warning> {
    stored.as_array().into_iter().flatten().map(warning).collect()
}

fn warning(stored: &Value) -> Warning {
    let text = |field: &str| stored[field].as_str().unwrap_or_default().to_owned();
    let code = text("code");
    let entry = serde_json::from_value::<Code>(stored["code"].clone()).map(Code::entry);
    let (title, to_do) = entry.map_or((code.clone(), String::new()), |entry| {
        (entry.title.to_owned(), entry.to_do.to_owned())
    });
    Warning {
        code,
        title,
        message: text("message"),
        to_do,
        page: stored["page"].as_u64().and_then(|page| u32::try_from(page).ok()),
        row: stored["row"].as_u64(),
    }
}

/// What one page yielded.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PageReport {
    /// 1-based page number.
    pub page: u32,
    /// Characters read, white space not counted.
    pub chars: usize,
    /// Share of characters that stand for one that could not be read.
    pub replacement_share: f32,
    /// Share of private-use characters: glyphs without a meaning anybody can know.
    pub private_use_share: f32,
    /// A picture and (almost) no text.
    pub looks_scanned: bool,
    /// The reading order had to be guessed.
    pub reading_order_doubt: bool,
    /// The page's part of the canonical text.
    pub range: Range,
}

/// A range of bytes of the canonical text.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct Range {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A chunk.
#[derive(Debug, Serialize, ToSchema)]
pub struct Chunk {
    /// Identifier.
    pub id: Uuid,
    /// Version it was cut from.
    pub version_id: Uuid,
    /// Position in the version, from 0.
    pub ordinal: i32,
    /// Start in bytes of the canonical text.
    pub text_start: i64,
    /// End (exclusive).
    pub text_end: i64,
    /// First page, 1-based.
    pub page_from: Option<i32>,
    /// Last page.
    pub page_to: Option<i32>,
    /// First data row, 1-based.
    pub row_from: Option<i64>,
    /// Last data row.
    pub row_to: Option<i64>,
    /// Headings above, outermost first.
    pub heading_path: Vec<String>,
    /// Text.
    pub body: String,
    /// Tokens of the embedding model.
    pub tokens: i32,
    /// An overlay keeps it out of every search.
    pub disabled: bool,
    /// An overlay puts it before others that are about as good.
    pub pinned: bool,
    /// Factor of its score, 1 without an overlay.
    pub boost: f32,
    /// Questions that an admin says it answers.
    pub questions: Vec<String>,
}

impl From<store::ChunkRow> for Chunk {
    fn from(chunk: store::ChunkRow) -> Self {
        Self {
            id: chunk.id,
            version_id: chunk.version_id,
            ordinal: chunk.ordinal,
            text_start: chunk.text_start,
            text_end: chunk.text_end,
            page_from: chunk.page_from,
            page_to: chunk.page_to,
            row_from: chunk.row_from,
            row_to: chunk.row_to,
            heading_path: chunk.heading_path,
            body: chunk.body,
            tokens: chunk.tokens,
            disabled: chunk.disabled,
            pinned: chunk.pinned,
            boost: chunk.boost,
            questions: chunk.questions,
        }
    }
}
