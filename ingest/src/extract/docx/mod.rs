//! DOCX: an own walk over the parts that hold text.
//!
//! Only the parts that are needed are opened, never pictures; each is inflated under a cap and
//! walked with an explicit stack, so neither a bomb nor deep nesting reaches the allocator or the
//! call stack. Elements are matched by local name, which covers the strict and the transitional
//! flavour of the format.

mod numbering;
mod package;
mod styles;
mod table;
mod walk;
mod xml;

use std::collections::HashMap;

use crate::block::{BlockKind, Extraction, Format, Warning};
use crate::catalogue::Code;
use crate::clean;
use crate::extract::builder::{Builder, Origin};
use crate::extract::{ExtractError, Limits};
use numbering::Numbering;
use package::Package;
use styles::Styles;
use walk::{Item, Notes, Walker};

pub(super) fn extract(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<Extraction, ExtractError> {
    let mut package = Package::open(bytes, file_name, limits)?;
    let main = package.main_part()?;
    let relations = package.relations(&main)?;
    let mut builder = Builder::new(limits.max_text_bytes);
    let styles = secondary(&mut package, relations.get("styles"), &mut builder, |xml| {
        Styles::read(xml, limits)
    })
    .unwrap_or_default();
    let mut numbering = secondary(&mut package, relations.get("numbering"), &mut builder, |xml| {
        Numbering::read(xml, limits)
    })
    .unwrap_or_default();
    let mut notes = Notes::default();
    for kind in ["footnotes", "endnotes"] {
        let read = |xml: &str| Walker::notes(xml, limits, &styles);
        if let Some(found) = secondary(&mut package, relations.get(kind), &mut builder, read) {
            notes.add(kind, found);
        }
    }
    let xml = package
        .part(&main)?
        .ok_or_else(|| damaged(file_name, "the main part is missing"))?;
    let walked = Walker::document(&xml, limits, &styles, &mut numbering, &notes)
        .map_err(|problem| problem.into_error(file_name, "the main part"))?;
    drop(xml);
    if walked.hidden {
        let message = format!("{file_name} holds text formatted as hidden");
        builder.warnings.push(Warning::new(Code::HiddenText, message));
    }
    emit(&mut builder, &walked.items);
    emit_margins(&mut builder, &mut package, &relations, limits, &styles);
    builder.title = core_title(&mut package, limits);
    Ok(builder.finish(Format::Docx))
}

/// Reads a part the text does not depend on: damage in it is a warning.
fn secondary<T>(
    package: &mut Package<'_>,
    targets: Option<&Vec<String>>,
    builder: &mut Builder,
    read: impl FnOnce(&str) -> Result<T, xml::Problem>,
) -> Option<T> {
    let name = targets?.first()?;
    let outcome = match package.part(name) {
        Ok(None) => return None,
        Ok(Some(xml)) => read(&xml).map_err(|problem| problem.to_string()),
        Err(error) => Err(error.message),
    };
    match outcome {
        Ok(value) => Some(value),
        Err(reason) => {
            builder.warnings.push(Warning::new(
                Code::PartSkipped,
                format!("{name} was left out: {reason}"),
            ));
            None
        }
    }
}

fn emit(builder: &mut Builder, items: &[Item]) {
    let styled_headings = items.iter().any(|item| {
        matches!(
            item,
            Item::Block {
                kind: BlockKind::Heading { .. },
                ..
            }
        )
    });
    // Under a title everything is one level deeper.
    let has_title = items.iter().any(|item| {
        matches!(
            item,
            Item::Block {
                kind: BlockKind::Heading { level: 0 },
                ..
            }
        )
    });
    let mut list = 1_000_000; // groups of lists, far from those of tables
    let mut in_list = false;
    for item in items {
        match item {
            Item::Block { kind, text, bold } => {
                let is_item = matches!(kind, BlockKind::ListItem { .. });
                list += u32::from(is_item && !in_list);
                in_list = is_item;
                let kind = match *kind {
                    BlockKind::Heading { level } => BlockKind::Heading {
                        level: (level + u8::from(has_title)).min(9),
                    },
                    BlockKind::Paragraph if *bold && reads_like_heading(text) => BlockKind::Heading {
                        level: if styled_headings { 8 } else { 2 },
                    },
                    other => other,
                };
                let group = is_item.then_some(list);
                builder.push(
                    kind,
                    text,
                    Origin {
                        group,
                        ..Origin::default()
                    },
                );
            }
            Item::Row { text, table } => {
                in_list = false;
                builder.push(
                    BlockKind::TableRow,
                    text,
                    Origin {
                        group: Some(*table),
                        ..Origin::default()
                    },
                );
            }
        }
    }
}

/// A short bold line without a full stop: what people write who do not know heading styles.
fn reads_like_heading(text: &str) -> bool {
    text.len() <= 90
        && !text.contains('\n')
        && !text.ends_with(['.', ',', ';', '!'])
        && text.chars().filter(|c| c.is_alphabetic()).count() >= 3
}

/// Headers and footers say the same on every page: each distinct paragraph once, at the end.
fn emit_margins(
    builder: &mut Builder,
    package: &mut Package<'_>,
    relations: &HashMap<String, Vec<String>>,
    limits: &Limits,
    styles: &Styles,
) {
    let mut seen: Vec<String> = Vec::new();
    builder.leave_headings();
    for kind in ["header", "footer"] {
        for name in relations.get(kind).into_iter().flatten().take(12) {
            let Ok(Some(xml)) = package.part(name) else {
                continue;
            };
            let mut numbering = Numbering::default();
            let Ok(walked) = Walker::document(&xml, limits, styles, &mut numbering, &Notes::default()) else {
                continue;
            };
            for item in walked.items {
                let text = item.text().to_owned();
                let letters = text.chars().filter(|c| c.is_alphabetic()).count();
                let fingerprint = clean::fingerprint(&text);
                if letters > 8 && !seen.contains(&fingerprint) && !builder.contains_line(&text) {
                    builder.push(BlockKind::Paragraph, &text, Origin::default());
                    seen.push(fingerprint);
                }
            }
        }
    }
}

fn core_title(package: &mut Package<'_>, limits: &Limits) -> Option<String> {
    let name = package.core_properties()?;
    let xml = package.part(&name).ok()??;
    let mut reader = xml::Xml::new(&xml, limits);
    let mut inside = false;
    let mut title = String::new();
    while let Ok(Some(event)) = reader.next() {
        match event {
            xml::Event::Start(element) => inside = element.is("title"),
            xml::Event::Text(text) if inside => title.push_str(&text),
            xml::Event::Text(_) => {}
            xml::Event::End(_) => inside = false,
        }
    }
    let title = clean::one_line(&title);
    let is_default = title.is_empty()
        || title.eq_ignore_ascii_case("word document")
        || title.starts_with("Microsoft Word");
    (!is_default).then_some(title)
}

fn damaged(file_name: &str, what: &str) -> ExtractError {
    ExtractError::new(Code::DamagedDocx, format!("{file_name}: {what}"))
}
