//! What a person sees when something is wrong: what happened, and what to do.

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use plumbline_ingest::BuildError;
use plumbline_store::StoreError;

use super::layout::Shell;
use super::words;

/// Why a page cannot be shown or a form was not taken.
#[derive(Debug)]
pub enum Trouble {
    /// What was asked for does not exist for this tenant.
    Missing(&'static str),
    /// The address makes no sense.
    BadAddress(&'static str),
    /// The form contradicts the present state.
    Conflict(String),
    /// The form came from another site.
    ForeignForm,
    /// The simulator is not part of this server.
    NoSimulator,
    /// Ours; the cause is in the log.
    Internal,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { what } => Self::Missing(what),
            StoreError::Conflict(message) => Self::Conflict(message),
            error => {
                tracing::error!(%error, "pages.store.failed");
                Self::Internal
            }
        }
    }
}

impl From<BuildError> for Trouble {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Store(error) => error.into(),
            error => {
                tracing::error!(%error, "pages.pipeline.failed");
                Self::Internal
            }
        }
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "pages.template.failed");
        Self::Internal
    }
}

/// The page of a trouble.
#[derive(Debug, Template)]
#[template(path = "trouble.html")]
pub struct TroublePage {
    /// Frame.
    pub shell: Shell,
    /// Number of the status.
    pub status: u16,
    /// In a few words.
    pub title: &'static str,
    /// What happened.
    pub happened: String,
    /// What to do about it.
    pub to_do: &'static str,
    /// Address that leads on.
    pub way_out: &'static str,
    /// Its words.
    pub way_out_label: &'static str,
}

impl Trouble {
    fn status(&self) -> StatusCode {
        match self {
            Self::Missing(_) | Self::NoSimulator => StatusCode::NOT_FOUND,
            Self::BadAddress(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(self) -> (&'static str, String, &'static str) {
        match self {
            Self::Missing(what) => (
                "This is not here",
                format!("There is no such {what}. It was deleted, or the address is mistyped."),
                "Look for it in the list of documents. Answers that cited a deleted document keep their evidence.",
            ),
            Self::BadAddress(why) => (
                "This address does not lead anywhere",
                why.to_owned(),
                "Open the page from the list of documents or from the evidence of an answer.",
            ),
            Self::Conflict(message) => (
                "That is not possible now",
                words::sentence(&message),
                "The document may have changed since the page was loaded. Look at it again and retry if it still applies.",
            ),
            Self::ForeignForm => (
                "This form came from another site",
                "Your browser says the request was made by a page of another site, so nothing was changed."
                    .to_owned(),
                "Open Plumbline itself and do it there. Behind a proxy, make sure it passes the Host header on.",
            ),
            Self::NoSimulator => (
                "There is no simulator here",
                "The simulator stands in for WhatsApp. This server talks to the real one.".to_owned(),
                "Run `plumbline demo` to chat with your documents without WhatsApp.",
            ),
            Self::Internal => (
                "Something went wrong on our side",
                "The server could not finish the request. Nothing you sent was half done.".to_owned(),
                "Try again in a moment. The cause is in the server's log; `plumbline doctor` checks what it needs.",
            ),
        }
    }
}

/// An address that nothing answers: a page for people, a bare status for programs.
pub async fn nowhere(headers: HeaderMap) -> Response {
    if accepts_html(&headers) {
        Trouble::Missing("page").into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

/// Gives a refusal that the framework worded (a mistyped identifier, a field that is no number) the look of the pages.
/// Programs, which do not ask for HTML, get the plain words.
pub async fn as_page(request: Request, next: Next) -> Response {
    let is_browser = accepts_html(request.headers());
    let response = next.run(request).await;
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_page = kind.is_some_and(|kind| kind.starts_with("text/html"));
    match response.status() {
        status if !status.is_client_error() || is_page || !is_browser => response,
        StatusCode::NOT_FOUND => Trouble::Missing("page").into_response(),
        StatusCode::METHOD_NOT_ALLOWED => {
            Trouble::BadAddress("It is where a form is sent to, not a page.").into_response()
        }
        _ => Trouble::BadAddress("It, or the form sent to it, holds something that cannot be read.")
            .into_response(),
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let status = self.status();
        let (title, happened, to_do) = self.words();
        let page = TroublePage {
            shell: Shell::visitor(),
            status: status.as_u16(),
            title,
            happened,
            to_do,
            way_out: "/documents",
            way_out_label: "To the documents",
        };
        // the template has no expression that can fail; should it ever, the words remain
        let body = page.render().unwrap_or_else(|_| title.to_owned());
        (status, Html(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_escaped() {
        let (title, happened, to_do) = Trouble::Conflict("<script>".to_owned()).words();
        let page = TroublePage {
            shell: Shell::visitor(),
            status: 409,
            title,
            happened,
            to_do,
            way_out: "/",
            way_out_label: "",
        };
        let html = page.render().unwrap();
        assert!(html.contains("&#60;script&#62;."));
    }
}
