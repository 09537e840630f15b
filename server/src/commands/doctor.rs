//! `plumbline doctor`: what was found, what is missing, and the command that mends it.

mod languages;
mod pieces;
mod vectors;

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use plumbline_ingest::Wanted;
use plumbline_store::Store;
use plumbline_store::local::LocalPostgres;

use super::serve::missing_settings;
use crate::app::{isolation, load_embedder, load_reranker, open_database};
use crate::config::{CommonArgs, WhatsappArgs};

/// What became of looking at one thing.
enum Outcome {
    /// As it should be.
    Fine(String),
    /// Worth knowing, and no fault of this machine.
    Note(String),
    /// To be mended; with the way to mend it.
    Missing(String),
}

impl Outcome {
    /// Fine, or what is wrong and how it is mended.
    fn of(looked: anyhow::Result<String>, mend: &str) -> Self {
        match looked {
            Ok(found) => Self::Fine(found),
            Err(error) => Self::Missing(format!("{error:#}\n{INDENT}{mend}")),
        }
    }
}

/// Where the second line of a finding begins.
const INDENT: &str = "                          ";

/// One thing that was looked at.
type Finding = (&'static str, Outcome);

pub(crate) async fn run(common: &CommonArgs, whatsapp: &WhatsappArgs) -> anyhow::Result<ExitCode> {
    let mut findings = vec![("data directory", writable(&common.data))];
    findings.extend(database(common).await);
    findings.push(("files", files(common).await));
    findings.push(("embedding model", model(common).await));
    findings.push(("reranking model", reranker(common).await));
    findings.push(("PDF library", pdf(common).await));
    findings.push(("text recognition", recognition()));
    findings.push(("WhatsApp", configured(whatsapp)));
    let mut sound = true;
    for (what, outcome) in findings {
        let (label, words) = match outcome {
            Outcome::Fine(words) => ("ok", words),
            Outcome::Note(words) => ("note", words),
            Outcome::Missing(words) => {
                sound = false;
                ("MISSING", words)
            }
        };
        println!("{label:<8} {what:<16} {words}");
    }
    println!(
        "{}",
        if sound {
            "everything is there"
        } else {
            "mend what is missing, then run `plumbline doctor` again"
        }
    );
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether a server answers: for health checks, so nothing is printed when it does.
pub(crate) async fn quick(listen: SocketAddr) -> anyhow::Result<ExitCode> {
    let host = if listen.ip().is_unspecified() {
        "127.0.0.1".to_owned()
    } else {
        listen.ip().to_string()
    };
    let url = reqwest::Url::parse(&format!("http://{host}:{}/readyz", listen.port()))?;
    let http = crate::whatsapp::graph::http_client(&url)?;
    let answer = http.get(url.clone()).timeout(Duration::from_secs(3)).send().await;
    match answer {
        Ok(response) if response.status().is_success() => Ok(ExitCode::SUCCESS),
        Ok(response) => anyhow::bail!("{url} answered {}", response.status()),
        Err(error) => anyhow::bail!("{url} does not answer: {}", error.without_url()),
    }
}

fn writable(data: &Path) -> Outcome {
    let made = std::fs::create_dir_all(data)
        .and_then(|()| tempfile_in(data))
        .with_context(|| format!("{} cannot be written", data.display()));
    Outcome::of(
        made.map(|()| data.display().to_string()),
        "name another with --data or PLUMBLINE_DATA",
    )
}

fn tempfile_in(data: &Path) -> std::io::Result<()> {
    let probe = data.join(format!(".doctor-{}", std::process::id()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)
}

/// Whether files can be kept: writes, reads and removes one.
async fn files(common: &CommonArgs) -> Outcome {
    let looked = async {
        let blobs = common.blobs()?;
        blobs.check().await?;
        anyhow::Ok(blobs.to_string())
    };
    let mend = if common.s3.s3_bucket.is_some() {
        "change PLUMBLINE_S3_BUCKET, _REGION, _ENDPOINT, _PATH_STYLE or the AWS access key, or unset PLUMBLINE_S3_BUCKET: \
         then files are kept in the data directory"
    } else {
        "name another data directory with --data or PLUMBLINE_DATA"
    };
    Outcome::of(looked.await, mend)
}

/// The database, and if it is there, what its rows say is wrong.
async fn database(common: &CommonArgs) -> Vec<Finding> {
    let mend = if common.database_url.is_some() {
        "try `psql \"$DATABASE_URL\" -c 'CREATE EXTENSION IF NOT EXISTS vector'` for what it says, or unset DATABASE_URL: \
         then a private PostgreSQL is used"
    } else {
        "run `make runtime`, which fetches the private PostgreSQL, or set DATABASE_URL to one with pgvector"
    };
    // held while the rows are read: a private server stops with it
    let (store, _postgres, versions) = match reach(common).await {
        Ok(reached) => reached,
        Err(error) => return vec![("PostgreSQL", Outcome::of(Err(error), mend))],
    };
    let rows = async {
        anyhow::Ok([
            sending(&store, &common.tenant).await?,
            given_up(&store).await?,
            vectors::look(&store, &common.tenant).await?,
            languages::look(&store, common).await?,
            pieces::look(&store, &common.tenant).await?,
        ])
    };
    let rows = rows.await;
    store.close().await;
    let mut findings = vec![("PostgreSQL", Outcome::Fine(versions))];
    match rows {
        Ok(rows) => findings.extend(rows),
        Err(error) => findings.push(("rows", Outcome::of(Err(error), "run `plumbline migrate`"))),
    }
    findings
}

async fn reach(common: &CommonArgs) -> anyhow::Result<(Store, Option<LocalPostgres>, String)> {
    let (url, postgres) = open_database(common).await?;
    let store = Store::connect(&url, 1).await?;
    let versions = store.server_versions().await?;
    let place = if postgres.is_some() {
        "private, in the data directory"
    } else {
        "DATABASE_URL"
    };
    let versions = format!(
        "PostgreSQL {}, pgvector {} ({place})",
        versions.postgres, versions.pgvector
    );
    Ok((store, postgres, versions))
}

/// Whether a number of the tenant does not send.
async fn sending(store: &Store, tenant: &str) -> anyhow::Result<Finding> {
    let mut tx = store.system().await?;
    let channels = match tx.tenant_by_slug(tenant).await? {
        Some(tenant) => tx.channels(tenant.id).await?,
        None => Vec::new(),
    };
    let parked: Vec<String> = channels
        .iter()
        .filter_map(|channel| {
            let reason = channel.parked_reason.as_ref()?;
            Some(format!("{} sends nothing: {reason}", channel.phone_number_id))
        })
        .collect();
    let outcome = if parked.is_empty() {
        Outcome::Fine(match channels.len() {
            0 => "no WhatsApp number yet".to_owned(),
            1 => "1 WhatsApp number, not parked".to_owned(),
            count => format!("{count} WhatsApp numbers, none parked"),
        })
    } else {
        Outcome::Missing(format!(
            "{}\n{INDENT}mend it at Meta, then run `plumbline serve` again with a valid WHATSAPP_ACCESS_TOKEN",
            parked.join("; ")
        ))
    };
    Ok(("sending", outcome))
}

/// Jobs that no worker tries any more, of all tenants.
async fn given_up(store: &Store) -> anyhow::Result<Finding> {
    let depths = store.system().await?.queue_depths().await?;
    let dead: Vec<String> = depths
        .iter()
        .filter(|depth| depth.state == "dead")
        .map(|depth| format!("{} {}", depth.jobs, depth.queue))
        .collect();
    let outcome = if dead.is_empty() {
        Outcome::Fine("no dead jobs".to_owned())
    } else {
        Outcome::Note(format!(
            "dead jobs: {}; each was reported when it died: a document with its reason at /documents, a customer to a \
             person",
            dead.join(", ")
        ))
    };
    Ok(("queues", outcome))
}

async fn model(common: &CommonArgs) -> Outcome {
    let looked = async {
        let embedder = load_embedder(common).await?;
        let vector = embedder.embed_one("a question").await?;
        anyhow::Ok(format!(
            "{}, {} dimensions, {}",
            embedder.model(),
            vector.len(),
            common.onnx_runtime().display()
        ))
    };
    Outcome::of(
        looked.await,
        "run `make runtime`, or set PLUMBLINE_MODEL_DIR and ORT_DYLIB_PATH to where they are",
    )
}

/// Whether the cross-encoder judges, if there is one.
async fn reranker(common: &CommonArgs) -> Outcome {
    let looked = async {
        let Some(reranker) = load_reranker(common).await? else {
            return anyhow::Ok(None);
        };
        let began = std::time::Instant::now();
        let passages = vec!["an answer".to_owned(); 20];
        reranker.score("a question", passages).await?;
        let took = began.elapsed().as_millis();
        Ok(Some(format!(
            "{}, {took} ms for 20 short passages; `retrieval.rerank_deadline_ms` is how long a question waits",
            reranker.model()
        )))
    };
    match looked.await {
        Ok(None) => Outcome::Note(
            "none installed: built-in features read the best candidates again (PLUMBLINE_RERANKER_DIR)"
                .to_owned(),
        ),
        Ok(Some(found)) => Outcome::Fine(found),
        Err(error) => Outcome::of(
            Err(error),
            "name a directory with model.onnx and its tokenizer files, or unset PLUMBLINE_RERANKER_DIR",
        ),
    }
}

async fn pdf(common: &CommonArgs) -> Outcome {
    Outcome::of(read_page(common).await, "run `make runtime`, or set PDFIUM_LIB")
}

/// Reads a known page the way every PDF will be read: through the child process.
async fn read_page(common: &CommonArgs) -> anyhow::Result<String> {
    let library = common.pdfium_library();
    anyhow::ensure!(library.is_file(), "{} is not there", library.display());
    let page = std::env::temp_dir().join(format!("plumbline-doctor-{}.pdf", std::process::id()));
    std::fs::write(&page, SMALLEST_PDF)?;
    let read = isolation(common)?
        .extract(&page, "doctor.pdf", &Wanted::default(), &|_, _| {})
        .await;
    let _ = std::fs::remove_file(&page);
    match read {
        Ok(extraction) if extraction.text.contains("plumb") => Ok(library.display().to_string()),
        Ok(_) => anyhow::bail!("{} read a known page wrongly", library.display()),
        Err(error) => anyhow::bail!("{}: {}", library.display(), error.message),
    }
}

/// Scanned pages are read only where this is installed and switched on.
fn recognition() -> Outcome {
    match plumbline_ingest::ocr_languages() {
        Ok(languages) => Outcome::Fine(format!("tesseract: {}", languages.join(", "))),
        Err(reason) => Outcome::Note(format!("optional; {reason}")),
    }
}

/// Whether messages can come in and go out; a machine that only answers over the API needs neither.
fn configured(whatsapp: &WhatsappArgs) -> Outcome {
    let missing = missing_settings(whatsapp);
    match missing.len() {
        0 => Outcome::Fine("configured".to_owned()),
        4 => Outcome::Note("not configured; `plumbline demo` needs none of it".to_owned()),
        _ => Outcome::Missing(format!("set {}", missing.join(", "))),
    }
}

/// One page that says "plumb line".
const SMALLEST_PDF: &[u8] = include_bytes!("doctor.pdf");
