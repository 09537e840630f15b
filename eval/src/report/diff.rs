//! Two runs side by side: what was fixed, what broke, what still fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::number::value;
use super::{CaseRow, Report};

/// The difference between an earlier and a later run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Failed before, passes now.
    pub fixed: Vec<String>,
    /// Passed before, fails now: id and what is wrong.
    pub broken: Vec<(String, String)>,
    /// Failed before, fails now.
    pub still_failing: Vec<(String, String)>,
    /// Asked before, not asked now.
    pub gone: Vec<String>,
    /// Not asked before.
    pub new: Vec<String>,
}

/// Compares case by case.
pub fn diff(before: &Report, after: &Report) -> Diff {
    let old: BTreeMap<&str, &CaseRow> = before.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let new: BTreeMap<&str, &CaseRow> = after.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let mut diff = Diff::default();
    for (&id, case) in &new {
        let told = || (id.to_owned(), case.problems.join("; "));
        match old.get(id).map(|earlier| earlier.passed) {
            None => diff.new.push(id.to_owned()),
            Some(true) if !case.passed => diff.broken.push(told()),
            Some(false) if case.passed => diff.fixed.push(id.to_owned()),
            Some(false) => diff.still_failing.push(told()),
            Some(true) => {}
        }
    }
    diff.gone = old
        .keys()
        .filter(|id| !new.contains_key(*id))
        .map(|&id| id.to_owned())
        .collect();
    diff
}

/// Renders the difference with the metrics that moved.
pub fn render(before: &Report, after: &Report) -> String {
    let Diff {
        fixed,
        broken,
        still_failing,
        gone,
        new,
    } = diff(before, after);
    let mut out = String::new();
    // Writing to a string cannot fail, so the results below are dropped.
    for row in &after.metrics {
        let Some(earlier) = before.metrics.iter().find(|m| m.name == row.name) else {
            continue;
        };
        let (old, now) = (earlier.measured.value, row.measured.value);
        if old.n > 0 && now.n > 0 && (old.point - now.point).abs() > 1e-9 {
            let (old, now) = (value(old.point, row.unit), value(now.point, row.unit));
            let _ = writeln!(out, "{:<23} {old:>9} -> {now:>9}", row.name);
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let plain = |ids: Vec<String>| ids.into_iter().map(|id| (id, String::new())).collect();
    let lists: [(&str, Vec<(String, String)>); 5] = [
        ("broken", broken),
        ("fixed", plain(fixed)),
        ("still failing", still_failing),
        ("no longer asked", plain(gone)),
        ("new", plain(new)),
    ];
    for (title, cases) in lists {
        let _ = writeln!(out, "{title}: {}", cases.len());
        for (id, problem) in cases {
            let _ = writeln!(
                out,
                "  {id}{}{problem}",
                if problem.is_empty() { "" } else { ": " }
            );
        }
    }
    out
}
