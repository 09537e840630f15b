//! `plumbline settings`: the versioned settings of a tenant.

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use plumbline_store::{Settings, Store};
use serde_json::Value;

use crate::app::open_database;
use crate::config::CommonArgs;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Show the settings of --tenant that are in force
    Show {
        /// As JSON, as the API takes it
        #[arg(long)]
        json: bool,
    },
    /// Change settings; the change is a new version
    Set {
        /// For instance `chunking.target_tokens=220 extraction.ocr=true uploads.formats=pdf,docx`
        #[arg(required = true, value_name = "KEY=VALUE")]
        changes: Vec<String>,
        /// Why
        #[arg(long, default_value = "plumbline settings set", value_name = "TEXT")]
        note: String,
    },
    /// List the stored versions
    History,
    /// Put a stored version into force again
    Activate {
        /// Its number, see `history`
        version: i64,
    },
}

pub(crate) async fn run(common: &CommonArgs, command: SettingsCommand) -> anyhow::Result<ExitCode> {
    let (url, _postgres) = open_database(common).await?;
    let store = Store::connect(&url, 2).await?;
    let mut tx = store.system().await?;
    let tenant = tx.ensure_tenant(&common.tenant, &common.tenant).await?.id;
    tx.commit().await?;
    let mut tx = store.tenant(tenant).await?;
    let said = match command {
        SettingsCommand::Show { json: true } => serde_json::to_string_pretty(&tx.settings().await?.settings)?,
        SettingsCommand::Show { json: false } => {
            let live = tx.settings().await?;
            format!("# version {}\n{}", live.version, lines(&live.settings).join("\n"))
        }
        SettingsCommand::Set { changes, note } => {
            let live = tx.settings().await?;
            let settings = changed(&live.settings, &changes)?;
            match tx
                .replace_or_stage_settings(live.version, &settings, &note)
                .await?
            {
                (version, None) => {
                    format!(
                        "version {version} is in force; documents built before keep what they were built with"
                    )
                }
                (version, Some(run)) => format!(
                    "version {version} waits for eval run {run}: it is put into force when the golden set passes"
                ),
            }
        }
        SettingsCommand::History => {
            let history = tx.settings_history(200).await?;
            let line = |entry: &plumbline_store::SettingsEntry| {
                let made = entry.created_at.format("%Y-%m-%d %H:%M");
                let mark = if entry.live { "*" } else { " " };
                format!("{mark} {:>5}  {made}  {}", entry.version, entry.note)
            };
            history.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        SettingsCommand::Activate { version } => {
            tx.activate_settings(version).await?;
            format!("version {version} is in force")
        }
    };
    tx.commit().await?;
    println!("{said}");
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// `key = value` of every setting.
fn lines(settings: &Settings) -> Vec<String> {
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
fn changed(settings: &Settings, changes: &[String]) -> anyhow::Result<Settings> {
    let mut body = settings.to_json();
    for change in changes {
        let Some((key, value)) = change.split_once('=') else {
            bail!("{change:?} is no change: write KEY=VALUE, as chunking.target_tokens=220");
        };
        let (key, value) = (key.trim(), value.trim());
        let mut place = &mut body;
        for name in key.split('.') {
            let Value::Object(fields) = place else {
                bail!("there is no setting {key}; see `plumbline settings show`");
            };
            // a name that does not exist is refused below, with the names that do
            place = fields.entry(name).or_insert(Value::Null);
        }
        *place = parsed(value, place);
    }
    Settings::from_json(&body).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("nothing was changed: {}", problems.join("; "))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn set(changes: &[&str]) -> anyhow::Result<Settings> {
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
            let error = set(&[change]).unwrap_err().to_string();
            assert!(error.contains(words), "{change}: {error}");
        }
    }
}
