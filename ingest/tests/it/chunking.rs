//! Chunks: invariants for any text, and the rules about headings, tables and rows.

use plumbline_ingest::{Chunk, ChunkingSettings, Code, Extraction, Limits, chunk, extract};
use proptest::prelude::*;

use crate::fixtures::assert_valid;

pub(crate) fn words(text: &str) -> usize {
    text.split_whitespace().map(|word| word.len().div_ceil(6)).sum()
}

fn cut(source: &str, name: &str) -> (Extraction, Vec<Chunk>) {
    let extraction = extract(source.as_bytes(), name, &Limits::default()).unwrap();
    let chunks = chunk(&extraction, &ChunkingSettings::default(), &words);
    assert_chunks(&extraction, &chunks, &ChunkingSettings::default());
    (extraction, chunks)
}

pub(crate) fn assert_chunks(extraction: &Extraction, chunks: &[Chunk], settings: &ChunkingSettings) {
    let text = &extraction.text;
    let mut covered = vec![false; text.len()];
    let mut last = (0, 0);
    for (position, piece) in chunks.iter().enumerate() {
        assert_eq!(piece.ordinal as usize, position);
        assert_eq!(
            text.get(piece.range.start..piece.range.end),
            Some(piece.text.as_str())
        );
        assert!(
            position == 0 || (piece.range.start > last.0 && piece.range.end > last.1),
            "not ordered"
        );
        last = (piece.range.start, piece.range.end);
        covered[piece.range.start..piece.range.end].fill(true);
        let mut end = piece.range.start;
        assert_eq!(
            piece.windows.first().map(|window| window.start),
            Some(piece.range.start)
        );
        for window in &piece.windows {
            assert!(window.start >= end && window.end > window.start && window.end <= piece.range.end);
            let content = text.get(window.start..window.end).unwrap();
            assert!(text[end..window.start].trim().is_empty(), "text between windows");
            assert!(
                words(content) <= settings.window_tokens || content.chars().count() == 1,
                "window too long"
            );
            end = window.end;
        }
        assert_eq!(end, piece.range.end);
    }
    for block in &extraction.blocks {
        let range = block.range;
        let missing =
            (range.start..range.end).find(|at| !covered[*at] && !text.as_bytes()[*at].is_ascii_whitespace());
        assert!(
            missing.is_none()
                || !text.is_char_boundary(missing.unwrap())
                || text[missing.unwrap()..].starts_with(char::is_whitespace)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_chunked_within_its_bounds(source in "(# [A-Za-z]{1,12}\n\n|[a-zé ,]{0,80}[.!?] |\n\n|- [a-z]{1,9}\n|\\PC{0,40}|[字あ👍]{1,60}){1,40}", target in 8_usize..200, window in 4_usize..80) {
        if let Ok(extraction) = extract(source.as_bytes(), "a.md", &Limits::default()) {
            assert_valid(&extraction);
            let settings = ChunkingSettings { target_tokens: target, window_tokens: window.min(target), ..ChunkingSettings::default() };
            assert_chunks(&extraction, &chunk(&extraction, &settings, &words), &settings);
        }
    }

    #[test]
    fn any_table_keeps_its_rows(rows in prop::collection::vec(prop::collection::vec("[a-zé0-9 \"\n]{0,20}", 1..5), 1..30)) {
        let mut source = String::from("first,second,third\n");
        for row in &rows {
            let cells: Vec<String> = row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            source.push_str(&cells.join(","));
            source.push('\n');
        }
        if let Ok(extraction) = extract(source.as_bytes(), "a.csv", &Limits::default()) {
            assert_valid(&extraction);
            assert_chunks(&extraction, &chunk(&extraction, &ChunkingSettings::default(), &words), &ChunkingSettings::default());
        }
    }

    #[test]
    fn any_bytes_end_in_text_or_in_the_catalogue(bytes in prop::collection::vec(any::<u8>(), 0..600), head in prop::sample::select(vec!["", "%PDF-1.4\n", "PK\u{3}\u{4}", "a,b\n", "{\\rtf", "\u{feff}"])) {
        let mut all = head.as_bytes().to_vec();
        all.extend(bytes);
        match extract(&all, "a.bin", &Limits::default()) {
            Ok(extraction) => assert_valid(&extraction),
            Err(error) => prop_assert!(Code::ALL.contains(&error.code)),
        }
    }
}

#[test]
fn chunks_do_not_cross_headings_unless_both_sides_are_tiny() {
    let long = "This sentence has quite a few words in it, as sentences do. ".repeat(8);
    let (_, chunks) = cut(&format!("# A\n\n{long}\n\n# B\n\n{long}\n"), "a.md");
    assert!(
        chunks
            .iter()
            .all(|piece| piece.heading_path == ["A"] || piece.heading_path == ["B"])
    );
    let (_, chunks) = cut(
        "# Shop\n\n## Monday\n\nNine to five.\n\n## Tuesday\n\nClosed.\n",
        "a.md",
    );
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].heading_path, ["Shop"]);
}

#[test]
fn running_text_overlaps_and_rows_do_not() {
    let long = (0..60)
        .map(|i| format!("Sentence number {i} says something about the shop. "))
        .collect::<Vec<_>>()
        .concat();
    let (_, chunks) = cut(&long, "a.txt");
    assert!(chunks.len() > 2);
    assert!(
        chunks
            .windows(2)
            .all(|pair| pair[1].range.start < pair[0].range.end)
    );
    let rows = (0..200)
        .map(|i| format!("item {i},{i}.50\n"))
        .collect::<Vec<_>>()
        .concat();
    let (extraction, chunks) = cut(&format!("Name,Price\n{rows}"), "a.csv");
    assert!(
        chunks
            .windows(2)
            .all(|pair| pair[1].range.start > pair[0].range.end)
    );
    assert_eq!(
        (chunks[0].row_from, chunks.last().unwrap().row_to),
        (Some(1), extraction.rows)
    );
    assert!(chunks.iter().all(|piece| piece.text.starts_with("Name: ")));
}

#[test]
fn questions_and_answers_are_one_chunk_each() {
    let (_, chunks) = cut(
        "Question,Answer\nWhere?,In Accra.\nWhen?,At nine.\nHow much?,Nothing at all.\n",
        "faq.csv",
    );
    assert_eq!(chunks.len(), 3);
    assert_eq!(chunks[1].text, "Question: When? | Answer: At nine.");
}

#[test]
fn a_megabyte_without_a_space_is_cut_in_linear_time() {
    let counted = std::cell::Cell::new(0_usize);
    let extraction = extract("é".repeat(500_000).as_bytes(), "a.txt", &Limits::default()).unwrap();
    let count = |text: &str| {
        counted.set(counted.get() + text.len());
        text.len().div_ceil(4)
    };
    let chunks = chunk(&extraction, &ChunkingSettings::default(), &count);
    assert!(chunks.len() > 1000);
    assert!(
        counted.get() < 12 * extraction.text.len(),
        "counted {} bytes",
        counted.get()
    );
}

#[test]
fn equal_text_has_equal_hashes_and_the_heading_counts() {
    let hashes = |source: &str| {
        cut(source, "a.md")
            .1
            .iter()
            .map(|piece| piece.hash)
            .collect::<Vec<_>>()
    };
    assert_eq!(hashes("# A\n\nSame.\n"), hashes("# A\n\nSame.\n\n"));
    assert_ne!(hashes("# A\n\nSame.\n"), hashes("# B\n\nSame.\n"));
}

#[test]
fn a_heading_without_text_is_no_chunk_of_its_own() {
    let long = "This sentence has quite a few words in it, as sentences do. ".repeat(8);
    let (_, chunks) = cut(&format!("# Title\n\n# First\n\n{long}\n"), "a.md");
    assert!(chunks[0].text.starts_with("Title\n\nFirst\n\nThis sentence"));
}

fn chunk_count(source: &str, name: &str) -> usize {
    cut(source, name).1.len()
}

#[test]
fn questions_and_answers_are_known_by_names_in_many_languages_and_by_content() {
    for header in [
        "Customer asks,Reply",
        "Domanda,Risposta",
        "Soal,Jawaban",
        "السؤال,الجواب",
        "问题,答案",
        "FAQ question (EN),Answer text",
        "Frage des Kunden,Unsere Antwort",
    ] {
        let source = format!("{header}\nPrice one,It is ten.\nPrice two,It is twelve.\n");
        assert_eq!(chunk_count(&source, "faq.csv"), 2, "{header}");
    }
    let content = "topic,phrase,text\nshop,When do you open?,We open at nine in the morning.\nshop,Where are you?,You find us beside the old post office.\npay,Is cash fine?,Cash and all cards are welcome here.\n";
    assert_eq!(chunk_count(content, "list.csv"), 3);
    assert_eq!(chunk_count("town,price\nAccra,ten\nTema,twelve\n", "list.csv"), 1);
}

#[test]
fn a_table_of_numbers_becomes_few_large_chunks_with_one_window_each() {
    let rows = (0..1_000)
        .map(|i| format!("2026-01-02,{i}.5,AX-{i}\n"))
        .collect::<Vec<_>>()
        .concat();
    let extraction = extract(
        format!("date,amount,code\n{rows}").as_bytes(),
        "a.csv",
        &Limits::default(),
    )
    .unwrap();
    let settings = ChunkingSettings::default();
    let chunks = chunk(&extraction, &settings, &words);
    let windows: usize = chunks.iter().map(|piece| piece.windows.len()).sum();
    assert_eq!(windows, chunks.len());
    assert!(chunks.len() < 40, "{} chunks", chunks.len());
    assert_eq!(
        (chunks[0].row_from, chunks.last().unwrap().row_to),
        (Some(1), Some(1_000))
    );
    for pair in chunks.windows(2) {
        assert_eq!(
            pair[0].row_to.map(|row| row + 1),
            pair[1].row_from,
            "no row is lost or twice"
        );
    }
    assert!(chunks.iter().all(|piece| piece.text.starts_with("date: ")
        && piece.windows[0].start == piece.range.start
        && words(piece.windows[0].of(&extraction.text)) <= settings.window_tokens));
}

#[test]
fn an_introduction_stays_with_what_it_introduces() {
    let filler = "This sentence has quite a few words in it, as sentences do. ".repeat(11);
    let list = (0..8)
        .map(|i| format!("- the document number {i} of your application\n"))
        .collect::<Vec<_>>()
        .concat();
    let (_, chunks) = cut(&format!("{filler}\n\nTo apply you need these:\n\n{list}"), "a.md");
    let with_list = chunks
        .iter()
        .find(|piece| piece.text.contains("number 0"))
        .unwrap();
    assert!(
        with_list.text.contains("To apply you need these:"),
        "{}",
        with_list.text
    );
    let rows = (0..6)
        .map(|i| format!("| delivery zone number {i} | {i} days |\n"))
        .collect::<Vec<_>>()
        .concat();
    let (_, chunks) = cut(
        &format!("{filler}\n\nTable 3 shows the zones\n\n| Zone | Time |\n|---|---|\n{rows}"),
        "a.md",
    );
    let with_table = chunks
        .iter()
        .find(|piece| piece.text.contains("zone number 0"))
        .unwrap();
    assert!(with_table.text.starts_with("Table 3 shows") || with_table.text.contains("\n\nTable 3 shows"));
}

#[test]
fn a_huge_row_is_cut_between_its_cells() {
    let names: Vec<String> = (0..400).map(|i| format!("property {i}")).collect();
    let values: Vec<String> = (0..400).map(|i| format!("some value {i}")).collect();
    let (_, chunks) = cut(
        &format!("{}\n{}\n", names.join(","), values.join(",")),
        "wide.csv",
    );
    assert!(chunks.len() > 1);
    assert!(
        chunks.iter().all(|piece| piece.text.starts_with("property ")),
        "a value lost its name"
    );
}

#[test]
fn text_without_spaces_is_cut_between_characters_as_readers_see_them() {
    let thai = "\u{E01}\u{E33}\u{E49}\u{E19}\u{E35}\u{E48}".repeat(800);
    let family = "👩\u{200D}👩\u{200D}👧".repeat(300);
    for source in [thai, family] {
        let (_, chunks) = cut(&source, "a.txt");
        assert!(chunks.len() > 1);
        for piece in &chunks {
            let first = piece.text.chars().next().unwrap();
            assert!(
                !matches!(first, '\u{E31}' | '\u{E33}'..='\u{E3A}' | '\u{E47}'..='\u{E4E}' | '\u{200D}'),
                "{first:?}"
            );
        }
    }
    let chinese = "退货请在七天内联系客服，并保留原包装；运费由买家承担，".repeat(60);
    let (_, chunks) = cut(&chinese, "a.txt");
    assert!(
        chunks.len() > 1
            && chunks
                .iter()
                .all(|piece| piece.text.ends_with(['，', '；', '。']))
    );
}

#[test]
fn an_introduction_inside_the_overlap_is_not_cut_off_twice() {
    let short = "Alpha beta gamma delta epsilon. ".repeat(8);
    let source = format!("{short}\n\nNine ten:\n\n{}end.\n\n", "word ".repeat(34)).repeat(5);
    let extraction = extract(source.as_bytes(), "a.md", &Limits::default()).unwrap();
    for target in 8..60 {
        let settings = ChunkingSettings {
            target_tokens: target,
            window_tokens: target,
            ..ChunkingSettings::default()
        };
        assert_chunks(&extraction, &chunk(&extraction, &settings, &words), &settings);
    }
}
