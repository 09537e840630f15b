//! The files of a run: `report.json` for machines and for `diff`, beside it the same for people and test runners.

use std::path::Path;

use serde::Deserialize;

use super::{Report, SCHEMA_VERSION};
use crate::error::EvalError;

/// Writes `report.json`, `report.md`, `report.xml` and `report.html` into `dir`; `before` is the run to compare with.
pub fn write(dir: &Path, report: &Report, before: Option<&Report>) -> Result<(), EvalError> {
    let failed = |path: &Path, error: &dyn std::fmt::Display| {
        EvalError::Infra(format!("{}: cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    let text = serde_json::to_string_pretty(report).map_err(|error| failed(dir, &error))?;
    for (name, text) in [
        ("report.json", text + "\n"),
        ("report.md", super::markdown::render(report, before)),
        ("report.xml", super::junit::render(report)?),
        ("report.html", super::html::render(report, before)?),
    ] {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

/// Reads a report: the file itself or the directory that holds it.
pub fn read(path: &Path) -> Result<Report, EvalError> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let file = if path.is_dir() {
        path.join("report.json")
    } else {
        path.to_owned()
    };
    let text = std::fs::read_to_string(&file).map_err(|error| EvalError::unreadable(&file, &error))?;
    let version: Version = serde_json::from_str(&text)
        .map_err(|error| EvalError::unreadable(&file, &format!("no report: {error}")))?;
    if version.schema_version != SCHEMA_VERSION {
        let message = format!(
            "{}: has schema version {}, this program reads {SCHEMA_VERSION}; run the eval again",
            file.display(),
            version.schema_version
        );
        return Err(EvalError::Usage(message));
    }
    serde_json::from_str(&text).map_err(|error| EvalError::unreadable(&file, &error))
}
