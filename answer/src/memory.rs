//! Memory: a follow-up question becomes one that can be searched by itself.
//!
//! "And to Kumasi?" means nothing to a search. The rewriting is deterministic: the same conversation always searches the
//! same words, so an answer can be explained and a golden case can pin it. A self-contained question is left alone,
//! word for word; a follow-up takes over the previous question with the changed detail put in its place, or, when
//! nothing can be replaced, is completed with the subject of the previous question.

use std::sync::LazyLock;

use plumbline_models::reading::{Word, fold, is_stop_word, sentence_spans, stem, words};

use crate::answer::{Message, Speaker};
use crate::vocabulary;

/// Content words from which a question without a pronoun stands by itself.
const SELF_CONTAINED: usize = 3;

/// Content words before a pronoun that can be what it refers to: "if the lamp breaks, do you repair it?".
const OWN_ANTECEDENT: usize = 2;

/// Most content words that are carried over.
const MOST_CARRIED: usize = 8;

/// Openings that continue a conversation, folded, longest first.
static OPENINGS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "and what about | and how about | what about | how about | and also | and for | ok and | okay and \
     | and | also | what if | et pour | et pour ce qui est de | et si | qu'en est-il de | et | aussi \
     | e para | e quanto a | e se | e | tambem | y para | y que hay de | y si | y | tambien"
        .split('|')
        .map(str::trim)
        .collect()
});

/// Words that point back, folded. "la", "lo", "o", "a" are left out: as articles they are everywhere.
static POINTERS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "it its they them their that those this these there one ones same he she il elle ils elles ca \
     cela celui celle ceux celui-ci celle-ci y en ele ela eles elas isso isto esse essa esses essas \
     aquele mesmo eso esto ese esa esos esas mismo"
        .split_whitespace()
        .collect()
});

/// Prepositions that an elliptical follow-up begins with, folded.
static PREPOSITIONS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "for to in on at with without from by after before during pour a en dans avec sans le les la chez \
     para em no na nos nas ao aos com sem los el con sin"
        .split_whitespace()
        .collect()
});

/// The question to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The text that is searched, routed and answered.
    pub text: String,
    /// Whether it differs from what the customer wrote because of earlier messages.
    pub rewritten: bool,
}

/// Completes `question` from the last `turns` messages of `history` (oldest first) when it refers to them.
pub fn resolve(question: &str, history: &[Message], turns: usize) -> Query {
    let recent = &history[history.len().saturating_sub(turns)..];
    // Each earlier question is itself resolved by what came before it: "and to Ho?", "and express?".
    let mut previous: Option<String> = None;
    let mut said: Option<&str> = None;
    for message in recent {
        match message.role {
            Speaker::Bot => said = Some(&message.text),
            Speaker::Customer if vocabulary::is_only_pleasantry(&message.text) => {}
            Speaker::Customer => {
                let full = complete(&message.text, previous.as_deref(), said);
                previous = Some(full.unwrap_or_else(|| message.text.clone()));
                said = None;
            }
        }
    }
    match complete(question, previous.as_deref(), said) {
        Some(text) if text != question => Query {
            text,
            rewritten: true,
        },
        _ => Query {
            text: vocabulary::without_greeting(question).to_owned(),
            rewritten: false,
        },
    }
}

/// The completed question; `None` when it stands by itself or nothing came before.
fn complete(question: &str, previous: Option<&str>, said: Option<&str>) -> Option<String> {
    let question = vocabulary::without_greeting(question).trim();
    if !refers_back(question) {
        return None;
    }
    let rest = without_opening(question);
    if let Some(previous) = previous {
        if let Some(replaced) = replace_detail(previous, rest) {
            return Some(replaced);
        }
        let subject = subject_of(previous);
        if !subject.is_empty() {
            return Some(join(rest, &subject));
        }
    }
    let subject = said
        .and_then(|text| {
            sentence_spans(text)
                .first()
                .map(|span| subject_of(&text[span.clone()]))
        })
        .unwrap_or_default();
    (!subject.is_empty()).then(|| join(rest, &subject))
}

/// Whether the question needs an earlier one to be understood.
fn refers_back(question: &str) -> bool {
    let found = words(question);
    let content = content_words(&found);
    if content.is_empty() {
        return found
            .iter()
            .any(|word| word.text.chars().any(char::is_alphabetic));
    }
    let opened = without_opening(question).len() < question.len();
    if let Some(pointer) = found
        .iter()
        .position(|word| POINTERS.contains(&word.folded.as_str()))
    {
        // The first word may be an article or a dummy subject: "en quoi consiste", "is it possible".
        let before = content
            .iter()
            .filter(|word| word.start < found[pointer].start)
            .count();
        let strong = !matches!(
            found[pointer].folded.as_str(),
            "y" | "en" | "there" | "that" | "this" | "one" | "il" | "esta"
        );
        let own = before >= OWN_ANTECEDENT || content.len() > SELF_CONTAINED + 1;
        if !own && (strong || content.len() < SELF_CONTAINED) {
            return true;
        }
    }
    let first = found.first().map(|word| word.folded.as_str()).unwrap_or_default();
    let elliptical = PREPOSITIONS.contains(&first) && content.len() <= 2;
    (opened && content.len() < SELF_CONTAINED)
        || (elliptical && found.len() <= 5)
        || is_bare_detail(&found, &content)
}

/// A lone name, code or number ("Kumasi?", "the A5?") asks the previous question about another thing.
fn is_bare_detail(found: &[Word<'_>], content: &[&Word<'_>]) -> bool {
    let all_specific = content.iter().all(|word| kind_of(word) != Kind::Other);
    content.len() <= 2 && found.len() <= 4 && all_specific
}

fn content_words<'a, 'b>(found: &'a [Word<'b>]) -> Vec<&'a Word<'b>> {
    found
        .iter()
        .filter(|word| !word.is_stop_word() && !vocabulary::is_asking_word(&word.folded))
        .collect()
}

fn without_opening(question: &str) -> &str {
    let trimmed = question.trim_start_matches(['¿', '¡', ' ', ',']);
    let folded = fold(trimmed);
    let opening = OPENINGS.iter().filter(|opening| {
        folded
            .strip_prefix(**opening)
            .is_some_and(|rest| rest.starts_with([' ', ',']) || rest.is_empty())
    });
    let Some(longest) = opening.max_by_key(|opening| opening.len()) else {
        return question;
    };
    // Folding keeps the number of characters of these openings.
    let cut = trimmed
        .char_indices()
        .nth(longest.chars().count())
        .map_or(trimmed.len(), |(at, _)| at);
    trimmed[cut..].trim_start_matches([' ', ','])
}

/// What a detail is a value of; details of one kind replace each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Weekday,
    Number,
    Code,
    Name,
    Other,
}

fn kind_of(word: &Word<'_>) -> Kind {
    if vocabulary::weekday(&word.folded).is_some() {
        return Kind::Weekday;
    }
    if word.has_digit() {
        return if word.text.bytes().all(|b| !b.is_ascii_alphabetic()) {
            Kind::Number
        } else {
            Kind::Code
        };
    }
    if word.is_capitalised() && !vocabulary::is_common(&word.folded) {
        Kind::Name
    } else {
        Kind::Other
    }
}

/// The previous question with its detail of the same kind replaced by the one of the follow-up.
fn replace_detail(previous: &str, follow_up: &str) -> Option<String> {
    let new_words = words(follow_up);
    let new_content = content_words(&new_words);
    let (new_start, new_end, kind) = run_of(&new_content, follow_up, false)?;
    // More than the detail and its preposition is a question of its own.
    if new_content
        .iter()
        .any(|word| word.start < new_start || word.start >= new_end)
    {
        return None;
    }
    let old_words = words(previous);
    let old_content = content_words(&old_words);
    let mut same_kind: Vec<(usize, usize)> = Vec::new();
    let mut rest = &old_content[..];
    while let Some((start, end, found)) = run_of(rest, previous, true) {
        if found == kind {
            same_kind.push((start, end));
        }
        let after = rest
            .iter()
            .position(|word| word.start >= end)
            .unwrap_or(rest.len());
        rest = &rest[after..];
    }
    // The last one is the detail; the first is more often the subject.
    let (start, end) = same_kind.pop()?;
    Some(format!(
        "{}{}{}",
        &previous[..start],
        &follow_up[new_start..new_end],
        &previous[end..]
    ))
}

/// The first run of neighbouring specific words (`SunRay 50`, `Cape Coast`) with its kind.
fn run_of(content: &[&Word<'_>], text: &str, skip_first_word: bool) -> Option<(usize, usize, Kind)> {
    let specific = |word: &Word<'_>| {
        kind_of(word) != Kind::Other && !(skip_first_word && word.start == 0 && kind_of(word) == Kind::Name)
    };
    let first = content.iter().position(|word| specific(word))?;
    let kind = kind_of(content[first]);
    let mut end = content[first].end();
    for word in &content[first + 1..] {
        let neighbour = text[end..word.start].chars().all(|c| c == ' ' || c == '-');
        let joins = kind == Kind::Name && matches!(kind_of(word), Kind::Name | Kind::Number | Kind::Code);
        if !(neighbour && joins) {
            break;
        }
        end = word.end();
    }
    Some((content[first].start, end, kind))
}

/// The content words of a question in order: what a follow-up is about.
fn subject_of(question: &str) -> Vec<String> {
    let found = words(question);
    content_words(&found)
        .iter()
        .take(MOST_CARRIED)
        .map(|word| word.text.to_owned())
        .collect()
}

/// The follow-up completed with the subject words that it does not hold itself.
fn join(follow_up: &str, subject: &[String]) -> String {
    let own: Vec<String> = words(follow_up).into_iter().map(|word| word.stem).collect();
    let weekday = words(follow_up)
        .iter()
        .any(|word| vocabulary::weekday(&word.folded).is_some());
    let carried: Vec<&str> = subject
        .iter()
        .filter(|word| {
            let folded = fold(word);
            let repeated = own.contains(&stem(&folded));
            let replaced = weekday && vocabulary::weekday(&folded).is_some();
            !(is_stop_word(&folded) || repeated || replaced)
        })
        .map(String::as_str)
        .collect();
    let follow_up = follow_up.trim().trim_end_matches(['?', '!', '.', ' ']);
    if carried.is_empty() {
        format!("{follow_up}?")
    } else {
        format!("{follow_up} ({})?", carried.join(" "))
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
