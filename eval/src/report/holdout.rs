//! The test split is counted, never read.
//!
//! Whoever reads why test cases fail mends the system for exactly these cases, and the figures stop meaning anything.
//! So a report leaves out of each test case what could be learnt from it: question, evidence, reply, hits and reasons.
//! What remains are its id, which metrics it passed, and figures that plots and comparisons need. `--show-test` keeps
//! everything, for the day on which the split is retired.

use super::{CaseRow, Report};
use crate::golden::split::{Split, split_of};

/// The report without the reading of its test cases.
#[must_use]
pub fn withhold(mut report: Report) -> Report {
    for row in report.cases.iter_mut().filter(|row| row.split == Split::Test) {
        blank(row);
    }
    let broke = report
        .regression
        .iter_mut()
        .flat_map(|regression| &mut regression.broke);
    for moved in broke.filter(|moved| split_of(&moved.id) == Split::Test) {
        moved.problems.clear();
    }
    report
}

fn blank(row: &mut CaseRow) {
    row.withheld = true;
    row.question = String::new();
    row.answer = String::new();
    row.trace = None;
    row.history.clear();
    row.expected.clear();
    row.problems.clear();
    row.top.clear();
    row.citations.clear();
    row.unsupported.clear();
    for check in &mut row.checks {
        check.expected = String::new();
        check.got = String::new();
    }
}
