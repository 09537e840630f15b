//! Drafts of cases from documents, without a language model.
//!
//! A team that begins has documents and no questions. Headings, questions and answers, and rows of tables already hold
//! questions of a sort; this writes them down, with the passage as evidence. Every fourth or so is a near miss: a thing
//! or an attribute that looks like the others and stands nowhere in the corpus, checked against all of it.
//!
//! What comes out is a draft: source synthetic, tag `synth`, status draft, in `drafts/`, which no run asks. It repeats
//! the words of the documents, which customers do not, so it flatters a search. A person rewrites the question, removes
//! the status and moves the line to `cases/`; the slice `source:synthetic` keeps it apart even then.
//!
//! The same documents give the same drafts.

mod near_miss;
mod source;
mod write;

use std::collections::BTreeSet;

use self::source::Material;
use crate::golden::case::{Case, Evidence, Kind, Source, Status};
use crate::golden::load::Golden;
use crate::golden::pin::{Texts, locate, sha256_hex};
use crate::golden::similar::Fingerprint;

pub use self::source::read;

/// Drafts of the whole corpus, at most `per_document` of each document and kind of question.
pub fn drafts(golden: &Golden, materials: &[Material], texts: &Texts, per_document: usize) -> Vec<Case> {
    let corpus = near_miss::Corpus::new(materials);
    let mut found = Vec::new();
    for material in materials {
        found.extend(write::answered(material, per_document));
        found.extend(write::follow_ups(material, per_document));
        found.extend(near_miss::of(material, &corpus, per_document));
    }
    found.extend(write::across(materials, per_document));
    unique(golden, found)
        .into_iter()
        .filter(|case| evidence_is_found(case, golden, texts))
        .collect()
}

/// Without what is asked already, in the set or by an earlier draft.
fn unique(golden: &Golden, drafts: Vec<Case>) -> Vec<Case> {
    let print = |case: &Case| {
        let history: Vec<&str> = case.history.iter().map(|message| message.text.as_str()).collect();
        Fingerprint::new(&case.question, &history.join(" "))
    };
    let mut known: Vec<Fingerprint> = golden.cases.iter().map(|located| print(&located.case)).collect();
    let mut ids: BTreeSet<String> = BTreeSet::new();
    let mut kept = Vec::new();
    for case in drafts {
        let fingerprint = print(&case);
        let asked = known
            .iter()
            .any(|other| other.same(&fingerprint) || other.near(&fingerprint));
        if !asked && ids.insert(case.id.clone()) {
            known.push(fingerprint);
            kept.push(case);
        }
    }
    kept
}

/// A quote that stands twice, or not at all, would only be a lint error.
fn evidence_is_found(case: &Case, golden: &Golden, texts: &Texts) -> bool {
    case.evidence
        .iter()
        .all(|evidence| locate(evidence, &golden.docs, texts).is_ok())
}

/// A draft about the passages of `evidence`: document and quote, one group each.
fn draft(kind: Kind, tag: &str, lang: &str, question: String, evidence: &[(&str, &str)]) -> Case {
    let pieces = evidence.iter().enumerate();
    let mut case = Case {
        id: String::new(),
        kind,
        question,
        history: Vec::new(),
        lang: lang.to_owned(),
        tags: vec!["synth".to_owned(), tag.to_owned()],
        evidence: pieces
            .map(|(i, (doc, quote))| Evidence {
                group: (i + 1).to_string(),
                doc: (*doc).to_owned(),
                quote: (*quote).to_owned(),
                grade: 3,
                doc_sha256: None,
                start: None,
                end: None,
            })
            .collect(),
        reference: None,
        must_include: Vec::new(),
        must_not: Vec::new(),
        route: Some(if evidence.len() > 1 {
            plumbline_answer::Route::Reasoning
        } else {
            plumbline_answer::Route::Commodity
        }),
        tools: Vec::new(),
        ordered: false,
        forbidden_tools: Vec::new(),
        source: Source::Synthetic,
        label_by: None,
        added: None,
        status: Status::Draft,
    };
    name(&mut case, tag);
    case
}

/// The id follows from what is asked, so that a draft that is there already is known again.
fn name(case: &mut Case, tag: &str) {
    let history: Vec<&str> = case.history.iter().map(|message| message.text.as_str()).collect();
    let hash = sha256_hex(format!("{}\n{}", history.join("\n"), case.question).as_bytes());
    case.id = format!("synth-{}-{}", tag.replace('_', "-"), &hash[..10]);
}

#[cfg(test)]
mod tests;
