//! What makes a golden set untrustworthy, found before it is used.
//!
//! An *error* would make the verdict wrong and stops a run; a *warning* deserves a look. Rules that
//! need the corpus are apart ([`quotes`]), because a run answers them with "stale" instead.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::case::{Case, Kind, Source, Status};
use super::load::{DRAFTS, Golden, Located, Place};
use super::normal::contains;
use super::pin::{Texts, pin};
use super::similar::Fingerprint;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The set cannot be used.
    Error,
    /// Worth a look.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// File and line.
    pub place: Place,
    /// Id of the case.
    pub case: String,
    /// Field and what to do about it.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        write!(f, "{}: {level}: {}: {}", self.place, self.case, self.message)
    }
}

/// Collects the findings of one case.
struct Sink<'a> {
    located: &'a Located,
    findings: &'a mut Vec<Finding>,
}

impl Sink<'_> {
    fn add(&mut self, level: Level, message: impl Into<String>) {
        self.findings.push(Finding {
            level,
            place: self.located.place.clone(),
            case: self.located.case.id.clone(),
            message: message.into(),
        });
    }

    fn error(&mut self, message: impl Into<String>) {
        self.add(Level::Error, message);
    }

    fn warning(&mut self, message: impl Into<String>) {
        self.add(Level::Warning, message);
    }
}

/// Every finding that needs no corpus text.
pub fn lint(golden: &Golden) -> Vec<Finding> {
    let mut findings = Vec::new();
    for located in &golden.cases {
        let mut sink = Sink {
            located,
            findings: &mut findings,
        };
        check_fields(&located.case, &mut sink);
        check_evidence(golden, &located.case, &mut sink);
        check_phrases(&located.case, &mut sink);
    }
    duplicate_ids(&golden.cases, &mut findings);
    similar_questions(&golden.cases, &mut findings);
    findings
}

/// Evidence that cannot be found in the corpus, one finding per piece.
pub fn quotes(golden: &Golden, texts: &Texts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for located in &golden.cases {
        let mut sink = Sink {
            located,
            findings: &mut findings,
        };
        for lost in pin(&located.case, &golden.docs, texts).err().unwrap_or_default() {
            // Already told by `check_evidence`.
            if !lost.contains("unknown document") {
                sink.error(lost);
            }
        }
    }
    findings
}

fn check_fields(case: &Case, sink: &mut Sink<'_>) {
    if case.id.is_empty() || case.id.contains(char::is_whitespace) {
        sink.error("id: must be a non-empty word without spaces");
    }
    if case.question.trim().is_empty() {
        sink.error("question: is empty");
    }
    if !(case.lang.len() == 2 && case.lang.bytes().all(|b| b.is_ascii_lowercase())) {
        sink.error(format!(
            "lang: `{}` is no two-letter language code such as `en`",
            case.lang
        ));
    }
    if case.source == Source::Retriever {
        sink.error(
            "source: gold made by the retriever under test scores 1 by construction; label it by hand",
        );
    }
    let drafted = sink.located.place.file.iter().any(|part| part == DRAFTS);
    if case.status == Status::Draft && !drafted {
        sink.error("status: a draft is no gold; look at it, then remove the field");
    }
    if let Some(added) = &case.added
        && chrono::NaiveDate::parse_from_str(added, "%Y-%m-%d").is_err()
    {
        sink.error(format!("added: `{added}` is no date of the form YYYY-MM-DD"));
    }
    match (case.route, case.kind.implied_route()) {
        (None, None) => {
            sink.error("route: an answerable or unanswerable case names `commodity` or `reasoning`");
        }
        (Some(route), Some(implied)) if route != implied => {
            sink.error(format!("route: contradicts the kind `{}`", case.kind));
        }
        _ => {}
    }
}

fn check_evidence(golden: &Golden, case: &Case, sink: &mut Sink<'_>) {
    match (case.kind, case.evidence.is_empty()) {
        (Kind::Answerable, true) => {
            sink.error("evidence: an answerable case quotes the passage that answers it");
        }
        (kind, false) if kind != Kind::Answerable => {
            sink.error(format!(
                "evidence: a case of kind `{kind}` has none; is it answerable?"
            ));
        }
        _ => {}
    }
    for (i, evidence) in case.evidence.iter().enumerate() {
        if !golden.docs.iter().any(|doc| doc.path == evidence.doc) {
            sink.error(format!("evidence[{i}].doc: unknown document `{}`", evidence.doc));
        }
        if evidence.quote.trim().is_empty() {
            sink.error(format!("evidence[{i}].quote: is empty"));
        }
        if !(1..=3).contains(&evidence.grade) {
            sink.error(format!(
                "evidence[{i}].grade: is {}, allowed are 1, 2 and 3",
                evidence.grade
            ));
        }
        if evidence.start.is_some() != evidence.end.is_some() || evidence.start > evidence.end {
            sink.error(format!(
                "evidence[{i}].start: start and end belong together; run `repin --write`"
            ));
        }
    }
}

fn check_phrases(case: &Case, sink: &mut Sink<'_>) {
    let blank = |phrases: &[String]| phrases.iter().any(|phrase| phrase.trim().is_empty());
    if blank(&case.must_include) || blank(&case.must_not) {
        sink.error("must_include, must_not: an empty phrase says nothing");
    }
    if case.kind == Kind::Unanswerable && !case.must_include.is_empty() {
        sink.error("must_include: nobody can include the answer to an unanswerable question");
    }
    let in_evidence = |phrase: &str| case.evidence.iter().any(|e| contains(&e.quote, phrase));
    for phrase in &case.must_include {
        if case.must_not.iter().any(|not| contains(phrase, not)) {
            sink.error(format!("must_include: `{phrase}` is forbidden by must_not"));
        } else if case.kind == Kind::Answerable && !in_evidence(phrase) {
            sink.warning(format!("must_include: `{phrase}` is in no evidence quote"));
        }
    }
}

fn duplicate_ids(cases: &[Located], findings: &mut Vec<Finding>) {
    let mut first: HashMap<&str, &Place> = HashMap::new();
    for located in cases {
        if let Some(earlier) = first.get(located.case.id.as_str()) {
            Sink { located, findings }.error(format!("id: is already used at {earlier}"));
        } else {
            first.insert(&located.case.id, &located.place);
        }
    }
}

/// Equal questions are always errors; similar ones only within one language, and only warnings
/// when their tags differ, since a deliberate variant (a typo case) is tagged as one.
fn similar_questions(cases: &[Located], findings: &mut Vec<Finding>) {
    let prints: Vec<Fingerprint> = cases.iter().map(|located| fingerprint(&located.case)).collect();
    for (i, located) in cases.iter().enumerate() {
        for (j, earlier) in cases.iter().enumerate().take(i) {
            let case = &located.case;
            let mut sink = Sink { located, findings };
            let at = format!("`{}` at {}", earlier.case.id, earlier.place);
            if prints[i].same(&prints[j]) {
                sink.error(format!("question: is the same as that of {at}"));
            } else if case.lang == earlier.case.lang && prints[i].near(&prints[j]) {
                let level = if case.tags == earlier.case.tags {
                    Level::Error
                } else {
                    Level::Warning
                };
                sink.add(
                    level,
                    format!("question: is nearly that of {at}; reword it or remove one"),
                );
            }
        }
    }
}

fn fingerprint(case: &Case) -> Fingerprint {
    let history: Vec<&str> = case.history.iter().map(|message| message.text.as_str()).collect();
    Fingerprint::new(&case.question, &history.join(" "))
}

/// Cases per kind, for the summary line.
pub fn kinds(cases: &[Located]) -> BTreeMap<Kind, usize> {
    let mut kinds = BTreeMap::new();
    for located in cases {
        *kinds.entry(located.case.kind).or_insert(0) += 1;
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::load::{Header, parse_cases};
    use crate::golden::pin::{CorpusDoc, DocText};
    use crate::golden::verdict::Verdicts;
    use std::path::Path;

    fn golden(lines: &str) -> Golden {
        let mut problems = Vec::new();
        let cases = parse_cases(Path::new("c.jsonl"), lines, &mut problems);
        assert_eq!(problems, Vec::<String>::new());
        let header: Header = toml::from_str("name = 'x'").unwrap();
        let docs = vec![CorpusDoc {
            path: "a.txt".into(),
            sha256: String::new(),
        }];
        let (dir, manifest) = (".".into(), String::new());
        Golden {
            dir,
            header,
            cases,
            docs,
            manifest,
            verdicts: Verdicts::default(),
        }
    }

    fn case(id: &str, more: &str) -> String {
        format!("{{\"id\":\"{id}\",\"lang\":\"en\",\"source\":\"human\",{more}}}\n")
    }

    fn errors(lines: &str) -> Vec<String> {
        lint(&golden(lines))
            .iter()
            .filter(|f| f.level == Level::Error)
            .map(ToString::to_string)
            .collect()
    }

    const GOOD: &str = r#""kind":"answerable","route":"commodity","question":"How long is the warranty?",
        "must_include":["24 months"],"evidence":[{"group":1,"doc":"a.txt","quote":"It is 24 months."}]"#;

    #[test]
    fn a_good_case_passes() {
        assert_eq!(errors(&case("a", &GOOD.replace('\n', ""))), Vec::<String>::new());
    }

    #[test]
    fn each_rule_names_file_line_case_and_field() {
        let bad = [
            (r#""kind":"chitchat","question":" ""#, "question: is empty"),
            (
                r#""kind":"answerable","question":"q","route":"commodity""#,
                "evidence: an answerable case",
            ),
            (
                r#""kind":"unanswerable","question":"q""#,
                "route: an answerable or unanswerable",
            ),
            (
                r#""kind":"chitchat","question":"q","route":"handoff""#,
                "route: contradicts",
            ),
            (
                r#""kind":"chitchat","question":"q","added":"yesterday""#,
                "added: `yesterday`",
            ),
            (
                r#""kind":"unanswerable","route":"commodity","question":"q","evidence":[{"group":1,"doc":"a.txt","quote":"x"}]"#,
                "evidence: a case of kind `unanswerable` has none",
            ),
            (
                r#""kind":"answerable","route":"commodity","question":"q","evidence":[{"group":1,"doc":"b.txt","quote":"x"}]"#,
                "unknown document `b.txt`",
            ),
            (
                r#""kind":"answerable","route":"commodity","question":"q","evidence":[{"group":1,"doc":"a.txt","quote":"x","grade":4}]"#,
                "evidence[0].grade: is 4",
            ),
        ];
        for (more, expected) in bad {
            let found = errors(&case("k1", more));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("c.jsonl:1: error: k1: "), "{}", found[0]);
            assert!(found[0].contains(expected), "{} / {expected}", found[0]);
        }
    }

    #[test]
    fn gold_of_the_retriever_is_refused() {
        let line = r#"{"id":"a","kind":"chitchat","question":"q","lang":"en","source":"retriever"}"#;
        assert!(errors(line)[0].contains("by construction"));
    }

    #[test]
    fn duplicates_are_found_across_kinds() {
        let lines = case("a", r#""kind":"chitchat","question":"Hello there!""#)
            + &case("a", r#""kind":"handoff","question":"hello, THERE""#);
        let found = errors(&lines);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("id: is already used at c.jsonl:1"));
        assert!(found[1].contains("question: is the same"));
    }

    #[test]
    fn a_lost_quote_is_an_error() {
        let golden = golden(&case("a", &GOOD.replace('\n', "")));
        let texts = Texts::from([("a.txt".into(), DocText::new("It is 12 months.".into()))]);
        let found = quotes(&golden, &texts);
        assert_eq!(found.len(), 1);
        assert!(
            found[0]
                .message
                .contains("evidence[0]: quote not found in `a.txt`")
        );
    }
}
