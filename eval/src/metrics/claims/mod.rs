//! Is every claim of a reply in the evidence shown with it? (definition rows 6 and 8)
//!
//! A screen without a model. Each sentence is compared with the passages that it cites:
//!
//! 1. a sentence that stands in its evidence word for word is supported, whatever the punctuation
//!    (a table row becomes a sentence);
//! 2. otherwise a *veto* flags it when it states a number, an amount of money, a date, a quantity
//!    with its unit, a code, an address or a name that neither evidence nor question holds, or when
//!    it denies what the evidence affirms (or the reverse);
//! 3. otherwise the share of its content words that the evidence holds (token precision) has to
//!    reach a threshold that is higher for shorter sentences, which have less room for paraphrase.
//!
//! A screen ranks and flags; people decide (see [`super::hallucination`]).

pub mod facts;
pub mod words;

use plumbline_answer::{Answer, Citation, Route, Sentence};
use serde::{Deserialize, Serialize};

use crate::golden::case::Case;
use crate::golden::normal::{contains, normal};
use facts::Facts;
use words::{content_words, same_word};

/// A sentence, or a part of one, that the evidence does not support.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unsupported {
    /// The sentence as sent.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

/// Every unsupported sentence of a reply.
pub fn unsupported(case: &Case, answer: &Answer) -> Vec<Unsupported> {
    let asked = asked(case);
    let mut found: Vec<Unsupported> = answer
        .sentences
        .iter()
        .filter_map(|sentence| check(answer, sentence, &asked))
        .collect();
    if let Some(rest) = outside_of_sentences(answer) {
        found.push(Unsupported {
            text: rest,
            why: "is sent, but not listed as a sentence with evidence".into(),
        });
    }
    found
}

/// What the customer said: repeating it is no claim of ours.
fn asked(case: &Case) -> String {
    let history = case.history.iter().map(|message| message.text.as_str());
    history
        .chain([case.question.as_str()])
        .collect::<Vec<_>>()
        .join("\n")
}

fn check(answer: &Answer, sentence: &Sentence, asked: &str) -> Option<Unsupported> {
    let cited = sentence
        .citations
        .iter()
        .map(|&i| answer.citations.get(i))
        .collect::<Option<Vec<_>>>();
    let flag = |why: String| {
        Some(Unsupported {
            text: sentence.text.clone(),
            why,
        })
    };
    let Some(cited) = cited else {
        return flag("refers to a citation that does not exist".into());
    };
    let evidence = cited
        .iter()
        .map(|citation| evidence_of(answer, citation))
        .collect::<Vec<_>>()
        .join("\n");
    if contains(&evidence, &sentence.text) || words::same_words_in_a_row(&sentence.text, &evidence) {
        return None;
    }
    let claimed = Facts::of(&sentence.text);
    let known = Facts::of(&format!("{evidence}\n{asked}"));
    // A greeting may name the business; a figure is a claim wherever it stands.
    let novel = if cited.is_empty() && answer.route == Route::Smalltalk {
        claimed.new_figure(&known)
    } else {
        claimed.not_in(&known)
    };
    if let Some(novel) = novel {
        return flag(novel);
    }
    if cited.is_empty() {
        return uncited(answer, sentence, asked);
    }
    if words::denial_differs(&sentence.text, &evidence) {
        return flag("denies what its evidence affirms, or the reverse".into());
    }
    let precision = token_precision(&sentence.text, &[&evidence, asked])?;
    let needed = threshold(content_words(&sentence.text).len());
    (precision < needed)
        .then(|| format!("only {:.0} % of its words are in its evidence", precision * 100.0))
        .and_then(flag)
}

/// A sentence without a citation may connect or greet, but not inform.
fn uncited(answer: &Answer, sentence: &Sentence, asked: &str) -> Option<Unsupported> {
    /// Content words up to which a sentence can only be a phrase ("Here is what I found:").
    const PHRASE: usize = 5;
    let short = content_words(&sentence.text).len() <= PHRASE;
    let introduces = sentence.text.trim_end().ends_with(':');
    if answer.route == Route::Smalltalk || short || introduces {
        return None;
    }
    let shown: Vec<String> = answer
        .citations
        .iter()
        .map(|citation| evidence_of(answer, citation))
        .collect();
    let mut sources: Vec<&str> = shown.iter().map(String::as_str).collect();
    sources.push(asked);
    let supported = token_precision(&sentence.text, &sources).is_none_or(|p| p >= threshold(PHRASE + 1));
    (!supported).then(|| Unsupported {
        text: sentence.text.clone(),
        why: "cites nothing".into(),
    })
}

/// What a customer sees behind a citation: the quote, the chunk around it, its headings and title.
fn evidence_of(answer: &Answer, citation: &Citation) -> String {
    let mut parts = vec![citation.quote.as_str(), citation.document_title.as_str()];
    if let Some(hit) = answer.hits.iter().find(|hit| hit.chunk_id == citation.chunk_id) {
        parts.push(&hit.text);
        parts.extend(hit.heading_path.iter().map(String::as_str));
    }
    parts.join("\n")
}

/// Least token precision for a sentence with `words` content words.
fn threshold(words: usize) -> f64 {
    match words {
        0..=4 => 0.75,
        5..=8 => 0.65,
        _ => 0.6,
    }
}

/// Share of the content words of `claim` that any source holds; `None` when it has none.
fn token_precision(claim: &str, sources: &[&str]) -> Option<f64> {
    let claimed = content_words(claim);
    let known: Vec<String> = sources.iter().flat_map(|source| content_words(source)).collect();
    let held = claimed
        .iter()
        .filter(|word| known.iter().any(|k| same_word(k, word)))
        .count();
    (!claimed.is_empty()).then(|| crate::stats::share(crate::stats::real(held), claimed.len()))
}

/// Words of the reply that none of its listed sentences holds.
fn outside_of_sentences(answer: &Answer) -> Option<String> {
    let mut rest = normal(&answer.text);
    for sentence in &answer.sentences {
        let text = normal(&sentence.text);
        if let Some(at) = rest.find(text.trim()).filter(|_| !text.trim().is_empty()) {
            rest.replace_range(at..at + text.trim().len(), " ");
        }
    }
    let rest = rest.trim();
    rest.chars().any(char::is_alphanumeric).then(|| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{answer, case, citation};
    use proptest::prelude::*;

    const PASSAGE: &str = "You may change your mind within 21 days of receiving the goods. \
        Refunds above GHS 300 are paid to the wallet by Ama Mensah, not in cash, until 31 May 2026.";

    fn why(text: &str) -> Option<String> {
        let mut reply = answer(text);
        reply.citations = vec![citation("returns.pdf", 0, PASSAGE)];
        reply.sentences = vec![Sentence {
            text: text.to_owned(),
            citations: vec![0],
        }];
        unsupported(&case("How long may I return it?"), &reply)
            .first()
            .map(|u| u.why.clone())
    }

    #[test]
    fn a_greeting_may_name_the_business_but_states_no_figure() {
        let greets = |text: &str| {
            let mut reply = answer(text);
            reply.route = Route::Smalltalk;
            reply.citations = vec![];
            reply.sentences = vec![Sentence {
                text: text.to_owned(),
                citations: vec![],
            }];
            unsupported(&case("hi"), &reply).len()
        };
        assert_eq!(greets("Hello from Tamarind Home & Solar!"), 0);
        assert_eq!(greets("Hello! Our kits cost GHS 900."), 1);
    }

    #[test]
    fn quoting_and_close_paraphrase_are_supported() {
        assert_eq!(
            why("You may change your mind within 21 days of receiving the goods."),
            None
        );
        assert_eq!(
            why("You can change your mind within 21 days of receiving goods."),
            None
        );
    }

    #[test]
    fn each_veto_has_its_own_words() {
        let flagged = [
            (
                "You may change your mind within 14 days of receiving the goods.",
                "number 14",
            ),
            (
                "You may change your mind within 21 weeks of receiving the goods.",
                "21 week",
            ),
            (
                "Refunds above USD 300 are paid to the wallet, not in cash.",
                "USD 300",
            ),
            (
                "Refunds are paid to the wallet until 30 May 2026, not in cash.",
                "30",
            ),
            (
                "Refunds are paid to the wallet by Kofi Mensah, not in cash.",
                "Kofi",
            ),
            ("Refunds above GHS 300 are paid to the wallet in cash.", "denies"),
            (
                "The shop sells lanterns with coloured shades and a remote control.",
                "words",
            ),
            (
                "Return it at https://example.org/returns within 21 days.",
                "https://example.org/returns",
            ),
        ];
        for (text, expected) in flagged {
            let why = why(text).unwrap_or_else(|| panic!("not flagged: {text}"));
            assert!(why.contains(expected), "{text}: {why}");
        }
    }

    #[test]
    fn the_question_is_common_ground() {
        let text = "You may return the Lumo 40 within 21 days of receiving the goods.";
        let mut reply = answer(text);
        reply.citations = vec![citation("returns.pdf", 0, PASSAGE)];
        reply.sentences = vec![Sentence {
            text: text.to_owned(),
            citations: vec![0],
        }];
        assert_eq!(unsupported(&case("May I return my Lumo 40?"), &reply), []);
        assert_eq!(unsupported(&case("May I return it?"), &reply).len(), 1);
    }

    #[test]
    fn text_beside_the_sentences_and_citations_out_of_range_are_flagged() {
        let mut reply = answer("It is 21 days. And it is free for ever.");
        reply.citations = vec![citation("returns.pdf", 0, "It is 21 days.")];
        reply.sentences = vec![Sentence {
            text: "It is 21 days.".into(),
            citations: vec![0],
        }];
        let found = unsupported(&case("How long?"), &reply);
        assert_eq!(found.len(), 1);
        assert!(found[0].text.contains("free for ever"));
        reply.sentences[0].citations = vec![7];
        assert!(
            unsupported(&case("How long?"), &reply)[0]
                .why
                .contains("does not exist")
        );
    }

    #[test]
    fn a_row_may_become_a_sentence_and_a_colon_may_introduce_it() {
        let mut reply = answer(
            "Here is what our documents say about this matter today:\nDisplay: E4, What to do: Wait; do not plug in.",
        );
        reply.citations = vec![citation(
            "guide.docx",
            0,
            "Display: E4 | What to do: Wait; do not plug in",
        )];
        let (head, row) = reply.text.split_once('\n').unwrap();
        reply.sentences = vec![
            Sentence {
                text: head.to_owned(),
                citations: vec![],
            },
            Sentence {
                text: row.to_owned(),
                citations: vec![0],
            },
        ];
        assert_eq!(unsupported(&case("it shows E4"), &reply), []);
        reply.sentences[0].text =
            "It is always perfectly safe to keep using the electric cooker then:".into();
        reply.sentences[0].text.pop();
        assert_eq!(
            unsupported(&case("it shows E4"), &reply)
                .first()
                .map(|u| u.why.as_str()),
            Some("cites nothing")
        );
    }

    proptest! {
        /// Whatever stands in the passage word for word is supported.
        #[test]
        fn a_verbatim_sentence_is_never_flagged(words in proptest::collection::vec("[A-Za-z0-9]{1,9}", 1..15)) {
            let text = words.join(" ");
            let mut reply = answer(&text);
            reply.citations = vec![citation("a.txt", 0, &format!("Before. {text}. After."))];
            reply.sentences = vec![Sentence { text, citations: vec![0] }];
            prop_assert_eq!(unsupported(&case("q"), &reply), vec![]);
        }
    }
}
