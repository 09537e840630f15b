//! The real binary, without a database: golden directories made on the spot and a small server that
//! speaks the real JSON.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail loudly, as the tests do")]

mod baseline;
mod broken_retrieval;
mod ci;
mod complaints;
mod exit_codes;
mod gated;
mod golden_dir;
mod own_set;
mod parity;
mod ratchet;
mod replay;
mod server;
mod tune;
