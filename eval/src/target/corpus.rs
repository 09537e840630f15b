//! The golden corpus in the eval's database.
//!
//! What is cached is named by everything that shapes it: the files (the manifest hash), the settings that cut them, the
//! embedding model, the PDF library, and the sources of the code that reads, cuts and embeds (see `code`). A change of
//! any of them builds the corpus anew, so that nobody measures yesterday's chunks; otherwise a run finds it there and
//! reads no file at all.

use std::path::Path;

use plumbline_ingest::{BuildError, Limits, Pipeline};
use plumbline_store::{ChunkingSettings, ExtractionSettings, VersionState};
use uuid::Uuid;

use crate::code;
use crate::error::EvalError;
use crate::golden::load::Golden;
use crate::golden::pin::{CorpusDoc, sha256_hex};
use crate::progress::Progress;

/// What shapes chunks and vectors, beside the files and the code.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// How documents are cut.
    pub chunking: &'a ChunkingSettings,
    /// What is read out of them.
    pub extraction: &'a ExtractionSettings,
    /// What may be read, and with which PDF library.
    pub limits: &'a Limits,
    /// Name of the embedding model.
    pub model: &'a str,
}

/// The name of a corpus by everything that its chunks and vectors depend on, in hex.
pub fn fingerprint(manifest: &str, shape: Shape<'_>) -> String {
    let Shape {
        chunking,
        extraction,
        limits,
        model,
    } = shape;
    let library = library_hash(limits);
    let bounds = Limits {
        libpdfium: None,
        ..limits.clone()
    };
    let parts = format!(
        "{manifest}\n{model}\n{chunking:?}\n{extraction:?}\n{bounds:?}\n{library}\n{}",
        code::CORPUS
    );
    sha256_hex(parts.as_bytes())
}

/// Hash of the PDF library; where it is does not matter, what it is does.
pub fn library_hash(limits: &Limits) -> String {
    let bytes = limits
        .libpdfium
        .as_deref()
        .and_then(|path| std::fs::read(path).ok());
    bytes.map(|bytes| sha256_hex(&bytes)).unwrap_or_default()
}

/// Brings every document in and publishes it; those that are there already are left as they are. A file that the pipeline
/// refuses (a scan without text, say) is told and left out, as it would be for customers; one that cases cite was refused
/// when their evidence was looked for.
pub async fn ingest(
    pipeline: &Pipeline,
    tenant: Uuid,
    golden: &Golden,
    progress: &Progress,
) -> Result<(), EvalError> {
    progress.begin("reading the corpus", golden.docs.len());
    let mut failed = Vec::new();
    for doc in &golden.docs {
        match one(pipeline, tenant, &golden.corpus_dir(), doc).await {
            Ok(None) => {}
            Ok(Some(refused)) => progress.note(&format!("left out: {}: {refused}", doc.path)),
            Err(error) => failed.push(format!("{}: {error}", doc.path)),
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

/// Why the pipeline refused the file, if it did.
async fn one(
    pipeline: &Pipeline,
    tenant: Uuid,
    dir: &Path,
    doc: &CorpusDoc,
) -> Result<Option<String>, String> {
    let bytes = tokio::fs::read(dir.join(&doc.path))
        .await
        .map_err(|error| error.to_string())?;
    let received = pipeline
        .receive_bytes(tenant, &doc.path, file_name(doc), bytes)
        .await
        .map_err(|error| error.to_string())?;
    match pipeline.build(tenant, received.version_id, &|_| {}).await {
        Ok(built) if built.state.is_ready() => Ok(None),
        // in an earlier run
        Ok(built) if built.state == VersionState::Failed => Ok(Some("it could not be read".to_owned())),
        Ok(built) => Err(format!("ended as {}", built.state.as_str())),
        Err(BuildError::File(error)) => Ok(Some(error.to_string())),
        Err(error) => Err(error.to_string()),
    }
}

fn file_name(doc: &CorpusDoc) -> &str {
    doc.path.rsplit('/').next().unwrap_or(&doc.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(
        manifest: &str,
        change: impl FnOnce(&mut ChunkingSettings, &mut ExtractionSettings, &mut Limits),
    ) -> String {
        let (mut chunking, mut extraction, mut limits) = (
            ChunkingSettings::default(),
            ExtractionSettings::default(),
            Limits::default(),
        );
        change(&mut chunking, &mut extraction, &mut limits);
        let shape = Shape {
            chunking: &chunking,
            extraction: &extraction,
            limits: &limits,
            model: "minilm",
        };
        fingerprint(manifest, shape)
    }

    #[test]
    fn whatever_shapes_the_chunks_names_the_corpus() {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("libpdfium.so");
        std::fs::write(&library, "one build").unwrap();
        let same = name("m", |_, _, _| {});
        assert_eq!(same, name("m", |_, _, _| {}));
        let others = [
            name("other files", |_, _, _| {}),
            name("m", |chunking, _, _| chunking.target_tokens += 1),
            name("m", |_, extraction, _| extraction.ocr = true),
            name("m", |_, _, limits| limits.max_pages = 1),
            name("m", |_, _, limits| limits.libpdfium = Some(library.clone())),
        ];
        for other in &others {
            assert_ne!(other, &same);
        }
        let elsewhere = dir.path().join("moved.so");
        std::fs::rename(&library, &elsewhere).unwrap();
        assert_eq!(
            name("m", |_, _, limits| limits.libpdfium = Some(elsewhere)),
            others[4],
            "the same library in another place"
        );
    }
}
