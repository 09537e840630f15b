//! Which traces are looked for, as a person or a program writes it: the form that the API, the command line and the
//! page share.

use chrono::{DateTime, Utc};
use plumbline_store::{TraceFilter, TraceSource};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::filter::moment;

/// Which traces to list; a field that is left out or empty asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, clap::Args, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TraceQuery {
    /// Words of the question, as asked or as searched: all of them occur.
    #[arg(long, value_name = "WORDS")]
    pub words: Option<String>,
    /// Where the question came from: `whatsapp`, `answer`, `search`, `playground` or `replay`.
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    /// What came of it: `answered`, `abstained` or `handed_off`.
    #[arg(long, value_name = "OUTCOME")]
    pub outcome: Option<String>,
    /// Key of a document that was among the passages handed on.
    #[arg(long, value_name = "KEY")]
    pub document: Option<String>,
    /// It took at least this many milliseconds.
    #[arg(long, value_name = "MS")]
    pub slower_than_ms: Option<String>,
    /// Asked on or after this day (2026-03-31, UTC) or time (RFC 3339).
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Most traces, 1 to 200; 50 when left out.
    #[arg(long, value_name = "N")]
    pub limit: Option<String>,
    /// Older than this trace: the `next` of the page before.
    #[arg(long, value_name = "ID")]
    pub before: Option<String>,
}

/// A field that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryProblem {
    /// The field of [`TraceQuery`].
    pub field: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl QueryProblem {
    fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self {
            field,
            message: message.into(),
        }
    }

    /// The problem under the field's name in the API.
    pub fn in_json(&self) -> String {
        format!("`{}`: {}", self.field, self.message)
    }

    /// The problem under the name of the flag.
    pub fn on_command_line(&self) -> String {
        format!("--{}: {}", self.field.replace('_', "-"), self.message)
    }
}

/// Most traces of a list.
const LARGEST_LIMIT: i64 = 200;

/// Traces of a list when nobody says how many.
const USUAL_LIMIT: i64 = 50;

/// Longest text of a field in bytes.
const LONGEST: usize = 500;

const SOURCES: [(&str, TraceSource); 5] = [
    ("whatsapp", TraceSource::Whatsapp),
    ("answer", TraceSource::Answer),
    ("search", TraceSource::Search),
    ("playground", TraceSource::Playground),
    ("replay", TraceSource::Replay),
];

const OUTCOMES: [&str; 3] = ["answered", "abstained", "handed_off"];

impl TraceQuery {
    /// Reads what is meant: the filter, and how many traces at most.
    ///
    /// # Errors
    /// The first field that cannot be read.
    pub fn read(&self) -> Result<(TraceFilter, i64), QueryProblem> {
        let filter = TraceFilter {
            words: text("words", self.words.as_deref())?
                .unwrap_or_default()
                .to_owned(),
            source: given(self.source.as_deref()).map(source).transpose()?,
            outcome: given(self.outcome.as_deref()).map(outcome).transpose()?,
            document: text("document", self.document.as_deref())?.map(str::to_owned),
            slower_than_ms: given(self.slower_than_ms.as_deref())
                .map(milliseconds)
                .transpose()?,
            since: given(self.since.as_deref()).map(since).transpose()?,
            before: given(self.before.as_deref()).map(before).transpose()?,
        };
        let limit = given(self.limit.as_deref()).map(limit).transpose()?;
        Ok((filter, limit.unwrap_or(USUAL_LIMIT)))
    }
}

fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn text<'a>(field: &'static str, text: Option<&'a str>) -> Result<Option<&'a str>, QueryProblem> {
    match given(text) {
        Some(text) if text.contains('\0') => {
            Err(QueryProblem::new(field, "it holds a NUL character; remove it"))
        }
        Some(text) if text.len() > LONGEST => Err(QueryProblem::new(
            field,
            format!("it is longer than {LONGEST} bytes"),
        )),
        text => Ok(text),
    }
}

fn source(name: &str) -> Result<TraceSource, QueryProblem> {
    let found = SOURCES.iter().find(|(known, _)| *known == name);
    found.map(|(_, source)| *source).ok_or_else(|| {
        let names = SOURCES.map(|(name, _)| name).join(", ");
        QueryProblem::new("source", format!("{name:?} is no source; there are {names}"))
    })
}

fn outcome(name: &str) -> Result<String, QueryProblem> {
    if OUTCOMES.contains(&name) {
        return Ok(name.to_owned());
    }
    let names = OUTCOMES.join(", ");
    Err(QueryProblem::new(
        "outcome",
        format!("{name:?} is no outcome; there are {names}"),
    ))
}

fn milliseconds(text: &str) -> Result<f64, QueryProblem> {
    let read = text.parse::<f64>().ok();
    read.filter(|ms| ms.is_finite() && *ms >= 0.0).ok_or_else(|| {
        QueryProblem::new(
            "slower_than_ms",
            format!("{text:?} is no number of milliseconds; use one such as 250"),
        )
    })
}

fn since(text: &str) -> Result<DateTime<Utc>, QueryProblem> {
    moment("since", text, 0).map_err(|problem| QueryProblem::new("since", problem.message))
}

fn before(text: &str) -> Result<Uuid, QueryProblem> {
    Uuid::parse_str(text)
        .map_err(|_| QueryProblem::new("before", format!("{text:?} is no identifier of a trace")))
}

fn limit(text: &str) -> Result<i64, QueryProblem> {
    let read = text.parse::<i64>().ok();
    read.filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
        .ok_or_else(|| {
            QueryProblem::new(
                "limit",
                format!("{text:?} is no number from 1 to {LARGEST_LIMIT}"),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut TraceQuery)) -> String {
        let mut query = TraceQuery::default();
        change(&mut query);
        query.read().unwrap_err().in_json()
    }

    #[test]
    fn what_is_left_empty_asks_for_nothing() {
        let query = TraceQuery {
            words: Some("  ".to_owned()),
            outcome: Some(String::new()),
            ..TraceQuery::default()
        };
        assert_eq!(query.read().unwrap(), (TraceFilter::default(), 50));
    }

    #[test]
    fn every_problem_names_its_field_and_what_can_be_said() {
        let problems = [
            refused(|query| query.source = Some("email".to_owned())),
            refused(|query| query.outcome = Some("failed".to_owned())),
            refused(|query| query.slower_than_ms = Some("-1".to_owned())),
            refused(|query| query.since = Some("yesterday".to_owned())),
            refused(|query| query.limit = Some("201".to_owned())),
            refused(|query| query.before = Some("17".to_owned())),
            refused(|query| query.words = Some("a\0b".to_owned())),
        ];
        insta::assert_snapshot!(problems.join("\n"), @r#"
        `source`: "email" is no source; there are whatsapp, answer, search, playground, replay
        `outcome`: "failed" is no outcome; there are answered, abstained, handed_off
        `slower_than_ms`: "-1" is no number of milliseconds; use one such as 250
        `since`: "yesterday" is no date; use one such as 2026-03-31, or a time such as 2026-03-31T08:00:00Z
        `limit`: "201" is no number from 1 to 200
        `before`: "17" is no identifier of a trace
        `words`: it holds a NUL character; remove it
        "#);
        let query = TraceQuery {
            slower_than_ms: Some("slow".to_owned()),
            ..TraceQuery::default()
        };
        let problem = query.read().unwrap_err().on_command_line();
        assert!(problem.starts_with("--slower-than-ms: "), "{problem}");
    }
}
