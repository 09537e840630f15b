//! The settings that a search found, as a file: only the knobs that were turned, and where they come from.

use std::fmt::Write as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ablation::{self, Row};
use super::{Step, Tuned};
use crate::code;
use crate::error::EvalError;
use crate::golden::load::Golden;
use crate::golden::pin::sha256_hex;

/// Where tuned settings come from. Settings without it cannot be trusted, and with it they can be made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Counts up with every search that overwrites the file.
    pub version: u32,
    /// When it was searched.
    pub date: String,
    /// Hash of the cases.
    pub dataset_sha256: String,
    /// Hash of the documents.
    pub corpus_manifest_sha256: String,
    /// Hash of the sources of the answerer.
    pub code: String,
    /// Which side of the split was asked: always `dev`.
    pub split: String,
    /// Cases asked.
    pub cases: usize,
}

impl Provenance {
    /// Of a search that ends now and overwrites `path`.
    pub fn new(golden: &Golden, cases: usize, now: DateTime<Utc>, path: &Path) -> Self {
        let earlier = std::fs::read_to_string(path).ok().and_then(|text| read(&text));
        Self {
            version: earlier.map_or(1, |earlier| earlier.version + 1),
            date: now.format("%Y-%m-%d").to_string(),
            dataset_sha256: dataset(golden),
            corpus_manifest_sha256: golden.manifest.clone(),
            code: code::REPLY.to_owned(),
            split: "dev".to_owned(),
            cases,
        }
    }
}

/// The provenance in a settings file, if it has one.
fn read(text: &str) -> Option<Provenance> {
    let table: toml::Table = toml::from_str(text).ok()?;
    table.get("provenance")?.clone().try_into().ok()
}

/// Hash over all cases, whatever files they stand in.
fn dataset(golden: &Golden) -> String {
    let mut lines: Vec<String> = golden
        .cases
        .iter()
        .filter_map(|located| serde_json::to_string(&located.case).ok())
        .collect();
    lines.sort();
    sha256_hex(lines.join("\n").as_bytes())
}

/// The settings file, in TOML.
///
/// # Errors
/// [`EvalError::Infra`] when a part cannot be written down.
pub fn settings(tuned: &Tuned, provenance: &Provenance) -> Result<String, EvalError> {
    let mut tables = toml::Table::new();
    for (path, value) in &tuned.values {
        let mut table = &mut tables;
        let mut names: Vec<&str> = path.split('.').collect();
        let field = names.pop().unwrap_or_default();
        for name in names {
            let inner = table
                .entry(name)
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            table = match inner {
                toml::Value::Table(inner) => inner,
                _ => return Err(EvalError::Infra(format!("`{path}` is a value and a table"))),
            };
        }
        table.insert(field.to_owned(), toml::Value::Float(*value));
    }
    let failed =
        |error: toml::ser::Error| EvalError::Infra(format!("the settings cannot be written: {error}"));
    if let Some(toml::Value::Table(retrieval)) = tables.get_mut("retrieval") {
        let fusion = toml::Value::try_from(tuned.settings.retrieval.fusion).map_err(failed)?;
        retrieval.insert("fusion".to_owned(), fusion);
    }
    let mut all = toml::Table::new();
    all.insert(
        "provenance".to_owned(),
        toml::Value::try_from(provenance).map_err(failed)?,
    );
    all.extend(tables);
    let text = toml::to_string(&all).map_err(failed)?;
    Ok(format!(
        "# Found by `plumbline-eval tune` on the dev split. Try it with: plumbline-eval run --settings FILE --split test\n\n{text}"
    ))
}

/// What was tried and what each leg is worth, in Markdown.
pub fn report(tuned: &Tuned, provenance: &Provenance, rows: &[Row]) -> String {
    let mut out = format!(
        "# Tuned settings, version {}\n\n{}, dev split, {} cases, corpus `{}`, dataset `{}`.\n\n## Ablation\n\n{}\n## Tried\n\n",
        provenance.version,
        provenance.date,
        provenance.cases,
        provenance.corpus_manifest_sha256.get(..12).unwrap_or_default(),
        provenance.dataset_sha256.get(..12).unwrap_or_default(),
        ablation::table(rows)
    );
    out.push_str("| fusion | setting | value | objective | |\n|---|---|---|---|---|\n");
    for Step {
        fusion,
        path,
        value,
        score,
        kept,
    } in &tuned.steps
    {
        let mark = if *kept { "**kept**" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| {fusion:?} | {path} | {value} | {score:.4} | {mark} |");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_store::{Fusion, Settings};

    fn tuned_to(fusion: Fusion) -> Settings {
        let mut settings = Settings::default();
        settings.retrieval.fusion = fusion;
        settings
    }

    #[test]
    fn a_tuned_file_is_a_settings_file_with_its_provenance() {
        let tuned = Tuned {
            settings: tuned_to(Fusion::Rrf),
            values: vec![
                ("retrieval.lexical_weight".into(), 0.6),
                ("answer.min_confidence".into(), 0.45),
            ],
            steps: Vec::new(),
        };
        let provenance = Provenance {
            version: 3,
            date: "2026-01-02".into(),
            dataset_sha256: "d".into(),
            corpus_manifest_sha256: "c".into(),
            code: "x".into(),
            split: "dev".into(),
            cases: 7,
        };
        let text = settings(&tuned, &provenance).unwrap();
        assert_eq!(read(&text), Some(provenance));
        let settings = crate::settings::parse(&text).unwrap();
        assert_eq!(settings.retrieval.fusion, Fusion::Rrf);
        assert!((settings.retrieval.lexical_weight - 0.6).abs() < 1e-6);
        assert!((settings.answer.min_confidence - 0.45).abs() < 1e-6);
        assert_eq!(settings.retrieval.top_k, Settings::default().retrieval.top_k);
    }
}
