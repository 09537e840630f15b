//! What a test can make go wrong.

use std::time::Duration;

/// The fate of one business message.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Accepted as usual.
    Accept,
    /// Refused with an error body.
    Refuse {
        /// HTTP status.
        status: u16,
        /// The platform's code.
        code: i32,
        /// Seconds in the `Retry-After` header.
        retry_after: Option<u32>,
    },
    /// Refused with an HTTP status and no body; nothing is sent.
    NoBody(u16),
    /// Accepted, delivered to the customer, but the connection breaks before the answer.
    AcceptThenDrop,
    /// The connection breaks and nothing is sent.
    Drop,
    /// Accepted at once, answered only after this time.
    Delay(Duration),
    /// Accepted; these statuses follow in this order, whether it makes sense or not.
    Statuses(Vec<&'static str>),
    /// Accepted; a `failed` status with this code follows.
    FailLater(i32),
    /// Accepted; all statuses are posted before the answer to the call.
    StatusesFirst,
}

impl Step {
    /// A refusal as Meta words it: 429 for rate limits, 401 for tokens, else 400.
    pub fn refuse(code: i32) -> Self {
        let status = match code {
            4 | 80_007 | 130_429 => 429,
            0 | 190 => 401,
            1 | 2 | 131_000 | 131_016 => 500,
            _ => 400,
        };
        Self::Refuse {
            status,
            code,
            retry_after: None,
        }
    }
}
