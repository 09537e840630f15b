//! Two runs side by side: which figures moved, what was fixed, what broke.

use std::collections::BTreeMap;

use askama::Template;
use plumbline_store::JudgedRun;
use uuid::Uuid;

use super::figures;
use super::history::{badge, made_on, subject};
use super::report::{Case, Metric, Report};
use crate::pages::layout::{Badge, Notice, Shell};
use crate::pages::words;

/// Most cases shown of each kind.
const MOST: usize = 100;

/// The page.
#[derive(Debug, Template)]
#[template(path = "eval_compare.html")]
pub struct ComparePage {
    /// Frame.
    pub shell: Shell,
    /// The comparison.
    pub view: CompareView,
}

/// A run to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Run.
    pub id: Uuid,
    /// In words.
    pub label: String,
    /// Whether it is the earlier one shown.
    pub is_a: bool,
    /// Whether it is the later one shown.
    pub is_b: bool,
}

/// A run that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Its page.
    pub href: String,
    /// State.
    pub badge: Badge,
    /// What it judged.
    pub subject: String,
    /// When.
    pub when: String,
}

/// A metric in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricLine {
    /// Its name.
    pub label: String,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
    /// The difference.
    pub change: String,
    /// `ok`, `bad` or nothing.
    pub tone: &'static str,
}

/// A case that is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseLine {
    /// Id.
    pub id: String,
    /// The question; empty where it is only counted.
    pub question: String,
    /// What is wrong now, or was before.
    pub problems: String,
    /// The reply before.
    pub before: String,
    /// The reply after.
    pub after: String,
}

/// Cases that share a fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name of its anchor.
    pub anchor: &'static str,
    /// Heading.
    pub label: &'static str,
    /// Class of its colour.
    pub tone: &'static str,
    /// How many.
    pub count: usize,
    /// The cases.
    pub cases: Vec<CaseLine>,
    /// What is not shown because there is too much.
    pub more: String,
}

/// A comparison.
#[derive(Debug, Clone)]
pub struct CompareView {
    /// Runs to choose from.
    pub choices: Vec<Choice>,
    /// The two, when there are two.
    pub sides: Option<(Side, Side)>,
    /// What makes the comparison less than it seems.
    pub notices: Vec<Notice>,
    /// Metrics.
    pub metrics: Vec<MetricLine>,
    /// Cases: broken, fixed, still failing.
    pub groups: Vec<Group>,
}

/// A run with its report.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The run.
    pub run: &'a JudgedRun,
    /// Its report.
    pub report: &'a Report,
}

fn side(run: &JudgedRun) -> Side {
    Side {
        href: format!("/evals/{}", run.run.id),
        badge: badge(run.run.state),
        subject: subject(run).words,
        when: words::moment(run.run.created_at),
    }
}

fn metric(before: &Metric, after: &Metric) -> MetricLine {
    let (old, new) = (&before.measured.value, &after.measured.value);
    let known = old
        .point
        .filter(|_| old.n > 0)
        .zip(new.point.filter(|_| new.n > 0));
    let (tone, change) = known
        .map(|(old, new)| figures::change(old, new, &after.direction, &after.unit))
        .unwrap_or_default();
    MetricLine {
        label: figures::label(&after.name),
        before: figures::point(old, &before.unit),
        after: figures::point(new, &after.unit),
        change,
        tone,
    }
}

/// A case is the same one when its question is; one that is withheld has none to compare.
fn is_rewritten(before: &Case, after: &Case) -> bool {
    !before.withheld && !after.withheld && before.question != after.question
}

fn case(before: &Case, after: &Case) -> CaseLine {
    let problems = if after.passed {
        &before.problems
    } else {
        &after.problems
    };
    let (old, new) = (before.answer.as_str(), after.answer.as_str());
    CaseLine {
        id: after.id.clone(),
        question: after.question.clone(),
        problems: problems.join("; "),
        before: if old == new { String::new() } else { old.to_owned() },
        after: new.to_owned(),
    }
}

fn group(
    (anchor, label, tone): (&'static str, &'static str, &'static str),
    pairs: &[(&Case, &Case)],
) -> Group {
    // what can be read comes before what is only counted
    let mut pairs = pairs.to_vec();
    pairs.sort_by_key(|(_, after)| after.withheld);
    let hidden = i64::try_from(pairs.len().saturating_sub(MOST)).unwrap_or(i64::MAX);
    Group {
        anchor,
        label,
        tone,
        count: pairs.len(),
        cases: pairs
            .iter()
            .take(MOST)
            .map(|(before, after)| case(before, after))
            .collect(),
        more: if hidden > 0 {
            words::count(hidden, "more case is not shown.", "more cases are not shown.")
        } else {
            String::new()
        },
    }
}

fn notice(text: String) -> Notice {
    Notice {
        tone: "warn",
        text,
        to_do: String::new(),
    }
}

/// Why the two runs may differ for another reason than the system.
fn notices(a: &Judged<'_>, b: &Judged<'_>, rewritten: usize, alone: usize) -> Vec<Notice> {
    let (old, new) = (&a.report.run, &b.report.run);
    let mut notices = Vec::new();
    if old.golden != new.golden {
        notices.push(notice(format!(
            "They asked different golden sets: “{}” and “{}”.",
            old.golden, new.golden
        )));
    } else if old.selection != new.selection {
        notices.push(notice(
            "They asked different parts of the golden set, so the figures are not comparable.".to_owned(),
        ));
    }
    let hashes = [&old.corpus_manifest_sha256, &new.corpus_manifest_sha256];
    if hashes[0] != hashes[1] {
        notices.push(notice("The documents changed between them.".to_owned()));
    }
    let count = |cases: usize| words::count(i64::try_from(cases).unwrap_or(i64::MAX), "case", "cases");
    if rewritten > 0 {
        let text = format!(
            "{} had another question before and is left out below.",
            count(rewritten)
        );
        notices.push(notice(if rewritten == 1 {
            text
        } else {
            text.replace(" is left", " are left")
        }));
    }
    if alone > 0 {
        notices.push(notice(format!("{} asked in one of them only.", count(alone))));
    }
    notices
}

impl CompareView {
    /// The view of `b` against the earlier `a`; nothing is compared when either is missing.
    pub fn new(runs: &[JudgedRun], compared: Option<(Judged<'_>, Judged<'_>)>) -> Self {
        let shown = compared.as_ref().map(|(a, b)| (a.run.run.id, b.run.run.id));
        let choices = runs.iter().map(|run| Choice {
            id: run.run.id,
            label: format!(
                "{}: {}, {}",
                words::moment(run.run.created_at),
                subject(run).words,
                made_on(run).golden
            ),
            is_a: shown.is_some_and(|(a, _)| a == run.run.id),
            is_b: shown.is_some_and(|(_, b)| b == run.run.id),
        });
        let mut view = Self {
            choices: choices.collect(),
            sides: None,
            notices: Vec::new(),
            metrics: Vec::new(),
            groups: Vec::new(),
        };
        if let Some((a, b)) = compared {
            view.compare(&a, &b);
        }
        view
    }

    fn compare(&mut self, a: &Judged<'_>, b: &Judged<'_>) {
        self.sides = Some((side(a.run), side(b.run)));
        let before: BTreeMap<&str, &Case> = a
            .report
            .cases
            .iter()
            .map(|case| (case.id.as_str(), case))
            .collect();
        let pairs: Vec<(&Case, &Case)> = b
            .report
            .cases
            .iter()
            .filter_map(|case| Some((*before.get(case.id.as_str())?, case)))
            .collect();
        let alone = a.report.cases.len() + b.report.cases.len() - 2 * pairs.len();
        let (rewritten, same): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(old, new)| is_rewritten(old, new));
        let of = |was: bool, is: bool| -> Vec<(&Case, &Case)> {
            let chosen = same
                .iter()
                .filter(|(old, new)| old.passed == was && new.passed == is);
            chosen.copied().collect()
        };
        self.notices = notices(a, b, rewritten.len(), alone);
        self.metrics = b
            .report
            .metrics
            .iter()
            .filter_map(|after| {
                let before = a.report.metrics.iter().find(|before| before.name == after.name)?;
                Some(metric(before, after))
            })
            .collect();
        self.groups = vec![
            group(("broken", "Broken", "bad"), &of(true, false)),
            group(("fixed", "Fixed", "ok"), &of(false, true)),
            group(("still", "Still failing", "warn"), &of(false, false)),
        ];
    }
}
