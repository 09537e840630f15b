//! The order of what is found, and the trace that says how it came about.

use std::sync::Arc;

use async_trait::async_trait;
use plumbline_models::{ModelError, Reranker};
use plumbline_retrieval::{Hit, SearchOptions, Searcher};
use plumbline_store::{Filter, RerankBy, RetrievalSettings, Scope};
use uuid::Uuid;

use super::{World, owned};

fn options(k: usize, settings: RetrievalSettings) -> SearchOptions {
    SearchOptions {
        k,
        settings,
        scope: Scope::default(),
        filter: Filter::default(),
        trace: true,
    }
}

fn keys(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.document_key.as_str()).collect()
}

#[tokio::test]
async fn a_repetition_comes_behind_what_says_something_else_and_fills_a_shortage() {
    let world = World::new().await;
    let shop = world.tenant;
    let terms = "Opened goods are taken back within 10 days at 85 percent of the price";
    for (key, text) in [
        ("a", terms.to_owned()),
        ("b", format!("{terms}.")),
        ("c", terms.replace("10", "14")),
        ("d", "Batteries of opened lamps".to_owned()),
    ] {
        world.publish(shop, key, "en", &[text]).await;
    }
    let search = async |k| {
        let options = options(k, RetrievalSettings::default());
        let results = world
            .searcher
            .search(shop, "are opened goods taken back", &options)
            .await;
        results.unwrap()
    };
    let all = search(4).await;
    assert_eq!(keys(&all.hits).len(), 4, "never fewer than there are");
    let last = all.hits.last().unwrap();
    let original = last.duplicate_of.unwrap();
    assert_eq!(last.text.trim_end_matches('.'), terms);
    let better = all.hits.iter().find(|hit| hit.chunk_id == original).unwrap();
    assert!(better.score >= last.score && better.duplicate_of.is_none());
    let three = search(3).await;
    assert!(
        three.hits.iter().all(|hit| hit.duplicate_of.is_none()),
        "another number is another answer"
    );
    let trace = three.trace.unwrap();
    let behind = trace.candidates.iter().find(|one| one.duplicate_of.is_some());
    assert!(behind.is_some_and(|one| !one.hit));
    world.end().await;
}

#[tokio::test]
async fn titles_count_by_themselves_as_much_as_the_settings_say() {
    let world = World::new().await;
    let shop = world.tenant;
    let body = owned(&["warranty warranty of a lamp and how long it lasts at home"]);
    world.publish(shop, "lamps", "en", &body).await;
    let body = owned(&["two years from the day of the purchase, against the receipt and the card"]);
    world.publish(shop, "warranty", "en", &body).await;
    let first = async |title_boost| {
        let settings = RetrievalSettings {
            title_boost,
            vector: false,
            rerank: false,
            ..RetrievalSettings::default()
        };
        let results = world
            .searcher
            .search(shop, "warranty", &options(1, settings))
            .await
            .unwrap();
        results.hits[0].document_key.clone()
    };
    assert_eq!(first(0.0).await, "lamps");
    assert_eq!(first(3.0).await, "warranty");
    world.end().await;
}

#[tokio::test]
async fn the_words_that_questions_are_made_with_are_not_looked_for() {
    let world = World::new().await;
    let shop = world.tenant;
    world
        .publish(shop, "faq", "en", &owned(&["what how can you do where when why"]))
        .await;
    world
        .publish(shop, "kits", "en", &owned(&["solar kits are sold here"]))
        .await;
    let settings = RetrievalSettings {
        vector: false,
        ..RetrievalSettings::default()
    };
    let found = world
        .searcher
        .search(shop, "how can you do what kits", &options(5, settings.clone()))
        .await
        .unwrap();
    assert_eq!(keys(&found.hits), ["kits"]);
    let analysis = found.trace.unwrap().analysis;
    let words: Vec<&str> = analysis.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(words, ["kits"]);
    let found = world
        .searcher
        .search(shop, "how can you", &options(5, settings))
        .await
        .unwrap();
    assert_eq!(keys(&found.hits), ["faq"], "unless there is nothing else");
    world.end().await;
}

#[tokio::test]
async fn a_trace_holds_every_number_that_decided() {
    let world = World::new().await;
    let shop = world.tenant;
    let texts: Vec<String> = (0..9)
        .map(|n| format!("delivery number {n} of a fan{}", " or kit".repeat(n)))
        .collect();
    world.publish(shop, "prices", "en", &texts).await;
    let options = options(3, RetrievalSettings::default());
    let results = world
        .searcher
        .search(shop, "fan delivary 4 unseenword", &options)
        .await
        .unwrap();
    let trace = results.trace.unwrap();
    assert_eq!((trace.k, trace.candidates.len(), trace.gone), (3, 9, 0));
    assert_eq!((trace.vector.scan.as_str(), trace.vector.windows), ("exact", 9));
    assert!(trace.index_version > 0);
    let analysed = |text: &str| {
        let found = trace.analysis.words.iter().find(|word| word.text == text);
        found.unwrap_or_else(|| panic!("{text} in {:?}", trace.analysis))
    };
    assert!((analysed("fan").terms[0].weight - 1.0).abs() < f32::EPSILON);
    assert!(
        analysed("delivary").terms[0].weight < 1.0,
        "a guessed spelling counts less"
    );
    assert!(analysed("unseenword").terms.is_empty() && analysed("unseenword").idf > 0.0);
    for (place, candidate) in trace.candidates.iter().enumerate() {
        assert_eq!(candidate.hit, place < 3);
        let (w, parts) = (trace.lexical_weight, candidate.parts);
        let sum = w * parts.lexical + (1.0 - w) * parts.vector + parts.rerank + parts.late;
        assert!((sum - candidate.score).abs() < 1e-5, "{candidate:?}");
    }
    let hits: Vec<Uuid> = results.hits.iter().map(|hit| hit.chunk_id).collect();
    let first: Vec<Uuid> = trace.candidates[..3].iter().map(|one| one.chunk_id).collect();
    assert_eq!(hits, first);
    let mut fused: Vec<u32> = trace.candidates.iter().map(|one| one.fused_rank).collect();
    fused.sort_unstable();
    assert_eq!(fused, (1..=9).collect::<Vec<u32>>());
    let json = serde_json::to_string(&trace).unwrap();
    let read: plumbline_retrieval::SearchTrace = serde_json::from_str(&json).unwrap();
    assert_eq!(read.candidates, trace.candidates);
    assert_eq!(read.analysis, trace.analysis);
    world.end().await;
}

/// Likes what mentions a pump.
struct Pumps;

#[async_trait]
impl Reranker for Pumps {
    fn model(&self) -> &'static str {
        "pumps"
    }

    async fn score(&self, _question: &str, passages: Vec<String>) -> Result<Vec<f32>, ModelError> {
        let score = |passage: &String| if passage.contains("pump") { 9.0 } else { -9.0 };
        Ok(passages.iter().map(score).collect())
    }
}

#[tokio::test]
async fn an_installed_model_reads_again_where_the_settings_ask_for_it() {
    let world = World::new().await;
    let shop = world.tenant;
    let texts = owned(&["a lamp costs GHS 20", "a kit costs GHS 900", "a pump lifts water"]);
    world.publish(shop, "prices", "en", &texts).await;
    let root = tempfile::tempdir().unwrap();
    let searcher = Searcher::open(world.store.clone(), world.embedder.clone(), root.path()).unwrap();
    let searcher = searcher.with_reranker(Some(Arc::new(Pumps)));
    let first = async |searcher: &Searcher, rerank_by| {
        let settings = RetrievalSettings {
            rerank_by,
            ..RetrievalSettings::default()
        };
        let options = options(3, settings);
        let results = searcher
            .search(shop, "what costs a lamp", &options)
            .await
            .unwrap();
        let by = results.trace.unwrap().rerank.unwrap();
        (results.hits[0].text.clone(), by.by, by.missed.is_some())
    };
    let features = (texts[0].clone(), "features".to_owned(), false);
    assert_eq!(first(&searcher, RerankBy::Features).await, features);
    assert_eq!(
        first(&searcher, RerankBy::Model).await,
        (texts[2].clone(), "pumps".to_owned(), false)
    );
    assert_eq!(
        first(&world.searcher, RerankBy::Model).await,
        (features.0, features.1, true),
        "none is installed here"
    );
    world.end().await;
}
