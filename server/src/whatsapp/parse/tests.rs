//! All fixtures through the parser, and bodies that no fixture file can hold.

use std::fmt::Write;
use std::path::PathBuf;

use plumbline_store::ElementKind;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::*;
use crate::whatsapp::content::message_text;

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/whatsapp");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut fixtures: Vec<_> = files
        .filter(|path| path.is_file())
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect();
    fixtures.sort();
    fixtures
}

fn describe(element: &NewElement) -> String {
    let contact = element.contact.as_ref();
    let mut lines = format!(
        "  {:?} {} on {}\n",
        element.kind, element.external_id, element.phone_number_id
    );
    let time = element.occurred_at.map_or("-".to_owned(), |at| at.to_rfc3339());
    writeln!(
        lines,
        "    from {} at {time}",
        element.sender.as_deref().unwrap_or("-")
    )
    .unwrap();
    match element.kind {
        ElementKind::Message => {
            writeln!(
                lines,
                "    {:?}, {:?}",
                display_name(contact),
                aliases(&element.payload, contact)
            )
            .unwrap();
            writeln!(lines, "    {:?}", message_text(&element.payload)).unwrap();
        }
        ElementKind::Status | ElementKind::Echo => {
            writeln!(lines, "    {:?}", recipient_aliases(&element.payload, contact)).unwrap();
        }
        ElementKind::Error | ElementKind::Opaque => writeln!(lines, "    {}", element.payload).unwrap(),
    }
    lines
}

#[test]
fn every_fixture_is_taken_apart_as_before() {
    let mut report = String::new();
    for (name, body) in fixtures() {
        let Parsed { elements, problem } = elements(&body);
        writeln!(
            report,
            "{name}{}",
            problem.map(|problem| format!(": {problem}")).unwrap_or_default()
        )
        .unwrap();
        report.extend(elements.iter().map(describe));
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("fixtures", report);
    });
}

#[test]
fn payloads_are_kept_as_they_came() {
    for (name, body) in fixtures() {
        let Ok(whole) = serde_json::from_slice::<Value>(&body) else {
            continue;
        };
        let known = [
            ElementKind::Message,
            ElementKind::Status,
            ElementKind::Echo,
            ElementKind::Error,
        ];
        for element in elements(&body)
            .elements
            .iter()
            .filter(|element| known.contains(&element.kind))
        {
            // NUL is the one thing that is changed
            assert!(
                contains(&whole, &element.payload) || name == "nul_and_long_ids.json",
                "{name}"
            );
        }
    }
}

fn contains(whole: &Value, part: &Value) -> bool {
    whole == part
        || match whole {
            Value::Array(items) => items.iter().any(|item| contains(item, part)),
            Value::Object(map) => map.values().any(|value| contains(value, part)),
            _ => false,
        }
}

/// The elements of a body by kind and identity, which is what the store keeps apart.
fn identities(body: &[u8]) -> Vec<(ElementKind, String)> {
    let mut found: Vec<_> = elements(body)
        .elements
        .into_iter()
        .map(|e| (e.kind, e.external_id))
        .collect();
    found.sort();
    found
}

#[test]
fn identity_does_not_depend_on_the_envelope_or_the_order_of_keys() {
    let messages = json!([{ "id": "wamid.A", "from": "4917000", "type": "text" }, { "odd": 1, "even": { "b": 2, "a": 1 } }]);
    let change = |messages: Value| json!({ "field": "messages", "value": { "metadata": { "phone_number_id": "1" }, "messages": messages } });
    let together = json!({ "entry": [{ "changes": [change(messages.clone())] }] }).to_string();
    let apart = json!({ "entry": [
        { "changes": [change(json!([{ "even": { "a": 1, "b": 2 }, "odd": 1 }]))] },
        { "changes": [change(json!([messages[0]]))] },
    ] });
    assert_eq!(
        identities(together.as_bytes()),
        identities(apart.to_string().as_bytes())
    );
    assert_eq!(identities(together.as_bytes()).len(), 2);
}

#[test]
fn half_an_emoji_does_not_cost_the_batch() {
    let body = br#"{"entry":[{"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},
        "messages":[{"id":"wamid.A","from":"4917000","type":"text","text":{"body":"cut \ud83d"}}]}}]}]}"#;
    let parsed = elements(body);
    assert_eq!(
        message_text(&parsed.elements[0].payload).words(),
        Some("cut \u{FFFD}")
    );
    assert_eq!(
        parsed.problem.as_deref(),
        Some("characters that are no text were replaced")
    );
}

#[test]
fn what_is_no_json_yields_nothing_and_says_why() {
    for body in [
        &b""[..],
        b"hello",
        b"{",
        b"\xff\xfe",
        "[".repeat(5_000).as_bytes(),
    ] {
        let parsed = elements(body);
        assert!(parsed.elements.is_empty());
        assert!(parsed.problem.unwrap().starts_with("the body is not JSON"));
    }
    for body in [
        &b"null"[..],
        b"[]",
        b"7",
        b"\"entry\"",
        b"{\"entry\":7}",
        b"{\"entry\":[7]}",
    ] {
        let parsed = elements(body);
        assert!(parsed.elements.is_empty());
        assert!(parsed.problem.unwrap().starts_with("there is no list of"));
    }
}

/// Words that mean something to the parser, so that random JSON reaches more than its first check.
const WORDS: [&str; 21] = [
    "id",
    "from",
    "messages",
    "statuses",
    "errors",
    "contacts",
    "wa_id",
    "user_id",
    "text",
    "body",
    "type",
    "timestamp",
    "metadata",
    "phone_number_id",
    "value",
    "changes",
    "entry",
    "field",
    "profile",
    "name",
    "system",
];

fn any_json(random: &mut StdRng, depth: u32) -> Value {
    let word = |random: &mut StdRng| WORDS[random.random_range(0..WORDS.len())].to_owned();
    match random.random_range(0..if depth == 0 { 5 } else { 9 }) {
        0 => Value::Null,
        1 => random.random::<bool>().into(),
        2 => random.random::<i64>().into(),
        3 => word(random).into(),
        4 => (0..random.random_range(0..5))
            .map(|_| random.random::<char>())
            .collect::<String>()
            .into(),
        5 | 6 => (0..random.random_range(0..4))
            .map(|_| any_json(random, depth - 1))
            .collect(),
        _ => (0..random.random_range(0..6))
            .map(|_| (word(random), any_json(random, depth - 1)))
            .collect(),
    }
}

#[test]
fn no_bytes_panic() {
    let mut random = StdRng::seed_from_u64(1);
    for _ in 0..2_000 {
        let length = random.random_range(0..100);
        let body: Vec<u8> = (0..length).map(|_| random.random()).collect();
        elements(&body);
    }
    for (_, body) in fixtures() {
        for end in (0..body.len()).step_by(7) {
            elements(&body[..end]);
        }
    }
}

/// Any neighbour leaves a good message as it is, whatever is done with the neighbour itself.
#[test]
fn a_bad_element_never_costs_a_good_one() {
    let mut random = StdRng::seed_from_u64(2);
    let good = json!({ "id": "wamid.GOOD", "from": "4917000", "type": "text", "text": { "body": "hi" } });
    for _ in 0..3_000 {
        let (bad, value) = (any_json(&mut random, 4), any_json(&mut random, 4));
        let messages = if random.random() {
            json!([bad, good])
        } else {
            json!([good, bad])
        };
        let body = json!({ "entry": [bad, { "changes": [
            value,
            { "field": "messages", "value": { "metadata": { "phone_number_id": "1" }, "messages": messages,
                "statuses": [bad], "errors": [bad], "contacts": bad } },
            { "field": bad, "value": value },
        ] }] });
        let parsed = elements(body.to_string().as_bytes());
        assert!(
            parsed.elements.iter().any(|element| element.payload == good),
            "{body}"
        );
        for element in &parsed.elements {
            assert!(element.external_id.len() <= 256 && !element.external_id.contains('\0'));
            let contact = element.contact.as_ref();
            message_text(&element.payload);
            aliases(&element.payload, contact);
            recipient_aliases(&element.payload, contact);
            display_name(contact);
        }
    }
}
