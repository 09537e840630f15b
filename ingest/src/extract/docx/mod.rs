//! DOCX: an own walk over the parts that hold text.
//!
//! Only the parts that are needed are opened, never pictures; each is inflated under a cap and
//! walked with an explicit stack, so neither a bomb nor deep nesting reaches the allocator or the
//! call stack. Elements are matched by local name, which covers the strict and the transitional
//! flavour of the format.

mod field;
mod inline;
mod item;
mod label;
mod link;
mod margins;
mod math;
mod numbering;
mod outline;
mod package;
mod paragraph;
mod properties;
mod styles;
mod symbol;
mod table;
mod walk;
mod xml;

use crate::block::{Extraction, Format, Warning};
use crate::catalogue::Code;
use crate::clean;
use crate::extract::builder::Builder;
use crate::extract::{ExtractError, Limits};
use item::{Notes, Walked};
use numbering::Numbering;
use package::{Package, Relations};
use styles::Styles;
use walk::{Context, Walker};

pub(super) fn extract(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<Extraction, ExtractError> {
    let mut package = Package::open(bytes, file_name, limits)?;
    let main = package.main_part()?;
    let relations = package.relations(&main)?;
    let mut builder = Builder::new(limits.max_text_bytes);
    let styles = secondary(&mut package, relations.targets("styles"), &mut builder, |xml| {
        Styles::read(xml, limits)
    })
    .unwrap_or_default();
    let mut numbering = secondary(
        &mut package,
        relations.targets("numbering"),
        &mut builder,
        |xml| Numbering::read(xml, limits),
    )
    .unwrap_or_default();
    let notes = read_notes(&mut package, &relations, &mut builder, limits, &styles);
    let xml = package
        .part(&main)?
        .ok_or_else(|| damaged(file_name, "the main part is missing"))?;
    if xml.contains(char::REPLACEMENT_CHARACTER) {
        let message = format!("{file_name} has letters that are not valid in its encoding");
        builder.warnings.push(Warning::new(Code::DecodingErrors, message));
    }
    let context = Context {
        limits,
        styles: &styles,
        notes: &notes,
        links: relations.links.clone(),
        in_margin: false,
    };
    let walked = Walker::walk(&xml, &context, &mut numbering)
        .map_err(|problem| problem.into_error(file_name, "the main part"))?;
    drop(xml);
    warn(&mut builder, &walked, file_name);
    outline::emit(&mut builder, &walked);
    margins::emit(&mut builder, &mut package, &relations, limits, &styles);
    builder.title = core_title(&mut package, limits);
    Ok(builder.finish(Format::Docx))
}

fn warn(builder: &mut Builder, walked: &Walked, file_name: &str) {
    if walked.hidden {
        let message = format!("{file_name} holds text formatted as hidden");
        builder.warnings.push(Warning::new(Code::HiddenText, message));
    }
    if walked.embedded > 0 {
        let message = format!(
            "{file_name} embeds {} whole files (altChunk) that were left out",
            walked.embedded
        );
        builder.warnings.push(Warning::new(Code::PartSkipped, message));
    }
}

fn read_notes(
    package: &mut Package<'_>,
    relations: &Relations,
    builder: &mut Builder,
    limits: &Limits,
    styles: &Styles,
) -> Notes {
    let mut notes = Notes::default();
    for kind in ["footnotes", "endnotes"] {
        let targets = relations.targets(kind);
        let links = targets.first().and_then(|name| package.relations(name).ok());
        let context = Context {
            limits,
            styles,
            notes: &Notes::default(),
            links: links.map(|relations| relations.links).unwrap_or_default(),
            in_margin: false,
        };
        let read = |xml: &str| Walker::walk(xml, &context, &mut Numbering::default());
        if let Some(walked) = secondary(package, targets, builder, read) {
            notes.add(kind, walked.notes);
        }
    }
    notes
}

/// Reads a part the text does not depend on: damage in it is a warning.
fn secondary<T>(
    package: &mut Package<'_>,
    targets: &[String],
    builder: &mut Builder,
    read: impl FnOnce(&str) -> Result<T, xml::Problem>,
) -> Option<T> {
    let name = targets.first()?;
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
