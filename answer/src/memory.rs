//! Memory: a follow-up question becomes one that can be searched by itself.
//!
//! "And to Kumasi?" means nothing to a search. The rewriting is deterministic: the same conversation always searches the
//! same words, so an answer can be explained and a golden case can pin it. A self-contained question is left alone,
//! word for word; a follow-up takes over the previous question with the changed detail put in its place, or, when
//! nothing can be replaced, is completed with the subject of the previous question.

use plumbline_models::reading::{Word, fold, is_stop_word, sentence_spans, words};

use crate::answer::{Message, Speaker};
use crate::vocabulary;

/// Content words from which a question without a pronoun stands by itself.
const SELF_CONTAINED: usize = 3;

/// Content words before a pronoun that can be what it refers to: "if the lamp breaks, do you repair it?".
const OWN_ANTECEDENT: usize = 2;

/// Most content words that are carried over.
const MOST_CARRIED: usize = 8;

/// Openings that continue a conversation, folded, longest first.
const OPENINGS: &[&str] = &[
    "and what about", "and how about", "what about", "how about", "and also", "and for", "ok and", "okay and", "and", "also", "what if",
    "et pour", "et pour ce qui est de", "et si", "qu'en est-il de", "et", "aussi", "e para", "e quanto a", "e se", "e", "tambem", "y para",
    "y que hay de", "y si", "y", "tambien",
];

/// Words that point back, folded. "la", "lo", "o", "a" are left out: as articles they are everywhere.
const POINTERS: &[&str] = &[
    "it", "its", "they", "them", "their", "that", "those", "this", "these", "there", "one", "ones", "same", "he", "she", "il", "elle", "ils",
    "elles", "ca", "cela", "celui", "celle", "ceux", "celui-ci", "celle-ci", "y", "en", "ele", "ela", "eles", "elas", "isso", "isto", "esse",
    "essa", "esses", "essas", "aquele", "mesmo", "eso", "esto", "ese", "esa", "esos", "esas", "mismo",
];

/// Prepositions that an elliptical follow-up begins with, folded.
const PREPOSITIONS: &[&str] = &[
    "for", "to", "in", "on", "at", "with", "without", "from", "by", "after", "before", "during", "pour", "a", "en", "dans", "avec", "sans",
    "le", "les", "la", "chez", "para", "em", "no", "na", "nos", "nas", "ao", "aos", "com", "sem", "los", "el", "con", "sin",
];

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
        Some(text) if text != question => Query { text, rewritten: true },
        _ => Query { text: vocabulary::without_greeting(question).to_owned(), rewritten: false },
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
    let subject = said.and_then(|text| sentence_spans(text).first().map(|span| subject_of(&text[span.clone()]))).unwrap_or_default();
    (!subject.is_empty()).then(|| join(rest, &subject))
}

/// Whether the question needs an earlier one to be understood.
fn refers_back(question: &str) -> bool {
    let found = words(question);
    let content = content_words(&found);
    if content.is_empty() {
        return found.iter().any(|word| word.text.chars().any(char::is_alphabetic));
    }
    let opened = without_opening(question).len() < question.len();
    if let Some(pointer) = found.iter().position(|word| POINTERS.contains(&word.folded.as_str())) {
        // The first word may be an article or a dummy subject: "en quoi consiste", "is it possible".
        let before = content.iter().filter(|word| word.start < found[pointer].start).count();
        let strong = !matches!(found[pointer].folded.as_str(), "y" | "en" | "there" | "that" | "this" | "one" | "il" | "esta");
        let own = before >= OWN_ANTECEDENT || content.len() > SELF_CONTAINED + 1;
        if !own && (strong || content.len() < SELF_CONTAINED) {
            return true;
        }
    }
    let first = found.first().map(|word| word.folded.as_str()).unwrap_or_default();
    let elliptical = PREPOSITIONS.contains(&first) && content.len() <= 2;
    (opened && content.len() < SELF_CONTAINED) || (elliptical && found.len() <= 5) || is_bare_detail(&found, &content)
}

/// A lone name, code or number ("Kumasi?", "the A5?") asks the previous question about another thing.
fn is_bare_detail(found: &[Word<'_>], content: &[&Word<'_>]) -> bool {
    let all_specific = content.iter().all(|word| kind_of(word) != Kind::Other);
    content.len() <= 2 && found.len() <= 4 && all_specific
}

fn content_words<'a, 'b>(found: &'a [Word<'b>]) -> Vec<&'a Word<'b>> {
    found.iter().filter(|word| !word.is_stop_word() && !vocabulary::is_asking_word(&word.folded)).collect()
}

fn without_opening(question: &str) -> &str {
    let trimmed = question.trim_start_matches(['¿', '¡', ' ', ',']);
    let folded = fold(trimmed);
    let opening = OPENINGS.iter().filter(|opening| {
        folded.strip_prefix(**opening).is_some_and(|rest| rest.starts_with([' ', ',']) || rest.is_empty())
    });
    let Some(longest) = opening.max_by_key(|opening| opening.len()) else {
        return question;
    };
    // Folding keeps the number of characters of these openings.
    let cut = trimmed.char_indices().nth(longest.chars().count()).map_or(trimmed.len(), |(at, _)| at);
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
        return if word.text.bytes().all(|b| !b.is_ascii_alphabetic()) { Kind::Number } else { Kind::Code };
    }
    if word.is_capitalised() && !vocabulary::is_common(&word.folded) { Kind::Name } else { Kind::Other }
}

/// The previous question with its detail of the same kind replaced by the one of the follow-up.
fn replace_detail(previous: &str, follow_up: &str) -> Option<String> {
    let new_words = words(follow_up);
    let new_content = content_words(&new_words);
    let (new_start, new_end, kind) = run_of(&new_content, follow_up, false)?;
    // More than the detail and its preposition is a question of its own.
    if new_content.iter().any(|word| word.start < new_start || word.start >= new_end) {
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
        let after = rest.iter().position(|word| word.start >= end).unwrap_or(rest.len());
        rest = &rest[after..];
    }
    // The last one is the detail; the first is more often the subject.
    let (start, end) = same_kind.pop()?;
    Some(format!("{}{}{}", &previous[..start], &follow_up[new_start..new_end], &previous[end..]))
}

/// The first run of neighbouring specific words ("SunRay 50", "Cape Coast") with its kind.
fn run_of(content: &[&Word<'_>], text: &str, skip_first_word: bool) -> Option<(usize, usize, Kind)> {
    let specific = |word: &Word<'_>| kind_of(word) != Kind::Other && !(skip_first_word && word.start == 0 && kind_of(word) == Kind::Name);
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
    content_words(&found).iter().take(MOST_CARRIED).map(|word| word.text.to_owned()).collect()
}

/// The follow-up completed with the subject words that it does not hold itself.
fn join(follow_up: &str, subject: &[String]) -> String {
    let own: Vec<String> = words(follow_up).into_iter().map(|word| word.stem).collect();
    let weekday = words(follow_up).iter().any(|word| vocabulary::weekday(&word.folded).is_some());
    let carried: Vec<&str> = subject
        .iter()
        .filter(|word| {
            let folded = fold(word);
            !is_stop_word(&folded)
                && !own.contains(&plumbline_models::reading::stem(&folded))
                && !(weekday && vocabulary::weekday(&folded).is_some())
        })
        .map(String::as_str)
        .collect();
    let follow_up = follow_up.trim().trim_end_matches(['?', '!', '.', ' ']);
    if carried.is_empty() { format!("{follow_up}?") } else { format!("{follow_up} ({})?", carried.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Message {
        Message { role: Speaker::Customer, text: text.to_owned() }
    }

    fn after(previous: &str, question: &str) -> String {
        resolve(question, &[said(previous), Message { role: Speaker::Bot, text: "Yes.".to_owned() }], 6).text
    }

    #[test]
    fn a_changed_detail_takes_the_place_of_the_old_one() {
        for (previous, follow_up, query) in [
            ("How much is delivery to Tema?", "and to Kumasi?", "How much is delivery to Kumasi?"),
            ("How much is delivery to Cape Coast?", "What about Ho?", "How much is delivery to Ho?"),
            ("Are you open on Saturdays?", "and for Sundays?", "Are you open on Sundays?"),
            ("Estão abertos ao sábado?", "e ao domingo?", "Estão abertos ao domingo?"),
            ("Êtes-vous ouverts le samedi ?", "et le dimanche ?", "Êtes-vous ouverts le dimanche ?"),
            ("¿Abren los sábados?", "¿y los domingos?", "¿Abren los domingos?"),
            ("What does the SunRay 50 cost?", "and the SunRay 80?", "What does the SunRay 80 cost?"),
            ("How much is delivery to Tema?", "Kumasi?", "How much is delivery to Kumasi?"),
        ] {
            assert_eq!(after(previous, follow_up), query);
        }
    }

    #[test]
    fn otherwise_the_subject_is_carried_over() {
        for (previous, follow_up, carried) in [
            ("Do you sell the Kora A3?", "How much is it?", "Kora A3"),
            ("Do you repair broken screens?", "How long does that take?", "repair broken screens"),
            ("What are your opening hours?", "and for Sundays?", "opening hours"),
            ("Vocês vendem geradores?", "Quanto custa?", "geradores"),
            ("Vous vendez des lampes solaires ?", "Combien ça coûte ?", "lampes solaires"),
            ("¿Venden lámparas solares?", "¿Cuánto cuesta?", "lámparas solares"),
            ("Is the deposit refundable?", "why?", "deposit refundable"),
        ] {
            let query = after(previous, follow_up);
            assert!(query.contains(carried), "{query}");
            let own = follow_up.trim_matches(['?', '¿', ' ']).split(' ').next_back().unwrap().to_owned();
            assert!(query.contains(&own), "{query}");
        }
    }

    #[test]
    fn a_self_contained_question_is_left_alone() {
        for question in [
            "How long is the warranty on the battery?",
            "If the lamp breaks within a month, do you replace it?",
            "And how much is the deposit for the big fridge?",
            "Quel est le délai de livraison à Lomé ?",
            "Qual é o prazo de entrega em Luanda?",
            "¿Cuál es el plazo de devolución?",
            "What are your opening hours?",
        ] {
            assert_eq!(after("How much is delivery to Tema?", question), question);
        }
        assert!(!resolve("How much is it?", &[], 6).rewritten, "nothing to refer to");
    }

    #[test]
    fn a_chain_of_follow_ups_keeps_its_subject() {
        let history = [said("How much is delivery to Tema?"), said("and to Kumasi?")];
        assert_eq!(resolve("and to Ho?", &history, 6).text, "How much is delivery to Ho?");
    }

    #[test]
    fn the_bots_words_help_when_the_customers_do_not() {
        let history = [said("hi"), Message { role: Speaker::Bot, text: "Our Baobab card is free. Ask away.".to_owned() }];
        assert!(resolve("how long is it valid?", &history, 6).text.contains("Baobab card"));
    }

    #[test]
    fn only_the_last_messages_count() {
        let history = [said("How much is delivery to Tema?"), said("thanks"), said("ok"), said("bye")];
        assert!(!resolve("and to Ho?", &history, 3).rewritten);
        assert!(resolve("and to Ho?", &history, 4).rewritten);
    }

    #[test]
    fn a_leading_greeting_is_not_searched() {
        assert_eq!(resolve("Good morning, do you deliver to Ho?", &[], 6).text, "do you deliver to Ho?");
    }

    proptest::proptest! {
        #[test]
        fn any_conversation_resolves(question in "\\PC{0,40}", previous in "\\PC{0,40}") {
            let query = resolve(&question, &[said(&previous)], 6);
            proptest::prop_assert!(query.rewritten || question.ends_with(&query.text));
        }
    }
}
