//! How a version of a document looks wherever it is shown: format, state, stage, problem.

use chrono::{DateTime, Utc};
use plumbline_store::{NewestVersion, Version, VersionState};
use uuid::Uuid;

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
    /// The version.
    pub version: Uuid,
    /// The present step in words.
    pub label: &'static str,
    /// `page 34 of 120`, or nothing while the amount is unknown.
    pub count: String,
    /// Done of the present step.
    pub done: i64,
    /// All of the present step, 0 when unknown.
    pub total: i64,
    /// Seconds since the present step began; a script goes on counting from here.
    pub seconds: i64,
    /// The same in words.
    pub elapsed: String,
    /// The time that the present step will still take, where it can be told.
    pub left: String,
    /// The steps in order.
    pub steps: Vec<Step>,
}

/// What a version that is being built says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Going<'a> {
    /// Version.
    pub version: Uuid,
    /// State.
    pub state: VersionState,
    /// Done of the present step.
    pub done: i64,
    /// All of the present step, 0 when unknown.
    pub total: i64,
    /// When the version came, or the present step began.
    pub since: DateTime<Utc>,
    /// Name of its file.
    pub file_name: &'a str,
}

impl<'a> Going<'a> {
    /// What a version in the history says.
    pub fn version(version: &'a Version) -> Self {
        Self {
            version: version.id,
            state: version.state,
            done: version.stage_done,
            total: version.stage_total,
            since: version.stage_started_at.unwrap_or(version.created_at),
            file_name: &version.file_name,
        }
    }

    /// What the newest version of a document in a list says.
    pub fn newest(newest: &'a NewestVersion) -> Self {
        Self {
            version: newest.version_id,
            state: newest.state,
            done: newest.stage_done,
            total: newest.stage_total,
            since: newest.stage_started_at.unwrap_or(newest.received_at),
            file_name: &newest.file_name,
        }
    }
}

/// Shortest time after which an estimate means something.
const ESTIMATE_AFTER: i64 = 2;

/// The stage of a version at the time `now`, none when it has ended.
pub fn stage(going: &Going<'_>, now: DateTime<Utc>) -> Option<Stage> {
    let (present, label, unit) = match going.state {
        VersionState::Received => (0, "Waiting its turn", ""),
        VersionState::Extracting => (1, "Reading the file", reading_unit(going.file_name)),
        VersionState::Chunking => (2, "Cutting into chunks", "part"),
        VersionState::Embedding => (3, "Learning what it means", "piece"),
        VersionState::Indexing => (4, "Adding it to the search", "chunk"),
        VersionState::Ready
        | VersionState::ReadyWithWarnings
        | VersionState::Failed
        | VersionState::Cancelled => return None,
    };
    let (total, done) = (going.total.max(0), going.done.clamp(0, going.total.max(0)));
    let count = match (total, going.done) {
        (1.., _) => format!("{unit} {} of {}", words::thousands(done), words::thousands(total)),
        (_, 1..) => format!("{unit} {}", words::thousands(going.done)),
        _ => String::new(),
    };
    let seconds = (now - going.since).num_seconds().max(0);
    let left = if done > 0 && done < total && seconds >= ESTIMATE_AFTER {
        format!(
            "about {} left",
            words::seconds(seconds * (total - done) / done + 1)
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
        version: going.version,
        label,
        count: count.trim_start().to_owned(),
        done,
        total,
        seconds,
        elapsed: words::seconds(seconds),
        left,
        steps,
    })
}

/// What the steps of reading a file are.
fn reading_unit(file_name: &str) -> &'static str {
    match format_mark("", file_name).label {
        "PDF" => "page",
        "CSV" => "row",
        _ => "",
    }
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

    fn going(state: VersionState, done: i64, total: i64) -> Going<'static> {
        Going {
            version: Uuid::nil(),
            state,
            done,
            total,
            since: DateTime::UNIX_EPOCH,
            file_name: "prices.pdf",
        }
    }

    fn after(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::Duration::seconds(seconds)
    }

    #[test]
    fn a_stage_has_its_earlier_steps_done() {
        let stage = stage(&going(VersionState::Embedding, 150, 120), after(5)).unwrap();
        assert_eq!(stage.count, "piece 120 of 120");
        assert_eq!(stage.steps.iter().filter(|step| step.done).count(), 3);
        assert!(stage.steps[3].now);
        assert!(stage.left.is_empty(), "nothing is left of a step that is done");
        assert!(super::stage(&going(VersionState::Ready, 0, 0), after(5)).is_none());
    }

    #[test]
    fn a_stage_says_how_long_it_takes_once_that_can_be_told() {
        let at = |done, total, seconds| {
            let stage = stage(&going(VersionState::Extracting, done, total), after(seconds)).unwrap();
            (stage.count, stage.elapsed, stage.left)
        };
        let expected =
            |count: &str, elapsed: &str, left: &str| (count.to_owned(), elapsed.to_owned(), left.to_owned());
        assert_eq!(at(0, 0, 0), expected("", "0 s", ""));
        assert_eq!(at(3, 120, 1), expected("page 3 of 120", "1 s", ""));
        assert_eq!(
            at(30, 120, 40),
            expected("page 30 of 120", "40 s", "about 2 min left")
        );
        assert_eq!(at(1_200, 0, 9), expected("page 1,200", "9 s", ""));
    }

    #[test]
    fn a_failure_always_says_something() {
        let problem = problem(VersionState::Failed, None, None, None).unwrap();
        assert!(!problem.reason.is_empty() && !problem.to_do.is_empty());
    }
}
