//! The Unix socket: the only way in, and whoever reaches it is a superuser. So its directory is closed to all but the
//! user that PostgreSQL runs as, and a directory that somebody else put in its place is refused.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::create_private;
use crate::StoreError;

/// A socket's path may not be longer than this (108 bytes in the kernel, one for the end).
const SOCKET_PATH_MAX: usize = 107;
/// Name of the socket's file: the port is never used otherwise, so it is always this one.
const SOCKET: &str = ".s.PGSQL.5432";

/// The socket's directory: in the cluster's own, or in the temporary directory where that path would be too long.
pub(super) fn directory(cluster: &Path) -> PathBuf {
    let inside = cluster.join("run");
    if inside.join(SOCKET).as_os_str().len() <= SOCKET_PATH_MAX {
        return inside;
    }
    let name = hex::encode(&Sha256::digest(cluster.as_os_str().as_encoded_bytes())[..6]);
    std::env::temp_dir().join(format!("plumbline-{name}"))
}

/// Creates the directory, or takes the one that is there if it belongs to one of `owners`.
pub(super) fn claim(directory: &Path, owners: &[u32]) -> Result<(), StoreError> {
    create_private(directory)?;
    // of the thing itself: a link may lead anywhere
    let facts = std::fs::symlink_metadata(directory).map_err(StoreError::file("open", directory))?;
    if !facts.is_dir() || !owners.contains(&facts.uid()) {
        return Err(StoreError::Local(format!(
            "{} must be a directory of ours and belongs to user id {}; remove it, or name another data directory \
             with --data",
            directory.display(),
            facts.uid()
        )));
    }
    std::fs::set_permissions(directory, PermissionsExt::from_mode(0o700))
        .map_err(StoreError::file("close to others", directory))
}

/// Whether a server listens there.
pub(super) fn answers(directory: &Path) -> bool {
    UnixStream::connect(directory.join(SOCKET)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_a_directory_of_ours_is_taken_and_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let ours = std::fs::metadata(folder.path()).unwrap().uid();
        let run = folder.path().join("run");
        claim(&run, &[ours]).unwrap();
        assert_eq!(mode(&run), 0o700);
        std::fs::set_permissions(&run, PermissionsExt::from_mode(0o755)).unwrap();
        claim(&run, &[ours + 1, ours]).unwrap();
        assert_eq!(mode(&run), 0o700);

        let refused = claim(&run, &[ours + 1]).unwrap_err().to_string();
        assert!(refused.contains("must be a directory of ours"), "{refused}");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&run, &link).unwrap();
        assert!(claim(&link, &[ours]).is_err());
        assert!(!answers(&run));
    }

    #[test]
    fn a_long_path_gets_a_short_socket() {
        let long = Path::new("/").join("x".repeat(120));
        assert!(directory(&long).starts_with(std::env::temp_dir()));
        assert_eq!(directory(Path::new("/data")), Path::new("/data/run"));
    }
}
