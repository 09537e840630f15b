//! An answer with the evidence for every sentence.

use askama::Template;
use plumbline_answer::{Answer, Citation, Outcome, Reason, Route, Sentence, Timings};
use plumbline_retrieval::Hit;
use uuid::Uuid;

use crate::pages::layout::{Badge, Shell};
use crate::pages::words;

/// The panel beside the chat.
#[derive(Debug, Template)]
#[template(path = "evidence_panel.html")]
pub struct EvidencePart {
    /// The answer.
    pub evidence: Option<Evidence>,
    /// Heading while there is none.
    pub blank_title: &'static str,
    /// Words while there is none.
    pub blank_text: &'static str,
}

/// The panel as a page of its own.
#[derive(Debug, Template)]
#[template(path = "evidence.html")]
pub struct EvidencePage {
    /// Frame.
    pub shell: Shell,
    /// The answer.
    pub evidence: Option<Evidence>,
    /// Heading while there is none.
    pub blank_title: &'static str,
    /// Words while there is none.
    pub blank_text: &'static str,
}

/// A source of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Document.
    pub title: String,
    /// Page or row.
    pub place: String,
    /// Version.
    pub version: i32,
    /// The passage.
    pub quote: String,
    /// The passage in its text.
    pub href: String,
}

/// A sentence of the reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentenceLine {
    /// Text as sent.
    pub text: String,
    /// Its sources.
    pub proofs: Vec<Proof>,
}

/// A passage that the search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HitLine {
    /// Place in the result.
    pub rank: usize,
    /// Document.
    pub title: String,
    /// Page or row.
    pub place: String,
    /// Beginning of the chunk.
    pub excerpt: String,
    /// The chunk in its text.
    pub href: String,
    /// Place and score in the lexical leg.
    pub lexical: String,
    /// Place and score in the vector leg.
    pub vector: String,
    /// Whether the reply cites it.
    pub cited: bool,
}

/// A stage of the answer in the bar of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time {
    /// Stage.
    pub label: &'static str,
    /// Time, in words.
    pub ms: String,
    /// Class of its colour.
    pub class: &'static str,
    /// Where it begins, in thousandths of the bar.
    pub x: u32,
    /// How long it is, in thousandths of the bar.
    pub width: u32,
}

/// Everything the panel shows of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Identifier of the answer.
    pub id: String,
    /// The question as asked.
    pub question: String,
    /// The question as searched, when it was rewritten.
    pub searched: Option<String>,
    /// What the customer got.
    pub outcome: Badge,
    /// Whether people have the conversation from now on.
    pub handed_off: bool,
    /// Route.
    pub route: &'static str,
    /// Why it is no ordinary reply.
    pub reason: Option<&'static str>,
    /// Language of the reply.
    pub language: String,
    /// Confidence in percent, where a search was made at all.
    pub confidence: Option<u32>,
    /// Sentences.
    pub sentences: Vec<SentenceLine>,
    /// Passages found.
    pub hits: Vec<HitLine>,
    /// How many of how many.
    pub hits_note: String,
    /// Stages.
    pub times: Vec<Time>,
    /// Whole time, in words.
    pub total: String,
    /// Model and tokens.
    pub model: String,
    /// Version of the settings.
    pub settings: i64,
    /// Whether whoever looks may make it a golden case.
    pub offer_golden: bool,
    /// The draft of a golden case that it became.
    pub draft: Option<Uuid>,
    /// How it was found, if that is kept and whoever looks may see it.
    pub trace_href: Option<String>,
}

const MOST_HITS: usize = 6;
const EXCERPT_CHARS: usize = 240;

pub(crate) fn outcome(outcome: Outcome) -> Badge {
    match outcome {
        Outcome::Answered => Badge {
            tone: "ok",
            label: "Answered",
        },
        Outcome::Abstained => Badge {
            tone: "warn",
            label: "Said it does not know",
        },
        Outcome::HandedOff => Badge {
            tone: "busy",
            label: "Handed to a person",
        },
    }
}

pub(crate) fn route(route: Route) -> &'static str {
    match route {
        Route::Commodity => "Single fact",
        Route::Reasoning => "Reasoning",
        Route::Smalltalk => "Small talk",
        Route::Handoff => "Needs a person",
        Route::OutOfScope => "Out of scope",
    }
}

pub(crate) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::NoEvidence => "No passage was close enough to the question, so nothing was claimed.",
        Reason::MissingDetail => "Passages are on the topic, but none states what was asked for.",
        Reason::Vetoed => {
            "A sentence held a number, date, name or link that its source does not hold, so it was not sent."
        }
        Reason::OutOfScope => "The question is none of this business's concern.",
        Reason::AskedForPerson => "The customer asked for a person.",
        Reason::NeedsPerson => "An account, complaint, safety or legal matter: only a person may handle it.",
        Reason::BotDisabled => "Automatic answers are switched off.",
    }
}

pub(crate) fn place(page: Option<u32>, row: Option<u64>) -> String {
    let row = row.map(|row| i64::try_from(row).unwrap_or(i64::MAX));
    words::place((page.map(i64::from), None), (row, None))
}

fn href(version: Uuid, start: usize, end: usize, row: Option<u64>) -> String {
    let row = row.map(|row| format!("&row={row}")).unwrap_or_default();
    format!("/passages/{version}?start={start}&end={end}{row}#passage")
}

fn proof(citation: &Citation) -> Proof {
    Proof {
        title: citation.document_title.clone(),
        place: place(citation.page, citation.row),
        version: citation.version_number,
        quote: citation.quote.clone(),
        href: href(citation.version_id, citation.start, citation.end, citation.row),
    }
}

/// Rank 0 is a score without a place: the leg did not find the chunk, it only measured it.
fn leg(name: &str, found: Option<plumbline_retrieval::LegScore>) -> String {
    match found {
        None => format!("{name} –"),
        Some(leg) if leg.rank == 0 => format!("{name} – ({:.2})", leg.score),
        Some(leg) => format!("{name} #{} ({:.2})", leg.rank, leg.score),
    }
}

/// The sentences of a reply with their sources.
pub(crate) fn sentences(sentences: &[Sentence], citations: &[Citation]) -> Vec<SentenceLine> {
    let line = |sentence: &Sentence| SentenceLine {
        text: sentence.text.clone(),
        proofs: sentence
            .citations
            .iter()
            .filter_map(|&index| citations.get(index))
            .map(proof)
            .collect(),
    };
    sentences.iter().map(line).collect()
}

/// A share in percent.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a percentage"
)]
pub(crate) fn percent(share: f32) -> u32 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u32
}

fn hit_line(rank: usize, hit: &Hit, cited: bool) -> HitLine {
    let mut excerpt: String = hit.text.chars().take(EXCERPT_CHARS).collect();
    if excerpt.len() < hit.text.len() {
        excerpt.push('…');
    }
    HitLine {
        rank,
        title: hit.document_title.clone(),
        place: place(hit.page, hit.row),
        excerpt,
        href: href(hit.version_id, hit.start, hit.end, hit.row),
        lexical: leg("words", hit.lexical),
        vector: leg("meaning", hit.vector),
        cited,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the bar"
)]
pub(crate) fn times(timings: &Timings) -> Vec<Time> {
    let stages = [
        ("route", timings.route_ms, "t0"),
        ("embed", timings.embed_ms, "t1"),
        ("words", timings.lexical_ms, "t2"),
        ("meaning", timings.vector_ms, "t3"),
        ("fuse", timings.fuse_ms, "t4"),
        ("compose", timings.compose_ms, "t5"),
        ("check", timings.ground_ms, "t6"),
    ];
    // the two legs may run at once, so the bar is the sum of the stages, not the time on the clock
    let sum: f64 = stages.iter().map(|(_, ms, _)| ms.max(0.0)).sum();
    let part = |ms: f64| {
        if sum > 0.0 {
            (ms.max(0.0) / sum * 1_000.0).clamp(0.0, 1_000.0)
        } else {
            0.0
        }
    };
    let mut x = 0.0;
    stages
        .into_iter()
        .filter(|(_, ms, _)| *ms > 0.0)
        .map(|(label, ms, class)| {
            let (start, width) = (x, part(ms));
            x += width;
            Time {
                label,
                ms: words::milliseconds(ms),
                class,
                x: start.round() as u32,
                width: width.round().max(1.0) as u32,
            }
        })
        .collect()
}

fn model(answer: &Answer) -> String {
    match (answer.usage.input_tokens, answer.usage.output_tokens) {
        _ if answer.usage.model.is_empty() => "no model".to_owned(),
        (0, 0) => format!("model {}", answer.usage.model),
        (input, output) => format!("model {}, {input} tokens in, {output} out", answer.usage.model),
    }
}

impl Evidence {
    /// The evidence of an answer to `question`.
    pub fn new(question: &str, answer: &Answer) -> Self {
        let cited = |hit: &Hit| {
            answer
                .citations
                .iter()
                .any(|citation| citation.chunk_id == hit.chunk_id)
        };
        let shown = answer.hits.len().min(MOST_HITS);
        let same = answer.query.trim().eq_ignore_ascii_case(question.trim()) || answer.query.is_empty();
        Self {
            id: answer.id.to_string(),
            question: question.to_owned(),
            searched: (!same).then(|| answer.query.clone()),
            outcome: outcome(answer.outcome),
            handed_off: answer.outcome == Outcome::HandedOff,
            route: route(answer.route),
            reason: answer.reason.map(reason),
            language: words::language(&answer.language),
            confidence: (!answer.hits.is_empty()).then(|| percent(answer.confidence)),
            sentences: sentences(&answer.sentences, &answer.citations),
            hits: answer.hits[..shown]
                .iter()
                .enumerate()
                .map(|(index, hit)| hit_line(index + 1, hit, cited(hit)))
                .collect(),
            hits_note: if shown < answer.hits.len() {
                format!("best {shown} of {}", answer.hits.len())
            } else {
                "best first".to_owned()
            },
            times: times(&answer.timings),
            total: words::milliseconds(answer.timings.total_ms),
            model: model(answer),
            settings: answer.settings_version,
            offer_golden: false,
            draft: None,
            trace_href: None,
        }
    }
}
