//! Words: which carry content, which are the same, which deny.

use crate::golden::normal::normal;

/// Function words of the supported languages, sorted. They carry no claim.
const STOPWORDS: &[&str] = &[
    "a", "ai", "al", "an", "and", "any", "ao", "are", "as", "at", "au", "aux", "avec", "be", "been", "but",
    "by", "can", "ce", "ces", "com", "como", "con", "da", "dans", "das", "de", "del", "des", "did", "do",
    "does", "dos", "du", "e", "el", "em", "en", "es", "est", "et", "for", "from", "had", "has", "have", "he",
    "her", "his", "i", "if", "il", "in", "into", "is", "it", "its", "la", "las", "le", "les", "lo", "los",
    "may", "me", "mi", "my", "na", "nas", "no", "nos", "o", "of", "on", "or", "os", "ou", "our", "par",
    "para", "pela", "pelo", "por", "pour", "que", "qui", "se", "she", "si", "so", "son", "su", "sur", "that",
    "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "tu", "u", "um", "uma",
    "un", "una", "une", "up", "us", "vous", "was", "we", "were", "what", "when", "which", "who", "will",
    "with", "would", "y", "you", "your",
];

/// Words that deny, in normal form.
const DENIALS: &[&str] = &[
    "aucun", "aucune", "cannot", "jamais", "jamas", "jamás", "nao", "neither", "never", "ni", "ningun",
    "ninguna", "ninguno", "ningún", "no", "none", "nor", "not", "nothing", "nunca", "não", "pas", "sans",
    "sem", "sin", "without",
];

/// Splits into words of letters and digits, in normal form.
pub fn words(text: &str) -> Vec<String> {
    let apart = |c: char| !(c.is_alphanumeric() || c == '\'');
    normal(text)
        .split(apart)
        .map(|word| word.trim_matches('\'').to_owned())
        .filter(|w| !w.is_empty())
        .collect()
}

/// The words that carry content.
pub fn content_words(text: &str) -> Vec<String> {
    words(text)
        .into_iter()
        .filter(|word| STOPWORDS.binary_search(&word.as_str()).is_err())
        .collect()
}

/// Whether two words are the same up to a short ending: `refund` and `refunds`, `deliver` and
/// `delivery`.
pub fn same_word(a: &str, b: &str) -> bool {
    const STEM: usize = 4;
    const ENDING: usize = 3;
    if a == b {
        return true;
    }
    if a.bytes().chain(b.bytes()).any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let shared = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let ending = |word: &str| word.chars().count() - shared;
    shared >= STEM && ending(a) <= ENDING && ending(b) <= ENDING
}

/// Whether the words of `claim` stand in `evidence` in this order without a gap.
pub fn same_words_in_a_row(claim: &str, evidence: &str) -> bool {
    let claimed = words(claim).join(" ");
    let held = words(evidence).join(" ");
    !claimed.is_empty() && !crate::golden::normal::occurrences(&held, &claimed).is_empty()
}

/// Whether `claim` denies something and the sentence of `evidence` that is closest to it does not,
/// or the reverse, clause by clause. Clauses with less than half of the claim's words say nothing about it.
pub fn denial_differs(claim: &str, evidence: &str) -> bool {
    clauses(claim).any(|clause| clause_denial_differs(clause, evidence))
}

fn clauses(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['.', '!', '?', '\n', ';'])
}

fn clause_denial_differs(claim: &str, evidence: &str) -> bool {
    let claimed = content_words(claim);
    if claimed.is_empty() {
        return false;
    }
    let mut best: Option<(usize, &str)> = None;
    for sentence in clauses(evidence) {
        let held = content_words(sentence);
        let shared = claimed
            .iter()
            .filter(|word| held.iter().any(|h| same_word(h, word)))
            .count();
        if shared * 2 >= claimed.len() && best.is_none_or(|(most, _)| shared > most) {
            best = Some((shared, sentence));
        }
    }
    best.is_some_and(|(_, sentence)| denies(sentence) != denies(claim))
}

fn denies(text: &str) -> bool {
    words(text)
        .iter()
        .any(|word| DENIALS.contains(&word.as_str()) || word.ends_with("n't"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_stopwords_is_sorted() {
        assert!(STOPWORDS.is_sorted());
    }

    #[test]
    fn endings_are_forgiven_and_numbers_are_not() {
        assert!(same_word("refund", "refunds") && same_word("deliver", "delivery"));
        assert!(!same_word("cat", "cats") && !same_word("lumo40", "lumo4") && !same_word("return", "retail"));
    }

    #[test]
    fn denial_is_compared_with_the_closest_sentence() {
        let evidence = "Sealed phones can be returned. Opened phones cannot be returned.";
        assert!(denial_differs("Opened phones can be returned.", evidence));
        assert!(!denial_differs("Opened phones cannot be returned.", evidence));
        assert!(!denial_differs("Bananas are yellow.", evidence));
    }
}
