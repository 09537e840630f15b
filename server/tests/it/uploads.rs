//! What becomes of difficult files once they were taken: through the queue, the child process and the index.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::documents::{found, upload};
use crate::support::{Server, reply};

/// An archive of a few hundred kilobytes that unpacks to 512 MiB of blanks where a Word document has its text.
fn zip_bomb() -> Vec<u8> {
    use std::io::Write;
    let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let blanks = vec![b' '; 1 << 20];
    for name in ["[Content_Types].xml", "word/document.xml"] {
        file.start_file(name, options).unwrap();
        for _ in 0..256 {
            file.write_all(&blanks).unwrap();
        }
    }
    file.finish().unwrap().into_inner()
}

async fn version(server: &Server, file: &Value) -> Value {
    let document = file["document_id"].as_str().unwrap();
    let (status, version) = server
        .get(&format!("/v1/documents/{document}/versions/{}", file["version"]))
        .await;
    assert_eq!(status, StatusCode::OK, "{version}");
    version
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_end_with_a_reason_and_the_good_ones_among_them_are_found() {
    let server = Server::start().await;
    let bomb = zip_bomb();
    let deep = format!("%PDF-1.7\n1 0 obj\n{}\nendobj\n", "[".repeat(200_000));
    let files: [(&str, &[u8]); 7] = [
        ("bomb.docx", &bomb),
        ("deep.pdf", deep.as_bytes()),
        ("delivery.md", b"# Delivery\n\nDelivery to Tamale costs GHS 45."),
        ("empty.txt", b""),
        ("picture.pdf", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("cut.docx", &bomb[..bomb.len() / 3]),
        (
            "prices.csv",
            b"item,price\nBreeza fan,GHS 250\nCoolBox 90,GHS 4100\n",
        ),
    ];
    let mut taken = Vec::new();
    for part in files.chunks(4) {
        let (status, body) = upload(&server, None, part).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
        taken.extend(body["files"].as_array().unwrap().clone());
    }
    server.idle().await;
    for file in &taken {
        let version = version(&server, file).await;
        let name = file["file_name"].as_str().unwrap();
        if ["delivery.md", "prices.csv"].contains(&name) {
            assert_eq!(version["state"], "ready", "{name}: {version}");
        } else {
            assert_eq!(version["state"], "failed", "{name}: {version}");
            for field in ["reason_code", "reason", "suggestion"] {
                assert!(
                    version[field].as_str().is_some_and(|text| !text.is_empty()),
                    "{name}: {version}"
                );
            }
        }
    }
    assert!(found(&server, "delivery to Tamale").await[0].contains("GHS 45"));
    assert!(found(&server, "price of the CoolBox 90").await[0].contains("4100"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_says_that_it_cannot_be_read_until_recognition_is_switched_on() {
    let server = Server::start().await;
    let scan = include_bytes!("../../../ingest/tests/fixtures/scanned-prices.pdf");
    let (_, taken) = upload(&server, None, &[("prices.pdf", scan)]).await;
    server.idle().await;
    let file = &taken["files"][0];
    let before = version(&server, file).await;
    assert_ne!(
        before["state"], "ready",
        "a scan is never silent success: {before}"
    );
    assert!(before.to_string().contains("scanned"), "{before}");

    let (_, settings) = server.get("/v1/settings").await;
    let mut wanted = settings["settings"].clone();
    wanted["extraction"]["ocr"] = json!(true);
    let change = json!({ "version": settings["version"], "note": "read scans", "settings": wanted });
    let (status, changed) = reply(server.request(Method::PUT, "/v1/settings").json(&change)).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    let document = file["document_id"].as_str().unwrap();
    let (status, again) = server
        .post(&format!("/v1/documents/{document}/rebuild"), &json!({}))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{again}");
    server.idle().await;
    let (_, after) = server.get(&format!("/v1/documents/{document}/versions/2")).await;
    assert_eq!(after["live"], true, "{after}");
    assert!(!found(&server, "weekly instalment").await.is_empty());
    server.end().await;
}
