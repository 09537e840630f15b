//! One binary for all integration tests: linking is what costs time.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]
#![expect(clippy::format_push_string, reason = "brevity over allocations in fixtures")]

mod fixtures;

mod chunking;
mod csv;
mod docx;
mod hostile;
mod isolation;
mod pdf;
mod pdf_forms;
mod pdf_hidden;
mod pdf_layout;
mod pdf_ocr;
mod pdf_repair;
mod pieces;
mod pipeline;
mod text;
