//! Which units answer the question: cheap features first, then the embedding's verdict.

#![expect(
    clippy::cast_precision_loss,
    reason = "counts of words and examples are far below 2^23"
)]

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use super::amounts::{Amount, amounts_of, holds_amount};
use super::units::{Kind, Unit};
use crate::Passage;
use crate::reading::{Asked, near, words};

/// Weights of the parts of a unit's score; they sum to about one, so that the score reads as a relevance.
///
/// Fitted on the dev split of the golden set (which unit of the found passages holds the whole answer?) with a listwise
/// softmax under five-fold cross-validation, then rounded. Words and meaning weigh the same.
const COSINE: f32 = 0.38;
const LEXICAL: f32 = 0.38;
const PASSAGE: f32 = 0.14;
const KIND_ASKED: f32 = 0.14;

/// Taken off a table row that names something other than the question does, times the share of what it misses.
const WRONG_ROW: f32 = 0.2;

/// Taken off a unit times the share it misses of the names and codes that the question gives and other units hold.
const WRONG_ENTITY: f32 = 0.12;

/// Taken off one item of a list, which is seldom an answer alone, unless the question wants the list.
const LONE_ITEM: f32 = 0.12;

/// Taken off a line that is no whole sentence: a letterhead, a caption, the stub of a paragraph.
const UNFINISHED: f32 = 0.09;

/// A word of the question that carries meaning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    pub(super) folded: String,
    pub(super) stem: String,
    pub(super) weight: f32,
}

/// The question as the ranking reads it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) terms: Vec<Term>,
    pub(super) amounts: Vec<Amount>,
    pub(super) asked: Option<Asked>,
    pub(super) wants_list: bool,
    /// Whether it asks for more than one thing.
    pub(super) several_parts: bool,
    /// Per unit, the share of the question's weight that it holds.
    lexical: Vec<f32>,
    /// Per unit, 1 when it holds the kind of thing asked for, or when nothing particular is asked for.
    kind: Vec<f32>,
    /// Per unit and term, whether the unit's own text holds it.
    held: Vec<Vec<bool>>,
    /// Per unit, the share of the question's names and codes that neither it nor its headings hold.
    misses: Vec<f32>,
}

/// A candidate with its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scored {
    /// Index into the units.
    pub(super) unit: usize,
    /// 0 to 1.
    pub(super) score: f32,
}

/// Words of a text: folded forms and stems.
struct Bag {
    folded: HashSet<String>,
    stems: HashSet<String>,
}

impl Bag {
    fn of(text: &str) -> Self {
        let (folded, stems) = words(text)
            .into_iter()
            .map(|word| (word.folded, word.stem))
            .unzip();
        Self { folded, stems }
    }

    fn holds(&self, term: &Term) -> bool {
        self.stems.contains(&term.stem) || self.folded.iter().any(|word| near(word, &term.folded))
    }
}

impl Question {
    /// Reads a question; a term weighs more the fewer units hold it.
    pub(super) fn read(text: &str, units: &[Unit]) -> Self {
        let bodies: Vec<Bag> = units.iter().map(|unit| Bag::of(&unit.text)).collect();
        let around: Vec<Bag> = units
            .iter()
            .map(|unit| {
                Bag::of(&format!(
                    "{} {}",
                    unit.context,
                    unit.asked.as_deref().unwrap_or_default()
                ))
            })
            .collect();
        let mut seen = HashSet::new();
        let amounts = amounts_of(text);
        let mut terms: Vec<Term> = words(text)
            .into_iter()
            .filter(|word| {
                !word.is_stop_word() && !amounts.iter().any(|amount| amount.range.contains(&word.start))
            })
            .filter(|word| seen.insert(word.stem.clone()))
            .map(|word| Term {
                folded: word.folded,
                stem: word.stem,
                weight: 0.0,
            })
            .collect();
        let named = names_of(text);
        let mut held = vec![0.0_f32; units.len()];
        let mut total = amounts.len() as f32;
        let mut own = vec![Vec::with_capacity(terms.len()); units.len()];
        let mut misses = vec![0.0_f32; units.len()];
        let mut given = 0.0_f32;
        for term in &mut terms {
            let shares: Vec<f32> = units
                .iter()
                .zip(bodies.iter().zip(&around))
                .map(|(unit, bags)| share_held(unit, bags, term))
                .collect();
            let (all, holding) = (
                units.len() as f32,
                shares.iter().filter(|share| **share > 0.0).count() as f32,
            );
            term.weight = (1.0 + (all - holding + 0.5) / (holding + 0.5)).ln();
            total += term.weight;
            let tells_apart = holding > 0.0 && named.contains(&term.folded);
            given += f32::from(u8::from(tells_apart));
            for (unit, share) in shares.into_iter().enumerate() {
                held[unit] += share * term.weight;
                own[unit].push(share >= 1.0);
                misses[unit] += f32::from(u8::from(tells_apart && share <= 0.0));
            }
        }
        for (sum, unit) in held.iter_mut().zip(units) {
            *sum += amounts
                .iter()
                .filter(|amount| holds_amount(&unit.text, amount))
                .count() as f32;
        }
        let asked = Asked::of(text);
        let holds_kind = |unit: &Unit| f32::from(u8::from(asked.is_none_or(|asked| asked.is_in(&unit.text))));
        Self {
            terms,
            amounts,
            asked,
            wants_list: wants_list(text),
            several_parts: has_several_parts(text),
            lexical: held
                .into_iter()
                .map(|sum| if total > 0.0 { sum / total } else { 0.0 })
                .collect(),
            kind: units.iter().map(holds_kind).collect(),
            held: own,
            misses: misses.into_iter().map(|missed| missed / given.max(1.0)).collect(),
        }
    }

    /// Share of the question's weight that `unit` holds and none of `chosen` does.
    pub(super) fn adds(&self, unit: usize, chosen: &[usize]) -> f32 {
        let total: f32 = self.terms.iter().map(|term| term.weight).sum();
        let added: f32 = self
            .terms
            .iter()
            .enumerate()
            .filter(|(term, _)| {
                self.held[unit][*term] && chosen.iter().all(|&other| !self.held[other][*term])
            })
            .map(|(_, term)| term.weight)
            .sum();
        added / total.max(f32::MIN_POSITIVE)
    }

    /// Whether something particular is asked for and `unit` holds it.
    pub(super) fn is_answered_in(&self, unit: usize) -> bool {
        self.asked.is_some() && self.kind[unit] > 0.0
    }
}

/// The names and codes of a question, folded: words with a digit, and words with a capital inside a sentence.
fn names_of(question: &str) -> HashSet<String> {
    let found = words(question);
    let mut names = HashSet::new();
    for (index, word) in found.iter().enumerate() {
        let begins = index == 0
            || question[found[index - 1].end()..word.start].contains(['.', '?', '!', ':', '\n', '¿', '¡']);
        if word.has_digit() || (word.is_capitalised() && !begins) {
            names.insert(word.folded.clone());
        }
    }
    names
}

/// How far a unit holds a term: what only its headings hold counts two thirds, what the question it answers holds
/// nearly all.
fn share_held(unit: &Unit, (body, around): (&Bag, &Bag), term: &Term) -> f32 {
    if body.holds(term) {
        1.0
    } else if around.holds(term) {
        if unit.asked.is_some() { 0.9 } else { 0.66 }
    } else {
        0.0
    }
}

/// Whether the question wants steps or several things.
fn wants_list(question: &str) -> bool {
    let folded = crate::reading::fold(question);
    [
        "how do i",
        "how can i",
        "how to",
        "what do i need",
        "which documents",
        "what documents",
        "what steps",
        "steps",
        "what are the",
        "list",
        "requirements",
        "what should i",
        "comment faire",
        "quels documents",
        "quelles sont",
        "que faut-il",
        "como faco",
        "como posso",
        "quais",
        "que documentos",
        "o que preciso",
        "como puedo",
        "como hago",
        "cuales son",
        "que necesito",
    ]
    .iter()
    .any(|cue| folded.contains(cue))
}

/// Whether the question asks two things or compares several.
fn has_several_parts(question: &str) -> bool {
    static PARTS: LazyLock<Regex> = LazyLock::new(|| {
        #[expect(
            clippy::expect_used,
            reason = "the pattern is a constant of this file and is tested"
        )]
        Regex::new(
            r"\b(and|n|et|e|y) (also |then |what|when|where|who|how|which|can|do|does|is|are|combien|quand|quel|ou|comment|quanto|quando|qual|onde|como|cuanto|cuando|cual|donde)|\b(compare|difference|diferenca|diferencia|versus|vs|both|les deux|ambos|total|altogether|cheaper|cheapest|how much more|how much less)\b",
        )
        .expect("a valid pattern")
    });
    question.matches('?').count() > 1 || PARTS.is_match(&crate::reading::fold(question))
}

/// At most `limit` units worth embedding, in reading order. The best unit of each leading passage is always among them.
pub(super) fn preselect(
    question: &Question,
    units: &[Unit],
    passages: &[Passage],
    limit: usize,
) -> Vec<usize> {
    let scored: Vec<f32> = units
        .iter()
        .enumerate()
        .map(|(index, unit)| {
            LEXICAL * question.lexical[index]
                + PASSAGE * passage_share(passages, unit.passage)
                + KIND_ASKED * question.kind[index]
                - penalty(question, unit, index)
        })
        .collect();
    let mut order: Vec<usize> = (0..units.len()).filter(|&i| !is_fragment(&units[i])).collect();
    order.sort_by(|&a, &b| scored[b].total_cmp(&scored[a]));
    let mut chosen: Vec<usize> = Vec::new();
    for passage in 0..3 {
        chosen.extend(order.iter().copied().find(|&i| units[i].passage == passage));
    }
    let mut texts: HashSet<&str> = chosen.iter().map(|&i| units[i].text.as_str()).collect();
    for i in order {
        if chosen.len() >= limit {
            break;
        }
        if !chosen.contains(&i) && texts.insert(&units[i].text) {
            chosen.push(i);
        }
    }
    chosen.sort_unstable();
    chosen
}

/// Too little to stand as a sentence.
fn is_fragment(unit: &Unit) -> bool {
    unit.kind == Kind::Sentence && unit.asked.is_none() && words(&unit.text).len() < 3
}

/// The passage's fused score as a share of the best one's.
fn passage_share(passages: &[Passage], index: usize) -> f32 {
    let best = passages
        .iter()
        .map(|passage| passage.score)
        .fold(f32::MIN_POSITIVE, f32::max);
    (passages[index].score / best).clamp(0.0, 1.0)
}

/// The candidates with their scores, best first.
pub(super) fn score(
    question: &Question,
    units: &[Unit],
    passages: &[Passage],
    candidates: &[usize],
    cosines: &[f32],
) -> Vec<Scored> {
    let wrong = wrong_rows(question, units);
    let mut scored: Vec<Scored> = candidates
        .iter()
        .zip(cosines)
        .map(|(&index, &cosine)| {
            let unit = &units[index];
            let kind = if question.asked.is_some() {
                question.kind[index]
            } else {
                0.5
            };
            let score = COSINE * cosine.max(0.0)
                + LEXICAL * question.lexical[index]
                + PASSAGE * passage_share(passages, unit.passage)
                + KIND_ASKED * kind
                - WRONG_ROW * wrong.get(&index).copied().unwrap_or_default()
                - penalty(question, unit, index);
            Scored {
                unit: index,
                score: score.clamp(0.0, 1.0),
            }
        })
        .collect();
    scored.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.unit.cmp(&b.unit)));
    scored
}

/// What speaks against a unit whatever it is about.
fn penalty(question: &Question, unit: &Unit, index: usize) -> f32 {
    let lone = matches!(unit.kind, Kind::Item | Kind::LeadIn) && !question.wants_list;
    let unfinished =
        unit.kind == Kind::Sentence && !unit.text.ends_with(['.', '!', '?', '…', ')', '"', '”', '»']);
    WRONG_ENTITY * question.misses[index]
        + if lone { LONE_ITEM } else { 0.0 }
        + if unfinished && unit.asked.is_none() {
            UNFINISHED
        } else {
            0.0
        }
}

/// Rows that name something else than the question, with the share of its specific terms that they miss.
///
/// Rows with the same columns are siblings. A term that occurs among the values of some sibling tells the siblings
/// apart, so the row must hold it; a term that occurs in none of them says nothing about this table.
fn wrong_rows(question: &Question, units: &[Unit]) -> HashMap<usize, f32> {
    let mut families: HashMap<Vec<&str>, Vec<usize>> = HashMap::new();
    for (index, unit) in units
        .iter()
        .enumerate()
        .filter(|(_, unit)| !unit.cells.is_empty())
    {
        let columns = unit.cells.iter().map(|(name, _)| name.as_str()).collect();
        families.entry(columns).or_default().push(index);
    }
    let mut wrong = HashMap::new();
    for rows in families.values().filter(|rows| rows.len() > 1) {
        let values: Vec<Bag> = rows.iter().map(|&row| Bag::of(&values_of(&units[row]))).collect();
        let mut missed = vec![0.0_f32; rows.len()];
        let mut total = 0.0;
        for term in &question.terms {
            let holding: Vec<bool> = values.iter().map(|bag| bag.holds(term)).collect();
            add_misses(&holding, &mut missed, &mut total);
        }
        for amount in &question.amounts {
            let holding: Vec<bool> = rows
                .iter()
                .map(|&row| holds_amount(&values_of(&units[row]), amount))
                .collect();
            add_misses(&holding, &mut missed, &mut total);
        }
        wrong.extend(
            rows.iter()
                .zip(missed)
                .filter(|(_, m)| *m > 0.0)
                .map(|(&row, m)| (row, m / total)),
        );
    }
    wrong
}

fn add_misses(holding: &[bool], missed: &mut [f32], total: &mut f32) {
    let count = holding.iter().filter(|holds| **holds).count();
    if count == 0 || count == holding.len() {
        return;
    }
    *total += 1.0;
    for (miss, holds) in missed.iter_mut().zip(holding) {
        *miss += f32::from(u8::from(!holds));
    }
}

fn values_of(unit: &Unit) -> String {
    unit.cells
        .iter()
        .map(|(_, value)| value.as_str())
        .collect::<Vec<_>>()
        .join(" | ")
}
