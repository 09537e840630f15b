//! Words to terms: one analysis for indexing and asking.
//!
//! Words are lower-cased, freed of accents and stemmed in the language of the text. A code keeps its exact form: `TS-200`
//! becomes the terms `ts`, `200` and `ts200`, so that it is found as it is written and as customers type it. Chinese,
//! Japanese and Korean are cut into pairs of characters (bigrams), the usual way to find words where nothing marks their ends.

use plumbline_models::reading::told_language;
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, Stemmer, StopWordFilter, TextAnalyzer, WhitespaceTokenizer,
};
use unicode_normalization::UnicodeNormalization;
use whatlang::Lang;

/// A language with an analysis of its own, ISO 639-1; anything else is analysed without stemming.
pub(crate) fn language(code: &str) -> Option<Language> {
    Some(match code {
        "ar" => Language::Arabic,
        "da" => Language::Danish,
        "de" => Language::German,
        "el" => Language::Greek,
        "en" => Language::English,
        "es" => Language::Spanish,
        "fi" => Language::Finnish,
        "fr" => Language::French,
        "hu" => Language::Hungarian,
        "it" => Language::Italian,
        "nl" => Language::Dutch,
        "no" => Language::Norwegian,
        "pt" => Language::Portuguese,
        "ro" => Language::Romanian,
        "ru" => Language::Russian,
        "sv" => Language::Swedish,
        "ta" => Language::Tamil,
        "tr" => Language::Turkish,
        _ => return None,
    })
}

/// Which of `candidates` (ISO 639-1) a question is written in; the first when nothing speaks for another. Function words
/// decide where they can: questions are shorter than what a statistical detector needs.
pub(crate) fn detect(question: &str, candidates: &[String]) -> Option<String> {
    if let Some(told) = told_language(question).filter(|code| candidates.iter().any(|other| other == code)) {
        return Some(told.to_owned());
    }
    let allowed: Vec<Lang> = candidates.iter().filter_map(|code| to_whatlang(code)).collect();
    if allowed.len() < 2 {
        return candidates.first().cloned();
    }
    let detected = whatlang::Detector::with_allowlist(allowed.clone()).detect_lang(question)?;
    candidates
        .iter()
        .find(|code| to_whatlang(code) == Some(detected))
        .cloned()
}

fn to_whatlang(code: &str) -> Option<Lang> {
    Some(match code {
        "ar" => Lang::Ara,
        "da" => Lang::Dan,
        "de" => Lang::Deu,
        "el" => Lang::Ell,
        "en" => Lang::Eng,
        "es" => Lang::Spa,
        "fi" => Lang::Fin,
        "fr" => Lang::Fra,
        "hu" => Lang::Hun,
        "it" => Lang::Ita,
        "nl" => Lang::Nld,
        "no" => Lang::Nob,
        "pt" => Lang::Por,
        "ro" => Lang::Ron,
        "ru" => Lang::Rus,
        "sv" => Lang::Swe,
        "ja" => Lang::Jpn,
        "ko" => Lang::Kor,
        "ta" => Lang::Tam,
        "tr" => Lang::Tur,
        "zh" => Lang::Cmn,
        _ => return None,
    })
}

/// The analysis of one language.
pub(crate) struct Analyzer {
    text: TextAnalyzer,
}

impl Analyzer {
    /// The analysis of `code` (ISO 639-1), with or without removing its stop words.
    pub(crate) fn new(code: Option<&str>, stop_words: bool) -> Self {
        let known = code.and_then(language);
        let lower = TextAnalyzer::builder(WhitespaceTokenizer::default())
            .filter(LowerCaser)
            .dynamic();
        let stopped = match known.filter(|_| stop_words).and_then(StopWordFilter::new) {
            Some(filter) => lower.filter_dynamic(filter),
            None => lower,
        };
        let folded = stopped.filter_dynamic(AsciiFoldingFilter);
        let text = match known {
            Some(language) => folded.filter_dynamic(Stemmer::new(language)).build(),
            None => folded.build(),
        };
        Self { text }
    }

    /// The terms of a text, in order.
    pub(crate) fn terms(&mut self, text: &str) -> Vec<String> {
        let words = split(text).join(" ");
        let mut stream = self.text.token_stream(&words);
        let mut terms = Vec::new();
        while let Some(token) = stream.next() {
            if token.text.len() <= MAX_TERM_BYTES {
                terms.push(token.text.clone());
            }
        }
        terms
    }
}

/// Longer "words" are noise (base64, rules of dashes) and would only bloat the dictionary.
const MAX_TERM_BYTES: usize = 60;

/// Splits into words. A word with a digit that is joined by `-`, `/`, `.` or `_` to others is also kept whole without
/// the joints.
pub(crate) fn split(text: &str) -> Vec<String> {
    let text: String = text.nfkc().collect();
    let mut words = Vec::new();
    for run in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '/' | '.' | '_' | '\''))) {
        let parts: Vec<&str> = run
            .split(|c: char| !c.is_alphanumeric())
            .filter(|part| !part.is_empty())
            .collect();
        if parts.len() > 1 && parts.len() < 6 && run.chars().any(|c| c.is_ascii_digit()) {
            words.push(parts.concat());
        }
        for part in parts {
            push_words(part, &mut words);
        }
    }
    words
}

/// A run of letters and digits as words: what is Chinese, Japanese or Korean in it as bigrams, the rest as it is.
fn push_words(run: &str, words: &mut Vec<String>) {
    let characters: Vec<char> = run.chars().collect();
    for piece in characters.chunk_by(|a, b| is_cjk(*a) == is_cjk(*b)) {
        match piece {
            [first, _, ..] if is_cjk(*first) => {
                words.extend(piece.windows(2).map(|pair| pair.iter().collect::<String>()));
            }
            _ => words.push(piece.iter().collect()),
        }
    }
}

/// Whether a character belongs to a script whose words are not separated, or are glued to their particles: Han, kana,
/// Hangul (Unicode blocks).
fn is_cjk(c: char) -> bool {
    matches!(u32::from(c),
        0x3040..=0x30FF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0x2_0000..=0x3_134F)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_found_as_written_and_as_typed() {
        let mut english = Analyzer::new(Some("en"), true);
        let indexed = english.terms("The TS-200 costs GHS 1.250");
        for typed in ["ts200", "TS 200", "ts-200"] {
            assert!(
                english.terms(typed).iter().all(|term| indexed.contains(term)),
                "{typed}: {indexed:?}"
            );
        }
    }

    #[test]
    fn what_has_no_spaces_is_found_by_pairs_of_characters() {
        let mut chinese = Analyzer::new(Some("zh"), true);
        let indexed = chinese.terms("送货到阿克拉的费用是40塞地，iPhone手机除外。");
        for asked in ["阿克拉 送货", "手机", "iphone", "40"] {
            let terms = chinese.terms(asked);
            assert!(
                !terms.is_empty() && terms.iter().all(|term| indexed.contains(term)),
                "{asked}: {terms:?}"
            );
        }
        assert!(
            !indexed.contains(&"货费".to_owned()),
            "these two do not stand together"
        );
        assert_eq!(
            Analyzer::new(Some("ja"), true).terms("配送料 は"),
            ["配送", "送料", "は"]
        );
        assert_eq!(
            Analyzer::new(Some("ko"), true).terms("배송비는"),
            ["배송", "송비", "비는"]
        );
    }

    #[test]
    fn accents_and_endings_do_not_matter() {
        for (code, a, b) in [
            ("es", "devoluciones", "devolución"),
            ("pt", "garantias", "garantía"),
            ("fr", "livraisons", "livraison"),
            ("en", "batteries", "battery"),
        ] {
            let mut analyzer = Analyzer::new(Some(code), true);
            assert_eq!(analyzer.terms(a), analyzer.terms(b), "{code}");
        }
    }

    #[test]
    fn stop_words_go_only_where_asked() {
        assert_eq!(
            Analyzer::new(Some("en"), true).terms("where is the shop"),
            ["where", "shop"]
        );
        assert_eq!(
            Analyzer::new(Some("fr"), true)
                .terms("où est la boutique")
                .last()
                .unwrap(),
            "boutiqu"
        );
        assert!(
            Analyzer::new(Some("en"), false)
                .terms("the")
                .contains(&"the".to_owned())
        );
    }

    #[test]
    fn the_language_is_chosen_among_those_of_the_documents() {
        let known: Vec<String> = ["en", "fr", "pt", "es"].map(Into::into).into();
        assert_eq!(
            detect("combien coûte la livraison à Bouaké ?", &known).unwrap(),
            "fr"
        );
        assert_eq!(
            detect("quanto custa a entrega para Beira?", &known).unwrap(),
            "pt"
        );
        assert_eq!(detect("anything", &["es".to_owned()]).unwrap(), "es");
    }

    proptest! {
        #[test]
        fn any_text_can_be_analysed(text in "\\PC{0,200}") {
            for term in Analyzer::new(Some("en"), true).terms(&text) {
                prop_assert!(!term.is_empty() && term.len() <= MAX_TERM_BYTES);
            }
        }
    }
}
