//! The zip package: parts under caps, relationships, the main part wherever it is.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use encoding_rs::Encoding;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::catalogue::Code;
use crate::extract::docx::damaged;
use crate::extract::docx::xml::{Event, Xml};
use crate::extract::{ExtractError, Limits};

pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Lower-case names with forward slashes: some writers use backslashes or odd case.
    entries: HashMap<String, usize>,
    file_name: &'a str,
    limits: &'a Limits,
}

impl<'a> Package<'a> {
    pub(super) fn open(
        bytes: &'a [u8],
        file_name: &'a str,
        limits: &'a Limits,
    ) -> Result<Self, ExtractError> {
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| damaged(file_name, &format!("the archive cannot be opened ({error})")))?;
        if archive.len() > limits.max_zip_entries {
            let message = format!(
                "{file_name} has {} entries, the limit is {}",
                archive.len(),
                limits.max_zip_entries
            );
            return Err(ExtractError::new(Code::ZipBomb, message));
        }
        let mut entries = HashMap::new();
        for index in 0..archive.len() {
            if let Some(Ok(name)) = archive.name_for_index(index) {
                entries.entry(normal(&name)).or_insert(index);
            }
        }
        let mut package = Self {
            archive,
            entries,
            file_name,
            limits,
        };
        package.refuse_other_packages()?;
        Ok(package)
    }

    fn refuse_other_packages(&mut self) -> Result<(), ExtractError> {
        let types = self.part("[Content_Types].xml")?.unwrap_or_default();
        if types.contains("wordprocessingml")
            || types.contains("ms-word")
            || self.entries.contains_key("word/document.xml")
        {
            return Ok(());
        }
        let what = if types.contains("spreadsheetml") || types.contains("ms-excel") {
            "a spreadsheet (XLSX)"
        } else if types.contains("presentationml") {
            "a slide deck (PPTX)"
        } else if self.entries.contains_key("mimetype") {
            "an OpenDocument or e-book file"
        } else {
            "a zip archive"
        };
        Err(ExtractError::new(
            Code::Unsupported,
            format!("{} is {what}", self.file_name),
        ))
    }

    /// A part's text, or `None` when the package has no such part.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<String>, ExtractError> {
        let Some(index) = self.entries.get(&normal(name)).copied() else {
            return Ok(None);
        };
        let limit = self.limits.max_part_bytes;
        let entry = self.archive.by_index(index).map_err(|error| match error {
            ZipError::UnsupportedArchive(reason) if reason.to_lowercase().contains("password") => {
                ExtractError::new(
                    Code::Encrypted,
                    format!("{} is a zip package locked with a password", self.file_name),
                )
            }
            other => damaged(self.file_name, &format!("{name} cannot be opened ({other})")),
        })?;
        let mut bytes = Vec::new();
        let outcome = entry.take(limit + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > limit {
            let message = format!("{name} in {} inflates to more than {limit} bytes", self.file_name);
            return Err(ExtractError::new(Code::ZipBomb, message));
        }
        outcome.map_err(|error| damaged(self.file_name, &format!("{name} cannot be read ({error})")))?;
        Ok(Some(decode(&bytes)))
    }

    /// The part the package says is the document.
    pub(super) fn main_part(&mut self) -> Result<String, ExtractError> {
        let relations = self.relations("")?;
        match relations.targets("officeDocument").first() {
            Some(name) if self.entries.contains_key(&normal(name)) => Ok(name.clone()),
            _ if self.entries.contains_key("word/document.xml") => Ok("word/document.xml".to_owned()),
            _ => Err(damaged(self.file_name, "the package names no main part")),
        }
    }

    /// The part with the title.
    pub(super) fn core_properties(&mut self) -> Option<String> {
        let relations = self.relations("").ok()?;
        relations.targets("core-properties").first().cloned()
    }

    /// A part's relationships. A package without the relationship part is legal.
    pub(super) fn relations(&mut self, part: &str) -> Result<Relations, ExtractError> {
        let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
        let location = format!("{folder}/_rels/{name}.rels");
        let mut found = Relations::default();
        let Some(text) = self.part(&location)? else {
            return Ok(found);
        };
        let mut xml = Xml::new(&text, self.limits);
        while let Some(event) = xml
            .next()
            .map_err(|problem| problem.into_error(self.file_name, &location))?
        {
            let Event::Start(element) = event else { continue };
            if !element.is("Relationship") {
                continue;
            }
            let (Some(kind), Some(target)) = (element.attribute("Type"), element.attribute("Target")) else {
                continue;
            };
            let kind = kind.rsplit('/').next().unwrap_or_default();
            if element.attribute("TargetMode").as_deref() != Some("External") {
                let targets = found.parts.entry(kind.to_owned()).or_default();
                targets.push(resolve(folder, &target));
            } else if kind == "hyperlink" {
                found.links.extend(element.attribute("Id").map(|id| (id, target)));
            }
        }
        Ok(found)
    }
}

/// Where a part leads.
#[derive(Debug, Default)]
pub(super) struct Relations {
    /// Parts of the package, by the last segment of the relationship's type.
    parts: HashMap<String, Vec<String>>,
    /// Addresses outside the package, by the relationship's id.
    pub(super) links: HashMap<String, String>,
}

impl Relations {
    pub(super) fn targets(&self, kind: &str) -> &[String] {
        self.parts.get(kind).map(Vec::as_slice).unwrap_or_default()
    }
}

fn normal(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_lowercase()
}

/// A relationship's target relative to the folder of the part that has it.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in target.split('/') {
        match segment {
            "." | "" => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    segments.join("/")
}

/// Parts are UTF-8 or UTF-16, with or without a BOM.
fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, bom)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[bom..]).0.into_owned();
    }
    match bytes {
        [b'<', 0, ..] => encoding_rs::UTF_16LE.decode(bytes).0.into_owned(),
        [0, b'<', ..] => encoding_rs::UTF_16BE.decode(bytes).0.into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
