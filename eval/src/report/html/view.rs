//! What stands on the page, ready to be laid out: texts, shares of bars, and which case comes first.

use askama::Template;

use super::plot;
use crate::gate::GateResult;
use crate::gate::judge::Verdict;
use crate::gate::spec::Severity;
use crate::golden::case::{ROUTES, route_name};
use crate::metrics::Observed;
use crate::metrics::registry::Proof;
use crate::report::diff::{self, Diff};
use crate::report::number::{optional, ratio, threshold, value};
use crate::report::{CaseRow, MetricRow, Report, SliceRow, markdown};

/// Slices with fewer cases say little.
const MIN_SLICE: usize = 5;

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page<'a> {
    pub(super) report: &'a Report,
    pub(super) gates: Vec<GateLine>,
    pub(super) metrics: Vec<MetricLine<'a>>,
    pub(super) slices: Vec<SliceLine<'a>>,
    pub(super) stages: Vec<StageBar<'a>>,
    pub(super) routes: Vec<&'static str>,
    pub(super) outcomes: Vec<&'static str>,
    pub(super) risk: String,
    pub(super) latency: String,
    pub(super) diff: Option<Diff>,
    pub(super) failing: Vec<CaseView<'a>>,
    pub(super) passing: Vec<CaseView<'a>>,
    pub(super) withheld: usize,
    pub(super) withheld_failing: usize,
}

/// A gate with its verdict.
pub(super) struct GateLine {
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) verdict: String,
    pub(super) ratio: String,
    pub(super) point: String,
    pub(super) bound: String,
    pub(super) asked: String,
    pub(super) reason: String,
}

/// A metric over all cases.
pub(super) struct MetricLine<'a> {
    pub(super) row: &'a MetricRow,
    pub(super) ratio: String,
    pub(super) point: String,
    pub(super) bound: String,
}

/// A slice with its chief metrics.
pub(super) struct SliceLine<'a> {
    pub(super) row: &'a SliceRow,
    pub(super) recall: String,
    pub(super) correct: String,
    pub(super) silent_wrongly: String,
    pub(super) silent_rightly: String,
    pub(super) routed: String,
}

/// A stage as two bars on one scale, in percent of the slowest stage.
pub(super) struct StageBar<'a> {
    pub(super) name: &'a str,
    pub(super) p50: String,
    pub(super) p95: String,
    pub(super) p50_width: f64,
    pub(super) p95_width: f64,
}

/// One case to drill into.
pub(super) struct CaseView<'a> {
    pub(super) row: &'a CaseRow,
    pub(super) answer: Vec<Piece<'a>>,
    pub(super) stages: Vec<StageBar<'a>>,
}

/// A stretch of a reply; `why` is set where nothing supports it.
#[derive(Debug, PartialEq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) why: Option<&'a str>,
}

impl<'a> Page<'a> {
    /// Everything on the page of `report`.
    pub(super) fn new(report: &'a Report, before: Option<&Report>) -> Self {
        let mut shown: Vec<&CaseRow> = report.cases.iter().filter(|case| !case.withheld).collect();
        shown.sort_by_key(|case| (markdown::severity(case), case.id.clone()));
        let (passing, failing): (Vec<_>, Vec<_>) = shown.into_iter().partition(|case| case.passed);
        let withheld = report.cases.iter().filter(|case| case.withheld);
        Self {
            gates: report.gates.iter().map(gate_line).collect(),
            metrics: report
                .metrics
                .iter()
                .filter(|row| row.measured.value.n > 0)
                .map(metric_line)
                .collect(),
            slices: report
                .slices
                .iter()
                .filter(|row| row.n >= MIN_SLICE)
                .map(slice_line)
                .collect(),
            stages: stage_bars(
                report
                    .stages
                    .iter()
                    .map(|s| (s.name.as_str(), s.p50_ms, s.p95_ms))
                    .collect(),
            ),
            routes: ROUTES
                .iter()
                .map(|&route| route_name(route))
                .chain(["error"])
                .collect(),
            outcomes: Observed::ALL.iter().map(|observed| observed.as_str()).collect(),
            risk: plot::risk_coverage(&report.risk),
            latency: plot::latency(report),
            diff: before.map(|before| diff::diff(before, report)),
            failing: failing.into_iter().map(case_view).collect(),
            passing: passing.into_iter().map(case_view).collect(),
            withheld: withheld.clone().count(),
            withheld_failing: withheld.filter(|case| !case.passed).count(),
            report,
        }
    }

    fn passed(&self) -> usize {
        self.report.cases.iter().filter(|case| case.passed).count()
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a template passes references")]
    fn chip(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Pass => "good",
            Verdict::Fail => "bad",
            Verdict::Inconclusive => "open",
        }
    }

    fn hash(&self) -> &str {
        let hash = &self.report.run.corpus_manifest_sha256;
        hash.get(..12).unwrap_or(hash)
    }
}

fn gate_line(result: &GateResult) -> GateLine {
    let (estimate, unit) = (&result.measured.value, result.unit);
    let warns = result.gate.severity == Severity::Warn;
    let class = match result.verdict {
        Verdict::Pass => "good",
        Verdict::Fail if !warns => "bad",
        _ => "open",
    };
    let proof = if result.gate.proof == Proof::Bound {
        "bound"
    } else {
        "point"
    };
    GateLine {
        name: result.gate.to_string(),
        class,
        verdict: format!("{}{}", result.verdict, if warns { ", warns only" } else { "" }),
        ratio: ratio(estimate.k, estimate.n, unit),
        point: value(estimate.point, unit),
        bound: value(result.bound(), unit),
        asked: format!(
            "{proof} {} {}",
            result.relation(),
            threshold(result.gate.threshold, unit)
        ),
        reason: result.reason.clone().unwrap_or_default(),
    }
}

fn metric_line(row: &MetricRow) -> MetricLine<'_> {
    let estimate = &row.measured.value;
    MetricLine {
        ratio: ratio(estimate.k, estimate.n, row.unit),
        point: value(estimate.point, row.unit),
        bound: value(row.bound(), row.unit),
        row,
    }
}

fn slice_line(row: &SliceRow) -> SliceLine<'_> {
    SliceLine {
        recall: optional(row.recall_at_5),
        correct: optional(row.answer_correct),
        silent_wrongly: optional(row.false_abstention),
        silent_rightly: optional(row.correct_abstention),
        routed: optional(row.routing_accuracy),
        row,
    }
}

/// Bars of name, median and 95th percentile; the longest fills the line.
fn stage_bars(stages: Vec<(&str, f64, f64)>) -> Vec<StageBar<'_>> {
    let longest = stages.iter().map(|&(_, _, p95)| p95).fold(0.0, f64::max);
    let width = |ms: f64| if longest > 0.0 { 100.0 * ms / longest } else { 0.0 };
    let bar = |(name, p50, p95)| StageBar {
        name,
        p50: format!("{p50:.1}"),
        p95: format!("{p95:.1}"),
        p50_width: width(p50),
        p95_width: width(p95),
    };
    stages.into_iter().map(bar).collect()
}

fn case_view(row: &CaseRow) -> CaseView<'_> {
    let timed = row.timings.map(|t| {
        vec![
            ("route", t.route_ms, t.route_ms),
            ("embed", t.embed_ms, t.embed_ms),
            ("lexical", t.lexical_ms, t.lexical_ms),
            ("vector", t.vector_ms, t.vector_ms),
            ("fuse", t.fuse_ms, t.fuse_ms),
            ("compose", t.compose_ms, t.compose_ms),
            ("ground", t.ground_ms, t.ground_ms),
            ("total", t.total_ms, t.total_ms),
        ]
    });
    let claims: Vec<(&str, &str)> = row
        .unsupported
        .iter()
        .map(|c| (c.text.as_str(), c.why.as_str()))
        .collect();
    CaseView {
        answer: pieces(&row.answer, &claims),
        stages: stage_bars(timed.unwrap_or_default()),
        row,
    }
}

/// The reply cut where an unsupported sentence begins and ends.
fn pieces<'a>(answer: &'a str, claims: &[(&str, &'a str)]) -> Vec<Piece<'a>> {
    let mut spans: Vec<(usize, usize, &str)> = claims
        .iter()
        .filter(|(text, _)| !text.is_empty())
        .filter_map(|(text, why)| answer.find(text).map(|start| (start, start + text.len(), *why)))
        .collect();
    spans.sort_unstable();
    let (mut pieces, mut at) = (Vec::new(), 0);
    for (start, end, why) in spans {
        if start < at {
            continue;
        }
        pieces.push(Piece {
            text: &answer[at..start],
            why: None,
        });
        pieces.push(Piece {
            text: &answer[start..end],
            why: Some(why),
        });
        at = end;
    }
    pieces.push(Piece {
        text: &answer[at..],
        why: None,
    });
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_unsupported_sentence_is_marked_where_it_stands() {
        let told = pieces(
            "It is 5 days. Ask Kofi. Bye.",
            &[("Ask Kofi.", "no evidence names Kofi")],
        );
        let texts: Vec<(&str, bool)> = told
            .iter()
            .map(|piece| (piece.text, piece.why.is_some()))
            .collect();
        assert_eq!(
            texts,
            [("It is 5 days. ", false), ("Ask Kofi.", true), (" Bye.", false)]
        );
    }

    proptest! {
        /// Whatever is marked, the reader sees the reply as it was sent.
        #[test]
        fn the_pieces_are_the_reply(answer in "[a-c é.]{0,30}", claims in prop::collection::vec("[a-c é.]{0,4}", 0..5)) {
            let claims: Vec<(&str, &str)> = claims.iter().map(|claim| (claim.as_str(), "why")).collect();
            let text: String = pieces(&answer, &claims).iter().map(|piece| piece.text).collect();
            prop_assert_eq!(text, answer);
        }
    }
}
