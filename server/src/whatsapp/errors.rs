//! What an error of the Graph API means for the part that was being sent.
//!
//! The platform has dozens of codes; the sender has six things it can do. The table below maps one to the other. Only
//! the code decides: titles and subcodes are deprecated, and the HTTP status is a fallback for answers without a code.
//! Where a request may have been carried out although no answer says so, the outcome is [`Disposition::Ambiguous`] and
//! never "failed": sending again could reach the customer twice.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

/// What to do about a send that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// It was not sent. Try again later; everything else on the number slows down too.
    RetryAfterBackoff,
    /// It was not sent because this customer got too many messages. Others are not affected.
    RetryThisRecipient,
    /// Nothing can be sent on this number until a person mends it: keep what waits.
    Park,
    /// The customer's last message is more than 24 hours old: only an approved template may be sent.
    NeedsTemplate,
    /// It will never be sent as it is.
    Permanent,
    /// It may have been sent. Only a status, or the lack of one after a while, can tell.
    Ambiguous,
}

/// One row of the table: codes from `first` to `last`.
struct Rule {
    first: i32,
    last: i32,
    disposition: Disposition,
    meaning: &'static str,
}

const fn one(code: i32, disposition: Disposition, meaning: &'static str) -> Rule {
    range(code, code, disposition, meaning)
}

const fn range(first: i32, last: i32, disposition: Disposition, meaning: &'static str) -> Rule {
    Rule {
        first,
        last,
        disposition,
        meaning,
    }
}

use Disposition::{NeedsTemplate, Park, Permanent, RetryAfterBackoff, RetryThisRecipient};

const RULES: &[Rule] = &[
    one(0, Park, "the access token was not accepted"),
    one(1, RetryAfterBackoff, "the platform had an unknown problem"),
    one(
        2,
        RetryAfterBackoff,
        "the platform is not available for the moment",
    ),
    one(3, Park, "the app may not use this function"),
    one(4, RetryAfterBackoff, "the app made too many calls"),
    one(10, Park, "the app lacks a permission"),
    one(33, Permanent, "the business number was deleted"),
    one(100, Permanent, "a parameter is wrong or the number is unknown"),
    one(190, Park, "the access token has expired"),
    range(200, 299, Park, "the app lacks a permission"),
    one(368, Park, "the account is blocked for a policy violation"),
    one(80_007, RetryAfterBackoff, "the account reached its rate limit"),
    one(130_429, RetryAfterBackoff, "the number reached its message rate"),
    one(
        130_472,
        Permanent,
        "the customer is part of an experiment and does not get this message",
    ),
    one(130_497, Permanent, "the account may not send to this country"),
    one(131_000, RetryAfterBackoff, "the platform had an unknown problem"),
    one(131_008, Permanent, "a required parameter is missing"),
    one(131_009, Permanent, "a parameter has a wrong value"),
    one(
        131_016,
        RetryAfterBackoff,
        "the platform's service is not available for the moment",
    ),
    one(
        131_026,
        Permanent,
        "the message cannot be delivered to this customer",
    ),
    one(131_031, Park, "the account is locked"),
    one(131_042, Park, "the account's payment method has a problem"),
    one(
        131_047,
        NeedsTemplate,
        "more than 24 hours have passed since the customer's last message",
    ),
    one(
        131_048,
        Permanent,
        "too many messages of this number were reported as spam",
    ),
    one(
        131_049,
        Permanent,
        "the platform held the message back for the customer's sake",
    ),
    one(131_050, Permanent, "the customer stopped marketing messages"),
    one(131_051, Permanent, "this type of message is not supported"),
    one(131_052, Permanent, "the customer's file cannot be downloaded"),
    one(131_053, Permanent, "the file cannot be uploaded"),
    one(
        131_056,
        RetryThisRecipient,
        "too many messages to this customer in a short time",
    ),
    one(131_057, RetryAfterBackoff, "the account is in maintenance"),
    one(
        131_062,
        Permanent,
        "this message cannot be sent to a user id, only to a phone number",
    ),
    one(
        131_064,
        Permanent,
        "the platform limits this class of message for the customer",
    ),
    range(
        132_000,
        132_999,
        Permanent,
        "the template does not fit or may not be used",
    ),
];

fn rule(code: i32) -> Option<&'static Rule> {
    RULES.iter().find(|rule| (rule.first..=rule.last).contains(&code))
}

/// What a code of the platform means, in words for a person, if it is known.
pub fn meaning(code: i32) -> Option<&'static str> {
    rule(code).map(|rule| rule.meaning)
}

/// What to do about an answer with this HTTP status and, if its body named one, this code.
pub fn disposition(status: StatusCode, code: Option<i32>) -> Disposition {
    if let Some(rule) = code.and_then(rule) {
        return rule.disposition;
    }
    match status.as_u16() {
        // The API never redirects, so the address is wrong for every message.
        300..=399 | 401 | 403 => Park,
        429 => RetryAfterBackoff,
        400..=407 | 409..=499 => Permanent,
        // Accepted without an answer that can be read, or a gateway or the platform gave up somewhere on the way:
        // nobody says whether before or after sending.
        _ => Disposition::Ambiguous,
    }
}

/// Longest wait that is honoured; a header can claim anything.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// A send that did not succeed, or whose outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", code.map(|code| format!("code {code}: ")).unwrap_or_default())]
pub struct SendError {
    /// What to do about it.
    pub disposition: Disposition,
    /// The platform's code, if it gave one.
    pub code: Option<i32>,
    /// What happened, in words for a person. Never contains the access token.
    pub message: String,
    /// How long the platform asked to wait.
    pub retry_after: Option<Duration>,
}

impl SendError {
    /// The request did not leave this machine.
    pub(super) fn not_sent(message: String) -> Self {
        Self {
            disposition: Disposition::RetryAfterBackoff,
            code: None,
            message,
            retry_after: None,
        }
    }

    /// The request left, and nothing readable came back.
    pub(super) fn ambiguous(message: String) -> Self {
        Self {
            disposition: Disposition::Ambiguous,
            code: None,
            message,
            retry_after: None,
        }
    }

    /// An answer other than success.
    pub(super) fn answered(status: StatusCode, retry_after: Option<&str>, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = &body["error"];
        let code = error["code"].as_i64().and_then(|code| i32::try_from(code).ok());
        Self {
            disposition: disposition(status, code),
            code,
            message: message(status, code, error),
            retry_after: retry_after.and_then(wait_of_header),
        }
    }

    /// How long to wait before the next attempt, where that is prescribed: what the platform asked for, else 4^X
    /// seconds after the X-th refusal for one recipient. `earlier` counts the attempts before this one.
    pub fn wait(&self, earlier: u32) -> Option<Duration> {
        let pair_wait = || Duration::from_secs(4_u64.saturating_pow(earlier)).min(LONGEST_WAIT);
        match self.disposition {
            Disposition::RetryThisRecipient => Some(self.retry_after.unwrap_or_else(pair_wait)),
            _ => self.retry_after,
        }
    }
}

fn message(status: StatusCode, code: Option<i32>, error: &Value) -> String {
    let said = error["message"].as_str().unwrap_or_default();
    let details = error["error_data"]["details"].as_str().unwrap_or_default();
    let meaning = code.and_then(meaning).unwrap_or_default();
    let mut parts = Vec::new();
    for part in [meaning, said, details] {
        if !part.is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    }
    if parts.is_empty() {
        format!("the platform answered with HTTP {}", status.as_u16())
    } else {
        parts.join("; ")
    }
}

/// Seconds only: the date form would need a clock, and the platform does not use it.
fn wait_of_header(header: &str) -> Option<Duration> {
    header
        .trim()
        .parse()
        .ok()
        .map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::Disposition::*;
    use super::*;

    #[test]
    fn codes_decide_whatever_the_http_status() {
        let table: &[(Disposition, &[i32])] = &[
            (Park, &[0, 190, 3, 10, 200, 250, 299, 368, 131_031, 131_042]),
            (
                RetryAfterBackoff,
                &[4, 80_007, 130_429, 131_000, 131_016, 131_057, 1, 2],
            ),
            (RetryThisRecipient, &[131_056]),
            (NeedsTemplate, &[131_047]),
            (
                Permanent,
                &[
                    131_048, 131_049, 130_472, 131_050, 131_064, 131_026, 131_051, 131_052, 131_053,
                ],
            ),
            (Permanent, &[131_008, 131_009, 100, 33, 131_062]),
            (
                Permanent,
                &[
                    132_000, 132_001, 132_005, 132_007, 132_012, 132_015, 132_016, 132_068, 132_069,
                ],
            ),
        ];
        for (expected, codes) in table {
            for &code in *codes {
                for status in [400, 401, 429, 500] {
                    let status = StatusCode::from_u16(status).unwrap();
                    assert_eq!(
                        disposition(status, Some(code)),
                        *expected,
                        "code {code}, HTTP {status}"
                    );
                }
                assert!(meaning(code).is_some());
            }
        }
    }

    #[test]
    fn without_a_known_code_the_http_status_decides() {
        let table = [
            (200, Ambiguous),
            (302, Park),
            (400, Permanent),
            (401, Park),
            (403, Park),
            (404, Permanent),
            (408, Ambiguous),
            (429, RetryAfterBackoff),
            (500, Ambiguous),
            (502, Ambiguous),
            (503, Ambiguous),
            (504, Ambiguous),
        ];
        for (status, expected) in table {
            for code in [None, Some(987_654)] {
                assert_eq!(
                    disposition(StatusCode::from_u16(status).unwrap(), code),
                    expected,
                    "HTTP {status} {code:?}"
                );
            }
        }
    }

    #[test]
    fn the_table_is_sorted_and_names_each_code_once() {
        assert!(RULES.iter().all(|rule| rule.first <= rule.last));
        assert!(RULES.windows(2).all(|pair| pair[0].last < pair[1].first));
    }

    #[test]
    fn an_answer_is_read_into_code_words_and_wait() {
        let body = br#"{"error":{"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429,
            "error_data":{"messaging_product":"whatsapp","details":"Message throughput reached"},"fbtrace_id":"A"}}"#;
        let error = SendError::answered(StatusCode::TOO_MANY_REQUESTS, Some("7"), body);
        assert_eq!(error.disposition, RetryAfterBackoff);
        assert_eq!(error.code, Some(130_429));
        assert_eq!(error.wait(0), Some(Duration::from_secs(7)));
        let words = "code 130429: the number reached its message rate; (#130429) Rate limit hit; Message throughput reached";
        assert_eq!(error.to_string(), words);
    }

    #[test]
    fn answers_that_are_no_error_object_are_still_answers() {
        for body in [
            &b""[..],
            b"<html>",
            b"[]",
            b"7",
            b"{\"error\":\"no\"}",
            b"{\"error\":{\"code\":99999999999}}",
        ] {
            let error = SendError::answered(StatusCode::BAD_GATEWAY, None, body);
            assert_eq!((error.disposition, error.code), (Ambiguous, None));
            assert_eq!(error.to_string(), "the platform answered with HTTP 502");
        }
    }

    #[test]
    fn waits_are_read_and_bounded() {
        let wait = |header| SendError::answered(StatusCode::TOO_MANY_REQUESTS, Some(header), b"").wait(3);
        assert_eq!(wait(" 30 "), Some(Duration::from_secs(30)));
        assert_eq!(wait("99999999999"), Some(LONGEST_WAIT));
        assert_eq!(wait("-1"), None);
        assert_eq!(wait("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }

    #[test]
    fn the_pair_limit_waits_in_powers_of_four() {
        let error = SendError::answered(StatusCode::BAD_REQUEST, None, br#"{"error":{"code":131056}}"#);
        let waits: Vec<u64> = (0..8)
            .map(|earlier| error.wait(earlier).unwrap().as_secs())
            .collect();
        assert_eq!(waits, [1, 4, 16, 64, 256, 1024, 3600, 3600]);
    }
}
