//! Integration tests of the search, each on a fresh database and index directory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod audit;
mod filters;
mod late;
mod order;
mod preview;

use std::sync::Arc;

use plumbline_models::{Embedder, Embedding, HashEmbedder, InContext};
use plumbline_retrieval::{LexicalState, Results, SearchOptions, Searcher};
use plumbline_store::testing::TestDatabase;
use plumbline_store::{
    BuiltVersion, Completed, Filter, NewChunk, NewExtraction, NewVector, NewVersion, NewWindow,
    RetrievalSettings, Scope, Store,
};
use uuid::Uuid;

struct World {
    store: Store,
    embedder: Arc<dyn Embedder>,
    searcher: Arc<Searcher>,
    tenant: Uuid,
    root: tempfile::TempDir,
    database: TestDatabase,
}

impl World {
    async fn new() -> Self {
        Self::telling(Arc::new(HashEmbedder::new(64))).await
    }

    async fn telling(embedder: Arc<dyn Embedder>) -> Self {
        let database = TestDatabase::create().await.unwrap();
        let store = database.store().await.unwrap();
        let root = tempfile::tempdir().unwrap();
        let searcher = Arc::new(Searcher::open(store.clone(), embedder.clone(), root.path()).unwrap());
        let mut tx = store.system().await.unwrap();
        let tenant = tx.ensure_tenant("shop", "Shop").await.unwrap().id;
        tx.commit().await.unwrap();
        Self {
            store,
            embedder,
            searcher,
            tenant,
            root,
            database,
        }
    }

    /// A new published version of `key`, one chunk per text; its document.
    async fn publish(&self, tenant: Uuid, key: &str, language: &str, texts: &[String]) -> Uuid {
        let (document, version) = self.build(tenant, key, language, texts).await;
        let mut tx = self.store.tenant(tenant).await.unwrap();
        assert!(tx.publish_if_newest(version).await.unwrap());
        tx.commit().await.unwrap();
        document
    }

    /// A new version of `key` that is ready and not published; its document and itself.
    async fn build(&self, tenant: Uuid, key: &str, language: &str, texts: &[String]) -> (Uuid, Uuid) {
        let mut tx = self.store.tenant(tenant).await.unwrap();
        let sha = plumbline_store::BlobStore::hash(texts.concat().as_bytes());
        let new = NewVersion {
            key: key.into(),
            file_name: key.into(),
            blob_sha256: sha,
            blob_bytes: 1,
        };
        let received = tx.receive_version(&new).await.unwrap();
        let space_id = tx
            .ensure_space(self.embedder.model(), self.embedder.dimension())
            .await
            .unwrap();
        let passages = texts.iter().cloned().map(InContext::from).collect();
        let embedded = self.embedder.embed_in_pieces(passages).await.unwrap();
        let mut start = 0;
        let mut chunks = Vec::new();
        let mut saved = Vec::new();
        for ((ordinal, text), embedding) in (0_u32..).zip(texts).zip(embedded) {
            let end = start + text.len();
            let hash = plumbline_store::BlobStore::hash(text.as_bytes());
            chunks.push(NewChunk {
                ordinal,
                start,
                end,
                page_from: None,
                page_to: None,
                row_from: None,
                row_to: None,
                heading_path: vec![],
                text: text.clone(),
                tokens: 5,
                hash,
                windows: vec![NewWindow {
                    start,
                    end,
                    hash,
                    in_pieces: true,
                }],
            });
            saved.push(new_vector(hash, embedding));
            start = end + 1;
        }
        let extraction = NewExtraction {
            version_id: received.version_id,
            media_type: "text/plain".into(),
            text: texts.join("\n"),
            text_sha256: sha,
            outline: "{}".into(),
            content_sha256: sha,
            language: Some(language.into()),
            warnings: serde_json::json!([]),
            pages: serde_json::json!([]),
        };
        assert!(tx.save_extraction(&extraction).await.unwrap());
        tx.save_vectors(received.version_id, space_id, &saved)
            .await
            .unwrap();
        let built = BuiltVersion {
            version_id: received.version_id,
            title: Some(key.to_owned()),
            recipe_sha256: [0; 32],
            chunks,
            space_id,
            windows_embedded: i32::try_from(texts.len()).unwrap(),
            windows_reused: 0,
            places: Vec::new(),
            overlay_revision: 0,
        };
        assert_eq!(
            tx.complete_version(&built, &|_| {}).await.unwrap(),
            Completed::Written
        );
        tx.commit().await.unwrap();
        (received.document_id, received.version_id)
    }

    async fn search(&self, query: &str, settings: RetrievalSettings) -> Results {
        self.searcher
            .search(
                self.tenant,
                query,
                &SearchOptions {
                    k: 5,
                    settings,
                    scope: Scope::default(),
                    filter: Filter::default(),
                    trace: false,
                },
            )
            .await
            .unwrap()
    }

    async fn texts(&self, query: &str) -> Vec<String> {
        self.search(query, RetrievalSettings::default())
            .await
            .hits
            .into_iter()
            .map(|hit| hit.text)
            .collect()
    }

    async fn end(self) {
        self.store.close().await;
        self.database.drop().await.unwrap();
    }
}

fn new_vector(hash: [u8; 32], embedding: Embedding) -> NewVector {
    NewVector {
        hash,
        pieces: embedding.signs(),
        vector: embedding.vector,
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn both_legs_find_and_each_can_be_switched_off() {
    let world = World::new().await;
    let texts = owned(&[
        "The TS-200 battery costs GHS 250",
        "We open at nine on Sundays",
        "Fans come in white",
    ]);
    world.publish(world.tenant, "shop.txt", "en", &texts).await;
    let both = world
        .search("price of the ts200 battery", RetrievalSettings::default())
        .await;
    assert_eq!(both.hits[0].text, texts[0]);
    assert_eq!(both.lexical, LexicalState::Current);
    assert_eq!(
        (
            both.hits[0].lexical.unwrap().rank,
            both.hits[0].vector.unwrap().rank
        ),
        (1, 1)
    );
    assert!(
        both.lexical_coverage > 0.2 && both.lexical_coverage <= 1.0,
        "{}",
        both.lexical_coverage
    );
    let off = RetrievalSettings {
        lexical: false,
        ..RetrievalSettings::default()
    };
    let vector = world.search("price of the ts200 battery", off).await;
    assert!(vector.lexical == LexicalState::Off && vector.hits.iter().all(|hit| hit.lexical.is_none()));
    let off = RetrievalSettings {
        vector: false,
        ..RetrievalSettings::default()
    };
    let lexical = world.search("ts200", off).await;
    assert_eq!(lexical.hits.len(), 1, "only one chunk holds the word");
    world.end().await;
}

#[tokio::test]
async fn k_hits_come_back_when_k_chunks_live() {
    let world = World::new().await;
    world
        .publish(
            world.tenant,
            "a.txt",
            "en",
            &owned(&["one", "two", "three", "four", "five", "six"]),
        )
        .await;
    assert_eq!(world.texts("nothing of this is in there").await.len(), 5);
    assert_eq!(world.texts("").await.len(), 5);
    assert_eq!(world.texts("\"-( AND OR [ * ~ :").await.len(), 5);
    world.end().await;
}

#[tokio::test]
async fn a_typo_finds_the_word_but_never_before_the_word_itself() {
    let world = World::new().await;
    let texts = owned(&[
        "Refrigerator guarantee terms",
        "Delivery takes three days",
        "Delivary is a typing error",
    ]);
    world.publish(world.tenant, "a.txt", "en", &texts).await;
    let lexical_only = RetrievalSettings {
        vector: false,
        ..RetrievalSettings::default()
    };
    assert_eq!(
        world.search("refrigerater", lexical_only.clone()).await.hits[0].text,
        texts[0]
    );
    let exact = world.search("delivery", lexical_only).await;
    assert_eq!(
        exact.hits.iter().map(|hit| hit.text.as_str()).collect::<Vec<_>>(),
        [&texts[1]]
    );
    world.end().await;
}

#[tokio::test]
async fn a_question_in_another_language_meets_the_documents_stems() {
    let world = World::new().await;
    world
        .publish(
            world.tenant,
            "en.txt",
            "en",
            &owned(&["We are open on Sundays", "Batteries are sold here"]),
        )
        .await;
    world
        .publish(
            world.tenant,
            "fr.txt",
            "fr",
            &owned(&["Les livraisons partent le lundi", "Garantie deux ans"]),
        )
        .await;
    let lexical_only = RetrievalSettings {
        vector: false,
        ..RetrievalSettings::default()
    };
    let hits = world
        .search("combien coûte la livraison ?", lexical_only.clone())
        .await
        .hits;
    assert_eq!(hits[0].text, "Les livraisons partent le lundi");
    let hits = world.search("do you sell a battery", lexical_only).await.hits;
    assert_eq!(hits[0].text, "Batteries are sold here");
    world.end().await;
}

#[tokio::test]
async fn a_deleted_document_is_not_found_by_either_leg_from_the_moment_the_delete_returns() {
    let world = World::new().await;
    let document = world
        .publish(world.tenant, "a.txt", "en", &owned(&["secret discount code"]))
        .await;
    world
        .publish(world.tenant, "b.txt", "en", &owned(&["opening hours"]))
        .await;
    assert_eq!(world.texts("secret discount").await[0], "secret discount code");
    let mut tx = world.store.tenant(world.tenant).await.unwrap();
    tx.delete_document(document).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..5 {
        assert_eq!(world.texts("secret discount code").await, ["opening hours"]);
    }
    world.end().await;
}

#[tokio::test]
async fn while_a_file_is_replaced_every_search_sees_exactly_one_version() {
    let world = World::new().await;
    let version = |n: usize| {
        (0..12)
            .map(|i| format!("price list line {i} edition number{n}"))
            .collect::<Vec<_>>()
    };
    world.publish(world.tenant, "prices.txt", "en", &version(0)).await;
    world
        .publish(world.tenant, "other.txt", "en", &owned(&["something else"]))
        .await;
    let searches = {
        let (searcher, tenant) = (Arc::clone(&world.searcher), world.tenant);
        tokio::spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..120 {
                let options = SearchOptions {
                    k: 5,
                    settings: RetrievalSettings::default(),
                    scope: Scope::default(),
                    filter: Filter::default(),
                    trace: false,
                };
                let hits = searcher
                    .search(tenant, "price list line", &options)
                    .await
                    .unwrap()
                    .hits;
                let mut versions: Vec<_> = hits.iter().filter(|h| h.document_key == "prices.txt").collect();
                assert_eq!(versions.len(), 5, "never a moment without the price list");
                versions.dedup_by_key(|hit| hit.version_id);
                assert_eq!(versions.len(), 1, "two versions in one result");
                seen.push(versions[0].version_number);
            }
            seen
        })
    };
    for n in 1..6 {
        world.publish(world.tenant, "prices.txt", "en", &version(n)).await;
    }
    let seen = searches.await.unwrap();
    assert!(seen.is_sorted(), "no way back to an older version: {seen:?}");
    world.end().await;
}

#[tokio::test]
async fn a_lost_or_damaged_index_rebuilds_itself_and_a_second_process_has_its_own() {
    let world = World::new().await;
    world
        .publish(
            world.tenant,
            "a.txt",
            "en",
            &owned(&["battery warranty", "opening hours"]),
        )
        .await;
    let query = RetrievalSettings {
        vector: false,
        ..RetrievalSettings::default()
    };
    assert_eq!(world.search("warranty", query.clone()).await.hits.len(), 1);

    let second = Searcher::open(world.store.clone(), world.embedder.clone(), world.root.path()).unwrap();
    let options = SearchOptions {
        k: 5,
        settings: query.clone(),
        scope: Scope::default(),
        filter: Filter::default(),
        trace: false,
    };
    assert_eq!(
        second
            .search(world.tenant, "warranty", &options)
            .await
            .unwrap()
            .hits
            .len(),
        1
    );
    drop(second);

    let World {
        store,
        embedder,
        searcher,
        tenant,
        root,
        database,
    } = world;
    drop(searcher);
    let tenant_directory = root.path().join("slot-0").join(tenant.to_string());
    for file in std::fs::read_dir(&tenant_directory).unwrap().flatten() {
        if file.path().extension().is_some_and(|e| e == "idx" || e == "term") {
            std::fs::write(file.path(), b"damaged").unwrap();
        }
    }
    let searcher = Searcher::open(store.clone(), embedder.clone(), root.path()).unwrap();
    assert_eq!(
        searcher
            .search(tenant, "warranty", &options)
            .await
            .unwrap()
            .hits
            .len(),
        1,
        "damaged"
    );
    drop(searcher);
    std::fs::remove_dir_all(&tenant_directory).unwrap();
    let searcher = Searcher::open(store.clone(), embedder, root.path()).unwrap();
    assert_eq!(
        searcher
            .search(tenant, "warranty", &options)
            .await
            .unwrap()
            .hits
            .len(),
        1,
        "lost"
    );
    store.close().await;
    database.drop().await.unwrap();
}

#[tokio::test]
async fn another_tenants_documents_change_nothing() {
    let world = World::new().await;
    let mut tx = world.store.system().await.unwrap();
    let other = tx.ensure_tenant("other", "Other").await.unwrap().id;
    tx.commit().await.unwrap();
    world
        .publish(
            world.tenant,
            "a.txt",
            "en",
            &owned(&["fan prices", "opening hours"]),
        )
        .await;
    let before = world
        .search("fan prices", RetrievalSettings::default())
        .await
        .hits;
    world
        .publish(
            other,
            "b.txt",
            "en",
            &owned(&["fan prices of the competitor", "fan prices again"]),
        )
        .await;
    assert_eq!(
        world
            .search("fan prices", RetrievalSettings::default())
            .await
            .hits,
        before
    );
    world.end().await;
}
