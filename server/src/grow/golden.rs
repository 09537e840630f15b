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
    /// Reads `cases/*.jsonl` and `drafts/*.jsonl` below `folder`. Only the questions are looked at: whether the cases
    /// are right is the business of `plumbline-eval lint`.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut known = Self::default();
        known.read_all(&folder.join("cases"))?;
        let drafts = folder.join("drafts");
        if drafts.is_dir() {
            known.read_all(&drafts)?;
        }
        Ok(known)
    }

    fn read_all(&mut self, folder: &Path) -> anyhow::Result<()> {
        let shown = folder.display();
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("{shown} cannot be read; a golden set has its cases there"))?;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                let text = std::fs::read_to_string(&path);
                self.add(&text.with_context(|| format!("{} cannot be read", path.display()))?);
            }
        }
        Ok(())
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
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write(
            "cases/a.jsonl",
            "{\"question\": \"What is the PRICE?\", \"later\": 1}\n\nbroken\n{\"id\": \"x\"}\n",
        );
        write("cases/notes.txt", "{\"question\": \"other\"}");
        write("drafts/b.jsonl", "{\"question\": \"drafted\"}");
        let known = KnownQuestions::read(folder.path()).unwrap();
        assert!(known.ask(&question_key("what is the price")));
        assert!(known.ask("drafted") && !known.ask("other"));
    }
}
