//! The stream of what happens to versions.

use std::time::Duration;

use futures::{Stream, StreamExt};
use plumbline_server::watch::watch_versions;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::Server;

/// The data of the events of a stream, heartbeats left out.
fn events(response: reqwest::Response) -> impl Stream<Item = Value> {
    let bytes = response
        .bytes_stream()
        .scan(String::new(), |buffer, part| {
            buffer.push_str(&String::from_utf8_lossy(&part.unwrap()));
            let complete = buffer.rfind("\n\n").map_or(0, |end| end + 2);
            let rest = buffer.split_off(complete);
            let told: Vec<String> = std::mem::replace(buffer, rest)
                .split("\n\n")
                .map(str::to_owned)
                .collect();
            std::future::ready(Some(futures::stream::iter(told)))
        })
        .flatten();
    bytes.filter_map(|event| {
        let data = event
            .lines()
            .find_map(|line| line.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).unwrap());
        std::future::ready(data)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_every_state_of_a_version_in_order_and_ends_with_the_server() {
    let server = Server::start().await;
    let response = server.request(Method::GET, "/v1/documents/events").send().await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut stream = Box::pin(events(response));
    let text = "# Fees\n\nA transfer costs one percent, and every further one a little less.\n\n".repeat(200);
    let (_, body) = server.upload("fees.md", text.into_bytes()).await;
    let order = [
        "received",
        "extracting",
        "chunking",
        "embedding",
        "indexing",
        "ready",
    ];
    let mut last = (0, 0);
    loop {
        let event = tokio::time::timeout(Duration::from_mins(1), stream.next()).await;
        let event = event.unwrap().unwrap();
        assert_eq!(event["version_id"], body["files"][0]["version_id"], "{event}");
        assert_eq!(event["key"], "fees.md");
        let state = event["state"].as_str().unwrap();
        let place = order.iter().position(|known| *known == state).unwrap();
        let now = (place, event["done"].as_i64().unwrap());
        assert!(now >= last, "{now:?} after {last:?}");
        last = now;
        if event["ended"] == true {
            assert_eq!((state, &event["live"]), ("ready", &Value::Bool(true)), "{event}");
            assert!(event["elapsed_seconds"].as_f64().unwrap() > 0.0);
            break;
        }
    }
    // who comes a moment too late hears the end all the same
    let late = watch_versions(&server.app, server.tenant);
    let told = Box::pin(late).next().await.unwrap();
    assert!(told.ended && told.live);
    // `end` returns although the stream is open
    server.end().await;
    let rest: Vec<Value> = stream.collect().await;
    assert_eq!(rest, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_for_those_with_a_key_and_tells_of_their_versions_alone() {
    let server = Server::start().await;
    let refused = server.http.get(format!("{}/v1/documents/events", server.address));
    assert_eq!(refused.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let mut tx = server.app.store.system().await.unwrap();
    let other = tx.ensure_tenant("other", "Other").await.unwrap().id;
    tx.commit().await.unwrap();
    let mut theirs = Box::pin(watch_versions(&server.app, other));
    let mut ours = Box::pin(watch_versions(&server.app, server.tenant));
    server
        .upload_ready("a.txt", "The shop is closed on Sundays.")
        .await;
    assert_eq!(ours.next().await.unwrap().key, "a.txt");
    let silence = tokio::time::timeout(Duration::from_millis(500), theirs.next()).await;
    assert!(silence.is_err(), "{silence:?}");
    drop((ours, theirs));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_survives_the_loss_of_its_connection() {
    let server = Server::start().await;
    let mut ours = Box::pin(watch_versions(&server.app, server.tenant));
    server
        .upload_ready("a.txt", "The shop is closed on Sundays.")
        .await;
    while !ours.next().await.unwrap().ended {}
    server.break_connections().await;
    let (_, body) = server
        .upload("b.txt", b"The shop is open on Mondays.".to_vec())
        .await;
    let told = async {
        loop {
            let event = ours.next().await.unwrap();
            if event.ended && event.key == "b.txt" {
                return event;
            }
        }
    };
    let event = tokio::time::timeout(Duration::from_mins(1), told).await.unwrap();
    assert_eq!(body["files"][0]["version_id"], event.version_id.to_string());
    drop(ours);
    server.end().await;
}
