//! The report in a terminal.
//!
//! Every gate is one line, and the last line is the exit code with its cause.

use std::fmt::Write as _;

use super::number::{optional, ratio, threshold, value};
use super::{MetricRow, Report, regression};
use crate::gate::GateResult;
use crate::gate::spec::Severity;
use crate::golden::case::{ROUTES, route_name};
use crate::metrics::Observed;
use crate::metrics::registry::{Direction, Proof, Unit};

/// Slices with fewer cases are left to the JSON report.
const MIN_SLICE: usize = 5;

/// Renders the whole report.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail, so the results below are dropped.
    head(&mut out, report);
    metrics(&mut out, report);
    outcomes(&mut out, report);
    confusion(&mut out, report);
    slices(&mut out, report);
    stages(&mut out, report);
    cost(&mut out, report);
    power(&mut out, report);
    gates(&mut out, report);
    regression::console(&mut out, report);
    let _ = writeln!(out, "\n{}", report.exit);
    out
}

fn head(out: &mut String, report: &Report) {
    let run = &report.run;
    let _ = writeln!(
        out,
        "{}: {} cases, split {:?}, target {}{}",
        run.golden,
        run.cases,
        run.selection,
        run.target,
        run.mode.note()
    );
    let pin = if run.corpus_pinned {
        "as pinned"
    } else {
        "NOT as pinned"
    };
    let hash = run
        .corpus_manifest_sha256
        .get(..12)
        .unwrap_or(&run.corpus_manifest_sha256);
    let _ = writeln!(
        out,
        "corpus {hash} {pin}, {} spans relocated, {} cases stale, coverage {:.3}",
        run.relocated,
        run.stale.len(),
        run.coverage
    );
}

fn metrics(out: &mut String, report: &Report) {
    let _ = writeln!(
        out,
        "\n{:<23} {:>12} {:>9} {:>9} {:>9} {:>9} {:>7}",
        "metric", "k/n", "point", "bound", "direction", "coverage", "errors"
    );
    for row in &report.metrics {
        let _ = writeln!(out, "{}", metric_line(row));
    }
    let h = report.hallucination;
    let _ = writeln!(
        out,
        "hallucination: {} convicted, {} undecided, {} cleared by a person, {} unflagged and not hand-scored",
        h.convicted, h.undecided, h.cleared, h.unflagged
    );
    if let Some(agreement) = &report.agreement {
        let _ = writeln!(out, "verdicts: {agreement}");
    }
}

fn metric_line(row: &MetricRow) -> String {
    let MetricRow {
        name,
        direction,
        unit,
        measured,
        coverage,
    } = row;
    let estimate = &measured.value;
    if estimate.n == 0 {
        return format!("{name:<23} {:>12} {:>9}", "0/0", "-");
    }
    let (bound, way) = match direction {
        Direction::High => (estimate.lower, "high"),
        Direction::Low => (estimate.upper, "low"),
    };
    let note = measured
        .problem
        .as_ref()
        .map(|problem| format!("  ({problem})"))
        .unwrap_or_default();
    format!(
        "{name:<23} {:>12} {:>9} {:>9} {way:>9} {coverage:>9.3} {:>7}{note}",
        ratio(estimate.k, estimate.n, *unit),
        value(estimate.point, *unit),
        value(bound, *unit),
        measured.errors
    )
}

fn outcomes(out: &mut String, report: &Report) {
    let _ = write!(out, "\n{:<14} {:>5}", "outcome", "n");
    for observed in Observed::ALL {
        let _ = write!(out, " {:>11}", observed.as_str());
    }
    out.push('\n');
    for row in report.outcomes.iter().filter(|row| row.n > 0) {
        let _ = write!(out, "{:<14} {:>5}", row.kind, row.n);
        for count in &row.outcomes {
            let _ = write!(out, " {count:>11}");
        }
        out.push('\n');
    }
}

fn confusion(out: &mut String, report: &Report) {
    let _ = write!(out, "\n{:<14} {:>5}", "gold route", "n");
    for name in ROUTES.iter().map(|&route| route_name(route)).chain(["error"]) {
        let _ = write!(out, " {name:>12}");
    }
    let _ = writeln!(out, " {:>10} {:>8} {:>7}", "precision", "bound", "recall");
    for row in report.confusion.iter().filter(|row| row.gold > 0) {
        let _ = write!(out, "{:<14} {:>5}", row.route, row.gold);
        for count in &row.predicted {
            let _ = write!(out, " {count:>12}");
        }
        let note = if row.in_headline {
            ""
        } else {
            "  (too few for the headline)"
        };
        let _ = writeln!(
            out,
            " {:>10.3} {:>8.3} {:>7.3}{note}",
            row.precision, row.precision_lower, row.recall
        );
    }
}

fn slices(out: &mut String, report: &Report) {
    let _ = writeln!(
        out,
        "\n{:<24} {:>5} {:>9} {:>9} {:>10} {:>10} {:>9}",
        "slice", "n", "recall@5", "correct", "false abst", "good abst", "routed"
    );
    for row in report.slices.iter().filter(|row| row.n >= MIN_SLICE) {
        let _ = writeln!(
            out,
            "{:<24} {:>5} {:>9} {:>9} {:>10} {:>10} {:>9}",
            row.slice,
            row.n,
            optional(row.recall_at_5),
            optional(row.answer_correct),
            optional(row.false_abstention),
            optional(row.correct_abstention),
            optional(row.routing_accuracy)
        );
    }
}

fn stages(out: &mut String, report: &Report) {
    if report.stages.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{:<24} {:>9} {:>9}", "stage", "p50 ms", "p95 ms");
    for stage in &report.stages {
        let _ = writeln!(
            out,
            "{:<24} {:>9.1} {:>9.1}",
            stage.name, stage.p50_ms, stage.p95_ms
        );
    }
}

/// Left out where nothing was spent.
fn cost(out: &mut String, report: &Report) {
    if report.cost.iter().all(|row| row.total_usd <= 0.0) {
        return;
    }
    let day = report.run.prices_as_of.as_deref().unwrap_or("unknown");
    let _ = writeln!(
        out,
        "\n{:<24} {:>5} {:>11} {:>11} {:>11}  (prices of {day})",
        "cost by route", "n", "mean $", "p95 $", "total $"
    );
    for row in &report.cost {
        let _ = writeln!(
            out,
            "{:<24} {:>5} {:>11.6} {:>11.6} {:>11.4}",
            row.route, row.n, row.mean_usd, row.p95_usd, row.total_usd
        );
    }
}

fn power(out: &mut String, report: &Report) {
    if report.power.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\nwhat the gates can see ({})",
        crate::gate::power::assumption()
    );
    for gate in &report.power {
        let _ = writeln!(out, "{gate}");
    }
}

fn gates(out: &mut String, report: &Report) {
    if report.gates.is_empty() {
        return;
    }
    out.push('\n');
    for gate in &report.gates {
        let _ = writeln!(out, "{}", gate_line(gate));
    }
}

/// One line per gate: metric, k/n, point, bound, threshold, verdict, reason.
pub fn gate_line(result: &GateResult) -> String {
    let GateResult {
        gate,
        measured,
        unit,
        verdict,
        ..
    } = result;
    let estimate = &measured.value;
    let proof = match gate.proof {
        Proof::Point => "point",
        Proof::Bound => "bound",
    };
    let bound = match unit {
        Unit::Milliseconds if result.bound().is_infinite() => "no end".to_owned(),
        _ => value(result.bound(), *unit),
    };
    let severity = if gate.severity == Severity::Warn {
        "  (warns only)"
    } else {
        ""
    };
    let reason = result
        .reason
        .as_ref()
        .map(|reason| format!("  {reason}"))
        .unwrap_or_default();
    format!(
        "{verdict:<12} {:<28} {:>12}  point {:>7}  bound {bound:>7}  {proof} {} {}{severity}{reason}",
        gate.to_string(),
        ratio(estimate.k, estimate.n, *unit),
        value(estimate.point, *unit),
        result.relation(),
        threshold(gate.threshold, *unit),
    )
}
