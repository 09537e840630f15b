//! One change of a webhook body: which lists it has, and what identifies their elements.

use chrono::{DateTime, Utc};
use plumbline_store::{ElementKind, NewElement};
use serde_json::{Value, json};

use super::identity::{self, Customer, bounded, element_hash, text};

/// A list of a change's value and how its elements are read.
struct Part {
    field: &'static str,
    key: &'static str,
    read: fn(&Change<'_>, &Value) -> Option<NewElement>,
}

/// Messages first: a strange status in the same batch must not come before a customer.
const PARTS: [Part; 4] = [
    Part {
        field: "messages",
        key: "messages",
        read: |change, item| change.message(item),
    },
    Part {
        field: "messages",
        key: "statuses",
        read: |change, item| change.status(item),
    },
    Part {
        field: "messages",
        key: "errors",
        read: |change, item| change.error(item),
    },
    Part {
        field: "smb_message_echoes",
        key: "message_echoes",
        read: |change, item| change.echo(item),
    },
];

/// Keys of a value that say something about its elements and are none themselves.
const CONTEXT: [&str; 3] = ["messaging_product", "metadata", "contacts"];

/// A change that names the number it is for.
struct Change<'a> {
    phone_number_id: String,
    contacts: &'a [Value],
}

/// Appends the elements of `change`. Without a number nobody can say whose they are; then they stay in the raw body,
/// which is a problem if they are customers' messages.
pub(super) fn take_apart(change: &Value, elements: &mut Vec<NewElement>, problems: &mut Vec<String>) {
    let field = change.get("field").and_then(Value::as_str).unwrap_or_default();
    let value = change.get("value").unwrap_or(&Value::Null);
    let metadata = value.get("metadata").unwrap_or(&Value::Null);
    let Some(number) = text(metadata, "phone_number_id").or_else(|| text(value, "phone_number_id")) else {
        if field == "messages" {
            problems.push("messages name no number".to_owned());
        }
        return;
    };
    let contacts = value
        .get("contacts")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let context = Change {
        phone_number_id: number,
        contacts,
    };
    let before = elements.len();
    let mut understood = Vec::new();
    for part in PARTS.iter().filter(|part| part.field == field) {
        let Some(items) = value.get(part.key).and_then(Value::as_array) else {
            continue;
        };
        understood.push(part.key);
        let read = |item: &Value| (part.read)(&context, item).unwrap_or_else(|| context.opaque(item.clone()));
        elements.extend(items.iter().map(read));
    }
    if understood.is_empty() {
        elements.push(context.opaque(change.clone()));
        return;
    }
    let unknown = value.as_object().into_iter().flatten().filter(|(key, _)| {
        let key = key.as_str();
        !CONTEXT.contains(&key) && !understood.contains(&key)
    });
    elements.extend(
        unknown.map(|(key, value)| context.opaque(json!({ "field": field, "value": { key: value } }))),
    );
    if elements.len() == before {
        elements.push(context.opaque(change.clone()));
    }
}

impl Change<'_> {
    fn message(&self, message: &Value) -> Option<NewElement> {
        let id = text(message, "id")?;
        Some(self.element(
            ElementKind::Message,
            id,
            identity::sender(message, self.contacts),
            message,
        ))
    }

    fn status(&self, status: &Value) -> Option<NewElement> {
        let id = format!("{}:{}", text(status, "id")?, text(status, "status")?);
        Some(self.element(
            ElementKind::Status,
            id,
            identity::recipient(status, self.contacts),
            status,
        ))
    }

    fn echo(&self, echo: &Value) -> Option<NewElement> {
        let id = text(echo, "id")?;
        Some(self.element(
            ElementKind::Echo,
            id,
            identity::recipient(echo, self.contacts),
            echo,
        ))
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "all readers of the table have one signature"
    )]
    fn error(&self, error: &Value) -> Option<NewElement> {
        let nobody = Customer {
            id: None,
            contact: None,
        };
        Some(self.element(ElementKind::Error, element_hash(error), nobody, error))
    }

    fn opaque(&self, payload: Value) -> NewElement {
        NewElement {
            phone_number_id: self.phone_number_id.clone(),
            kind: ElementKind::Opaque,
            external_id: element_hash(&payload),
            sender: None,
            occurred_at: occurred_at(&payload),
            payload,
            contact: None,
        }
    }

    fn element(
        &self,
        kind: ElementKind,
        external_id: String,
        customer: Customer,
        payload: &Value,
    ) -> NewElement {
        NewElement {
            phone_number_id: self.phone_number_id.clone(),
            kind,
            external_id: bounded(external_id),
            sender: customer.id,
            payload: payload.clone(),
            contact: customer.contact,
            occurred_at: occurred_at(payload),
        }
    }
}

/// The element's timestamp: Unix seconds in a string, in some fields a number. What lies outside of four-digit years
/// is no time that the database or a person could use.
fn occurred_at(element: &Value) -> Option<DateTime<Utc>> {
    const END_OF_9999: i64 = 253_402_300_799;
    let seconds: i64 = text(element, "timestamp")?.trim().parse().ok()?;
    (1..=END_OF_9999)
        .contains(&seconds)
        .then(|| DateTime::from_timestamp(seconds, 0))
        .flatten()
}
