//! What the webhook accepts, refuses and stores.

use plumbline_server::whatsapp::signature::sign;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{APP_SECRET, CUSTOMER, FAQ, NUMBER, Server, reply};

fn body(wamid: &str, text: &str) -> Vec<u8> {
    serde_json::to_vec(&json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": NUMBER },
            "contacts": [{ "profile": { "name": "Ama" }, "wa_id": CUSTOMER }],
            "messages": [{ "from": CUSTOMER, "id": wamid, "timestamp": "1793000000", "type": "text",
                           "text": { "body": text } }],
        }}]}],
    }))
    .unwrap()
}

impl Server {
    async fn webhook(&self, body: Vec<u8>, signature: Option<String>) -> StatusCode {
        let mut request = self.http.post(format!("{}/webhook", self.address)).body(body);
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        reply(request).await.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handshake_repeats_the_challenge_for_the_right_word_only() {
    let server = Server::start().await;
    let ask = async |token: &str| {
        let query = [
            ("hub.mode", "subscribe"),
            ("hub.verify_token", token),
            ("hub.challenge", "4711"),
        ];
        let response = server
            .http
            .get(format!("{}/webhook", server.address))
            .query(&query)
            .send()
            .await
            .unwrap();
        (response.status(), response.text().await.unwrap())
    };
    assert_eq!(ask("a verify token").await, (StatusCode::OK, "4711".to_owned()));
    assert_eq!(ask("another").await.0, StatusCode::FORBIDDEN);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_or_wrongly_signed_body_is_refused_and_leaves_no_row() {
    let server = Server::start().await;
    let good = body("wamid.1", "hello");
    for signature in [
        None,
        Some("sha256=00".to_owned()),
        Some(sign(b"another secret", &good)),
        Some("é".repeat(40)),
    ] {
        assert_eq!(
            server.webhook(good.clone(), signature).await,
            StatusCode::UNAUTHORIZED
        );
    }
    let mut changed = good.clone();
    changed.push(b' ');
    assert_eq!(
        server
            .webhook(changed, Some(sign(APP_SECRET.as_bytes(), &good)))
            .await,
        StatusCode::UNAUTHORIZED
    );
    let mut tx = server.app.store.system().await.unwrap();
    assert_eq!(tx.count_inbound_events().await.unwrap(), 0);
    drop(tx);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_body_that_cannot_be_read_is_kept_and_acknowledged() {
    let server = Server::start().await;
    for odd in [
        b"not json".to_vec(),
        b"{}".to_vec(),
        b"[1]".to_vec(),
        vec![0xff, 0xfe],
    ] {
        let signature = sign(APP_SECRET.as_bytes(), &odd);
        assert_eq!(server.webhook(odd, Some(signature)).await, StatusCode::OK);
    }
    let mut tx = server.app.store.system().await.unwrap();
    assert_eq!(tx.count_inbound_events().await.unwrap(), 4);
    drop(tx);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_posted_three_times_and_rebatched_gets_one_answer() {
    let server = Server::start().await;
    server.upload_ready("faq.md", FAQ).await;
    let wamid = server
        .fake
        .customer_says(CUSTOMER, "Ama", "How much is delivery to Tamale?");
    assert!(server.fake.post_again(&wamid) && server.fake.post_again(&wamid));
    let replies = server.replies(1).await;
    assert!(server.fake.post_again(&wamid) && server.fake.post_rebatched(&[&wamid]));
    let second = server
        .fake
        .customer_says(CUSTOMER, "Ama", "What warranty has the battery?");
    assert!(server.fake.post_rebatched(&[&second, &wamid]));
    let all = server.replies(2).await;
    assert!(replies[0].contains("GHS 45"), "{replies:?}");
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[1].contains("24 months"), "{all:?}");
    server.end().await;
}
