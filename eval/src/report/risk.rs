//! Risk and coverage: what a stricter threshold would buy (R. El-Yaniv and Y. Wiener, JMLR 11, 2010).
//!
//! Answerable and unanswerable cases that were answered are sorted by confidence. Answering only those above a threshold
//! covers a share of all such cases, at the risk of the share of those answers that are wrong. The curve ends where the
//! system's own threshold is: what it abstained from has no answer that could be wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::golden::case::Kind;
use crate::metrics::hallucination::Standing;
use crate::metrics::{Graded, Observed};
use crate::stats::{real, share};

/// One point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskPoint {
    /// Least confidence that is answered.
    pub confidence: f32,
    /// Share of the answerable and unanswerable cases that are answered.
    pub coverage: f64,
    /// Share of the answers given that are wrong.
    pub risk: f64,
}

/// The curve, from the most confident answer to all of them; equal confidences are one point.
pub fn curve(graded: &[Graded]) -> Vec<RiskPoint> {
    let about_documents = |g: &&Graded| matches!(g.case.kind, Kind::Answerable | Kind::Unanswerable);
    let asked: Vec<&Graded> = graded.iter().filter(about_documents).collect();
    let mut answered: Vec<(f32, bool)> = asked
        .iter()
        .filter(|g| g.observed == Observed::Answered)
        .filter_map(|g| Some((g.reply.answer.as_ref().ok()?.confidence, is_wrong(g))))
        .collect();
    answered.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut points, mut wrong) = (Vec::new(), 0);
    for (i, &(confidence, bad)) in answered.iter().enumerate() {
        wrong += usize::from(bad);
        let last_of_its_confidence = answered.get(i + 1).is_none_or(|next| next.0 < confidence);
        if last_of_its_confidence {
            points.push(RiskPoint {
                confidence,
                coverage: share(real(i + 1), asked.len()),
                risk: share(real(wrong), i + 1),
            });
        }
    }
    points
}

/// An answer where there is none, without what it must say, or not supported.
fn is_wrong(graded: &Graded) -> bool {
    graded.case.kind == Kind::Unanswerable
        || graded.correct == Some(false)
        || matches!(graded.standing, Standing::Convicted | Standing::Undecided)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::observed;

    #[test]
    fn a_curve_by_hand() {
        let answer = |kind, confidence: f32| {
            let mut row = observed(kind, Observed::Answered);
            if let Ok(answer) = &mut row.reply.answer {
                answer.confidence = confidence;
            }
            row
        };
        let rows = [
            answer(Kind::Answerable, 0.9),
            answer(Kind::Unanswerable, 0.7),
            answer(Kind::Answerable, 0.7),
            observed(Kind::Answerable, Observed::Abstained),
            observed(Kind::Chitchat, Observed::Answered),
        ];
        let points: Vec<(f64, f64)> = curve(&rows)
            .iter()
            .map(|point| (point.coverage, point.risk))
            .collect();
        assert_eq!(points, [(0.25, 0.0), (0.75, 1.0 / 3.0)]);
        assert!(curve(&[]).is_empty());
    }
}
