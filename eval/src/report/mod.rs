//! What a run returns. Formatters print it; they compute nothing.

pub mod build;
pub mod checks;
pub mod console;
pub mod diff;
pub mod holdout;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
mod number;
mod regression;
pub mod risk;
pub mod schema;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use plumbline_answer::Timings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::checks::CaseCheck;
use self::risk::RiskPoint;
use crate::gate::baseline::Hashes;
use crate::gate::power::Power;
use crate::gate::{Comparison, Exit, GateResult};
use crate::golden::case::Kind;
use crate::golden::split::{Selection, Split};
use crate::metrics::abstention::OutcomeRow;
use crate::metrics::agreement::Agreement;
use crate::metrics::citation::Check;
use crate::metrics::claims::Unsupported;
use crate::metrics::cost::RouteCost;
use crate::metrics::hallucination::{Standing, Tally};
use crate::metrics::latency::Stage;
use crate::metrics::registry::{Direction, Unit};
use crate::metrics::routing::ClassRow;
use crate::metrics::{Measured, Observed};

/// Version of the layout of `report.json`; raised when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA_VERSION`] of the program that wrote it.
    pub schema_version: u32,
    /// What ran on what.
    pub run: RunInfo,
    /// How the process ended.
    pub exit: Exit,
    /// Every gate with its verdict.
    pub gates: Vec<GateResult>,
    /// Every metric over all cases.
    pub metrics: Vec<MetricRow>,
    /// The chief metrics per slice.
    pub slices: Vec<SliceRow>,
    /// Routing, gold against predicted.
    pub confusion: Vec<ClassRow>,
    /// Kinds against outcomes.
    pub outcomes: Vec<OutcomeRow>,
    /// What is known about hallucination.
    pub hallucination: Tally,
    /// Time per stage.
    pub stages: Vec<Stage>,
    /// The run against the baseline, when there is one.
    #[serde(default)]
    pub regression: Option<Comparison>,
    /// How well people agree about these replies, when two judged any.
    #[serde(default)]
    pub agreement: Option<Agreement>,
    /// What the replies cost, per route taken and in all.
    #[serde(default)]
    pub cost: Vec<RouteCost>,
    /// What the gates could see on these cases.
    #[serde(default)]
    pub power: Vec<Power>,
    /// What a stricter threshold would buy.
    #[serde(default)]
    pub risk: Vec<RiskPoint>,
    /// Every case, in the order of the files.
    pub cases: Vec<CaseRow>,
}

/// What ran on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunInfo {
    /// Version of the program.
    pub version: String,
    /// When it began, RFC 3339.
    #[schemars(with = "String")]
    pub started_at: DateTime<Utc>,
    /// Name of the golden set.
    pub golden: String,
    /// Hash of the corpus that was asked about.
    pub corpus_manifest_sha256: String,
    /// Whether that is the corpus the set was pinned to.
    pub corpus_pinned: bool,
    /// The system under test.
    pub target: String,
    /// Which cases were asked.
    pub selection: Selection,
    /// Cases asked.
    pub cases: usize,
    /// Cases left out because their evidence is gone: `id: reason`.
    pub stale: Vec<String>,
    /// Pieces of evidence that were found elsewhere than pinned.
    pub relocated: usize,
    /// Calls at a time.
    pub concurrency: usize,
    /// First calls whose latency was dropped.
    pub warm_up: usize,
    /// Share of the cases that came back with something to score.
    pub coverage: f64,
    /// The files that decided the verdict.
    #[serde(default)]
    pub hashes: Hashes,
    /// Day of the oldest price in the table that costs were computed by.
    #[serde(default)]
    pub prices_as_of: Option<String>,
    /// Where the replies come from.
    #[serde(default)]
    pub mode: Mode,
}

/// Where replies come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The system was asked just now.
    #[default]
    Live,
    /// Replies or model calls of an earlier recording; their latency is the recording's.
    Replayed,
    /// Stored replies, scored again without a call.
    Rescored,
}

impl Mode {
    /// What a person reads beside the target; nothing for a live run.
    pub fn note(self) -> &'static str {
        match self {
            Self::Live => "",
            Self::Replayed => ", replayed: latency and cost are the recording's",
            Self::Rescored => {
                ", stored replies scored again: latency and cost are those of the run that stored them"
            }
        }
    }
}

/// One metric over all cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricRow {
    /// Its name.
    pub name: String,
    /// Which way is good.
    pub direction: Direction,
    /// What its numbers are.
    pub unit: Unit,
    /// What was measured.
    pub measured: Measured,
    /// Share of its denominator that could be scored.
    pub coverage: f64,
}

impl MetricRow {
    /// The bound on the side that matters.
    pub fn bound(&self) -> f64 {
        match self.direction {
            Direction::High => self.measured.value.lower,
            Direction::Low => self.measured.value.upper,
        }
    }
}

/// The chief metrics of one slice; `None` where the slice has no case for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SliceRow {
    /// Name of the slice, such as `lang:es`.
    pub slice: String,
    /// Cases.
    pub n: usize,
    /// Recall at 5.
    pub recall_at_5: Option<f64>,
    /// Correct replies.
    pub answer_correct: Option<f64>,
    /// Answerable cases that were not answered.
    pub false_abstention: Option<f64>,
    /// Unanswerable cases that were not answered.
    pub correct_abstention: Option<f64>,
    /// Cases routed right.
    pub routing_accuracy: Option<f64>,
}

/// One case with its reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRow {
    /// Id.
    pub id: String,
    /// Kind.
    pub kind: Kind,
    /// Side of the split.
    pub split: Split,
    /// Slices it belongs to.
    pub slices: Vec<String>,
    /// True when it is of the test split and only counted: question, evidence, reply and reasons are left out.
    #[serde(default)]
    pub withheld: bool,
    /// What was said before, oldest first.
    #[serde(default)]
    pub history: Vec<Turn>,
    /// The customer's message.
    pub question: String,
    /// The evidence a good search finds.
    #[serde(default)]
    pub expected: Vec<Expected>,
    /// The case by each metric that it counts in.
    #[serde(default)]
    pub checks: Vec<CaseCheck>,
    /// True when nothing is wrong.
    pub passed: bool,
    /// What is wrong, worst first.
    pub problems: Vec<String>,
    /// The outcome.
    pub observed: Observed,
    /// The gold route.
    pub expected_route: Option<String>,
    /// The route taken.
    pub route: Option<String>,
    /// Groups of evidence found within the first 5 hits, over those wanted.
    pub recall_at_5: Option<f64>,
    /// 1 / rank of the first evidence.
    pub mrr: Option<f64>,
    /// Whether the reply says what it must.
    pub correct: Option<bool>,
    /// What is known about hallucination.
    pub standing: Standing,
    /// First hits with the evidence groups that each holds.
    pub top: Vec<TopHit>,
    /// The reply as sent.
    pub answer: String,
    /// Hash of the reply, for a verdict.
    pub answer_sha256: Option<String>,
    /// Hash of the evidence shown, for a verdict.
    pub evidence_sha256: Option<String>,
    /// Id of the answer, for its trace.
    pub trace: Option<String>,
    /// Confidence of the answer.
    pub confidence: Option<f32>,
    /// Citations followed to their source.
    pub citations: Vec<Check>,
    /// Claims without support.
    pub unsupported: Vec<Unsupported>,
    /// Wall-clock time of the call, milliseconds.
    pub wall_ms: f64,
    /// Whether that time counts for latency.
    pub timed: bool,
    /// Time per stage.
    #[schemars(with = "Option<schema::TimingsLayout>")]
    pub timings: Option<Timings>,
}

/// An earlier message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Turn {
    /// `customer` or `bot`.
    pub role: String,
    /// Its text.
    pub text: String,
}

/// One piece of evidence with the place at which it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expected {
    /// Its group; any piece of a group will do.
    pub group: String,
    /// Document.
    pub document: String,
    /// The passage.
    pub quote: String,
    /// 3 states the answer, 2 supports it, 1 is related.
    pub grade: u8,
    /// Rank of the first hit that holds it, 1-based; none when no hit does.
    pub rank: Option<usize>,
}

/// One of the first hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TopHit {
    /// Document.
    pub document: String,
    /// First byte of the chunk.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// Fused score.
    pub score: f32,
    /// Rank in the lexical leg.
    pub lexical_rank: Option<u32>,
    /// Rank in the vector leg.
    pub vector_rank: Option<u32>,
    /// Evidence groups that the chunk holds.
    pub holds: Vec<String>,
    /// First words of the chunk.
    pub text: String,
}
