//! A signed webhook body, taken apart into the elements that the store keeps.
//!
//! The walk is over plain JSON and not over typed structs: Meta adds fields and types without notice, and a struct that
//! refuses one of them would lose the whole batch. An element that is not understood is kept as `Opaque`; a body that
//! is no JSON yields no elements and says why. Whatever comes out can be stored: text that the database refuses (NUL)
//! and half surrogate pairs are replaced here, because a failing insert would make Meta repeat the body for days.

mod envelope;
mod identity;
mod repair;

#[cfg(test)]
mod tests;

use plumbline_store::NewElement;
use serde_json::Value;

pub use identity::{aliases, display_name, recipient_aliases};

/// What a webhook body holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// Everything that can be stored for a number, in the order of the body; messages before statuses before errors.
    pub elements: Vec<NewElement>,
    /// What is wrong with the body, if something is. The elements are those that could be read nevertheless.
    pub problem: Option<String>,
}

/// Takes a webhook body apart. Never fails: a body that was signed is answered with 200 whatever it holds.
pub fn elements(body: &[u8]) -> Parsed {
    let (mut body, repaired) = match repair::json(body) {
        Ok(read) => read,
        Err(error) => {
            return Parsed {
                elements: Vec::new(),
                problem: Some(format!("the body is not JSON: {error}")),
            };
        }
    };
    repair::replace_nul(&mut body);
    let mut problems = Vec::new();
    if repaired {
        problems.push("characters that are no text were replaced".to_owned());
    }
    let mut elements = Vec::new();
    for entry in list(&body, "entry", &mut problems) {
        for change in list(entry, "changes", &mut problems) {
            envelope::take_apart(change, &mut elements, &mut problems);
        }
    }
    Parsed {
        elements,
        problem: (!problems.is_empty()).then(|| problems.join("; ")),
    }
}

fn list<'a>(parent: &'a Value, key: &str, problems: &mut Vec<String>) -> &'a [Value] {
    if let Some(items) = parent.get(key).and_then(Value::as_array) {
        return items;
    }
    problems.push(format!("there is no list of `{key}`"));
    &[]
}
