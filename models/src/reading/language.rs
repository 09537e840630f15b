//! Which of the four languages a short text is written in, by the words that only one of them uses.
//!
//! Chat messages are shorter than what statistical detectors need ("e ao domingo?"); function words decide most of them.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::words;

/// Words that only one of the four languages uses (or nearly), folded; greetings included.
const TELLING: &[(&str, &str)] = &[
    (
        "en",
        "the is are was do does did have has you your i my we what when where which who how much many can could would will shall should and or \
         of to for from with without about please hello hi hey thanks thank good morning afternoon evening it its this that there any not if \
         need want get they them their be been price cost open delivery return refund warranty day days week weeks sunday monday saturday \
         after before because while than then at on by does't u pls okay bye night people person speak talk buy order",
    ),
    (
        "fr",
        "le les des est sont je vous nous il elle on ce cette ces et ou pour avec sans dans sur quel quelle quels quelles combien comment quand \
         pourquoi puis peut pouvez avez voudrais faut bonjour bonsoir merci salut svp aussi mon ma mes votre vos notre au aux du qui quoi \
         pas ne jai ca passe apres livraison prix dimanche lundi jours jour semaine ouvert ouvrez coute cela ca l'heure heures parler personne acheter oui non voir",
    ),
    (
        "pt",
        "os um uma do da dos das no na nos nas ao aos nao voce voces meu minha seu sua quanto quanta quantos quantas qual quais quando onde \
         como sao tem tenho posso pode podem quero queria gostaria ola oi obrigado obrigada bom boa dia tarde noite isso isto esse essa e com \
         em ate depois ja domingo segunda entrega preco custa dias semana aberto abrem falar pessoa comprar sim fica garantia tambem",
    ),
    (
        "es",
        "el los las un una del al y cuanto cuanta cuantos cuantas cual cuales cuando donde como son tiene tengo puedo puede pueden quiero \
         quisiera hola gracias buenos buenas dias tardes noches usted ustedes su sus esto eso ese esa con en hasta despues ya domingo lunes \
         entrega precio cuesta dia semana abierto abren hablar persona comprar si hay es lo le les mi mis tambien por favor que garantia",
    ),
];

/// English, French, Portuguese or Spanish, when marks or function words settle it; nothing on a tie.
pub fn told_language(text: &str) -> Option<&'static str> {
    by_marks(text).or_else(|| by_function_words(text))
}

/// Letters and marks that settle it.
fn by_marks(text: &str) -> Option<&'static str> {
    if text.contains(['¿', '¡', 'ñ', 'Ñ']) {
        return Some("es");
    }
    text.contains(['ã', 'õ', 'Ã', 'Õ']).then_some("pt")
}

/// The language with the most telling words; nothing on a tie.
fn by_function_words(text: &str) -> Option<&'static str> {
    static BY_WORD: LazyLock<HashMap<&'static str, Vec<usize>>> = LazyLock::new(|| {
        let mut by_word: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, (_, list)) in TELLING.iter().enumerate() {
            list.split_whitespace()
                .for_each(|word| by_word.entry(word).or_default().push(index));
        }
        by_word
    });
    let found = words(text);
    let mut counts = [0_usize; TELLING.len()];
    for index in found
        .iter()
        .filter_map(|word| BY_WORD.get(word.folded.as_str()))
        .flatten()
    {
        counts[*index] += 1;
    }
    let most = *counts.iter().max()?;
    let mut leaders = counts.iter().zip(TELLING).filter(|(count, _)| **count == most);
    let leader = leaders.next().map(|(_, (code, _))| *code);
    // In a long text of another language a stray match proves nothing.
    let dense = most > 0 && most * 6 >= found.len();
    leader.filter(|_| dense && leaders.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_words_tell_short_messages_apart() {
        for (text, language) in [
            ("and for Sundays?", Some("en")),
            ("et le dimanche ?", Some("fr")),
            ("e ao domingo?", Some("pt")),
            ("y los domingos?", Some("es")),
            ("jai pas recu le code", Some("fr")),
            ("A3?", None),
            ("¿A3?", Some("es")),
        ] {
            assert_eq!(told_language(text), language, "{text}");
        }
    }
}
