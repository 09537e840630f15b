//! Near-duplicate questions.
//!
//! Two copies of one question count one ability twice and let a leak between the splits pass as
//! skill. Questions that differ in a number or a model name are different questions, however alike
//! the rest is.

use std::collections::BTreeSet;

use super::normal::normal;

/// Edit similarity from which two questions count as one.
pub const NEAR: f64 = 0.92;

/// A question prepared for comparing.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    text: String,
    words: BTreeSet<String>,
    codes: BTreeSet<String>,
}

impl Fingerprint {
    /// Of one question with its history, since a follow-up means what was said before.
    pub fn new(question: &str, history: &str) -> Self {
        let text: String = normal(&format!("{history} {question}"))
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { ' ' })
            .collect();
        let words: BTreeSet<String> = text.split_whitespace().map(str::to_owned).collect();
        let codes = words
            .iter()
            .filter(|word| word.bytes().any(|b| b.is_ascii_digit()))
            .cloned()
            .collect();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { text, words, codes }
    }

    /// Whether both are the same words.
    pub fn same(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// Whether both are nearly the same words with the same numbers and codes.
    pub fn near(&self, other: &Self) -> bool {
        if self.codes != other.codes {
            return false;
        }
        let shared = self.words.intersection(&other.words).count();
        let all = self.words.union(&other.words).count();
        // Comparing every pair letter by letter is slow; words rule most pairs out.
        if all == 0 || shared * 2 < all {
            return false;
        }
        strsim::normalized_levenshtein(&self.text, &other.text) >= NEAR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: &str, b: &str) -> bool {
        Fingerprint::new(a, "").near(&Fingerprint::new(b, ""))
    }

    #[test]
    fn a_letter_does_not_make_a_new_question_but_a_number_does() {
        assert!(near(
            "How long is the warranty of the battery?",
            "how long is the warranty of the batterys"
        ));
        assert!(!near(
            "Price of the Lumo 40 lantern?",
            "Price of the Lumo 60 lantern?"
        ));
        assert!(!near("When do you open?", "When do you close?"));
    }

    #[test]
    fn history_makes_a_difference() {
        let a = Fingerprint::new("and on sundays?", "when is the accra shop open");
        let b = Fingerprint::new("and on sundays?", "do you deliver to kumasi in the evening");
        assert!(!a.same(&b) && !a.near(&b));
    }
}
