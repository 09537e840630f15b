//! Writing to a bucket: small files in one request, large ones in parts.

use std::os::unix::fs::FileExt;
use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use tempfile::NamedTempFile;
use tokio::task::{JoinError, JoinSet};

use super::super::blocking;
use super::S3Blobs;
use crate::StoreError;

/// Length of a part, and of the largest file that is sent as one.
const PART: u64 = 8 << 20;

/// Most parts S3 takes.
const MOST_PARTS: u64 = 10_000;

/// Parts of one file that are under way at once; so many are in memory.
const PARALLEL: usize = 4;

/// What is to be stored.
pub(in crate::blob) enum Body {
    /// In memory.
    Bytes(Vec<u8>),
    /// A temporary file with its length.
    File(NamedTempFile, u64),
}

impl Body {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, length) => *length,
        }
    }

    async fn part(self: Arc<Self>, start: u64, length: u64) -> Result<ByteStream, StoreError> {
        let bytes = blocking(move || {
            let (from, size) = (small(start), small(length));
            match &*self {
                Self::Bytes(bytes) => Ok(bytes.get(from..from + size).unwrap_or_default().to_vec()),
                Self::File(file, _) => {
                    let mut bytes = vec![0; size];
                    file.as_file()
                        .read_exact_at(&mut bytes, start)
                        .map_err(StoreError::file("read", file.path()))?;
                    Ok(bytes)
                }
            }
        });
        Ok(bytes.await?.into())
    }
}

/// What fits a part fits memory.
fn small(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

impl S3Blobs {
    /// Stores a file under its hash, unless it is there. Goes on to its end even when the caller does not wait for it:
    /// parts of an upload that nobody ended would be paid for.
    pub(in crate::blob) async fn store(&self, hash: [u8; 32], body: Body) -> Result<(), StoreError> {
        let (bucket, body) = (self.clone(), Arc::new(body));
        let upload = tokio::spawn(async move {
            let key = bucket.key(&hash);
            if bucket.holds(&key, body.len()).await? {
                return Ok(());
            }
            if body.len() <= PART {
                bucket.store_whole(&key, &hash, body).await
            } else {
                bucket.store_in_parts(&key, &hash, body).await
            }
        });
        upload.await.map_err(|error| panicked(&error))?
    }

    /// Whether the file is there. One of another length was damaged, and storing it again mends it.
    async fn holds(&self, key: &str, length: u64) -> Result<bool, StoreError> {
        let request = self.client.head_object().bucket(&*self.bucket).key(key);
        match request.send().await {
            Ok(there) => Ok(there
                .content_length
                .is_some_and(|there| u64::try_from(there) == Ok(length))),
            // A refusal comes without words here, and from S3 also for a file that is not there if its bucket may not
            // be listed. The write that follows will be told the reason.
            Err(error) if error.raw_response().is_some() => Ok(false),
            Err(error) => Err(self.trouble("write to", &error)),
        }
    }

    async fn store_whole(&self, key: &str, hash: &[u8], body: Arc<Body>) -> Result<(), StoreError> {
        let length = body.len();
        let request = self.client.put_object().bucket(&*self.bucket).key(key);
        let written = request
            .metadata("sha256", hex::encode(hash))
            .body(body.part(0, length).await?)
            .send()
            .await;
        written.map_err(|error| self.trouble("write to", &error))?;
        Ok(())
    }

    async fn store_in_parts(&self, key: &str, hash: &[u8], body: Arc<Body>) -> Result<(), StoreError> {
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&*self.bucket)
            .key(key);
        let created = request
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .metadata("sha256", hex::encode(hash))
            .send()
            .await;
        let created = created.map_err(|error| self.trouble("write to", &error))?;
        let upload = created.upload_id.unwrap_or_default();
        let mut running = JoinSet::new();
        let stored = match self.send_parts(key, &upload, &body, &mut running).await {
            Ok(parts) => self.complete(key, &upload, parts).await,
            Err(error) => Err(error),
        };
        if stored.is_err() {
            // No part may arrive after the upload was given up: it would stay. A request that is cut off here may
            // still be at work there, so each is waited for.
            while running.join_next().await.is_some() {}
            self.abort(key, &upload).await;
        }
        stored
    }

    async fn send_parts(
        &self,
        key: &str,
        upload: &str,
        body: &Arc<Body>,
        running: &mut JoinSet<Result<CompletedPart, StoreError>>,
    ) -> Result<Vec<CompletedPart>, StoreError> {
        let length = body.len();
        let size = PART.max(length.div_ceil(MOST_PARTS));
        let mut done = Vec::new();
        for (number, start) in (1..).zip((0..length).step_by(small(size))) {
            if running.len() == PARALLEL
                && let Some(part) = running.join_next().await
            {
                done.push(part.map_err(|error| panicked(&error))??);
            }
            let (bucket, body) = (self.clone(), Arc::clone(body));
            let (key, upload) = (key.to_owned(), upload.to_owned());
            running.spawn(async move {
                let bytes = body.part(start, size.min(length - start)).await?;
                bucket.send_part(key, upload, number, bytes).await
            });
        }
        while let Some(part) = running.join_next().await {
            done.push(part.map_err(|error| panicked(&error))??);
        }
        done.sort_by_key(CompletedPart::part_number);
        Ok(done)
    }

    async fn send_part(
        &self,
        key: String,
        upload: String,
        number: i32,
        bytes: ByteStream,
    ) -> Result<CompletedPart, StoreError> {
        let request = self.client.upload_part().bucket(&*self.bucket).key(key);
        let sent = request
            .upload_id(upload)
            .part_number(number)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .body(bytes)
            .send()
            .await;
        let sent = sent.map_err(|error| self.trouble("write to", &error))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .set_checksum_crc32(sent.checksum_crc32)
            .build())
    }

    async fn complete(&self, key: &str, upload: &str, parts: Vec<CompletedPart>) -> Result<(), StoreError> {
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(&*self.bucket)
            .key(key);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let completed = request.upload_id(upload).multipart_upload(parts).send().await;
        completed.map_err(|error| self.trouble("write to", &error))?;
        Ok(())
    }

    async fn abort(&self, key: &str, upload: &str) {
        let request = self
            .client
            .abort_multipart_upload()
            .bucket(&*self.bucket)
            .key(key);
        if let Err(error) = request.upload_id(upload).send().await {
            let error = self.trouble("clean up", &error);
            tracing::warn!(%error, key, upload, "blob.upload.orphaned");
        }
    }
}

fn panicked(error: &JoinError) -> StoreError {
    StoreError::Local(error.to_string())
}
