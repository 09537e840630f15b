//! What can be turned, and what for.

use plumbline_store::{Fusion, Settings};
use serde_json::Value;

use crate::error::EvalError;
use crate::metrics::{Estimate, Graded, abstention, recall, routing};

/// Stages, in the order in which they depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// What is found.
    Retrieval,
    /// How a question is treated.
    Routing,
    /// Whether it is answered.
    Abstention,
}

impl Stage {
    pub(super) const ALL: [Self; 3] = [Self::Retrieval, Self::Routing, Self::Abstention];

    /// What is to be as high as possible.
    ///
    /// Retrieval: recall@5, and among equals a better order (nDCG@5, worth less than one case). Routing: the headline
    /// of the gate, macro precision, less the harm of treating a hard question cheaply. Abstention: Youden's J
    /// (W. J. Youden, Cancer 3, 1950), silence where there is no answer less silence where there is one, which no share
    /// of unanswerable questions in the set can tilt.
    pub(super) fn objective(self, graded: &[Graded]) -> f64 {
        let all: Vec<&Graded> = graded.iter().collect();
        let point = |estimate: Estimate| estimate.point;
        match self {
            Self::Retrieval => {
                let recall = recall::mean(&all, |ranking| ranking.recall_at_5).value;
                let order = point(recall::mean(&all, |ranking| ranking.ndcg_at_5).value);
                recall.point + order / (2.0 * crate::stats::real(recall.n.max(1)))
            }
            Self::Routing => {
                point(routing::macro_precision(&all).value) - 0.5 * point(routing::harm(&all).value)
            }
            Self::Abstention => {
                point(abstention::correct_abstention(&all).value)
                    - point(abstention::false_abstention(&all).value)
            }
        }
    }
}

/// One setting with the values to try.
pub(super) struct Knob {
    /// Its path in the settings.
    pub(super) path: &'static str,
    /// What it changes.
    pub(super) stage: Stage,
    /// Values, ascending.
    pub(super) values: &'static [f64],
}

const SHARES: &[f64] = &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

const BOOSTS: &[f64] = &[0.0, 0.1, 0.2, 0.3, 0.5, 1.0];

/// Every knob.
pub(super) const KNOBS: &[Knob] = &[
    knob("retrieval.lexical_weight", Stage::Retrieval, SHARES),
    knob("retrieval.lexical_weight_foreign", Stage::Retrieval, SHARES),
    knob("retrieval.whole_weight", Stage::Retrieval, SHARES),
    knob(
        "retrieval.rerank_weight",
        Stage::Retrieval,
        &[0.0, 0.25, 0.5, 0.75, 1.0, 1.5],
    ),
    knob(
        "retrieval.late_weight",
        Stage::Retrieval,
        &[0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5],
    ),
    knob("retrieval.heading_boost", Stage::Retrieval, BOOSTS),
    knob("retrieval.title_boost", Stage::Retrieval, BOOSTS),
    knob(
        "retrieval.rrf_k",
        Stage::Retrieval,
        &[5.0, 10.0, 20.0, 40.0, 60.0, 100.0],
    ),
    knob(
        "routing.min_similarity",
        Stage::Routing,
        &[0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75],
    ),
    knob(
        "routing.out_of_scope_below",
        Stage::Routing,
        &[0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35],
    ),
    knob(
        "answer.min_confidence",
        Stage::Abstention,
        &[
            0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9,
        ],
    ),
];

const fn knob(path: &'static str, stage: Stage, values: &'static [f64]) -> Knob {
    Knob { path, stage, values }
}

impl Knob {
    /// Whether turning it can change anything.
    pub(super) fn matters(&self, settings: &Settings) -> bool {
        self.path != "retrieval.rrf_k" || settings.retrieval.fusion == Fusion::Rrf
    }

    /// Where it stands; `None` when there is no such setting.
    pub(super) fn read(&self, settings: &Settings) -> Option<f64> {
        let value = serde_json::to_value(settings).ok()?;
        // an f32 such as 0.4 reads as 0.4000000059604645
        let number = value.pointer(&pointer(self.path))?.as_f64()?;
        Some((number * 1e4).round() / 1e4)
    }
}

/// The settings with one number changed.
pub(super) fn changed(settings: &Settings, path: &str, value: f64) -> Result<Settings, EvalError> {
    set(settings, path, value.into())
}

/// The settings with one field changed.
pub(super) fn set(settings: &Settings, path: &str, value: Value) -> Result<Settings, EvalError> {
    let failed = |error: &dyn std::fmt::Display| EvalError::Usage(format!("setting `{path}`: {error}"));
    let mut all = serde_json::to_value(settings).map_err(|error| failed(&error))?;
    let field = all
        .pointer_mut(&pointer(path))
        .ok_or_else(|| failed(&"does not exist"))?;
    // counts stay counts
    *field = match (field.is_u64(), value.as_f64()) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "values of knobs are small and positive"
        )]
        (true, Some(number)) => (number.round() as u64).into(),
        _ => value,
    };
    serde_json::from_value(all).map_err(|error| failed(&error))
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knob_turns_its_own_setting_only() {
        let before = Settings::default();
        let after = changed(&before, "retrieval.lexical_weight", 0.7).unwrap();
        assert!((after.retrieval.lexical_weight - 0.7).abs() < 1e-6);
        let mut expected = before.clone();
        expected.retrieval.lexical_weight = after.retrieval.lexical_weight;
        assert_eq!(after, expected);
        assert_eq!(
            changed(&before, "retrieval.leg_depth", 80.0)
                .unwrap()
                .retrieval
                .leg_depth,
            80
        );
        assert!(changed(&before, "retrieval.lexcial_weight", 0.7).is_err());
    }

    #[test]
    fn every_knob_exists_and_every_stage_has_one() {
        for knob in KNOBS {
            assert!(knob.read(&Settings::default()).is_some(), "{}", knob.path);
        }
        for stage in Stage::ALL {
            assert!(KNOBS.iter().any(|knob| knob.stage == stage), "{stage:?}");
        }
    }
}
