//! The versioned settings over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Server, reply};

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_read_changed_refused_and_brought_back() {
    let server = Server::start().await;
    let (_, first) = server.get("/v1/settings").await;
    let base = first["version"].as_i64().unwrap();
    let put = async |body: &Value, etag: Option<String>| {
        let mut request = server.request(Method::PUT, "/v1/settings").json(body);
        if let Some(etag) = etag {
            request = request.header("if-match", etag);
        }
        reply(request).await
    };
    let mut body = first["settings"].clone();
    body["chunking"]["target_tokens"] = json!(220);
    let new = json!({ "version": base, "note": "longer chunks", "settings": body });
    let (status, changed) = put(&new, None).await;
    assert_eq!(
        (status, &changed["version"]),
        (StatusCode::OK, &json!(base + 1)),
        "{changed}"
    );
    assert_eq!(
        put(&new, None).await.0,
        StatusCode::CONFLICT,
        "somebody was faster"
    );
    let late = json!({ "settings": body });
    assert_eq!(
        put(&late, Some(format!("\"{base}\""))).await.0,
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(
        put(&late, None).await.0,
        StatusCode::BAD_REQUEST,
        "based on what?"
    );
    let etag = server.request(Method::GET, "/v1/settings").send().await.unwrap();
    let etag = etag.headers()["etag"].to_str().unwrap().to_owned();
    let wrong = json!({ "settings": { "chunking": { "target": 1 }, "uploads": { "formats": ["xlsx"] } } });
    let (status, refused) = put(&wrong, Some(etag.clone())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("`chunking.target` is no setting"),
        "{refused}"
    );
    assert_eq!(put(&late, Some(etag)).await.0, StatusCode::OK);

    let (status, _) = server
        .post(&format!("/v1/settings/versions/{base}/activate"), &json!({}))
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (_, now) = server.get("/v1/settings").await;
    assert_eq!(now, first);
    let (_, history) = server.get("/v1/settings/versions").await;
    let history = history.as_array().unwrap();
    assert_eq!(history[1]["note"], "longer chunks");
    let live: Vec<&Value> = history.iter().filter(|entry| entry["live"] == true).collect();
    assert_eq!((live.len(), &live[0]["version"]), (1, &json!(base)));
    let (status, _) = server.post("/v1/settings/versions/99/activate", &json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    server.end().await;
}
