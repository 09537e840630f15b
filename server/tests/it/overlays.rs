//! What an admin lays over a document by hand, and what customers get of it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::documents::{found, handbook};
use crate::support::{Server, reply};

async fn delete(server: &Server, path: &str) -> (StatusCode, Value) {
    reply(server.request(Method::DELETE, path)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn overlays_reach_customers_at_once_and_an_edit_with_its_version() {
    let server = Server::start().await;
    let document = server.upload_ready("book.md", &handbook()).await;
    let overlays = format!("/v1/documents/{document}/overlays");
    let (_, chunks) = server
        .get(&format!("/v1/documents/{document}/versions/1/chunks"))
        .await;
    let chunk = |words: &str| {
        let chunks = chunks["chunks"].as_array().unwrap();
        let found = chunks
            .iter()
            .find(|chunk| chunk["body"].as_str().unwrap().contains(words));
        found.unwrap()["id"].clone()
    };
    let tamale = "What does delivery to Tamale cost?";
    let lay = async |body: Value| server.post(&overlays, &body).await;

    let (status, made) = lay(json!({ "chunk_id": chunk("Tamale"), "kind": "disable" })).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(
        (&made["overlay"]["standing"], &made["building"]),
        (&json!("applied"), &Value::Null)
    );
    assert!(
        !found(&server, tamale)
            .await
            .iter()
            .any(|text| text.contains("Tamale"))
    );
    let disabled = made["overlay"]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        delete(&server, &format!("{overlays}/{disabled}")).await.0,
        StatusCode::OK
    );
    assert!(found(&server, tamale).await[0].contains("Tamale"));
    assert_eq!(
        delete(&server, &format!("{overlays}/{disabled}")).await.0,
        StatusCode::NOT_FOUND
    );

    let strange = "Can the moon be borrowed on Thursdays?";
    let question = json!({ "chunk_id": chunk("ceiling fan"), "kind": "question", "body": strange });
    assert_eq!(lay(question).await.0, StatusCode::CREATED);
    server
        .eventually("the question finds its chunk", async || {
            found(&server, strange).await[0].contains("ceiling fan")
        })
        .await;

    let edit = json!({ "chunk_id": chunk("warranty"), "kind": "edit", "body": "Batteries have a warranty of 36 months." });
    let (status, made) = lay(edit).await;
    assert_eq!(
        (status, &made["building"]["version"]),
        (StatusCode::CREATED, &json!(2)),
        "{made}"
    );
    server
        .eventually("the edit answers", async || {
            let found = found(&server, "How long is the warranty of a battery?").await;
            found.iter().any(|text| text.contains("36 months"))
                && !found.iter().any(|text| text.contains("24 months"))
        })
        .await;
    let (_, list) = server.get(&overlays).await;
    let standing: Vec<(&Value, &Value)> = list["overlays"]
        .as_array()
        .unwrap()
        .iter()
        .map(|overlay| (&overlay["kind"], &overlay["standing"]))
        .collect();
    assert_eq!(list["version"], 2);
    assert_eq!(
        standing,
        [
            (&json!("question"), &json!("applied")),
            (&json!("edit"), &json!("applied"))
        ]
    );

    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_whose_passage_is_gone_is_a_conflict_that_says_why() {
    let server = Server::start().await;
    let document = server.upload_ready("book.md", &handbook()).await;
    let overlays = format!("/v1/documents/{document}/overlays");
    let (_, chunks) = server
        .get(&format!("/v1/documents/{document}/versions/1/chunks"))
        .await;
    let chunk = &chunks["chunks"][0]["id"];
    for (kind, body) in [("question", "What about Tamale?"), ("edit", "Delivery is free.")] {
        let new = json!({ "chunk_id": chunk, "kind": kind, "body": body });
        assert_eq!(server.post(&overlays, &new).await.0, StatusCode::CREATED);
    }
    server.idle().await;
    // a new file without those passages: the overlays are conflicts that say why, and nothing is lost
    server
        .upload_ready("book.md", "# News\n\nThe shop moved to Kumasi.\n")
        .await;
    let (_, list) = server.get(&overlays).await;
    for overlay in list["overlays"].as_array().unwrap() {
        assert_eq!(overlay["standing"], "conflict", "{overlay}");
        assert!(!overlay["note"].as_str().unwrap().is_empty());
    }
    let edit = list["overlays"][1]["id"].as_str().unwrap();
    let (_, removed) = delete(&server, &format!("{overlays}/{edit}")).await;
    assert_eq!(removed["building"]["version"], 4, "{removed}");
    server.idle().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_that_makes_no_sense_is_refused_with_the_field() {
    let server = Server::with_faq().await;
    let document = server.get("/v1/documents").await.1["documents"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let overlays = format!("/v1/documents/{document}/overlays");
    let (_, chunks) = server
        .get(&format!("/v1/documents/{document}/versions/1/chunks"))
        .await;
    let chunk = &chunks["chunks"][0]["id"];
    for (body, words) in [
        (json!({ "chunk_id": chunk, "kind": "edit" }), "`body` is missing"),
        (
            json!({ "chunk_id": chunk, "kind": "question", "body": " " }),
            "`body` is missing",
        ),
        (
            json!({ "chunk_id": chunk, "kind": "boost" }),
            "`factor` is missing",
        ),
        (
            json!({ "chunk_id": chunk, "kind": "pin", "factor": 2 }),
            "`factor` belongs to",
        ),
        (json!({ "chunk_id": chunk, "kind": "hide" }), "unknown variant"),
        (json!({ "chunk": chunk, "kind": "pin" }), "unknown field"),
    ] {
        let (status, refused) = server.post(&overlays, &body).await;
        assert!(status.is_client_error(), "{body}: {refused}");
        assert!(
            refused["message"].as_str().unwrap().contains(words),
            "{body}: {refused}"
        );
    }
    let other = server
        .upload_ready("other.md", "# Other\n\nNothing of the kind.")
        .await;
    let body = json!({ "chunk_id": chunk, "kind": "pin" });
    let (status, _) = server
        .post(&format!("/v1/documents/{other}/overlays"), &body)
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND, "a chunk of another document");
    server.end().await;
}
