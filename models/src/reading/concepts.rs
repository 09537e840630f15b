//! Words that mean the same to somebody who asks a business something, within and across four languages.
//!
//! Customers paraphrase: they ask what it "costs" where the document says "fee", and "télé" where a table says "TV". A
//! sentence encoder bridges much of that in its own language and little in others; a small lexicon of general commerce
//! vocabulary bridges the rest, costs microseconds and can be read. It never counts as much as the word itself.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Word, fold, stem};

/// The lexicon: one meaning per line.
const LEXICON: &str = include_str!("concepts.txt");

/// How people type: language, short form, what it stands for.
const SHORTHAND: &str = include_str!("shorthand.txt");

/// Number of a meaning in the lexicon.
pub type Meaning = u16;

struct Lexicon {
    words: Vec<Vec<&'static str>>,
    by_word: HashMap<&'static str, Vec<Meaning>>,
    by_stem: HashMap<String, Vec<Meaning>>,
}

static CONCEPTS: LazyLock<Lexicon> = LazyLock::new(|| {
    let words: Vec<Vec<&str>> = LEXICON
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect())
        .collect();
    let mut by_word: HashMap<&str, Vec<Meaning>> = HashMap::new();
    let mut by_stem: HashMap<String, Vec<Meaning>> = HashMap::new();
    for (meaning, line) in (0..).zip(&words) {
        for word in line {
            by_word.entry(word).or_default().push(meaning);
            let stemmed = by_stem.entry(stem(word)).or_default();
            if stemmed.last() != Some(&meaning) {
                stemmed.push(meaning);
            }
        }
    }
    Lexicon {
        words,
        by_word,
        by_stem,
    }
});

/// The meanings of a folded word, by its form or else by its stem; empty for a word outside the lexicon.
pub fn meanings(folded: &str) -> &'static [Meaning] {
    CONCEPTS
        .by_word
        .get(folded)
        .map_or_else(|| of_stem(&stem(folded)), Vec::as_slice)
}

/// The same for a word that has been read, whose stem is known.
pub fn meanings_of(word: &Word<'_>) -> &'static [Meaning] {
    CONCEPTS
        .by_word
        .get(word.folded.as_str())
        .map_or_else(|| of_stem(&word.stem), Vec::as_slice)
}

fn of_stem(stem: &str) -> &'static [Meaning] {
    CONCEPTS.by_stem.get(stem).map_or(&[], Vec::as_slice)
}

/// Words that mean the same as a folded word, folded, without itself.
pub fn synonyms(folded: &str) -> Vec<&'static str> {
    let mut found: Vec<&str> = meanings(folded)
        .iter()
        .flat_map(|&meaning| &CONCEPTS.words[usize::from(meaning)])
        .copied()
        .filter(|word| *word != folded)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// `text` with the short forms of chats written out ("2 wks" as "2 weeks"), for `language` (ISO 639-1). Everything else
/// stays as it is.
pub fn written_out(text: &str, language: &str) -> String {
    static FORMS: LazyLock<HashMap<(&str, &str), String>> = LazyLock::new(|| {
        SHORTHAND
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let (language, rest) = line.split_once(' ')?;
                let (short, long) = rest.split_once(' ')?;
                Some(((language, short), long.to_owned()))
            })
            .collect()
    });
    let mut written = String::with_capacity(text.len() + 16);
    for piece in
        text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, ',' | '?' | '!' | ';' | '(' | ')'))
    {
        let word = piece.trim_end_matches(|c: char| {
            c.is_whitespace() || matches!(c, ',' | '?' | '!' | ';' | '(' | ')' | '.')
        });
        let lower = word.to_lowercase();
        // Folded forms cover "tà" typed for "tá".
        let folded = fold(&lower);
        let long = FORMS
            .get(&(language, lower.as_str()))
            .or_else(|| FORMS.get(&(language, folded.as_str())));
        match long {
            Some(long) => {
                written.push_str(long);
                written.push_str(&piece[word.len()..]);
            }
            None => written.push_str(piece),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        meanings(a).iter().any(|meaning| meanings(b).contains(meaning))
    }

    #[test]
    fn paraphrases_meet_within_and_across_languages() {
        for (a, b) in [
            ("fee", "cost"),
            ("thieves", "theft"),
            ("mended", "repair"),
            ("tele", "tv"),
            ("livraison", "delivery"),
            ("devolucion", "retour"),
            ("reembolso", "refunded"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        assert!(!same("refund", "repair"));
    }

    #[test]
    fn a_word_outside_the_lexicon_has_no_meaning_here() {
        assert!(meanings("zanzibar").is_empty());
        assert!(synonyms("zanzibar").is_empty());
        assert!(!synonyms("refund").contains(&"refund"));
    }

    #[test]
    fn every_line_is_folded_and_says_something() {
        for line in LEXICON.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.split_whitespace().count() >= 2, "{line}");
            assert_eq!(line, fold(line), "{line}");
        }
    }

    #[test]
    fn short_forms_are_written_out_in_their_language_only() {
        assert_eq!(written_out("how many wks, pls?", "en"), "how many weeks, please?");
        assert_eq!(written_out("c combien", "fr"), "c'est combien");
        assert_eq!(written_out("plan C costs", "en"), "plan C costs");
        assert_eq!(written_out("vc entrega hj?", "pt"), "você entrega hoje?");
    }

    proptest::proptest! {
        #[test]
        fn text_without_short_forms_is_unchanged(text in "[A-Z0-9éà ,.!?-]{0,60}") {
            proptest::prop_assert_eq!(written_out(&text, "xx"), text);
        }
    }
}
