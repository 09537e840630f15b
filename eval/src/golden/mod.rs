//! The golden set: what it is, how it is read, checked, pinned to its corpus and split.
//!
//! Evidence is a span of a document's canonical text, never a chunk id, so the gold survives any
//! change of the chunker. The set carries the hash of the corpus it was written against; when the
//! corpus moves, each span is looked for again, and a case whose span is gone is *stale* instead
//! of silently wrong.

pub mod case;
pub mod lint;
pub mod load;
pub mod normal;
pub mod pin;
pub mod repin;
pub mod sheet;
pub mod similar;
pub mod split;
pub mod texts;
pub mod verdict;
