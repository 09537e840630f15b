//! Original files, addressed by the sha256 of their bytes.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::StoreError;

/// Where files live.
#[derive(Debug, Clone)]
pub enum BlobStore {
    /// A directory, `ab/abcdef…` by hash.
    Directory(PathBuf),
}

impl BlobStore {
    /// sha256 of `bytes`.
    pub fn hash(bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }

    /// Stores `bytes` (writing them again is free) and returns their hash. Complete on disk before it returns.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
        let Self::Directory(root) = self;
        let root = root.clone();
        tokio::task::spawn_blocking(move || {
            let hash = Self::hash(&bytes);
            let target = path_of(&root, &hash);
            if target.is_file() {
                return Ok(hash);
            }
            let folder = target.parent().unwrap_or(&root).to_owned();
            std::fs::create_dir_all(&folder).map_err(StoreError::file("create", &folder))?;
            // A temporary file and a rename: a reader never sees half a file, a crash leaves nothing under the name.
            let mut file =
                tempfile::NamedTempFile::new_in(&folder).map_err(StoreError::file("write in", &folder))?;
            std::io::Write::write_all(&mut file, &bytes).map_err(StoreError::file("write", &target))?;
            file.as_file()
                .sync_all()
                .map_err(StoreError::file("write", &target))?;
            file.persist(&target)
                .map_err(|e| StoreError::file("write", &target)(e.error))?;
            Ok(hash)
        })
        .await
        .map_err(|error| StoreError::Local(error.to_string()))?
    }

    /// Reads a file back.
    pub async fn get(&self, hash: &[u8]) -> Result<Vec<u8>, StoreError> {
        let path = self.path(hash);
        tokio::fs::read(&path)
            .await
            .map_err(StoreError::file("read", path))
    }

    /// Where a stored file is on disk.
    pub fn path(&self, hash: &[u8]) -> PathBuf {
        let Self::Directory(root) = self;
        path_of(root, hash)
    }
}

fn path_of(root: &Path, hash: &[u8]) -> PathBuf {
    let name = hex::encode(hash);
    root.join(name.get(..2).unwrap_or("00")).join(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_put_comes_back_and_twice_is_once() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = BlobStore::Directory(folder.path().to_owned());
        let first = blobs.put(b"price list".to_vec()).await.unwrap();
        let second = blobs.put(b"price list".to_vec()).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(blobs.get(&first).await.unwrap(), b"price list");
        assert!(
            blobs
                .get(&[7; 32])
                .await
                .unwrap_err()
                .to_string()
                .contains("cannot read")
        );
    }
}
