//! A document version from its bytes to its chunks and vectors in the store.
//!
//! received → extracting → chunking → embedding → indexing → ready. Every stage is recorded before it begins, so that
//! an admin sees where a version stands. What a stage costs is saved when it ends: the extraction with the version, the
//! vectors batch by batch. A build that is killed anywhere goes on from there, and what search reads is written in one
//! transaction at the end.

mod build;
mod overlays;
mod spaces;
mod stage;
mod windows;

use std::time::Duration;

use plumbline_models::{Embedders, ModelError};
use plumbline_store::{
    BlobStore, NewJob, NewVersion, Received, Replay, Store, StoreError, Tags, Version, VersionState,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::diff::{VersionDiff, diff};
use crate::{ExtractError, Isolation};

pub use overlays::WantedOverlay;

/// Queue of versions to build; its key is the document, so versions of one document are built one after another.
pub const INGEST_QUEUE: &str = "ingest";

/// Where a version stands, for progress bars and live pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Stage.
    pub state: VersionState,
    /// Steps done: pages or rows read, blocks cut, windows embedded, chunks written.
    pub done: usize,
    /// Steps in all, 0 when unknown.
    pub total: usize,
}

/// What a build ended in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Built {
    /// `ready` or `ready_with_warnings`; `cancelled` when a person said so or the document was deleted meanwhile.
    pub state: VersionState,
    /// Chunks of the version.
    pub chunks: usize,
    /// Windows embedded.
    pub embedded: usize,
    /// Windows whose vector was known.
    pub reused: usize,
    /// Whether the version now answers.
    pub published: bool,
    /// Whether it waits for the verdict of the eval before it is published.
    pub staged: bool,
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
    /// A stage took longer than any file of its size should.
    #[error("the stage {} did not end within {} seconds", stage.as_str(), limit.as_secs())]
    Deadline {
        /// Stage.
        stage: VersionState,
        /// Its limit.
        limit: Duration,
    },
    /// The version was cancelled, or its document deleted, while it was being built.
    #[error("the version was cancelled")]
    Cancelled,
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

/// A file whose bytes are in the blob store, to become a version.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Logical key of its document.
    pub key: String,
    /// Name of the file as uploaded.
    pub file_name: String,
    /// sha256 of the bytes.
    pub sha256: [u8; 32],
    /// Size in bytes.
    pub bytes: u64,
    /// Tags that its document has from now on; `None` leaves those that it has.
    pub tags: Option<Tags>,
}

/// Builds versions, and everything that changes what a version holds.
#[derive(Clone)]
pub struct Pipeline {
    store: Store,
    blobs: BlobStore,
    embedders: Embedders,
    isolation: Isolation,
}

impl Pipeline {
    /// A pipeline that extracts in child processes started as `isolation` says. The first of `embedders` counts the tokens
    /// of chunks and embeds every window, the others those of the tenants that use them.
    pub fn new(
        store: Store,
        blobs: BlobStore,
        embedders: impl Into<Embedders>,
        isolation: Isolation,
    ) -> Self {
        Self {
            store,
            blobs,
            embedders: embedders.into(),
            isolation,
        }
    }

    /// Enqueues the building of a version per file, all in one transaction. Bytes that the newest version of a key
    /// holds already are a no-op. With an idempotency key a repeated request is answered as it was the first time.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the idempotency key came with other files before.
    pub async fn receive(
        &self,
        tenant: Uuid,
        files: &[NewFile],
        idempotency_key: Option<&str>,
    ) -> Result<Vec<Received>, StoreError> {
        let mut tx = self.store.tenant(tenant).await?;
        if let Some(key) = idempotency_key
            && let Replay::Answered(response) = tx.replay(key, &fingerprint(files)).await?
        {
            return serde_json::from_value(response)
                .map_err(|error| StoreError::Conflict(format!("the answer kept for this key: {error}")));
        }
        // Rows are locked in the order of their keys, so two uploads of the same files cannot wait for each other.
        let mut order: Vec<usize> = (0..files.len()).collect();
        order.sort_by(|&a, &b| files[a].key.cmp(&files[b].key).then(a.cmp(&b)));
        let mut received: Vec<Option<Received>> = vec![None; files.len()];
        for index in order {
            let file = &files[index];
            let new = NewVersion {
                key: file.key.clone(),
                file_name: file.file_name.clone(),
                blob_sha256: file.sha256,
                blob_bytes: i64::try_from(file.bytes).unwrap_or(i64::MAX),
            };
            let version = tx.receive_version(&new).await?;
            if let Some(tags) = &file.tags {
                tx.set_tags(&[version.document_id], tags).await?;
            }
            if !version.unchanged {
                tx.enqueue(&job(version.document_id, version.version_id), Duration::ZERO)
                    .await?;
            }
            received[index] = Some(version);
        }
        let received: Vec<Received> = received.into_iter().flatten().collect();
        if let Some(key) = idempotency_key {
            tx.keep_response(key, &json!(received)).await?;
        }
        tx.commit().await?;
        Ok(received)
    }

    /// Stores the bytes of one file and enqueues the building of its version.
    pub async fn receive_bytes(
        &self,
        tenant: Uuid,
        key: &str,
        file_name: &str,
        bytes: Vec<u8>,
    ) -> Result<Received, StoreError> {
        let size = bytes.len() as u64;
        let file = NewFile {
            key: key.to_owned(),
            file_name: file_name.to_owned(),
            sha256: self.blobs.put(bytes).await?,
            bytes: size,
            tags: None,
        };
        let received = self.receive(tenant, &[file], None).await?;
        received
            .first()
            .copied()
            .ok_or(StoreError::NotFound { what: "version" })
    }

    /// The versions that hold exactly these files already and answer or are being built; see
    /// [`plumbline_store::TenantTx::unchanged_files`].
    pub async fn unchanged(
        &self,
        tenant: Uuid,
        files: &[(String, [u8; 32])],
    ) -> Result<Vec<Option<Received>>, StoreError> {
        self.store.tenant(tenant).await?.unchanged_files(files).await
    }

    /// Puts a failed or cancelled version back to work.
    pub async fn retry(&self, tenant: Uuid, version: &Version) -> Result<(), StoreError> {
        let mut tx = self.store.tenant(tenant).await?;
        tx.restart_version(version.id).await?;
        tx.enqueue(&job(version.document_id, version.id), Duration::ZERO)
            .await?;
        tx.commit().await
    }

    /// Stops the building of a version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it has ended already.
    pub async fn cancel(&self, tenant: Uuid, version: Uuid) -> Result<(), StoreError> {
        let mut tx = self.store.tenant(tenant).await?;
        tx.cancel_version(version).await?;
        tx.commit().await
    }

    /// Builds the newest file of a document once more as a new version, with today's settings and overlays.
    pub async fn rebuild(&self, tenant: Uuid, document: Uuid) -> Result<Received, StoreError> {
        let mut tx = self.store.tenant(tenant).await?;
        let received = tx.receive_again(document).await?;
        tx.enqueue(&job(document, received.version_id), Duration::ZERO)
            .await?;
        tx.commit().await?;
        Ok(received)
    }

    /// What changed from the version `old` to the version `new`.
    pub async fn diff(&self, tenant: Uuid, old: Uuid, new: Uuid) -> Result<VersionDiff, BuildError> {
        let mut tx = self.store.tenant(tenant).await?;
        let (old, new) = (tx.all_chunks(old).await?, tx.all_chunks(new).await?);
        tx.commit().await?;
        tokio::task::spawn_blocking(move || diff(&old, &new))
            .await
            .map_err(|error| BuildError::Panicked(error.to_string()))
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

/// What makes two uploads the same request.
fn fingerprint(files: &[NewFile]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for file in files {
        for part in [file.key.as_bytes(), file.file_name.as_bytes(), &file.sha256] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        // a file without tags counts as it did before there were any: keys are remembered for days
        for tag in file.tags.iter().flat_map(Tags::as_slice) {
            hash.update(b"tag");
            hash.update((tag.len() as u64).to_le_bytes());
            hash.update(tag);
        }
    }
    hash.finalize().into()
}
