//! Traces as their page lists them.

use askama::Template;
use chrono::{DateTime, Utc};
use plumbline_store::{TraceRow, TraceSettings, TraceSource};
use uuid::Uuid;

use crate::pages::layout::{Badge, Shell};
use crate::pages::words;
use crate::traces::{QueryProblem, TraceQuery};

/// The page.
#[derive(Debug, Template)]
#[template(path = "traces.html")]
pub struct TracesPage {
    /// Frame.
    pub shell: Shell,
    /// The traces.
    pub view: TracesView,
}

/// The list alone, for a script.
#[derive(Debug, Template)]
#[template(path = "traces_list.html")]
pub struct TracesPart {
    /// The traces.
    pub view: TracesView,
}

/// An entry of a select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Value.
    pub value: &'static str,
    /// Words.
    pub label: &'static str,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// What was typed into the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    /// Words of the question.
    pub words: String,
    /// Key of a document.
    pub document: String,
    /// Least milliseconds.
    pub slower: String,
    /// First day.
    pub since: String,
}

/// A trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceLine {
    /// Trace.
    pub id: Uuid,
    /// The question.
    pub question: String,
    /// As it was searched, when that differs.
    pub searched: Option<String>,
    /// What came of it.
    pub outcome: Badge,
    /// Where it came from.
    pub source: &'static str,
    /// The best document and how many others.
    pub documents: String,
    /// Time it took.
    pub time: String,
    /// When, in words.
    pub when: String,
    /// When, exactly.
    pub when_full: String,
    /// When, for programs.
    pub when_iso: String,
}

/// The traces of one page.
#[derive(Debug, Clone)]
pub struct TracesView {
    /// What was typed.
    pub typed: Typed,
    /// Where the questions came from.
    pub sources: Vec<Choice>,
    /// What came of them.
    pub outcomes: Vec<Choice>,
    /// What is wrong with the form.
    pub problem: Option<String>,
    /// Traces.
    pub lines: Vec<TraceLine>,
    /// Whether the form asks for anything.
    pub narrowed: bool,
    /// Whether this is not the first page.
    pub later: bool,
    /// Address of the first page.
    pub first: String,
    /// Address of the next page.
    pub next: Option<String>,
    /// Which questions are kept, in words.
    pub sampling: String,
    /// Picture of the empty list.
    pub emblem: String,
}

/// Everything the page is made from.
#[derive(Debug)]
pub struct Material<'a> {
    /// The form.
    pub asked: &'a TraceQuery,
    /// What is wrong with it.
    pub problem: Option<QueryProblem>,
    /// Traces of this page.
    pub rows: &'a [TraceRow],
    /// Whether there are older ones.
    pub more: bool,
    /// Which traces are kept.
    pub sampling: TraceSettings,
    /// The present time.
    pub now: DateTime<Utc>,
}

/// A source in words.
pub fn source(source: TraceSource) -> &'static str {
    match source {
        TraceSource::Whatsapp => "WhatsApp",
        TraceSource::Answer => "API answer",
        TraceSource::Search => "Search",
        TraceSource::Playground => "Playground",
        TraceSource::Replay => "Asked again",
    }
}

/// An outcome in words; a search has none.
pub fn outcome(outcome: Option<&str>) -> Badge {
    let (tone, label) = match outcome {
        Some("answered") => ("ok", "Answered"),
        Some("abstained") => ("warn", "Not answered"),
        Some(_) => ("busy still", "Handed over"),
        None => ("", "Search"),
    };
    Badge { tone, label }
}

const SOURCES: [(&str, &str); 6] = [
    ("", "Anywhere"),
    ("whatsapp", "WhatsApp"),
    ("answer", "API answer"),
    ("search", "Search"),
    ("playground", "Playground"),
    ("replay", "Asked again"),
];

const OUTCOMES: [(&str, &str); 4] = [
    ("", "Any outcome"),
    ("answered", "Answered"),
    ("abstained", "Not answered"),
    ("handed_off", "Handed over"),
];

fn choices<const N: usize>(all: [(&'static str, &'static str); N], chosen: Option<&str>) -> Vec<Choice> {
    all.into_iter()
        .map(|(value, label)| Choice {
            value,
            label,
            chosen: value == chosen.unwrap_or_default(),
        })
        .collect()
}

/// How many questions are kept, and how long.
fn sampling(settings: TraceSettings) -> String {
    let days = words::count(i64::from(settings.keep_days), "day", "days");
    if settings.sample <= 0.0 {
        return "No question is kept by itself: `traces.sample` is 0.".to_owned();
    }
    if settings.sample >= 1.0 {
        return format!("Every question is kept for {days}.");
    }
    let share = crate::pages::evidence::view::percent(settings.sample);
    format!("{share} % of the questions and all that were not answered are kept for {days}.")
}

fn documents(keys: &[String]) -> String {
    match keys {
        [] => "no passage".to_owned(),
        [only] => only.clone(),
        [best, others @ ..] => format!("{best} and {} more", others.len()),
    }
}

fn line(row: &TraceRow, now: DateTime<Utc>) -> TraceLine {
    let same = row.query.trim().eq_ignore_ascii_case(row.question.trim());
    TraceLine {
        id: row.id,
        question: row.question.clone(),
        searched: (!same && !row.query.is_empty()).then(|| row.query.clone()),
        outcome: outcome(row.outcome.as_deref()),
        source: source(row.source),
        documents: documents(&row.document_keys),
        time: words::milliseconds(row.total_ms),
        when: words::ago(row.created_at, now),
        when_full: words::moment(row.created_at),
        when_iso: row.created_at.to_rfc3339(),
    }
}

fn address(asked: &TraceQuery, before: Option<Uuid>) -> String {
    let before = before.map(|id| id.to_string());
    let fields = [
        ("words", asked.words.as_deref()),
        ("source", asked.source.as_deref()),
        ("outcome", asked.outcome.as_deref()),
        ("document", asked.document.as_deref()),
        ("slower_than_ms", asked.slower_than_ms.as_deref()),
        ("since", asked.since.as_deref()),
        ("before", before.as_deref()),
    ];
    let query: Vec<String> = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.map(str::trim).filter(|value| !value.is_empty())?)))
        .map(|(name, value)| format!("{name}={}", words::query_escape(value)))
        .collect();
    if query.is_empty() {
        "/traces".to_owned()
    } else {
        format!("/traces?{}", query.join("&"))
    }
}

impl TracesView {
    /// The view of a page of traces.
    pub fn new(from: &Material<'_>) -> Self {
        let asked = from.asked;
        let typed = |text: &Option<String>| text.clone().unwrap_or_default();
        let first = address(asked, None);
        let last = from.rows.last().filter(|_| from.more);
        Self {
            typed: Typed {
                words: typed(&asked.words),
                document: typed(&asked.document),
                slower: typed(&asked.slower_than_ms),
                since: typed(&asked.since),
            },
            sources: choices(SOURCES, asked.source.as_deref()),
            outcomes: choices(OUTCOMES, asked.outcome.as_deref()),
            problem: from.problem.as_ref().map(|problem| {
                let field = match problem.field {
                    "slower_than_ms" => "Slower than",
                    "since" => "Since",
                    "document" => "Document",
                    "words" => "Words",
                    _ => "The address",
                };
                format!("{field}: {}", problem.message)
            }),
            lines: from.rows.iter().map(|row| line(row, from.now)).collect(),
            narrowed: first != "/traces",
            later: asked.before.is_some(),
            first,
            next: last.map(|row| address(asked, Some(row.id))),
            sampling: sampling(from.sampling),
            emblem: crate::pages::assets::url("plumbline.svg"),
        }
    }
}
