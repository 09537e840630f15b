//! Sessions of an inference library that serve side by side, one call each.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

/// Some sessions of one model.
pub(crate) struct Sessions<S> {
    idle: Mutex<Vec<S>>,
    free: Arc<Semaphore>,
}

impl<S: Send + 'static> Sessions<S> {
    pub(crate) fn new(idle: Vec<S>) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(idle.len()));
        Arc::new(Self {
            idle: Mutex::new(idle),
            free,
        })
    }

    /// Does `work` on an idle session, off the async threads; waits until one is idle.
    ///
    /// # Errors
    /// What `work` says, or that it panicked.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut S) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let permit = Arc::clone(&self.free)
            .acquire_owned()
            .await
            .map_err(|error| error.to_string())?;
        let sessions = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            // Held here, not by the caller: a caller that gives up must not free a session still at work.
            let _permit = permit;
            let taken = sessions.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut session) = taken else {
                return Err("no idle session".to_owned());
            };
            let done = work(&mut session);
            sessions
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(session);
            done
        });
        done.await.map_err(|error| error.to_string())?
    }
}
