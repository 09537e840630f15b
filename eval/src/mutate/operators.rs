//! Ways to spoil a good reply.
//!
//! Each operator changes one thing that a customer would be hurt by and leaves the rest alone, so that whatever notices it
//! noticed just that. Replacements come from other replies of the same set: they look like what the system says, and nobody
//! chose them to be easy to find.

use plumbline_answer::{Answer, Sentence};
use serde::Serialize;

use super::negation;
use crate::golden::case::ROUTES;
use crate::metrics::Graded;
use crate::metrics::recall::marks;
use crate::stats::random::SplitMix64;

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// Another number stands where one was.
    NumberSwap,
    /// Another name, place or product stands where one was.
    EntitySwap,
    /// A sentence denies what it affirmed, or the reverse.
    Negation,
    /// The reply says the same and cites nothing.
    DroppedEvidence,
    /// The hits come in random order.
    ShuffledRanking,
    /// The question went another way.
    WrongRoute,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 6] = [
        Self::NumberSwap,
        Self::EntitySwap,
        Self::Negation,
        Self::DroppedEvidence,
        Self::ShuffledRanking,
        Self::WrongRoute,
    ];

    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NumberSwap => "number-swap",
            Self::EntitySwap => "entity-swap",
            Self::Negation => "negation",
            Self::DroppedEvidence => "dropped-evidence",
            Self::ShuffledRanking => "shuffled-ranking",
            Self::WrongRoute => "wrong-route",
        }
    }

    /// The metrics whose business it is to notice. That another metric falls by the way does not count.
    pub fn metrics(self) -> &'static [&'static str] {
        match self {
            Self::NumberSwap | Self::EntitySwap | Self::Negation | Self::DroppedEvidence => {
                &["hallucination_rate"]
            }
            Self::ShuffledRanking => &["recall_at_5", "recall_at_1", "ndcg_at_5", "mrr"],
            Self::WrongRoute => &["routing_accuracy", "routing_macro_precision"],
        }
    }

    /// The spoilt answer; `None` where there is nothing to spoil in this way.
    pub fn spoil(self, graded: &Graded, pool: &Pool, random: &mut SplitMix64) -> Option<Answer> {
        let answer = graded.reply.answer.as_ref().ok()?;
        match self {
            Self::NumberSwap => replace_in_a_sentence(answer, random, |text, random| {
                swap(text, &pool.numbers, numbers, random)
            }),
            Self::EntitySwap => replace_in_a_sentence(answer, random, |text, random| {
                swap(text, &pool.entities, entities, random)
            }),
            Self::Negation => {
                replace_in_a_sentence(answer, random, |text, _| negation::negate(text, &answer.language))
            }
            Self::DroppedEvidence => without_citations(answer),
            Self::ShuffledRanking => shuffled(graded, answer, random),
            Self::WrongRoute => Some(Answer {
                route: *pick(
                    &ROUTES
                        .into_iter()
                        .filter(|r| *r != answer.route)
                        .collect::<Vec<_>>(),
                    random,
                )?,
                ..answer.clone()
            }),
        }
    }
}

/// What other replies say, to take replacements from.
#[derive(Debug, Default)]
pub struct Pool {
    numbers: Vec<String>,
    entities: Vec<String>,
}

impl Pool {
    /// Collects the numbers and names of cited sentences.
    pub fn of<'a>(replies: impl Iterator<Item = &'a Graded>) -> Self {
        let mut pool = Self::default();
        for answer in replies.filter_map(|reply| reply.reply.answer.as_ref().ok()) {
            for sentence in answer
                .sentences
                .iter()
                .filter(|sentence| !sentence.citations.is_empty())
            {
                let part = |(start, end): (usize, usize)| sentence.text[start..end].to_owned();
                pool.numbers.extend(numbers(&sentence.text).into_iter().map(part));
                pool.entities
                    .extend(entities(&sentence.text).into_iter().map(part));
            }
        }
        for values in [&mut pool.numbers, &mut pool.entities] {
            values.sort();
            values.dedup();
        }
        pool
    }
}

fn pick<'a, T>(items: &'a [T], random: &mut SplitMix64) -> Option<&'a T> {
    items.get(random.below(items.len()))
}

/// Changes one cited sentence, in the list and in the text; the first in random order that can be changed.
fn replace_in_a_sentence(
    answer: &Answer,
    random: &mut SplitMix64,
    change: impl Fn(&str, &mut SplitMix64) -> Option<String>,
) -> Option<Answer> {
    let mut order: Vec<usize> = (0..answer.sentences.len()).collect();
    random.shuffle(&mut order);
    for index in order {
        let Sentence { text, citations } = &answer.sentences[index];
        let place = answer.text.find(text.as_str()).filter(|_| !citations.is_empty());
        let Some((place, changed)) = place.zip(change(text, random)) else {
            continue;
        };
        let mut spoilt = answer.clone();
        spoilt.text.replace_range(place..place + text.len(), &changed);
        spoilt.sentences[index].text = changed;
        return Some(spoilt);
    }
    None
}

/// Replaces one of the parts found by another one of the pool.
fn swap(
    text: &str,
    pool: &[String],
    parts: fn(&str) -> Vec<(usize, usize)>,
    random: &mut SplitMix64,
) -> Option<String> {
    let &(start, end) = pick(&parts(text), random)?;
    let same = |other: &&String| other.to_lowercase() == text[start..end].to_lowercase();
    let others: Vec<&String> = pool.iter().filter(|other| !same(other)).collect();
    let other = pick(&others, random)?;
    Some(format!("{}{other}{}", &text[..start], &text[end..]))
}

/// Places of the numbers: runs of digits with the marks inside of them, not part of a code.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    words(text)
        .into_iter()
        .filter(|&(start, end)| {
            text[start..end]
                .chars()
                .all(|c| c.is_ascii_digit() || ".,".contains(c))
        })
        .collect()
}

/// Places of the names: words with a capital inside of a sentence, and codes of letters and digits.
fn entities(text: &str) -> Vec<(usize, usize)> {
    let inside = |start: usize| {
        let before = text[..start].trim_end();
        !before.is_empty() && !before.ends_with(['.', '!', '?', ':', '|', '\n', '"', '“'])
    };
    words(text)
        .into_iter()
        .filter(|&(start, end)| {
            let word = &text[start..end];
            let long = word.chars().count() > 2 && word.chars().any(char::is_alphabetic);
            let code = word.chars().any(|c| c.is_ascii_digit());
            long && inside(start) && (code || word.starts_with(char::is_uppercase))
        })
        .collect()
}

/// Places of the words, without the punctuation around them.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, c.is_whitespace()) {
            (None, false) => start = Some(at),
            (Some(from), true) => {
                let word = &text[from..at];
                let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
                if let Some(offset) = word.find(bare).filter(|_| !bare.is_empty()) {
                    places.push((from + offset, from + offset + bare.len()));
                }
                start = None;
            }
            _ => {}
        }
    }
    places
}

fn without_citations(answer: &Answer) -> Option<Answer> {
    if answer.citations.is_empty() {
        return None;
    }
    let mut spoilt = answer.clone();
    spoilt.citations.clear();
    for sentence in &mut spoilt.sentences {
        sentence.citations.clear();
    }
    Some(spoilt)
}

/// The hits in an order in which the evidence stands elsewhere; `None` when it cannot, as with a single hit.
fn shuffled(graded: &Graded, answer: &Answer, random: &mut SplitMix64) -> Option<Answer> {
    /// Orders tried before the evidence is taken to stand everywhere.
    const TRIES: usize = 20;
    let before = marks(&answer.hits, &graded.spans);
    let mut spoilt = answer.clone();
    (0..TRIES).find_map(|_| {
        random.shuffle(&mut spoilt.hits);
        (marks(&spoilt.hits, &graded.spans) != before).then(|| spoilt.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, of: fn(&str) -> Vec<(usize, usize)>) -> Vec<&str> {
        of(text)
            .into_iter()
            .map(|(start, end)| &text[start..end])
            .collect()
    }

    #[test]
    fn numbers_and_names_are_found_where_they_stand() {
        let text = "Delivery to Kumasi costs GHS 1,250.50, with the SunNest 20 (SN-20A) in 3 days.";
        assert_eq!(parts(text, numbers), ["1,250.50", "20", "3"]);
        assert_eq!(parts(text, entities), ["Kumasi", "GHS", "SunNest", "SN-20A"]);
        assert!(parts("", words).is_empty());
    }

    #[test]
    fn one_part_changes_in_sentence_and_text() {
        let mut answer = crate::testing::answer("Hello! Within 21 days.");
        answer.citations = vec![crate::testing::citation("d.txt", 0, "Within 21 days.")];
        answer.sentences = vec![
            Sentence {
                text: "Hello!".into(),
                citations: vec![],
            },
            Sentence {
                text: "Within 21 days.".into(),
                citations: vec![0],
            },
        ];
        let pool = Pool {
            numbers: vec!["14".into(), "21".into()],
            entities: Vec::new(),
        };
        let case = crate::testing::case("q");
        let graded = crate::testing::graded(&case, &[], Ok(answer));
        let spoil = |operator: Operator| operator.spoil(&graded, &pool, &mut SplitMix64::new(1));
        let spoilt = spoil(Operator::NumberSwap).unwrap();
        assert_eq!(
            (spoilt.text.as_str(), spoilt.sentences[1].text.as_str()),
            ("Hello! Within 14 days.", "Within 14 days.")
        );
        assert_eq!(spoil(Operator::EntitySwap), None, "names nothing");
        assert_eq!(spoil(Operator::ShuffledRanking), None, "found nothing");
        assert!(spoil(Operator::DroppedEvidence).unwrap().citations.is_empty());
        assert_ne!(
            spoil(Operator::WrongRoute).unwrap().route,
            graded.route().unwrap()
        );
    }
}
