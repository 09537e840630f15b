//! One trace, from the question to the reply.

use askama::Template;
use plumbline_answer::{Speaker, Timings};
use plumbline_retrieval::{AnalysedWord, LexicalState, SearchTrace};
use plumbline_store::{Fusion, SettingsVersion, TraceRow};
use uuid::Uuid;

use super::candidates::Candidates;
use super::difference::{ChangedSetting, DifferenceView, Side};
use super::list;
use crate::changes::differences;
use crate::pages::evidence::view::{self as evidence, SentenceLine, Time};
use crate::pages::layout::{Badge, Notice, Shell};
use crate::pages::words;
use crate::traces::{Against, TraceRecord};

/// The page.
#[derive(Debug, Template)]
#[template(path = "trace.html")]
pub struct TracePage {
    /// Frame.
    pub shell: Shell,
    /// What was just done.
    pub notices: Vec<Notice>,
    /// The trace.
    pub view: TraceView,
}

/// Whether the answer of a trace can become a golden case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Golden {
    /// No answer is stored under the trace's id.
    NotStored,
    /// It can.
    Offered,
    /// It did: this draft.
    Draft(Uuid),
}

/// A word of the question as the lexical leg read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordChip {
    /// As typed.
    pub text: String,
    /// Inverse document frequency.
    pub idf: String,
    /// Terms that stand for it, with what a match counts unless that is 1.
    pub terms: Vec<(String, Option<String>)>,
}

/// A leg of the search in a few facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegCard {
    /// Name.
    pub name: &'static str,
    /// Class of its colour.
    pub class: &'static str,
    /// Its state.
    pub state: Badge,
    /// Facts about it.
    pub facts: Vec<(&'static str, String)>,
}

/// A passage as the composer got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedLine {
    /// Document.
    pub title: String,
    /// Headings above it.
    pub headings: Vec<String>,
    /// Its text.
    pub text: String,
    /// Places of the candidates it comes from.
    pub from: Vec<String>,
}

/// The search of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchView {
    /// Language it was taken for.
    pub language: Option<String>,
    /// Words that mean something.
    pub chips: Vec<WordChip>,
    /// Both legs.
    pub legs: Vec<LegCard>,
    /// How the scores became one.
    pub fusion: String,
    /// Candidates, in words.
    pub note: String,
    /// Where the search cut, in words.
    pub cut: String,
    /// Candidates.
    pub candidates: Candidates,
}

/// The reply of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyPart {
    /// Sentences with their sources.
    pub sentences: Vec<SentenceLine>,
    /// Why it is no ordinary reply.
    pub reason: Option<&'static str>,
    /// Tone of the outcome.
    pub tone: &'static str,
    /// Route.
    pub route: &'static str,
    /// Language.
    pub language: String,
    /// Confidence in percent.
    pub confidence: Option<u32>,
    /// Address of its evidence, when the answer is stored.
    pub evidence_href: Option<String>,
}

/// Everything the page shows of a trace.
#[derive(Debug, Clone)]
pub struct TraceView {
    /// Trace.
    pub id: Uuid,
    /// The question as asked.
    pub question: String,
    /// What was said before.
    pub history: Vec<(&'static str, String)>,
    /// As it was searched, when that differs, and why it does.
    pub searched: Option<(String, &'static str)>,
    /// What came of it.
    pub outcome: Badge,
    /// Where it came from.
    pub source: &'static str,
    /// When.
    pub when: String,
    /// When, for programs.
    pub when_iso: String,
    /// Only these documents were looked at, in words.
    pub filter: Vec<String>,
    /// Staged versions that were seen.
    pub staged: usize,
    /// The search.
    pub search: Option<SearchView>,
    /// What the composer was given.
    pub packed: Vec<PackedLine>,
    /// The reply.
    pub reply: Option<ReplyPart>,
    /// Stages.
    pub times: Vec<Time>,
    /// Whole time.
    pub total: String,
    /// Version of the settings.
    pub settings: i64,
    /// Whether those are in force, and nothing was changed for this question.
    pub settings_live: bool,
    /// What was changed for this question alone.
    pub changes: Vec<String>,
    /// What differs from the settings in force.
    pub differing: Vec<ChangedSetting>,
    /// Index version.
    pub index_version: Option<i64>,
    /// Golden case.
    pub golden: Golden,
    /// What was asked again, and on what.
    pub replay_of: Option<(String, &'static str)>,
    /// What differs from what was asked again.
    pub difference: Option<DifferenceView>,
}

impl TraceView {
    /// Whether it can become a golden case.
    pub fn offers_golden(&self) -> bool {
        self.golden == Golden::Offered
    }

    /// The draft of a golden case that it became.
    pub fn draft(&self) -> Option<Uuid> {
        match self.golden {
            Golden::Draft(id) => Some(id),
            Golden::Offered | Golden::NotStored => None,
        }
    }
}

/// Everything the page is made from.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The trace.
    pub row: &'a TraceRow,
    /// Its record.
    pub record: &'a TraceRecord,
    /// Whether it can become a golden case.
    pub golden: Golden,
    /// Settings in force.
    pub live: &'a SettingsVersion,
    /// The trace that was asked again.
    pub first: Option<Side<'a>>,
}

fn chip(word: &AnalysedWord) -> WordChip {
    WordChip {
        text: word.text.clone(),
        idf: format!("{:.2}", word.idf),
        terms: word
            .terms
            .iter()
            .map(|term| {
                let less = (term.weight - 1.0).abs() > 0.005;
                (term.text.clone(), less.then(|| format!("{:.2}", term.weight)))
            })
            .collect(),
    }
}

fn lexical_state(state: &LexicalState) -> Badge {
    let (tone, label) = match state {
        LexicalState::Current => ("ok", "Current"),
        LexicalState::Behind => ("warn", "Behind what was published"),
        LexicalState::Unavailable => ("bad", "Unavailable"),
        LexicalState::Off => ("", "Switched off"),
    };
    Badge { tone, label }
}

fn count(number: usize) -> String {
    words::thousands(i64::try_from(number).unwrap_or(i64::MAX))
}

fn legs(search: &SearchTrace, vector_on: bool) -> Vec<LegCard> {
    let lexical = LegCard {
        name: "By words",
        class: "p-words",
        state: lexical_state(&search.lexical.state),
        facts: vec![
            ("Found", count(search.lexical.found)),
            (
                "Most that a passage could score",
                format!("{:.2}", search.lexical.bound),
            ),
            ("Time", words::milliseconds(search.timings.lexical_ms)),
        ],
    };
    let (tone, label) = match (vector_on, search.vector.scan.as_str()) {
        (false, _) => ("", "Switched off"),
        (true, "exact") => ("ok", "Every vector compared"),
        (true, _) => ("ok", "By the HNSW index"),
    };
    let vector = LegCard {
        name: "By meaning",
        class: "p-meaning",
        state: Badge { tone, label },
        facts: vec![
            ("Found", count(search.vector.found)),
            ("Among windows", words::thousands(search.vector.windows)),
            ("Model", search.vector.model.clone()),
            (
                "Time",
                format!(
                    "{}, embedding {}",
                    words::milliseconds(search.timings.vector_ms),
                    words::milliseconds(search.timings.embed_ms)
                ),
            ),
        ],
    };
    vec![lexical, vector]
}

fn fusion(search: &SearchTrace) -> String {
    let how = match search.fusion {
        Fusion::Bounded => "words as a share of the most they could score, meaning as the cosine",
        Fusion::Convex => "both scores stretched to 0 to 1 over the candidates",
        Fusion::Rrf => "reciprocal ranks",
    };
    let reranked = search.rerank.as_ref().map_or_else(
        || "; nothing was read again".to_owned(),
        |rerank| {
            let by = if rerank.by == "features" {
                String::new()
            } else {
                format!(" by {}", rerank.by)
            };
            let missed = rerank.missed.as_ref().map_or_else(String::new, |why| {
                format!("; the reranking model did not judge: {why}")
            });
            let time = words::milliseconds(rerank.ms);
            format!(
                "; the leading {} were read once more{by} in {time}{missed}",
                rerank.read
            )
        },
    );
    format!(
        "{:.2} by words, {:.2} by meaning: {how}{reranked}.",
        search.lexical_weight,
        1.0 - search.lexical_weight
    )
}

fn search_view(record: &TraceRecord, search: &SearchTrace) -> SearchView {
    let candidates = Candidates::new(record, search);
    let total = candidates.shown.len() + candidates.folded.len();
    let gone = match search.gone {
        0 => String::new(),
        gone => format!(", {gone} replaced or deleted meanwhile"),
    };
    let handed_on = record.hits.len();
    let cut = if record.answer.is_some() && search.k > handed_on {
        format!(
            "The best {} were looked at for the customer's language, and {handed_on} of them handed on.",
            search.k
        )
    } else {
        format!("The best {} were wanted.", search.k)
    };
    SearchView {
        language: search.analysis.language.as_deref().map(words::language),
        chips: search.analysis.words.iter().map(chip).collect(),
        legs: legs(search, record.settings.retrieval.vector),
        fusion: fusion(search),
        note: format!(
            "{} of both legs, each {} deep{gone}",
            words::count(
                i64::try_from(total).unwrap_or(i64::MAX),
                "candidate",
                "candidates"
            ),
            count(search.leg_depth)
        ),
        cut,
        candidates,
    }
}

fn packed(record: &TraceRecord) -> Vec<PackedLine> {
    let candidates = record.search.iter().flat_map(|search| &search.candidates);
    let places: std::collections::HashMap<Uuid, usize> = candidates
        .zip(1..)
        .map(|(candidate, place)| (candidate.chunk_id, place))
        .collect();
    record
        .packed
        .iter()
        .map(|passage| PackedLine {
            title: passage.title.clone(),
            headings: passage.heading_path.clone(),
            text: passage.text.clone(),
            from: passage
                .chunks
                .iter()
                .filter_map(|chunk| places.get(chunk))
                .map(|place| format!("#{place}"))
                .collect(),
        })
        .collect()
}

fn reply(record: &TraceRecord, golden: Golden) -> Option<ReplyPart> {
    let answer = record.answer.as_ref()?;
    Some(ReplyPart {
        sentences: evidence::sentences(&answer.sentences, &answer.citations),
        reason: answer.reason.map(evidence::reason),
        tone: evidence::outcome(answer.outcome).tone,
        route: evidence::route(answer.route),
        language: words::language(&answer.language),
        confidence: record
            .search
            .is_some()
            .then(|| evidence::percent(answer.confidence)),
        evidence_href: (golden != Golden::NotStored).then(|| format!("/simulator/answers/{}", answer.id)),
    })
}

/// The stages of a trace, whether or not anything was composed.
pub(crate) fn times(record: &TraceRecord) -> Vec<Time> {
    let timings = match (&record.answer, &record.search) {
        (Some(answer), _) => answer.timings,
        (None, Some(search)) => Timings {
            embed_ms: search.timings.embed_ms,
            lexical_ms: search.timings.lexical_ms,
            vector_ms: search.timings.vector_ms,
            fuse_ms: search.timings.fuse_ms,
            ..Timings::default()
        },
        (None, None) => Timings::default(),
    };
    evidence::times(&timings)
}

/// What a filter keeps, in words.
fn filter(record: &TraceRecord) -> Vec<String> {
    let filter = &record.filter;
    let mut told: Vec<String> = Vec::new();
    told.extend(filter.documents.iter().map(|key| format!("document {key}")));
    told.extend(filter.tags.iter().map(|tag| format!("tag {tag}")));
    told.extend(
        filter
            .language
            .iter()
            .map(|code| format!("in {}", words::language(code))),
    );
    told.extend(
        filter
            .since
            .iter()
            .map(|since| format!("since {}", words::moment(*since))),
    );
    told.extend(
        filter
            .until
            .iter()
            .map(|until| format!("before {}", words::moment(*until))),
    );
    told
}

/// Who said what before.
pub(crate) fn history(record: &TraceRecord) -> Vec<(&'static str, String)> {
    let said = record.history.iter().map(|message| {
        let who = match message.role {
            Speaker::Customer => "Customer",
            Speaker::Bot => "Bot",
        };
        (who, message.text.clone())
    });
    said.collect()
}

impl TraceView {
    /// The view of a trace.
    pub fn new(from: &Material<'_>) -> Self {
        let (row, record) = (from.row, from.record);
        let same = row.query.trim().eq_ignore_ascii_case(row.question.trim());
        let why = if record.rewritten {
            "completed from what was said before"
        } else {
            "abbreviations written out"
        };
        let differing = differences(&record.settings, &from.live.settings);
        let this = Side { row, record };
        Self {
            id: row.id,
            question: row.question.clone(),
            history: history(record),
            searched: (!same && record.search.is_some()).then(|| (row.query.clone(), why)),
            outcome: match &record.answer {
                Some(answer) => evidence::outcome(answer.outcome),
                None => list::outcome(None),
            },
            source: list::source(row.source),
            when: words::moment(row.created_at),
            when_iso: row.created_at.to_rfc3339(),
            filter: filter(record),
            staged: record.staged.len(),
            search: record.search.as_ref().map(|search| search_view(record, search)),
            packed: packed(record),
            reply: reply(record, from.golden),
            times: times(record),
            total: words::milliseconds(row.total_ms),
            settings: row.settings_version,
            settings_live: row.settings_version == from.live.version && record.changes.is_empty(),
            changes: record.changes.clone(),
            differing: differing
                .into_iter()
                .map(|(name, then, now)| ChangedSetting { name, then, now })
                .collect(),
            index_version: row.index_version,
            golden: from.golden,
            replay_of: record.replay.map(|replay| {
                let on = match replay.against {
                    Against::Then => "on what was live then",
                    Against::Now => "on what is live now",
                };
                (format!("/traces/{}", replay.trace), on)
            }),
            difference: from
                .first
                .map(|first| DifferenceView::new(("First", "Asked again"), first, this)),
        }
    }
}
