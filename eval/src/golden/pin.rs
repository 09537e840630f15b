//! The corpus pin: which bytes the evidence was found in, and where it is now.
//!
//! The pin is a hash over the sorted list of documents and their hashes. When it does not match,
//! nothing is thrown away at once: every span is looked for again, first as the exact quote, then
//! in normal form, and only a unique match counts. What is left is stale.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::case::{Case, Evidence};
use super::normal::{Normal, normal, occurrences};

/// One file of the corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusDoc {
    /// Path below the corpus directory, with `/`.
    pub path: String,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
}

/// SHA-256 in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// The manifest hash: SHA-256 over the lines `<path>  <sha256>\n`, sorted by path.
pub fn manifest_hash(docs: &[CorpusDoc]) -> String {
    let mut sorted: Vec<&CorpusDoc> = docs.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut lines = String::new();
    for doc in sorted {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{}  {}", doc.path, doc.sha256);
    }
    sha256_hex(lines.as_bytes())
}

/// A document's canonical text, with its normal form for searching.
#[derive(Debug, Clone)]
pub struct DocText {
    text: String,
    normal: Normal,
}

impl DocText {
    /// Prepares a canonical text.
    pub fn new(text: String) -> Self {
        let normal = Normal::new(&text);
        Self { text, normal }
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// How a span was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The stored offsets still hold the quote.
    Pinned,
    /// The exact quote occurs once.
    Exact,
    /// The quote occurs once in normal form.
    Normalised,
}

/// Evidence with its place in today's corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Group of the evidence.
    pub group: String,
    /// Document path below the corpus directory.
    pub doc: String,
    /// First byte in the canonical text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The canonical text of the span.
    pub text: String,
    /// 1 to 3.
    pub grade: u8,
    /// How it was found.
    pub how: How,
}

/// Where the evidence of a case is, or why that cannot be told.
pub type Pinned = Result<Vec<Span>, Vec<String>>;

/// Texts of the corpus by document path.
pub type Texts = BTreeMap<String, DocText>;

/// Finds every piece of evidence of `case`; the error lists each piece that is lost.
pub fn pin(case: &Case, docs: &[CorpusDoc], texts: &Texts) -> Pinned {
    let mut spans = Vec::new();
    let mut lost = Vec::new();
    for (i, evidence) in case.evidence.iter().enumerate() {
        match locate(evidence, docs, texts) {
            Ok(span) => spans.push(span),
            Err(reason) => lost.push(format!("evidence[{i}]: {reason}")),
        }
    }
    if lost.is_empty() { Ok(spans) } else { Err(lost) }
}

/// Finds one piece of evidence.
pub fn locate(evidence: &Evidence, docs: &[CorpusDoc], texts: &Texts) -> Result<Span, String> {
    let doc = &evidence.doc;
    let Some(on_disk) = docs.iter().find(|d| &d.path == doc) else {
        return Err(format!("unknown document `{doc}`"));
    };
    let text = texts.get(doc).ok_or_else(|| format!("`{doc}` was not read"))?;
    let (range, how) = find(evidence, &on_disk.sha256, text)?;
    Ok(Span {
        group: evidence.group.clone(),
        doc: doc.clone(),
        start: range.start,
        end: range.end,
        text: text.text[range].to_owned(),
        grade: evidence.grade,
        how,
    })
}

fn find(evidence: &Evidence, doc_sha256: &str, text: &DocText) -> Result<(Range<usize>, How), String> {
    if let Some(range) = still_pinned(evidence, doc_sha256, text) {
        return Ok((range, How::Pinned));
    }
    let exact = occurrences(&text.text, evidence.quote.trim());
    let normalised = || text.normal.find(&Normal::new(&evidence.quote));
    match exact.as_slice() {
        [one] => Ok((one.clone(), How::Exact)),
        [] => match normalised().as_slice() {
            [one] => Ok((one.clone(), How::Normalised)),
            [] => Err(format!(
                "quote not found in `{}`: {:?}",
                evidence.doc,
                excerpt(&evidence.quote)
            )),
            many => Err(ambiguous(evidence, many.len())),
        },
        many => Err(ambiguous(evidence, many.len())),
    }
}

/// The stored offsets, when document and text under them are still the same.
fn still_pinned(evidence: &Evidence, doc_sha256: &str, text: &DocText) -> Option<Range<usize>> {
    let range = evidence.start?..evidence.end?;
    let same_bytes = evidence.doc_sha256.as_deref() == Some(doc_sha256);
    let slice = text.text.get(range.clone())?;
    (same_bytes && normal(slice) == normal(&evidence.quote)).then_some(range)
}

fn ambiguous(evidence: &Evidence, places: usize) -> String {
    format!(
        "quote occurs {places} times in `{}`, make it longer so that it is unique: {:?}",
        evidence.doc,
        excerpt(&evidence.quote)
    )
}

/// The first words of a long text, for messages.
pub fn excerpt(text: &str) -> String {
    excerpt_to(text, 60)
}

/// The first words of a text on one line, at most `chars` characters.
pub fn excerpt_to(text: &str, chars: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= chars {
        return line;
    }
    line.chars().take(chars.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(quote: &str) -> Evidence {
        Evidence {
            group: "1".into(),
            doc: "a.txt".into(),
            quote: quote.into(),
            grade: 3,
            doc_sha256: None,
            start: None,
            end: None,
        }
    }

    fn corpus(text: &str) -> (Vec<CorpusDoc>, Texts) {
        let docs = vec![CorpusDoc {
            path: "a.txt".into(),
            sha256: sha256_hex(text.as_bytes()),
        }];
        let texts = Texts::from([("a.txt".to_owned(), DocText::new(text.to_owned()))]);
        (docs, texts)
    }

    /// `printf 'a.txt  x\nb.txt  y\n' | sha256sum`
    #[test]
    fn the_manifest_is_sorted_lines() {
        let doc = |path: &str, sha: &str| CorpusDoc {
            path: path.into(),
            sha256: sha.into(),
        };
        let hash = manifest_hash(&[doc("b.txt", "y"), doc("a.txt", "x")]);
        assert_eq!(
            hash,
            "cb94a694a2bb9ba245f4b7b3950e07dbbd37ed98a07850f7292ef60b167cd6bb"
        );
    }

    #[test]
    fn exact_then_normalised_then_lost() {
        let (docs, texts) = corpus("Refunds take 5 working days.\nRefunds to a wal-\nlet are free.");
        let span = locate(&evidence("Refunds take 5 working days"), &docs, &texts).unwrap();
        assert_eq!((span.start, span.end, span.how), (0, 27, How::Exact));
        let span = locate(&evidence("refunds to a WALLET are free."), &docs, &texts).unwrap();
        assert_eq!(
            (span.how, span.text.as_str()),
            (How::Normalised, "Refunds to a wal-\nlet are free.")
        );
        assert!(
            locate(&evidence("Refunds take 9 days"), &docs, &texts)
                .unwrap_err()
                .contains("not found")
        );
        assert!(
            locate(&evidence("Refunds"), &docs, &texts)
                .unwrap_err()
                .contains("2 times")
        );
    }

    #[test]
    fn stored_offsets_win_while_they_hold() {
        let (docs, texts) = corpus("7 days. 7 days.");
        let mut second = evidence("7 days");
        (second.start, second.end) = (Some(8), Some(14));
        second.doc_sha256 = Some(docs[0].sha256.clone());
        let span = locate(&second, &docs, &texts).unwrap();
        assert_eq!((span.start, span.how), (8, How::Pinned));

        second.doc_sha256 = Some("other".into());
        assert!(
            locate(&second, &docs, &texts).is_err(),
            "another file: the quote is ambiguous now"
        );
    }

    #[test]
    fn an_unknown_document_is_named() {
        let (docs, texts) = corpus("x");
        let mut lost = evidence("x");
        lost.doc = "gone.pdf".into();
        assert!(locate(&lost, &docs, &texts).unwrap_err().contains("gone.pdf"));
    }
}
