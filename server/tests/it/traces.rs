//! Traces: which are kept, how they are found, and what becomes of them when they are asked again.

use plumbline_server::app::App;
use plumbline_store::Settings;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{CUSTOMER, Server, reply};

const DELIVERY: &str = "What does delivery to Tamale cost?";
const NOT_HERE: &str = "Which insurance covers a flight to Lisbon next Thursday?";

/// The server's settings with another share of traces.
async fn sample(app: &App, tenant: Uuid, share: f32) {
    let mut tx = app.store.tenant(tenant).await.unwrap();
    let mut settings: Settings = tx.settings().await.unwrap().settings;
    settings.traces.sample = share;
    tx.save_settings(&settings, "sampling").await.unwrap();
    tx.commit().await.unwrap();
}

async fn traces(server: &Server, query: &str) -> Vec<Value> {
    let (status, body) = server.get(&format!("/v1/traces{query}")).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body["traces"].as_array().unwrap().clone()
}

async fn ask(server: &Server, body: Value) -> Value {
    let (status, answer) = server.post("/v1/answer", &body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_kept_and_what_was_not_answered_always() {
    let server = Server::with_faq().await;
    sample(&server.app, server.tenant, 0.0).await;
    let answered = server.answer(DELIVERY).await;
    let abstained = server.answer(NOT_HERE).await;
    assert_eq!(
        (&answered["outcome"], &abstained["outcome"]),
        (&json!("answered"), &json!("abstained"))
    );
    server.post("/v1/search", &json!({ "query": DELIVERY })).await;
    assert!(answered["trace_id"].is_null() && traces(&server, "").await.is_empty());

    // said explicitly, it is kept whatever the share
    let kept = ask(&server, json!({ "question": DELIVERY, "trace": true })).await;
    assert_eq!(kept["trace_id"], kept["id"]);
    let (_, found) = server
        .post("/v1/search", &json!({ "query": DELIVERY, "trace": true }))
        .await;
    assert!(found["trace_id"].is_string(), "{found}");
    assert_eq!(traces(&server, "").await.len(), 2);

    // as good as never, but what was not answered
    sample(&server.app, server.tenant, 1e-9).await;
    server.answer(DELIVERY).await;
    let abstained = server.answer(NOT_HERE).await;
    assert_eq!(abstained["trace_id"], abstained["id"]);
    assert_eq!(traces(&server, "").await.len(), 3);

    sample(&server.app, server.tenant, 1.0).await;
    let refused = ask(&server, json!({ "question": DELIVERY, "trace": false })).await;
    assert!(refused["trace_id"].is_null());
    server.fake.customer_says(CUSTOMER, "Ama", DELIVERY);
    server.replies(1).await;
    server
        .eventually("the trace of the turn is kept", async || {
            !traces(&server, "?source=whatsapp").await.is_empty()
        })
        .await;
    let turn = &traces(&server, "?source=whatsapp").await[0];
    assert_eq!(turn["question"], DELIVERY);
    let id = turn["id"].as_str().unwrap();
    assert_eq!(server.get(&format!("/v1/answers/{id}")).await.0, StatusCode::OK);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_shows_the_whole_way_and_is_found_by_what_is_known_of_it() {
    let server = Server::with_faq().await;
    let history = json!([{ "role": "customer", "text": "Do you deliver to Tamale?" }, { "role": "bot", "text": "Yes." }]);
    let answer = ask(
        &server,
        json!({ "question": DELIVERY, "history": history, "trace": true }),
    )
    .await;
    let id = answer["id"].as_str().unwrap();
    let (status, trace) = server.get(&format!("/v1/traces/{id}")).await;
    assert_eq!(status, StatusCode::OK, "{trace}");
    let record = &trace["record"];
    assert_eq!(record["schema_version"], 1);
    assert_eq!(record["history"], history);
    assert_eq!(
        record["settings"]["retrieval"]["lexical_weight"].to_string(),
        "0.25"
    );
    let search = &record["search"];
    let words = search["analysis"]["words"].as_array().unwrap();
    assert!(
        words
            .iter()
            .any(|word| word["text"] == "Tamale" || word["text"] == "tamale"),
        "{search}"
    );
    let best = &search["candidates"][0];
    assert!(
        best["lexical"]["rank"].is_u64() && best["vector"]["score"].is_f64(),
        "{best}"
    );
    assert_eq!(record["hits"][0], answer["hits"][0]["chunk_id"]);
    assert!(record["packed"][0]["text"].as_str().unwrap().contains("GHS 45"));
    assert_eq!(record["answer"]["text"], answer["text"]);
    assert_eq!(record["answer"]["outcome"], "answered");

    server
        .post(
            "/v1/search",
            &json!({ "query": "battery warranty", "trace": true }),
        )
        .await;
    for (query, expected) in [
        ("", 2),
        ("?words=TAMALE%20cost", 1),
        ("?words=tamale%20battery", 0),
        ("?source=search", 1),
        ("?outcome=answered", 1),
        ("?outcome=handed_off", 0),
        ("?document=faq.md", 2),
        ("?document=other.md", 0),
        ("?slower_than_ms=600000", 0),
        ("?since=2026-01-01&slower_than_ms=0", 2),
        ("?limit=1", 1),
    ] {
        assert_eq!(traces(&server, query).await.len(), expected, "{query}");
    }
    let (_, page) = server.get("/v1/traces?limit=1").await;
    let next = page["next"].as_str().unwrap();
    let (_, page) = server.get(&format!("/v1/traces?limit=1&before={next}")).await;
    assert_eq!(
        (&page["traces"][0]["id"], &page["next"]),
        (&json!(id), &Value::Null)
    );

    for (query, words) in [
        ("source=email", "`source`"),
        ("outcome=failed", "`outcome`"),
        ("slower_than_ms=slow", "`slower_than_ms`"),
        ("since=yesterday", "`since`"),
        ("limit=0", "`limit`"),
        ("before=7", "`before`"),
        ("words=a%00b", "`words`"),
        ("word=a", "word"),
    ] {
        let (status, body) = server.get(&format!("/v1/traces?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {body}");
        assert!(
            body["message"].as_str().unwrap().contains(words),
            "{query}: {body}"
        );
    }
    server.end().await;
}

/// An answer about delivery whose trace is kept, and a second document that says something near to it.
async fn traced(server: &Server) -> Value {
    server
        .upload_ready(
            "vans.md",
            "# Vans\n\nThe vans to Tamale leave on Mondays and carry parcels of customers.\n",
        )
        .await;
    ask(server, json!({ "question": DELIVERY, "trace": true })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_asked_again_on_what_was_live_then_or_is_live_now() {
    let server = Server::with_faq().await;
    let first = traced(&server).await;
    let id = first["id"].as_str().unwrap().to_owned();
    let replay = async |body: Value| {
        let (status, replayed) = server.post(&format!("/v1/traces/{id}/replay"), &body).await;
        assert_eq!(status, StatusCode::OK, "{replayed}");
        replayed
    };
    let same = replay(json!({})).await;
    assert_eq!(same["comparison"]["same_text"], true, "{same}");
    assert_eq!(same["comparison"]["same_passages"], true, "{same}");
    assert_eq!((&same["missing"], &same["against"]), (&json!(0), &json!("then")));

    let newer = crate::support::FAQ.replace("GHS 45", "GHS 60");
    server.upload_ready("faq.md", &newer).await;
    let then = replay(json!({ "against": "then" })).await;
    assert!(
        then["record"]["answer"]["text"]
            .as_str()
            .unwrap()
            .contains("GHS 45"),
        "{then}"
    );
    let now = replay(json!({ "against": "now" })).await;
    assert!(
        now["record"]["answer"]["text"]
            .as_str()
            .unwrap()
            .contains("GHS 60"),
        "{now}"
    );
    assert_eq!(now["comparison"]["same_text"], false);
    let passages = now["comparison"]["passages"].as_array().unwrap();
    assert!(passages.iter().any(|passage| passage["change"] == "new"), "{now}");
    assert!(
        passages.iter().any(|passage| passage["change"] == "gone"),
        "{now}"
    );
    // the new trace is one like any other, and can be asked again itself
    let new = then["trace_id"].as_str().unwrap();
    let (_, stored) = server.get(&format!("/v1/traces/{new}")).await;
    assert_eq!(
        (&stored["source"], &stored["record"]["replay"]["trace"]),
        (&json!("replay"), &json!(id))
    );
    let (_, again) = server.post(&format!("/v1/traces/{new}/replay"), &json!({})).await;
    assert_eq!(again["comparison"]["same_text"], true, "{again}");
    // nobody was answered by any of it
    assert_eq!(
        server.get(&format!("/v1/answers/{new}")).await.0,
        StatusCode::NOT_FOUND
    );

    let (_, current) = server.get("/v1/settings").await;
    let version = &current["version"];
    let with = replay(json!({ "against": "now", "settings_version": version })).await;
    assert_eq!(&with["settings_version"], version);
    let (status, body) = server
        .post(
            &format!("/v1/traces/{id}/replay"),
            &json!({ "settings_version": 99 }),
        )
        .await;
    assert!(
        status == StatusCode::BAD_REQUEST && body["message"].as_str().unwrap().contains("`settings_version`"),
        "{body}"
    );

    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_is_never_searched_again_not_even_as_it_was_then() {
    let server = Server::with_faq().await;
    let first = traced(&server).await;
    let (_, documents) = server.get("/v1/documents").await;
    let faq = documents["documents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|document| document["key"] == "faq.md");
    let faq = faq.unwrap()["id"].as_str().unwrap();
    let deleted = reply(server.request(Method::DELETE, &format!("/v1/documents/{faq}"))).await;
    assert!(deleted.0.is_success(), "{}", deleted.1);
    let again = format!("/v1/traces/{}/replay", first["id"].as_str().unwrap());
    let (status, after) = server.post(&again, &json!({ "against": "then" })).await;
    assert_eq!(status, StatusCode::OK, "{after}");
    assert_eq!(after["missing"], 1, "{after}");
    let text = after["record"].to_string();
    assert!(!text.contains("GHS 45"), "{text}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_again_says_why() {
    let server = Server::with_faq().await;
    let hello = ask(&server, json!({ "question": "hello", "trace": true })).await;
    let path = format!("/v1/traces/{}/replay", hello["id"].as_str().unwrap());
    let (status, body) = server.post(&path, &json!({})).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::CONFLICT, &json!("conflict"))
    );
    let message = body["message"].as_str().unwrap();
    assert!(
        message.contains("nothing was searched") && message.contains("`now`"),
        "{message}"
    );
    let (status, now) = server.post(&path, &json!({ "against": "now" })).await;
    assert!(
        status == StatusCode::OK && now["comparison"]["same_text"] == true,
        "{now}"
    );
    let (status, body) = server.post(&path, &json!({ "against": "yesterday" })).await;
    assert!(
        status.is_client_error() && body["message"].as_str().unwrap().contains("against"),
        "{body}"
    );
    let nobody = "/v1/traces/00000000-0000-0000-0000-000000000000";
    assert_eq!(server.get(nobody).await.0, StatusCode::NOT_FOUND);
    let (status, _) = server.post(&format!("{nobody}/replay"), &json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_meet_in_their_traces() {
    let server = Server::with_faq().await;
    let answer = ask(&server, json!({ "question": DELIVERY, "trace": true })).await;
    let id = answer["id"].as_str().unwrap();
    let mut tx = server.app.store.system().await.unwrap();
    let other = tx.ensure_tenant("other", "Other").await.unwrap().id;
    let key = tx.create_api_key(other, "tests").await.unwrap();
    tx.commit().await.unwrap();
    let as_other = async |method, path: String| {
        let request = server
            .http
            .request(method, format!("{}{path}", server.address))
            .bearer_auth(key.expose());
        reply(request).await
    };
    let (_, list) = as_other(Method::GET, "/v1/traces".to_owned()).await;
    assert_eq!(list["traces"], json!([]));
    let (status, _) = as_other(Method::GET, format!("/v1/traces/{id}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = as_other(Method::POST, format!("/v1/traces/{id}/replay")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_golden_draft_of_an_answer_knows_what_was_said_before_from_its_trace() {
    let server = Server::with_faq().await;
    let history =
        json!([{ "role": "customer", "text": "I am Ama, 024 555 0199. Do you deliver to Tamale?" }]);
    let answer = ask(
        &server,
        json!({ "question": "What does that cost?", "history": history, "trace": true }),
    )
    .await;
    let (status, draft) = server
        .post("/v1/golden/drafts", &json!({ "answer_id": answer["id"] }))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{draft}");
    let said = draft["history"][0]["text"].as_str().unwrap();
    assert!(
        said.contains("Do you deliver to Tamale?") && !said.contains("0199"),
        "{draft}"
    );
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_staged_versions_is_only_kept_when_asked_for_and_sees_them_again() {
    let server = Server::with_faq().await;
    sample(&server.app, server.tenant, 1.0).await;
    let newer = crate::support::FAQ.replace("GHS 45", "GHS 60");
    let document = server.upload_ready("faq.md", &newer).await;
    let (_, versions) = server.get(&format!("/v1/documents/{document}/versions")).await;
    let first = versions
        .as_array()
        .unwrap()
        .iter()
        .find(|version| version["number"] == 1)
        .unwrap();
    let preview = json!({ "versions": [first["id"]] });
    let looked = ask(&server, json!({ "question": DELIVERY, "preview": preview })).await;
    assert!(looked["trace_id"].is_null(), "{looked}");
    let looked = ask(
        &server,
        json!({ "question": DELIVERY, "preview": preview, "trace": true }),
    )
    .await;
    assert!(looked["text"].as_str().unwrap().contains("GHS 45"), "{looked}");
    let id = looked["trace_id"].as_str().unwrap();
    for (against, price) in [("then", "GHS 45"), ("now", "GHS 60")] {
        let (_, again) = server
            .post(&format!("/v1/traces/{id}/replay"), &json!({ "against": against }))
            .await;
        let text = again["record"]["answer"]["text"].as_str().unwrap();
        assert!(text.contains(price), "{against}: {again}");
    }
    server.end().await;
}
