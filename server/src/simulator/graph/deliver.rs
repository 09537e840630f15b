//! Posting webhooks until they are taken.
//!
//! Customers' messages go through one lane, so that they arrive in the order of writing; the statuses of a message wait
//! for each other but for nothing else. Meta promises neither. The scripts and the re-posting of bodies are there to
//! break the order on purpose, where a test wants that.

use std::time::Duration;

use plumbline_store::Secret;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url, redirect};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::FakeGraphOptions;
use crate::whatsapp::signature;

/// First wait after a failed post; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// Longest wait between two posts.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Posts signed bodies to the webhook.
#[derive(Clone)]
pub(super) struct Deliverer {
    http: Client,
    webhook_url: Url,
    app_secret: Secret,
    patience: Duration,
    lane: mpsc::UnboundedSender<(Vec<u8>, Underway)>,
    underway: watch::Sender<usize>,
}

/// Counts as work on its way until it is dropped.
pub(super) struct Underway(watch::Sender<usize>);

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Deliverer {
    pub(super) fn start(
        options: &FakeGraphOptions,
        tasks: &TaskTracker,
        stopping: &CancellationToken,
    ) -> reqwest::Result<Self> {
        let http = Client::builder()
            .timeout(Duration::from_secs(10))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()?;
        let (lane, mut waiting) = mpsc::unbounded_channel();
        let deliverer = Self {
            http,
            webhook_url: options.webhook_url.clone(),
            app_secret: options.app_secret.clone(),
            patience: options.patience,
            lane,
            underway: watch::Sender::new(0),
        };
        let (worker, stopping) = (deliverer.clone(), stopping.clone());
        tasks.spawn(stopping.run_until_cancelled_owned(async move {
            while let Some((body, underway)) = waiting.recv().await {
                worker.post(&body).await;
                drop(underway);
            }
        }));
        Ok(deliverer)
    }

    /// Puts a body into the lane of customers' messages.
    pub(super) fn queue(&self, body: Vec<u8>) {
        // it fails when the server has been stopped, and then nothing is delivered any more
        let _ = self.lane.send((body, self.begin()));
    }

    /// Notes that something is on its way.
    pub(super) fn begin(&self) -> Underway {
        self.underway.send_modify(|count| *count += 1);
        Underway(self.underway.clone())
    }

    /// Waits until nothing is on its way.
    pub(super) async fn settled(&self) {
        // it fails when the sender is gone, but this very value holds one
        let _ = self.underway.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Posts a body until the webhook answers with success or patience ends.
    pub(super) async fn post(&self, body: &[u8]) {
        let (begun, mut wait) = (Instant::now(), FIRST_WAIT);
        let signature = signature::sign(self.app_secret.expose().as_bytes(), body);
        loop {
            let request = self
                .http
                .post(self.webhook_url.clone())
                .header(CONTENT_TYPE, "application/json");
            let outcome = match request
                .header(signature::HEADER, &signature)
                .body(body.to_vec())
                .send()
                .await
            {
                Ok(response) if response.status().is_success() => return,
                Ok(response) => format!("HTTP {}", response.status()),
                Err(error) => error.to_string(),
            };
            if begun.elapsed() + wait > self.patience {
                tracing::warn!(outcome, "a webhook was given up");
                return;
            }
            tracing::debug!(outcome, "a webhook will be posted again");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}
