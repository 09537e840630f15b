//! The queue keeps order per key, survives dead workers, and ends what cannot succeed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plumbline_store::{Failed, NewJob};
use serde_json::json;
use uuid::Uuid;

use crate::support::World;

fn job(key: &str, payload: serde_json::Value) -> NewJob {
    NewJob {
        queue: "test",
        key: key.into(),
        dedupe: None,
        payload,
        delay: Duration::ZERO,
        max_attempts: 3,
    }
}

async fn enqueue(world: &World, job: &NewJob) -> i64 {
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let id = tx.enqueue(job, Duration::from_mins(1)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

const LEASE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn jobs_of_a_key_run_one_by_one_in_order_even_across_retries() {
    let world = World::new().await;
    for n in 0..60 {
        enqueue(&world, &job(&format!("key{}", n % 6), json!(n))).await;
    }
    let done: Arc<Mutex<HashMap<String, Vec<i64>>>> = Arc::default();
    let workers = (0..4).map(|_| {
        let (store, done) = (world.store.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let worker = Uuid::now_v7();
            let mut idle = 0;
            while idle < 60 {
                let Some(job) = store.claim_job("test", worker, LEASE).await.unwrap() else {
                    idle += 1;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    continue;
                };
                idle = 0;
                if job.attempts == 1 && job.payload.as_i64().unwrap() % 5 == 0 {
                    store
                        .fail_job(&job, "flaky", true, Some(Duration::from_millis(20)))
                        .await
                        .unwrap();
                } else {
                    done.lock()
                        .unwrap()
                        .entry(job.key.clone())
                        .or_default()
                        .push(job.payload.as_i64().unwrap());
                    assert!(store.finish_job(&job).await.unwrap());
                }
            }
        })
    });
    futures_join(workers).await;
    let done = std::mem::take(&mut *done.lock().unwrap());
    assert_eq!(done.values().map(Vec::len).sum::<usize>(), 60);
    for (key, order) in &done {
        assert!(order.is_sorted(), "{key}: {order:?}");
    }
    world.end().await;
}

async fn futures_join(tasks: impl Iterator<Item = tokio::task::JoinHandle<()>>) {
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_job_ends_dead_with_its_reason_and_its_key_goes_on() {
    let world = World::new().await;
    let first = enqueue(&world, &job("k", json!("poison"))).await;
    let second = enqueue(&world, &job("k", json!("fine"))).await;
    let worker = Uuid::now_v7();
    for attempt in 1..=3 {
        let claimed = world
            .store
            .claim_job("test", worker, LEASE)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((claimed.id, claimed.attempts), (first, attempt));
        let failed = world
            .store
            .fail_job(&claimed, "boom", true, Some(Duration::ZERO))
            .await
            .unwrap();
        assert_eq!(failed == Failed::Dead, attempt == 3);
    }
    let next = world
        .store
        .claim_job("test", worker, LEASE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.id, second);
    world.store.finish_job(&next).await.unwrap();
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let dead = tx.dead_jobs(10).await.unwrap();
    assert_eq!((dead[0].id, dead[0].error.as_deref()), (first, Some("boom")));
    tx.requeue(first).await.unwrap();
    tx.commit().await.unwrap();
    let again = world
        .store
        .claim_job("test", worker, LEASE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((again.id, again.attempts), (first, 1));
    let gone = world.store.forget_done_jobs(Duration::ZERO).await.unwrap();
    assert_eq!(gone, 1, "the second one was done; the first is at work");
    world.end().await;
}

#[tokio::test]
async fn a_dead_workers_job_comes_back_and_the_dead_worker_can_no_longer_finish_it() {
    let world = World::new().await;
    enqueue(&world, &job("k", json!(1))).await;
    let dead = world
        .store
        .claim_job("test", Uuid::now_v7(), Duration::ZERO)
        .await
        .unwrap()
        .unwrap();
    world.store.reap_jobs().await.unwrap();
    assert!(
        world.store.untold_jobs().await.unwrap().is_empty(),
        "it has attempts left"
    );
    let alive = world
        .store
        .claim_job("test", Uuid::now_v7(), LEASE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((alive.id, alive.attempts), (dead.id, 2));
    assert!(!world.store.finish_job(&dead).await.unwrap());
    assert!(!world.store.heartbeat_job(&dead, LEASE).await.unwrap());
    assert!(world.store.heartbeat_job(&alive, LEASE).await.unwrap());
    assert!(world.store.finish_job(&alive).await.unwrap());
    world.end().await;
}

#[tokio::test]
async fn a_job_whose_workers_always_die_is_reported_dead() {
    let world = World::new().await;
    enqueue(
        &world,
        &NewJob {
            max_attempts: 1,
            ..job("k", json!(1))
        },
    )
    .await;
    let claimed = world
        .store
        .claim_job("test", Uuid::now_v7(), Duration::ZERO)
        .await
        .unwrap()
        .unwrap();
    world.store.reap_jobs().await.unwrap();
    let untold = world.store.untold_jobs().await.unwrap();
    assert_eq!(
        untold.iter().map(|(job, _)| job.id).collect::<Vec<_>>(),
        [claimed.id]
    );
    assert!(untold[0].1.contains("every attempt"));
    world.store.job_told(claimed.id).await.unwrap();
    assert!(world.store.untold_jobs().await.unwrap().is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_waiting_job_is_merged_and_postponed_within_bounds() {
    let world = World::new().await;
    let waiting = NewJob {
        dedupe: Some("same".into()),
        delay: Duration::from_millis(200),
        ..job("k", json!(1))
    };
    let first = enqueue(&world, &waiting).await;
    assert_eq!(enqueue(&world, &waiting).await, first);
    assert!(
        world
            .store
            .claim_job("test", Uuid::now_v7(), LEASE)
            .await
            .unwrap()
            .is_none(),
        "not due yet"
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    let claimed = world
        .store
        .claim_job("test", Uuid::now_v7(), LEASE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(claimed.id, first);
    assert_ne!(
        enqueue(&world, &waiting).await,
        first,
        "a running job no longer takes in new work"
    );
    world.end().await;
}

#[tokio::test]
async fn enqueueing_wakes_a_listener() {
    let world = World::new().await;
    let mut listener = world.store.listen("plumbline_jobs").await.unwrap();
    enqueue(&world, &job("k", json!(1))).await;
    let note = tokio::time::timeout(Duration::from_secs(20), listener.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(note.payload(), "test");
    world.end().await;
}
