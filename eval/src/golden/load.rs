//! Reading a golden directory.
//!
//! Every error names file, line and field, and all of them are collected before giving up: a
//! person who mends a case file wants the whole list, not one mistake per run.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::case::Case;
use super::pin::{CorpusDoc, manifest_hash, sha256_hex};
use super::sheet::parse_sheet;
use super::verdict::{Policy, Verdicts, parse_verdicts};
use crate::error::EvalError;

/// `golden.toml`. A set that has none takes the values below and the directory's name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Name of the set.
    pub name: String,
    /// What it is about.
    #[serde(default)]
    pub description: String,
    /// Languages of the questions.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Directory of the documents.
    #[serde(default = "corpus")]
    pub corpus: PathBuf,
    /// Directory of the case files, or one file.
    #[serde(default = "cases")]
    pub cases: PathBuf,
    /// Hash of the corpus that the spans were pinned in; empty before the first `repin`.
    #[serde(default)]
    pub corpus_manifest_sha256: String,
    /// How replies are judged by people.
    #[serde(default)]
    pub verdicts: Policy,
}

/// Directory of the drafts, beside the cases; no run asks them.
pub const DRAFTS: &str = "drafts";

fn corpus() -> PathBuf {
    "corpus".into()
}

fn cases() -> PathBuf {
    "cases".into()
}

/// Where something stands: `cases/returns.jsonl:12`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path of the file as a person would open it.
    pub file: PathBuf,
    /// Line, 1-based; 0 for the whole file.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)
        } else {
            Ok(())
        }
    }
}

/// A case with the line it stands on.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// File and line.
    pub place: Place,
    /// The case.
    pub case: Case,
}

/// A golden directory in memory.
#[derive(Debug, Clone)]
pub struct Golden {
    /// The directory.
    pub dir: PathBuf,
    /// `golden.toml`.
    pub header: Header,
    /// All cases, by file name and line.
    pub cases: Vec<Located>,
    /// The files of the corpus, sorted by path.
    pub docs: Vec<CorpusDoc>,
    /// Hash over the files that are there.
    pub manifest: String,
    /// What people said about earlier answers.
    pub verdicts: Verdicts,
}

impl Golden {
    /// Whether the corpus is the one that the spans were pinned in.
    pub fn corpus_is_pinned(&self) -> bool {
        self.manifest == self.header.corpus_manifest_sha256
    }

    /// Directory of the documents.
    pub fn corpus_dir(&self) -> PathBuf {
        self.dir.join(&self.header.corpus)
    }
}

/// Reads a golden directory.
///
/// # Errors
/// [`EvalError::Usage`] with every line that cannot be read.
pub fn load(dir: &Path) -> Result<Golden, EvalError> {
    some_cases(read(dir, false)?)
}

fn some_cases(golden: Golden) -> Result<Golden, EvalError> {
    if golden.cases.is_empty() {
        let message = format!(
            "{}: no case found; write one JSON object per line, or a CSV file with a column `question`",
            golden.dir.join(&golden.header.cases).display()
        );
        return Err(EvalError::Usage(message));
    }
    Ok(golden)
}

/// Reads a golden directory with its drafts among the cases, for who works on them; there may be no case at all yet.
///
/// # Errors
/// [`EvalError::Usage`] with every line that cannot be read.
pub fn load_with_drafts(dir: &Path) -> Result<Golden, EvalError> {
    read(dir, true)
}

fn read(dir: &Path, drafts: bool) -> Result<Golden, EvalError> {
    let header = read_header(dir)?;
    let docs = read_corpus(&dir.join(&header.corpus))?;
    with_docs(dir, header, docs, drafts)
}

/// Reads a golden directory whose cases are about `docs`, documents that are elsewhere; it needs no corpus of its own.
///
/// # Errors
/// [`EvalError::Usage`] with every line that cannot be read.
pub fn load_for(dir: &Path, docs: Vec<CorpusDoc>) -> Result<Golden, EvalError> {
    let header = if dir.join("golden.toml").exists() {
        read_header(dir)?
    } else {
        header_without_file(dir)
    };
    some_cases(with_docs(dir, header, docs, false)?)
}

fn with_docs(dir: &Path, header: Header, docs: Vec<CorpusDoc>, drafts: bool) -> Result<Golden, EvalError> {
    let mut problems = Vec::new();
    let mut cases = Vec::new();
    let places = [Some(dir.join(&header.cases)), drafts.then(|| dir.join(DRAFTS))];
    for place in places.into_iter().flatten() {
        if !drafts || place.exists() {
            cases.extend(read_cases(&place, &header, &docs, &mut problems)?);
        }
    }
    let mut verdicts = read_verdicts(&dir.join("verdicts.jsonl"), &mut problems)?;
    verdicts.policy = header.verdicts;
    if !problems.is_empty() {
        return Err(EvalError::Usage(problems.join("\n")));
    }
    let manifest = manifest_hash(&docs);
    Ok(Golden {
        dir: dir.to_owned(),
        header,
        cases,
        docs,
        manifest,
        verdicts,
    })
}

fn read_header(dir: &Path) -> Result<Header, EvalError> {
    let path = dir.join("golden.toml");
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            toml::from_str(&text).map_err(|error| EvalError::Usage(format!("{}: {error}", path.display())))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && dir.join(corpus()).is_dir() => {
            Ok(header_without_file(dir))
        }
        Err(error) => Err(EvalError::Usage(format!(
            "{}: {error}; a golden directory holds a directory `corpus` with the documents, and a directory `cases` or a \
             file `cases.jsonl` or `cases.csv` with the questions; golden.toml is optional",
            path.display()
        ))),
    }
}

/// The header of a directory without `golden.toml`.
fn header_without_file(dir: &Path) -> Header {
    let file = ["cases.jsonl", "cases.csv"]
        .into_iter()
        .find(|file| dir.join(file).is_file());
    let one_file = file.filter(|_| !dir.join(cases()).exists());
    let full = std::fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    Header {
        name: full
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        description: String::new(),
        languages: Vec::new(),
        corpus: corpus(),
        cases: one_file.map_or_else(cases, PathBuf::from),
        corpus_manifest_sha256: String::new(),
        verdicts: Policy::default(),
    }
}

/// Reads one case file's lines; problems are collected, blank lines and `//` lines are skipped.
pub fn parse_cases(file: &Path, text: &str, problems: &mut Vec<String>) -> Vec<Located> {
    let mut cases = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if skipped(line) {
            continue;
        }
        let place = Place {
            file: file.to_owned(),
            line: i + 1,
        };
        match serde_json::from_str::<Case>(line) {
            Ok(case) => cases.push(Located { place, case }),
            Err(error) => problems.push(format!("{place}: {}", without_line(&error))),
        }
    }
    cases
}

/// Whether a line of a JSONL file holds nothing to read.
pub fn skipped(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with("//")
}

/// `serde_json` counts lines within the one line it was given; only the column helps.
pub fn without_line(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let cut = message.rfind(" at line ").unwrap_or(message.len());
    format!("{} (column {})", &message[..cut], error.column())
}

fn read_cases(
    dir: &Path,
    header: &Header,
    docs: &[CorpusDoc],
    problems: &mut Vec<String>,
) -> Result<Vec<Located>, EvalError> {
    let lang = header.languages.first().map_or("en", String::as_str);
    let mut cases = Vec::new();
    let files = if dir.is_file() {
        vec![dir.to_owned()]
    } else {
        files_below(dir).map_err(|error| EvalError::unreadable(dir, &error))?
    };
    for file in files {
        let extension = file.extension().and_then(|extension| extension.to_str());
        let text = || std::fs::read_to_string(&file).map_err(|error| EvalError::unreadable(&file, &error));
        match extension {
            Some("jsonl") => cases.extend(parse_cases(&file, &text()?, problems)),
            Some("csv") => cases.extend(parse_sheet(&file, &text()?, lang, docs, problems)),
            _ => {}
        }
    }
    Ok(cases)
}

fn read_verdicts(path: &Path, problems: &mut Vec<String>) -> Result<Verdicts, EvalError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(parse_verdicts(path, &text, problems)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Verdicts::default()),
        Err(error) => Err(EvalError::unreadable(path, &error)),
    }
}

fn read_corpus(dir: &Path) -> Result<Vec<CorpusDoc>, EvalError> {
    let mut docs = Vec::new();
    for file in files_below(dir).map_err(|error| EvalError::unreadable(dir, &error))? {
        let bytes = std::fs::read(&file).map_err(|error| EvalError::unreadable(&file, &error))?;
        let below = file.strip_prefix(dir).unwrap_or(&file);
        let parts: Vec<_> = below
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        docs.push(CorpusDoc {
            path: parts.join("/"),
            sha256: sha256_hex(&bytes),
        });
    }
    docs.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(docs)
}

/// Every file below `dir`, sorted; hidden files and directories are left out.
fn files_below(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in std::fs::read_dir(&dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_type()?.is_dir() {
                waiting.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_line_is_named() {
        let text = "{\"id\":\"a\"}\n\n// a remark\n{\"id\":\"b\",\"kind\":\"maybe\"}\n";
        let mut problems = Vec::new();
        assert!(parse_cases(Path::new("cases/x.jsonl"), text, &mut problems).is_empty());
        assert_eq!(problems.len(), 2);
        assert!(
            problems[0].starts_with("cases/x.jsonl:1: missing field `kind`"),
            "{}",
            problems[0]
        );
        assert!(
            problems[1].starts_with("cases/x.jsonl:4: unknown variant `maybe`"),
            "{}",
            problems[1]
        );
    }

    #[test]
    fn a_missing_header_says_what_a_golden_directory_is() {
        let dir = tempfile::tempdir().unwrap();
        let error = load(dir.path()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("golden.toml"));
    }

    #[test]
    fn documents_and_one_file_of_cases_are_enough() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("corpus")).unwrap();
        std::fs::write(dir.path().join("corpus/hours.txt"), "We open at 08:00.").unwrap();
        let case = r#"{"id":"a","kind":"chitchat","question":"hi","lang":"en","route":"smalltalk","source":"human"}"#;
        std::fs::write(dir.path().join("cases.jsonl"), case).unwrap();
        let golden = load(dir.path()).unwrap();
        assert_eq!((golden.cases.len(), golden.docs.len()), (1, 1));
        assert!(!golden.corpus_is_pinned());
    }
}
