//! The sentences the bot says in its own name, per language: greetings, refusals, hand-overs.
//!
//! They state no fact about the business, so they carry no citation. A language without its own set is answered in
//! the default language, then in English.

/// The bot's own sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phrase {
    /// Reply to a greeting.
    Greeting,
    /// Reply to thanks.
    Thanks,
    /// Reply to a goodbye.
    Goodbye,
    /// Reply to "ok", "great".
    Acknowledgement,
    /// Reply to "who are you?".
    Identity,
    /// The documents do not hold the answer.
    NoEvidence,
    /// The documents speak of the topic but not of the detail.
    MissingDetail,
    /// Not this business's concern.
    OutOfScope,
    /// The customer asked for a person.
    AskedForPerson,
    /// A matter that only a person may handle.
    NeedsPerson,
    /// Somebody may be in danger.
    Danger,
    /// Automatic answers are off.
    BotDisabled,
    /// Announces a quotation in a language other than the reply's.
    Bridge,
}

/// Languages with their own phrases.
pub const LANGUAGES: [&str; 4] = ["en", "fr", "pt", "es"];

/// The language whose phrases serve `language`.
pub fn served<'a>(language: &'a str, default: &'a str) -> &'a str {
    [language, default]
        .into_iter()
        .find(|code| LANGUAGES.contains(code))
        .unwrap_or("en")
}

/// The sentences of `phrase`; `business` may be empty.
pub fn text(phrase: Phrase, language: &str, business: &str) -> String {
    let template = match served(language, "en") {
        "fr" => french(phrase),
        "pt" => portuguese(phrase),
        "es" => spanish(phrase),
        _ => english(phrase),
    };
    let (before, named, after) = parts(template);
    if business.is_empty() {
        format!("{before}{after}")
    } else {
        format!("{before}{}{after}", named.replace("{business}", business))
    }
}

/// A template may hold one `[part that names {business}]`, left out when the business has no name.
fn parts(template: &str) -> (&str, &str, &str) {
    template
        .split_once('[')
        .and_then(|(before, rest)| rest.split_once(']').map(|(named, after)| (before, named, after)))
        .unwrap_or((template, "", ""))
}

/// Whether a message of the business offered a person, so that a bare "yes" accepts one: the bot's own offers, or the
/// way people write them.
pub fn offers_person(message: &str) -> bool {
    let own = [
        "Shall I pass you to a person?",
        "Voulez-vous parler à une personne ?",
        "Quer falar com uma pessoa?",
        "¿Quiere hablar con una persona?",
    ]
    .iter()
    .any(|offer| message.contains(offer));
    let lower = message.to_lowercase();
    let asks = lower.trim_end().ends_with('?');
    own || (asks
        && [
            "connect you",
            "pass you to",
            "transfer you",
            "put you through",
            "colleague",
            "collègue",
            "colega",
            "compañero",
        ]
        .iter()
        .any(|cue| lower.contains(cue)))
}

fn english(phrase: Phrase) -> &'static str {
    match phrase {
        Phrase::Greeting => "Hello[ from {business}]! How can I help you?",
        Phrase::Thanks => "You're welcome! Write any time if you have another question.",
        Phrase::Goodbye => "Goodbye! Write any time if you have another question.",
        Phrase::Acknowledgement => "Good. Write any time if you have another question.",
        Phrase::Identity => {
            "I am the automatic assistant[ of {business}] and answer from our documents. A person can take over whenever you ask."
        }
        Phrase::NoEvidence => {
            "I'm sorry, I could not find this in our documents. Shall I pass you to a person?"
        }
        Phrase::MissingDetail => {
            "I'm sorry, our documents do not say exactly that. Shall I pass you to a person?"
        }
        Phrase::OutOfScope => {
            "I can only help with questions about [{business}, ]our products and services. Shall I pass you to a person?"
        }
        Phrase::AskedForPerson => "Of course. I am passing you to a person, who will reply here.",
        Phrase::NeedsPerson => "A person should look at this. I am passing you on, and they will reply here.",
        Phrase::Danger => {
            "If anyone is in danger, please get to safety and call your local emergency number now. I am passing you to a person, who will reply here."
        }
        Phrase::BotDisabled => "Thank you for your message. A person will reply here.",
        Phrase::Bridge => "This is what our documents say:",
    }
}

fn french(phrase: Phrase) -> &'static str {
    match phrase {
        Phrase::Greeting => "Bonjour[ de la part de {business}] ! Comment puis-je vous aider ?",
        Phrase::Thanks => "Avec plaisir ! Écrivez-nous quand vous voulez si vous avez une autre question.",
        Phrase::Goodbye => "Au revoir ! Écrivez-nous quand vous voulez si vous avez une autre question.",
        Phrase::Acknowledgement => {
            "Très bien. Écrivez-nous quand vous voulez si vous avez une autre question."
        }
        Phrase::Identity => {
            "Je suis l'assistant automatique[ de {business}] et je réponds à partir de nos documents. Une personne peut prendre le relais dès que vous le demandez."
        }
        Phrase::NoEvidence => {
            "Désolé, je n'ai pas trouvé cela dans nos documents. Voulez-vous parler à une personne ?"
        }
        Phrase::MissingDetail => {
            "Désolé, nos documents ne le précisent pas exactement. Voulez-vous parler à une personne ?"
        }
        Phrase::OutOfScope => {
            "Je peux seulement répondre aux questions sur [{business}, ]nos produits et nos services. Voulez-vous parler à une personne ?"
        }
        Phrase::AskedForPerson => "Bien sûr. Je vous passe une personne, qui vous répondra ici.",
        Phrase::NeedsPerson => "Une personne doit s'en occuper. Je transmets, elle vous répondra ici.",
        Phrase::Danger => {
            "Si quelqu'un est en danger, mettez-vous à l'abri et appelez tout de suite les secours. Je vous passe une personne, qui vous répondra ici."
        }
        Phrase::BotDisabled => "Merci pour votre message. Une personne vous répondra ici.",
        Phrase::Bridge => "Voici ce que disent nos documents (dans leur langue) :",
    }
}

fn portuguese(phrase: Phrase) -> &'static str {
    match phrase {
        Phrase::Greeting => "Olá[, aqui é {business}]! Como posso ajudar?",
        Phrase::Thanks => "De nada! Escreva quando quiser se tiver outra pergunta.",
        Phrase::Goodbye => "Até logo! Escreva quando quiser se tiver outra pergunta.",
        Phrase::Acknowledgement => "Certo. Escreva quando quiser se tiver outra pergunta.",
        Phrase::Identity => {
            "Sou o assistente automático[ de {business}] e respondo com base nos nossos documentos. Uma pessoa pode assumir quando você pedir."
        }
        Phrase::NoEvidence => {
            "Desculpe, não encontrei isso nos nossos documentos. Quer falar com uma pessoa?"
        }
        Phrase::MissingDetail => {
            "Desculpe, os nossos documentos não dizem exatamente isso. Quer falar com uma pessoa?"
        }
        Phrase::OutOfScope => {
            "Só posso ajudar com perguntas sobre [{business}, ]os nossos produtos e serviços. Quer falar com uma pessoa?"
        }
        Phrase::AskedForPerson => "Claro. Vou passar você para uma pessoa, que responderá aqui.",
        Phrase::NeedsPerson => "Uma pessoa precisa ver isso. Já encaminhei, e ela responderá aqui.",
        Phrase::Danger => {
            "Se alguém estiver em perigo, vá para um lugar seguro e ligue agora para a emergência. Vou passar você para uma pessoa, que responderá aqui."
        }
        Phrase::BotDisabled => "Obrigado pela mensagem. Uma pessoa responderá aqui.",
        Phrase::Bridge => "É isto que dizem os nossos documentos (na língua deles):",
    }
}

fn spanish(phrase: Phrase) -> &'static str {
    match phrase {
        Phrase::Greeting => "¡Hola[, le saluda {business}]! ¿En qué puedo ayudarle?",
        Phrase::Thanks => "¡De nada! Escriba cuando quiera si tiene otra pregunta.",
        Phrase::Goodbye => "¡Hasta luego! Escriba cuando quiera si tiene otra pregunta.",
        Phrase::Acknowledgement => "Muy bien. Escriba cuando quiera si tiene otra pregunta.",
        Phrase::Identity => {
            "Soy el asistente automático[ de {business}] y respondo a partir de nuestros documentos. Una persona puede atenderle cuando lo pida."
        }
        Phrase::NoEvidence => {
            "Lo siento, no encontré eso en nuestros documentos. ¿Quiere hablar con una persona?"
        }
        Phrase::MissingDetail => {
            "Lo siento, nuestros documentos no dicen exactamente eso. ¿Quiere hablar con una persona?"
        }
        Phrase::OutOfScope => {
            "Solo puedo ayudar con preguntas sobre [{business}, ]nuestros productos y servicios. ¿Quiere hablar con una persona?"
        }
        Phrase::AskedForPerson => "Por supuesto. Le paso con una persona, que le responderá aquí.",
        Phrase::NeedsPerson => "Esto debe verlo una persona. Ya lo he pasado, y le responderá aquí.",
        Phrase::Danger => {
            "Si alguien está en peligro, póngase a salvo y llame ya al número de emergencias. Le paso con una persona, que le responderá aquí."
        }
        Phrase::BotDisabled => "Gracias por su mensaje. Una persona le responderá aquí.",
        Phrase::Bridge => "Esto dicen nuestros documentos (en su idioma):",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Phrase; 13] = [
        Phrase::Greeting,
        Phrase::Thanks,
        Phrase::Goodbye,
        Phrase::Acknowledgement,
        Phrase::Identity,
        Phrase::NoEvidence,
        Phrase::MissingDetail,
        Phrase::OutOfScope,
        Phrase::AskedForPerson,
        Phrase::NeedsPerson,
        Phrase::Danger,
        Phrase::BotDisabled,
        Phrase::Bridge,
    ];

    #[test]
    fn every_phrase_reads_well() {
        use std::fmt::Write;

        let mut read = String::new();
        for language in LANGUAGES {
            for phrase in ALL {
                writeln!(
                    read,
                    "{language} {phrase:?}: {}",
                    text(phrase, language, "Baobab Clinic")
                )
                .unwrap();
            }
        }
        read += "\nwithout a name\n";
        for phrase in [Phrase::Greeting, Phrase::Identity, Phrase::OutOfScope] {
            for language in LANGUAGES {
                writeln!(read, "{language} {phrase:?}: {}", text(phrase, language, "")).unwrap();
            }
        }
        insta::assert_snapshot!(read);
    }

    #[test]
    fn refusals_offer_a_person_in_every_language() {
        for language in LANGUAGES {
            for phrase in [Phrase::NoEvidence, Phrase::MissingDetail, Phrase::OutOfScope] {
                assert!(
                    offers_person(&text(phrase, language, "X")),
                    "{language} {phrase:?}"
                );
            }
            assert!(!offers_person(&text(Phrase::Greeting, language, "X")));
        }
    }

    #[test]
    fn an_unknown_language_is_served_in_the_default() {
        assert_eq!(served("de", "fr"), "fr");
        assert_eq!(served("de", "sw"), "en");
        assert_eq!(served("pt", "fr"), "pt");
    }
}
