//! All SQL, and everything else that must survive a crash.
//!
//! PostgreSQL is the one truth: documents and their versions, chunks and vectors, the job queue, conversations, answers,
//! the outbox and the settings. Every statement runs inside a [`TenantTx`] or a [`SystemTx`], and row-level security in
//! the database holds the line behind them. Original files lie beside it in a content-addressed [`BlobStore`]. On a
//! laptop or in CI the database is a private cluster that [`local::LocalPostgres`] starts by itself.

mod access;
mod answer;
mod blob;
mod build;
mod chunk;
mod conversation;
mod document;
mod embedded;
mod error;
mod eval_history;
mod eval_run;
mod fill;
mod filter;
mod golden_draft;
mod idempotency;
mod inbound;
mod job;
pub mod local;
mod outbox;
mod overlay;
mod paths;
mod pool;
mod progress;
mod recall_audit;
mod retention;
mod revision;
mod search;
mod settings;
mod stage;
mod tags;
mod tenant;
mod tenant_model;
pub mod testing;
mod trace;
mod vector_index;
mod version;

pub use access::{Admin, ApiKey, Secret};
pub use answer::{AnswerRow, NewAnswer, NewCitation};
pub use blob::{
    BlobReader, BlobStore, BlobWriter, Finished, LocalBlob, S3Blobs, S3Credentials, S3Options, S3Timeouts,
};
pub use build::{BuiltVersion, Completed, NewChunk, NewExtraction, NewWindow, SavedExtraction};
pub use chunk::ChunkRow;
pub use conversation::{Aliases, Conversation, Said, Turn};
pub use document::{Document, DocumentFilter, NewestVersion, StateCount};
pub use embedded::{NeededVector, NewVector};
pub use error::StoreError;
pub use eval_history::{JudgedRun, TrendPoint};
pub use eval_run::{EvalRun, EvalState, GATE_QUEUE, Publication, Verdict, VisibleDocument};
pub use fill::{UnembeddedWindow, WindowSource};
pub use filter::Filter;
pub use golden_draft::{
    AskedAnswer, DraftKind, DraftReason, DraftState, DraftTurn, GoldenDraft, NewDraft, Scrubbed, question_key,
};
pub use idempotency::Replay;
pub use inbound::{Channel, ELEMENT_QUEUE, Element, ElementKind, NewElement, Stored, TURN_QUEUE};
pub use job::{DeadJob, Failed, Job, NewJob, QueueDepth};
pub use outbox::{OutboxPart, SEND_QUEUE, StatusReport};
pub use overlay::{NewOverlay, NewPlace, Overlay, OverlayKind, OverlayPlace, Overlays};
pub use paths::DataDir;
pub use pool::{ServerVersions, Store, SystemTx, TenantTx};
pub use progress::{VersionNotes, VersionProgress};
pub use recall_audit::{NewRecallAudit, RECALL_QUEUE, RECALL_WANTED, RecallAudit};
pub use revision::{Changes, LiveChunk};
pub use search::{LiveHit, PassageQuery, Scope, SearchState, VectorMatch, VectorScan};
pub use settings::{
    AnswerSettings, ChunkingSettings, ConversationSettings, ExtractionSettings, Fusion, PublishingSettings,
    RerankBy, RetrievalSettings, RoutingSettings, Settings, SettingsEntry, SettingsProblem, SettingsVersion,
    TraceSettings, UploadSettings,
};
pub use sqlx::types::Json;
pub use tags::Tags;
pub use tenant::Tenant;
pub use tenant_model::{MODEL_QUEUE, Switched, TenantModel};
pub use trace::{NewTrace, StoredTrace, TraceFilter, TraceRow, TraceSource};
pub use vector_index::{TenantIndex, VECTOR_INDEX_QUEUE, VectorIndex};
pub use version::{NewVersion, Received, Version, VersionState};
