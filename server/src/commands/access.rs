//! `plumbline access`: API keys and sign-ins.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use plumbline_store::Store;

use crate::app::open_database;
use crate::config::CommonArgs;
use crate::password;

/// Shortest password accepted.
const SHORTEST_PASSWORD: usize = 10;

/// What to make.
#[derive(Debug, Subcommand)]
pub(crate) enum Access {
    /// Make an API key for --tenant and print it; it is shown this once
    CreateKey {
        /// What it is for
        #[arg(long, default_value = "api")]
        name: String,
    },
    /// Create a sign-in for --tenant or give it a new password, read from standard input
    SetPassword {
        /// E-mail address
        #[arg(long)]
        email: String,
    },
}

pub(crate) async fn run(common: &CommonArgs, access: Access) -> anyhow::Result<ExitCode> {
    let password = match &access {
        Access::SetPassword { .. } => Some(read_password()?),
        Access::CreateKey { .. } => None,
    };
    let (url, _postgres) = open_database(common).await?;
    let store = Store::connect(&url, 2).await?;
    let mut tx = store.system().await?;
    let tenant = tx.ensure_tenant(&common.tenant, &common.tenant).await?;
    match (access, password) {
        (Access::CreateKey { name }, _) => {
            let key = tx.create_api_key(tenant.id, &name).await?;
            tx.commit().await?;
            println!("{}", key.expose());
        }
        (Access::SetPassword { email }, Some(password)) => {
            tx.put_admin(
                tenant.id,
                &email,
                &password::hash(&password)
                    .map_err(|error| anyhow::anyhow!("the password cannot be hashed: {error}"))?,
            )
            .await?;
            tx.commit().await?;
            println!("{email} can sign in to {}", tenant.slug);
        }
        (Access::SetPassword { .. }, None) => bail!("no password was read"),
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
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
