//! Whether a row says anything in words.
//!
//! The meaning of a row of numbers, dates and codes cannot be embedded: thousands of such vectors
//! lie in one heap and crowd everything else out of a search. Such a table is recognised here and
//! chunked apart (see [`crate::chunk`]).

use csv::StringRecord;

/// Letters a word has at least, in scripts that write words with spaces.
const MIN_LETTERS: usize = 4;

/// Values that look like words and are codes.
const FLAGS: [&str; 8] = ["true", "false", "null", "none", "yes", "no", "nan", "n/a"];

pub(super) fn has_words(record: &StringRecord) -> bool {
    record.iter().any(|cell| cell.split_whitespace().any(is_word))
}

/// Letters only, long enough; one ideograph is a word. Codes ("AX-12", "EUR") are not.
fn is_word(token: &str) -> bool {
    let token = token.trim_matches(|c: char| c.is_ascii_punctuation());
    if token.chars().any(is_ideograph) {
        return true;
    }
    let letters = token.chars().filter(|c| c.is_alphabetic()).count();
    let only_letters = token.chars().all(|c| c.is_alphabetic() || c == '\'' || c == '-');
    let is_code = token.len() <= 6 && !token.chars().any(char::is_lowercase) && token.is_ascii();
    only_letters && letters >= MIN_LETTERS && !is_code && !FLAGS.contains(&token.to_lowercase().as_str())
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_dates_and_codes_are_no_words() {
        let row = |cells: &[&str]| has_words(&StringRecord::from(cells.to_vec()));
        assert!(!row(&[
            "12.5",
            "2026-05-01",
            "AX-1204",
            "EUR",
            "true",
            "3 kg",
            "03 Mar",
            ""
        ]));
        assert!(row(&["12.5", "Garden chair"]));
        assert!(row(&["12", "椅子"]));
        assert!(row(&["1", "стол дубовый"]));
    }
}
