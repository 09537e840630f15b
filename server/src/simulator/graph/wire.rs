//! The JSON that Meta posts and answers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::FakeGraphOptions;
use super::customer::Said;
use super::state::Recorded;

/// Identifier of the business account; nothing depends on it.
const ACCOUNT: &str = "102290129340398";

/// A fresh message identifier, unique across restarts.
pub(super) fn wamid() -> String {
    format!(
        "wamid.{}",
        STANDARD.encode(Uuid::now_v7().simple().to_string().to_uppercase())
    )
}

/// A webhook body with one entry and one change.
fn body(options: &FakeGraphOptions, lists: impl IntoIterator<Item = (&'static str, Vec<Value>)>) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": options.display_phone_number,
            "phone_number_id": options.phone_number_id,
        },
    });
    for (key, list) in lists {
        value[key] = Value::Array(list);
    }
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": ACCOUNT, "changes": [{ "value": value, "field": "messages" }] }],
    })
}

/// A body with customers' messages; each customer is described once.
pub(super) fn messages_body(options: &FakeGraphOptions, said: &[Said]) -> Vec<u8> {
    let mut contacts: Vec<Value> = Vec::new();
    for contact in said.iter().map(|said| said.customer.contact()) {
        if !contacts.contains(&contact) {
            contacts.push(contact);
        }
    }
    let messages = said.iter().map(|said| said.message.clone()).collect();
    body(options, [("contacts", contacts), ("messages", messages)])
        .to_string()
        .into_bytes()
}

/// A body with one status of a business message.
pub(super) fn status_body(
    options: &FakeGraphOptions,
    message: &Recorded,
    status: &str,
    at: DateTime<Utc>,
    failure: Option<i32>,
) -> Vec<u8> {
    let mut report =
        json!({ "id": message.wamid, "status": status, "timestamp": at.timestamp().to_string() });
    for (to, from) in [("recipient_id", "to"), ("recipient_user_id", "recipient")] {
        if let Some(address) = message.payload[from].as_str() {
            report[to] = json!(address.trim_start_matches('+'));
        }
    }
    if let Some(callback) = &message.callback {
        report["biz_opaque_callback_data"] = json!(callback);
    }
    if let Some(code) = failure {
        let title = crate::whatsapp::errors::meaning(code).unwrap_or("Something went wrong");
        report["errors"] =
            json!([{ "code": code, "title": title, "message": title, "error_data": { "details": title } }]);
    } else {
        report["pricing"] = json!({
            "billable": false, "pricing_model": "PMP", "type": "free_customer_service", "category": "service",
        });
    }
    body(options, [("statuses", vec![report])])
        .to_string()
        .into_bytes()
}

/// The answer to a message that was accepted.
pub(super) fn accepted(message: &Recorded) -> Value {
    let contact = match (
        message.payload["to"].as_str(),
        message.payload["recipient"].as_str(),
    ) {
        (Some(to), _) => json!({ "input": to, "wa_id": message.customer }),
        (None, user_id) => json!({ "input": user_id, "user_id": user_id }),
    };
    json!({
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{ "id": message.wamid, "message_status": "accepted" }],
    })
}

/// An error body.
pub(super) fn error(code: i32, subcode: Option<i32>, words: &str, details: Option<&str>) -> Value {
    let mut error = json!({ "message": words, "type": "OAuthException", "code": code });
    if let Some(details) = details {
        error["error_data"] = json!({ "messaging_product": "whatsapp", "details": details });
    }
    if let Some(subcode) = subcode {
        error["error_subcode"] = json!(subcode);
    }
    error["fbtrace_id"] = json!(Uuid::now_v7().simple().to_string());
    json!({ "error": error })
}
