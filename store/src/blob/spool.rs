//! Files that are still being written: a temporary file, hashed as it grows.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::Finished;
use crate::StoreError;

/// How the names of unfinished files begin.
const PREFIX: &str = ".unfinished-";

/// An unfinished file of this age has no writer any more.
pub(super) const ABANDONED: Duration = Duration::from_hours(24);

/// A file that grows; removed on drop.
#[derive(Debug)]
pub(super) struct Spool {
    file: NamedTempFile,
    hasher: Sha256,
    bytes: u64,
}

impl Spool {
    /// An empty file in `folder`, which is made if need be.
    pub(super) fn create(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(StoreError::file("create", folder))?;
        let file = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempfile_in(folder)
            .map_err(StoreError::file("write in", folder))?;
        Ok(Self {
            file,
            hasher: Sha256::new(),
            bytes: 0,
        })
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        let written = self.file.as_file_mut().write_all(bytes);
        written.map_err(StoreError::file("write", self.file.path()))
    }

    /// The file with its address.
    pub(super) fn done(self) -> (NamedTempFile, Finished) {
        let finished = Finished {
            sha256: self.hasher.finalize().into(),
            bytes: self.bytes,
        };
        (self.file, finished)
    }

    /// The bare file, for a copy that somebody else checks.
    pub(super) fn into_copy(self) -> (TempPath, File) {
        let (file, path) = self.file.into_parts();
        (path, file)
    }
}

/// Removes unfinished files older than `age`; returns how many.
pub(super) fn clear(folder: &Path, age: Duration) -> Result<usize, StoreError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(StoreError::file("list", folder)(error)),
    };
    let mut cleared = 0;
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let old = modified.is_ok_and(|time| time.elapsed().is_ok_and(|elapsed| elapsed >= age));
        // One that is gone meanwhile was cleared by another process.
        if ours && old && std::fs::remove_file(entry.path()).is_ok() {
            cleared += 1;
        }
    }
    Ok(cleared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_unfinished_files_are_cleared() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".unfinished-left"), b"half").unwrap();
        std::fs::write(folder.path().join("kept"), b"whole").unwrap();
        assert_eq!(clear(folder.path(), ABANDONED).unwrap(), 0);
        assert_eq!(clear(folder.path(), Duration::ZERO).unwrap(), 1);
        assert!(folder.path().join("kept").exists());
        assert_eq!(clear(&folder.path().join("none"), ABANDONED).unwrap(), 0);
    }
}
