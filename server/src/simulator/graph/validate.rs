//! What Meta refuses, and in which words.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde_json::Value;

use super::wire;

/// Longest text of a message, in characters.
const LONGEST_TEXT: usize = 4_096;
/// Longest callback data, in characters.
const LONGEST_CALLBACK: usize = 512;
/// Types of messages, each with an object of its name.
const TYPES: [&str; 11] = [
    "audio",
    "contacts",
    "document",
    "image",
    "interactive",
    "location",
    "reaction",
    "sticker",
    "template",
    "text",
    "video",
];

/// A refusal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: i32,
    subcode: Option<i32>,
    message: String,
    details: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, code: i32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            subcode: None,
            message: message.into(),
            details: None,
        }
    }

    fn parameter(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 100, format!("(#100) {message}"))
    }

    fn missing(details: &str) -> Self {
        let refusal = Self::new(
            StatusCode::BAD_REQUEST,
            131_008,
            "(#131008) Required parameter is missing",
        );
        Self {
            details: Some(details.to_owned()),
            ..refusal
        }
    }

    fn wrong_value(details: &str) -> Self {
        let refusal = Self::new(
            StatusCode::BAD_REQUEST,
            131_009,
            "(#131009) Parameter value is not valid",
        );
        Self {
            details: Some(details.to_owned()),
            ..refusal
        }
    }

    /// A scripted refusal.
    pub(super) fn scripted(status: StatusCode, code: i32) -> Self {
        let words = crate::whatsapp::errors::meaning(code).unwrap_or("an error");
        let refusal = Self::new(status, code, format!("(#{code}) {words}"));
        Self {
            details: Some(words.to_owned()),
            ..refusal
        }
    }

    pub(super) fn bad_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            190,
            "Invalid OAuth access token - Cannot parse access token",
        )
    }

    pub(super) fn unknown_object(id: &str) -> Self {
        let words = format!("Unsupported post request. Object with ID '{id}' does not exist");
        Self {
            subcode: Some(33),
            ..Self::new(StatusCode::BAD_REQUEST, 100, words)
        }
    }

    pub(super) fn unknown_path() -> Self {
        Self::new(StatusCode::BAD_REQUEST, 2_500, "Unknown path components")
    }

    pub(super) fn no_json() -> Self {
        Self::parameter("The request body is not valid JSON")
    }

    pub(super) fn unknown_message() -> Self {
        Self::wrong_value("Message id is not a message of this number")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = wire::error(self.code, self.subcode, &self.message, self.details.as_deref());
        (self.status, Json(body)).into_response()
    }
}

/// Checks what every call has in common.
pub(super) fn product(body: &Value) -> Result<(), Refusal> {
    match body["messaging_product"].as_str() {
        Some("whatsapp") => Ok(()),
        Some(_) => Err(Refusal::parameter(
            "Param messaging_product must be one of {WHATSAPP}",
        )),
        None => Err(Refusal::parameter("The parameter messaging_product is required.")),
    }
}

/// The id in a read receipt.
pub(super) fn receipt(body: &Value) -> Result<&str, Refusal> {
    let typing = &body["typing_indicator"];
    if !typing.is_null() && typing["type"] != "text" {
        return Err(Refusal::parameter(
            "Param typing_indicator['type'] must be one of {TEXT}",
        ));
    }
    match body["status"].as_str() {
        Some("read") => body["message_id"]
            .as_str()
            .ok_or_else(|| Refusal::parameter("The parameter message_id is required.")),
        _ => Err(Refusal::parameter("Param status must be one of {READ}")),
    }
}

/// The address of a message that can be sent.
pub(super) fn message(body: &Value) -> Result<&str, Refusal> {
    let address = recipient(body)?;
    let kind = match &body["type"] {
        Value::Null => "text",
        Value::String(kind) if TYPES.contains(&kind.as_str()) => kind,
        _ => {
            return Err(Refusal::parameter(&format!(
                "Param type must be one of {{{}}}",
                TYPES.join(", ")
            )));
        }
    };
    if body[kind].is_null() {
        return Err(Refusal::missing(&format!(
            "Parameter '{kind}' is mandatory for type '{kind}'"
        )));
    }
    if kind == "text" {
        text(&body["text"])?;
    }
    optional_text(
        &body["biz_opaque_callback_data"],
        "biz_opaque_callback_data",
        LONGEST_CALLBACK,
    )?;
    if !body["context"].is_null() && body["context"]["message_id"].as_str().is_none_or(str::is_empty) {
        return Err(Refusal::wrong_value(
            "Param context['message_id'] must be a message id",
        ));
    }
    Ok(address)
}

fn recipient(body: &Value) -> Result<&str, Refusal> {
    if !body["recipient_type"].is_null() && body["recipient_type"] != "individual" {
        return Err(Refusal::parameter(
            "Param recipient_type must be one of {INDIVIDUAL}",
        ));
    }
    match (&body["to"], &body["recipient"]) {
        (Value::Null, Value::Null) => Err(Refusal::parameter("The parameter to is required.")),
        (Value::Null, Value::String(user_id)) if !user_id.is_empty() => Ok(user_id),
        (Value::String(phone), _) if is_phone(phone) => Ok(phone),
        _ => Err(Refusal::wrong_value(
            "Recipient is not a phone number or a user id",
        )),
    }
}

fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (5..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn text(text: &Value) -> Result<(), Refusal> {
    if text["body"].as_str().is_none_or(|body| body.trim().is_empty()) {
        return Err(Refusal::missing("Parameter 'body' is mandatory for type 'text'"));
    }
    optional_text(&text["body"], "text['body']", LONGEST_TEXT)
}

fn optional_text(value: &Value, name: &str, longest: usize) -> Result<(), Refusal> {
    match value {
        Value::Null => Ok(()),
        Value::String(text) if text.chars().count() <= longest => Ok(()),
        Value::String(_) => Err(Refusal::parameter(&format!(
            "Param {name} must be at most {longest} characters long."
        ))),
        _ => Err(Refusal::parameter(&format!("Param {name} must be a string"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A valid message with one field replaced (or removed, by null).
    fn code_with(field: &str, value: Value) -> Option<i32> {
        let mut body = json!({ "messaging_product": "whatsapp", "recipient_type": "individual", "to": "15550001",
            "type": "text", "text": { "body": "hi", "preview_url": false }, "biz_opaque_callback_data": "p" });
        body[field] = value;
        product(&body)
            .and_then(|()| message(&body).map(drop))
            .err()
            .map(|refusal| refusal.code)
    }

    #[test]
    fn what_meta_accepts_is_accepted() {
        for (field, value) in [
            ("to", json!("+15550001")),
            ("text", json!({ "body": "é".repeat(4_096) })),
            ("biz_opaque_callback_data", json!("p".repeat(512))),
            ("biz_opaque_callback_data", json!(null)),
            ("recipient_type", json!(null)),
            ("type", json!(null)),
            ("context", json!({ "message_id": "wamid.A" })),
        ] {
            assert_eq!(code_with(field, value.clone()), None, "{field}: {value}");
        }
        let by_user_id = json!({ "recipient": "US.1", "type": "text", "text": { "body": "hi" } });
        assert_eq!(message(&by_user_id), Ok("US.1"));
    }

    #[test]
    fn what_meta_refuses_is_refused_with_its_code() {
        for (code, field, value) in [
            (100, "messaging_product", json!(null)),
            (100, "messaging_product", json!("sms")),
            (100, "to", json!(null)),
            (100, "recipient_type", json!("crowd")),
            (100, "type", json!("hologram")),
            (100, "text", json!({ "body": "é".repeat(4_097) })),
            (100, "biz_opaque_callback_data", json!("p".repeat(513))),
            (131_008, "text", json!(null)),
            (131_008, "text", json!({ "body": " " })),
            (131_008, "text", json!({ "body": 7 })),
            (131_008, "type", json!("image")),
            (131_009, "to", json!("tomorrow")),
            (131_009, "to", json!(15_550_001)),
            (131_009, "context", json!({})),
        ] {
            assert_eq!(code_with(field, value.clone()), Some(code), "{field}: {value}");
        }
    }

    #[test]
    fn receipts_name_a_message() {
        assert_eq!(
            receipt(&json!({ "status": "read", "message_id": "wamid.A" })),
            Ok("wamid.A")
        );
        let typing =
            json!({ "status": "read", "message_id": "wamid.A", "typing_indicator": { "type": "text" } });
        assert_eq!(receipt(&typing), Ok("wamid.A"));
        for wrong in [
            json!({ "status": "read" }),
            json!({ "status": "seen", "message_id": "wamid.A" }),
            json!({ "status": "read", "message_id": "wamid.A", "typing_indicator": { "type": "dance" } }),
        ] {
            assert_eq!(receipt(&wrong).unwrap_err().code, 100);
        }
    }
}
