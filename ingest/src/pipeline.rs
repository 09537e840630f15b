//! A document version from its bytes to its chunks and vectors in the store.
//!
//! received → extracting → chunking → embedding → indexing → ready. Every stage is recorded before it begins, so that
//! an admin sees where a version stands; everything that search reads is written in one transaction at the end, so that
//! a version killed anywhere simply begins again. Only windows with a new hash are embedded.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plumbline_models::{Embedder, ModelError};
use plumbline_store::{
    BlobStore, BuiltVersion, ChunkingSettings, NewChunk, NewJob, NewVersion, NewWindow, Received, Store,
    StoreError, Version, VersionState,
};
use serde_json::json;
use uuid::Uuid;

use crate::{Chunk, Code, ExtractError, Extraction, Isolation, Wanted, chunk};

/// Queue of versions to build; its key is the document, so versions of one document are built one after another.
pub const INGEST_QUEUE: &str = "ingest";

/// Windows embedded between two records of progress.
const EMBED_BATCH: usize = 64;

/// Where a version stands, for progress bars and live pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Stage.
    pub state: VersionState,
    /// Steps done.
    pub done: usize,
    /// Steps in all, 0 when unknown.
    pub total: usize,
}

/// What a build ended in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Built {
    /// `ready` or `ready_with_warnings`; `cancelled` when the document was deleted meanwhile.
    pub state: VersionState,
    /// Chunks written.
    pub chunks: usize,
    /// Windows embedded.
    pub embedded: usize,
    /// Windows whose vector was known.
    pub reused: usize,
    /// Whether the version now answers.
    pub published: bool,
}

/// Why a build did not end in a ready version.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The file cannot be used; trying again changes nothing. Recorded on the version.
    #[error("{0}")]
    File(#[from] ExtractError),
    /// The process that read the file ended without an answer; trying again may help.
    #[error("{0}")]
    Interrupted(ExtractError),
    /// The store failed; trying again may help.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The model failed; trying again may help.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The blocking part panicked.
    #[error("chunking stopped: {0}")]
    Panicked(String),
}

/// Builds versions.
#[derive(Clone)]
pub struct Pipeline {
    store: Store,
    blobs: BlobStore,
    embedder: Arc<dyn Embedder>,
    isolation: Isolation,
}

impl Pipeline {
    /// A pipeline that extracts in child processes started as `isolation` says.
    pub fn new(store: Store, blobs: BlobStore, embedder: Arc<dyn Embedder>, isolation: Isolation) -> Self {
        Self {
            store,
            blobs,
            embedder,
            isolation,
        }
    }

    /// Stores a file and enqueues the building of its version. Bytes that the newest version holds already are a no-op.
    pub async fn receive(
        &self,
        tenant: Uuid,
        key: &str,
        file_name: &str,
        bytes: Vec<u8>,
    ) -> Result<Received, StoreError> {
        let blob_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let blob_sha256 = self.blobs.put(bytes).await?;
        let mut tx = self.store.tenant(tenant).await?;
        let new = NewVersion {
            key: key.to_owned(),
            file_name: file_name.to_owned(),
            blob_sha256,
            blob_bytes,
        };
        let received = tx.receive_version(&new).await?;
        if !received.unchanged {
            tx.enqueue(&job(received.document_id, received.version_id), Duration::ZERO)
                .await?;
        }
        tx.commit().await?;
        Ok(received)
    }

    /// Puts a failed version back to work.
    pub async fn retry(&self, tenant: Uuid, version: &Version) -> Result<(), StoreError> {
        let mut tx = self.store.tenant(tenant).await?;
        tx.restart_version(version.id).await?;
        tx.enqueue(&job(version.document_id, version.id), Duration::ZERO)
            .await?;
        tx.commit().await
    }

    /// Builds a version and publishes it, unless a newer one answers already. Repeating it is harmless.
    pub async fn build(
        &self,
        tenant: Uuid,
        version_id: Uuid,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Built, BuildError> {
        let mut tx = self.store.tenant(tenant).await?;
        let version = tx.version(version_id).await?;
        let settings = tx.settings().await?.settings.chunking;
        tx.commit().await?;
        if version.state.is_final() {
            return Ok(already_built(&version));
        }
        let stage = Stage {
            store: &self.store,
            tenant,
            version: version_id,
            progress,
        };
        match self.run(&stage, &version, &settings).await {
            // The child was killed from outside, or could not be started: that says nothing about the file.
            Err(BuildError::File(error)) if error.code == Code::WorkerDied => {
                Err(BuildError::Interrupted(error))
            }
            Err(BuildError::File(error)) => {
                self.record_failure(tenant, version_id, &error).await?;
                Err(error.into())
            }
            other => other,
        }
    }

    async fn run(
        &self,
        stage: &Stage<'_>,
        version: &Version,
        settings: &ChunkingSettings,
    ) -> Result<Built, BuildError> {
        stage.begin(VersionState::Extracting, 0).await?;
        let path: PathBuf = self.blobs.path(&version.blob_sha256);
        let extraction = self
            .isolation
            .extract(&path, &version.file_name, &Wanted::default(), &|_, _| {})
            .await?;

        stage
            .begin(VersionState::Chunking, extraction.blocks.len())
            .await?;
        let (extraction, chunks) = self.cut(extraction, settings).await?;

        let windows: usize = chunks.iter().map(|chunk| chunk.windows.len()).sum();
        stage.begin(VersionState::Embedding, windows).await?;
        let mut vectors = Vectors::plan(&extraction, &chunks);
        let space = vectors.fetch_known(self, stage.tenant).await?;
        let reused = windows - vectors.missing.len();
        vectors.embed_missing(self, stage, reused).await?;

        stage.begin(VersionState::Indexing, chunks.len()).await?;
        let embedded = vectors.missing.len();
        let built = vectors.into_built(version.id, extraction, chunks, space, embedded, reused);
        let mut tx = self.store.tenant(stage.tenant).await?;
        let written = tx.complete_version(&built).await?;
        let published = written && tx.publish_if_newest(version.id).await?;
        tx.commit().await?;
        if !written {
            // Another worker was faster, or the document was deleted meanwhile: what stands there now counts.
            let mut tx = self.store.tenant(stage.tenant).await?;
            let now = tx.version(version.id).await?;
            tx.commit().await?;
            return Ok(already_built(&now));
        }
        let no_warnings = built.warnings.as_array().is_none_or(Vec::is_empty);
        let reached = if no_warnings {
            VersionState::Ready
        } else {
            VersionState::ReadyWithWarnings
        };
        (stage.progress)(Progress {
            state: reached,
            done: built.chunks.len(),
            total: built.chunks.len(),
        });
        Ok(Built {
            state: reached,
            chunks: built.chunks.len(),
            embedded,
            reused,
            published,
        })
    }

    /// Ends a version whose file cannot be used, or whose building failed at every attempt.
    pub async fn record_failure(
        &self,
        tenant: Uuid,
        version: Uuid,
        error: &ExtractError,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.tenant(tenant).await?;
        tx.fail_version(version, error.code.as_str(), &error.message, error.suggestion)
            .await?;
        tx.commit().await
    }

    /// Chunking counts tokens of every sentence: work for a blocking thread.
    async fn cut(
        &self,
        extraction: Extraction,
        settings: &ChunkingSettings,
    ) -> Result<(Extraction, Vec<Chunk>), BuildError> {
        let embedder = Arc::clone(&self.embedder);
        let settings = settings.clone();
        tokio::task::spawn_blocking(move || {
            let chunks = chunk(&extraction, &settings, &|text| embedder.count_tokens(text));
            (extraction, chunks)
        })
        .await
        .map_err(|error| BuildError::Panicked(error.to_string()))
    }
}

/// The report of a version that has ended. Completing and publishing are one transaction, so there is nothing left to
/// publish; and what an admin rolled back since must stay so.
fn already_built(version: &Version) -> Built {
    Built {
        state: version.state,
        chunks: usize::try_from(version.chunk_count).unwrap_or_default(),
        embedded: 0,
        reused: 0,
        published: false,
    }
}

fn job(document: Uuid, version: Uuid) -> NewJob {
    NewJob {
        queue: INGEST_QUEUE,
        key: document.to_string(),
        dedupe: Some(version.to_string()),
        payload: json!({ "version_id": version }),
        delay: Duration::ZERO,
        max_attempts: 4,
    }
}

/// One build's place in the store, and who watches.
struct Stage<'a> {
    store: &'a Store,
    tenant: Uuid,
    version: Uuid,
    progress: &'a (dyn Fn(Progress) + Sync),
}

impl Stage<'_> {
    async fn begin(&self, state: VersionState, total: usize) -> Result<(), StoreError> {
        (self.progress)(Progress {
            state,
            done: 0,
            total,
        });
        let mut tx = self.store.tenant(self.tenant).await?;
        tx.begin_stage(self.version, state, i64::try_from(total).unwrap_or(i64::MAX))
            .await?;
        tx.commit().await
    }

    async fn advance(&self, done: usize, total: usize) -> Result<(), StoreError> {
        (self.progress)(Progress {
            state: VersionState::Embedding,
            done,
            total,
        });
        let mut tx = self.store.tenant(self.tenant).await?;
        tx.stage_progress(self.version, i64::try_from(done).unwrap_or(i64::MAX))
            .await?;
        tx.commit().await
    }
}

/// The texts to embed, one per different window, and their vectors.
struct Vectors {
    /// Hash of every window of every chunk, in order.
    hashes: Vec<Vec<[u8; 32]>>,
    texts: HashMap<[u8; 32], String>,
    known: HashMap<[u8; 32], Vec<f32>>,
    /// Hashes without a vector yet, each once, in document order.
    missing: Vec<[u8; 32]>,
}

impl Vectors {
    fn plan(extraction: &Extraction, chunks: &[Chunk]) -> Self {
        let mut texts = HashMap::new();
        let hashes = chunks
            .iter()
            .map(|chunk| {
                let window = |range: &crate::ByteRange| {
                    let body = extraction.text.get(range.start..range.end).unwrap_or_default();
                    let text = embedded_text(extraction.title.as_deref(), &chunk.heading_path, body);
                    let hash = BlobStore::hash(text.as_bytes());
                    texts.insert(hash, text);
                    hash
                };
                chunk.windows.iter().map(window).collect()
            })
            .collect();
        Self {
            hashes,
            texts,
            known: HashMap::new(),
            missing: Vec::new(),
        }
    }

    /// Loads the vectors that earlier versions of anything brought; returns the embedding space.
    async fn fetch_known(&mut self, pipeline: &Pipeline, tenant: Uuid) -> Result<i32, StoreError> {
        let mut tx = pipeline.store.tenant(tenant).await?;
        let space = tx
            .ensure_space(pipeline.embedder.model(), pipeline.embedder.dimension())
            .await?;
        let all: Vec<[u8; 32]> = self.texts.keys().copied().collect();
        self.known = tx.known_vectors(space, &all).await?;
        tx.commit().await?;
        let mut seen = std::collections::HashSet::new();
        self.missing = self
            .hashes
            .iter()
            .flatten()
            .copied()
            .filter(|hash| !self.known.contains_key(hash) && seen.insert(*hash))
            .collect();
        Ok(space)
    }

    async fn embed_missing(
        &mut self,
        pipeline: &Pipeline,
        stage: &Stage<'_>,
        reused: usize,
    ) -> Result<(), BuildError> {
        let total = reused + self.missing.len();
        let mut done = reused;
        for batch in self.missing.chunks(EMBED_BATCH) {
            let texts = batch
                .iter()
                .map(|hash| self.texts.get(hash).cloned().unwrap_or_default())
                .collect();
            let vectors = pipeline.embedder.embed(texts).await?;
            self.known.extend(batch.iter().copied().zip(vectors));
            done += batch.len();
            stage.advance(done, total).await?;
        }
        Ok(())
    }

    fn into_built(
        mut self,
        version_id: Uuid,
        extraction: Extraction,
        chunks: Vec<Chunk>,
        space_id: i32,
        embedded: usize,
        reused: usize,
    ) -> BuiltVersion {
        let hashes = std::mem::take(&mut self.hashes);
        let chunks = chunks
            .into_iter()
            .zip(hashes)
            .map(|(chunk, hashes)| self.new_chunk(chunk, hashes))
            .collect();
        BuiltVersion {
            version_id,
            title: extraction.title,
            media_type: extraction.format.media_type().to_owned(),
            text_sha256: BlobStore::hash(extraction.text.as_bytes()),
            text: extraction.text,
            language: extraction.language,
            warnings: json!(extraction.warnings),
            pages: json!(extraction.pages),
            chunks,
            space_id,
            windows_embedded: i32::try_from(embedded).unwrap_or(i32::MAX),
            windows_reused: i32::try_from(reused).unwrap_or(i32::MAX),
        }
    }

    fn new_chunk(&self, chunk: Chunk, hashes: Vec<[u8; 32]>) -> NewChunk {
        let windows = chunk
            .windows
            .iter()
            .zip(hashes)
            .map(|(range, hash)| NewWindow {
                start: range.start,
                end: range.end,
                hash,
                embedding: self.known.get(&hash).cloned().unwrap_or_default(),
            })
            .collect();
        NewChunk {
            ordinal: chunk.ordinal,
            start: chunk.range.start,
            end: chunk.range.end,
            page_from: chunk.page_from,
            page_to: chunk.page_to,
            row_from: chunk.row_from,
            row_to: chunk.row_to,
            heading_path: chunk.heading_path,
            text: chunk.text,
            tokens: chunk.tokens,
            hash: chunk.hash,
            windows,
        }
    }
}

/// What is embedded of a window: its own words after the title and the headings it stands under, because "We refund it
/// within 14 days" says what "it" is only there.
fn embedded_text(title: Option<&str>, heading_path: &[String], body: &str) -> String {
    let mut context: Vec<&str> = title.into_iter().collect();
    // the first heading is often the title again
    context.extend(
        heading_path
            .iter()
            .map(String::as_str)
            .filter(|heading| title != Some(*heading)),
    );
    if context.is_empty() {
        body.to_owned()
    } else {
        format!("{}\n{body}", context.join(" > "))
    }
}

#[cfg(test)]
mod tests {
    use super::embedded_text;

    #[test]
    fn a_window_is_embedded_with_the_words_it_depends_on() {
        let path = ["Returns".to_owned(), "Batteries".to_owned()];
        assert_eq!(
            embedded_text(Some("Policy"), &path, "Within 14 days."),
            "Policy > Returns > Batteries\nWithin 14 days."
        );
        assert_eq!(embedded_text(Some("Returns"), &path[..1], "x"), "Returns\nx");
        assert_eq!(embedded_text(None, &[], "x"), "x");
    }
}
