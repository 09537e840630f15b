//! Fusion of the two legs into one score.
//!
//! By default the score is a convex sum of two numbers that mean something by themselves: the BM25 score as a share of the most
//! that this question could score, and the raw
//! cosine of the passage. Rank and min-max fusion throw away *how well*
//! the best lexical hit matches; here a question whose words the documents do not know gets a small lexical share and
//! the vectors decide, and a question full of rare terms gets a large one. The other two ways stand for comparison and for
//! models whose cosines mean little: which one is best is asked of labelled questions, see `plumbline-eval tune`.

use std::collections::{HashMap, HashSet};

use plumbline_store::Fusion;
use uuid::Uuid;

use crate::rerank::Bonus;
use crate::{LegScore, ScoreParts};

/// What is known of a candidate before fusion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) chunk: Uuid,
    /// How near it is to the question, −1 to 1.
    pub(crate) cosine: Option<f32>,
    /// What reading it again adds to its score.
    pub(crate) bonus: Bonus,
    /// What an admin laid over it.
    pub(crate) wish: Wish,
}

/// An admin's wish for the place of a chunk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wish {
    /// It comes first when it is about as good as the best.
    pub(crate) pinned: bool,
    /// Factor of its score.
    pub(crate) boost: f32,
}

impl Wish {
    /// No wish.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self {
        pinned: false,
        boost: 1.0,
    };
}

/// A candidate with its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fused {
    pub(crate) chunk: Uuid,
    pub(crate) score: f32,
    pub(crate) parts: ScoreParts,
    pub(crate) lexical: Option<LegScore>,
    pub(crate) vector: Option<LegScore>,
}

/// How the two legs are put together, and how far a pin reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weights {
    /// What is summed.
    pub(crate) fusion: Fusion,
    /// Constant of reciprocal ranks.
    pub(crate) rrf_k: f32,
    /// Weight of the lexical share, 0 to 1; the cosine gets the rest.
    pub(crate) lexical: f32,
    /// A pinned chunk comes first when its score is at most this share below the best, 0 to 1.
    pub(crate) pin_margin: f32,
}

/// Orders candidates by `weight * lexical + (1 - weight) * vector + bonus`, times their boost, best first; pinned ones that
/// are about as good as the best come before all others. What the two terms are is said at [`Fusion`].
///
/// `lexical` and `vector` are the legs' results, best first; a candidate missing from the lexical leg scores 0 there.
pub(crate) fn fuse(
    candidates: &[Candidate],
    lexical: &[(Uuid, f32)],
    bound: f32,
    vector: &[(Uuid, f32)],
    weights: Weights,
) -> Vec<Fused> {
    let lexical = places(lexical);
    let vector = places(vector);
    let scale = Scale::of(candidates, &lexical, bound, weights);
    let mut fused: Vec<Fused> = candidates
        .iter()
        .map(|candidate| {
            let (lexical, vector) = (
                lexical.get(&candidate.chunk).copied(),
                vector.get(&candidate.chunk).copied(),
            );
            let parts = ScoreParts {
                lexical: scale.lexical(lexical),
                vector: scale.vector(candidate.cosine, vector),
                rerank: candidate.bonus.rerank,
                late: candidate.bonus.late,
                boost: candidate.wish.boost,
            };
            let sum = weights.lexical * parts.lexical + (1.0 - weights.lexical) * parts.vector;
            Fused {
                chunk: candidate.chunk,
                score: boosted(sum + parts.rerank + parts.late, parts.boost),
                parts,
                lexical,
                vector,
            }
        })
        .collect();
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.chunk.cmp(&b.chunk)));
    let near = fused
        .first()
        .map_or(0.0, |best| best.score * (1.0 - weights.pin_margin));
    let pinned: HashSet<Uuid> = candidates
        .iter()
        .filter(|candidate| candidate.wish.pinned)
        .map(|candidate| candidate.chunk)
        .collect();
    // stable: pinned and others keep their own order
    fused.sort_by_key(|place| !(place.score >= near && pinned.contains(&place.chunk)));
    fused
}

/// What turns the score or rank of a leg into a term of the sum.
enum Scale {
    Bounded { bound: f32 },
    Convex { lexical: Range, vector: Range },
    Rrf { k: f32 },
}

impl Scale {
    fn of(candidates: &[Candidate], lexical: &HashMap<Uuid, LegScore>, bound: f32, weights: Weights) -> Self {
        match weights.fusion {
            Fusion::Bounded => Self::Bounded { bound },
            Fusion::Convex => Self::Convex {
                // what a leg did not find is at its lower end: it has no score of its own
                lexical: Range::of(
                    candidates
                        .iter()
                        .filter_map(|c| Some(lexical.get(&c.chunk)?.score)),
                ),
                vector: Range::of(candidates.iter().filter_map(|c| c.cosine)),
            },
            Fusion::Rrf => Self::Rrf {
                k: weights.rrf_k.max(0.0),
            },
        }
    }

    fn lexical(&self, place: Option<LegScore>) -> f32 {
        place.map_or(0.0, |place| match self {
            Self::Bounded { bound } => lexical_share(place.score, *bound),
            Self::Convex { lexical, .. } => lexical.share(place.score),
            Self::Rrf { k } => reciprocal(*k, place.rank),
        })
    }

    fn vector(&self, cosine: Option<f32>, place: Option<LegScore>) -> f32 {
        match self {
            Self::Bounded { .. } => cosine.unwrap_or(0.0),
            Self::Convex { vector, .. } => cosine.map_or(0.0, |cosine| vector.share(cosine)),
            Self::Rrf { k } => place.map_or(0.0, |place| reciprocal(*k, place.rank)),
        }
    }
}

/// `1 / (k + rank)` as a share of what the first rank gets, so that a first place is 1 whatever `k` is.
#[expect(clippy::cast_precision_loss, reason = "ranks are far below 2^23")]
fn reciprocal(k: f32, rank: u32) -> f32 {
    (k + 1.0) / (k + rank as f32)
}

/// The lowest and the highest score of a leg.
#[derive(Clone, Copy)]
struct Range {
    low: f32,
    high: f32,
}

impl Range {
    fn of(scores: impl Iterator<Item = f32>) -> Self {
        let none = Self {
            low: f32::INFINITY,
            high: f32::NEG_INFINITY,
        };
        scores.fold(none, |range, score| Self {
            low: range.low.min(score),
            high: range.high.max(score),
        })
    }

    /// Where a score lies, 0 to 1; 1 when all are the same, because every one is the best.
    fn share(self, score: f32) -> f32 {
        if self.high > self.low {
            (score - self.low) / (self.high - self.low)
        } else {
            1.0
        }
    }
}

/// A boost above 1 must never lower a score, so a negative one is divided.
fn boosted(score: f32, boost: f32) -> f32 {
    if score < 0.0 { score / boost } else { score * boost }
}

/// A BM25 score as a share of the bound, 0 to 1.
pub(crate) fn lexical_share(score: f32, bound: f32) -> f32 {
    if bound > 0.0 {
        (score / bound).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

fn places(leg: &[(Uuid, f32)]) -> HashMap<Uuid, LegScore> {
    (1_u32..)
        .zip(leg)
        .map(|(rank, &(chunk, score))| (chunk, LegScore { rank, score }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(n: u8) -> Uuid {
        Uuid::from_u128(u128::from(n))
    }

    fn weights(lexical: f32) -> Weights {
        Weights {
            fusion: Fusion::Bounded,
            rrf_k: 10.0,
            lexical,
            pin_margin: 0.25,
        }
    }

    fn bare(n: u8, cosine: f32) -> Candidate {
        Candidate {
            chunk: id(n),
            cosine: Some(cosine),
            bonus: Bonus::default(),
            wish: Wish::NONE,
        }
    }

    /// Scores by hand, `k` 10 and weight 0.5: ranks 1 and 3, 2 and 1, 3 and 2 give (1 + 11/13) / 2 and so on.
    #[test]
    fn reciprocal_ranks_and_stretched_scores_are_those_of_the_books() {
        let candidates = [bare(1, 0.2), bare(2, 0.8), bare(3, 0.5), bare(4, 0.2)];
        let lexical = [(id(1), 9.0), (id(2), 5.0), (id(3), 1.0)];
        let vector = [(id(2), 0.8), (id(3), 0.5), (id(1), 0.2)];
        let scores = |fusion| {
            let weights = Weights {
                fusion,
                ..weights(0.5)
            };
            let mut fused = fuse(&candidates, &lexical, 20.0, &vector, weights);
            fused.sort_by_key(|place| place.chunk);
            fused.iter().map(|place| place.score).collect::<Vec<_>>()
        };
        let close = |found: Vec<f32>, expected: [f32; 4]| {
            assert!(
                found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5),
                "{found:?} is not {expected:?}"
            );
        };
        close(scores(Fusion::Rrf), [0.923_077, 0.958_333, 0.881_410, 0.0]);
        close(scores(Fusion::Convex), [0.5, 0.75, 0.25, 0.0]);
        close(scores(Fusion::Bounded), [0.325, 0.525, 0.275, 0.1]);
    }

    #[test]
    fn a_pin_reaches_as_far_as_its_margin_and_a_boost_multiplies() {
        let candidate = |n, cosine, pinned, boost| Candidate {
            chunk: id(n),
            cosine: Some(cosine),
            bonus: Bonus::default(),
            wish: Wish { pinned, boost },
        };
        let order = |candidates: &[Candidate]| -> Vec<Uuid> {
            let fused = fuse(candidates, &[], 1.0, &[], weights(0.0));
            fused.iter().map(|place| place.chunk).collect()
        };
        let near = [candidate(1, 0.8, false, 1.0), candidate(2, 0.7, true, 1.0)];
        assert_eq!(order(&near), [id(2), id(1)]);
        let far = [candidate(1, 0.8, false, 1.0), candidate(2, 0.5, true, 1.0)];
        assert_eq!(
            order(&far),
            [id(1), id(2)],
            "a pin does not answer every question"
        );
        let boosted = [candidate(1, 0.8, false, 1.0), candidate(2, 0.5, false, 2.0)];
        assert_eq!(order(&boosted), [id(2), id(1)]);
        let negative = [candidate(1, -0.2, false, 1.0), candidate(2, -0.2, false, 2.0)];
        assert_eq!(order(&negative), [id(2), id(1)]);
    }

    #[test]
    fn a_question_of_unknown_words_is_decided_by_the_vectors() {
        let candidates = [bare(1, 0.3), bare(2, 0.6)];
        // the only known word is a common one: 0.4 of a possible 20
        let fused = fuse(
            &candidates,
            &[(id(1), 0.4)],
            20.0,
            &[(id(2), 0.6), (id(1), 0.3)],
            weights(0.4),
        );
        assert_eq!(fused[0].chunk, id(2));
        // the same ranks with a rare word: 16 of a possible 20
        let fused = fuse(
            &candidates,
            &[(id(1), 16.0)],
            20.0,
            &[(id(2), 0.6), (id(1), 0.3)],
            weights(0.4),
        );
        assert_eq!(fused[0].chunk, id(1));
        assert_eq!(fused[0].vector, Some(LegScore { rank: 2, score: 0.3 }));
    }

    proptest! {
        #[test]
        fn a_fused_list_is_the_candidates_in_a_total_order(
            rows in prop::collection::btree_map(0_u8..40, (-1.0_f32..1.0, 0.0_f32..30.0), 0..30),
            weight in 0.0_f32..=1.0,
            bound in 0.0_f32..30.0,
            fusion in prop::sample::select(Fusion::ALL.to_vec()),
        ) {
            let weights = Weights { fusion, ..weights(weight) };
            let candidates: Vec<_> =
                rows.iter().map(|(n, (cosine, _))| bare(*n, *cosine)).collect();
            let lexical: Vec<_> = rows.iter().map(|(n, (_, score))| (id(*n), *score)).collect();
            let vector: Vec<_> = rows.iter().map(|(n, (cosine, _))| (id(*n), *cosine)).collect();
            let fused = fuse(&candidates, &lexical, bound, &vector, weights);
            prop_assert_eq!(fused.len(), candidates.len());
            prop_assert!(fused.windows(2).all(|pair| pair[0].score >= pair[1].score));
            prop_assert!(fused.iter().all(|f| (-1.0..=1.000_01).contains(&f.score)));
            let mut reversed = candidates.clone();
            reversed.reverse();
            prop_assert_eq!(fused, fuse(&reversed, &lexical, bound, &vector, weights));
        }

        #[test]
        fn a_better_cosine_never_lowers_a_candidate(cosine in -1.0_f32..0.9, gain in 0.0_f32..0.1, weight in 0.0_f32..1.0) {
            let score = |cosine| fuse(&[bare(1, cosine)], &[], 1.0, &[], weights(weight))[0].score;
            prop_assert!(score(cosine + gain) >= score(cosine));
        }
    }
}
