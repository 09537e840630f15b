//! Ctrl-C and SIGTERM.
//!
//! Whoever starts a private PostgreSQL has to stop it, and that happens when its handle is dropped. So a signal never
//! ends the program by itself: the first asks the command to end, the second drops what the command is at, and only a
//! third, should even that take too long, leaves everything as it is.

use std::process::ExitCode;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use plumbline_store::Store;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a program ended by Ctrl-C reports.
const INTERRUPTED: u8 = 130;
/// How long connections may take to come back before the program ends without them.
const CLOSING: Duration = Duration::from_secs(2);

/// Runs a command that ends by itself when its token is cancelled, which the first signal does. The second drops it.
pub(crate) fn gently<'a, C>(
    command: impl FnOnce(CancellationToken) -> C + 'a,
) -> LocalBoxFuture<'a, anyhow::Result<ExitCode>>
where
    C: Future<Output = anyhow::Result<ExitCode>> + 'a,
{
    Box::pin(async {
        let [asked, at_once] = on_signal()?;
        let ended = at_once.run_until_cancelled(command(asked)).await;
        ended.unwrap_or_else(|| Ok(interrupted()))
    })
}

/// Runs a command that knows nothing of signals: the first drops it.
pub(crate) fn promptly<'a>(
    command: impl Future<Output = anyhow::Result<ExitCode>> + 'a,
) -> LocalBoxFuture<'a, anyhow::Result<ExitCode>> {
    Box::pin(async {
        let [asked, _] = on_signal()?;
        let ended = asked.run_until_cancelled(command).await;
        ended.unwrap_or_else(|| Ok(interrupted()))
    })
}

/// Takes over Ctrl-C and SIGTERM from now on: each of the tokens is cancelled by one of them.
fn on_signal() -> std::io::Result<[CancellationToken; 2]> {
    let mut signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let steps = [CancellationToken::new(), CancellationToken::new()];
    let cancelled = steps.clone();
    tokio::spawn(async move {
        for step in cancelled {
            next(&mut signals).await;
            step.cancel();
        }
        next(&mut signals).await;
        std::process::exit(INTERRUPTED.into());
    });
    Ok(steps)
}

async fn next((interrupt, terminate): &mut (Signal, Signal)) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// The exit code of a command that did not come to its end.
pub(crate) fn interrupted() -> ExitCode {
    ExitCode::from(INTERRUPTED)
}

/// Closes the connections, without waiting for one that is in use.
pub(crate) async fn close(store: &Store) {
    if tokio::time::timeout(CLOSING, store.close()).await.is_err() {
        tracing::debug!("connections were still in use");
    }
}
