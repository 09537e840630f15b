//! The HTTP API as a program sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{FAQ, Server, reply};

/// Every citation must be the words at its place in the version it names.
async fn citations_resolve(server: &Server, answer: &Value) -> usize {
    let citations = answer["citations"].as_array().unwrap();
    for citation in citations {
        let (document, number) = (
            citation["document_id"].as_str().unwrap(),
            &citation["version_number"],
        );
        let (status, body) = server
            .get(&format!("/v1/documents/{document}/versions/{number}/text"))
            .await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let at = |name: &str| usize::try_from(citation[name].as_u64().unwrap()).unwrap();
        let text = body["text"].as_str().unwrap();
        assert_eq!(text.get(at("start")..at("end")), citation["quote"].as_str());
    }
    citations.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_becomes_an_answer_with_evidence_and_says_so_when_it_is_already_there() {
    let server = Server::with_faq().await;
    let answer = server.answer("What does delivery to Tamale cost?").await;
    assert_eq!(
        (&answer["outcome"], &answer["route"]),
        (&json!("answered"), &json!("commodity"))
    );
    assert!(answer["text"].as_str().unwrap().contains("GHS 45"), "{answer}");
    assert!(citations_resolve(&server, &answer).await > 0);
    let (status, record) = server
        .get(&format!("/v1/answers/{}", answer["id"].as_str().unwrap()))
        .await;
    assert_eq!((status, &record["text"]), (StatusCode::OK, &answer["text"]));

    let (_, again) = server.upload("faq.md", FAQ.as_bytes().to_vec()).await;
    assert_eq!(
        (&again["files"][0]["unchanged"], &again["files"][0]["version"]),
        (&json!(true), &json!(1))
    );
    let (_, found) = server
        .post("/v1/search", &json!({ "query": "battery warranty", "k": 2 }))
        .await;
    assert!(
        found["hits"][0]["text"].as_str().unwrap().contains("24 months"),
        "{found}"
    );
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_says_why_and_the_old_version_goes_on_answering() {
    let server = Server::with_faq().await;
    let (_, received) = server
        .upload(
            "faq.md",
            b"\x89PNG\r\n\x1a\n\0\0\0\0\0\x01\x02\x03\x04\0\0\0".to_vec(),
        )
        .await;
    let document = received["files"][0]["document_id"].as_str().unwrap().to_owned();
    server
        .eventually("the version fails", async || {
            let (_, document) = server.get(&format!("/v1/documents/{document}")).await;
            document["newest_version"]["state"] == "failed"
        })
        .await;
    let (_, versions) = server.get(&format!("/v1/documents/{document}/versions")).await;
    let failed = &versions[0];
    assert!(
        failed["reason_code"].is_string() && failed["reason"].is_string(),
        "{failed}"
    );
    assert!(!failed["suggestion"].as_str().unwrap().is_empty(), "{failed}");
    assert!(
        server.answer("delivery to Tamale cost?").await["text"]
            .as_str()
            .unwrap()
            .contains("GHS 45")
    );
    let (status, _) = server
        .post(
            &format!("/v1/documents/{document}/versions/2/publish"),
            &json!({}),
        )
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (_, failed) = server.get("/v1/documents?state=failed").await;
    assert_eq!(
        (&failed["total"], &failed["documents"][0]["key"]),
        (&json!(1), &json!("faq.md"))
    );
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_file_is_replaced_every_question_is_answered_from_exactly_one_version() {
    let server = Arc::new(Server::with_faq().await);
    let document = server.get("/v1/documents").await.1["documents"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let replaced = Arc::new(AtomicBool::new(false));
    let asking = {
        let (server, replaced) = (Arc::clone(&server), Arc::clone(&replaced));
        tokio::spawn(async move {
            let mut asked = 0;
            let mut last = 0;
            while asked < 10 || !replaced.load(Ordering::Relaxed) {
                let answer = server.answer("How much does delivery to Tamale cost?").await;
                assert_eq!(
                    answer["outcome"], "answered",
                    "a moment without an answer: {answer}"
                );
                let versions: Vec<i64> = answer["citations"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|citation| citation["version_number"].as_i64().unwrap())
                    .collect();
                let version = versions[0];
                assert!(
                    versions.iter().all(|v| *v == version),
                    "a mix of versions: {answer}"
                );
                let price = format!("GHS {}", 44 + version);
                assert!(
                    answer["text"].as_str().unwrap().contains(&price),
                    "version {version}: {answer}"
                );
                assert!(version >= last, "an older version came back");
                last = version;
                asked += 1;
            }
            last
        })
    };
    for price in 46..50 {
        server
            .upload_ready("faq.md", &FAQ.replace("GHS 45", &format!("GHS {price}")))
            .await;
    }
    replaced.store(true, Ordering::Relaxed);
    assert_eq!(asking.await.unwrap(), 5);

    let (status, _) = reply(server.request(
        Method::POST,
        &format!("/v1/documents/{document}/versions/1/publish"),
    ))
    .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(
        server.answer("delivery to Tamale cost?").await["text"]
            .as_str()
            .unwrap()
            .contains("GHS 45"),
        "rolled back"
    );
    let (status, _) = reply(server.request(Method::DELETE, &format!("/v1/documents/{document}"))).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    for _ in 0..5 {
        let answer = server.answer("How much does delivery to Tamale cost?").await;
        assert!(
            answer["citations"].as_array().unwrap().is_empty() && answer["outcome"] != "answered",
            "{answer}"
        );
        assert!(answer["hits"].as_array().unwrap().is_empty(), "{answer}");
    }
    let (status, body) = server
        .get(&format!("/v1/documents/{document}/versions/1/text"))
        .await;
    assert_eq!(status, StatusCode::OK, "old answers can still be checked: {body}");
    Arc::into_inner(server).unwrap().end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_wants_a_key_and_a_key_opens_only_its_own_tenant() {
    let server = Server::with_faq().await;
    let document = server.get("/v1/documents").await.1["documents"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut tx = server.app.store.system().await.unwrap();
    let other = tx.ensure_tenant("other", "Other").await.unwrap().id;
    let foreign = tx.create_api_key(other, "theirs").await.unwrap();
    tx.commit().await.unwrap();
    let paths = [
        (Method::GET, "/v1/documents".to_owned()),
        (Method::GET, format!("/v1/documents/{document}")),
        (Method::GET, format!("/v1/documents/{document}/versions/1/text")),
        (Method::GET, format!("/v1/documents/{document}/versions/1/file")),
        (Method::DELETE, format!("/v1/documents/{document}")),
    ];
    for (method, path) in paths {
        let url = format!("{}{path}", server.address);
        let bare = reply(server.http.request(method.clone(), &url)).await;
        assert_eq!(bare.0, StatusCode::UNAUTHORIZED, "{path}");
        let wrong = reply(server.http.request(method.clone(), &url).bearer_auth("pl_wrong")).await;
        assert_eq!(wrong.0, StatusCode::UNAUTHORIZED, "{path}");
        let theirs = reply(server.http.request(method, &url).bearer_auth(foreign.expose())).await;
        let nothing = theirs.1["total"] == 0 || theirs.0 == StatusCode::NOT_FOUND;
        assert!(nothing, "{path}: {theirs:?}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_told_what_is_wrong() {
    let server = Server::start().await;
    let (status, body) = server.post("/v1/search", &json!({ "query": "x", "k": 0 })).await;
    assert!(
        status == StatusCode::BAD_REQUEST && body["message"].as_str().unwrap().contains("`k`"),
        "{body}"
    );
    for nothing in [json!({}), json!({ "query": " " })] {
        let (status, body) = server.post("/v1/search", &nothing).await;
        assert!(
            status == StatusCode::BAD_REQUEST && body["message"].as_str().unwrap().contains("`query`"),
            "{body}"
        );
    }
    let (status, body) = server.post("/v1/answer", &json!({ "question": " " })).await;
    assert!(
        status == StatusCode::BAD_REQUEST && body["message"].as_str().unwrap().contains("`question`"),
        "{body}"
    );
    let (status, body) = server.post("/v1/answer", &json!({ "questoin": "x" })).await;
    assert!(
        status == StatusCode::BAD_REQUEST && body["message"].as_str().unwrap().contains("questoin"),
        "{body}"
    );
    let (status, body) = server.get("/v1/documents?state=lost").await;
    assert!(
        status == StatusCode::BAD_REQUEST && body["message"].as_str().unwrap().contains("lost"),
        "{body}"
    );
    let (status, body) = server.upload("big.txt", vec![b'a'; (2 << 20) + 1]).await;
    assert!(
        status == StatusCode::PAYLOAD_TOO_LARGE && body["message"].as_str().unwrap().contains("2 MiB"),
        "{body}"
    );
    let empty = reqwest::multipart::Form::new().text("note", "no file");
    let (status, body) = reply(server.request(Method::POST, "/v1/documents").multipart(empty)).await;
    assert!(
        status == StatusCode::BAD_REQUEST && body["message"].as_str().unwrap().contains("no file"),
        "{body}"
    );
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_describes_itself() {
    let server = Server::start().await;
    let (_, description) = server.get("/openapi.json").await;
    assert_eq!(description["openapi"], "3.1.0");
    let paths: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
    insta::assert_yaml_snapshot!("openapi_paths", paths);
    assert_eq!(server.get("/healthz").await.1, "ok");
    assert_eq!(server.get("/readyz").await.0, StatusCode::OK);
    let (status, metrics) = server.get("/metrics").await;
    assert!(status == StatusCode::OK && metrics.is_string());
    server.end().await;
}
