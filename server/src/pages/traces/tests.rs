//! Traces from records to HTML, for the states that matter.

use askama::Template;
use plumbline_store::{Settings, SettingsVersion, TraceSettings};
use uuid::Uuid;

use super::candidates::Candidates;
use super::difference::{DifferenceView, Side};
use super::list::{Material, TracesPart, TracesView};
use super::view::{Golden, TracePage, TraceView};
use crate::pages::layout::Shell;
use crate::traces::TraceQuery;
use crate::traces::sample::{considered, first, now, record, row};

fn list(asked: &TraceQuery, count: usize, more: bool) -> TracesView {
    let rows: Vec<_> = (1..)
        .take(count)
        .map(|number| row(number, "to <b>Ho</b>?", Some("abstained")))
        .collect();
    TracesView::new(&Material {
        asked,
        problem: asked.read().err(),
        rows: &rows,
        more,
        sampling: TraceSettings::default(),
        now: now(),
    })
}

#[test]
fn the_next_page_asks_for_the_same_and_what_cannot_be_meant_is_said() {
    let asked = TraceQuery {
        words: Some("100 %".to_owned()),
        outcome: Some("abstained".to_owned()),
        ..TraceQuery::default()
    };
    let view = list(&asked, 2, true);
    assert_eq!(
        view.next.as_deref(),
        Some("/traces?words=100%20%25&outcome=abstained&before=00000000-0000-0000-0000-000000000002")
    );
    assert!(
        view.sampling.starts_with("10 % of the questions"),
        "{}",
        view.sampling
    );
    let html = TracesPart { view }.render().unwrap();
    assert!(
        html.contains("&#60;b&#62;") && html.contains("Not answered"),
        "{html}"
    );
    let nothing = TracesPart {
        view: list(&asked, 0, false),
    };
    assert!(nothing.render().unwrap().contains("Nothing matches"));
    let empty = TracesPart {
        view: list(&TraceQuery::default(), 0, false),
    };
    assert!(empty.render().unwrap().contains("No traces yet"));
    let wrong = TraceQuery {
        since: Some("soon".to_owned()),
        ..TraceQuery::default()
    };
    let wrong = TracesPart {
        view: list(&wrong, 0, false),
    };
    assert!(
        wrong
            .render()
            .unwrap()
            .contains("Since: &#34;soon&#34; is no date")
    );
}

#[test]
fn candidates_show_where_they_rose_and_fell_and_where_the_search_cut() {
    let mut best = considered(1, 1, Some((1, 6.0)), 0.75, "Delivery to Tamale costs GHS 45.");
    best.fused_rank = 2;
    let mut repeating = considered(3, 1, None, 0.7, "Delivery to Tamale costs GHS 45 again.");
    (repeating.fused_rank, repeating.duplicate_of) = (1, Some(Uuid::from_u128(1)));
    let mut last = considered(4, 1, None, 0.25, "We open at eight.");
    (last.fused_rank, last.hit) = (4, false);
    repeating.hit = false;
    let mut middle = considered(2, 1, Some((2, 3.0)), 0.5, "Delivery to Ho costs GHS 30.");
    middle.fused_rank = 3;
    let record = record(vec![best, middle, last, repeating]);
    let candidates = Candidates::new(&record, record.search.as_ref().unwrap());
    let told: Vec<_> = candidates
        .shown
        .iter()
        .map(|line| {
            (
                line.place,
                line.fused,
                line.reranked,
                line.tone,
                line.handed_on,
                line.cut_before,
                line.repeats,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (1, 2, 1, "ok", Some(1), false, None),
            (2, 3, 3, "", Some(2), false, None),
            (3, 4, 4, "", None, true, None),
            // it came second by its score and was put behind
            (4, 1, 2, "bad", None, false, Some(1)),
        ]
    );
    let whole: u32 = candidates.shown[0].pieces.iter().map(|piece| piece.width).sum();
    assert!(
        (998..=1_002).contains(&whole),
        "the best one fills the bar: {whole}"
    );
}

#[test]
fn a_trace_without_answer_is_drawn_and_offers_only_what_can_be_done() {
    let live = SettingsVersion {
        version: 5,
        settings: Settings::default(),
    };
    let (row, record) = (row(2, "delivery zongo", None), first());
    let page = |index_version, golden| {
        let mut row = row.clone();
        row.index_version = index_version;
        let view = TraceView::new(&super::view::Material {
            row: &row,
            record: &record,
            golden,
            live: &live,
            first: None,
        });
        let (shell, notices) = (Shell::visitor(), Vec::new());
        TracePage { shell, notices, view }.render().unwrap()
    };
    let html = page(Some(12), Golden::NotStored);
    for part in [
        "idf 9.50",
        "in no document",
        "says the same as #1",
        "hit 1",
        "value=\"then\"",
        "the same as those in force",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("golden case"));
    let html = page(None, Golden::Offered);
    assert!(html.contains("Make this a golden case") && !html.contains("value=\"then\""));
}

#[test]
fn a_difference_is_told_in_a_sentence() {
    let (one, other) = (
        first(),
        record(vec![considered(2, 1, None, 0.9, "Delivery to Ho costs GHS 30.")]),
    );
    let row = row(1, "delivery zongo", None);
    let side = |record| Side { row: &row, record };
    let same = DifferenceView::new(("A", "B"), side(&one), side(&one));
    assert_eq!(
        (same.tone, same.summary.as_str()),
        ("ok", "The same passages in the same order.")
    );
    let other = DifferenceView::new(("A", "B"), side(&one), side(&other));
    assert_eq!(other.summary, "Of the passages 1 gone, 1 moved.");
    assert_eq!(
        other
            .moved
            .iter()
            .map(|line| line.mark.as_str())
            .collect::<Vec<_>>(),
        ["▲ 1", "gone"]
    );
}
