//! PDF through pdfium: characters with their places, from which lines, columns, tables and
//! paragraphs are rebuilt.

mod cells;
mod chars;
mod columns;
mod furniture;
mod glyphs;
mod grid;
mod layout;
mod lines;
mod open;
mod paragraphs;
mod rules;
mod script;
mod tables;

use crate::block::{BlockKind, Extraction, Format, PageReport, Warning};
use crate::catalogue::Code;
use crate::clean;
use crate::extract::builder::{Builder, Origin};
use crate::extract::{ExtractError, Limits, Listener};
use chars::Segment;
use layout::Unit;
use open::RawPage;
use paragraphs::{Body, Piece, PieceKind};

/// Characters below which a page with a picture is taken for a scan.
const SCANNED_BELOW: usize = 20;
/// Share of meaningless characters above which a page is reported as garbled.
const GARBLED_ABOVE: f32 = 0.1;

pub(super) fn extract(
    bytes: &[u8],
    file_name: &str,
    limits: &Limits,
    listener: &mut Listener<'_>,
) -> Result<Extraction, ExtractError> {
    let mut document = open::read(bytes, file_name, limits, listener)?;
    let mut builder = Builder::new(limits.max_text_bytes);
    builder.title = document.title.take();
    builder.warnings.append(&mut document.warnings);
    let mut segments: Vec<Vec<Segment>> = document
        .pages
        .iter_mut()
        .map(|page| std::mem::take(&mut page.chars.segments))
        .collect();
    furniture::remove(&mut segments);
    let body = body(&segments);
    let mut pages: Vec<Composed> = segments
        .into_iter()
        .zip(&document.pages)
        .map(|(segments, page)| compose(segments, &page.rules, body))
        .collect();
    carry_column_names(&mut pages);
    let looks = heading_looks(&pages);
    let mut table = 0;
    for (raw, page) in document.pages.iter().zip(pages) {
        emit(&mut builder, raw, page, &looks, &mut table);
        if builder.is_full() {
            break;
        }
    }
    Ok(builder.finish(Format::Pdf))
}

/// A page after layout.
struct Composed {
    parts: Vec<Part>,
    doubt: bool,
}

enum Part {
    Piece(Piece),
    Table(tables::Table),
}

fn compose(segments: Vec<Segment>, rules: &rules::Rules, body: Body) -> Composed {
    let page = layout::arrange(segments, rules);
    let mut parts: Vec<Part> = Vec::new();
    for unit in page.units {
        match unit {
            Unit::Table(table) => parts.push(Part::Table(table)),
            Unit::Lines(rows) => {
                for piece in paragraphs::compose(&rows, body) {
                    push_piece(&mut parts, piece);
                }
            }
        }
    }
    Composed {
        parts,
        doubt: page.doubt,
    }
}

/// A table that goes on at the top of the next page goes on under the same names.
fn carry_column_names(pages: &mut [Composed]) {
    for index in 1..pages.len() {
        let (before, after) = pages.split_at_mut(index);
        if let (Some(Part::Table(last)), Some(Part::Table(first))) =
            (before[index - 1].parts.last(), after[0].parts.first_mut())
        {
            first.continue_from(last);
        }
    }
}

/// A paragraph that runs on in the next column is one paragraph.
fn push_piece(parts: &mut Vec<Part>, piece: Piece) {
    if let Some(Part::Piece(last)) = parts.last_mut()
        && last.kind != PieceKind::HeadingCandidate
        && piece.kind == PieceKind::Paragraph
        && piece.text.chars().next().is_some_and(char::is_lowercase)
        && (last.hyphen || last.text.ends_with(|c: char| c.is_alphanumeric() || c == ','))
        && last.text.len() > 40
    {
        last.join(&piece.text);
        last.hyphen = piece.hyphen;
        return;
    }
    parts.push(Part::Piece(piece));
}

/// The size and weight most characters have.
fn body(pages: &[Vec<Segment>]) -> Body {
    let mut tally: std::collections::BTreeMap<(i32, bool), usize> = std::collections::BTreeMap::new();
    for segment in pages.iter().flatten() {
        #[expect(clippy::cast_possible_truncation, reason = "font sizes are small")]
        let size = (segment.size * 2.0).round() as i32;
        *tally.entry((size, segment.bold)).or_default() += segment.chars();
    }
    let ((size, bold), _) = tally
        .into_iter()
        .max_by_key(|(_, chars)| *chars)
        .unwrap_or(((20, false), 0));
    #[expect(clippy::cast_precision_loss, reason = "font sizes are small")]
    let size = size as f32 / 2.0;
    Body { size, bold }
}

/// The distinct looks of headings, largest first; bold before regular of the same size.
fn heading_looks(pages: &[Composed]) -> Vec<(i32, bool)> {
    let mut looks: Vec<(i32, bool)> = Vec::new();
    for part in pages.iter().flat_map(|page| &page.parts) {
        if let Part::Piece(piece) = part
            && piece.kind == PieceKind::HeadingCandidate
        {
            looks.push(paragraphs::look_of(piece));
        }
    }
    looks.sort_unstable_by(|a, b| b.cmp(a));
    looks.dedup();
    looks
}

fn emit(builder: &mut Builder, raw: &RawPage, page: Composed, looks: &[(i32, bool)], table: &mut u32) {
    let first_block = builder.block_count();
    let mut list = None;
    for part in page.parts {
        *table += 1;
        match part {
            Part::Piece(piece) => {
                let kind = paragraphs::kind(&piece, looks);
                let is_item = matches!(kind, BlockKind::ListItem { .. });
                list = if is_item { list.or(Some(*table)) } else { None };
                builder.push(
                    kind,
                    &piece.text,
                    Origin {
                        page: Some(raw.number),
                        row: None,
                        group: list,
                    },
                );
            }
            Part::Table(content) => {
                list = None;
                emit_table(builder, raw.number, &content, *table);
            }
        }
    }
    for stray in &raw.chars.stray {
        builder.push(
            BlockKind::Paragraph,
            stray,
            Origin {
                page: Some(raw.number),
                ..Origin::default()
            },
        );
    }
    report(builder, raw, page.doubt, first_block);
}

fn emit_table(builder: &mut Builder, page: u32, table: &tables::Table, group: u32) {
    for (line, under) in table.lines() {
        let origin = Origin {
            page: Some(page),
            row: None,
            group: Some(group),
        };
        builder.push_under(BlockKind::TableRow, &line, origin, under.as_deref());
    }
}

fn report(builder: &mut Builder, raw: &RawPage, doubt: bool, first_block: usize) {
    let (chars, number) = (raw.chars.chars, raw.number);
    let share = |part: usize| {
        #[expect(clippy::cast_precision_loss, reason = "a share of the characters of one page")]
        let share = part as f32 / chars.max(1) as f32;
        share
    };
    let report = PageReport {
        page: number,
        chars,
        replacement_share: share(raw.chars.replacement),
        private_use_share: share(raw.chars.private_use),
        looks_scanned: chars < SCANNED_BELOW && raw.has_picture,
        reading_order_doubt: doubt,
        range: builder.range_since(first_block),
    };
    if raw.failed {
        builder.warnings.push(
            Warning::new(Code::PageUnreadable, format!("page {number} could not be opened")).on_page(number),
        );
    } else if report.range.is_empty() || report.looks_scanned {
        let reason = if report.looks_scanned {
            "looks scanned"
        } else {
            "has no text"
        };
        builder
            .warnings
            .push(Warning::new(Code::PageWithoutText, format!("page {number} {reason}")).on_page(number));
    } else if report.replacement_share + report.private_use_share > GARBLED_ABOVE {
        let message = format!("many characters of page {number} have no known meaning");
        builder
            .warnings
            .push(Warning::new(Code::GarbledText, message).on_page(number));
    } else if doubt {
        let message = format!("the reading order of page {number} was guessed");
        builder
            .warnings
            .push(Warning::new(Code::ReadingOrder, message).on_page(number));
    }
    builder.pages.push(report);
}

/// A title from the metadata, unless it is the name of a file or of a program.
fn useful_title(title: &str) -> Option<String> {
    let title = clean::one_line(title);
    let lower = title.to_lowercase();
    let is_file = [
        ".doc", ".docx", ".pdf", ".indd", ".odt", ".txt", ".tmp", ".tex", ".dvi",
    ]
    .iter()
    .any(|end| lower.ends_with(end));
    let is_junk = lower.starts_with("microsoft word")
        || lower.starts_with("untitled")
        || lower.starts_with("(anonymous)");
    (!title.is_empty() && !is_file && !is_junk).then_some(title)
}
