//! What kind of thing a question asks for, and whether a text holds such a thing.
//!
//! Similarity says that a passage is about the topic; only this says whether it can contain the answer. "How much is
//! delivery to Ho?" needs a price, and a passage about delivery without one is a near miss.

use std::sync::LazyLock;

use regex::Regex;

use super::{fold, words};

/// The kind of thing asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asked {
    /// How long something takes or lasts.
    Duration,
    /// An amount of money (or "free").
    Price,
    /// A phone number, e-mail or web address.
    Contact,
    /// A number of things, a weight, a distance, a share.
    Quantity,
    /// A date, a day or a time of day.
    When,
    /// A place.
    Place,
    /// A person or an office.
    Person,
}

fn pattern(text: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "the patterns are constants of this file and every one is tested"
    )]
    Regex::new(text).expect("a valid pattern")
}

/// How each kind is asked for in folded text, most specific first: "how much time" is a duration, not a price.
static QUESTIONS: LazyLock<Vec<(Asked, Regex)>> = LazyLock::new(|| {
    [
        (
            Asked::Duration,
            r"\b(how (long|quickly|fast|soon|many (days|weeks|months|years|hours|minutes))|how much (time|longer)|within how|duration|combien (de temps|de jours|de semaines|de mois|d'annees|d'heures|dure)|quel(le)? (delai|duree)|sous combien|en combien de|quanto tempo|quantos (dias|meses|anos)|quantas (horas|semanas)|(qual )?o prazo|cuanto tiempo|cuant[oa]s (dias|meses|anos|horas|semanas)|cuanto (tarda|demora|dura)|que plazo)\b",
        ),
        (
            Asked::Contact,
            r"\b(phone|telephone|email|e-mail|mail address|website|web site|hotline|whatsapp number|contact (number|details|you)|(which|what) number|number (can|do|should) i call|numero de (telephone|telefone|telefono)|telefone|telefono|courriel|adresse (mail|email)|correo|site web|pagina web)\b",
        ),
        (
            Asked::Price,
            r"\b(how much|price|prices|priced|cost|costs|fee|fees|charged?|charges|tariff|deposit|combien|prix|tarifs?|frais|coute|coutent|acompte|caution|quanto (e|custa|custam|fica|sai|pago|cobram|devo|sao)|precos?|custo|custa|taxa|valor|cuanto (cuesta|cuestan|vale|valen|es|son|sale|cobran|pago)|precios?|coste|costo|cuesta|tarifas?)\b",
        ),
        (
            Asked::Quantity,
            r"\b(how (many|heavy|big|large|far|tall|wide|deep|high|thick|powerful|strong|loud|old)|what (size|weight|percentage|capacity|distance|age)|how much (space|weight|water|power|energy|discount)|combien d[e']|quel (poids|pourcentage|age)|quelle (taille|distance|capacite)|quant[oa]s|quanto pesa|cuant[oa]s|cuanto (pesa|mide)|que (tamano|peso|porcentaje|edad))\b",
        ),
        (
            Asked::When,
            r"\b(when|what (time|day|days|date|hours)|which (day|days|date)|until when|opening (hours|times)|open(ing)? (on|at)|deadline|quand|a quelle heure|quel(s)? jours?|jusqu'a quand|horaires?|heures d'ouverture|quando|que (horas|dia|dias)|qual a data|a que horas|horarios?|cuando|a que hora|que (dia|dias|hora|fecha)|hasta cuando)\b",
        ),
        (
            Asked::Place,
            r"\b(where|which (town|city|shop|branch|branches|address|place)|what (is|s) (your|the) address|located|ou (est|sont|se|puis|peut|dois|trouver|acheter)|dans quelle ville|adresse|onde|em que (cidade|loja)|endereco|donde|en que (ciudad|tienda)|direccion)\b",
        ),
        (Asked::Person, r"\b(who|whom|whose|qui|quem|quien|quienes)\b"),
    ]
    .map(|(asked, text)| (asked, pattern(text)))
    .into()
});

static MONEY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"([$€£₦₵¥₹]|\b(ghs|usd|eur|gbp|ngn|kes|ksh|zar|xof|xaf|fcfa|cfa|brl|mxn|cop|aoa|mzn|cedis?|dollars?|euros?|reais|pesos|naira|shillings?)\b|r\$)\s?-?\d|\d\s?([$€£₦₵]|(ghs|usd|eur|gbp|ngn|kes|ksh|zar|xof|xaf|fcfa|cfa|brl|mxn|cop|aoa|mzn|cedis?|dollars?|euros?|reais|pesos|naira|shillings?)\b)|\d\s?%|\b(free|included|no (extra )?(charge|cost|fee)|nothing|gratuite?s?|gratis|inclus|incluido|offerte?s?|sem custo|sin coste)\b|\b(price|cost|fee|charge|deposit|tariff|amount|prix|preco|precio|rate|ghs|usd|eur)[^|:]*:\s?\d",
    )
});

static SPAN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|thirty|un|une|deux|trois|quatre|cinq|dix|um|uma|dois|duas|tres|quatro|dez|dos|cuatro|cinco|diez|a|an|half)([- ]| working | business | jours | dias )*(\w+ )?(days?|weeks?|months?|years?|hours?|hrs?|h|minutes?|mins?|jours?|semaines?|mois|ans?|annees?|heures?|dias?|semanas?|mes|meses|anos?|horas?|minutos?)\b|\b(days?|weeks?|months?|years?|hours?|minutes?|jours|semaines|mois|heures|dias|semanas|meses|horas|duration|delay)[^|:]{0,20}:\s?\d|\b(immediately|at once|same day|overnight|lifetime|by agreement)\b",
    )
});

static DAY_OR_TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(\d{1,2}[:h]\d{2}|\d{1,2} ?(am|pm|h|hrs|uhr)|noon|midnight|midday|midi|minuit|(mon|tues|wednes|thurs|fri|satur|sun)days?|(lun|mar|mercre|jeu|vendre|same|diman)(di|che)s?|segunda|terca|quarta|quinta|sexta|sabados?|domingos?|lunes|martes|miercoles|jueves|viernes|daily|every day|tous les jours|todos os dias|todos los dias|january|february|march|april|june|july|august|september|october|november|december|janvier|fevrier|avril|juin|juillet|aout|septembre|octobre|novembre|decembre|janeiro|fevereiro|marco|abril|maio|junho|julho|setembro|outubro|novembro|dezembro|enero|febrero|marzo|mayo|junio|julio|septiembre|octubre|noviembre|diciembre|today|tomorrow|weekends?|holidays?)\b|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b|\b(may) \d|\d (may)\b|\b(after|before|once|as soon as|until|by|apres|avant|depois|antes|despues) \w+",
    )
});

static CONTACT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\+?\d[\d ().-]{5,}\d|[\w.+-]+@[\w-]+\.[\w.]+|https?://|www\.|\b\w+\.(com|org|net|example|gh|pt|es|fr|br)\b",
    )
});

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|half|deux|trois|quatre|cinq|dois|duas|tres|quatro|cuatro|cinco|no limit|unlimited)\b",
    )
});

impl Asked {
    /// What `question` asks for; `None` when it asks for no particular kind of thing.
    pub fn of(question: &str) -> Option<Self> {
        let folded = fold(question);
        QUESTIONS
            .iter()
            .find(|(_, pattern)| pattern.is_match(&folded))
            .map(|(asked, _)| *asked)
    }

    /// Whether `text` holds a thing of this kind. Lenient: it says "cannot be the answer", not "is the answer".
    pub fn is_in(self, text: &str) -> bool {
        let folded = fold(text);
        match self {
            Self::Price => MONEY.is_match(&folded),
            Self::Duration => SPAN.is_match(&folded) || DAY_OR_TIME.is_match(&folded),
            Self::When => DAY_OR_TIME.is_match(&folded) || SPAN.is_match(&folded),
            Self::Quantity => NUMBER.is_match(&folded),
            Self::Contact => CONTACT.is_match(&folded),
            Self::Place | Self::Person => names_something(text),
        }
    }
}

/// Whether a capitalised word stands inside a sentence, or a role or place is named.
fn names_something(text: &str) -> bool {
    let found = words(text);
    let named = found.windows(2).any(|pair| {
        let between = &text[pair[0].end()..pair[1].start];
        pair[1].is_capitalised() && pair[1].text.len() > 1 && !between.contains(['.', '!', '?', '\n'])
    });
    named
        || found
            .iter()
            .any(|word| PLACES_AND_ROLES.contains(&word.stem.as_str()))
}

/// Stems of common words for places and roles.
const PLACES_AND_ROLES: &[&str] = &[
    "shop",
    "stor",
    "branch",
    "offic",
    "street",
    "road",
    "depot",
    "station",
    "agent",
    "manager",
    "technician",
    "team",
    "hom",
    "door",
    "addres",
    "own",
    "holder",
    "custom",
    "staff",
    "doctor",
    "teach",
    "buyer",
    "we",
    "you",
    "anyon",
    "onlin",
    "magasin",
    "agenc",
    "loj",
    "tiend",
    "oficin",
    "ru",
    "call",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_read_in_four_languages() {
        for (question, asked) in [
            ("How much is delivery to Ho?", Some(Asked::Price)),
            ("how much time does it take", Some(Asked::Duration)),
            ("Combien coûte la livraison ?", Some(Asked::Price)),
            ("Combien de temps dure la garantie ?", Some(Asked::Duration)),
            ("Quanto custa a entrega?", Some(Asked::Price)),
            ("Em quanto tempo chega?", Some(Asked::Duration)),
            ("¿Cuánto cuesta?", Some(Asked::Price)),
            ("¿A qué hora abren?", Some(Asked::When)),
            ("¿Dónde están?", Some(Asked::Place)),
            ("À quelle heure ouvrez-vous ?", Some(Asked::When)),
            ("Who repairs it?", Some(Asked::Person)),
            ("How many rooms are there?", Some(Asked::Quantity)),
            ("What is your phone number?", Some(Asked::Contact)),
            ("Can I return an opened box?", None),
        ] {
            assert_eq!(Asked::of(question), asked, "{question}");
        }
    }

    #[test]
    fn a_text_holds_the_kind_or_not() {
        for (asked, yes, no) in [
            (
                Asked::Price,
                "Delivery costs GHS 35.",
                "We deliver to every town on request.",
            ),
            (Asked::Price, "Town: Ho, Price GHS: 35.", "Town: Ho, Days: 3."),
            (
                Asked::Price,
                "La livraison est gratuite.",
                "La livraison est rapide.",
            ),
            (Asked::Duration, "It takes 3 working days.", "It is quick."),
            (Asked::Duration, "A garantia é de dois anos.", "A garantia é boa."),
            (Asked::When, "We open at 08:00.", "We open the box."),
            (Asked::When, "Abrimos los domingos.", "Abrimos la caja."),
            (Asked::Contact, "Call +233 30 555 0100.", "Call us."),
            (Asked::Quantity, "It has 4 lamps.", "It has lamps."),
            (Asked::Place, "Our shop is in Tema.", "It is red."),
        ] {
            assert!(asked.is_in(yes), "{asked:?}: {yes}");
            assert!(!asked.is_in(no), "{asked:?}: {no}");
        }
    }

    #[test]
    fn every_pattern_compiles() {
        for asked in [
            Asked::Price,
            Asked::Duration,
            Asked::When,
            Asked::Contact,
            Asked::Quantity,
            Asked::Place,
            Asked::Person,
        ] {
            let _ = asked.is_in("x");
        }
    }
}
