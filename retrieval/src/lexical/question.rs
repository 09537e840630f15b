//! A question as words, each with the index terms that may stand for it.
//!
//! A word is looked up in the question's language and in the other languages of the documents, because a tariff in
//! French is asked about in English too. Words of the commerce lexicon also stand for those that mean the same. A word
//! that no document holds in any of these forms is matched to the nearest spelling. Synonyms and guesses count less than
//! any exact match. Nothing a customer types is query syntax.

use std::collections::BTreeMap;

use plumbline_models::reading::{fold, is_stop_word, synonyms};
use tantivy::Searcher;
use tantivy::schema::{Field, Term};

use super::analyze::Analyzer;

/// What a guessed spelling counts, relative to an exact match.
const TYPO_WEIGHT: f32 = 0.6;
/// What a word of the same meaning counts, relative to an exact match.
const SYNONYM_WEIGHT: f32 = 0.4;
/// Shortest word whose spelling is guessed.
const TYPO_MIN_CHARS: usize = 5;
/// Length from which two edits are allowed.
const TWO_EDITS_FROM: usize = 9;
/// Spellings tried per word.
const TYPO_ALTERNATIVES: usize = 3;

/// One word of the question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Word {
    /// As typed.
    pub(crate) text: String,
    /// Terms of the index with their weights; empty when no document holds anything like it.
    pub(crate) terms: Vec<(String, f32)>,
    /// Inverse document frequency of the rarest meaning; that of an unseen term when nothing matches.
    pub(crate) idf: f32,
}

impl Word {
    /// Whether any document holds it.
    pub(crate) fn is_known(&self) -> bool {
        !self.terms.is_empty()
    }
}

/// A question ready to be scored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    /// Its words, each once.
    pub(crate) words: Vec<Word>,
}

impl Question {
    /// Reads `text`, written in `language`, against an index with documents in `languages`.
    pub(crate) fn read(
        searcher: &Searcher,
        field: Field,
        text: &str,
        language: Option<&str>,
        languages: &[String],
    ) -> tantivy::Result<Self> {
        let mut variants = word_variants(text, language, languages, true);
        if variants.is_empty() {
            // nothing but stop words ("where are you?"): then they are what is asked
            variants = word_variants(text, language, languages, false);
        }
        let mut words = Vec::with_capacity(variants.len());
        for variants in variants {
            words.push(look_up(searcher, field, &variants)?);
        }
        Ok(Self { words })
    }
}

/// One word's terms.
#[derive(Debug, Default)]
struct Variants {
    /// As typed.
    text: String,
    /// The word itself in the question's language and in the other ones.
    own: Vec<String>,
    /// Words that mean the same, in all languages.
    synonyms: Vec<String>,
}

/// The variants of each word of the text, each word once.
fn word_variants(
    text: &str,
    language: Option<&str>,
    languages: &[String],
    stop_words: bool,
) -> Vec<Variants> {
    let mut own = Analyzer::new(language, stop_words);
    let mut others: Vec<Analyzer> = languages
        .iter()
        .filter(|code| Some(code.as_str()) != language)
        .map(|code| Analyzer::new(Some(code), false))
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    let mut variants = Vec::new();
    for word in super::analyze::split(text) {
        // Beside the stop words of the analysis, the words that questions are made with: "how can I", "quiero saber".
        if stop_words && is_stop_word(&fold(&word)) {
            continue;
        }
        let Some(first) = own.terms(&word).pop() else {
            continue;
        };
        if !seen.insert(first.clone()) {
            continue;
        }
        let mut terms = vec![first];
        for other in &mut others {
            terms.extend(other.terms(&word).pop());
        }
        terms.sort();
        terms.dedup();
        let same_meaning = synonyms(&fold(&word)).join(" ");
        let mut meant = own.terms(&same_meaning);
        for other in &mut others {
            meant.extend(other.terms(&same_meaning));
        }
        meant.retain(|term| !terms.contains(term));
        meant.sort();
        meant.dedup();
        variants.push(Variants {
            text: word,
            own: terms,
            synonyms: meant,
        });
    }
    variants
}

fn look_up(searcher: &Searcher, field: Field, variants: &Variants) -> tantivy::Result<Word> {
    let documents = searcher.num_docs();
    let mut known = Vec::new();
    let mut idf = 0.0_f32;
    for term in &variants.own {
        let frequency = searcher.doc_freq(&Term::from_field_text(field, term))?;
        if frequency > 0 {
            known.push((term.clone(), 1.0));
            idf = idf.max(bm25_idf(frequency, documents));
        }
    }
    if known.is_empty() {
        idf = bm25_idf(0, documents);
    }
    for term in &variants.synonyms {
        let frequency = searcher.doc_freq(&Term::from_field_text(field, term))?;
        if frequency > 0 {
            // A rare synonym must not say more than the word that was used.
            let rarer = (idf / bm25_idf(frequency, documents)).min(1.0);
            known.push((term.clone(), SYNONYM_WEIGHT * rarer));
        }
    }
    if known.is_empty() {
        known = nearest_spellings(searcher, field, &variants.own)?;
    }
    Ok(Word {
        text: variants.text.clone(),
        terms: known,
        idf,
    })
}

/// `ln(1 + (N - n + 0.5) / (n + 0.5))`, Robertson and Spärck Jones as BM25 uses it (and tantivy).
fn bm25_idf(frequency: u64, documents: u64) -> f32 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "document counts are far below 2^24 where it would matter"
    )]
    let (n, all) = (frequency as f32, documents.max(frequency) as f32);
    (1.0 + (all - n + 0.5) / (n + 0.5)).ln()
}

/// The terms of the index within one edit (two for long words) that begin with the same character: most typing errors
/// come after it, and the dictionary is walked by a twentieth.
fn nearest_spellings(
    searcher: &Searcher,
    field: Field,
    terms: &[String],
) -> tantivy::Result<Vec<(String, f32)>> {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for term in terms {
        let length = term.chars().count();
        let is_word = term.chars().all(char::is_alphabetic);
        if length < TYPO_MIN_CHARS || !is_word {
            continue; // one edit away from a price or a code is another price or code
        }
        let allowed = if length >= TWO_EDITS_FROM { 2 } else { 1 };
        let Some(first) = term.chars().next() else {
            continue;
        };
        for segment in searcher.segment_readers() {
            let index = segment.inverted_index(field)?;
            let mut stream = index.terms().range().ge(first.to_string()).into_stream()?;
            while stream.advance() {
                let Ok(candidate) = std::str::from_utf8(stream.key()) else {
                    continue;
                };
                if !candidate.starts_with(first) {
                    break;
                }
                if candidate.chars().count().abs_diff(length) > allowed {
                    continue;
                }
                let distance = strsim::osa_distance(term, candidate);
                if distance <= allowed {
                    found
                        .entry(candidate.to_owned())
                        .and_modify(|d| *d = distance.min(*d))
                        .or_insert(distance);
                }
            }
        }
    }
    let mut nearest: Vec<(String, usize)> = found.into_iter().collect();
    nearest.sort_by(|a, b| a.1.cmp(&b.1).then(a.0.cmp(&b.0)));
    nearest.truncate(TYPO_ALTERNATIVES);
    Ok(nearest.into_iter().map(|(term, _)| (term, TYPO_WEIGHT)).collect())
}

/// The languages of the indexed documents, most common first.
pub(crate) fn languages(searcher: &Searcher, field: Field) -> tantivy::Result<Vec<String>> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(field)?;
        let mut stream = index.terms().stream()?;
        while stream.advance() {
            if let Ok(code) = std::str::from_utf8(stream.key())
                && !code.is_empty()
            {
                *counts.entry(code.to_owned()).or_default() += stream.value().doc_freq;
            }
        }
    }
    let mut languages: Vec<(String, u32)> = counts.into_iter().collect();
    languages.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    Ok(languages.into_iter().map(|(code, _)| code).collect())
}
