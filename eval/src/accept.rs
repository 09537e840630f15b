//! The accepted outcomes: which file they are in, what a run says against them, and accepting new ones.

use std::path::{Path, PathBuf};

use crate::error::EvalError;
use crate::gate::baseline::{Baseline, Hashes, Outcome, SCHEMA_VERSION, dataset_hash};
use crate::gate::spec::Severity;
use crate::gate::{Comparison, Exit, Gate, regression};
use crate::golden::load::Golden;
use crate::golden::pin::sha256_hex;
use crate::report::RunInfo;
use crate::run::RunOptions;

/// Name of the baseline in a golden directory.
pub const FILE: &str = "baseline.json";

/// What a run is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// The baseline of the golden directory, when there is one.
    IfThere,
    /// A file that has to be there.
    File(PathBuf),
    /// Nothing.
    Nothing,
}

/// A baseline with the hash of its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    baseline: Baseline,
    sha256: String,
}

/// Reads the baseline that the options name.
pub fn read(options: &RunOptions) -> Result<Option<Accepted>, EvalError> {
    let path = path(options);
    let wanted = match &options.baseline {
        Compared::Nothing => false,
        Compared::IfThere => path.is_file(),
        // One that is about to be written need not be there yet.
        Compared::File(_) => path.is_file() || !options.write_baseline,
    };
    if !wanted {
        return Ok(None);
    }
    let (baseline, sha256) = Baseline::read(&path)?;
    Ok(Some(Accepted { baseline, sha256 }))
}

fn path(options: &RunOptions) -> PathBuf {
    match &options.baseline {
        Compared::File(path) => path.clone(),
        Compared::IfThere | Compared::Nothing => options.golden.join(FILE),
    }
}

/// The files that decide the verdict.
pub fn hashes(
    options: &RunOptions,
    golden: &Golden,
    accepted: Option<&Accepted>,
) -> Result<Hashes, EvalError> {
    let gates = options.gate_file.as_deref();
    Ok(Hashes {
        dataset_sha256: dataset_hash(golden.cases.iter().map(|located| &located.case)),
        corpus_manifest_sha256: golden.manifest.clone(),
        gates_sha256: gates.map(of_file).transpose()?.flatten(),
        verdicts_sha256: of_file(&golden.dir.join("verdicts.jsonl"))?,
        baseline_sha256: accepted.map(|accepted| accepted.sha256.clone()),
    })
}

fn of_file(path: &Path) -> Result<Option<String>, EvalError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(sha256_hex(&bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EvalError::unreadable(path, &error)),
    }
}

/// Compares the outcomes with the baseline.
pub fn compare(
    accepted: Option<&Accepted>,
    gates: &[Gate],
    outcomes: &[Outcome],
    options: &RunOptions,
) -> Option<Comparison> {
    accepted.map(|accepted| regression::compare(gates, &accepted.baseline, outcomes, options.selection))
}

/// The exit with what the comparison adds. A run that demands nothing is not failed by a comparison either, nor one whose
/// outcomes are being accepted; a gate that names a `max_regression` and has nothing to compare with is inconclusive.
pub fn extend(exit: Exit, comparison: Option<&Comparison>, gates: &[Gate], options: &RunOptions) -> Exit {
    if options.write_baseline || gates.is_empty() {
        return exit;
    }
    if let Some(comparison) = comparison {
        return comparison.extend(exit, options.allow_inconclusive);
    }
    let demanding = gates
        .iter()
        .find(|gate| gate.severity == Severity::Block && gate.max_regression.is_some());
    match demanding {
        Some(gate)
            if exit.code == 0 && options.baseline == Compared::IfThere && !options.allow_inconclusive =>
        {
            Exit {
                code: 3,
                cause: format!(
                    "inconclusive: {gate} names a max_regression and there is no baseline; accept one with `plumbline-eval baseline --write`"
                ),
            }
        }
        _ => exit,
    }
}

/// Writes the outcomes as the new baseline, when that was asked for.
pub fn write(
    options: &RunOptions,
    run: &RunInfo,
    outcomes: Vec<Outcome>,
    gates: &[Gate],
    exit: &Exit,
) -> Result<(), EvalError> {
    if !options.write_baseline {
        return Ok(());
    }
    if exit.code == 5 {
        return Err(EvalError::Infra(format!(
            "no baseline was written: {}",
            exit.cause
        )));
    }
    let timed = gates
        .iter()
        .any(|gate| gate.metric == "p95_latency_ms" && gate.max_regression.is_some());
    let baseline = Baseline {
        schema_version: SCHEMA_VERSION,
        started_at: run.started_at,
        target: run.target.clone(),
        selection: run.selection,
        hashes: Hashes {
            baseline_sha256: None,
            ..run.hashes.clone()
        },
        cases: outcomes,
    };
    baseline.write(&path(options), timed)
}
