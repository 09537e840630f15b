//! Do two people mean the same by a verdict? (definition row 9)
//!
//! A share of the judged replies is judged twice. Raw agreement says little where almost every reply is fine, so it is never
//! told without the base rate and Cohen's κ (J. Cohen, Educational and Psychological Measurement 20, 1960), which takes the
//! agreement that chance alone would bring out:
//!
//! ```text
//! κ = (p_o − p_e) / (1 − p_e)
//! ```
//!
//! When both people only ever said one and the same word, `p_e` is 1 and κ says nothing; there was nothing to disagree about.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::grade::Graded;
use super::hallucination::Standing;
use crate::golden::verdict::Verdict;
use crate::stats::{real, share};

/// κ below which verdicts are not relied on.
pub const MIN_KAPPA: f64 = 0.6;

/// How well two people agree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Agreement {
    /// Replies that two people judged.
    pub pairs: usize,
    /// Share of them with the same verdict.
    pub raw: f64,
    /// Share of all these verdicts that say "hallucinated".
    pub base_rate: f64,
    /// Cohen's κ; `None` when chance alone would agree always.
    pub kappa: Option<f64>,
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kappa = self
            .kappa
            .map_or("not defined".to_owned(), |kappa| format!("{kappa:.2}"));
        write!(
            f,
            "{} replies judged twice, kappa {kappa}, raw agreement {:.3} at a base rate of {:.3}",
            self.pairs, self.raw, self.base_rate
        )
    }
}

/// The agreement over pairs of verdicts; `None` without any pair.
pub fn agreement(pairs: &[(Verdict, Verdict)]) -> Option<Agreement> {
    const ALL: [Verdict; 4] = [
        Verdict::Ok,
        Verdict::Hallucinated,
        Verdict::BenignExtra,
        Verdict::BadGold,
    ];
    if pairs.is_empty() {
        return None;
    }
    let n = pairs.len();
    let raw = share(real(pairs.iter().filter(|(a, b)| a == b).count()), n);
    let first = |verdict: Verdict| share(real(pairs.iter().filter(|(a, _)| *a == verdict).count()), n);
    let second = |verdict: Verdict| share(real(pairs.iter().filter(|(_, b)| *b == verdict).count()), n);
    let by_chance: f64 = ALL.iter().map(|&verdict| first(verdict) * second(verdict)).sum();
    let kappa = (by_chance < 1.0 - 1e-12).then(|| (raw - by_chance) / (1.0 - by_chance));
    Some(Agreement {
        pairs: n,
        raw,
        base_rate: f64::midpoint(first(Verdict::Hallucinated), second(Verdict::Hallucinated)),
        kappa,
    })
}

/// The first two verdicts on each reply that has two.
pub fn pairs(graded: &[&Graded]) -> Vec<(Verdict, Verdict)> {
    let two = |reply: &&Graded| match reply.labels.as_slice() {
        [first, second, ..] => Some((first.verdict, second.verdict)),
        _ => None,
    };
    graded.iter().filter_map(two).collect()
}

/// Replies that have to be judged twice among `judged` ones.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count, at most the count"
)]
pub fn second_needed(judged: usize, double_label: f64) -> usize {
    (real(judged) * double_label.clamp(0.0, 1.0) - 1e-9).ceil() as usize
}

/// Why the verdicts on these replies must not prove anything, if so.
pub fn objection(graded: &[&Graded]) -> Option<String> {
    let judged = graded
        .iter()
        .filter(|reply| matches!(reply.standing, Standing::Cleared | Standing::Convicted));
    let (judged, policy) = (judged.count(), graded.first()?.policy);
    let pairs = pairs(graded);
    let needed = second_needed(judged, policy.double_label);
    if pairs.len() < needed {
        return Some(format!(
            "{} of the {judged} judged replies were judged by a second person, {needed} have to be",
            pairs.len()
        ));
    }
    let agreement = agreement(&pairs)?;
    let unreliable = agreement.kappa.is_some_and(|kappa| kappa < MIN_KAPPA);
    unreliable.then(|| format!("{agreement}: below {MIN_KAPPA} verdicts prove nothing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{BadGold, BenignExtra, Hallucinated, Ok as Fine};

    /// ```python
    /// from statsmodels.stats.inter_rater import cohens_kappa               # statsmodels 0.15
    /// cohens_kappa([[20, 3, 2, 0], [1, 6, 0, 0], [2, 0, 4, 0], [0, 1, 0, 1]], return_results=False)
    /// ```
    #[test]
    fn kappa_agrees_with_statsmodels() {
        let order = [Fine, Hallucinated, BenignExtra, BadGold];
        let table = [[20, 3, 2, 0], [1, 6, 0, 0], [2, 0, 4, 0], [0, 1, 0, 1]];
        let mut pairs = Vec::new();
        for (first, row) in order.iter().zip(table) {
            for (second, n) in order.iter().zip(row) {
                pairs.extend(std::iter::repeat_n((*first, *second), n));
            }
        }
        let found = agreement(&pairs).unwrap();
        assert!((found.raw - 31.0 / 40.0).abs() < 1e-12);
        assert!(
            (found.kappa.unwrap() - 0.607_415_485_281).abs() < 1e-9,
            "{found:?}"
        );
        assert!((found.base_rate - 17.0 / 80.0).abs() < 1e-12);
    }

    #[test]
    fn raw_agreement_can_be_high_and_worth_nothing() {
        let mut pairs = vec![(Fine, Fine); 96];
        pairs.extend([
            (Fine, Hallucinated),
            (Fine, Hallucinated),
            (Hallucinated, Fine),
            (Hallucinated, Fine),
        ]);
        let found = agreement(&pairs).unwrap();
        assert!(found.raw > 0.95 && found.kappa.unwrap() < 0.0, "{found:?}");
        assert_eq!(agreement(&[(Fine, Fine); 9]).unwrap().kappa, None);
        assert_eq!(agreement(&[]), None);
    }

    #[test]
    fn a_tenth_is_judged_twice() {
        assert_eq!(
            (
                second_needed(412, 0.1),
                second_needed(10, 0.1),
                second_needed(11, 0.1)
            ),
            (42, 1, 2)
        );
        assert_eq!((second_needed(0, 0.1), second_needed(50, 0.0)), (0, 0));
    }
}
