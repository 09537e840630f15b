//! Which language the customer writes: the reply, the refusal and the bridge all follow it.
//!
//! Function words decide first, because chat messages are shorter than what statistical detectors need ("e ao
//! domingo?"); a long text without them goes to the detector; a text that says nothing ("ok", "A3?") takes the language
//! of the conversation, then the caller's hint, then the default. The documents' language never decides.

use plumbline_models::reading::told_language;
use whatlang::Lang;

use crate::answer::{Message, Speaker};

/// Letters from which the statistical detector is believed when no function word is known.
const LONG_ENOUGH: usize = 24;

/// The customer's language as an ISO 639-1 code.
pub fn detect(question: &str, history: &[Message], hint: Option<&str>, default: &str) -> String {
    if let Some(language) = of_text(question) {
        return language;
    }
    let earlier = history
        .iter()
        .rev()
        .filter(|message| message.role == Speaker::Customer);
    earlier
        .into_iter()
        .find_map(|message| of_text(&message.text))
        .or_else(|| hint.and_then(two_letters))
        .or_else(|| two_letters(default))
        .unwrap_or_else(|| "en".to_owned())
}

/// The language of `text` alone, if it can be told.
pub fn of_text(text: &str) -> Option<String> {
    if let Some(code) = told_language(text) {
        return Some(code.to_owned());
    }
    let found = whatlang::detect(text)?;
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let other_script = !matches!(found.script(), whatlang::Script::Latin);
    let believable = other_script || (letters >= LONG_ENOUGH && found.is_reliable());
    believable
        .then(|| iso_639_1(found.lang()))
        .flatten()
        .map(str::to_owned)
}

/// The first two letters of a tag such as `pt-BR`.
fn two_letters(tag: &str) -> Option<String> {
    let code: String = tag
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_lowercase();
    (code.len() == 2).then_some(code)
}

fn iso_639_1(language: Lang) -> Option<&'static str> {
    Some(match language {
        Lang::Eng => "en",
        Lang::Fra => "fr",
        Lang::Por => "pt",
        Lang::Spa => "es",
        Lang::Deu => "de",
        Lang::Ita => "it",
        Lang::Nld => "nl",
        Lang::Pol => "pl",
        Lang::Tur => "tr",
        Lang::Swe => "sv",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Ara => "ar",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Ben => "bn",
        Lang::Urd => "ur",
        Lang::Cmn => "zh",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Vie => "vi",
        Lang::Ind => "id",
        Lang::Ell => "el",
        Lang::Amh => "am",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_messages_are_told_apart() {
        for (text, language) in [
            ("How much is it?", "en"),
            ("and for Sundays?", "en"),
            ("hello", "en"),
            ("Combien ça coûte ?", "fr"),
            ("et le dimanche ?", "fr"),
            ("bonjour", "fr"),
            ("e ao domingo?", "pt"),
            ("Quanto custa a entrega?", "pt"),
            ("boa tarde", "pt"),
            ("¿y los domingos?", "es"),
            ("cuanto cuesta el envio", "es"),
            ("hola buenas", "es"),
        ] {
            assert_eq!(detect(text, &[], None, "xx"), language, "{text}");
        }
    }

    #[test]
    fn other_languages_are_named_when_the_text_is_long_enough() {
        assert_eq!(
            detect(
                "Wie lange dauert die Lieferung nach München und was kostet sie?",
                &[],
                None,
                "en"
            ),
            "de"
        );
        assert_eq!(detect("متى يفتح المتجر؟", &[], None, "en"), "ar");
    }

    #[test]
    fn a_text_that_says_nothing_takes_the_conversation_then_the_hint_then_the_default() {
        let history = [
            Message {
                role: Speaker::Customer,
                text: "Bonjour, vous livrez à Ho ?".to_owned(),
            },
            Message {
                role: Speaker::Bot,
                text: "The".to_owned(),
            },
        ];
        assert_eq!(detect("A3?", &history, Some("es"), "en"), "fr");
        assert_eq!(detect("A3?", &[], Some("pt-BR"), "en"), "pt");
        assert_eq!(detect("A3?", &[], None, "es"), "es");
        assert_eq!(detect("👍", &[], Some("?"), ""), "en");
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_language(text in "\\PC{0,40}") {
            proptest::prop_assert_eq!(detect(&text, &[], None, "en").len(), 2);
        }
    }
}
