//! The filter of a search as a person or a program writes it: the form that the API and the command line share.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use plumbline_store::{Filter, Tags};
use serde::Deserialize;

/// Most documents of one filter.
const MOST_DOCUMENTS: usize = 100;

/// Longest name of a document in bytes, as long as a key may be.
const LONGEST_NAME: usize = 500;

/// What limits a search; a field that is left out limits nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, clap::Args, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FilterRequest {
    /// Only these documents: keys or ids; a key that ends in `/` stands for all below that folder.
    #[arg(long = "document", value_name = "KEY")]
    #[schema(max_items = 100, example = json!(["prices/"]))]
    pub documents: Vec<String>,
    /// Only documents with any of these tags.
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Only texts in this language, ISO 639-1; texts whose language is not known are left out.
    #[arg(long, value_name = "CODE")]
    #[schema(example = "en")]
    pub language: Option<String>,
    /// Only versions uploaded on or after this day (2026-03-31, UTC) or time (RFC 3339).
    #[arg(long, value_name = "DATE")]
    #[schema(example = "2026-01-01")]
    pub since: Option<String>,
    /// Only versions uploaded on or before this day (2026-03-31, UTC), or before this time (RFC 3339).
    #[arg(long, value_name = "DATE")]
    #[schema(example = "2026-03-31")]
    pub until: Option<String>,
}

/// A filter that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterProblem {
    /// The field of [`FilterRequest`].
    pub field: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl FilterProblem {
    fn new(field: &'static str, message: String) -> Self {
        Self { field, message }
    }

    /// The problem under the field's name in the API.
    pub fn in_json(&self) -> String {
        format!("`filter.{}`: {}", self.field, self.message)
    }

    /// The problem under the name of the flag.
    pub fn on_command_line(&self) -> String {
        let flag = match self.field {
            "documents" => "document",
            "tags" => "tag",
            other => other,
        };
        format!("--{flag}: {}", self.message)
    }
}

impl FilterRequest {
    /// Reads what is meant.
    ///
    /// # Errors
    /// The first field that cannot be read.
    pub fn read(&self) -> Result<Filter, FilterProblem> {
        let tags = Tags::parse(&self.tags).map_err(|problem| FilterProblem::new("tags", problem))?;
        if tags.as_slice().is_empty() && !self.tags.is_empty() {
            return Err(FilterProblem::new("tags", "there is no tag in it".to_owned()));
        }
        let filter = Filter {
            documents: documents(&self.documents)?,
            tags: tags.into(),
            language: self.language.as_deref().map(language).transpose()?,
            since: self
                .since
                .as_deref()
                .map(|text| moment("since", text, 0))
                .transpose()?,
            until: self
                .until
                .as_deref()
                .map(|text| moment("until", text, 1))
                .transpose()?,
        };
        match (filter.since, filter.until) {
            (Some(since), Some(until)) if since >= until => Err(FilterProblem::new(
                "until",
                format!("nothing is on or after {since} and before {until}; `since` must be the earlier one"),
            )),
            _ => Ok(filter),
        }
    }
}

fn documents(names: &[String]) -> Result<Vec<String>, FilterProblem> {
    let problem = |message| Err(FilterProblem::new("documents", message));
    if names.len() > MOST_DOCUMENTS {
        return problem(format!(
            "more than {MOST_DOCUMENTS} documents; name their folder, or tag them"
        ));
    }
    for name in names {
        if name.is_empty() {
            return problem("an empty key names no document".to_owned());
        }
        if name.contains('\0') {
            return problem(format!("{name:?} holds a NUL character; remove it"));
        }
        if name.len() > LONGEST_NAME {
            return problem(format!("a key is longer than {LONGEST_NAME} bytes"));
        }
    }
    Ok(names.to_vec())
}

fn language(code: &str) -> Result<String, FilterProblem> {
    let lower = code.trim().to_ascii_lowercase();
    if lower.len() == 2 && lower.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(lower);
    }
    Err(FilterProblem::new(
        "language",
        format!("{code:?} is no language code; use the two letters of ISO 639-1, such as `en`"),
    ))
}

/// A moment: a time as it is, or the first moment of the day that is `days` after the one named.
pub(crate) fn moment(field: &'static str, text: &str, days: u64) -> Result<DateTime<Utc>, FilterProblem> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let begun = day.and_then(|day| day.checked_add_days(Days::new(days)));
    // PostgreSQL counts years from 4713 BC to 294276; nobody's files are older or newer than four digits
    let begun = begun.filter(|day| (1..=9999).contains(&chrono::Datelike::year(day)));
    begun
        .map(|day| day.and_time(NaiveTime::MIN).and_utc())
        .ok_or_else(|| {
            FilterProblem::new(
                field,
                format!(
                    "{text:?} is no date; use one such as 2026-03-31, or a time such as 2026-03-31T08:00:00Z"
                ),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(change: impl FnOnce(&mut FilterRequest)) -> Result<Filter, String> {
        let mut request = FilterRequest::default();
        change(&mut request);
        request.read().map_err(|problem| problem.in_json())
    }

    #[test]
    fn a_day_is_meant_from_its_first_moment_to_its_last() {
        let filter = request(|filter| {
            filter.since = Some("2026-03-31".to_owned());
            filter.until = Some("2026-03-31".to_owned());
        });
        let filter = filter.unwrap();
        let time = |text: &str| Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc());
        assert_eq!(filter.since, time("2026-03-31T00:00:00Z"));
        assert_eq!(filter.until, time("2026-04-01T00:00:00Z"));
        let filter = request(|filter| filter.until = Some("2026-03-31T08:00:00+02:00".to_owned()));
        assert_eq!(filter.unwrap().until, time("2026-03-31T06:00:00Z"));
    }

    #[test]
    fn what_is_written_is_read_as_it_is_stored() {
        let filter = request(|filter| {
            filter.tags = vec![" Price list,RETURNS".to_owned()];
            filter.language = Some("EN".to_owned());
        });
        let filter = filter.unwrap();
        assert_eq!(filter.tags, ["price list", "returns"]);
        assert_eq!(filter.language.as_deref(), Some("en"));
        assert!(FilterRequest::default().read().unwrap().is_empty());
    }

    #[test]
    fn every_problem_names_its_field_and_what_to_do() {
        let problems = [
            request(|filter| filter.language = Some("english".to_owned())),
            request(|filter| filter.since = Some("last week".to_owned())),
            request(|filter| filter.until = Some("9999-12-31".to_owned())),
            request(|filter| {
                filter.since = Some("2026-03-31".to_owned());
                filter.until = Some("2026-03-30".to_owned());
            }),
            request(|filter| filter.tags = vec![" , ".to_owned()]),
            request(|filter| filter.documents = vec![String::new()]),
            request(|filter| filter.documents = vec!["a".to_owned(); 101]),
        ];
        let problems: Vec<String> = problems.into_iter().map(Result::unwrap_err).collect();
        insta::assert_snapshot!(problems.join("\n"), @r#"
        `filter.language`: "english" is no language code; use the two letters of ISO 639-1, such as `en`
        `filter.since`: "last week" is no date; use one such as 2026-03-31, or a time such as 2026-03-31T08:00:00Z
        `filter.until`: "9999-12-31" is no date; use one such as 2026-03-31, or a time such as 2026-03-31T08:00:00Z
        `filter.until`: nothing is on or after 2026-03-31 00:00:00 UTC and before 2026-03-31 00:00:00 UTC; `since` must be the earlier one
        `filter.tags`: there is no tag in it
        `filter.documents`: an empty key names no document
        `filter.documents`: more than 100 documents; name their folder, or tag them
        "#);
        let flag = FilterProblem::new("tags", "there is no tag in it".to_owned());
        assert_eq!(flag.on_command_line(), "--tag: there is no tag in it");
    }
}
