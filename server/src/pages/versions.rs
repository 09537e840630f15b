//! How a version of a document looks wherever it is shown: format, state, stage, problem.

use plumbline_store::VersionState;

use super::layout::{Badge, Problem};
use super::words;

/// The format of a file as a small emblem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatMark {
    /// Class of the style sheet.
    pub class: &'static str,
    /// Letters on the emblem.
    pub label: &'static str,
}

/// The format found in the content, or the one the name promises while nothing was read yet.
pub fn format_mark(media_type: &str, file_name: &str) -> FormatMark {
    let extension = file_name
        .rsplit_once('.')
        .map(|(_, ext)| ext.to_ascii_lowercase())
        .unwrap_or_default();
    match (media_type, extension.as_str()) {
        ("application/pdf", _) | ("", "pdf") => FormatMark {
            class: "pdf",
            label: "PDF",
        },
        ("text/csv", _) | ("", "csv" | "tsv") => FormatMark {
            class: "csv",
            label: "CSV",
        },
        ("text/markdown", _) | ("", "md" | "markdown") => FormatMark {
            class: "text",
            label: "MD",
        },
        ("text/plain", _) | ("", "txt") => FormatMark {
            class: "text",
            label: "TXT",
        },
        (found, _) if found.contains("wordprocessingml") => FormatMark {
            class: "docx",
            label: "DOCX",
        },
        ("", "docx") => FormatMark {
            class: "docx",
            label: "DOCX",
        },
        _ => FormatMark {
            class: "text",
            label: "FILE",
        },
    }
}

/// The state of a version that has ended, or waits, in words.
pub fn badge(state: VersionState, warnings: usize) -> Badge {
    match state {
        VersionState::Ready => Badge {
            tone: "ok",
            label: "Ready",
        },
        VersionState::ReadyWithWarnings if warnings == 1 => Badge {
            tone: "warn",
            label: "Ready, 1 warning",
        },
        VersionState::ReadyWithWarnings => Badge {
            tone: "warn",
            label: "Ready, with warnings",
        },
        VersionState::Failed => Badge {
            tone: "bad",
            label: "Failed",
        },
        VersionState::Cancelled => Badge {
            tone: "",
            label: "Cancelled",
        },
        _ => Badge {
            tone: "busy",
            label: "In progress",
        },
    }
}

/// One of the five steps of building a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// It is over.
    pub done: bool,
    /// It is the present one.
    pub now: bool,
}

/// How far a version is that is being built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The present step in words.
    pub label: &'static str,
    /// `34 of 120`, or nothing while the amount is unknown.
    pub count: String,
    /// Done of the present step.
    pub done: i64,
    /// All of the present step, 0 when unknown.
    pub total: i64,
    /// The steps in order.
    pub steps: Vec<Step>,
}

/// The stage of a version, none when it has ended.
pub fn stage(state: VersionState, done: i64, total: i64) -> Option<Stage> {
    let (present, label) = match state {
        VersionState::Received => (0, "Waiting"),
        VersionState::Extracting => (1, "Reading the file"),
        VersionState::Chunking => (2, "Cutting into chunks"),
        VersionState::Embedding => (3, "Embedding"),
        VersionState::Indexing => (4, "Indexing"),
        VersionState::Ready
        | VersionState::ReadyWithWarnings
        | VersionState::Failed
        | VersionState::Cancelled => {
            return None;
        }
    };
    let count = if total > 0 {
        format!(
            "{} of {}",
            words::thousands(done.min(total)),
            words::thousands(total)
        )
    } else {
        String::new()
    };
    let steps = (0..5)
        .map(|step| Step {
            done: step < present,
            now: step == present,
        })
        .collect();
    Some(Stage {
        label,
        count,
        done: done.clamp(0, total.max(0)),
        total,
        steps,
    })
}

/// Why a version failed, none when it did not.
pub fn problem(
    state: VersionState,
    code: Option<&str>,
    reason: Option<&str>,
    suggestion: Option<&str>,
) -> Option<Problem> {
    (state == VersionState::Failed).then(|| Problem {
        code: code.unwrap_or("unknown").to_owned(),
        reason: words::sentence(reason.unwrap_or("the file could not be read")),
        to_do: words::sentence(suggestion.unwrap_or("try again; if it keeps failing, upload another copy")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_beats_what_the_name_says() {
        assert_eq!(format_mark("application/pdf", "prices.csv").label, "PDF");
        assert_eq!(format_mark("", "Prices.CSV").label, "CSV");
        assert_eq!(format_mark("", "no extension").label, "FILE");
    }

    #[test]
    fn a_stage_has_its_earlier_steps_done() {
        let stage = stage(VersionState::Embedding, 150, 120).unwrap();
        assert_eq!(stage.count, "120 of 120");
        assert_eq!(stage.steps.iter().filter(|step| step.done).count(), 3);
        assert!(stage.steps[3].now);
        assert!(super::stage(VersionState::Ready, 0, 0).is_none());
    }

    #[test]
    fn a_failure_always_says_something() {
        let problem = problem(VersionState::Failed, None, None, None).unwrap();
        assert!(!problem.reason.is_empty() && !problem.to_do.is_empty());
    }
}
