//! The workers: one loop per queue, all work under a lease.
//!
//! A worker dies with its process at any moment; whatever it was doing comes back when its lease runs out. Handlers are
//! therefore written so that doing them twice is the same as doing them once.

pub mod document;
pub mod element;
pub mod gate;
pub mod model;
pub mod recall;
pub mod send;
pub mod turn;
pub mod vector_index;

use std::sync::Arc;
use std::time::Duration;

use plumbline_ingest::INGEST_QUEUE;
use plumbline_store::{
    ELEMENT_QUEUE, GATE_QUEUE, Job, MODEL_QUEUE, RECALL_QUEUE, SEND_QUEUE, Store, StoreError, TURN_QUEUE,
    VECTOR_INDEX_QUEUE,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::app::App;

/// What a handler wants done with its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It is finished.
    Finished,
    /// It waits for something; run it again after this time without counting an attempt.
    Later(Duration),
}

/// Why a handler could not finish.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct WorkError {
    /// What happened, for the admin.
    pub message: String,
    /// Whether another attempt may help.
    pub retry: bool,
    /// How long to wait before it; the usual backoff when not given.
    pub after: Option<Duration>,
}

impl WorkError {
    /// An error that another attempt may mend.
    pub fn retry(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retry: true,
            after: None,
        }
    }

    /// An error that stays.
    pub fn fatal(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retry: false,
            after: None,
        }
    }
}

impl From<StoreError> for WorkError {
    fn from(error: StoreError) -> Self {
        Self {
            retry: !matches!(error, StoreError::NotFound { .. }),
            message: error.to_string(),
            after: None,
        }
    }
}

/// Queues with the number of jobs of each that may run at once in this process.
const QUEUES: [(&str, usize); 8] = [
    (TURN_QUEUE, 4),
    (SEND_QUEUE, 8),
    (ELEMENT_QUEUE, 2),
    (INGEST_QUEUE, 2),
    (VECTOR_INDEX_QUEUE, 1),
    (GATE_QUEUE, 1),
    (MODEL_QUEUE, 1),
    (RECALL_QUEUE, 1),
];

/// Runs all queues until `stop`; returns when the jobs at work have ended.
pub async fn run(app: App, stop: CancellationToken) {
    run_queues(app, &QUEUES, stop).await;
}

/// Runs the queues of documents alone: what the command line needs to see its files through.
pub async fn run_documents(app: App, stop: CancellationToken) {
    run_queues(app, &QUEUES[3..5], stop).await;
}

async fn run_queues(app: App, queues: &[(&'static str, usize)], stop: CancellationToken) {
    let wake = Arc::new(Notify::new());
    let tracker = TaskTracker::new();
    tracker.spawn(listen(app.store.clone(), Arc::clone(&wake), stop.clone()));
    tracker.spawn(reap(app.clone(), stop.clone()));
    for &(queue, workers) in queues {
        if queue == SEND_QUEUE && app.graph.is_none() {
            continue; // a process without an access token leaves the sending to one that has it
        }
        for _ in 0..workers {
            tracker.spawn(work(app.clone(), queue, Arc::clone(&wake), stop.clone()));
        }
    }
    tracker.close();
    tracker.wait().await;
}

/// Wakes the idle workers when a job is enqueued. Without it they poll.
async fn listen(store: Store, wake: Arc<Notify>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let listening = async {
            let mut listener = store.listen("plumbline_jobs").await?;
            loop {
                listener.recv().await.map_err(StoreError::from)?;
                wake.notify_waiters();
            }
        };
        let ended: Result<Result<(), StoreError>, ()> = tokio::select! {
            result = listening => Ok(result),
            () = stop.cancelled() => Err(()),
        };
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "worker.listen.failed");
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }
}

/// How long a finished job is kept.
const KEEP_DONE_JOBS: Duration = Duration::from_hours(24 * 7);

/// How long a request may be repeated with its idempotency key.
const KEEP_IDEMPOTENCY_KEYS: Duration = Duration::from_hours(72);

/// How long the chunks of a deleted document are kept, should somebody want to know what it held.
const KEEP_DELETED_CHUNKS: Duration = Duration::from_hours(24 * 30);

/// How long a webhook body is kept as it came.
const KEEP_INBOUND_EVENTS: Duration = Duration::from_hours(24 * 90);

/// Forgets what would grow for ever.
async fn tidy(app: &App) -> Result<(), StoreError> {
    let store = &app.store;
    model::tidy(app).await?;
    let jobs = store.forget_done_jobs(KEEP_DONE_JOBS).await?;
    let keys = store.forget_idempotency_keys(KEEP_IDEMPOTENCY_KEYS).await?;
    let chunks = store.forget_deleted_chunks(KEEP_DELETED_CHUNKS).await?;
    let events = store.forget_inbound_events(KEEP_INBOUND_EVENTS).await?;
    let traces = store.forget_traces().await?;
    tracing::debug!(jobs, keys, chunks, events, traces, "worker.tidy.done");
    Ok(())
}

/// How often it is asked which indexes wait for an audit.
const ASK_FOR_AUDITS: Duration = Duration::from_hours(1);

/// Brings back the jobs of dead workers, asks for the audits that are due, and forgets what was finished long ago.
async fn reap(app: App, stop: CancellationToken) {
    let mut tidied = std::time::Instant::now();
    let mut asked: Option<std::time::Instant> = None;
    while !stop.is_cancelled() {
        if let Err(error) = app.store.reap_jobs().await {
            tracing::warn!(%error, "worker.reap.failed");
        }
        tell_of_the_dead(&app).await;
        if asked.is_none_or(|asked| asked.elapsed() > ASK_FOR_AUDITS) {
            asked = Some(std::time::Instant::now());
            if let Err(error) = recall::ask_where_due(&app).await {
                tracing::warn!(%error, "worker.ask_for_audits.failed");
            }
        }
        if tidied.elapsed() > Duration::from_hours(1) {
            tidied = std::time::Instant::now();
            if let Err(error) = tidy(&app).await {
                tracing::warn!(%error, "worker.tidy.failed");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(app.work.lease / 3) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn work(app: App, queue: &'static str, wake: Arc<Notify>, stop: CancellationToken) {
    let worker = Uuid::now_v7();
    while !stop.is_cancelled() {
        let woken = wake.notified();
        match app.store.claim_job(queue, worker, app.work.lease).await {
            Ok(Some(job)) => handle(&app, &job).await,
            Ok(None) => tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(app.work.poll) => {}
                () = stop.cancelled() => {}
            },
            Err(error) => {
                tracing::warn!(%error, queue, "worker.claim.failed");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// One attempt at a job, with its lease kept alive.
async fn handle(app: &App, job: &Job) {
    let began = std::time::Instant::now();
    let task = tokio::spawn(dispatch(app.clone(), job.clone()));
    let abort = task.abort_handle();
    let beat = async {
        loop {
            tokio::time::sleep(app.work.lease / 3).await;
            if let Ok(false) = app.store.heartbeat_job(job, app.work.lease).await {
                tracing::warn!(job = job.id, queue = job.queue, "worker.lease.lost");
                abort.abort();
                return;
            }
        }
    };
    let outcome = tokio::select! {
        joined = task => joined,
        () = beat => return,
    };
    // A panic is an error of ours, not a reason to lose the job.
    let outcome =
        outcome.unwrap_or_else(|error| Err(WorkError::retry(format!("stopped unexpectedly: {error}"))));
    metrics::histogram!("plumbline_job_seconds", "queue" => job.queue.clone())
        .record(began.elapsed().as_secs_f64());
    let noted = match outcome {
        Ok(Done::Finished) => app.store.finish_job(job).await.map(drop),
        Ok(Done::Later(delay)) => app.store.postpone_job(job, delay).await,
        Err(error) => {
            tracing::warn!(
                job = job.id,
                queue = job.queue,
                attempt = job.attempts,
                error = error.message,
                "worker.job.failed"
            );
            app.store
                .fail_job(job, &error.message, error.retry, error.after)
                .await
                .map(drop)
        }
    };
    if let Err(error) = noted {
        tracing::warn!(job = job.id, %error, "worker.note.failed");
    }
}

async fn dispatch(app: App, job: Job) -> Result<Done, WorkError> {
    match job.queue.as_str() {
        TURN_QUEUE => turn::answer(&app, &job).await,
        SEND_QUEUE => send::send(&app, &job).await,
        ELEMENT_QUEUE => element::apply(&app, &job).await,
        INGEST_QUEUE => document::build(&app, &job).await,
        GATE_QUEUE => gate::judge(&app, &job).await,
        MODEL_QUEUE => model::switch(&app, &job).await,
        VECTOR_INDEX_QUEUE => vector_index::keep(&app, &job).await,
        RECALL_QUEUE => recall::audit(&app, &job).await,
        other => Err(WorkError::fatal(format!("no worker knows the queue {other}"))),
    }
}

/// Tells whoever waits for a dead job what became of it. Repeated until it is noted, so that no version stays "in
/// progress" and no customer without a word because the process died at the wrong moment.
async fn tell_of_the_dead(app: &App) {
    let untold = match app.store.untold_jobs().await {
        Ok(untold) => untold,
        Err(error) => return tracing::warn!(%error, "worker.untold.failed"),
    };
    for (job, reason) in untold {
        let told = match job.queue.as_str() {
            TURN_QUEUE => turn::give_up(app, &job).await,
            INGEST_QUEUE => document::give_up(app, &job, &reason).await,
            SEND_QUEUE => send::give_up(app, &job, &reason).await,
            GATE_QUEUE => gate::give_up(app, &job, &reason).await,
            MODEL_QUEUE => model::give_up(app, &job, &reason).await,
            _ => Ok(()),
        };
        let noted = match told {
            // what cannot be told because it no longer exists needs no telling
            Err(error) if error.retry => Err(error.message),
            _ => app
                .store
                .job_told(job.id)
                .await
                .map_err(|error| error.to_string()),
        };
        match noted {
            Ok(()) => tracing::error!(job = job.id, queue = job.queue, reason, "worker.job.dead"),
            Err(error) => tracing::warn!(job = job.id, error, "worker.tell.failed"),
        }
    }
}

/// A field of a job's payload.
fn field<T: serde::de::DeserializeOwned>(job: &Job, name: &str) -> Result<T, WorkError> {
    serde_json::from_value(job.payload[name].clone())
        .map_err(|error| WorkError::fatal(format!("job {} has no usable {name}: {error}", job.id)))
}
