//! A local stand-in for Meta's Graph API and for the phones behind it.
//!
//! The demo and the tests talk to this one server. It speaks the real wire format on a loopback port of its own,
//! refuses what Meta refuses, and posts signed webhooks as Meta does: statuses of what was sent, messages of customers,
//! again and again while the webhook is down. So the program under it runs its production path unchanged; only the
//! address and the secrets differ. A [`Step`] script makes it misbehave on purpose.

mod customer;
mod deliver;
mod http;
mod script;
mod state;
mod statuses;
mod validate;
mod wire;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use plumbline_store::Secret;
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use customer::Customer;
pub use script::Step;
pub use state::{FakeEvent, Recorded};

use deliver::Deliverer;
use state::State;

/// How long after each other the statuses of a message come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusDelays {
    /// From acceptance to `sent`.
    pub sent: Duration,
    /// From `sent` to `delivered`.
    pub delivered: Duration,
    /// From `delivered` to `read`.
    pub read: Duration,
}

impl StatusDelays {
    /// All statuses as fast as the webhook takes them.
    pub const NONE: Self = Self {
        sent: Duration::ZERO,
        delivered: Duration::ZERO,
        read: Duration::ZERO,
    };
}

impl Default for StatusDelays {
    /// What a chat with a phone in somebody's hand feels like.
    fn default() -> Self {
        Self {
            sent: Duration::from_millis(150),
            delivered: Duration::from_millis(350),
            read: Duration::from_millis(900),
        }
    }
}

/// What the fake server must know.
#[derive(Debug, Clone)]
pub struct FakeGraphOptions {
    /// Where webhooks are posted.
    pub webhook_url: Url,
    /// Signs the webhooks.
    pub app_secret: Secret,
    /// The one business number.
    pub phone_number_id: String,
    /// The number as people see it.
    pub display_phone_number: String,
    /// The token that calls must carry.
    pub access_token: Secret,
    /// Pace of the statuses.
    pub status_delays: StatusDelays,
    /// Loopback port to listen on; 0 takes a free one.
    pub port: u16,
    /// How long a webhook is repeated before it is given up: Meta's seven days, compressed.
    pub patience: Duration,
    /// The time for timestamps.
    pub clock: fn() -> DateTime<Utc>,
}

impl FakeGraphOptions {
    /// Options with a free port, the pace of a real chat and the machine's clock.
    pub fn new(
        webhook_url: Url,
        app_secret: Secret,
        phone_number_id: impl Into<String>,
        access_token: Secret,
    ) -> Self {
        Self {
            webhook_url,
            app_secret,
            phone_number_id: phone_number_id.into(),
            display_phone_number: "15550783881".to_owned(),
            access_token,
            status_delays: StatusDelays::default(),
            port: 0,
            patience: Duration::from_mins(10),
            clock: machine_clock,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the default clock of the simulator; tests pass their own"
)]
fn machine_clock() -> DateTime<Utc> {
    Utc::now()
}

/// A running fake Graph server. Clones share it; it runs until [`FakeGraph::stop`] or the end of the process.
#[derive(Clone)]
pub struct FakeGraph {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What the HTTP handlers and the posting tasks share.
struct Shared {
    options: FakeGraphOptions,
    state: State,
    deliverer: Deliverer,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl FakeGraph {
    /// Starts listening on the loopback interface.
    ///
    /// # Errors
    /// When the port is taken, or this machine cannot make an HTTP client.
    ///
    /// # Panics
    /// When no rustls crypto provider was installed for the process.
    pub async fn start(options: FakeGraphOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
        let deliverer = Deliverer::start(&options, &tasks, &stopping).map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            options,
            state: State::new(),
            deliverer,
            tasks,
            stopping,
        });
        let stopped = shared.stopping.clone().cancelled_owned();
        let server = axum::serve(listener, http::router(shared.clone())).with_graceful_shutdown(stopped);
        shared.tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the fake Graph server ended");
            }
        });
        Ok(Self { address, shared })
    }

    /// The base URL to give to the Graph client.
    ///
    /// # Panics
    /// Never: every socket address makes a URL.
    pub fn base_url(&self) -> Url {
        Url::parse(&format!("http://{}", self.address)).expect("a socket address makes a URL")
    }

    /// The business messages that were accepted, oldest first, each with the statuses reported so far.
    pub fn messages(&self) -> Vec<Recorded> {
        self.shared.state.messages()
    }

    /// Everything that happened so far, oldest first, for a page that has just been opened.
    pub fn history(&self) -> Vec<FakeEvent> {
        self.shared.state.history()
    }

    /// Everything that happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<FakeEvent> {
        self.shared.state.subscribe()
    }

    /// Lets the next business messages meet these fates, one step each; afterwards all is well again.
    pub fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.shared.state.script(steps);
    }

    /// Waits until no webhook and no status is on its way.
    pub async fn settled(&self) {
        self.shared.deliverer.settled().await;
    }

    /// Stops listening and posting, and waits until that is done. What was not delivered is forgotten.
    pub async fn stop(&self) {
        self.shared.stopping.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}
