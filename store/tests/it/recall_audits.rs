//! Audits of vector indexes: kept per tenant, read by searches, and asked what customers asked.

use std::time::Duration;

use plumbline_store::{NewAnswer, NewRecallAudit, VectorIndex, VectorScan};
use serde_json::json;
use uuid::Uuid;

use crate::support::World;

fn audit(space: i32, scan: VectorScan, found: usize) -> NewRecallAudit {
    NewRecallAudit {
        space,
        windows: 30_000,
        scan,
        questions: 20,
        sampled_from_documents: 5,
        wanted: 200,
        found,
        worst: 0.5,
    }
}

fn answer(question: &str, route: &str, query: &str) -> NewAnswer {
    NewAnswer {
        id: Uuid::now_v7(),
        conversation_id: None,
        turn_id: None,
        question: question.to_owned(),
        outcome: "abstained".to_owned(),
        route: route.to_owned(),
        reason: None,
        text: String::new(),
        confidence: 0.2,
        record: json!({ "query": query }),
        settings_version: 0,
        model: String::new(),
        input_tokens: 0,
        output_tokens: 0,
        total_ms: 1.0,
        citations: Vec::new(),
    }
}

#[tokio::test]
async fn the_latest_audit_decides_how_its_tenants_index_is_searched() {
    let world = World::new().await;
    let lowest = async || {
        let mut tx = world.store.system().await.unwrap();
        tx.lowest_recall().await.unwrap()
    };
    assert_eq!(lowest().await, None);
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let space = tx.ensure_space("test", 3).await.unwrap();
    let state = tx.search_state(space).await.unwrap();
    assert_eq!(
        (state.revision, state.vector_index, state.index_scan),
        (0, VectorIndex::Absent, VectorScan::Approximate)
    );
    let day = Duration::from_hours(24);
    assert!(tx.recall_audit_is_due(space, day).await.unwrap());
    for _ in 0..55 {
        let low = audit(space, VectorScan::Thorough, 190);
        assert!(!low.is_good());
        tx.record_recall_audit(&low).await.unwrap();
    }
    tx.commit().await.unwrap();

    let mut tx = world.store.tenant(world.ours).await.unwrap();
    assert_eq!(
        tx.search_state(space).await.unwrap().index_scan,
        VectorScan::Thorough
    );
    assert!(!tx.recall_audit_is_due(space, day).await.unwrap());
    assert!(tx.recall_audit_is_due(space, Duration::ZERO).await.unwrap());
    let kept = tx.recall_audits(space, 100).await.unwrap();
    assert_eq!(kept.len(), 50, "the oldest are forgotten");
    let latest = &kept[0];
    assert_eq!((latest.found, latest.wanted, latest.ef_search), (190, 200, 400));
    assert!((latest.recall() - 0.95).abs() < 1e-9 && !latest.is_good());
    tx.commit().await.unwrap();

    let mut tx = world.store.tenant(world.theirs).await.unwrap();
    assert_eq!(tx.recall_audits(space, 100).await.unwrap(), []);
    assert_eq!(
        tx.search_state(space).await.unwrap().index_scan,
        VectorScan::Approximate
    );
    let good = audit(space, VectorScan::Approximate, 200);
    tx.record_recall_audit(&good).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(lowest().await, Some(0.95), "of the latest of each");
    world.end().await;
}

#[tokio::test]
async fn questions_are_what_was_searched_each_once_and_newest_first() {
    let world = World::new().await;
    for (tenant, question, route, query) in [
        (world.ours, "price?", "commodity", "price of the fan"),
        (world.ours, "hello", "smalltalk", "hello"),
        (world.ours, "and the other?", "reasoning", ""),
        (world.ours, "how much is it?", "commodity", "price of the fan"),
        (world.theirs, "theirs", "commodity", "theirs"),
    ] {
        let mut tx = world.store.tenant(tenant).await.unwrap();
        tx.insert_answer(&answer(question, route, query)).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    assert_eq!(
        tx.searched_questions(100).await.unwrap(),
        ["price of the fan", "and the other?"]
    );
    assert_eq!(tx.searched_questions(1).await.unwrap(), ["price of the fan"]);
    tx.commit().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn chunks_are_drawn_from_what_is_live() {
    let world = World::new().await;
    let live = world.receive(world.ours, "a.txt", 1).await;
    world
        .build(world.ours, live.version_id, &["one", "two", "three"])
        .await;
    world.publish(world.ours, live.version_id).await;
    let staged = world.receive(world.ours, "b.txt", 2).await;
    world.build(world.ours, staged.version_id, &["not yet"]).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let mut drawn = tx.random_chunks(10).await.unwrap();
    drawn.sort();
    assert_eq!(drawn, ["one", "three", "two"]);
    assert_eq!(tx.random_chunks(2).await.unwrap().len(), 2);
    tx.commit().await.unwrap();
    world.end().await;
}
