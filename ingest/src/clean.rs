//! Text normalisation shared by the extractors.
//!
//! The canonical text keeps what a reader sees and drops what only a machine sees: control
//! characters (Postgres refuses NUL), zero-width and directional marks, exotic spaces and line
//! ends. Ligatures become letters, because nobody types "ﬁ". It is not NFKC: "½" and "m²" stay,
//! quotes must match the document.

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// What a character becomes.
enum Fate {
    Keep(char),
    Space,
    LineBreak,
    Letters(&'static str),
    Drop,
}

/// Control characters, soft hyphen, zero-width space, directional marks, invisible operators,
/// BOM, non-characters, and the tag block that can carry invisible text. The zero-width joiners
/// stay: Persian and emoji need them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
        )
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFC}')
        || matches!(c, '\u{FDD0}'..='\u{FDEF}' | '\u{FFFE}' | '\u{FFFF}' | '\u{E0000}'..='\u{E007F}')
}

fn fate(c: char) -> Fate {
    match c {
        '\n' | '\t' => Fate::Keep(c),
        '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Fate::LineBreak,
        '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => Fate::Space,
        '\u{FB00}' => Fate::Letters("ff"),
        '\u{FB01}' => Fate::Letters("fi"),
        '\u{FB02}' => Fate::Letters("fl"),
        '\u{FB03}' => Fate::Letters("ffi"),
        '\u{FB04}' => Fate::Letters("ffl"),
        '\u{FB05}' | '\u{FB06}' => Fate::Letters("st"),
        invisible if is_invisible(invisible) => Fate::Drop,
        other => Fate::Keep(other),
    }
}

/// Replaces or drops the characters that must not reach the canonical text, and composes
/// accents. Lines and inner spacing stay.
pub fn characters(raw: &str) -> String {
    let plain = raw
        .bytes()
        .all(|b| (b' '..0x7F).contains(&b) || b == b'\n' || b == b'\t');
    if plain {
        return raw.to_owned();
    }
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match fate(c) {
            Fate::Keep(kept) => out.push(kept),
            Fate::Space => out.push(' '),
            Fate::LineBreak => {
                if c == '\r' && chars.peek() == Some(&'\n') {
                    chars.next();
                }
                out.push('\n');
            }
            Fate::Letters(letters) => out.push_str(letters),
            Fate::Drop => {}
        }
    }
    if is_nfc(&out) { out } else { out.nfc().collect() }
}

/// [`characters`], then every run of white space (line breaks included) becomes one space and the
/// ends are trimmed: one line.
pub fn one_line(raw: &str) -> String {
    collapse(&characters(raw))
}

/// Collapses white space of already clean text.
pub fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// A heading as it is repeated with every block below it: a "heading" of a megabyte is none.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 300;
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(LONGEST)])
}

/// A file's name as messages show it: on one line, of bearable length, its extension kept.
pub(crate) fn file_name(raw: &str) -> String {
    const LONGEST: usize = 120;
    const END: usize = 20;
    let name: Vec<char> = one_line(raw).chars().collect();
    match name.len() {
        0 => "the file".to_owned(),
        length if length <= LONGEST => name.into_iter().collect(),
        length => {
            let (start, end) = (&name[..LONGEST - END], &name[length - END..]);
            start.iter().chain(&['…']).chain(end).collect()
        }
    }
}

/// True for the private-use characters a font invents when it does not say what a glyph means.
pub fn is_private_use(c: char) -> bool {
    matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}')
}

/// Letters and digits only, lower case: to compare two lines that differ in spacing or dots.
pub(crate) fn fingerprint(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_a_reader_sees() {
        assert_eq!(characters("e\u{301}tude ½ m² 👍🏽"), "étude ½ m² 👍🏽");
        assert_eq!(characters("e\u{FB03}cient\u{AD}ly\u{0}\u{2}"), "efficiently");
        assert_eq!(characters("a\r\nb\rc\u{2028}d"), "a\nb\nc\nd");
        assert_eq!(one_line("  12\u{202F}€ \n\t each "), "12 € each");
    }

    #[test]
    fn names_fit_a_message() {
        assert_eq!(file_name("a b.pdf"), "a b.pdf");
        assert_eq!(file_name("a\nERROR: b\u{202E}\u{1B}.pdf"), "a ERROR: b.pdf");
        assert_eq!(file_name("\n"), "the file");
        let name = file_name(&format!("{}.docx", "é".repeat(500)));
        assert_eq!(name.chars().count(), 121);
        assert!(name.ends_with("é.docx"));
        assert_eq!(shortened(&"é".repeat(200)).chars().count(), 151);
    }
}
