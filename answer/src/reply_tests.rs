use std::sync::Arc;

use plumbline_models::{ChatModel, Extractive, HashEmbedder, ScriptedChat};
use plumbline_retrieval::LegScore;

use super::*;
use crate::{compose, ground};

fn hit(text: &str, title: &str, score: f32) -> Hit {
    Hit {
        chunk_id: Uuid::now_v7(),
        document_id: Uuid::nil(),
        version_id: Uuid::nil(),
        document_key: "tariff.csv".to_owned(),
        document_title: title.to_owned(),
        version_number: 1,
        start: 1_000,
        end: 1_000 + text.len(),
        page: None,
        row: None,
        heading_path: vec![],
        text: text.to_owned(),
        score,
        parts: plumbline_retrieval::ScoreParts::default(),
        lexical: None,
        vector: Some(LegScore { rank: 1, score }),
        duplicate_of: None,
    }
}

/// Everything behind the search, with a deterministic embedder.
async fn answer_with(model: &dyn ChatModel, question: &str, language: &str, hits: Vec<Hit>) -> Answer {
    let settings = Settings::default();
    let mut draft = Draft::new(1, language.to_owned(), question.to_owned());
    draft.hits = hits;
    let evidence = Evidence::from_hits(&draft.hits);
    let request = compose::request(question, language, &evidence, &settings.answer);
    let sentences = compose::tidy(model.compose(&request).await.unwrap().sentences, &settings.answer);
    let grounded = ground::ground(sentences, &evidence.passages, question);
    let routed = Routed {
        route: Route::Commodity,
        reason: None,
        phrase: None,
    };
    let answer = from_grounded(draft, routed, &grounded, &evidence, &settings);
    for sentence in &answer.sentences {
        assert!(
            sentence
                .citations
                .iter()
                .all(|index| *index < answer.citations.len())
        );
    }
    for citation in &answer.citations {
        let source = answer
            .hits
            .iter()
            .find(|hit| hit.chunk_id == citation.chunk_id)
            .unwrap();
        assert_eq!(
            &source.text[citation.start - source.start..citation.end - source.start],
            citation.quote
        );
    }
    answer
}

fn extractive() -> Extractive {
    Extractive::new(Arc::new(HashEmbedder::new(256)))
}

const TARIFF: &str = "Town: Tema | Days: 1 | Price GHS: 20\nTown: Takoradi | Days: 3 | Price GHS: 50";

#[tokio::test]
async fn a_row_is_quoted_with_its_exact_range() {
    let answer = answer_with(
        &extractive(),
        "How much is delivery to Takoradi?",
        "en",
        vec![hit(TARIFF, "Delivery tariff", 0.7)],
    )
    .await;
    assert_eq!(answer.outcome, Outcome::Answered, "{answer:?}");
    assert_eq!(answer.text, "Town: Takoradi, Days: 3, Price GHS: 50.");
    assert_eq!(answer.citations.len(), 1);
    assert_eq!(
        answer.citations[0].quote,
        "Town: Takoradi | Days: 3 | Price GHS: 50"
    );
    assert_eq!(answer.sentences[0].citations, [0]);
}

#[tokio::test]
async fn a_town_that_no_evidence_names_is_a_missing_detail() {
    let answer = answer_with(
        &extractive(),
        "How much is delivery to Keta?",
        "en",
        vec![hit(TARIFF, "Delivery tariff", 0.7)],
    )
    .await;
    assert_eq!(
        (answer.outcome, answer.reason),
        (Outcome::Abstained, Some(Reason::MissingDetail))
    );
    assert!(phrases::offers_person(&answer.text));
    assert!(answer.citations.is_empty());
    assert!(answer.confidence < 0.5);
}

#[tokio::test]
async fn an_invented_price_is_vetoed() {
    let model = ScriptedChat::new(["Delivery to Takoradi costs GHS 99."]);
    let answer = answer_with(
        &model,
        "How much is delivery to Takoradi?",
        "fr",
        vec![hit(TARIFF, "Delivery tariff", 0.7)],
    )
    .await;
    assert_eq!(
        (answer.outcome, answer.reason),
        (Outcome::Abstained, Some(Reason::Vetoed))
    );
    assert_eq!(answer.language, "fr");
}

#[tokio::test]
async fn nothing_found_is_no_evidence() {
    let answer = answer_with(&extractive(), "Do you sell boats?", "es", vec![]).await;
    assert_eq!(
        (answer.outcome, answer.reason),
        (Outcome::Abstained, Some(Reason::NoEvidence))
    );
    assert_eq!(answer.text, phrases::text(Phrase::NoEvidence, "es", ""));
}

#[tokio::test]
async fn a_quotation_in_another_language_is_announced() {
    let model = ScriptedChat::new(["The delivery to the town takes 3 days."]);
    let hits = vec![hit("The delivery to the town takes 3 days.", "Delivery", 0.8)];
    let answer = answer_with(&model, "Combien de temps prend la livraison ?", "fr", hits).await;
    assert_eq!(answer.outcome, Outcome::Answered);
    assert!(
        answer.text.starts_with("Voici ce que disent nos documents"),
        "{}",
        answer.text
    );
    assert!(answer.sentences[0].citations.is_empty());
    assert_eq!(answer.sentences[1].citations, [0]);
}

#[test]
fn phrases_become_answers_without_citations() {
    let settings = Settings::default();
    let routed = Routed {
        route: Route::Handoff,
        reason: Some(Reason::AskedForPerson),
        phrase: Some(Phrase::AskedForPerson),
    };
    let answer = Draft::new(3, "de".to_owned(), "q".to_owned()).say(routed, &settings, Instant::now());
    assert_eq!(
        (answer.outcome, answer.language.as_str(), answer.settings_version),
        (Outcome::HandedOff, "en", 3)
    );
    assert!(answer.sentences.len() > 1 && answer.sentences.iter().all(|s| s.citations.is_empty()));
}
