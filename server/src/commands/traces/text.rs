//! Traces as people read them at a terminal.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use plumbline_retrieval::{Analysis, Considered, LegScore, SearchTrace};
use plumbline_store::TraceRow;
use uuid::Uuid;

use crate::pages::words;
use crate::traces::{Against, Change, MovedPassage, Replayed, TraceRecord};

/// Candidates that are shown.
const SHOWN: usize = 12;

/// Characters of a text that are shown on one line.
const LINE: usize = 100;

fn short(text: &str, most: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = text.chars().take(most).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short}{more}")
}

fn name(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// One line per trace: identifier, when, outcome, time, question.
pub(super) fn list(rows: &[TraceRow], now: DateTime<Utc>) -> String {
    let mut text = String::new();
    for row in rows {
        let outcome = row.outcome.as_deref().unwrap_or("search");
        let _ = writeln!(
            text,
            "{}  {:<12}  {:<10}  {:<10}  {:>8}  {}",
            row.id,
            words::ago(row.created_at, now),
            name(&row.source),
            outcome,
            words::milliseconds(row.total_ms),
            short(&row.question, LINE)
        );
    }
    text
}

/// How the lexical leg read a question: its words with their weight, and the terms that stand for them.
pub(in crate::commands) fn analysis(analysis: &Analysis) -> String {
    let language = analysis.language.as_deref().unwrap_or("not told");
    let mut text = format!("analysis: language {language}\n");
    for word in &analysis.words {
        let terms: Vec<String> = word
            .terms
            .iter()
            .map(|term| {
                if (term.weight - 1.0).abs() > 0.005 {
                    format!("{} × {:.2}", term.text, term.weight)
                } else {
                    term.text.clone()
                }
            })
            .collect();
        let terms = if terms.is_empty() {
            "in no document".to_owned()
        } else {
            terms.join(", ")
        };
        let _ = writeln!(text, "  {:<16} idf {:>5.2}  {terms}", word.text, word.idf);
    }
    text
}

fn leg(found: Option<LegScore>) -> String {
    match found {
        None => "–".to_owned(),
        Some(leg) if leg.rank == 0 => format!("– ({:.3})", leg.score),
        Some(leg) => format!("{} ({:.3})", leg.rank, leg.score),
    }
}

fn spot(page: Option<u32>, row: Option<u64>) -> String {
    match (page, row) {
        (Some(page), _) => format!(", page {page}"),
        (None, Some(row)) => format!(", row {row}"),
        (None, None) => String::new(),
    }
}

fn candidate(place: usize, found: &Considered, record: &TraceRecord) -> String {
    let handed_on = record.hits.iter().position(|chunk| *chunk == found.chunk_id);
    let mark = match (handed_on, found.duplicate_of) {
        (Some(index), _) => format!("hit {}", index + 1),
        (None, Some(_)) => "repeats".to_owned(),
        (None, None) => String::new(),
    };
    format!(
        "  {place:>3}  {mark:<8} {:<12} {:<12} {:>5}  {:>6.3}  {} (version {}{})\n        {}\n",
        leg(found.lexical),
        leg(found.vector),
        found.fused_rank,
        found.score,
        found.document_key,
        found.version_number,
        spot(found.page, found.row),
        short(&found.excerpt, LINE)
    )
}

fn searched(record: &TraceRecord, search: &SearchTrace) -> String {
    let mut text = analysis(&search.analysis);
    let _ = writeln!(
        text,
        "by words: {}, {} found, at most {:.2}",
        name(&search.lexical.state),
        search.lexical.found,
        search.lexical.bound
    );
    let _ = writeln!(
        text,
        "by meaning: {}, {} of {} window{}, {} found",
        search.vector.model,
        search.vector.scan,
        search.vector.windows,
        if search.vector.windows == 1 { "" } else { "s" },
        search.vector.found
    );
    let again = search.rerank.as_ref().map_or_else(String::new, |rerank| {
        let missed = rerank
            .missed
            .as_ref()
            .map_or_else(String::new, |why| format!(" (the model did not: {why})"));
        let (read, time) = (rerank.read, words::milliseconds(rerank.ms));
        format!(", {read} read again by {} in {time}{missed}", rerank.by)
    });
    let _ = writeln!(
        text,
        "fusion: {}, words {:.2}, meaning {:.2}{again}",
        name(&search.fusion),
        search.lexical_weight,
        1.0 - search.lexical_weight
    );
    let _ = writeln!(text, "\nplace           by words     by meaning   fused   score");
    let shown = search
        .candidates
        .iter()
        .zip(1..)
        .take(SHOWN.max(record.hits.len()));
    for (found, place) in shown {
        text += &candidate(place, found, record);
    }
    let more = search
        .candidates
        .len()
        .saturating_sub(SHOWN.max(record.hits.len()));
    if more > 0 {
        let _ = writeln!(text, "  and {more} more, see --json");
    }
    text
}

/// A whole trace.
pub(super) fn whole(row: &TraceRow, record: &TraceRecord) -> String {
    let mut text = format!(
        "{}\n{}, {}, settings {}{}\n",
        short(&record.question, 1_000),
        name(&row.source),
        words::moment(row.created_at),
        row.settings_version,
        row.index_version
            .map(|revision| format!(", documents as of revision {revision}"))
            .unwrap_or_default()
    );
    for change in &record.changes {
        let _ = writeln!(text, "changed: {change}");
    }
    if row.query != row.question {
        let _ = writeln!(text, "searched as: {}", short(&row.query, 1_000));
    }
    match &record.search {
        Some(search) => {
            let _ = write!(text, "\n{}", searched(record, search));
        }
        None => text += "\nnothing was searched: the words alone decided\n",
    }
    if !record.packed.is_empty() {
        text += "\nthe composer was given:\n";
        for (passage, number) in record.packed.iter().zip(1..) {
            let _ = writeln!(
                text,
                "  {number}. {}: {}",
                passage.title,
                short(&passage.text, 3 * LINE)
            );
        }
    }
    if let Some(answer) = &record.answer {
        let reason = answer
            .reason
            .map(|reason| format!(", {}", name(&reason)))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "\n{}{reason}; route {}; confidence {:.2}\n{}",
            name(&answer.outcome),
            name(&answer.route),
            answer.confidence,
            answer.text
        );
    }
    let _ = writeln!(text, "\n{}", times(record));
    text
}

fn times(record: &TraceRecord) -> String {
    let stages: Vec<(&str, f64)> = match (&record.answer, &record.search) {
        (Some(answer), _) => {
            let t = answer.timings;
            vec![
                ("route", t.route_ms),
                ("embed", t.embed_ms),
                ("words", t.lexical_ms),
                ("meaning", t.vector_ms),
                ("fuse", t.fuse_ms),
                ("compose", t.compose_ms),
                ("check", t.ground_ms),
            ]
        }
        (None, Some(search)) => {
            let t = search.timings;
            vec![
                ("embed", t.embed_ms),
                ("words", t.lexical_ms),
                ("meaning", t.vector_ms),
                ("fuse", t.fuse_ms),
            ]
        }
        (None, None) => Vec::new(),
    };
    let mut parts: Vec<String> = stages
        .into_iter()
        .map(|(stage, ms)| format!("{stage} {}", words::milliseconds(ms)))
        .collect();
    parts.push(format!("total {}", words::milliseconds(record.total_ms())));
    parts.join(", ")
}

fn moved(passage: &MovedPassage) -> String {
    let rank = |rank: Option<u32>| rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string());
    let steps = passage
        .rank_then
        .zip(passage.rank_now)
        .map_or(0, |(then, now)| then.abs_diff(now));
    let change = match passage.change {
        Change::Same => "=".to_owned(),
        Change::Up => format!("▲{steps}"),
        Change::Down => format!("▼{steps}"),
        Change::New => "new".to_owned(),
        Change::Gone => "gone".to_owned(),
    };
    let version = match (passage.version_then, passage.version_now) {
        (Some(then), Some(now)) if then != now => format!("version {then} → {now}"),
        (then, now) => format!("version {}", now.or(then).unwrap_or_default()),
    };
    format!(
        "  {:>3} → {:<3} {change:<5} {} ({version}{})\n      {}\n",
        rank(passage.rank_then),
        rank(passage.rank_now),
        passage.document_key,
        spot(passage.page, passage.row),
        short(&passage.excerpt, LINE)
    )
}

/// A trace that was asked again, and how it differs from the first one.
pub(super) fn replayed(replayed: &Replayed, against: Against) -> String {
    let on = match against {
        Against::Then => "what was live then",
        Against::Now => "what is live now",
    };
    let mut text = format!(
        "asked again on {on}, with settings {}\n",
        replayed.settings_version
    );
    if replayed.missing > 0 {
        let missing = i64::try_from(replayed.missing).unwrap_or(i64::MAX);
        let _ = writeln!(
            text,
            "{} cannot be searched any more: deleted since",
            words::count(missing, "version", "versions")
        );
    }
    let comparison = &replayed.comparison;
    let said = match (comparison.same_outcome, comparison.same_text) {
        (Some(false), _) => "another outcome",
        (_, Some(false)) => "another reply",
        (_, Some(true)) => "the same reply, word for word",
        _ if comparison.same_passages => "the same passages in the same order",
        _ => "other passages",
    };
    let _ = writeln!(text, "{said}\n");
    for passage in &comparison.passages {
        text += &moved(passage);
    }
    if let Some(answer) = &replayed.record.answer {
        let _ = writeln!(text, "\n{}: {}", name(&answer.outcome), answer.text);
    }
    let id = replayed
        .trace_id
        .map_or_else(|| "not kept".to_owned(), |id: Uuid| id.to_string());
    let _ = writeln!(text, "\ntrace {id}");
    text
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
