//! Original files, addressed by the sha256 of their bytes.
//!
//! A directory by default; a bucket of S3, or of anything that speaks its protocol, where several machines share the
//! files. A file is stored completely or not at all, storing it again is free, and whoever reads one gets the bytes
//! that were stored or an error: every read is hashed on its way. No operation holds a large file in memory, except
//! [`BlobStore::put`] and [`BlobStore::get`], whose callers want just that.

mod directory;
mod reader;
mod s3;
mod spool;

use std::ops::Deref;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

pub use reader::BlobReader;
pub use s3::{S3Blobs, S3Credentials, S3Options, S3Timeouts};

use crate::StoreError;
use spool::Spool;

/// Bytes that are handed to the disk at once: hashing and writing happen on a blocking thread.
const BUFFER: usize = 1 << 20;

/// Where files live.
#[derive(Debug, Clone)]
pub enum BlobStore {
    /// A directory, `ab/abcdef…` by hash.
    Directory(PathBuf),
    /// A bucket, `<prefix>ab/abcdef…` by hash.
    S3(S3Blobs),
}

/// A file that was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Its address.
    pub sha256: [u8; 32],
    /// Its length.
    pub bytes: u64,
}

impl BlobStore {
    /// sha256 of `bytes`.
    pub fn hash(bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }

    /// Stores `bytes` and returns their hash. Complete and durable before it returns.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
        match self {
            Self::Directory(root) => {
                let root = root.clone();
                blocking(move || directory::put(&root, &bytes)).await
            }
            Self::S3(bucket) => {
                let (hash, bytes) = blocking(move || Ok((Self::hash(&bytes), bytes))).await?;
                bucket.store(hash, s3::Body::Bytes(bytes)).await?;
                Ok(hash)
            }
        }
    }

    /// Stores a copy of the file at `path` and returns its hash and length.
    pub async fn put_file(&self, path: &Path) -> Result<([u8; 32], u64), StoreError> {
        let mut file = tokio::fs::File::open(path)
            .await
            .map_err(StoreError::file("read", path))?;
        let mut writer = self.writer().await?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = file
                .read(&mut buffer)
                .await
                .map_err(StoreError::file("read", path))?;
            if read == 0 {
                break;
            }
            writer.write(buffer.get(..read).unwrap_or_default()).await?;
        }
        let finished = writer.finish().await?;
        Ok((finished.sha256, finished.bytes))
    }

    /// A file of unknown length and hash, to be written piece by piece.
    pub async fn writer(&self) -> Result<BlobWriter, StoreError> {
        let folder = self.spool().to_owned();
        let spool = blocking(move || Spool::create(&folder)).await?;
        Ok(BlobWriter {
            store: self.clone(),
            spool: Some(spool),
            pending: Vec::new(),
        })
    }

    /// Opens a file for reading; the reader ends with an error instead of the last bytes if they are not what was stored.
    pub async fn open(&self, hash: &[u8]) -> Result<BlobReader, StoreError> {
        match self {
            Self::Directory(root) => directory::open(root, hash).await,
            Self::S3(bucket) => bucket.open(hash).await,
        }
    }

    /// Reads a file back as a whole.
    pub async fn get(&self, hash: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut reader = self.open(hash).await?;
        let mut bytes = Vec::with_capacity(usize::try_from(reader.length()).unwrap_or_default());
        reader
            .read_to_end(&mut bytes)
            .await
            .map_err(|error| self.broken(hash, &error))?;
        Ok(bytes)
    }

    /// The file as a path on this machine, for programs that can read nothing else. From a bucket it is a copy, which
    /// goes when the result is dropped.
    pub async fn local(&self, hash: &[u8]) -> Result<LocalBlob, StoreError> {
        let bucket = match self {
            Self::Directory(root) => return directory::existing(root, hash).await.map(LocalBlob::Stored),
            Self::S3(bucket) => bucket,
        };
        let mut reader = bucket.open(hash).await?;
        let folder = bucket.spool().to_owned();
        let (copy, file) = blocking(move || Spool::create(&folder).map(Spool::into_copy)).await?;
        tokio::io::copy(&mut reader, &mut tokio::fs::File::from_std(file))
            .await
            .map_err(|error| self.broken(hash, &error))?;
        Ok(LocalBlob::Copy(copy))
    }

    /// Removes a file; one that is not there is no error.
    pub async fn delete(&self, hash: &[u8]) -> Result<(), StoreError> {
        match self {
            Self::Directory(root) => directory::delete(root, hash).await,
            Self::S3(bucket) => bucket.delete(hash).await,
        }
    }

    /// Writes, reads and removes a small file of its own.
    ///
    /// # Errors
    /// Says which of the three is impossible, and what to do.
    pub async fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Directory(root) => {
                let root = root.clone();
                blocking(move || directory::check(&root)).await
            }
            Self::S3(bucket) => bucket.check().await,
        }
    }

    /// Removes what processes that were killed left unfinished; uploads that still run are younger than a day.
    pub async fn clear_abandoned(&self) -> Result<usize, StoreError> {
        let folder = self.spool().to_owned();
        blocking(move || spool::clear(&folder, spool::ABANDONED)).await
    }

    /// Where unfinished files are; for a directory on its own file system, so that finishing is a rename.
    fn spool(&self) -> &Path {
        match self {
            Self::Directory(root) => root,
            Self::S3(bucket) => bucket.spool(),
        }
    }

    fn broken(&self, hash: &[u8], error: &std::io::Error) -> StoreError {
        StoreError::Blob {
            action: "read a file of",
            store: self.to_string(),
            reason: format!("{}: {error}", hex::encode(hash)),
        }
    }
}

impl std::fmt::Display for BlobStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(root) => write!(f, "directory {}", root.display()),
            Self::S3(bucket) => bucket.fmt(f),
        }
    }
}

/// A file on its way into the store. Dropped before [`BlobWriter::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct BlobWriter {
    store: BlobStore,
    /// Absent while a blocking thread has it, and after a write that failed.
    spool: Option<Spool>,
    pending: Vec<u8>,
}

impl BlobWriter {
    /// Adds `bytes` at the end.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        while !bytes.is_empty() {
            let room = BUFFER - self.pending.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.pending.extend_from_slice(now);
            bytes = later;
            if self.pending.len() == BUFFER {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Stores what was written; complete and durable before it returns.
    pub async fn finish(mut self) -> Result<Finished, StoreError> {
        self.flush().await?;
        let (file, finished) = self.spool.take().ok_or_else(interrupted)?.done();
        match &self.store {
            BlobStore::Directory(root) => {
                let root = root.clone();
                blocking(move || directory::adopt(&root, file, finished)).await?;
            }
            BlobStore::S3(bucket) => {
                let body = s3::Body::File(file, finished.bytes);
                bucket.store(finished.sha256, body).await?;
            }
        }
        Ok(finished)
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        let mut spool = self.spool.take().ok_or_else(interrupted)?;
        let mut pending = std::mem::take(&mut self.pending);
        let (spool, pending) = blocking(move || {
            spool.append(&pending)?;
            pending.clear();
            Ok((spool, pending))
        })
        .await?;
        self.spool = Some(spool);
        self.pending = pending;
        Ok(())
    }
}

fn interrupted() -> StoreError {
    StoreError::Local("the file was not written completely; send it again".to_owned())
}

/// A stored file as a path.
#[derive(Debug)]
pub enum LocalBlob {
    /// The stored file itself: to be read, never to be changed.
    Stored(PathBuf),
    /// A copy, removed on drop.
    Copy(tempfile::TempPath),
}

impl Deref for LocalBlob {
    type Target = Path;

    fn deref(&self) -> &Path {
        match self {
            Self::Stored(path) => path,
            Self::Copy(path) => path,
        }
    }
}

/// `ab/abcdef…`: no folder grows beyond what file systems and people like to list.
fn name_of(hash: &[u8]) -> String {
    let name = hex::encode(hash);
    format!("{}/{name}", name.get(..2).unwrap_or("00"))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::Local(error.to_string()))?
}
