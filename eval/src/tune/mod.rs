//! Settings from questions: weights and thresholds are searched on the dev split, and written down with what they came
//! from.
//!
//! The real answerer is asked, setting by setting, so that what is tuned is what customers get; what a setting cannot
//! change is computed once (see `memo`). One knob after the other is turned while the others stand still, until a
//! whole round changes nothing: the knobs are few, hardly depend on each other, and every step can be read in the
//! output. The test split is never asked: its cases are left out before anything is opened.

pub mod ablation;
pub mod file;
mod knob;
mod memo;
mod trial;

use plumbline_store::{Fusion, Settings};

pub use self::trial::Bench;

use self::knob::{KNOBS, Knob, changed};
use crate::error::EvalError;
use crate::progress::Progress;

/// Rounds over all knobs of a stage; the second one usually changes nothing.
const ROUNDS: usize = 3;

/// One value of one knob with what it scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The way to fuse that it was tried with.
    pub fusion: Fusion,
    /// The setting, such as `retrieval.lexical_weight`.
    pub path: String,
    /// What was tried.
    pub value: f64,
    /// What it scored in the objective of its stage.
    pub score: f64,
    /// Whether it was kept, with this way to fuse.
    pub kept: bool,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// The settings with every knob where it scored best.
    pub settings: Settings,
    /// The knobs that exist, with their values.
    pub values: Vec<(String, f64)>,
    /// Everything that was tried.
    pub steps: Vec<Step>,
}

/// Searches from `start`.
///
/// # Errors
/// [`EvalError::Infra`] when a question cannot be answered at all.
pub async fn search(bench: &Bench, start: &Settings, progress: &Progress) -> Result<Tuned, EvalError> {
    let mut settings = start.clone();
    let mut steps = Vec::new();
    let knobs: Vec<&Knob> = KNOBS.iter().collect();
    for stage in knob::Stage::ALL {
        let of_stage: Vec<&Knob> = knobs.iter().copied().filter(|knob| knob.stage == stage).collect();
        // a way to fuse is judged with the weights that suit it best
        let starts = match stage {
            knob::Stage::Retrieval => ways_to_fuse(&settings),
            _ => vec![settings.clone()],
        };
        let mut best = f64::NEG_INFINITY;
        for start in starts {
            let (climbed, score) = climb(bench, stage, &of_stage, start, &mut steps, progress).await?;
            if score > best + 1e-9 {
                (settings, best) = (climbed, score);
            }
        }
    }
    let value = |knob: &&Knob| Some((knob.path.to_owned(), knob.read(&settings)?));
    Ok(Tuned {
        values: knobs.iter().filter_map(value).collect(),
        steps,
        settings,
    })
}

/// The settings with each way to fuse; the standing one first, so that another must be better to replace it.
fn ways_to_fuse(settings: &Settings) -> Vec<Settings> {
    let others = Fusion::ALL
        .into_iter()
        .filter(|fusion| *fusion != settings.retrieval.fusion);
    std::iter::once(settings.retrieval.fusion)
        .chain(others)
        .map(|fusion| {
            let mut settings = settings.clone();
            settings.retrieval.fusion = fusion;
            settings
        })
        .collect()
}

/// Turns the knobs of a stage until a whole round changes nothing.
async fn climb(
    bench: &Bench,
    stage: knob::Stage,
    knobs: &[&Knob],
    start: Settings,
    steps: &mut Vec<Step>,
    progress: &Progress,
) -> Result<(Settings, f64), EvalError> {
    let knobs: Vec<&&Knob> = knobs.iter().filter(|knob| knob.matters(&start)).collect();
    let mut settings = start;
    let mut best = bench.score(&settings, stage, progress).await?;
    for round in 0..ROUNDS {
        let before = settings.clone();
        for knob in &knobs {
            progress.note(&format!("{stage:?}, round {}: {}", round + 1, knob.path));
            best = turn(bench, knob, &mut settings, best, steps, progress).await?;
        }
        if settings == before {
            break;
        }
    }
    Ok((settings, best))
}

/// Tries every value of a knob; the standing one stays unless another is better.
async fn turn(
    bench: &Bench,
    knob: &Knob,
    settings: &mut Settings,
    standing: f64,
    steps: &mut Vec<Step>,
    progress: &Progress,
) -> Result<f64, EvalError> {
    let mut best = standing;
    let here = knob.read(settings).unwrap_or_default();
    let mut tried: Vec<Step> = Vec::new();
    let mut winner = settings.clone();
    for &value in knob.values.iter().filter(|&&value| (value - here).abs() > 1e-9) {
        let candidate = changed(settings, knob.path, value)?;
        let score = bench.score(&candidate, knob.stage, progress).await?;
        if score > best + 1e-9 {
            best = score;
            winner = candidate;
        }
        tried.push(Step {
            fusion: settings.retrieval.fusion,
            path: knob.path.to_owned(),
            value,
            score,
            kept: false,
        });
    }
    tried.push(Step {
        fusion: settings.retrieval.fusion,
        path: knob.path.to_owned(),
        value: here,
        score: standing,
        kept: false,
    });
    let kept = knob.read(&winner).unwrap_or_default();
    for step in &mut tried {
        step.kept = (step.value - kept).abs() < 1e-9;
    }
    tried.sort_by(|a, b| a.value.total_cmp(&b.value));
    steps.extend(tried);
    *settings = winner;
    Ok(best)
}
