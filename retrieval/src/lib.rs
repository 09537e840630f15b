//! Hybrid search over live document versions.
mod hit;
pub use hit::{Hit, LegScore};
