//! A pull reader over one XML part with the guards every part needs: no DOCTYPE, a depth cap,
//! entities resolved, and an error when the part ends inside an element.

use std::borrow::Cow;
use std::fmt;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event as Raw};

use crate::catalogue::Code;
use crate::extract::{ExtractError, Limits};

/// Why a part cannot be read.
#[derive(Debug)]
pub(super) enum Problem {
    Malformed(String),
    TooDeep(usize),
    Doctype,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(reason) => write!(formatter, "its XML is damaged ({reason})"),
            Self::TooDeep(limit) => write!(formatter, "its XML is nested deeper than {limit} elements"),
            Self::Doctype => formatter.write_str("its XML declares a document type"),
        }
    }
}

impl Problem {
    pub(super) fn into_error(self, file_name: &str, part: &str) -> ExtractError {
        let code = match self {
            Self::Malformed(_) => Code::DamagedDocx,
            Self::TooDeep(_) => Code::XmlTooDeep,
            Self::Doctype => Code::DoctypeRefused,
        };
        ExtractError::new(code, format!("{file_name}, {part}: {self}"))
    }
}

/// An element's start: its local name and attributes.
pub(super) struct Element<'a> {
    raw: BytesStart<'a>,
}

impl Element<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name() == name
    }

    pub(super) fn name(&self) -> &str {
        self.raw.local_name().into_inner()
    }

    /// Whether the name stands in the namespace that is usually abbreviated like this.
    pub(super) fn has_prefix(&self, prefix: &str) -> bool {
        self.raw
            .name()
            .prefix()
            .is_some_and(|found| found.into_inner() == prefix)
    }

    /// An attribute by its local name.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let mut attributes = self.raw.attributes();
        let found = attributes
            .with_checks(false)
            .flatten()
            .find(|attribute| attribute.key.local_name().into_inner() == name)?;
        let value = quick_xml::escape::unescape(&found.value)
            .map_or_else(|_| found.value.clone(), |value| Cow::Owned(value.into_owned()));
        Some(value.into_owned())
    }

    /// `w:val`, the attribute nearly everything is in.
    pub(super) fn val(&self) -> Option<String> {
        self.attribute("val")
    }

    /// An on/off property: present means on unless its value says otherwise.
    pub(super) fn is_on(&self) -> bool {
        !matches!(self.val().as_deref(), Some("0" | "false" | "off" | "none"))
    }
}

/// What the callers see of XML. Empty elements arrive as start and end.
pub(super) enum Event<'a> {
    Start(Element<'a>),
    Text(Cow<'a, str>),
    End(String),
}

pub(super) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
    max_depth: usize,
}

impl<'a> Xml<'a> {
    pub(super) fn new(text: &'a str, limits: &Limits) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            depth: 0,
            max_depth: limits.max_xml_depth,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Event<'a>>, Problem> {
        loop {
            let event = self
                .reader
                .read_event()
                .map_err(|error| Problem::Malformed(error.to_string()))?;
            return Ok(Some(match event {
                Raw::Start(raw) | Raw::Empty(raw) => {
                    self.depth += 1;
                    if self.depth > self.max_depth {
                        return Err(Problem::TooDeep(self.max_depth));
                    }
                    Event::Start(Element { raw })
                }
                Raw::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    Event::End(end.local_name().into_inner().to_owned())
                }
                Raw::Text(text) => Event::Text(text.into_inner()),
                Raw::CData(text) => Event::Text(text.into_inner()),
                Raw::GeneralRef(reference) => match reference.resolve_char_ref() {
                    Ok(Some(c)) => Event::Text(Cow::Owned(c.to_string())),
                    _ => Event::Text(Cow::Borrowed(predefined(&reference))),
                },
                Raw::DocType(_) => return Err(Problem::Doctype),
                Raw::Eof if self.depth == 0 => return Ok(None),
                Raw::Eof => return Err(Problem::Malformed("it ends inside an element".to_owned())),
                Raw::Decl(_) | Raw::Comment(_) | Raw::PI(_) => continue,
            }));
        }
    }
}

fn predefined(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}
