//! The pages: what people see in a browser.
//!
//! Plain HTML first. Every page reads and every form works without a script; htmx and two small files of our own only
//! spare reloads. No page fetches anything from another host and none carries inline scripts or styles, so the server's
//! content security policy allows neither.
//!
//! One page is one module with its handlers; its `view` beside it turns rows into what the template shows, without I/O.

pub mod assets;
pub mod chunk;
pub mod diff;
pub mod document;
pub mod documents;
pub mod drafts;
pub mod evals;
pub mod evidence;
pub mod layout;
pub mod origin;
pub mod passage;
pub mod playground;
pub mod session;
pub mod sign_in;
pub mod simulator;
#[cfg(test)]
mod tests;
pub mod traces;
pub mod trouble;
pub mod versions;
pub mod words;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};

use crate::app::App;

/// All pages.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(async || Redirect::to("/documents")))
        .route("/sign-in", get(sign_in::form).post(sign_in::submit))
        .route("/sign-out", post(sign_in::leave))
        // the upload counts what it reads itself, file by file
        .route(
            "/documents",
            get(documents::list)
                .post(documents::upload)
                .layer(DefaultBodyLimit::disable()),
        )
        .route("/documents/events", get(documents::events))
        .route("/documents/{id}", get(document::show))
        .route("/documents/{id}/delete", post(document::delete))
        .route("/documents/{id}/tags", post(document::tag))
        .route("/documents/{id}/rebuild", post(document::rebuild))
        .route("/documents/{id}/diff", get(diff::show))
        .route("/evals", get(evals::list))
        .route("/evals/compare", get(evals::compare))
        .route("/evals/drafts", get(drafts::list).post(drafts::make))
        .route("/evals/drafts/export", post(drafts::export))
        .route("/evals/drafts/{id}/dismiss", post(drafts::dismiss))
        .route("/evals/drafts/{id}/restore", post(drafts::restore))
        .route("/evals/{id}", get(evals::show))
        .route("/evals/{id}/report.json", get(evals::report))
        .route("/evals/{id}/again", post(evals::again))
        .route("/evals/{id}/activate", post(evals::activate))
        .route("/versions/{id}/publish", post(document::publish))
        .route("/versions/{id}/retry", post(document::retry))
        .route("/versions/{id}/cancel", post(document::cancel))
        .route("/chunks/{id}", get(chunk::show))
        .route("/chunks/{id}/overlays", post(chunk::add))
        .route("/overlays/{id}/remove", post(chunk::remove))
        .route("/versions/{id}/original", get(document::original))
        .route("/passages/{version}", get(passage::show))
        .route("/traces", get(traces::list))
        .route("/traces/{id}", get(traces::show))
        .route("/traces/{id}/replay", post(traces::replay))
        .route("/playground", get(playground::show).post(playground::ask))
        .route("/simulator", get(simulator::show))
        .route("/simulator/messages", post(simulator::say))
        .route("/simulator/new", post(simulator::start_over))
        .route("/simulator/events", get(simulator::events))
        .route("/simulator/answers/{id}", get(evidence::show))
        .layer(Extension(Arc::new(sign_in::Attempts::default())))
        .layer(middleware::from_fn(trouble::as_page))
        .layer(middleware::from_fn(origin::same_site_only))
        .layer(middleware::map_response(uncached))
        .route("/assets/{name}", get(assets::get))
        .fallback(trouble::nowhere)
}

/// Pages show what is true now, so no cache keeps one, and the back button never shows one after signing out.
async fn uncached(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whether a script of ours asks for a part of a page instead of the whole.
fn wants_part(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}
