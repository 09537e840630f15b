//! `plumbline grow`: drafts of golden cases out of what went wrong with customers.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, Days, NaiveDate, Utc};
use clap::Args;
use plumbline_store::{DraftReason, DraftState, Store};
use uuid::Uuid;

use crate::app::open_database;
use crate::config::CommonArgs;
use crate::grow::{self, Growth, KnownQuestions, Scan};
use crate::pages::words;

/// Days looked back without `--since`.
const DAYS: u64 = 30;

#[derive(Debug, Args)]
pub(crate) struct GrowArgs {
    /// Look at answers from this day on [default: 30 days ago]
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<NaiveDate>,
    /// Count an answer as doubtful below this confidence [default: 0.1 above the one it takes to answer]
    #[arg(long, value_name = "0..1")]
    below: Option<f32>,
    /// Leave out questions that this golden set asks already
    #[arg(long, value_name = "DIR")]
    golden: Option<PathBuf>,
    /// Write the drafts that wait to this new file, as lines for a golden set
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

pub(crate) async fn run(common: &CommonArgs, args: &GrowArgs) -> anyhow::Result<ExitCode> {
    let scan = Scan {
        since: since(args.since, words::now()),
        below: args.below,
        known: match &args.golden {
            Some(folder) => KnownQuestions::read(folder)?,
            None => KnownQuestions::default(),
        },
    };
    let (url, _postgres) = open_database(common).await?;
    let store = Store::connect(&url, 2).await?;
    let mut tx = store.system().await?;
    let tenant = tx.tenant_by_slug(&common.tenant).await?;
    tx.commit().await?;
    let tenant = tenant
        .with_context(|| format!("there is no tenant {}", common.tenant))?
        .id;
    let growth = grow::scan(&store, tenant, &scan).await?;
    println!("{}", told(&growth, scan.since));
    if let Some(file) = &args.export {
        let written = export(&store, tenant, file).await?;
        println!(
            "{} written to {}; label them before they join a golden set",
            words::count(i64::try_from(written).unwrap_or(i64::MAX), "draft", "drafts"),
            file.display()
        );
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn since(day: Option<NaiveDate>, now: DateTime<Utc>) -> DateTime<Utc> {
    let day = day.or_else(|| now.date_naive().checked_sub_days(Days::new(DAYS)));
    day.map_or(now, |day| day.and_time(chrono::NaiveTime::MIN).and_utc())
}

fn told(growth: &Growth, since: DateTime<Utc>) -> String {
    let found: usize = growth.found.values().sum();
    let parts: Vec<String> = growth
        .found
        .iter()
        .map(|(reason, count)| format!("{count} {}", name(*reason)))
        .collect();
    let parts = if parts.is_empty() {
        String::new()
    } else {
        format!(" ({})", parts.join(", "))
    };
    format!(
        "{found} answers since {} went wrong{parts}\n{} new drafts, {} drafted before, {} in the golden set",
        since.format("%Y-%m-%d"),
        growth.fresh,
        growth.drafted,
        growth.in_golden
    )
}

fn name(reason: DraftReason) -> &'static str {
    match reason {
        DraftReason::ThumbsDown => "disliked",
        DraftReason::Handoff => "handed over",
        DraftReason::Abstained => "not answered",
        DraftReason::LowConfidence => "of low confidence",
        DraftReason::Chosen => "chosen",
    }
}

/// Writes the drafts to a new file; they count as exported only when it is safely written.
async fn export(store: &Store, tenant: Uuid, file: &Path) -> anyhow::Result<usize> {
    let mut tx = store.tenant(tenant).await?;
    let drafts = tx.export_golden_drafts(DraftState::Draft).await?;
    let lines = grow::case_lines(&drafts);
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let mut target = std::fs::File::create_new(file).with_context(|| {
        format!(
            "{} cannot be made; name a file that is not there yet",
            file.display()
        )
    })?;
    target
        .write_all(lines.as_bytes())
        .and_then(|()| target.sync_all())
        .with_context(|| format!("{} could not be written", file.display()))?;
    tx.commit().await?;
    Ok(drafts.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn without_a_day_it_looks_back_a_month() {
        let now = Utc.with_ymd_and_hms(2026, 11, 20, 16, 0, 0).unwrap();
        assert_eq!(since(None, now).to_rfc3339(), "2026-10-21T00:00:00+00:00");
        let day = NaiveDate::from_ymd_opt(2026, 11, 1);
        assert_eq!(since(day, now).to_rfc3339(), "2026-11-01T00:00:00+00:00");
    }

    #[test]
    fn what_was_found_is_told_by_reason() {
        let growth = Growth {
            found: [(DraftReason::Abstained, 3), (DraftReason::ThumbsDown, 1)].into(),
            fresh: 2,
            drafted: 1,
            in_golden: 1,
        };
        assert_eq!(
            told(&growth, DateTime::UNIX_EPOCH),
            "4 answers since 1970-01-01 went wrong (1 disliked, 3 not answered)\n\
             2 new drafts, 1 drafted before, 1 in the golden set"
        );
    }
}
