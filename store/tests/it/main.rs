//! Integration tests of the store, each on a fresh database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod access;
mod blobs;
mod documents;
mod eval_runs;
mod golden_drafts;
mod inbound;
mod jobs;
mod local;
mod recall_audits;
mod retention;
mod s3_server;
mod support;
mod tenants;
mod traces;
mod vector_index;
