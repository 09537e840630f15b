//! The `plumbline` program: HTTP API, WhatsApp, admin pages, workers and command line.
//!
//! A message comes in at [`http::webhook`], is answered by [`worker::turn`] and leaves through [`worker::send`]. A
//! document comes in at [`http::documents`], a page or the command line and is built by [`worker::document`]. All state
//! is in the store: any of these processes may be killed and started again, alone or in numbers.

pub mod app;
pub mod changes;
pub mod cli;
mod commands;
pub mod config;
pub mod documents;
pub mod embedding;
pub mod filter;
pub mod grow;
pub mod http;
pub mod pages;
pub mod password;
pub mod simulator;
pub mod traces;
pub mod watch;
pub mod whatsapp;
pub mod worker;

pub use commands::serve::serve_on;
