//! The client of Meta's Graph API: text, read receipts and the typing indicator.
//!
//! It tries once and says what happened; when to try again is the queue's business. The line it draws with care is the
//! one between "not sent" and "perhaps sent": a connection that was never made is a plain failure, whatever breaks
//! after that is ambiguous.

use std::time::Duration;

use plumbline_store::{Aliases, Secret};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Url, redirect};
use serde_json::{Value, json};

use super::errors::SendError;

/// Time for one call, from connecting to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Time for connecting alone; shorter than [`TIMEOUT`], so that a host that is down counts as "not sent".
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The HTTP client for calls to `base_url`: no redirects, since they would carry the message and the token elsewhere,
/// and no proxy on the way to this very machine.
///
/// # Errors
/// When the TLS settings of this machine cannot be used.
///
/// # Panics
/// When no rustls crypto provider was installed for the process.
pub fn http_client(base_url: &Url) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .user_agent(concat!("plumbline/", env!("CARGO_PKG_VERSION")))
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none());
    let local = matches!(base_url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if local {
        builder.no_proxy().build()
    } else {
        builder.build()
    }
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// A phone number in digits.
    Phone(String),
    /// A business-scoped user id, for customers who do not show their number.
    UserId(String),
}

impl Recipient {
    /// The phone number of a contact, else the user id, if either is known.
    pub fn of(aliases: &Aliases) -> Option<Self> {
        let phone = aliases.phone.clone().map(Self::Phone);
        phone.or_else(|| aliases.user_id.clone().map(Self::UserId))
    }
}

/// The platform took a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The message's identifier; its statuses name it.
    pub wamid: String,
}

/// Sends for the numbers that one access token covers.
#[derive(Debug, Clone)]
pub struct GraphClient {
    http: Client,
    base_url: Url,
    version: String,
    access_token: Secret,
    timeout: Duration,
}

impl GraphClient {
    /// A client for `base_url` (`https://graph.facebook.com`, or the simulator's) at an API version such as `v23.0`.
    /// `http` is best made by [`http_client`].
    pub fn new(http: Client, base_url: Url, version: impl Into<String>, access_token: Secret) -> Self {
        Self {
            http,
            base_url,
            version: version.into(),
            access_token,
            timeout: TIMEOUT,
        }
    }

    /// The same client with another limit for one call than ten seconds.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends a text. `callback` comes back in every status of the message; `reply_to` quotes an earlier message.
    ///
    /// # Errors
    /// [`SendError`] says whether the text may have been sent nevertheless, and what to do.
    pub async fn send_text(
        &self,
        phone_number_id: &str,
        to: &Recipient,
        body: &str,
        callback: &str,
        reply_to: Option<&str>,
    ) -> Result<Accepted, SendError> {
        let message = text_message(to, body, callback, reply_to);
        let answer = self.post(phone_number_id, &message).await?;
        match answer["messages"][0]["id"].as_str() {
            Some(wamid) if !wamid.is_empty() => Ok(Accepted {
                wamid: wamid.to_owned(),
            }),
            _ => Err(SendError::ambiguous(
                "the platform accepted the message without naming it".to_owned(),
            )),
        }
    }

    /// Marks a customer's message (and all before it) as read and shows that a reply is being written. The indicator
    /// vanishes with the reply, or after 25 seconds.
    ///
    /// # Errors
    /// [`SendError`]; nothing depends on the call, so a failure is only worth a log line.
    pub async fn mark_read_and_typing(&self, phone_number_id: &str, wamid: &str) -> Result<(), SendError> {
        let receipt = json!({
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": wamid,
            "typing_indicator": { "type": "text" },
        });
        self.post(phone_number_id, &receipt).await.map(drop)
    }

    async fn post(&self, phone_number_id: &str, body: &Value) -> Result<Value, SendError> {
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .map_err(|()| SendError::not_sent(format!("{} is no address of a web service", self.base_url)))?
            .pop_if_empty()
            .extend([&self.version, phone_number_id, "messages"]);
        let request = self
            .http
            .post(url)
            .bearer_auth(self.access_token.expose())
            .timeout(self.timeout)
            .json(body);
        let response = request.send().await.map_err(|error| self.broken(error))?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let bytes = response.bytes().await;
        if !status.is_success() {
            let error = SendError::answered(status, retry_after.as_deref(), &bytes.unwrap_or_default());
            return Err(self.redacted(error));
        }
        let bytes = bytes.map_err(|error| self.broken(error))?;
        serde_json::from_slice(&bytes).map_err(|_| {
            SendError::ambiguous("the platform accepted the call with an unreadable answer".to_owned())
        })
    }

    /// A call that ended without an answer.
    fn broken(&self, error: reqwest::Error) -> SendError {
        let never_left = error.is_connect() || error.is_builder();
        let error = error.without_url();
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let words = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        self.redacted(if never_left {
            SendError::not_sent(words)
        } else {
            SendError::ambiguous(words)
        })
    }

    /// The platform quotes a malformed token in its complaint about it.
    fn redacted(&self, mut error: SendError) -> SendError {
        let token = self.access_token.expose();
        if !token.is_empty() {
            error.message = error.message.replace(token, "…");
        }
        error
    }
}

fn text_message(to: &Recipient, body: &str, callback: &str, reply_to: Option<&str>) -> Value {
    let mut message = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "type": "text",
        "text": { "body": body, "preview_url": false },
        "biz_opaque_callback_data": callback,
    });
    match to {
        Recipient::Phone(phone) => message["to"] = json!(phone),
        Recipient::UserId(user_id) => message["recipient"] = json!(user_id),
    }
    if let Some(wamid) = reply_to {
        message["context"] = json!({ "message_id": wamid });
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_preferred_to_a_user_id() {
        let both = Aliases {
            phone: Some("15550001".into()),
            user_id: Some("US.1".into()),
            parent_user_id: None,
        };
        assert_eq!(Recipient::of(&both), Some(Recipient::Phone("15550001".into())));
        assert_eq!(
            Recipient::of(&Aliases { phone: None, ..both }),
            Some(Recipient::UserId("US.1".into()))
        );
        assert_eq!(Recipient::of(&Aliases::default()), None);
    }

    #[test]
    fn a_text_has_the_documented_form() {
        let message = text_message(
            &Recipient::Phone("15550001".into()),
            "Hello",
            "part-1",
            Some("wamid.A"),
        );
        let expected = json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "15550001", "type": "text",
            "text": { "body": "Hello", "preview_url": false }, "context": { "message_id": "wamid.A" },
            "biz_opaque_callback_data": "part-1",
        });
        assert_eq!(message, expected);
        let message = text_message(&Recipient::UserId("US.1".into()), "Hello", "part-1", None);
        assert_eq!(
            (
                message["recipient"].as_str(),
                message.get("to"),
                message.get("context")
            ),
            (Some("US.1"), None, None)
        );
    }
}
