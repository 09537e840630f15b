//! Many gates, one error rate (S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
//! Statistics 6, 1979).
//!
//! Six gates that are each wrong in 5 % of the runs are wrong together in up to 26 %. Holm's step-down keeps the chance of any
//! false alarm at 5 % whatever the gates have to do with one another, which they have a lot.

use super::real;

/// The p-values adjusted for their number, in the order given: `p̃₍ᵢ₎ = max_{j ≤ i} min(1, (m − j + 1)·p₍ⱼ₎)`.
pub fn adjust(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest.max((real(p.len() - rank) * p[index]).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `statsmodels.stats.multitest.multipletests(p, method="holm")[1]`, statsmodels 0.15.
    #[test]
    fn figures_agree_with_statsmodels() {
        let reference: [(&[f64], &[f64]); 4] = [
            (&[0.01, 0.04, 0.03, 0.005], &[0.03, 0.06, 0.06, 0.02]),
            (&[0.2, 0.01, 0.01, 0.9, 0.04], &[0.4, 0.05, 0.05, 0.9, 0.12]),
            (&[0.5], &[0.5]),
            (&[0.03, 0.03, 0.03], &[0.09, 0.09, 0.09]),
        ];
        for (p, expected) in reference {
            for (ours, theirs) in adjust(p).iter().zip(expected) {
                assert!((ours - theirs).abs() < 1e-12, "{p:?}: {ours} {theirs}");
            }
        }
        assert!(adjust(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn between_none_and_bonferroni(p in proptest::collection::vec(0.0_f64..=1.0, 1..12)) {
            let adjusted = adjust(&p);
            for (raw, adjusted) in p.iter().zip(&adjusted) {
                prop_assert!(adjusted >= raw && *adjusted <= (raw * real(p.len())).min(1.0) + 1e-12);
            }
        }

        #[test]
        fn the_order_of_gates_does_not_matter(p in proptest::collection::vec(0.0_f64..=1.0, 1..12)) {
            let mut reversed = p.clone();
            reversed.reverse();
            let mut back = adjust(&reversed);
            back.reverse();
            prop_assert_eq!(adjust(&p), back);
        }
    }
}
