//! The real binary, without a database: golden directories made on the spot and a small server that
//! speaks the real JSON.

mod exit_codes;
mod golden_dir;
mod server;
