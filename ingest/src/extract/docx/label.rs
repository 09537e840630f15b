//! Numbers as lists write them: 3, c, iii, 03, 三, ③ …

/// A number in one of the formats people use; all others are shown as digits.
pub(super) fn number(value: u32, format: &str) -> String {
    match format {
        "lowerLetter" => letters(value, 'a', 26),
        "upperLetter" => letters(value, 'A', 26),
        "lowerRoman" => roman(value),
        "upperRoman" => roman(value).to_uppercase(),
        "decimalZero" => format!("{value:02}"),
        "ordinal" => ordinal(value),
        "russianLower" => from("абвгдежзиклмнопрстуфхцчшщэюя", value),
        "russianUpper" => from("АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЭЮЯ", value),
        "arabicAlpha" => from("أبتثجحخدذرزسشصضطظعغفقكلمنهوي", value),
        "arabicAbjad" => from("أبجدهوزحطيكلمنسعفصقرشتثخذضظغ", value),
        "hebrew1" | "hebrew2" => from("אבגדהוזחטיכלמנסעפצקרשת", value),
        "ganada" => from("가나다라마바사아자차카타파하", value),
        "aiueo" | "aiueoFullWidth" => from("アイウエオカキクケコサシスセソタチツテト", value),
        "iroha" | "irohaFullWidth" => from("イロハニホヘトチリヌルヲワカヨタレソツネ", value),
        "decimalEnclosedCircle" | "decimalEnclosedCircleChinese" => circled(value),
        "decimalFullWidth" | "decimalFullWidth2" => digits(value, '０'),
        "thaiNumbers" => digits(value, '๐'),
        "hindiNumbers" => digits(value, '०'),
        "thaiLetters" => from("กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดตถทธนบป", value),
        "chineseCounting"
        | "chineseCountingThousand"
        | "taiwaneseCounting"
        | "taiwaneseCountingThousand"
        | "japaneseCounting"
        | "ideographDigital"
        | "taiwaneseDigital"
        | "koreanDigital2" => chinese(value),
        "ideographTraditional" => from("甲乙丙丁戊己庚辛壬癸", value),
        _ => value.to_string(),
    }
}

/// 1 → a, 26 → z, 27 → aa, 28 → bb, as word processors count.
fn letters(value: u32, first: char, count: u32) -> String {
    let Some(index) = value.checked_sub(1) else {
        return String::new();
    };
    let letter = char::from_u32(u32::from(first) + index % count).unwrap_or(first);
    let times = (index / count + 1).min(20);
    (0..times).map(|_| letter).collect()
}

fn from(alphabet: &str, value: u32) -> String {
    let letter = value
        .checked_sub(1)
        .and_then(|index| alphabet.chars().nth(index as usize));
    letter.map_or_else(|| value.to_string(), String::from)
}

fn digits(value: u32, zero: char) -> String {
    let shift = |digit: char| char::from_u32(u32::from(zero) + digit.to_digit(10)?);
    value.to_string().chars().filter_map(shift).collect()
}

fn circled(value: u32) -> String {
    let first = match value {
        1..=20 => 0x2460 - 1,
        21..=35 => 0x3251 - 21,
        _ => return value.to_string(),
    };
    char::from_u32(first + value).map_or_else(|| value.to_string(), String::from)
}

fn ordinal(value: u32) -> String {
    let suffix = match (value % 100, value % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{value}{suffix}")
}

fn chinese(value: u32) -> String {
    let digit = |n: u32| "〇一二三四五六七八九".chars().nth(n as usize).unwrap_or('〇');
    match value {
        0..=9 => digit(value).to_string(),
        10..=99 => {
            let mut out = String::new();
            if value >= 20 {
                out.push(digit(value / 10));
            }
            out.push('十');
            if !value.is_multiple_of(10) {
                out.push(digit(value % 10));
            }
            out
        }
        _ => value
            .to_string()
            .chars()
            .filter_map(|c| c.to_digit(10))
            .map(digit)
            .collect(),
    }
}

fn roman(value: u32) -> String {
    const PARTS: [(u32, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    let mut left = value.min(10_000);
    let mut out = String::new();
    for (size, digits) in PARTS {
        while left >= size {
            out.push_str(digits);
            left -= size;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_in_the_formats_of_lists() {
        let cases = [
            (28, "lowerLetter", "bb"),
            (1994, "upperRoman", "MCMXCIV"),
            (7, "decimalZero", "07"),
            (112, "ordinal", "112th"),
            (23, "chineseCounting", "二十三"),
            (10, "chineseCountingThousand", "十"),
            (12, "decimalEnclosedCircle", "⑫"),
            (3, "russianLower", "в"),
            (15, "decimalFullWidth", "１５"),
            (4, "unknown", "4"),
            (0, "upperLetter", ""),
        ];
        for (value, format, label) in cases {
            assert_eq!(number(value, format), label, "{format}");
        }
    }
}
