//! Word lists that several stages share: pleasantries, calendar words, and words too common to name anything.

use std::collections::HashSet;
use std::sync::LazyLock;

use plumbline_models::reading::{fold, is_stop_word, near, stem, words};

/// Words of greetings, folded.
static GREETINGS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "hello hi hey hiya helo hallo good morning afternoon evening day greetings dear sir madam team \
     there bonjour bonsoir salut coucou monsieur madame ola oi bom boa dia tarde noite senhor senhora \
     hola buenas buenos dias tardes noches senor senora gd gm akwaaba maakye maaha jambo habari \
     salaam oo o friend friends boss bro sis family everyone all guys amigo amiga amigos famille ami \
     la"
    .split_whitespace()
    .collect()
});

/// Words that a message may have beside a greeting and still be only a pleasantry, folded.
static POLITE: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "thanks thank thx tnx ty you so very much a lot ok okay okey k great perfect cool nice fine super \
     alright all right got it understood bye goodbye see later night have good for your the help \
     that's is that please yes no not now wonderful awesome welcome how are doing today i hope well \
     too medaase medase paa asante sana dankie shukran haha hahaha lol helped helpful really god \
     bless people kind one work job done keep up happy appreciate appreciated merci beaucoup bien \
     d'accord daccord parfait au revoir bonne journee soiree nuit bientot pour votre aide ca va c'est \
     tout et vous oui non tres obrigado obrigada muito valeu perfeito otimo certo tchau ate logo pela \
     ajuda tudo bem sim nao e um uma bom boa gracias muchas vale perfecto genial adios hasta luego \
     por la su ayuda que tal como esta si muy amable comment allez allez-vous de nada entendido"
        .split_whitespace()
        .collect()
});

/// Words without which a message of polite words is not a pleasantry ("how are you doing" against "is it all for you").
static ANCHORS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "medaase medase asante shukran haha hahaha lol bless appreciate appreciated thanks thank thx tnx \
     ty ok okay okey k great perfect cool nice fine super alright understood bye goodbye later night \
     welcome wonderful awesome doing merci d'accord daccord parfait revoir bientot va obrigado \
     obrigada valeu perfeito otimo certo tchau logo tudo gracias vale perfecto genial adios luego tal \
     entendido bonne"
        .split_whitespace()
        .collect()
});

const WEEKDAYS: [&[&str]; 7] = [
    &[
        "monday",
        "mondays",
        "lundi",
        "lundis",
        "segunda",
        "segundas",
        "segunda-feira",
        "lunes",
    ],
    &[
        "tuesday", "tuesdays", "mardi", "mardis", "terca", "tercas", "martes",
    ],
    &[
        "wednesday",
        "wednesdays",
        "mercredi",
        "mercredis",
        "quarta",
        "quartas",
        "miercoles",
    ],
    &[
        "thursday",
        "thursdays",
        "jeudi",
        "jeudis",
        "quinta",
        "quintas",
        "jueves",
    ],
    &[
        "friday",
        "fridays",
        "vendredi",
        "vendredis",
        "sexta",
        "sextas",
        "viernes",
    ],
    &["saturday", "saturdays", "samedi", "samedis", "sabado", "sabados"],
    &[
        "sunday",
        "sundays",
        "dimanche",
        "dimanches",
        "domingo",
        "domingos",
    ],
];

const MONTHS: [&[&str]; 12] = [
    &["january", "janvier", "janeiro", "enero"],
    &["february", "fevrier", "fevereiro", "febrero"],
    &["march", "mars", "marco", "marzo"],
    &["april", "avril", "abril"],
    &["may", "mai", "maio", "mayo"],
    &["june", "juin", "junho", "junio"],
    &["july", "juillet", "julho", "julio"],
    &["august", "aout", "agosto"],
    &["september", "septembre", "setembro", "septiembre"],
    &["october", "octobre", "outubro", "octubre"],
    &["november", "novembre", "novembro", "noviembre"],
    &["december", "decembre", "dezembro", "diciembre"],
];

/// Words that ask but name nothing, beside the stop words; folded.
static ASKING: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "price prices cost costs take takes work works mean means happen happens coute coutent prix dure \
     prend custa custam demora preco cuesta cuestan vale tarda precio valid"
        .split_whitespace()
        .collect()
});

static COMMON: LazyLock<HashSet<String>> = LazyLock::new(|| {
    include_str!("common_words.txt")
        .split_whitespace()
        .map(|word| stem(&fold(word)))
        .collect()
});

/// Day of the week, 0 for Monday, of a folded word in any of the four languages.
pub(crate) fn weekday(folded: &str) -> Option<usize> {
    WEEKDAYS.iter().position(|forms| forms.contains(&folded))
}

/// Month, 0 for January, of a folded word in any of the four languages.
pub(crate) fn month(folded: &str) -> Option<usize> {
    MONTHS.iter().position(|forms| forms.contains(&folded))
}

/// Whether a folded word asks without naming a thing.
pub(crate) fn is_asking_word(folded: &str) -> bool {
    ASKING.contains(&folded)
}

/// Whether a folded word names a colour in any of the four languages.
///
/// Words that are also something else (orange, rose, marron) are left out.
pub(crate) fn is_colour(folded: &str) -> bool {
    static COLOURS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        "red blue green yellow black white grey gray brown pink purple beige rouge bleu bleue vert verte jaune noir \
         noire blanc blanche gris grise violet violette vermelho vermelha azul verde amarelo amarela preto preta branco \
         branca cinza roxo roxa rojo roja amarillo amarilla negro negra blanco blanca morado morada"
            .split_whitespace()
            .collect()
    });
    COLOURS.contains(folded)
}

/// Whether a folded word is everyday vocabulary of asking a business something, in any of the four languages.
///
/// Documents often say the same in other words ("money back" is a refund), so its absence from the evidence proves
/// little; the absence of any other word ("generator", "Keta") is what a near miss looks like.
pub(crate) fn is_common(folded: &str) -> bool {
    is_stop_word(folded)
        || COMMON.contains(&stem(folded))
        || weekday(folded).is_some()
        || month(folded).is_some()
}

/// Whether the message holds nothing but greetings, thanks and the like.
pub(crate) fn is_only_pleasantry(text: &str) -> bool {
    let found: Vec<String> = text
        .split_whitespace()
        .map(|word| fold(word.trim_matches(|c: char| !c.is_alphanumeric())))
        .collect();
    let found: Vec<&str> = found
        .iter()
        .map(String::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    if found.is_empty() {
        // Emoji and punctuation alone.
        return !text.trim().is_empty() && !text.contains('?');
    }
    let known = |list: &[&str], word: &str| {
        list.iter()
            .any(|entry| near(entry, &squeeze(word)) || near(entry, word))
    };
    let all = found
        .iter()
        .all(|word| known(&GREETINGS, word) || known(&POLITE, word));
    let opens = !matches!(
        found[0],
        "day" | "team" | "there" | "dia" | "la" | "all" | "o" | "family" | "friend" | "friends" | "everyone"
    );
    let greets = known(&GREETINGS, found[0]) && opens;
    let only_greeting = opens && found.iter().all(|word| known(&GREETINGS, word));
    let asks_after = ["how are you", "comment allez", "como esta", "ca va"]
        .iter()
        .any(|words| found.join(" ").contains(words));
    all && found.len() <= 9
        && (only_greeting || greets || asks_after || found.iter().any(|word| known(&ANCHORS, word)))
}

/// "hellooo" as "hello": at most two equal letters in a row, one at the end.
fn squeeze(word: &str) -> String {
    let mut squeezed = String::with_capacity(word.len());
    let mut run = 0;
    let mut last = None;
    for letter in word.chars() {
        run = if last == Some(letter) { run + 1 } else { 1 };
        last = Some(letter);
        if run <= 2 {
            squeezed.push(letter);
        }
    }
    if run > 2 {
        squeezed.pop();
    }
    squeezed
}

/// The text behind a leading greeting; the whole text when it is nothing but a greeting or has none.
pub(crate) fn without_greeting(text: &str) -> &str {
    let opening = [
        "hello",
        "hi",
        "hey",
        "helo",
        "good",
        "dear",
        "bonjour",
        "bonsoir",
        "salut",
        "ola",
        "oi",
        "bom",
        "boa",
        "hola",
        "buenas",
        "buenos",
        "greetings",
    ];
    let found = words(text);
    let Some(first) = found.first() else { return text };
    if !opening.contains(&first.folded.as_str()) {
        return text;
    }
    let needs_second = matches!(first.folded.as_str(), "good" | "bom" | "boa" | "dear");
    let greeting = found
        .iter()
        .take_while(|word| GREETINGS.contains(&word.folded.as_str()))
        .count();
    if greeting == found.len() || (needs_second && greeting < 2) {
        return text;
    }
    text[found[greeting].start..].trim_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pleasantries_in_four_languages_with_slips() {
        for text in [
            "hi",
            "Hellooo",
            "Good morning",
            "good morning sir",
            "Thanks a lot!",
            "thank you so much for your help",
            "ok",
            "Ok thanks bye",
            "👍",
            "Bonjour",
            "merci beaucoup",
            "au revoir",
            "d'accord merci",
            "Olá, bom dia",
            "muito obrigado",
            "tudo bem",
            "hola buenas tardes",
            "muchas gracias",
            "thnaks",
            "How are you?",
            "hello how are you doing today",
        ] {
            assert!(is_only_pleasantry(text), "{text}");
        }
    }

    #[test]
    fn questions_are_not_pleasantries() {
        for text in [
            "hi do you deliver",
            "Good morning, what time do you open?",
            "thanks, and on Sunday?",
            "price",
            "help",
            "bonjour, quel est le prix",
            "is that all for you",
            "?",
            "Is it good",
            "ok what is the price",
            "how much",
            "yes",
            "no",
        ] {
            assert!(!is_only_pleasantry(text), "{text}");
        }
    }

    #[test]
    fn a_greeting_is_taken_off_only_in_front_of_something() {
        assert_eq!(
            without_greeting("Hello, do you open on Sundays?"),
            "do you open on Sundays?"
        );
        assert_eq!(without_greeting("Bom dia! Quanto custa?"), "Quanto custa?");
        assert_eq!(without_greeting("hello there"), "hello there");
        assert_eq!(without_greeting("Good batteries?"), "Good batteries?");
    }

    #[test]
    fn everyday_words_are_common_and_names_are_not() {
        for word in [
            "deliver",
            "opening",
            "money",
            "cheaper",
            "livraison",
            "entrega",
            "precio",
            "monday",
        ] {
            assert!(is_common(word), "{word}");
        }
        for word in ["kumasi", "generator", "bitcoin", "keta"] {
            assert!(!is_common(word), "{word}");
        }
    }
}
