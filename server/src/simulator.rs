//! The WhatsApp simulator: a local Graph server that speaks the real protocol, with a page in front of it.

pub mod graph;
