//! Would the gate notice? (definition row 19)
//!
//! Replies that pass are spoilt on purpose, one operator at a time, and graded again. A mutant is killed when a metric whose
//! business it is got worse for its case; an operator is caught when at least 9 of 10 of its mutants are killed, and the gates of
//! the run no longer pass when every reply that can be spoilt is. What survives is what the gate would let through.

pub mod negation;
pub mod operators;

use std::fmt;

use serde::Serialize;

use crate::gate::judge::judge_all;
use crate::gate::{Exit, Gate, Verdict};
use crate::golden::split::{Split, split_of};
use crate::golden::verdict::Verdicts;
use crate::metrics::Graded;
use crate::metrics::grade::grade;
use crate::metrics::registry::{Pairing, find};
use crate::stats::random::{SplitMix64, seed_of};
use crate::stats::{real, share};
use crate::target::{Reply, VersionTexts};
use operators::{Operator, Pool};

/// Share of the mutants that has to be killed.
pub const MIN_KILLED: f64 = 0.9;

/// Mutants below which a share says nothing.
pub const MIN_MUTANTS: usize = 10;

/// Survivors shown.
const SHOWN: usize = 5;

/// What became of one operator's mutants.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The operator.
    pub operator: Operator,
    /// Mutants made: passing replies that it could spoil.
    pub mutants: usize,
    /// Mutants that were noticed.
    pub killed: usize,
    /// Gates that passed before and do not with all mutants in place.
    pub red: Vec<String>,
    /// Whether a gate on the operator's metrics passed before at all.
    pub watched: bool,
    /// Survivors of the dev split: case and the sentence that nobody noticed.
    pub survivors: Vec<(String, String)>,
}

impl Outcome {
    /// Share of the mutants killed.
    pub fn rate(&self) -> f64 {
        share(real(self.killed), self.mutants)
    }

    fn caught(&self) -> bool {
        self.rate() >= MIN_KILLED && (!self.watched || !self.red.is_empty())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gates = match (self.watched, self.red.is_empty()) {
            (false, _) => "no passing gate watches it".to_owned(),
            (true, true) => "THE GATES STAY GREEN".to_owned(),
            (true, false) => format!("gates red: {}", self.red.join(", ")),
        };
        write!(
            f,
            "{:<17} {:>4}/{:<4} killed  {:.3}  {gates}",
            self.operator.as_str(),
            self.killed,
            self.mutants,
            self.rate()
        )?;
        for (case, sentence) in self.survivors.iter().take(SHOWN) {
            write!(f, "\n    survived  {case}: {sentence}")?;
        }
        Ok(())
    }
}

/// Spoils the passing replies of a run in every way.
pub fn mutate(graded: &[Graded], gates: &[Gate], texts: &VersionTexts, verdicts: &Verdicts) -> Vec<Outcome> {
    let pool = Pool::of(graded.iter());
    let try_one = |operator| {
        one(operator, graded, gates, &pool, &|spoilt: &Graded, answer| {
            let reply = Reply {
                answer: Ok(answer),
                ..spoilt.reply.clone()
            };
            let mut mutant = grade(&spoilt.case, &spoilt.spans, reply, texts, verdicts);
            mutant.warm_up = spoilt.warm_up;
            mutant
        })
    };
    Operator::ALL.into_iter().map(try_one).collect()
}

fn one(
    operator: Operator,
    graded: &[Graded],
    gates: &[Gate],
    pool: &Pool,
    regrade: &dyn Fn(&Graded, plumbline_answer::Answer) -> Graded,
) -> Outcome {
    let mut outcome = Outcome {
        operator,
        mutants: 0,
        killed: 0,
        red: Vec::new(),
        watched: false,
        survivors: Vec::new(),
    };
    let mut all = graded.to_vec();
    for reply in all.iter_mut().filter(|reply| reply.problems().is_empty()) {
        let mut random = SplitMix64::new(seed_of(&format!("{} {}", operator.as_str(), reply.case.id)));
        let Some(answer) = operator.spoil(reply, pool, &mut random) else {
            continue;
        };
        let mutant = regrade(reply, answer);
        outcome.mutants += 1;
        if noticed(operator, reply, &mutant) {
            outcome.killed += 1;
        } else if split_of(&reply.case.id) == Split::Dev {
            outcome
                .survivors
                .push((reply.case.id.clone(), difference(reply, &mutant)));
        }
        *reply = mutant;
    }
    let watching: Vec<Gate> = gates
        .iter()
        .filter(|gate| operator.metrics().contains(&gate.metric.as_str()))
        .cloned()
        .collect();
    let pairs = judge_all(&watching, graded)
        .into_iter()
        .zip(judge_all(&watching, &all));
    for (_, after) in pairs.filter(|(before, _)| before.verdict == Verdict::Pass) {
        outcome.watched = true;
        if after.verdict != Verdict::Pass {
            outcome.red.push(after.gate.to_string());
        }
    }
    outcome
}

/// Whether a metric whose business it is got worse for the case.
fn noticed(operator: Operator, before: &Graded, mutant: &Graded) -> bool {
    let score = |metric: &str, graded: &Graded| match find(metric)?.pairing {
        Pairing::Good(good) => good(graded).map(|good| if good { 1.0 } else { 0.0 }),
        Pairing::Score(score) => score(graded),
        Pairing::Routes | Pairing::Times | Pairing::Not => None,
    };
    operator
        .metrics()
        .iter()
        .any(|metric| matches!((score(metric, before), score(metric, mutant)), (Some(b), Some(m)) if m < b))
}

/// The first sentence that is not as it was.
fn difference(before: &Graded, mutant: &Graded) -> String {
    let (Ok(old), Ok(new)) = (&before.reply.answer, &mutant.reply.answer) else {
        return String::new();
    };
    let changed = old
        .sentences
        .iter()
        .zip(&new.sentences)
        .find(|(old, new)| old.text != new.text);
    changed.map_or_else(|| new.text.replace('\n', " "), |(_, new)| new.text.clone())
}

/// How the process ends.
pub fn exit(outcomes: &[Outcome]) -> Exit {
    let named = |of: &dyn Fn(&Outcome) -> bool| -> Vec<String> {
        let these = outcomes.iter().filter(|outcome| of(outcome));
        these
            .map(|outcome| format!("{} {:.3}", outcome.operator.as_str(), outcome.rate()))
            .collect()
    };
    let missed = named(&|outcome| outcome.mutants >= MIN_MUTANTS && !outcome.caught());
    if !missed.is_empty() {
        return Exit {
            code: 1,
            cause: format!(
                "the gate lets through: {} ({MIN_KILLED} asked for)",
                missed.join(", ")
            ),
        };
    }
    let few = named(&|outcome| outcome.mutants < MIN_MUTANTS);
    if !few.is_empty() {
        return Exit {
            code: 3,
            cause: format!("fewer than {MIN_MUTANTS} mutants: {}", few.join(", ")),
        };
    }
    Exit::ok("every operator is noticed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::spec::parse_flag;
    use crate::golden::case::Kind;
    use crate::target::VersionKey;
    use crate::testing::{answer, case, citation, good_hit, hit, span};
    use plumbline_answer::{Route, Sentence};
    use uuid::Uuid;

    /// Forty good replies about forty towns, each citing a document of its own.
    fn good() -> (Vec<Graded>, VersionTexts) {
        let mut texts = VersionTexts::new();
        let mut rows = Vec::new();
        for i in 0..40_u8 {
            let mut asked = case("How long does it take?");
            asked.id = format!("case-{i:03}");
            asked.kind = Kind::Answerable;
            asked.route = Some(if i % 2 == 0 {
                Route::Commodity
            } else {
                Route::Reasoning
            });
            let text = format!(
                "Delivery to Town{i} with the van is possible within {} days.",
                i + 3
            );
            let mut cited = citation("d.txt", 0, &text);
            cited.version_id = Uuid::from_u128(i.into());
            texts.insert(VersionKey::of(&cited), Ok(text.as_str().into()));
            let mut reply = answer(&text);
            reply.route = asked.route.unwrap_or(reply.route);
            reply.citations = vec![cited];
            reply.sentences = vec![Sentence {
                text,
                citations: vec![0],
            }];
            reply.hits = (0..9).map(|at| hit("e.txt", at * 50, "something else")).collect();
            reply.hits.insert(0, good_hit());
            let reply = Reply {
                answer: Ok(reply),
                calls: Vec::new(),
                wall_ms: 10.0,
                live: true,
            };
            rows.push(grade(&asked, &[span()], reply, &texts, &Verdicts::default()));
        }
        (rows, texts)
    }

    #[test]
    fn a_gate_that_looks_notices_every_operator() {
        let (rows, texts) = good();
        assert!(
            rows.iter().all(|row| row.problems().is_empty()),
            "{:?}",
            rows[0].problems()
        );
        let gates: Vec<Gate> = [
            "hallucination_rate=0.9",
            "recall_at_1=0.9",
            "routing_accuracy=0.9",
        ]
        .iter()
        .map(|text| parse_flag(text).unwrap())
        .collect();
        let outcomes = mutate(&rows, &gates, &texts, &Verdicts::default());
        for outcome in &outcomes {
            assert!(outcome.mutants == 40 && outcome.caught(), "{outcome}");
        }
        assert_eq!(exit(&outcomes).code, 0);
    }

    #[test]
    fn a_gate_that_does_not_look_is_found_out() {
        let (rows, texts) = good();
        let gates = [parse_flag("routing_accuracy=0").unwrap()];
        let outcomes = mutate(&rows, &gates, &texts, &Verdicts::default());
        let route = outcomes
            .iter()
            .find(|outcome| outcome.operator == Operator::WrongRoute)
            .unwrap();
        assert!(
            route.watched && route.red.is_empty() && !route.caught(),
            "{route}"
        );
        let exit = exit(&outcomes);
        assert!(exit.code == 1 && exit.cause.contains("wrong-route"), "{exit}");
        assert_eq!(
            super::exit(&mutate(&rows[..5], &gates, &texts, &Verdicts::default())).code,
            3
        );
    }
}
