//! `plumbline ingest --watch`: what changes in a folder becomes searchable, until Ctrl-C.
//!
//! The folder is looked through every two seconds: that works on every file system, also those shared over a network. A
//! file counts when two looks in a row see the same size and time, so that one being written is left alone.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use plumbline_store::Tags;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::files::{Found, find_files};
use super::report::Report;
use super::{Ended, ingest};
use crate::app::App;

/// Time between two looks.
const LOOK: Duration = Duration::from_secs(2);

/// What tells that a file changed.
type Mark = (u64, Option<SystemTime>);

/// What was seen of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    file: Found,
    mark: Mark,
}

/// What a look found, against those before it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    /// Files that changed or appeared, and have rested since.
    settled: Vec<Found>,
    /// Keys of files that are gone.
    gone: Vec<String>,
}

/// The files as they were ingested, and as they were at the last look.
#[derive(Debug, Default)]
struct Folder {
    ingested: HashMap<PathBuf, Mark>,
    last: HashMap<PathBuf, Seen>,
}

impl Folder {
    /// A folder that was seen so before its files were ingested.
    fn ingested(seen: HashMap<PathBuf, Seen>) -> Self {
        let marks = seen.iter().map(|(path, seen)| (path.clone(), seen.mark));
        Self {
            ingested: marks.collect(),
            last: seen,
        }
    }

    fn look(&mut self, now: HashMap<PathBuf, Seen>) -> Difference {
        let mut difference = Difference::default();
        for (path, seen) in &now {
            let rested = self.last.get(path).is_some_and(|before| before.mark == seen.mark);
            if rested && self.ingested.get(path) != Some(&seen.mark) {
                self.ingested.insert(path.clone(), seen.mark);
                difference.settled.push(seen.file.clone());
            }
        }
        for (path, before) in &self.last {
            if !now.contains_key(path) {
                self.ingested.remove(path);
                difference.gone.push(before.file.key.clone());
            }
        }
        difference.settled.sort_by(|a, b| a.key.cmp(&b.key));
        difference.gone.sort();
        self.last = now;
        difference
    }
}

/// Follows `paths`, which were ingested after they were seen as `before`, until `stop`.
pub(super) async fn follow(
    app: &App,
    tenant: Uuid,
    paths: &[PathBuf],
    (before, tags): (HashMap<PathBuf, Seen>, Option<&Tags>),
    report: &Report,
    stop: &CancellationToken,
) -> anyhow::Result<Ended> {
    report.remark("watching; Ctrl-C ends");
    let mut folder = Folder::ingested(before);
    loop {
        let paths = paths.to_vec();
        let now = tokio::task::spawn_blocking(move || seen(&paths)).await?;
        let difference = folder.look(now);
        for key in difference.gone {
            report.remark(&format!(
                "{key} is gone; its document stays until it is deleted on the page of documents or with the API"
            ));
        }
        if !difference.settled.is_empty() {
            match ingest(app, tenant, &difference.settled, tags, report, stop).await? {
                Ended::All { failed } => {
                    for line in failed {
                        eprintln!("failed: {line}");
                    }
                }
                Ended::Interrupted => return Ok(Ended::Interrupted),
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            // Ctrl-C is how watching ends, not an interruption
            () = stop.cancelled() => return Ok(Ended::All { failed: Vec::new() }),
        }
    }
}

/// The files with what tells that they changed; a folder that cannot be read just now has none.
pub(super) fn seen(paths: &[PathBuf]) -> HashMap<PathBuf, Seen> {
    let files = find_files(paths).unwrap_or_default();
    let marked = files.into_iter().filter_map(|file| {
        let about = std::fs::metadata(&file.path).ok()?;
        let mark = (about.len(), about.modified().ok());
        Some((file.path.clone(), Seen { file, mark }))
    });
    marked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(files: &[(&str, u64)]) -> HashMap<PathBuf, Seen> {
        let seen = files.iter().map(|&(name, size)| {
            let file = Found {
                path: name.into(),
                key: name.to_owned(),
            };
            (
                PathBuf::from(name),
                Seen {
                    file,
                    mark: (size, None),
                },
            )
        });
        seen.collect()
    }

    fn keys(difference: &Difference) -> Vec<&str> {
        difference.settled.iter().map(|file| file.key.as_str()).collect()
    }

    #[test]
    fn a_file_counts_when_it_has_rested_and_once() {
        let mut folder = Folder::default();
        assert!(
            keys(&folder.look(look(&[("a", 1)]))).is_empty(),
            "it may be growing"
        );
        assert_eq!(keys(&folder.look(look(&[("a", 1), ("b", 1)]))), ["a"]);
        assert!(
            keys(&folder.look(look(&[("a", 1), ("b", 2)]))).is_empty(),
            "b grows"
        );
        assert_eq!(keys(&folder.look(look(&[("a", 1), ("b", 2)]))), ["b"]);
        assert_eq!(folder.look(look(&[("a", 1), ("b", 2)])), Difference::default());
        assert!(keys(&folder.look(look(&[("a", 9), ("b", 2)]))).is_empty());
        assert_eq!(keys(&folder.look(look(&[("a", 9), ("b", 2)]))), ["a"]);
    }

    #[test]
    fn a_file_that_is_gone_is_told_once_and_counts_when_it_comes_back() {
        let mut folder = Folder::default();
        folder.look(look(&[("a", 1)]));
        folder.look(look(&[("a", 1)]));
        assert_eq!(folder.look(look(&[])).gone, ["a"]);
        assert_eq!(folder.look(look(&[])), Difference::default());
        folder.look(look(&[("a", 1)]));
        assert_eq!(keys(&folder.look(look(&[("a", 1)]))), ["a"]);
    }
}
