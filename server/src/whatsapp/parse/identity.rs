//! Who an element is from or for.
//!
//! With usernames a customer may have no visible number, and with number changes the user id rotates. So no single
//! field is the customer: all that are present are aliases of one contact, and ids are opaque text.

use plumbline_store::Aliases;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Longest identifier kept as it is; the columns are indexed, and an index entry has a size limit.
const LONGEST_ID: usize = 256;
/// Longest display name kept, in characters.
const LONGEST_NAME: usize = 200;

/// A field of `value` as text: identifiers arrive as strings, now and then as numbers.
pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An identifier that fits an index: itself, or its hash when somebody sends a novel.
pub(super) fn bounded(id: String) -> String {
    if id.len() <= LONGEST_ID {
        id
    } else {
        hash(id.as_bytes())
    }
}

/// SHA-256 of an element with its keys sorted, so that the order in which Meta writes them does not matter.
pub(super) fn element_hash(element: &Value) -> String {
    let mut canonical = element.clone();
    canonical.sort_all_objects();
    hash(canonical.to_string().as_bytes())
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The ids of the party named by the given keys of a message, echo or status.
struct Party {
    phone: Option<String>,
    user_id: Option<String>,
    parent_user_id: Option<String>,
}

impl Party {
    /// The customer who sent a message.
    fn sender(message: &Value) -> Self {
        let system = message.get("system").unwrap_or(&Value::Null);
        Self {
            phone: text(message, "from"),
            user_id: text(message, "from_user_id").or_else(|| text(system, "previous_user_id")),
            parent_user_id: text(message, "from_parent_user_id"),
        }
    }

    /// The customer to whom an echo or a status went.
    fn recipient(element: &Value) -> Self {
        let first = |keys: [&str; 3]| keys.into_iter().find_map(|key| text(element, key));
        // in a group the recipient is the group, and the participant is the customer
        Self {
            phone: first(["recipient_participant_id", "recipient_id", "to"]),
            user_id: first(["recipient_participant_user_id", "recipient_user_id", "to_user_id"]),
            parent_user_id: first([
                "recipient_participant_parent_user_id",
                "recipient_parent_user_id",
                "to_parent_user_id",
            ]),
        }
    }

    fn contact(contact: &Value) -> Self {
        Self {
            phone: text(contact, "wa_id"),
            user_id: text(contact, "user_id"),
            parent_user_id: text(contact, "parent_user_id"),
        }
    }

    /// Whether two descriptions share an id (`Some(true)`), contradict each other (`Some(false)`) or cannot be compared.
    fn same_as(&self, other: &Self) -> Option<bool> {
        let pairs = [
            (&self.user_id, &other.user_id),
            (&self.phone, &other.phone),
            (&self.parent_user_id, &other.parent_user_id),
        ];
        pairs
            .into_iter()
            .find_map(|(mine, theirs)| Some(mine.as_ref()? == theirs.as_ref()?))
    }
}

/// Entry of `contacts` that describes the customer of an element: the one that shares an id, else the only one there is,
/// unless it is visibly somebody else.
fn contact_for<'a>(party: &Party, contacts: &'a [Value]) -> Option<&'a Value> {
    let compared = |contact: &Value| party.same_as(&Party::contact(contact));
    contacts
        .iter()
        .find(|contact| compared(contact) == Some(true))
        .or_else(|| match contacts {
            [only] if compared(only).is_none() => Some(only),
            _ => None,
        })
}

/// The customer of an element, and what the body says about this customer.
pub(super) struct Customer {
    /// Business-scoped user id, else phone number.
    pub(super) id: Option<String>,
    /// The matching entry of the body's contacts.
    pub(super) contact: Option<Value>,
}

/// The customer who sent `message`.
pub(super) fn sender(message: &Value, contacts: &[Value]) -> Customer {
    customer(Party::sender(message), contacts)
}

/// The customer to whom `element`, an echo or a status, went.
pub(super) fn recipient(element: &Value, contacts: &[Value]) -> Customer {
    customer(Party::recipient(element), contacts)
}

fn customer(party: Party, contacts: &[Value]) -> Customer {
    let contact = contact_for(&party, contacts);
    // a message without any id of its own is still answered when the body describes exactly one customer
    let described = contact.map(Party::contact);
    let described = described.and_then(|contact| contact.user_id.or(contact.phone));
    Customer {
        id: party.user_id.or(party.phone).or(described).map(bounded),
        contact: contact.cloned(),
    }
}

/// All ids of the customer who sent a message, from the message and the contact stored with it.
pub fn aliases(payload: &Value, contact: Option<&Value>) -> Aliases {
    merged(Party::sender(payload), contact)
}

/// All ids of the customer to whom an echo or a status went.
pub fn recipient_aliases(payload: &Value, contact: Option<&Value>) -> Aliases {
    merged(Party::recipient(payload), contact)
}

fn merged(party: Party, contact: Option<&Value>) -> Aliases {
    let contact = Party::contact(contact.unwrap_or(&Value::Null));
    let phone = party
        .phone
        .as_deref()
        .and_then(digits)
        .or_else(|| contact.phone.as_deref().and_then(digits));
    // where a number was expected and something else stands, it is the id of somebody without a visible number
    let not_a_phone = party.phone.filter(|phone| digits(phone).is_none());
    Aliases {
        phone,
        user_id: party.user_id.or(contact.user_id).or(not_a_phone).map(bounded),
        parent_user_id: party.parent_user_id.or(contact.parent_user_id).map(bounded),
    }
}

/// A phone number in digits alone, if `text` is one.
fn digits(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '0'..='9' => digits.push(character),
            '+' | ' ' | '-' | '(' | ')' => {}
            _ => return None,
        }
    }
    (5..=20).contains(&digits.len()).then_some(digits)
}

/// The name that the customer chose: the profile's, else the user name.
pub fn display_name(contact: Option<&Value>) -> Option<String> {
    let profile = contact?.get("profile")?;
    let name = [profile.get("name"), profile.get("username")]
        .into_iter()
        .filter_map(|name| name?.as_str().map(str::trim))
        .find(|name| !name.is_empty())?;
    Some(name.chars().take(LONGEST_NAME).collect())
}
