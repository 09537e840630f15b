//! Recorded calls: a pipeline without an API key gets the replies of a day on which there was one.
//!
//! Two stages are recorded at once. *Model*: what a chat model said to one prompt. *Reply*: what the whole answerer said
//! to one case. Replaying the model stage runs today's search, grounding and decision on yesterday's words; replaying the
//! reply stage runs nothing and only grades.
//!
//! A recording is only good for what it was made of, so its key is the hash of all of it: model, parameters, full prompt,
//! tools, corpus, prompt files, and the sources of the stage. Whatever changes makes a miss, and a miss is an error:
//! a gate that quietly fell back on stale words or on a live call would judge something else than it says. Latency and
//! tokens of the recording are kept in it; a run made of it is labelled, and no latency gate accepts it.

mod key;
mod model;
mod reel;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use plumbline_answer::Answer;
use serde::{Deserialize, Serialize};

pub use self::key::{Parts, model_parts, reply_parts};
pub use self::model::Taped;
use self::reel::{Cassette, Reel};
use crate::error::EvalError;
use crate::target::{VersionKey, VersionTexts};

/// What is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Stage {
    /// Whole replies: nothing runs but the grading.
    Reply,
    /// What the chat model said: search, grounding and decision run.
    Model,
}

/// What a tape is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Live calls are written down.
    Record,
    /// Calls are answered from it.
    Replay(Stage),
}

/// A folder of recordings.
#[derive(Debug)]
pub struct Tape {
    folder: PathBuf,
    purpose: Use,
    now: DateTime<Utc>,
    reels: Mutex<Reels>,
}

#[derive(Debug, Default)]
struct Reels {
    model: Reel,
    reply: Reel,
    texts: Vec<KeptText>,
    misses: Vec<String>,
}

/// The canonical text of a version that a recorded reply cites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptText {
    /// Which version.
    pub version: VersionKey,
    /// Its text, or why there is none.
    pub text: Result<String, String>,
}

/// A reply as it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The answer.
    pub answer: Answer,
    /// How long it took when it was recorded, milliseconds.
    pub latency_ms: f64,
}

impl Tape {
    /// Opens a folder; what it holds already is kept.
    ///
    /// # Errors
    /// [`EvalError::Usage`] when a recording cannot be read, [`EvalError::Infra`] when there is none to replay.
    pub fn open(folder: &Path, purpose: Use, now: DateTime<Utc>) -> Result<Self, EvalError> {
        let reels = Reels {
            model: Reel::read(&folder.join("model.jsonl"))?,
            reply: Reel::read(&folder.join("reply.jsonl"))?,
            texts: reel::read_lines(&folder.join("texts.jsonl"))?,
            misses: Vec::new(),
        };
        let wanted = match purpose {
            Use::Record => None,
            Use::Replay(Stage::Model) => Some(&reels.model),
            Use::Replay(Stage::Reply) => Some(&reels.reply),
        };
        if wanted.is_some_and(Reel::is_empty) {
            return Err(EvalError::Infra(format!(
                "--replay: {} holds no recording; make one with --record",
                folder.display()
            )));
        }
        Ok(Self {
            folder: folder.to_owned(),
            purpose,
            now,
            reels: Mutex::new(reels),
        })
    }

    /// What the tape is used for.
    pub fn purpose(&self) -> Use {
        self.purpose
    }

    /// The recorded reply to a case.
    ///
    /// # Errors
    /// Why there is none: what changed since the case was last recorded.
    pub fn reply(&self, label: &str, parts: &Parts) -> Result<Recorded, String> {
        let reels = self.reels.lock().unwrap_or_else(PoisonError::into_inner);
        let cassette = reels.reply.find(label, parts)?;
        let answer = serde_json::from_value(cassette.body.clone())
            .map_err(|error| format!("{label}: the recorded reply cannot be read: {error}"))?;
        Ok(Recorded {
            answer,
            latency_ms: cassette.latency_ms,
        })
    }

    /// Writes down a reply.
    pub fn keep_reply(&self, label: &str, parts: Parts, reply: &Recorded) {
        let body = serde_json::to_value(&reply.answer).unwrap_or_default();
        self.keep(|reels| &mut reels.reply, label, parts, reply.latency_ms, body);
    }

    fn keep(
        &self,
        reel: impl FnOnce(&mut Reels) -> &mut Reel,
        label: &str,
        parts: Parts,
        latency_ms: f64,
        body: serde_json::Value,
    ) {
        let mut reels = self.reels.lock().unwrap_or_else(PoisonError::into_inner);
        reel(&mut reels).keep(Cassette {
            key: parts.key(),
            label: label.to_owned(),
            parts,
            recorded_at: self.now,
            latency_ms,
            body,
        });
    }

    /// The texts of the versions that recorded replies cite.
    pub fn texts(&self) -> VersionTexts {
        let reels = self.reels.lock().unwrap_or_else(PoisonError::into_inner);
        reels
            .texts
            .iter()
            .map(|kept| (kept.version, kept.text.clone().map(Into::into)))
            .collect()
    }

    /// Writes the texts down; a newer reading of a version replaces the older one.
    pub fn keep_texts(&self, texts: &VersionTexts) {
        let mut reels = self.reels.lock().unwrap_or_else(PoisonError::into_inner);
        reels.texts.retain(|kept| !texts.contains_key(&kept.version));
        reels.texts.extend(texts.iter().map(|(version, text)| KeptText {
            version: *version,
            text: text.clone().map(|text| text.to_string()),
        }));
        reels.texts.sort_by_key(|kept| kept.version);
    }

    /// Ends a run: a replay in which a call was missing is refused, a recording is written.
    ///
    /// # Errors
    /// [`EvalError::Infra`] with every miss, or when the folder cannot be written.
    pub fn finish(&self) -> Result<(), EvalError> {
        let reels = self.reels.lock().unwrap_or_else(PoisonError::into_inner);
        if !reels.misses.is_empty() {
            return Err(missing(&reels.misses));
        }
        if self.purpose != Use::Record {
            return Ok(());
        }
        std::fs::create_dir_all(&self.folder).map_err(|error| {
            EvalError::Infra(format!("{}: cannot be made: {error}", self.folder.display()))
        })?;
        reels.model.write(&self.folder.join("model.jsonl"))?;
        reels.reply.write(&self.folder.join("reply.jsonl"))?;
        reel::write_lines(&self.folder.join("texts.jsonl"), &reels.texts)
    }
}

/// The error of a strict replay.
pub fn missing(misses: &[String]) -> EvalError {
    EvalError::Infra(format!(
        "--replay: {} calls were not recorded as they are made now; record them again with --record\n{}",
        misses.len(),
        misses.join("\n")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{answer, case};
    use plumbline_store::Settings;

    fn tape(dir: &Path, purpose: Use) -> Tape {
        Tape::open(dir, purpose, DateTime::UNIX_EPOCH).unwrap()
    }

    fn parts(change: impl FnOnce(&mut crate::golden::case::Case, &mut Settings)) -> Parts {
        let (mut asked, mut settings) = (case("When do you open?"), Settings::default());
        change(&mut asked, &mut settings);
        reply_parts(&asked, &settings, "extractive", "corpus")
    }

    #[test]
    fn a_recording_is_played_back_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let recorded = Recorded {
            answer: answer("We open at 08:00."),
            latency_ms: 41.5,
        };
        let tape_1 = tape(dir.path(), Use::Record);
        tape_1.keep_reply("hours", parts(|_, _| {}), &recorded);
        tape_1.finish().unwrap();
        let again = tape(dir.path(), Use::Replay(Stage::Reply));
        assert_eq!(again.reply("hours", &parts(|_, _| {})), Ok(recorded));
        again.finish().unwrap();
    }

    /// Complaint 9 of every other tool: a cache whose key leaves something out.
    #[test]
    fn whatever_changes_is_a_miss_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let recorded = Recorded {
            answer: answer("We open at 08:00."),
            latency_ms: 1.0,
        };
        let recording = tape(dir.path(), Use::Record);
        recording.keep_reply("hours", parts(|_, _| {}), &recorded);
        recording.finish().unwrap();
        let replay = tape(dir.path(), Use::Replay(Stage::Reply));
        let turn = plumbline_answer::Message {
            role: plumbline_answer::Speaker::Customer,
            text: "hello".into(),
        };
        let mut code = parts(|_, _| {});
        code.code = "another build".into();
        let mut files = parts(|_, _| {});
        files.prompt_files = "another prompt".into();
        let mut tools = parts(|_, _| {});
        tools.tools = "a tool".into();
        let mut model = parts(|_, _| {});
        model.model = "another-model".into();
        let mut corpus = parts(|_, _| {});
        corpus.corpus = "other documents".into();
        let changed = [
            (parts(|case, _| case.question.push('?')), "prompt"),
            (parts(|case, _| case.history.push(turn)), "prompt"),
            (parts(|_, settings| settings.answer.max_sentences = 1), "params"),
            (code, "code"),
            (files, "prompt files"),
            (tools, "tools"),
            (model, "model"),
            (corpus, "corpus"),
        ];
        for (parts, name) in changed {
            let miss = replay.reply("hours", &parts).unwrap_err();
            assert!(miss.contains(&format!("changed since: {name}")), "{miss}");
        }
        let never = replay.reply("prices", &code_free()).unwrap_err();
        assert!(never.contains("prices: was never recorded"), "{never}");
    }

    fn code_free() -> Parts {
        parts(|case, _| case.question = "How much is it?".into())
    }

    #[test]
    fn nothing_to_replay_is_no_empty_pass() {
        let dir = tempfile::tempdir().unwrap();
        let error = Tape::open(dir.path(), Use::Replay(Stage::Reply), DateTime::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.exit_code(), 5);
    }
}
