//! The gate of record and a running server say the same: one answerer behind both.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use plumbline_store::testing::{TestDatabase, find_runtime};
use serde_json::{Value, json};

use crate::golden_dir::{GoldenDir, case, verdict};

const CASES: usize = 40;

/// How long a server may take to become ready; it is asked until then.
const PATIENCE: Duration = Duration::from_mins(2);

/// The server's program, which is another package's: a build of the whole workspace puts it beside ours.
fn server_program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_plumbline-eval")).with_file_name("plumbline");
    assert!(
        program.is_file(),
        "build the server first: cargo build --workspace --bins"
    );
    program
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Installation {
    database: String,
    data: tempfile::TempDir,
}

impl Installation {
    fn command(&self) -> Command {
        let mut command = Command::new(server_program());
        command
            .env("DATABASE_URL", &self.database)
            .env("PLUMBLINE_DATA", self.data.path())
            .env("PLUMBLINE_RUNTIME", find_runtime());
        command
    }

    fn run(&self, args: &[&str]) -> String {
        let output = self.command().args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn serve(&self) -> (Server, SocketAddr) {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = self.command();
        command.args(["serve", "--listen", &address.to_string()]);
        let server = Server(
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let since = Instant::now();
        while !is_ready(address) {
            assert!(since.elapsed() < PATIENCE, "the server is not ready");
            std::thread::sleep(Duration::from_millis(100));
        }
        (server, address)
    }
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    };
    ask().is_ok_and(|reply| reply.contains(" 200 "))
}

/// Cases of every kind: an answer, a near miss, a follow-up, small talk, a person, another business.
fn golden() -> GoldenDir {
    let golden = GoldenDir::new(CASES);
    let mut lines = Vec::new();
    for i in 0..10 {
        let mut follow_up = case(i);
        follow_up["id"] = json!(format!("follow-up-{i}"));
        follow_up["question"] = json!(format!("and article {i:03}?"));
        follow_up["history"] = json!([
            {"role": "customer", "text": format!("When may I bring back article {:03}?", i + 20)},
            {"role": "bot", "text": format!("Article number {:03} is returned within {} days of delivery.", i + 20, i + 20)},
        ]);
        lines.push(follow_up.to_string());
        let other = |id: String, kind: &str, question: String| {
            let route = if kind == "unanswerable" {
                json!("commodity")
            } else {
                Value::Null
            };
            json!({"id": id, "kind": kind, "question": question, "lang": "en", "route": route, "source": "human"}).to_string()
        };
        lines.push(other(
            format!("near-{i}"),
            "unanswerable",
            format!("Which colour does article {i:03} have?"),
        ));
    }
    lines.push(
        json!({"id": "hi", "kind": "chitchat", "question": "good morning", "lang": "en", "source": "human"})
            .to_string(),
    );
    lines.push(json!({"id": "person", "kind": "handoff", "question": "let me talk to a person please", "lang": "en", "source": "human"}).to_string());
    golden.write("cases/more.jsonl", &lines.join("\n"));
    golden
}

/// What a customer would notice, case by case.
fn replies(report: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(report.join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["run"]["concurrency"], 4);
    let cases = report["cases"].as_array().unwrap().iter();
    cases
        .map(|case| {
            let top: Vec<Value> = case["top"].as_array().unwrap().iter().map(|hit| {
                let file = hit["document"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
                json!([file, hit["start"], hit["end"], hit["holds"], hit["lexical_rank"], hit["vector_rank"]])
            }).collect();
            json!({
                "id": case["id"], "observed": case["observed"], "route": case["route"], "answer": case["answer"],
                "recall": case["recall_at_5"], "problems": case["problems"], "top": top,
                "confidence": (case["confidence"].as_f64().unwrap_or_default() * 1e4).round(),
            })
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_process_and_over_http_agree_at_four_at_a_time() {
    let database = TestDatabase::create().await.unwrap();
    let installation = Installation {
        database: database.url().to_owned(),
        data: tempfile::tempdir().unwrap(),
    };
    let (golden, runtime) = (golden(), find_runtime());
    let run = |report: &str, more: &[&str]| {
        let report = golden.path().join(report);
        let output = Command::new(env!("CARGO_BIN_EXE_plumbline-eval"))
            .args(["run", "--concurrency", "4", "--show-test", "--golden"])
            .arg(golden.path())
            .arg("--report")
            .arg(&report)
            .args(more)
            .env_remove("DATABASE_URL")
            .env("PLUMBLINE_RUNTIME", &runtime)
            .env("PLUMBLINE_DATA", installation.data.path().join("eval-of-record"))
            .output()
            .unwrap();
        assert_eq!(verdict(&output).0, 0, "{output:?}");
        replies(&report)
    };
    let here = run("here", &[]);

    installation.run(&["ingest", golden.path().join("corpus").to_str().unwrap()]);
    let key = installation.run(&["access", "create-key", "--name", "eval"]);
    let (server, address) = installation.serve();
    let there = {
        let output = Command::new(env!("CARGO_BIN_EXE_plumbline-eval"))
            .args(["run", "--concurrency", "4", "--show-test", "--golden"])
            .arg(golden.path())
            .arg("--report")
            .arg(golden.path().join("there"))
            .args(["--target", &format!("http://{address}"), "--api-key-env", "KEY"])
            .env("KEY", key.trim())
            .env("PLUMBLINE_RUNTIME", &runtime)
            .output()
            .unwrap();
        assert_eq!(verdict(&output).0, 0, "{output:?}");
        replies(&golden.path().join("there"))
    };
    drop(server);
    assert_eq!(here.len(), CASES + 22);
    assert!(
        here.iter().any(|case| case["observed"] == "answered")
            && here.iter().any(|case| case["observed"] == "abstained")
    );
    for (here, there) in here.iter().zip(&there) {
        assert_eq!(here, there);
    }
    assert_eq!(here.len(), there.len());
    database.drop().await.unwrap();
}
