//! Gives large tenants a vector index, and takes it from those that became small.

use std::time::Duration;

use plumbline_retrieval::EXACT_SCAN_UP_TO;
use plumbline_store::{Job, NewJob, VECTOR_INDEX_QUEUE};
use serde_json::json;
use uuid::Uuid;

use super::{Done, WorkError};
use crate::app::App;

/// How long a build of the index waits for more documents: a folder of files comes as one.
const SETTLE: Duration = Duration::from_secs(10);

/// How soon to look again when another process works on the index, one that was killed at it for example: its
/// statement goes on in the database.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Enqueues the keeping of the tenant's index when there is something to do.
pub async fn ask(app: &App, tenant: Uuid) -> Result<(), WorkError> {
    let mut tx = app.store.tenant(tenant).await?;
    let space = tx
        .ensure_space(app.embedder.model(), app.embedder.dimension())
        .await?;
    if tx.vector_index_is_due(space, EXACT_SCAN_UP_TO).await? {
        let job = NewJob {
            queue: VECTOR_INDEX_QUEUE,
            key: VECTOR_INDEX_QUEUE.to_owned(),
            dedupe: Some(space.to_string()),
            payload: json!({}),
            delay: SETTLE,
            max_attempts: 3,
        };
        tx.enqueue(&job, SETTLE * 6).await?;
    }
    Ok(tx.commit().await?)
}

/// Builds or drops the index, as the number of live windows asks for.
pub async fn keep(app: &App, job: &Job) -> Result<Done, WorkError> {
    let tenant = job.tenant_id;
    let mut tx = app.store.tenant(tenant).await?;
    let space = tx
        .ensure_space(app.embedder.model(), app.embedder.dimension())
        .await?;
    let due = tx.vector_index_is_due(space, EXACT_SCAN_UP_TO).await?;
    let windows = tx.live_windows().await?;
    tx.commit().await?;
    if !due {
        return Ok(Done::Finished);
    }
    let began = std::time::Instant::now();
    let done = if windows > EXACT_SCAN_UP_TO {
        app.store.build_vector_index(tenant, space).await?
    } else {
        app.store.drop_vector_index(tenant, space).await?
    };
    if !done {
        return Ok(Done::Later(LOOK_AGAIN));
    }
    tracing::info!(%tenant, windows, seconds = began.elapsed().as_secs_f64(), "vector_index.kept");
    Ok(Done::Finished)
}
