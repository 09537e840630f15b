//! Where the rules are read from: the files as they are, a checkout beside them, or a commit.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::EvalError;

/// One state of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The files as they are.
    Here,
    /// A directory that holds the same paths, such as a checkout of another branch.
    Directory(PathBuf),
    /// A commit of the repository that the files are in.
    Git(String),
}

impl Source {
    /// A directory when there is one of that name, else a reference of git.
    pub fn named(base: &str) -> Self {
        let directory = PathBuf::from(base);
        if directory.is_dir() {
            Self::Directory(directory)
        } else {
            Self::Git(base.to_owned())
        }
    }

    /// The text of a file; `None` when it is not there.
    pub fn read(&self, path: &Path) -> Result<Option<String>, EvalError> {
        match self {
            Self::Here => read_file(path),
            Self::Directory(base) => read_file(&base.join(within(path)?)),
            Self::Git(reference) => {
                let (folder, name) = split(path);
                if list_git(reference, folder, &name)?.is_empty() {
                    return Ok(None);
                }
                git(folder, &["show", &format!("{reference}:./{name}")]).map(Some)
            }
        }
    }

    /// The files below `path`, or the file itself; none when it is not there.
    pub fn list(&self, path: &Path) -> Result<Vec<PathBuf>, EvalError> {
        match self {
            Self::Here => Ok(files(path)),
            Self::Directory(base) => {
                let base = base.join(within(path)?);
                let below = |file: PathBuf| {
                    file.strip_prefix(&base)
                        .map(|rest| path.join(rest))
                        .unwrap_or(file)
                };
                Ok(files(&base).into_iter().map(below).collect())
            }
            Self::Git(reference) => {
                let (folder, name) = split(path);
                let listed = list_git(reference, folder, &name)?;
                Ok(listed.iter().map(|file| folder.join(file)).collect())
            }
        }
    }
}

fn read_file(path: &Path) -> Result<Option<String>, EvalError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EvalError::unreadable(path, &error)),
    }
}

/// The path below the current directory: that is what a checkout beside it repeats.
fn within(path: &Path) -> Result<PathBuf, EvalError> {
    if path.is_relative() {
        return Ok(path.to_owned());
    }
    let here = std::env::current_dir().map_err(|error| EvalError::Infra(error.to_string()))?;
    path.strip_prefix(&here).map(Path::to_owned).map_err(|_| {
        EvalError::Usage(format!(
            "{}: is not below the current directory, so that its place in the base directory is unknown",
            path.display()
        ))
    })
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut found: Vec<PathBuf> = Vec::new();
    // A directory that cannot be listed holds nothing; what it should hold is then told as deleted.
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        found.extend(files(&entry.path()));
    }
    found.sort();
    found
}

/// The folder to run git in and the path within it, with `/`.
fn split(path: &Path) -> (&Path, String) {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    (folder.unwrap_or(Path::new(".")), name)
}

fn list_git(reference: &str, folder: &Path, name: &str) -> Result<Vec<String>, EvalError> {
    git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{reference}^{{commit}}")])
        .map_err(|error| {
            EvalError::Usage(format!(
                "--base {reference}: is neither a directory nor a commit here; fetch it first (a shallow clone lacks it): {error}"
            ))
        })?;
    let listed = git(
        folder,
        &["ls-tree", "-r", "-z", "--name-only", reference, "--", name],
    )?;
    Ok(listed
        .split('\0')
        .filter(|file| !file.is_empty())
        .map(str::to_owned)
        .collect())
}

fn git(folder: &Path, args: &[&str]) -> Result<String, EvalError> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .output()
        .map_err(|error| EvalError::Infra(format!("git cannot be run: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(EvalError::Usage(format!("git {}: {told}", args.join(" "))))
}
