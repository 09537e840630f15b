//! The HTTP side: one file per resource, the path is the address.

pub mod answer;
pub mod auth;
pub mod catalogue;
pub mod conversations;
pub mod documents;
pub mod error;
pub mod eval_runs;
pub mod golden_drafts;
pub mod health;
pub mod models;
mod preview;
pub mod search;
pub mod settings;
pub mod traces;
pub mod webhook;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

#[derive(OpenApi)]
#[openapi(
    info(title = "Plumbline", description = "Documents, search and grounded answers of one business. Every path \
        below /v1 wants `Authorization: Bearer <API key>`."),
    modifiers(&BearerKey)
)]
struct Description;

struct BearerKey;

impl utoipa::Modify for BearerKey {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// Paths that take whole files: as large as the settings allow, as slow as a village's line.
fn uploads() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(documents::upload, documents::list))
}

/// Paths that take reports, which hold every case with its answer.
fn reports() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(eval_runs::record))
}

fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(documents::events::events))
        .routes(routes!(documents::get, documents::change, documents::delete))
        .routes(routes!(documents::rebuild))
        .routes(routes!(documents::diff::diff))
        .routes(routes!(documents::overlays::list, documents::overlays::add))
        .routes(routes!(documents::overlays::remove))
        .routes(routes!(documents::versions::list))
        .routes(routes!(documents::versions::get))
        .routes(routes!(documents::versions::quality))
        .routes(routes!(documents::blocks::blocks))
        .routes(routes!(documents::versions::text))
        .routes(routes!(documents::versions::chunks))
        .routes(routes!(documents::versions::download))
        .routes(routes!(documents::versions::publish))
        .routes(routes!(documents::versions::retry))
        .routes(routes!(documents::versions::cancel))
        .routes(routes!(catalogue::list))
        .routes(routes!(settings::get, settings::put))
        .routes(routes!(settings::history))
        .routes(routes!(settings::activate))
        .routes(routes!(models::list))
        .routes(routes!(models::switch))
        .routes(routes!(models::rollback))
        .routes(routes!(models::remove))
        .routes(routes!(eval_runs::list))
        .routes(routes!(eval_runs::get))
        .routes(routes!(eval_runs::report))
        .routes(routes!(golden_drafts::make, golden_drafts::list))
        .routes(routes!(golden_drafts::export))
        .routes(routes!(golden_drafts::dismiss))
        .routes(routes!(search::search))
        .routes(routes!(answer::answer))
        .routes(routes!(answer::get))
        .routes(routes!(traces::list))
        .routes(routes!(traces::get))
        .routes(routes!(traces::replay))
        .routes(routes!(conversations::list))
        .routes(routes!(conversations::release))
}

/// The description of the API as served at `/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api().merge(uploads()).merge(reports()).split_for_parts().1
}

/// Most bytes of a request that carries no file, and of what surrounds the files of an upload.
const FORM_BYTES: usize = 1 << 20;

/// Most bytes of a report: some 10 KiB per case.
const REPORT_BYTES: usize = 64 << 20;

/// Everything the server answers.
pub fn router(app: App, metrics: Option<PrometheusHandle>) -> Router {
    let timed = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_mins(1));
    let largest = DefaultBodyLimit::max(app.web.whole_upload_bytes() + FORM_BYTES);
    let (api, description) = api()
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(timed)
        .merge(uploads().layer(largest))
        .merge(reports().layer(DefaultBodyLimit::max(REPORT_BYTES)).layer(timed))
        .split_for_parts();
    let service = Router::new()
        .merge(api)
        .merge(webhook::router())
        .merge(health::router(metrics))
        .merge(crate::pages::router())
        .route(
            "/openapi.json",
            get(move || async move { axum::Json(description) }),
        )
        .with_state(app);
    let id = HeaderName::from_static("x-request-id");
    service
        .layer(CompressionLayer::new())
        .layer(header_layer(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_layer(header::X_FRAME_OPTIONS, "DENY"))
        .layer(header_layer(header::REFERRER_POLICY, "same-origin"))
        .layer(header_layer(
            header::CONTENT_SECURITY_POLICY,
            CONTENT_SECURITY_POLICY,
        ))
        .layer(PropagateRequestIdLayer::new(id.clone()))
        .layer(TraceLayer::new_for_http())
        .layer(SetRequestIdLayer::new(id, MakeRequestUuid))
        .layer(CatchPanicLayer::new())
}

/// Pages load nothing from elsewhere and run no script of a page itself.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

fn header_layer(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
