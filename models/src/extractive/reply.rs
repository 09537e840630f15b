//! From scored units to the sentences of a reply.

use std::collections::HashSet;
use std::ops::Range;

use super::rank::{Question, Scored};
use super::units::{Kind, Unit, closed, row_text};
use crate::reading::words;
use crate::{ComposeRequest, ComposedSentence, Source};

/// Items of a list must be nearly as relevant as the best one to be told together.
const NEARLY_AS_GOOD: f32 = 0.9;

/// A further sentence must add something the question asks for and be this relevant, as a share of the best one.
const WORTH_ADDING: f32 = 0.8;

/// The same for the sentence right before or behind the best one, which often holds its condition or exception.
const WORTH_ADDING_BESIDE: f32 = 0.6;

/// Longest sentence added because it limits the one before it, in characters.
const LONGEST_LIMIT: usize = 160;

/// Folded words that limit what was said.
const LIMITING: &[&str] = &[
    "not",
    "cannot",
    "unless",
    "except",
    "otherwise",
    "elsewhere",
    "however",
    "only",
    "pas",
    "sauf",
    "sinon",
    "seulement",
    "ailleurs",
    "nao",
    "exceto",
    "salvo",
    "apenas",
    "senao",
    "excepto",
    "solo",
    "tampoco",
];

/// A row of the same table must be as relevant as the best one, nearly, to be told beside it.
const AS_GOOD: f32 = 0.96;

/// Least share of the question's weight that a further sentence must add.
const LEAST_ADDED: f32 = 0.1;

/// Sentences of an ordinary reply; a question of several parts may get as many as the request wants.
const ORDINARY: usize = 2;

/// Nothing below this says anything about the question.
const LEAST_SCORE: f32 = 0.12;

/// Longest row sent with all its cells.
const LONG_ROW: usize = 320;

/// Writes the reply: the best unit, then others nearly as good, in reading order within a passage.
pub(super) fn write(
    request: &ComposeRequest,
    question: &Question,
    units: &[Unit],
    scored: &[Scored],
) -> Vec<ComposedSentence> {
    let Some(best) = scored.first().filter(|best| best.score >= LEAST_SCORE) else {
        return Vec::new();
    };
    if let Some(list) = whole_list(request, question, units, scored, *best) {
        return vec![list];
    }
    let mut chosen: Vec<Scored> = Vec::new();
    let mut length = 0;
    if units[best.unit].kind == Kind::LeadIn {
        chosen.push(instead_of_lead_in(question, units, scored, *best));
        length = sentence(question, units, chosen[0]).text.chars().count() + 1;
    }
    let most = if question.several_parts {
        request.max_sentences
    } else {
        request.max_sentences.min(ORDINARY)
    };
    for candidate in scored {
        if chosen.len() >= most.max(1) {
            break;
        }
        let unit = &units[candidate.unit];
        let added = sentence(question, units, *candidate).text.chars().count() + 1;
        let fits = length + added <= request.max_chars || chosen.is_empty();
        let repeats = chosen
            .iter()
            .any(|other| says_the_same(&units[other.unit].text, &unit.text));
        let worth = chosen.is_empty() || is_worth_adding(question, units, &chosen, *candidate);
        if fits && !repeats && worth && unit.kind != Kind::LeadIn {
            length += added;
            chosen.push(*candidate);
        }
    }
    if chosen.len() < most.max(1)
        && let Some(limit) = chosen.first().and_then(|first| limit_of(units, *first))
        && !chosen.iter().any(|other| other.unit == limit.unit)
        && length + units[limit.unit].text.chars().count() < request.max_chars
    {
        chosen.push(limit);
    }
    if chosen.is_empty() {
        chosen.push(*best);
    }
    let order = passage_order(&chosen, units);
    chosen.sort_by_key(|candidate| {
        let passage = units[candidate.unit].passage;
        (order.iter().position(|p| *p == passage), candidate.unit)
    });
    let written: Vec<ComposedSentence> = chosen
        .into_iter()
        .map(|candidate| sentence(question, units, candidate))
        .collect();
    written
        .into_iter()
        .filter(|sentence| sentence.text.chars().count() <= request.max_chars)
        .collect()
}

/// The sentence right behind the best one, when it limits what that one says: a condition, an exception, a "not".
fn limit_of(units: &[Unit], best: Scored) -> Option<Scored> {
    let first = &units[best.unit];
    let next = units.get(best.unit + 1)?;
    let continues = next.passage == first.passage
        && first.kind == Kind::Sentence
        && next.kind == Kind::Sentence
        && next.asked == first.asked
        && next.text.ends_with('.')
        && next.text.chars().count() <= LONGEST_LIMIT;
    let limits = words(&next.text)
        .iter()
        .any(|word| LIMITING.contains(&word.folded.as_str()));
    (continues && limits).then_some(Scored {
        unit: best.unit + 1,
        score: best.score * WORTH_ADDING_BESIDE,
    })
}

/// Whether a further sentence tells what the question asks for and the chosen ones do not tell yet.
fn is_worth_adding(question: &Question, units: &[Unit], chosen: &[Scored], candidate: Scored) -> bool {
    let best = chosen[0];
    let relevance = candidate.score / best.score.max(f32::MIN_POSITIVE);
    let (first, unit) = (&units[best.unit], &units[candidate.unit]);
    let beside = first.passage == unit.passage
        && first.kind == Kind::Sentence
        && unit.kind == Kind::Sentence
        && first.asked == unit.asked
        && best.unit.abs_diff(candidate.unit) == 1;
    if beside && relevance >= WORTH_ADDING_BESIDE {
        return true;
    }
    // The question leaves open which of two rows is meant: "delivery to Ho" and two weight bands.
    let columns = |unit: &Unit| {
        unit.cells
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    let siblings = first.kind == Kind::Row && unit.kind == Kind::Row && columns(first) == columns(unit);
    if siblings && !first.cells.is_empty() && relevance >= AS_GOOD {
        return true;
    }
    let indexes: Vec<usize> = chosen.iter().map(|other| other.unit).collect();
    let answers = question.is_answered_in(candidate.unit)
        && !indexes.iter().any(|&index| question.is_answered_in(index));
    relevance >= WORTH_ADDING && (answers || question.adds(candidate.unit, &indexes) >= LEAST_ADDED)
}

/// Whether the question names something that this item holds and its siblings and lead-in do not.
fn is_singled_out(question: &Question, members: &[&Unit], item: &Unit) -> bool {
    let holds = |unit: &Unit, stem: &str| words(&unit.text).iter().any(|word| word.stem == stem);
    question.terms.iter().any(|term| {
        holds(item, &term.stem)
            && !members
                .iter()
                .any(|other| other.range != item.range && holds(other, &term.stem))
    })
}

/// A lead-in says nothing alone: the best of its items speaks for it.
fn instead_of_lead_in(question: &Question, units: &[Unit], scored: &[Scored], best: Scored) -> Scored {
    let list = units[best.unit].list;
    let members: Vec<&Unit> = units
        .iter()
        .filter(|unit| unit.list.is_some() && unit.list == list)
        .collect();
    let of_list = |index: usize| {
        units[index].kind == Kind::Item && units[index].list.is_some() && units[index].list == list
    };
    let named =
        (0..units.len()).find(|&index| of_list(index) && is_singled_out(question, &members, &units[index]));
    let item = named.or_else(|| {
        scored
            .iter()
            .map(|other| other.unit)
            .find(|&index| of_list(index))
    });
    Scored {
        unit: item.unwrap_or(best.unit),
        score: best.score,
    }
}

/// Passages in the order of their best chosen sentence.
fn passage_order(chosen: &[Scored], units: &[Unit]) -> Vec<usize> {
    let mut order = Vec::new();
    for candidate in chosen {
        let passage = units[candidate.unit].passage;
        if !order.contains(&passage) {
            order.push(passage);
        }
    }
    order
}

/// Whether two sentences have nearly the same words, numbers included.
fn says_the_same(a: &str, b: &str) -> bool {
    let set = |text: &str| {
        words(text)
            .into_iter()
            .map(|word| word.stem)
            .collect::<HashSet<_>>()
    };
    let (a, b) = (set(a), set(b));
    let differs_in_number = a
        .symmetric_difference(&b)
        .any(|word| word.bytes().any(|c| c.is_ascii_digit()));
    let shared = a.intersection(&b).count();
    !differs_in_number && shared * 10 >= a.union(&b).count() * 8
}

fn sentence(question: &Question, units: &[Unit], candidate: Scored) -> ComposedSentence {
    let unit = &units[candidate.unit];
    let source = |range: &Range<usize>| Source {
        passage: unit.passage,
        start: range.start,
        end: range.end,
    };
    let lead_in = units.iter().find(|other| {
        unit.kind == Kind::Item
            && other.kind == Kind::LeadIn
            && other.list == unit.list
            && other.passage == unit.passage
    });
    let (text, sources) = match lead_in {
        Some(lead) => (
            format!("{} {}", lead.text, closed(without_mark(&unit.text))),
            vec![source(&lead.range), source(&unit.range)],
        ),
        None if unit.kind == Kind::Item => (closed(without_mark(&unit.text)), vec![source(&unit.range)]),
        None if unit.text.chars().count() > LONG_ROW && unit.cells.len() > 4 => {
            (short_row(question, unit), vec![source(&unit.range)])
        }
        None => (closed(&unit.text), vec![source(&unit.range)]),
    };
    let header = unit.header.as_ref().map(source);
    ComposedSentence {
        text,
        sources: header.into_iter().chain(sources).collect(),
        relevance: candidate.score,
    }
}

/// A wide row without the cells that neither name it nor answer: whole cells only.
fn short_row(question: &Question, unit: &Unit) -> String {
    let relevant = |name: &str, value: &str| {
        let cell = format!("{name}: {value}");
        let named = words(&cell)
            .iter()
            .any(|word| question.terms.iter().any(|term| term.stem == word.stem));
        named || question.asked.is_some_and(|asked| asked.is_in(&cell))
    };
    let cells: Vec<(String, String)> = unit
        .cells
        .iter()
        .enumerate()
        .filter(|(index, (name, value))| *index < 2 || relevant(name, value))
        .map(|(_, cell)| cell.clone())
        .collect();
    row_text(&cells)
}

/// The item without its bullet or number.
fn without_mark(text: &str) -> &str {
    let Some((mark, rest)) = text.split_once(' ') else {
        return text;
    };
    let is_mark = mark.chars().count() <= 4
        && !mark
            .chars()
            .next()
            .is_some_and(|c| c.is_alphanumeric() && !mark.ends_with(['.', ')']));
    if is_mark { rest } else { text }
}

/// The whole list with its lead-in, when the list is the answer and fits.
fn whole_list(
    request: &ComposeRequest,
    question: &Question,
    units: &[Unit],
    scored: &[Scored],
    best: Scored,
) -> Option<ComposedSentence> {
    let unit = &units[best.unit];
    let list = unit.list?;
    let members: Vec<&Unit> = units.iter().filter(|other| other.list == Some(list)).collect();
    let items = members.iter().filter(|member| member.kind == Kind::Item).count();
    let good = scored
        .iter()
        .filter(|other| units[other.unit].list == Some(list) && other.score >= best.score * NEARLY_AS_GOOD)
        .count();
    let one_is_meant = members
        .iter()
        .any(|member| member.kind == Kind::Item && is_singled_out(question, &members, member));
    let is_the_answer = (unit.kind == Kind::LeadIn && !one_is_meant)
        || question.wants_list
        || (good >= 3 && good * 2 > items);
    if !is_the_answer || items < 2 {
        return None;
    }
    let text = members
        .iter()
        .map(|member| member.text.as_str())
        .collect::<Vec<_>>()
        .join("\n");
    let (opening, closing) = (members.first()?, members.last()?);
    (text.chars().count() <= request.max_chars).then(|| ComposedSentence {
        text,
        sources: vec![Source {
            passage: unit.passage,
            start: opening.range.start,
            end: closing.range.end,
        }],
        relevance: best.score,
    })
}
