//! From graded replies to the report.

use super::{CaseRow, MetricRow, Report, RunInfo, SCHEMA_VERSION, SliceRow, TopHit};
use crate::gate::{Exit, GateResult};
use crate::golden::case::{Case, route_name};
use crate::golden::pin::excerpt;
use crate::golden::split::split_of;
use crate::golden::verdict::{answer_sha256, evidence_sha256};
use crate::metrics::hallucination::Tally;
use crate::metrics::registry::{METRICS, find};
use crate::metrics::{Graded, abstention, latency, recall, routing, slice};

/// Hits shown per case.
const TOP: usize = 5;

/// Puts a report together.
pub fn build(run: RunInfo, graded: &[Graded], gates: Vec<GateResult>, exit: Exit) -> Report {
    let all: Vec<&Graded> = graded.iter().collect();
    let metrics = METRICS.iter().map(|metric| {
        let measured = (metric.measure)(&all);
        let coverage = measured.coverage();
        MetricRow {
            name: metric.name.into(),
            direction: metric.direction,
            unit: metric.unit,
            measured,
            coverage,
        }
    });
    Report {
        schema_version: SCHEMA_VERSION,
        run,
        exit,
        gates,
        metrics: metrics.collect(),
        slices: slices(graded),
        confusion: routing::confusion(&all),
        outcomes: abstention::matrix(&all),
        hallucination: Tally::of(&all),
        stages: latency::stages(&all),
        regression: None,
        power: Vec::new(),
        cases: graded.iter().map(case_row).collect(),
    }
}

fn slices(graded: &[Graded]) -> Vec<SliceRow> {
    let cases = graded.iter().map(|g| &g.case);
    slice::all(cases)
        .into_iter()
        .map(|name| slice_row(graded, name))
        .collect()
}

fn slice_row(graded: &[Graded], slice: String) -> SliceRow {
    let part = slice::part(graded, Some(&slice));
    let point = |metric: &str| {
        let measured = (find(metric)?.measure)(&part);
        (measured.value.n > 0).then_some(measured.value.point)
    };
    SliceRow {
        n: part.len(),
        recall_at_5: point("recall_at_5"),
        answer_correct: point("answer_correct"),
        false_abstention: point("false_abstention"),
        correct_abstention: point("correct_abstention"),
        routing_accuracy: point("routing_accuracy"),
        slice,
    }
}

fn case_row(graded: &Graded) -> CaseRow {
    let Graded { case, reply, .. } = graded;
    let answer = reply.answer.as_ref().ok();
    let problems = graded.problems();
    CaseRow {
        id: case.id.clone(),
        kind: case.kind,
        split: split_of(&case.id),
        slices: slices_of(case),
        question: case.question.clone(),
        passed: problems.is_empty(),
        problems,
        observed: graded.observed,
        expected_route: case.expected_route().map(|route| route_name(route).to_owned()),
        route: graded.route().map(|route| route_name(route).to_owned()),
        recall_at_5: graded.ranking.map(|ranking| ranking.recall_at_5),
        mrr: graded.ranking.map(|ranking| ranking.mrr),
        correct: graded.correct,
        standing: graded.standing,
        top: top(graded),
        answer: answer.map(|answer| answer.text.clone()).unwrap_or_default(),
        answer_sha256: answer.map(answer_sha256),
        evidence_sha256: answer.map(evidence_sha256),
        trace: answer.map(|answer| answer.id.to_string()),
        confidence: answer.map(|answer| answer.confidence),
        citations: graded.citations.clone(),
        unsupported: graded.unsupported.clone(),
        wall_ms: reply.wall_ms,
        timed: reply.live && !graded.warm_up,
        timings: answer.map(|answer| answer.timings),
    }
}

fn slices_of(case: &Case) -> Vec<String> {
    slice::slices_of(case).into_iter().collect()
}

fn top(graded: &Graded) -> Vec<TopHit> {
    let Ok(answer) = &graded.reply.answer else {
        return Vec::new();
    };
    let marks = recall::marks(&answer.hits, &graded.spans);
    let hits = answer.hits.iter().zip(marks).take(TOP);
    hits.map(|(hit, holds)| TopHit {
        document: hit.document_key.clone(),
        start: hit.start,
        end: hit.end,
        score: hit.score,
        lexical_rank: hit.lexical.map(|leg| leg.rank),
        vector_rank: hit.vector.map(|leg| leg.rank),
        holds,
        text: excerpt(&hit.text),
    })
    .collect()
}
