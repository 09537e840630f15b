//! What settings may be: names that exist, values in range. Whoever changes them by hand hears which field is wrong.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::Settings;

/// Formats that `uploads.formats` may hold.
const FORMATS: [&str; 5] = ["pdf", "docx", "text", "markdown", "csv"];

/// Routes that `routing.examples` may hold.
const ROUTES: [&str; 5] = ["commodity", "reasoning", "smalltalk", "handoff", "out_of_scope"];

/// The one setting whose fields have names of the tenant's choice.
const FREE: &str = "routing.examples";

/// Something wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SettingsProblem {
    /// Its path, as `chunking.target_tokens`.
    pub field: String,
    /// What is wrong, and what it may be.
    pub message: String,
}

impl std::fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` {}", self.field, self.message)
    }
}

fn problem(field: &str, message: impl Into<String>) -> SettingsProblem {
    SettingsProblem {
        field: field.to_owned(),
        message: message.into(),
    }
}

impl Settings {
    /// As JSON, with numbers as short as they were written.
    pub fn to_json(&self) -> Value {
        // by way of text: a 32-bit 0.4 turned into a JSON number directly is 0.4000000059604645
        let text = serde_json::to_string(self).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Reads settings that a person or a program wrote. Fields left out take their defaults.
    ///
    /// # Errors
    /// Every field whose name is unknown or whose value cannot be.
    pub fn from_json(body: &Value) -> Result<Self, Vec<SettingsProblem>> {
        let defaults = Self::default().to_json();
        let mut problems = Vec::new();
        compare("", body, &defaults, &defaults, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let settings: Self = serde_json::from_value(body.clone())
            .map_err(|error| vec![problem("settings", error.to_string())])?;
        let problems = settings.problems();
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(problems)
        }
    }

    /// Every value that is out of range.
    pub fn problems(&self) -> Vec<SettingsProblem> {
        let mut found = Vec::new();
        self.retrieval_problems(&mut found);
        self.answer_problems(&mut found);
        self.chunking_problems(&mut found);
        self.upload_problems(&mut found);
        share("traces.sample", self.traces.sample, &mut found);
        within(
            "traces.keep_days",
            self.traces.keep_days,
            &(1..=3_650),
            &mut found,
        );
        found
    }

    fn retrieval_problems(&self, found: &mut Vec<SettingsProblem>) {
        let retrieval = &self.retrieval;
        share("retrieval.lexical_weight", retrieval.lexical_weight, found);
        share(
            "retrieval.lexical_weight_foreign",
            retrieval.lexical_weight_foreign,
            found,
        );
        share("retrieval.whole_weight", retrieval.whole_weight, found);
        share("retrieval.pin_margin", retrieval.pin_margin, found);
        if !(1.0..=1_000.0).contains(&retrieval.rrf_k) {
            found.push(problem("retrieval.rrf_k", "must be 1 to 1000"));
        }
        for (field, factor) in [
            ("retrieval.heading_boost", retrieval.heading_boost),
            ("retrieval.title_boost", retrieval.title_boost),
            ("retrieval.rerank_weight", retrieval.rerank_weight),
            ("retrieval.late_weight", retrieval.late_weight),
            ("retrieval.rerank_model_weight", retrieval.rerank_model_weight),
        ] {
            if !(0.0..=10.0).contains(&factor) {
                found.push(problem(field, format!("is {factor}; it must be 0 to 10")));
            }
        }
        within(
            "retrieval.rerank_deadline_ms",
            retrieval.rerank_deadline_ms,
            &(1..=60_000),
            found,
        );
        within("retrieval.leg_depth", retrieval.leg_depth, &(1..=1_000), found);
        within("retrieval.top_k", retrieval.top_k, &(1..=50), found);
        if retrieval.model.len() > 200 || retrieval.model.contains(char::is_control) {
            found.push(problem(
                "retrieval.model",
                "must be at most 200 bytes without control characters",
            ));
        }
        if !retrieval.lexical && !retrieval.vector {
            found.push(problem(
                "retrieval.vector",
                "is off, and so is `retrieval.lexical`: nothing would be found",
            ));
        }
    }

    fn answer_problems(&self, found: &mut Vec<SettingsProblem>) {
        let (answer, routing, conversation) = (&self.answer, &self.routing, &self.conversation);
        share("answer.min_confidence", answer.min_confidence, found);
        within("answer.max_sentences", answer.max_sentences, &(1..=20), found);
        within("answer.max_chars", answer.max_chars, &(50..=4_096), found);
        within("answer.memory_turns", answer.memory_turns, &(0..=100), found);
        let language = &answer.default_language;
        if language.len() != 2 || !language.chars().all(|c| c.is_ascii_lowercase()) {
            found.push(problem(
                "answer.default_language",
                "must be an ISO 639-1 code such as `en`",
            ));
        }
        if answer.business_name.chars().count() > 200 || answer.business_name.contains('\0') {
            found.push(problem(
                "answer.business_name",
                "must be at most 200 characters, none of them NUL",
            ));
        }
        share("routing.min_similarity", routing.min_similarity, found);
        share("routing.out_of_scope_below", routing.out_of_scope_below, found);
        for (route, examples) in &routing.examples {
            let field = format!("{FREE}.{route}");
            if !ROUTES.contains(&route.as_str()) {
                found.push(problem(
                    &field,
                    format!("is no route; there are {}", ROUTES.join(", ")),
                ));
            }
            let unusable =
                |text: &String| text.trim().is_empty() || text.len() > 1_000 || text.contains('\0');
            if examples.len() > 500 || examples.iter().any(unusable) {
                found.push(problem(
                    &field,
                    "must be at most 500 examples of 1 to 1,000 bytes",
                ));
            }
        }
        within(
            "conversation.debounce_ms",
            conversation.debounce_ms,
            &(0..=60_000),
            found,
        );
        within(
            "conversation.debounce_max_ms",
            conversation.debounce_max_ms,
            &(0..=600_000),
            found,
        );
        if conversation.debounce_max_ms < conversation.debounce_ms {
            found.push(problem(
                "conversation.debounce_max_ms",
                "must not be below `conversation.debounce_ms`",
            ));
        }
        within(
            "conversation.human_hours",
            conversation.human_hours,
            &(1..=8_760),
            found,
        );
    }

    fn chunking_problems(&self, found: &mut Vec<SettingsProblem>) {
        let chunking = &self.chunking;
        within(
            "chunking.target_tokens",
            chunking.target_tokens,
            &(20..=2_000),
            found,
        );
        within(
            "chunking.window_tokens",
            chunking.window_tokens,
            &(8..=256),
            found,
        );
        if chunking.overlap_tokens > chunking.target_tokens / 2 {
            found.push(problem(
                "chunking.overlap_tokens",
                "must be at most half of `chunking.target_tokens`",
            ));
        }
        if chunking.min_tokens > chunking.target_tokens {
            found.push(problem(
                "chunking.min_tokens",
                "must be at most `chunking.target_tokens`",
            ));
        }
    }

    fn upload_problems(&self, found: &mut Vec<SettingsProblem>) {
        let uploads = &self.uploads;
        within("uploads.max_file_mib", uploads.max_file_mib, &(1..=10_000), found);
        within("uploads.max_files", uploads.max_files, &(1..=10_000), found);
        for format in uploads
            .formats
            .iter()
            .filter(|format| !FORMATS.contains(&format.as_str()))
        {
            let message = format!("holds {format:?}; formats are {}", FORMATS.join(", "));
            found.push(problem("uploads.formats", message));
        }
        let languages = &self.extraction.ocr_languages;
        let named =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if languages.len() > 200 || !languages.split('+').all(named) {
            found.push(problem(
                "extraction.ocr_languages",
                "must name languages as tesseract does: `eng` or `eng+fra`",
            ));
        }
    }
}

fn share(field: &str, value: f32, found: &mut Vec<SettingsProblem>) {
    if !(0.0..=1.0).contains(&value) {
        found.push(problem(field, format!("is {value}; it must be 0 to 1")));
    }
}

fn within<T>(field: &str, value: T, range: &RangeInclusive<T>, found: &mut Vec<SettingsProblem>)
where
    T: Copy + PartialOrd + std::fmt::Display,
{
    if !range.contains(&value) {
        let message = format!("is {value}; it must be {} to {}", range.start(), range.end());
        found.push(problem(field, message));
    }
}

/// Walks `given` along `known`: names that do not exist, values that `Settings` does not take.
fn compare(path: &str, given: &Value, known: &Value, defaults: &Value, found: &mut Vec<SettingsProblem>) {
    let (Value::Object(given), Value::Object(known), false) = (given, known, path == FREE) else {
        found.extend(unusable(path, given, defaults));
        return;
    };
    for (name, value) in given {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match known.get(name) {
            Some(known) => compare(&path, value, known, defaults, found),
            None => found.push(problem(
                &path,
                format!("is no setting; here are {}", names(known)),
            )),
        }
    }
}

fn names(known: &Map<String, Value>) -> String {
    known.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Whether one value cannot be that of its field.
fn unusable(path: &str, value: &Value, defaults: &Value) -> Option<SettingsProblem> {
    if path.is_empty() {
        return Some(problem("settings", "must be an object"));
    }
    let mut tried = defaults.clone();
    *tried.pointer_mut(&format!("/{}", path.replace('.', "/")))? = value.clone();
    let error = serde_json::from_value::<Settings>(tried).err()?;
    Some(problem(path, format!("cannot be used: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(body: &Value) -> Vec<String> {
        let problems = Settings::from_json(body).unwrap_err();
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_defaults_are_in_range_and_survive_being_written() {
        let settings = Settings::default();
        assert_eq!(settings.problems(), []);
        let body = settings.to_json();
        assert_eq!(body["retrieval"]["lexical_weight"].to_string(), "0.25");
        assert_eq!(Settings::from_json(&body).unwrap(), settings);
        let part = json!({ "chunking": { "target_tokens": 220 } });
        assert_eq!(Settings::from_json(&part).unwrap().chunking.target_tokens, 220);
        assert_eq!(Settings::from_json(&part).unwrap().chunking.window_tokens, 64);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let body = json!({
            "chunking": { "target": 100, "target_tokens": "many" },
            "retrival": {},
            "uploads": { "max_files": -1 },
        });
        let all = refused(&body).join("\n");
        for words in [
            "`chunking.target` is no setting; here are target_tokens",
            "`chunking.target_tokens` cannot be used: invalid type: string",
            "`retrival` is no setting; here are retrieval",
            "`uploads.max_files` cannot be used",
        ] {
            assert!(all.contains(words), "{words}: {all}");
        }
        let ranges = json!({
            "retrieval": { "lexical": false, "vector": false, "top_k": 0 },
            "answer": { "min_confidence": 1.5, "default_language": "English" },
            "routing": { "examples": { "gossip": ["what is new?"], "handoff": ["a person please"] } },
            "conversation": { "debounce_ms": 2000, "debounce_max_ms": 1000 },
            "chunking": { "overlap_tokens": 150 },
            "uploads": { "formats": ["pdf", "xlsx"] },
            "extraction": { "ocr_languages": "eng; rm" },
        });
        let fields: Vec<String> = Settings::from_json(&ranges)
            .unwrap_err()
            .into_iter()
            .map(|problem| problem.field)
            .collect();
        assert_eq!(
            fields,
            [
                "retrieval.top_k",
                "retrieval.vector",
                "answer.min_confidence",
                "answer.default_language",
                "routing.examples.gossip",
                "conversation.debounce_max_ms",
                "chunking.overlap_tokens",
                "uploads.formats",
                "extraction.ocr_languages",
            ]
        );
        assert_eq!(refused(&json!([])), ["`settings` must be an object"]);
    }
}
