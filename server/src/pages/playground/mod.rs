//! The playground: one question, asked with two settings by the very code that answers customers.
//!
//! Both columns are answered and kept as traces, and the page is drawn from the two traces. So a comparison has an
//! address, survives a reload, and shows nothing that is not on record.

pub mod form;
pub mod view;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use plumbline_answer::Ask;
use plumbline_store::{
    DocumentFilter, Scope, SettingsVersion, StoreError, StoredTrace, TenantTx, TraceSource, VersionState,
};
use serde::Deserialize;
use uuid::Uuid;

use form::{A, B, Column, Names, Problem, Question, Typed};
use view::{Asked, Choices, PlaygroundPage, PlaygroundView, StagedVersion};

use super::layout::Tab;
use super::session::SignedIn;
use super::traces::{golden, record};
use super::trouble::Trouble;
use crate::app::App;
use crate::http::error::chain;
use crate::traces::{self, AskError, Asking, Keep, Origin};

/// Settings versions to choose from.
const MOST_SETTINGS: i64 = 100;

/// Documents among which staged versions are looked for.
const MOST_DOCUMENTS: i64 = 500;

/// The traces of both columns.
#[derive(Debug, Default, Deserialize)]
pub struct Shown {
    a: Option<Uuid>,
    b: Option<Uuid>,
}

/// What there is to choose from.
async fn choices(tx: &mut TenantTx) -> Result<Choices, StoreError> {
    let live = tx.settings().await?;
    let history = tx.settings_history(MOST_SETTINGS).await?;
    let filter = DocumentFilter {
        limit: MOST_DOCUMENTS,
        ..DocumentFilter::default()
    };
    let ready = [VersionState::Ready, VersionState::ReadyWithWarnings];
    let documents = tx.documents_in(&filter, &ready).await?;
    let staged = documents
        .into_iter()
        .filter(|document| document.live_version_id != Some(document.newest.version_id))
        .map(|document| StagedVersion {
            id: document.newest.version_id,
            label: format!("{}, version {}", document.title, document.newest.number),
        });
    Ok(Choices {
        live: live.version,
        history,
        staged: staged.collect(),
    })
}

/// `GET /playground`
pub async fn show(
    State(app): State<App>,
    who: SignedIn,
    Query(shown): Query<Shown>,
) -> Result<Html<String>, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let choices = choices(&mut tx).await?;
    let a = column(&mut tx, shown.a).await?;
    let b = column(&mut tx, shown.b).await?;
    tx.commit().await?;
    let settings = |asked: &Asked| asked_with(asked, &choices);
    let typed = match (&a, &b) {
        (Some(a), b) => Typed::of(&a.record, settings(a), b.as_ref().map(settings)),
        (None, Some(b)) => Typed::of(&b.record, Column::default(), Some(settings(b))),
        (None, None) => Typed::default(),
    };
    page(
        &who,
        PlaygroundView::new(&choices, typed, Vec::new(), a.zip(b).as_ref()),
    )
}

fn page(who: &SignedIn, view: PlaygroundView) -> Result<Html<String>, Trouble> {
    let shell = who.shell(Tab::Playground);
    Ok(Html(PlaygroundPage { shell, view }.render()?))
}

/// The trace of a column; none when it was forgotten.
async fn column(tx: &mut TenantTx, id: Option<Uuid>) -> Result<Option<Asked>, StoreError> {
    let Some(id) = id else {
        return Ok(None);
    };
    let StoredTrace { row, record: body } = match tx.trace(id).await {
        Err(StoreError::NotFound { .. }) => return Ok(None),
        other => other?,
    };
    let golden = golden(tx, id).await?;
    let trace = StoredTrace { row, record: body };
    Ok(record(&trace).map(|record| Asked {
        row: trace.row,
        record,
        golden,
    }))
}

/// The fields that ask as a trace was asked.
fn asked_with(asked: &Asked, choices: &Choices) -> Column {
    let version = asked.row.settings_version;
    let all: Vec<Uuid> = choices.staged.iter().map(|staged| staged.id).collect();
    Column {
        settings: if version == choices.live {
            String::new()
        } else {
            version.to_string()
        },
        changes: asked.record.changes.join("\n"),
        staged: match asked.record.staged.as_slice() {
            [] => String::new(),
            [one] => one.to_string(),
            several if several.iter().all(|id| all.contains(id)) => "all".to_owned(),
            _ => String::new(),
        },
    }
}

/// What a column is asked with.
struct With {
    settings: SettingsVersion,
    changes: Vec<String>,
    staged: Vec<Uuid>,
}

async fn with(
    tx: &mut TenantTx,
    column: &Column,
    names: Names,
    choices: &Choices,
    problems: &mut Vec<Problem>,
) -> Result<With, StoreError> {
    let live = tx.settings().await?;
    let chosen = column.settings.trim();
    let base = if chosen.is_empty() {
        live
    } else {
        let stored = match chosen.parse() {
            Ok(version) => match tx.settings_version(version).await {
                Err(StoreError::NotFound { .. }) => None,
                other => Some(other?),
            },
            Err(_) => None,
        };
        stored.unwrap_or_else(|| {
            let message = format!("There is no settings version {chosen}.");
            problems.push(Problem::new(names.settings, message));
            live
        })
    };
    let (settings, changes) = form::with_changes(base, column, names, problems);
    let known: Vec<Uuid> = choices.staged.iter().map(|staged| staged.id).collect();
    Ok(With {
        settings,
        changes,
        staged: form::staged(&column.staged, &known, names, problems),
    })
}

/// `POST /playground`: asks both columns, one after the other, and shows them side by side.
pub async fn ask(
    State(app): State<App>,
    who: SignedIn,
    Form(typed): Form<Typed>,
) -> Result<Response, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let choices = choices(&mut tx).await?;
    let mut problems = Vec::new();
    let question = typed.question(&mut problems);
    let a = with(&mut tx, &typed.column(A), A, &choices, &mut problems).await?;
    let b = with(&mut tx, &typed.column(B), B, &choices, &mut problems).await?;
    tx.commit().await?;
    let refused = |problems| -> Result<Response, Trouble> {
        let view = PlaygroundView::new(&choices, typed.clone(), problems, None);
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&who, view)?).into_response())
    };
    if !problems.is_empty() {
        return refused(problems);
    }
    let mut traces = Vec::new();
    for (with, names) in [(a, A), (b, B)] {
        match run(&app, who.tenant.id, &question, with).await {
            Ok(Some(trace)) => traces.push(trace),
            Ok(None) => return Err(Trouble::Internal),
            Err(AskError::Store(error)) => return Err(error.into()),
            Err(error) => {
                tracing::error!(error = chain(&error), "pages.playground.failed");
                let message = format!("It could not be asked with these settings: {}.", chain(&error));
                return refused(vec![Problem::new(names.settings, message)]);
            }
        }
    }
    let address = match traces.as_slice() {
        [a, b] => format!("/playground?a={a}&b={b}#both"),
        _ => "/playground".to_owned(),
    };
    Ok(Redirect::to(&address).into_response())
}

/// Asks one column; the trace. An answer that customers would get as well is stored, so that it can become a golden
/// case.
async fn run(app: &App, tenant: Uuid, question: &Question, with: With) -> Result<Option<Uuid>, AskError> {
    let ask = Ask {
        question: question.text.clone(),
        history: question.history.clone(),
        language_hint: None,
        settings: Some(with.settings.clone()),
        scope: Scope::preview(with.staged.clone()),
        filter: question.filter.clone(),
    };
    let asking = Asking {
        keep: Keep::Always,
        store_answer: with.staged.is_empty() && with.changes.is_empty(),
        origin: Origin {
            staged: with.staged,
            changes: with.changes,
            ..Origin::of(TraceSource::Playground)
        },
    };
    let asked = traces::ask(app, tenant, &ask, &with.settings, &asking).await?;
    Ok(asked.trace_id)
}
