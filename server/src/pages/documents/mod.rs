//! The list of documents, and the upload above it.

mod events;
mod upload;
pub mod view;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use plumbline_store::DocumentFilter;
use serde::Deserialize;

pub use events::events;
pub use upload::upload;
use view::{Asked, DocumentsPage, GROUPS, List, ListPart, PER_PAGE};

use super::layout::{Notice, Tab};
use super::session::SignedIn;
use super::trouble::Trouble;
use super::{wants_part, words};
use crate::app::App;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Search {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    page: Option<i64>,
    deleted: Option<String>,
    retried: Option<String>,
    cancelled: Option<String>,
}

impl Search {
    fn asked(&self) -> Asked {
        let group = GROUPS
            .iter()
            .find(|group| group.name == self.state)
            .unwrap_or(&GROUPS[0]);
        Asked {
            search: self.q.trim().to_owned(),
            state: group.name.to_owned(),
            page: self.page.unwrap_or(1).clamp(1, 1_000_000),
        }
    }

    fn notices(&self) -> Vec<Notice> {
        let said = match (&self.deleted, &self.retried, &self.cancelled) {
            (Some(_), ..) => "The document was deleted. No answer uses it from now on.",
            (_, Some(_), _) => "The file is being read again.",
            (.., Some(_)) => "Cancelled. What answered before goes on answering.",
            _ => return Vec::new(),
        };
        vec![Notice {
            tone: "ok",
            text: said.to_owned(),
            to_do: String::new(),
        }]
    }
}

/// `GET /documents`
pub async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(search): Query<Search>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let list = load(&app, &who, &search.asked()).await?;
    let body = if wants_part(&headers) {
        ListPart { list }.render()?
    } else {
        page(&app, &who, list, search.notices()).render()?
    };
    Ok(([(header::VARY, "HX-Request")], Html(body)).into_response())
}

fn page(app: &App, who: &SignedIn, list: List, notices: Vec<Notice>) -> DocumentsPage {
    let limit = i64::try_from(app.web.max_upload_bytes).unwrap_or(i64::MAX);
    DocumentsPage {
        shell: who.shell(Tab::Documents),
        notices,
        limit: words::size(limit),
        list,
    }
}

async fn load(app: &App, who: &SignedIn, asked: &Asked) -> Result<List, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    let group = GROUPS
        .iter()
        .find(|group| group.name == asked.state)
        .unwrap_or(&GROUPS[0]);
    let filter = DocumentFilter {
        search: (!asked.search.is_empty()).then(|| asked.search.clone()),
        state: None,
        limit: PER_PAGE,
        offset: (asked.page - 1) * PER_PAGE,
        ..DocumentFilter::default()
    };
    let counts = tx.document_counts(filter.search.as_deref()).await?;
    let documents = tx.documents_in(&filter, group.states).await?;
    Ok(List::new(asked, &documents, &counts, words::now()))
}
