//! The list of documents as the page shows it.

use askama::Template;
use chrono::{DateTime, Utc};
use plumbline_store::{Document, StateCount, VersionState};
use uuid::Uuid;

use crate::pages::assets;
use crate::pages::layout::{Badge, Notice, Problem, Shell};
use crate::pages::versions::{self, FormatMark, Going, Stage};
use crate::pages::words;

/// Documents on one page of the list.
pub const PER_PAGE: i64 = 50;

/// The whole page.
#[derive(Debug, Template)]
#[template(path = "documents.html")]
pub struct DocumentsPage {
    /// Frame.
    pub shell: Shell,
    /// Messages of an upload.
    pub notices: Vec<Notice>,
    /// Largest file, in words.
    pub limit: String,
    /// The list.
    pub list: List,
}

/// The list alone, for the refresh of an open page.
#[derive(Debug, Template)]
#[template(path = "documents_list.html")]
pub struct ListPart {
    /// The list.
    pub list: List,
}

/// Which part of the documents is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Part of the name.
    pub search: String,
    /// State, by the name of a [`Group`], or nothing for all.
    pub state: String,
    /// Page, from 1.
    pub page: i64,
}

impl Asked {
    fn href(&self, state: &str, page: i64) -> String {
        let mut query = Vec::new();
        if !self.search.is_empty() {
            query.push(format!("q={}", words::query_escape(&self.search)));
        }
        if !state.is_empty() {
            query.push(format!("state={}", words::query_escape(state)));
        }
        if page > 1 {
            query.push(format!("page={page}"));
        }
        if query.is_empty() {
            "/documents".to_owned()
        } else {
            format!("/documents?{}", query.join("&"))
        }
    }
}

/// States that belong together in the eyes of an admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Name in the address.
    pub name: &'static str,
    /// Words on the tab.
    pub label: &'static str,
    /// Tone of the tab when it has any.
    pub tone: &'static str,
    /// Its states; empty means all.
    pub states: &'static [VersionState],
}

/// The tabs of the list.
pub const GROUPS: &[Group] = &[
    Group {
        name: "",
        label: "All",
        tone: "",
        states: &[],
    },
    Group {
        name: "working",
        label: "In progress",
        tone: "",
        states: &[
            VersionState::Received,
            VersionState::Extracting,
            VersionState::Chunking,
            VersionState::Embedding,
            VersionState::Indexing,
        ],
    },
    Group {
        name: "ready",
        label: "Ready",
        tone: "",
        states: &[VersionState::Ready],
    },
    Group {
        name: "warnings",
        label: "With warnings",
        tone: "",
        states: &[VersionState::ReadyWithWarnings],
    },
    Group {
        name: "failed",
        label: "Failed",
        tone: "bad",
        states: &[VersionState::Failed],
    },
    Group {
        name: "cancelled",
        label: "Cancelled",
        tone: "",
        states: &[VersionState::Cancelled],
    },
];

impl Group {
    fn holds(&self, state: VersionState) -> bool {
        self.states.is_empty() || self.states.contains(&state)
    }
}

/// A tab of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateTab {
    /// Words.
    pub label: &'static str,
    /// Documents behind it.
    pub count: String,
    /// Address.
    pub href: String,
    /// Whether it is the present one.
    pub current: bool,
    /// Tone.
    pub tone: &'static str,
}

/// The list of documents.
#[derive(Debug, Clone)]
pub struct List {
    /// Tabs.
    pub tabs: Vec<StateTab>,
    /// Rows.
    pub lines: Vec<Line>,
    /// Search text.
    pub search: String,
    /// Name of the present group.
    pub state: String,
    /// Address of this very list.
    pub here: String,
    /// Whether something is still in progress.
    pub working: bool,
    /// Whether a search or a state narrows the list.
    pub narrowed: bool,
    /// Documents in the list, all pages.
    pub total: String,
    /// Number of pages.
    pub pages: i64,
    /// First row's number.
    pub from: i64,
    /// Last row's number.
    pub to: i64,
    /// Address of the page before.
    pub previous: Option<String>,
    /// Address of the page after.
    pub next: Option<String>,
    /// Picture of the empty list.
    pub emblem: String,
}

/// A document in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Document.
    pub id: Uuid,
    /// Its newest version.
    pub version_id: Uuid,
    /// Title.
    pub title: String,
    /// Logical key.
    pub key: String,
    /// Format.
    pub format: FormatMark,
    /// State, once it has ended.
    pub badge: Badge,
    /// How far it is, until then.
    pub stage: Option<Stage>,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// Whether it was cancelled, and may be read after all.
    pub cancelled: bool,
    /// Number of the newest version.
    pub number: i32,
    /// Which version answers, when it is not the newest.
    pub answering: String,
    /// Chunks.
    pub chunks: String,
    /// Language.
    pub language: String,
    /// Size.
    pub size: String,
    /// When it came, in words.
    pub received: String,
    /// When it came, exactly, for people.
    pub received_full: String,
    /// When it came, exactly, for programs.
    pub received_iso: String,
}

impl Line {
    /// A document as it is listed at the time `now`.
    pub fn new(document: &Document, now: DateTime<Utc>) -> Self {
        let newest = &document.newest;
        let known = newest.state.is_ready();
        let same = newest.same_text_as.is_some() && newest.same_text_as == document.live_version_id;
        let answering = match document.live_number {
            Some(live) if live == newest.number => String::new(),
            Some(live) if same => format!("same text as v{live}"),
            Some(live) => format!("v{live} answers"),
            None if known => "not published".to_owned(),
            None => String::new(),
        };
        Self {
            id: document.id,
            version_id: newest.version_id,
            title: document.title.clone(),
            key: document.key.clone(),
            format: versions::format_mark(&newest.media_type, &newest.file_name),
            badge: versions::badge(newest.state, usize::try_from(newest.warning_count).unwrap_or(0)),
            stage: versions::stage(&Going::newest(newest), now),
            problem: versions::problem(
                newest.state,
                newest.reason_code.as_deref(),
                newest.reason.as_deref(),
                newest.suggestion.as_deref(),
            ),
            cancelled: newest.state == VersionState::Cancelled,
            number: newest.number,
            answering,
            chunks: if known {
                words::thousands(newest.chunk_count.into())
            } else {
                String::new()
            },
            language: newest
                .language
                .as_deref()
                .map(words::language)
                .unwrap_or_default(),
            size: words::size(newest.blob_bytes),
            received: words::ago(newest.received_at, now),
            received_full: words::moment(newest.received_at),
            received_iso: newest.received_at.to_rfc3339(),
        }
    }
}

impl List {
    /// The list for `asked`, from one page of documents and how many there are per state.
    pub fn new(asked: &Asked, documents: &[Document], counts: &[StateCount], now: DateTime<Utc>) -> Self {
        let in_group = |group: &Group| {
            let held = counts.iter().filter(|count| group.holds(count.state));
            held.map(|count| count.count).sum::<i64>()
        };
        let counts: Vec<i64> = GROUPS.iter().map(in_group).collect();
        let present = GROUPS
            .iter()
            .position(|group| group.name == asked.state)
            .unwrap_or(0);
        let tabs = GROUPS
            .iter()
            .zip(&counts)
            .enumerate()
            .filter(|&(index, (group, &count))| group.states.is_empty() || count > 0 || index == present)
            .map(|(index, (group, &count))| StateTab {
                label: group.label,
                count: words::thousands(count),
                href: asked.href(group.name, 1),
                current: index == present,
                tone: group.tone,
            })
            .collect();
        let total = counts.get(present).copied().unwrap_or_default();
        let pages = (total + PER_PAGE - 1) / PER_PAGE;
        let lines: Vec<Line> = documents
            .iter()
            .map(|document| Line::new(document, now))
            .collect();
        let before = (asked.page - 1) * PER_PAGE;
        let working = GROUPS
            .iter()
            .zip(&counts)
            .any(|(group, &count)| group.name == "working" && count > 0);
        Self {
            tabs,
            search: asked.search.clone(),
            state: asked.state.clone(),
            here: asked.href(&asked.state, asked.page),
            working,
            narrowed: !asked.search.is_empty() || present > 0,
            total: words::thousands(total),
            pages,
            from: before + 1,
            to: before + i64::try_from(lines.len()).unwrap_or_default(),
            previous: (asked.page > 1).then(|| asked.href(&asked.state, asked.page - 1)),
            next: (asked.page < pages).then(|| asked.href(&asked.state, asked.page + 1)),
            emblem: assets::url("plumbline.svg"),
            lines,
        }
    }
}
