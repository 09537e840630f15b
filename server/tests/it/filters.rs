//! Tags, and searches that are limited to some of the documents.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Server, reply};

const PRICES: &str = "# Prices\n\nA ceiling fan costs 250 cedis, a standing fan 180. All prices are those of the shop, and \
    they are good for as long as this list is on the wall of the shop.\n";
const HOURS: &str = "# Heures\n\nLe magasin ouvre à neuf heures et nous vendons aussi des ventilateurs. La livraison \
    est gratuite dans toute la ville pour les clients du magasin.\n";

async fn search(server: &Server, filter: Value) -> Vec<String> {
    let body = json!({ "query": "what does a fan cost", "k": 10, "filter": filter });
    let (status, found) = server.post("/v1/search", &body).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    let hits = found["hits"].as_array().unwrap();
    hits.iter()
        .map(|hit| hit["document_key"].as_str().unwrap().to_owned())
        .collect()
}

async fn tag(server: &Server, document: &str, body: Value) -> (StatusCode, Value) {
    let path = format!("/v1/documents/{document}");
    reply(server.request(Method::PATCH, &path).json(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_only_what_its_filter_keeps() {
    let server = Server::start().await;
    let prices = server.upload_ready("prices.md", PRICES).await;
    let hours = server.upload_ready("heures.md", HOURS).await;
    assert_eq!(search(&server, json!({})).await.len(), 2);
    let (status, changed) = tag(&server, &prices, json!({ "tags": ["Price list", "fans"] })).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    assert_eq!(changed["tags"], json!(["fans", "price list"]));
    let (_, shown) = server.get(&format!("/v1/documents/{prices}")).await;
    assert_eq!(shown["tags"], changed["tags"]);

    for filter in [
        json!({ "tags": ["PRICE LIST", "nobody has this"] }),
        json!({ "documents": ["prices.md"] }),
        json!({ "documents": [prices] }),
        json!({ "language": "en", "since": "2026-01-01" }),
    ] {
        assert_eq!(search(&server, filter.clone()).await, ["prices.md"], "{filter}");
    }
    for filter in [
        json!({ "language": "fr" }),
        json!({ "documents": [hours], "until": "9998-01-01" }),
    ] {
        assert_eq!(search(&server, filter.clone()).await, ["heures.md"], "{filter}");
    }
    for filter in [
        json!({ "until": "2000-01-01" }),
        json!({ "tags": ["fans"], "language": "fr" }),
    ] {
        assert_eq!(search(&server, filter.clone()).await, [""; 0], "{filter}");
    }

    let answer = async |filter: Value| {
        let body = json!({ "question": "What does a ceiling fan cost?", "filter": filter });
        server.post("/v1/answer", &body).await.1
    };
    let answered = answer(json!({ "tags": ["fans"] })).await;
    assert!(answered["text"].as_str().unwrap().contains("250"), "{answered}");
    let abstained = answer(json!({ "language": "fr" })).await;
    assert!(
        !abstained["text"].as_str().unwrap().contains("250"),
        "{abstained}"
    );

    let (_, cleared) = tag(&server, &prices, json!({ "tags": [] })).await;
    assert_eq!(cleared["tags"], json!([]));
    assert_eq!(search(&server, json!({ "tags": ["fans"] })).await, [""; 0]);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_come_with_an_upload_and_stay_when_a_later_one_says_nothing_of_them() {
    let server = Server::start().await;
    let upload = async |tags: Option<&'static str>, text: &'static str| {
        let mut form = reqwest::multipart::Form::new();
        if let Some(tags) = tags {
            form = form.text("tags", tags);
        }
        let part = reqwest::multipart::Part::text(text).file_name("fans.md");
        let request = server.request(Method::POST, "/v1/documents");
        let (status, body) = reply(request.multipart(form.part("file", part))).await;
        let document = body["files"][0]["document_id"].as_str().map(str::to_owned);
        let Some(document) = document else {
            return (status, body);
        };
        (
            status,
            server.get(&format!("/v1/documents/{document}")).await.1["tags"].clone(),
        )
    };
    assert_eq!(
        upload(Some("Fans, new"), "A fan costs 250.").await.1,
        json!(["fans", "new"])
    );
    assert_eq!(upload(None, "A fan costs 260.").await.1, json!(["fans", "new"]));
    assert_eq!(
        upload(Some(""), "A fan costs 260.").await.1,
        json!([]),
        "the same file, other tags"
    );
    let (status, refused) = upload(Some("x\ty\u{7}"), "A fan costs 270.").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        refused["message"].as_str().unwrap().contains("`tags`"),
        "{refused}"
    );
    server.idle().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_cannot_be_meant_is_refused_by_the_name_of_its_field() {
    let server = Server::start().await;
    for (filter, words) in [
        (json!({ "language": "english" }), "`filter.language`"),
        (json!({ "since": "yesterday" }), "`filter.since`"),
        (
            json!({ "since": "2026-02-01", "until": "2026-01-01" }),
            "`filter.until`",
        ),
        (json!({ "documents": [""] }), "`filter.documents`"),
        (json!({ "tags": ["x".repeat(61)] }), "`filter.tags`"),
        (json!({ "tag": ["fans"] }), "unknown field `tag`"),
        (json!({ "tags": "fans" }), "filter"),
    ] {
        for path in ["/v1/search", "/v1/answer"] {
            let said = if path == "/v1/search" { "query" } else { "question" };
            let (status, body) = server.post(path, &json!({ said: "fan", "filter": filter })).await;
            assert!(status.is_client_error(), "{filter}: {body}");
            assert!(
                body["message"].as_str().unwrap().contains(words),
                "{words}: {body}"
            );
        }
    }
    let nobody = "00000000-0000-0000-0000-000000000000";
    let (status, _) = tag(&server, nobody, json!({ "tags": ["fans"] })).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, body) = tag(&server, nobody, json!({ "title": "Fans" })).await;
    assert!(
        status.is_client_error() && body["message"].as_str().unwrap().contains("title"),
        "{body}"
    );
    server.end().await;
}
