//! The reply as messages: plain WhatsApp text, and long replies in parts.

use std::sync::LazyLock;

use plumbline_models::reading::sentence_spans;
use regex::Regex;
use unicode_segmentation::UnicodeSegmentation;

fn pattern(text: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "the patterns are constants of this file and every one is tested"
    )]
    Regex::new(text).expect("a valid pattern")
}

static LINK: LazyLock<Regex> = LazyLock::new(|| pattern(r"!?\[([^\]\n]*)\]\(([^)\s]+)[^)\n]*\)"));
static BOLD: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:\*\*|__)(\S(?:[^*_\n]*\S)?)(?:\*\*|__)"));
static HEADING: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s{0,3}#{1,6}\s+"));
static RULE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s*\|?(?:\s*:?-{3,}:?\s*\|?)+\s*$\n?"));
static TABLE_EDGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s*\|\s*|\s*\|\s*$"));

/// `text` without Markdown that WhatsApp would show as it is: links become "text (address)", headings and table
/// borders go, `**bold**` becomes `*bold*`.
pub fn plain(text: &str) -> String {
    let text = LINK.replace_all(text, |found: &regex::Captures<'_>| {
        if found[1].is_empty() || found[1] == found[2] {
            found[2].to_owned()
        } else {
            format!("{} ({})", &found[1], &found[2])
        }
    });
    let text = BOLD.replace_all(&text, "*$1*");
    let text = HEADING.replace_all(&text, "");
    let text = RULE.replace_all(&text, "");
    let text = TABLE_EDGE.replace_all(&text, "");
    text.replace("```", "")
        .replace('`', "")
        .replace(" | ", ", ")
        .trim()
        .to_owned()
}

/// Splits a reply into parts of at most `max_chars` characters: at paragraphs, else lines, else sentences, else words,
/// else graphemes. Only white space between parts is lost. A grapheme longer than the limit is the one thing that may
/// exceed it.
pub fn split_message(text: &str, max_chars: usize) -> Vec<String> {
    let mut parts = Vec::new();
    divide(text.trim(), max_chars.max(1), 0, &mut parts);
    parts
}

/// Ways to cut, coarse to fine.
const LEVELS: [fn(&str) -> Vec<&str>; 5] = [
    |text| text.split("\n\n").collect(),
    |text| text.split('\n').collect(),
    |text| sentence_spans(text).into_iter().map(|span| &text[span]).collect(),
    |text| text.split_whitespace().collect(),
    |text| text.graphemes(true).collect(),
];

const SEPARATORS: [&str; 5] = ["\n\n", "\n", " ", " ", ""];

fn divide(text: &str, max_chars: usize, level: usize, parts: &mut Vec<String>) {
    if text.is_empty() {
        return;
    }
    if text.chars().count() <= max_chars || level >= LEVELS.len() {
        parts.push(text.to_owned());
        return;
    }
    let separator = SEPARATORS[level];
    let mut current = String::new();
    for piece in LEVELS[level](text)
        .into_iter()
        .map(|piece| if level == 4 { piece } else { piece.trim() })
        .filter(|piece| !piece.is_empty())
    {
        let joined = current.chars().count() + separator.chars().count() + piece.chars().count();
        if !current.is_empty() && joined <= max_chars {
            current.push_str(separator);
            current.push_str(piece);
            continue;
        }
        push_part(&mut current, parts);
        if piece.chars().count() <= max_chars {
            piece.clone_into(&mut current);
        } else {
            divide(piece, max_chars, level + 1, parts);
            // What follows may share the last, shorter part of the long piece.
            if level < 3 {
                current = parts.pop().unwrap_or_default();
            }
        }
    }
    push_part(&mut current, parts);
}

fn push_part(current: &mut String, parts: &mut Vec<String>) {
    let part = std::mem::take(current);
    if !part.trim().is_empty() {
        parts.push(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_what_whatsapp_shows() {
        assert_eq!(
            plain("## Prices\nSee [our list](https://x.example/p) for **all** `codes`."),
            "Prices\nSee our list (https://x.example/p) for *all* codes."
        );
        assert_eq!(
            plain("| Town | Price |\n|---|---|\n| Ho | 35 |"),
            "Town, Price\nHo, 35"
        );
        assert_eq!(plain("2 * 3 = 6 and _soft_"), "2 * 3 = 6 and _soft_");
    }

    #[test]
    fn a_long_reply_is_cut_where_a_writer_would() {
        let text = "First paragraph. It has two sentences.\n\nSecond paragraph.\n- a line\n- another";
        assert_eq!(
            split_message(text, 40),
            [
                "First paragraph. It has two sentences.",
                "Second paragraph.\n- a line\n- another"
            ]
        );
        assert_eq!(
            split_message("One two. Three four.", 10),
            ["One two.", "Three", "four."].map(String::from)
        );
        assert_eq!(split_message("  ", 10), Vec::<String>::new());
        assert_eq!(split_message("short", 4096), ["short"]);
    }

    proptest::proptest! {
        #[test]
        fn parts_join_to_the_text_and_fit(text in "([a-zé.!? \n]|👩🏽‍🔧|e\u{301}){0,200}", max in 12_usize..60) {
            let parts = split_message(&text, max);
            let squeeze = |text: &str| text.split_whitespace().collect::<String>();
            proptest::prop_assert_eq!(squeeze(&parts.concat()), squeeze(&text));
            let whole: Vec<&str> = text.graphemes(true).filter(|g| !g.trim().is_empty()).collect();
            let pieces: Vec<&str> = parts.iter().flat_map(|p| p.graphemes(true)).filter(|g| !g.trim().is_empty()).collect();
            proptest::prop_assert_eq!(whole, pieces);
            for part in &parts {
                proptest::prop_assert!(part.chars().count() <= max, "{:?}", part);
                proptest::prop_assert!(!part.trim().is_empty());
            }
        }
    }
}
