//! Builds a document version.

use plumbline_ingest::{BuildError, Code, ExtractError};
use plumbline_store::{Job, StoreError};
use uuid::Uuid;

use super::{Done, WorkError, field, vector_index};
use crate::app::App;

/// Runs the pipeline for the version of the job.
pub async fn build(app: &App, job: &Job) -> Result<Done, WorkError> {
    let version: Uuid = field(job, "version_id")?;
    match app
        .pipeline
        .build(job.tenant_id, version, &|progress| {
            app.progress.tell(version, progress);
        })
        .await
    {
        Ok(built) => {
            tracing::info!(%version, state = built.state.as_str(), chunks = built.chunks, embedded = built.embedded,
                           reused = built.reused, "document.version.built");
            metrics::counter!("plumbline_documents_total", "state" => built.state.as_str()).increment(1);
            vector_index::ask(app, job.tenant_id).await?;
            Ok(Done::Finished)
        }
        // The reason stands on the version, where the admin reads it: for the queue the job is done.
        Err(BuildError::File(error)) => {
            tracing::info!(%version, code = error.code.as_str(), "document.version.failed");
            metrics::counter!("plumbline_documents_total", "state" => "failed").increment(1);
            Ok(Done::Finished)
        }
        Err(BuildError::Store(StoreError::NotFound { .. })) => Ok(Done::Finished),
        Err(error) => Err(WorkError::retry(error.to_string())),
    }
}

/// Ends a version whose building failed at every attempt.
pub async fn give_up(app: &App, job: &Job, reason: &str) -> Result<(), WorkError> {
    let version: Uuid = field(job, "version_id")?;
    let error = ExtractError::new(
        Code::BuildFailed,
        format!("building the version failed at every attempt: {reason}"),
    );
    Ok(app
        .pipeline
        .record_failure(job.tenant_id, version, &error)
        .await?)
}
