//! Gives large tenants a vector index, and takes it from those that became small.

use std::time::Duration;

use plumbline_retrieval::EXACT_SCAN_UP_TO;
use plumbline_store::{Job, NewJob, TenantTx, VECTOR_INDEX_QUEUE};
use serde_json::json;
use uuid::Uuid;

use super::{Done, WorkError, recall};
use crate::app::App;

/// How long a build of the index waits for more documents: a folder of files comes as one.
const SETTLE: Duration = Duration::from_secs(10);

/// How soon to look again when another process works on the index, one that was killed at it for example: its
/// statement goes on in the database.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Enqueues the keeping of the tenant's index when there is something to do.
pub async fn ask(app: &App, tenant: Uuid) -> Result<(), WorkError> {
    let mut tx = app.store.tenant(tenant).await?;
    for space in spaces(app, &mut tx).await? {
        if !tx.vector_index_is_due(space, EXACT_SCAN_UP_TO).await? {
            continue;
        }
        let job = NewJob {
            queue: VECTOR_INDEX_QUEUE,
            key: VECTOR_INDEX_QUEUE.to_owned(),
            dedupe: Some(space.to_string()),
            payload: json!({ "space": space }),
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
    let spaces = match job.payload["space"].as_i64() {
        Some(space) => vec![i32::try_from(space).unwrap_or_default()],
        None => spaces(app, &mut tx).await?, // a job of an earlier release
    };
    tx.commit().await?;
    let mut done = true;
    for space in spaces {
        done &= keep_one(app, tenant, space).await?;
    }
    Ok(if done {
        Done::Finished
    } else {
        Done::Later(LOOK_AGAIN)
    })
}

/// Builds the index over a space that is about to be searched, if it is large enough for one.
pub(super) async fn build_if_due(app: &App, tenant: Uuid, space: i32) -> Result<(), WorkError> {
    if keep_one(app, tenant, space).await? {
        return Ok(());
    }
    // without it the space is searched more slowly: the job that is asked for with the next document makes up for it
    tracing::info!(%tenant, space, "vector_index.busy");
    Ok(())
}

/// The space of the own model and those of the models that the tenant keeps.
async fn spaces(app: &App, tx: &mut TenantTx) -> Result<Vec<i32>, WorkError> {
    let own = app.embedders.own();
    let mut spaces = vec![tx.ensure_space(own.model(), own.dimension()).await?];
    let kept = tx.tenant_models().await?;
    spaces.extend(
        kept.iter()
            .filter(|model| model.is_kept_current())
            .filter_map(|model| model.space_id),
    );
    spaces.sort_unstable();
    spaces.dedup();
    Ok(spaces)
}

/// False when another process is at the tenant's indexes.
async fn keep_one(app: &App, tenant: Uuid, space: i32) -> Result<bool, WorkError> {
    let mut tx = app.store.tenant(tenant).await?;
    let due = tx.vector_index_is_due(space, EXACT_SCAN_UP_TO).await?;
    let windows = tx.live_windows().await?;
    tx.commit().await?;
    if !due {
        return Ok(true);
    }
    let began = std::time::Instant::now();
    let large = windows > EXACT_SCAN_UP_TO;
    let done = if large {
        app.store.build_vector_index(tenant, space).await?
    } else {
        app.store.drop_vector_index(tenant, space).await?
    };
    if !done {
        return Ok(false);
    }
    if large {
        let mut tx = app.store.tenant(tenant).await?;
        recall::ask(&mut tx, space).await?;
        tx.commit().await?;
    }
    tracing::info!(%tenant, space, windows, seconds = began.elapsed().as_secs_f64(), "vector_index.kept");
    Ok(true)
}
