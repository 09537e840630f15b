//! Reading a stored file: the bytes are hashed on their way, and the last ones are withheld if the hash is wrong.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, ReadBuf};

/// A stored file being read.
pub struct BlobReader {
    inner: Pin<Box<dyn AsyncRead + Send>>,
    length: u64,
    read: u64,
    wanted: Vec<u8>,
    hasher: Sha256,
    checked: bool,
}

impl BlobReader {
    pub(super) fn new(inner: impl AsyncRead + Send + 'static, length: u64, hash: &[u8]) -> Self {
        Self {
            inner: Box::pin(inner),
            length,
            read: 0,
            wanted: hash.to_owned(),
            hasher: Sha256::new(),
            checked: false,
        }
    }

    /// Length of the whole file in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Takes note of the bytes that came; an error once they cannot be the stored ones any more.
    fn note(&mut self, came: &[u8]) -> Result<()> {
        self.hasher.update(came);
        self.read += came.len() as u64;
        if self.read > self.length {
            return Err(damaged("is longer than it was"));
        }
        if came.is_empty() && self.read < self.length {
            return Err(Error::new(
                ErrorKind::UnexpectedEof,
                format!("ended after {} of {} bytes", self.read, self.length),
            ));
        }
        if self.read == self.length && !self.checked {
            if self.hasher.finalize_reset().as_slice() != self.wanted {
                return Err(damaged("is damaged: its bytes have another hash"));
            }
            self.checked = true;
        }
        Ok(())
    }
}

fn damaged(how: &str) -> Error {
    let words = format!("the stored file {how}; restore it from a backup or upload it again");
    Error::new(ErrorKind::InvalidData, words)
}

impl AsyncRead for BlobReader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(self.inner.as_mut().poll_read(cx, buf))?;
        let noted = self.note(buf.filled().get(before..).unwrap_or_default());
        if noted.is_err() {
            buf.set_filled(before);
        }
        Poll::Ready(noted)
    }
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader")
            .field("length", &self.length)
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::BlobStore;

    async fn read(bytes: &'static [u8], length: u64, stored: &[u8]) -> (Vec<u8>, Result<usize>) {
        let mut reader = BlobReader::new(bytes, length, &BlobStore::hash(stored));
        let mut out = Vec::new();
        let result = reader.read_to_end(&mut out).await;
        (out, result)
    }

    #[tokio::test]
    async fn what_was_not_stored_is_not_read() {
        assert_eq!(read(b"price", 5, b"price").await.1.unwrap(), 5);
        assert_eq!(read(b"", 0, b"").await.1.unwrap(), 0);
        for (bytes, length, kind) in [
            (&b"prize"[..], 5, ErrorKind::InvalidData),
            (b"price list", 5, ErrorKind::InvalidData),
            (b"pri", 5, ErrorKind::UnexpectedEof),
            (b"", 5, ErrorKind::UnexpectedEof),
        ] {
            let (out, result) = read(bytes, length, b"price").await;
            assert_eq!(result.unwrap_err().kind(), kind, "{bytes:?}");
            assert!((out.len() as u64) < length, "{bytes:?} came through whole");
        }
    }
}
