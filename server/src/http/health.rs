//! Is it alive, is it ready, how is it doing.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use plumbline_ingest::INGEST_QUEUE;
use plumbline_store::{ELEMENT_QUEUE, SEND_QUEUE, TURN_QUEUE};

use super::error::ApiError;
use crate::app::App;

/// `/healthz`, `/readyz` and `/metrics`.
pub fn router(metrics: Option<PrometheusHandle>) -> Router<App> {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route(
            "/metrics",
            get(move |State(app): State<App>| async move { render(&app, metrics.as_ref()).await }),
        )
}

/// Ready means that a question could be answered now.
async fn ready(State(app): State<App>) -> Result<&'static str, (StatusCode, &'static str)> {
    let down = (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer");
    match tokio::time::timeout(Duration::from_secs(2), app.store.ping()).await {
        Ok(Ok(())) => Ok("ready"),
        _ => Err(down),
    }
}

async fn render(app: &App, metrics: Option<&PrometheusHandle>) -> Result<String, ApiError> {
    // a queue that was drained has no row any more, and its gauge must not keep its last value
    for queue in [TURN_QUEUE, SEND_QUEUE, ELEMENT_QUEUE, INGEST_QUEUE] {
        for state in ["queued", "running", "dead"] {
            let labels = [("queue", queue), ("state", state)];
            metrics::gauge!("plumbline_jobs", &labels).set(0.0);
            metrics::gauge!("plumbline_jobs_oldest_seconds", &labels).set(0.0);
        }
    }
    let mut tx = app.store.system().await?;
    for depth in tx.queue_depths().await? {
        let labels = [("queue", depth.queue.clone()), ("state", depth.state.clone())];
        #[expect(clippy::cast_precision_loss, reason = "a gauge of jobs")]
        metrics::gauge!("plumbline_jobs", &labels).set(depth.jobs as f64);
        metrics::gauge!("plumbline_jobs_oldest_seconds", &labels).set(depth.oldest_seconds);
    }
    // The lowest, not one per tenant: who needs more asks `plumbline doctor`. Not a number says that none was audited.
    let recall = tx.lowest_recall().await?.unwrap_or(f64::NAN);
    metrics::gauge!("plumbline_ann_recall").set(recall);
    tx.commit().await?;
    Ok(metrics.map(PrometheusHandle::render).unwrap_or_default())
}
