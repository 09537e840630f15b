//! A version is visible all at once or not at all.

use plumbline_store::{Filter, PassageQuery, Scope, StoreError, VectorScan, VersionState};

use crate::support::{World, unit};

/// The live texts as both legs' join sees them.
async fn live(world: &World) -> Vec<String> {
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let space = tx.ensure_space("test", 3).await.unwrap();
    let near = tx
        .nearest_chunks(
            space,
            &unit(3),
            50,
            VectorScan::Exact,
            &Scope::default(),
            &Filter::default(),
        )
        .await
        .unwrap();
    let approximate = tx
        .nearest_chunks(
            space,
            &unit(3),
            50,
            VectorScan::Approximate,
            &Scope::default(),
            &Filter::default(),
        )
        .await
        .unwrap();
    let mut found: Vec<_> = approximate.iter().map(|m| m.chunk_id).collect();
    found.sort();
    let mut chunks: Vec<_> = near.iter().map(|m| m.chunk_id).collect();
    chunks.sort();
    assert_eq!(found, chunks, "both scans see the same live chunks");
    let hits = tx
        .live_hits(
            &chunks,
            space,
            Some(PassageQuery {
                vector: &unit(3),
                whole_weight: 0.5,
            }),
            &Scope::default(),
            &Filter::default(),
        )
        .await
        .unwrap();
    let mut texts: Vec<String> = hits.into_iter().map(|hit| hit.body).collect();
    texts.sort();
    texts
}

#[tokio::test]
async fn the_old_version_answers_until_the_flip_and_a_rollback_flips_back() {
    let world = World::new().await;
    let first = world.receive(world.ours, "prices.txt", 1).await;
    assert!(live(&world).await.is_empty(), "received is not visible");
    world
        .build(
            world.ours,
            first.version_id,
            &["a fan costs 250", "a kit costs 900"],
        )
        .await;
    assert!(live(&world).await.is_empty(), "ready is not live");
    world.publish(world.ours, first.version_id).await;
    assert_eq!(live(&world).await, ["a fan costs 250", "a kit costs 900"]);

    let second = world.receive(world.ours, "prices.txt", 2).await;
    assert_eq!((second.number, second.document_id), (2, first.document_id));
    world
        .build(world.ours, second.version_id, &["a fan costs 260"])
        .await;
    assert_eq!(live(&world).await, ["a fan costs 250", "a kit costs 900"]);
    world.publish(world.ours, second.version_id).await;
    assert_eq!(live(&world).await, ["a fan costs 260"]);
    world.publish(world.ours, first.version_id).await;
    assert_eq!(live(&world).await, ["a fan costs 250", "a kit costs 900"]);
    world.end().await;
}

#[tokio::test]
async fn a_failed_build_leaves_the_live_version_answering() {
    let world = World::new().await;
    let first = world.receive(world.ours, "prices.txt", 1).await;
    world
        .build(world.ours, first.version_id, &["a fan costs 250"])
        .await;
    world.publish(world.ours, first.version_id).await;
    let second = world.receive(world.ours, "prices.txt", 2).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    tx.fail_version(
        second.version_id,
        "damaged_pdf",
        "page 3 is damaged",
        "save it again",
    )
    .await
    .unwrap();
    assert!(tx.publish_version(second.version_id).await.is_err());
    drop(tx);
    assert_eq!(live(&world).await, ["a fan costs 250"]);
    world.end().await;
}

#[tokio::test]
async fn a_deleted_document_is_gone_from_the_commit_on_and_its_text_stays_for_old_answers() {
    let world = World::new().await;
    let first = world.receive(world.ours, "prices.txt", 1).await;
    world
        .build(world.ours, first.version_id, &["a fan costs 250"])
        .await;
    world.publish(world.ours, first.version_id).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    tx.delete_document(first.document_id).await.unwrap();
    tx.commit().await.unwrap();
    assert!(live(&world).await.is_empty());
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    assert_eq!(
        tx.version_text(first.version_id).await.unwrap(),
        "a fan costs 250"
    );
    assert!(
        tx.publish_version(first.version_id).await.is_err(),
        "no way back in"
    );
    assert!(!tx.publish_if_newest(first.version_id).await.unwrap());
    drop(tx);
    let again = world.receive(world.ours, "prices.txt", 1).await;
    assert!(
        again.document_id != first.document_id && again.number == 1,
        "the key is free again"
    );
    world.end().await;
}

#[tokio::test]
async fn the_same_bytes_again_are_no_new_version() {
    let world = World::new().await;
    let first = world.receive(world.ours, "prices.txt", 1).await;
    let again = world.receive(world.ours, "prices.txt", 1).await;
    assert!(again.unchanged && again.version_id == first.version_id);
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    tx.fail_version(first.version_id, "timeout", "took too long", "split it")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let retried = world.receive(world.ours, "prices.txt", 1).await;
    assert!(
        !retried.unchanged && retried.number == 2,
        "a failed version does not count as having them"
    );
    world.end().await;
}

#[tokio::test]
async fn a_version_that_was_rolled_back_comes_again_when_its_file_does() {
    let world = World::new().await;
    let first = world.receive(world.ours, "prices.txt", 1).await;
    world.build(world.ours, first.version_id, &["old"]).await;
    world.publish(world.ours, first.version_id).await;
    let second = world.receive(world.ours, "prices.txt", 2).await;
    world.build(world.ours, second.version_id, &["new"]).await;
    world.publish(world.ours, second.version_id).await;
    assert!(world.receive(world.ours, "prices.txt", 2).await.unchanged);
    world.publish(world.ours, first.version_id).await;
    let again = world.receive(world.ours, "prices.txt", 2).await;
    assert!(!again.unchanged && again.number == 3, "{again:?}");
    world.end().await;
}

#[tokio::test]
async fn a_slow_build_does_not_undo_a_newer_upload() {
    let world = World::new().await;
    let slow = world.receive(world.ours, "prices.txt", 1).await;
    let fast = world.receive(world.ours, "prices.txt", 2).await;
    world.build(world.ours, fast.version_id, &["new"]).await;
    world.publish(world.ours, fast.version_id).await;
    world.build(world.ours, slow.version_id, &["old"]).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    assert!(!tx.publish_if_newest(slow.version_id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(live(&world).await, ["new"]);
    world.end().await;
}

#[tokio::test]
async fn a_build_that_ends_twice_or_after_a_delete_writes_once_or_never() {
    let world = World::new().await;
    let first = world.receive(world.ours, "prices.txt", 1).await;
    assert!(world.build(world.ours, first.version_id, &["a"]).await);
    assert!(!world.build(world.ours, first.version_id, &["a"]).await);
    let second = world.receive(world.ours, "other.txt", 1).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    tx.delete_document(second.document_id).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!world.build(world.ours, second.version_id, &["b"]).await);
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    assert_eq!(
        tx.version(second.version_id).await.unwrap().state,
        VersionState::Cancelled
    );
    drop(tx);
    world.end().await;
}

#[tokio::test]
async fn changes_are_replayed_from_a_watermark_with_the_live_chunks() {
    let world = World::new().await;
    let first = world.receive(world.ours, "a.txt", 1).await;
    let second = world.receive(world.ours, "b.txt", 1).await;
    for received in [first, second] {
        world.build(world.ours, received.version_id, &["text"]).await;
        world.publish(world.ours, received.version_id).await;
    }
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let all = tx.changes_since(0).await.unwrap();
    assert_eq!(all.documents, [first.document_id, second.document_id]);
    assert!(tx.changes_since(all.revision).await.unwrap().documents.is_empty());
    let chunks = tx
        .visible_chunks(first.document_id, &Scope::default())
        .await
        .unwrap();
    assert_eq!(chunks[0].chunk.heading_path, ["Prices", "Fans & \"coolers\""]);
    assert_eq!(
        (chunks[0].title.as_str(), chunks[0].language.as_deref()),
        ("A title", Some("en"))
    );
    tx.delete_document(first.document_id).await.unwrap();
    let later = tx.changes_since(all.revision).await.unwrap();
    assert_eq!(later.documents, [first.document_id]);
    assert_eq!(
        tx.visible_chunks(first.document_id, &Scope::default())
            .await
            .unwrap(),
        vec![]
    );
    drop(tx);
    world.end().await;
}

#[tokio::test]
async fn a_model_cannot_change_its_dimension() {
    let world = World::new().await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let space = tx.ensure_space("mini", 3).await.unwrap();
    assert_eq!(tx.ensure_space("mini", 3).await.unwrap(), space);
    let error = tx.ensure_space("mini", 4).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    drop(tx);
    world.end().await;
}
