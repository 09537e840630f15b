//! The real program, started as a person would start the demo.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use plumbline_store::testing::{TestDatabase, find_runtime};
use plumbline_store::{EvalState, TenantTx, Verdict};
use serde_json::Value;

/// Address and password of the admin of the tests.
pub(crate) const ADMIN: (&str, &str) = ("ama@shop.example", "a password for the tests");

const FAQ: &str = "# Questions about Lumen Lamps\n\n\
    ## Warranty\n\nThe warranty of the Aurora lamp lasts 24 months from the date on the receipt.\n\n\
    ## Delivery\n\nDelivery to Kumasi costs GHS 35 and takes 3 working days.\n\n\
    ## Opening hours\n\nThe shop in Accra is open from 8:00 to 17:30, Monday to Saturday.\n";

/// A running demo with a database and a folder of its own.
pub(crate) struct Program {
    /// Where it listens.
    pub(crate) address: String,
    /// A folder for files to upload.
    pub(crate) folder: tempfile::TempDir,
    child: Child,
    database: TestDatabase,
}

impl Program {
    /// Starts the demo with one small document and waits until it answers.
    pub(crate) async fn start() -> Self {
        // a second installation is refused, which is fine
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = TestDatabase::create().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let corpus = folder.path().join("corpus");
        std::fs::create_dir_all(corpus.join("help")).unwrap();
        std::fs::write(corpus.join("help/faq.md"), FAQ).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_plumbline"))
            .args([
                "demo",
                "--listen",
                "127.0.0.1:0",
                "--business",
                "Lumen Lamps",
                "--tenant",
                "lumen",
            ])
            .args([Path::new("--corpus"), &corpus])
            .args([Path::new("--data"), &folder.path().join("data")])
            .args([Path::new("--runtime"), &find_runtime()])
            .args(["--database-url", database.url()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let address = address_of(&mut child);
        add_admin(&database).await;
        Self {
            address,
            folder,
            child,
            database,
        }
    }

    /// A file to upload.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A file of the golden corpus.
    pub(crate) fn golden(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../golden/corpus")
            .join(path)
            .canonicalize()
            .unwrap()
    }

    /// Does something to the tenant's rows behind the program's back.
    async fn change(&self, change: impl AsyncFnOnce(&mut TenantTx)) {
        let store = self.database.store().await.unwrap();
        let mut tx = store.system().await.unwrap();
        let tenant = tx.tenant_by_slug("lumen").await.unwrap().unwrap().id;
        drop(tx);
        let mut tx = store.tenant(tenant).await.unwrap();
        change(&mut tx).await;
        tx.commit().await.unwrap();
        store.close().await;
    }

    /// Keeps the report of a run of the eval, as a pipeline does.
    pub(crate) async fn record(&self, passed: bool, report: Value) {
        let cause = report["exit"]["cause"].as_str().unwrap().to_owned();
        let verdict = Verdict {
            state: if passed {
                EvalState::Passed
            } else {
                EvalState::Refused
            },
            exit_code: Some(i32::from(!passed)),
            cause,
            report: Some(report),
        };
        self.change(async |tx| {
            tx.record_eval_run(&verdict).await.unwrap();
        })
        .await;
    }

    /// From now on nothing is published without a verdict.
    pub(crate) async fn gate(&self) {
        self.change(async |tx| {
            let mut settings = tx.settings().await.unwrap().settings;
            settings.publishing.gated = true;
            tx.save_settings(&settings, "gated").await.unwrap();
        })
        .await;
    }

    /// From now on the trace of every question is kept.
    pub(crate) async fn trace_everything(&self) {
        self.change(async |tx| {
            let mut settings = tx.settings().await.unwrap().settings;
            settings.traces.sample = 1.0;
            tx.save_settings(&settings, "traced").await.unwrap();
        })
        .await;
    }

    /// An address of a page.
    pub(crate) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

/// Reads what the program prints until it names its address, and goes on reading so that it never blocks.
fn address_of(child: &mut Child) -> String {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some(at) = line.find("http://") {
                let rest = &line[at..];
                let path = rest[7..].find('/').map_or(rest.len(), |slash| 7 + slash);
                let _ = sender.send(rest[..path].to_owned());
            }
        }
    });
    receiver
        .recv_timeout(Duration::from_mins(2))
        .expect("the demo did not print its address within two minutes")
}

async fn add_admin(database: &TestDatabase) {
    let store = database.store().await.unwrap();
    let hash = plumbline_server::password::hash(ADMIN.1).unwrap();
    let mut tx = store.system().await.unwrap();
    let tenant = tx
        .tenant_by_slug("lumen")
        .await
        .unwrap()
        .expect("the demo made its tenant");
    tx.put_admin(tenant.id, ADMIN.0, &hash).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        for _ in 0..100 {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
