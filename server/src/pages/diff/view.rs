//! The difference of two versions as its page shows it.

use askama::Template;
use plumbline_ingest::diff::{Change, ChangedChunk, VersionDiff};
use plumbline_store::{ChunkRow, Document, Version};
use uuid::Uuid;

use crate::pages::document::view::{chunk_place, dense, passage_href};
use crate::pages::layout::Shell;
use crate::pages::words;

/// Most chunks shown of each kind.
const MOST: usize = 200;

/// The page.
#[derive(Debug, Template)]
#[template(path = "diff.html")]
pub struct DiffPage {
    /// Frame.
    pub shell: Shell,
    /// The difference.
    pub view: DiffView,
}

/// A version to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Version.
    pub id: Uuid,
    /// In words.
    pub label: String,
    /// Whether it is the older one shown.
    pub is_from: bool,
    /// Whether it is the newer one shown.
    pub is_to: bool,
}

/// A chunk of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Number, headings and place in words.
    pub title: String,
    /// Text.
    pub text: String,
    /// Its passage in the text.
    pub href: String,
}

/// A run of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Whether it is gone.
    pub removed: bool,
    /// Whether it is new.
    pub inserted: bool,
    /// Text.
    pub text: String,
}

/// A chunk whose text changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Number, headings and place in words.
    pub title: String,
    /// The words in order.
    pub runs: Vec<Run>,
    /// The passage as it was.
    pub old_href: String,
    /// The passage as it is.
    pub new_href: String,
}

/// A figure of the summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Of what.
    pub label: &'static str,
    /// The figure.
    pub value: String,
    /// Where it is shown.
    pub anchor: &'static str,
}

/// The difference of two versions.
#[derive(Debug, Clone)]
pub struct DiffView {
    /// Document.
    pub document: Uuid,
    /// Its title.
    pub title: String,
    /// Versions to choose from.
    pub choices: Vec<Choice>,
    /// Whether two versions are compared.
    pub compared: bool,
    /// What happened, in a sentence.
    pub sentence: String,
    /// Figures.
    pub figures: Vec<Figure>,
    /// Chunks whose text changed.
    pub changed: Vec<Changed>,
    /// Chunks of the newer version alone.
    pub added: Vec<Side>,
    /// Chunks of the older version alone.
    pub removed: Vec<Side>,
    /// What is not shown because there is too much.
    pub more: String,
}

fn title(chunk: &ChunkRow) -> String {
    let mut parts = vec![format!("Chunk {}", chunk.ordinal + 1)];
    if !chunk.heading_path.is_empty() {
        parts.push(chunk.heading_path.join(" › "));
    }
    parts.push(chunk_place(chunk));
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

fn side(chunk: &ChunkRow) -> Side {
    Side {
        title: title(chunk),
        text: dense(&chunk.body),
        href: passage_href(chunk),
    }
}

fn changed(chunk: &ChangedChunk) -> Changed {
    let run = |piece: &plumbline_ingest::diff::Piece| Run {
        removed: piece.change == Change::Removed,
        inserted: piece.change == Change::Inserted,
        text: piece.text.clone(),
    };
    Changed {
        title: title(&chunk.new),
        runs: chunk.words.iter().map(run).collect(),
        old_href: passage_href(&chunk.old),
        new_href: passage_href(&chunk.new),
    }
}

fn size(list: usize) -> i64 {
    i64::try_from(list).unwrap_or(i64::MAX)
}

fn figures(diff: &VersionDiff) -> Vec<Figure> {
    let figure = |label, count: usize, anchor| Figure {
        label,
        value: words::thousands(size(count)),
        anchor: if count > 0 { anchor } else { "" },
    };
    vec![
        figure("Changed", diff.changed.len(), "changed"),
        figure("Added", diff.added.len(), "added"),
        figure("Removed", diff.removed.len(), "removed"),
        figure("Unchanged", diff.unchanged, ""),
    ]
}

fn sentence(from: &Version, to: &Version, diff: &VersionDiff) -> String {
    let touched = diff.changed.len() + diff.added.len() + diff.removed.len();
    if touched == 0 {
        return format!(
            "Versions {} and {} say the same: all {} are equal.",
            from.number,
            to.number,
            words::count(size(diff.unchanged), "chunk", "chunks")
        );
    }
    format!(
        "From version {} of {} to version {} of {}.",
        from.number,
        words::moment(from.created_at),
        to.number,
        words::moment(to.created_at)
    )
}

impl DiffView {
    /// The view of a comparison; none when the document has only one complete version.
    pub fn new(
        document: &Document,
        versions: &[Version],
        compared: Option<(&Version, &Version, VersionDiff)>,
    ) -> Self {
        let shown = compared.as_ref().map(|(from, to, _)| (from.id, to.id));
        let choices = versions.iter().map(|version| Choice {
            id: version.id,
            label: format!(
                "Version {}, {}",
                version.number,
                words::moment(version.created_at)
            ),
            is_from: shown.is_some_and(|(from, _)| from == version.id),
            is_to: shown.is_some_and(|(_, to)| to == version.id),
        });
        let mut view = Self {
            document: document.id,
            title: document.title.clone(),
            choices: choices.collect(),
            compared: compared.is_some(),
            sentence: "There is only one complete version, so there is nothing to compare yet.".to_owned(),
            figures: Vec::new(),
            changed: Vec::new(),
            added: Vec::new(),
            removed: Vec::new(),
            more: String::new(),
        };
        if let Some((from, to, diff)) = compared {
            let over = |list: usize| list.saturating_sub(MOST);
            let hidden = over(diff.changed.len()) + over(diff.added.len()) + over(diff.removed.len());
            view.sentence = sentence(from, to, &diff);
            view.figures = figures(&diff);
            view.changed = diff.changed.iter().take(MOST).map(changed).collect();
            view.added = diff.added.iter().take(MOST).map(side).collect();
            view.removed = diff.removed.iter().take(MOST).map(side).collect();
            if hidden > 0 {
                view.more = format!(
                    "{} not shown here. The API lists all of them.",
                    words::count(size(hidden), "more chunk is", "more chunks are")
                );
            }
        }
        view
    }
}
