//! `/v1/errors`: everything that can be wrong with a file, and what to do about it.

use std::fmt::Write as _;

use axum::Json;
use plumbline_ingest::catalogue::{self, Severity};
use serde::Serialize;
use utoipa::ToSchema;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorSeverity {
    /// Nothing of the file can be used.
    Error,
    /// The file is searchable; something about it deserves a look.
    Warning,
}

/// An entry of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorEntry {
    /// Stable code, as in `reason_code` of a version and `code` of a warning.
    pub code: &'static str,
    /// Error or warning.
    pub severity: ErrorSeverity,
    /// A few words.
    pub title: &'static str,
    /// What happened.
    pub happened: &'static str,
    /// What to do about it.
    pub to_do: &'static str,
}

fn entries() -> Vec<ErrorEntry> {
    catalogue::all()
        .map(|entry| ErrorEntry {
            code: entry.code.as_str(),
            severity: match entry.severity {
                Severity::Error => ErrorSeverity::Error,
                Severity::Warning => ErrorSeverity::Warning,
            },
            title: entry.title,
            happened: entry.happened,
            to_do: entry.to_do,
        })
        .collect()
}

/// The error catalogue: every code that a version or a warning can carry.
#[utoipa::path(get, path = "/v1/errors", tag = "documents", responses((status = 200, body = Vec<ErrorEntry>)))]
pub async fn list() -> Json<Vec<ErrorEntry>> {
    Json(entries())
}

/// The catalogue as a page of the documentation: `docs/errors.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# What can be wrong with a file\n\n\
         Every failed version and every warning carries one of these codes. They are stable: programs may rely on them. The\n\
         same list is served at `/v1/errors`. This page is made by `plumbline errors`; edit `ingest/src/catalogue.rs` instead.\n",
    );
    let parts = [
        (
            ErrorSeverity::Error,
            "Errors",
            "Nothing of the file can be used; an earlier version goes on answering.",
        ),
        (
            ErrorSeverity::Warning,
            "Warnings",
            "The file is searchable; something about it deserves a look.",
        ),
    ];
    for (severity, title, meaning) in parts {
        let _ = write!(page, "\n## {title}\n\n{meaning}\n");
        for entry in entries().iter().filter(|entry| entry.severity == severity) {
            let _ = write!(
                page,
                "\n### `{}`: {}\n\n{} **{}**\n",
                entry.code, entry.title, entry.happened, entry.to_do
            );
        }
    }
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_of_the_documentation_is_the_catalogue() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors.md");
        let written = std::fs::read_to_string(page).unwrap_or_default();
        assert!(
            written == super::markdown(),
            "docs/errors.md is out of date: target/debug/plumbline errors > docs/errors.md"
        );
    }
}
