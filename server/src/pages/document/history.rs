//! The versions of a document as its page lists them.

use chrono::{DateTime, Utc};
use plumbline_store::{EvalRun, EvalState, Version, VersionState};
use uuid::Uuid;

use crate::pages::evals::{figures, history::badge};
use crate::pages::layout::{Badge, Problem};
use crate::pages::versions::{self, Going, Stage};
use crate::pages::words;

/// A version in the history.
#[derive(Debug, Clone)]
pub struct VersionLine {
    /// Version.
    pub id: Uuid,
    /// Number.
    pub number: i32,
    /// Class of its point on the line.
    pub tone: &'static str,
    /// Whether the page shows its chunks.
    pub shown: bool,
    /// Whether it answers.
    pub live: bool,
    /// State, once ended.
    pub badge: Badge,
    /// How far it is, until then.
    pub stage: Option<Stage>,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// When it came.
    pub received: String,
    /// When it came, for programs.
    pub received_iso: String,
    /// Size.
    pub size: String,
    /// What was done for it.
    pub work: String,
    /// Which version answers in its place, because the text is the same.
    pub same: String,
    /// What it changed.
    pub diff_href: Option<String>,
    /// What the eval said of it.
    pub verdict: Option<VerdictLine>,
    /// Words of the button that makes it the live one, where that is possible.
    pub publish: Option<&'static str>,
    /// Whether that goes over the head of the eval.
    pub unproven: bool,
    /// What may be done about its building.
    pub remedy: Option<Remedy>,
}

/// What the eval said of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictLine {
    /// The page of its run.
    pub href: String,
    /// State.
    pub badge: Badge,
    /// In a sentence.
    pub words: String,
}

/// What the eval said of the versions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Judgement<'a> {
    /// The newest run of each version that has one.
    pub runs: &'a [EvalRun],
    /// Versions that need a verdict before they are published, and have none that passed.
    pub unproven: &'a [(Uuid, String)],
}

impl Judgement<'_> {
    fn verdict(&self, version: Uuid) -> Option<VerdictLine> {
        let run = self.runs.iter().find(|run| run.version_id == Some(version))?;
        let words = match run.state {
            EvalState::Queued => "It waits for the eval.".to_owned(),
            EvalState::Running => "The eval is running.".to_owned(),
            EvalState::Passed => "It passed the eval.".to_owned(),
            EvalState::Refused => format!(
                "The eval refused it: {}",
                words::sentence(&figures::in_words(&run.cause))
            ),
            EvalState::Broken => format!(
                "The eval gave no verdict: {}",
                words::sentence(&figures::in_words(&run.cause))
            ),
        };
        Some(VerdictLine {
            href: format!("/evals/{}", run.id),
            badge: badge(run.state),
            words,
        })
    }
}

/// A button beside a version that is being built, or was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remedy {
    /// Last part of the address.
    pub action: &'static str,
    /// Words on the button.
    pub label: &'static str,
}

fn remedy(state: VersionState) -> Option<Remedy> {
    let (action, label) = match state {
        VersionState::Failed => ("retry", "Try again"),
        VersionState::Cancelled => ("retry", "Read it after all"),
        state if !state.is_final() => ("cancel", "Cancel"),
        _ => return None,
    };
    Some(Remedy { action, label })
}

/// The lines of all versions, newest first as `versions` are.
pub fn version_lines(
    versions: &[Version],
    live: Option<&Version>,
    shown: Uuid,
    judged: Judgement<'_>,
    now: DateTime<Utc>,
) -> Vec<VersionLine> {
    let drawn = |(index, version): (usize, &Version)| {
        let before = versions[index + 1..].iter().find(|older| older.state.is_ready());
        let plain = version_line(version, live, now);
        let unproven = judged.unproven.iter().any(|(id, _)| *id == version.id);
        VersionLine {
            verdict: judged.verdict(version.id),
            publish: plain
                .publish
                .map(|label| if unproven { "Publish anyway" } else { label }),
            unproven,
            shown: version.id == shown,
            same: same_text(version, versions, live),
            diff_href: before
                .filter(|_| version.state.is_ready() && version.same_text_as.is_none())
                .map(|before| diff_href(version.document_id, before.id, version.id)),
            ..plain
        }
    };
    versions.iter().enumerate().map(drawn).collect()
}

/// The address of what changed between two versions.
pub fn diff_href(document: Uuid, from: Uuid, to: Uuid) -> String {
    format!("/documents/{document}/diff?from={from}&to={to}")
}

fn version_line(version: &Version, live: Option<&Version>, now: DateTime<Utc>) -> VersionLine {
    let is_live = live.is_some_and(|live| live.id == version.id);
    let stands_for_live = live.is_some_and(|live| version.same_text_as == Some(live.id));
    let failed = version.state == VersionState::Failed;
    VersionLine {
        id: version.id,
        number: version.number,
        tone: match () {
            () if is_live => "live",
            () if failed => "bad",
            () => "",
        },
        shown: false,
        live: is_live,
        badge: versions::badge(version.state, version.warnings.0.as_array().map_or(0, Vec::len)),
        stage: versions::stage(&Going::version(version), now),
        problem: versions::problem(
            version.state,
            version.reason_code.as_deref(),
            version.reason.as_deref(),
            version.suggestion.as_deref(),
        ),
        received: words::moment(version.created_at),
        received_iso: version.created_at.to_rfc3339(),
        size: words::size(version.blob_bytes),
        work: work_done(version),
        same: String::new(),
        diff_href: None,
        verdict: None,
        unproven: false,
        publish: (version.state.is_ready() && !is_live && !stands_for_live).then_some(match live {
            Some(live) if live.number > version.number => "Roll back to this version",
            _ => "Publish",
        }),
        remedy: remedy(version.state),
    }
}

/// A version whose text did not change has no chunks of its own.
fn same_text(version: &Version, versions: &[Version], live: Option<&Version>) -> String {
    let Some(same) = version
        .same_text_as
        .and_then(|id| versions.iter().find(|other| other.id == id))
    else {
        return String::new();
    };
    if live.is_some_and(|live| live.id == same.id) {
        format!(
            "Same text as version {}: that one goes on answering.",
            same.number
        )
    } else {
        format!(
            "Same text as version {}, and published together with it.",
            same.number
        )
    }
}

fn work_done(version: &Version) -> String {
    if !version.state.is_ready() {
        return version.file_name.clone();
    }
    if version.same_text_as.is_some() {
        return "nothing had to be computed".to_owned();
    }
    let windows = match (version.windows_embedded, version.windows_reused) {
        (0, 0) => String::new(),
        (new, 0) => format!(", {} computed", words::thousands(new.into())),
        (0, kept) => format!(", all {} kept from before", words::thousands(kept.into())),
        (new, kept) => {
            format!(
                ", {} computed and {} kept from before",
                words::thousands(new.into()),
                words::thousands(kept.into())
            )
        }
    };
    format!(
        "{}{windows}",
        words::count(version.chunk_count.into(), "chunk", "chunks")
    )
}
