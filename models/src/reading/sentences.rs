//! Sentence boundaries, shared by composing, remembering and splitting long replies.

use std::ops::Range;

/// Words before a full stop that do not end a sentence, folded.
const ABBREVIATIONS: &[&str] = &[
    "mr", "mrs", "ms", "dr", "dra", "sr", "sra", "prof", "st", "no", "nr", "núm", "num", "vs", "e.g", "i.e",
    "etc", "approx", "incl", "excl", "max", "min", "tel", "ext", "ave", "av", "co", "ltd", "inc", "art",
    "fig", "p", "pp", "mme", "mlle", "env", "ex", "p.ex", "a.m", "p.m",
];

/// Byte ranges of the sentences of `text`, in order, without the white space around them.
///
/// A sentence ends at `.`, `!`, `?` or `…` before white space, or at an empty line; not after an abbreviation, an
/// initial, a list number, nor before a lower-case letter.
pub fn sentence_spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut start = 0;
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let mut index = 0;
    while index < characters.len() {
        let (at, character) = characters[index];
        if character == '\n' && characters.get(index + 1).is_some_and(|(_, c)| *c == '\n') {
            push_trimmed(text, start..at, &mut spans);
            start = at;
        } else if matches!(character, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '؟') {
            while characters
                .get(index + 1)
                .is_some_and(|(_, c)| closes_sentence(*c))
            {
                index += 1;
            }
            let end = characters.get(index + 1).map_or(text.len(), |(next, _)| *next);
            if ends_sentence(text, start, at, end) {
                push_trimmed(text, start..end, &mut spans);
                start = end;
            }
        }
        index += 1;
    }
    push_trimmed(text, start..text.len(), &mut spans);
    spans
}

fn closes_sentence(character: char) -> bool {
    matches!(
        character,
        '.' | '!' | '?' | '…' | '"' | '\'' | '”' | '’' | '»' | ')' | ']'
    )
}

fn ends_sentence(text: &str, start: usize, mark: usize, end: usize) -> bool {
    let after = &text[end..];
    if !after.is_empty() && !after.starts_with(char::is_whitespace) {
        return false;
    }
    let next = after.trim_start().chars().next();
    if next.is_some_and(char::is_lowercase) {
        return false;
    }
    if !text[mark..].starts_with('.') {
        return true;
    }
    let before = &text[start..mark];
    let last = before
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default();
    let only_list_number =
        before.trim().len() == last.len() && last.chars().all(|c| c.is_ascii_digit()) && !last.is_empty();
    let initial = last.chars().count() == 1 && last.chars().all(char::is_uppercase);
    let abbreviation = ABBREVIATIONS.contains(&last.to_lowercase().as_str());
    // "etc." and "a.m." do end a sentence when the text ends there.
    next.is_none() || !(only_list_number || initial || abbreviation)
}

fn push_trimmed(text: &str, range: Range<usize>, spans: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    let end = start + piece.trim().len();
    if start < end {
        spans.push(start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentence_spans(text).into_iter().map(|span| &text[span]).collect()
    }

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        assert_eq!(
            split("Mr. Mensah pays GHS 1.50. Is it 8 a.m. or later? No. 5 is closed! (Really.) Fin…"),
            [
                "Mr. Mensah pays GHS 1.50.",
                "Is it 8 a.m. or later?",
                "No. 5 is closed!",
                "(Really.)",
                "Fin…"
            ]
        );
        assert_eq!(
            split("¿A qué hora abren? A las 8.\n\nOtra línea"),
            ["¿A qué hora abren?", "A las 8.", "Otra línea"]
        );
        assert_eq!(
            split("1. Greet the customer. 2. Ask"),
            ["1. Greet the customer.", "2. Ask"]
        );
        assert_eq!(
            split("Ecrivez à M. Koné. Merci."),
            ["Ecrivez à M. Koné.", "Merci."]
        );
        assert!(split(" \n\n ").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_lost(text in "[A-Za-zé.!? \n]{0,80}") {
            let kept: String = split(&text).concat().split_whitespace().collect();
            let all: String = text.split_whitespace().collect();
            proptest::prop_assert_eq!(kept, all);
        }
    }
}
