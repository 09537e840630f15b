//! What is staged reaches customers when the golden set passes with it, and not otherwise: the program, its worker and
//! the eval as processes of their own on one database.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plumbline_store::testing::{TestDatabase, find_runtime};
use plumbline_store::{EvalRun, EvalState, Store};
use serde_json::json;
use uuid::Uuid;

const OLD: &str = "# Delivery\n\nDelivery to Tamale costs GHS 45 and takes three days.\n\n\
    # Warranty\n\nThe battery of the kit has a warranty of 24 months from the day of purchase.\n";

/// A shop with a database, a data directory and a running worker.
struct Shop {
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
