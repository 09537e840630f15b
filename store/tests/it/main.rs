//! Integration tests of the store, each on a fresh database.

mod documents;
mod inbound;
mod jobs;
mod support;
mod tenants;
