//! `plumbline access`: API keys and sign-ins.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use plumbline_store::{ApiKey, Store};
use uuid::Uuid;

use super::stop::promptly;
use crate::app::open_database;
use crate::config::CommonArgs;
use crate::password;

/// Shortest password accepted.
const SHORTEST_PASSWORD: usize = 10;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Access {
    /// Make an API key for --tenant and print it; it is shown this once
    CreateKey {
        /// What it is for
        #[arg(long, default_value = "api")]
        name: String,
    },
    /// List the API keys of --tenant: id, when made, state, name
    ListKeys,
    /// Refuse an API key of --tenant from now on
    RevokeKey {
        /// Its id, see `list-keys`
        id: Uuid,
    },
    /// Create a sign-in for --tenant or give it a new password, read from standard input; who is signed in with the old
    /// password is signed out
    SetPassword {
        /// E-mail address
        #[arg(long)]
        email: String,
    },
}

pub(crate) async fn run(common: &CommonArgs, access: Access) -> anyhow::Result<ExitCode> {
    // read before signals are taken over: at a prompt Ctrl-C just ends the program
    let password_hash = match &access {
        Access::SetPassword { .. } => Some(hash(&read_password()?)?),
        _ => None,
    };
    promptly(change(common, access, password_hash)).await
}

async fn change(
    common: &CommonArgs,
    access: Access,
    password_hash: Option<String>,
) -> anyhow::Result<ExitCode> {
    let (url, _postgres) = open_database(common).await?;
    let store = Store::connect(&url, 2).await?;
    let mut tx = store.system().await?;
    let tenant = tx.ensure_tenant(&common.tenant, &common.tenant).await?;
    let mut said = Vec::new();
    match access {
        Access::CreateKey { name } => {
            said.push(tx.create_api_key(tenant.id, &name).await?.expose().to_owned());
        }
        Access::ListKeys => said.extend(tx.api_keys(tenant.id).await?.iter().map(line)),
        Access::RevokeKey { id } => {
            tx.revoke_api_key(tenant.id, id).await?;
            said.push(format!("{id} is refused from now on"));
        }
        Access::SetPassword { email } => {
            let password_hash = password_hash.context("no password was read")?;
            tx.put_admin(tenant.id, &email, &password_hash).await?;
            said.push(format!("{email} can sign in to {}", tenant.slug));
        }
    }
    tx.commit().await?;
    for line in said {
        println!("{line}");
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn line(key: &ApiKey) -> String {
    let state = match key.revoked_at {
        Some(at) => format!("revoked {}", at.format("%Y-%m-%d")),
        None => "valid".to_owned(),
    };
    let made = key.created_at.format("%Y-%m-%d %H:%M");
    format!("{}  {made}  {state:<18}  {}", key.id, key.name)
}

fn hash(password: &str) -> anyhow::Result<String> {
    password::hash(password).map_err(|error| anyhow::anyhow!("the password cannot be hashed: {error}"))
}

fn read_password() -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprintln!("New password (it will be visible), then Enter:");
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\n', '\r']).to_owned();
    if password.chars().count() < SHORTEST_PASSWORD {
        bail!("the password needs at least {SHORTEST_PASSWORD} characters; give it on standard input");
    }
    Ok(password)
}
