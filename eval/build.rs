//! Names the code that shapes chunks, model calls and replies by the hash of its sources.
//!
//! What a run caches or records is only good for the code that made it. A version number is forgotten to be raised, a
//! commit is not known in a build from an archive; the sources always are. `Cargo.lock` belongs to them: another
//! PDF library reads other text.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Variable of the prompts and other texts that are built in: everything beside Rust in the folders that talk to models.
const PROMPTS: &str = "PLUMBLINE_CODE_PROMPTS";

/// Variable and the folders, relative to the workspace, whose sources the stage is made of.
const STAGES: [(&str, &[&str]); 3] = [
    ("PLUMBLINE_CODE_CORPUS", &["ingest/src", "models/src"]),
    ("PLUMBLINE_CODE_MODEL", &["models/src"]),
    (
        "PLUMBLINE_CODE_REPLY",
        &[
            "answer/src",
            "retrieval/src",
            "ingest/src",
            "models/src",
            "store/src",
            "migrations",
        ],
    ),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = Path::new("..");
    for (variable, folders) in STAGES {
        let mut hash = Sha256::new();
        add(&mut hash, &workspace.join("Cargo.lock"))?;
        for folder in folders {
            println!("cargo::rerun-if-changed=../{folder}");
            for file in files(&workspace.join(folder))? {
                add(&mut hash, &file)?;
            }
        }
        println!("cargo::rustc-env={variable}={:x}", hash.finalize());
    }
    let mut prompts = Sha256::new();
    for folder in ["answer/src", "models/src"] {
        for file in files(&workspace.join(folder))? {
            if file.extension().is_none_or(|extension| extension != "rs") {
                add(&mut prompts, &file)?;
            }
        }
    }
    println!("cargo::rustc-env={PROMPTS}={:x}", prompts.finalize());
    println!("cargo::rerun-if-changed=../Cargo.lock");
    Ok(())
}

fn add(hash: &mut Sha256, file: &Path) -> std::io::Result<()> {
    let text = fs::read(file)?;
    hash.update(file.to_string_lossy().as_bytes());
    hash.update(text.len().to_le_bytes());
    hash.update(text);
    Ok(())
}

/// Every file below a folder, sorted.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
