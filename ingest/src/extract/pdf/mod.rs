//! PDF through pdfium: characters with their places, from which lines, columns, tables and
//! paragraphs are rebuilt.

mod cells;
mod chars;
mod columns;
mod forms;
mod furniture;
mod glyphs;
mod grid;
mod hidden;
mod hocr;
mod layout;
mod lines;
mod ocr;
mod open;
mod paragraphs;
mod picture;
mod quality;
mod repair;
mod rules;
mod script;
mod tables;

pub use ocr::installed_languages;

use crate::block::{BlockKind, Extraction, Format, PageReport};
use crate::catalogue::Code;
use crate::clean;
use crate::extract::builder::{Builder, Origin};
use crate::extract::{ExtractError, Limits, Listener, Ocr};
use chars::Segment;
use layout::Unit;
use open::{RawPage, Scan};
use paragraphs::{Body, Piece, PieceKind};
use quality::{Finding, Findings};

pub(super) fn extract(
    bytes: &[u8],
    file_name: &str,
    limits: &Limits,
    ocr: Option<&Ocr>,
    listener: &mut Listener<'_>,
) -> Result<Extraction, ExtractError> {
    let mut document = open::read(bytes, file_name, limits, ocr, listener)?;
    let mut builder = Builder::new(limits.max_text_bytes);
    builder.title = document.title.take();
    builder.warnings.append(&mut document.warnings);
    refuse_garbage(&document.pages, file_name)?;
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
    let mut findings = Findings::default();
    for (raw, page) in document.pages.iter().zip(pages) {
        let (first_block, doubt) = (builder.block_count(), page.doubt);
        emit(&mut builder, raw, page, &looks, &mut table);
        report(&mut builder, &mut findings, raw, doubt, first_block);
        if builder.is_full() {
            break;
        }
    }
    builder.warnings.extend(findings.into_warnings());
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
    *table += 1;
    for line in &raw.typed {
        let origin = Origin {
            page: Some(raw.number),
            row: None,
            group: Some(*table),
        };
        builder.push(BlockKind::Paragraph, line, origin);
    }
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

/// A file whose letters mostly mean nothing would be indexed, never found and never missed.
fn refuse_garbage(pages: &[RawPage], file_name: &str) -> Result<(), ExtractError> {
    let chars: usize = pages.iter().map(|page| page.chars.chars).sum();
    let usable: usize = pages.iter().map(|page| page.chars.usable()).sum();
    if !quality::is_useless(quality::share(chars - usable, chars)) {
        return Ok(());
    }
    let meaningless = chars - usable;
    let message = format!("{meaningless} of the {chars} characters of {file_name} have no known meaning");
    Err(ExtractError::new(Code::GarbledFile, message))
}

fn report(builder: &mut Builder, findings: &mut Findings, raw: &RawPage, doubt: bool, first_block: usize) {
    let chars = &raw.chars;
    let report = PageReport {
        page: raw.number,
        chars: chars.chars,
        replacement_share: quality::share(chars.replacement, chars.chars),
        private_use_share: quality::share(chars.private_use, chars.chars),
        looks_scanned: matches!(raw.scan, Scan::Unread(_)),
        ocr: chars.was_recognised(),
        reading_order_doubt: doubt,
        range: builder.range_since(first_block),
    };
    let mut note = |finding| findings.note(finding, raw.number);
    if raw.failed {
        note(Finding::Unreadable);
    } else if let Scan::Unread(why) = &raw.scan {
        note(Finding::Scanned(why.clone()));
    } else if let Scan::Recognised(confidence) = raw.scan {
        let doubtful = quality::is_doubtful(confidence);
        note(if doubtful {
            Finding::RecognisedBadly
        } else {
            Finding::Recognised
        });
    } else if report.range.is_empty() {
        note(if raw.has_drawing {
            Finding::NoText
        } else {
            Finding::Empty
        });
    } else if quality::is_garbled(report.replacement_share + report.private_use_share) {
        note(Finding::Garbled);
    } else if doubt {
        note(Finding::OrderGuessed);
    }
    if chars.hidden > 0 {
        note(Finding::Hidden);
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
