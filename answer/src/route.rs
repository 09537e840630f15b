//! Route: what treatment a message asks for.
//!
//! Rules first, because the cases that matter most (a person is wanted, somebody may be hurt) must not depend on a
//! similarity; then the embedding of the question against example utterances, with the evidence as a witness: a
//! question whose passages are close is this business's concern whatever it looks like.

mod examples;
mod rules;

pub use examples::{RouteExamples, Similarities};
pub use rules::{Ruled, by_rules};

use crate::answer::{Reason, Route};
use crate::phrases::Phrase;

/// How a message will be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Routed {
    /// The route.
    pub route: Route,
    /// Why, for routes that end in a hand-over or a refusal.
    pub reason: Option<Reason>,
    /// What the bot says itself, for routes that are not answered from documents.
    pub phrase: Option<Phrase>,
}

impl Routed {
    const fn ordinary(route: Route) -> Self {
        Self {
            route,
            reason: None,
            phrase: None,
        }
    }

    const fn out_of_scope() -> Self {
        Self {
            route: Route::OutOfScope,
            reason: Some(Reason::OutOfScope),
            phrase: Some(Phrase::OutOfScope),
        }
    }
}

/// What the search says about the question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Witness {
    /// Best cosine of a passage; `None` when the vector leg found nothing.
    pub cosine: Option<f32>,
    /// Share of the question's idf mass that the best hit could match.
    pub lexical_coverage: f32,
}

/// Thresholds of the embedding route, from the settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Least similarity to a route's examples before it overrules the default.
    pub min_similarity: f32,
    /// Best passage cosine under which a question counts as out of scope.
    pub out_of_scope_below: f32,
}

/// By how much a route must lead before it takes a question away from the documents.
const LEAD: f32 = 0.08;

/// Cosine from which a passage speaks for the question being this business's concern.
const CLOSE_PASSAGE: f32 = 0.55;

/// The route of a question that no rule decided.
pub fn by_similarity(
    question: &str,
    similar: &Similarities,
    witness: Witness,
    thresholds: Thresholds,
) -> Routed {
    let cosine = witness.cosine.unwrap_or_default();
    let near = cosine >= CLOSE_PASSAGE || (cosine >= CLOSE_PASSAGE - 0.15 && witness.lexical_coverage >= 0.6);
    let about_documents = similar.of(Route::Commodity).max(similar.of(Route::Reasoning));
    let leads = |route: Route| {
        let similarity = similar.of(route);
        similarity >= thresholds.min_similarity && similarity >= about_documents + LEAD
    };
    if leads(Route::Handoff) && !near {
        return Routed {
            route: Route::Handoff,
            reason: Some(Reason::NeedsPerson),
            phrase: Some(Phrase::NeedsPerson),
        };
    }
    if leads(Route::Smalltalk) && !near {
        return Routed {
            phrase: Some(Phrase::Greeting),
            ..Routed::ordinary(Route::Smalltalk)
        };
    }
    if cosine < CLOSE_PASSAGE - 0.1
        && rules::is_remark(question)
        && similar.of(Route::Smalltalk) >= about_documents
        && similar.of(Route::Smalltalk) > similar.of(Route::OutOfScope)
    {
        return Routed {
            phrase: Some(Phrase::Acknowledgement),
            ..Routed::ordinary(Route::Smalltalk)
        };
    }
    let far = cosine < thresholds.out_of_scope_below && witness.lexical_coverage < 0.6;
    let foreign = similar.of(Route::OutOfScope) > about_documents
        && cosine < CLOSE_PASSAGE - 0.15
        && witness.lexical_coverage < 0.5;
    if far || foreign || (leads(Route::OutOfScope) && !near) {
        return Routed::out_of_scope();
    }
    let cues = rules::reasoning_cues(question);
    let leaning = similar.of(Route::Reasoning) - similar.of(Route::Commodity);
    let combines = cues >= 2
        || (cues == 1 && leaning > -0.02)
        || (leaning > 0.12 && similar.of(Route::Reasoning) >= thresholds.min_similarity);
    Routed::ordinary(if combines {
        Route::Reasoning
    } else {
        Route::Commodity
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLDS: Thresholds = Thresholds {
        min_similarity: 0.55,
        out_of_scope_below: 0.2,
    };

    fn similar(pairs: &[(Route, f32)]) -> Similarities {
        pairs.iter().copied().collect()
    }

    fn routed(question: &str, pairs: &[(Route, f32)], cosine: f32, coverage: f32) -> Route {
        let witness = Witness {
            cosine: Some(cosine),
            lexical_coverage: coverage,
        };
        by_similarity(question, &similar(pairs), witness, THRESHOLDS).route
    }

    #[test]
    fn far_evidence_is_out_of_scope_and_close_evidence_never_is() {
        assert_eq!(
            routed("who won the cup", &[(Route::Commodity, 0.3)], 0.1, 0.2),
            Route::OutOfScope
        );
        assert_eq!(
            routed(
                "tell me a joke",
                &[(Route::OutOfScope, 0.9), (Route::Commodity, 0.3)],
                0.3,
                0.2
            ),
            Route::OutOfScope
        );
        assert_eq!(
            routed(
                "is it rainy season proof",
                &[(Route::OutOfScope, 0.7), (Route::Commodity, 0.3)],
                0.7,
                0.8
            ),
            Route::Commodity
        );
    }

    #[test]
    fn cues_and_similarity_decide_between_reasoning_and_commodity() {
        let even = [(Route::Commodity, 0.5), (Route::Reasoning, 0.5)];
        assert_eq!(
            routed("Which is cheaper, A or B?", &even, 0.6, 0.6),
            Route::Reasoning
        );
        assert_eq!(routed("What does A cost?", &even, 0.6, 0.6), Route::Commodity);
        assert_eq!(
            routed(
                "odd words",
                &[(Route::Commodity, 0.4), (Route::Reasoning, 0.7)],
                0.6,
                0.6
            ),
            Route::Reasoning
        );
    }

    #[test]
    fn a_clear_lead_is_needed_to_hand_over() {
        assert_eq!(
            routed("x", &[(Route::Handoff, 0.8), (Route::Commodity, 0.5)], 0.3, 0.3),
            Route::Handoff
        );
        assert_eq!(
            routed("x", &[(Route::Handoff, 0.6), (Route::Commodity, 0.58)], 0.3, 0.3),
            Route::Commodity
        );
    }
}
