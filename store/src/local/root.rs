//! What root needs: PostgreSQL refuses to run as root, so it gets an unprivileged user and files which that can reach.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::StoreError;

/// The user we run as, by the owner of a file that we make.
pub(super) fn effective_uid() -> Result<u32, StoreError> {
    let probe = tempfile::tempfile().map_err(StoreError::file("write in", std::env::temp_dir()))?;
    Ok(probe
        .metadata()
        .map_err(StoreError::file("read", std::env::temp_dir()))?
        .uid())
}

/// A system user for PostgreSQL: `plumbline` or `postgres` if the machine has one, else `nobody`.
pub(super) fn unprivileged_user() -> Result<(u32, u32), StoreError> {
    let passwd = std::fs::read_to_string("/etc/passwd").map_err(StoreError::file("read", "/etc/passwd"))?;
    let find = |name: &str| {
        passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields.first() == Some(&name)).then_some(())?;
            Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
        })
    };
    ["plumbline", "postgres", "nobody"]
        .into_iter()
        .find_map(find)
        .ok_or_else(|| {
            StoreError::Local(
                "PostgreSQL cannot run as root and there is no user `nobody` to run it; use another user"
                    .into(),
            )
        })
}

/// Whether every directory on the way is open to other users.
pub(super) fn open_to_others(path: &Path) -> bool {
    path.ancestors()
        .all(|part| std::fs::metadata(part).is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0))
}

/// A copy of the installation below `state`. It is named for its source and what that holds, so a newer installation
/// gets a copy of its own; the older one stays for whoever still runs it.
pub(super) fn copy_of(install: &Path, state: &Path) -> Result<PathBuf, StoreError> {
    let copy = state.join(format!("postgres-{}", fingerprint(install)?));
    copy_tree(install, &copy)?;
    Ok(copy)
}

/// Changes whenever something else is installed: by the manifest of the pins, else by the server program.
fn fingerprint(install: &Path) -> Result<String, StoreError> {
    let mut hash = Sha256::new();
    hash.update(install.as_os_str().as_encoded_bytes());
    let manifest = install.parent().map(|runtime| runtime.join("manifest.json"));
    if let Some(manifest) = manifest.and_then(|path| std::fs::read(path).ok()) {
        hash.update(manifest);
    } else {
        let program = install.join("bin/postgres");
        let facts = std::fs::metadata(&program).map_err(StoreError::file("read", &program))?;
        hash.update(facts.len().to_le_bytes());
        hash.update(facts.mtime().to_le_bytes());
        hash.update(facts.mtime_nsec().to_le_bytes());
    }
    Ok(hex::encode(&hash.finalize()[..6]))
}

/// Copies a directory tree with its links, unless the copy is there already.
fn copy_tree(from: &Path, to: &Path) -> Result<(), StoreError> {
    if to.is_dir() {
        return Ok(());
    }
    let half = to.with_extension("new");
    let _ = std::fs::remove_dir_all(&half);
    let parent = to.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(parent).map_err(StoreError::file("create", parent))?;
    let copied = Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(&half)
        .status()
        .map_err(StoreError::file("copy", from))?;
    if !copied.success() {
        return Err(StoreError::Local(format!(
            "cannot copy {} to {}",
            from.display(),
            half.display()
        )));
    }
    std::fs::rename(&half, to).map_err(StoreError::file("rename", half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_installation_gets_a_copy_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (install, state) = (folder.path().join("postgres"), folder.path().join("state"));
        std::fs::create_dir_all(install.join("bin")).unwrap();
        std::fs::write(install.join("bin/postgres"), "one").unwrap();
        let first = copy_of(&install, &state).unwrap();
        assert_eq!(copy_of(&install, &state).unwrap(), first);

        std::fs::write(install.join("bin/postgres"), "number two").unwrap();
        let second = copy_of(&install, &state).unwrap();
        assert_ne!(second, first);
        assert_eq!(std::fs::read(second.join("bin/postgres")).unwrap(), b"number two");

        std::fs::write(folder.path().join("manifest.json"), "{}").unwrap();
        let third = copy_of(&install, &state).unwrap();
        std::fs::write(folder.path().join("manifest.json"), "{ }").unwrap();
        assert!(third != second && copy_of(&install, &state).unwrap() != third);
    }
}
