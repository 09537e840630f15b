//! Integration tests of the server: real PostgreSQL, real model, real files, and a Graph server that speaks Meta's
//! protocol.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod access;
mod api;
mod command_line;
mod conversations;
mod crash;
mod documents;
mod events;
mod files;
mod filters;
mod gate;
mod golden;
mod ingest_kill;
mod models;
mod overlays;
mod recall;
#[path = "../../../store/tests/it/s3_server.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of the store, which use more of it"
)]
mod s3_server;
mod settings;
mod signals;
mod support;
mod traces;
mod uploads;
mod webhook;
