//! What it costs to ingest a folder again, and how soon an edit is found.
//!
//! `cargo bench -p plumbline-server --bench reingest`. Makes 4,000 small documents, ingests them with the program as a
//! person would (private PostgreSQL, real model), ingests them again, then uploads edited documents to a server and asks
//! until the new words are found. Another program can be measured with `-- --program PATH`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use docx_rs::{Docx, Paragraph, Run};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

/// Documents of the corpus.
const DOCUMENTS: usize = 4_000;

/// Texts that differ: with fewer texts than documents the first ingest measures the pipeline, not the model.
const TEXTS: usize = 500;

/// Documents that are edited, one after the other.
const EDITS: usize = 5;

const ADDRESS: &str = "127.0.0.1:18431";

fn main() -> Result<(), Failure> {
    // `cargo test --benches` only asks whether this builds and starts.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let world = World {
        program: program()?,
        corpus: folder.path().join("corpus"),
        data: folder.path().join("data"),
    };
    corpus(&world.corpus)?;
    for run in ["first ingest", "again, unchanged"] {
        let began = Instant::now();
        let files = world.ingest()?;
        let seconds = began.elapsed().as_secs_f64();
        let sum = |field: &str| files.iter().filter_map(|file| file[field].as_i64()).sum::<i64>();
        let unchanged = files.iter().filter(|file| file["unchanged"] == true).count();
        println!(
            "{run}: {} documents in {seconds:.2} s; {unchanged} unchanged, {} windows embedded, {} reused",
            files.len(),
            sum("embedded"),
            sum("reused")
        );
    }
    world.edit()
}

/// The program to measure: the one of this build, or the one named on the command line.
fn program() -> Result<PathBuf, Failure> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--program");
    match (arguments.next(), arguments.next()) {
        (Some(_), Some(path)) => Ok(std::path::absolute(path)?),
        (Some(_), None) => Err("--program needs a path".into()),
        _ => Ok(env!("CARGO_BIN_EXE_plumbline").into()),
    }
}

struct World {
    program: PathBuf,
    corpus: PathBuf,
    data: PathBuf,
}

/// A server, ended with this value.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // asked to end, not killed: it stops its PostgreSQL
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.0.wait();
    }
}

impl World {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("PLUMBLINE_DATA", &self.data);
        command
    }

    /// Ingests the corpus; returns what is said of every file.
    fn ingest(&self) -> Result<Vec<Value>, Failure> {
        let output = self
            .command(&["ingest", "--json"])
            .arg(&self.corpus)
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err("the ingest failed".into());
        }
        let lines = std::str::from_utf8(&output.stdout)?.lines();
        Ok(lines.map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    fn edit(&self) -> Result<(), Failure> {
        let key = self.command(&["access", "create-key"]).output()?.stdout;
        let key = String::from_utf8(key)?.trim().to_owned();
        let _serving = Serving(
            self.command(&["serve", "--listen", ADDRESS, "--log", "error"])
                .spawn()?,
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let http = reqwest::Client::builder().no_proxy().build()?;
            ready(&http).await?;
            let mut seconds = Vec::new();
            for edit in 0..EDITS {
                seconds.push(edited(&http, &key, edit).await?);
            }
            seconds.sort_by(f64::total_cmp);
            println!(
                "one document edited, from the upload to the new words being found: median {:.2} s, slowest {:.2} s of {EDITS}",
                seconds[EDITS / 2],
                seconds[EDITS - 1]
            );
            Ok(())
        })
    }
}

async fn ready(http: &reqwest::Client) -> Result<(), Failure> {
    for _ in 0..600 {
        let asked = http.get(format!("http://{ADDRESS}/readyz")).send().await;
        if asked.is_ok_and(|reply| reply.status().is_success()) {
            // the index catches up with the documents in the background
            tokio::time::sleep(Duration::from_secs(5)).await;
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the server did not become ready".into())
}

/// Uploads a changed document and asks until its new words are found; returns the seconds in between.
async fn edited(http: &reqwest::Client, key: &str, edit: usize) -> Result<f64, Failure> {
    let code = format!("KX-{}", 7_000 + edit);
    let number = edit * 9;
    let text = format!(
        "{}\n\nThe collection code of counter {number} is {code}.\n",
        text(number)
    );
    let part = reqwest::multipart::Part::bytes(text.into_bytes()).file_name(name(number));
    let form = reqwest::multipart::Form::new()
        .text("key", format!("{}/{}", number % 40, name(number)))
        .part("file", part);
    let began = Instant::now();
    let sent = http
        .post(format!("http://{ADDRESS}/v1/documents"))
        .bearer_auth(key)
        .multipart(form)
        .send()
        .await?;
    if !sent.status().is_success() {
        return Err(sent.text().await?.into());
    }
    let question = json!({ "query": format!("What is the collection code of counter {number}?"), "k": 5 });
    while began.elapsed() < Duration::from_mins(2) {
        let asked = http
            .post(format!("http://{ADDRESS}/v1/search"))
            .bearer_auth(key)
            .json(&question)
            .send()
            .await?;
        if asked.text().await?.contains(&code) {
            return Ok(began.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(format!("{code} was never found").into())
}

/// Plain text, Markdown, CSV and DOCX by turns, in forty folders.
fn corpus(root: &Path) -> Result<(), Failure> {
    for number in 0..DOCUMENTS {
        let folder = root.join((number % 40).to_string());
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(name(number));
        match number % 9 {
            0..=2 => std::fs::write(path, text(number))?,
            3..=5 => std::fs::write(path, format!("# Counter\n\n{}\n", text(number)))?,
            6..=7 => std::fs::write(path, table(number))?,
            _ => {
                let paragraph = Paragraph::new().add_run(Run::new().add_text(text(number)));
                Docx::new()
                    .add_paragraph(paragraph)
                    .build()
                    .pack(std::fs::File::create(path)?)?;
            }
        }
    }
    Ok(())
}

fn name(number: usize) -> String {
    let extension = ["txt", "txt", "txt", "md", "md", "md", "csv", "csv", "docx"][number % 9];
    format!("document-{number:04}.{extension}")
}

fn text(number: usize) -> String {
    let n = number % TEXTS;
    let (goods, town) = (GOODS[n % GOODS.len()], TOWNS[n / GOODS.len() % TOWNS.len()]);
    format!(
        "A {goods} costs {} cedis at our counter in {town} and is delivered within {} days. \
         It has a warranty of {} months; bring the receipt when you return it.",
        40 + n * 3,
        1 + n % 9,
        6 + n % 31
    )
}

fn table(number: usize) -> String {
    let n = number % TEXTS;
    let row = |step: usize| {
        let goods = GOODS[(n + step) % GOODS.len()];
        format!(
            "{goods},{},{}\n",
            40 + n * 3 + step,
            TOWNS[(n + step) % TOWNS.len()]
        )
    };
    format!("item,price in cedis,counter\n{}{}{}", row(0), row(1), row(2))
}

const GOODS: [&str; 12] = [
    "ceiling fan",
    "solar kit",
    "water tank",
    "desk lamp",
    "rice cooker",
    "mosquito net",
    "steel pot",
    "gas stove",
    "extension cable",
    "wall clock",
    "bicycle pump",
    "garden hose",
];

const TOWNS: [&str; 10] = [
    "Kumasi",
    "Tamale",
    "Accra",
    "Cape Coast",
    "Sunyani",
    "Ho",
    "Wa",
    "Bolgatanga",
    "Takoradi",
    "Koforidua",
];
