//! Two runs side by side: what was fixed, what broke, what still fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::number::value;
use super::{CaseRow, MetricRow, Report, markdown};

/// Cases listed in a pull-request comment.
const SHOWN: usize = 10;

/// The difference between an earlier and a later run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Diff {
    /// Passed before, fails now: id and what is wrong.
    pub broken: Vec<(String, String)>,
    /// Failed before, passes now.
    pub fixed: Vec<String>,
    /// Failed before, fails now.
    pub still_failing: Vec<(String, String)>,
    /// Asked before, not asked now.
    pub gone: Vec<String>,
    /// Not asked before.
    pub new: Vec<String>,
    /// The same for every metric whose cases are told apart.
    pub metrics: Vec<MetricDiff>,
    /// Metrics whose value moved.
    pub moved: Vec<Moved>,
}

/// The cases of one metric that changed sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricDiff {
    /// Its name.
    pub metric: String,
    /// Good before, bad now.
    pub broken: Vec<String>,
    /// Bad before, good now.
    pub fixed: Vec<String>,
    /// Bad before and now.
    pub still_failing: Vec<String>,
}

/// A metric with its value before and after, as people read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub metric: String,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

/// Compares case by case and metric by metric.
pub fn diff(before: &Report, after: &Report) -> Diff {
    let old: BTreeMap<&str, &CaseRow> = before.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let new: BTreeMap<&str, &CaseRow> = after.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let mut diff = Diff::default();
    let mut metrics: BTreeMap<&str, MetricDiff> = BTreeMap::new();
    for (&id, case) in &new {
        let told = || (id.to_owned(), case.problems.join("; "));
        let Some(earlier) = old.get(id) else {
            diff.new.push(id.to_owned());
            continue;
        };
        match (earlier.passed, case.passed) {
            (true, false) => diff.broken.push(told()),
            (false, true) => diff.fixed.push(id.to_owned()),
            (false, false) => diff.still_failing.push(told()),
            (true, true) => {}
        }
        by_metric(id, earlier, case, &mut metrics);
    }
    diff.gone = old
        .keys()
        .filter(|id| !new.contains_key(*id))
        .map(|&id| id.to_owned())
        .collect();
    diff.metrics = metrics.into_values().collect();
    diff.moved = after
        .metrics
        .iter()
        .filter_map(|row| moved(before, row))
        .collect();
    diff
}

fn by_metric<'a>(
    id: &str,
    before: &CaseRow,
    after: &'a CaseRow,
    metrics: &mut BTreeMap<&'a str, MetricDiff>,
) {
    for check in &after.checks {
        let earlier = before.checks.iter().find(|other| other.metric == check.metric);
        let Some(passed_before) = earlier.map(|earlier| earlier.passed) else {
            continue;
        };
        let entry = metrics.entry(&check.metric).or_insert_with(|| MetricDiff {
            metric: check.metric.clone(),
            ..MetricDiff::default()
        });
        match (passed_before, check.passed) {
            (true, false) => entry.broken.push(id.to_owned()),
            (false, true) => entry.fixed.push(id.to_owned()),
            (false, false) => entry.still_failing.push(id.to_owned()),
            (true, true) => {}
        }
    }
}

fn moved(before: &Report, row: &MetricRow) -> Option<Moved> {
    let earlier = before.metrics.iter().find(|earlier| earlier.name == row.name)?;
    let (old, now) = (earlier.measured.value, row.measured.value);
    if old.n == 0 || now.n == 0 {
        return None;
    }
    let (old, now) = (value(old.point, row.unit), value(now.point, row.unit));
    (old != now).then(|| Moved {
        metric: row.name.clone(),
        before: old,
        after: now,
    })
}

/// Lists of cases with what is wrong, in the order in which they matter.
fn lists(diff: &Diff) -> [(&'static str, Vec<(&str, &str)>); 5] {
    fn plain(ids: &[String]) -> Vec<(&str, &str)> {
        ids.iter().map(|id| (id.as_str(), "")).collect()
    }
    fn told(cases: &[(String, String)]) -> Vec<(&str, &str)> {
        cases
            .iter()
            .map(|(id, problem)| (id.as_str(), problem.as_str()))
            .collect()
    }
    [
        ("broken", told(&diff.broken)),
        ("fixed", plain(&diff.fixed)),
        ("still failing", told(&diff.still_failing)),
        ("no longer asked", plain(&diff.gone)),
        ("new", plain(&diff.new)),
    ]
}

/// Renders the difference for a terminal.
pub fn render(before: &Report, after: &Report) -> String {
    let diff = diff(before, after);
    let mut out = String::new();
    // Writing to a string cannot fail, so the results below are dropped.
    for Moved {
        metric,
        before,
        after,
    } in &diff.moved
    {
        let _ = writeln!(out, "{metric:<23} {before:>9} -> {after:>9}");
    }
    if !diff.moved.is_empty() {
        out.push('\n');
    }
    if !diff.metrics.is_empty() {
        let _ = writeln!(
            out,
            "{:<23} {:>7} {:>7} {:>13}",
            "by metric", "broken", "fixed", "still failing"
        );
        for row in &diff.metrics {
            let (broken, fixed, still) = (row.broken.len(), row.fixed.len(), row.still_failing.len());
            let _ = writeln!(out, "{:<23} {broken:>7} {fixed:>7} {still:>13}", row.metric);
        }
        out.push('\n');
    }
    for (title, cases) in lists(&diff) {
        let _ = writeln!(out, "{title}: {}", cases.len());
        for (id, problem) in cases {
            let colon = if problem.is_empty() { "" } else { ": " };
            let _ = writeln!(out, "  {id}{colon}{problem}");
        }
    }
    out
}

/// Renders the difference for a pull request: what broke is in sight, the rest folds away.
pub fn render_markdown(before: &Report, after: &Report) -> String {
    let diff = diff(before, after);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "### Against the run of {}: {} broken, {} fixed, {} still failing\n",
        before.run.started_at.format("%Y-%m-%d %H:%M"),
        diff.broken.len(),
        diff.fixed.len(),
        diff.still_failing.len()
    );
    tables(&mut out, &diff);
    for (title, cases) in lists(&diff).into_iter().filter(|(_, cases)| !cases.is_empty()) {
        let open = if title == "broken" { " open" } else { "" };
        let _ = writeln!(
            out,
            "<details{open}><summary>{title}: {}</summary>\n",
            cases.len()
        );
        for (id, problem) in cases.iter().take(SHOWN) {
            let colon = if problem.is_empty() { "" } else { ": " };
            let _ = writeln!(out, "- {}{colon}{}", markdown::cell(id), markdown::cell(problem));
        }
        if cases.len() > SHOWN {
            let _ = writeln!(out, "- and {} more", cases.len() - SHOWN);
        }
        out.push_str("\n</details>\n\n");
    }
    out
}

fn tables(out: &mut String, diff: &Diff) {
    if !diff.moved.is_empty() {
        out.push_str("| metric | before | after |\n|---|---|---|\n");
        for Moved {
            metric,
            before,
            after,
        } in &diff.moved
        {
            let _ = writeln!(out, "| {metric} | {before} | {after} |");
        }
        out.push('\n');
    }
    let changed = |row: &&MetricDiff| !(row.broken.is_empty() && row.fixed.is_empty());
    let changed: Vec<&MetricDiff> = diff.metrics.iter().filter(changed).collect();
    if !changed.is_empty() {
        out.push_str("| cases by metric | broken | fixed | still failing |\n|---|---|---|---|\n");
        for row in changed {
            let (broken, fixed, still) = (row.broken.len(), row.fixed.len(), row.still_failing.len());
            let _ = writeln!(out, "| {} | {broken} | {fixed} | {still} |", row.metric);
        }
        out.push('\n');
    }
}
