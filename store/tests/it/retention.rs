//! What is forgotten after a time, and what never is.

use std::time::Duration;

use plumbline_store::{ElementKind, NewElement, Settings, StoreError};
use serde_json::json;

use crate::support::World;

/// Everything that happened before now is older than nothing.
const NOW: Duration = Duration::ZERO;
const A_DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn chunks_of_deleted_documents_go_and_their_text_stays() {
    let world = World::new().await;
    let kept = world.receive(world.ours, "kept.txt", 1).await;
    let gone = world.receive(world.ours, "gone.txt", 2).await;
    for (version, text) in [
        (kept.version_id, "a fan costs 250"),
        (gone.version_id, "a kit costs 900"),
    ] {
        assert!(world.build(world.ours, version, &[text]).await);
        world.publish(world.ours, version).await;
    }
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    tx.delete_document(gone.document_id).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(
        world.store.forget_deleted_chunks(A_DAY).await.unwrap(),
        0,
        "too young"
    );
    assert_eq!(world.store.forget_deleted_chunks(NOW).await.unwrap(), 1);
    assert_eq!(
        world.store.forget_deleted_chunks(NOW).await.unwrap(),
        0,
        "nothing is left to forget"
    );
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    assert_eq!(tx.all_chunks(gone.version_id).await.unwrap(), []);
    assert_eq!(tx.version_text(gone.version_id).await.unwrap(), "a kit costs 900");
    assert!(tx.saved_extraction(gone.version_id).await.unwrap().is_none());
    assert_eq!(tx.all_chunks(kept.version_id).await.unwrap().len(), 1);
    drop(tx);
    world.end().await;
}

#[tokio::test]
async fn webhook_bodies_go_and_their_elements_still_recognise_a_repeated_delivery() {
    let world = World::new().await;
    let mut tx = world.store.system().await.unwrap();
    tx.ensure_channel(world.ours, "111", "").await.unwrap();
    tx.commit().await.unwrap();
    let message = NewElement {
        phone_number_id: "111".into(),
        kind: ElementKind::Message,
        external_id: "wamid.1".into(),
        sender: Some("233200000001".into()),
        payload: json!({ "id": "wamid.1" }),
        contact: None,
        occurred_at: None,
    };
    let deliver = async || {
        let stored = world
            .store
            .store_webhook(b"{}", std::slice::from_ref(&message), None)
            .await;
        stored.unwrap().fresh
    };
    assert_eq!(deliver().await, 1);
    assert_eq!(world.store.forget_inbound_events(A_DAY).await.unwrap(), 0);
    assert_eq!(world.store.forget_inbound_events(NOW).await.unwrap(), 1);
    let mut tx = world.store.system().await.unwrap();
    assert_eq!(tx.count_inbound_events().await.unwrap(), 0);
    drop(tx);
    assert_eq!(deliver().await, 0, "the message is known");
    world.end().await;
}

#[tokio::test]
async fn idempotency_keys_are_forgotten_when_they_are_old() {
    let world = World::new().await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    tx.replay("a key", &[1; 32]).await.unwrap();
    tx.keep_response("a key", &json!("answered")).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.store.forget_idempotency_keys(A_DAY).await.unwrap(), 0);
    assert_eq!(world.store.forget_idempotency_keys(NOW).await.unwrap(), 1);
    world.end().await;
}

#[tokio::test]
async fn settings_that_changed_meanwhile_are_not_overwritten() {
    let world = World::new().await;
    let mut settings = Settings::default();
    settings.chunking.target_tokens = 220;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    assert_eq!(
        tx.replace_settings(0, &settings, "longer chunks").await.unwrap(),
        1
    );
    tx.commit().await.unwrap();
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let late = tx.replace_settings(0, &Settings::default(), "late").await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    drop(tx);
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    tx.replace_settings(1, &Settings::default(), "back")
        .await
        .unwrap();
    tx.activate_settings(1).await.unwrap();
    let history: Vec<(i64, String, bool)> = tx
        .settings_history(10)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| (entry.version, entry.note, entry.live))
        .collect();
    assert_eq!(
        history,
        [
            (2, "back".to_owned(), false),
            (1, "longer chunks".to_owned(), true)
        ]
    );
    assert_eq!(tx.settings().await.unwrap().settings, settings);
    drop(tx);
    let mut theirs = world.store.tenant(world.theirs).await.unwrap();
    assert_eq!(theirs.settings_history(10).await.unwrap(), []);
    drop(theirs);
    world.end().await;
}
