//! What all fuzz targets share: small limits, and what must hold for whatever comes out.
//!
//! A target fails when the code panics, hangs, eats memory, or breaks one of these promises.

use plumbline_ingest::{Chunk, ChunkingSettings, Extraction, Limits, chunk, extract};

/// The production limits, shrunk so that reaching them takes a few kilobytes.
pub fn limits() -> Limits {
    Limits {
        max_bytes: 1 << 20,
        max_text_bytes: 256 << 10,
        max_pages: 40,
        max_zip_entries: 200,
        max_part_bytes: 1 << 20,
        max_xml_depth: 256,
        max_columns: 50,
        max_cell_bytes: 2_000,
        ..Limits::default()
    }
}

/// Extracts, checks the promises, and gives back what was read.
pub fn read(bytes: &[u8], file_name: &str) -> Option<Extraction> {
    match extract(bytes, file_name, &limits()) {
        Ok(extraction) => {
            check_extraction(&extraction);
            Some(extraction)
        }
        Err(error) => {
            assert!(!error.message.is_empty() && !error.suggestion.is_empty());
            None
        }
    }
}

/// What every extraction promises about its text, blocks and pages.
pub fn check_extraction(extraction: &Extraction) {
    let text = &extraction.text;
    assert!(
        !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'),
        "control characters"
    );
    assert!(
        text.split('\n').all(|line| line == line.trim_end()),
        "trailing spaces"
    );
    let mut end = 0;
    for block in &extraction.blocks {
        let range = block.range;
        assert!(
            range.start >= end && range.end > range.start,
            "blocks overlap or are empty: {block:?}"
        );
        assert!(
            text.is_char_boundary(range.start) && text.is_char_boundary(range.end),
            "{block:?}"
        );
        assert!(
            text[end..range.start].bytes().all(|b| b == b'\n'),
            "text outside blocks"
        );
        end = range.end;
    }
    assert_eq!(end, text.len(), "text after the last block");
    for page in &extraction.pages {
        assert!(
            text.get(page.range.start..page.range.end).is_some(),
            "page {} is not in the text",
            page.page
        );
        assert!(page.replacement_share.is_finite() && page.private_use_share.is_finite());
    }
}

/// What every chunking promises: ranges on character boundaries, increasing, covering all text.
pub fn check_chunks(extraction: &Extraction, chunks: &[Chunk]) {
    let text = &extraction.text;
    let (mut last_start, mut covered) = (0, 0);
    for (position, piece) in chunks.iter().enumerate() {
        let range = piece.range;
        assert_eq!(piece.ordinal as usize, position);
        assert_eq!(
            text.get(range.start..range.end),
            Some(piece.text.as_str()),
            "not a range of the text"
        );
        assert!(
            position == 0 || (range.start > last_start && range.end > covered),
            "chunks do not increase"
        );
        if range.start > covered {
            assert!(text[covered..range.start].trim().is_empty(), "text in no chunk");
        }
        (last_start, covered) = (range.start, range.end);
        let mut end = range.start;
        for window in &piece.windows {
            assert!(
                window.start >= end && window.end > window.start && window.end <= range.end,
                "windows"
            );
            assert!(text[end..window.start].trim().is_empty(), "text in no window");
            end = window.end;
        }
        assert_eq!(end, range.end, "the windows end before their chunk");
    }
    assert!(text[covered..].trim().is_empty(), "text after the last chunk");
}

/// Chunks with settings taken from one byte of the input, and checks the result.
pub fn cut(extraction: &Extraction, knob: u8) {
    let settings = ChunkingSettings {
        target_tokens: 8 + usize::from(knob) * 2,
        overlap_tokens: usize::from(knob % 40),
        window_tokens: 4 + usize::from(knob / 3),
        min_tokens: usize::from(knob % 50),
    };
    let count = |text: &str| text.split_whitespace().map(|word| word.len().div_ceil(6)).sum();
    check_chunks(extraction, &chunk(extraction, &settings, &count));
}
