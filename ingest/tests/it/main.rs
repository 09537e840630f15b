//! One binary for all integration tests: linking is what costs time.

mod fixtures;

mod chunking;
mod docx;
mod hostile;
mod isolation;
mod pdf;
mod text;
