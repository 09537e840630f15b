//! Verdicts, from the replies that need one to the lines of `verdicts.jsonl` (definition rows 8 and 9).
//!
//! A worksheet is a file of JSON lines, each with everything a person needs: the question, the passages shown, the reply, and why it
//! was flagged. The person replaces `TODO` and hands the file back; lines that still say `TODO` are left for another day. A
//! second person gets a worksheet of a tenth of the judged replies, without what the first one said.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::EvalError;
use crate::gate::spec::Gate;
use crate::golden::load::{Golden, skipped, without_line};
use crate::golden::verdict::{Verdict, VerdictLine, answer_sha256, evidence_sha256};
use crate::metrics::Graded;
use crate::metrics::agreement::{Agreement, agreement, second_needed};
use crate::metrics::hallucination::{Standing, Strata, sample_rank};
use crate::metrics::registry::Proof;
use crate::stats::random::seed_of;

/// What stands where a verdict is to be written.
pub const TODO: &str = "TODO";

/// The bound that a sample is drawn for when no gate asks for one.
const LIMIT: f64 = 0.02;

/// File of the replies that need a first verdict, in the directory of the report.
pub const FIRST: &str = "verdicts.todo.jsonl";

/// File of the replies that a second person has to judge.
pub const SECOND: &str = "verdicts.second.jsonl";

/// One reply for a person to judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Id of the case.
    pub case: String,
    /// Hash of the reply.
    pub answer_sha256: String,
    /// Hash of the evidence shown.
    pub evidence_sha256: String,
    /// To be replaced by `ok`, `hallucinated`, `benign-extra` or `bad-gold`.
    pub verdict: String,
    /// What the person wants to add.
    pub note: String,
    /// Why it is asked about.
    pub why: String,
    /// Who judged it already, but not what they said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judged_by: Vec<String>,
    /// The customer's message, after what was said before.
    pub question: Vec<String>,
    /// A good reply, by the case.
    pub reference: Option<String>,
    /// The passages shown with the reply: all that may support it.
    pub evidence: Vec<String>,
    /// The reply.
    pub answer: String,
}

/// Writes both worksheets of a run. They hold replies of the test split, too: the person who judges has to read them, and
/// nobody else.
pub fn write(dir: &Path, graded: &[Graded], gates: &[Gate]) -> Result<(), EvalError> {
    let failed =
        |path: &Path, error| EvalError::Infra(format!("{}: cannot be written: {error}", path.display()));
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    for (name, items) in [(FIRST, first(graded, gates)), (SECOND, second(graded))] {
        let path = dir.join(name);
        std::fs::write(&path, text(&items)?).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// The replies that need a first verdict: every flagged one, and the head of the sample order as far as the gates need it.
pub fn first(graded: &[Graded], gates: &[Gate]) -> Vec<Item> {
    let flagged = graded
        .iter()
        .filter(|reply| reply.standing == Standing::Undecided);
    let mut items: Vec<Item> = flagged.filter_map(|reply| item(reply, why(reply))).collect();
    let judgeable =
        |reply: &&Graded| !matches!(reply.standing, Standing::NotApplicable | Standing::Undecided);
    let mut unflagged: Vec<&Graded> = graded
        .iter()
        .filter(|reply| !reply.flagged)
        .filter(judgeable)
        .collect();
    unflagged.sort_by_key(|reply| (sample_rank(&reply.case.id), reply.case.id.clone()));
    let strata = Strata::of(&graded.iter().collect::<Vec<_>>());
    let needed = strata.sample_needed(limit(gates));
    let open = unflagged
        .into_iter()
        .take(needed)
        .filter(|reply| reply.standing == Standing::Unflagged);
    items.extend(
        open.filter_map(|reply| item(reply, "sample of the replies that nothing flagged".to_owned())),
    );
    items
}

/// The bound that a gate asks for.
fn limit(gates: &[Gate]) -> f64 {
    let asks = |gate: &&Gate| gate.metric == "hallucination_rate" && gate.proof == Proof::Bound;
    let limits = gates.iter().filter(asks).map(|gate| gate.threshold);
    limits.reduce(f64::min).unwrap_or(LIMIT)
}

/// The judged replies that need a second verdict: the head of another order, as many as the policy wants.
pub fn second(graded: &[Graded]) -> Vec<Item> {
    let mut judged: Vec<&Graded> = graded.iter().filter(|reply| !reply.labels.is_empty()).collect();
    judged.sort_by_key(|reply| {
        (
            seed_of(&format!("second verdict: {}", reply.case.id)),
            reply.case.id.clone(),
        )
    });
    let wanted = graded.first().map_or(0.0, |reply| reply.policy.double_label);
    let needed = second_needed(judged.len(), wanted);
    let open = judged
        .into_iter()
        .take(needed)
        .filter(|reply| reply.labels.len() < 2);
    open.filter_map(|reply| item(reply, "second verdict".to_owned()))
        .collect()
}

fn why(reply: &Graded) -> String {
    let claims = reply
        .unsupported
        .iter()
        .map(|claim| format!("{:?} {}", claim.text, claim.why));
    reply
        .problems()
        .into_iter()
        .chain(claims)
        .collect::<Vec<_>>()
        .join("; ")
}

fn item(reply: &Graded, why: String) -> Option<Item> {
    let answer = reply.reply.answer.as_ref().ok()?;
    let said = reply.case.history.iter().map(|message| message.text.clone());
    Some(Item {
        case: reply.case.id.clone(),
        answer_sha256: answer_sha256(answer),
        evidence_sha256: evidence_sha256(answer),
        verdict: TODO.to_owned(),
        note: String::new(),
        why,
        judged_by: reply.labels.iter().filter_map(|label| label.by.clone()).collect(),
        question: said.chain([reply.case.question.clone()]).collect(),
        reference: reply.case.reference.clone(),
        evidence: answer
            .citations
            .iter()
            .map(|citation| citation.quote.clone())
            .collect(),
        answer: answer.text.clone(),
    })
}

/// Reads a worksheet that a run wrote, for one person: without what that person has judged already.
pub fn read(dir: &Path, name: &str, person: Option<&str>) -> Result<Vec<Item>, EvalError> {
    let path = dir.join(name);
    let text = std::fs::read_to_string(&path).map_err(|error| EvalError::unreadable(&path, &error))?;
    let items = text.lines().map(serde_json::from_str::<Item>);
    let items = items.collect::<Result<Vec<_>, _>>();
    let mut items = items.map_err(|error| EvalError::unreadable(&path, &error))?;
    items.retain(|item| person.is_none_or(|person| item.judged_by.iter().all(|by| by != person)));
    Ok(items)
}

/// The worksheet as text.
pub fn text(items: &[Item]) -> Result<String, EvalError> {
    let mut text = String::new();
    for item in items {
        let line = serde_json::to_string(item).map_err(|error| EvalError::Infra(error.to_string()))?;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    }
    Ok(text)
}

/// Reads a worksheet that came back: the lines for `verdicts.jsonl`, and how many are still open.
///
/// # Errors
/// [`EvalError::Usage`] with every line that cannot be read, and nothing is taken over.
pub fn returned(
    file: &Path,
    text: &str,
    person: &str,
    date: &str,
) -> Result<(Vec<VerdictLine>, usize), EvalError> {
    let (mut lines, mut open, mut problems) = (Vec::new(), 0, Vec::new());
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !skipped(line)) {
        let place = format!("{}:{}", file.display(), i + 1);
        match serde_json::from_str::<Item>(line) {
            Err(error) => problems.push(format!("{place}: {}", without_line(&error))),
            Ok(item) if item.verdict == TODO => open += 1,
            Ok(item) => match serde_json::from_value::<Verdict>(item.verdict.clone().into()) {
                Err(_) => problems.push(format!(
                    "{place}: verdict `{}`: write ok, hallucinated, benign-extra or bad-gold",
                    item.verdict
                )),
                Ok(verdict) => lines.push(VerdictLine {
                    case: item.case,
                    answer_sha256: item.answer_sha256,
                    evidence_sha256: item.evidence_sha256,
                    verdict,
                    by: Some(person.to_owned()),
                    date: Some(date.to_owned()),
                    note: Some(item.note).filter(|note| !note.is_empty()),
                    settles: false,
                }),
            },
        }
    }
    if problems.is_empty() {
        Ok((lines, open))
    } else {
        Err(EvalError::Usage(problems.join("\n")))
    }
}

/// Adds lines to the end of `verdicts.jsonl`.
pub fn add(golden: &Path, lines: &[VerdictLine]) -> Result<(), EvalError> {
    let path = golden.join("verdicts.jsonl");
    let failed = |error: &dyn std::fmt::Display| {
        EvalError::Infra(format!("{}: cannot be written: {error}", path.display()))
    };
    let mut text = std::fs::read_to_string(&path).unwrap_or_default();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in lines {
        text.push_str(&serde_json::to_string(line).map_err(|error| failed(&error))?);
        text.push('\n');
    }
    std::fs::write(&path, text).map_err(|error| failed(&error))
}

/// How well people agree over all verdicts of a set, also on replies that nobody sends any more.
pub fn agreement_of(golden: &Golden) -> Option<Agreement> {
    agreement(&golden.verdicts.pairs())
}
