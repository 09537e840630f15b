//! One file per sub-command.

pub(crate) mod access;
pub(crate) mod ask;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod extract;
pub(crate) mod grow;
pub(crate) mod ingest;
pub(crate) mod migrate;
pub(crate) mod models;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod stop;
pub(crate) mod traces;
pub(crate) mod with_postgres;
