use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn chunk(ordinal: usize, body: &str) -> ChunkRow {
    ChunkRow {
        id: Uuid::from_u128(ordinal as u128),
        document_id: Uuid::nil(),
        version_id: Uuid::nil(),
        ordinal: i32::try_from(ordinal).unwrap(),
        text_start: 0,
        text_end: 0,
        page_from: None,
        page_to: None,
        row_from: None,
        row_to: None,
        heading_path: Vec::new(),
        body: body.to_owned(),
        tokens: 0,
        hash: body.as_bytes().to_vec(),
        disabled: false,
        pinned: false,
        boost: 1.0,
        questions: Vec::new(),
    }
}

fn chunks(bodies: &[&str]) -> Vec<ChunkRow> {
    bodies
        .iter()
        .enumerate()
        .map(|(n, body)| chunk(n, body))
        .collect()
}

fn bodies(chunks: &[ChunkRow]) -> Vec<&str> {
    chunks.iter().map(|chunk| chunk.body.as_str()).collect()
}

#[test]
fn a_changed_price_is_one_changed_chunk_with_its_words() {
    let old = chunks(&[
        "We open at nine.",
        "A fan costs 250 shillings.",
        "Returns within 14 days.",
    ]);
    let new = chunks(&[
        "We open at nine.",
        "A fan costs 260 shillings.",
        "We deliver on Sundays.",
    ]);
    let diff = diff(&old, &new);
    assert_eq!(diff.unchanged, 1);
    assert_eq!(diff.changed.len(), 1);
    let pieces: Vec<(Change, &str)> = diff.changed[0]
        .words
        .iter()
        .map(|piece| (piece.change, piece.text.as_str()))
        .collect();
    assert_eq!(
        pieces,
        [
            (Change::Kept, "A fan costs "),
            (Change::Removed, "250"),
            (Change::Inserted, "260"),
            (Change::Kept, " shillings."),
        ]
    );
    assert_eq!(bodies(&diff.removed), ["Returns within 14 days."]);
    assert_eq!(bodies(&diff.added), ["We deliver on Sundays."]);
}

#[test]
fn a_chunk_that_moved_did_not_change() {
    let diff = diff(&chunks(&["a a", "b b", "c c"]), &chunks(&["c c", "a a", "b b"]));
    assert_eq!((diff.unchanged, diff.changed.len()), (3, 0));
    assert!(diff.added.is_empty() && diff.removed.is_empty());
}

proptest! {
    #[test]
    fn every_chunk_is_told_of_once(
        old in prop::collection::vec("[a-d]( [a-d]){0,3}", 0..12),
        new in prop::collection::vec("[a-d]( [a-d]){0,3}", 0..12),
    ) {
        let old: Vec<ChunkRow> = old.iter().enumerate().map(|(n, body)| chunk(n, body)).collect();
        let new: Vec<ChunkRow> = new.iter().enumerate().map(|(n, body)| chunk(n, body)).collect();
        let told = diff(&old, &new);
        prop_assert_eq!(told.unchanged + told.changed.len() + told.removed.len(), old.len());
        prop_assert_eq!(told.unchanged + told.changed.len() + told.added.len(), new.len());
        for changed in &told.changed {
            let side = |gone: Change| -> String {
                let kept = changed.words.iter().filter(|piece| piece.change != gone);
                kept.map(|piece| piece.text.as_str()).collect()
            };
            prop_assert_eq!(side(Change::Inserted), changed.old.body.clone());
            prop_assert_eq!(side(Change::Removed), changed.new.body.clone());
        }
    }
}
