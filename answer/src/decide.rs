//! Decide: whether the evidence answers the question.
//!
//! Similarity tells an off-topic question from an on-topic one and hardly ever a near miss from a hit: "delivery to
//! Keta" is as close to the tariff as "delivery to Tema". What tells them apart is the missing detail: a specific word of
//! the question that the quoted evidence does not hold, or a kind of thing asked for that it does not contain. The
//! confidence is a logistic over both sorts of features.

#![expect(
    clippy::cast_precision_loss,
    reason = "counts of words and examples are far below 2^23"
)]

use std::collections::HashSet;

use plumbline_models::reading::{Asked, Word, near, words};

use crate::answer::Reason;
use crate::calibration::{Calibration, Features};
use crate::vocabulary;

/// The decision with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Estimated probability that the evidence answers the question.
    pub confidence: f32,
    /// Why not to answer; `None` to answer.
    pub reason: Option<Reason>,
}

/// Decides from the features. A `min_confidence` of 0 answers everything that can be quoted, as a calibration needs it.
pub fn decide(features: &Features, min_confidence: f32) -> Verdict {
    let confidence = Calibration::built_in().probability(features);
    let lacks_detail = features.unknown > 0
        || features.unquoted > 0
        || features.kind_present == Some(false)
        || features.uncommon_missing >= 0.5;
    // A figure about a thing that no evidence names is a figure about another thing. Other questions may name things in
    // passing ("my parcel to Ho is late, do I get money back?"): there the name only weighs.
    let unknown_subject = features.unknown > 0 && features.kind_present.is_some() && min_confidence > 0.0;
    let reason = if unknown_subject {
        Some(Reason::MissingDetail)
    } else if confidence < min_confidence {
        Some(if lacks_detail {
            Reason::MissingDetail
        } else {
            Reason::NoEvidence
        })
    } else {
        None
    };
    // An answer that is not given was not believed: the number says so too.
    let confidence = if unknown_subject {
        confidence.min(min_confidence * 0.9)
    } else {
        confidence
    };
    Verdict { confidence, reason }
}

/// What the question names, checked against the evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Details {
    /// See [`Features::unknown`].
    pub unknown: usize,
    /// See [`Features::unquoted`].
    pub unquoted: usize,
    /// See [`Features::content_words`].
    pub content_words: usize,
    /// See [`Features::uncommon_missing`].
    pub uncommon_missing: f32,
    /// See [`Features::uncommon_missed`].
    pub uncommon_missed: usize,
}

/// Which details of `question` the texts hold: `quoted` is what the reply rests on (with titles and headings), `all` is
/// everything that was found.
pub fn details(question: &str, quoted: &str, all: &str) -> Details {
    let (quoted, all) = (Held::of(quoted), Held::of(all));
    let found = words(question);
    let mut details = Details::default();
    let (mut uncommon, mut missing) = (0_usize, 0_usize);
    details.content_words = found
        .iter()
        .enumerate()
        .filter(|(index, word)| !word.is_stop_word() && !is_measure(&found, *index))
        .map(|(_, word)| word.stem.as_str())
        .collect::<HashSet<_>>()
        .len();
    for (index, word) in found.iter().enumerate() {
        if vocabulary::is_common(&word.folded) || is_measure(&found, index) {
            continue;
        }
        if is_specific(question, &found, index) {
            details.unknown += usize::from(!all.holds(word));
            details.unquoted += usize::from(all.holds(word) && !quoted.holds(word));
        }
        uncommon += 1;
        missing += usize::from(!quoted.holds(word));
    }
    details.uncommon_missed = missing;
    if uncommon > 0 {
        details.uncommon_missing = missing as f32 / uncommon as f32;
    }
    details
}

/// The words of a text, for lookups that forgive endings and one slip.
struct Held {
    stems: HashSet<String>,
    folded: HashSet<String>,
    squashed: String,
}

impl Held {
    fn of(text: &str) -> Self {
        let found = words(text);
        let squashed = found.iter().map(|word| word.folded.as_str()).collect();
        let (stems, folded): (HashSet<String>, HashSet<String>) =
            found.into_iter().map(|word| (word.stem, word.folded)).unzip();
        Self {
            stems,
            folded,
            squashed,
        }
    }

    fn holds(&self, word: &Word<'_>) -> bool {
        self.stems.contains(&word.stem)
            || self.folded.iter().any(|other| near(other, &word.folded))
            // "SunRay50" for "SunRay 50", "A3" in "KA3".
            || (word.folded.len() >= 4 && self.squashed.contains(&word.folded))
    }
}

/// Words after which a number is a name, folded.
const LABELS: &[&str] = &[
    "error", "fault", "code", "alarm", "menu", "step", "article", "section", "type", "model", "version",
    "page", "erreur", "panne", "modele", "etape", "erro", "falha", "codigo", "modelo", "passo", "fallo",
    "paso", "averia",
];

/// A name inside a sentence, or a code: letters with digits, or the number behind a name.
fn is_specific(question: &str, found: &[Word<'_>], index: usize) -> bool {
    let word = &found[index];
    // Goods of another colour are other goods.
    if vocabulary::is_colour(&word.folded) {
        return true;
    }
    let letters = word.text.chars().any(char::is_alphabetic);
    if word.has_digit() {
        let behind_label = index > 0 && LABELS.contains(&found[index - 1].folded.as_str());
        let behind_name = index > 0
            && found[index - 1].is_capitalised()
            && found[index - 1].end() + 1 >= word.start
            && !vocabulary::is_common(&found[index - 1].folded);
        return letters || behind_name || behind_label;
    }
    let shouting = question
        .chars()
        .filter(|c| c.is_alphabetic())
        .all(|c| !c.is_lowercase());
    let begins = index == 0
        || question[found[index - 1].end()..word.start]
            .contains(['.', '?', '!', ':', '¿', '¡', '\n', '"', '“']);
    word.is_capitalised() && !begins && !shouting && word.text.chars().count() > 1
}

/// A plain number is a parameter ("8 kg", "3 nights"), which evidence need not repeat; so is its unit.
fn is_measure(found: &[Word<'_>], index: usize) -> bool {
    let word = &found[index];
    let number = |word: &Word<'_>| word.text.bytes().all(|b| !b.is_ascii_alphabetic()) && word.has_digit();
    let behind_name = index > 0
        && (found[index - 1].is_capitalised() || LABELS.contains(&found[index - 1].folded.as_str()));
    let glued_unit = word
        .folded
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',');
    let unit = matches!(
        glued_unit,
        "v" | "mah"
            | "gb"
            | "mb"
            | "hp"
            | "a"
            | "kw"
            | "kwh"
            | "inch"
            | "x"
            | "kg"
            | "kgs"
            | "g"
            | "km"
            | "m"
            | "cm"
            | "l"
            | "w"
            | "h"
            | "am"
            | "pm"
            | "ghs"
            | "usd"
            | "eur"
            | "cedis"
            | "kilos"
            | "kilo"
    );
    (number(word) && !behind_name) || unit
}

/// Best cosine below which an unanswered question that names unknown things is taken to be none of this business's
/// concern, and the same for one whose uncommon words are merely missing.
const FOREIGN_BELOW: f32 = 0.4;
const STRANGE_BELOW: f32 = 0.36;

/// Whether a question that is not answered is out of scope rather than a near miss.
pub fn is_foreign(features: &Features) -> bool {
    // One unknown word ("do you deliver to Lima?") is a near miss of this business, not another world.
    let several = features.uncommon_missed >= 2;
    let names_unknown = features.unknown > 0 && features.cosine < FOREIGN_BELOW;
    let speaks_of_unknown = features.uncommon_missing >= 0.75 && features.cosine < STRANGE_BELOW;
    several && (names_unknown || speaks_of_unknown)
}

/// Whether the reply holds the kind of thing the question asks for.
pub fn kind_present(question: &str, reply: &str) -> Option<bool> {
    Asked::of(question).map(|asked| asked.is_in(reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Features = Features {
        fused: 0.7,
        cosine: 0.7,
        margin: 0.1,
        content_words: 4,
        cited_rank: 0,
        cited_vector_rank: 1,
        lexical: 0.5,
        foreign: false,
        reasoning: false,
        relevance: 0.7,
        kind_present: Some(true),
        unknown: 0,
        unquoted: 0,
        uncommon_missing: 0.0,
        uncommon_missed: 0,
    };

    #[test]
    fn a_hit_is_answered_and_a_near_miss_is_not() {
        assert_eq!(decide(&GOOD, 0.5).reason, None);
        assert_eq!(
            decide(&Features { unknown: 1, ..GOOD }, 0.5).reason,
            Some(Reason::MissingDetail)
        );
        let without_price = Features {
            kind_present: Some(false),
            relevance: 0.5,
            cosine: 0.5,
            margin: 0.02,
            ..GOOD
        };
        assert_eq!(decide(&without_price, 0.5).reason, Some(Reason::MissingDetail));
        let far = Features {
            relevance: 0.2,
            cosine: 0.2,
            margin: 0.01,
            kind_present: None,
            ..GOOD
        };
        assert_eq!(decide(&far, 0.5).reason, Some(Reason::NoEvidence));
    }

    #[test]
    fn names_and_codes_must_be_in_the_evidence() {
        let tariff = "Delivery tariff\nTown: Tema | Price: 35\nTown: Takoradi | Price: 50";
        for (question, unknown) in [
            ("How much is delivery to Tema?", 0),
            ("How much is delivery to Keta?", 1),
            ("how much is delivery to Takorady", 0),
            ("Do you sell the SunRay 90?", 2),
            ("Is part X-77B in stock?", 1),
            ("Combien coûte la livraison à Lomé ?", 1),
            ("Quanto custa a entrega em Tema?", 0),
            ("¿Cuánto cuesta el envío a Lima?", 1),
        ] {
            assert_eq!(details(question, tariff, tariff).unknown, unknown, "{question}");
        }
    }

    #[test]
    fn a_detail_of_another_passage_is_unquoted() {
        let found = details(
            "How much is delivery to Ho?",
            "Town: Tema | Price: 35",
            "Town: Tema | Price: 35\nTown: Ho | Price: 40",
        );
        assert_eq!((found.unknown, found.unquoted), (0, 1));
    }

    #[test]
    fn a_colour_must_be_in_the_evidence() {
        let text = "The table fan is white.";
        assert_eq!(details("does the fan come in blue", text, text).unknown, 1);
        assert_eq!(details("does the fan come in white", text, text).unknown, 0);
        assert_eq!(details("ce ventilateur existe en rouge ?", text, text).unknown, 1);
    }

    #[test]
    fn a_passage_that_stands_out_and_a_long_question_give_confidence() {
        let close = Features { margin: 0.0, ..GOOD };
        let short = Features {
            content_words: 1,
            ..GOOD
        };
        let confidence = |features: &Features| decide(features, 0.5).confidence;
        assert!(confidence(&GOOD) > confidence(&close));
        assert!(confidence(&GOOD) > confidence(&short));
    }

    #[test]
    fn uncommon_lower_case_words_count_too() {
        assert!(details("do you sell generators", "We sell lamps.", "We sell lamps.").uncommon_missing > 0.9);
        assert!(
            details(
                "how do i get my money back",
                "Refunds take 5 days.",
                "Refunds take 5 days."
            )
            .uncommon_missing
                < 0.1
        );
        assert_eq!(
            details("how much for 8 kg to tema", "Town: Tema", "Town: Tema")
                .uncommon_missing
                .to_bits(),
            0
        );
    }

    #[test]
    fn one_unknown_name_is_a_near_miss_and_several_unknown_words_are_foreign() {
        let far = Features {
            cosine: 0.3,
            unknown: 1,
            uncommon_missed: 1,
            uncommon_missing: 0.5,
            ..GOOD
        };
        assert!(!is_foreign(&far));
        assert!(is_foreign(&Features {
            uncommon_missed: 3,
            ..far
        }));
    }

    proptest::proptest! {
        #[test]
        fn confidence_is_a_probability_and_grows_with_relevance(relevance in 0.0_f32..1.0, more in 0.0_f32..0.5, unquoted in 0_usize..4) {
            let low = decide(&Features { relevance, unquoted, ..GOOD }, 0.5);
            let high = decide(&Features { relevance: relevance + more, unquoted, ..GOOD }, 0.5);
            proptest::prop_assert!((0.0..=1.0).contains(&low.confidence));
            proptest::prop_assert!(high.confidence >= low.confidence);
        }
    }
}
