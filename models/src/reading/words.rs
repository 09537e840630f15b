//! Words: folding, light stemming, stop words of four languages, and forgiving comparison.

use std::collections::HashSet;
use std::sync::LazyLock;

/// One word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'a> {
    /// As written.
    pub text: &'a str,
    /// First byte in the text.
    pub start: usize,
    /// Lower case, without accents; digits without grouping marks.
    pub folded: String,
    /// The folded word without its ending.
    pub stem: String,
}

impl Word<'_> {
    /// One past the last byte in the text.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it holds a digit: a number, or a code such as `A3`.
    pub fn has_digit(&self) -> bool {
        self.text.bytes().any(|b| b.is_ascii_digit())
    }

    /// Whether it begins with a capital letter.
    pub fn is_capitalised(&self) -> bool {
        self.text.chars().next().is_some_and(char::is_uppercase)
    }

    /// Whether it carries no meaning of its own in any of the four languages.
    pub fn is_stop_word(&self) -> bool {
        is_stop_word(&self.folded)
    }
}

/// The words of `text`, in order. A mark between two digits (`1,200`, `08:30`, `1/2`) stays inside the word.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut start = None;
    let mut previous = ' ';
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next_is_digit = characters.peek().is_some_and(|(_, c)| c.is_ascii_digit());
        let joins_digits =
            matches!(character, '.' | ',' | ':' | '/') && previous.is_ascii_digit() && next_is_digit;
        if character.is_alphanumeric() || (start.is_some() && joins_digits) {
            start.get_or_insert(at);
        } else if let Some(begin) = start.take() {
            found.push(word(text, begin, at));
        }
        previous = character;
    }
    if let Some(begin) = start {
        found.push(word(text, begin, text.len()));
    }
    found
}

fn word(text: &str, start: usize, end: usize) -> Word<'_> {
    let text = &text[start..end];
    let folded = fold(text);
    Word {
        text,
        start,
        stem: stem(&folded),
        folded,
    }
}

/// Lower case without the accents of Latin letters; `1,200` becomes `1200`.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return without_grouping(text.to_ascii_lowercase());
    }
    let mut folded = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        match character {
            'à'..='å' | 'ā' => folded.push('a'),
            'ç' => folded.push('c'),
            'è'..='ë' => folded.push('e'),
            'ì'..='ï' => folded.push('i'),
            'ñ' => folded.push('n'),
            'ò'..='ö' => folded.push('o'),
            'ù'..='ü' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            '’' => folded.push('\''),
            '\u{300}'..='\u{36f}' => {}
            other => folded.push(other),
        }
    }
    without_grouping(folded)
}

/// Removes the comma of `1,200,000`; other marks keep their place, because they may be decimals, times or dates.
fn without_grouping(text: String) -> String {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(',');
    let mut groups = text.split(',');
    let leads = groups.next().is_some_and(|g| g.len() <= 3);
    let grouped =
        is_number && leads && groups.all(|g| g.len() >= 3 && g.bytes().take(3).all(|b| b.is_ascii_digit()));
    if grouped { text.replace(',', "") } else { text }
}

const IRREGULAR: &[(&str, &str)] = &[
    ("paid", "pay"),
    ("bought", "buy"),
    ("sold", "sell"),
    ("sent", "send"),
    ("kept", "keep"),
    ("broken", "break"),
    ("broke", "break"),
    ("took", "take"),
    ("taken", "take"),
    ("costs", "cost"),
    ("men", "man"),
    ("children", "child"),
];

/// Endings taken off, longest first, with the fewest letters that must stay.
const ENDINGS: &[(&str, usize)] = &[
    ("ations", 3),
    ("ation", 3),
    ("acoes", 3),
    ("acao", 3),
    ("aciones", 3),
    ("acion", 3),
    ("ments", 3),
    ("ment", 3),
    ("ings", 3),
    ("ing", 3),
    ("ies", 3),
    ("ers", 4),
    ("er", 4),
    ("ed", 3),
    ("es", 3),
    ("s", 3),
    ("y", 3),
    ("e", 3),
    ("a", 4),
    ("o", 4),
];

/// A light stem of a folded word: enough to let `deliveries`, `delivered` and `delivery` meet.
pub fn stem(folded: &str) -> String {
    if folded.bytes().any(|b| b.is_ascii_digit()) || folded.len() < 4 {
        return folded.to_owned();
    }
    if let Some((_, base)) = IRREGULAR.iter().find(|(form, _)| *form == folded) {
        return (*base).to_owned();
    }
    let mut base = folded;
    for _ in 0..2 {
        let cut = ENDINGS.iter().find(|(ending, least)| {
            base.ends_with(ending) && base.len() >= ending.len() + least && !base.ends_with("ss")
        });
        let Some((ending, _)) = cut else { break };
        base = &base[..base.len() - ending.len()];
    }
    let mut base = base.to_owned();
    let bytes = base.as_bytes();
    if bytes.len() > 3 && bytes[bytes.len() - 1] == bytes[bytes.len() - 2] {
        base.pop();
    }
    if base.ends_with('i') && base.len() > 3 {
        base.pop();
    }
    base
}

/// Whether two folded words are the same but for one typing slip. Short words and words with digits must be equal:
/// one letter of `A3` or `car` is another thing.
pub fn near(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    // Folded words are nearly always ASCII: most pairs end here, before anything is allocated.
    if a.as_bytes().first() != b.as_bytes().first()
        || a.len().abs_diff(b.len()) > 4
        || a.len().min(b.len()) < 5
    {
        return false;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    let comparable = short.len() >= 5 && long.len() - short.len() <= 1 && a[0] == b[0];
    if !comparable || a.iter().chain(&b).any(char::is_ascii_digit) {
        return false;
    }
    let prefix = short.iter().zip(long.iter()).take_while(|(x, y)| x == y).count();
    let (rest_short, rest_long) = (&short[prefix..], &long[prefix..]);
    if short.len() < long.len() {
        return rest_short == &rest_long[1..];
    }
    let swapped = rest_short.len() >= 2
        && rest_short[0] == rest_long[1]
        && rest_short[1] == rest_long[0]
        && rest_short[2..] == rest_long[2..];
    swapped || rest_short[1..] == rest_long[1..]
}

/// Whether a folded word carries no meaning of its own in English, French, Portuguese or Spanish.
pub fn is_stop_word(folded: &str) -> bool {
    static STOP: LazyLock<HashSet<&'static str>> = LazyLock::new(|| STOP_WORDS.split_whitespace().collect());
    folded.len() < 2 && !folded.bytes().any(|b| b.is_ascii_digit()) || STOP.contains(folded)
}

const STOP_WORDS: &str = include_str!("stop_words.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_codes_stay_whole() {
        let found: Vec<_> = words("GHS 1,200.50 at 08:30, l’été: SN-080TV.")
            .into_iter()
            .map(|w| w.folded)
            .collect();
        assert_eq!(
            found,
            ["ghs", "1200.50", "at", "08:30", "l", "ete", "sn", "080tv"]
        );
    }

    #[test]
    fn forms_of_one_word_meet() {
        for group in [
            &["delivery", "deliveries", "delivered", "deliver"][..],
            &["install", "installation", "installing"],
            &["price", "prices"],
            &["paid", "payment", "pay", "payments"],
            &["entrega", "entregas"],
            &["livraison", "livraisons"],
            &["shipping", "shipped", "ship"],
        ] {
            for form in group {
                assert_eq!(stem(form), stem(group[0]), "{form}");
            }
        }
    }

    #[test]
    fn different_words_stay_apart() {
        for (a, b) in [
            ("return", "repair"),
            ("week", "weight"),
            ("a3", "a5"),
            ("box", "bus"),
        ] {
            assert_ne!(stem(a), stem(b));
            assert!(!near(a, b), "{a} {b}");
        }
    }

    #[test]
    fn one_slip_is_forgiven() {
        for (a, b) in [
            ("takorady", "takoradi"),
            ("delivry", "delivery"),
            ("recieve", "receive"),
            ("waranty", "warranty"),
        ] {
            assert!(near(a, b), "{a} {b}");
        }
        assert!(!near("tema", "temo"), "short words must be equal");
    }

    proptest::proptest! {
        #[test]
        fn words_lie_where_they_say(text in "\\PC{0,60}") {
            for word in words(&text) {
                proptest::prop_assert_eq!(&text[word.start..word.end()], word.text);
            }
        }

        #[test]
        fn nearness_is_symmetric(a in "[a-e]{1,9}", b in "[a-e]{1,9}") {
            proptest::prop_assert_eq!(near(&a, &b), near(&b, &a));
        }
    }
}
