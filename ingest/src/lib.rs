//! From the bytes of an uploaded file to the chunks that are searched.
//!
//! Every format ends in one model: a *canonical text* that is stored for ever, and blocks
//! (headings, paragraphs, list items, table rows) that are byte ranges into it. Chunks and
//! citations are byte ranges into the same text, so whatever an answer quotes can be shown in its
//! context later, even after the parser has changed.
//!
//! Files come from strangers. The parsers therefore run in a child process ([`isolate`]) with
//! memory and time limits; a hostile file ends in an entry of the error [`catalogue`], never in
//! the death of the service.

pub mod block;
pub mod catalogue;
pub mod chunk;
pub mod clean;
pub mod diff;
pub mod extract;
pub mod isolate;
pub mod overlay;
mod pipeline;

pub use block::{Block, BlockKind, ByteRange, Extraction, Format, PageReport, Warning};
pub use catalogue::Code;
pub use chunk::{Chunk, chunk};
pub use extract::{
    ExtractError, Limits, Ocr, Step, Wanted, extract, extract_with, find_libpdfium, ocr_languages,
};
pub use isolate::{Isolation, worker_main};
pub use pipeline::{BuildError, Built, INGEST_QUEUE, NewFile, Pipeline, Progress, WantedOverlay};
pub use plumbline_store::ChunkingSettings;
