//! Fusion of the two legs into one score.
//!
//! The score is a convex sum of two numbers that mean something by themselves: the BM25 score as a share of the most
//! that this question could score, and the raw cosine of the best window. Rank and min-max fusion throw away *how well*
//! the best lexical hit matches; here a question whose words the documents do not know gets a small lexical share and
//! the vectors decide, and a question full of rare terms gets a large one.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::LegScore;

/// What is known of a candidate before fusion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) chunk: Uuid,
    /// Cosine of the best window, −1 to 1.
    pub(crate) cosine: Option<f32>,
    /// What reading it again adds to its score.
    pub(crate) bonus: f32,
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
    pub(crate) lexical: Option<LegScore>,
    pub(crate) vector: Option<LegScore>,
}

/// How the two shares are weighed, and how far a pin reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weights {
    /// Weight of the lexical share, 0 to 1; the cosine gets the rest.
    pub(crate) lexical: f32,
    /// A pinned chunk comes first when its score is at most this share below the best, 0 to 1.
    pub(crate) pin_margin: f32,
}

/// Orders candidates by `weight * bm25 / bound + (1 - weight) * cosine + bonus`, times their boost, best first; pinned ones that
/// are about as good as the best come before all others.
///
/// `lexical` and `vector` are the legs' results, best first; a candidate missing from the lexical leg scores 0 there.
pub(crate) fn fuse(
    candidates: &[Candidate],
    lexical: &[(Uuid, f32)],
    bound: f32,
    vector: &[(Uuid, f32)],
    weights: Weights,
) -> Vec<Fused> {
    let weight = weights.lexical;
    let lexical = places(lexical);
    let vector = places(vector);
    let mut fused: Vec<Fused> = candidates
        .iter()
        .map(|candidate| {
            let lexical = lexical.get(&candidate.chunk).copied();
            let share = lexical.map_or(0.0, |place| lexical_share(place.score, bound));
            let cosine = candidate.cosine.unwrap_or(0.0);
            Fused {
                chunk: candidate.chunk,
                score: boosted(
                    weight * share + (1.0 - weight) * cosine + candidate.bonus,
                    candidate.wish.boost,
                ),
                lexical,
                vector: vector.get(&candidate.chunk).copied(),
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
            lexical,
            pin_margin: 0.25,
        }
    }

    #[test]
    fn a_pin_reaches_as_far_as_its_margin_and_a_boost_multiplies() {
        let candidate = |n, cosine, pinned, boost| Candidate {
            chunk: id(n),
            cosine: Some(cosine),
            bonus: 0.0,
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
        let candidates = [
            Candidate {
                chunk: id(1),
                cosine: Some(0.3),
                bonus: 0.0,
                wish: Wish::NONE,
            },
            Candidate {
                chunk: id(2),
                cosine: Some(0.6),
                bonus: 0.0,
                wish: Wish::NONE,
            },
        ];
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
        ) {
            let candidates: Vec<_> =
                rows.iter().map(|(n, (cosine, _))| Candidate { chunk: id(*n), cosine: Some(*cosine), bonus: 0.0, wish: Wish::NONE }).collect();
            let lexical: Vec<_> = rows.iter().map(|(n, (_, score))| (id(*n), *score)).collect();
            let vector: Vec<_> = rows.iter().map(|(n, (cosine, _))| (id(*n), *cosine)).collect();
            let fused = fuse(&candidates, &lexical, bound, &vector, weights(weight));
            prop_assert_eq!(fused.len(), candidates.len());
            prop_assert!(fused.windows(2).all(|pair| pair[0].score >= pair[1].score));
            prop_assert!(fused.iter().all(|f| (-1.0..=1.0).contains(&f.score)));
            let mut reversed = candidates.clone();
            reversed.reverse();
            prop_assert_eq!(fused, fuse(&reversed, &lexical, bound, &vector, weights(weight)));
        }

        #[test]
        fn a_better_cosine_never_lowers_a_candidate(cosine in -1.0_f32..0.9, gain in 0.0_f32..0.1, weight in 0.0_f32..1.0) {
            let score = |cosine| fuse(&[Candidate { chunk: id(1), cosine: Some(cosine), bonus: 0.0, wish: Wish::NONE }], &[], 1.0, &[], weights(weight))[0].score;
            prop_assert!(score(cosine + gain) >= score(cosine));
        }
    }
}
