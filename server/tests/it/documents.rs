//! `/v1/documents` beyond the upload: what an admin sees and does.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{FAQ, Server, reply};

/// A form of several files.
fn form(files: &[(&str, &[u8])]) -> reqwest::multipart::Form {
    files
        .iter()
        .fold(reqwest::multipart::Form::new(), |form, (name, bytes)| {
            let part = reqwest::multipart::Part::bytes(bytes.to_vec()).file_name((*name).to_owned());
            form.part("file", part)
        })
}

pub(crate) async fn upload(
    server: &Server,
    key: Option<&str>,
    files: &[(&str, &[u8])],
) -> (StatusCode, Value) {
    let mut request = server
        .request(Method::POST, "/v1/documents")
        .multipart(form(files));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    reply(request).await
}

/// Texts that a search finds.
pub(crate) async fn found(server: &Server, query: &str) -> Vec<String> {
    let (status, body) = server
        .post("/v1/search", &json!({ "query": query, "k": 5 }))
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let hits = body["hits"].as_array().unwrap();
    hits.iter()
        .map(|hit| hit["text"].as_str().unwrap().to_owned())
        .collect()
}

/// Sections that do not fit one chunk together, each about something else.
pub(crate) fn handbook() -> String {
    let topics = [
        ("Delivery", "delivery to Tamale costs GHS 45 and takes three days"),
        (
            "Warranty",
            "the battery of the solar kit has a warranty of 24 months",
        ),
        ("Returns", "an unused ceiling fan may be returned within ten days"),
    ];
    let section = |(title, fact): &(&str, &str)| {
        let sentence = format!("In our shop {fact}, as every customer is told when they ask about it. ");
        format!("# {title}\n\n{}\n\n", sentence.repeat(5).trim())
    };
    topics.iter().map(section).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_upload_also_when_it_comes_twice_at_once() {
    let server = Server::start().await;
    let files: [(&str, &[u8]); 2] = [
        ("a.md", b"# A\n\nFans cost 250."),
        ("b.md", b"# B\n\nKits cost 900."),
    ];
    let (one, two) = tokio::join!(
        upload(&server, Some("upload-1"), &files),
        upload(&server, Some("upload-1"), &files)
    );
    assert_eq!((one.0, two.0), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
    assert_eq!(one.1, two.1, "the same answer");
    assert_eq!(one.1["files"].as_array().unwrap().len(), 2);
    server.idle().await;
    let (status, later) = upload(&server, Some("upload-1"), &files).await;
    assert_eq!(
        (status, &later),
        (StatusCode::ACCEPTED, &one.1),
        "also later, unlike without a key"
    );
    let document = one.1["files"][0]["document_id"].as_str().unwrap();
    let (_, versions) = server.get(&format!("/v1/documents/{document}/versions")).await;
    assert_eq!(versions.as_array().unwrap().len(), 1);

    let (status, other) = upload(&server, Some("upload-1"), &files[..1]).await;
    assert_eq!(
        (status, &other["code"]),
        (StatusCode::CONFLICT, &json!("conflict")),
        "{other}"
    );
    for key in ["", "two words", &"k".repeat(201)] {
        let (status, refused) = upload(&server, Some(key), &files).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{key:?}: {refused}");
        assert!(refused["message"].as_str().unwrap().contains("Idempotency-Key"));
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_the_tenant_name_the_file_the_limit_and_where_it_is_changed() {
    let server = Server::start().await;
    let mut tx = server.app.store.tenant(server.tenant).await.unwrap();
    let mut settings = tx.settings().await.unwrap().settings;
    settings.uploads.max_file_mib = 1;
    settings.uploads.max_files = 3;
    settings.uploads.formats = vec!["text".to_owned(), "csv".to_owned()];
    tx.save_settings(&settings, "limits").await.unwrap();
    tx.commit().await.unwrap();

    let large = vec![b'a'; (1 << 20) + 1];
    let (status, body) = upload(
        &server,
        None,
        &[
            ("prices.pdf", b"%PDF-1.7"),
            ("large.txt", &large),
            ("fine.txt", b"Fans cost 250."),
        ],
    )
    .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    assert_eq!(body["files"].as_array().unwrap().len(), 1);
    assert_eq!(body["files"][0]["file_name"], "fine.txt");
    let refused = body["refused"].as_array().unwrap();
    assert_eq!(refused[0]["file_name"], "prices.pdf");
    assert_eq!(refused[0]["error"]["code"], "format_not_allowed");
    assert_eq!(
        refused[0]["error"]["message"],
        "prices.pdf is pdf by its name; the setting uploads.formats allows text, csv"
    );
    assert_eq!(refused[1]["error"]["code"], "too_large");
    assert_eq!(
        refused[1]["error"]["message"],
        "large.txt is larger than 1 MiB; that limit is the setting uploads.max_file_mib"
    );
    let (status, body) = upload(&server, None, &[("large.txt", &large)]).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large"))
    );
    let (status, _) = upload(&server, None, &[("a.docx", b"PK")]).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let small: [(&str, &[u8]); 4] = [("a", b"1"), ("b", b"2"), ("c", b"3"), ("d", b"4")];
    let (status, body) = upload(&server, None, &small).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("raise the setting uploads.max_files"),
        "{body}"
    );

    // a name may lie: the content decides when the file is read
    let (_, body) = upload(&server, None, &[("page.txt", b"%PDF-1.4\n%%EOF")]).await;
    let document = body["files"][0]["document_id"].as_str().unwrap().to_owned();
    server
        .eventually("the version fails", async || {
            let (_, version) = server.get(&format!("/v1/documents/{document}/versions/1")).await;
            version["reason_code"] == "format_not_allowed"
        })
        .await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_shows_its_structure_its_quality_and_what_it_changed() {
    let server = Server::start().await;
    let document = server.upload_ready("book.md", &handbook()).await;
    let at = |path: &str| format!("/v1/documents/{document}{path}");
    let (_, version) = server.get(&at("/versions/1")).await;
    assert_eq!(
        (&version["state"], &version["live"]),
        (&json!("ready"), &json!(true)),
        "{version}"
    );
    assert_eq!((&version["stage"], &version["stages"]), (&json!(5), &json!(5)));
    assert!(version["elapsed_seconds"].as_f64().unwrap() > 0.0);
    assert!(version["windows_embedded"].as_i64().unwrap() > 0);
    let (_, blocks) = server.get(&at("/versions/1/blocks?limit=2")).await;
    assert_eq!(
        (&blocks["format"], &blocks["total"]),
        (&json!("markdown"), &json!(6)),
        "{blocks}"
    );
    assert_eq!(blocks["blocks"][0]["kind"], "heading");
    assert_eq!(blocks["blocks"][1]["heading_path"], json!(["Delivery"]));
    let (_, text) = server.get(&at("/versions/1/text")).await;
    let range = |name: &str| usize::try_from(blocks["blocks"][1][name].as_u64().unwrap()).unwrap();
    assert_eq!(
        text["text"].as_str().unwrap().get(range("start")..range("end")),
        blocks["blocks"][1]["text"].as_str()
    );
    let (_, chunks) = server.get(&at("/versions/1/chunks")).await;
    assert_eq!(chunks["total"], chunks["chunks"].as_array().unwrap().len());

    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_says_what_it_changed_and_when_its_text_is_that_of_another() {
    let server = Server::start().await;
    let document = server.upload_ready("book.md", &handbook()).await;
    let at = |path: &str| format!("/v1/documents/{document}{path}");
    server
        .upload_ready("book.md", &handbook().replace("GHS 45", "GHS 55"))
        .await;
    let (_, diff) = server.get(&at("/diff?from=1&to=2")).await;
    assert_eq!(
        (&diff["added"], &diff["removed"]),
        (&json!([]), &json!([])),
        "{diff}"
    );
    let words = diff["changed"][0]["words"].as_array().unwrap();
    assert!(
        words.contains(&json!({ "change": "inserted", "text": "55" })),
        "{words:?}"
    );
    assert!(diff["unchanged"].as_u64().unwrap() >= 2);
    for (query, status) in [
        ("?from=1&to=9", StatusCode::NOT_FOUND),
        ("?from=1", StatusCode::BAD_REQUEST),
        ("?from=a&to=2", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(
            server.get(&at(&format!("/diff{query}"))).await.0,
            status,
            "{query}"
        );
    }

    // the same text in another file: the number of the version that answers for it
    let rolled = handbook().replace("GHS 45", "GHS 55").replace('\n', "\r\n");
    let (_, body) = server.upload("book.md", rolled.into_bytes()).await;
    assert_eq!(body["files"][0]["version"], 3);
    server
        .eventually("version 3 is ready", async || {
            server.get(&at("/versions/3")).await.1["state"] == "ready"
        })
        .await;
    let (_, version) = server.get(&at("/versions/3")).await;
    assert_eq!(
        (&version["same_text_as_number"], &version["live"]),
        (&json!(2), &json!(true)),
        "{version}"
    );
    assert_eq!(version["windows_embedded"], 0);

    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_say_what_to_do_and_documents_are_listed_by_what_they_are() {
    let server = Server::start().await;
    server.upload_ready("book.md", &handbook()).await;
    let (_, csv) = server
        .upload("prices.csv", b"item,price\nfan,250\nkit,900,extra\n".to_vec())
        .await;
    let csv = csv["files"][0]["document_id"].as_str().unwrap().to_owned();
    server.idle().await;
    let (_, quality) = server
        .get(&format!("/v1/documents/{csv}/versions/1/quality"))
        .await;
    let warning = &quality["warnings"][0];
    assert_eq!(
        (&warning["code"], &warning["row"]),
        (&json!("ragged_row"), &json!(2)),
        "{quality}"
    );
    assert!(!warning["to_do"].as_str().unwrap().is_empty() && !warning["title"].as_str().unwrap().is_empty());
    for (query, keys) in [
        ("?format=csv", vec!["prices.csv"]),
        ("?warnings=true", vec!["prices.csv"]),
        ("?warnings=false&live=true", vec!["book.md"]),
        ("?live=false", vec![]),
        ("?search=BOOK", vec!["book.md"]),
    ] {
        let (status, list) = server.get(&format!("/v1/documents{query}")).await;
        assert_eq!(status, StatusCode::OK, "{query}: {list}");
        let listed = list["documents"].as_array().unwrap();
        let listed: Vec<&str> = listed
            .iter()
            .map(|document| document["key"].as_str().unwrap())
            .collect();
        assert_eq!(listed, keys, "{query}");
        assert_eq!(list["total"], keys.len(), "{query}");
    }
    for query in ["?format=xlsx", "?state=done", "?sort=key"] {
        let (status, body) = server.get(&format!("/v1/documents{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {body}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_cancelled_retried_and_repeated() {
    let server = Server::start().await;
    let articles =
        (0..4_000).map(|n| format!("Article {n} costs {} cedis and weighs {} grams.", n * 3, n * 7));
    let long = articles.collect::<Vec<_>>().join("\n\n");
    let (_, body) = server.upload("long.txt", long.into_bytes()).await;
    let document = body["files"][0]["document_id"].as_str().unwrap().to_owned();
    let at = |path: &str| format!("/v1/documents/{document}{path}");
    let state = async || server.get(&at("/versions/1")).await.1["state"].clone();
    server
        .eventually("it is embedded", async || state().await == "embedding")
        .await;
    let (status, body) = server.post(&at("/versions/1/cancel"), &json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    server.idle().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (_, version) = server.get(&at("/versions/1")).await;
    assert_eq!(
        (&version["state"], &version["reason_code"]),
        (&json!("cancelled"), &json!("cancelled"))
    );
    assert!(
        found(&server, "Article 7").await.is_empty(),
        "nothing of it is found"
    );
    assert_eq!(
        server.post(&at("/versions/1/cancel"), &json!({})).await.0,
        StatusCode::CONFLICT
    );

    assert_eq!(
        server.post(&at("/versions/1/retry"), &json!({})).await.0,
        StatusCode::ACCEPTED
    );
    server.post(&at("/versions/1/cancel"), &json!({})).await;
    server.idle().await;
    let small = server.upload_ready("faq.md", FAQ).await;
    let (status, building) = server
        .post(&format!("/v1/documents/{small}/rebuild"), &json!({}))
        .await;
    assert_eq!(
        (status, &building["version"]),
        (StatusCode::ACCEPTED, &json!(2)),
        "{building}"
    );
    server.idle().await;
    let (_, version) = server.get(&format!("/v1/documents/{small}/versions/2")).await;
    assert_eq!(
        (&version["state"], &version["live"]),
        (&json!("ready"), &json!(true)),
        "{version}"
    );
    let nobody = "00000000-0000-0000-0000-000000000000";
    for path in [
        "rebuild",
        "versions/1/cancel",
        "versions/1/retry",
        "versions/1/publish",
    ] {
        let (status, _) = server
            .post(&format!("/v1/documents/{nobody}/{path}"), &json!({}))
            .await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_generator_gets_the_fields_and_the_catalogue_is_served() {
    let server = Server::start().await;
    let (_, api) = server.get("/openapi.json").await;
    assert_eq!(api["openapi"], "3.1.0");
    for (schema, fields) in [
        ("Document", vec!["key", "live_number", "newest_version"]),
        (
            "Version",
            vec![
                "state",
                "stage",
                "estimated_seconds_left",
                "same_text_as_number",
                "warnings",
            ],
        ),
        ("Chunk", vec!["heading_path", "disabled", "questions"]),
        ("Overlay", vec!["kind", "standing", "note"]),
        ("Diff", vec!["added", "removed", "changed", "unchanged"]),
        ("PageReport", vec!["looks_scanned", "replacement_share"]),
        ("Warning", vec!["code", "to_do"]),
        ("Block", vec!["kind", "start", "heading_path"]),
        ("VersionEvent", vec!["state", "done", "total"]),
        ("Settings", vec!["chunking", "uploads"]),
    ] {
        let properties = &api["components"]["schemas"][schema]["properties"];
        for field in fields {
            assert!(properties[field].is_object(), "{schema}.{field}: {properties}");
        }
    }
    let chunking = &api["components"]["schemas"]["Settings"]["properties"]["chunking"]["properties"];
    assert_eq!(chunking["target_tokens"]["type"], "integer", "{chunking}");
    assert_eq!(chunking["target_tokens"]["default"], 180);
    // no reference leads nowhere
    let text = api.to_string();
    for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(
            api["components"]["schemas"][name].is_object(),
            "{name} is not described"
        );
    }
    let (status, errors) = server.get("/v1/errors").await;
    assert_eq!(status, StatusCode::OK);
    let errors = errors.as_array().unwrap();
    let empty = errors.iter().find(|entry| entry["code"] == "empty_file").unwrap();
    assert_eq!(
        (&empty["severity"], &empty["title"]),
        (&json!("error"), &json!("Empty file"))
    );
    server.end().await;
}
