//! The files of an ingest: which there are, and which are stored already as they are.

use std::path::{Path, PathBuf};

use anyhow::Context;
use futures::{StreamExt, stream};
use plumbline_store::{Received, Store, StoreError};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Files compared with the store by one query.
const BATCH: usize = 1_000;

/// Files read at once: enough to keep a disk busy, few enough for any machine.
const READERS: usize = 8;

/// A file with the key of its document: its path below the folder that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) key: String,
}

impl Found {
    /// Its name, without folders.
    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// All files of `paths`, folders included, without hidden ones; sorted.
pub(crate) fn find_files(paths: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for path in paths {
        let kind = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if kind.is_dir() {
            walk(path, path, &mut found)?;
        } else {
            let key = path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned();
            found.push(Found {
                path: path.clone(),
                key,
            });
        }
    }
    found.sort_by(|a, b| a.key.cmp(&b.key));
    anyhow::ensure!(!found.is_empty(), "no file below the given paths");
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Found>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, found)?;
        } else {
            let key = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            found.push(Found { path, key });
        }
    }
    Ok(())
}

/// What is known of the files before anything is stored.
#[derive(Debug, Default)]
pub(crate) struct Compared<'a> {
    /// Files to store.
    pub(super) changed: Vec<&'a Found>,
    /// Files whose newest version holds exactly their bytes.
    pub(super) unchanged: Vec<(&'a Found, Received)>,
    /// Files that cannot be read, and why.
    pub(super) unreadable: Vec<(&'a Found, String)>,
}

/// Compares files with what the store holds: each is read once, none is kept.
pub(crate) async fn compare<'a>(
    store: &Store,
    tenant: Uuid,
    files: &'a [Found],
) -> Result<Compared<'a>, StoreError> {
    let mut compared = Compared::default();
    for batch in files.chunks(BATCH) {
        let hashes = stream::iter(batch.iter().map(|file| {
            let path = file.path.clone();
            tokio::task::spawn_blocking(move || hash(&path))
        }))
        .buffered(READERS)
        .collect::<Vec<_>>()
        .await;
        let mut known = Vec::with_capacity(batch.len());
        for (file, hash) in batch.iter().zip(hashes) {
            match hash {
                Ok(Ok(hash)) => known.push((file, (file.key.clone(), hash))),
                Ok(Err(error)) => compared.unreadable.push((file, error.to_string())),
                Err(error) => compared.unreadable.push((file, error.to_string())),
            }
        }
        let (read, asked): (Vec<&Found>, Vec<(String, [u8; 32])>) = known.into_iter().unzip();
        let mut tx = store.tenant(tenant).await?;
        let there = tx.unchanged_files(&asked).await?;
        tx.commit().await?;
        for (file, there) in read.into_iter().zip(there) {
            match there {
                Some(received) => compared.unchanged.push((file, received)),
                None => compared.changed.push(file),
            }
        }
    }
    Ok(compared)
}

fn hash(path: &Path) -> std::io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().into())
}
