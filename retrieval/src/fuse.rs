//! Fusion of the two legs into one score.
//!
//! The score is a convex sum of two numbers that mean something by themselves: the BM25 score as a share of the most
//! that this question could score, and the raw cosine of the best window. Rank and min-max fusion throw away *how well*
//! the best lexical hit matches; here a question whose words the documents do not know gets a small lexical share and
//! the vectors decide, and a question full of rare terms gets a large one.

use std::collections::HashMap;

use uuid::Uuid;

use crate::LegScore;

/// What is known of a candidate before fusion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) chunk: Uuid,
    /// Cosine of the best window, −1 to 1.
    pub(crate) cosine: Option<f32>,
}

/// A candidate with its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fused {
    pub(crate) chunk: Uuid,
    pub(crate) score: f32,
    pub(crate) lexical: Option<LegScore>,
    pub(crate) vector: Option<LegScore>,
}

/// Orders candidates by `weight * bm25 / bound + (1 - weight) * cosine`, best first.
///
/// `lexical` and `vector` are the legs' results, best first; a candidate missing from the lexical leg scores 0 there.
pub(crate) fn fuse(
    candidates: &[Candidate],
    lexical: &[(Uuid, f32)],
    bound: f32,
    vector: &[(Uuid, f32)],
    weight: f32,
) -> Vec<Fused> {
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
                score: weight * share + (1.0 - weight) * cosine,
                lexical,
                vector: vector.get(&candidate.chunk).copied(),
            }
        })
        .collect();
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.chunk.cmp(&b.chunk)));
    fused
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

    #[test]
    fn a_question_of_unknown_words_is_decided_by_the_vectors() {
        let candidates = [
            Candidate {
                chunk: id(1),
                cosine: Some(0.3),
            },
            Candidate {
                chunk: id(2),
                cosine: Some(0.6),
            },
        ];
        // the only known word is a common one: 0.4 of a possible 20
        let fused = fuse(
            &candidates,
            &[(id(1), 0.4)],
            20.0,
            &[(id(2), 0.6), (id(1), 0.3)],
            0.4,
        );
        assert_eq!(fused[0].chunk, id(2));
        // the same ranks with a rare word: 16 of a possible 20
        let fused = fuse(
            &candidates,
            &[(id(1), 16.0)],
            20.0,
            &[(id(2), 0.6), (id(1), 0.3)],
            0.4,
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
                rows.iter().map(|(n, (cosine, _))| Candidate { chunk: id(*n), cosine: Some(*cosine) }).collect();
            let lexical: Vec<_> = rows.iter().map(|(n, (_, score))| (id(*n), *score)).collect();
            let vector: Vec<_> = rows.iter().map(|(n, (cosine, _))| (id(*n), *cosine)).collect();
            let fused = fuse(&candidates, &lexical, bound, &vector, weight);
            prop_assert_eq!(fused.len(), candidates.len());
            prop_assert!(fused.windows(2).all(|pair| pair[0].score >= pair[1].score));
            prop_assert!(fused.iter().all(|f| (-1.0..=1.0).contains(&f.score)));
            let mut reversed = candidates.clone();
            reversed.reverse();
            prop_assert_eq!(fused, fuse(&reversed, &lexical, bound, &vector, weight));
        }

        #[test]
        fn a_better_cosine_never_lowers_a_candidate(cosine in -1.0_f32..0.9, gain in 0.0_f32..0.1, weight in 0.0_f32..1.0) {
            let score = |cosine| fuse(&[Candidate { chunk: id(1), cosine: Some(cosine) }], &[], 1.0, &[], weight)[0].score;
            prop_assert!(score(cosine + gain) >= score(cosine));
        }
    }
}
