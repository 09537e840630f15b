//! One reply with everything that is known about it: the row that every metric reads.

use plumbline_answer::{Answer, Outcome, Route};
use serde::{Deserialize, Serialize};

use super::citation;
use super::claims::{self, Unsupported};
use super::correct::{self, Phrases};
use super::cost::{Cost, Prices};
use super::hallucination::{self, Standing};
use super::recall::{self, Ranking};
use super::tools::{self, Tools};
use crate::golden::case::{Case, Kind};
use crate::golden::pin::Span;
use crate::golden::verdict::{Judged, Label, Policy, Verdicts};
use crate::target::{Reply, VersionTexts};

/// What came back, by the structured field alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// An answer with text.
    Answered,
    /// An abstention with text.
    Abstained,
    /// A person takes over; the text may be empty.
    HandedOff,
    /// Answered or abstained without any text: an error, neither an abstention nor a hallucination.
    Empty,
    /// No answer came back.
    Error,
}

impl Observed {
    /// Every outcome, in the order of the reports.
    pub const ALL: [Self; 5] = [
        Self::Answered,
        Self::Abstained,
        Self::HandedOff,
        Self::Empty,
        Self::Error,
    ];

    /// Reads it off a reply.
    pub fn of(answer: &Result<Answer, String>) -> Self {
        match answer {
            Err(_) => Self::Error,
            Ok(answer) => match (answer.outcome, answer.text.trim().is_empty()) {
                (Outcome::HandedOff, _) => Self::HandedOff,
                (_, true) => Self::Empty,
                (Outcome::Answered, false) => Self::Answered,
                (Outcome::Abstained, false) => Self::Abstained,
            },
        }
    }

    /// Whether the system failed to reply.
    pub fn is_error(self) -> bool {
        matches!(self, Self::Empty | Self::Error)
    }

    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Abstained => "abstained",
            Self::HandedOff => "handed_off",
            Self::Empty => "empty",
            Self::Error => "error",
        }
    }
}

/// One case, its reply and what the metrics need of both.
#[derive(Debug, Clone, PartialEq)]
pub struct Graded {
    /// The case.
    pub case: Case,
    /// Where its evidence is.
    pub spans: Vec<Span>,
    /// What came back.
    pub reply: Reply,
    /// True for the first calls of a run, whose latency does not count.
    pub warm_up: bool,
    /// The outcome.
    pub observed: Observed,
    /// How well the evidence was found; answerable cases with a reply only.
    pub ranking: Option<Ranking>,
    /// Phrases missing and forbidden.
    pub phrases: Phrases,
    /// Whether the reply is correct; `None` where the case does not say.
    pub correct: Option<bool>,
    /// Every citation followed to its source.
    pub citations: Vec<citation::Check>,
    /// Claims without support.
    pub unsupported: Vec<Unsupported>,
    /// Whether anything suggests a hallucination.
    pub flagged: bool,
    /// What is known about hallucination.
    pub standing: Standing,
    /// What it cost.
    pub cost: Cost,
    /// What is wrong with the calls of tools.
    pub tools: Option<String>,
    /// What each person said about this very reply.
    pub labels: Vec<Label>,
    /// How that is to be read.
    pub policy: Policy,
}

impl Graded {
    /// The route that was taken; an error has none.
    pub fn route(&self) -> Option<Route> {
        if self.observed.is_error() {
            return None;
        }
        self.reply.answer.as_ref().ok().map(|answer| answer.route)
    }

    /// Everything wrong with the reply, worst first; empty when the case passes.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Err(error) = &self.reply.answer {
            return vec![format!("error: {error}")];
        }
        if self.observed == Observed::Empty {
            return vec!["empty reply".to_owned()];
        }
        match self.standing {
            Standing::Convicted => problems.push("hallucinated, by verdict".to_owned()),
            Standing::Undecided => problems.push("flagged as unsupported".to_owned()),
            _ => {}
        }
        let broken = self
            .citations
            .iter()
            .filter(|check| check.problem.is_some())
            .count();
        if broken > 0 {
            problems.push(format!(
                "{broken} of {} citations do not resolve",
                self.citations.len()
            ));
        }
        if !self.phrases.forbidden.is_empty() {
            problems.push(format!(
                "says what it must not: {}",
                self.phrases.forbidden.join(", ")
            ));
        }
        problems.extend(self.tools.clone());
        problems.extend(self.wrong_outcome());
        if self.observed == Observed::Answered && !self.phrases.missing.is_empty() {
            problems.push(format!("lacks: {}", self.phrases.missing.join(", ")));
        }
        if let Some(ranking) = &self.ranking
            && ranking.recall_at_5 < 1.0
        {
            problems.push(format!("recall@5 {:.2}", ranking.recall_at_5));
        }
        problems.extend(self.wrong_route());
        problems
    }

    fn wrong_outcome(&self) -> Option<String> {
        let good = match self.case.kind {
            Kind::Answerable | Kind::Chitchat => self.observed == Observed::Answered,
            Kind::Unanswerable | Kind::OutOfScope => {
                matches!(self.observed, Observed::Abstained | Observed::HandedOff)
            }
            Kind::Handoff => self.observed == Observed::HandedOff,
        };
        (!good).then(|| format!("{} but {}", self.case.kind, self.observed.as_str()))
    }

    fn wrong_route(&self) -> Option<String> {
        let expected = crate::golden::case::route_name(self.case.expected_route()?);
        let taken = crate::golden::case::route_name(self.route()?);
        (expected != taken).then(|| format!("routed {taken}, expected {expected}"))
    }
}

/// Grades one reply: pure, so that a stored reply can be graded again.
pub fn grade(case: &Case, spans: &[Span], reply: Reply, texts: &VersionTexts, verdicts: &Verdicts) -> Graded {
    let answer = reply.answer.as_ref().ok();
    let observed = Observed::of(&reply.answer);
    let phrases = answer
        .map(|answer| correct::phrases(case, answer))
        .unwrap_or_default();
    let citations: Vec<citation::Check> = answer
        .map(|answer| {
            answer
                .citations
                .iter()
                .map(|cited| citation::check(cited, texts))
                .collect()
        })
        .unwrap_or_default();
    let unsupported = answer
        .filter(|_| observed == Observed::Answered)
        .map(|answer| claims::unsupported(case, answer))
        .unwrap_or_default();
    let unresolved = citations.iter().any(|check| check.problem.is_some());
    let flagged = !unsupported.is_empty() || !phrases.forbidden.is_empty() || unresolved;
    let judged = answer.and_then(|answer| verdicts.of(&case.id, answer));
    let searched = answer.filter(|_| case.kind == Kind::Answerable && !observed.is_error());
    Graded {
        ranking: searched.map(|answer| recall::rank(&answer.hits, spans)),
        correct: correct::is_correct(case, answer, &phrases),
        standing: hallucination::standing(observed, flagged, judged.map(Judged::in_force), verdicts.policy),
        cost: answer.map_or(Cost::Unknown, |answer| Prices::built_in().cost(&answer.usage)),
        tools: tools::of(case, &reply.calls, &Tools::default()),
        labels: judged.map(|judged| judged.labels().to_vec()).unwrap_or_default(),
        policy: verdicts.policy,
        flagged,
        case: case.clone(),
        spans: spans.to_vec(),
        warm_up: false,
        observed,
        phrases,
        citations,
        unsupported,
        reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{answer, case};

    fn observed(outcome: Outcome, text: &str) -> Observed {
        let mut answer = answer(text);
        answer.outcome = outcome;
        Observed::of(&Ok(answer))
    }

    #[test]
    fn the_field_decides_not_the_words() {
        assert_eq!(
            observed(Outcome::Answered, "I am sorry, I do not know."),
            Observed::Answered
        );
        assert_eq!(
            observed(Outcome::Abstained, "It costs GHS 300."),
            Observed::Abstained
        );
        assert_eq!(observed(Outcome::HandedOff, ""), Observed::HandedOff);
    }

    #[test]
    fn an_empty_reply_is_an_error_and_no_abstention() {
        assert_eq!(observed(Outcome::Abstained, " \n"), Observed::Empty);
        assert_eq!(observed(Outcome::Answered, ""), Observed::Empty);
        assert!(Observed::Empty.is_error());
    }

    #[test]
    fn an_error_is_the_only_problem_of_its_case() {
        let reply = Reply {
            answer: Err("HTTP 500".into()),
            calls: Vec::new(),
            wall_ms: 1.0,
            live: true,
        };
        let graded = grade(&case("q"), &[], reply, &VersionTexts::new(), &Verdicts::default());
        assert_eq!(graded.problems(), ["error: HTTP 500"]);
        assert_eq!(graded.standing, Standing::Undecided);
        assert_eq!(graded.correct, None, "the case names nothing to include");
    }
}
