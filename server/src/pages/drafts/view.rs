//! Drafts of golden cases as their page lists them.

use askama::Template;
use chrono::{DateTime, Utc};
use plumbline_store::{DraftKind, DraftReason, DraftState, GoldenDraft};
use uuid::Uuid;

use crate::pages::layout::{Badge, Notice, Shell};
use crate::pages::words;

/// Drafts on one page.
pub const PER_PAGE: i64 = 50;

/// The states with their names in addresses and their words.
pub const STATES: &[(DraftState, &str, &str)] = &[
    (DraftState::Draft, "", "To label"),
    (DraftState::Exported, "exported", "Exported"),
    (DraftState::Dismissed, "dismissed", "Dismissed"),
];

/// The page.
#[derive(Debug, Template)]
#[template(path = "eval_drafts.html")]
pub struct DraftsPage {
    /// Frame.
    pub shell: Shell,
    /// What was just done.
    pub notices: Vec<Notice>,
    /// The drafts.
    pub view: DraftsView,
}

/// A tab of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateTab {
    /// Words.
    pub label: &'static str,
    /// Drafts behind it.
    pub count: String,
    /// Address.
    pub href: String,
    /// Whether it is the present one.
    pub current: bool,
}

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftLine {
    /// Draft.
    pub id: Uuid,
    /// The question.
    pub question: String,
    /// What was said before: who, and what.
    pub history: Vec<(&'static str, String)>,
    /// Why it is one.
    pub reason: Badge,
    /// Guessed kind.
    pub kind: &'static str,
    /// Language.
    pub language: String,
    /// The evidence of the answer it comes from.
    pub evidence_href: Option<String>,
    /// When, in words.
    pub when: String,
    /// When, exactly, for programs.
    pub when_iso: String,
}

/// The drafts of one page.
#[derive(Debug, Clone)]
pub struct DraftsView {
    /// Tabs.
    pub tabs: Vec<StateTab>,
    /// Drafts.
    pub lines: Vec<DraftLine>,
    /// Whether these wait for a person.
    pub waiting: bool,
    /// Whether these were dismissed.
    pub dismissed: bool,
    /// Which drafts these are of how many.
    pub range: String,
    /// Address of the page before.
    pub previous: Option<String>,
    /// Address of the page after.
    pub next: Option<String>,
    /// Picture of the empty list.
    pub emblem: String,
}

/// Everything the page is made from.
#[derive(Debug)]
pub struct Material<'a> {
    /// Drafts of this page.
    pub drafts: &'a [GoldenDraft],
    /// Their state.
    pub state: DraftState,
    /// Page, from 1.
    pub page: i64,
    /// Drafts of each of [`STATES`].
    pub counts: [i64; 3],
    /// The present time.
    pub now: DateTime<Utc>,
}

/// The address of a page of drafts.
pub fn address(state: DraftState, page: i64) -> String {
    let name = STATES
        .iter()
        .find(|(of, ..)| *of == state)
        .map_or("", |(_, name, _)| name);
    let query: Vec<String> = [
        (!name.is_empty()).then(|| format!("state={name}")),
        (page > 1).then(|| format!("page={page}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if query.is_empty() {
        "/evals/drafts".to_owned()
    } else {
        format!("/evals/drafts?{}", query.join("&"))
    }
}

fn reason(reason: DraftReason) -> Badge {
    let (tone, label) = match reason {
        DraftReason::ThumbsDown => ("bad", "Thumb down"),
        DraftReason::Handoff => ("busy still", "Handed over"),
        DraftReason::Abstained => ("warn", "Not answered"),
        DraftReason::LowConfidence => ("warn", "Low confidence"),
        DraftReason::Chosen => ("ok", "Chosen"),
    };
    Badge { tone, label }
}

fn kind(kind: DraftKind) -> &'static str {
    match kind {
        DraftKind::Answerable => "probably answerable",
        DraftKind::Unanswerable => "probably unanswerable",
        DraftKind::Chitchat => "probably small talk",
        DraftKind::Handoff => "probably for a person",
        DraftKind::OutOfScope => "probably out of scope",
    }
}

fn line(draft: &GoldenDraft, now: DateTime<Utc>) -> DraftLine {
    let turns = draft.history.0.as_array().into_iter().flatten();
    let history = turns.map(|turn| {
        let who = if turn["role"] == "bot" { "Bot" } else { "Customer" };
        (who, turn["text"].as_str().unwrap_or_default().to_owned())
    });
    DraftLine {
        id: draft.id,
        question: draft.question.clone(),
        history: history.collect(),
        reason: reason(draft.reason),
        kind: kind(draft.kind),
        language: words::language(&draft.lang),
        evidence_href: draft
            .answer_id
            .map(|answer| format!("/simulator/answers/{answer}")),
        when: words::ago(draft.created_at, now),
        when_iso: draft.created_at.to_rfc3339(),
    }
}

impl DraftsView {
    /// The view of a page of drafts.
    pub fn new(from: &Material<'_>) -> Self {
        let tab = |(&(state, _, label), count): (&(DraftState, &str, &'static str), i64)| StateTab {
            label,
            count: words::thousands(count),
            href: address(state, 1),
            current: state == from.state,
        };
        let place = STATES.iter().position(|(state, ..)| *state == from.state);
        let total = place.map_or(0, |place| from.counts[place]);
        let before = (from.page - 1) * PER_PAGE;
        let last = before + i64::try_from(from.drafts.len()).unwrap_or_default();
        Self {
            tabs: STATES.iter().zip(from.counts).map(tab).collect(),
            lines: from.drafts.iter().map(|draft| line(draft, from.now)).collect(),
            waiting: from.state == DraftState::Draft,
            dismissed: from.state == DraftState::Dismissed,
            range: format!("{}–{last} of {}", before + 1, words::thousands(total)),
            previous: (from.page > 1).then(|| address(from.state, from.page - 1)),
            next: (last < total).then(|| address(from.state, from.page + 1)),
            emblem: crate::pages::assets::url("plumbline.svg"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_store::Json;
    use serde_json::json;

    #[test]
    fn a_draft_shows_why_it_is_one_and_offers_what_its_state_allows() {
        let now = DateTime::UNIX_EPOCH;
        let draft = GoldenDraft {
            id: Uuid::from_u128(1),
            answer_id: Some(Uuid::from_u128(2)),
            question: "and to <b>Kumasi</b>?".to_owned(),
            history: Json(
                json!([{ "role": "customer", "text": "delivery to Accra?" }, { "role": "bot", "text": "GHS 20." }]),
            ),
            lang: "en".to_owned(),
            kind: DraftKind::Unanswerable,
            reason: DraftReason::ThumbsDown,
            state: DraftState::Draft,
            created_at: now,
        };
        let page = |state, drafts: &[GoldenDraft]| {
            let view = DraftsView::new(&Material {
                drafts,
                state,
                page: 1,
                counts: [1, 0, 60],
                now,
            });
            let (shell, notices) = (Shell::visitor(), Vec::new());
            DraftsPage { shell, notices, view }.render().unwrap()
        };
        let waiting = page(DraftState::Draft, std::slice::from_ref(&draft));
        for part in [
            "Thumb down",
            "&#60;b&#62;",
            "probably unanswerable",
            "GHS 20.",
            "/dismiss",
            "/export",
        ] {
            assert!(waiting.contains(part), "{part}: {waiting}");
        }
        assert!(!waiting.contains("/restore"));
        let dismissed = page(DraftState::Dismissed, &[draft]);
        assert!(dismissed.contains("/restore") && !dismissed.contains("/dismiss\""));
        assert!(dismissed.contains("state=dismissed&#38;page=2"), "{dismissed}");
        assert!(page(DraftState::Exported, &[]).contains("Nothing here"));
        assert!(page(DraftState::Draft, &[]).contains("plumbline grow"));
    }
}
