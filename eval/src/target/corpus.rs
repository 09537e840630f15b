//! The golden corpus in the eval's database.
//!
//! What is cached is named by its content: a hash over the files, the model, and the very text and
//! chunks that today's code makes of them. A change of an extractor or of the chunker therefore
//! builds the corpus anew, and nobody measures yesterday's chunks.

use std::path::Path;
use std::sync::Arc;

use plumbline_ingest::{Limits, Pipeline, chunk, extract};
use plumbline_models::Embedder;
use plumbline_store::ChunkingSettings;
use uuid::Uuid;

use super::local::infra;
use crate::error::EvalError;
use crate::golden::load::Golden;
use crate::golden::pin::{CorpusDoc, sha256_hex};
use crate::progress::Progress;

/// The name of a corpus by everything that its chunks and vectors depend on, in hex.
pub async fn fingerprint(
    golden: &Golden,
    settings: &ChunkingSettings,
    limits: &Limits,
    embedder: &Arc<dyn Embedder>,
) -> Result<String, EvalError> {
    let (dir, docs, manifest) = (golden.corpus_dir(), golden.docs.clone(), golden.manifest.clone());
    let (settings, limits, embedder) = (settings.clone(), limits.clone(), Arc::clone(embedder));
    let hashing = tokio::task::spawn_blocking(move || {
        let mut parts = format!("{manifest} {} {settings:?}", embedder.model());
        for doc in &docs {
            parts.push_str(&sha256_hex(
                made_of(&dir, doc, &settings, &limits, &embedder).as_bytes(),
            ));
        }
        sha256_hex(parts.as_bytes())
    });
    hashing.await.map_err(infra)
}

/// What today's code makes of a document; a file that cannot be read is reported by the pipeline.
fn made_of(
    dir: &Path,
    doc: &CorpusDoc,
    settings: &ChunkingSettings,
    limits: &Limits,
    embedder: &Arc<dyn Embedder>,
) -> String {
    let Ok(bytes) = std::fs::read(dir.join(&doc.path)) else {
        return String::new();
    };
    let Ok(extraction) = extract(&bytes, file_name(doc), limits) else {
        return String::new();
    };
    let chunks = chunk(&extraction, settings, &|text| embedder.count_tokens(text));
    format!("{:?} {chunks:?} {}", extraction.title, extraction.text)
}

/// Brings every document in and publishes it; those that are there already are left as they are.
pub async fn ingest(
    pipeline: &Pipeline,
    tenant: Uuid,
    golden: &Golden,
    progress: &Progress,
) -> Result<(), EvalError> {
    progress.begin("reading the corpus", golden.docs.len());
    let mut failed = Vec::new();
    for doc in &golden.docs {
        if let Err(error) = one(pipeline, tenant, &golden.corpus_dir(), doc).await {
            failed.push(format!("{}: {error}", doc.path));
        }
        progress.step();
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(EvalError::Infra(format!(
        "the corpus cannot be brought in:\n{}",
        failed.join("\n")
    )))
}

async fn one(pipeline: &Pipeline, tenant: Uuid, dir: &Path, doc: &CorpusDoc) -> Result<(), String> {
    let bytes = tokio::fs::read(dir.join(&doc.path))
        .await
        .map_err(|error| error.to_string())?;
    let received = pipeline
        .receive_bytes(tenant, &doc.path, file_name(doc), bytes)
        .await
        .map_err(|error| error.to_string())?;
    let built = pipeline
        .build(tenant, received.version_id, &|_| {})
        .await
        .map_err(|error| error.to_string())?;
    if built.state.is_ready() {
        Ok(())
    } else {
        Err(format!("ended as {}", built.state.as_str()))
    }
}

fn file_name(doc: &CorpusDoc) -> &str {
    doc.path.rsplit('/').next().unwrap_or(&doc.path)
}
