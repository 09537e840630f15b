//! The details of a text that cannot be paraphrased: numbers with units, dates, times, codes, addresses, names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use plumbline_models::reading::{fold, is_stop_word, words};
use regex::Regex;

use crate::vocabulary;

fn pattern(text: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "the patterns are constants of this file and every one is tested"
    )]
    Regex::new(text).expect("a valid pattern")
}

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://[^\s<>()]+|\bwww\.[^\s<>()]+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|info|example|io|gh|fr|pt|es|br|mx)(?:/[^\s<>()]*)?\b",
    )
});
static PHONE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\+?\d[\d\s().-]{6,}\d"));
static ISO_DATE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(\d{4})-(\d{2})-(\d{2})\b"));
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(\d{1,2})(?:[:h.](\d{2}))?\s?(a\.?m\.?|p\.?m\.?|h\b|hrs\b|heures\b|horas\b|o'clock)|\b(\d{1,2}):(\d{2})\b",
    )
});
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\d+(?:[.,'’\u{a0}\u{202f} ]\d{3})+(?:[.,]\d+)?\b|\d+(?:[.,]\d+)?"));
static CODE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:[A-Za-z]+[-/]?\d|\d+[-/]?[A-Z])[A-Za-z0-9/-]*\b"));

/// Canonical unit and the folded forms it is written in.
const UNITS: &[(&str, &[&str])] = &[
    ("ghs", &["ghs", "gh₵", "₵", "cedi", "cedis", "gh¢"]),
    ("usd", &["usd", "$", "us$", "dollar", "dollars", "dolares"]),
    ("eur", &["eur", "€", "euro", "euros"]),
    ("gbp", &["gbp", "£", "pound", "pounds"]),
    ("ngn", &["ngn", "₦", "naira"]),
    ("xof", &["xof", "cfa", "fcfa", "xaf"]),
    ("kes", &["kes", "ksh", "shilling", "shillings"]),
    ("brl", &["brl", "r$", "real", "reais"]),
    ("%", &["%", "percent", "pourcent"]),
    ("kg", &["kg", "kgs", "kilo", "kilos", "kilogram", "kilograms"]),
    ("g", &["g", "gram", "grams", "grammes"]),
    ("km", &["km", "kilometres", "kilometers", "kilometre"]),
    ("cm", &["cm", "centimetres"]),
    ("m", &["m", "metre", "metres", "meter", "meters", "metros"]),
    ("l", &["l", "litre", "litres", "liter", "liters", "litros"]),
    ("w", &["w", "watt", "watts"]),
    ("kwh", &["kwh"]),
    ("v", &["v", "volt", "volts"]),
    (
        "minute",
        &["minute", "minutes", "min", "mins", "minuto", "minutos"],
    ),
    (
        "hour",
        &["hour", "hours", "hrs", "heure", "heures", "hora", "horas"],
    ),
    ("day", &["day", "days", "jour", "jours", "dia", "dias"]),
    (
        "week",
        &["week", "weeks", "semaine", "semaines", "semana", "semanas"],
    ),
    ("month", &["month", "months", "mois", "mes", "meses"]),
    (
        "year",
        &["year", "years", "an", "ans", "annee", "annees", "ano", "anos"],
    ),
];

/// Number words from two on; "one" is too often an article.
const NUMBER_WORDS: &[(&str, &[&str])] = &[
    ("2", &["two", "deux", "dois", "duas", "dos"]),
    ("3", &["three", "trois", "tres"]),
    ("4", &["four", "quatre", "quatro", "cuatro"]),
    ("5", &["five", "cinq", "cinco"]),
    ("6", &["six", "seis"]),
    ("7", &["seven", "sept", "sete", "siete"]),
    ("8", &["eight", "huit", "oito", "ocho"]),
    ("9", &["nine", "neuf", "nove", "nueve"]),
    ("10", &["ten", "dix", "dez", "diez"]),
    ("12", &["twelve", "douze", "doze", "doce"]),
    ("14", &["fourteen", "quatorze", "catorze", "catorce"]),
    ("15", &["fifteen", "quinze", "quince"]),
    ("20", &["twenty", "vingt", "vinte", "veinte"]),
    ("30", &["thirty", "trente", "trinta", "treinta"]),
];

/// A canonical decimal and the unit that stands next to it.
type Measured = BTreeMap<String, BTreeSet<&'static str>>;

/// The details of one text.
#[derive(Debug, Default)]
pub(super) struct Facts {
    addresses: BTreeSet<String>,
    /// Digits of long numbers written with spaces or hyphens.
    phones: BTreeSet<String>,
    /// Minutes after midnight.
    times: BTreeSet<u32>,
    months: BTreeSet<usize>,
    weekdays: BTreeSet<usize>,
    /// Every reading of every number, with the units beside it.
    numbers: Measured,
    /// Each number once per place, as its possible readings.
    readings: Vec<(String, Vec<String>, Option<&'static str>)>,
    units: BTreeSet<&'static str>,
    codes: BTreeSet<String>,
    names: BTreeSet<String>,
    stems: BTreeSet<String>,
    /// All letters and digits, to find codes that are written apart.
    squashed: String,
    digits: String,
}

impl Facts {
    /// Reads the details of `text`.
    pub(super) fn of(text: &str) -> Self {
        let mut facts = Self {
            squashed: squash(text),
            digits: text.chars().filter(char::is_ascii_digit).collect(),
            ..Self::default()
        };
        let mut rest = text.to_owned();
        facts.addresses = take(&mut rest, &ADDRESS, |found| {
            fold(found.trim_end_matches(['.', ',', ';', ':', '/']))
        });
        facts.read_dates(&mut rest);
        facts.read_times(&rest);
        facts.read_phones(&mut rest);
        facts.codes = CODE
            .find_iter(&rest)
            .map(|found| squash(found.as_str()))
            .filter(|code| code.len() >= 2)
            .collect();
        facts.read_numbers(&rest);
        facts.read_words(text);
        facts
    }

    /// The first detail of this text that the cited text does not hold. Names and codes may also be in `around`.
    pub(super) fn not_in(&self, cited: &Self, around: &Self) -> Option<String> {
        let missing_text = |own: &BTreeSet<String>, held: &dyn Fn(&str) -> bool| {
            own.iter().find(|detail| !held(detail)).cloned()
        };
        missing_text(&self.addresses, &|address| {
            cited.addresses.iter().any(|other| other == address)
        })
        .or_else(|| missing_text(&self.phones, &|digits| cited.digits.contains(digits)))
        .or_else(|| {
            self.times
                .difference(&cited.times)
                .next()
                .map(|minutes| format!("{:02}:{:02}", minutes / 60, minutes % 60))
        })
        .or_else(|| {
            self.months
                .difference(&cited.months)
                .next()
                .map(|month| format!("month {}", month + 1))
        })
        .or_else(|| {
            self.weekdays
                .difference(&cited.weekdays)
                .next()
                .map(|day| format!("weekday {}", day + 1))
        })
        .or_else(|| self.number_not_in(cited))
        .or_else(|| {
            missing_text(&self.codes, &|code| {
                cited.squashed.contains(code) || around.squashed.contains(code)
            })
        })
        .or_else(|| {
            missing_text(&self.names, &|name| {
                cited.stems.contains(name) || around.stems.contains(name)
            })
        })
    }

    /// A number that the cited text lacks, or has with another unit only.
    fn number_not_in(&self, cited: &Self) -> Option<String> {
        self.readings.iter().find_map(|(written, readings, unit)| {
            let found: Vec<&BTreeSet<&str>> = readings
                .iter()
                .filter_map(|reading| cited.numbers.get(reading))
                .collect();
            if found.is_empty() {
                return Some(written.clone());
            }
            let unit = (*unit)?;
            let beside = found.iter().any(|units| units.contains(unit));
            // In a table the unit may stand in the column's name: then the number has no unit beside it.
            let elsewhere = cited.units.contains(unit) && found.iter().any(|units| units.is_empty());
            (!beside && !elsewhere).then(|| format!("{written} {unit}"))
        })
    }

    fn read_dates(&mut self, rest: &mut String) {
        for found in ISO_DATE.captures_iter(rest) {
            if let Ok(month @ 1..=12) = found[2].parse::<usize>() {
                self.months.insert(month - 1);
            }
        }
        *rest = ISO_DATE.replace_all(rest, "$1, $2, $3").into_owned();
    }

    /// Long digit sequences that are dialled: with a plus, a leading zero, or nine digits and more.
    fn read_phones(&mut self, rest: &mut String) {
        let mut phones = BTreeSet::new();
        let without = PHONE.replace_all(rest, |found: &regex::Captures<'_>| {
            let digits: String = found[0].chars().filter(char::is_ascii_digit).collect();
            if digits.len() < 9 && !found[0].starts_with(['+', '0']) {
                return found[0].to_owned();
            }
            phones.insert(digits);
            " ".to_owned()
        });
        *rest = without.into_owned();
        self.phones = phones;
    }

    fn read_times(&mut self, text: &str) {
        for found in TIME.captures_iter(text) {
            let part = |index: usize| {
                found
                    .get(index)
                    .and_then(|part| part.as_str().parse::<u32>().ok())
            };
            let (Some(hour), minute) = (part(1).or(part(4)), part(2).or(part(5)).unwrap_or(0)) else {
                continue;
            };
            let mark = found.get(3).map(|mark| fold(mark.as_str())).unwrap_or_default();
            // "48 h" and "24 heures" are durations, which the numbers cover.
            let is_clock = part(4).is_some()
                || part(2).is_some()
                || mark.starts_with(['a', 'p'])
                || mark.starts_with('o');
            if !is_clock || hour > 24 || minute > 59 {
                continue;
            }
            let hour = match (mark.starts_with('p'), mark.starts_with('a'), hour) {
                (true, _, 1..=11) => hour + 12,
                (_, true, 12) => 0,
                _ => hour,
            };
            self.times.insert(hour * 60 + minute);
        }
    }

    fn read_numbers(&mut self, text: &str) {
        for found in NUMBER.find_iter(text) {
            let readings = readings_of(found.as_str());
            let unit = unit_beside(text, found.start(), found.end());
            self.add_number(found.as_str(), readings, unit);
        }
        let folded = fold(text);
        for word in words(&folded) {
            if let Some((digits, _)) = NUMBER_WORDS
                .iter()
                .find(|(_, forms)| forms.contains(&word.folded.as_str()))
            {
                // "dos" is Portuguese "of the", "six" may stand in a name: read as held, never as a claim of its own
                // unless a unit follows.
                let unit = unit_beside(&folded, word.start, word.end());
                if unit.is_some() {
                    self.add_number(word.text, vec![(*digits).to_owned()], unit);
                } else {
                    self.numbers.entry((*digits).to_owned()).or_default();
                }
            }
        }
    }

    fn add_number(&mut self, written: &str, readings: Vec<String>, unit: Option<&'static str>) {
        for reading in &readings {
            self.numbers.entry(reading.clone()).or_default().extend(unit);
        }
        self.readings.push((written.to_owned(), readings, unit));
    }

    fn read_words(&mut self, text: &str) {
        let mut previous_end = 0;
        for word in words(text) {
            let gap = &text[previous_end..word.start];
            let begins = previous_end == 0
                || gap.contains([
                    '.', '!', '?', '\n', '¿', '¡', ':', ';', '|', '-', '–', '"', '“', '«', '(',
                ]);
            previous_end = word.end();
            self.units.extend(unit_named(&word.folded));
            self.months.extend(
                vocabulary::month(&word.folded)
                    .filter(|month| *month != 4 || word.is_capitalised() || word.folded != "may"),
            );
            self.weekdays
                .extend(vocabulary::weekday(&word.folded).filter(|_| {
                    !matches!(
                        word.folded.as_str(),
                        "segunda" | "quarta" | "quinta" | "terca" | "sexta"
                    )
                }));
            let calendar =
                vocabulary::month(&word.folded).is_some() || vocabulary::weekday(&word.folded).is_some();
            let acronym = word.text.chars().filter(|c| c.is_uppercase()).count() >= 2;
            let unit = unit_named(&word.folded).is_some();
            let named = word.is_capitalised() && (!begins || acronym) && !is_stop_word(&word.folded);
            if named && !calendar && !unit && !word.has_digit() {
                self.names.insert(word.stem.clone());
            }
            self.stems.insert(word.stem);
        }
        self.units.extend(
            text.chars()
                .filter_map(|c| unit_named(&c.to_string()).filter(|_| !c.is_alphanumeric())),
        );
    }
}

/// Lower-case letters and digits only.
fn squash(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Takes every match out of `rest`.
fn take(rest: &mut String, pattern: &Regex, read: impl Fn(&str) -> String) -> BTreeSet<String> {
    let found = pattern
        .find_iter(rest)
        .map(|found| read(found.as_str()))
        .collect();
    *rest = pattern.replace_all(rest, " ").into_owned();
    found
}

fn unit_named(folded: &str) -> Option<&'static str> {
    UNITS
        .iter()
        .find(|(_, forms)| forms.contains(&folded))
        .map(|(name, _)| *name)
}

/// The unit written right before or after the number at `start..end`.
fn unit_beside(text: &str, start: usize, end: usize) -> Option<&'static str> {
    let after = text[end..].trim_start_matches([' ', '-', '\u{a0}', '\u{202f}']);
    let near_after = text[end..].len() - after.len() <= 3;
    let mut next: String = after.chars().take_while(|c| c.is_alphabetic()).collect();
    if next.is_empty() {
        next = after.chars().take(1).collect();
    }
    let before = text[..start].trim_end_matches([' ', '\u{a0}', '\u{202f}']);
    let last: String = {
        let reversed: Vec<char> = before
            .chars()
            .rev()
            .take_while(|c| c.is_alphabetic() || "$€£₦₵¢".contains(*c))
            .collect();
        reversed.into_iter().rev().collect()
    };
    let money = |unit: &&str| {
        matches!(
            *unit,
            "ghs" | "usd" | "eur" | "gbp" | "ngn" | "xof" | "kes" | "brl"
        )
    };
    // Before a number only money is its unit: "within 2 days 3 lamps" is not three days.
    let leading = unit_named(&fold(&last)).filter(money);
    leading
        .or_else(|| unit_named(&fold(&next)).filter(|_| near_after))
        .or_else(|| second_word_unit(after))
}

/// "3 working days": one word between the number and its unit.
fn second_word_unit(after: &str) -> Option<&'static str> {
    let mut parts = after.split_whitespace();
    let qualifier = fold(parts.next()?);
    let stands_between = matches!(
        qualifier.as_str(),
        "working" | "business" | "calendar" | "full" | "more" | "further" | "consecutive"
    );
    stands_between
        .then(|| parts.next())
        .flatten()
        .and_then(|word| unit_named(&fold(word.trim_end_matches(['.', ',', ';', ':', '?', '!', ')']))))
}

/// What a written number may mean, in canonical form: `1.200` is 1200 or 1.2, `1,5` is 1.5.
fn readings_of(written: &str) -> Vec<String> {
    let plain: String = written
        .chars()
        .map(|c| {
            if matches!(c, '\'' | '’' | '\u{a0}' | '\u{202f}' | ' ') {
                ' '
            } else {
                c
            }
        })
        .collect();
    let marks: Vec<(usize, char)> = plain
        .char_indices()
        .filter(|(_, c)| !c.is_ascii_digit())
        .collect();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let Some(&(last, mark)) = marks.last() else {
        return vec![canonical(&plain, "")];
    };
    let tail = &plain[last + mark.len_utf8()..];
    let same_marks = marks.iter().all(|(_, other)| *other == mark);
    let grouping = canonical(&digits(&plain), "");
    let decimal = canonical(&digits(&plain[..last]), tail);
    match (mark, tail.len() == 3, same_marks, marks.len()) {
        (' ', ..) | (_, true, true, 2..) => vec![grouping],
        (_, true, true, 1) => vec![grouping, decimal],
        _ => vec![decimal],
    }
}

fn canonical(whole: &str, fraction: &str) -> String {
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_many_spellings() {
        for (a, b) in [
            ("1,200", "1200"),
            ("1 200", "1,200"),
            ("1.200", "1200"),
            ("2,5", "2.50"),
            ("1'200", "1200"),
            ("1,234,567.50", "1234567.5"),
            ("007", "7"),
        ] {
            let (a, b) = (readings_of(a), readings_of(b));
            assert!(a.iter().any(|reading| b.contains(reading)), "{a:?} {b:?}");
        }
        assert!(!readings_of("1,2").contains(&"12".to_owned()));
    }

    #[test]
    fn units_are_read_on_either_side() {
        for (text, unit) in [
            ("GHS 35", "ghs"),
            ("35 GHS", "ghs"),
            ("€35", "eur"),
            ("35%", "%"),
            ("3 working days", "day"),
            ("8kg", "kg"),
            ("2-year", "year"),
        ] {
            let number = NUMBER.find(text).unwrap();
            assert_eq!(
                unit_beside(text, number.start(), number.end()),
                Some(unit),
                "{text}"
            );
        }
    }
}
