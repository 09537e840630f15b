use chrono::{TimeZone, Utc};
use proptest::prelude::*;

use super::*;
use crate::block::Format;

fn overlay(kind: OverlayKind, anchor: &str, ordinal: i32) -> Overlay {
    Overlay {
        id: Uuid::from_u128(anchor.len() as u128),
        document_id: Uuid::nil(),
        kind,
        anchor_hash: anchor.as_bytes().to_vec(),
        anchor_text: anchor.to_owned(),
        anchor_headings: Vec::new(),
        anchor_ordinal: ordinal,
        body: None,
        factor: None,
        created_at: Utc.timestamp_opt(0, 0).unwrap(),
    }
}

fn edit(anchor: &str, body: &str) -> Overlay {
    Overlay {
        body: Some(body.to_owned()),
        ..overlay(OverlayKind::Edit, anchor, 0)
    }
}

fn passages<'a>(texts: &'a [&'a str]) -> Vec<Passage<'a>> {
    (0..)
        .zip(texts)
        .map(|(ordinal, text)| Passage {
            ordinal,
            hash: text.as_bytes(),
            headings: &[],
            text,
        })
        .collect()
}

#[test]
fn the_same_passage_is_found_wherever_it_moved() {
    let overlay = overlay(OverlayKind::Disable, "Open on Sunday.", 1);
    let found = find(
        &overlay,
        &passages(&["new", "other", "Open on Sunday.", "x", "Open on Sunday."]),
    );
    assert_eq!(
        (found.chunk, found.similarity),
        (Some(2), 1.0),
        "the nearest of two"
    );
    assert!(found.note.is_empty());
}

#[test]
fn a_passage_that_changed_a_little_is_found_with_a_note_and_a_rewritten_one_is_a_conflict() {
    let overlay = overlay(
        OverlayKind::Pin,
        "A ceiling fan costs 250 shillings with delivery in town.",
        0,
    );
    let found = find(
        &overlay,
        &passages(&[
            "Terms",
            "A ceiling fan costs 260 shillings with delivery in town.",
        ]),
    );
    assert_eq!(found.chunk, Some(1));
    assert!(found.note.contains("changed"));
    let found = find(&overlay, &passages(&["Terms", "We no longer sell any fans."]));
    assert_eq!(found.chunk, None);
    assert!(found.note.contains("number"), "{}", found.note);
    assert_eq!(find(&overlay, &[]).chunk, None);
    let twins = passages(&[
        "A ceiling fan costs 260 shillings with delivery in town.",
        "A ceiling fan costs 270 shillings with delivery in town.",
    ]);
    assert_eq!(
        find(&overlay, &twins).chunk,
        None,
        "of two that are as like, neither is it"
    );
}

/// Every line a block: `# ` a heading, `| ` a row.
fn extraction(lines: &[&str]) -> Extraction {
    let text = lines.join("\n");
    let mut start = 0;
    let mut path: Vec<String> = Vec::new();
    let mut blocks = Vec::new();
    for line in lines {
        let kind = match line.split(' ').next() {
            Some("#") => BlockKind::Heading { level: 1 },
            Some("|") => BlockKind::TableRow,
            _ => BlockKind::Paragraph,
        };
        let heading = matches!(kind, BlockKind::Heading { .. });
        blocks.push(Block {
            kind,
            range: ByteRange::new(start, start + line.len()),
            page: Some(1),
            row: None,
            heading_path: if heading { Vec::new() } else { path.clone() },
        });
        if heading {
            path = vec![(*line).to_owned()];
        }
        start += line.len() + 1;
    }
    Extraction {
        format: Format::Text,
        title: None,
        language: None,
        text,
        blocks,
        pages: Vec::new(),
        warnings: Vec::new(),
        rows: None,
    }
}

#[test]
fn an_edit_replaces_its_passage_and_the_rest_moves_along() {
    let mut extraction = extraction(&["# Prices", "| fan: 250", "| kit: 900", "# Hours", "Nine to five."]);
    let edited = apply_edits(
        &mut extraction,
        &[edit("| fan: 250", "| fan: 260 including delivery")],
    );
    assert_eq!(edited[0].place, Ok(9));
    assert_eq!(
        extraction.text,
        "# Prices\n| fan: 260 including delivery\n| kit: 900\n# Hours\nNine to five."
    );
    let texts: Vec<&str> = extraction
        .blocks
        .iter()
        .map(|block| block.range.of(&extraction.text))
        .collect();
    assert_eq!(
        texts,
        [
            "# Prices",
            "| fan: 260 including delivery",
            "| kit: 900",
            "# Hours",
            "Nine to five."
        ]
    );
    assert_eq!(extraction.blocks[1].kind, BlockKind::TableRow);
}

#[test]
fn an_edit_may_begin_inside_a_block_make_lines_and_rename_a_heading() {
    let mut extraction = extraction(&["# Hours", "We open at nine. We close at five.", "Sundays closed."]);
    let edits = [
        edit("We close at five.", "We close at six.\nIn December at eight."),
        edit("# Hours", "# Opening hours"),
    ];
    let edited = apply_edits(&mut extraction, &edits);
    assert!(edited.iter().all(|edit| edit.place.is_ok()), "{edited:?}");
    assert_eq!(extraction.blocks.len(), 4);
    assert_eq!(
        extraction.blocks[2].range.of(&extraction.text),
        "In December at eight."
    );
    assert_eq!(edited[0].place, Ok("# Opening hours\nWe open at nine. ".len()));
    assert_eq!(extraction.blocks[3].heading_path, ["# Opening hours"]);
}

#[test]
fn an_edit_of_what_is_gone_or_there_twice_is_a_conflict() {
    let mut twice = extraction(&["Closed on Sunday.", "Open.", "Closed on Sunday."]);
    let before = twice.clone();
    let edits = [edit("Closed on Sunday.", "x"), edit("Closed on Monday.", "y")];
    let edited = apply_edits(&mut twice, &edits);
    assert!(edited[0].place.as_ref().unwrap_err().contains("2 times"));
    assert!(
        edited[1]
            .place
            .as_ref()
            .unwrap_err()
            .contains("not in this version")
    );
    assert_eq!(twice, before);
    let mut apart = extraction(&["# A", "Closed on Sunday.", "# B", "Closed on Sunday."]);
    let mut under_b = edit("Closed on Sunday.", "Open on Sunday.");
    under_b.anchor_headings = vec!["# B".to_owned()];
    apply_edits(&mut apart, &[under_b]);
    assert_eq!(apart.text, "# A\nClosed on Sunday.\n# B\nOpen on Sunday.");
}

#[test]
fn an_edit_that_empties_a_passage_leaves_sound_blocks() {
    let mut extraction = extraction(&["one", "two", "three"]);
    apply_edits(&mut extraction, &[edit("two", " ")]);
    let texts: Vec<&str> = extraction
        .blocks
        .iter()
        .map(|block| block.range.of(&extraction.text))
        .collect();
    assert_eq!(texts, ["one", "three"]);
}

proptest! {
    #[test]
    fn blocks_stay_in_order_and_on_characters(
        lines in prop::collection::vec("[a-z# |éü]{1,12}", 1..8),
        from in 0_usize..40,
        length in 1_usize..30,
        body in "[a-zé\n ]{0,20}",
    ) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut extraction = extraction(&lines);
        let start = extraction.text.floor_char_boundary(from.min(extraction.text.len()));
        let end = extraction.text.floor_char_boundary((start + length).min(extraction.text.len()));
        let anchor = extraction.text[start..end].to_owned();
        let edited = apply_edits(&mut extraction, &[edit(&anchor, &body)]);
        let mut last = 0;
        for block in &extraction.blocks {
            prop_assert!(block.range.start >= last && block.range.end >= block.range.start, "{:?}", extraction.blocks);
            prop_assert!(extraction.text.get(block.range.start..block.range.end).is_some());
            last = block.range.end;
        }
        prop_assert!(last <= extraction.text.len());
        if let Ok(place) = edited[0].place {
            prop_assert!(extraction.text[place..].starts_with(body.trim()));
        }
    }
}
