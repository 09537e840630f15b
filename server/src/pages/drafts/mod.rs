//! Drafts of golden cases: what customers asked that a person may want in the golden set.

pub mod view;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect, Response};
use plumbline_store::DraftState;
use serde::Deserialize;
use uuid::Uuid;

use view::{DraftsPage, DraftsView, Material, PER_PAGE};

use super::layout::{Notice, Tab};
use super::session::SignedIn;
use super::trouble::Trouble;
use super::words;
use crate::app::App;
use crate::grow;

/// Which drafts to list, and what was just done.
#[derive(Debug, Default, Deserialize)]
pub struct Listed {
    #[serde(default)]
    state: String,
    page: Option<i64>,
    done: Option<String>,
}

fn notices(done: Option<&str>) -> Vec<Notice> {
    let text = match done {
        Some("made") => "Saved as a draft, without names, numbers and addresses.",
        Some("known") => "There was a draft of this question already.",
        Some("dismissed") => "Dismissed. The same question does not come back by itself.",
        Some("restored") => "It is a draft again.",
        _ => return Vec::new(),
    };
    vec![Notice {
        tone: "ok",
        text: text.to_owned(),
        to_do: String::new(),
    }]
}

/// `GET /evals/drafts`
pub async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(listed): Query<Listed>,
) -> Result<Html<String>, Trouble> {
    let state = match listed.state.as_str() {
        "dismissed" => DraftState::Dismissed,
        "exported" => DraftState::Exported,
        _ => DraftState::Draft,
    };
    let page = listed.page.unwrap_or(1).clamp(1, 1_000_000);
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let drafts = tx.golden_drafts(state, PER_PAGE, (page - 1) * PER_PAGE).await?;
    let mut counts = [0; 3];
    for (count, (state, ..)) in counts.iter_mut().zip(view::STATES) {
        *count = tx.count_golden_drafts(*state).await?;
    }
    tx.commit().await?;
    let view = DraftsView::new(&Material {
        drafts: &drafts,
        state,
        page,
        counts,
        now: words::now(),
    });
    let (shell, notices) = (who.shell(Tab::Evals), notices(listed.done.as_deref()));
    Ok(Html(DraftsPage { shell, notices, view }.render()?))
}

/// An answer to make a draft of.
#[derive(Debug, Deserialize)]
pub struct Chosen {
    answer: Uuid,
}

/// `POST /evals/drafts`: makes a draft of an answer.
pub async fn make(
    State(app): State<App>,
    who: SignedIn,
    Form(chosen): Form<Chosen>,
) -> Result<Redirect, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let (draft, fresh) = grow::choose(&mut tx, chosen.answer).await?;
    tx.commit().await?;
    tracing::info!(draft = %draft.id, admin = %who.admin.id, fresh, "golden.draft.chosen");
    let (done, state) = (
        if fresh { "made" } else { "known" },
        view::address(draft.state, 1),
    );
    let joint = if state.contains('?') { '&' } else { '?' };
    Ok(Redirect::to(&format!("{state}{joint}done={done}#d-{}", draft.id)))
}

/// `POST /evals/drafts/{id}/dismiss`
pub async fn dismiss(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<Redirect, Trouble> {
    set(&app, &who, id, DraftState::Dismissed).await?;
    Ok(Redirect::to("/evals/drafts?done=dismissed"))
}

/// `POST /evals/drafts/{id}/restore`
pub async fn restore(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<Redirect, Trouble> {
    set(&app, &who, id, DraftState::Draft).await?;
    Ok(Redirect::to("/evals/drafts?done=restored"))
}

async fn set(app: &App, who: &SignedIn, id: Uuid, state: DraftState) -> Result<(), Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    tx.set_draft_state(id, state).await?;
    tx.commit().await?;
    tracing::info!(draft = %id, admin = %who.admin.id, ?state, "golden.draft.set");
    Ok(())
}

/// `POST /evals/drafts/export`: all drafts as a case file.
pub async fn export(State(app): State<App>, who: SignedIn) -> Result<Response, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let drafts = tx.export_golden_drafts(DraftState::Draft).await?;
    let lines = grow::case_lines(&drafts);
    tx.commit().await?;
    tracing::info!(drafts = drafts.len(), admin = %who.admin.id, "golden.drafts.exported");
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"drafts.jsonl\"",
        ),
    ];
    Ok((headers, lines).into_response())
}
