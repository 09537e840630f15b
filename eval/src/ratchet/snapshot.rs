//! The rules in one state: gates, cases, verdicts, baseline.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::Rules;
use super::source::Source;
use crate::error::EvalError;
use crate::gate::Baseline;
use crate::gate::baseline::case_hash;
use crate::gate::spec::{Gates, parse_file};
use crate::golden::case::Case;
use crate::golden::load::skipped;
use crate::golden::verdict::{Policy, Verdict, VerdictLine};
use crate::metrics::slice::slices_of;

/// The rules in one state.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The gate file; `None` when it is not there.
    pub gates: Option<Gates>,
    /// Every case by id.
    pub cases: BTreeMap<String, CaseRule>,
    /// What people said: case, answer, evidence, person to verdict.
    pub verdicts: BTreeMap<VerdictKey, Verdict>,
    /// How verdicts are to be read.
    pub policy: Policy,
    /// The accepted outcomes; `None` when there are none.
    pub baseline: Option<Baseline>,
}

/// Case, hash of the answer, hash of the evidence, person.
pub type VerdictKey = (String, String, String, Option<String>);

/// What is compared of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseRule {
    /// Hash of its demands; the text of the line when this program cannot read it.
    pub demands: String,
    /// Slices it belongs to.
    pub slices: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
struct Header {
    cases: Option<PathBuf>,
    #[serde(default)]
    verdicts: Policy,
}

impl Snapshot {
    /// Reads the rules from a source.
    pub fn read(rules: &Rules, source: &Source) -> Result<Self, EvalError> {
        let gates = source.read(&rules.gates)?;
        let header = header(rules, source)?;
        let cases = cases(rules, source, header.cases)?;
        let baseline = source.read(&rules.baseline)?;
        let baseline = baseline.map(|text| Baseline::parse(&place(&rules.baseline, source), &text));
        let gates = gates.map(|text| parse_file(Path::new(&place(&rules.gates, source)), &text));
        let verdicts = source.read(&rules.golden.join("verdicts.jsonl"))?;
        Ok(Self {
            gates: gates.transpose()?,
            verdicts: verdicts.map(|text| verdict_lines(&text)).unwrap_or_default(),
            policy: header.verdicts,
            baseline: baseline.transpose()?,
            cases,
        })
    }
}

/// A path with the source it was read from, for messages.
fn place(path: &Path, source: &Source) -> String {
    match source {
        Source::Here => path.display().to_string(),
        Source::Directory(base) => base.join(path).display().to_string(),
        Source::Git(reference) => format!("{reference}:{}", path.display()),
    }
}

fn header(rules: &Rules, source: &Source) -> Result<Header, EvalError> {
    let path = rules.golden.join("golden.toml");
    let Some(text) = source.read(&path)? else {
        return Ok(Header::default());
    };
    toml::from_str(&text).map_err(|error| EvalError::Usage(format!("{}: {error}", place(&path, source))))
}

fn cases(
    rules: &Rules,
    source: &Source,
    named: Option<PathBuf>,
) -> Result<BTreeMap<String, CaseRule>, EvalError> {
    let folders = named.map_or_else(|| vec!["cases".into(), "cases.jsonl".into()], |named| vec![named]);
    let mut cases = BTreeMap::new();
    for folder in folders {
        for file in source.list(&rules.golden.join(folder))? {
            if file.extension().is_some_and(|extension| extension == "jsonl") {
                let text = source.read(&file)?.unwrap_or_default();
                cases.extend(text.lines().filter(|line| !skipped(line)).filter_map(case_rule));
            }
        }
    }
    Ok(cases)
}

/// A line of another version of this program may hold fields that this one does not know: its id still counts.
fn case_rule(line: &str) -> Option<(String, CaseRule)> {
    let value: Value = serde_json::from_str(line).ok()?;
    let id = value.get("id")?.as_str()?.to_owned();
    let rule = match serde_json::from_value::<Case>(value) {
        Ok(case) => CaseRule {
            demands: case_hash(&case),
            slices: slices_of(&case),
        },
        Err(_) => CaseRule {
            demands: line.to_owned(),
            ..CaseRule::default()
        },
    };
    Some((id, rule))
}

fn verdict_lines(text: &str) -> BTreeMap<VerdictKey, Verdict> {
    let lines = text.lines().filter(|line| !skipped(line));
    lines
        .filter_map(|line| serde_json::from_str::<VerdictLine>(line).ok())
        .map(|line| {
            (
                (line.case, line.answer_sha256, line.evidence_sha256, line.by),
                line.verdict,
            )
        })
        .collect()
}
