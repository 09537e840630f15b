//! Traces: what questions looked at, found again, one of them from the question to the reply, and asked again.

pub mod candidates;
pub mod difference;
pub mod list;
#[cfg(test)]
mod tests;
pub mod view;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use plumbline_store::{DraftState, StoreError, StoredTrace, TenantTx};
use serde::Deserialize;
use uuid::Uuid;

use difference::Side;
use list::{TracesPage, TracesPart, TracesView};
use view::{Golden, Material, TracePage, TraceView};

use super::layout::{Notice, Tab};
use super::session::SignedIn;
use super::trouble::Trouble;
use super::{wants_part, words};
use crate::app::App;
use crate::traces::{self as kept, Against, ReplayError, TraceQuery, TraceRecord};

/// Traces on one page.
const PER_PAGE: usize = 50;

/// `GET /traces`
pub async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(asked): Query<TraceQuery>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let read = asked.read();
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let sampling = tx.settings().await?.settings.traces;
    let mut rows = match &read {
        // one more than is shown says whether there are more
        Ok((filter, _)) => {
            tx.traces(filter, i64::try_from(PER_PAGE + 1).unwrap_or(i64::MAX))
                .await?
        }
        Err(_) => Vec::new(),
    };
    tx.commit().await?;
    let more = rows.len() > PER_PAGE;
    rows.truncate(PER_PAGE);
    let view = TracesView::new(&list::Material {
        asked: &asked,
        problem: read.err(),
        rows: &rows,
        more,
        sampling,
        now: words::now(),
    });
    let body = if wants_part(&headers) {
        TracesPart { view }.render()?
    } else {
        let shell = who.shell(Tab::Traces);
        TracesPage { shell, view }.render()?
    };
    Ok(([(header::VARY, "HX-Request")], Html(body)).into_response())
}

/// What was just done.
#[derive(Debug, Default, Deserialize)]
pub struct Shown {
    done: Option<String>,
    problem: Option<String>,
}

fn notices(shown: &Shown, view: &TraceRecord) -> Vec<Notice> {
    let notice = |tone, text: &str, to_do: &str| Notice {
        tone,
        text: text.to_owned(),
        to_do: to_do.to_owned(),
    };
    let missing = view.replay.map_or(0, |replay| replay.missing);
    let mut notices = Vec::new();
    if shown.done.as_deref() == Some("replayed") {
        notices.push(notice(
            "ok",
            "Asked again. This is the new trace; what differs is shown first.",
            "",
        ));
    }
    if missing > 0 {
        let words = words::count(i64::try_from(missing).unwrap_or(i64::MAX), "version", "versions");
        notices.push(notice(
            "warn",
            &format!("{words} that answered then cannot be searched any more."),
            "Their documents were deleted since; what was deleted is never searched again.",
        ));
    }
    match shown.problem.as_deref() {
        Some("not-kept") => notices.push(notice(
            "warn",
            "What was live when this was asked was not kept, so it cannot be asked again as it was then.",
            "Ask it again now instead.",
        )),
        Some("unanswered") => notices.push(notice(
            "bad",
            "It could not be asked again: a part that the answer needs is down, or its embedding model is not here any more.",
            "The cause is in the server's log.",
        )),
        _ => {}
    }
    notices
}

/// The record of a trace, if this program can read it.
pub(super) fn record(trace: &StoredTrace) -> Option<TraceRecord> {
    TraceRecord::read(trace)
        .inspect_err(|error| tracing::error!(trace = %trace.row.id, %error, "pages.trace.unreadable"))
        .ok()
}

/// Whether the answer of a trace is stored, and whether it became a golden case.
pub(super) async fn golden(tx: &mut TenantTx, id: Uuid) -> Result<Golden, StoreError> {
    match tx.answer(id).await {
        Ok(_) => {}
        Err(StoreError::NotFound { .. }) => return Ok(Golden::NotStored),
        Err(error) => return Err(error),
    }
    let draft = tx.draft_of_answer(id).await?;
    Ok(match draft.filter(|draft| draft.state != DraftState::Dismissed) {
        Some(draft) => Golden::Draft(draft.id),
        None => Golden::Offered,
    })
}

/// `GET /traces/{id}`
pub async fn show(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    Query(shown): Query<Shown>,
) -> Result<Html<String>, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let trace = tx.trace(id).await?;
    let record = record(&trace).ok_or_else(|| {
        Trouble::Conflict(
            "another version of the program wrote this trace, and this one cannot read it".to_owned(),
        )
    })?;
    let golden = golden(&mut tx, id).await?;
    let live = tx.settings().await?;
    let before = match record.replay {
        Some(replay) => match tx.trace(replay.trace).await {
            Ok(before) => Some(before),
            Err(StoreError::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        },
        None => None,
    };
    tx.commit().await?;
    let first = before
        .as_ref()
        .and_then(|before| Some((before, self::record(before)?)));
    let first = first.as_ref().map(|(before, record)| Side {
        row: &before.row,
        record,
    });
    let view = TraceView::new(&Material {
        row: &trace.row,
        record: &record,
        golden,
        live: &live,
        first,
    });
    let (shell, notices) = (who.shell(Tab::Traces), notices(&shown, &record));
    Ok(Html(TracePage { shell, notices, view }.render()?))
}

/// What a trace is asked again on.
#[derive(Debug, Deserialize)]
pub struct Wish {
    against: Against,
}

/// `POST /traces/{id}/replay`
pub async fn replay(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
    Form(wish): Form<Wish>,
) -> Result<Redirect, Trouble> {
    let problem = |problem: &str| Ok(Redirect::to(&format!("/traces/{id}?problem={problem}")));
    match kept::replay(&app, who.tenant.id, id, wish.against, None).await {
        Ok(replayed) => match replayed.trace_id {
            Some(new) => Ok(Redirect::to(&format!("/traces/{new}?done=replayed"))),
            None => Err(Trouble::Internal),
        },
        Err(ReplayError::NotKept | ReplayError::NothingSearched) => problem("not-kept"),
        Err(ReplayError::Store(error)) => Err(error.into()),
        Err(error) => {
            tracing::error!(trace = %id, error = crate::http::error::chain(&error), "pages.replay.failed");
            problem("unanswered")
        }
    }
}
