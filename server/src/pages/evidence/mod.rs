//! Why an answer was given: the panel beside the simulator's chat.

pub mod view;

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Html;
use plumbline_answer::Answer;
use plumbline_store::{DraftState, Store, StoreError};
use uuid::Uuid;

use view::{Evidence, EvidencePage, EvidencePart};

use super::layout::Tab;
use super::session::Viewer;
use super::trouble::Trouble;
use super::wants_part;
use crate::app::App;

/// Heading of the panel for a message that no answer stands behind.
pub const NO_ANSWER: (&str, &str) = (
    "No answer behind this message",
    "It was written by a person, or its answer is not stored.",
);

/// How often and how far apart a message is looked for that was just sent: it is on the phone before its number is in
/// the outbox.
const LOOKS: (u32, Duration) = (20, Duration::from_millis(100));

/// `GET /simulator/answers/{id}`, by the message that carried the answer or by the answer itself.
pub async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Html<String>, Trouble> {
    let answer = match id.parse::<Uuid>() {
        Ok(answer) => Some(answer),
        Err(_) => answer_behind(&app.store, viewer.tenant.id, &id).await?,
    };
    let evidence = match answer {
        Some(answer) => Some(load(&app.store, &viewer, answer).await?),
        None => None,
    };
    let (blank_title, blank_text) = NO_ANSWER;
    Ok(Html(if wants_part(&headers) {
        EvidencePart {
            evidence,
            blank_title,
            blank_text,
        }
        .render()?
    } else {
        EvidencePage {
            shell: viewer.shell(Tab::Simulator),
            evidence,
            blank_title,
            blank_text,
        }
        .render()?
    }))
}

async fn answer_behind(store: &Store, tenant: Uuid, wamid: &str) -> Result<Option<Uuid>, StoreError> {
    let (looks, pause) = LOOKS;
    for _ in 0..looks {
        if let Some(part) = store.tenant(tenant).await?.part_by_wamid(wamid).await? {
            return Ok(part.answer_id);
        }
        tokio::time::sleep(pause).await;
    }
    Ok(None)
}

/// The evidence of a stored answer, with what `viewer` may do with it.
///
/// # Errors
/// [`Trouble::Missing`] when there is no such answer; [`Trouble::Internal`] when its record cannot be read.
pub async fn load(store: &Store, viewer: &Viewer, id: Uuid) -> Result<Evidence, Trouble> {
    let mut tx = store.tenant(viewer.tenant.id).await?;
    let row = tx.answer(id).await?;
    let draft = match &viewer.email {
        Some(_) => tx.draft_of_answer(id).await?,
        None => None,
    };
    let draft = draft.filter(|draft| draft.state != DraftState::Dismissed);
    let traced = match tx.trace(id).await {
        Ok(_) => viewer.email.is_some(),
        Err(StoreError::NotFound { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    tx.commit().await?;
    let answer: Answer = serde_json::from_value(row.record).map_err(|error| {
        tracing::error!(answer = %id, %error, "pages.answer.unreadable");
        Trouble::Internal
    })?;
    let evidence = Evidence::new(&row.question, &answer);
    Ok(Evidence {
        offer_golden: viewer.email.is_some() && draft.is_none(),
        draft: draft.map(|draft| draft.id),
        trace_href: traced.then(|| format!("/traces/{id}")),
        ..evidence
    })
}
