//! `/v1/documents/events`: every step of every version, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::http::auth::ApiTenant;
use crate::watch::{VersionEvent, watch_versions};

/// Shorter than the patience of any proxy in between.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Tells how the versions get on, whichever process builds them: an event `version` per step, beginning with those that
/// are under way or ended a moment ago. A stream ends when the server stops; connect again, nothing is missed.
#[utoipa::path(get, path = "/v1/documents/events", tag = "documents", security(("key" = [])),
    responses((status = 200, content_type = "text/event-stream", body = VersionEvent,
               description = "events named `version`, each with this JSON as its data; comments as heartbeat")))]
pub async fn events(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    stop: Option<Extension<CancellationToken>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stopped = async move {
        match stop {
            Some(Extension(stop)) => stop.cancelled().await,
            None => std::future::pending().await,
        }
    };
    let told = watch_versions(&app, tenant).filter_map(async |event| {
        let event = Event::default().event("version").json_data(&event);
        event
            .inspect_err(|error| tracing::error!(%error, "documents.event.failed"))
            .ok()
    });
    Sse::new(told.map(Ok).take_until(Box::pin(stopped))).keep_alive(KeepAlive::new().interval(HEARTBEAT))
}
