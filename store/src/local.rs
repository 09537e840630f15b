//! The private local Postgres: a cluster of our own under the data directory, reached over a Unix socket.
//!
//! It listens on no port, so it collides with nothing. Several processes share one cluster: each holds a shared lock
//! while it uses it, and whoever can take the lock alone on leaving stops it. A cluster left running by a killed
//! process is simply found and used again. PostgreSQL refuses to run as root, so root hands it to an unprivileged user.

mod root;
mod socket;

use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};

use crate::StoreError;

/// How long a server that is just starting or stopping may take to show which.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where the private cluster lives and how careful it is.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// PostgreSQL's installation: the directory with `bin/initdb`.
    pub install: PathBuf,
    /// Directory of the cluster; created when missing.
    pub directory: PathBuf,
    /// False only for clusters that are thrown away: nothing is forced to disk.
    pub durable: bool,
}

/// A running private cluster. Dropping it stops it, unless another process uses it too.
#[derive(Debug)]
pub struct LocalPostgres {
    tools: Tools,
    directory: PathBuf,
    socket: PathBuf,
    users: Option<File>,
}

/// PostgreSQL's own cache in MiB for a machine with `memory` MiB: an eighth, so that the vector index of a large tenant stays
/// in it (400,000 vectors take 470 MB) and a small machine keeps room for all else.
fn shared_buffers(memory: Option<u64>) -> u64 {
    memory.map_or(256, |memory| (memory / 8).clamp(128, 1024))
}

/// Memory of this machine in MiB, or what this group of processes may use of it; none where Linux does not say.
fn memory_mib() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let all = read("/proc/meminfo")?;
    let all = all.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let all: u64 = all.trim().trim_end_matches("kB").trim().parse().ok()?;
    let allowed = read("/sys/fs/cgroup/memory.max").and_then(|bytes| bytes.trim().parse::<u64>().ok());
    Some((all / 1024).min(allowed.map_or(u64::MAX, |bytes| bytes >> 20)))
}

impl LocalPostgres {
    /// Starts the cluster, or joins it when it runs already. Blocks for about half a second the first time.
    ///
    /// # Errors
    /// [`StoreError::Local`] with what PostgreSQL said.
    pub fn start(options: &LocalOptions) -> Result<Self, StoreError> {
        create_private(&options.directory)?;
        let (tools, directory) = Tools::prepare(options)?;
        tools.own(&directory)?;
        let socket = socket::directory(&directory);
        socket::claim(&socket, &tools.users())?;
        tools.own(&socket)?;
        let start_lock = lock_file(&directory, "start.lock")?;
        start_lock
            .lock()
            .map_err(StoreError::file("lock", directory.join("start.lock")))?;
        tools.init(&directory)?;
        if !tools.is_running(&directory, &socket)? {
            tools.start(&directory, &socket, options.durable)?;
        }
        let users = lock_file(&directory, "users.lock")?;
        users
            .lock_shared()
            .map_err(StoreError::file("lock", directory.join("users.lock")))?;
        Ok(Self {
            tools,
            directory,
            socket,
            users: Some(users),
        })
    }

    /// Connection address of a database in this cluster.
    pub fn url(&self, database: &str) -> String {
        let socket = self
            .socket
            .to_string_lossy()
            .replace('%', "%25")
            .replace('/', "%2F")
            .replace(' ', "%20");
        format!("postgres://postgres@localhost/{database}?host={socket}")
    }

    /// The database's address, creating the database when it is missing.
    pub async fn database(&self, name: &str) -> Result<String, StoreError> {
        create_database(&self.url("postgres"), name).await?;
        Ok(self.url(name))
    }

    fn stop(&mut self) -> Result<(), StoreError> {
        let Some(users) = self.users.take() else {
            return Ok(());
        };
        let start_lock = lock_file(&self.directory, "start.lock")?;
        start_lock
            .lock()
            .map_err(StoreError::file("lock", self.directory.join("start.lock")))?;
        drop(users);
        let users = lock_file(&self.directory, "users.lock")?;
        if users.try_lock().is_ok() {
            self.tools.stop(&self.directory)
        } else {
            Ok(())
        }
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(%error, "the private PostgreSQL could not be stopped");
        }
    }
}

/// Creates a database unless it exists.
pub async fn create_database(admin_url: &str, name: &str) -> Result<(), StoreError> {
    let mut admin = PgConnection::connect(admin_url).await?;
    let created = sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {}", quoted(name))))
        .execute(&mut admin)
        .await;
    admin.close().await?;
    match created {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => Ok(()),
        // two processes at once: the other one's row in pg_database wins
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("23505") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Drops a database with whoever is still connected to it.
pub async fn drop_database(admin_url: &str, name: &str) -> Result<(), StoreError> {
    let mut admin = PgConnection::connect(admin_url).await?;
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "DROP DATABASE IF EXISTS {} WITH (FORCE)",
        quoted(name)
    )))
    .execute(&mut admin)
    .await?;
    Ok(admin.close().await?)
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// PostgreSQL's programs and the user they run as.
#[derive(Debug)]
struct Tools {
    bin: PathBuf,
    /// The user id we run as.
    uid: u32,
    /// Set when we are root: user and group ids to drop to.
    drop_to: Option<(u32, u32)>,
}

impl Tools {
    /// Finds the programs. For root also a user to run them and, where that user could not reach the paths (a home
    /// directory is closed to others), a copy and a cluster directory under /var/lib/plumbline.
    fn prepare(options: &LocalOptions) -> Result<(Self, PathBuf), StoreError> {
        let mut install = options.install.clone();
        if !install.join("bin/initdb").is_file() {
            return Err(StoreError::Local(format!(
                "no bin/initdb under {}; run `make runtime`, or set DATABASE_URL to a PostgreSQL with pgvector",
                install.display()
            )));
        }
        let mut directory = options
            .directory
            .canonicalize()
            .map_err(StoreError::file("open", &options.directory))?;
        let uid = root::effective_uid()?;
        let drop_to = if uid == 0 {
            Some(root::unprivileged_user()?)
        } else {
            None
        };
        if drop_to.is_some() {
            tracing::debug!("running as root: PostgreSQL gets an unprivileged user");
            let state = Path::new("/var/lib/plumbline");
            if !directory.parent().is_none_or(root::open_to_others) {
                let name = hex::encode(&Sha256::digest(directory.as_os_str().as_encoded_bytes())[..6]);
                directory = state.join(name);
                std::fs::create_dir_all(&directory).map_err(StoreError::file("create", &directory))?;
            }
            install = install
                .canonicalize()
                .map_err(StoreError::file("open", &install))?;
            if !root::open_to_others(&install) {
                install = root::copy_of(&install, state)?;
            }
        }
        Ok((
            Self {
                bin: install.join("bin"),
                uid,
                drop_to,
            },
            directory,
        ))
    }

    fn command(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        let mut command = match self.drop_to {
            None => Command::new(program),
            Some((uid, gid)) => {
                let mut command = Command::new("setpriv");
                command
                    .args([format!("--reuid={uid}"), format!("--regid={gid}")])
                    .args(["--clear-groups", "--reset-env", "--"])
                    .arg(program);
                command
            }
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    fn run(&self, mut command: Command, what: &str) -> Result<(), StoreError> {
        let output = command
            .output()
            .map_err(|error| StoreError::Local(format!("{what}: {}: {error}", self.bin.display())))?;
        if output.status.success() {
            return Ok(());
        }
        let words =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        Err(StoreError::Local(format!("{what} failed: {}", words.trim())))
    }

    /// Who may own what PostgreSQL uses.
    fn users(&self) -> Vec<u32> {
        let dropped = self.drop_to.map(|(uid, _)| uid);
        [self.uid].into_iter().chain(dropped).collect()
    }

    /// Gives a file or directory to the user that PostgreSQL runs as, and closes it to others.
    fn own(&self, path: &Path) -> Result<(), StoreError> {
        if let Some((uid, gid)) = self.drop_to {
            std::os::unix::fs::chown(path, Some(uid), Some(gid)).map_err(StoreError::file("own", path))?;
        }
        let facts = std::fs::metadata(path).map_err(StoreError::file("open", path))?;
        if self.users().contains(&facts.uid()) {
            let closed = PermissionsExt::from_mode(facts.permissions().mode() & 0o700);
            std::fs::set_permissions(path, closed).map_err(StoreError::file("close to others", path))?;
        }
        Ok(())
    }

    fn init(&self, directory: &Path) -> Result<(), StoreError> {
        let cluster = directory.join("cluster");
        if cluster.join("PG_VERSION").is_file() {
            return Ok(());
        }
        // A name of its own until it is whole: a cluster whose creation was interrupted is never started.
        let half = directory.join("cluster.new");
        if half.exists() {
            std::fs::remove_dir_all(&half).map_err(StoreError::file("remove", &half))?;
        }
        let mut initdb = self.command("initdb");
        initdb
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "-D",
            ])
            .arg(&half);
        self.run(initdb, "initdb")?;
        std::fs::rename(&half, &cluster).map_err(StoreError::file("rename", &half))
    }

    /// Whether the server runs. `pg_ctl` only knows whether there is a process of the number in the lock file, which
    /// after a crash may be anyone's; a server of ours also answers at its socket.
    fn is_running(&self, directory: &Path, socket: &Path) -> Result<bool, StoreError> {
        let cluster = directory.join("cluster");
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let mut status = self.command("pg_ctl");
            status.arg("status").arg("-D").arg(&cluster);
            if !status.output().is_ok_and(|output| output.status.success()) {
                return Ok(false);
            }
            if socket::answers(socket) {
                return Ok(true);
            }
            std::thread::sleep(PATIENCE / 20);
        }
        let lock = cluster.join("postmaster.pid");
        let words = std::fs::read_to_string(&lock).map_err(StoreError::file("read", &lock))?;
        let pid = words.lines().next().unwrap_or_default().trim();
        // another program of ours may use the cluster where its processes cannot be seen, as in a container
        let unused = lock_file(directory, "users.lock")?.try_lock().is_ok();
        if unused && !is_postgres(pid, &cluster) {
            tracing::info!(pid, "the private PostgreSQL left a stale lock file");
            std::fs::remove_file(&lock).map_err(StoreError::file("remove", &lock))?;
            return Ok(false);
        }
        Err(StoreError::Local(format!(
            "process {pid} holds {lock} but does not answer in {socket}; end it with `kill -INT {pid}`, or remove \
             that file if it is stale (no `postgres` runs under this number), and try again",
            lock = lock.display(),
            socket = socket.display()
        )))
    }

    fn start(&self, directory: &Path, socket: &Path, durable: bool) -> Result<(), StoreError> {
        let log = directory.join("postgres.log");
        File::create(&log).map_err(StoreError::file("write", &log))?;
        self.own(&log)?;
        let mut options = format!(
            "-k '{}' -c listen_addresses='' -c unix_socket_permissions=0700 -c max_connections=200 \
             -c shared_buffers={}MB -c maintenance_work_mem=256MB",
            socket.display(),
            shared_buffers(memory_mib())
        );
        if !durable {
            options.push_str(" -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
        }
        let mut start = self.command("pg_ctl");
        start
            .args(["start", "-w", "-t", "60", "-s", "-D"])
            .arg(directory.join("cluster"));
        // The server inherits what pg_ctl has: pipes held open would make our wait for their end last for ever.
        start
            .arg("-l")
            .arg(&log)
            .arg("-o")
            .arg(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let status = start
            .status()
            .map_err(|error| StoreError::Local(format!("{}: {error}", self.bin.display())))?;
        if status.success() {
            return Ok(());
        }
        let words = std::fs::read_to_string(&log).unwrap_or_default();
        let tail: Vec<&str> = words.lines().rev().take(5).collect();
        Err(StoreError::Local(format!(
            "the server did not start; {} ends with: {}",
            log.display(),
            tail.into_iter().rev().collect::<Vec<_>>().join(" / ")
        )))
    }

    fn stop(&self, directory: &Path) -> Result<(), StoreError> {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "-w", "-t", "30", "-s", "-m", "fast", "-D"])
            .arg(directory.join("cluster"));
        // a group of its own: an impatient Ctrl-C in the terminal does not reach it
        stop.process_group(0);
        self.run(stop, "pg_ctl stop")
    }
}

/// Whether the process is the server of this cluster, as far as this system tells; in doubt it is.
fn is_postgres(pid: &str, cluster: &Path) -> bool {
    // the server works in its cluster's directory
    let folder = std::fs::read_link(format!("/proc/{pid}/cwd"));
    if let (Ok(folder), Ok(cluster)) = (folder, cluster.canonicalize()) {
        return folder == cluster;
    }
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).or_else(|_| {
        let ps = Command::new("ps").args(["-o", "comm=", "-p", pid]).output()?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&ps.stdout).into_owned())
    });
    name.map_or(true, |name| name.contains("postgres"))
}

/// Creates a directory that is closed to others, below parents as they usually are.
fn create_private(directory: &Path) -> Result<(), StoreError> {
    if let Some(parent) = directory.parent() {
        std::fs::create_dir_all(parent).map_err(StoreError::file("create", parent))?;
    }
    let created = std::fs::DirBuilder::new().mode(0o700).create(directory);
    match created {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(StoreError::file("create", directory)(error))
        }
        _ => Ok(()),
    }
}

fn lock_file(directory: &Path, name: &str) -> Result<File, StoreError> {
    let path = directory.join(name);
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .read(true)
        .open(&path)
        .map_err(StoreError::file("open", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_grows_with_the_machine_and_ends_at_a_gibibyte() {
        let of = [None, Some(512), Some(4_096), Some(24_000)].map(shared_buffers);
        assert_eq!(of, [256, 128, 512, 1_024]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_says_how_much_memory_there_is() {
        assert!(memory_mib().is_some_and(|memory| memory > 100));
    }
}
