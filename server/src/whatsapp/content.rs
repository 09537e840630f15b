//! What a customer's message says, whatever type it has.
//!
//! The bot answers text. Taps on buttons, list rows and forms are text too: what the customer read on the thing that
//! was tapped. Files and places are named as what they are, so that the reply can say that a person will look at them.
//! Everything that asks for no reply is [`MessageContent::Silent`].

use std::fmt::Write;

use serde_json::Value;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A voice note or a sound file.
    Audio,
    /// Any other file.
    Document,
    /// A sticker.
    Sticker,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum MessageContent {
    /// Words, written or tapped.
    Text(String),
    /// A file, perhaps with words.
    Media {
        /// Kind of file.
        kind: MediaKind,
        /// Words under it.
        caption: Option<String>,
    },
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// Name of the place.
        name: Option<String>,
        /// Address of the place.
        address: Option<String>,
    },
    /// Nothing that asks for a reply: a reaction, a deletion, an edit, a note of the platform, an unsupported type.
    Silent,
}

impl MessageContent {
    /// The words that can be answered, if there are any.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Media { caption, .. } => caption.as_deref(),
            Self::Location { .. } | Self::Silent => None,
        }
    }
}

/// Reads a stored message. Nothing is too strange: what cannot be read is silent.
pub fn message_text(payload: &Value) -> MessageContent {
    let kind = payload["type"].as_str().unwrap_or_default();
    let body = &payload[kind];
    match kind {
        "text" => text(words(&body["body"])),
        "button" => text(words(&body["text"]).or_else(|| words(&body["payload"]))),
        "interactive" => text(tapped(body)),
        "order" => text(order(body)),
        "contacts" => text(contacts(body)),
        "image" => media(MediaKind::Image, body),
        "video" => media(MediaKind::Video, body),
        "audio" | "voice" => media(MediaKind::Audio, body),
        "document" => media(MediaKind::Document, body),
        "sticker" => media(MediaKind::Sticker, body),
        "location" => location(body),
        _ => MessageContent::Silent,
    }
}

fn text(words: Option<String>) -> MessageContent {
    words.map_or(MessageContent::Silent, MessageContent::Text)
}

fn media(kind: MediaKind, body: &Value) -> MessageContent {
    MessageContent::Media {
        kind,
        caption: words(&body["caption"]),
    }
}

fn location(body: &Value) -> MessageContent {
    match (number(&body["latitude"]), number(&body["longitude"])) {
        (Some(latitude), Some(longitude)) => MessageContent::Location {
            latitude,
            longitude,
            name: words(&body["name"]),
            address: words(&body["address"]),
        },
        _ => MessageContent::Silent,
    }
}

/// The choice made on an interactive message.
fn tapped(body: &Value) -> Option<String> {
    match body["type"].as_str()? {
        "button_reply" => words(&body["button_reply"]["title"]),
        "list_reply" => {
            let title = words(&body["list_reply"]["title"]);
            let description = words(&body["list_reply"]["description"]);
            lines(title.into_iter().chain(description))
        }
        "nfm_reply" => form(&body["nfm_reply"]),
        _ => None,
    }
}

/// A submitted form: its fields, one per line. Its own text is only the word "Sent".
fn form(reply: &Value) -> Option<String> {
    let response = reply["response_json"].as_str().unwrap_or_default();
    let fields: Value = serde_json::from_str(response).unwrap_or_default();
    let fields = fields.as_object().into_iter().flatten();
    let shown = fields.filter(|(key, _)| *key != "flow_token");
    lines(shown.filter_map(|(key, value)| Some(format!("{}: {}", key.replace('_', " "), words(value)?))))
        .or_else(|| words(&reply["body"]))
}

fn order(body: &Value) -> Option<String> {
    let items = body["product_items"].as_array()?;
    let listed = items.iter().filter_map(|item| {
        let mut line = words(&item["product_retailer_id"])?;
        if let Some(quantity) = words(&item["quantity"]) {
            line = format!("{quantity} × {line}");
        }
        if let Some(price) = words(&item["item_price"]) {
            let currency = words(&item["currency"]).unwrap_or_default();
            // writing to a string cannot fail
            let _ = write!(line, " at {price} {currency}");
        }
        Some(line.trim_end().to_owned())
    });
    let listed = listed.collect::<Vec<_>>().join(", ");
    let list = (!listed.is_empty()).then(|| format!("Order: {listed}"));
    lines(list.into_iter().chain(words(&body["text"])))
}

fn contacts(body: &Value) -> Option<String> {
    lines(body.as_array()?.iter().filter_map(|contact| {
        let name = words(&contact["name"]["formatted_name"]);
        let phones = contact["phones"].as_array().into_iter().flatten();
        let phones = phones.filter_map(|phone| words(&phone["phone"]).or_else(|| words(&phone["wa_id"])));
        let parts: Vec<String> = name.into_iter().chain(phones).collect();
        (!parts.is_empty()).then(|| format!("Contact: {}", parts.join(", ")))
    }))
}

fn lines(parts: impl Iterator<Item = String>) -> Option<String> {
    let joined = parts.collect::<Vec<_>>().join("\n");
    (!joined.is_empty()).then_some(joined)
}

/// A value as words: text that is not blank, a number, or a list of such.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim())
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(words).collect();
            (!items.is_empty()).then(|| items.join(", "))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// Numbers arrive as numbers, sometimes as strings.
fn number(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn says(payload: &Value) -> Option<String> {
        message_text(payload).words().map(str::to_owned)
    }

    #[test]
    fn taps_say_what_was_tapped() {
        let button = json!({ "type": "interactive", "interactive": { "type": "button_reply", "button_reply": { "id": "b", "title": "Yes" } } });
        assert_eq!(says(&button).as_deref(), Some("Yes"));
        let list = json!({ "type": "interactive", "interactive": { "type": "list_reply",
            "list_reply": { "id": "r", "title": "Plan B", "description": "5 kW" } } });
        assert_eq!(says(&list).as_deref(), Some("Plan B\n5 kW"));
        assert_eq!(
            says(&json!({ "type": "button", "button": { "text": "More", "payload": "p" } })).as_deref(),
            Some("More")
        );
        assert_eq!(
            says(&json!({ "type": "button", "button": { "payload": "p" } })).as_deref(),
            Some("p")
        );
    }

    #[test]
    fn a_form_says_its_fields_and_survives_invalid_json() {
        let form = |response: &str| {
            json!({ "type": "interactive", "interactive": { "type": "nfm_reply",
                "nfm_reply": { "name": "flow", "body": "Sent", "response_json": response } } })
        };
        let filled =
            r#"{"flow_token":"t","full_name":"Ada","days":["Mon","Tue"],"agreed":true,"nested":{"a":1}}"#;
        assert_eq!(
            says(&form(filled)).as_deref(),
            Some("full name: Ada\ndays: Mon, Tue\nagreed: yes")
        );
        assert_eq!(says(&form("{oops")).as_deref(), Some("Sent"));
        assert_eq!(says(&form("[1]")).as_deref(), Some("Sent"));
    }

    #[test]
    fn an_order_is_a_readable_line() {
        let order = json!({ "type": "order", "order": { "catalog_id": "c", "text": "By Friday?", "product_items": [
            { "product_retailer_id": "SKU-1", "quantity": 3, "item_price": 30.5, "currency": "EUR" },
            { "product_retailer_id": "SKU-2", "quantity": "1" }, { "quantity": 9 } ] } });
        assert_eq!(
            says(&order).as_deref(),
            Some("Order: 3 × SKU-1 at 30.5 EUR, 1 × SKU-2\nBy Friday?")
        );
    }

    #[test]
    fn contacts_are_named() {
        let contacts = json!({ "type": "contacts", "contacts": [
            { "name": { "formatted_name": "Ada L" }, "phones": [{ "phone": "+1 555 0001", "type": "CELL" }] },
            { "phones": [{ "wa_id": "15550002" }] }, {} ] });
        assert_eq!(
            says(&contacts).as_deref(),
            Some("Contact: Ada L, +1 555 0001\nContact: 15550002")
        );
    }

    #[test]
    fn files_keep_their_caption_and_places_their_position() {
        for (name, kind) in [
            ("image", MediaKind::Image),
            ("video", MediaKind::Video),
            ("audio", MediaKind::Audio),
            ("document", MediaKind::Document),
            ("sticker", MediaKind::Sticker),
        ] {
            let bare = json!({ "type": name, name: { "id": "1" } });
            assert_eq!(message_text(&bare), MessageContent::Media { kind, caption: None });
            let captioned = json!({ "type": name, name: { "id": "1", "caption": " what is this? " } });
            assert_eq!(says(&captioned).as_deref(), Some("what is this?"));
        }
        let place = json!({ "type": "location", "location": { "latitude": "-1.5", "longitude": 36, "name": "Shop" } });
        let expected = MessageContent::Location {
            latitude: -1.5,
            longitude: 36.0,
            name: Some("Shop".to_owned()),
            address: None,
        };
        assert_eq!(message_text(&place), expected);
    }

    #[test]
    fn what_asks_for_no_reply_is_silent() {
        for payload in [
            json!({ "type": "reaction", "reaction": { "message_id": "w", "emoji": "👍" } }),
            json!({ "type": "system", "system": { "body": "changed number" } }),
            json!({ "type": "unsupported", "errors": [{ "code": 131_051 }] }),
            json!({ "type": "edit", "edit": { "message": { "type": "text", "text": { "body": "x" } } } }),
            json!({ "type": "revoke", "revoke": { "original_message_id": "w" } }),
            json!({ "type": "interactive" }),
            json!({ "type": "interactive", "interactive": { "type": "hologram" } }),
            json!({ "type": "text", "text": { "body": " \n" } }),
            json!({ "type": "text" }),
            json!({ "type": "location", "location": {} }),
            json!({ "type": "order", "order": {} }),
            json!({ "type": 7 }),
            json!({}),
            json!(null),
            json!([1]),
        ] {
            assert_eq!(message_text(&payload), MessageContent::Silent, "{payload}");
        }
    }
}
