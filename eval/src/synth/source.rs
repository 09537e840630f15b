//! What a document offers to ask about.

use std::collections::{BTreeMap, BTreeSet};

use plumbline_ingest::{BlockKind, Extraction, Format, Limits, extract};

use crate::error::EvalError;
use crate::golden::load::Golden;
use crate::golden::pin::{DocText, Texts};

/// Longest passage that is quoted, in characters.
const LONGEST_QUOTE: usize = 300;

/// One document, cut into what can be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Material {
    /// Path below the corpus directory.
    pub doc: String,
    /// Its title, or its file name in words.
    pub title: String,
    /// Language of the questions about it.
    pub lang: String,
    /// Everything it says, for looking up what nobody says.
    pub text: String,
    /// Questions with the passages that answer them.
    pub faq: Vec<(String, String)>,
    /// Headings with the first passage below.
    pub sections: Vec<(String, String)>,
    /// Rows of tables.
    pub rows: Vec<Row>,
}

/// A row of a table about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The whole row as it stands in the text.
    pub line: String,
    /// What it is about.
    pub entity: String,
    /// Attributes with their values.
    pub fields: Vec<(String, String)>,
}

/// Reads every document that can be read; what cannot is left to the pipeline to report.
///
/// # Errors
/// [`EvalError::Usage`] when not one can be read.
pub fn read(golden: &Golden, limits: &Limits) -> Result<(Vec<Material>, Texts), EvalError> {
    let (mut materials, mut texts) = (Vec::new(), Texts::new());
    for doc in &golden.docs {
        let name = doc.path.rsplit('/').next().unwrap_or(&doc.path);
        let read = std::fs::read(golden.corpus_dir().join(&doc.path));
        let Some(extraction) = read.ok().and_then(|bytes| extract(&bytes, name, limits).ok()) else {
            continue;
        };
        texts.insert(doc.path.clone(), DocText::new(extraction.text.clone()));
        materials.push(Material::of(&doc.path, &extraction));
    }
    if materials.is_empty() {
        return Err(EvalError::Usage(format!(
            "{}: no document can be read",
            golden.corpus_dir().display()
        )));
    }
    Ok((materials, texts))
}

impl Material {
    /// What an extraction offers.
    pub fn of(doc: &str, extraction: &Extraction) -> Self {
        let stem = doc.rsplit('/').next().unwrap_or(doc);
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        let rows = rows(extraction);
        Self {
            doc: doc.to_owned(),
            title: extraction
                .title
                .clone()
                .unwrap_or_else(|| stem.replace(['-', '_'], " ")),
            lang: extraction.language.clone().unwrap_or_else(|| "en".to_owned()),
            faq: faq(extraction).into_iter().chain(faq_of_rows(&rows)).collect(),
            sections: sections(extraction),
            rows: if extraction.format == Format::Csv {
                named(rows)
            } else {
                Vec::new()
            },
            text: extraction.text.clone(),
        }
    }
}

/// Blocks that ask, with the block that follows.
fn faq(extraction: &Extraction) -> Vec<(String, String)> {
    let text = &extraction.text;
    let mut pairs = Vec::new();
    let is_text = |kind| matches!(kind, BlockKind::Paragraph | BlockKind::ListItem { .. });
    for (i, block) in extraction.blocks.iter().enumerate() {
        let passage = block.range.of(text);
        // a question of its own, or one at the head of its answer
        let (question, rest) = match passage.find('?') {
            Some(at) => passage.split_at(at + 1),
            None => continue,
        };
        let question = plain(question);
        if question.contains(['.', '!', '\n', '|']) || question.split_whitespace().count() < 3 {
            continue;
        }
        let below = extraction.blocks.get(i + 1).filter(|next| is_text(next.kind));
        let rest = rest.trim_start_matches(['*', '_', ' ', '\n']);
        let answer = if rest.is_empty() {
            below.map(|next| next.range.of(text)).unwrap_or_default()
        } else {
            rest
        };
        if let Some(quote) = quote(answer) {
            pairs.push((question, quote));
        }
    }
    pairs
}

/// Rows with a column of questions and one of answers.
fn faq_of_rows(rows: &[Vec<(String, String)>]) -> Vec<(String, String)> {
    let field = |row: &[(String, String)], names: &[&str]| {
        let wanted = |header: &str| names.contains(&header.to_lowercase().as_str());
        let mut fields = row.iter();
        fields
            .find(|(header, _)| wanted(header))
            .map(|(_, value)| value.clone())
    };
    let pair = |row: &Vec<(String, String)>| {
        let question = field(row, &["question", "pregunta", "pergunta"])?;
        let answer = field(row, &["answer", "réponse", "reponse", "respuesta", "resposta"])?;
        Some((question, quote(&answer)?))
    };
    rows.iter().filter_map(pair).collect()
}

/// Headings with the passage that follows, where there is one.
fn sections(extraction: &Extraction) -> Vec<(String, String)> {
    let pairs = extraction.blocks.windows(2).filter_map(|pair| {
        let heading = matches!(pair[0].kind, BlockKind::Heading { .. });
        let passage = matches!(pair[1].kind, BlockKind::Paragraph);
        let title = plain(pair[0].range.of(&extraction.text));
        let words = title.split_whitespace().count();
        if !heading || !passage || !(1..=8).contains(&words) || title.contains('?') {
            return None;
        }
        Some((title, quote(pair[1].range.of(&extraction.text))?))
    });
    pairs.collect()
}

/// Rows written as `Header: value | Header: value`.
fn rows(extraction: &Extraction) -> Vec<Vec<(String, String)>> {
    let of_table = |kind| matches!(kind, BlockKind::TableRow);
    let blocks = extraction.blocks.iter().filter(|block| of_table(block.kind));
    blocks
        .map(|block| {
            let cells = block.range.of(&extraction.text).split(" | ");
            cells
                .filter_map(|cell| cell.split_once(": "))
                .map(|(header, value)| (header.trim().to_owned(), value.trim().to_owned()))
                .collect::<Vec<_>>()
        })
        .filter(|fields| fields.len() >= 3)
        .collect()
}

/// Rows named by the first column that tells them apart in words.
fn named(rows: Vec<Vec<(String, String)>>) -> Vec<Row> {
    let mut columns: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (header, value) in rows.iter().flatten() {
        columns.entry(header).or_default().push(value);
    }
    let tells_apart = |header: &str| {
        let values = columns.get(header).map(Vec::as_slice).unwrap_or_default();
        let distinct: BTreeSet<&&str> = values.iter().collect();
        let in_words = |value: &&&str| value.chars().filter(|c| c.is_alphabetic()).count() >= 3;
        distinct.len() == values.len()
            && values.len() == rows.len()
            && values.iter().filter(in_words).count() == values.len()
    };
    let Some(name) = rows
        .first()
        .and_then(|row| row.iter().find(|(header, _)| tells_apart(header)))
        .map(|(header, _)| header.clone())
    else {
        return Vec::new();
    };
    let row = |fields: Vec<(String, String)>| {
        let cells: Vec<String> = fields
            .iter()
            .map(|(header, value)| format!("{header}: {value}"))
            .collect();
        let entity = fields.iter().find(|(header, _)| *header == name)?.1.clone();
        Some(Row {
            line: cells.join(" | "),
            entity,
            fields: fields.into_iter().filter(|(header, _)| *header != name).collect(),
        })
    };
    rows.into_iter().filter_map(row).collect()
}

/// Without the marks of Markdown.
fn plain(text: &str) -> String {
    text.trim_matches(['*', '_', '#', ' ', '\n']).trim().to_owned()
}

/// The beginning of a passage up to a sentence's end, short enough to quote; nothing when it says too little.
fn quote(passage: &str) -> Option<String> {
    let passage = passage.trim();
    let mut end = 0;
    for (at, _) in passage
        .match_indices(['.', '!', '\n'])
        .chain([(passage.len().saturating_sub(1), "")])
    {
        let after = passage.get(..=at).map_or(passage.len(), str::len);
        if passage[..after].chars().count() > LONGEST_QUOTE {
            break;
        }
        let begins_a_word = passage[after..].chars().next().is_none_or(char::is_whitespace);
        if begins_a_word {
            end = after;
        }
    }
    let quote = passage.get(..end)?.trim();
    (quote.split_whitespace().count() >= 4).then(|| quote.to_owned())
}
