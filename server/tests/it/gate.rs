//! What is staged can be looked at, waits for a verdict, and can be published against one.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::documents::{found, upload};
use crate::support::{Server, reply};

const OLD: &[u8] = b"# Delivery\n\nDelivery to Tamale costs GHS 45 and takes three days.";
const NEW: &[u8] = b"# Delivery\n\nDelivery to Tamale costs GHS 60 and takes two days.";

/// The one document, with a gate and a second version that waits for it.
async fn staged(server: &Server) -> (String, Value) {
    upload(server, None, &[("delivery.md", OLD)]).await;
    server.idle().await;
    let (_, settings) = server.get("/v1/settings").await;
    let mut wanted = settings["settings"].clone();
    wanted["publishing"]["gated"] = json!(true);
    let change = json!({ "version": settings["version"], "settings": wanted });
    let (status, _) = reply(server.request(Method::PUT, "/v1/settings").json(&change)).await;
    assert_eq!(status, StatusCode::OK, "the gate itself waits for nothing");
    let (_, taken) = upload(server, None, &[("delivery.md", NEW)]).await;
    server.idle().await;
    let document = taken["files"][0]["document_id"].as_str().unwrap().to_owned();
    let (_, version) = server.get(&format!("/v1/documents/{document}/versions/2")).await;
    assert_eq!(
        (&version["state"], &version["live"]),
        (&json!("ready"), &json!(false)),
        "{version}"
    );
    (document, version)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staged_version_is_seen_by_a_preview_alone() {
    let server = Server::start().await;
    let (document, version) = staged(&server).await;
    assert!(found(&server, "delivery to Tamale").await[0].contains("GHS 45"));

    let preview = json!({ "versions": [version["id"]] });
    let ask = json!({ "query": "delivery to Tamale", "preview": preview });
    let (status, seen) = server.post("/v1/search", &ask).await;
    assert_eq!(status, StatusCode::OK, "{seen}");
    assert!(
        seen["hits"][0]["text"].as_str().unwrap().contains("GHS 60"),
        "{seen}"
    );
    assert_eq!(
        seen["hits"].as_array().unwrap().len(),
        1,
        "and not beside the live one"
    );

    let ask = json!({ "question": "how much is delivery to Tamale?", "preview": preview });
    let (status, answer) = server.post("/v1/answer", &ask).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert!(answer["text"].as_str().unwrap().contains("GHS 60"), "{answer}");
    let (status, _) = server
        .get(&format!("/v1/answers/{}", answer["id"].as_str().unwrap()))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND, "no customer was answered");

    let (_, versions) = server.get(&format!("/v1/documents/{document}/versions")).await;
    let ids: Vec<&Value> = versions
        .as_array()
        .unwrap()
        .iter()
        .map(|version| &version["id"])
        .collect();
    for (wrong, said) in [
        (json!({ "versions": ids }), "two versions of one document"),
        (
            json!({ "versions": ["00000000-0000-0000-0000-000000000000"] }),
            "is no version of a document",
        ),
        (json!({ "settings_version": 99 }), "there is no version 99"),
    ] {
        let ask = json!({ "query": "delivery", "preview": wrong });
        let (status, refused) = server.post("/v1/search", &ask).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
        assert!(refused["message"].as_str().unwrap().contains(said), "{refused}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_verdict_nothing_is_published_unless_somebody_insists() {
    let server = Server::start().await;
    let (document, version) = staged(&server).await;
    // this server has no golden set: the run cannot be made, and says so
    let (_, runs) = server.get("/v1/eval/runs").await;
    let run = &runs[0];
    assert_eq!(
        (&run["state"], &run["version_id"]),
        (&json!("broken"), &version["id"]),
        "{run}"
    );
    assert!(
        run["cause"]
            .as_str()
            .unwrap()
            .contains("put the golden set of the tenant there"),
        "{run}"
    );
    let id = run["id"].as_str().unwrap();
    let (status, _) = server.get(&format!("/v1/eval/runs/{id}/report")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let publish = format!("/v1/documents/{document}/versions/2/publish");
    let (status, refused) = server.post(&publish, &json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    assert!(
        refused["message"].as_str().unwrap().contains("?force=true"),
        "{refused}"
    );
    let (status, _) = server.post(&format!("{publish}?force=true"), &json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(found(&server, "delivery to Tamale").await[0].contains("GHS 60"));
    let back = format!("/v1/documents/{document}/versions/1/publish");
    let (status, _) = server.post(&back, &json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "a rollback needs no verdict");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_keeps_its_report_here() {
    let server = Server::start().await;
    let report = json!({ "exit": { "code": 1, "cause": "recall_at_5 failed" }, "cases": [] });
    let (status, kept) = server.post("/v1/eval/runs", &report).await;
    assert_eq!(status, StatusCode::CREATED, "{kept}");
    assert_eq!(
        (&kept["state"], &kept["cause"]),
        (&json!("refused"), &json!("recall_at_5 failed"))
    );
    let (status, again) = server
        .get(&format!("/v1/eval/runs/{}/report", kept["id"].as_str().unwrap()))
        .await;
    assert_eq!((status, again), (StatusCode::OK, report));
    let (status, refused) = server.post("/v1/eval/runs", &json!({ "score": 1 })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        refused["message"].as_str().unwrap().contains("exit.code"),
        "{refused}"
    );
    server.end().await;
}
