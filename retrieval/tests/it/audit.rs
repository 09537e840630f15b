//! An audit sees what a vector index misses.

use std::time::Duration;

use plumbline_store::{RetrievalSettings, VectorScan};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::World;

/// The index as it would be with next to no edges: what it misses is a large part.
const SPOIL: &str = "DO $$ DECLARE
        name text;
        definition text;
    BEGIN
        SELECT indexname, indexdef INTO STRICT name, definition FROM pg_indexes WHERE indexname LIKE 'windows_hnsw_%';
        EXECUTE format('DROP INDEX %I', name);
        EXECUTE regexp_replace(definition, 'WITH [(][^)]*[)]', 'WITH (m = 2, ef_construction = 4)');
    END $$";

fn words(random: &mut StdRng) -> String {
    let word = |random: &mut StdRng| -> String {
        (0..6)
            .map(|_| char::from(random.random_range(b'a'..=b'z')))
            .collect()
    };
    let words: Vec<String> = (0..4).map(|_| word(random)).collect();
    words.join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_tells_a_good_index_from_a_bad_one() {
    let world = World::new().await;
    let mut random = StdRng::seed_from_u64(7);
    let texts: Vec<String> = (0..4_000).map(|_| words(&mut random)).collect();
    let questions: Vec<String> = (0..30).map(|_| words(&mut random)).collect();
    world.publish(world.tenant, "words.txt", "en", &texts).await;
    let mut tx = world.store.tenant(world.tenant).await.unwrap();
    let embedder = &world.embedder;
    let space = tx
        .ensure_space(embedder.model(), embedder.dimension())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    world.store.build_vector_index(world.tenant, space).await.unwrap();
    let audit = async |budget| {
        let settings = RetrievalSettings::default();
        let audited = world.searcher.audit(world.tenant, &settings, &questions, budget);
        audited.await.unwrap()
    };

    let good = audit(Duration::MAX).await;
    assert_eq!((good.questions, good.recall.wanted), (30, 300));
    assert_eq!(good.scan, VectorScan::Approximate, "{good:?}");
    assert!(good.recall.found >= 294 && good.recall.worst > 0.5, "{good:?}");

    world.database.execute(SPOIL).await.unwrap();
    let bad = audit(Duration::MAX).await;
    assert_eq!(bad.recall.wanted, 300);
    assert_eq!(bad.scan, VectorScan::Thorough, "{bad:?}");
    assert!(bad.recall.found < 300 && bad.recall.worst < 1.0, "{bad:?}");

    assert_eq!(audit(Duration::ZERO).await.questions, 0, "no time, no questions");
    world.end().await;
}
