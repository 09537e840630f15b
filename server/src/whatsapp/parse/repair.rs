//! Making a body readable and its strings storable.

use serde_json::Value;

/// Reads a body; when it is not JSON as it stands, reads it again with invalid UTF-8 and half surrogate pairs replaced.
/// The flag says that this was necessary.
pub(super) fn json(body: &[u8]) -> Result<(Value, bool), serde_json::Error> {
    serde_json::from_slice(body)
        .map(|value| (value, false))
        .or_else(|error| {
            let text = without_half_surrogates(&String::from_utf8_lossy(body));
            // the first error is about the body that was sent, so it is the one to tell
            serde_json::from_str(&text)
                .map(|value| (value, true))
                .map_err(|_| error)
        })
}

/// Replaces every `\uD800`…`\uDFFF` escape that is not part of a pair by the escape of U+FFFD.
fn without_half_surrogates(text: &str) -> String {
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        repaired.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match (escape(rest), rest.get(6..).and_then(escape)) {
            (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => 12,
            (Some(0xD800..0xE000), _) => {
                repaired.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            (Some(_), _) => 6,
            // the escaped character belongs to the backslash, even if it is a backslash itself
            (None, _) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        repaired.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    repaired.push_str(rest);
    repaired
}

/// The code unit of a `\uXXXX` escape at the start of `text`.
fn escape(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

/// Replaces U+0000, which the database stores neither in text nor in JSON, by U+FFFD.
pub(super) fn replace_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{FFFD}"),
        Value::Array(items) => items.iter_mut().for_each(replace_nul),
        Value::Object(map) => {
            if map.keys().any(|key| key.contains('\0')) {
                *map = std::mem::take(map)
                    .into_iter()
                    .map(|(key, value)| (key.replace('\0', "\u{FFFD}"), value))
                    .collect();
            }
            map.values_mut().for_each(replace_nul);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_half_pairs_are_replaced() {
        let cases = [
            (r"\ud83d\ude00", r"\ud83d\ude00"),
            (r"a\ud83d", r"a\ufffd"),
            (r"\ud83dé\ude00", r"\ufffdé\ufffd"),
            (r"\ud83d\ud83d\ude00", r"\ufffd\ud83d\ude00"),
            (r"\\ud83d", r"\\ud83d"),
            (r"\\\ud83d", r"\\\ufffd"),
            (r"\u00e9\n\", r"\u00e9\n\"),
            (r"\é\u12", r"\é\u12"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_half_surrogates(text), expected);
        }
    }

    #[test]
    fn a_half_pair_does_not_cost_the_body() {
        let (value, repaired) = json(br#"{"body":"cut \ud83d"}"#).unwrap();
        assert_eq!((value["body"].as_str(), repaired), (Some("cut \u{FFFD}"), true));
        let (value, repaired) = json(b"{\"body\":\"cut \xf0\x9f\"}").unwrap();
        assert_eq!((value["body"].as_str(), repaired), (Some("cut \u{FFFD}"), true));
    }

    #[test]
    fn nul_is_replaced_in_keys_and_values() {
        let mut value = serde_json::json!({ "a\0": ["b\0c", 1, { "d": "\0" }] });
        replace_nul(&mut value);
        assert_eq!(
            value,
            serde_json::json!({ "a\u{FFFD}": ["b\u{FFFD}c", 1, { "d": "\u{FFFD}" }] })
        );
    }
}
