//! A last try for files that pdfium cannot open: cut off, or without a table of their objects.
//!
//! The objects themselves are usually there. They are found by their headings, those packed into
//! object streams are unpacked, and a new table and, where needed, a new page tree is written
//! behind the old bytes. pdfium then reads the result like any other file; nothing else of this
//! program trusts what was found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use lopdf::{Stream, dictionary};
use regex::bytes::Regex;

use crate::extract::detect::find;

/// Most objects that are looked for.
const MAX_OBJECTS: usize = 500_000;
/// Most bytes of objects unpacked from object streams.
const MAX_UNPACKED: usize = 128 * 1024 * 1024;
/// Most bytes of an object that are searched for its dictionary.
const MAX_DICTIONARY: usize = 256 * 1024;

static HEADING: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)\b(\d{1,7})[ \t\r\n]+(\d{1,5})[ \t\r\n]+obj\b").ok());
static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)\b(\d{1,7})[ \t\r\n]+\d{1,5}[ \t\r\n]+R\b").ok());

/// Where an object is.
enum Object<'a> {
    /// At this offset of the file, with its generation.
    There(usize, u32, &'a [u8]),
    /// Unpacked from an object stream.
    Unpacked(Vec<u8>),
}

impl Object<'_> {
    fn body(&self) -> &[u8] {
        match self {
            Self::There(_, _, body) => body,
            Self::Unpacked(body) => body,
        }
    }

    /// The dictionary, without the stream that may follow it.
    fn head(&self) -> &[u8] {
        let body = self.body();
        let body = &body[..body.len().min(MAX_DICTIONARY)];
        find(body, b"stream").map_or(body, |end| &body[..end])
    }

    /// What encrypted files keep their keys in; the trailer that names it may be gone.
    fn is_lock(&self) -> bool {
        let head = self.head();
        [&b"O"[..], b"U", b"P"]
            .iter()
            .all(|key| entry(head, key).is_some())
    }

    fn is(&self, kind: &[u8]) -> bool {
        entry(self.head(), b"Type").is_some_and(|value| {
            let name = value.strip_prefix(b"/").unwrap_or_default();
            let end = name.iter().position(|byte| !byte.is_ascii_alphanumeric());
            &name[..end.unwrap_or(name.len())] == kind
        })
    }
}

/// The file with a new table of its objects; `None` when no page is in it, or when it is
/// encrypted: its keys are gone with its trailer.
pub(super) fn rebuild(bytes: &[u8]) -> Option<Vec<u8>> {
    let start = find(bytes, b"%PDF")?;
    let bytes = &bytes[start..];
    if find(bytes, b"/Encrypt").is_some() {
        return None;
    }
    let objects = objects(bytes)?;
    let pages: Vec<u32> = ordered_pages(&objects);
    if pages.is_empty() || objects.values().any(Object::is_lock) {
        return None;
    }
    Some(write(bytes, &objects, &pages))
}

/// All objects; of two with the same number the later one counts, as in a file that was changed.
fn objects(bytes: &[u8]) -> Option<BTreeMap<u32, Object<'_>>> {
    let headings: Vec<(usize, usize, u32, u32)> = HEADING
        .as_ref()?
        .captures_iter(bytes)
        .take(MAX_OBJECTS)
        .filter_map(|found| {
            let whole = found.get(0)?;
            Some((whole.start(), whole.end(), number(&found[1])?, number(&found[2])?))
        })
        .collect();
    let mut objects = BTreeMap::new();
    let mut unpacked = 0;
    for (index, (start, end, id, generation)) in headings.iter().enumerate() {
        let next = headings.get(index + 1).map_or(bytes.len(), |next| next.0);
        let body = &bytes[*end..next];
        let object = Object::There(*start, *generation, body);
        if object.is(b"ObjStm") && unpacked < MAX_UNPACKED {
            for (id, inner) in unpack(&object, body).unwrap_or_default() {
                unpacked += inner.len();
                objects.insert(id, Object::Unpacked(inner));
            }
        }
        objects.insert(*id, object);
    }
    Some(objects)
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}

/// The objects inside an object stream.
fn unpack(object: &Object<'_>, body: &[u8]) -> Option<Vec<(u32, Vec<u8>)>> {
    let head = object.head();
    let leading = |key: &[u8]| {
        let value = entry(head, key)?;
        let end = value
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(value.len());
        usize::try_from(number(&value[..end])?).ok()
    };
    let (count, first) = (leading(b"N")?, leading(b"First")?);
    let packed = &body[head.len() + b"stream".len()..];
    let packed = packed.strip_prefix(b"\r").unwrap_or(packed);
    let packed = packed.strip_prefix(b"\n").unwrap_or(packed);
    let plain = if find(head, b"FlateDecode").is_some() {
        let stream = Stream::new(dictionary! { "Filter" => "FlateDecode" }, packed.to_vec());
        stream.decompressed_content_with_limit(MAX_UNPACKED).ok()?
    } else {
        packed.to_vec()
    };
    let table = std::str::from_utf8(plain.get(..first)?).ok()?;
    let numbers: Vec<usize> = table
        .split_ascii_whitespace()
        .filter_map(|n| n.parse().ok())
        .collect();
    let pairs: Vec<(usize, usize)> = numbers
        .chunks_exact(2)
        .take(count)
        .map(|pair| (pair[0], pair[1]))
        .collect();
    let mut inner = Vec::new();
    for (index, (id, offset)) in pairs.iter().enumerate() {
        let begin = first.checked_add(*offset)?;
        let end = pairs
            .get(index + 1)
            .map_or(plain.len(), |next| first.saturating_add(next.1));
        if let (Ok(id), Some(body)) = (u32::try_from(*id), plain.get(begin..end)) {
            inner.push((id, body.to_vec()));
        }
    }
    Some(inner)
}

/// What follows a key of the outermost dictionary, white space skipped.
fn entry<'a>(head: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let (mut depth, mut at) = (0_usize, 0);
    while at < head.len() {
        let rest = &head[at..];
        if rest.starts_with(b"<<") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b">>") {
            depth = depth.saturating_sub(1);
            at += 2;
        } else if rest[0] == b'(' {
            at += string_length(rest);
        } else if depth == 1
            && rest[0] == b'/'
            && rest[1..].starts_with(key)
            && rest
                .get(1 + key.len())
                .is_none_or(|byte| !byte.is_ascii_alphanumeric())
        {
            let value = &rest[1 + key.len()..];
            let blank = value.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            return Some(&value[blank..]);
        } else {
            at += 1;
        }
    }
    None
}

/// Bytes of a string in brackets, nested and escaped ones included.
fn string_length(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        match text[at] {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' if depth == 1 => return at + 1,
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The pages in the order of the page tree as far as it is there, then the others as they come.
fn ordered_pages(objects: &BTreeMap<u32, Object<'_>>) -> Vec<u32> {
    let mut ordered: Vec<u32> = Vec::new();
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    let roots = objects
        .iter()
        .filter(|(_, object)| object.is(b"Pages") && entry(object.head(), b"Parent").is_none());
    for (root, _) in roots {
        let mut open = vec![*root];
        while let Some(id) = open.pop() {
            let Some(object) = objects.get(&id).filter(|_| seen.insert(id)) else {
                continue;
            };
            if object.is(b"Page") {
                ordered.push(id);
            } else if let Some(kids) = entry(object.head(), b"Kids") {
                open.extend(references(kids).into_iter().rev());
            }
        }
    }
    let by_place = |(id, object): (&u32, &Object<'_>)| match object {
        Object::There(offset, _, _) => (*offset, *id),
        Object::Unpacked(_) => (usize::MAX, *id),
    };
    let mut others: Vec<(usize, u32)> = objects
        .iter()
        .filter(|(id, object)| !seen.contains(id) && object.is(b"Page"))
        .map(by_place)
        .collect();
    others.sort_unstable();
    ordered.extend(others.into_iter().map(|(_, id)| id));
    ordered
}

/// The references of an array.
fn references(array: &[u8]) -> Vec<u32> {
    let end = array.iter().position(|byte| *byte == b']').unwrap_or(array.len());
    let Some(pattern) = REFERENCE.as_ref() else {
        return Vec::new();
    };
    pattern
        .captures_iter(&array[..end])
        .filter_map(|found| number(&found[1]))
        .collect()
}

/// The old bytes, the unpacked objects, a flat page tree, a table and a trailer.
fn write(bytes: &[u8], objects: &BTreeMap<u32, Object<'_>>, pages: &[u32]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    // The last object may be cut off in the middle of its stream.
    out.extend_from_slice(b"\nendstream\nendobj\n");
    let mut table: BTreeMap<u32, (usize, u32)> = BTreeMap::new();
    for (id, object) in objects {
        match object {
            Object::There(offset, generation, _) => {
                table.insert(*id, (*offset, *generation));
            }
            Object::Unpacked(body) => {
                table.insert(*id, (out.len(), 0));
                out.extend_from_slice(format!("{id} 0 obj\n").as_bytes());
                out.extend_from_slice(body);
                out.extend_from_slice(b"\nendobj\n");
            }
        }
    }
    let tree = objects.keys().next_back().map_or(1, |last| last + 1);
    let generation = |id: &u32| table.get(id).map_or(0, |(_, generation)| *generation);
    let kids: Vec<String> = pages
        .iter()
        .map(|id| format!("{id} {} R", generation(id)))
        .collect();
    let added = [
        format!(
            "<< /Type /Pages /Count {} /Kids [{}] >>",
            pages.len(),
            kids.join(" ")
        ),
        format!("<< /Type /Catalog /Pages {tree} 0 R >>"),
    ];
    for (id, body) in (tree..).zip(added) {
        table.insert(id, (out.len(), 0));
        out.extend_from_slice(format!("{id} 0 obj\n{body}\nendobj\n").as_bytes());
    }
    let start = out.len();
    out.extend_from_slice(b"xref\n0 1\n0000000000 65535 f \n");
    for (id, (offset, generation)) in table.iter().filter(|(id, _)| **id > 0) {
        out.extend_from_slice(format!("{id} 1\n{offset:010} {generation:05} n \n").as_bytes());
    }
    let size = tree + 2;
    let root = tree + 1;
    let trailer = format!("trailer\n<< /Size {size} /Root {root} 0 R >>\nstartxref\n{start}\n%%EOF\n");
    out.extend_from_slice(trailer.as_bytes());
    out
}
