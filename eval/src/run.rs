//! The walk of one run: load, check, pin, ask, grade, judge, report.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::accept::{self, Accepted, Compared};
use crate::error::EvalError;
use crate::gate::Gate;
use crate::gate::baseline::{Hashes, outcomes};
use crate::gate::exit::{coverage, decide};
use crate::gate::judge::judge_all;
use crate::gate::power::{Power, power};
use crate::gate::spec::{Gates, parse_file, parse_flag};
use crate::golden::case::Case;
use crate::golden::lint::{Level, lint};
use crate::golden::load::{Golden, load, load_for};
use crate::golden::pin::{How, Span, Texts, pin};
use crate::golden::split::Selection;
use crate::golden::texts::read_texts;
use crate::machine::Machine;
use crate::metrics::grade::{Graded, grade};
use crate::metrics::slice;
use crate::metrics::tables::Tables;
use crate::progress::Progress;
use crate::report::build::build;
use crate::report::{Report, RunInfo, holdout, json};
use crate::target::options::TargetOptions;
use crate::target::{Reply, Target, VersionTexts, cited_versions};
use crate::worksheet;

/// What a run needs to know.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Golden directory.
    pub golden: PathBuf,
    /// Gates of the command line.
    pub gates: Vec<String>,
    /// Gate file.
    pub gate_file: Option<PathBuf>,
    /// Where the native parts are.
    pub machine: Machine,
    /// Which system is asked.
    pub target: TargetOptions,
    /// Where the files of the report go.
    pub report: Option<PathBuf>,
    /// An earlier report to compare with.
    pub compare: Option<PathBuf>,
    /// Whether the test split's cases are shown, not only counted.
    pub show_test: bool,
    /// Calls at a time.
    pub concurrency: usize,
    /// First calls whose latency is dropped.
    pub warm_up: usize,
    /// Which cases are asked.
    pub selection: Selection,
    /// Whether an inconclusive gate may pass.
    pub allow_inconclusive: bool,
    /// What the run is compared with.
    pub baseline: Compared,
    /// Whether the outcomes become the new baseline.
    pub write_baseline: bool,
    /// The time.
    pub started_at: DateTime<Utc>,
}

/// A run that has its replies and no verdict yet.
pub struct Asked {
    /// The golden set.
    pub golden: Golden,
    /// What is demanded.
    pub gates: Gates,
    /// Every reply, graded, in the order of the cases.
    pub graded: Vec<Graded>,
    /// The texts that the replies cite.
    pub texts: VersionTexts,
    info: RunInfo,
    accepted: Option<Accepted>,
    sight: Vec<Power>,
}

/// Runs the eval.
///
/// # Errors
/// When there is no verdict: usage (2), stale (4) or infrastructure (5).
pub async fn run(options: &RunOptions, progress: &Progress) -> Result<Report, EvalError> {
    let before = options.compare.as_deref().map(json::read).transpose()?;
    let asked = ask(options, progress).await?;
    conclude(options, asked, before.as_ref())
}

/// Load, check, pin, ask, grade.
///
/// # Errors
/// Those of [`run`].
pub async fn ask(options: &RunOptions, progress: &Progress) -> Result<Asked, EvalError> {
    let documents = options.target.documents().await?;
    let golden = match &documents {
        Some(documents) => load_for(&options.golden, documents.docs.clone())?,
        None => load(&options.golden)?,
    };
    refuse_lint_errors(&golden)?;
    let gates = read_gates(options, &golden)?;
    let tables = Tables::read(&golden.dir)?;
    let accepted = accept::read(options)?;
    let evidence = match &documents {
        Some(documents) => documents.texts.clone(),
        None => read_texts(&golden, &options.machine.limits())?,
    };
    let plan = Plan::new(&golden, &evidence, options.selection)?;
    refuse_stale(&plan, gates.max_stale)?;
    let sight = say_power(&gates.gates, &plan, options, progress);
    let target = Arc::new(
        options
            .target
            .open(&options.machine, &golden, documents, options.selection, progress)
            .await?,
    );
    refuse_other_corpus(&target, &golden).await?;
    let replies = ask_all(&target, &plan, options, progress).await;
    let texts = fetch_texts(&target, &replies).await;
    let asked: Vec<(&Case, &Reply)> = plan.cases.iter().map(|(case, _)| case).zip(&replies).collect();
    options.target.keep(
        &options.machine,
        &golden,
        options.report.as_deref(),
        &asked,
        &texts,
    )?;
    let graded = grade_all(&plan, replies, &texts, &golden, options.warm_up, &tables);
    let mut info = run_info(options, &golden, &plan, &target, &graded);
    info.hashes = accept::hashes(options, &golden, accepted.as_ref())?;
    info.prices_as_of = tables.prices_as_of();
    progress.end();
    Ok(Asked {
        golden,
        gates,
        graded,
        texts,
        info,
        accepted,
        sight,
    })
}

/// Judge and report.
fn conclude(options: &RunOptions, asked: Asked, before: Option<&Report>) -> Result<Report, EvalError> {
    let Asked {
        gates, graded, info, ..
    } = asked;
    let results = judge_all(&gates.gates, &graded);
    let exit = decide(&graded, &results, options.allow_inconclusive);
    let outcomes = outcomes(&graded);
    let comparison = accept::compare(asked.accepted.as_ref(), &gates.gates, &outcomes, options);
    let exit = accept::extend(exit, comparison.as_ref(), &gates.gates, options);
    accept::write(options, &info, outcomes, &gates.gates, &exit)?;
    let mut whole = build(info, &graded, results, exit);
    whole.regression = comparison;
    whole.power = asked.sight;
    if let Some(dir) = &options.report {
        worksheet::write(dir, &graded, &gates.gates)?;
    }
    let report = if options.show_test {
        whole
    } else {
        holdout::withhold(whole)
    };
    if let Some(dir) = &options.report {
        json::write(dir, &report, before)?;
    }
    Ok(report)
}

fn refuse_lint_errors(golden: &Golden) -> Result<(), EvalError> {
    let errors: Vec<String> = lint(golden)
        .iter()
        .filter(|f| f.level == Level::Error)
        .map(ToString::to_string)
        .collect();
    if errors.is_empty() {
        return Ok(());
    }
    Err(EvalError::Usage(errors.join("\n")))
}

fn read_gates(options: &RunOptions, golden: &Golden) -> Result<Gates, EvalError> {
    let mut gates = match &options.gate_file {
        None => Gates::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| EvalError::unreadable(path, &error))?;
            parse_file(path, &text)?
        }
    };
    for flag in &options.gates {
        let gate = parse_flag(flag).map_err(|message| EvalError::Usage(format!("--gate: {message}")))?;
        // The command line overrules the threshold of the file, so that one can be tried without editing.
        let same = |other: &Gate| other.metric == gate.metric && other.slice == gate.slice;
        let max_regression = gates
            .gates
            .iter()
            .find(|other| same(other))
            .and_then(|other| other.max_regression);
        gates.gates.retain(|other| !same(other));
        gates.gates.push(Gate {
            max_regression,
            ..gate
        });
    }
    let known = slice::all(golden.cases.iter().map(|located| &located.case));
    for gate in &gates.gates {
        if let Some(slice) = gate.slice.as_ref().filter(|slice| !known.contains(*slice)) {
            let known = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(EvalError::Usage(format!(
                "{gate}: unknown slice `{slice}`; known are {known}"
            )));
        }
    }
    Ok(gates)
}

/// The cases to ask with their evidence, and those that cannot be asked.
struct Plan {
    cases: Vec<(Case, Vec<Span>)>,
    stale: Vec<String>,
    relocated: usize,
}

impl Plan {
    fn new(golden: &Golden, texts: &Texts, selection: Selection) -> Result<Self, EvalError> {
        let mut plan = Self {
            cases: Vec::new(),
            stale: Vec::new(),
            relocated: 0,
        };
        for located in golden
            .cases
            .iter()
            .filter(|located| selection.holds(&located.case.id))
        {
            match pin(&located.case, &golden.docs, texts) {
                Ok(spans) => {
                    let pinned_before = |i: usize| located.case.evidence[i].start.is_some();
                    let moved = spans
                        .iter()
                        .enumerate()
                        .filter(|(i, s)| s.how != How::Pinned && pinned_before(*i));
                    plan.relocated += moved.count();
                    plan.cases.push((located.case.clone(), spans));
                }
                Err(lost) => {
                    let lost = lost.join("; ");
                    plan.stale
                        .push(format!("{}: {}: {lost}", located.place, located.case.id));
                }
            }
        }
        if plan.cases.is_empty() && plan.stale.is_empty() {
            return Err(EvalError::Usage(format!("no case is in the split {selection:?}")));
        }
        Ok(plan)
    }
}

fn refuse_stale(plan: &Plan, max_stale: usize) -> Result<(), EvalError> {
    if plan.stale.len() <= max_stale {
        return Ok(());
    }
    Err(EvalError::Stale(format!(
        "{} stale cases, {max_stale} are allowed: their evidence is not in the corpus any more; \
         mend the quotes, then run `plumbline-eval repin --write`\n{}",
        plan.stale.len(),
        plan.stale.join("\n")
    )))
}

/// Says what the gates can see on these cases before anything is asked.
fn say_power(gates: &[Gate], plan: &Plan, options: &RunOptions, progress: &Progress) -> Vec<Power> {
    let cases: Vec<&Case> = plan.cases.iter().map(|(case, _)| case).collect();
    let sight = power(gates, &cases, options.warm_up);
    for gate in &sight {
        progress.note(&gate.to_string());
    }
    sight
}

async fn refuse_other_corpus(target: &Target, golden: &Golden) -> Result<(), EvalError> {
    let missing = target
        .missing_documents(&golden.docs)
        .await
        .map_err(|error| EvalError::Infra(format!("{} cannot be asked: {error}", target.label())))?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(EvalError::Stale(format!(
        "{} lacks {} of the {} documents of the golden corpus (or holds other bytes): {}",
        target.label(),
        missing.len(),
        golden.docs.len(),
        missing.join(", ")
    )))
}

/// Asks every case, a few at a time; the replies come back in the order of the cases.
async fn ask_all(target: &Arc<Target>, plan: &Plan, options: &RunOptions, progress: &Progress) -> Vec<Reply> {
    progress.begin("asking", plan.cases.len());
    let slots = Arc::new(Semaphore::new(options.concurrency.max(1)));
    let mut calls = JoinSet::new();
    for (index, (case, _)) in plan.cases.iter().enumerate() {
        let (target, slots, case) = (Arc::clone(target), Arc::clone(&slots), case.clone());
        calls.spawn(async move {
            // The semaphore is never closed, so a permit always comes.
            let _permit = slots.acquire().await;
            (index, target.ask(&case).await)
        });
    }
    let lost = || Reply {
        answer: Err("the call panicked".to_owned()),
        calls: Vec::new(),
        wall_ms: 0.0,
        live: true,
    };
    let mut replies: Vec<Reply> = plan.cases.iter().map(|_| lost()).collect();
    while let Some(done) = calls.join_next().await {
        // A panic leaves its case as an error.
        if let Ok((index, reply)) = done {
            replies[index] = reply;
        }
        progress.step();
    }
    replies
}

async fn fetch_texts(target: &Target, replies: &[Reply]) -> VersionTexts {
    let mut texts = VersionTexts::new();
    for key in cited_versions(replies) {
        texts.insert(key, target.version_text(key).await);
    }
    texts
}

fn grade_all(
    plan: &Plan,
    replies: Vec<Reply>,
    texts: &VersionTexts,
    golden: &Golden,
    warm_up: usize,
    tables: &Tables,
) -> Vec<Graded> {
    let pairs = plan.cases.iter().zip(replies).enumerate();
    pairs
        .map(|(i, ((case, spans), reply))| {
            let mut graded = grade(case, spans, reply, texts, &golden.verdicts);
            graded.warm_up = i < warm_up;
            tables.apply(&mut graded);
            graded
        })
        .collect()
}

fn run_info(
    options: &RunOptions,
    golden: &Golden,
    plan: &Plan,
    target: &Target,
    graded: &[Graded],
) -> RunInfo {
    RunInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: options.started_at,
        golden: golden.header.name.clone(),
        corpus_manifest_sha256: golden.manifest.clone(),
        corpus_pinned: golden.corpus_is_pinned(),
        target: target.label(),
        selection: options.selection,
        cases: graded.len(),
        stale: plan.stale.clone(),
        relocated: plan.relocated,
        concurrency: options.concurrency,
        warm_up: options.warm_up,
        coverage: coverage(graded),
        hashes: Hashes::default(),
        prices_as_of: None,
        mode: target.mode(),
    }
}
