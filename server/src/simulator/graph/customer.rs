//! The customers' side: what people write on their phones.

use serde_json::{Value, json};

use super::state::FakeEvent;
use super::{FakeGraph, wire};

/// Somebody who writes to the business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Phone number in digits; absent for people who only show a user name.
    pub phone: Option<String>,
    /// Business-scoped user id.
    pub user_id: Option<String>,
    /// Profile name.
    pub name: String,
}

impl Customer {
    /// Somebody who shows a phone number, with the user id that Meta would add to it.
    pub fn with_phone(phone: &str, name: &str) -> Self {
        let digits = phone.bytes().map(u64::from);
        let hash = digits.fold(7, |hash: u64, digit| {
            hash.wrapping_mul(1_000_003).wrapping_add(digit)
        });
        Self {
            phone: Some(phone.to_owned()),
            user_id: Some(format!("ZZ.{hash:020}")),
            name: name.to_owned(),
        }
    }

    /// Somebody who only shows a user name.
    pub fn with_user_id(user_id: &str, name: &str) -> Self {
        Self {
            phone: None,
            user_id: Some(user_id.to_owned()),
            name: name.to_owned(),
        }
    }

    /// Phone number, else user id.
    pub fn address(&self) -> &str {
        self.phone
            .as_deref()
            .or(self.user_id.as_deref())
            .unwrap_or_default()
    }

    pub(super) fn contact(&self) -> Value {
        let mut contact = json!({ "profile": { "name": self.name } });
        for (key, id) in [("wa_id", &self.phone), ("user_id", &self.user_id)] {
            if let Some(id) = id {
                contact[key] = json!(id);
            }
        }
        contact
    }
}

/// A message of a customer as it was posted.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) customer: Customer,
    pub(super) message: Value,
    /// The bytes that were posted.
    pub(super) body: Vec<u8>,
}

impl FakeGraph {
    /// A customer writes a text. It is posted to the webhook in the order of these calls, again and again while the
    /// webhook is down. Returns the message's identifier at once.
    pub fn customer_says(&self, phone: &str, name: &str, text: &str) -> String {
        let message = json!({ "type": "text", "text": { "body": text } });
        self.customer_sends(&Customer::with_phone(phone, name), message)
    }

    /// A customer sends a message of any type, given as its `type` and the object of that name.
    pub fn customer_sends(&self, customer: &Customer, mut message: Value) -> String {
        let (wamid, at) = (wire::wamid(), (self.shared.options.clock)());
        for (key, id) in [("from", &customer.phone), ("from_user_id", &customer.user_id)] {
            if let Some(id) = id {
                message[key] = json!(id);
            }
        }
        message["id"] = json!(wamid);
        message["timestamp"] = json!(at.timestamp().to_string());
        let kind = message["type"].as_str().unwrap_or_default();
        let text = message["text"]["body"].as_str().unwrap_or(kind).to_owned();
        let mut said = Said {
            customer: customer.clone(),
            message,
            body: Vec::new(),
        };
        said.body = wire::messages_body(&self.shared.options, std::slice::from_ref(&said));
        let body = said.body.clone();
        self.shared.state.customer_said(&wamid, said, text, at);
        self.shared.deliverer.queue(body);
        wamid
    }

    /// Posts the very bytes of an earlier message again, as Meta does when it missed our answer. False when there is
    /// no such message.
    pub fn post_again(&self, wamid: &str) -> bool {
        let said = self.shared.state.said(wamid);
        said.map(|said| self.shared.deliverer.queue(said.body)).is_some()
    }

    /// Posts earlier messages again, together in one new body. False when one of them does not exist.
    pub fn post_rebatched(&self, wamids: &[&str]) -> bool {
        let said: Option<Vec<Said>> = wamids.iter().map(|wamid| self.shared.state.said(wamid)).collect();
        let body = said.map(|said| wire::messages_body(&self.shared.options, &said));
        body.map(|body| self.shared.deliverer.queue(body)).is_some()
    }

    /// The chat with one customer so far, oldest first.
    pub fn chat(&self, customer: &str) -> Vec<FakeEvent> {
        let mut history = self.history();
        history.retain(|event| event.customer() == customer);
        history
    }
}

impl FakeEvent {
    /// Whom it concerns: the phone number, else the user id.
    pub fn customer(&self) -> &str {
        match self {
            Self::CustomerMessage { customer, .. }
            | Self::Read { customer, .. }
            | Self::Typing { customer, .. }
            | Self::BusinessMessage { customer, .. }
            | Self::Status { customer, .. } => customer,
        }
    }
}
