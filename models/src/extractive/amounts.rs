//! Amounts with a unit: "8 kg" in a question meets the band "5-10 kg" in a table.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::reading::fold;

/// A number with its unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Amount {
    pub(super) value: f64,
    /// Canonical unit, such as `kg` or `day`.
    pub(super) unit: &'static str,
    /// Where it stands in the text.
    pub(super) range: Range<usize>,
}

/// Canonical unit and the folded forms it is written in.
const UNITS: &[(&str, &[&str])] = &[
    (
        "kg",
        &["kg", "kgs", "kilo", "kilos", "kilogram", "kilograms", "quilos"],
    ),
    ("g", &["g", "gr", "gram", "grams", "grammes", "gramas", "gramos"]),
    (
        "km",
        &["km", "kms", "kilometre", "kilometres", "kilometer", "kilometers"],
    ),
    ("m", &["m", "metre", "metres", "meter", "meters", "metros"]),
    ("l", &["l", "litre", "litres", "liter", "liters", "litros"]),
    ("w", &["w", "watt", "watts"]),
    (
        "person",
        &[
            "people",
            "persons",
            "person",
            "guests",
            "adults",
            "personnes",
            "pessoas",
            "personas",
        ],
    ),
    ("day", &["day", "days", "jour", "jours", "dia", "dias"]),
    (
        "week",
        &["week", "weeks", "semaine", "semaines", "semana", "semanas"],
    ),
    ("month", &["month", "months", "mois", "mes", "meses"]),
    ("year", &["year", "years", "ans", "annees", "ano", "anos"]),
    ("hour", &["hour", "hours", "heure", "heures", "hora", "horas"]),
];

fn pattern(text: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "the patterns are constants of this file and every one is tested"
    )]
    Regex::new(text).expect("a valid pattern")
}

static AMOUNT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d+(?:[.,]\d+)?)[\s-]?([\p{L}]{1,10})\b"));

static BAND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(\d+(?:[.,]\d+)?)\s?(?:[\p{L}]{1,10}\s?)?(?:-|–|—|\bto\b|\bà\b|\ba\b|\baté\b|\band\b)\s?(\d+(?:[.,]\d+)?)[\s-]?([\p{L}]{1,10})\b",
    )
});

static AT_MOST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:up to|under|below|less than|at most|max\.?|maximum|jusqu'à|moins de|até|menos de|hasta|<=?)\s?(\d+(?:[.,]\d+)?)[\s-]?([\p{L}]{1,10})\b",
    )
});

static AT_LEAST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:over|above|more than|at least|from|min\.?|minimum|plus de|à partir de|mais de|acima de|más de|desde|>=?)\s?(\d+(?:[.,]\d+)?)[\s-]?([\p{L}]{1,10})\b",
    )
});

fn canonical(unit: &str) -> Option<&'static str> {
    let folded = fold(unit);
    UNITS
        .iter()
        .find(|(_, forms)| forms.contains(&folded.as_str()))
        .map(|(name, _)| *name)
}

fn number(text: &str) -> f64 {
    text.replace(',', ".").parse().unwrap_or(f64::NAN)
}

/// The amounts that `text` names.
pub(super) fn amounts_of(text: &str) -> Vec<Amount> {
    AMOUNT
        .captures_iter(text)
        .filter_map(|found| {
            let unit = canonical(&found[2])?;
            let range = found.get(0)?.range();
            Some(Amount {
                value: number(&found[1]),
                unit,
                range,
            })
        })
        .collect()
}

/// Whether `text` names the amount, or a band that it falls into.
pub(super) fn holds_amount(text: &str, amount: &Amount) -> bool {
    let lower = text.to_lowercase();
    let same = |unit: &str| canonical(unit) == Some(amount.unit);
    let value = amount.value;
    let mut banded = false;
    for found in BAND.captures_iter(&lower).filter(|found| same(&found[3])) {
        banded = true;
        if (number(&found[1])..=number(&found[2])).contains(&value) {
            return true;
        }
    }
    for found in AT_MOST.captures_iter(&lower).filter(|found| same(&found[2])) {
        banded = true;
        if value <= number(&found[1]) {
            return true;
        }
    }
    for found in AT_LEAST.captures_iter(&lower).filter(|found| same(&found[2])) {
        banded = true;
        if value >= number(&found[1]) {
            return true;
        }
    }
    !banded
        && amounts_of(&lower)
            .iter()
            .any(|other| other.unit == amount.unit && (other.value - value).abs() < 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_meets_its_band_and_no_other() {
        let eight = &amounts_of("How much is an 8 kg parcel?")[0];
        assert_eq!((eight.unit, eight.value), ("kg", 8.0));
        for (text, holds) in [
            ("Weight band: 5-10 kg", true),
            ("Weight band: 5 to 10 kg", true),
            ("Weight band: 0-5 kg", false),
            ("Weight band: up to 5 kg", false),
            ("Weight band: up to 20 kg", true),
            ("Weight: over 20 kg", false),
            ("Weight: 8kg", true),
            ("8 days", false),
        ] {
            assert_eq!(holds_amount(text, eight), holds, "{text}");
        }
    }

    #[test]
    fn a_number_without_a_unit_is_no_amount() {
        assert!(amounts_of("The SunRay 50 costs GHS 320").is_empty());
    }
}
