//! Calibration: from what is known about a composed reply to the probability that it answers the question.
//!
//! A logistic whose coefficients are not in the code but in a file with its provenance (`calibration.toml`), written by
//! `plumbline-eval calibrate` from the dev split of a golden set under cross-validation. A business whose questions
//! differ fits its own; a threshold then means the same everywhere, a probability.

#![expect(
    clippy::cast_precision_loss,
    reason = "counts of words and ranks are far below 2^23"
)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Coefficients of the built-in calibration.
const BUILT_IN: &str = include_str!("calibration.toml");

/// Ranks at and beyond which nothing more is said.
const LAST_RANK: usize = 50;

/// What is known about a composed reply before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Features {
    /// Best fused score of the search.
    pub fused: f32,
    /// Best passage cosine.
    pub cosine: f32,
    /// By how much the best passage's fused score exceeds the second's.
    pub margin: f32,
    /// Words of the question that carry meaning, each once.
    pub content_words: usize,
    /// Place of the best cited passage among the hits, 0 for the first.
    pub cited_rank: usize,
    /// Its rank in the vector leg, 1-based; 0 when that leg did not find it.
    pub cited_vector_rank: usize,
    /// BM25 of the best hit as a share of the most that the question could score, 0 to 1.
    pub lexical: f32,
    /// Whether the customer writes another language than English, which the built-in encoder was not trained on.
    pub foreign: bool,
    /// Whether the question was routed as one that combines facts.
    pub reasoning: bool,
    /// Relevance of the best sentence in the model's own measure.
    pub relevance: f32,
    /// Whether the reply holds the kind of thing asked for; `None` when no particular kind is.
    pub kind_present: Option<bool>,
    /// Specific words of the question (names, codes) that no evidence holds.
    pub unknown: usize,
    /// Specific words of the question that the quoted passages do not hold, although other evidence may.
    pub unquoted: usize,
    /// Share of the question's uncommon words that the quoted passages do not hold.
    pub uncommon_missing: f32,
    /// How many these are.
    pub uncommon_missed: usize,
}

impl Features {
    /// The features as the logistic reads them, by name.
    pub fn named(&self) -> [(&'static str, f32); 14] {
        let flag = |is: bool| f32::from(u8::from(is));
        let rank = |rank: usize| (rank.min(LAST_RANK) as f32).ln_1p();
        let second = if self.fused > 0.0 {
            (self.fused - self.margin) / self.fused
        } else {
            1.0
        };
        let vector_rank = match self.cited_vector_rank {
            0 => LAST_RANK,
            found => found - 1,
        };
        [
            ("relevance", self.relevance),
            ("fused", self.fused),
            ("cosine", self.cosine),
            ("lexical", self.lexical),
            ("margin", self.margin),
            ("second_share", second),
            ("length", (self.content_words as f32).ln_1p()),
            ("cited_rank", rank(self.cited_rank)),
            ("cited_vector_rank", rank(vector_rank)),
            ("kind_absent", flag(self.kind_present == Some(false))),
            ("unknown", self.unknown.min(2) as f32),
            ("unquoted", self.unquoted.min(2) as f32),
            ("uncommon_missing", self.uncommon_missing),
            ("foreign", flag(self.foreign)),
        ]
    }
}

/// Coefficients with their provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Raised with every fit.
    pub version: u32,
    /// On what and how it was fitted, and what it reached there.
    pub provenance: String,
    /// Constant term of the logit.
    pub bias: f32,
    /// Weight per feature name; a name that is not there weighs nothing.
    pub weights: BTreeMap<String, f32>,
}

impl Calibration {
    /// The calibration that comes with the program.
    pub fn built_in() -> &'static Self {
        static PARSED: LazyLock<Calibration> = LazyLock::new(|| {
            #[expect(
                clippy::expect_used,
                reason = "the file is a constant of this crate and a test reads it"
            )]
            toml::from_str(BUILT_IN).expect("calibration.toml is valid")
        });
        &PARSED
    }

    /// Estimated probability that a reply with these features answers its question, 0 to 1.
    pub fn probability(&self, features: &Features) -> f32 {
        let weighed: f32 = features
            .named()
            .iter()
            .map(|(name, value)| self.weights.get(*name).copied().unwrap_or_default() * value)
            .sum();
        1.0 / (1.0 + (-(self.bias + weighed)).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEATURES: Features = Features {
        fused: 0.5,
        cosine: 0.5,
        margin: 0.1,
        content_words: 4,
        cited_rank: 0,
        cited_vector_rank: 1,
        lexical: 0.5,
        foreign: false,
        reasoning: false,
        relevance: 0.6,
        kind_present: None,
        unknown: 0,
        unquoted: 0,
        uncommon_missing: 0.0,
        uncommon_missed: 0,
    };

    #[test]
    fn every_coefficient_of_the_file_belongs_to_a_feature() {
        let names: Vec<&str> = FEATURES.named().iter().map(|(name, _)| *name).collect();
        for name in Calibration::built_in().weights.keys() {
            assert!(names.contains(&name.as_str()), "{name}");
        }
        assert!(!Calibration::built_in().provenance.is_empty());
    }

    #[test]
    fn the_logistic_is_the_one_in_the_books() {
        let calibration = Calibration {
            version: 1,
            provenance: String::new(),
            bias: -1.0,
            weights: BTreeMap::from([("relevance".to_owned(), 5.0)]),
        };
        // 1 / (1 + e^-2)
        assert!((calibration.probability(&FEATURES) - 0.880_797).abs() < 1e-5);
    }

    #[test]
    fn a_passage_that_the_vector_leg_did_not_find_counts_as_last() {
        let rank = |found| {
            let features = Features {
                cited_vector_rank: found,
                ..FEATURES
            };
            features.named()[8].1
        };
        assert!(rank(0) > rank(40));
        assert!(rank(1).abs() < f32::EPSILON);
    }
}
