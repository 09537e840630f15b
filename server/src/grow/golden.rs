//! The questions that a golden set asks already.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context;
use plumbline_store::question_key;
use serde_json::Value;

/// Questions of a golden set, without case, accents and punctuation.
#[derive(Debug, Clone, Default)]
pub struct KnownQuestions(HashSet<String>);

impl KnownQuestions {
    /// Reads `cases/*.jsonl` below `folder`. Only the questions are looked at: whether the cases are right is the
    /// business of `plumbline-eval lint`.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let cases = folder.join("cases");
        let entries = std::fs::read_dir(&cases).with_context(|| {
            format!(
                "{} cannot be read; a golden set has its cases there",
                cases.display()
            )
        })?;
        let mut known = Self::default();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                known.add(&text);
            }
        }
        Ok(known)
    }

    fn add(&mut self, lines: &str) {
        let questions = lines.lines().filter_map(|line| {
            let case: Value = serde_json::from_str(line).ok()?;
            Some(question_key(case["question"].as_str()?))
        });
        self.0.extend(questions);
    }

    /// Whether the question with this key is asked.
    pub fn ask(&self, key: &str) -> bool {
        self.0.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_known_whatever_else_a_line_holds() {
        let folder = tempfile::tempdir().unwrap();
        assert!(KnownQuestions::read(folder.path()).is_err());
        let cases = folder.path().join("cases");
        std::fs::create_dir(&cases).unwrap();
        std::fs::write(
            cases.join("a.jsonl"),
            "{\"question\": \"What is the PRICE?\", \"later\": 1}\n\nbroken\n{\"id\": \"x\"}\n",
        )
        .unwrap();
        std::fs::write(cases.join("notes.txt"), "{\"question\": \"other\"}").unwrap();
        let known = KnownQuestions::read(folder.path()).unwrap();
        assert!(known.ask(&question_key("what is the price")));
        assert!(!known.ask("other"));
    }
}
