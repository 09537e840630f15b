//! The report for a pull request or a step summary.

use std::fmt::Write as _;

use super::number::{ratio, threshold, value};
use super::{CaseRow, Report, regression};
use crate::gate::GateResult;
use crate::gate::spec::Severity;
use crate::golden::pin::excerpt;
use crate::metrics::Observed;
use crate::metrics::hallucination::Standing;
use crate::metrics::registry::Proof;

/// Failing cases shown.
const SHOWN: usize = 10;

/// Renders the summary, with the difference from an earlier run when there is one.
pub fn render(report: &Report, before: Option<&Report>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail, so the results below are dropped.
    let run = &report.run;
    let sign = if report.exit.code == 0 {
        "passed"
    } else {
        "not passed"
    };
    let _ = writeln!(
        out,
        "## Eval gate {sign}\n\n**{}**\n",
        cell(&report.exit.to_string())
    );
    let _ = writeln!(
        out,
        "{}: {} cases on {}, coverage {:.3}, corpus `{}`{}\n",
        cell(&run.golden),
        run.cases,
        cell(&format!("{}{}", run.target, run.mode.note())),
        run.coverage,
        run.corpus_manifest_sha256.get(..12).unwrap_or_default(),
        if run.corpus_pinned {
            ""
        } else {
            " (not the pinned one)"
        },
    );
    gates(&mut out, report);
    regression::markdown(&mut out, report);
    power(&mut out, report);
    metrics(&mut out, report);
    if let Some(before) = before {
        out.push_str(&super::diff::render_markdown(before, report));
    }
    failing(&mut out, report);
    out
}

fn gates(out: &mut String, report: &Report) {
    if report.gates.is_empty() {
        return;
    }
    out.push_str("| gate | k/n | point | bound | asked | verdict |\n|---|---|---|---|---|---|\n");
    for result in &report.gates {
        let _ = writeln!(out, "{}", gate_row(result));
    }
    out.push('\n');
}

fn gate_row(result: &GateResult) -> String {
    let GateResult {
        gate,
        measured,
        unit,
        verdict,
        ..
    } = result;
    let estimate = &measured.value;
    let proof = if gate.proof == Proof::Bound {
        "bound"
    } else {
        "point"
    };
    let warn = if gate.severity == Severity::Warn {
        " (warns only)"
    } else {
        ""
    };
    let reason = result
        .reason
        .as_ref()
        .map(|reason| format!(": {}", cell(reason)))
        .unwrap_or_default();
    format!(
        "| {} | {} | {} | {} | {proof} {} {} | **{verdict}**{warn}{reason} |",
        cell(&gate.to_string()),
        ratio(estimate.k, estimate.n, *unit),
        value(estimate.point, *unit),
        value(result.bound(), *unit),
        result.relation(),
        threshold(gate.threshold, *unit),
    )
}

fn power(out: &mut String, report: &Report) {
    if report.power.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<details><summary>What these gates can see</summary>\n\n{}:\n",
        cell(&crate::gate::power::assumption())
    );
    for gate in &report.power {
        let _ = writeln!(out, "- {}", cell(&gate.to_string()));
    }
    out.push_str("\n</details>\n\n");
}

fn metrics(out: &mut String, report: &Report) {
    out.push_str(
        "<details><summary>All metrics</summary>\n\n| metric | k/n | point | 95 % bound | errors |\n",
    );
    out.push_str("|---|---|---|---|---|\n");
    for row in report.metrics.iter().filter(|row| row.measured.value.n > 0) {
        let estimate = &row.measured.value;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            row.name,
            ratio(estimate.k, estimate.n, row.unit),
            value(estimate.point, row.unit),
            value(row.bound(), row.unit),
            row.measured.errors,
        );
    }
    out.push_str("\n</details>\n\n");
}

fn failing(out: &mut String, report: &Report) {
    let mut failing: Vec<&CaseRow> = report.cases.iter().filter(|case| !case.passed).collect();
    failing.sort_by_key(|case| {
        (
            severity(case),
            std::cmp::Reverse(case.problems.len()),
            case.id.clone(),
        )
    });
    let passed = report.cases.len() - failing.len();
    let withheld = failing.iter().filter(|case| case.withheld).count();
    failing.retain(|case| !case.withheld);
    let _ = writeln!(
        out,
        "{passed} of {} cases have nothing wrong with them.",
        report.cases.len()
    );
    if withheld > 0 {
        let _ = writeln!(
            out,
            "\n{withheld} failing cases of the test split are counted and not shown."
        );
    }
    if failing.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n| case | question | what is wrong | reply | trace |\n|---|---|---|---|---|"
    );
    for case in failing.iter().take(SHOWN) {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            cell(&case.id),
            cell(&excerpt(&case.question)),
            cell(&case.problems.join("; ")),
            cell(&excerpt(&case.answer)),
            case.trace.as_deref().unwrap_or("-"),
        );
    }
    if failing.len() > SHOWN {
        let _ = writeln!(out, "\n{} more are in report.json.", failing.len() - SHOWN);
    }
}

/// Errors first, then inventions, then wrong replies, then the rest.
pub(super) fn severity(case: &CaseRow) -> u8 {
    match (case.observed, case.standing) {
        (Observed::Error | Observed::Empty, _) => 0,
        (_, Standing::Convicted) => 1,
        (_, Standing::Undecided) => 2,
        _ if case.correct == Some(false) => 3,
        _ if case.recall_at_5.is_some_and(|recall| recall < 1.0) => 4,
        _ => 5,
    }
}

/// Text that cannot break out of a table cell or become markup: questions and replies are written
/// by strangers.
pub(super) fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => safe.push(' '),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '@' | '#' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_reply_cannot_leave_its_cell() {
        assert_eq!(
            cell("a|b\n<img src=x> [x](y) `z`"),
            "a\\|b &lt;img src=x&gt; \\[x\\](y) \\`z\\`"
        );
    }
}
