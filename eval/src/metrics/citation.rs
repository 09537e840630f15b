//! Does every citation resolve to the passage that it quotes?

use plumbline_answer::Citation;
use serde::{Deserialize, Serialize};

use super::Measured;
use super::grade::Graded;
use crate::stats::real;
use crate::target::{VersionKey, VersionTexts};

/// One citation that was followed to its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Check {
    /// Document that was cited.
    pub document: String,
    /// Byte range that was cited.
    pub start: usize,
    /// Its end.
    pub end: usize,
    /// Why it does not resolve; `None` when it does.
    pub problem: Option<String>,
}

/// Follows one citation: the quote has to be the text at `[start, end)` of the cited version.
pub fn check(citation: &Citation, texts: &VersionTexts) -> Check {
    let Citation { start, end, .. } = *citation;
    let key = VersionKey::of(citation);
    let problem = match texts.get(&key) {
        None => Some("the text of the cited version was not fetched".to_owned()),
        Some(Err(reason)) => Some(format!("the text of the cited version is not there: {reason}")),
        Some(Ok(text)) => match text.get(start..end) {
            None => Some(format!(
                "{start}..{end} is outside of the text or cuts a character"
            )),
            Some("") => Some("the quoted range is empty".to_owned()),
            Some(slice) if slice != citation.quote => Some(format!("the text at {start}..{end} is another")),
            Some(_) => None,
        },
    };
    Check {
        document: citation.document_key.clone(),
        start,
        end,
        problem,
    }
}

/// Share of the replies with citations in which every citation resolves. An error or an empty reply
/// counts as a reply that does not resolve: what it would have cited cannot be followed.
pub fn citation_resolves(graded: &[&Graded]) -> Measured {
    let errors = graded.iter().filter(|g| g.observed.is_error()).count();
    let citing = graded
        .iter()
        .filter(|g| !g.observed.is_error() && !g.citations.is_empty());
    let (mut k, mut n) = (0, errors);
    for reply in citing {
        n += 1;
        k += usize::from(reply.citations.iter().all(|check| check.problem.is_none()));
    }
    Measured::success(real(k), n, errors)
}

/// Whether nothing is wrong with the citations of a reply: one without any, such as an abstention, has nothing wrong, an error has.
pub fn resolves(graded: &Graded) -> Option<bool> {
    Some(!graded.observed.is_error() && graded.citations.iter().all(|check| check.problem.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::citation;

    #[test]
    fn a_citation_is_followed_to_its_bytes() {
        let cited = citation("a.txt", 3, "days");
        let key = VersionKey::of(&cited);
        let with = |text: &str| VersionTexts::from([(key, Ok(text.into()))]);
        assert_eq!(check(&cited, &with("21 days")).problem, None);
        assert!(
            check(&cited, &with("21 weeks"))
                .problem
                .unwrap()
                .contains("another")
        );
        assert!(check(&cited, &with("21")).problem.unwrap().contains("outside"));
        assert!(
            check(&cited, &VersionTexts::new())
                .problem
                .unwrap()
                .contains("not fetched")
        );
        let gone = VersionTexts::from([(key, Err("404".to_owned()))]);
        assert!(check(&cited, &gone).problem.unwrap().contains("404"));
    }
}
