//! Changes of settings as a person types them: `retrieval.lexical_weight=0.5`, at a terminal or in the playground.

use plumbline_store::Settings;
use serde_json::Value;

/// `key = value` of every setting.
pub fn lines(settings: &Settings) -> Vec<String> {
    fn walk(path: &str, value: &Value, lines: &mut Vec<String>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, field) in fields {
                    let path = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    walk(&path, field, lines);
                }
            }
            other => lines.push(format!("{path} = {other}")),
        }
    }
    let mut all = Vec::new();
    walk("", &settings.to_json(), &mut all);
    all
}

/// `settings` with `changes`, each `key=value`.
///
/// # Errors
/// Everything that is wrong with them, in words.
pub fn changed(settings: &Settings, changes: &[String]) -> Result<Settings, Vec<String>> {
    let mut body = settings.to_json();
    for change in changes {
        let Some((key, value)) = change.split_once('=') else {
            return Err(vec![format!(
                "{change:?} is no change: write KEY=VALUE, as chunking.target_tokens=220"
            )]);
        };
        let (key, value) = (key.trim(), value.trim());
        let mut place = &mut body;
        for name in key.split('.') {
            let Value::Object(fields) = place else {
                return Err(vec![format!(
                    "there is no setting {key}; see `plumbline settings show`"
                )]);
            };
            // a name that does not exist is refused below, with the names that do
            place = fields.entry(name).or_insert(Value::Null);
        }
        *place = parsed(value, place);
    }
    Settings::from_json(&body).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// A value as it is typed: JSON, a list with commas, or just text.
fn parsed(value: &str, before: &Value) -> Value {
    let json = serde_json::from_str(value).ok();
    match (before, json) {
        (Value::String(_), Some(Value::String(text))) => Value::String(text),
        (Value::String(_), _) => Value::String(value.to_owned()),
        (Value::Array(_), None) => value
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| Value::String(item.to_owned()))
            .collect(),
        (_, Some(json)) => json,
        (_, None) => Value::String(value.to_owned()),
    }
}

/// What differs between two settings: the name, and both values.
pub fn differences(one: &Settings, other: &Settings) -> Vec<(String, String, String)> {
    let split = |line: String| {
        let (name, value) = line.split_once(" = ").unwrap_or((&line, ""));
        (name.to_owned(), value.to_owned())
    };
    let mut others: std::collections::BTreeMap<String, String> =
        lines(other).into_iter().map(split).collect();
    let mut found: Vec<(String, String, String)> = lines(one)
        .into_iter()
        .map(split)
        .filter_map(|(name, value)| {
            let changed = others.remove(&name).unwrap_or_else(|| "–".to_owned());
            (value != changed).then_some((name, value, changed))
        })
        .collect();
    found.extend(
        others
            .into_iter()
            .map(|(name, value)| (name, "–".to_owned(), value)),
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(changes: &[&str]) -> Result<Settings, Vec<String>> {
        let changes: Vec<String> = changes.iter().map(|&change| change.to_owned()).collect();
        changed(&Settings::default(), &changes)
    }

    #[test]
    fn values_are_typed_as_their_settings_are() {
        let settings = set(&[
            "chunking.target_tokens=220",
            "extraction.ocr = true",
            "uploads.formats=pdf, docx",
            "answer.business_name=42",
            r#"routing.examples={"handoff":["a person"]}"#,
        ])
        .unwrap();
        assert_eq!(settings.chunking.target_tokens, 220);
        assert!(settings.extraction.ocr);
        assert_eq!(settings.uploads.formats, ["pdf", "docx"]);
        assert_eq!(settings.answer.business_name, "42");
        assert_eq!(settings.routing.examples["handoff"], ["a person"]);
        assert!(set(&["uploads.formats="]).unwrap().uploads.formats.is_empty());
        assert!(lines(&settings).contains(&"chunking.target_tokens = 220".to_owned()));
    }

    #[test]
    fn a_change_that_cannot_be_says_what_can() {
        for (change, words) in [
            (
                "chunking.target=1",
                "`chunking.target` is no setting; here are target_tokens",
            ),
            (
                "chunking.target_tokens=many",
                "`chunking.target_tokens` cannot be used",
            ),
            ("chunking.target_tokens", "write KEY=VALUE"),
            (
                "answer.max_chars.more=1",
                "there is no setting answer.max_chars.more",
            ),
            ("answer.max_sentences=0", "it must be 1 to 20"),
        ] {
            let error = set(&[change]).unwrap_err().join("; ");
            assert!(error.contains(words), "{change}: {error}");
        }
    }
}
