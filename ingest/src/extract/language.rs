//! Which language a text is in.

use crate::block::{BlockKind, Extraction, Format};

/// The main language, when a sample of the text tells it reliably. Of a table only cells that
/// are sentences count: column names and codes are no language.
pub(super) fn language(extraction: &Extraction) -> Option<String> {
    const SAMPLE_BYTES: usize = 20_000;
    const MIN_CELL_WORDS: usize = 5;
    const MIN_BYTES: usize = 60;
    let mut sample = String::new();
    for block in &extraction.blocks {
        let text = block.range.of(&extraction.text);
        if block.kind == BlockKind::TableRow {
            let values = text
                .split(" | ")
                .map(|cell| cell.split_once(": ").map_or(cell, |(_, value)| value));
            for value in values.filter(|value| value.split(' ').count() >= MIN_CELL_WORDS) {
                sample.push_str(value);
                sample.push('\n');
            }
        } else {
            sample.push_str(text);
            sample.push('\n');
        }
        if sample.len() > SAMPLE_BYTES {
            break;
        }
    }
    if extraction.format == Format::Csv && sample.len() < MIN_BYTES {
        return None;
    }
    sample.truncate(sample.floor_char_boundary(SAMPLE_BYTES));
    let info = whatlang::detect(&sample)?;
    info.is_reliable().then(|| iso_639_1(info.lang()).to_owned())
}

/// whatlang speaks ISO 639-3; the rest of the product speaks 639-1.
fn iso_639_1(lang: whatlang::Lang) -> &'static str {
    let code = lang.code();
    ISO_639
        .iter()
        .find(|(three, _)| *three == code)
        .map_or(code, |(_, two)| two)
}

const ISO_639: &[(&str, &str)] = &[
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];
