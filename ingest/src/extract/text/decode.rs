//! From bytes to text: which encoding a text file is in.
//!
//! BOM, then strict UTF-8, then UTF-16 by where its zero bytes are, then a guess that is reported
//! as one. Escape sequences of ISO-2022-JP are looked for before UTF-8, because they are ASCII.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::block::Warning;
use crate::catalogue::Code;
use crate::extract::ExtractError;

/// Decoded text and what had to be guessed for it.
pub(in crate::extract) struct Decoded {
    pub(in crate::extract) text: String,
    pub(in crate::extract) warnings: Vec<Warning>,
}

/// Share of control characters above which bytes are not text.
const BINARY_SHARE: f64 = 0.05;

pub(in crate::extract) fn decode(bytes: &[u8], file_name: &str) -> Result<Decoded, ExtractError> {
    if bytes.starts_with(&[0xFF, 0xFE, 0, 0]) {
        return Ok(utf_32(&bytes[4..], u32::from_le_bytes, file_name));
    }
    if bytes.starts_with(&[0, 0, 0xFE, 0xFF]) {
        return Ok(utf_32(&bytes[4..], u32::from_be_bytes, file_name));
    }
    if let Some((encoding, bom)) = Encoding::for_bom(bytes) {
        return Ok(with_encoding(encoding, &bytes[bom..], file_name));
    }
    if has_iso_2022_jp_escape(bytes)
        && let Some(text) = decode_strictly(encoding_rs::ISO_2022_JP, bytes)
    {
        return Ok(certain(text));
    }
    if let Some(encoding) = utf_16_by_zero_bytes(bytes) {
        return Ok(with_encoding(encoding, bytes, file_name));
    }
    if control_share(bytes) > BINARY_SHARE {
        let message = format!("{file_name} holds binary data, not text");
        return Err(ExtractError::new(Code::BinaryFile, message));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(certain(text.to_owned())),
        Err(_) => Ok(mostly_utf_8(bytes, file_name).unwrap_or_else(|| guess(bytes, file_name))),
    }
}

fn certain(text: String) -> Decoded {
    Decoded {
        text,
        warnings: Vec::new(),
    }
}

fn with_encoding(encoding: &'static Encoding, bytes: &[u8], file_name: &str) -> Decoded {
    let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
    let mut warnings = Vec::new();
    if had_errors {
        let message = format!("{file_name} has bytes that are not valid {}", encoding.name());
        warnings.push(Warning::new(Code::DecodingErrors, message));
    }
    Decoded {
        text: text.into_owned(),
        warnings,
    }
}

fn utf_32(bytes: &[u8], value_of: fn([u8; 4]) -> u32, file_name: &str) -> Decoded {
    let value = |unit: &[u8]| value_of([unit[0], unit[1], unit[2], unit[3]]);
    let units = || bytes.chunks_exact(4).map(|unit| char::from_u32(value(unit)));
    let mut decoded = certain(
        units()
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
    );
    if !bytes.len().is_multiple_of(4) || units().any(|c| c.is_none()) {
        let message = format!("{file_name} has bytes that are not valid UTF-32");
        decoded.warnings.push(Warning::new(Code::DecodingErrors, message));
    }
    decoded
}

fn has_iso_2022_jp_escape(bytes: &[u8]) -> bool {
    bytes.is_ascii()
        && bytes
            .windows(3)
            .any(|w| matches!(w, b"\x1B$@" | b"\x1B$B" | b"\x1B(J" | b"\x1B(I"))
}

fn decode_strictly(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(std::borrow::Cow::into_owned)
}

/// UTF-16 without a BOM: Latin text has its zero bytes on one side of every pair.
fn utf_16_by_zero_bytes(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(64 * 1024)];
    let pairs = sample.len() / 2;
    if pairs < 4 {
        return None;
    }
    let zeros = |side: usize| sample.chunks_exact(2).filter(|pair| pair[side] == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if odd * 10 > pairs * 4 && even * 20 < pairs {
        Some(UTF_16LE)
    } else if even * 10 > pairs * 4 && odd * 20 < pairs {
        Some(UTF_16BE)
    } else {
        None
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of at most 64 Ki bytes")]
fn control_share(bytes: &[u8]) -> f64 {
    let sample = &bytes[..bytes.len().min(64 * 1024)];
    let is_control = |byte: &&u8| {
        (**byte < 0x20 && !matches!(**byte, b'\n' | b'\r' | b'\t' | 0x0C | 0x1B)) || **byte == 0x7F
    };
    sample.iter().filter(is_control).count() as f64 / sample.len().max(1) as f64
}

/// UTF-8 with a few foreign bytes (a pasted Windows-1252 quote, a cut end): the foreign bytes are
/// read as Windows-1252, the rest stays right.
fn mostly_utf_8(bytes: &[u8], file_name: &str) -> Option<Decoded> {
    let mut text = String::with_capacity(bytes.len());
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            bad += 1;
            text.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
        }
    }
    (good >= bad * 3).then(|| {
        let message = format!("{file_name} is {} with {bad} places that are not", UTF_8.name());
        Decoded {
            text,
            warnings: vec![Warning::new(Code::DecodingErrors, message)],
        }
    })
}

fn guess(bytes: &[u8], file_name: &str) -> Decoded {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let mut decoded = with_encoding(encoding, bytes, file_name);
    let message = format!("{file_name} was read as {}", encoding.name());
    decoded
        .warnings
        .insert(0, Warning::new(Code::GuessedEncoding, message));
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        decode(bytes, "a.txt").unwrap().text
    }

    #[test]
    fn unicode_with_and_without_bom() {
        let utf16: Vec<u8> = "Öffnungszeiten: 9 Uhr"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let mut with_bom = vec![0xFF, 0xFE];
        with_bom.extend(&utf16);
        assert_eq!(text(&utf16), "Öffnungszeiten: 9 Uhr");
        assert_eq!(text(&with_bom), "Öffnungszeiten: 9 Uhr");
        let mut odd = with_bom.clone();
        odd.push(b'x');
        assert!(text(&odd).starts_with("Öffnungszeiten: 9 Uhr"));
        let big: Vec<u8> = "horario: lunes"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(text(&big), "horario: lunes");
        assert_eq!(text("\u{FEFF}caf\u{e9}".as_bytes()), "café");
        let wide: Vec<u8> = "\u{FEFF}año 👍"
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect();
        assert_eq!(text(&wide), "año 👍");
    }

    #[test]
    fn legacy_encodings_are_guessed_and_reported() {
        let (bytes, _, _) =
            WINDOWS_1252.encode("Los envíos a España tardan 3 días – cuestan 5 € según la región.");
        let decoded = decode(&bytes, "a.txt").unwrap();
        assert_eq!(
            decoded.text,
            "Los envíos a España tardan 3 días – cuestan 5 € según la región."
        );
        assert_eq!(decoded.warnings[0].code, Code::GuessedEncoding);
        let japanese = "配送には三日から五日かかります。返品は三十日以内に受け付けます。";
        assert_eq!(text(&encoding_rs::SHIFT_JIS.encode(japanese).0), japanese);
        assert_eq!(text(&encoding_rs::ISO_2022_JP.encode(japanese).0), japanese);
    }

    #[test]
    fn a_foreign_byte_does_not_turn_utf_8_into_mojibake() {
        let mut bytes = "été à la plage, où ça coûte 5 €: ".as_bytes().to_vec();
        bytes.extend([0x93, b'o', b'u', b'i', 0x94]);
        let decoded = decode(&bytes, "a.txt").unwrap();
        assert_eq!(decoded.text, "été à la plage, où ça coûte 5 €: “oui”");
        assert_eq!(decoded.warnings[0].code, Code::DecodingErrors);
    }

    #[test]
    fn binary_is_refused() {
        let bytes: Vec<u8> = (0..2048_u32)
            .map(|i| u8::try_from(i * 7919 % 251).unwrap())
            .collect();
        assert_eq!(decode(&bytes, "a.txt").err().unwrap().code, Code::BinaryFile);
    }
}
