//! The run against the baseline, for the terminal and for a pull request.

use std::fmt::Write as _;

use super::Report;
use super::markdown::cell;
use crate::gate::Comparison;
use crate::gate::paired::Method;
use crate::gate::regression::{Test, some};
use crate::gate::spec::Severity;

/// Broken cases shown.
const SHOWN: usize = 10;

/// Adds the comparison to the console report.
pub(super) fn console(out: &mut String, report: &Report) {
    let Some(comparison) = &report.regression else {
        return;
    };
    // Writing to a string cannot fail, so the results below are dropped.
    let _ = writeln!(out, "\n{}", headline(comparison));
    for test in &comparison.tests {
        let _ = writeln!(out, "{}", test_line(test));
    }
    for moved in comparison.broke.iter().take(SHOWN) {
        let _ = writeln!(out, "broke  {}: {}", moved.id, moved.problems.join("; "));
    }
    if comparison.broke.len() > SHOWN {
        let _ = writeln!(
            out,
            "broke  … and {} more, in the report",
            comparison.broke.len() - SHOWN
        );
    }
    for (name, ids) in [
        ("fixed", &comparison.fixed),
        ("new", &comparison.new),
        ("rewritten", &comparison.rewritten),
    ] {
        if !ids.is_empty() {
            let _ = writeln!(out, "{name}  {}", some(ids));
        }
    }
    if !comparison.missing.is_empty() {
        let _ = writeln!(out, "missing  {}", some(&comparison.missing));
    }
}

fn headline(comparison: &Comparison) -> String {
    format!(
        "against the baseline of {}: {} pairs, {} broke, {} fixed, {} still failing; {} new, {} rewritten, {} missing",
        comparison.baseline,
        comparison.pairs,
        comparison.broke.len(),
        comparison.fixed.len(),
        comparison.still_failing.len(),
        comparison.new.len(),
        comparison.rewritten.len(),
        comparison.missing.len()
    )
}

/// One line per test: verdict, gate, then and now, the test.
fn test_line(test: &Test) -> String {
    let paired = &test.paired;
    let method = match paired.method {
        Method::Mcnemar => "McNemar",
        Method::Bootstrap => "bootstrap",
    };
    let upper = paired
        .drop_upper
        .map_or(String::new(), |upper| format!(" (at most {})", signed(upper)));
    let warns = if test.severity == Severity::Warn {
        "  (warns only)"
    } else {
        ""
    };
    let reason = test
        .reason
        .as_ref()
        .map_or(String::new(), |reason| format!("  {reason}"));
    format!(
        "{:<12} {:<28} {:.3} -> {:.3}  drop {}{upper}  {method}, {} pairs, {} broke, {} fixed, p {:.3}, adjusted {:.3}{warns}{reason}",
        test.verdict,
        test.gate,
        paired.before,
        paired.now,
        signed(paired.drop),
        paired.pairs,
        paired.broke,
        paired.fixed,
        paired.p,
        test.p_adjusted
    )
}

/// A difference with its sign; nothing is `+0.000`, from whichever side it was rounded.
fn signed(difference: f64) -> String {
    let rounded = (difference * 1_000.0).round() / 1_000.0 + 0.0;
    format!("{rounded:+.3}")
}

/// Adds the comparison to the Markdown summary.
pub(super) fn markdown(out: &mut String, report: &Report) {
    let Some(comparison) = &report.regression else {
        return;
    };
    let _ = writeln!(out, "{}\n", cell(&headline(comparison)));
    if !comparison.tests.is_empty() {
        out.push_str("| gate | then | now | drop | broke / fixed | adjusted p | verdict |\n|---|---|---|---|---|---|---|\n");
    }
    for test in &comparison.tests {
        let paired = &test.paired;
        let warns = if test.severity == Severity::Warn {
            " (warns only)"
        } else {
            ""
        };
        let reason = test
            .reason
            .as_ref()
            .map_or(String::new(), |reason| format!(": {}", cell(reason)));
        let _ = writeln!(
            out,
            "| {} | {:.3} | {:.3} | {:+.3} | {} / {} of {} | {:.3} | **{}**{warns}{reason} |",
            cell(&test.gate),
            paired.before,
            paired.now,
            paired.drop,
            paired.broke,
            paired.fixed,
            paired.pairs,
            test.p_adjusted,
            test.verdict
        );
    }
    if !comparison.tests.is_empty() {
        out.push('\n');
    }
    for moved in comparison.broke.iter().take(SHOWN) {
        let _ = writeln!(
            out,
            "- broke: {}: {}",
            cell(&moved.id),
            cell(&moved.problems.join("; "))
        );
    }
    if !comparison.missing.is_empty() {
        let _ = writeln!(out, "- not asked any more: {}", cell(&some(&comparison.missing)));
    }
    if !comparison.broke.is_empty() || !comparison.missing.is_empty() {
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_minus() {
        assert_eq!(
            [-0.0, -0.000_2, 0.012, -0.012].map(signed),
            ["+0.000", "+0.000", "+0.012", "-0.012"]
        );
    }
}
