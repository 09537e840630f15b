//! Layout of the data directory: everything the program writes is below it.
//!
//! ```text
//! <data>/postgres/   the private cluster (absent when DATABASE_URL is set)
//! <data>/blobs/      original files by sha256
//! <data>/spool/      files on their way to and from S3 (absent when files are kept here)
//! <data>/index/      lexical indexes, one slot per running process; may be deleted at any time
//! <data>/golden/     a golden set per tenant, put there by its people: what staged changes are judged by
//! <data>/eval/       what the eval keeps between runs: its own cluster, ingested corpora
//! ```

use std::path::{Path, PathBuf};

/// The data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// A data directory at `path`; nothing is created yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// The private cluster.
    pub fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }

    /// Original files.
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// Files on their way to and from S3.
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// Lexical indexes.
    pub fn index(&self) -> PathBuf {
        self.0.join("index")
    }

    /// Golden sets of the tenants, each in a directory named by the tenant's slug.
    pub fn golden(&self) -> PathBuf {
        self.0.join("golden")
    }

    /// The eval's own data directory.
    #[must_use]
    pub fn eval(&self) -> Self {
        Self(self.0.join("eval"))
    }
}
