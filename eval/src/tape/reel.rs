//! Recordings of one stage, one JSON object per line, sorted by label so that two recordings of the same calls are the
//! same file.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::key::Parts;
use crate::error::EvalError;

/// One recorded call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Cassette {
    /// Hash of the parts.
    pub(super) key: String,
    /// What a person calls it: the case, or the question.
    pub(super) label: String,
    /// What it depends on.
    pub(super) parts: Parts,
    /// When it was recorded.
    pub(super) recorded_at: DateTime<Utc>,
    /// How long it took then, milliseconds.
    pub(super) latency_ms: f64,
    /// What came back.
    pub(super) body: serde_json::Value,
}

/// Recordings by key.
#[derive(Debug, Default)]
pub(super) struct Reel(BTreeMap<String, Cassette>);

impl Reel {
    pub(super) fn read(path: &Path) -> Result<Self, EvalError> {
        let cassettes: Vec<Cassette> = read_lines(path)?;
        Ok(Self(
            cassettes
                .into_iter()
                // the stored key is for people; what counts is what the parts say
                .map(|cassette| (cassette.parts.key(), cassette))
                .collect(),
        ))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The recording of exactly this call, or what changed since the last one with this label.
    pub(super) fn find(&self, label: &str, parts: &Parts) -> Result<&Cassette, String> {
        if let Some(cassette) = self.0.get(&parts.key()) {
            return Ok(cassette);
        }
        let same = self.0.values().filter(|cassette| cassette.label == label);
        let nearest = same.min_by_key(|cassette| cassette.parts.differing(parts).len());
        Err(match nearest {
            Some(cassette) => format!(
                "{label}: changed since: {}",
                cassette.parts.differing(parts).join(", ")
            ),
            None => format!("{label}: was never recorded"),
        })
    }

    pub(super) fn keep(&mut self, cassette: Cassette) {
        self.0.insert(cassette.parts.key(), cassette);
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), EvalError> {
        let mut cassettes: Vec<&Cassette> = self.0.values().collect();
        cassettes.sort_by(|a, b| (&a.label, &a.key).cmp(&(&b.label, &b.key)));
        write_lines(path, &cassettes)
    }
}

/// Reads one value per line; a file that is not there holds none.
pub(super) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, EvalError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(EvalError::unreadable(path, &error)),
    };
    let lines = text.lines().enumerate();
    lines
        .map(|(i, line)| {
            serde_json::from_str(line)
                .map_err(|error| EvalError::Usage(format!("{}:{}: {error}", path.display(), i + 1)))
        })
        .collect()
}

/// Writes one value per line.
pub(super) fn write_lines<T: Serialize>(path: &Path, values: &[T]) -> Result<(), EvalError> {
    let failed = |error: &dyn std::fmt::Display| {
        EvalError::Infra(format!("{}: cannot be written: {error}", path.display()))
    };
    let lines: Result<Vec<String>, _> = values.iter().map(serde_json::to_string).collect();
    let text: String = lines
        .map_err(|error| failed(&error))?
        .into_iter()
        .map(|line| line + "\n")
        .collect();
    std::fs::write(path, text).map_err(|error| failed(&error))
}
