//! The private cluster on this machine.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use plumbline_store::local::{LocalOptions, LocalPostgres};
use plumbline_store::testing::find_runtime;

/// A directory for a cluster which an unprivileged user can reach too, for tests run as root.
fn place() -> (tempfile::TempDir, LocalOptions) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let options = LocalOptions {
        install: find_runtime().join("postgres"),
        directory: folder.path().join("pg"),
        durable: false,
    };
    (folder, options)
}

fn lock(options: &LocalOptions) -> PathBuf {
    options.directory.join("cluster/postmaster.pid")
}

/// A process of the user who owns `path`, as the next owner of a number may be.
fn stranger(path: &Path) -> Child {
    use std::os::unix::process::CommandExt;
    let owner = std::fs::metadata(path).unwrap();
    let ours = std::fs::metadata("/proc/self").map_or(owner.uid(), |me| me.uid());
    let mut sleep = Command::new("sleep");
    if owner.uid() != ours {
        sleep.uid(owner.uid()).gid(owner.gid());
    }
    sleep.arg("300").spawn().unwrap()
}

#[tokio::test]
async fn only_the_user_of_the_server_reaches_the_socket() {
    let (_folder, options) = place();
    let postgres = LocalPostgres::start(&options).unwrap();
    for (path, mode) in [("", 0o700), ("run", 0o700), ("run/.s.PGSQL.5432", 0o700)] {
        let facts = std::fs::metadata(options.directory.join(path)).unwrap();
        assert_eq!(facts.permissions().mode() & 0o777, mode, "{path}");
        let server = std::fs::metadata(options.directory.join("cluster")).unwrap();
        assert_eq!(facts.uid(), server.uid(), "{path}");
    }
    postgres.database("reached").await.unwrap();
}

#[tokio::test]
async fn a_lock_file_that_names_somebody_elses_process_is_stale() {
    let (_folder, options) = place();
    drop(LocalPostgres::start(&options).unwrap());
    assert!(!lock(&options).exists(), "the server stopped");

    let mut sleep = stranger(&options.directory.join("cluster"));
    std::fs::write(lock(&options), format!("{}\n", sleep.id())).unwrap();
    let postgres = LocalPostgres::start(&options).unwrap();
    postgres.database("reached").await.unwrap();
    sleep.kill().unwrap();
    sleep.wait().unwrap();
}

#[test]
fn a_server_without_its_socket_is_named_with_the_way_to_mend_it() {
    let (_folder, options) = place();
    let _postgres = LocalPostgres::start(&options).unwrap();
    std::fs::remove_file(options.directory.join("run/.s.PGSQL.5432")).unwrap();
    let refused = LocalPostgres::start(&options).unwrap_err().to_string();
    assert!(
        refused.contains("kill -INT") && refused.contains("postmaster.pid"),
        "{refused}"
    );
    assert!(lock(&options).exists());
}
