//! The cases of a run: what was asked, what a good answer holds, what came.

use super::report::{Case, Expected, Hit};
use crate::pages::words;

/// Cases on one page.
pub const PER_PAGE: usize = 20;

/// Which cases are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// `passed`, `all`, or anything else for those that failed.
    pub show: String,
    /// Only those of this slice.
    pub slice: Option<String>,
    /// Page, from 1.
    pub page: usize,
}

impl Asked {
    fn holds(&self, case: &Case) -> bool {
        let wanted = match self.show.as_str() {
            "all" => true,
            "passed" => case.passed,
            _ => !case.passed,
        };
        wanted && self.in_slice(case)
    }

    fn in_slice(&self, case: &Case) -> bool {
        self.slice
            .as_ref()
            .is_none_or(|slice| case.slices.iter().any(|of| of == slice))
    }

    fn href(&self, run: &str, show: &str, page: usize) -> String {
        let slice = self.slice.as_ref();
        let slice = slice.map(|slice| format!("&slice={}", words::query_escape(slice)));
        let page = if page > 1 {
            format!("&page={page}")
        } else {
            String::new()
        };
        format!("{run}?show={show}{}{page}#cases", slice.unwrap_or_default())
    }
}

/// A piece of the reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Text.
    pub text: String,
    /// What is missing when nothing supports it.
    pub why: Option<String>,
}

/// Evidence, and whether the search found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Document.
    pub document: String,
    /// Passage.
    pub quote: String,
    /// Where it was found, in words.
    pub found: String,
    /// Class of its colour.
    pub tone: &'static str,
}

/// A hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HitLine {
    /// Place in the result.
    pub rank: usize,
    /// Document.
    pub document: String,
    /// First words.
    pub text: String,
    /// Whether it holds evidence.
    pub holds: bool,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseView {
    /// Id.
    pub id: String,
    /// Kind in words.
    pub kind: String,
    /// Whether nothing is wrong.
    pub passed: bool,
    /// Of the test split: only counted.
    pub withheld: bool,
    /// What is wrong.
    pub problems: Vec<String>,
    /// What was said before: who, and what.
    pub history: Vec<(&'static str, String)>,
    /// The question.
    pub question: String,
    /// What a good search finds.
    pub expected: Vec<Proof>,
    /// What came, in words.
    pub observed: String,
    /// Route taken, and the right one where it is another.
    pub route: String,
    /// The reply.
    pub answer: Vec<Run>,
    /// First hits.
    pub hits: Vec<HitLine>,
    /// Time.
    pub time: String,
}

/// A tab above the cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    /// Words.
    pub label: &'static str,
    /// Cases behind it.
    pub count: String,
    /// Address.
    pub href: String,
    /// Whether it is the present one.
    pub current: bool,
    /// Tone.
    pub tone: &'static str,
}

/// The cases of one page.
#[derive(Debug, Clone, Default)]
pub struct Cases {
    /// Tabs.
    pub tabs: Vec<Tab>,
    /// The cases.
    pub list: Vec<CaseView>,
    /// The slice that narrows them.
    pub slice: Option<String>,
    /// Address of the cases of all slices.
    pub all_slices: String,
    /// Which cases these are of how many.
    pub range: String,
    /// Address of the page before.
    pub previous: Option<String>,
    /// Address of the page after.
    pub next: Option<String>,
}

/// A reply cut where a claim begins or ends that nothing supports.
fn runs(answer: &str, unsupported: &[super::report::Unsupported]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut rest = answer;
    loop {
        let first = unsupported
            .iter()
            .filter(|claim| !claim.text.is_empty())
            .filter_map(|claim| Some((rest.find(&claim.text)?, claim)))
            .min_by_key(|&(at, claim)| (at, std::cmp::Reverse(claim.text.len())));
        let plain = |text: &str| Run {
            text: text.to_owned(),
            why: None,
        };
        let Some((at, claim)) = first else {
            runs.push(plain(rest));
            break;
        };
        runs.push(plain(&rest[..at]));
        runs.push(Run {
            text: claim.text.clone(),
            why: Some(claim.why.clone()),
        });
        rest = &rest[at + claim.text.len()..];
    }
    runs.retain(|run| !run.text.is_empty());
    runs
}

fn proof(expected: &Expected) -> Proof {
    let (found, tone) = match expected.rank {
        Some(rank @ ..=5) => (format!("found at {rank}"), "ok"),
        Some(rank) => (format!("found only at {rank}"), "warn"),
        None => ("not found".to_owned(), "bad"),
    };
    Proof {
        document: expected.document.clone(),
        quote: expected.quote.clone(),
        found,
        tone,
    }
}

fn hit((index, hit): (usize, &Hit)) -> HitLine {
    HitLine {
        rank: index + 1,
        document: hit.document.clone(),
        text: hit.text.clone(),
        holds: !hit.holds.is_empty(),
    }
}

fn route(case: &Case) -> String {
    match (&case.route, &case.expected_route) {
        (Some(taken), Some(right)) if taken != right => {
            format!("route {}, right is {}", spaced(taken), spaced(right))
        }
        (Some(taken), _) => format!("route {}", spaced(taken)),
        (None, _) => String::new(),
    }
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

impl CaseView {
    fn new(case: &Case) -> Self {
        let said = |turn: &super::report::Turn| {
            let who = if turn.role == "bot" { "Bot" } else { "Customer" };
            (who, turn.text.clone())
        };
        Self {
            id: case.id.clone(),
            kind: spaced(&case.kind),
            passed: case.passed,
            withheld: case.withheld,
            problems: case.problems.clone(),
            history: case.history.iter().map(said).collect(),
            question: case.question.clone(),
            expected: case.expected.iter().map(proof).collect(),
            observed: spaced(&case.observed),
            route: route(case),
            answer: runs(&case.answer, &case.unsupported),
            hits: case.top.iter().enumerate().map(hit).collect(),
            time: words::milliseconds(case.wall_ms),
        }
    }
}

impl Cases {
    /// The cases of a run that are asked for: those that failed first, and those that are only counted last.
    pub fn new(cases: &[Case], asked: &Asked, run: &str) -> Self {
        let mut wanted: Vec<&Case> = cases.iter().filter(|case| asked.holds(case)).collect();
        wanted.sort_by_key(|case| (case.passed, case.withheld));
        let first = (asked.page.max(1) - 1).saturating_mul(PER_PAGE).min(wanted.len());
        let last = (first + PER_PAGE).min(wanted.len());
        let show = match asked.show.as_str() {
            "all" | "passed" => asked.show.as_str(),
            _ => "failed",
        };
        let in_slice = cases.iter().filter(|case| asked.in_slice(case)).count();
        let passed = cases
            .iter()
            .filter(|case| case.passed && asked.in_slice(case))
            .count();
        let tab = |name: &str, label, count: usize, tone| Tab {
            label,
            count: count.to_string(),
            href: asked.href(run, name, 1),
            current: name == show,
            tone,
        };
        let page = first / PER_PAGE + 1;
        Self {
            tabs: vec![
                tab("failed", "Failed", in_slice - passed, "bad"),
                tab("passed", "Passed", passed, ""),
                tab("all", "All", in_slice, ""),
            ],
            list: wanted[first..last]
                .iter()
                .map(|case| CaseView::new(case))
                .collect(),
            slice: asked.slice.clone(),
            all_slices: format!("{run}?show={show}#cases"),
            range: if wanted.len() > PER_PAGE {
                format!("{}–{last} of {}", first + 1, wanted.len())
            } else {
                String::new()
            },
            previous: (first > 0).then(|| asked.href(run, show, page - 1)),
            next: (last < wanted.len()).then(|| asked.href(run, show, page + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::evals::report::Unsupported;

    fn case(id: &str, passed: bool, withheld: bool) -> Case {
        Case {
            id: id.to_owned(),
            passed,
            withheld,
            slices: vec![format!("lang:{}", &id[..2])],
            ..Case::default()
        }
    }

    #[test]
    fn cases_that_failed_come_first_and_those_only_counted_last() {
        let cases = [
            case("en-passed", true, false),
            case("en-held", false, true),
            case("en-failed", false, false),
            case("es-failed", false, false),
        ];
        let ids = |asked: &Asked| -> Vec<String> {
            let shown = Cases::new(&cases, asked, "/evals/1");
            shown.list.into_iter().map(|case| case.id).collect()
        };
        let mut asked = Asked::default();
        assert_eq!(ids(&asked), ["en-failed", "es-failed", "en-held"]);
        asked.slice = Some("lang:en".to_owned());
        assert_eq!(ids(&asked), ["en-failed", "en-held"]);
        asked.show = "all".to_owned();
        assert_eq!(ids(&asked), ["en-failed", "en-held", "en-passed"]);
        asked.page = 9;
        assert!(ids(&asked).is_empty(), "a page beyond the last is empty");
    }

    #[test]
    fn pages_of_cases_lead_to_each_other() {
        let cases: Vec<Case> = (0..45)
            .map(|number| case(&format!("en{number}"), false, false))
            .collect();
        let asked = Asked {
            page: 2,
            ..Asked::default()
        };
        let shown = Cases::new(&cases, &asked, "/evals/1");
        assert_eq!((shown.list.len(), shown.range.as_str()), (20, "21–40 of 45"));
        assert_eq!(shown.previous.as_deref(), Some("/evals/1?show=failed#cases"));
        assert_eq!(shown.next.as_deref(), Some("/evals/1?show=failed&page=3#cases"));
    }

    #[test]
    fn claims_without_support_are_marked_where_they_stand() {
        let claim = |text: &str| Unsupported {
            text: text.to_owned(),
            why: "number 5".to_owned(),
        };
        let marked = |answer: &str, claims: &[Unsupported]| -> Vec<(String, bool)> {
            let runs = runs(answer, claims);
            runs.into_iter()
                .map(|run| (run.text, run.why.is_some()))
                .collect()
        };
        assert_eq!(
            marked(
                "It lasts 5 years. Good.",
                &[claim("It lasts 5 years."), claim("absent")]
            ),
            [
                ("It lasts 5 years.".to_owned(), true),
                (" Good.".to_owned(), false)
            ]
        );
        assert_eq!(
            marked("All fine.", &[claim("")]),
            [("All fine.".to_owned(), false)]
        );
        assert!(marked("", &[]).is_empty());
    }
}
