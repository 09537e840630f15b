//! Replies that were given before: of a tape, or of the file that a run leaves behind.
//!
//! They are graded like any other, but none of them is live: what was fast then says nothing about now.

use std::collections::HashMap;
use std::path::Path;

use plumbline_answer::Answer;
use serde::{Deserialize, Serialize};

use super::{Reply, VersionKey, VersionTexts};
use crate::error::EvalError;
use crate::golden::case::Case;
use crate::golden::load::Golden;
use crate::golden::split::Selection;
use crate::metrics::tools::ToolCall;
use crate::report::Mode;
use crate::tape::{KeptText, Parts, Tape, missing, reply_parts};

/// Version of the layout of `run.json`.
const SCHEMA_VERSION: u32 = 1;

/// Replies by case.
pub struct Stored {
    label: String,
    mode: Mode,
    replies: HashMap<String, Reply>,
    texts: VersionTexts,
}

/// The file `run.json`: every reply of a run, raw, so that it can be graded again with other verdicts, gates or metrics.
#[derive(Debug, Serialize, Deserialize)]
struct RunFile {
    schema_version: u32,
    target: String,
    corpus_manifest_sha256: String,
    replies: Vec<StoredReply>,
    texts: Vec<KeptText>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredReply {
    case: String,
    /// The question with its history: a reply to another question is none.
    asked: String,
    answer: Result<Answer, String>,
    #[serde(default)]
    calls: Vec<ToolCall>,
    wall_ms: f64,
}

impl Stored {
    /// The replies of a tape to the cases of a selection; every one must be there.
    pub fn of_tape(
        tape: &Tape,
        golden: &Golden,
        selection: Selection,
        label: String,
        parts: impl Fn(&Case) -> Parts,
    ) -> Result<Self, EvalError> {
        let (mut replies, mut misses) = (HashMap::new(), Vec::new());
        let asked = golden.cases.iter().map(|located| &located.case);
        for case in asked.filter(|case| selection.holds(&case.id)) {
            match tape.reply(&case.id, &parts(case)) {
                Ok(recorded) => {
                    let reply = Reply {
                        answer: Ok(recorded.answer),
                        calls: Vec::new(),
                        wall_ms: recorded.latency_ms,
                        live: false,
                    };
                    replies.insert(case.id.clone(), reply);
                }
                Err(miss) => misses.push(miss),
            }
        }
        if !misses.is_empty() {
            return Err(missing(&misses));
        }
        Ok(Self {
            label,
            mode: Mode::Replayed,
            replies,
            texts: tape.texts(),
        })
    }

    /// The replies of a `run.json` to the cases as they are now.
    ///
    /// # Errors
    /// [`EvalError::Stale`] when the corpus is another than the one asked about.
    pub fn of_file(path: &Path, golden: &Golden) -> Result<Self, EvalError> {
        let text = std::fs::read_to_string(path).map_err(|error| EvalError::unreadable(path, &error))?;
        let file: RunFile =
            serde_json::from_str(&text).map_err(|error| EvalError::unreadable(path, &error))?;
        if file.schema_version != SCHEMA_VERSION {
            return Err(EvalError::unreadable(
                path,
                &format!(
                    "has version {}, this program reads {SCHEMA_VERSION}",
                    file.schema_version
                ),
            ));
        }
        if file.corpus_manifest_sha256 != golden.manifest {
            return Err(EvalError::Stale(format!(
                "{}: its replies are about another corpus than {}; ask again",
                path.display(),
                golden.corpus_dir().display()
            )));
        }
        let questions: HashMap<&str, String> = golden
            .cases
            .iter()
            .map(|located| (located.case.id.as_str(), asked(&located.case)))
            .collect();
        let replies = file.replies.into_iter().map(|stored| {
            let same = questions.get(stored.case.as_str()) == Some(&stored.asked);
            let answer = if same {
                stored.answer
            } else {
                Err("the question is another than the one that was asked".to_owned())
            };
            let reply = Reply {
                answer,
                calls: stored.calls,
                wall_ms: stored.wall_ms,
                live: false,
            };
            (stored.case, reply)
        });
        Ok(Self {
            label: file.target,
            mode: Mode::Rescored,
            replies: replies.collect(),
            texts: file
                .texts
                .into_iter()
                .map(|kept| (kept.version, kept.text.map(Into::into)))
                .collect(),
        })
    }

    /// What the report calls the system that replied.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Where the replies come from.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The reply to a case; a case that was not asked then is an error now.
    pub fn ask(&self, case: &Case) -> Reply {
        self.replies.get(&case.id).cloned().unwrap_or_else(|| Reply {
            answer: Err("no stored reply: the case was not asked then".to_owned()),
            calls: Vec::new(),
            wall_ms: 0.0,
            live: false,
        })
    }

    /// The text of a version as it was then.
    pub fn version_text(&self, key: VersionKey) -> Result<std::sync::Arc<str>, String> {
        let kept = self.texts.get(&key).cloned();
        kept.unwrap_or_else(|| Err("the text was not stored".to_owned()))
    }
}

/// Writes `run.json` into `dir`.
pub fn write(
    dir: &Path,
    target: &str,
    golden: &Golden,
    replies: &[(&Case, &Reply)],
    texts: &VersionTexts,
) -> Result<(), EvalError> {
    let mut kept: Vec<KeptText> = texts
        .iter()
        .map(|(version, text)| KeptText {
            version: *version,
            text: text.clone().map(|text| text.to_string()),
        })
        .collect();
    kept.sort_by_key(|kept| kept.version);
    let file = RunFile {
        schema_version: SCHEMA_VERSION,
        target: target.to_owned(),
        corpus_manifest_sha256: golden.manifest.clone(),
        replies: replies
            .iter()
            .map(|(case, reply)| StoredReply {
                case: case.id.clone(),
                asked: asked(case),
                answer: reply.answer.clone(),
                calls: reply.calls.clone(),
                wall_ms: reply.wall_ms,
            })
            .collect(),
        texts: kept,
    };
    let path = dir.join("run.json");
    let failed = |error: &dyn std::fmt::Display| {
        EvalError::Infra(format!("{}: cannot be written: {error}", path.display()))
    };
    let text = serde_json::to_string(&file).map_err(|error| failed(&error))?;
    std::fs::create_dir_all(dir).map_err(|error| failed(&error))?;
    std::fs::write(&path, text).map_err(|error| failed(&error))
}

/// Everything that was said to the system, as one hash.
fn asked(case: &Case) -> String {
    use plumbline_store::Settings;
    reply_parts(case, &Settings::default(), "", "").prompt
}
