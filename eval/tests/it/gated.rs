//! What is staged reaches customers when the golden set passes with it, and not otherwise: the program, its worker and
//! the eval as processes of their own on one database.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plumbline_store::testing::{TestDatabase, find_runtime};
use plumbline_store::{EvalRun, EvalState, Store};
use serde_json::json;
use uuid::Uuid;

const OLD: &str = "# Delivery\n\nDelivery to Tamale costs GHS 45 and takes three days.\n\n\
    # Warranty\n\nThe battery of the kit has a warranty of 24 months from the day of purchase.\n";

/// Embedding models of an endpoint: `same` finds everything near every question, `apart` nothing.
const MODELS: &str = "same=8,apart=8";

/// An endpoint that speaks the format of `OpenAI`, one request per connection; its address.
fn endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || embeddings(stream.unwrap()));
        }
    });
    address
}

fn embeddings(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let place = |text: &str| usize::from(body["model"] == "apart" && text.ends_with('?'));
    let texts = body["input"].as_array().unwrap().iter().enumerate();
    let data: Vec<serde_json::Value> = texts
        .map(|(index, text)| {
            let mut embedding = [0.0; 8];
            embedding[place(text.as_str().unwrap())] = 1.0;
            json!({ "index": index, "embedding": embedding })
        })
        .collect();
    let answer = json!({ "data": data }).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{answer}", answer.len()).unwrap();
}

/// A shop with a database, a data directory and a running worker.
struct Shop {
    endpoint: String,
    database: TestDatabase,
    store: Store,
    tenant: Uuid,
    data: tempfile::TempDir,
    worker: Option<Worker>,
}

/// A running `plumbline work`; a test that failed leaves none behind.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program that serves: it is built into the directory of the eval's.
fn plumbline() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_plumbline-eval")).with_file_name("plumbline");
    assert!(
        program.is_file(),
        "{} is missing; build the whole workspace",
        program.display()
    );
    program
}

impl Shop {
    async fn open() -> Self {
        let database = TestDatabase::create().await.unwrap();
        let store = database.store().await.unwrap();
        let mut tx = store.system().await.unwrap();
        let tenant = tx.ensure_tenant("default", "Shop").await.unwrap().id;
        tx.commit().await.unwrap();
        let data = tempfile::tempdir().unwrap();
        let mut shop = Self {
            endpoint: endpoint(),
            database,
            store,
            tenant,
            data,
            worker: None,
        };
        shop.upload(OLD);
        shop.write_golden();
        shop.run(&["settings", "set", "publishing.gated=true"]);
        shop.worker = Some(Worker(shop.command(&["work"]).spawn().unwrap()));
        shop
    }

    fn write_golden(&self) {
        let golden = self.data.path().join("golden/default");
        std::fs::create_dir_all(golden.join("cases")).unwrap();
        let case = |id: &str, question: &str, quote: &str| {
            json!({
                "id": id, "kind": "answerable", "route": "commodity", "lang": "en", "question": question,
                "source": "human", "evidence": [{ "group": 1, "doc": "faq.md", "quote": quote }],
            })
            .to_string()
        };
        let cases = [
            case(
                "tamale",
                "how much is delivery to tamale?",
                "Delivery to Tamale costs GHS 45",
            ),
            case(
                "battery",
                "how long is the warranty of the battery?",
                "a warranty of 24 months",
            ),
        ];
        std::fs::write(golden.join("cases/faq.jsonl"), cases.join("\n")).unwrap();
        let gates = "[[gate]]\nmetric = \"recall_at_5\"\nmin = 1.0\n\n\
            [[gate]]\nmetric = \"false_abstention\"\nmax = 0.5\nevidence = \"point\"\n";
        std::fs::write(golden.join("gates.toml"), gates).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(plumbline());
        command
            .args(args)
            .env("DATABASE_URL", self.database.url())
            .env("PLUMBLINE_DATA", self.data.path())
            .env("PLUMBLINE_RUNTIME", find_runtime())
            .env("PLUMBLINE_EMBEDDING_URL", &self.endpoint)
            .env("PLUMBLINE_EMBEDDING_MODELS", MODELS)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).into_owned() + &stderr
    }

    /// Ingests `text` as the next version of the one document.
    fn upload(&self, text: &str) -> String {
        let file = self.data.path().join("faq.md");
        std::fs::write(&file, text).unwrap();
        self.run(&["ingest", file.to_str().unwrap()])
    }

    /// The newest run, when it has ended.
    async fn verdict(&self) -> EvalRun {
        for _ in 0..1_200 {
            let mut tx = self.store.tenant(self.tenant).await.unwrap();
            let newest = tx.eval_runs(1).await.unwrap().pop().unwrap();
            tx.commit().await.unwrap();
            if newest.finished_at.is_some() {
                return newest;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the run does not end");
    }

    /// The newest run that staged settings waited for, when it has ended.
    async fn judged_settings(&self) -> EvalRun {
        for _ in 0..1_200 {
            let mut tx = self.store.tenant(self.tenant).await.unwrap();
            let runs = tx.eval_runs(20).await.unwrap();
            tx.commit().await.unwrap();
            let mut ended = runs.into_iter().filter(|run| run.finished_at.is_some());
            if let Some(run) = ended.find(|run| run.settings_version.is_some()) {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no run of settings ends");
    }

    async fn model(&self) -> String {
        let mut tx = self.store.tenant(self.tenant).await.unwrap();
        tx.settings().await.unwrap().settings.retrieval.model
    }

    async fn answering(&self) -> i32 {
        let mut tx = self.store.tenant(self.tenant).await.unwrap();
        let live = tx
            .visible_documents(&plumbline_store::Scope::default())
            .await
            .unwrap();
        tx.version(live[0].version_id).await.unwrap().number
    }

    async fn end(mut self) {
        drop(self.worker.take());
        self.store.close().await;
        self.database.drop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_published_when_the_golden_set_passes_and_refused_when_evidence_is_gone() {
    let shop = Shop::open().await;
    assert_eq!(shop.answering().await, 1, "published before the gate was set");

    let said = shop.upload(&format!("{OLD}\n# Hours\n\nWe open at nine on Sundays.\n"));
    assert!(said.contains("not published"), "{said}");
    let run = shop.verdict().await;
    assert_eq!(
        (run.state, run.exit_code),
        (EvalState::Passed, Some(0)),
        "{run:?}"
    );
    assert_eq!(shop.answering().await, 2);

    shop.upload(
        "# Warranty\n\nThe battery of the kit has a warranty of 24 months from the day of purchase.\n",
    );
    let run = shop.verdict().await;
    assert_eq!(
        (run.state, run.exit_code),
        (EvalState::Refused, Some(4)),
        "{run:?}"
    );
    assert!(run.cause.contains("stale"), "{run:?}");
    assert_eq!(shop.answering().await, 2, "what answered goes on answering");
    shop.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_make_answers_worse_are_not_put_into_force() {
    let shop = Shop::open().await;
    let said = shop.run(&["settings", "set", "answer.min_confidence=1.0"]);
    assert!(said.contains("waits for eval run"), "{said}");
    let run = shop.verdict().await;
    assert_eq!(
        (run.state, run.exit_code),
        (EvalState::Refused, Some(1)),
        "{run:?}"
    );
    assert!(run.cause.contains("false_abstention"), "{run:?}");
    let mut tx = shop.store.tenant(shop.tenant).await.unwrap();
    let live = tx.settings().await.unwrap();
    assert!(live.settings.answer.min_confidence < 1.0, "{live:?}");
    let report = tx.eval_report(run.id).await.unwrap().unwrap();
    assert_eq!(report["exit"]["code"], 1);
    tx.commit().await.unwrap();

    let said = shop.run(&["settings", "set", "conversation.bot_enabled=false"]);
    assert!(
        said.contains("is in force"),
        "the kill switch waits for nothing: {said}"
    );
    shop.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_put_into_force_when_the_golden_set_passes_with_it_and_both_runs_are_kept() {
    let shop = Shop::open().await;
    let said = shop.run(&["models", "switch", "apart"]);
    assert!(said.contains("windows get their vectors"), "{said}");
    let judged = shop.judged_settings().await;
    assert_eq!(judged.state, EvalState::Refused, "{judged:?}");
    assert_eq!(shop.model().await, "", "what answered goes on answering");
    let listed = shop.run(&["models", "list"]);
    assert!(listed.contains("did not pass"), "{listed}");

    let mut tx = shop.store.tenant(shop.tenant).await.unwrap();
    let runs = tx.eval_runs(10).await.unwrap();
    tx.commit().await.unwrap();
    let other = runs.iter().find(|run| run.id != judged.id).unwrap();
    assert!(
        other.cause.starts_with("the model in force, for comparison"),
        "{other:?}"
    );
    assert_eq!(other.exit_code, Some(0), "{other:?}");

    shop.run(&["models", "switch", "same"]);
    for _ in 0..1_200 {
        if shop.model().await == "same" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(shop.model().await, "same", "{:?}", shop.judged_settings().await);
    let said = shop.run(&["models", "rollback"]);
    assert!(
        said.contains("is in force"),
        "a rollback waits for no verdict: {said}"
    );
    assert_eq!(shop.model().await, "");
    shop.end().await;
}
