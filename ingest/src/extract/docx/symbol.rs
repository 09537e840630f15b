//! Symbol fonts: which character a glyph of Symbol or Wingdings stands for.

/// Glyphs 0x61 to 0x7A and their capitals in the Symbol font.
const GREEK: &str = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ";
const GREEK_CAPITALS: &str = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ";

/// The text of `w:sym`, or of a private-use character in a run with a symbol font. Glyphs that
/// mean nothing without their font are empty.
pub(super) fn text(code: u32, font: &str) -> String {
    let glyph = match code {
        0xF020..=0xF0FF => code - 0xF000,
        0xE000..=0xF8FF => return String::new(),
        other => return char::from_u32(other).map(String::from).unwrap_or_default(),
    };
    let font = font.to_ascii_lowercase();
    let found = if font.contains("symbol") && !font.contains("segoe") {
        in_symbol(glyph)
    } else if font.contains("wingdings 2") {
        in_wingdings_2(glyph)
    } else {
        in_wingdings(glyph)
    };
    found.map(String::from).unwrap_or_default()
}

fn in_symbol(glyph: u32) -> Option<char> {
    let nth = |letters: &str, first: u32| letters.chars().nth((glyph - first) as usize);
    match glyph {
        0x41..=0x5A => nth(GREEK_CAPITALS, 0x41),
        0x61..=0x7A => nth(GREEK, 0x61),
        0x20..=0x40 | 0x5B..=0x60 | 0x7B..=0x7E => char::from_u32(glyph),
        0xA3 => Some('≤'),
        0xA5 => Some('∞'),
        0xAB => Some('↔'),
        0xAC => Some('←'),
        0xAD => Some('↑'),
        0xAE => Some('→'),
        0xAF => Some('↓'),
        0xB0 => Some('°'),
        0xB1 => Some('±'),
        0xB3 => Some('≥'),
        0xB4 => Some('×'),
        0xB7 => Some('•'),
        0xB8 => Some('÷'),
        0xB9 => Some('≠'),
        0xBB => Some('≈'),
        0xD2 => Some('®'),
        0xD3 => Some('©'),
        0xD4 => Some('™'),
        0xD6 => Some('√'),
        0xE5 => Some('∑'),
        _ => None,
    }
}

fn in_wingdings(glyph: u32) -> Option<char> {
    Some(match glyph {
        0x28 | 0x29 => '☎',
        0x2A | 0x2B => '✉',
        0x4A => '☺',
        0x4C => '☹',
        0x6F | 0x70 | 0x71 | 0xA8 => '☐',
        0x78 | 0xFD => '☒',
        0xFE => '☑',
        0xFC | 0x50 => '✓',
        0xFB => '✗',
        0xAB => '★',
        0xDF | 0xE7 | 0xEF => '←',
        0xE0 | 0xE8 | 0xF0 | 0xD8 | 0xAE => '→',
        0xE1 | 0xE9 | 0xF1 => '↑',
        0xE2 | 0xEA | 0xF2 => '↓',
        0xB0 => '°',
        0xB1 => '±',
        0xB3 => '≥',
        0xA3 => '≤',
        0xB4 => '×',
        0x6C | 0x6E | 0x9F | 0xA7 | 0xB7 => '•',
        _ => return None,
    })
}

fn in_wingdings_2(glyph: u32) -> Option<char> {
    Some(match glyph {
        0x50 => '✓',
        0x4F | 0x51 => '✗',
        0x52 => '☑',
        0x53 | 0x54 => '☒',
        0xA3 | 0x2A => '☐',
        0x97 | 0x98 => '•',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn glyphs_become_the_characters_they_stand_for() {
        assert_eq!(text(0xF0FC, "Wingdings"), "✓");
        assert_eq!(text(0xF06D, "Symbol"), "μ");
        assert_eq!(text(0xF057, "Symbol"), "Ω");
        assert_eq!(text(0x2612, "MS Gothic"), "☒");
        assert_eq!(text(0xF0B7, ""), "•");
        assert_eq!(text(0xE123, "Logo"), "");
    }
}
