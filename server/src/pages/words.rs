//! Numbers, sizes, times and places in the words of the pages.

use chrono::{DateTime, Utc};

/// The present time.
#[expect(
    clippy::disallowed_methods,
    reason = "the clock of the pages; what they make of it takes the time as an argument"
)]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// `12,480`
pub fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if number < 0 {
        format!("−{grouped}")
    } else {
        grouped
    }
}

/// `1 page`, `3 pages`
pub fn count(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// `812 B`, `34 KB`, `2.1 MB`
pub fn size(bytes: i64) -> String {
    const KB: i64 = 1024;
    const MB: i64 = 1024 * 1024;
    let tenths = |unit: i64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        ..KB => format!("{bytes} B"),
        KB..MB => format!("{} KB", (bytes + KB / 2) / KB),
        _ if bytes < 100 * MB => format!("{} MB", tenths(MB)),
        _ => format!("{} MB", thousands(bytes / MB)),
    }
}

/// `just now`, `4 min ago`, `3 h ago`, `yesterday`, then the date
pub fn ago(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - then).num_seconds();
    match seconds {
        ..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        86_400..172_800 => "yesterday".to_owned(),
        _ => then.format("%-d %b %Y").to_string(),
    }
}

/// `20 Nov 2026, 15:47 UTC`
pub fn moment(then: DateTime<Utc>) -> String {
    then.format("%-d %b %Y, %H:%M UTC").to_string()
}

/// `40 s`, `2 min`, `1 h 5 min`
pub fn seconds(seconds: i64) -> String {
    match seconds {
        ..100 => format!("{} s", seconds.max(0)),
        100..3_600 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// `6.4 ms`, `140 ms`, `1.2 s`
pub fn milliseconds(ms: f64) -> String {
    match ms {
        _ if ms < 0.05 => "0 ms".to_owned(),
        _ if ms < 10.0 => format!("{ms:.1} ms"),
        _ if ms < 1_000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1_000.0),
    }
}

/// The English name of an ISO 639-1 language, or the code.
pub fn language(code: &str) -> String {
    let name = match code {
        "ar" => "Arabic",
        "de" => "German",
        "en" => "English",
        "es" => "Spanish",
        "fr" => "French",
        "ha" => "Hausa",
        "hi" => "Hindi",
        "id" => "Indonesian",
        "it" => "Italian",
        "ja" => "Japanese",
        "nl" => "Dutch",
        "pl" => "Polish",
        "pt" => "Portuguese",
        "ru" => "Russian",
        "sw" => "Swahili",
        "tr" => "Turkish",
        "zh" => "Chinese",
        other => other,
    };
    name.to_owned()
}

/// `page 3`, `pages 3–4`, `row 12`, `rows 12–40`, or nothing for a text without either.
pub fn place(page: (Option<i64>, Option<i64>), row: (Option<i64>, Option<i64>)) -> String {
    let span = |one: &str, many: &str, from: i64, to: Option<i64>| match to {
        Some(to) if to > from => format!("{many} {}–{}", thousands(from), thousands(to)),
        _ => format!("{one} {}", thousands(from)),
    };
    match (page, row) {
        ((Some(from), to), _) => span("page", "pages", from, to),
        (_, (Some(from), to)) => span("row", "rows", from, to),
        _ => String::new(),
    }
}

/// A message of the program, which has neither capital nor full stop, as a sentence.
pub fn sentence(message: &str) -> String {
    let mut letters = message.trim().chars();
    // a name of a file keeps its own spelling
    let first_word = message.split_whitespace().next().unwrap_or_default();
    let capital: String = match letters.next() {
        Some(first) if !first_word.contains('.') => first.to_uppercase().collect(),
        Some(first) => first.to_string(),
        None => return String::new(),
    };
    let rest = letters.as_str();
    let stop = if rest.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{capital}{rest}{stop}")
}

/// A text for the query of an address.
pub fn query_escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Duration, TimeZone};

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(thousands),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(count(1, "page", "pages"), "1 page");
    }

    #[test]
    fn sizes_have_one_unit() {
        assert_eq!(
            [0, 1_023, 1_024, 35_000, 2_200_000, 314_572_800].map(size),
            ["0 B", "1023 B", "1 KB", "34 KB", "2.0 MB", "300 MB"]
        );
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        assert_eq!(
            [-3, 0, 99, 121, 3_599, 3_900].map(seconds),
            ["0 s", "0 s", "99 s", "2 min", "60 min", "1 h 5 min"]
        );
    }

    #[test]
    fn times_are_near_or_dates() {
        let now = Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap();
        let past = |seconds| ago(now - Duration::seconds(seconds), now);
        assert_eq!(
            [
                past(-5),
                past(59),
                past(61),
                past(7_200),
                past(90_000),
                past(864_000)
            ],
            [
                "just now",
                "just now",
                "1 min ago",
                "2 h ago",
                "yesterday",
                "10 Nov 2026"
            ]
        );
    }

    #[test]
    fn a_place_is_a_page_or_a_row() {
        assert_eq!(place((Some(3), Some(4)), (None, None)), "pages 3–4");
        assert_eq!(place((Some(3), Some(3)), (None, None)), "page 3");
        assert_eq!(place((None, None), (Some(1_200), None)), "row 1,200");
        assert_eq!(place((None, None), (None, None)), "");
    }

    #[test]
    fn messages_read_as_sentences() {
        assert_eq!(
            sentence("only a failed version can be retried"),
            "Only a failed version can be retried."
        );
        assert_eq!(sentence("prices.pdf is damaged"), "prices.pdf is damaged.");
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn query_text_is_escaped() {
        assert_eq!(query_escape("a b&c=é"), "a%20b%26c%3D%C3%A9");
    }
}
