//! The key of a recording: everything that a call depends on.

use plumbline_models::ComposeRequest;
use plumbline_store::Settings;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::code;
use crate::golden::case::Case;
use crate::golden::pin::sha256_hex;

/// What a call depends on, part by part. Long parts are hashes: a recording is compared, not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Name of the chat model.
    pub model: String,
    /// Hash of the parameters: of a reply all settings, of a model call its limits.
    pub params: String,
    /// Hash of the full prompt.
    pub prompt: String,
    /// Hash of the tools offered.
    pub tools: String,
    /// The corpus by everything that shapes it.
    pub corpus: String,
    /// Hash of the prompt files that are built in.
    pub prompt_files: String,
    /// Hash of the sources of the stage.
    pub code: String,
}

impl Parts {
    /// The key: SHA-256 over the parts, one per line.
    pub fn key(&self) -> String {
        sha256_hex(self.named().map(|(_, part)| part).join("\n").as_bytes())
    }

    /// Names of the parts that differ.
    pub(super) fn differing(&self, other: &Self) -> Vec<&'static str> {
        let pairs = self.named().into_iter().zip(other.named());
        pairs
            .filter(|((_, one), (_, two))| one != two)
            .map(|((name, _), _)| name)
            .collect()
    }

    fn named(&self) -> [(&'static str, &str); 7] {
        [
            ("model", &self.model),
            ("params", &self.params),
            ("prompt", &self.prompt),
            ("tools", &self.tools),
            ("corpus", &self.corpus),
            ("prompt files", &self.prompt_files),
            ("code", &self.code),
        ]
    }
}

/// The parts of a whole reply to a case.
pub fn reply_parts(case: &Case, settings: &Settings, model: &str, corpus: &str) -> Parts {
    Parts {
        model: model.to_owned(),
        params: hash(&json!(settings)),
        prompt: hash(&json!({"question": case.question, "history": case.history})),
        tools: no_tools(),
        corpus: corpus.to_owned(),
        prompt_files: code::PROMPTS.to_owned(),
        code: code::REPLY.to_owned(),
    }
}

/// The parts of one call of a chat model.
pub fn model_parts(request: &ComposeRequest, model: &str, corpus: &str) -> Parts {
    let ComposeRequest {
        question,
        language,
        passages,
        max_sentences,
        max_chars,
    } = request;
    Parts {
        model: model.to_owned(),
        params: hash(&json!({"max_sentences": max_sentences, "max_chars": max_chars})),
        prompt: hash(&json!({"question": question, "language": language, "passages": passages})),
        tools: no_tools(),
        corpus: corpus.to_owned(),
        prompt_files: code::PROMPTS.to_owned(),
        code: code::MODEL.to_owned(),
    }
}

/// No model is offered tools today; the part is there so that the first one that is cannot hit an older recording.
fn no_tools() -> String {
    hash(&json!([]))
}

fn hash(value: &serde_json::Value) -> String {
    sha256_hex(value.to_string().as_bytes())
}
