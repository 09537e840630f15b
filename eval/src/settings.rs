//! A settings file for the in-process target: the same fields as the tenant's settings row, in TOML.
//!
//! Fields left out take the defaults. Fields that do not exist are refused: a misspelt weight would
//! otherwise be measured as the default. A table `provenance`, which `tune` writes, is for people.

use std::path::Path;

use plumbline_store::Settings;
use serde_json::Value;

use crate::error::EvalError;

/// Reads a settings file.
pub fn read(path: &Path) -> Result<Settings, EvalError> {
    let text = std::fs::read_to_string(path).map_err(|error| EvalError::unreadable(path, &error))?;
    parse(&text).map_err(|message| EvalError::Usage(format!("{}: {message}", path.display())))
}

pub(crate) fn parse(text: &str) -> Result<Settings, String> {
    let mut given: Value = toml::from_str(text).map_err(|error| error.to_string())?;
    if let Some(tables) = given.as_object_mut() {
        tables.shift_remove("provenance");
    }
    let settings: Settings = serde_json::from_value(given.clone()).map_err(|error| error.to_string())?;
    let known = serde_json::to_value(&settings).map_err(|error| error.to_string())?;
    match unknown(&given, &known) {
        Some(field) => Err(format!("unknown setting `{field}`")),
        None => Ok(settings),
    }
}

/// The first field of `given` that `known` does not have.
fn unknown(given: &Value, known: &Value) -> Option<String> {
    let (given, known) = (given.as_object()?, known.as_object()?);
    given.iter().find_map(|(name, value)| match known.get(name) {
        None => Some(name.clone()),
        Some(known) => unknown(value, known).map(|inner| format!("{name}.{inner}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_can_be_switched_off() {
        let settings = parse("[retrieval]\nvector = false").unwrap();
        assert!(!settings.retrieval.vector && settings.retrieval.lexical);
        assert_eq!(parse("").unwrap(), Settings::default());
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        assert_eq!(
            parse("[retrieval]\nvektor = false").unwrap_err(),
            "unknown setting `retrieval.vektor`"
        );
        assert!(parse("[retrieval]\nvector = 1").is_err());
    }
}
