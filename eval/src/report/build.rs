//! From graded replies to the report.

use plumbline_answer::Speaker;

use super::checks::checks;
use super::{CaseRow, Expected, MetricRow, Report, RunInfo, SCHEMA_VERSION, SliceRow, TopHit, Turn, risk};
use crate::gate::{Exit, GateResult};
use crate::golden::case::{Case, route_name};
use crate::golden::pin::excerpt_to;
use crate::golden::split::split_of;
use crate::golden::verdict::{answer_sha256, evidence_sha256};
use crate::metrics::hallucination::Tally;
use crate::metrics::registry::{METRICS, find};
use crate::metrics::{Graded, abstention, agreement, cost, latency, recall, routing, slice};

/// Hits shown per case.
const TOP: usize = 5;

/// Characters shown of a hit.
const SHOWN: usize = 400;

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
        cost: cost::by_route(&all),
        risk: risk::curve(graded),
        agreement: agreement::agreement(&agreement::pairs(&all)),
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
        withheld: false,
        history: history(case),
        question: case.question.clone(),
        expected: expected(graded),
        checks: checks(graded),
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

fn history(case: &Case) -> Vec<Turn> {
    let role = |speaker| match speaker {
        Speaker::Customer => "customer",
        Speaker::Bot => "bot",
    };
    let turns = case.history.iter();
    turns
        .map(|message| Turn {
            role: role(message.role).to_owned(),
            text: message.text.clone(),
        })
        .collect()
}

fn expected(graded: &Graded) -> Vec<Expected> {
    let hits = graded
        .reply
        .answer
        .as_ref()
        .map(|answer| answer.hits.as_slice())
        .unwrap_or_default();
    let spans = graded.spans.iter();
    spans
        .map(|span| Expected {
            group: span.group.clone(),
            document: span.doc.clone(),
            quote: span.text.clone(),
            grade: span.grade,
            rank: hits
                .iter()
                .position(|hit| recall::hits(hit, span))
                .map(|at| at + 1),
        })
        .collect()
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
        text: excerpt_to(&hit.text, SHOWN),
    })
    .collect()
}
