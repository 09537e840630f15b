//! Traces are kept per tenant, found again, forgotten in time, and remember what was live.

use std::time::Duration;

use plumbline_store::{NewTrace, StoreError, TraceFilter, TraceSource};
use serde_json::json;
use uuid::Uuid;

use crate::support::World;

fn trace(question: &str, revision: Option<i64>) -> NewTrace {
    NewTrace {
        id: Uuid::now_v7(),
        source: TraceSource::Answer,
        question: question.to_owned(),
        query: format!("{question} (completed)"),
        outcome: Some("answered".to_owned()),
        settings_version: 0,
        index_version: revision,
        document_keys: vec!["prices.csv".to_owned()],
        total_ms: 12.5,
        record: json!({ "question": question }),
    }
}

async fn keep(world: &World, tenant: Uuid, trace: &NewTrace) -> Option<i64> {
    let mut tx = world.store.tenant(tenant).await.unwrap();
    tx.insert_trace(trace).await.unwrap();
    let kept = tx.trace(trace.id).await.unwrap().row.index_version;
    tx.commit().await.unwrap();
    kept
}

async fn found(world: &World, tenant: Uuid, filter: &TraceFilter) -> Vec<String> {
    let mut tx = world.store.tenant(tenant).await.unwrap();
    let rows = tx.traces(filter, 10).await.unwrap();
    tx.commit().await.unwrap();
    rows.into_iter().map(|row| row.question).collect()
}

async fn published(world: &World, key: &str, bytes: u8, text: &str) -> (Uuid, Uuid, i64) {
    let received = world.receive(world.ours, key, bytes).await;
    assert!(world.build(world.ours, received.version_id, &[text]).await);
    world.publish(world.ours, received.version_id).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let revision = tx.revision().await.unwrap();
    tx.commit().await.unwrap();
    (received.document_id, received.version_id, revision)
}

#[tokio::test]
async fn a_trace_names_what_was_live_as_long_as_that_is_certain() {
    let world = World::new().await;
    let (prices, first, then) = published(&world, "prices.csv", 1, "a fan costs 250").await;
    assert_eq!(
        keep(&world, world.ours, &trace("fan?", Some(then))).await,
        Some(then)
    );
    let (_, second, now) = published(&world, "prices.csv", 2, "a fan costs 260").await;
    assert_eq!(
        keep(&world, world.ours, &trace("late", Some(then))).await,
        Some(then),
        "it was kept before"
    );
    let (_, faq, newest) = published(&world, "faq.md", 3, "we open at 8").await;
    assert_eq!(
        keep(&world, world.ours, &trace("too late", Some(now))).await,
        None,
        "nobody knows any more what was live at that revision"
    );
    keep(&world, world.ours, &trace("hours?", Some(newest))).await;

    let mut tx = world.store.tenant(world.ours).await.unwrap();
    assert_eq!(tx.index_version(then).await.unwrap(), [first]);
    let mut both = vec![second, faq];
    both.sort();
    assert_eq!(tx.index_version(newest).await.unwrap(), both);
    assert_eq!(tx.searchable_versions(&[first]).await.unwrap(), 1);
    tx.delete_document(prices).await.unwrap();
    assert_eq!(
        tx.searchable_versions(&[first, faq]).await.unwrap(),
        1,
        "a deleted document is not searched again"
    );
    tx.commit().await.unwrap();

    let mut tx = world.store.tenant(world.theirs).await.unwrap();
    let foreign = tx.index_version(then).await.unwrap_err();
    assert!(matches!(foreign, StoreError::NotFound { .. }), "{foreign:?}");
    tx.commit().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn traces_are_found_by_what_is_known_of_them_and_by_their_tenant_alone() {
    let world = World::new().await;
    keep(&world, world.ours, &trace("How much is a Fan?", None)).await;
    let slow = NewTrace {
        total_ms: 900.0,
        source: TraceSource::Whatsapp,
        outcome: Some("abstained".to_owned()),
        document_keys: vec!["faq.md".to_owned()],
        ..trace("100 % refund_of a kit", None)
    };
    keep(&world, world.ours, &slow).await;
    keep(&world, world.theirs, &trace("theirs", None)).await;

    let all = TraceFilter::default();
    let ours = ["100 % refund_of a kit", "How much is a Fan?"];
    assert_eq!(found(&world, world.ours, &all).await, ours);
    assert_eq!(found(&world, world.theirs, &all).await, ["theirs"]);
    let words = |words: &str| TraceFilter {
        words: words.to_owned(),
        ..TraceFilter::default()
    };
    assert_eq!(found(&world, world.ours, &words("fan MUCH")).await, ours[1..]);
    assert_eq!(found(&world, world.ours, &words("completed")).await, ours);
    assert_eq!(
        found(&world, world.ours, &words("d_o")).await,
        ours[..1],
        "no wildcards"
    );
    assert!(found(&world, world.ours, &words("fan kit")).await.is_empty());
    let filters = [
        TraceFilter {
            outcome: Some("abstained".to_owned()),
            ..all.clone()
        },
        TraceFilter {
            source: Some(TraceSource::Whatsapp),
            ..all.clone()
        },
        TraceFilter {
            document: Some("faq.md".to_owned()),
            ..all.clone()
        },
        TraceFilter {
            slower_than_ms: Some(500.0),
            ..all.clone()
        },
    ];
    for filter in filters {
        assert_eq!(found(&world, world.ours, &filter).await, ours[..1], "{filter:?}");
    }
    let older = TraceFilter {
        before: Some(slow.id),
        ..all
    };
    assert_eq!(found(&world, world.ours, &older).await, ours[1..]);
    world.end().await;
}

#[tokio::test]
async fn old_traces_are_forgotten() {
    let world = World::new().await;
    keep(&world, world.ours, &trace("once", None)).await;
    assert_eq!(
        world.store.forget_traces().await.unwrap(),
        0,
        "they are kept for days"
    );
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    assert_eq!(tx.forget_traces(Duration::ZERO).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert!(
        found(&world, world.ours, &TraceFilter::default())
            .await
            .is_empty()
    );
    world.end().await;
}
