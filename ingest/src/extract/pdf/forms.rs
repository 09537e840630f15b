//! What people typed into a page: values of form fields and free-text notes.
//!
//! Neither is part of the page's own content, so pdfium's text does not have it. Both are read
//! with lopdf, which, unlike the safe part of pdfium's interface, knows the label of a field. Only
//! files that have fields or notes pay for the second parse.

use std::collections::BTreeMap;

use lopdf::{Dictionary, Document, Object, ObjectId};
use pdfium_render::prelude::{PdfPage, PdfPageAnnotationType, PdfPageText, PdfPoints, PdfRect};

use crate::clean;
use crate::extract::pdf::hidden::Scene;

/// Deepest nesting of form fields.
const MAX_PARENTS: usize = 32;
/// Most notes and fields of one page.
const MAX_ENTRIES: usize = 5_000;

/// Something typed into a page.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    label: Option<String>,
    value: String,
    /// Left, bottom, right, top.
    place: [f32; 4],
    /// A box that is not ticked; it says something only in a form that was filled in.
    unticked: bool,
    /// Written so that nobody can see it.
    hidden: bool,
}

/// The entries of a document by page number.
#[derive(Debug, Default)]
pub(super) struct Forms {
    pages: BTreeMap<u32, Vec<Entry>>,
    filled_in: bool,
}

/// What is to be added to a page, and how much was left out because nobody can see it.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub(super) lines: Vec<String>,
    pub(super) hidden: usize,
}

/// Whether the page has fields or notes at all.
pub(super) fn has_entries(page: &PdfPage<'_>) -> bool {
    page.annotations().iter().any(|annotation| {
        matches!(
            annotation.annotation_type(),
            PdfPageAnnotationType::Widget | PdfPageAnnotationType::FreeText
        )
    })
}

impl Forms {
    /// Empty when lopdf cannot read the file: the page's own text is there all the same.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let Ok(mut document) = Document::load_mem(bytes) else {
            return Self::default();
        };
        if document.is_encrypted() && document.decrypt("").is_err() {
            return Self::default();
        }
        let mut pages = BTreeMap::new();
        for (number, page) in document.get_pages() {
            let entries = entries(&document, page);
            if !entries.is_empty() {
                pages.insert(number, entries);
            }
        }
        let filled_in = pages
            .values()
            .flatten()
            .any(|entry: &Entry| entry.label.is_some() && !entry.unticked);
        Self { pages, filled_in }
    }

    /// The lines to add to a page: what its own text does not show already.
    pub(super) fn of(&self, number: u32, text: &PdfPageText<'_>, scene: &Scene<'_>) -> Typed {
        let mut typed = Typed::default();
        for entry in self.pages.get(&number).into_iter().flatten() {
            let [left, bottom, right, top] = entry.place;
            let off_page = !scene.has_on_it(f32::midpoint(left, right), f32::midpoint(bottom, top));
            if entry.hidden || off_page {
                typed.hidden += entry.value.chars().count();
            } else if (!entry.unticked || self.filled_in) && !is_drawn(entry, text) {
                typed.lines.push(match &entry.label {
                    Some(label) => format!("{}: {}", label.trim_end_matches(':'), entry.value),
                    None => entry.value.clone(),
                });
            }
        }
        typed
    }
}

/// Whether the page's own text has the value where the field stands.
fn is_drawn(entry: &Entry, text: &PdfPageText<'_>) -> bool {
    let [left, bottom, right, top] = entry.place.map(PdfPoints::new);
    let drawn = clean::fingerprint(&text.inside_rect(PdfRect::new(bottom, left, top, right)));
    let value = clean::fingerprint(&entry.value);
    !value.is_empty() && drawn.contains(&value)
}

fn entries(document: &Document, page: ObjectId) -> Vec<Entry> {
    let annotations = document
        .get_dictionary(page)
        .and_then(|page| page.get_deref(b"Annots", document))
        .and_then(Object::as_array);
    let Ok(annotations) = annotations else {
        return Vec::new();
    };
    let annotation = |object: &Object| entry(document, dictionary(document, object)?);
    annotations
        .iter()
        .filter_map(annotation)
        .take(MAX_ENTRIES)
        .collect()
}

fn dictionary<'a>(document: &'a Document, object: &'a Object) -> Option<&'a Dictionary> {
    document.dereference(object).ok()?.1.as_dict().ok()
}

fn entry(document: &Document, annotation: &Dictionary) -> Option<Entry> {
    /// Bits of the annotation's flags: invisible, hidden, not to be viewed.
    const UNSEEN: i64 = 1 << 1 | 1 << 5;
    let flags = annotation.get(b"F").and_then(Object::as_i64).unwrap_or(0);
    let place = place(document, annotation)?;
    let field = Field { document, annotation };
    let (label, value) = match annotation.get(b"Subtype").and_then(Object::as_name).ok()? {
        b"FreeText" => (None, field.text(annotation.get(b"Contents").ok()?)?),
        b"Widget" => (Some(field.label()), field.value()?),
        _ => return None,
    };
    let value = clean::one_line(&value);
    if value.is_empty() {
        return None;
    }
    let too_small = place[2] - place[0] < 1.0 || place[3] - place[1] < 1.0;
    Some(Entry {
        unticked: label.is_some() && field.is_tick_box() && value == NO,
        hidden: flags & UNSEEN != 0 || too_small || field.is_pale(),
        label: label
            .map(|label| clean::one_line(&label))
            .filter(|label| !label.is_empty()),
        value,
        place,
    })
}

fn place(document: &Document, annotation: &Dictionary) -> Option<[f32; 4]> {
    let rect = annotation.get_deref(b"Rect", document).ok()?.as_array().ok()?;
    let side = |index: usize| document.dereference(rect.get(index)?).ok()?.1.as_float().ok();
    let (a, b, c, d) = (side(0)?, side(1)?, side(2)?, side(3)?);
    Some([a.min(c), b.min(d), a.max(c), b.max(d)])
}

const YES: &str = "yes";
const NO: &str = "no";
const RADIO: i64 = 1 << 15;
const PUSH_BUTTON: i64 = 1 << 16;
const PASSWORD: i64 = 1 << 13;

/// A widget with what it inherits from the fields it belongs to.
struct Field<'a> {
    document: &'a Document,
    annotation: &'a Dictionary,
}

impl<'a> Field<'a> {
    /// The widget itself and its parents, innermost first.
    fn chain(&self) -> impl Iterator<Item = &'a Dictionary> {
        let document = self.document;
        let parent = move |field: &&'a Dictionary| dictionary(document, field.get(b"Parent").ok()?);
        std::iter::successors(Some(self.annotation), parent).take(MAX_PARENTS)
    }

    fn inherited(&self, key: &[u8]) -> Option<&'a Object> {
        let document = self.document;
        self.chain().find_map(|field| field.get_deref(key, document).ok())
    }

    /// What the form calls the field to people, else its name in the file.
    fn label(&self) -> String {
        let named = |key: &[u8]| self.inherited(key).and_then(|name| self.text(name));
        named(b"TU")
            .filter(|label| !label.trim().is_empty())
            .or_else(|| named(b"T"))
            .unwrap_or_default()
    }

    fn flags(&self) -> i64 {
        self.inherited(b"Ff")
            .and_then(|flags| flags.as_i64().ok())
            .unwrap_or(0)
    }

    fn kind(&self) -> &'a [u8] {
        let kind = self.inherited(b"FT").and_then(|kind| kind.as_name().ok());
        kind.unwrap_or_default()
    }

    fn is_tick_box(&self) -> bool {
        self.kind() == b"Btn" && self.flags() & (RADIO | PUSH_BUTTON) == 0
    }

    fn value(&self) -> Option<String> {
        let flags = self.flags();
        match self.kind() {
            b"Tx" if flags & PASSWORD == 0 => self.text(self.inherited(b"V")?),
            b"Ch" => self.choices(),
            b"Btn" if flags & PUSH_BUTTON != 0 => None,
            b"Btn" if flags & RADIO != 0 => self.state().map(|state| self.option(&state)),
            b"Btn" => Some(if self.state().is_some() { YES } else { NO }.to_owned()),
            _ => None,
        }
    }

    /// The state a button is in, unless it is off.
    fn state(&self) -> Option<String> {
        let state = self.annotation.get(b"AS").ok().or_else(|| self.inherited(b"V"))?;
        let name = String::from_utf8_lossy(state.as_name().ok()?).into_owned();
        (name != "Off").then_some(name)
    }

    fn choices(&self) -> Option<String> {
        let chosen = self.inherited(b"V")?;
        let texts: Vec<String> = match chosen {
            Object::Array(many) => many.iter().filter_map(|one| self.text(one)).collect(),
            one => vec![self.text(one)?],
        };
        let shown: Vec<String> = texts.iter().map(|text| self.option(text)).collect();
        Some(shown.join(", "))
    }

    /// What people see for an exported value: an option's own text, or the one it numbers.
    fn option(&self, exported: &str) -> String {
        let Some(options) = self.inherited(b"Opt").and_then(|options| options.as_array().ok()) else {
            return exported.to_owned();
        };
        let by_pair = options.iter().find_map(|option| {
            let pair = self.document.dereference(option).ok()?.1.as_array().ok()?;
            (self.text(pair.first()?)? == exported).then(|| self.text(pair.get(1)?))?
        });
        let by_number = || {
            let number: usize = exported.parse().ok()?;
            let is_button = self.kind() == b"Btn";
            self.text(options.get(number).filter(|_| is_button)?)
        };
        by_pair.or_else(by_number).unwrap_or_else(|| exported.to_owned())
    }

    fn text(&self, object: &Object) -> Option<String> {
        match self.document.dereference(object).ok()?.1 {
            Object::Stream(stream) => {
                let bytes = stream.get_plain_content().ok()?;
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            Object::Name(name) => Some(String::from_utf8_lossy(name).into_owned()),
            text => lopdf::decode_text_string(text).ok(),
        }
    }

    /// Set in white or in less than a point, on no ground of its own.
    fn is_pale(&self) -> bool {
        let appearance = self.inherited(b"DA").and_then(|appearance| self.text(appearance));
        let ground = self.annotation.get(b"C").is_ok()
            || self
                .annotation
                .get_deref(b"MK", self.document)
                .and_then(Object::as_dict)
                .is_ok_and(|look| look.has(b"BG"));
        appearance.is_some_and(|appearance| is_pale(&appearance, ground))
    }
}

/// Reads a default appearance such as `/Helv 12 Tf 0 g`.
fn is_pale(appearance: &str, on_ground: bool) -> bool {
    let mut numbers: Vec<f32> = Vec::new();
    let (mut white, mut tiny) = (false, false);
    for token in appearance.split_ascii_whitespace() {
        if let Ok(number) = token.parse() {
            numbers.push(number);
            continue;
        }
        match token {
            "g" | "rg" => white = !numbers.is_empty() && numbers.iter().all(|channel| *channel > 0.92),
            "k" => white = !numbers.is_empty() && numbers.iter().all(|ink| *ink < 0.08),
            // A size of 0 is chosen by the viewer.
            "Tf" => tiny = numbers.last().is_some_and(|size| *size > 0.0 && *size < 1.0),
            _ => {}
        }
        numbers.clear();
    }
    tiny || (white && !on_ground)
}

#[cfg(test)]
mod tests {
    use super::is_pale;

    #[test]
    fn default_appearances() {
        assert!(!is_pale("/Helv 12 Tf 0 g", false));
        assert!(!is_pale("/Helv 0 Tf 0.1 0.2 0.9 rg", false));
        assert!(is_pale("1 1 1 rg /Helv 12 Tf", false));
        assert!(!is_pale("1 g /Helv 12 Tf", true));
        assert!(is_pale("/Helv 0.5 Tf 0 g", false));
        assert!(is_pale("0 0 0 0 k /Helv 9 Tf", false));
    }
}
