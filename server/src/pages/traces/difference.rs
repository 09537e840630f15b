//! Two traces side by side as a page shows them: the replies, the settings, and where each passage went.

use plumbline_store::TraceRow;

use crate::changes::differences;
use crate::pages::evidence::view::{self as evidence, percent};
use crate::pages::layout::Badge;
use crate::pages::words;
use crate::traces::{Change, Comparison, MovedPassage, TraceRecord};

/// A trace to compare.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Its row.
    pub row: &'a TraceRow,
    /// Its record.
    pub record: &'a TraceRecord,
}

/// One of the two replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyView {
    /// Which one.
    pub label: &'static str,
    /// Its trace.
    pub href: String,
    /// What came of it; none for a search.
    pub outcome: Option<Badge>,
    /// Confidence in percent.
    pub confidence: Option<u32>,
    /// The reply.
    pub text: String,
    /// Its time.
    pub total: String,
}

/// Where a passage went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedLine {
    /// Document.
    pub title: String,
    /// Page or row, and the versions when they differ.
    pub place: String,
    /// Its beginning.
    pub excerpt: String,
    /// Place in the first.
    pub then: String,
    /// Place in the second.
    pub now: String,
    /// Class of its colour.
    pub tone: &'static str,
    /// What became of it, short.
    pub mark: String,
    /// What became of it, in words.
    pub spoken: String,
}

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedSetting {
    /// Its name.
    pub name: String,
    /// Value in the first.
    pub then: String,
    /// Value in the second.
    pub now: String,
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DifferenceView {
    /// In a sentence.
    pub summary: String,
    /// Its tone.
    pub tone: &'static str,
    /// Names of the two.
    pub names: (&'static str, &'static str),
    /// Both replies.
    pub replies: Vec<ReplyView>,
    /// Whether the replies are the same.
    pub same_text: bool,
    /// Where the passages went.
    pub moved: Vec<MovedLine>,
    /// Settings that differ.
    pub settings: Vec<ChangedSetting>,
}

fn reply(label: &'static str, side: Side<'_>) -> ReplyView {
    let answer = side.record.answer.as_ref();
    ReplyView {
        label,
        href: format!("/traces/{}", side.row.id),
        outcome: answer.map(|answer| evidence::outcome(answer.outcome)),
        confidence: answer
            .filter(|_| side.record.search.is_some())
            .map(|answer| percent(answer.confidence)),
        text: answer.map(|answer| answer.text.clone()).unwrap_or_default(),
        total: words::milliseconds(side.row.total_ms),
    }
}

fn line(passage: &MovedPassage) -> MovedLine {
    let steps = passage
        .rank_then
        .zip(passage.rank_now)
        .map_or(0, |(then, now)| then.abs_diff(now));
    let (tone, mark, spoken) = match passage.change {
        Change::Same => ("", "=".to_owned(), "in the same place".to_owned()),
        Change::Up => ("ok", format!("▲ {steps}"), format!("{steps} up")),
        Change::Down => ("bad", format!("▼ {steps}"), format!("{steps} down")),
        Change::New => ("ok", "new".to_owned(), "not among the first".to_owned()),
        Change::Gone => ("bad", "gone".to_owned(), "not among the second".to_owned()),
    };
    let versions = match (passage.version_then, passage.version_now) {
        (Some(then), Some(now)) if then != now => format!("version {then} → {now}"),
        (then, now) => now
            .or(then)
            .map(|version| format!("version {version}"))
            .unwrap_or_default(),
    };
    let place = evidence::place(passage.page, passage.row);
    let rank = |rank: Option<u32>| rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string());
    MovedLine {
        title: passage.document_title.clone(),
        place: [place, versions]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
        excerpt: passage.excerpt.clone(),
        then: rank(passage.rank_then),
        now: rank(passage.rank_now),
        tone,
        mark,
        spoken,
    }
}

fn summary(comparison: &Comparison) -> (&'static str, String) {
    let count = |wanted: &[Change]| {
        let found = comparison.passages.iter();
        found.filter(|passage| wanted.contains(&passage.change)).count()
    };
    let passages = if comparison.passages.is_empty() {
        "neither found a passage".to_owned()
    } else if comparison.same_passages {
        "the same passages in the same order".to_owned()
    } else {
        let parts = [
            (count(&[Change::New]), "new"),
            (count(&[Change::Gone]), "gone"),
            (count(&[Change::Up, Change::Down]), "moved"),
        ];
        let told: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        format!("of the passages {}", told.join(", "))
    };
    match (comparison.same_outcome, comparison.same_text) {
        (Some(false), _) => ("bad", format!("Another outcome; {passages}.")),
        (_, Some(false)) => ("warn", format!("Another reply; {passages}.")),
        (_, Some(true)) => ("ok", format!("The same reply, word for word; {passages}.")),
        _ if comparison.same_passages => ("ok", words::sentence(&passages)),
        _ => ("warn", words::sentence(&passages)),
    }
}

impl DifferenceView {
    /// What differs between two traces under these names.
    pub fn new(names: (&'static str, &'static str), then: Side<'_>, now: Side<'_>) -> Self {
        let comparison = Comparison::new(then.record, now.record);
        let (tone, summary) = summary(&comparison);
        let settings = differences(&then.record.settings, &now.record.settings);
        Self {
            summary,
            tone,
            names,
            replies: vec![reply(names.0, then), reply(names.1, now)],
            same_text: comparison.same_text.unwrap_or(true),
            moved: comparison.passages.iter().map(line).collect(),
            settings: settings
                .into_iter()
                .map(|(name, then, now)| ChangedSetting { name, then, now })
                .collect(),
        }
    }
}
