//! Integration tests of the server: real PostgreSQL, real model, real files, and a Graph server that speaks Meta's
//! protocol.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod api;
mod conversations;
mod crash;
mod support;
mod webhook;
