//! Keeping the derived lexical indexes current: one directory per tenant, in a slot that this process owns.
//!
//! Two processes on one machine must not write one directory, and need not share one: each takes the first free slot
//! below the index root and replays Postgres into it. A slot left behind by an earlier process is taken over with its
//! watermark, so a restart replays only what was missed.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plumbline_store::{Scope, Store, StoreError, TenantTx};
use tokio::sync::{Mutex as AsyncMutex, OnceCell};
use uuid::Uuid;

use crate::SearchError;
use crate::lexical::{FieldBoosts, LexicalIndex, LexicalMatches};

/// Documents replayed per commit: bounds the memory of a rebuild.
const DOCUMENTS_PER_COMMIT: usize = 200;

/// A directory below the index root that only this process writes.
#[derive(Debug)]
pub(crate) struct IndexSlot {
    directory: PathBuf,
    _lock: File,
}

impl IndexSlot {
    /// Takes the first free slot below `root`.
    pub(crate) fn take(root: &Path) -> Result<Self, SearchError> {
        for number in 0..1_000 {
            let directory = root.join(format!("slot-{number}"));
            std::fs::create_dir_all(&directory).map_err(|error| index_error(&directory, &error))?;
            let path = directory.join("lock");
            let lock = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .map_err(|error| index_error(&path, &error))?;
            if lock.try_lock().is_ok() {
                return Ok(Self {
                    directory,
                    _lock: lock,
                });
            }
        }
        Err(index_error(root, &"no free slot"))
    }
}

/// The indexes of all tenants, opened when first needed, and of the preview that each looked at last.
pub(crate) struct LexicalIndexes {
    slot: IndexSlot,
    tenants: Mutex<HashMap<Uuid, Arc<TenantIndex>>>,
    previews: Mutex<HashMap<Uuid, Arc<TenantIndex>>>,
}

impl LexicalIndexes {
    pub(crate) fn new(slot: IndexSlot) -> Self {
        Self {
            slot,
            tenants: Mutex::default(),
            previews: Mutex::default(),
        }
    }

    /// The index of what `scope` sees of a tenant.
    pub(crate) fn of(&self, tenant: Uuid, scope: &Scope) -> Result<Arc<TenantIndex>, SearchError> {
        if !scope.is_live() {
            return self.preview(tenant, scope);
        }
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = self.slot.directory.join(tenant.to_string());
        let open = || Arc::new(TenantIndex::new(directory, Scope::default(), None));
        Ok(Arc::clone(tenants.entry(tenant).or_insert_with(open)))
    }

    /// An index of its own, built when it is first searched and gone with the last search after another preview was
    /// asked for: staged versions are few, and are looked at once.
    fn preview(&self, tenant: Uuid, scope: &Scope) -> Result<Arc<TenantIndex>, SearchError> {
        let mut previews = self.previews.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = previews.get(&tenant).filter(|kept| kept.scope == *scope) {
            return Ok(Arc::clone(kept));
        }
        let folder = tempfile::Builder::new()
            .prefix("preview-")
            .tempdir_in(&self.slot.directory)
            .map_err(|error| index_error(&self.slot.directory, &error))?;
        let directory = folder.path().to_owned();
        let preview = Arc::new(TenantIndex::new(directory, scope.clone(), Some(folder)));
        previews.insert(tenant, Arc::clone(&preview));
        Ok(preview)
    }
}

/// One tenant's lexical index and what is remembered about the tenant between searches.
pub(crate) struct TenantIndex {
    directory: PathBuf,
    index: OnceCell<Arc<LexicalIndex>>,
    replaying: Arc<AsyncMutex<()>>,
    /// Whether a replay outlasted the patience of a search: the next ones do not wait for the same one again.
    late: AtomicBool,
    /// Live windows, as of a revision.
    windows: Mutex<Option<(i64, i64)>>,
    scope: Scope,
    /// Whether the staged versions of the scope are in: the feed of revisions does not know them.
    staged_are_in: AtomicBool,
    /// The directory of a preview, removed with the index.
    _folder: Option<tempfile::TempDir>,
}

impl TenantIndex {
    fn new(directory: PathBuf, scope: Scope, folder: Option<tempfile::TempDir>) -> Self {
        Self {
            directory,
            index: OnceCell::new(),
            replaying: Arc::default(),
            late: AtomicBool::new(false),
            windows: Mutex::default(),
            staged_are_in: AtomicBool::new(scope.is_live()),
            scope,
            _folder: folder,
        }
    }

    /// Whether it is built for a preview and holds staged versions.
    pub(crate) fn is_preview(&self) -> bool {
        !self.scope.is_live()
    }

    async fn index(&self) -> Result<&Arc<LexicalIndex>, SearchError> {
        self.index
            .get_or_try_init(|| async {
                let directory = self.directory.clone();
                blocking(&self.directory, move || LexicalIndex::open(&directory))
                    .await
                    .map(Arc::new)
            })
            .await
    }

    /// How many live windows the tenant has at `revision`, its newest one; counted once per revision.
    pub(crate) async fn live_windows(&self, tx: &mut TenantTx, revision: i64) -> Result<i64, StoreError> {
        if let Some((at, windows)) = *self.windows.lock().unwrap_or_else(PoisonError::into_inner)
            && at == revision
        {
            return Ok(windows);
        }
        let windows = tx.live_windows().await?;
        *self.windows.lock().unwrap_or_else(PoisonError::into_inner) = Some((revision, windows));
        Ok(windows)
    }

    /// The best chunks for `query`; with `kept`, of these documents alone.
    pub(crate) async fn search(
        &self,
        query: &str,
        limit: usize,
        boosts: FieldBoosts,
        kept: Option<Vec<Uuid>>,
    ) -> Result<LexicalMatches, SearchError> {
        let index = Arc::clone(self.index().await?);
        let query = query.to_owned();
        blocking(&self.directory, move || {
            index.search(&query, limit, boosts, kept.as_deref())
        })
        .await
    }

    /// Replays what is missing up to `revision`, the newest one, waiting at most `patience`; true when the index is
    /// current. The replay goes on in the background when the patience ends.
    pub(crate) async fn catch_up_within(
        self: &Arc<Self>,
        store: &Store,
        tenant: Uuid,
        revision: i64,
        patience: Duration,
    ) -> Result<bool, SearchError> {
        let index = self.index().await?;
        if index.watermark() > revision {
            // PostgreSQL was restored to an earlier time: what the index holds beyond it never happened.
            self.reset(index).await?;
        }
        if index.watermark() >= revision && self.staged_are_in.load(Ordering::Acquire) {
            return Ok(true);
        }
        if self.late.load(Ordering::Acquire) && self.replaying.try_lock().is_err() {
            return Ok(false);
        }
        let (this, store) = (Arc::clone(self), store.clone());
        let replay = tokio::spawn(async move { this.catch_up(&store, tenant).await });
        match tokio::time::timeout(patience, replay).await {
            Ok(Ok(replayed)) => replayed.map(|()| true),
            Ok(Err(panicked)) => Err(index_error(&self.directory, &panicked)),
            Err(_) => {
                self.late.store(true, Ordering::Release);
                Ok(false)
            }
        }
    }

    /// Replays everything published since the watermark.
    pub(crate) async fn catch_up(&self, store: &Store, tenant: Uuid) -> Result<(), SearchError> {
        let _one_at_a_time = self.replaying.lock().await;
        let index = self.index().await?;
        loop {
            let watermark = index.watermark();
            let mut tx = store.tenant(tenant).await?;
            let mut changes = tx.changes_since(watermark).await?;
            if !self.staged_are_in.load(Ordering::Acquire) {
                let staged = tx.documents_of(self.scope.named()).await?;
                changes.documents.retain(|document| !staged.contains(document));
                changes.documents.extend(staged);
            }
            if changes.documents.is_empty() {
                self.late.store(false, Ordering::Release);
                return Ok(());
            }
            let mut rest = changes.documents.as_slice();
            while !rest.is_empty() {
                let (batch, later) = rest.split_at(rest.len().min(DOCUMENTS_PER_COMMIT));
                let mut documents = Vec::with_capacity(batch.len());
                for document in batch {
                    documents.push((*document, tx.visible_chunks(*document, &self.scope).await?));
                }
                rest = later;
                // Only the last commit may claim the revision: until then a crash replays from the old watermark.
                let reached = if rest.is_empty() {
                    changes.revision
                } else {
                    watermark
                };
                self.write(index, documents, reached).await?;
            }
            tx.commit().await?;
            self.staged_are_in.store(true, Ordering::Release);
            tracing::debug!(%tenant, revision = changes.revision, documents = changes.documents.len(), "retrieval.catch_up.done");
        }
    }

    /// One commit; an index that cannot be written is thrown away, and the next catch-up replays all of it.
    async fn write(
        &self,
        index: &Arc<LexicalIndex>,
        documents: Vec<(Uuid, Vec<plumbline_store::LiveChunk>)>,
        revision: i64,
    ) -> Result<(), SearchError> {
        let writing = Arc::clone(index);
        let written = blocking(&self.directory, move || writing.replace(&documents, revision)).await;
        if let Err(error) = &written {
            tracing::warn!(%error, "retrieval.lexical.reset");
            self.reset(index).await?;
        }
        written
    }

    async fn reset(&self, index: &Arc<LexicalIndex>) -> Result<(), SearchError> {
        self.staged_are_in.store(self.scope.is_live(), Ordering::Release);
        let index = Arc::clone(index);
        blocking(&self.directory, move || index.reset()).await
    }
}

async fn blocking<T: Send + 'static>(
    directory: &Path,
    work: impl FnOnce() -> tantivy::Result<T> + Send + 'static,
) -> Result<T, SearchError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| index_error(directory, &error))?
        .map_err(|error| index_error(directory, &error))
}

fn index_error(path: &Path, reason: &dyn std::fmt::Display) -> SearchError {
    SearchError::Index {
        path: path.display().to_string(),
        reason: reason.to_string(),
    }
}
