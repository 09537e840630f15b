//! What the pages show, from rows to HTML, for the states that matter.

use askama::Template;
use chrono::{DateTime, Duration, TimeZone, Utc};
use plumbline_answer::{Answer, Citation, Outcome, Reason, Route, Sentence, Timings, Usage};
use plumbline_retrieval::{Hit, LegScore, ScoreParts};
use plumbline_store::{
    ChunkRow, Document, EvalRun, EvalState, Json, NewestVersion, Overlay, OverlayKind, OverlayPlace,
    StateCount, Version, VersionState,
};
use serde_json::json;
use uuid::Uuid;

use super::chunk::view::{ChunkPart, ChunkView, Material as ChunkMaterial};
use super::diff::view::{DiffPage, DiffView};
use super::document::history::{Judgement, version_lines};
use super::document::view::{BodyPart, DocumentView, Material};
use super::documents::view::{Asked, List, ListPart};
use super::evidence::view::{Evidence, EvidencePart};
use super::layout::Shell;
use super::simulator::view::{Bubble, BubblePart, Tick};

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 16, 0, 0).unwrap()
}

fn document(number: u128, title: &str, state: VersionState) -> Document {
    Document {
        id: Uuid::from_u128(number),
        key: format!("{number}.pdf"),
        title: title.to_owned(),
        tags: Vec::new(),
        live_version_id: None,
        live_number: None,
        created_at: now(),
        newest: NewestVersion {
            version_id: Uuid::from_u128(number + 100),
            number: 2,
            file_name: format!("{number}.pdf"),
            media_type: String::new(),
            blob_bytes: 34_000,
            state,
            stage_done: 34,
            stage_total: 120,
            reason_code: None,
            reason: None,
            suggestion: None,
            warning_count: 0,
            chunk_count: 1_204,
            language: Some("en".to_owned()),
            same_text_as: None,
            received_at: now() - Duration::minutes(5),
            stage_started_at: None,
        },
    }
}

fn list(documents: &[Document], asked: &Asked) -> List {
    let mut counts: Vec<StateCount> = Vec::new();
    for document in documents {
        let state = document.newest.state;
        match counts.iter_mut().find(|count| count.state == state) {
            Some(count) => count.count += 1,
            None => counts.push(StateCount {
                state,
                count: 1,
                latest: now(),
            }),
        }
    }
    List::new(asked, documents, &counts, now())
}

fn first_page() -> Asked {
    Asked {
        page: 1,
        ..Asked::default()
    }
}

#[test]
fn the_list_shows_progress_failures_and_what_answers() {
    let mut replaced = document(1, "Prices", VersionState::Embedding);
    replaced.live_number = Some(1);
    let mut failed = document(2, "Scan", VersionState::Failed);
    failed.newest.reason_code = Some("no_text".to_owned());
    failed.newest.reason = Some("2.pdf holds no text".to_owned());
    failed.newest.suggestion = Some("Run text recognition (OCR) on it.".to_owned());
    let mut ready = document(3, "Warranty", VersionState::Ready);
    ready.live_number = Some(2);
    let html = ListPart {
        list: list(&[replaced, failed, ready], &first_page()),
    }
    .render()
    .unwrap();
    insta::assert_snapshot!(html);
}

#[test]
fn a_page_without_scripts_says_when_to_look_again() {
    let at_rest = [
        VersionState::Ready,
        VersionState::ReadyWithWarnings,
        VersionState::Failed,
        VersionState::Cancelled,
    ];
    let documents: Vec<Document> = (1..)
        .zip(at_rest)
        .map(|(n, state)| document(n, "Anything", state))
        .collect();
    assert!(!list(&documents, &first_page()).working);
    let working = list(&[document(1, "Anything", VersionState::Received)], &first_page());
    assert!(working.working);
    let html = ListPart { list: working }.render().unwrap();
    assert!(
        html.contains("Reload the page") && html.contains("/cancel"),
        "{html}"
    );
}

#[test]
fn an_empty_list_says_what_to_do_and_an_empty_search_how_to_leave_it() {
    let empty = ListPart {
        list: list(&[], &first_page()),
    }
    .render()
    .unwrap();
    assert!(empty.contains("No documents yet") && empty.contains("Upload a price list"));
    let asked = Asked {
        search: "100 %".to_owned(),
        ..first_page()
    };
    let nothing = ListPart {
        list: list(&[], &asked),
    }
    .render()
    .unwrap();
    assert!(nothing.contains("Nothing matches") && nothing.contains("q=100%20%25"));
}

#[test]
fn names_from_outside_are_text_wherever_they_appear() {
    const EVIL: &str = "<script>alert(1)</script>\" onclick=\"x";
    let mut hostile = document(1, EVIL, VersionState::Failed);
    hostile.key = EVIL.to_owned();
    hostile.newest.reason = Some(EVIL.to_owned());
    let asked = Asked {
        search: EVIL.to_owned(),
        ..first_page()
    };
    let page = ListPart {
        list: list(&[hostile], &asked),
    }
    .render()
    .unwrap();
    let bubble = Bubble::new(EVIL, false, EVIL, Tick::Read, now());
    let bubble = BubblePart { bubble }.render().unwrap();
    let mut told = answer();
    told.sentences[0].text = EVIL.to_owned();
    told.citations[0].quote = EVIL.to_owned();
    told.hits[0].text = EVIL.to_owned();
    let panel = panel(EVIL, &told);
    for html in [page, bubble, panel] {
        assert!(
            !html.contains("<script>") && !html.contains("\" onclick"),
            "{html}"
        );
        assert!(html.contains("&#60;script&#62;"), "{html}");
    }
}

fn version(number: i32, state: VersionState) -> Version {
    Version {
        id: Uuid::from_u128(u128::from(number.unsigned_abs())),
        document_id: Uuid::from_u128(9),
        number,
        file_name: "terms.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        blob_sha256: vec![0; 32],
        blob_bytes: 612_000,
        state,
        stage_done: 0,
        stage_total: 0,
        reason_code: None,
        reason: None,
        suggestion: None,
        warnings: Json(json!([])),
        pages: Json(json!([])),
        language: Some("fr".to_owned()),
        chunk_count: 48,
        windows_embedded: 12,
        windows_reused: 70,
        created_at: now() - Duration::hours(30),
        same_text_as: None,
        started_at: Some(now()),
        stage_started_at: None,
        finished_at: Some(now() + Duration::milliseconds(3_450)),
        published_at: None,
    }
}

/// A chunk over the first bytes of a text.
pub(super) fn chunk(start: i64, end: usize) -> ChunkRow {
    ChunkRow {
        id: Uuid::from_u128(77),
        document_id: Uuid::from_u128(9),
        version_id: Uuid::from_u128(1),
        ordinal: 0,
        text_start: start,
        text_end: i64::try_from(end).unwrap(),
        page_from: None,
        page_to: None,
        row_from: None,
        row_to: None,
        heading_path: Vec::new(),
        body: "The panel keeps 80 %.\n\nFor 10 years.".to_owned(),
        tokens: 17,
        hash: Vec::new(),
        disabled: false,
        pinned: false,
        boost: 1.0,
        questions: Vec::new(),
    }
}

fn overlay(number: u128, kind: OverlayKind, body: Option<&str>) -> Overlay {
    Overlay {
        id: Uuid::from_u128(number),
        document_id: Uuid::from_u128(9),
        kind,
        anchor_hash: Vec::new(),
        anchor_text: "The panel keeps 80 %.".to_owned(),
        anchor_headings: Vec::new(),
        anchor_ordinal: 0,
        body: body.map(str::to_owned),
        factor: (kind == OverlayKind::Boost).then_some(2.5),
        created_at: now(),
    }
}

#[test]
fn a_document_shows_its_versions_its_quality_and_its_chunks() {
    let mut shown = version(2, VersionState::ReadyWithWarnings);
    shown.warnings =
        Json(json!([{"code": "garbled_text", "message": "12 % of page 2 is garbled", "page": 2}]));
    shown.pages = Json(json!([
        {"page": 1, "chars": 2100},
        {"page": 2, "chars": 900, "private_use_share": 0.12},
        {"page": 3, "chars": 0, "looks_scanned": true},
        {"page": 4, "chars": 1500, "reading_order_doubt": true}
    ]));
    let mut failed = version(3, VersionState::Failed);
    failed.reason_code = Some("damaged_pdf".to_owned());
    let versions = [failed, shown, version(1, VersionState::Ready)];
    let chunk = ChunkRow {
        version_id: versions[1].id,
        text_start: 10,
        page_from: Some(1),
        page_to: Some(2),
        heading_path: vec!["Terms".to_owned(), "Periods".to_owned()],
        disabled: true,
        boost: 2.5,
        questions: vec!["How long?".to_owned()],
        ..chunk(0, 90)
    };
    let overlays = [
        overlay(1, OverlayKind::Disable, None),
        overlay(2, OverlayKind::Edit, Some("The panel keeps 85 %.")),
    ];
    let place = |overlay: u128, chunk_id: Option<Uuid>, similarity: f32, note: &str| OverlayPlace {
        overlay_id: Uuid::from_u128(overlay),
        chunk_id,
        similarity,
        note: note.to_owned(),
    };
    let places = [
        place(1, Some(chunk.id), 0.91, "the text of the passage changed since"),
        place(
            2,
            None,
            0.4,
            "the passage that was edited is not in this version, or it changed",
        ),
    ];
    let mut about = document(9, "Terms", VersionState::Failed);
    about.live_version_id = Some(versions[1].id);
    about.live_number = Some(2);
    about.tags = vec!["price list".to_owned(), "solar".to_owned()];
    let view = DocumentView::new(&Material {
        document: &about,
        versions: &versions,
        judged: Judgement::default(),
        shown: &versions[1],
        chunks: std::slice::from_ref(&chunk),
        page: 1,
        overlays: &overlays,
        places: &places,
        pinned: false,
        cited: 3,
        catalogue: |code| (code == "garbled_text").then_some(("Garbled text", "Export it again.")),
        now: now(),
    });
    insta::assert_snapshot!(BodyPart { view }.render().unwrap());
}

fn answer() -> Answer {
    let hit = Hit {
        chunk_id: Uuid::from_u128(1),
        document_id: Uuid::from_u128(2),
        version_id: Uuid::from_u128(3),
        document_key: "prices.csv".to_owned(),
        document_title: "Prices".to_owned(),
        version_number: 4,
        start: 10,
        end: 60,
        page: None,
        row: Some(2),
        heading_path: Vec::new(),
        text: "Product: lamp; Price GHS: 2,480".to_owned(),
        score: 0.9,
        parts: ScoreParts::default(),
        lexical: Some(LegScore { rank: 1, score: 12.4 }),
        vector: None,
        duplicate_of: None,
    };
    let citation = Citation {
        document_id: hit.document_id,
        version_id: hit.version_id,
        document_key: hit.document_key.clone(),
        document_title: hit.document_title.clone(),
        version_number: hit.version_number,
        chunk_id: hit.chunk_id,
        start: 10,
        end: 60,
        page: None,
        row: Some(2),
        quote: hit.text.clone(),
    };
    Answer {
        id: Uuid::from_u128(7),
        outcome: Outcome::Answered,
        route: Route::Commodity,
        reason: None,
        text: "The lamp costs GHS 2,480. Anything else?".to_owned(),
        sentences: vec![
            Sentence {
                text: "The lamp costs GHS 2,480.".to_owned(),
                citations: vec![0, 5],
            },
            Sentence {
                text: "Anything else?".to_owned(),
                citations: Vec::new(),
            },
        ],
        citations: vec![citation],
        confidence: 0.934,
        features: None,
        query: "lamp price".to_owned(),
        hits: vec![hit],
        language: "en".to_owned(),
        timings: Timings {
            route_ms: 0.4,
            embed_ms: 6.0,
            compose_ms: 13.6,
            total_ms: 21.0,
            ..Timings::default()
        },
        usage: Usage {
            model: "extractive".to_owned(),
            input_tokens: 0,
            output_tokens: 0,
        },
        settings_version: 3,
    }
}

fn panel(question: &str, answer: &Answer) -> String {
    let evidence = Some(Evidence::new(question, answer));
    EvidencePart {
        evidence,
        blank_title: "",
        blank_text: "",
    }
    .render()
    .unwrap()
}

#[test]
fn an_answer_shows_the_evidence_of_every_sentence() {
    insta::assert_snapshot!(panel("and the price?", &answer()));
}

#[test]
fn an_answer_that_claims_nothing_says_why() {
    let abstained = Answer {
        outcome: Outcome::Abstained,
        reason: Some(Reason::MissingDetail),
        sentences: vec![Sentence {
            text: "I do not know that.".to_owned(),
            citations: Vec::new(),
        }],
        citations: Vec::new(),
        hits: Vec::new(),
        query: String::new(),
        ..answer()
    };
    let html = panel("what about Mars?", &abstained);
    assert!(html.contains("Said it does not know") && html.contains("none states what was asked for"));
    assert!(html.contains("States no fact") && !html.contains("Searched as"));
}

#[test]
fn a_diff_marks_words_by_more_than_colour() {
    let (old, new) = (
        ChunkRow {
            body: "The Aurora lamp costs GHS 120.".to_owned(),
            hash: vec![1],
            ..chunk(0, 30)
        },
        ChunkRow {
            body: "The Aurora lamp costs GHS 135 <b>.".to_owned(),
            hash: vec![2],
            ..chunk(0, 30)
        },
    );
    let gone = ChunkRow {
        body: "We close at noon on Sundays.".to_owned(),
        hash: vec![3],
        ordinal: 1,
        ..chunk(31, 60)
    };
    let difference = plumbline_ingest::diff::diff(&[old, gone], &[new]);
    let versions = [version(2, VersionState::Ready), version(1, VersionState::Ready)];
    let compared = Some((&versions[1], &versions[0], difference));
    let view = DiffView::new(&document(9, "Prices", VersionState::Ready), &versions, compared);
    let figures: Vec<_> = view.figures.iter().map(|f| (f.label, f.value.as_str())).collect();
    assert_eq!(
        figures,
        [
            ("Changed", "1"),
            ("Added", "0"),
            ("Removed", "1"),
            ("Unchanged", "0")
        ]
    );
    let shell = Shell::visitor();
    let html = DiffPage { shell, view }.render().unwrap();
    assert!(
        html.contains("<del><span class=\"visually-hidden\">[removed: </span>120"),
        "{html}"
    );
    assert!(
        html.contains("<ins><span class=\"visually-hidden\">[added: </span>135"),
        "{html}"
    );
    assert!(html.contains("&#60;b&#62;") && !html.contains("<b>"), "{html}");
    assert!(
        html.contains("We close at noon") && html.contains("Chunk 2"),
        "{html}"
    );
    let alone = DiffView::new(&document(9, "Prices", VersionState::Ready), &versions[..1], None);
    assert!(!alone.compared && alone.sentence.contains("nothing to compare"));
}

#[test]
fn a_chunk_offers_the_way_back_from_everything_that_lies_on_it() {
    let overlays = [
        overlay(1, OverlayKind::Disable, None),
        overlay(2, OverlayKind::Boost, None),
        overlay(3, OverlayKind::Question, Some("Does it \"last\" <long>?")),
    ];
    let mut about = document(9, "Terms", VersionState::Ready);
    about.live_number = Some(3);
    let shown = version(2, VersionState::Ready);
    let middle = ChunkRow {
        ordinal: 20,
        boost: 2.5,
        ..chunk(0, 30)
    };
    let near: Vec<ChunkRow> = [19, 20, 21]
        .map(|ordinal: i32| ChunkRow {
            id: Uuid::from_u128(100 + u128::from(ordinal.unsigned_abs())),
            ..ChunkRow {
                ordinal,
                ..chunk(0, 30)
            }
        })
        .into();
    let view = ChunkView::new(&ChunkMaterial {
        document: &about,
        version: &shown,
        chunk: &middle,
        near: &near,
        overlays: overlays.iter().collect(),
        notices: Vec::new(),
        typed_text: Some("my own text".to_owned()),
        typed_question: None,
    });
    assert_eq!(view.other_live, Some(3));
    assert!(
        view.document_href.ends_with("&page=2#c-21"),
        "{}",
        view.document_href
    );
    let html = ChunkPart { view }.render().unwrap();
    for removed in ["Use it again", "Back to 1", "Prefer it", "Remove the question"] {
        assert!(html.contains(removed), "{removed}: {html}");
    }
    assert!(
        html.contains("my own text</textarea>"),
        "what was typed stays: {html}"
    );
    assert!(
        html.contains("value=\"2.5\"") && html.contains("&#60;long&#62;"),
        "{html}"
    );
    assert!(
        html.contains("Previous chunk") && html.contains("Next chunk"),
        "{html}"
    );
}

#[test]
fn a_version_with_the_text_of_another_says_which_goes_on_answering() {
    let mut same = version(2, VersionState::Ready);
    same.same_text_as = Some(Uuid::from_u128(1));
    let versions = [same, version(1, VersionState::Ready)];
    let lines = version_lines(
        &versions,
        Some(&versions[1]),
        versions[1].id,
        Judgement::default(),
        now(),
    );
    assert_eq!(
        lines[0].same,
        "Same text as version 1: that one goes on answering."
    );
    assert_eq!((lines[0].publish, &lines[0].diff_href), (None, &None));
    assert!(lines[1].live);
}

#[test]
fn a_staged_version_says_what_the_eval_said_and_asks_twice_before_it_is_published() {
    let staged = version(2, VersionState::Ready);
    let mut live = version(1, VersionState::Ready);
    live.published_at = Some(now());
    let versions = [staged, live];
    let run = |state, cause: &str| EvalRun {
        id: Uuid::from_u128(50),
        version_id: Some(versions[0].id),
        settings_version: None,
        state,
        exit_code: None,
        cause: cause.to_owned(),
        created_at: now(),
        started_at: None,
        finished_at: None,
    };
    let unproven = [(versions[0].id, "its eval run did not pass".to_owned())];
    let said = |state, unproven: &[(Uuid, String)]| {
        let runs = [run(state, "recall_at_5 failed")];
        let judged = Judgement {
            runs: &runs,
            unproven,
        };
        let first = version_lines(&versions, Some(&versions[1]), versions[1].id, judged, now()).remove(0);
        (first.verdict.unwrap().words, first.publish.unwrap())
    };
    assert_eq!(
        said(EvalState::Refused, &unproven),
        (
            "The eval refused it: Recall@5 failed.".to_owned(),
            "Publish anyway"
        )
    );
    assert_eq!(
        said(EvalState::Queued, &unproven),
        ("It waits for the eval.".to_owned(), "Publish anyway")
    );
    assert_eq!(
        said(EvalState::Passed, &[]),
        ("It passed the eval.".to_owned(), "Publish")
    );
}
