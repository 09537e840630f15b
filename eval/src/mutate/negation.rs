//! A sentence turned into its opposite, as far as one word does it.

/// Words that deny and can be left out, longest first, with what stays in their place.
const DENIALS: &[(&str, &[(&str, &str)])] = &[
    (
        "en",
        &[
            ("cannot", "can"),
            ("not", ""),
            ("never", "always"),
            ("no", "a"),
            ("without", "with"),
        ],
    ),
    (
        "fr",
        &[
            ("pas", ""),
            ("jamais", "toujours"),
            ("aucun", "un"),
            ("aucune", "une"),
            ("sans", "avec"),
        ],
    ),
    (
        "pt",
        &[
            ("não", ""),
            ("nunca", "sempre"),
            ("nenhum", "um"),
            ("nenhuma", "uma"),
            ("sem", "com"),
        ],
    ),
    (
        "es",
        &[
            ("no", ""),
            ("nunca", "siempre"),
            ("ningún", "un"),
            ("ninguna", "una"),
            ("sin", "con"),
        ],
    ),
];

/// Verbs that a denial is put to: after them in English and French, before them in Portuguese and Spanish.
const VERBS: &[(&str, &[&str])] = &[
    (
        "en",
        &[
            "is", "are", "was", "were", "can", "may", "must", "will", "should", "has", "have", "does", "do",
        ],
    ),
    (
        "fr",
        &[
            "est", "sont", "peut", "peuvent", "pouvez", "doit", "doivent", "devez", "sera", "seront", "a",
            "ont",
        ],
    ),
    (
        "pt",
        &[
            "é", "são", "pode", "podem", "deve", "devem", "tem", "têm", "está", "estão", "será", "serão",
        ],
    ),
    (
        "es",
        &[
            "es", "son", "puede", "pueden", "debe", "deben", "tiene", "tienen", "está", "están", "será",
            "serán",
        ],
    ),
];

/// The opposite; `None` where no word offers itself.
pub fn negate(text: &str, language: &str) -> Option<String> {
    let denials = of(DENIALS, language)?;
    let words: Vec<&str> = text.split(' ').collect();
    let is =
        |word: &str, wanted: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase() == wanted;
    for (at, word) in words.iter().enumerate() {
        if let Some((denial, instead)) = denials.iter().find(|(denial, _)| is(word, denial)) {
            let changed = word.to_lowercase().replacen(denial, instead, 1);
            return Some(joined(&words, at, &[&changed]));
        }
    }
    let verbs = of(VERBS, language)?;
    // A denial at the very start would ask or command rather than deny.
    let at = (1..words.len()).find(|&at| verbs.iter().any(|verb| words[at].to_lowercase() == *verb))?;
    Some(match language {
        "en" => joined(&words, at, &[words[at], "not"]),
        "fr" => joined(&words, at, &["ne", words[at], "pas"]),
        "pt" => joined(&words, at, &["não", words[at]]),
        _ => joined(&words, at, &["no", words[at]]),
    })
}

fn of<T: Copy>(table: &[(&str, T)], language: &str) -> Option<T> {
    table
        .iter()
        .find(|(known, _)| *known == language)
        .map(|(_, value)| *value)
}

/// The words with `instead` in the place of the one at `at`.
fn joined(words: &[&str], at: usize, instead: &[&str]) -> String {
    let parts = words[..at].iter().chain(instead).chain(&words[at + 1..]);
    parts
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::negate;

    #[test]
    fn one_word_makes_the_opposite() {
        let table = [
            (
                "en",
                "Opened phones cannot be returned.",
                "Opened phones can be returned.",
            ),
            (
                "en",
                "The shop is open on Sunday.",
                "The shop is not open on Sunday.",
            ),
            ("en", "There is no fee.", "There is a fee."),
            (
                "fr",
                "La livraison est gratuite.",
                "La livraison ne est pas gratuite.",
            ),
            ("pt", "A garantia não cobre quedas.", "A garantia cobre quedas."),
            ("es", "La entrega es gratis.", "La entrega no es gratis."),
        ];
        for (language, text, opposite) in table {
            assert_eq!(negate(text, language).as_deref(), Some(opposite));
        }
        assert_eq!(negate("Price: GHS 300", "en"), None);
        assert_eq!(negate("Det er dyrt.", "da"), None);
    }
}
