//! `plumbline doctor`: what was found, what is missing, and the command that mends it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use plumbline_store::Store;

use crate::app::{isolation, load_embedder, open_database};
use crate::config::CommonArgs;

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    outcome: Result<String, String>,
}

pub(crate) async fn run(common: &CommonArgs) -> anyhow::Result<ExitCode> {
    let findings = vec![
        Finding {
            what: "data directory",
            outcome: writable(&common.data),
        },
        Finding {
            what: "PostgreSQL",
            outcome: database(common).await,
        },
        Finding {
            what: "embedding model",
            outcome: model(common).await,
        },
        Finding {
            what: "PDF library",
            outcome: pdf(common).await,
        },
    ];
    let mut sound = true;
    for finding in findings {
        match finding.outcome {
            Ok(found) => println!("ok       {:<16} {found}", finding.what),
            Err(problem) => {
                sound = false;
                println!("MISSING  {:<16} {problem}", finding.what);
            }
        }
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

fn writable(data: &Path) -> Result<String, String> {
    let made = std::fs::create_dir_all(data).and_then(|()| tempfile_in(data));
    match made {
        Ok(()) => Ok(data.display().to_string()),
        Err(error) => Err(format!(
            "{} cannot be written: {error}; name another with --data",
            data.display()
        )),
    }
}

fn tempfile_in(data: &Path) -> std::io::Result<()> {
    let probe = data.join(format!(".doctor-{}", std::process::id()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)
}

async fn database(common: &CommonArgs) -> Result<String, String> {
    let (url, postgres) = open_database(common)
        .await
        .map_err(|error| format!("{error:#}"))?;
    let store = Store::connect(&url, 1).await.map_err(|error| error.to_string())?;
    let versions = store.server_versions().await.map_err(|error| error.to_string())?;
    store.close().await;
    let place = if postgres.is_some() {
        "private, in the data directory"
    } else {
        "DATABASE_URL"
    };
    Ok(format!(
        "PostgreSQL {}, pgvector {} ({place})",
        versions.postgres, versions.pgvector
    ))
}

async fn model(common: &CommonArgs) -> Result<String, String> {
    let embedder = load_embedder(common)
        .await
        .map_err(|error| format!("{error:#}"))?;
    let vector = embedder
        .embed_one("a question")
        .await
        .map_err(|error| error.to_string())?;
    Ok(format!(
        "{}, {} dimensions, {}",
        embedder.model(),
        vector.len(),
        common.onnx_runtime().display()
    ))
}

async fn pdf(common: &CommonArgs) -> Result<String, String> {
    let library = common.pdfium_library();
    if !library.is_file() {
        return Err(format!(
            "{} is not there; run `make runtime` or set PDFIUM_LIB",
            library.display()
        ));
    }
    // The way every PDF will be read: through the child process.
    let folder = std::env::temp_dir().join(format!("plumbline-doctor-{}.pdf", std::process::id()));
    std::fs::write(&folder, SMALLEST_PDF).map_err(|error| error.to_string())?;
    let read = isolation(common)
        .map_err(|error| error.to_string())?
        .extract(&folder, "doctor.pdf")
        .await;
    let _ = std::fs::remove_file(&folder);
    match read {
        Ok(extraction) if extraction.text.contains("plumb") => Ok(library.display().to_string()),
        Ok(_) => Err(format!("{} read a known page wrongly", library.display())),
        Err(error) => Err(format!("{}: {}", library.display(), error.message)),
    }
}

/// One page that says "plumb line".
const SMALLEST_PDF: &[u8] = include_bytes!("doctor.pdf");
