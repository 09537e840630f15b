//! A tenant's vector index comes when it is due, is used, and goes.

use plumbline_store::{Filter, Scope, VectorIndex, VectorScan};
use uuid::Uuid;

use crate::support::{World, unit};

/// A live document of `n` chunks, whose vectors are those of texts of 1 to `n` letters.
async fn document(world: &World, tenant: Uuid, n: usize) {
    let texts: Vec<String> = (1..=n).map(|length| "x".repeat(length)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let received = world.receive(tenant, "letters.txt", 1).await;
    world.build(tenant, received.version_id, &texts).await;
    world.publish(tenant, received.version_id).await;
}

async fn state(world: &World, tenant: Uuid) -> VectorIndex {
    let mut tx = world.store.tenant(tenant).await.unwrap();
    let space = tx.ensure_space("test", 3).await.unwrap();
    tx.vector_index(space).await.unwrap()
}

async fn is_due(world: &World, tenant: Uuid, above: i64) -> bool {
    let mut tx = world.store.tenant(tenant).await.unwrap();
    let space = tx.ensure_space("test", 3).await.unwrap();
    tx.vector_index_is_due(space, above).await.unwrap()
}

#[tokio::test]
async fn a_large_tenant_gets_an_index_of_its_own_and_a_small_one_loses_it() {
    let world = World::new().await;
    document(&world, world.ours, 60).await;
    document(&world, world.theirs, 30).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let space = tx.ensure_space("test", 3).await.unwrap();
    tx.commit().await.unwrap();

    assert!(!is_due(&world, world.ours, 60).await, "sixty are not above sixty");
    assert!(is_due(&world, world.ours, 59).await);
    assert!(world.store.build_vector_index(world.ours, space).await.unwrap());
    assert_eq!(state(&world, world.ours).await, VectorIndex::Ready);
    assert_eq!(state(&world, world.theirs).await, VectorIndex::Absent);
    assert!(!is_due(&world, world.ours, 59).await, "it is there");
    assert!(
        world.store.build_vector_index(world.ours, space).await.unwrap(),
        "building it again is the same as building it once"
    );

    assert!(
        !is_due(&world, world.ours, 100).await,
        "sixty are still most of a hundred"
    );
    assert!(
        is_due(&world, world.ours, 200).await,
        "and too few for two hundred"
    );
    assert!(world.store.drop_vector_index(world.ours, space).await.unwrap());
    assert_eq!(state(&world, world.ours).await, VectorIndex::Absent);
    world.end().await;
}

#[tokio::test]
async fn the_index_finds_what_the_comparison_of_all_finds() {
    let world = World::new().await;
    document(&world, world.ours, 200).await;
    document(&world, world.theirs, 150).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let space = tx.ensure_space("test", 3).await.unwrap();
    tx.commit().await.unwrap();
    world.store.build_vector_index(world.ours, space).await.unwrap();
    for length in [1, 57, 200] {
        let mut tx = world.store.tenant(world.ours).await.unwrap();
        let exact = tx
            .nearest_chunks(
                space,
                &unit(length),
                5,
                VectorScan::Exact,
                &Scope::default(),
                &Filter::default(),
            )
            .await
            .unwrap();
        let indexed = tx
            .nearest_chunks(
                space,
                &unit(length),
                5,
                VectorScan::Approximate,
                &Scope::default(),
                &Filter::default(),
            )
            .await
            .unwrap();
        assert_eq!(indexed, exact);
        let all = tx
            .nearest_chunks(
                space,
                &unit(length),
                500,
                VectorScan::Approximate,
                &Scope::default(),
                &Filter::default(),
            )
            .await
            .unwrap();
        assert_eq!(all.len(), 200, "never fewer than there are");
    }
    world.end().await;
}

#[tokio::test]
async fn a_filter_that_keeps_little_does_not_starve_the_index() {
    let world = World::new().await;
    document(&world, world.ours, 200).await;
    let kept = world.receive(world.ours, "kept/few.txt", 2).await;
    world
        .build(world.ours, kept.version_id, &["near enough", "and one more"])
        .await;
    world.publish(world.ours, kept.version_id).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let space = tx.ensure_space("test", 3).await.unwrap();
    tx.commit().await.unwrap();
    world.store.build_vector_index(world.ours, space).await.unwrap();
    let filter = Filter {
        documents: vec!["kept/".to_owned()],
        ..Filter::default()
    };
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    for scan in [VectorScan::Exact, VectorScan::Approximate] {
        let found = tx
            .nearest_chunks(space, &unit(199), 5, scan, &Scope::default(), &filter)
            .await
            .unwrap();
        assert_eq!(found.len(), 2, "{scan:?}");
    }
    assert_eq!(
        tx.kept_documents(&Scope::default(), &filter).await.unwrap(),
        [kept.document_id]
    );
    assert_eq!(tx.kept_windows(&Scope::default(), &filter).await.unwrap(), 2);
    tx.commit().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn chunks_of_many_windows_do_not_push_others_out() {
    /// Nine windows per chunk: of three times as many windows as chunks are wanted, those of two chunks.
    const MANY: &str = "INSERT INTO windows (tenant_id, version_id, chunk_id, space_id, ordinal, text_start, text_end, hash, embedding)
        SELECT tenant_id, version_id, chunk_id, space_id, ordinal + n, text_start, text_end, hash, embedding
          FROM windows CROSS JOIN generate_series(1, 8) n";
    let world = World::new().await;
    document(&world, world.ours, 200).await;
    world.execute(MANY).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let space = tx.ensure_space("test", 3).await.unwrap();
    tx.commit().await.unwrap();
    world.store.build_vector_index(world.ours, space).await.unwrap();
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let (live, all, query) = (Scope::default(), Filter::default(), unit(57));
    for wanted in [5, 190] {
        let mut found = Vec::new();
        for scan in [VectorScan::Exact, VectorScan::Approximate] {
            let nearest = tx.nearest_chunks(space, &query, wanted, scan, &live, &all);
            found.push(nearest.await.unwrap());
        }
        assert_eq!((found[0].len(), &found[0]), (wanted, &found[1]));
    }
    tx.commit().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn an_interrupted_build_is_begun_again() {
    let world = World::new().await;
    document(&world, world.ours, 20).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let space = tx.ensure_space("test", 3).await.unwrap();
    tx.commit().await.unwrap();
    world.store.build_vector_index(world.ours, space).await.unwrap();
    // what the database leaves behind when the statement is cancelled
    let broken = world
        .count(
            "WITH broken AS (UPDATE pg_index SET indisvalid = false
                              WHERE indexrelid::regclass::text LIKE 'windows_hnsw%' RETURNING indexrelid)
             SELECT count(*) FROM broken",
        )
        .await;
    assert_eq!(broken, 1);
    assert_eq!(state(&world, world.ours).await, VectorIndex::Unfinished);
    assert!(is_due(&world, world.ours, 10).await);
    assert!(world.store.build_vector_index(world.ours, space).await.unwrap());
    assert_eq!(state(&world, world.ours).await, VectorIndex::Ready);
    world.end().await;
}
