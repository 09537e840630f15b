//! The published layout of `report.json`: [`docs/report.schema.json`] in the repository, JSON Schema 2020-12.
//!
//! [`docs/report.schema.json`]: https://json-schema.org/draft/2020-12

use schemars::{JsonSchema, schema_for};

use super::Report;

/// The schema as it is published.
pub fn schema() -> String {
    let schema = schema_for!(Report);
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text + "\n"
}

/// Layout of the stage timings, which another crate owns.
#[derive(JsonSchema)]
#[schemars(rename = "Timings")]
#[expect(
    dead_code,
    clippy::struct_field_names,
    reason = "only its layout is used, under the names of the file"
)]
pub(super) struct TimingsLayout {
    /// Routing, milliseconds.
    route_ms: f64,
    /// Embedding the question, milliseconds.
    embed_ms: f64,
    /// Lexical leg, milliseconds.
    lexical_ms: f64,
    /// Vector leg, milliseconds.
    vector_ms: f64,
    /// Fusion and loading the hits, milliseconds.
    fuse_ms: f64,
    /// Composing the reply, milliseconds.
    compose_ms: f64,
    /// Grounding checks and decision, milliseconds.
    ground_ms: f64,
    /// Everything, start to end, milliseconds.
    total_ms: f64,
}
