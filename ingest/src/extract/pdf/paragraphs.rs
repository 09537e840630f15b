//! From lines to paragraphs, list items and headings.

use crate::block::BlockKind;
use crate::clean;
use crate::extract::pdf::layout::{Row, median};
use crate::extract::pdf::script;

/// A finished piece of a page.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) kind: PieceKind,
    pub(super) text: String,
    pub(super) size: f32,
    pub(super) bold: bool,
    /// Its last line ends inside a word.
    pub(super) hyphen: bool,
}

/// What a piece looks like; levels of headings need the whole document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum PieceKind {
    HeadingCandidate,
    Paragraph,
    ListItem,
}

/// The document's ordinary text, which headings differ from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body {
    pub(super) size: f32,
    pub(super) bold: bool,
}

/// Longest heading in characters.
const MAX_HEADING: usize = 140;

pub(super) fn compose(rows: &[Row], body: Body) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let left = rows.iter().map(Row::x0).fold(f32::MAX, f32::min);
    let right = rows.iter().map(Row::x1).fold(f32::MIN, f32::max);
    let pitch = pitch(rows);
    let mut item_indent = left;
    for (index, row) in rows.iter().enumerate() {
        let text = row.text();
        let above = index.checked_sub(1).map(|above| &rows[above]);
        let looks = looks(row, &text, body);
        let goes_on = above.is_some_and(|above| {
            let last = &out[out.len() - 1];
            let same_size = (above.size() - row.size()).abs() <= 0.08 * row.size().max(above.size());
            let distance = row.y() - above.y();
            let reach = if looks == PieceKind::HeadingCandidate {
                (pitch * 1.35).max(row.size() * 1.4)
            } else {
                pitch * 1.35
            };
            let close = distance < reach && distance > 0.0;
            let same_look = same_size
                && (above.bold() == row.bold()
                    || last.kind != PieceKind::HeadingCandidate && looks != PieceKind::HeadingCandidate);
            let next_column = distance < 0.0 && flows(&last.text, &text);
            let in_item =
                last.kind == PieceKind::ListItem && row.x0() < item_indent - 1.0 && ends_sentence(&last.text);
            let ended =
                above.x1() < right - 0.2 * (right - left) && ends_sentence(&last.text) && !above.hyphen();
            let indented = row.x0() > above.x0() + row.size()
                && row.x0() > left + row.size()
                && last.kind == PieceKind::Paragraph;
            looks != PieceKind::ListItem
                && same_look
                && (close || next_column)
                && !in_item
                && !(ended && starts_sentence(&text))
                && !indented
        });
        if goes_on && let Some(last) = out.last_mut() {
            last.join(&text);
            last.hyphen = row.hyphen();
        } else {
            item_indent = row.x0();
            out.push(Piece {
                kind: looks,
                text,
                size: row.size(),
                bold: row.bold(),
                hyphen: row.hyphen(),
            });
        }
    }
    out.into_iter().map(|piece| settle(piece, body)).collect()
}

/// The usual distance between lines.
fn pitch(rows: &[Row]) -> f32 {
    let distances = rows
        .windows(2)
        .map(|pair| pair[1].y() - pair[0].y())
        .filter(|distance| *distance > 0.0);
    let usual = median(distances);
    let size = median(rows.iter().map(Row::size));
    // A page of isolated lines has no usual distance; text is rarely set wider than this.
    if usual <= 0.0 {
        size * 1.3
    } else {
        usual.min(size * 1.9)
    }
}

impl Piece {
    /// Appends a line; a word that was split at the line's end is made whole.
    pub(super) fn join(&mut self, text: &str) {
        if !self.hyphen && script::joins_with_space(&self.text, text) {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }
}

fn flows(last: &str, next: &str) -> bool {
    !ends_sentence(last) && next.chars().next().is_some_and(char::is_lowercase)
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(['"', '”', '»', ')', '’'])
        .ends_with(['.', '!', '?', ':', ';', '…'])
}

fn starts_sentence(text: &str) -> bool {
    text.chars()
        .find(|c| c.is_alphanumeric())
        .is_some_and(|c| c.is_uppercase() || c.is_numeric())
}

fn looks(row: &Row, text: &str, body: Body) -> PieceKind {
    let stands_out = row.bold() && !body.bold;
    if is_list_item(text) && row.size() < body.size * 1.15 && !stands_out {
        return PieceKind::ListItem;
    }
    let larger = row.size() > body.size * 1.12;
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    if (larger || stands_out) && letters >= 2 && row.size() > body.size * 0.9 {
        return PieceKind::HeadingCandidate;
    }
    PieceKind::Paragraph
}

/// Once all lines are known: a long or punctuated candidate was emphasis, not a heading.
fn settle(mut piece: Piece, body: Body) -> Piece {
    piece.text = clean::collapse(&piece.text);
    if piece.kind == PieceKind::HeadingCandidate {
        let larger = piece.size > body.size * 1.12;
        let ends_openly =
            !piece.text.ends_with(['.', ',', ';']) || piece.text.ends_with("...") || piece.text.len() < 8;
        let label = !larger && piece.text.ends_with(':') && piece.text.len() > 60;
        if piece.text.chars().count() > MAX_HEADING || !ends_openly || label {
            piece.kind = PieceKind::Paragraph;
        }
    }
    piece
}

fn is_list_item(text: &str) -> bool {
    let Some((marker, rest)) = text.split_once(' ') else {
        return false;
    };
    if rest.is_empty() {
        return false;
    }
    let mut chars = marker.chars();
    if let (Some(only), None) = (chars.next(), chars.next()) {
        return "•-–—*▪◦‣·●○■✓✔➢".contains(only) || clean::is_private_use(only);
    }
    let Some(label) = marker.strip_suffix(['.', ')']) else {
        return false;
    };
    let label = label.trim_start_matches('(');
    let number = (1..=2).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_digit());
    number || (label.len() == 1 && marker.ends_with(')') && label.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// The block kind of a piece, given the document's heading looks from highest to lowest.
pub(super) fn kind(piece: &Piece, looks: &[(i32, bool)]) -> BlockKind {
    match piece.kind {
        PieceKind::Paragraph => BlockKind::Paragraph,
        PieceKind::ListItem => BlockKind::ListItem { depth: 0 },
        PieceKind::HeadingCandidate => {
            let rank = looks
                .iter()
                .position(|look| *look == look_of(piece))
                .unwrap_or(looks.len());
            BlockKind::Heading {
                level: u8::try_from(rank + 1).unwrap_or(9).min(9),
            }
        }
    }
}

/// Size in half points and weight: headings that look alike are of one level.
pub(super) fn look_of(piece: &Piece) -> (i32, bool) {
    #[expect(clippy::cast_possible_truncation, reason = "font sizes are small")]
    let size = (piece.size * 2.0).round() as i32;
    (size, piece.bold)
}
