//! Integration tests of the server: real PostgreSQL, real model, real files, and a Graph server that speaks Meta's
//! protocol.

mod api;
mod conversations;
mod crash;
mod support;
mod webhook;
