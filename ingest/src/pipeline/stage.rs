//! One build's place in the store: its stage, its progress, its deadlines, and whether somebody wants it to stop.

use std::future::Future;
use std::time::Duration;

use plumbline_store::{Store, StoreError, VersionState};
use tokio::sync::watch;
use uuid::Uuid;

use super::{BuildError, Progress};

/// How often a build looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(300);

/// How often the progress of a long stage is written.
const NOTE: Duration = Duration::from_millis(400);

/// A version that is being built, and who watches.
pub(super) struct Stage<'a> {
    pub(super) store: &'a Store,
    pub(super) tenant: Uuid,
    pub(super) version: Uuid,
    pub(super) progress: &'a (dyn Fn(Progress) + Sync),
}

/// Tells how far a stage is, from anywhere, without waiting.
pub(super) type Teller = watch::Sender<(usize, usize)>;

/// A teller of nothing yet.
pub(super) fn teller() -> Teller {
    watch::channel((0, 0)).0
}

impl Stage<'_> {
    /// Records the beginning of a stage.
    ///
    /// # Errors
    /// [`BuildError::Cancelled`] when the version has ended.
    pub(super) async fn begin(&self, state: VersionState, total: usize) -> Result<(), BuildError> {
        let mut tx = self.store.tenant(self.tenant).await?;
        let begun = tx.begin_stage(self.version, state, db(total)).await?;
        tx.commit().await?;
        if !begun {
            return Err(BuildError::Cancelled);
        }
        self.tell(state, 0, total);
        Ok(())
    }

    pub(super) fn tell(&self, state: VersionState, done: usize, total: usize) {
        (self.progress)(Progress { state, done, total });
    }

    /// Runs a stage under its deadline; what it tells `teller` is written and shown while it runs.
    ///
    /// # Errors
    /// [`BuildError::Deadline`] when it does not end in time.
    pub(super) async fn run<T>(
        &self,
        state: VersionState,
        limit: Duration,
        teller: &Teller,
        work: impl Future<Output = Result<T, BuildError>>,
    ) -> Result<T, BuildError> {
        let told = teller.subscribe();
        // Stages are large: on the heap they cost the futures around them nothing.
        let work = Box::pin(work);
        let timed = async {
            tokio::time::timeout(limit, work)
                .await
                .unwrap_or(Err(BuildError::Deadline { stage: state, limit }))
        };
        tokio::select! {
            biased;
            done = timed => done,
            never = self.note(state, told) => never,
        }
    }

    /// Writes what is told until the stage ends.
    async fn note<T>(&self, state: VersionState, mut told: watch::Receiver<(usize, usize)>) -> T {
        loop {
            if told.changed().await.is_err() {
                return std::future::pending().await;
            }
            let (done, total) = *told.borrow_and_update();
            self.tell(state, done, total);
            // A note that cannot be written is no reason to stop the work.
            if let Err(error) = self.write(done, total).await {
                tracing::debug!(version = %self.version, %error, "ingest.progress.unwritten");
            }
            tokio::time::sleep(NOTE).await;
        }
    }

    async fn write(&self, done: usize, total: usize) -> Result<(), StoreError> {
        let mut tx = self.store.tenant(self.tenant).await?;
        tx.stage_progress(self.version, db(done), db(total)).await?;
        tx.commit().await
    }

    /// Ends when a person cancelled the version or deleted its document.
    pub(super) async fn cancelled(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Ok(None | Some(VersionState::Cancelled)) = self.state().await {
                return;
            }
        }
    }

    async fn state(&self) -> Result<Option<VersionState>, StoreError> {
        let mut tx = self.store.tenant(self.tenant).await?;
        let state = tx.version_state(self.version).await?;
        tx.commit().await?;
        Ok(state)
    }
}

fn db(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
