//! What happened: messages, events for the page, and the script.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast;

use super::customer::{Customer, Said};
use super::script::Step;

/// Events kept for pages that open later.
const HISTORY: usize = 5_000;
/// Events that a slow page may lag behind.
const BACKLOG: usize = 512;

/// A business message that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Identifier given to it.
    pub wamid: String,
    /// The customer as in [`FakeEvent`]: the phone number where it is known, else the user id.
    pub customer: String,
    /// Its text; empty for other types.
    pub text: String,
    /// The message that it quotes.
    pub reply_to: Option<String>,
    /// What the sender wants back in statuses.
    pub callback: Option<String>,
    /// The body of the call.
    pub payload: Value,
    /// When it was accepted.
    pub at: DateTime<Utc>,
    /// Statuses posted so far, in the order of posting.
    pub statuses: Vec<String>,
}

/// Something that a person who watches both phones would see.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FakeEvent {
    /// A customer wrote.
    CustomerMessage {
        /// Phone number, else user id.
        customer: String,
        /// Profile name.
        name: String,
        /// Identifier of the message.
        wamid: String,
        /// Its text; for other types the name of the type.
        text: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// The business has read a customer's message.
    Read {
        /// Phone number, else user id.
        customer: String,
        /// Identifier of the message.
        wamid: String,
    },
    /// The business is writing; the sign vanishes with the next message or after 25 seconds.
    Typing {
        /// Phone number, else user id.
        customer: String,
        /// Identifier of the message it reacts to.
        wamid: String,
    },
    /// The business wrote.
    BusinessMessage {
        /// Phone number, else user id.
        customer: String,
        /// Identifier of the message.
        wamid: String,
        /// Its text.
        text: String,
        /// The message that it quotes.
        reply_to: Option<String>,
        /// Callback data: the id of the outbox part.
        callback: Option<String>,
        /// When.
        at: DateTime<Utc>,
    },
    /// A business message got further.
    Status {
        /// Phone number, else user id.
        customer: String,
        /// Identifier of the message.
        wamid: String,
        /// `sent`, `delivered`, `read` or `failed`.
        status: String,
        /// When.
        at: DateTime<Utc>,
    },
}

#[derive(Default)]
struct Inner {
    messages: Vec<Recorded>,
    said: HashMap<String, Said>,
    /// Phone numbers of customers by user id.
    phones: HashMap<String, String>,
    history: VecDeque<FakeEvent>,
    script: VecDeque<Step>,
}

/// All that the fake server remembers.
pub(super) struct State {
    inner: Mutex<Inner>,
    events: broadcast::Sender<FakeEvent>,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            inner: Mutex::default(),
            events: broadcast::channel(BACKLOG).0,
        }
    }

    /// The lock is held for moments only and no code under it can panic half-way, so poison means nothing.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<FakeEvent> {
        self.events.subscribe()
    }

    pub(super) fn messages(&self) -> Vec<Recorded> {
        self.lock().messages.clone()
    }

    pub(super) fn history(&self) -> Vec<FakeEvent> {
        self.lock().history.iter().cloned().collect()
    }

    pub(super) fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.lock().script.extend(steps);
    }

    pub(super) fn next_step(&self) -> Step {
        self.lock().script.pop_front().unwrap_or(Step::Accept)
    }

    /// The customer's name in events: the phone number behind a user id, where it is known.
    pub(super) fn customer_named(&self, address: &str) -> String {
        self.lock()
            .phones
            .get(address)
            .cloned()
            .unwrap_or_else(|| address.to_owned())
    }

    /// Whether and by whom a message was written.
    pub(super) fn said(&self, wamid: &str) -> Option<Said> {
        self.lock().said.get(wamid).cloned()
    }

    pub(super) fn customer_said(&self, wamid: &str, said: Said, text: String, at: DateTime<Utc>) {
        let customer: &Customer = &said.customer;
        let event = FakeEvent::CustomerMessage {
            customer: customer.address().to_owned(),
            name: customer.name.clone(),
            wamid: wamid.to_owned(),
            text,
            at,
        };
        let mut inner = self.lock();
        if let (Some(phone), Some(user_id)) = (&customer.phone, &customer.user_id) {
            inner.phones.insert(user_id.clone(), phone.clone());
        }
        inner.said.insert(wamid.to_owned(), said);
        self.tell(inner, event);
    }

    pub(super) fn business_said(&self, message: Recorded) {
        let event = FakeEvent::BusinessMessage {
            customer: message.customer.clone(),
            wamid: message.wamid.clone(),
            text: message.text.clone(),
            reply_to: message.reply_to.clone(),
            callback: message.callback.clone(),
            at: message.at,
        };
        let mut inner = self.lock();
        inner.messages.push(message);
        self.tell(inner, event);
    }

    pub(super) fn status(&self, wamid: &str, status: &str, at: DateTime<Utc>) {
        let mut inner = self.lock();
        let Some(message) = inner.messages.iter_mut().find(|message| message.wamid == wamid) else {
            return;
        };
        message.statuses.push(status.to_owned());
        let customer = message.customer.clone();
        let event = FakeEvent::Status {
            customer,
            wamid: wamid.to_owned(),
            status: status.to_owned(),
            at,
        };
        self.tell(inner, event);
    }

    /// Notes that the business read a customer's message, and whether it is writing.
    pub(super) fn read(&self, wamid: &str, customer: &str, typing: bool) {
        let (wamid, customer) = (wamid.to_owned(), customer.to_owned());
        self.tell(
            self.lock(),
            FakeEvent::Read {
                customer: customer.clone(),
                wamid: wamid.clone(),
            },
        );
        if typing {
            // no page that opens later should show it, so it is not history
            let _ = self.events.send(FakeEvent::Typing { customer, wamid });
        }
    }

    /// Remembers and tells in one step, so that the history and the stream have one order.
    fn tell(&self, mut inner: MutexGuard<'_, Inner>, event: FakeEvent) {
        if inner.history.len() == HISTORY {
            inner.history.pop_front();
        }
        inner.history.push_back(event.clone());
        // it fails when nobody listens, which is fine
        let _ = self.events.send(event);
    }
}
