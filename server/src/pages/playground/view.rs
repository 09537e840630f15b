//! The playground as its page shows it.

use askama::Template;
use plumbline_store::{SettingsEntry, TraceRow};
use uuid::Uuid;

use super::form::{A, B, Column, Names, Problem, Typed};
use crate::pages::evidence::view::{self as evidence, SentenceLine, Time};
use crate::pages::layout::{Badge, Shell};
use crate::pages::traces::difference::{DifferenceView, Side};
use crate::pages::traces::view::{Golden, times};
use crate::pages::words;
use crate::traces::{Change, Comparison, TraceRecord};

/// The page.
#[derive(Debug, Template)]
#[template(path = "playground.html")]
pub struct PlaygroundPage {
    /// Frame.
    pub shell: Shell,
    /// The playground.
    pub view: PlaygroundView,
}

/// A version that is ready and does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedVersion {
    /// Version.
    pub id: Uuid,
    /// Document and number.
    pub label: String,
}

/// What there is to choose from.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Settings version in force.
    pub live: i64,
    /// Stored settings versions, newest first.
    pub history: Vec<SettingsEntry>,
    /// Staged versions.
    pub staged: Vec<StagedVersion>,
}

/// A column that was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Row of its trace.
    pub row: TraceRow,
    /// Its trace.
    pub record: TraceRecord,
    /// Whether it can become a golden case.
    pub golden: Golden,
}

impl Asked {
    fn side(&self) -> Side<'_> {
        Side {
            row: &self.row,
            record: &self.record,
        }
    }
}

/// An entry of a select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Value.
    pub value: String,
    /// Words.
    pub label: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// The fields of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnFields {
    /// Its letter.
    pub letter: &'static str,
    /// Names of its fields.
    pub names: Names,
    /// Settings versions.
    pub settings: Vec<Choice>,
    /// What was typed as changes.
    pub changes: String,
    /// What it may see besides what is live; empty when nothing is staged.
    pub staged: Vec<Choice>,
    /// What is wrong with its settings.
    pub settings_problem: Option<String>,
    /// What is wrong with its changes.
    pub changes_problem: Option<String>,
    /// What is wrong with its staged versions.
    pub staged_problem: Option<String>,
}

/// A passage of a column with what the other column made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HitMark {
    /// Place.
    pub rank: u32,
    /// Document.
    pub title: String,
    /// Page or row.
    pub place: String,
    /// Its beginning.
    pub excerpt: String,
    /// Class of its colour.
    pub tone: &'static str,
    /// Where it went, short; empty when it stayed.
    pub mark: String,
    /// Where it went, in words.
    pub spoken: String,
}

/// A column that was asked, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnView {
    /// Its letter.
    pub letter: &'static str,
    /// Settings, in words.
    pub settings: String,
    /// What was changed of them.
    pub changes: Vec<String>,
    /// Staged versions that were seen.
    pub staged: usize,
    /// What came of it.
    pub outcome: Option<Badge>,
    /// Route.
    pub route: &'static str,
    /// Language.
    pub language: String,
    /// Why it is no ordinary reply.
    pub reason: Option<&'static str>,
    /// Confidence in percent.
    pub confidence: Option<u32>,
    /// Sentences with their sources.
    pub sentences: Vec<SentenceLine>,
    /// Passages handed on.
    pub hits: Vec<HitMark>,
    /// Stages.
    pub times: Vec<Time>,
    /// Whole time.
    pub total: String,
    /// Its trace.
    pub trace_href: String,
    /// Its evidence, when the answer is stored.
    pub evidence_href: Option<String>,
    /// Its answer, when it can become a golden case.
    pub golden: Option<Uuid>,
    /// The draft of a golden case that it became.
    pub draft: Option<Uuid>,
}

/// Both columns.
#[derive(Debug, Clone, PartialEq)]
pub struct BothView {
    /// The columns.
    pub columns: Vec<ColumnView>,
    /// What differs.
    pub difference: DifferenceView,
    /// The question as searched, when it differs from the one asked.
    pub searched: Option<String>,
    /// Whether neither answer can become a golden case.
    pub no_golden: bool,
}

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct PlaygroundView {
    /// What was typed.
    pub typed: Typed,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// The fields of both columns.
    pub fields: Vec<ColumnFields>,
    /// Whether the fields that most questions do not need are unfolded.
    pub more_open: bool,
    /// Rows of the field for earlier messages.
    pub history_rows: usize,
    /// What came of it.
    pub both: Option<BothView>,
}

fn message(problems: &[Problem], field: &str) -> Option<String> {
    let found: Vec<&str> = problems
        .iter()
        .filter(|problem| problem.field == field)
        .map(|problem| problem.message.as_str())
        .collect();
    (!found.is_empty()).then(|| found.join(" "))
}

fn settings(choices: &Choices, chosen: &str) -> Vec<Choice> {
    let mut all = vec![Choice {
        value: String::new(),
        label: if choices.live == 0 {
            "In force: the built-in defaults".to_owned()
        } else {
            format!("In force: version {}", choices.live)
        },
        chosen: chosen.is_empty(),
    }];
    let others = choices
        .history
        .iter()
        .filter(|entry| entry.version != choices.live);
    all.extend(others.map(|entry| {
        let note: String = entry.note.chars().take(48).collect();
        let day = entry.created_at.format("%-d %b %Y");
        Choice {
            value: entry.version.to_string(),
            label: if note.is_empty() {
                format!("Version {}, {day}", entry.version)
            } else {
                format!("Version {}, {day}: {note}", entry.version)
            },
            chosen: chosen == entry.version.to_string(),
        }
    }));
    if !all.iter().any(|choice| choice.chosen) {
        all.push(Choice {
            value: chosen.to_owned(),
            label: format!("Version {chosen}"),
            chosen: true,
        });
    }
    all
}

fn staged(choices: &Choices, chosen: &str) -> Vec<Choice> {
    if choices.staged.is_empty() && chosen.is_empty() {
        return Vec::new();
    }
    let choice = |value: &str, label: String| Choice {
        value: value.to_owned(),
        label,
        chosen: value == chosen,
    };
    let mut all = vec![choice("", "Live documents alone".to_owned())];
    if choices.staged.len() > 1 {
        all.push(choice(
            "all",
            format!("With all {} staged versions", choices.staged.len()),
        ));
    }
    let each = choices.staged.iter();
    all.extend(each.map(|staged| choice(&staged.id.to_string(), format!("With {}", staged.label))));
    all
}

fn fields(
    letter: &'static str,
    names: Names,
    choices: &Choices,
    column: Column,
    problems: &[Problem],
) -> ColumnFields {
    ColumnFields {
        letter,
        names,
        settings: settings(choices, column.settings.trim()),
        changes: column.changes,
        staged: staged(choices, column.staged.trim()),
        settings_problem: message(problems, names.settings),
        changes_problem: message(problems, names.changes),
        staged_problem: message(problems, names.staged),
    }
}

/// The passages of the second column with where they were in the first, or those of the first with what the second
/// dropped.
fn marks(comparison: &Comparison, second: bool) -> Vec<HitMark> {
    let mut marks: Vec<HitMark> = comparison
        .passages
        .iter()
        .filter_map(|passage| {
            let rank = if second {
                passage.rank_now
            } else {
                passage.rank_then
            }?;
            let steps = passage
                .rank_then
                .zip(passage.rank_now)
                .map_or(0, |(then, now)| then.abs_diff(now));
            let (tone, mark, spoken) = match (passage.change, second) {
                (Change::Up, true) => ("ok", format!("▲{steps}"), format!("{steps} up from A")),
                (Change::Down, true) => ("bad", format!("▼{steps}"), format!("{steps} down from A")),
                (Change::New, true) => ("ok", "new".to_owned(), "not in A".to_owned()),
                (Change::Gone, false) => ("bad", "gone".to_owned(), "not in B".to_owned()),
                _ => ("", String::new(), String::new()),
            };
            Some(HitMark {
                rank,
                title: passage.document_title.clone(),
                place: evidence::place(passage.page, passage.row),
                excerpt: passage.excerpt.clone(),
                tone,
                mark,
                spoken,
            })
        })
        .collect();
    marks.sort_by_key(|mark| mark.rank);
    marks
}

fn column(letter: &'static str, asked: &Asked, hits: Vec<HitMark>) -> ColumnView {
    let record = &asked.record;
    let answer = record.answer.as_ref();
    let stored = asked.golden != Golden::NotStored;
    ColumnView {
        letter,
        settings: match asked.row.settings_version {
            0 => "built-in defaults".to_owned(),
            version => format!("settings {version}"),
        },
        changes: record.changes.clone(),
        staged: record.staged.len(),
        outcome: answer.map(|answer| evidence::outcome(answer.outcome)),
        route: answer.map_or("", |answer| evidence::route(answer.route)),
        language: answer.map_or_else(String::new, |answer| words::language(&answer.language)),
        reason: answer.and_then(|answer| answer.reason).map(evidence::reason),
        confidence: answer
            .filter(|_| record.search.is_some())
            .map(|answer| evidence::percent(answer.confidence)),
        sentences: answer.map_or_else(Vec::new, |answer| {
            evidence::sentences(&answer.sentences, &answer.citations)
        }),
        hits,
        times: times(record),
        total: words::milliseconds(asked.row.total_ms),
        trace_href: format!("/traces/{}", asked.row.id),
        evidence_href: stored.then(|| format!("/simulator/answers/{}", asked.row.id)),
        golden: (asked.golden == Golden::Offered).then_some(asked.row.id),
        draft: match asked.golden {
            Golden::Draft(draft) => Some(draft),
            Golden::Offered | Golden::NotStored => None,
        },
    }
}

fn both((a, b): &(Asked, Asked)) -> BothView {
    let comparison = Comparison::new(&a.record, &b.record);
    let same = a.row.query.trim().eq_ignore_ascii_case(a.row.question.trim());
    BothView {
        columns: vec![
            column("A", a, marks(&comparison, false)),
            column("B", b, marks(&comparison, true)),
        ],
        difference: DifferenceView::new(("A", "B"), a.side(), b.side()),
        searched: (!same && a.record.search.is_some()).then(|| a.row.query.clone()),
        no_golden: [a, b].iter().all(|asked| asked.golden == Golden::NotStored),
    }
}

impl PlaygroundView {
    /// The page with what was typed, what is wrong with it, or what came of it.
    pub fn new(
        choices: &Choices,
        typed: Typed,
        problems: Vec<Problem>,
        asked: Option<&(Asked, Asked)>,
    ) -> Self {
        let wrong = |names: &[&str]| problems.iter().any(|problem| names.contains(&problem.field));
        let filled = |text: &str| !text.trim().is_empty();
        Self {
            fields: vec![
                fields("A", A, choices, typed.column(A), &problems),
                fields("B", B, choices, typed.column(B), &problems),
            ],
            more_open: filled(&typed.history)
                || filled(&typed.documents)
                || filled(&typed.tags)
                || wrong(&["history", "documents", "tags"]),
            history_rows: typed.history.lines().count().clamp(3, 12),
            both: asked.map(both),
            typed,
            problems,
        }
    }

    /// What is wrong with a field.
    pub fn problem(&self, field: &str) -> Option<String> {
        message(&self.problems, field)
    }
}
