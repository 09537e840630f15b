//! `plumbline migrate`.

use std::process::ExitCode;

use crate::app::open_database;
use crate::config::CommonArgs;

pub(crate) async fn run(common: &CommonArgs) -> anyhow::Result<ExitCode> {
    let (_, postgres) = open_database(common).await?;
    let place = if postgres.is_some() {
        "the private PostgreSQL"
    } else {
        "DATABASE_URL"
    };
    println!("the database ({place}) is up to date");
    Ok(ExitCode::SUCCESS)
}
