//! The runs of the eval as their page lists them.

use askama::Template;
use chrono::{DateTime, Utc};
use plumbline_store::{EvalState, JudgedRun, TrendPoint};
use uuid::Uuid;

use super::figures::{self, CHIEF};
use super::report::RunInfo;
use super::trend::{Trend, trends};
use crate::pages::layout::{Badge, Notice, Shell};
use crate::pages::words;

/// Runs on one page.
pub const PER_PAGE: i64 = 25;

/// The whole page.
#[derive(Debug, Template)]
#[template(path = "evals.html")]
pub struct EvalsPage {
    /// Frame.
    pub shell: Shell,
    /// What was just done.
    pub notices: Vec<Notice>,
    /// The runs.
    pub view: History,
}

/// The runs alone, for the refresh of an open page.
#[derive(Debug, Template)]
#[template(path = "evals_list.html")]
pub struct EvalsPart {
    /// The runs.
    pub view: History,
}

/// The state of a run in words.
pub fn badge(state: EvalState) -> Badge {
    let (tone, label) = match state {
        EvalState::Queued => ("", "Waiting"),
        EvalState::Running => ("busy", "Running"),
        EvalState::Passed => ("ok", "Passed"),
        EvalState::Refused => ("bad", "Refused"),
        EvalState::Broken => ("warn", "No verdict"),
    };
    Badge { tone, label }
}

/// What a run judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// In words.
    pub words: String,
    /// Where it is, if it is somewhere.
    pub href: Option<String>,
}

/// What `run` judged.
pub fn subject(run: &JudgedRun) -> Subject {
    match (&run.document_title, run.version_number, run.run.settings_version) {
        (Some(title), Some(number), _) => Subject {
            words: format!("{title}, version {number}"),
            href: run
                .document_id
                .zip(run.run.version_id)
                .filter(|_| !run.deleted)
                .map(|(document, version)| format!("/documents/{document}?version={version}")),
        },
        (_, _, Some(settings)) => Subject {
            words: format!("Settings, version {settings}"),
            href: None,
        },
        _ => Subject {
            words: "Recorded run".to_owned(),
            href: None,
        },
    }
}

/// Why a run is as it is, in a sentence.
pub fn cause(run: &JudgedRun) -> String {
    match run.run.state {
        EvalState::Queued => "It waits for a worker.".to_owned(),
        EvalState::Running => "The golden set is being asked.".to_owned(),
        _ => words::sentence(&figures::in_words(&run.run.cause)),
    }
}

/// What the report says it ran on.
pub fn made_on(run: &JudgedRun) -> RunInfo {
    let kept = run.made_on.clone().unwrap_or_default();
    serde_json::from_value(kept).unwrap_or_default()
}

/// A figure of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Of what.
    pub label: &'static str,
    /// The figure.
    pub value: String,
}

/// A run in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLine {
    /// Run.
    pub id: Uuid,
    /// State.
    pub badge: Badge,
    /// What it judged.
    pub subject: Subject,
    /// Whether that is live.
    pub live: bool,
    /// Why it ended so.
    pub cause: String,
    /// Chief figures, empty without a report.
    pub figures: Vec<Figure>,
    /// When, in words.
    pub when: String,
    /// When, exactly, for people.
    pub when_full: String,
    /// When, exactly, for programs.
    pub when_iso: String,
    /// The comparison with the run before.
    pub compare_href: Option<String>,
}

fn line(run: &JudgedRun, before: Option<&JudgedRun>, now: DateTime<Utc>) -> RunLine {
    let metrics = figures::metrics(run.metrics.as_ref());
    let figure = |&(name, label): &(&str, &'static str)| Figure {
        label,
        value: metrics.iter().find(|metric| metric.name == name).map_or_else(
            || "–".to_owned(),
            |metric| figures::point(&metric.measured.value, &metric.unit),
        ),
    };
    let at = run.run.created_at;
    RunLine {
        id: run.run.id,
        badge: badge(run.run.state),
        subject: subject(run),
        live: run.live,
        cause: cause(run),
        figures: if metrics.is_empty() {
            Vec::new()
        } else {
            CHIEF.iter().map(figure).collect()
        },
        when: words::ago(at, now),
        when_full: words::moment(at),
        when_iso: at.to_rfc3339(),
        compare_href: before
            .filter(|_| run.made_on.is_some())
            .map(|before| compare_href(before.run.id, run.run.id)),
    }
}

/// The address of a comparison.
pub fn compare_href(before: Uuid, after: Uuid) -> String {
    format!("/evals/compare?a={before}&b={after}")
}

/// The runs of one page.
#[derive(Debug, Clone)]
pub struct History {
    /// Figures over time.
    pub trends: Vec<Trend>,
    /// Which runs these are.
    pub trend_note: String,
    /// Heads of the columns of figures.
    pub heads: Vec<&'static str>,
    /// Rows.
    pub lines: Vec<RunLine>,
    /// Whether a run has not ended.
    pub pending: bool,
    /// Drafts of golden cases that wait for a person.
    pub drafts: String,
    /// Address of this very page.
    pub here: String,
    /// Which runs these are of how many.
    pub range: String,
    /// Address of the page before.
    pub previous: Option<String>,
    /// Address of the page after.
    pub next: Option<String>,
    /// Picture of the empty list.
    pub emblem: String,
}

/// Everything the page is made from.
#[derive(Debug)]
pub struct Material<'a> {
    /// Runs of this page, newest first, and one more if there is one.
    pub runs: &'a [JudgedRun],
    /// All runs.
    pub total: i64,
    /// Page, from 1.
    pub page: i64,
    /// The last runs with figures, oldest first.
    pub trend: &'a [TrendPoint],
    /// Drafts of golden cases that wait.
    pub drafts: i64,
    /// The present time.
    pub now: DateTime<Utc>,
}

impl History {
    /// The view of a page of runs.
    pub fn new(from: &Material<'_>) -> Self {
        let size = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
        let shown = &from.runs[..from.runs.len().min(size)];
        let lines = shown.iter().enumerate().map(|(index, run)| {
            let before = from.runs[index + 1..]
                .iter()
                .find(|older| older.made_on.is_some());
            line(run, before, from.now)
        });
        let href = |page: i64| format!("/evals?page={page}");
        let first = (from.page - 1) * PER_PAGE + 1;
        let last = first - 1 + i64::try_from(shown.len()).unwrap_or_default();
        let golden = from
            .runs
            .iter()
            .find(|run| run.made_on.is_some())
            .map(|run| made_on(run).golden);
        let count = i64::try_from(from.trend.len()).unwrap_or_default();
        Self {
            trends: trends(from.trend),
            trend_note: match golden.filter(|name| !name.is_empty() && from.page == 1) {
                Some(golden) => format!("last {} of “{golden}”", words::count(count, "run", "runs")),
                None => format!("last {}", words::count(count, "run", "runs")),
            },
            heads: CHIEF.iter().map(|&(_, label)| label).collect(),
            lines: lines.collect(),
            pending: shown
                .iter()
                .any(|run| matches!(run.run.state, EvalState::Queued | EvalState::Running)),
            drafts: words::thousands(from.drafts),
            here: href(from.page),
            range: format!("{first}–{last} of {}", words::thousands(from.total)),
            previous: (from.page > 1).then(|| href(from.page - 1)),
            next: (last < from.total).then(|| href(from.page + 1)),
            emblem: crate::pages::assets::url("plumbline.svg"),
        }
    }
}
