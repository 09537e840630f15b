//! Running headers, footers and page numbers: what repeats at the same height of many pages.

use std::collections::{HashMap, HashSet};

use crate::clean;
use crate::extract::pdf::chars::Segment;
use crate::extract::pdf::layout;

/// Pages a line has to repeat on.
const MIN_REPEATS: usize = 3;
/// Lines at the top and at the bottom of a page that may be furniture.
const DEPTH: usize = 4;

/// Removes furniture from the pages, never the last line of a page that has no other.
pub(super) fn remove(pages: &mut [Vec<Segment>]) {
    let edges: Vec<Vec<Edge>> = pages.iter().map(|segments| edges(segments)).collect();
    let mut tally: HashMap<&(String, i32), usize> = HashMap::new();
    for edge in edges.iter().flatten() {
        for key in &edge.keys {
            *tally.entry(key).or_default() += 1;
        }
    }
    let readable = pages.iter().filter(|segments| !segments.is_empty()).count();
    // On two pages a repeated line is furniture only as the very first or last one.
    let needed = MIN_REPEATS.max(readable / 10).min(readable.max(2));
    for (number, (segments, edges)) in pages.iter_mut().zip(&edges).enumerate() {
        let repeated = |edge: &&Edge| {
            let often = edge
                .keys
                .iter()
                .any(|key| tally.get(key).is_some_and(|count| *count >= needed));
            let twice = || {
                edge.keys
                    .iter()
                    .any(|key| tally.get(key).is_some_and(|count| *count >= 2))
            };
            // With the page's number at its end, a line that comes back once is enough.
            let numbered = edge.outermost && is_numbered(&edge.text, number + 1) && twice();
            let counts = numbered || edge.outermost && is_page_number(&edge.text, number + 1);
            (often && (needed >= MIN_REPEATS || edge.outermost)) || counts
        };
        let mut doomed: HashSet<usize> = edges
            .iter()
            .filter(|edge| !edge.names_columns && repeated(edge))
            .filter(|edge| {
                // Furniture stands at the edge of the page, with at most one other line outside it.
                let outside = edges
                    .iter()
                    .filter(|other| other.is_outside(edge) && !repeated(other));
                outside.count() <= 1
            })
            .flat_map(|edge| edge.orders.iter().copied())
            .collect();
        doomed.extend(lone_page_number(segments, edges, number + 1));
        if doomed.len() < segments.len() {
            segments.retain(|segment| !doomed.contains(&segment.order));
        }
    }
}

/// "Page 7" in the corner of a footer that says something else.
fn lone_page_number(segments: &[Segment], edges: &[Edge], page: usize) -> Option<usize> {
    let mut corners = edges
        .iter()
        .filter(|edge| edge.outermost)
        .flat_map(|edge| &edge.orders);
    let is_number =
        |segment: &Segment| segment.text.contains(char::is_alphabetic) && is_page_number(&segment.text, page);
    let found = corners.find(|order| {
        segments
            .iter()
            .any(|segment| segment.order == **order && is_number(segment))
    });
    found.copied()
}

/// A line near the top or the bottom, and what it is compared by.
struct Edge {
    /// Text without digits, and height in steps; both neighbouring steps, so that a line on the
    /// border between two is not missed.
    keys: [(String, i32); 2],
    orders: Vec<usize>,
    /// Position among the lines of the page, and whether that is in its upper part.
    index: usize,
    upper: bool,
    outermost: bool,
    /// Stands over the columns of a table, which may go on page after page.
    names_columns: bool,
    text: String,
}

impl Edge {
    fn is_outside(&self, other: &Self) -> bool {
        self.upper == other.upper
            && if self.upper {
                self.index < other.index
            } else {
                self.index > other.index
            }
    }
}

/// Whether at least two parts of a line stand exactly over parts of the next.
fn stands_over(row: &layout::Row, next: &layout::Row) -> bool {
    /// A border's width; cells of a column are aligned to less.
    const ALIGNED: f32 = 1.5;
    let near = next.y() - row.y() < 2.8 * row.size();
    let aligned = row.segments.iter().filter(|part| {
        next.segments
            .iter()
            .any(|below| (below.x0 - part.x0).abs() < ALIGNED || (below.x1 - part.x1).abs() < ALIGNED)
    });
    near && aligned.count() >= 2
}

fn edges(segments: &[Segment]) -> Vec<Edge> {
    let rows = layout::rows(segments.to_vec());
    let count = rows.len();
    let is_edge = |index: usize| index < DEPTH || index + DEPTH >= count;
    let by_order = |row: &layout::Row| -> Vec<usize> {
        let y = row.segments[0].y;
        let close = |segment: &&Segment| (segment.y - y).abs() < 0.35 * segment.size.max(4.0);
        segments
            .iter()
            .filter(close)
            .map(|segment| segment.order)
            .collect()
    };
    rows.iter()
        .enumerate()
        .filter(|(index, _)| is_edge(*index))
        .map(|(index, row)| {
            let line = row.text();
            let text = fingerprint(&line);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "page heights are far below the limit"
            )]
            let step = (row.y() / 6.0).floor() as i32;
            Edge {
                keys: [(text.clone(), step * 2), (text, nearest(row.y(), step))],
                orders: by_order(row),
                index,
                upper: index < count - index,
                names_columns: rows.get(index + 1).is_some_and(|next| stands_over(row, next)),
                outermost: index == 0 || index + 1 == count,
                text: line,
            }
        })
        .collect()
}

/// The border between two steps that is closest, as an odd number.
fn nearest(y: f32, step: i32) -> i32 {
    let inside = y / 6.0 - (y / 6.0).floor();
    if inside < 0.5 { step * 2 - 1 } else { step * 2 + 1 }
}

/// "7", "- 7 -", "Page 7 of 12" on page 7.
fn is_page_number(line: &str, page: usize) -> bool {
    const WORDS: [&str; 16] = [
        "page", "p", "pg", "of", "seite", "von", "página", "pagina", "pág", "pag", "de", "di", "sur",
        "strana", "sida", "blz",
    ];
    let lower = line.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let known = words
        .iter()
        .all(|word| WORDS.contains(word) || word.bytes().all(|b| b.is_ascii_digit()));
    known && words.len() <= 4 && words.iter().any(|word| word.parse() == Ok(page))
}

/// Begins or ends with the page's number.
fn is_numbered(line: &str, page: usize) -> bool {
    let is_number = |word: Option<&str>| word.is_some_and(|word| word.parse() == Ok(page));
    is_number(line.split(' ').next()) || is_number(line.split(' ').next_back())
}

/// Digits differ from page to page, everything else repeats. A line of digits only is a page
/// number.
fn fingerprint(text: &str) -> String {
    let letters: String = clean::fingerprint(text)
        .chars()
        .filter(|c| !c.is_numeric())
        .collect();
    if letters.is_empty() {
        "#".to_owned()
    } else {
        letters
    }
}
