//! The program is killed at the worst moments; afterwards every message has exactly one reply.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use plumbline_server::simulator::graph::{FakeGraph, Step};
use tokio::process::{Child, Command};

use crate::support::{ACCESS_TOKEN, APP_SECRET, FAQ, NUMBER, Server, common, fake_graph, serve_args};

/// The real program as a process of its own, on the database of `server`.
async fn spawn(url: &str, data: &std::path::Path, port: u16, fake: &FakeGraph) -> Child {
    let common = common(url, data.to_owned());
    let child = Command::new(env!("CARGO_BIN_EXE_plumbline"))
        .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--log", "warn"])
        .env("DATABASE_URL", url)
        .env("PLUMBLINE_DATA", data)
        .env("PLUMBLINE_RUNTIME", &common.runtime)
        .env("WHATSAPP_APP_SECRET", APP_SECRET)
        .env("WHATSAPP_ACCESS_TOKEN", ACCESS_TOKEN)
        .env("WHATSAPP_PHONE_NUMBER_ID", NUMBER)
        .env("WHATSAPP_GRAPH_URL", fake.base_url().as_str())
        .env("WHATSAPP_SEND_GRACE_SECONDS", "15")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..600 {
        let ready = client.get(format!("http://127.0.0.1:{port}/readyz")).send().await;
        if ready.is_ok_and(|response| response.status().is_success()) {
            return child;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the program did not start");
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A database with documents, a fake Graph server that posts to `port`, and a data directory.
struct Stage {
    database: plumbline_store::testing::TestDatabase,
    data: tempfile::TempDir,
    port: u16,
    fake: Arc<FakeGraph>,
}

impl Stage {
    async fn set() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = plumbline_store::testing::TestDatabase::create().await.unwrap();
        let data = tempfile::tempdir().unwrap();
        let port = free_port();
        let fake = fake_graph(&format!("http://127.0.0.1:{port}")).await;
        let booted =
            plumbline_server::app::boot(&common(database.url(), data.path().into()), Some(&serve_args()))
                .await
                .unwrap();
        crate::support::configure(&booted.app, booted.tenant.id).await;
        let file = data.path().join("faq.md");
        std::fs::write(&file, FAQ).unwrap();
        drop(booted);
        let ingest = Command::new(env!("CARGO_BIN_EXE_plumbline"))
            .args(["ingest", file.to_str().unwrap(), "--json"])
            .env("DATABASE_URL", database.url())
            .env("PLUMBLINE_DATA", data.path())
            .env("PLUMBLINE_RUNTIME", plumbline_store::testing::find_runtime())
            .output()
            .await
            .unwrap();
        assert!(
            ingest.status.success(),
            "{}",
            String::from_utf8_lossy(&ingest.stderr)
        );
        Self {
            database,
            data,
            port,
            fake,
        }
    }

    async fn start(&self) -> Child {
        spawn(self.database.url(), self.data.path(), self.port, &self.fake).await
    }

    async fn arrived(&self, count: usize) {
        for _ in 0..900 {
            if self.fake.messages().len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} of {count} replies arrived", self.fake.messages().len());
    }

    async fn acknowledged(&self, events: i64) {
        let store = self.database.store().await.unwrap();
        for _ in 0..600 {
            let mut tx = store.system().await.unwrap();
            if tx.count_inbound_events().await.unwrap() >= events {
                return;
            }
            drop(tx);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the webhook was not stored");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_acknowledgement_and_the_answer() {
    let stage = Stage::set().await;
    let mut first = stage.start().await;
    stage
        .fake
        .customer_says("233200000001", "Ama", "How much is delivery to Tamale?");
    stage.acknowledged(1).await;
    first.kill().await.unwrap();
    assert!(stage.fake.messages().is_empty(), "killed before the answer");
    let mut second = stage.start().await;
    stage.arrived(1).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let replies = stage.fake.messages();
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert!(replies[0].text.contains("GHS 45"));
    second.kill().await.unwrap();
    stage.fake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_platform_takes_the_reply() {
    let stage = Stage::set().await;
    let mut first = stage.start().await;
    // The platform has the message at once and answers much later: the program dies in between, not knowing.
    stage.fake.script([Step::Delay(Duration::from_secs(8))]);
    stage
        .fake
        .customer_says("233200000001", "Ama", "How much is delivery to Tamale?");
    stage.arrived(1).await;
    first.kill().await.unwrap();
    let mut second = stage.start().await;
    stage
        .fake
        .customer_says("233200000002", "Kofi", "What warranty has the battery?");
    stage.arrived(2).await;
    // longer than the lease of the dead worker and the grace of an unknown send together
    tokio::time::sleep(Duration::from_secs(40)).await;
    let replies = stage.fake.messages();
    let to_ama = replies
        .iter()
        .filter(|reply| reply.customer == "233200000001")
        .count();
    assert_eq!((to_ama, replies.len()), (1, 2), "{replies:?}");
    second.kill().await.unwrap();
    stage.fake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_while_customers_write() {
    let stage = Stage::set().await;
    let mut program = stage.start().await;
    for round in 0..4_u64 {
        for customer in 0..3 {
            let phone = format!("2332000001{round}{customer}");
            stage
                .fake
                .customer_says(&phone, "Ama", "How much is delivery to Tamale?");
        }
        // a different moment of the path each round: webhook, debounce, answer, send
        tokio::time::sleep(Duration::from_millis(40 + 190 * round)).await;
        program.kill().await.unwrap();
        program = stage.start().await;
    }
    stage.arrived(12).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut customers: Vec<String> = stage
        .fake
        .messages()
        .into_iter()
        .map(|reply| reply.customer)
        .collect();
    assert_eq!(customers.len(), 12, "one reply each: {customers:?}");
    customers.sort();
    customers.dedup();
    assert_eq!(customers.len(), 12, "nobody twice");
    program.kill().await.unwrap();
    stage.fake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_stop_stops() {
    let server = Server::start().await;
    server.end().await;
}
