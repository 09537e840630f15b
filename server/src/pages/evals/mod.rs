//! Runs of the eval: their history, one of them, two of them side by side.

pub mod cases;
pub mod compare;
pub mod figures;
pub mod history;
pub mod report;
pub mod run;
#[cfg(test)]
mod tests;
pub mod trend;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use plumbline_store::{DraftState, EvalState, JudgedRun, TenantTx};
use serde::Deserialize;
use uuid::Uuid;

use cases::Asked;
use compare::{ComparePage, CompareView, Judged};
use history::{EvalsPage, EvalsPart, History, PER_PAGE, compare_href};
use report::Report;
use run::{EvalPage, RunView};

use super::layout::{Notice, Tab};
use super::session::SignedIn;
use super::trouble::Trouble;
use super::{wants_part, words};
use crate::app::App;

/// Runs of a trend.
const TREND: i64 = 30;

/// Runs to choose from for a comparison.
const CHOICES: i64 = 50;

/// Which runs to list.
#[derive(Debug, Default, Deserialize)]
pub struct Listed {
    page: Option<i64>,
}

/// `GET /evals`
pub async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(listed): Query<Listed>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let page = listed.page.unwrap_or(1).clamp(1, 1_000_000);
    let mut tx = app.store.tenant(who.tenant.id).await?;
    // one more than is shown: the last line is compared with it
    let runs = tx.judged_runs(PER_PAGE + 1, (page - 1) * PER_PAGE).await?;
    let total = tx.count_eval_runs().await?;
    let trend = tx.eval_trend(TREND).await?;
    let drafts = tx.count_golden_drafts(DraftState::Draft).await?;
    tx.commit().await?;
    let view = History::new(&history::Material {
        runs: &runs,
        total,
        page,
        trend: &trend,
        drafts,
        now: words::now(),
    });
    let body = if wants_part(&headers) {
        EvalsPart { view }.render()?
    } else {
        let (shell, notices) = (who.shell(Tab::Evals), Vec::new());
        EvalsPage { shell, notices, view }.render()?
    };
    Ok(([(header::VARY, "HX-Request")], Html(body)).into_response())
}

/// Which cases of a run to show, and what was just done.
#[derive(Debug, Default, Deserialize)]
pub struct Shown {
    #[serde(default)]
    show: String,
    slice: Option<String>,
    page: Option<usize>,
    done: Option<String>,
}

fn notices(done: Option<&str>) -> Vec<Notice> {
    let text = match done {
        Some("activated") => "Done. These settings are in force from now on.",
        Some("again") => "The golden set is asked again. This page shows the new run.",
        _ => return Vec::new(),
    };
    vec![Notice {
        tone: "ok",
        text: text.to_owned(),
        to_do: String::new(),
    }]
}

/// The report of a run; none when it has none or one of another layout.
async fn report_of(tx: &mut TenantTx, run: Uuid) -> Result<Option<Report>, Trouble> {
    let Some(report) = tx.eval_report(run).await? else {
        return Ok(None);
    };
    // some megabytes: off the threads that serve requests
    let read = tokio::task::spawn_blocking(move || Report::read(report)).await;
    read.map_err(|error| {
        tracing::error!(%run, %error, "pages.report.unreadable");
        Trouble::Internal
    })
}

/// `GET /evals/{id}`
pub async fn show(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    Query(shown): Query<Shown>,
) -> Result<Html<String>, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let run = tx.judged_run(id).await?;
    let unproven = match run.run.version_id {
        Some(version) if !run.live => tx.unproven(version).await?,
        _ => None,
    };
    let version_before = match run.document_id {
        Some(document) => tx.version_before_live(document).await?,
        None => None,
    };
    let settings_before = tx.settings_before_live().await?;
    let compare = match &run.made_on {
        Some(_) => before(&tx.reported_runs(CHOICES).await?, id),
        None => None,
    };
    let report = report_of(&mut tx, id).await?;
    tx.commit().await?;
    let view = RunView::new(&run::Material {
        run: &run,
        report: report.as_ref(),
        unproven: unproven.as_deref(),
        version_before,
        settings_before,
        compare_href: compare.map(|before| compare_href(before, id)),
        asked: &Asked {
            show: shown.show,
            slice: shown.slice.filter(|slice| !slice.is_empty()),
            page: shown.page.unwrap_or(1),
        },
    });
    let (shell, notices) = (who.shell(Tab::Evals), notices(shown.done.as_deref()));
    Ok(Html(EvalPage { shell, notices, view }.render()?))
}

/// The run before `id` among `runs`, which are newest first.
fn before(runs: &[JudgedRun], id: Uuid) -> Option<Uuid> {
    let mut older = runs.iter().skip_while(|run| run.run.id != id).skip(1);
    older.next().map(|run| run.run.id)
}

/// `GET /evals/{id}/report.json`
pub async fn report(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<Response, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let report = tx.eval_report(id).await?;
    tx.commit().await?;
    let report = report.ok_or(Trouble::Missing("report of an eval run"))?;
    let name = format!("attachment; filename=\"report-{id}.json\"");
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, report.to_string()).into_response())
}

/// Which runs to compare.
#[derive(Debug, Default, Deserialize)]
pub struct Compared {
    a: Option<Uuid>,
    b: Option<Uuid>,
}

/// `GET /evals/compare`
pub async fn compare(
    State(app): State<App>,
    who: SignedIn,
    Query(asked): Query<Compared>,
) -> Result<Html<String>, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let mut runs = tx.reported_runs(CHOICES).await?;
    let after = asked.b.or(runs.first().map(|run| run.run.id));
    let earlier = asked.a.or(after.and_then(|after| before(&runs, after)));
    let mut sides = Vec::new();
    for id in [earlier, after].into_iter().flatten() {
        let run = tx.judged_run(id).await?;
        if !runs.iter().any(|known| known.run.id == id) && run.made_on.is_some() {
            runs.push(run.clone()); // older than those to choose from
        }
        let report = report_of(&mut tx, id).await?;
        let report = report.ok_or(Trouble::Missing("readable report of that eval run"))?;
        sides.push((run, report));
    }
    tx.commit().await?;
    let judged = |(run, report)| Judged { run, report };
    let compared = match sides.as_slice() {
        [(a, old), (b, new)] => Some((judged((a, old)), judged((b, new)))),
        _ => None,
    };
    let view = CompareView::new(&runs, compared);
    let shell = who.shell(Tab::Evals);
    Ok(Html(ComparePage { shell, view }.render()?))
}

/// `POST /evals/{id}/again`: judges once more what the run judged.
pub async fn again(State(app): State<App>, who: SignedIn, Path(id): Path<Uuid>) -> Result<Redirect, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let run = tx.eval_run(id).await?;
    let next = match (run.version_id, run.settings_version) {
        (Some(version), _) => {
            let newest = tx.runs_of_versions(&[version]).await?.pop();
            let pending = newest.filter(|run| matches!(run.state, EvalState::Queued | EvalState::Running));
            match pending {
                Some(run) => run.id,
                None => tx.gate_version(version).await?,
            }
        }
        (None, Some(settings)) => tx.gate_settings(settings).await?,
        (None, None) => {
            return Err(Trouble::Conflict(
                "this run was made elsewhere and only recorded here; run it again there".to_owned(),
            ));
        }
    };
    tx.commit().await?;
    tracing::info!(run = %next, admin = %who.admin.id, "gate.run.asked");
    Ok(Redirect::to(&format!("/evals/{next}?done=again")))
}

/// Settings to put into force.
#[derive(Debug, Deserialize)]
pub struct Activated {
    settings: i64,
}

/// `POST /evals/{id}/activate`: puts settings into force, those that waited or those to go back to.
pub async fn activate(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    Form(chosen): Form<Activated>,
) -> Result<Redirect, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    tx.activate_settings(chosen.settings).await?;
    tx.commit().await?;
    tracing::info!(settings = chosen.settings, admin = %who.admin.id, "settings.activated");
    Ok(Redirect::to(&format!("/evals/{id}?done=activated")))
}
