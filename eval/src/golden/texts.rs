//! Canonical texts of the documents that some evidence names.

use std::collections::BTreeSet;
use std::path::Path;

use plumbline_ingest::{Code, ExtractError, Limits, extract};

use super::load::Golden;
use super::pin::{DocText, Texts};
use crate::error::EvalError;

/// Reads them with the extractor that the pipeline uses. The golden corpus is the team's own, so
/// this happens in this process; documents nobody quotes are left alone.
pub fn read_texts(golden: &Golden, limits: &Limits) -> Result<Texts, EvalError> {
    let known: BTreeSet<&str> = golden.docs.iter().map(|doc| doc.path.as_str()).collect();
    let evidence = golden.cases.iter().flat_map(|located| &located.case.evidence);
    let wanted: BTreeSet<&str> = evidence
        .map(|e| e.doc.as_str())
        .filter(|doc| known.contains(doc))
        .collect();
    let corpus = golden.corpus_dir();
    wanted
        .into_iter()
        .map(|doc| Ok((doc.to_owned(), read_text(&corpus.join(doc), limits)?)))
        .collect()
}

fn read_text(path: &Path, limits: &Limits) -> Result<DocText, EvalError> {
    let bytes = std::fs::read(path).map_err(|error| EvalError::unreadable(path, &error))?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    extract(&bytes, &name, limits)
        .map(|extraction| DocText::new(extraction.text))
        .map_err(|error| refused(path, &error))
}

/// A missing library is the machine's fault, everything else the document's.
fn refused(path: &Path, error: &ExtractError) -> EvalError {
    let message = format!("{}: {error}. {}", path.display(), error.suggestion);
    match error.code {
        Code::PdfiumMissing | Code::WorkerDied => EvalError::Infra(message),
        _ => EvalError::Usage(message),
    }
}
