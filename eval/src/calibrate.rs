//! Fits the confidence: which of its features, with which weights, say that a reply is right?
//!
//! Every dev case is answered without a threshold. A correct reply is labelled 1; a reply to an unanswerable question 0,
//! and so is a wrong one to an answerable question, at half weight: both must be held back, and a near miss that is
//! answered is the worse of the two. A logistic with an L2 penalty on standardised features is fitted by Newton's method.
//! What is reported is out of sample: each case is judged by a fit that has not seen its fold. The folds follow the hash
//! of the case's id, so that a fit can be repeated to the last digit. Test cases are never asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use plumbline_answer::Answer;
use plumbline_answer::calibration::{Calibration, Features};
use sha2::{Digest, Sha256};

use crate::error::EvalError;
use crate::golden::case::Case;
use crate::golden::case::Kind;
use crate::golden::load::load;
use crate::golden::split::{Split, split_of};
use crate::machine::Machine;
use crate::metrics::correct;
use crate::progress::Progress;
use crate::target::local::{Local, LocalSettings};

/// Folds of the cross-validation.
const FOLDS: u8 = 8;

/// Penalty on the standardised weights, per unit of case weight.
const PENALTY: f64 = 2.0;

/// The features that enter, of all in [`Features::named`]. Chosen forward under cross-validation on a first half of the
/// cases; a richer choice (ranks in the legs, cosines) was better on the dev split and worse on cases it had not seen.
const SELECTED: [&str; 6] = [
    "kind_absent",
    "length",
    "margin",
    "relevance",
    "unknown",
    "unquoted",
];

/// Newton steps; the loss is convex and settles in fewer than ten.
const STEPS: usize = 25;

/// What a wrong reply to an answerable question weighs; one to an unanswerable question weighs 1.
const WRONG_WEIGHT: f64 = 0.5;

/// One labelled reply.
#[derive(Debug, Clone)]
struct Sample {
    fold: u8,
    kind: Kind,
    right: bool,
    values: Vec<f64>,
}

impl Sample {
    fn weight(&self) -> f64 {
        if self.kind == Kind::Answerable && !self.right {
            WRONG_WEIGHT
        } else {
            1.0
        }
    }
}

/// A fitted logistic on raw features: constant term first.
#[derive(Debug, Clone, PartialEq)]
struct Fit(Vec<f64>);

impl Fit {
    fn logit(&self, values: &[f64]) -> f64 {
        self.0[0] + self.0[1..].iter().zip(values).map(|(w, x)| w * x).sum::<f64>()
    }
}

/// What a fit gives.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The coefficients.
    pub calibration: Calibration,
    /// Risk and coverage by threshold, out of sample.
    pub curve: String,
}

/// Asks the dev cases of a golden set without a threshold and fits.
///
/// # Errors
/// When the set cannot be read or asked, or holds too little to fit.
pub async fn run(
    golden: &Path,
    machine: &Machine,
    mut target: LocalSettings,
    progress: &Progress,
) -> Result<Fitted, EvalError> {
    let golden = load(golden)?;
    target.settings.answer.min_confidence = 0.0;
    let local = Local::open(&target, machine, &golden, progress).await?;
    let dev: Vec<&Case> = golden
        .cases
        .iter()
        .map(|located| &located.case)
        .filter(|case| split_of(&case.id) == Split::Dev)
        .collect();
    progress.begin("asking", dev.len());
    let mut asked = Vec::with_capacity(dev.len());
    for case in dev {
        let answer = local.ask(case).await.map_err(EvalError::Infra)?;
        asked.push((case, answer));
        progress.step();
    }
    progress.end();
    let manifest = golden.manifest.get(..12).unwrap_or_default();
    let note = format!("{} with corpus {manifest}, {}", golden.header.name, local.label());
    fit_all(&asked, Calibration::built_in().version + 1, &note)
}

fn fit_all(asked: &[(&Case, Answer)], version: u32, note: &str) -> Result<Fitted, EvalError> {
    let mut samples = Vec::new();
    for (case, answer) in asked {
        let Some(features) = answer.features else { continue };
        let right = match case.kind {
            Kind::Answerable => {
                match correct::is_correct(case, Some(answer), &correct::phrases(case, answer)) {
                    Some(right) => right,
                    None => continue,
                }
            }
            Kind::Unanswerable => false,
            _ => continue,
        };
        samples.push(Sample {
            fold: Sha256::digest(case.id.as_bytes())[1] % FOLDS,
            kind: case.kind,
            right,
            values: values(&features),
        });
    }
    let rights = samples.iter().filter(|sample| sample.right).count();
    if rights < 20 || samples.len() - rights < 20 {
        return Err(EvalError::Usage(format!(
            "{rights} right and {} wrong replies are too few to fit a calibration; 20 of each are needed",
            samples.len() - rights
        )));
    }
    let out_of_sample: Vec<f64> = samples
        .iter()
        .map(|sample| {
            let others: Vec<&Sample> = samples.iter().filter(|other| other.fold != sample.fold).collect();
            probability(fit(&others).logit(&sample.values))
        })
        .collect();
    let all: Vec<&Sample> = samples.iter().collect();
    let Fit(weights) = fit(&all);
    let unanswerable = samples.iter().filter(|s| s.kind == Kind::Unanswerable).count();
    let provenance = format!(
        "{note}; {} replies of the dev split ({rights} right, {unanswerable} to unanswerable questions), {FOLDS}-fold \
         cross-validation, L2 {PENALTY}: AUC {:.3} of right replies against all others",
        samples.len(),
        auc(&samples, &out_of_sample)
    );
    let rounded = |weight: f64| (weight * 1_000.0).round() / 1_000.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a weight of three decimals fits a float"
    )]
    let calibration = Calibration {
        version,
        provenance,
        bias: rounded(weights[0]) as f32,
        weights: SELECTED
            .iter()
            .zip(&weights[1..])
            .map(|(name, weight)| ((*name).to_owned(), rounded(*weight) as f32))
            .collect::<BTreeMap<_, _>>(),
    };
    Ok(Fitted {
        calibration,
        curve: curve(&samples, &out_of_sample),
    })
}

/// The coefficients as the file that the program is built with.
pub fn as_toml(calibration: &Calibration) -> Result<String, EvalError> {
    toml::to_string(calibration).map_err(|error| EvalError::Infra(error.to_string()))
}

/// Writes the file that the program is built with.
pub fn write(path: &Path, calibration: &Calibration) -> Result<(), EvalError> {
    std::fs::write(path, as_toml(calibration)?).map_err(|error| EvalError::unreadable(path, &error))
}

fn values(features: &Features) -> Vec<f64> {
    let named = features.named();
    let value = |name: &&str| {
        named
            .iter()
            .find(|(other, _)| other == name)
            .map_or(0.0, |(_, value)| *value)
    };
    SELECTED.iter().map(|name| f64::from(value(name))).collect()
}

fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Penalised maximum likelihood on standardised features, returned for raw ones.
fn fit(samples: &[&Sample]) -> Fit {
    let width = samples[0].values.len();
    let total: f64 = samples.iter().map(|sample| sample.weight()).sum();
    let mean: Vec<f64> = (0..width)
        .map(|j| samples.iter().map(|s| s.weight() * s.values[j]).sum::<f64>() / total)
        .collect();
    let spread: Vec<f64> = (0..width)
        .map(|j| {
            let square = samples
                .iter()
                .map(|s| s.weight() * (s.values[j] - mean[j]).powi(2));
            (square.sum::<f64>() / total).sqrt().max(1e-6)
        })
        .collect();
    let rows: Vec<Vec<f64>> = samples
        .iter()
        .map(|s| {
            let scaled = (0..width).map(|j| (s.values[j] - mean[j]) / spread[j]);
            std::iter::once(1.0).chain(scaled).collect()
        })
        .collect();
    let mut weights = vec![0.0; width + 1];
    for _ in 0..STEPS {
        let step = newton_step(samples, &rows, &weights);
        weights
            .iter_mut()
            .zip(step)
            .for_each(|(weight, by)| *weight -= by);
    }
    let mut raw = vec![weights[0]];
    for j in 0..width {
        raw.push(weights[j + 1] / spread[j]);
        raw[0] -= weights[j + 1] * mean[j] / spread[j];
    }
    Fit(raw)
}

/// Hessian⁻¹ · gradient of the penalised loss at `weights`.
fn newton_step(samples: &[&Sample], rows: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let size = weights.len();
    let mut gradient = vec![0.0; size];
    let mut hessian = vec![vec![0.0; size]; size];
    for (sample, row) in samples.iter().zip(rows) {
        let logit: f64 = row.iter().zip(weights).map(|(x, w)| x * w).sum();
        let p = probability(logit);
        let label = f64::from(u8::from(sample.right));
        for i in 0..size {
            gradient[i] += sample.weight() * (p - label) * row[i];
            for j in 0..size {
                hessian[i][j] += sample.weight() * p * (1.0 - p) * row[i] * row[j];
            }
        }
    }
    for i in 1..size {
        gradient[i] += PENALTY * weights[i];
        hessian[i][i] += PENALTY;
    }
    hessian[0][0] += 1e-9;
    solve(hessian, gradient)
}

/// Gaussian elimination with partial pivoting.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    for column in 0..size {
        let pivot = (column..size)
            .max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()))
            .unwrap_or(column);
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in column + 1..size {
            let factor = matrix[row][column] / matrix[column][column];
            let (above, below) = matrix.split_at_mut(row);
            for (value, pivot) in below[0][column..].iter_mut().zip(&above[column][column..]) {
                *value -= factor * pivot;
            }
            right[row] -= factor * right[column];
        }
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|k| matrix[row][k] * right[k]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    right
}

/// Probability that a right reply is believed more than another one.
fn auc(samples: &[Sample], believed: &[f64]) -> f64 {
    let of = |right: bool| -> Vec<f64> {
        let chosen = samples.iter().zip(believed).filter(|(s, _)| s.right == right);
        chosen.map(|(_, p)| *p).collect()
    };
    let (good, bad) = (of(true), of(false));
    let mut won = 0.0;
    for a in &good {
        for b in &bad {
            won += f64::from(u8::from(a > b)) + 0.5 * f64::from(u8::from(a.total_cmp(b).is_eq()));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of cases")]
    let pairs = (good.len() * bad.len()).max(1) as f64;
    won / pairs
}

/// Risk and coverage by threshold, out of sample.
fn curve(samples: &[Sample], believed: &[f64]) -> String {
    let mut table = "threshold  answered  right  wrong  unanswerable answered\n".to_owned();
    let share = |kind: Kind, right: Option<bool>, threshold: f64| {
        let of_kind = samples.iter().zip(believed).filter(|(s, _)| s.kind == kind);
        let all = of_kind.clone().count();
        let said = of_kind
            .filter(|(s, p)| **p >= threshold && right.is_none_or(|right| s.right == right))
            .count();
        #[expect(clippy::cast_precision_loss, reason = "counts of cases")]
        let share = said as f64 / all.max(1) as f64;
        share
    };
    for step in 2..=16 {
        let threshold = f64::from(step) * 0.05;
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "{threshold:>9.2}  {:>8.3}  {:>5.3}  {:>5.3}  {:>21.3}",
            share(Kind::Answerable, None, threshold),
            share(Kind::Answerable, Some(true), threshold),
            share(Kind::Answerable, Some(false), threshold),
            share(Kind::Unanswerable, None, threshold),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(fold: u8, right: bool, value: f64) -> Sample {
        Sample {
            fold,
            kind: Kind::Answerable,
            right,
            values: vec![value, 1.0],
        }
    }

    #[test]
    fn a_telling_feature_gets_a_weight_and_a_constant_one_gets_none() {
        let samples: Vec<Sample> = (0..40)
            .map(|n| {
                sample(
                    0,
                    n % 4 != 0,
                    if n % 4 == 0 { 0.1 } else { 0.6 } + f64::from(n) / 200.0,
                )
            })
            .collect();
        let Fit(weights) = fit(&samples.iter().collect::<Vec<_>>());
        assert!(weights[1] > 1.0, "{weights:?}");
        assert!(weights[2].abs() < 1e-3, "{weights:?}");
    }

    #[test]
    fn equations_are_solved() {
        let solved = solve(vec![vec![0.0, 2.0], vec![4.0, 1.0]], vec![6.0, 11.0]);
        assert!((solved[0] - 2.0).abs() < 1e-12 && (solved[1] - 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_area_counts_ties_as_half() {
        let samples = [sample(0, true, 0.0), sample(0, false, 0.0), sample(0, false, 0.0)];
        assert!((auc(&samples, &[0.5, 0.5, 0.1]) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn the_curve_falls_with_the_threshold() {
        let samples = [sample(0, true, 0.0), sample(0, false, 0.0)];
        let table = curve(&samples, &[0.9, 0.3]);
        assert!(table.contains("     0.10     1.000  0.500  0.500"), "{table}");
        assert!(table.contains("     0.50     0.500  0.500  0.000"), "{table}");
    }
}
