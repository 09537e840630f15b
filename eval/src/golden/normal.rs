//! One normal form of text for finding quotes and checking phrases.
//!
//! A quote is written by a person who looks at the document; the canonical text comes out of an
//! extractor. Between the two lie ligatures, line breaks, table bars, hyphens at line ends and
//! curly quotes. The normal form removes exactly those differences and remembers, byte by byte,
//! where it came from, so that a match can be turned back into a span of the source.
//!
//! Rules: NFKC; every run of white space and `|` is one space; hyphens between letters are dropped
//! together with a line break after them; curly quotes and long dashes become plain ones; lower
//! case; no space at either end.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// A text in normal form with the way back to its source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Normal {
    text: String,
    /// For each byte of `text`, the source range of the character it came from.
    origins: Vec<(usize, usize)>,
}

impl Normal {
    /// Normalises `source`.
    pub fn new(source: &str) -> Self {
        let mut normal = Self::default();
        let groups = combining_groups(source);
        let mut space_from: Option<usize> = None;
        let mut i = 0;
        while i < groups.len() {
            let range = groups[i].clone();
            let group = &source[range.clone()];
            if let Some(next) = hyphen_joined(source, &groups, i, &normal.text) {
                i = next;
                continue;
            }
            i += 1;
            if is_gap(group) {
                space_from.get_or_insert(range.start);
                continue;
            }
            if let Some(start) = space_from.take()
                && !normal.text.is_empty()
            {
                normal.push(' ', start, range.start);
            }
            for c in group.nfkc().flat_map(char::to_lowercase).map(plain) {
                normal.push(c, range.start, range.end);
            }
        }
        normal
    }

    fn push(&mut self, c: char, start: usize, end: usize) {
        // NFKC turns some signs (such as a free-standing accent) into a space and more.
        if c == ' ' && self.text.ends_with(' ') {
            return;
        }
        self.text.push(c);
        self.origins
            .extend(std::iter::repeat_n((start, end), c.len_utf8()));
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Every place of `needle`, as ranges of the source.
    pub fn find(&self, needle: &Self) -> Vec<Range<usize>> {
        occurrences(&self.text, needle.text.trim())
            .into_iter()
            .filter_map(|found| Some(self.origins.get(found.start)?.0..self.origins.get(found.end - 1)?.1))
            .collect()
    }
}

/// The normal form of `text` alone.
pub fn normal(text: &str) -> String {
    Normal::new(text).text
}

/// Whether the normal form of `phrase` occurs in that of `text` as whole words and whole numbers.
pub fn contains(text: &str, phrase: &str) -> bool {
    let phrase = normal(phrase);
    !phrase.trim().is_empty() && !occurrences(&normal(text), phrase.trim()).is_empty()
}

/// Every place of `needle` in `hay` that does not cut a word or a number: `7` is not in `17`,
/// `1.7` or `7,000`, but `1,250` is in `1,250.00`.
pub fn occurrences(hay: &str, needle: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if needle.is_empty() {
        return found;
    }
    let mut from = 0;
    while let Some(at) = hay[from..].find(needle) {
        let start = from + at;
        let end = start + needle.len();
        if whole_at_start(hay, start, needle) && whole_at_end(hay, end, needle) {
            found.push(start..end);
        }
        from = start + hay[start..].chars().next().map_or(1, char::len_utf8);
    }
    found
}

fn whole_at_start(hay: &str, start: usize, needle: &str) -> bool {
    let Some(first) = needle.chars().next().filter(|c| c.is_alphanumeric()) else {
        return true;
    };
    let mut before = hay[..start].chars().rev();
    match before.next() {
        Some(c) if c.is_alphanumeric() => false,
        Some('.' | ',') if first.is_ascii_digit() => !before.next().is_some_and(|c| c.is_ascii_digit()),
        _ => true,
    }
}

fn whole_at_end(hay: &str, end: usize, needle: &str) -> bool {
    let Some(last) = needle.chars().next_back().filter(|c| c.is_alphanumeric()) else {
        return true;
    };
    let mut after = hay[end..].chars();
    match after.next() {
        Some(c) if c.is_alphanumeric() => false,
        Some('.' | ',') if last.is_ascii_digit() => {
            let digits: String = after.take_while(char::is_ascii_digit).collect();
            digits.is_empty() || (digits.len() <= 2 && digits.bytes().all(|b| b == b'0'))
        }
        _ => true,
    }
}

/// Ranges of a base character with the combining marks that follow it, so that `e` + `´` and `é`
/// come out the same.
fn combining_groups(source: &str) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, c) in source.char_indices() {
        match groups.last_mut() {
            Some(group) if canonical_combining_class(c) != 0 => group.end = at + c.len_utf8(),
            _ => groups.push(at..at + c.len_utf8()),
        }
    }
    groups
}

fn is_gap(group: &str) -> bool {
    group
        .chars()
        .all(|c| c.is_whitespace() || c == '|' || c == '\u{200b}' || c == '\u{feff}')
}

/// When group `i` is a hyphen between two letters (with or without a line break after it), the
/// index of the group to go on with.
fn hyphen_joined(source: &str, groups: &[Range<usize>], i: usize, so_far: &str) -> Option<usize> {
    let hyphen = &source[groups[i].clone()];
    if hyphen == "\u{ad}" {
        return Some(i + 1);
    }
    let after_letter = i > 0
        && source[groups[i - 1].clone()]
            .chars()
            .next()
            .is_some_and(char::is_alphabetic);
    if !matches!(hyphen, "-" | "\u{2010}" | "\u{2011}") || !after_letter || so_far.is_empty() {
        return None;
    }
    let starts_with_letter =
        |g: &Range<usize>| source[g.clone()].chars().next().is_some_and(char::is_alphabetic);
    let mut next = i + 1;
    let mut broke = false;
    while let Some(group) = groups.get(next) {
        if starts_with_letter(group) {
            return (next == i + 1 || broke).then_some(next);
        }
        let gap = &source[group.clone()];
        if !gap.trim().is_empty() {
            return None;
        }
        broke |= gap.contains('\n');
        next += 1;
    }
    None
}

fn plain(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{00ab}' | '\u{00bb}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_differences_of_extraction_disappear() {
        assert_eq!(
            normal("  Of\u{fb01}ce |  Hours\n|Mon\u{2013}Fri "),
            "office hours mon-fri"
        );
        assert_eq!(
            normal("the war-\n  ranty of a long-term plan"),
            "the warranty of a longterm plan"
        );
        assert_eq!(normal("cafe\u{301} = caf\u{e9}"), "caf\u{e9} = caf\u{e9}");
        assert_eq!(normal("we\u{2019}ll"), "we'll");
        assert_eq!(normal("a - b"), "a - b");
        assert_eq!(normal("05-06"), "05-06");
    }

    #[test]
    fn a_match_leads_back_to_the_source() {
        let source = "Intro.\nThe  war-\nranty | lasts 24 months.";
        let hay = Normal::new(source);
        let found = hay.find(&Normal::new("the warranty lasts 24 months"));
        assert_eq!(found.len(), 1);
        assert_eq!(&source[found[0].clone()], "The  war-\nranty | lasts 24 months");
    }

    #[test]
    fn words_and_numbers_are_whole() {
        assert!(!contains("within 17 days", "7 days"));
        assert!(!contains("costs 1,700", "700"));
        assert!(!contains("costs 1.7", "7"));
        assert!(!contains("costs 7,000", "7"));
        assert!(contains("costs GHS 1,250.00 today", "GHS 1,250"));
        assert!(contains("It takes 7.", "7"));
        assert!(!contains("anything", " "));
    }

    proptest! {
        #[test]
        fn normal_form_is_stable(text in "\\PC{0,40}") {
            let once = normal(&text);
            prop_assert_eq!(once.split_whitespace().collect::<Vec<_>>().join(" "), once.trim());
        }

        #[test]
        fn a_text_contains_its_own_words(words in proptest::collection::vec("[a-zé]{2,8}", 1..8), pick in 0_usize..8) {
            let text = words.join(" | ");
            let pick = &words[pick % words.len()];
            prop_assert!(contains(&text, pick));
        }

        #[test]
        fn origins_cover_every_byte(text in "[a-zA-Z é\\-\n|0-9.]{0,60}") {
            let normal = Normal::new(&text);
            prop_assert_eq!(normal.origins.len(), normal.text.len());
            for &(start, end) in &normal.origins {
                prop_assert!(text.get(start..end).is_some());
            }
        }
    }
}
