//! Cases in a spreadsheet: a CSV file with one question per row.
//!
//! A team that has its questions in a spreadsheet should not have to learn JSON first. What a row can say is less: one
//! passage, no history. Columns that do not exist are refused like misspelt fields are; what is left out takes the
//! value that most questions have.
//!
//! | column | meaning | left out |
//! |---|---|---|
//! | `question` | the customer's message | required |
//! | `quote` | the passage that answers it, as it stands in the document | the question is unanswerable |
//! | `document` | its path below `corpus/`; the file name is enough where it is unique | required with a quote |
//! | `answer` | a good reply, for people who judge | none |
//! | `must_include`, `must_not` | phrases, separated by `;` | none |
//! | `kind`, `route`, `lang`, `tags`, `id` | as in a JSON case | by the quote, commodity, the set's first language or `en`, none, from the question |

use std::path::Path;

use serde_json::{Map, Value, json};

use super::case::Case;
use super::load::{Located, Place};
use super::pin::{CorpusDoc, sha256_hex};

/// Columns that a sheet may have.
const COLUMNS: [&str; 11] = [
    "question",
    "quote",
    "document",
    "answer",
    "must_include",
    "must_not",
    "kind",
    "route",
    "lang",
    "tags",
    "id",
];

/// Reads one sheet; problems are collected.
pub fn parse_sheet(
    file: &Path,
    text: &str,
    lang: &str,
    docs: &[CorpusDoc],
    problems: &mut Vec<String>,
) -> Vec<Located> {
    let place = |line: u64| Place {
        file: file.to_owned(),
        line: usize::try_from(line).unwrap_or_default(),
    };
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns: Vec<String> = match reader.headers() {
        Ok(headers) => headers.iter().map(column).collect(),
        Err(error) => {
            problems.push(format!("{}: {error}", place(1)));
            return Vec::new();
        }
    };
    if let Some(unknown) = columns.iter().find(|column| !COLUMNS.contains(&column.as_str())) {
        let known = COLUMNS.join(", ");
        problems.push(format!(
            "{}: unknown column `{unknown}`; known are {known}",
            place(1)
        ));
        return Vec::new();
    }
    if !columns.iter().any(|column| column == "question") {
        problems.push(format!("{}: there is no column `question`", place(1)));
        return Vec::new();
    }
    let mut cases = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                problems.push(format!("{}: {error}", file.display()));
                continue;
            }
        };
        let place = place(record.position().map_or(0, csv::Position::line));
        let field = |name: &str| {
            let at = columns.iter().position(|column| column == name);
            at.and_then(|at| record.get(at)).filter(|value| !value.is_empty())
        };
        match case(field, lang, docs) {
            Ok(case) => cases.push(Located { place, case }),
            Err(problem) => problems.push(format!("{place}: {problem}")),
        }
    }
    cases
}

/// A header as a column's name: `Must include` is `must_include`.
fn column(header: &str) -> String {
    header.trim().to_lowercase().replace([' ', '-'], "_")
}

/// Spreadsheets of countries with a decimal comma write semicolons.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    [b';', b'\t']
        .into_iter()
        .find(|&mark| header.bytes().filter(|&byte| byte == mark).count() > header.matches(',').count())
        .unwrap_or(b',')
}

fn case<'a>(field: impl Fn(&str) -> Option<&'a str>, lang: &str, docs: &[CorpusDoc]) -> Result<Case, String> {
    let question = field("question").ok_or("question: is empty")?;
    let quote = field("quote");
    let kind = field("kind").unwrap_or(if quote.is_some() {
        "answerable"
    } else {
        "unanswerable"
    });
    let mut case = Map::new();
    let id = field("id").map_or_else(
        || format!("q-{}", &sha256_hex(question.as_bytes())[..10]),
        ToOwned::to_owned,
    );
    case.insert("id".into(), json!(id));
    case.insert("kind".into(), json!(kind));
    case.insert("question".into(), json!(question));
    case.insert("lang".into(), json!(field("lang").unwrap_or(lang)));
    case.insert("source".into(), json!("human"));
    case.insert("reference".into(), json!(field("answer")));
    for list in ["must_include", "must_not", "tags"] {
        let items = field(list).unwrap_or_default().split(';').map(str::trim);
        let items: Vec<&str> = items.filter(|item| !item.is_empty()).collect();
        case.insert(list.into(), json!(items));
    }
    let about_documents = matches!(kind, "answerable" | "unanswerable");
    if let Some(route) = field("route").or(about_documents.then_some("commodity")) {
        case.insert("route".into(), json!(route));
    }
    if let Some(quote) = quote {
        let named = field("document").ok_or("document: is empty, but there is a quote")?;
        let evidence = json!([{"group": 1, "doc": document(named, docs), "quote": quote}]);
        case.insert("evidence".into(), evidence);
    }
    serde_json::from_value(Value::Object(case)).map_err(|error| error.to_string())
}

/// The path of the document of that path or file name; what is unknown or not unique is left to the lint.
fn document(named: &str, docs: &[CorpusDoc]) -> String {
    let suffix = format!("/{named}");
    let mut found = docs
        .iter()
        .filter(|doc| doc.path == named || doc.path.ends_with(&suffix));
    match (found.next(), found.next()) {
        (Some(one), None) => one.path.clone(),
        _ => named.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::case::Kind;

    fn read(text: &str) -> (Vec<Case>, Vec<String>) {
        let docs = [CorpusDoc {
            path: "policies/returns.pdf".into(),
            sha256: String::new(),
        }];
        let mut problems = Vec::new();
        let cases = parse_sheet(Path::new("cases.csv"), text, "fr", &docs, &mut problems);
        (cases.into_iter().map(|located| located.case).collect(), problems)
    }

    #[test]
    fn a_row_is_a_case() {
        let (cases, problems) = read(
            "Question,Answer,Quote,Document,Must include\n\
             \"How long, please?\",21 days.,\"Within 21 days,\nwith the receipt.\",returns.pdf,21 days; receipt\n\
             Who is your director?,,,,\n",
        );
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(
            (cases[0].kind, cases[1].kind),
            (Kind::Answerable, Kind::Unanswerable)
        );
        assert_eq!(cases[0].evidence[0].doc, "policies/returns.pdf");
        assert_eq!(cases[0].evidence[0].quote, "Within 21 days,\nwith the receipt.");
        assert_eq!(cases[0].must_include, ["21 days", "receipt"]);
        assert_eq!((cases[0].lang.as_str(), cases[0].id.len()), ("fr", 12));
        assert_eq!(
            cases[0].expected_route(),
            Some(plumbline_answer::Route::Commodity)
        );
    }

    #[test]
    fn a_semicolon_sheet_and_a_mark_of_its_encoding() {
        let (cases, problems) = read("\u{feff}question;kind;lang\nhola;chitchat;es\n");
        assert_eq!((cases.len(), problems.len()), (1, 0), "{problems:?}");
        assert_eq!(cases[0].lang, "es");
    }

    #[test]
    fn every_bad_row_is_named() {
        assert!(read("question,qoute\nq,x\n").1[0].contains("unknown column `qoute`"));
        assert!(read("answer\nx\n").1[0].contains("no column `question`"));
        let (_, problems) = read("question,quote,kind\n,x,\nq,x,\nq,,maybe\n");
        assert_eq!(problems.len(), 3);
        assert!(
            problems[0].starts_with("cases.csv:2: question: is empty"),
            "{problems:?}"
        );
        assert!(
            problems[1].starts_with("cases.csv:3: document: is empty"),
            "{problems:?}"
        );
        assert!(problems[2].contains("maybe"), "{problems:?}");
    }
}
