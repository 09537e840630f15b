//! The ratchet: the rules may become stricter by anyone, and laxer only in the open (definition row 18).
//!
//! A gate can be passed by lowering it. So the rules themselves, that is the gate file, the cases, the verdicts and the
//! baseline, are compared with those of the base branch, and whatever makes the gate easier to pass is a finding. A finding
//! fails unless a waiver in the gate file names it with a reason and a date; a waiver past its date is a finding itself.

pub mod compare;
pub mod snapshot;
pub mod source;

use std::fmt;
use std::path::PathBuf;

use chrono::NaiveDate;

use crate::error::EvalError;
use crate::gate::Exit;
use crate::gate::spec::Waiver;
use compare::Finding;
use snapshot::Snapshot;
use source::Source;

/// Which files hold the rules.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Golden directory.
    pub golden: PathBuf,
    /// Gate file.
    pub gates: PathBuf,
    /// Baseline file.
    pub baseline: PathBuf,
}

/// What became of one finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The finding.
    pub finding: Finding,
    /// The waiver that covers it.
    pub waiver: Option<Waiver>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.waiver {
            None => write!(f, "finding  {}", self.finding),
            Some(waiver) => write!(
                f,
                "waived   {} (until {}: {})",
                self.finding, waiver.expires, waiver.reason
            ),
        }
    }
}

/// All findings with the notes beside them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Findings, the waived ones too.
    pub findings: Vec<Told>,
    /// What is told without any effect.
    pub notes: Vec<String>,
}

impl Outcome {
    /// How the process ends.
    pub fn exit(&self, base: &str) -> Exit {
        let open = self.findings.iter().filter(|told| told.waiver.is_none()).count();
        let waived = self.findings.len() - open;
        if open == 0 {
            return Exit::ok(format!("no rule is laxer than in {base} ({waived} waived)"));
        }
        Exit {
            code: 1,
            cause: format!(
                "{open} rules are laxer than in {base} ({waived} waived); take the change back, or waive it in the gate file \
                 with a reason and a date"
            ),
        }
    }
}

/// Compares the rules as they are with those of the base.
pub fn run(rules: &Rules, base: &str, today: NaiveDate) -> Result<Outcome, EvalError> {
    let before = Snapshot::read(rules, &Source::named(base))?;
    let now = Snapshot::read(rules, &Source::Here)?;
    Ok(judge(&before, &now, today))
}

/// The findings with their waivers.
pub fn judge(before: &Snapshot, now: &Snapshot, today: NaiveDate) -> Outcome {
    let waivers = now
        .gates
        .as_ref()
        .map(|gates| gates.waivers.as_slice())
        .unwrap_or_default();
    let (mut findings, mut notes) = compare::compare(before, now);
    for waiver in waivers {
        if waiver.expires < today {
            findings.push(Finding::new(
                format!("waiver-expired:{}", waiver.finding),
                format!("ended on {} and is still there", waiver.expires),
            ));
        } else if !findings.iter().any(|finding| waiver.covers(&finding.id)) {
            notes.push(format!(
                "the waiver of {} covers nothing any more; remove it",
                waiver.finding
            ));
        }
    }
    let covering = |finding: &Finding| {
        let mut valid = waivers.iter().filter(|waiver| waiver.expires >= today);
        valid.find(|waiver| waiver.covers(&finding.id)).cloned()
    };
    let told = findings.into_iter().map(|finding| Told {
        waiver: covering(&finding),
        finding,
    });
    Outcome {
        findings: told.collect(),
        notes,
    }
}
