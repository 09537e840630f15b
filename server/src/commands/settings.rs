//! `plumbline settings`: the versioned settings of a tenant.

use std::process::ExitCode;

use clap::Subcommand;
use plumbline_store::Store;

use crate::app::open_database;
use crate::changes::{changed, lines};
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
            let settings = changed(&live.settings, &changes)
                .map_err(|problems| anyhow::anyhow!("nothing was changed: {}", problems.join("; ")))?;
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
