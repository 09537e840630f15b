//! Moving the pin: new offsets for evidence that is still there, and the new manifest hash.
//!
//! Only lines whose offsets change are rewritten, and only the three pinned fields of them, so that
//! a pull request shows exactly what moved.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::case::Evidence;
use super::load::{Golden, Place};
use super::pin::{How, Span, Texts, locate};
use crate::error::EvalError;

/// One piece of evidence whose pin changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// File and line.
    pub place: Place,
    /// Case.
    pub case: String,
    /// Index within the case.
    pub index: usize,
    /// The stored offsets.
    pub from: Option<(usize, usize)>,
    /// Where the quote is now.
    pub to: Span,
    /// Hash of the document now.
    pub doc_sha256: String,
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            case,
            index,
            from,
            to,
            ..
        } = self;
        write!(f, "{place}: {case}: evidence[{index}] {}: ", to.doc)?;
        match from {
            Some((start, end)) if (*start, *end) == (to.start, to.end) => {
                write!(f, "{start}..{end} in new bytes")?;
            }
            Some((start, end)) => write!(f, "{start}..{end} -> {}..{}", to.start, to.end)?,
            None => write!(f, "-> {}..{}", to.start, to.end)?,
        }
        let how = match to.how {
            How::Pinned => "pinned",
            How::Exact => "exact quote",
            How::Normalised => "normalised quote",
        };
        write!(f, " ({how})")
    }
}

/// What `repin` would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Evidence to move.
    pub moves: Vec<Move>,
    /// Evidence that is gone: `file:line: case: reason`.
    pub stale: Vec<String>,
    /// Pieces of evidence that stay where they are.
    pub kept: usize,
}

/// Finds every span again.
pub fn plan(golden: &Golden, texts: &Texts) -> Plan {
    let mut plan = Plan::default();
    for located in &golden.cases {
        for (index, evidence) in located.case.evidence.iter().enumerate() {
            match locate(evidence, &golden.docs, texts) {
                Err(reason) => {
                    plan.stale.push(format!(
                        "{}: {}: evidence[{index}]: {reason}",
                        located.place, located.case.id
                    ));
                }
                // a sheet holds no offsets: its quotes are looked for in every run
                Ok(_)
                    if located
                        .place
                        .file
                        .extension()
                        .is_some_and(|extension| extension == "csv") =>
                {
                    plan.kept += 1;
                }
                Ok(span) if span.how == How::Pinned => plan.kept += 1,
                Ok(span) => plan.moves.push(Move {
                    place: located.place.clone(),
                    case: located.case.id.clone(),
                    index,
                    from: offsets(evidence),
                    doc_sha256: doc_sha256(golden, evidence),
                    to: span,
                }),
            }
        }
    }
    plan
}

fn offsets(evidence: &Evidence) -> Option<(usize, usize)> {
    Some((evidence.start?, evidence.end?))
}

fn doc_sha256(golden: &Golden, evidence: &Evidence) -> String {
    golden
        .docs
        .iter()
        .find(|doc| doc.path == evidence.doc)
        .map(|doc| doc.sha256.clone())
        .unwrap_or_default()
}

/// Writes the plan into the case files and the manifest hash into `golden.toml`.
pub fn write(golden: &Golden, plan: &Plan) -> Result<(), EvalError> {
    let mut by_file: BTreeMap<&PathBuf, Vec<&Move>> = BTreeMap::new();
    for moved in &plan.moves {
        by_file.entry(&moved.place.file).or_default().push(moved);
    }
    for (file, moves) in by_file {
        edit(file, |text| rewrite_cases(text, &moves))?;
    }
    // A stale case keeps the old hash: the pin must not claim what nobody has looked at.
    if plan.stale.is_empty() {
        edit(&golden.dir.join("golden.toml"), |text| {
            let named = format!("name = {:?}\n", golden.header.name);
            let text = if text.is_empty() { named.as_str() } else { text };
            Ok(rewrite_header(text, &golden.manifest))
        })?;
    }
    Ok(())
}

fn edit(file: &Path, change: impl FnOnce(&str) -> Result<String, String>) -> Result<(), EvalError> {
    let failed = |error: String| EvalError::Infra(format!("{}: {error}", file.display()));
    let text = match std::fs::read_to_string(file) {
        // a set without golden.toml gets one that says its name and its pin
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|error| failed(error.to_string()))?,
    };
    let changed = change(&text).map_err(failed)?;
    if changed == text {
        return Ok(());
    }
    std::fs::write(file, changed).map_err(|error| failed(error.to_string()))
}

/// The text of a case file with the moved spans.
pub fn rewrite_cases(text: &str, moves: &[&Move]) -> Result<String, String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for moved in moves {
        let at = moved.place.line;
        let line = at
            .checked_sub(1)
            .and_then(|i| lines.get_mut(i))
            .ok_or_else(|| format!("has no line {at}"))?;
        let mut case: Value = serde_json::from_str(line).map_err(|error| format!("line {at}: {error}"))?;
        let evidence = case["evidence"]
            .get_mut(moved.index)
            .and_then(Value::as_object_mut)
            .ok_or_else(|| format!("line {at}: has no evidence[{}]", moved.index))?;
        evidence.insert("doc_sha256".into(), moved.doc_sha256.clone().into());
        evidence.insert("start".into(), moved.to.start.into());
        evidence.insert("end".into(), moved.to.end.into());
        *line = case.to_string();
    }
    Ok(lines.join("\n") + "\n")
}

/// The text of `golden.toml` with the new hash; everything else stays as it was written.
pub fn rewrite_header(text: &str, manifest: &str) -> String {
    let new = format!("corpus_manifest_sha256 = \"{manifest}\"");
    let is_pin = |line: &&str| line.trim_start().starts_with("corpus_manifest_sha256");
    if !text.lines().any(|line| is_pin(&line)) {
        return format!("{new}\n{text}");
    }
    let lines: Vec<&str> = text
        .lines()
        .map(|line| if is_pin(&line) { new.as_str() } else { line })
        .collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pin_of_the_line_changes() {
        let text =
            "{\"id\":\"a\",\"x\":1}\n{\"id\":\"b\",\"evidence\":[{\"doc\":\"d\",\"quote\":\"q\"}],\"z\":2}\n";
        let moved = Move {
            place: Place {
                file: "c.jsonl".into(),
                line: 2,
            },
            case: "b".into(),
            index: 0,
            from: None,
            to: Span {
                group: "1".into(),
                doc: "d".into(),
                start: 3,
                end: 4,
                text: "q".into(),
                grade: 3,
                how: How::Exact,
            },
            doc_sha256: "ff".into(),
        };
        assert_eq!(
            moved.to_string(),
            "c.jsonl:2: b: evidence[0] d: -> 3..4 (exact quote)"
        );
        let expected = "{\"id\":\"a\",\"x\":1}\n{\"id\":\"b\",\"evidence\":[{\"doc\":\"d\",\"quote\":\"q\",\
            \"doc_sha256\":\"ff\",\"start\":3,\"end\":4}],\"z\":2}\n";
        assert_eq!(rewrite_cases(text, &[&moved]).unwrap(), expected);
    }

    #[test]
    fn the_header_keeps_its_other_lines() {
        let text = "# our set\nname = \"x\"\ncorpus_manifest_sha256 = \"\"\n";
        assert_eq!(
            rewrite_header(text, "ab"),
            "# our set\nname = \"x\"\ncorpus_manifest_sha256 = \"ab\"\n"
        );
        assert_eq!(
            rewrite_header("name = \"x\"\n", "ab"),
            "corpus_manifest_sha256 = \"ab\"\nname = \"x\"\n"
        );
    }
}
