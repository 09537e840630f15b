//! Reply: the answer's record, from a phrase of the bot or from grounded sentences.

use std::time::Instant;

use plumbline_models::ComposedSentence;
use plumbline_models::reading::sentence_spans;
use plumbline_retrieval::Hit;
use plumbline_store::Settings;
use uuid::Uuid;

use crate::answer::{Answer, Citation, Outcome, Reason, Route, Sentence, Timings, Usage};
use crate::answerer::milliseconds;
use crate::calibration::Features;
use crate::compose::joined;
use crate::decide::{Verdict, decide, details, is_foreign, kind_present};
use crate::evidence::Evidence;
use crate::ground::Grounded;
use crate::language;
use crate::phrases::{self, Phrase};
use crate::route::Routed;

/// What is known of an answer before its text is.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) language: String,
    pub(crate) query: String,
    pub(crate) hits: Vec<Hit>,
    pub(crate) timings: Timings,
    pub(crate) usage: Usage,
    pub(crate) lexical_coverage: f32,
    features: Option<Features>,
    settings_version: i64,
}

impl Draft {
    pub(crate) fn new(settings_version: i64, language: String, query: String) -> Self {
        Self {
            language,
            query,
            hits: Vec::new(),
            timings: Timings::default(),
            usage: Usage::default(),
            lexical_coverage: 0.0,
            features: None,
            settings_version,
        }
    }

    /// The answer that consists of a phrase.
    pub(crate) fn say(self, routed: Routed, settings: &Settings, clock: Instant) -> Answer {
        let outcome = match routed.route {
            Route::Smalltalk => Outcome::Answered,
            Route::Handoff => Outcome::HandedOff,
            Route::Commodity | Route::Reasoning | Route::OutOfScope => Outcome::Abstained,
        };
        let confidence = if outcome == Outcome::Answered { 1.0 } else { 0.0 };
        let phrase = routed.phrase.unwrap_or(Phrase::NoEvidence);
        let mut answer = self.said(routed, outcome, phrase, confidence, settings);
        answer.timings.total_ms = milliseconds(clock);
        answer
    }

    fn said(
        self,
        routed: Routed,
        outcome: Outcome,
        phrase: Phrase,
        confidence: f32,
        settings: &Settings,
    ) -> Answer {
        let language = phrases::served(&self.language, &settings.answer.default_language).to_owned();
        let text = phrases::text(phrase, &language, &settings.answer.business_name);
        let sentences = sentence_spans(&text)
            .into_iter()
            .map(|span| Sentence {
                text: text[span].to_owned(),
                citations: Vec::new(),
            })
            .collect();
        let draft = Self { language, ..self };
        draft.finish(routed, outcome, text, sentences, Vec::new(), confidence)
    }

    fn finish(
        self,
        routed: Routed,
        outcome: Outcome,
        text: String,
        sentences: Vec<Sentence>,
        citations: Vec<Citation>,
        confidence: f32,
    ) -> Answer {
        Answer {
            id: Uuid::now_v7(),
            outcome,
            route: routed.route,
            reason: routed.reason,
            text,
            sentences,
            citations,
            confidence,
            features: self.features,
            query: self.query,
            hits: self.hits,
            language: self.language,
            timings: self.timings,
            usage: self.usage,
            settings_version: self.settings_version,
        }
    }
}

/// Best cosine of a hit that the vector leg found.
pub(crate) fn best_cosine(hits: &[Hit]) -> Option<f32> {
    hits.iter()
        .filter_map(|hit| hit.vector.map(|leg| leg.score))
        .max_by(f32::total_cmp)
}

/// By how much the best fused score exceeds the second.
fn margin(hits: &[Hit]) -> f32 {
    match hits {
        [best, second, ..] => best.score - second.score,
        _ => 0.0,
    }
}

/// The answer that grounded sentences make, or an honest refusal.
pub(crate) fn from_grounded(
    mut draft: Draft,
    routed: Routed,
    grounded: &Grounded,
    evidence: &Evidence,
    settings: &Settings,
) -> Answer {
    if grounded.sentences.is_empty() {
        let reason = if grounded.vetoed.is_empty() {
            Reason::NoEvidence
        } else {
            Reason::Vetoed
        };
        return abstain(draft, routed, reason, 0.0, settings);
    }
    let features = features(&draft, routed, &grounded.sentences, evidence, settings);
    draft.features = Some(features);
    let verdict = decide(&features, settings.answer.min_confidence);
    tracing::debug!(?features, ?verdict, "decided");
    match verdict {
        Verdict {
            confidence,
            reason: Some(_),
        } if is_foreign(&features) => {
            let routed = Routed {
                route: Route::OutOfScope,
                reason: Some(Reason::OutOfScope),
                phrase: None,
            };
            draft.said(
                routed,
                Outcome::Abstained,
                Phrase::OutOfScope,
                confidence,
                settings,
            )
        }
        Verdict {
            confidence,
            reason: Some(reason),
        } => abstain(draft, routed, reason, confidence, settings),
        Verdict {
            confidence,
            reason: None,
        } => answered(draft, routed, &grounded.sentences, evidence, confidence, settings),
    }
}

fn abstain(draft: Draft, routed: Routed, reason: Reason, confidence: f32, settings: &Settings) -> Answer {
    let phrase = if reason == Reason::MissingDetail {
        Phrase::MissingDetail
    } else {
        Phrase::NoEvidence
    };
    let routed = Routed {
        reason: Some(reason),
        ..routed
    };
    draft.said(routed, Outcome::Abstained, phrase, confidence, settings)
}

fn answered(
    draft: Draft,
    routed: Routed,
    composed: &[ComposedSentence],
    evidence: &Evidence,
    confidence: f32,
    settings: &Settings,
) -> Answer {
    let mut citations: Vec<Citation> = Vec::new();
    let mut sentences: Vec<Sentence> = Vec::new();
    for sentence in composed {
        let mut indexes = Vec::new();
        for citation in sentence
            .sources
            .iter()
            .filter_map(|source| evidence.citation(&draft.hits, *source))
        {
            let same = |other: &Citation| {
                (other.chunk_id, other.start, other.end) == (citation.chunk_id, citation.start, citation.end)
            };
            let index = citations.iter().position(same).unwrap_or(citations.len());
            if index == citations.len() {
                citations.push(citation);
            }
            indexes.push(index);
        }
        sentences.push(Sentence {
            text: sentence.text.clone(),
            citations: indexes,
        });
    }
    let body = joined(composed.iter().map(|sentence| sentence.text.as_str()));
    let foreign = language::of_text(&body).is_some_and(|language| language != draft.language);
    if foreign {
        // A quotation in another language is announced in the customer's.
        let served = phrases::served(&draft.language, &settings.answer.default_language).to_owned();
        let bridge = phrases::text(Phrase::Bridge, &served, &settings.answer.business_name);
        sentences.insert(
            0,
            Sentence {
                text: bridge,
                citations: Vec::new(),
            },
        );
    }
    let text = joined(sentences.iter().map(|sentence| sentence.text.as_str()));
    draft.finish(routed, Outcome::Answered, text, sentences, citations, confidence)
}

fn features(
    draft: &Draft,
    routed: Routed,
    sentences: &[ComposedSentence],
    evidence: &Evidence,
    settings: &Settings,
) -> Features {
    let business = settings.answer.business_name.as_str();
    let quoted = quoted_text(sentences, evidence, business);
    let all: Vec<&str> = evidence
        .passages
        .iter()
        .flat_map(|passage| passage.heading_path.iter().chain([&passage.title, &passage.text]))
        .map(String::as_str)
        .chain([business])
        .collect();
    let details = details(&draft.query, &quoted, &all.join("\n"));
    let cited_rank = sentences
        .iter()
        .flat_map(|sentence| &sentence.sources)
        .filter_map(|source| evidence.hit(*source))
        .min()
        .unwrap_or_default();
    let reply = joined(sentences.iter().map(|sentence| sentence.text.as_str()));
    Features {
        fused: draft.hits.first().map_or(0.0, |hit| hit.score),
        cosine: best_cosine(&draft.hits).unwrap_or_default(),
        margin: margin(&draft.hits),
        content_words: details.content_words,
        cited_rank,
        cited_vector_rank: draft
            .hits
            .get(cited_rank)
            .and_then(|hit| hit.vector)
            .map_or(0, |leg| leg.rank as usize),
        lexical: draft.lexical_coverage,
        foreign: draft.language != "en",
        reasoning: routed.route == Route::Reasoning,
        relevance: sentences
            .iter()
            .map(|sentence| sentence.relevance)
            .fold(0.0, f32::max),
        kind_present: kind_present(&draft.query, &reply),
        unknown: details.unknown,
        unquoted: details.unquoted,
        uncommon_missing: details.uncommon_missing,
        uncommon_missed: details.uncommon_missed,
    }
}

/// What the reply rests on, for the question's details: a quoted table row alone (its neighbours are other things), but
/// the whole passage around a quoted sentence; with titles and headings.
fn quoted_text(sentences: &[ComposedSentence], evidence: &Evidence, business: &str) -> String {
    let mut parts = vec![business];
    for source in sentences.iter().flat_map(|sentence| &sentence.sources) {
        let Some(passage) = evidence.passages.get(source.passage) else {
            continue;
        };
        let quote = passage.text.get(source.start..source.end).unwrap_or_default();
        parts.push(if quote.contains(" | ") {
            quote
        } else {
            &passage.text
        });
        parts.push(&passage.title);
        parts.extend(passage.heading_path.iter().map(String::as_str));
    }
    parts.join("\n")
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
