//! The form of the playground, from what was typed to what is asked.

use plumbline_answer::{Message, Speaker};
use plumbline_store::{Filter, SettingsVersion};
use serde::Deserialize;
use uuid::Uuid;

use crate::changes::changed;
use crate::filter::FilterRequest;
use crate::traces::TraceRecord;

/// Longest question in characters: as long as the API takes.
const LONGEST_QUESTION: usize = 8_192;

/// Most earlier messages.
const MOST_HISTORY: usize = 100;

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Typed {
    /// The question.
    pub question: String,
    /// Earlier messages, one per line.
    pub history: String,
    /// Keys of documents, one per line.
    pub documents: String,
    /// Tags, with commas between them.
    pub tags: String,
    /// Settings version of the first column; empty for those in force.
    pub a_settings: String,
    /// Changes of the first column, one per line.
    pub a_changes: String,
    /// What the first column sees besides what is live: nothing, `all`, or a staged version.
    pub a_staged: String,
    /// Settings version of the second column.
    pub b_settings: String,
    /// Changes of the second column.
    pub b_changes: String,
    /// What the second column sees besides what is live.
    pub b_staged: String,
}

/// A field that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Name of the field.
    pub field: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    pub(super) fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self {
            field,
            message: message.into(),
        }
    }
}

/// A question of the playground.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// What was said before.
    pub history: Vec<Message>,
    /// Which documents are quoted.
    pub filter: Filter,
}

/// The names of a column's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names {
    /// Settings version.
    pub settings: &'static str,
    /// Changes.
    pub changes: &'static str,
    /// Staged versions.
    pub staged: &'static str,
}

/// The fields of the first column.
pub const A: Names = Names {
    settings: "a_settings",
    changes: "a_changes",
    staged: "a_staged",
};

/// The fields of the second column.
pub const B: Names = Names {
    settings: "b_settings",
    changes: "b_changes",
    staged: "b_staged",
};

/// What a trace was asked with, for one column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Settings version; empty for those in force.
    pub settings: String,
    /// Changes, one per line.
    pub changes: String,
    /// Staged versions.
    pub staged: String,
}

impl Typed {
    /// One column.
    pub fn column(&self, names: Names) -> Column {
        let (settings, changes, staged) = if names == A {
            (&self.a_settings, &self.a_changes, &self.a_staged)
        } else {
            (&self.b_settings, &self.b_changes, &self.b_staged)
        };
        Column {
            settings: settings.clone(),
            changes: changes.clone(),
            staged: staged.clone(),
        }
    }

    /// The form that asks what `record` asked; the second column is `b`, or what is in force.
    pub fn of(record: &TraceRecord, a: Column, b: Option<Column>) -> Self {
        let b = b.unwrap_or_default();
        Self {
            question: record.question.clone(),
            history: written(&record.history),
            documents: record.filter.documents.join("\n"),
            tags: record.filter.tags.join(", "),
            a_settings: a.settings,
            a_changes: a.changes,
            a_staged: a.staged,
            b_settings: b.settings,
            b_changes: b.changes,
            b_staged: b.staged,
        }
    }

    /// Reads what both columns are asked.
    pub fn question(&self, problems: &mut Vec<Problem>) -> Question {
        let text = self.question.trim().replace("\r\n", "\n");
        if text.is_empty() {
            problems.push(Problem::new("question", "Type a question."));
        } else if text.chars().count() > LONGEST_QUESTION {
            let message = format!("It has more than {LONGEST_QUESTION} characters.");
            problems.push(Problem::new("question", message));
        } else if text.contains('\0') {
            problems.push(Problem::new("question", "It holds a NUL character; remove it."));
        }
        let history = said(&self.history).unwrap_or_else(|message| {
            problems.push(Problem::new("history", message));
            Vec::new()
        });
        // a key may hold a comma, a tag does not
        let parts = |text: &str, between: char| -> Vec<String> {
            let parts = text.split(between).map(str::trim);
            parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let request = FilterRequest {
            documents: parts(&self.documents, '\n'),
            tags: parts(&self.tags, ','),
            ..FilterRequest::default()
        };
        let filter = request.read().unwrap_or_else(|problem| {
            let field = if problem.field == "tags" {
                "tags"
            } else {
                "documents"
            };
            problems.push(Problem::new(
                field,
                crate::pages::words::sentence(&problem.message),
            ));
            Filter::default()
        });
        Question {
            text,
            history,
            filter,
        }
    }
}

/// The settings of a column: a version with changes of its own.
pub fn with_changes(
    base: SettingsVersion,
    column: &Column,
    names: Names,
    problems: &mut Vec<Problem>,
) -> (SettingsVersion, Vec<String>) {
    let changes: Vec<String> = column
        .changes
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    match changed(&base.settings, &changes) {
        Ok(settings) => (SettingsVersion { settings, ..base }, changes),
        Err(found) => {
            problems.extend(
                found
                    .into_iter()
                    .map(|message| Problem::new(names.changes, message)),
            );
            (base, changes)
        }
    }
}

/// Earlier messages as they are typed: each begins with who said it, and a line that goes on with the one before begins
/// with a space.
fn said(text: &str) -> Result<Vec<Message>, String> {
    let mut messages: Vec<Message> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        if line.contains('\0') {
            return Err(format!("Line {number} holds a NUL character; remove it."));
        }
        if line.starts_with([' ', '\t']) {
            let Some(last) = messages.last_mut() else {
                return Err(format!(
                    "Line {number} begins with a space, so it goes on with the line before; there is none."
                ));
            };
            last.text.push('\n');
            last.text.push_str(line.trim());
            continue;
        }
        let (who, words) = line.split_once(':').unwrap_or((line, ""));
        let role = match who.trim().to_lowercase().as_str() {
            "customer" => Speaker::Customer,
            "bot" => Speaker::Bot,
            _ => {
                return Err(format!(
                    "Line {number} begins with neither “Customer:” nor “Bot:”. A line that goes on with the one before begins with a space."
                ));
            }
        };
        if words.trim().is_empty() {
            return Err(format!("Line {number} says nothing after “{}:”.", who.trim()));
        }
        messages.push(Message {
            role,
            text: words.trim().to_owned(),
        });
    }
    if messages.len() > MOST_HISTORY {
        return Err(format!("There are more than {MOST_HISTORY} messages."));
    }
    Ok(messages)
}

/// Earlier messages in the form that [`said`] reads.
fn written(history: &[Message]) -> String {
    let lines = history.iter().map(|message| {
        let who = match message.role {
            Speaker::Customer => "Customer",
            Speaker::Bot => "Bot",
        };
        let lines: Vec<&str> = message
            .text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        format!("{who}: {}", lines.join("\n  "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Staged versions that a column sees.
pub fn staged(typed: &str, known: &[Uuid], names: Names, problems: &mut Vec<Problem>) -> Vec<Uuid> {
    match typed.trim() {
        "" => Vec::new(),
        "all" => known.to_vec(),
        one => {
            let found = Uuid::parse_str(one).ok().filter(|id| known.contains(id));
            if found.is_none() {
                let message = "This version is not staged any more. Choose again.";
                problems.push(Problem::new(names.staged, message));
            }
            found.into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use plumbline_store::Settings;

    use super::*;

    #[test]
    fn earlier_messages_are_read_and_written_alike() {
        let typed =
            "Customer: Do you deliver to Kumasi?\nBot: Yes.\n  It costs GHS 35.\n\nbot : Anything else?";
        let messages = said(typed).unwrap();
        let texts: Vec<(Speaker, &str)> = messages
            .iter()
            .map(|message| (message.role, message.text.as_str()))
            .collect();
        assert_eq!(
            texts,
            [
                (Speaker::Customer, "Do you deliver to Kumasi?"),
                (Speaker::Bot, "Yes.\nIt costs GHS 35."),
                (Speaker::Bot, "Anything else?"),
            ]
        );
        assert_eq!(said(&written(&messages)).unwrap(), messages);
    }

    #[test]
    fn a_line_that_nobody_said_is_named() {
        for (typed, words) in [
            ("Customer: hi\nhow are you?", "Line 2 begins with neither"),
            ("  so much", "Line 1 begins with a space"),
            ("Bot:", "Line 1 says nothing"),
            ("Agent: hi", "Line 1 begins with neither"),
        ] {
            let problem = said(typed).unwrap_err();
            assert!(problem.contains(words), "{typed}: {problem}");
        }
    }

    #[test]
    fn changes_are_checked_as_on_the_command_line() {
        let base = || SettingsVersion {
            version: 3,
            settings: Settings::default(),
        };
        let with = |changes: &str| {
            let column = Column {
                changes: changes.to_owned(),
                ..Column::default()
            };
            let mut problems = Vec::new();
            let (settings, changes) = with_changes(base(), &column, B, &mut problems);
            (settings, changes, problems)
        };
        let (settings, changes, problems) = with("# more words\nretrieval.lexical_weight=0.5\r\n\n");
        assert!((settings.settings.retrieval.lexical_weight - 0.5).abs() < f32::EPSILON);
        assert_eq!((changes.len(), problems.len(), settings.version), (1, 0, 3));
        let (_, _, problems) = with("retrieval.lexical_weight=5");
        assert_eq!(problems[0].field, "b_changes");
        assert!(problems[0].message.contains("it must be 0 to 1"), "{problems:?}");
        assert!(with("retrieval.weight=1").2[0].message.contains("is no setting"));
    }

    #[test]
    fn every_field_has_its_own_problem() {
        let mut problems = Vec::new();
        let typed = Typed {
            history: "who knows".to_owned(),
            tags: "x\u{7}".to_owned(),
            ..Typed::default()
        };
        typed.question(&mut problems);
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["question", "history", "tags"]);
        let mut problems = Vec::new();
        assert!(staged("7", &[], A, &mut problems).is_empty());
        assert_eq!(problems[0].field, "a_staged");
    }
}
