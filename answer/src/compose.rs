//! Compose: the request that a model gets.
//!
//! The customer's text travels as data in its own field, beside the passages; no instruction is ever built from it, so
//! "ignore your rules" is a string to be searched for like any other.

use plumbline_models::{ComposeRequest, ComposedSentence};
use plumbline_store::AnswerSettings;

use crate::evidence::Evidence;
use crate::message::plain;

/// The request for `question` in `language` with the evidence found.
pub fn request(
    question: &str,
    language: &str,
    evidence: &Evidence,
    settings: &AnswerSettings,
) -> ComposeRequest {
    ComposeRequest {
        question: question.to_owned(),
        language: language.to_owned(),
        passages: evidence.passages.clone(),
        max_sentences: settings.max_sentences,
        max_chars: settings.max_chars,
    }
}

/// What a model wrote, as plain WhatsApp text and within the limits. Sentences are left out whole, never cut.
pub fn tidy(sentences: Vec<ComposedSentence>, settings: &AnswerSettings) -> Vec<ComposedSentence> {
    let mut length = 0;
    sentences
        .into_iter()
        .map(|sentence| ComposedSentence {
            text: plain(&sentence.text),
            ..sentence
        })
        .filter(|sentence| !sentence.text.is_empty())
        .take(settings.max_sentences.max(1))
        .take_while(|sentence| {
            length += sentence.text.chars().count() + 1;
            length <= settings.max_chars + 1
        })
        .collect()
}

/// The sentences as one text: side by side, but a row or a list on lines of its own.
pub fn joined<'a>(sentences: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for sentence in sentences {
        if !text.is_empty() {
            let own_line = sentence.contains('\n')
                || sentence.contains(": ")
                || text.ends_with(':')
                || text.contains('\n');
            text.push(if own_line { '\n' } else { ' ' });
        }
        text.push_str(sentence);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(text: &str) -> ComposedSentence {
        ComposedSentence {
            text: text.to_owned(),
            sources: vec![],
            relevance: 0.5,
        }
    }

    #[test]
    fn limits_hold_and_markdown_goes() {
        let settings = AnswerSettings {
            max_sentences: 2,
            max_chars: 30,
            ..AnswerSettings::default()
        };
        let kept = tidy(
            vec![
                sentence("**Yes**, we do."),
                sentence(""),
                sentence("It is free."),
                sentence("More."),
            ],
            &settings,
        );
        assert_eq!(
            kept.iter().map(|s| s.text.as_str()).collect::<Vec<_>>(),
            ["*Yes*, we do.", "It is free."]
        );
        let long = tidy(vec![sentence("Short."), sentence(&"word ".repeat(20))], &settings);
        assert_eq!(long.len(), 1);
    }

    #[test]
    fn rows_and_lists_stand_on_lines_of_their_own() {
        assert_eq!(joined(["One.", "Two."]), "One. Two.");
        assert_eq!(
            joined(["Town: Ho, Price: 3.", "Town: Wa, Price: 4."]),
            "Town: Ho, Price: 3.\nTown: Wa, Price: 4."
        );
    }
}
