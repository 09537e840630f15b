//! Takes out of a customer's words what tells who the customer is.
//!
//! Addresses, telephone numbers, numbers of accounts, contracts and papers, places by their coordinates, and names where
//! a person introduces or signs themselves become words in brackets, so that the question stays readable. Numbers that a
//! business talks about stay: prices, dates, years, sizes, names of products. Where the two cannot be told apart, the
//! number goes: a person labels the draft and can put a harmless one back, but nobody can unsay a published one.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Passes after which a text is taken as it is; two are enough for all that people write.
const MOST_PASSES: usize = 4;

/// `text` without what tells who wrote it; `known` are names of the writer.
pub(super) fn scrub(text: &str, known: &[&str]) -> String {
    let mut text = text.to_owned();
    for _ in 0..MOST_PASSES {
        let next = pass(&text, known);
        if next == text {
            break;
        }
        text = next;
    }
    text
}

fn pass(text: &str, known: &[&str]) -> String {
    let text = EMAIL.replace_all(text, "[email]");
    let text = SPELT_EMAIL.replace_all(&text, "[email]");
    let text = HANDLE.replace_all(&text, "${1}[name]");
    let text = PLACE.replace_all(&text, "[place]");
    let text = IBAN.replace_all(&text, "[number]");
    let text = KEYED.replace_all(&text, keyed);
    let text = TOKEN.replace_all(&text, token);
    let text = digits(&text);
    let text = BORN.replace_all(&text, "${1}[date]");
    known_names(&names(&text), known)
}

/// Currencies of prices, by code and sign.
macro_rules! money {
    () => {
        r"GHS|GH₵|GHC|₵|\$|€|£|USD|EUR|GBP|XOF|XAF|F ?CFA|CFA|francs?|cedis?|MZN|MT|meticais|NGN|₦|naira|KES|KSh|ZAR|rand"
    };
}

/// A date in figures with its whole year.
macro_rules! date {
    () => {
        r"(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:19|20)\d\d)"
    };
}

macro_rules! patterns {
    ($($name:ident = $pattern:expr;)*) => {
        $(static $name: LazyLock<Regex> = LazyLock::new(|| pattern($pattern));)*
    };
}

fn pattern(pattern: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "the patterns are constants of this file, each used by a test"
    )]
    Regex::new(pattern).expect("a valid pattern")
}

patterns! {
    EMAIL = r"[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*";
    SPELT_EMAIL = r"(?i)[\p{L}\p{N}._+-]+\s*(?:\(at\)|\[at\]|\sat\s)\s*(?:gmail|yahoo|hotmail|outlook|icloud|proton)\b(?:\s*(?:\.|\(dot\)|\[dot\]|\sdot\s)\s*\p{L}{2,4}\b)?";
    HANDLE = r"(^|[\s(])@[\p{L}\p{N}_.]{3,}";
    PLACE = r"-?\d{1,3}\.\d{4,}\s*[,;]\s*-?\d{1,3}\.\d{4,}";
    IBAN = r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b";
    KEYED = concat!(
        r"(?i)\b((?:(?:number|num[ée]ro|n[úu]mero)\s+(?:of|de|du|da|do)\s+)?(?:accounts?|acct|a/c|contract|customer|client|meter|policy|order|invoice|receipt|ticket|case|reference|ref",
        r"|serial|imei|passport|licen[cs]e|voter|card|tin|ssn|nin|bvn|pin|otp|cvv|id|contrat|commande|facture|compte",
        r"|compteur|passeport|carte|contrato|pedido|factura|cuenta|cliente|medidor|pasaporte|c[ée]dula|dni|nif|conta",
        r"|fatura|encomenda|contador|passaporte|bilhete|cpf))\b",
        r"((?:[\s:#=.-]|\b(?:no|nr|n[º°o]|num|number|num[ée]ro|n[úu]mero|card|code|id|de|du|da|do|is|es|est|é|was)\b|[º°])*)",
        r"([\p{L}\p{N}][\p{L}\p{N}/_-]*)"
    );
    NUMBER_WORD = r"(?i)[#º°]|\b(?:no|nr|n|num|number|num[ée]ro|n[úu]mero|code|id)\b";
    TOKEN = r"[\p{L}\p{N}]+(?:[-/_][\p{L}\p{N}]+)*";
    DIGITS = r"\+?\(?\d(?:[ \u{a0}\u{202f}().\-\u{2010}-\u{2014}/]{0,4}\d){6,}";
    GROUPED = r"^[1-9]\d{0,2}(?:[ .\u{a0}\u{202f}]\d{3})+$";
    DATES = concat!(r"^", date!(), r"(?:[ /\-\u{2013}]+(?:\d{1,2}|", date!(), r"))*$");
    YEARS = r"^(?:19|20)\d\d(?:[ /\-\u{2013}]+(?:19|20)?\d\d)+$";
    MONEY_BEFORE = concat!(r"(?i)(?:", money!(), r")\s*$");
    MONEY_AFTER = concat!(r"(?i)^\s*(?:", money!(), r")");
    BORN = r"(?i)(\b(?:born|birth|birthday|dob|naissance|née?|nacimiento|nacid[oa]|nascimento|nascid[oa])\b[\s:]*(?:(?:on|is|le|el|em|a|de|the)\s+)?)\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}";
    INTRODUCED = r"(?i)(\b(?:my (?:full )?name(?: is|['’]s)?|name is|i am called|je m['’]appelle|mon nom est|me llamo|mi nombre es|me chamo|chamo-me|meu nome [ée]|ich heiße|(?:name|nom|nombre|nome) ?:)\s*:?\s+)(\p{L}[\p{L}'’.-]*(?: +\p{L}[\p{L}'’.-]*){0,3})";
    SELF = r"(\b(?i:i am|i['’]m|je suis|soy|sou|eu sou|yo soy)\s+)(\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+){0,2})(\s*(?:[,.!;\n]|$|\b(?:and|from|here|calling|speaking|et|y|e|de|of)\b))";
    SPOKEN = r"(\b(?i:this is|it['’]s|here is|c['’]est|aqu[íi] (?:é|es)|habla)\s+)(\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+){0,2})(\s+(?:here|speaking|calling|from|de|du|da)\b)";
    TITLED = r"(\b(?:Mr|Mrs|Ms|Miss|Mister|Madam|Dr|Prof|Mme|Mlle|Monsieur|Madame|Sr|Sra|Señor|Señora|Senhor|Senhora)\.?\s+)(\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+){0,2})";
    GREETED = r"(?m)(\b(?i:hi|hello|hey|dear|hola|bonjour|bonsoir|salut|olá|ola|oi|good (?:morning|afternoon|evening)|bom dia|boa tarde)\s+)(\p{Lu}\p{L}+(?: \p{Lu}\p{L}+)?)(\s*(?:[,!.]|$))";
    SIGNED = r"((?i:\b(?:regards|sincerely|thanks|thank you|cordialement|saludos|gracias|merci|obrigad[oa]|atenciosamente|cumprimentos))[,.!]?\s+(?:[-\u{2013}\u{2014}]\s*)?)(\p{Lu}\p{L}+(?: \p{Lu}[\p{L}.]+){0,2})(\s*[.!]?\s*$)";
}

/// Words with a capital that are no name where a name could stand.
const NO_NAMES: &[&str] = &[
    "all",
    "also",
    "an",
    "at",
    "bye",
    "from",
    "happy",
    "having",
    "here",
    "in",
    "interested",
    "just",
    "looking",
    "madam",
    "not",
    "ready",
    "sir",
    "so",
    "sorry",
    "still",
    "sure",
    "team",
    "the",
    "there",
    "trying",
    "using",
    "very",
];

/// Words that end a name that was given without capitals.
const NAME_ENDS: &[&str] = &[
    "a", "am", "and", "but", "can", "could", "do", "et", "from", "have", "how", "i", "i'm", "i’m", "is",
    "je", "mas", "mi", "my", "need", "no", "not", "on", "para", "pero", "please", "pls", "quero", "quiero",
    "so", "the", "to", "want", "was", "what", "when", "where", "with", "would", "y", "you",
];

fn digits_of(text: &str) -> usize {
    text.chars().filter(|c| c.is_numeric()).count()
}

/// `contract 40071839` becomes `contract [number]`; `policy 2026` stays.
fn keyed(found: &Captures<'_>) -> String {
    let (word, between, token) = (&found[1], &found[2], &found[3]);
    let secret = ["pin", "otp", "cvv"].contains(&word.to_lowercase().as_str());
    let said = word.contains(' ') || NUMBER_WORD.is_match(between);
    let least = match (secret, said) {
        (true, _) => 3,
        (_, true) => 4,
        _ => 5,
    };
    let is_year = token.len() == 4 && (token.starts_with("19") || token.starts_with("20"));
    if digits_of(token) < least || (is_year && !secret) {
        return found[0].to_owned();
    }
    format!("{word}{between}[number]")
}

/// A word of letters and many digits is the number of a paper or a thing of its owner.
fn token(found: &Captures<'_>) -> String {
    let word = &found[0];
    let letters: String = word.chars().filter(|c| c.is_alphabetic()).collect();
    let is_price = MONEY_AFTER.is_match(&letters) && digits_of(word) <= 8;
    if letters.is_empty() || digits_of(word) < 6 || is_price {
        return word.to_owned();
    }
    "[number]".to_owned()
}

/// Telephone numbers and other long numbers, but no dates and no prices.
fn digits(text: &str) -> String {
    let mut scrubbed = String::with_capacity(text.len());
    let mut rest = 0;
    for found in DIGITS.find_iter(text) {
        let number = found.as_str();
        let (count, grouped) = (digits_of(number), GROUPED.is_match(number));
        let priced =
            || MONEY_BEFORE.is_match(&text[..found.start()]) || MONEY_AFTER.is_match(&text[found.end()..]);
        let harmless = DATES.is_match(number)
            || YEARS.is_match(number)
            || (grouped && count <= 8)
            || (!number.starts_with(['0', '+', '(']) && count <= 9 && priced());
        if harmless {
            continue;
        }
        scrubbed.push_str(&text[rest..found.start()]);
        scrubbed.push_str(if count <= 15 { "[phone]" } else { "[number]" });
        rest = found.end();
    }
    scrubbed + &text[rest..]
}

/// Names where people say them.
fn names(text: &str) -> String {
    let text = INTRODUCED.replace_all(text, |found: &Captures<'_>| {
        let (name, after) = introduced(&found[2]);
        let placed = if name.is_empty() { "" } else { "[name]" };
        format!("{}{placed}{after}", &found[1])
    });
    let mut text = text.into_owned();
    for (pattern, after) in [
        (&SELF, true),
        (&SPOKEN, true),
        (&TITLED, false),
        (&GREETED, true),
        (&SIGNED, true),
    ] {
        let next = pattern.replace_all(&text, |found: &Captures<'_>| {
            let first = found[2].split(' ').next().unwrap_or_default().to_lowercase();
            if NO_NAMES.contains(&first.as_str()) {
                return found[0].to_owned();
            }
            format!("{}[name]{}", &found[1], if after { &found[3] } else { "" })
        });
        text = next.into_owned();
    }
    text
}

/// Cuts the words after "my name is" into the name and what follows it.
fn introduced(words: &str) -> (&str, &str) {
    let capital = words.starts_with(char::is_uppercase);
    let mut end = 0;
    for (place, word) in words.split(' ').enumerate() {
        let start = word.as_ptr() as usize - words.as_ptr() as usize;
        let goes_on = if capital {
            place == 0 || word.starts_with(char::is_uppercase)
        } else {
            place < 2
        };
        if !word.is_empty() && (!goes_on || NAME_ENDS.contains(&word.to_lowercase().as_str())) {
            break;
        }
        end = start + word.len();
        if word.ends_with('.') {
            break;
        }
    }
    let name = words[..end].trim_end_matches(['.', ' ']);
    (name, &words[name.len()..])
}

/// The names that the platform knows of the writer: whole in any spelling, single parts where they have a capital.
fn known_names(text: &str, known: &[&str]) -> String {
    let mut text = text.to_owned();
    for name in known.iter().map(|name| name.trim()) {
        let parts = name.split_whitespace().filter(|part| part.chars().count() >= 3);
        let whole = (name.chars().count() >= 3 && name.contains(' ')).then_some((name, true));
        for (part, any_case) in whole.into_iter().chain(parts.map(|part| (part, false))) {
            text = without(&text, part, any_case);
        }
    }
    text
}

fn without(text: &str, name: &str, any_case: bool) -> String {
    let flag = if any_case { "(?i)" } else { "" };
    let capital: String = if any_case {
        name.to_owned()
    } else {
        let mut letters = name.chars();
        let first = letters.next().map(|c| c.to_uppercase().collect::<String>());
        first.unwrap_or_default() + letters.as_str()
    };
    let Ok(pattern) = Regex::new(&format!(
        r"{flag}(^|[^\p{{L}}\p{{N}}\[]){}([^\p{{L}}\p{{N}}\]]|$)",
        regex::escape(&capital)
    )) else {
        return text.to_owned(); // a name beyond the limits of a pattern stands in no question
    };
    pattern.replace_all(text, "${1}[name]${2}").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> String {
        scrub(text, &[])
    }

    #[test]
    fn what_tells_who_asks_is_taken_out() {
        for (said, kept) in [
            ("call me on 024 555 0199 please", "call me on [phone] please"),
            ("my number is +233 (0)24-555-0199.", "my number is [phone]."),
            ("Mon numéro: 07.12.34.56.78", "Mon numéro: [phone]"),
            ("612 345 678", "[phone]"),
            ("paid with 4111 1111 1111 1111 1", "paid with [number]"),
            ("mail ama.m+x@shop.example.gh now", "mail [email] now"),
            ("ama dot m (at) gmail (dot) com", "ama dot [email]"),
            ("see my page @ama_mensah", "see my page [name]"),
            (
                "how much is left on my plan? contract 40071839",
                "how much is left on my plan? contract [number]",
            ),
            (
                "where is my order, order no TM-20931",
                "where is my order, order no [number]",
            ),
            ("mi número de pedido es 4471", "mi número de pedido es [number]"),
            ("my pin is 4711", "my pin is [number]"),
            ("GHA-123456789-0 is my card", "[number] is my card"),
            ("IBAN GB82 WEST 1234 5698 7654 32", "IBAN [number]"),
            ("I am at 5.603717, -0.186964", "I am at [place]"),
            ("born 12.03.1985", "born [date]"),
        ] {
            assert_eq!(plain(said), kept);
        }
    }

    #[test]
    fn names_go_where_people_say_them() {
        for (said, kept) in [
            (
                "My name is Ama Mensah and I want a kit",
                "My name is [name] and I want a kit",
            ),
            (
                "my name is ama mensah how much is it",
                "my name is [name] how much is it",
            ),
            (
                "Je m'appelle Koffi Yao. Le prix ?",
                "Je m'appelle [name]. Le prix ?",
            ),
            ("Hi, I'm Kwame from Kumasi", "Hi, I'm [name] from Kumasi"),
            ("This is Efua Sarpong speaking", "This is [name] speaking"),
            ("tell Mr. Boateng to call", "tell Mr. [name] to call"),
            (
                "Hello Esi, what is the price?",
                "Hello [name], what is the price?",
            ),
            (
                "I need a lamp. Thanks, Kojo Antwi",
                "I need a lamp. Thanks, [name]",
            ),
        ] {
            assert_eq!(plain(said), kept);
        }
        assert_eq!(
            scrub("ama mensah wants a fan, says Ama", &["Ama Mensah"]),
            "[name] wants a fan, says [name]"
        );
    }

    #[test]
    fn what_a_business_talks_about_stays() {
        for said in [
            "How much is the SunNest 80 TV, is it GHS 2,480 or 1,250,000?",
            "cuesta 268.000 XAF o 1.268.000 XAF al contado",
            "le kit coûte 1 250 000 FCFA",
            "GHS 1250000.00 for the whole school?",
            "bought on 12/11/2026 10:30, opening from 2026-11-20 to 2026-12-01",
            "returns policy 2026, prices of 2024-2026",
            "Kora A3 or 160F with SKU-10023, 24 months, 5 kg, 18V",
            "I am Interested in the fan. Hi There, thanks. Bye",
            "This is Urgent",
            "I am looking for the order of the steps in case of fire",
            "is the code E51 or 5-10-15?",
            "what does my account say? what is the name of the officer",
            "order is 3200 cedis to Madina, delivery free?",
        ] {
            assert_eq!(plain(said), said);
        }
    }

    /// Digits of a telephone number with the separators people put in.
    fn phone() -> impl Strategy<Value = String> {
        let separator = prop::sample::select(vec!["", "", " ", "-", ".", " - ", "/"]);
        let first = prop::sample::select(vec!["0", "+233 ", "00", "+1", "(0)"]);
        let rest = prop::collection::vec((0..10_u8, separator), 8..13);
        (first, rest).prop_map(|(first, rest)| {
            rest.iter().fold(first.to_owned(), |number, (digit, separator)| {
                format!("{number}{separator}{digit}")
            })
        })
    }

    proptest! {
        #[test]
        fn no_digit_of_a_telephone_number_is_left(
            phone in phone(), before in "[a-z ]{0,20}[a-z] ", after in "( [a-z ]{0,20})?[.!?]?",
        ) {
            let scrubbed = plain(&format!("{before}{phone}{after}"));
            prop_assert_eq!(digits_of(&scrubbed), 0, "{} of {}", scrubbed, phone);
        }

        #[test]
        fn no_part_of_an_address_is_left(local in "[a-z]{3,9}[0-9]{0,3}", host in "[a-z]{3,9}", end in "com|gh|co\\.uk") {
            let scrubbed = plain(&format!("write to {local}@{host}.{end}, please"));
            prop_assert_eq!(scrubbed, "write to [email], please");
        }

        #[test]
        fn a_number_that_is_named_does_not_stay(
            word in prop::sample::select(vec!["account", "Contract", "order no.", "meter number", "numéro de compte", "cuenta"]),
            number in "[A-Z]{0,3}-?[1-9][0-9]{5,11}",
        ) {
            let scrubbed = plain(&format!("{word} {number} please"));
            prop_assert_eq!(digits_of(&scrubbed), 0, "{}", scrubbed);
        }

        #[test]
        fn scrubbing_twice_changes_nothing(text in "\\PC{0,80}", name in "\\PC{0,12}") {
            let once = scrub(&text, &[&name]);
            prop_assert_eq!(scrub(&once, &[&name]), once);
        }

        #[test]
        fn words_without_digits_and_names_stay(text in "[a-z ,.?!]{0,80}") {
            prop_assume!(!text.contains("name is") && !text.contains("my name"));
            prop_assert_eq!(plain(&text), text);
        }
    }
}
