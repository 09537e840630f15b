//! Ctrl-C: everything ends, and nothing is left running.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use plumbline_store::testing::{TestDatabase, find_runtime};
use tokio::process::{Child, Command};

use crate::crash::free_port;
use crate::support::FAQ;

fn plumbline(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plumbline"));
    command
        .args(arguments)
        .env("PLUMBLINE_DATA", data)
        .env("PLUMBLINE_RUNTIME", find_runtime())
        .env_remove("DATABASE_URL")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn interrupt(child: &Child) {
    let id = child.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().await.unwrap();
    assert!(sent.success());
}

/// Waits for the end, but no longer than the program may take to drain what is under way.
async fn end_of(mut child: Child) -> ExitStatus {
    tokio::time::timeout(Duration::from_secs(9), child.wait())
        .await
        .expect("the program goes on")
        .unwrap()
}

async fn wait_for(path: &Path) {
    for _ in 0..600 {
        if path.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} never appeared", path.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_ends_while_a_chat_is_open() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let database = TestDatabase::create().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    std::fs::create_dir(&corpus).unwrap();
    std::fs::write(corpus.join("faq.md"), FAQ).unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let arguments = ["demo", "--listen", &address, "--corpus", corpus.to_str().unwrap()];
    let child = plumbline(&folder.path().join("data"), &arguments)
        .env("DATABASE_URL", database.url())
        .spawn()
        .unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut open = None;
    for _ in 0..600 {
        let events = http.get(format!("http://{address}/simulator/events"));
        if let Ok(response) = events.send().await {
            open = Some(response);
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut open = open.expect("the demo did not start");
    assert_eq!(open.headers()["content-type"], "text/event-stream");
    interrupt(&child).await;
    assert!(end_of(child).await.success());
    assert!(
        matches!(open.chunk().await, Ok(None)),
        "the stream ends as it should"
    );
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_command_stops_its_private_postgres() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let file = folder.path().join("faq.md");
    std::fs::write(&file, FAQ).unwrap();
    let (data, file) = (folder.path().join("data"), file.to_str().unwrap());
    let address = format!("127.0.0.1:{}", free_port());
    let demo = ["demo", "--listen", &address, "--corpus", file];
    let commands: [(&[&str], u32); 4] = [
        (&["ask", "Does Ctrl-C end this?"], 1),
        (&["ingest", file], 1),
        (&["doctor"], 2),
        (&demo, 2),
    ];
    for (arguments, signals) in commands {
        let child = plumbline(&data, arguments).spawn().unwrap();
        let run = data.join("postgres/run");
        wait_for(&run.join(".s.PGSQL.5432")).await;
        for _ in 0..signals {
            interrupt(&child).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let status = end_of(child).await;
        assert_eq!(status.code(), Some(130), "{arguments:?}");
        assert!(
            !data.join("postgres/cluster/postmaster.pid").exists(),
            "{arguments:?} left PostgreSQL running"
        );
    }
}
