//! From a stored webhook to a part that was delivered.

use std::time::Duration;

use chrono::{DateTime, Utc};
use plumbline_store::{
    Aliases, ElementKind, NewAnswer, NewElement, StatusReport, Stored, TURN_QUEUE, Turn, VersionState,
};
use serde_json::json;
use uuid::Uuid;

use crate::support::World;

fn message(id: &str, second: i64) -> NewElement {
    NewElement {
        phone_number_id: "111".into(),
        kind: ElementKind::Message,
        external_id: id.into(),
        sender: Some("233200000001".into()),
        payload: json!({"id": id, "type": "text", "text": {"body": id}}),
        contact: None,
        occurred_at: DateTime::<Utc>::from_timestamp(1_700_000_000 + second, 0),
    }
}

async fn channel(world: &World) -> Uuid {
    let mut tx = world.store.system().await.unwrap();
    let channel = tx.ensure_channel(world.ours, "111", "+233 111").await.unwrap();
    assert!(
        tx.ensure_channel(world.theirs, "111", "").await.is_err(),
        "a number has one owner"
    );
    tx.commit().await.unwrap();
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let mut settings = plumbline_store::Settings::default();
    settings.conversation.debounce_ms = 0;
    tx.save_settings(&settings, "no waiting in tests").await.unwrap();
    tx.commit().await.unwrap();
    channel.id
}

async fn next_turn(world: &World) -> Option<Turn> {
    let job = world
        .store
        .claim_job(TURN_QUEUE, Uuid::now_v7(), Duration::from_secs(30))
        .await
        .unwrap()?;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let channel = serde_json::from_value(job.payload["channel_id"].clone()).unwrap();
    let pending = tx
        .pending_messages(channel, job.payload["sender"].as_str().unwrap())
        .await
        .unwrap();
    let contact = tx
        .resolve_contact(
            &Aliases {
                phone: Some("233200000001".into()),
                ..Aliases::default()
            },
            "Ama",
        )
        .await
        .unwrap();
    let conversation = tx.ensure_conversation(channel, contact).await.unwrap();
    let turn = tx.open_turn(&job, &conversation, &pending).await.unwrap();
    tx.commit().await.unwrap();
    world.store.finish_job(&job).await.unwrap();
    Some(turn)
}

fn reply(turn: &Turn, text: &str) -> NewAnswer {
    NewAnswer {
        id: Uuid::now_v7(),
        conversation_id: Some(turn.conversation.id),
        turn_id: Some(turn.id),
        question: "q".into(),
        outcome: "answered".into(),
        route: "commodity".into(),
        reason: None,
        text: text.into(),
        confidence: 0.9,
        record: json!({}),
        settings_version: 1,
        model: "extractive".into(),
        input_tokens: 0,
        output_tokens: 0,
        total_ms: 1.0,
        citations: vec![],
    }
}

#[tokio::test]
async fn a_body_repeated_or_rebatched_is_stored_once_and_makes_one_turn_in_the_customers_order() {
    let world = World::new().await;
    channel(&world).await;
    let (a, b, c) = (
        message("wamid.a", 1),
        message("wamid.b", 2),
        message("wamid.c", 3),
    );
    let foreign = NewElement {
        phone_number_id: "999".into(),
        ..message("wamid.x", 1)
    };
    let first = world
        .store
        .store_webhook(b"1", &[b.clone(), a.clone(), foreign], None)
        .await
        .unwrap();
    assert_eq!(
        first,
        Stored {
            fresh: 2,
            repeated: 0,
            unrouted: 1
        }
    );
    let again = world.store.store_webhook(b"2", &[a, c, b], None).await.unwrap();
    assert_eq!(
        again,
        Stored {
            fresh: 1,
            repeated: 2,
            unrouted: 0
        }
    );

    let turn = next_turn(&world).await.unwrap();
    let order: Vec<&str> = turn.messages.iter().map(|m| m.external_id.as_str()).collect();
    assert_eq!(order, ["wamid.a", "wamid.b", "wamid.c"]);
    assert!(next_turn(&world).await.is_none(), "one turn for all");
    world.end().await;
}

#[tokio::test]
async fn a_turn_has_one_answer_and_memory_reads_in_order() {
    let world = World::new().await;
    channel(&world).await;
    world
        .store
        .store_webhook(b"1", &[message("wamid.a", 1)], None)
        .await
        .unwrap();
    let turn = next_turn(&world).await.unwrap();
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    tx.insert_answer(&reply(&turn, "first reply")).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let error = tx.insert_answer(&reply(&turn, "second reply")).await.unwrap_err();
    assert_eq!(error.constraint(), Some("answers_turn_unique"));
    drop(tx);

    world
        .store
        .store_webhook(b"2", &[message("wamid.b", 2)], None)
        .await
        .unwrap();
    let later = next_turn(&world).await.unwrap();
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let said = tx
        .said_before(later.conversation.id, Some(later.id), 10)
        .await
        .unwrap();
    assert_eq!(said[0].payload.as_ref().unwrap()["id"], "wamid.a");
    assert_eq!(said[1].reply.as_deref(), Some("first reply"));
    assert_eq!(said.len(), 2, "the turn itself is not its own memory");
    drop(tx);
    world.end().await;
}

#[tokio::test]
async fn what_comes_together_is_one_contact_and_two_contacts_become_one() {
    let world = World::new().await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let alias = |phone: Option<&str>, user: Option<&str>| Aliases {
        phone: phone.map(Into::into),
        user_id: user.map(Into::into),
        parent_user_id: None,
    };
    let by_phone = tx.resolve_contact(&alias(Some("1"), None), "Ama").await.unwrap();
    let by_user = tx
        .resolve_contact(&alias(None, Some("GH.1")), "Ama")
        .await
        .unwrap();
    assert_ne!(by_phone, by_user);
    let both = tx
        .resolve_contact(&alias(Some("1"), Some("GH.1")), "Ama")
        .await
        .unwrap();
    assert_eq!(both, by_phone);
    assert_eq!(
        tx.resolve_contact(&alias(None, Some("GH.1")), "").await.unwrap(),
        by_phone
    );
    drop(tx);
    world.end().await;
}

#[tokio::test]
async fn a_status_may_come_before_the_send_is_noted_and_never_lowers() {
    let world = World::new().await;
    channel(&world).await;
    world
        .store
        .store_webhook(b"1", &[message("wamid.a", 1)], None)
        .await
        .unwrap();
    let turn = next_turn(&world).await.unwrap();
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let answer = reply(&turn, "hello");
    tx.insert_answer(&answer).await.unwrap();
    tx.send_parts(turn.conversation.id, Some(answer.id), 0, &["hello".into()])
        .await
        .unwrap();
    let part = tx.parts(turn.conversation.id).await.unwrap()[0].id;
    tx.begin_send(part).await.unwrap();
    let status = |status: &'static str, part: Option<Uuid>| StatusReport {
        wamid: "wamid.out",
        part,
        status,
        at: None,
        error_code: None,
        error: None,
    };
    assert!(
        tx.apply_status(&status("delivered", Some(part))).await.unwrap(),
        "settles an unknown send"
    );
    assert!(tx.apply_status(&status("sent", None)).await.unwrap());
    tx.part_sent(part, "wamid.out").await.unwrap();
    let now = tx.lock_part(part).await.unwrap();
    assert_eq!(
        (now.state.as_str(), now.status.as_deref()),
        ("sent", Some("delivered"))
    );
    assert!(
        !tx.apply_status(&StatusReport {
            wamid: "wamid.stranger",
            ..status("read", None)
        })
        .await
        .unwrap()
    );
    drop(tx);
    world.end().await;
}

#[test]
fn states_have_one_name_everywhere() {
    for state in [
        VersionState::Received,
        VersionState::ReadyWithWarnings,
        VersionState::Failed,
    ] {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}
