//! Turns, order, take-over and delivery.

use std::time::Duration;

use plumbline_server::simulator::graph::{Customer, Step};
use serde_json::json;

use crate::support::{CUSTOMER, Server};

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_quick_succession_are_one_turn() {
    let server = Server::with_faq().await;
    server.fake.customer_says(CUSTOMER, "Ama", "hello");
    server.fake.customer_says(CUSTOMER, "Ama", "how much is delivery");
    server.fake.customer_says(CUSTOMER, "Ama", "to Tamale?");
    let replies = server.replies(1).await;
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert!(replies[0].contains("GHS 45"), "{replies:?}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follow_up_is_understood_from_what_was_said_before() {
    let server = Server::with_faq().await;
    server
        .fake
        .customer_says(CUSTOMER, "Ama", "When does the shop in Kumasi open on weekdays?");
    server.replies(1).await;
    server.fake.customer_says(CUSTOMER, "Ama", "and on Saturdays?");
    let replies = server.replies(2).await;
    assert!(
        replies[0].contains("08:30") && replies[1].contains("09:00"),
        "{replies:?}"
    );
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_person_gets_one_and_the_bot_stays_silent() {
    let server = Server::with_faq().await;
    server
        .fake
        .customer_says(CUSTOMER, "Ama", "I want to talk to a person please");
    let replies = server.replies(1).await;
    assert!(replies[0].contains("person"), "{replies:?}");
    server
        .fake
        .customer_says(CUSTOMER, "Ama", "How much is delivery to Tamale?");
    server.fake.settled().await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    server.idle().await;
    assert_eq!(
        server.fake.messages().len(),
        1,
        "a person owns the conversation now"
    );
    server
        .fake
        .customer_says("233200000002", "Kofi", "How much is delivery to Tamale?");
    let replies = server.replies(2).await;
    assert!(
        replies[1].contains("GHS 45"),
        "others are still served: {replies:?}"
    );
    let (_, waiting) = server.get("/v1/conversations").await;
    let id = waiting["conversations"][0]["id"].as_str().unwrap();
    let (status, _) = server
        .post(&format!("/v1/conversations/{id}/release"), &json!({}))
        .await;
    assert_eq!(status, reqwest::StatusCode::NO_CONTENT);
    server
        .fake
        .customer_says(CUSTOMER, "Ama", "What warranty has the battery?");
    let replies = server.replies(3).await;
    assert!(
        replies[2].contains("24 months"),
        "the bot has it back: {replies:?}"
    );
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_gets_no_reply_and_a_customer_without_a_phone_number_gets_one() {
    let server = Server::with_faq().await;
    let hidden = Customer::with_user_id("GH.13491208655302741918", "Esi");
    server.fake.customer_sends(
        &hidden,
        json!({ "type": "reaction", "reaction": { "message_id": "wamid.x", "emoji": "👍" } }),
    );
    server.fake.customer_sends(
        &hidden,
        json!({ "type": "text", "text": { "body": "warranty of the battery?" } }),
    );
    let replies = server.replies(1).await;
    assert_eq!(replies.len(), 1);
    assert!(replies[0].contains("24 months"), "{replies:?}");
    assert_eq!(server.fake.messages()[0].customer, "GH.13491208655302741918");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_the_bot_says_so_once_and_answers_again_when_switched_on() {
    let server = Server::with_faq().await;
    let switch = async |on: bool| {
        let mut tx = server.app.store.tenant(server.tenant).await.unwrap();
        let mut settings = tx.settings().await.unwrap().settings;
        settings.conversation.bot_enabled = on;
        tx.save_settings(&settings, "kill switch").await.unwrap();
        tx.commit().await.unwrap();
    };
    let ask = || {
        server
            .fake
            .customer_says(CUSTOMER, "Ama", "How much is delivery to Tamale?")
    };
    switch(false).await;
    ask();
    server.replies(1).await;
    ask();
    server.fake.settled().await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    server.idle().await;
    assert_eq!(server.fake.messages().len(), 1, "the notice is given once");
    switch(true).await;
    ask();
    assert!(server.replies(2).await[1].contains("GHS 45"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_without_words_goes_to_a_person() {
    let server = Server::with_faq().await;
    let ama = Customer::with_phone(CUSTOMER, "Ama");
    let picture =
        json!({ "type": "image", "image": { "id": "1", "mime_type": "image/jpeg", "sha256": "x" } });
    server.fake.customer_sends(&ama, picture);
    let replies = server.replies(1).await;
    assert!(replies[0].contains("person"), "{replies:?}");
    server.fake.customer_says(CUSTOMER, "Ama", "did you see it?");
    server.fake.settled().await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    server.idle().await;
    assert_eq!(server.fake.messages().len(), 1);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_send_is_repeated_and_an_unknown_one_is_settled_by_its_status() {
    let server = Server::with_faq().await;
    let question = "How much is delivery to Tamale?";
    // refused twice for rate, accepted but the answer is lost, then a server error that may or may not have sent it
    server.fake.script([
        Step::Refuse {
            status: 429,
            code: 130_429,
            retry_after: Some(1),
        },
        Step::refuse(131_056),
        Step::AcceptThenDrop,
    ]);
    server.fake.customer_says(CUSTOMER, "Ama", question);
    let replies = server.replies(1).await;
    tokio::time::sleep(server.app.work.ambiguous_grace + Duration::from_millis(500)).await;
    server.idle().await;
    assert_eq!(
        server.fake.messages().len(),
        1,
        "the lost answer was settled by the status: {replies:?}"
    );

    server.fake.script([Step::NoBody(500)]);
    server.fake.customer_says("233200000002", "Kofi", question);
    server.replies(2).await;
    assert_eq!(
        server.fake.messages().len(),
        2,
        "nothing came back, so after the grace it was sent once more"
    );
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_parks_the_channel_and_nothing_is_lost() {
    let server = Server::with_faq().await;
    server.fake.script([Step::Refuse {
        status: 401,
        code: 190,
        retry_after: None,
    }]);
    server
        .fake
        .customer_says(CUSTOMER, "Ama", "How much is delivery to Tamale?");
    let channel = async || {
        let mut tx = server.app.store.system().await.unwrap();
        tx.ensure_channel(server.tenant, crate::support::NUMBER, "")
            .await
            .unwrap()
    };
    server
        .eventually("the channel is parked", async || {
            channel().await.parked_reason.is_some()
        })
        .await;
    let parked = channel().await;
    assert!(
        !parked
            .parked_reason
            .unwrap()
            .contains(crate::support::ACCESS_TOKEN)
    );
    assert!(server.fake.messages().is_empty());
    let mut tx = server.app.store.tenant(server.tenant).await.unwrap();
    tx.park_channel(parked.id, None).await.unwrap();
    tx.hurry_jobs("send").await.unwrap();
    tx.commit().await.unwrap();
    assert!(server.replies(1).await[0].contains("GHS 45"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_answers_from_the_phone_takes_over() {
    let server = Server::with_faq().await;
    server.fake.customer_says(CUSTOMER, "Ama", "hi");
    server.replies(1).await;
    let echo = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": [{ "field": "smb_message_echoes", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "1", "phone_number_id": crate::support::NUMBER },
            "message_echoes": [{ "from": "1", "to": CUSTOMER, "id": "wamid.echo", "timestamp": "1793000000",
                                 "type": "text", "text": { "body": "I will call you" } }],
        }}]}],
    });
    let body = serde_json::to_vec(&echo).unwrap();
    let signature = plumbline_server::whatsapp::signature::sign(crate::support::APP_SECRET.as_bytes(), &body);
    let posted = server
        .http
        .post(format!("{}/webhook", server.address))
        .header("x-hub-signature-256", signature);
    assert!(posted.body(body).send().await.unwrap().status().is_success());
    server.idle().await;
    server
        .fake
        .customer_says(CUSTOMER, "Ama", "How much is delivery to Tamale?");
    server.fake.settled().await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    server.idle().await;
    assert_eq!(
        server.fake.messages().len(),
        1,
        "the bot does not answer into a person's conversation"
    );
    server.end().await;
}
