//! The report for a test runner's page: `JUnit` XML.
//!
//! One suite for the gates, one per metric; a testcase is one case by one metric, so that the page of GitLab, Jenkins or
//! GitHub shows which questions a metric lost. A gate that nobody can decide is an error, not a skipped test: skipped
//! is green.

use std::collections::BTreeMap;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as JUnit, TestCase, TestCaseStatus, TestSuite};

use super::checks::CaseCheck;
use super::{CaseRow, Report};
use crate::error::EvalError;
use crate::gate::judge::Verdict;
use crate::gate::{GateResult, spec::Severity};
use crate::metrics::Observed;

/// Renders the report.
pub fn render(report: &Report) -> Result<String, EvalError> {
    let mut junit = JUnit::new(format!("plumbline-eval {}", report.run.golden));
    junit.set_timestamp(report.run.started_at.fixed_offset());
    if !report.gates.is_empty() {
        let mut gates = TestSuite::new("gates");
        gates.add_test_cases(report.gates.iter().map(gate_case));
        junit.add_test_suite(gates);
    }
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for row in &report.cases {
        for check in &row.checks {
            let suite = suites
                .entry(&check.metric)
                .or_insert_with(|| TestSuite::new(check.metric.as_str()));
            suite.add_test_case(test_case(row, check));
        }
    }
    junit.add_test_suites(suites.into_values());
    junit
        .to_string()
        .map_err(|error| EvalError::Infra(format!("report.xml: cannot be made: {error}")))
}

fn gate_case(result: &GateResult) -> TestCase {
    let line = super::console::gate_line(result);
    let failed = |kind| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(line.split_whitespace().collect::<Vec<_>>().join(" "));
        status
    };
    let status = match result.verdict {
        _ if result.gate.severity == Severity::Warn => TestCaseStatus::success(),
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail => failed(NonSuccessKind::Failure),
        Verdict::Inconclusive => failed(NonSuccessKind::Error),
    };
    let mut case = TestCase::new(result.gate.to_string(), status);
    case.set_classname("gates");
    case.set_system_out(line);
    case
}

fn test_case(row: &CaseRow, check: &CaseCheck) -> TestCase {
    let mut case = TestCase::new(row.id.as_str(), status(row, check));
    case.set_classname(format!("{}.{}", row.kind, check.metric));
    // an infinite or negative time cannot be told in XML
    case.set_time(Duration::try_from_secs_f64(row.wall_ms / 1_000.0).unwrap_or_default());
    case
}

fn status(row: &CaseRow, check: &CaseCheck) -> TestCaseStatus {
    if check.passed {
        return TestCaseStatus::success();
    }
    let kind = if matches!(row.observed, Observed::Error | Observed::Empty) {
        NonSuccessKind::Error
    } else {
        NonSuccessKind::Failure
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(check.metric.as_str());
    if row.withheld {
        status.set_message("a case of the test split: counted, not shown (see --show-test)");
        return status;
    }
    status.set_message(format!("expected {}; got {}", check.expected, check.got));
    status.set_description(format!(
        "question: {}\nexpected: {}\ngot: {}\nreply: {}\ntrace: {}",
        row.question,
        check.expected,
        check.got,
        row.answer,
        row.trace.as_deref().unwrap_or("-")
    ));
    status
}
