//! A passage of a version's text with what surrounds it.

use askama::Template;
use plumbline_store::ChunkRow;
use uuid::Uuid;

use crate::pages::layout::{Badge, Shell};

/// The page.
#[derive(Debug, Template)]
#[template(path = "passage.html")]
pub struct PassagePage {
    /// Frame.
    pub shell: Shell,
    /// The passage.
    pub view: PassageView,
}

/// A run of text, cited or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The page that begins here.
    pub page: Option<u32>,
    /// The data row that begins here.
    pub row: Option<i64>,
    /// Text.
    pub text: String,
    /// Whether it belongs to the passage.
    pub cited: bool,
    /// Whether the passage begins here.
    pub first: bool,
}

/// The chunk that the passage belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// Number, from 1.
    pub number: i32,
    /// Headings above.
    pub headings: Vec<String>,
    /// The page where it is changed, for those who may.
    pub edit_href: Option<String>,
    /// The passage of the chunk before.
    pub previous: Option<String>,
    /// The passage of the chunk after.
    pub next: Option<String>,
}

/// A passage in its text.
#[derive(Debug, Clone)]
pub struct PassageView {
    /// Title of the document.
    pub title: String,
    /// Page or row, or a position.
    pub place: String,
    /// Number of the version.
    pub number: i32,
    /// Whether the version answers today.
    pub standing: Badge,
    /// The version that answers instead.
    pub live_href: Option<String>,
    /// The document, for those who may see it.
    pub document_href: Option<String>,
    /// The chunk around it.
    pub around: Option<Around>,
    /// What to say of a page without text.
    pub nothing: Option<String>,
    /// Text in order.
    pub pieces: Vec<Piece>,
    /// The same passage with more text before it.
    pub earlier: Option<String>,
    /// The same passage with more text after it.
    pub later: Option<String>,
}

/// Where a page of the document begins in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageStart {
    /// Page, from 1.
    pub page: u32,
    /// First byte.
    pub start: usize,
}

/// Where a data row begins in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowStart {
    /// Row, from 1.
    pub row: i64,
    /// First byte.
    pub start: usize,
}

/// A stretch of text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First byte.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

/// The passage moved onto character boundaries within the text; none when it does not lie in the text.
pub fn fit(text: &str, passage: Range) -> Option<Range> {
    (passage.start < passage.end && passage.end <= text.len()).then(|| Range {
        start: floor_boundary(text, passage.start),
        end: ceil_boundary(text, passage.end),
    })
}

/// A place without text, such as a page on which none was read.
pub fn fit_empty(text: &str, place: Range) -> Option<Range> {
    (place.start == place.end && place.end <= text.len()).then(|| {
        let at = floor_boundary(text, place.start);
        Range { start: at, end: at }
    })
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// What is shown around a passage: `reach` bytes to both sides, widened to whole lines where a line ends nearby.
pub fn window(text: &str, passage: Range, before: usize, after: usize) -> Range {
    let rough = floor_boundary(text, passage.start.saturating_sub(before));
    let start = text[rough..passage.start]
        .find('\n')
        .filter(|_| rough > 0)
        .map_or(rough, |line| rough + line + 1);
    let rough = ceil_boundary(text, (passage.end + after).min(text.len()));
    let end = if rough == text.len() {
        rough
    } else {
        text[passage.end..rough]
            .rfind('\n')
            .map_or(rough, |line| passage.end + line)
    };
    Range { start, end }
}

/// Where the rows of chunks begin: a row is a line, and where a chunk has as many lines as rows they are those.
pub fn row_starts(text: &str, chunks: &[ChunkRow]) -> Vec<RowStart> {
    let mut starts = Vec::new();
    for chunk in chunks {
        let (Some(first), Some(last)) = (chunk.row_from, chunk.row_to) else {
            continue;
        };
        let offset = |at: i64| usize::try_from(at).unwrap_or(usize::MAX);
        let (begin, end) = (offset(chunk.text_start), offset(chunk.text_end));
        let Some(body) = text.get(begin..end) else {
            continue;
        };
        let mut at = begin;
        let mut lines = Vec::new();
        for line in body.split_inclusive('\n') {
            if !line.trim().is_empty() {
                lines.push(at);
            }
            at += line.len();
        }
        if i64::try_from(lines.len()) == Ok(last - first + 1) {
            starts.extend((first..).zip(lines).map(|(row, start)| RowStart { row, start }));
        }
    }
    starts.sort_by_key(|row| (row.start, row.row));
    starts.dedup();
    starts
}

/// The text of `window` cut at the ends of the passage and at the beginnings of pages and rows.
pub fn pieces(
    text: &str,
    passage: Range,
    window: Range,
    pages: &[PageStart],
    rows: &[RowStart],
) -> Vec<Piece> {
    let inside = |at: usize| window.start <= at && at < window.end && text.is_char_boundary(at);
    let mut cuts: Vec<usize> = pages
        .iter()
        .map(|page| page.start)
        .chain(rows.iter().map(|row| row.start))
        .filter(|&at| inside(at))
        .collect();
    cuts.extend([window.start, passage.start, passage.end, window.end]);
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2)
        .map(|cut| {
            let (start, end) = (cut[0], cut[1]);
            let page = pages
                .iter()
                .rev()
                .find(|page| page.start == start)
                .map(|page| page.page);
            Piece {
                // the line break before a page's rule would show as an empty line
                text: text[start..end]
                    .trim_start_matches(|c| page.is_some() && c == '\n')
                    .to_owned(),
                cited: passage.start <= start && end <= passage.end,
                first: start == passage.start,
                row: rows.iter().find(|row| row.start == start).map(|row| row.row),
                page,
            }
        })
        .collect()
}

/// The address of a passage with so much text around it.
pub fn href(version: Uuid, passage: Range, before: usize, after: usize) -> String {
    format!(
        "/passages/{version}?start={}&end={}&before={before}&after={after}",
        passage.start, passage.end
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: usize, end: usize) -> Range {
        Range { start, end }
    }

    #[test]
    fn the_pieces_are_the_window() {
        let text = "one\ntwo é\nthree\nfour\nfive\n";
        let passage = fit(text, range(4, 10)).unwrap();
        assert_eq!(&text[passage.start..passage.end], "two é");
        for (before, after) in [(0, 0), (2, 3), (100, 100)] {
            let window = window(text, passage, before, after);
            let pieces = pieces(text, passage, window, &[PageStart { page: 1, start: 0 }], &[]);
            let joined: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
            assert_eq!(joined, text[window.start..window.end]);
            let cited: String = pieces
                .iter()
                .filter(|p| p.cited)
                .map(|piece| piece.text.as_str())
                .collect();
            assert_eq!(cited, "two é");
            assert_eq!(pieces.iter().filter(|piece| piece.first).count(), 1);
        }
    }

    #[test]
    fn a_passage_over_a_page_break_is_cut_there() {
        let text = "end of page one\nstart of page two";
        let pages = [PageStart { page: 1, start: 0 }, PageStart { page: 2, start: 16 }];
        let pieces = pieces(text, range(7, 21), range(0, text.len()), &pages, &[]);
        let seen: Vec<_> = pieces
            .iter()
            .map(|p| (p.page, p.text.as_str(), p.cited, p.first))
            .collect();
        assert_eq!(
            seen,
            [
                (Some(1), "end of ", false, false),
                (None, "page one\n", true, true),
                (Some(2), "start", true, false),
                (None, " of page two", false, false),
            ]
        );
    }

    #[test]
    fn every_row_of_a_chunk_is_numbered_where_it_begins() {
        let text = "Lamp: A; Price: 1\nLamp: B; Price: 2\nLamp: C; Price: 3";
        let chunk = |rows: (i64, i64)| ChunkRow {
            row_from: Some(rows.0),
            row_to: Some(rows.1),
            ..crate::pages::tests::chunk(0, text.len())
        };
        let rows = row_starts(text, &[chunk((4, 6))]);
        let seen: Vec<_> = rows.iter().map(|row| (row.row, row.start)).collect();
        assert_eq!(seen, [(4, 0), (5, 18), (6, 36)]);
        let pieces = pieces(text, range(18, 35), range(0, text.len()), &[], &rows);
        let seen: Vec<_> = pieces.iter().map(|p| (p.row, p.cited)).collect();
        assert_eq!(
            seen,
            [(Some(4), false), (Some(5), true), (None, false), (Some(6), false)]
        );
        assert_eq!(
            row_starts(text, &[chunk((4, 9))]),
            [],
            "lines that are no rows get no number"
        );
    }

    #[test]
    fn a_passage_outside_the_text_is_none() {
        assert_eq!(fit("abc", range(1, 9)), None);
        assert_eq!(fit("abc", range(2, 2)), None);
        assert_eq!(fit("aé", range(2, 3)), Some(range(1, 3)));
    }
}
