//! The facts that a sentence states in a form that can be compared without understanding it:
//! numbers, money, dates, quantities, codes, addresses and names.

use std::collections::BTreeSet;

use crate::golden::normal::normal;

/// Months in English, Spanish, Portuguese and French. Short forms that are words of their own
/// (`out`, `set`, `ago`) are left out.
const MONTHS: [&[&str]; 12] = [
    &["jan", "january", "ene", "enero", "janeiro", "janv", "janvier"],
    &[
        "feb",
        "february",
        "febrero",
        "fev",
        "fevereiro",
        "février",
        "fevrier",
        "févr",
    ],
    &["mar", "march", "marzo", "março", "mars"],
    &["apr", "april", "abr", "abril", "avr", "avril"],
    &["may", "mayo", "mai", "maio"],
    &["jun", "june", "junio", "junho", "juin"],
    &["jul", "july", "julio", "julho", "juil", "juillet"],
    &["aug", "august", "agosto", "août", "aout"],
    &["sep", "sept", "september", "septiembre", "setembro", "septembre"],
    &["oct", "october", "octubre", "outubro", "octobre"],
    &["nov", "november", "noviembre", "novembro", "novembre"],
    &[
        "dec",
        "december",
        "dic",
        "diciembre",
        "dez",
        "dezembro",
        "déc",
        "décembre",
    ],
];

/// Units, singular; the plural adds an `s`.
const UNITS: &[&str] = &[
    "%", "a", "ah", "an", "ano", "año", "cm", "day", "dia", "día", "g", "h", "heure", "hora", "hour", "jour",
    "kg", "km", "kw", "kwh", "kwp", "l", "litre", "m", "mes", "mese", "minute", "minuto", "mm", "moi",
    "mois", "month", "mês", "percent", "semaine", "semana", "v", "w", "watt", "week", "wh", "wp", "year",
];

/// Currency codes and signs, in normal form.
const CURRENCIES: &[&str] = &[
    "$", "brl", "cfa", "chf", "eur", "euro", "euros", "fcfa", "gbp", "ghs", "kes", "mxn", "ngn", "r$", "usd",
    "xof", "zar", "£", "€", "₦", "₵", "gh₵",
];

/// Number words up to twelve in English: "seven days" and "7 days" are the same claim.
const NUMBER_WORDS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];

/// What can be compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Numbers in plain form: `1250`, `0.5`.
    numbers: BTreeSet<String>,
    /// Currency and number.
    money: BTreeSet<(String, String)>,
    /// Currencies named anywhere, such as in a table's heading.
    currencies: BTreeSet<String>,
    /// Number and unit.
    quantities: BTreeSet<(String, String)>,
    /// Day and month.
    dates: BTreeSet<(String, usize)>,
    /// Words with letters and digits, addresses.
    codes: BTreeSet<String>,
    /// Words that start with a capital inside of a sentence.
    names: BTreeSet<String>,
    /// Every word, for looking names up.
    words: BTreeSet<String>,
}

/// A token with the shape of the source.
struct Token<'a> {
    raw: &'a str,
    low: String,
    first: bool,
}

impl Facts {
    /// Reads the facts of a text.
    pub fn of(text: &str) -> Self {
        let tokens = tokens(text);
        let mut facts = Self::default();
        for (i, token) in tokens.iter().enumerate() {
            let before = i.checked_sub(1).map(|i| &tokens[i]);
            facts.read(token, before, &tokens[i + 1..]);
        }
        facts
    }

    fn read(&mut self, token: &Token<'_>, before: Option<&Token<'_>>, after: &[Token<'_>]) {
        self.words
            .extend(token.low.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
        if let Some(currency) = currency(&token.low) {
            self.currencies.insert(currency);
        }
        if is_address(&token.low) {
            self.codes.insert(token.low.clone());
        } else if let Some((day, month)) = numeric_date(&token.low) {
            self.dates.insert((day, month));
        } else if let Some((sign, number, unit)) = number(&token.low) {
            let next = after.first();
            let currency = sign
                .or_else(|| before.and_then(|b| currency(&b.low)))
                .or_else(|| next.and_then(|n| currency(&n.low)));
            if let Some(currency) = currency {
                self.money.insert((currency, number.clone()));
            }
            if let Some(unit) = unit.or_else(|| next.and_then(|n| unit_of(&n.low))) {
                self.quantities.insert((number.clone(), unit));
            }
            if let Some(month) = month_beside(before, after) {
                self.dates.insert((number.clone(), month));
            }
            self.numbers.insert(number);
        } else if token.low.bytes().any(|b| b.is_ascii_digit()) && token.low.chars().any(char::is_alphabetic)
        {
            self.codes.insert(token.low.clone());
        } else if !token.first && token.raw.starts_with(char::is_uppercase) && token.raw.chars().count() > 1 {
            self.names.insert(token.low.clone());
        }
    }

    /// The first fact that `known` does not hold, in words for a person.
    pub fn not_in(&self, known: &Self) -> Option<String> {
        self.new_figure(known).or_else(|| self.new_word(known))
    }

    /// The first amount, number or date that `known` does not hold.
    pub fn new_figure(&self, known: &Self) -> Option<String> {
        let amount = self.money.iter().find(|(currency, number)| {
            let said_together = known.money.contains(&(currency.clone(), number.clone()));
            let beside_other = known.money.iter().any(|(_, n)| n == number);
            let in_table =
                known.numbers.contains(number) && known.currencies.contains(currency) && !beside_other;
            !(said_together || in_table)
        });
        if let Some((currency, number)) = amount {
            return Some(format!(
                "states the amount {} {number}, which is not in its evidence",
                currency.to_uppercase()
            ));
        }
        if let Some(number) = self.numbers.difference(&known.numbers).next() {
            return Some(format!(
                "states the number {number}, which is not in its evidence"
            ));
        }
        let quantity = self.quantities.iter().find(|(number, _)| {
            let units = |facts: &Self| -> BTreeSet<String> {
                facts
                    .quantities
                    .iter()
                    .filter(|(n, _)| n == number)
                    .map(|(_, unit)| unit.clone())
                    .collect()
            };
            // A number without a unit in the evidence may stand in a table whose heading has it.
            !units(known).is_empty() && units(self).is_disjoint(&units(known))
        });
        if let Some((number, unit)) = quantity {
            return Some(format!("states {number} {unit}, which is not in its evidence"));
        }
        let date = self
            .dates
            .iter()
            .find(|date| !known.dates.is_empty() && !known.dates.contains(date));
        date.map(|(day, month)| format!("states the date {day}/{month}, which is not in its evidence"))
    }

    fn new_word(&self, known: &Self) -> Option<String> {
        if let Some(code) = self.codes.difference(&known.codes).next() {
            return Some(format!("states {code}, which is not in its evidence"));
        }
        let unknown = |name: &&String| {
            let mut parts = name
                .split(|c: char| !c.is_alphanumeric())
                .filter(|part| !part.is_empty());
            parts.any(|part| !known.words.iter().any(|word| super::words::same_word(word, part)))
        };
        let name = self.names.iter().find(unknown)?;
        let shown: String = name
            .chars()
            .take(1)
            .flat_map(char::to_uppercase)
            .chain(name.chars().skip(1))
            .collect();
        Some(format!("names {shown}, which is not in its evidence"))
    }
}

/// Words as they stand, with `first` on the first of each sentence or line.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for line in text.split(['\n', '|']) {
        let mut first = true;
        for raw in line.split_whitespace() {
            let word = raw.trim_matches(|c: char| !(c.is_alphanumeric() || "$£€₦₵%".contains(c)));
            if !word.is_empty() {
                tokens.push(Token {
                    raw: word,
                    low: normal(word),
                    first,
                });
                first = false;
            }
            let closed = raw.trim_end_matches(['"', ')', '”', '’', '*', '_']);
            first = first || closed.ends_with(['.', '!', '?', ':']);
        }
    }
    tokens
}

/// `ghs300`, `$1,250.00`, `90%`, `7`, `seven`: currency sign, plain number, unit.
fn number(low: &str) -> Option<(Option<String>, String, Option<String>)> {
    if let Some(value) = NUMBER_WORDS.iter().position(|word| *word == low) {
        // "one" is more often a pronoun than a figure.
        return (value != 1).then(|| (None, value.to_string(), None));
    }
    let from = low.find(|c: char| c.is_ascii_digit())?;
    let to = low.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (sign, unit) = (&low[..from], &low[to..]);
    let sign = if sign.is_empty() || sign == "-" || sign == "+" {
        None
    } else {
        Some(currency(sign)?)
    };
    let unit = if unit.is_empty() || unit == "-" {
        None
    } else {
        Some(unit_of(unit).or_else(|| currency(unit))?)
    };
    Some((sign, plain_number(&low[from..to])?, unit))
}

/// `1,250.00` → `1250`; `1.250,5` → `1250.5`; `0.50` → `0.5`. The last mark is the decimal one,
/// unless exactly three digits follow it and it is no leading zero.
fn plain_number(digits: &str) -> Option<String> {
    if !digits
        .bytes()
        .all(|b| b.is_ascii_digit() || b == b'.' || b == b',')
    {
        return None;
    }
    let (whole, part) = match digits.rfind(['.', ',']) {
        Some(at) if digits.len() - at - 1 != 3 || digits.starts_with('0') => {
            (&digits[..at], &digits[at + 1..])
        }
        _ => (digits, ""),
    };
    let whole: String = whole.bytes().filter(u8::is_ascii_digit).map(char::from).collect();
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let part = part.trim_end_matches('0');
    Some(if part.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{part}")
    })
}

fn currency(low: &str) -> Option<String> {
    let plain = match low {
        "€" | "euro" | "euros" => "eur",
        "£" => "gbp",
        "$" => "usd",
        "₵" | "gh₵" => "ghs",
        "₦" => "ngn",
        "cfa" | "fcfa" => "xof",
        "r$" => "brl",
        other => other,
    };
    CURRENCIES.contains(&low).then(|| plain.to_owned())
}

fn unit_of(low: &str) -> Option<String> {
    let singular = low.strip_suffix('s').filter(|s| s.len() > 1).unwrap_or(low);
    let unit = [low, singular].into_iter().find(|unit| UNITS.contains(unit))?;
    Some(if unit == "percent" {
        "%".to_owned()
    } else {
        singular.to_owned()
    })
}

fn month(low: &str) -> Option<usize> {
    MONTHS
        .iter()
        .position(|names| names.contains(&low))
        .map(|index| index + 1)
}

/// The month right before or after a day ("31 May", "May 31", "31 de mayo", "1st of June").
fn month_beside(before: Option<&Token<'_>>, after: &[Token<'_>]) -> Option<usize> {
    let linked = after
        .first()
        .is_some_and(|t| matches!(t.low.as_str(), "of" | "de"));
    let next = if linked { after.get(1) } else { after.first() };
    next.and_then(|t| month(&t.low))
        .or_else(|| before.and_then(|t| month(&t.low)))
}

/// `2026-05-31`, `31/05/2026`, `31.5.2026` → day and month.
fn numeric_date(low: &str) -> Option<(String, usize)> {
    let parts: Vec<&str> = low.split(['-', '/', '.']).collect();
    let [a, b, c] = parts.as_slice() else { return None };
    let (day, month) = if a.len() == 4 { (c, b) } else { (a, b) };
    let year = if a.len() == 4 { a } else { c };
    let month: usize = month.parse().ok().filter(|m| (1..=12).contains(m))?;
    let day: usize = day.parse().ok().filter(|d| (1..=31).contains(d))?;
    (year.len() == 4 && year.parse::<u16>().is_ok()).then(|| (day.to_string(), month))
}

fn is_address(low: &str) -> bool {
    low.contains("://") || low.starts_with("www.") || (low.contains('@') && low.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        let cases = [
            ("1,250.00", "1250"),
            ("1.250,5", "1250.5"),
            ("0.50", "0.5"),
            ("1,250", "1250"),
            ("007", "7"),
        ];
        for (written, plain) in cases {
            assert_eq!(plain_number(written).as_deref(), Some(plain), "{written}");
        }
    }

    #[test]
    fn a_table_heading_lends_its_currency() {
        let known = Facts::of("Plan | Price GHS\nLumo 40 | 1,250");
        assert_eq!(Facts::of("It costs GHS 1250.").not_in(&known), None);
        assert!(
            Facts::of("It costs USD 1250.")
                .not_in(&known)
                .unwrap()
                .contains("USD 1250")
        );
    }

    #[test]
    fn dates_are_pairs() {
        let known = Facts::of("From 1 June 2026 until 31 May 2027.");
        assert_eq!(Facts::of("It starts on June 1.").not_in(&known), None);
        assert_eq!(Facts::of("It starts on 2026-06-01.").not_in(&known), None);
        assert!(
            Facts::of("It starts on 31 June 2026.")
                .not_in(&known)
                .unwrap()
                .contains("31/6")
        );
        assert_eq!(Facts::of("Desde el 1 de junio.").not_in(&known), None);
    }

    #[test]
    fn a_capital_after_a_full_stop_is_no_name() {
        assert!(Facts::of("Yes. Refunds are quick.").names.is_empty());
        assert!(Facts::of("Ask the Tema shop.").names.contains("tema"));
    }

    #[test]
    fn number_words_and_digits_agree() {
        assert_eq!(
            Facts::of("It takes seven days.").not_in(&Facts::of("It takes 7 days.")),
            None
        );
    }
}
