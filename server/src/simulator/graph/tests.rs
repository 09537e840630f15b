//! The Graph client against the fake server, and the fake server against a small webhook receiver.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as AxumState;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chrono::TimeZone;
use plumbline_store::ElementKind;
use serde_json::{Value, json};

use super::*;
use crate::whatsapp::content::message_text;
use crate::whatsapp::errors::Disposition::{self, *};
use crate::whatsapp::graph::{GraphClient, Recipient, http_client};
use crate::whatsapp::{parse, signature};

const SECRET: &str = "app-secret";
const TOKEN: &str = "token-7f3a";
const NUMBER: &str = "106540352242922";
const ADA: &str = "491700000001";

/// A webhook that checks signatures and keeps bodies; while it is down it answers 503.
#[derive(Default)]
struct Received {
    down: AtomicBool,
    bodies: Mutex<Vec<Vec<u8>>>,
}

impl Received {
    fn bodies(&self) -> Vec<Vec<u8>> {
        self.bodies.lock().unwrap().clone()
    }

    fn elements(&self) -> Vec<plumbline_store::NewElement> {
        self.bodies()
            .iter()
            .flat_map(|body| parse::elements(body).elements)
            .collect()
    }

    fn texts(&self) -> Vec<String> {
        let texts = self
            .elements()
            .into_iter()
            .filter(|element| element.kind == ElementKind::Message);
        texts
            .filter_map(|element| message_text(&element.payload).words().map(str::to_owned))
            .collect()
    }

    fn statuses(&self) -> Vec<String> {
        let statuses = self
            .elements()
            .into_iter()
            .filter(|element| element.kind == ElementKind::Status);
        statuses
            .map(|element| element.payload["status"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn webhook(received: AxumState<Arc<Received>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if received.down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let header = headers
        .get(signature::HEADER)
        .and_then(|value| value.to_str().ok());
    if signature::verify(SECRET.as_bytes(), &body, header).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    received.bodies.lock().unwrap().push(body.to_vec());
    StatusCode::OK
}

async fn serve(router: Router) -> Url {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

struct World {
    fake: FakeGraph,
    received: Arc<Received>,
    client: GraphClient,
}

fn clock() -> DateTime<Utc> {
    Utc.timestamp_opt(1_794_787_200, 0).unwrap()
}

fn options(webhook_url: Url) -> FakeGraphOptions {
    let secret = |text: &str| Secret::presented(text);
    let options = FakeGraphOptions::new(webhook_url, secret(SECRET), NUMBER, secret(TOKEN));
    FakeGraphOptions {
        status_delays: StatusDelays::NONE,
        clock,
        ..options
    }
}

fn client(base_url: Url, token: &str) -> GraphClient {
    // the binary does this once; whichever test comes first does it here
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = http_client(&base_url).unwrap();
    GraphClient::new(http, base_url, "v23.0", Secret::presented(token))
}

async fn world() -> World {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let received = Arc::new(Received::default());
    let webhook_url = serve(
        Router::new()
            .route("/", post(webhook))
            .with_state(received.clone()),
    )
    .await;
    let fake = FakeGraph::start(options(webhook_url)).await.unwrap();
    let client = client(fake.base_url(), TOKEN);
    World {
        fake,
        received,
        client,
    }
}

fn ada() -> Recipient {
    Recipient::Phone(ADA.to_owned())
}

#[tokio::test]
async fn a_text_is_accepted_and_its_signed_statuses_follow() {
    let world = world().await;
    let asked = world.fake.customer_says(ADA, "Ada", "How much?");
    let sent = world
        .client
        .send_text(NUMBER, &ada(), "It costs 5 €", "part-1", Some(&asked))
        .await
        .unwrap();
    world.fake.settled().await;

    let [message] = &world.fake.messages()[..] else {
        panic!("one message was sent")
    };
    assert_eq!(
        (&message.wamid, message.text.as_str()),
        (&sent.wamid, "It costs 5 €")
    );
    assert_eq!(message.customer, ADA);
    assert_eq!(message.reply_to.as_ref(), Some(&asked));
    assert_eq!(message.callback.as_deref(), Some("part-1"));
    assert_eq!(message.statuses, ["sent", "delivered", "read"]);

    assert_eq!(world.received.texts(), ["How much?"]);
    assert_eq!(world.received.statuses(), ["sent", "delivered", "read"]);
    for element in world
        .received
        .elements()
        .iter()
        .filter(|element| element.kind == ElementKind::Status)
    {
        assert_eq!(element.payload["id"], json!(sent.wamid));
        assert_eq!(element.payload["biz_opaque_callback_data"], "part-1");
        assert_eq!(element.payload["recipient_id"], ADA);
        assert_eq!(
            (element.phone_number_id.as_str(), element.occurred_at),
            (NUMBER, Some(clock()))
        );
    }
}

#[tokio::test]
async fn every_refusal_has_its_disposition_and_sends_nothing() {
    let world = world().await;
    let slow_down = Step::Refuse {
        status: 429,
        code: 80_007,
        retry_after: Some(3),
    };
    let table: [(Step, Disposition, Option<i32>, Option<u64>); 13] = [
        (Step::refuse(130_429), RetryAfterBackoff, Some(130_429), None),
        (slow_down, RetryAfterBackoff, Some(80_007), Some(3)),
        (Step::refuse(131_056), RetryThisRecipient, Some(131_056), Some(16)),
        (Step::refuse(131_047), NeedsTemplate, Some(131_047), None),
        (Step::refuse(190), Park, Some(190), None),
        (Step::refuse(368), Park, Some(368), None),
        (Step::refuse(131_026), Permanent, Some(131_026), None),
        (Step::refuse(131_016), RetryAfterBackoff, Some(131_016), None),
        (Step::refuse(424_242), Permanent, Some(424_242), None),
        (Step::NoBody(500), Ambiguous, None, None),
        (Step::NoBody(503), Ambiguous, None, None),
        (Step::NoBody(429), RetryAfterBackoff, None, None),
        (Step::Drop, Ambiguous, None, None),
    ];
    for (step, disposition, code, wait) in table {
        world.fake.script([step.clone()]);
        let error = world
            .client
            .send_text(NUMBER, &ada(), "hi", "p", None)
            .await
            .unwrap_err();
        assert_eq!(
            (error.disposition, error.code),
            (disposition, code),
            "{step:?}: {error}"
        );
        assert_eq!(error.wait(2), wait.map(Duration::from_secs), "{step:?}");
        assert!(!error.message.is_empty());
    }
    assert!(world.fake.messages().is_empty());
    world
        .client
        .send_text(NUMBER, &ada(), "hi", "p", None)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_message_may_arrive_although_the_client_heard_nothing() {
    let world = world().await;
    let hasty = world.client.clone().with_timeout(Duration::from_millis(200));
    for (step, client) in [
        (Step::AcceptThenDrop, &world.client),
        (Step::Delay(Duration::from_mins(1)), &hasty),
    ] {
        world.fake.script([step]);
        let error = client
            .send_text(NUMBER, &ada(), "hi", "part-9", None)
            .await
            .unwrap_err();
        assert_eq!(error.disposition, Ambiguous, "{error}");
        world.fake.settled().await;
        let sent = world.fake.messages().pop().unwrap();
        assert_eq!(
            (sent.callback.as_deref(), sent.statuses.len()),
            (Some("part-9"), 3)
        );
    }
    assert_eq!(world.fake.messages().len(), 2);
    assert_eq!(world.received.statuses().len(), 6);
    tokio::time::timeout(Duration::from_secs(5), world.fake.stop())
        .await
        .expect("a stop does not wait for the delay");
}

#[tokio::test]
async fn a_refused_connection_means_not_sent() {
    let world = world().await;
    world.fake.stop().await;
    let error = world
        .client
        .send_text(NUMBER, &ada(), "hi", "p", None)
        .await
        .unwrap_err();
    assert_eq!((error.disposition, error.code), (RetryAfterBackoff, None));
    let nowhere = client("http://127.0.0.1:1/".parse().unwrap(), TOKEN);
    let error = nowhere.mark_read_and_typing(NUMBER, "wamid.A").await.unwrap_err();
    assert_eq!(error.disposition, RetryAfterBackoff, "{error}");
    let absurd = client("mailto:nobody".parse().unwrap(), TOKEN);
    let error = absurd
        .send_text(NUMBER, &ada(), "hi", "p", None)
        .await
        .unwrap_err();
    assert!(error.message.contains("no address"), "{error}");
}

#[tokio::test]
async fn calls_are_checked_as_meta_checks_them() {
    let world = world().await;
    let send = async |client: &GraphClient, number: &str, to: &str, text: &str, callback: &str| {
        let to = Recipient::Phone(to.to_owned());
        let error = client
            .send_text(number, &to, text, callback, None)
            .await
            .unwrap_err();
        (error.disposition, error.code.unwrap())
    };
    let stranger = client(world.fake.base_url(), "another");
    assert_eq!(send(&stranger, NUMBER, ADA, "hi", "p").await, (Park, 190));
    assert_eq!(send(&world.client, "999", ADA, "hi", "p").await, (Permanent, 100));
    assert_eq!(
        send(&world.client, "../me", ADA, "hi", "p").await,
        (Permanent, 100)
    );
    assert_eq!(
        send(&world.client, NUMBER, ADA, &"a".repeat(4_097), "p").await,
        (Permanent, 100)
    );
    assert_eq!(
        send(&world.client, NUMBER, ADA, "", "p").await,
        (Permanent, 131_008)
    );
    assert_eq!(
        send(&world.client, NUMBER, "nobody", "hi", "p").await,
        (Permanent, 131_009)
    );
    assert_eq!(
        send(&world.client, NUMBER, ADA, "hi", &"p".repeat(513)).await,
        (Permanent, 100)
    );
    let error = world
        .client
        .mark_read_and_typing(NUMBER, "wamid.unknown")
        .await
        .unwrap_err();
    assert_eq!(error.code, Some(131_009));
    assert!(world.fake.messages().is_empty() && world.fake.history().is_empty());
}

#[tokio::test]
async fn statuses_can_be_early_late_twice_or_bad() {
    let world = world().await;
    world.fake.script([
        Step::Statuses(vec!["read", "sent", "delivered", "delivered"]),
        Step::FailLater(131_047),
        Step::StatusesFirst,
    ]);
    for callback in ["odd", "failing"] {
        world
            .client
            .send_text(NUMBER, &ada(), "hi", callback, None)
            .await
            .unwrap();
        world.fake.settled().await;
    }
    assert_eq!(
        world.received.statuses(),
        ["read", "sent", "delivered", "delivered", "failed"]
    );
    let failed = world.received.elements().pop().unwrap();
    assert_eq!(failed.payload["errors"][0]["code"], 131_047);
    world
        .client
        .send_text(NUMBER, &ada(), "hi", "early", None)
        .await
        .unwrap();
    assert_eq!(
        world.received.statuses().len(),
        8,
        "they were there before the answer"
    );
}

#[tokio::test]
async fn the_same_message_comes_again_in_the_same_and_in_another_body() {
    let world = world().await;
    let first = world.fake.customer_says(ADA, "Ada", "one");
    let second = world.fake.customer_says(ADA, "Ada", "two");
    assert!(world.fake.post_again(&first));
    assert!(world.fake.post_rebatched(&[&second, &first]));
    assert!(
        !world.fake.post_again("wamid.unknown") && !world.fake.post_rebatched(&[&first, "wamid.unknown"])
    );
    world.fake.settled().await;

    let bodies = world.received.bodies();
    assert_eq!(bodies.len(), 4);
    assert_eq!(bodies[0], bodies[2]);
    let ids: Vec<String> = world
        .received
        .elements()
        .into_iter()
        .map(|element| element.external_id)
        .collect();
    assert_eq!(ids, [&first, &second, &first, &second, &first].map(String::clone));
    let batch: Value = serde_json::from_slice(&bodies[3]).unwrap();
    assert_eq!(
        batch["entry"][0]["changes"][0]["value"]["contacts"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn webhooks_wait_for_the_server_and_keep_their_order() {
    let world = world().await;
    world.received.down.store(true, Ordering::SeqCst);
    for text in ["one", "two", "three"] {
        world.fake.customer_says(ADA, "Ada", text);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(world.received.bodies().is_empty());
    world.received.down.store(false, Ordering::SeqCst);
    world.fake.settled().await;
    assert_eq!(world.received.texts(), ["one", "two", "three"]);
}

#[tokio::test]
async fn a_webhook_that_never_answers_is_given_up_or_cut_short_by_a_stop() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let nowhere: Url = "http://127.0.0.1:1/".parse().unwrap();
    let impatient = FakeGraphOptions {
        patience: Duration::from_millis(120),
        ..options(nowhere.clone())
    };
    let fake = FakeGraph::start(impatient).await.unwrap();
    fake.customer_says(ADA, "Ada", "anybody?");
    tokio::time::timeout(Duration::from_secs(5), fake.settled())
        .await
        .expect("given up");
    let patient = FakeGraph::start(options(nowhere)).await.unwrap();
    patient.customer_says(ADA, "Ada", "anybody?");
    tokio::time::timeout(Duration::from_secs(5), patient.stop())
        .await
        .expect("stopped");
    tokio::time::timeout(Duration::from_secs(5), patient.settled())
        .await
        .expect("nothing is on its way any more");
}

#[tokio::test]
async fn a_page_sees_the_chat_as_it_happens_and_after_a_reload() {
    let world = world().await;
    let mut events = world.fake.subscribe();
    let asked = world.fake.customer_says(ADA, "Ada", "How much?");
    world.client.mark_read_and_typing(NUMBER, &asked).await.unwrap();
    world
        .client
        .send_text(NUMBER, &ada(), "5 €", "part-1", None)
        .await
        .unwrap();
    world.fake.settled().await;
    world.fake.customer_says("491700000002", "Grace", "Hello");

    let mut live = Vec::new();
    while let Ok(event) = events.try_recv() {
        live.push(serde_json::to_value(event).unwrap());
    }
    let kinds: Vec<&str> = live.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    let expected = [
        "customer_message",
        "read",
        "typing",
        "business_message",
        "status",
        "status",
        "status",
    ];
    assert_eq!(kinds, [&expected[..], &["customer_message"]].concat());
    assert_eq!(live[0]["text"], "How much?");
    assert_eq!(live[3]["callback"], "part-1");

    let typing = live.remove(2);
    assert_eq!(
        (&typing["customer"], &typing["wamid"]),
        (&json!(ADA), &json!(asked))
    );
    let history: Vec<Value> = world
        .fake
        .history()
        .iter()
        .map(|event| serde_json::to_value(event).unwrap())
        .collect();
    assert_eq!(history, live, "the history is the stream without the fleeting");
    assert_eq!(world.fake.chat(ADA).len(), 6);
}

#[tokio::test]
async fn a_customer_without_a_number_is_reached_by_user_id() {
    let world = world().await;
    let grace = Customer::with_user_id("US.77", "Grace");
    world.fake.customer_sends(
        &grace,
        json!({ "type": "image", "image": { "id": "1", "caption": "this" } }),
    );
    world.fake.settled().await;
    let element = world.received.elements().pop().unwrap();
    assert_eq!(element.sender.as_deref(), Some("US.77"));
    let aliases = parse::aliases(&element.payload, element.contact.as_ref());
    let to = Recipient::of(&aliases).unwrap();
    world
        .client
        .send_text(NUMBER, &to, "I see", "part-1", None)
        .await
        .unwrap();
    world.fake.settled().await;
    assert_eq!(world.fake.messages()[0].customer, "US.77");
    assert_eq!(world.received.statuses(), ["sent", "delivered", "read"]);

    // somebody whose number is known is one person, however addressed
    let ada = Customer::with_phone(ADA, "Ada");
    world.fake.customer_says(ADA, "Ada", "hi");
    let by_id = Recipient::UserId(ada.user_id.unwrap());
    world
        .client
        .send_text(NUMBER, &by_id, "hi", "part-2", None)
        .await
        .unwrap();
    assert_eq!(world.fake.messages()[1].customer, ADA);
}

#[tokio::test]
async fn the_token_is_in_no_error_and_goes_to_no_other_address() {
    let quoting = || async {
        let words = format!("Malformed access token {TOKEN}");
        (
            StatusCode::UNAUTHORIZED,
            axum::Json(json!({ "error": { "message": words, "code": 190 } })),
        )
    };
    let quoting = client(serve(Router::new().fallback(quoting)).await, TOKEN);
    let error = quoting
        .send_text(NUMBER, &ada(), "hi", "p", None)
        .await
        .unwrap_err();
    assert!(error.message.contains("Malformed access token …"), "{error}");
    assert!(!format!("{error:?} {error} {quoting:?}").contains(TOKEN));

    let world = world().await;
    let elsewhere = format!("{}v23.0/{NUMBER}/messages", world.fake.base_url());
    let moved = move || async move { (StatusCode::TEMPORARY_REDIRECT, [("location", elsewhere)]) };
    let moved = client(serve(Router::new().fallback(moved)).await, TOKEN);
    let error = moved
        .send_text(NUMBER, &ada(), "hi", "p", None)
        .await
        .unwrap_err();
    assert_eq!(error.disposition, Park);
    assert!(world.fake.messages().is_empty());
}

#[tokio::test]
async fn an_unreadable_success_is_ambiguous() {
    for body in [
        "",
        "OK",
        "{}",
        r#"{"messages":[]}"#,
        r#"{"messages":[{"id":""}]}"#,
    ] {
        let odd = client(
            serve(Router::new().fallback(move || async move { body })).await,
            TOKEN,
        );
        let error = odd.send_text(NUMBER, &ada(), "hi", "p", None).await.unwrap_err();
        assert_eq!(error.disposition, Ambiguous, "{body:?}");
    }
}
