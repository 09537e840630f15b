//! Drafts of golden cases: out of what went wrong with customers, and by choice.

use std::path::Path;

use plumbline_server::simulator::graph::Customer;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{CUSTOMER, Server, reply};

const DELIVERY: &str = "How much is delivery to Tamale?";

/// Runs `plumbline grow`; returns whether it succeeded, and all it said.
async fn grow(server: &Server, arguments: &[&str]) -> (bool, String) {
    let data = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_plumbline"))
        .arg("grow")
        .args(arguments)
        .env("DATABASE_URL", server.database_url())
        .env("PLUMBLINE_DATA", data.path())
        .output()
        .await
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// What the customer thinks of the message `wamid`; nothing takes the reaction back.
fn react(server: &Server, customer: &str, wamid: &str, emoji: &str) {
    server.fake.customer_sends(
        &Customer::with_phone(customer, "Ama Mensah"),
        json!({ "type": "reaction", "reaction": { "message_id": wamid, "emoji": emoji } }),
    );
}

async fn drafts(server: &Server) -> Vec<Value> {
    let (status, drafts) = server.get("/v1/golden/drafts").await;
    assert_eq!(status, StatusCode::OK, "{drafts}");
    drafts.as_array().unwrap().clone()
}

fn read(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_with_customers_becomes_drafts_that_tell_nobody_who_asked() {
    let server = Server::with_faq().await;
    let says = |customer: &str, text: &str| server.fake.customer_says(customer, "Ama Mensah", text);
    // disliked; liked in the end; handed over
    says(CUSTOMER, DELIVERY);
    server.replies(1).await;
    says("233200000002", "What warranty has the battery?");
    server.replies(2).await;
    says(
        "233200000003",
        "I want to talk to a person, call Ama Mensah on 024 555 0199",
    );
    server.replies(3).await;
    let sent = server.fake.messages();
    let wamid = |customer: &str| {
        let message = sent.iter().find(|message| message.customer == customer).unwrap();
        message.wamid.clone()
    };
    react(&server, CUSTOMER, &wamid(CUSTOMER), "👎🏿");
    react(&server, "233200000002", &wamid("233200000002"), "👎");
    server.idle().await;
    react(&server, "233200000002", &wamid("233200000002"), "👍");
    server.fake.settled().await;
    server.idle().await;

    let (done, said) = grow(&server, &[]).await;
    assert!(
        done && said.contains("1 disliked, 1 handed over") && said.contains("2 new drafts"),
        "{said}"
    );
    let found = drafts(&server).await;
    let of = |reason: &str| found.iter().find(|draft| draft["reason"] == reason).unwrap();
    assert_eq!(of("thumbs_down")["question"], DELIVERY);
    assert_eq!(of("thumbs_down")["kind"], "answerable");
    assert_eq!(
        of("handoff")["question"],
        "I want to talk to a person, call [name] on [phone]"
    );
    let (_, said) = grow(&server, &[]).await;
    assert!(said.contains("0 new drafts, 2 drafted before"), "{said}");
    let (_, said) = grow(&server, &["--since", "2099-01-01"]).await;
    assert!(said.starts_with("0 answers"), "{said}");

    // one of them is not wanted, the other leaves as a line of a case file
    let dismissed = of("handoff")["id"].as_str().unwrap();
    let path = format!("/v1/golden/drafts/{dismissed}/dismiss");
    assert_eq!(server.post(&path, &json!({})).await.0, StatusCode::NO_CONTENT);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("drafts.jsonl");
    let (done, said) = grow(&server, &["--export", &file.display().to_string()]).await;
    assert!(done && said.contains("1 draft written"), "{said}");
    let lines = read(&file);
    assert_eq!((lines.len(), &lines[0]["question"]), (1, &json!(DELIVERY)));
    assert_eq!(
        (&lines[0]["source"], &lines[0]["status"], &lines[0]["tags"][0]),
        (&json!("prod"), &json!("draft"), &json!("draft"))
    );
    let (done, said) = grow(&server, &["--export", &file.display().to_string()]).await;
    assert!(
        !done && said.contains("name a file that is not there yet"),
        "{said}"
    );
    assert!(
        drafts(&server).await.is_empty(),
        "exported and dismissed do not come back"
    );
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_the_golden_set_is_no_draft() {
    let server = Server::with_faq().await;
    server
        .fake
        .customer_says(CUSTOMER, "Ama", "I want to talk to a person!");
    server.replies(1).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("cases")).unwrap();
    let case = json!({ "id": "person", "question": "i want to talk to a person" });
    std::fs::write(folder.path().join("cases/a.jsonl"), case.to_string()).unwrap();
    let golden = folder.path().display().to_string();
    let (done, said) = grow(&server, &["--golden", &golden]).await;
    assert!(
        done && said.contains("0 new drafts, 0 drafted before, 1 in the golden set"),
        "{said}"
    );
    let (done, said) = grow(&server, &["--golden", "/no/such/folder"]).await;
    assert!(
        !done && said.contains("/no/such/folder/cases cannot be read"),
        "{said}"
    );
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_made_a_draft_over_the_api() {
    let server = Server::with_faq().await;
    let answer = server.answer(DELIVERY).await;
    let chosen = json!({ "answer_id": answer["id"] });
    let (status, draft) = server.post("/v1/golden/drafts", &chosen).await;
    assert_eq!(status, StatusCode::CREATED, "{draft}");
    assert_eq!(
        (&draft["reason"], &draft["state"]),
        (&json!("chosen"), &json!("draft"))
    );
    let again = server.answer("how much is delivery to TAMALE").await;
    let (status, same) = server
        .post("/v1/golden/drafts", &json!({ "answer_id": again["id"] }))
        .await;
    assert_eq!(
        (status, &same["id"]),
        (StatusCode::OK, &draft["id"]),
        "one per question"
    );
    let nobody = json!({ "answer_id": "00000000-0000-0000-0000-000000000000" });
    assert_eq!(
        server.post("/v1/golden/drafts", &nobody).await.0,
        StatusCode::NOT_FOUND
    );

    for (state, expected) in [("draft", 1), ("draft", 0), ("exported", 1)] {
        let path = format!("/v1/golden/drafts/export?state={state}");
        let (status, lines) = reply(server.request(Method::POST, &path)).await;
        assert_eq!(status, StatusCode::OK);
        let found = match lines {
            // one line is a whole JSON value
            Value::Object(case) => usize::from(case["question"] == DELIVERY),
            Value::String(text) => text.lines().count(),
            other => panic!("{other}"),
        };
        assert_eq!(found, expected, "{state}");
    }
    server.end().await;
}
