//! Files in a directory.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::reader::BlobReader;
use super::spool::Spool;
use super::{BlobStore, Finished, name_of};
use crate::StoreError;

fn path_of(root: &Path, hash: &[u8]) -> PathBuf {
    root.join(name_of(hash))
}

pub(super) fn put(root: &Path, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    let finished = Finished {
        sha256: BlobStore::hash(bytes),
        bytes: bytes.len() as u64,
    };
    if !holds(root, finished) {
        let mut spool = Spool::create(root)?;
        spool.append(bytes)?;
        adopt(root, spool.done().0, finished)?;
    }
    Ok(finished.sha256)
}

/// Whether the file is there. One of another length was damaged, and storing it again mends it.
fn holds(root: &Path, finished: Finished) -> bool {
    let there = std::fs::metadata(path_of(root, &finished.sha256));
    there.is_ok_and(|there| there.is_file() && there.len() == finished.bytes)
}

/// Gives a complete temporary file its name: a reader never sees half a file, a crash leaves nothing under the name.
pub(super) fn adopt(root: &Path, file: NamedTempFile, finished: Finished) -> Result<(), StoreError> {
    if holds(root, finished) {
        return Ok(());
    }
    let target = path_of(root, &finished.sha256);
    let folder = target.parent().unwrap_or(root);
    std::fs::create_dir_all(folder).map_err(StoreError::file("create", folder))?;
    file.as_file()
        .sync_all()
        .map_err(StoreError::file("write", &target))?;
    file.persist(&target)
        .map_err(|error| StoreError::file("write", &target)(error.error))?;
    // The name must survive a power cut like the bytes.
    for folder in [folder, root] {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(StoreError::file("write", folder))?;
    }
    Ok(())
}

pub(super) async fn open(root: &Path, hash: &[u8]) -> Result<BlobReader, StoreError> {
    let path = path_of(root, hash);
    let opened = tokio::fs::File::open(&path).await;
    let file = opened.map_err(|error| unreadable(root, hash, error))?;
    let metadata = file.metadata().await;
    let length = metadata.map_err(StoreError::file("read", path))?.len();
    Ok(BlobReader::new(file, length, hash))
}

pub(super) async fn existing(root: &Path, hash: &[u8]) -> Result<PathBuf, StoreError> {
    let path = path_of(root, hash);
    match tokio::fs::metadata(&path).await {
        Ok(_) => Ok(path),
        Err(error) => Err(unreadable(root, hash, error)),
    }
}

fn unreadable(root: &Path, hash: &[u8], error: std::io::Error) -> StoreError {
    if error.kind() == std::io::ErrorKind::NotFound {
        return StoreError::BlobMissing {
            store: BlobStore::Directory(root.to_owned()).to_string(),
            sha256: hex::encode(hash),
        };
    }
    StoreError::file("read", path_of(root, hash))(error)
}

pub(super) async fn delete(root: &Path, hash: &[u8]) -> Result<(), StoreError> {
    let path = path_of(root, hash);
    match tokio::fs::remove_file(&path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

pub(super) fn check(root: &Path) -> Result<(), StoreError> {
    std::fs::create_dir_all(root).map_err(StoreError::file("create", root))?;
    let mut probe = NamedTempFile::new_in(root).map_err(StoreError::file("write in", root))?;
    probe
        .write_all(b"probe")
        .map_err(StoreError::file("write in", root))?;
    std::fs::read(probe.path()).map_err(StoreError::file("read", probe.path()))?;
    probe.close().map_err(StoreError::file("remove a file of", root))
}
