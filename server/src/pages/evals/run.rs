//! One run of the eval as its page shows it.

use askama::Template;
use plumbline_store::{EvalState, JudgedRun};
use uuid::Uuid;

use super::cases::{Asked, Cases};
use super::figures;
use super::history::{Subject, badge, cause, made_on, subject};
use super::report::{GateResult, Metric, Regression, Report, Slice};
use crate::pages::layout::{Badge, Notice, Shell};
use crate::pages::words;

/// The page.
#[derive(Debug, Template)]
#[template(path = "eval.html")]
pub struct EvalPage {
    /// Frame.
    pub shell: Shell,
    /// What was just done.
    pub notices: Vec<Notice>,
    /// The run.
    pub view: RunView,
}

/// A button of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Where its form goes.
    pub href: String,
    /// A field of the form: name and value.
    pub field: Option<(&'static str, String)>,
    /// Words on it.
    pub label: String,
    /// Whether it is what most people want here.
    pub primary: bool,
}

/// A figure of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Of what.
    pub label: &'static str,
    /// The figure.
    pub value: String,
}

/// A gate with its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateLine {
    /// Verdict.
    pub badge: Badge,
    /// Metric, and the part of the cases it looks at.
    pub label: String,
    /// Whether it only warns.
    pub warns: bool,
    /// Value.
    pub value: String,
    /// Bound.
    pub bound: String,
    /// Numerator and denominator.
    pub count: String,
    /// What it asks for.
    pub demand: String,
    /// Why it did not pass.
    pub reason: Option<String>,
}

/// A metric over all cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricLine {
    /// Its name.
    pub label: String,
    /// Value.
    pub value: String,
    /// Both bounds.
    pub bounds: String,
    /// Numerator and denominator.
    pub count: String,
    /// Why it could not be measured, or what is missing.
    pub note: String,
}

/// A slice with its chief metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceLine {
    /// Its name.
    pub name: String,
    /// The cases of it that failed.
    pub href: String,
    /// Cases.
    pub cases: String,
    /// Recall at 5, correct, false abstention, correct abstention, routing.
    pub values: [String; 5],
}

/// Cases that moved against the baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Failed before, pass now.
    pub fixed: usize,
    /// Ids of those that passed before and fail now.
    pub broke: Vec<String>,
    /// Failed before and now.
    pub still_failing: usize,
}

/// A run.
#[derive(Debug, Clone)]
pub struct RunView {
    /// Run.
    pub id: Uuid,
    /// State.
    pub badge: Badge,
    /// What it judged.
    pub subject: Subject,
    /// Whether that is live.
    pub live: bool,
    /// The verdict in a sentence.
    pub verdict: String,
    /// What follows for what it judged.
    pub standing: String,
    /// What can be done.
    pub actions: Vec<Action>,
    /// Figures.
    pub facts: Vec<Fact>,
    /// Gates.
    pub gates: Vec<GateLine>,
    /// Against the baseline.
    pub moved: Option<Moved>,
    /// Metrics.
    pub metrics: Vec<MetricLine>,
    /// Slices.
    pub slices: Vec<SliceLine>,
    /// Cases.
    pub cases: Cases,
    /// Address of the report, if there is one.
    pub report_href: Option<String>,
    /// The report is there, but its layout is not known.
    pub unreadable: bool,
    /// The comparison with the run before.
    pub compare_href: Option<String>,
    /// Whether it has not ended.
    pub pending: bool,
    /// When it was asked for.
    pub when: String,
}

/// Everything the page is made from.
#[derive(Debug)]
pub struct Material<'a> {
    /// The run.
    pub run: &'a JudgedRun,
    /// Its report, if it has one that can be read.
    pub report: Option<&'a Report>,
    /// Why what it judged is not proven.
    pub unproven: Option<&'a str>,
    /// The document version to go back to.
    pub version_before: Option<(Uuid, i32)>,
    /// The settings to go back to.
    pub settings_before: Option<i64>,
    /// The comparison with the run before.
    pub compare_href: Option<String>,
    /// Which cases are shown.
    pub asked: &'a Asked,
}

fn button(href: String, label: impl Into<String>) -> Action {
    Action {
        href,
        field: None,
        label: label.into(),
        primary: false,
    }
}

fn actions(from: &Material<'_>) -> Vec<Action> {
    let run = &from.run.run;
    let here = format!("/evals/{}", run.id);
    let mut actions = Vec::new();
    match (run.version_id, run.settings_version) {
        _ if from.run.deleted => return actions,
        (Some(version), _) if !from.run.live => actions.push(Action {
            field: from.unproven.map(|_| ("force", "true".to_owned())),
            primary: from.unproven.is_none(),
            ..button(
                format!("/versions/{version}/publish"),
                if from.unproven.is_some() {
                    "Publish anyway"
                } else {
                    "Publish"
                },
            )
        }),
        (Some(_), _) => {
            let back = from.version_before;
            actions.extend(back.map(|(version, number)| {
                let label = format!("Roll back to version {number}");
                button(format!("/versions/{version}/publish"), label)
            }));
        }
        (None, Some(settings)) if !from.run.live => {
            let passed = run.state == EvalState::Passed;
            let label = if passed {
                "Put into force"
            } else {
                "Put into force anyway"
            };
            actions.push(Action {
                field: Some(("settings", settings.to_string())),
                primary: passed,
                ..button(format!("{here}/activate"), label)
            });
        }
        (None, Some(_)) => actions.extend(from.settings_before.map(|before| Action {
            field: Some(("settings", before.to_string())),
            ..button(
                format!("{here}/activate"),
                format!("Roll back to settings {before}"),
            )
        })),
        (None, None) => return actions,
    }
    if !is_pending(run.state) && !from.run.live {
        actions.push(button(format!("{here}/again"), "Run it again"));
    }
    actions
}

fn is_pending(state: EvalState) -> bool {
    matches!(state, EvalState::Queued | EvalState::Running)
}

/// What follows from the verdict for customers.
fn standing(run: &JudgedRun) -> String {
    let what = match (run.run.version_id, run.run.settings_version) {
        (Some(_), _) => "This version",
        (None, Some(_)) => "These settings",
        (None, None) => return String::new(),
    };
    let (answers, waits) = if run.run.version_id.is_some() {
        ("answers customers now", "does not answer customers")
    } else {
        ("are in force now", "are not in force")
    };
    match () {
        () if run.deleted => "The document was deleted since.".to_owned(),
        () if run.live => format!("{what} {answers}."),
        () if is_pending(run.run.state) => {
            format!("{what} {waits} yet: what passes goes live by itself.")
        }
        () => format!("{what} {waits}: what was live before still is."),
    }
}

fn facts(run: &JudgedRun, report: Option<&Report>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut fact = |label, value: String| {
        if !value.is_empty() {
            facts.push(Fact { label, value });
        }
    };
    let on = made_on(run);
    if let Some(report) = report {
        let passed = report.cases.iter().filter(|case| case.passed).count();
        fact("Cases", words::thousands(on.cases));
        fact(
            "Passed",
            words::thousands(i64::try_from(passed).unwrap_or_default()),
        );
        fact("Golden set", on.golden);
        fact("Part", on.selection.as_str().unwrap_or_default().to_owned());
        fact("Coverage", on.coverage.map(figures::share).unwrap_or_default());
        if !on.stale.is_empty() {
            fact("Stale", on.stale.len().to_string());
        }
        fact("Replies", if on.mode == "live" { String::new() } else { on.mode });
    }
    fact(
        "Exit code",
        run.run.exit_code.map(|code| code.to_string()).unwrap_or_default(),
    );
    if let (Some(began), Some(ended)) = (run.run.started_at, run.run.finished_at) {
        // one that was recorded ended where it was made; how long it took is not known here
        let took = (ended - began).num_seconds();
        fact(
            "Took",
            if took > 0 {
                words::seconds(took)
            } else {
                String::new()
            },
        );
    }
    facts
}

fn gate(result: &GateResult) -> GateLine {
    let (tone, label) = match result.verdict.as_str() {
        "pass" => ("ok", "Pass"),
        "fail" => ("bad", "Fail"),
        _ => ("warn", "Inconclusive"),
    };
    let (gate, estimate) = (&result.gate, &result.measured.value);
    let relation = if result.direction == "low" { "≤" } else { "≥" };
    let slice = gate.slice.as_ref().map(|slice| format!(" in {slice}"));
    GateLine {
        badge: Badge { tone, label },
        label: figures::label(&gate.metric) + &slice.unwrap_or_default(),
        warns: gate.severity == "warn",
        value: figures::point(estimate, &result.unit),
        bound: figures::bound(estimate, &result.direction, &result.unit),
        count: count(estimate.k, estimate.n, &result.unit),
        demand: format!(
            "{} {relation} {}",
            if gate.proof == "bound" { "bound" } else { "value" },
            figures::value(Some(gate.threshold), &result.unit)
        ),
        reason: result.reason.as_deref().map(words::sentence),
    }
}

/// `234/283`; a time has no such parts.
fn count(k: f64, n: i64, unit: &str) -> String {
    match (unit, k.fract() == 0.0) {
        ("milliseconds", _) => words::count(n, "call", "calls"),
        (_, true) => format!("{k:.0}/{n}"),
        (_, false) => format!("{k:.1}/{n}"),
    }
}

fn metric(metric: &Metric) -> MetricLine {
    let estimate = &metric.measured.value;
    let bounds = [estimate.lower, estimate.upper].map(|bound| figures::value(bound, &metric.unit));
    let problem = metric.measured.problem.as_deref();
    MetricLine {
        label: figures::label(&metric.name),
        value: figures::point(estimate, &metric.unit),
        bounds: if estimate.n > 0 {
            bounds.join(" to ")
        } else {
            String::new()
        },
        count: count(estimate.k, estimate.n, &metric.unit),
        note: match (problem, metric.measured.undecided) {
            (Some(problem), _) => words::sentence(problem),
            (None, 0) => String::new(),
            (None, open) => words::count(open, "reply is not judged yet", "replies are not judged yet"),
        },
    }
}

fn slice(slice: &Slice, here: &str) -> SliceLine {
    let values = [
        slice.recall_at_5,
        slice.answer_correct,
        slice.false_abstention,
        slice.correct_abstention,
        slice.routing_accuracy,
    ];
    SliceLine {
        name: slice.slice.clone(),
        href: format!("{here}?slice={}#cases", words::query_escape(&slice.slice)),
        cases: words::thousands(slice.n),
        values: values.map(|value| figures::value(value, "share")),
    }
}

fn moved(regression: &Regression) -> Moved {
    Moved {
        fixed: regression.fixed.len(),
        broke: regression.broke.iter().map(|moved| moved.id.clone()).collect(),
        still_failing: regression.still_failing.len(),
    }
}

impl RunView {
    /// The view of a run.
    pub fn new(from: &Material<'_>) -> Self {
        let (run, report) = (from.run, from.report);
        let here = format!("/evals/{}", run.run.id);
        let has_report = run.made_on.is_some() || report.is_some();
        Self {
            id: run.run.id,
            badge: badge(run.run.state),
            subject: subject(run),
            live: run.live,
            verdict: cause(run),
            standing: standing(run),
            actions: actions(from),
            facts: facts(run, report),
            gates: report
                .map(|report| report.gates.iter().map(gate).collect())
                .unwrap_or_default(),
            moved: report.and_then(|report| report.regression.as_ref()).map(moved),
            metrics: report
                .map(|report| report.metrics.iter().map(metric).collect())
                .unwrap_or_default(),
            slices: report
                .map(|report| report.slices.iter().map(|of| slice(of, &here)).collect())
                .unwrap_or_default(),
            cases: Cases::new(report.map_or(&[], |report| &report.cases), from.asked, &here),
            report_href: has_report.then(|| format!("{here}/report.json")),
            unreadable: has_report && report.is_none(),
            compare_href: from.compare_href.clone(),
            pending: is_pending(run.run.state),
            when: words::moment(run.run.created_at),
        }
    }
}
