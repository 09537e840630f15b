//! What a person or a program sees of an ingest.

use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use plumbline_ingest::Progress;
use plumbline_store::{Received, Version, VersionState};
use serde_json::json;

use super::files::Found;

/// How progress is shown.
pub(crate) enum Report {
    /// One JSON object per file when it ended.
    Json,
    /// A bar per file at work on a terminal, a line per file elsewhere.
    Bars(MultiProgress),
}

impl Report {
    pub(crate) fn bars() -> Self {
        Self::Bars(MultiProgress::new())
    }

    /// Shows how far a file is.
    pub(super) fn show(&self, file: &Found, bar: &mut Option<ProgressBar>, progress: Progress) {
        let Self::Bars(bars) = self else {
            return;
        };
        let bar = bar.get_or_insert_with(|| {
            let bar = bars.add(ProgressBar::new(0));
            let style = ProgressStyle::with_template("{prefix:<44!} {msg:<11} {bar:24} {pos}/{len}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(file.key.clone());
            bar
        });
        bar.set_message(progress.state.as_str());
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    }

    /// A file that is stored and built already.
    pub(super) fn unchanged(&self, file: &Found, received: &Received, state: VersionState) {
        if let Self::Json = self {
            let line = json!({
                "file": file.path, "key": file.key, "state": state, "version": received.number, "unchanged": true,
                "same_text": false, "embedded": 0, "reused": 0,
            });
            println!("{line}");
        }
    }

    /// A file that could not even be read; returns the line of the failure.
    pub(super) fn unreadable(&self, file: &Found, reason: &str) -> String {
        if let Self::Json = self {
            let line = json!({
                "file": file.path, "key": file.key, "state": "failed", "unchanged": false, "code": "unreadable",
                "reason": reason, "suggestion": "check that the file exists and may be read",
            });
            println!("{line}");
        }
        format!("{}: unreadable: {reason}", file.path.display())
    }

    /// The end of a file; returns a line if it failed.
    pub(super) fn finish(&self, file: &Found, bar: Option<ProgressBar>, version: &Version) -> Option<String> {
        let reason = version.reason.as_deref().unwrap_or_default();
        match self {
            Self::Json => println!(
                "{}",
                json!({
                    "file": file.path, "key": file.key, "state": version.state, "version": version.number,
                    "unchanged": false, "same_text": version.same_text_as.is_some(),
                    "chunks": version.chunk_count, "embedded": version.windows_embedded,
                    "reused": version.windows_reused, "warnings": version.warnings.0,
                    "code": version.reason_code, "reason": version.reason, "suggestion": version.suggestion,
                    "published": version.published_at.is_some(),
                })
            ),
            Self::Bars(bars) => {
                if let Some(bar) = bar {
                    bar.finish_and_clear();
                    bars.remove(&bar);
                }
                say(bars, &line(file, version, reason));
            }
        }
        let failed = matches!(version.state, VersionState::Failed | VersionState::Cancelled);
        failed.then(|| {
            let code = version.reason_code.as_deref().unwrap_or_default();
            let suggestion = version.suggestion.as_deref().unwrap_or_default();
            format!("{}: {code}: {reason} {suggestion}", file.path.display())
        })
    }

    /// A remark for a person.
    pub(super) fn remark(&self, line: &str) {
        if let Self::Bars(bars) = self {
            say(bars, line);
        }
    }
}

fn say(bars: &MultiProgress, line: &str) {
    // a line that cannot be drawn above the bars is still worth printing
    if !std::io::stderr().is_terminal() || bars.println(line).is_err() {
        eprintln!("{line}");
    }
}

fn line(file: &Found, version: &Version, reason: &str) -> String {
    let (key, chunks) = (&file.key, version.chunk_count);
    let warnings = version.warnings.0.as_array().map_or(0, Vec::len);
    match version.state {
        VersionState::Failed => format!("✗ {key}: {reason}"),
        VersionState::Cancelled => format!("✗ {key}: cancelled"),
        _ if version.same_text_as.is_some() => format!("✓ {key}: the text did not change"),
        _ => {
            let warnings = if warnings > 0 {
                format!(", {warnings} warnings")
            } else {
                String::new()
            };
            let staged = if version.published_at.is_none() {
                "; not published: an eval run of `plumbline serve` or `plumbline work` decides"
            } else {
                ""
            };
            format!("✓ {key}: {chunks} chunks{warnings}{staged}")
        }
    }
}
