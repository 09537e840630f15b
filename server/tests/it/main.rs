//! Integration tests of the server: real PostgreSQL, real model, real files, and a Graph server that speaks Meta's
//! protocol.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod access;
mod api;
mod command_line;
mod conversations;
mod crash;
mod events;
mod ingest_kill;
mod signals;
mod support;
mod webhook;
