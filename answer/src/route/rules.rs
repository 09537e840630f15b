//! Rules: messages whose route must not depend on a similarity.

use std::sync::LazyLock;

use plumbline_models::reading::{Asked, fold, near, words};
use regex::Regex;

use super::Routed;
use crate::answer::{Message, Reason, Route, Speaker};
use crate::phrases::{self, Phrase};
use crate::vocabulary;

/// What the rules say.
pub type Ruled = Option<Routed>;

fn pattern(text: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "the patterns are constants of this file and every one is tested"
    )]
    Regex::new(text).expect("a valid pattern")
}

/// The route of a message that a rule decides; `None` leaves it to the similarity.
///
/// `message` is what the customer wrote, `query` the same completed from memory.
pub fn by_rules(message: &str, query: &str, history: &[Message]) -> Ruled {
    let folded = fold(message);
    if INJECTION.is_match(&folded) {
        return Some(Routed::out_of_scope());
    }
    if in_danger(&folded) {
        return handoff(Reason::NeedsPerson, Phrase::Danger);
    }
    if IDENTITY.is_match(&folded) {
        return smalltalk(message, &folded);
    }
    if accepts_offer(&folded, history) || asks_for_person(&folded) {
        return handoff(Reason::AskedForPerson, Phrase::AskedForPerson);
    }
    if is_legal(&folded) || is_complaint(&folded) || is_account_matter(&folded) {
        return handoff(Reason::NeedsPerson, Phrase::NeedsPerson);
    }
    if query == message || vocabulary::is_only_pleasantry(message) {
        return smalltalk(message, &folded);
    }
    None
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "reads as the rule's result where it is used"
)]
fn handoff(reason: Reason, phrase: Phrase) -> Ruled {
    Some(Routed {
        route: Route::Handoff,
        reason: Some(reason),
        phrase: Some(phrase),
    })
}

fn smalltalk(message: &str, folded: &str) -> Ruled {
    let phrase = if IDENTITY.is_match(folded) {
        Phrase::Identity
    } else if !vocabulary::is_only_pleasantry(message) {
        return None;
    } else if GOODBYE.is_match(folded) {
        Phrase::Goodbye
    } else if THANKS.is_match(folded) {
        Phrase::Thanks
    } else if ACKNOWLEDGEMENT.is_match(folded) {
        Phrase::Acknowledgement
    } else {
        Phrase::Greeting
    };
    Some(Routed {
        phrase: Some(phrase),
        ..Routed::ordinary(Route::Smalltalk)
    })
}

static INJECTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(ignore|disregard|forget|override|bypass)\b.{0,30}\b(instructions?|rules?|prompts?|guidelines|restrictions|programming)\b|\b(system|hidden|initial|secret) (prompt|message|instructions)\b|\b(reveal|show|print|repeat|output)\b.{0,25}\b(prompt|instructions|words above|text above|configuration)\b|\byou are now\b|\bpretend (you|to|that)\b|\b(act|behave|pretend|roleplay)\b.{0,10}\b(as|like|to be|that you)\b|\b(developer|debug|god|admin|dan) mode\b|\bjailbreak|\b(ignore[zr]?|oublie[zr]?)\b.{0,30}\b(instructions|consignes|regles)\b|\b(ignore|ignora|esqueca|olvida|olvide)\b.{0,30}\b(instrucoes|regras|instrucciones|reglas)\b|\bagora voce e\b|\bahora eres\b|\btu es maintenant\b",
    )
});

static IDENTITY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\W*(hi |hello |hey )?(who are you|what are you|what('s| is) your name|what (do|can|should) i call you|comment (tu t'appelles|vous vous appelez|vous appelez-vous)|qual e o seu nome|como (te llamas|se llama usted)|are you (a |an )?(bot|robot|human|machine|ai|real( person)?|computer)|is this (a |an )?(bot|robot|machine)|am i (talking|speaking|chatting) (to|with) (a |an )?(bot|robot|machine|human|person|real person)|(qui es[- ]tu|qui etes[- ]vous)|(etes[- ]vous|es[- ]tu) (un |une )?(robot|humain|machine|personne)|quem e voce|voce e (um |uma )?(robo|bot|humano|pessoa|maquina)|quien eres|eres (un |una )?(robot|bot|humano|persona|maquina))( (my friend|please|pls|bro|sir|madam))?\W*$",
    )
});

static GOODBYE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(bye|goodbye|see you|good night|au revoir|a bientot|bonne (journee|soiree|nuit)|tchau|ate logo|adios|hasta luego)\b",
    )
});

static THANKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(medaa?se|asante|shukran|appreciated?|bless|thank|thanks|thnaks|thx|tnx|ty|merci|obrigad[oa]|valeu|gracias)\b",
    )
});

static ACKNOWLEDGEMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\W*(ok(ay|ey)?|k|great|perfect|cool|nice|fine|super|alright|all right|understood|got it|wonderful|awesome|d'?accord|parfait|perfeito|otimo|certo|vale|perfecto|genial|entendido|tres bien|muy bien)\b|^\W*$|👍",
    )
});

static YES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\W*(yes|yeah|yep|yea|sure|please|yes please|ok(ay)?|do that|go ahead|(yes |ok )?(please |pls )?(connect|transfer|call) me|oui|ouais|oui s'il vous plait|sim|claro|quero|sim por favor|si|si por favor|por favor|👍)( (please|pls|merci|thanks|svp|por favor|obrigad[oa]|gracias))*( (connect|transfer|call) me)?( please| pls)?\W*$",
    )
});

/// A bare "yes" after the bot offered a person.
fn accepts_offer(folded: &str, history: &[Message]) -> bool {
    let last = history.iter().rev().find(|message| message.role == Speaker::Bot);
    let fresh = history.last().is_some_and(|message| message.role == Speaker::Bot);
    fresh && YES.is_match(folded) && last.is_some_and(|message| phrases::offers_person(&message.text))
}

static SPEAK: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "speak talk chat connect transfer call reach contact pass get want need give parler passer passez \
     joindre veux voudrais appeler falar conversar passar transferir quero preciso chamar chama \
     hablar comunicar pasar pasame paseme quiero necesito"
        .split_whitespace()
        .collect()
});

/// People, when somebody wants to speak to one.
static PERSON: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "human person someone somebody agent representative operator manager supervisor adviser advisor \
     people personne quelqu'un humain conseiller conseillere responsable gerant operateur pessoa \
     alguem humano atendente gerente operador persona alguien asesor encargado agente staff"
        .split_whitespace()
        .collect()
});

static PERSON_ALONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(real|live|actual) (person|human|agent|people)\b|\bhuman (agent|being|please|support|help|operator)\b|\bcall me( back)?\b|\b(connect|transfer) me\b|\blet (your|the) (manager|supervisor|boss|people|team) (call|contact|ring)\b|^\W*(a )?(human|agent|operator|representative|person|manager|humain|conseiller|atendente|humano|persona|agente|asesor|operador)( please| svp| por favor)?\W*$|\bnot (a|with a|to a) (bot|robot|machine)\b|\b(personne reelle|vraie personne|pessoa de verdade|pessoa real|persona real|persona de verdad)\b|\brappelez[- ]moi\b|\b(me liguem|me ligue|llamenme|llameme)\b",
    )
});

/// A person is asked for: a word of speaking near one for a person, misspelt or not.
fn asks_for_person(folded: &str) -> bool {
    if PERSON_ALONE.is_match(folded) {
        // "who can call me when the driver comes" asks for a fact.
        return !is_information_question(folded)
            || folded.contains("real person")
            || folded.contains("human");
    }
    let text = folded.replace('\'', " ");
    let found: Vec<String> = words(&text).into_iter().map(|word| word.folded).collect();
    let speaks = |word: &str| SPEAK.iter().any(|verb| near(verb, word));
    let person = |word: &str| PERSON.iter().any(|noun| near(noun, word)) || word == "quelqu";
    let strong = [
        "speak",
        "talk",
        "chat",
        "connect",
        "transfer",
        "parler",
        "falar",
        "conversar",
        "hablar",
        "passez",
        "pasame",
        "paseme",
        "comunicar",
    ];
    found
        .iter()
        .enumerate()
        .filter(|(_, word)| speaks(word))
        .any(|(at, verb)| {
            let window = &found[at + 1..found.len().min(at + 7)];
            let names = window.iter().position(|word| person(word));
            let is_strong = strong.iter().any(|s| near(s, verb));
            // "I need an agent number" or "call an agent to pay" is about agents; "I need a human" is not.
            let human = names.is_some_and(|n| window[n..].len() <= 2 || is_strong);
            let wants = is_strong || !is_information_question(folded);
            human && wants && !mentions_fact(folded)
        })
}

/// Asks how things are arranged rather than for the thing: "who do I talk to about a refund", "do I need a person to sign".
fn mentions_fact(folded: &str) -> bool {
    static FACT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(do|does|must|should|need)\b (i|we|my|the) .{0,12}(need|bring|have)\b|\bwho (do|can|should|must) (i|we)\b|\b(phone|number|hours) (of|for)\b|\b(signature|witness|guarantor|fiador|garant)\b",
        )
    });
    FACT.is_match(folded)
}

/// Begins like a question about how things are.
fn is_information_question(folded: &str) -> bool {
    static INFORMATION: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^\W*(how|what|which|who|when|where|why|is|are|does|do you|do i|comment|quel|quelle|quels|quelles|qui|quand|ou|est-ce|como|qual|quais|quem|quando|onde|cual|cuales|quien|cuando|donde|que)\b",
        )
    });
    INFORMATION.is_match(folded)
}

/// About rules rather than about an event: "is fire damage covered?".
fn asks_about_rules(folded: &str) -> bool {
    static RULES: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(cover|covers|covered|coverage|warranty|guarantee|insur\w*|policy|policies|allowed|permitted|alarm|proof|resistant|extinguisher|what (should|do|must|can) (i|we) do (if|when)|what happens (if|when)|in case of|could|can it|does it|risk|garantie|couvert\w*|assurance|autorise\w*|que faire si|garantia|cobert\w*|cobre|seguro|permitid\w*|o que (fazer|acontece) se|cubre|cubiert\w*|que (hago|pasa|hacer) si|is it safe|c'est dangereux|e seguro|es seguro)\b",
        )
    });
    RULES.is_match(folded)
}

static DANGER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(is|are|was|started|starts|keeps|it's|its|been) (smoking|sparking|burning|exploding|leaking (gas|acid|fluid))\b|\b(on|caught|catching) fire\b|\bsmoke (is )?(coming|comes|came|from|out)\b|\b(burning|burnt) smell\b|\bsmell(s|ing)? (of |like )?(burning|burnt|smoke|gas|fire)\b|\b(sees?|saw|seeing|makes|making|there are|giving|with) sparks\b|\bsparks? (from|coming|flying)\b|\b(electric|got a|gave me a|getting a|felt a) shock\b|\bshocked me\b|\belectrocut\w+|\b(exploded|has burst into)\b|\b(battery|pack|phone) (is |has |looks |got |seems )*(swollen|swelling|bulging|bloated|hissing|leaking)\b|\bswollen battery\b|\b(got|been|is|was|were|badly) (injured|burned|burnt|bleeding|poisoned|unconscious)\b|\bgas leak\b|\b(gas|burning|burnt|smoke|chemical) smell\b|\bsmell of (gas|burning|smoke)\b|\bsevere allergic|\bcan'?t breathe\b|\bchest pain\b|\b(kill|harm|hurt) myself\b|\bswallowed\b.{0,30}\b(battery|piece|tablet|pill|part|magnet|poison)\b|\ben feu\b|\bprend feu\b|\bpris feu\b|\bfumee (sort|qui sort)\b|\b(odeur|sent) (de |le )?(brule|gaz|fumee)\b|\betincelles\b|\b(choc electrique|electrocute\w*|decharge electrique)\b|\ba explose\b|\bfuite de gaz\b|\bbatterie (est |a )?(gonflee?|gonfle)\b|\bpegou fogo\b|\b(pegando|em) fogo\b|\bsai(ndo)? (fumaca|fumo)\b|\bcheiro (de |a )?(queimado|gas|fumaca|fumo)\b|\bfaiscas?\b|\bchoque eletrico\b|\blevei (um )?choque\b|\bexplodiu\b|\bvazamento de gas\b|\bbateria (esta |ficou )?(inchada|estufada)\b|\b(en llamas|se incendi\w+|prendio fuego|esta ardiendo)\b|\b(sale|saliendo|echa|echando) humo\b|\bolor a (quemado|gas|humo)\b|\bhuele a (quemado|gas|humo)\b|\bchispas\b|\b(descarga electrica|me dio (la )?corriente|calambre)\b|\bexploto\b|\bfuga de gas\b|\bbateria (esta )?(hinchada|inflada)\b",
    )
});

/// Somebody may be in danger now. A message about rules ("is it covered if it catches fire?") is not an alarm, unless it
/// speaks of now.
fn in_danger(folded: &str) -> bool {
    static NOW: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(help|right now|now|urgent|emergency|just|my (son|daughter|child|wife|husband|mother|father|hand)|au secours|maintenant|socorro|agora|ayuda|ahora|auxilio)\b",
        )
    });
    DANGER.is_match(folded) && (!asks_about_rules(folded) || NOW.is_match(folded))
}

static LEGAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(i never (signed|agreed|ordered|took|bought)|without my (consent|permission|knowledge)|(used|stole|misused) my (id|identity|card|ghana card|name|documents?|number)|identity theft|fraud(ster)?s?|(collected|took|stole|received) .{0,30}(cash|money) from me|my (lawyer|attorney|solicitor)|lawyers? (will|is going)|sue (you|your|the company)|suing|take you to court|see you in court|legal (action|proceedings|notice)|(report|reporting) you to|going to the (police|press|media|ombudsman)|gdpr|(delete|erase|remove) (all )?my (personal )?(data|information|account)|data (subject|protection) request|mon avocat|porter plainte|vous poursuivre|action en justice|tribunal|supprime[rz] mes donnees|meu advogado|processar (voces|a empresa)|acao judicial|apag\w+ (os )?meus dados|mi abogado|demandar(los|les)?|accion legal|denunciarlos|(borrar|borren|eliminar|eliminen) mis datos)\b",
    )
});

fn is_legal(folded: &str) -> bool {
    LEGAL.is_match(folded)
}

static COMPLAINT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(i (want|wish|would like|need|am writing|'d like) to (make a |file a |lodge a |report a )?complain(t)?|i have a complaint|complaint about|i('m| am)? (so |very |really |extremely )*(angry|furious|disappointed|fed up|unhappy|upset|disgusted)|(this is|that is|it is|totally|completely) (so )?(unacceptable|outrageous|ridiculous|a scandal|a scam|theft)|(terrible|awful|horrible|worst|useless|disgraceful|appalling) (customer )?(service|company|support|experience|staff)|you (people )?(are|have) (all )?(cheat(ed|ing|s)?|thieves|scammers|scammed|robbed|lied|stolen|liars)|you (cheated|robbed|scammed|overcharged|lied to|stole from|charged me)|i('ve| have) been (cheated|scammed|overcharged|waiting|insulted)|(nobody|no one|noone) (answers|answered|replies|replied|responds|called|came|comes|helps|helped)|(rude|insulted|shouted at|disrespect\w*) (me|to me|staff|driver|agent)|(driver|agent|technician|staff|employee|cashier) (was|were|is) (very |so )?rude|charged (me )?(twice|double)|(third|second|fourth|tenth) time (i|that i)|c'est (inadmissible|inacceptable|scandaleux|du vol)|je veux (me plaindre|faire une reclamation|porter reclamation)|une arnaque|personne ne repond|je suis (tres )?(furieux|furieuse|decue?|en colere|mecontente?)|quero (fazer uma reclamacao|reclamar)|(isto|isso) e (um absurdo|inaceitavel|um roubo)|ninguem (responde|atende|respondeu)|estou (muito )?(chatead[oa]|furios[oa]|indignad[oa]|decepcionad[oa])|pessimo (servico|atendimento)|quiero (quejarme|poner una queja|hacer una queja|poner una reclamacion|reclamar)|esto es (inaceptable|una estafa|un robo|una verguenza)|nadie (responde|contesta|respondio|vino)|estoy (muy )?(enojad[oa]|furios[oa]|molest[oa]|decepcionad[oa])|pesimo servicio)\b",
    )
});

fn is_complaint(folded: &str) -> bool {
    COMPLAINT.is_match(folded) && !is_information_question(folded)
}

static OWN_MATTER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(my|mine|our|ma|mon|mes|meu|minha|meus|minhas|mi|mis)( \w+)? (order|orders|parcel|package|delivery|shipment|account|balance|payment|payments|refund|repair|ticket|booking|reservation|appointment|invoice|claim|application|item|goods|unit|code|loan|phone|plan|commande|colis|livraison|compte|solde|paiement|remboursement|reservation|rendez-vous|facture|pedido|encomenda|entrega|conta|saldo|pagamento|reembolso|reserva|marcacao|fatura|cuenta|pago|cita|factura|paquete|envio)s?\b",
    )
});

static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(where('s| is| are)|status|track|tracking|(has|have|had|did|does|do)( still)?(n't|nt| not)( \w+)? (arrived?|come|received?|been|shown?|reflect\w*|gone|shipped|delivered)|not (yet )?(arrived|received|come|been (delivered|processed|paid|refunded|credited))|still (waiting|not|hasn't|haven't)|never (arrived|came|received)|what('s| is) (my|the) (current )?balance|check (my|the)|(is|are) my .{0,30}\b(ready|late|there|shipped|done|confirmed|approved|on (its|the) way)|when (will|is) my .{0,30}\b(come|coming|arrive|arriving|ready|be (ready|delivered|repaired|refunded|finished)|delivered)|cancel my|change my (appointment|booking|reservation|address|order|name)|(reschedule|move|postpone) my|i (already )?(paid|sent|transferred|ordered)|(was|got|been) (debited|deducted|charged)|lost my|hacked|stolen|update my|on my account|ou (est|sont|en est)|pas (encore )?(arrive|recu)|toujours pas|suivre (ma|mon)|quand (arrive|sera)|annuler (ma|mon)|onde (esta|estao|anda)|nao (chegou|recebi|apareceu)|ainda nao|quando chega|cancelar (o )?(meu|minha)|rastrear|donde (esta|estan)|no (ha llegado|llego|he recibido|aparece)|todavia no|aun no|cuando llega|cancelar mi|rastrear|estado de mi|quel est (mon|ma|le solde)|qual (e )?(o )?(meu|minha)|cual es mi)\b",
    )
});

static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(my (account )?balance|how much (do|did) i (still )?(owe|have left|have to pay still)|what do i (still )?owe|mon solde|combien (je|est-ce que je) (vous )?dois|(o )?meu saldo|quanto (eu )?(ainda )?devo|mi saldo|cuanto (les )?debo|(ticket|tracking|invoice|booking|reference|account|contract|transaction|trans|policy|case|receipt|commande|contrat|facture|dossier|pedido|encomenda|contrato|processo|fatura|factura|caso|repair)( (number|no\.?|nr|id|code|numero))?\.? ?[#:]? ?#?[a-z]{0,3}-?\d{4,}|order( (number|no\.?|nr|id))? ?[#:]? ?#?[a-z]{0,3}-?\d{5,}|^\W*(please |pls |kindly )?cancel (the|this|that|my) (order|booking|reservation|appointment|delivery)|(check|confirm|verify|look it up|see) (it )?for me|unlock code (did not|didn't|has not|hasn't|never)|i (paid|sent (the )?money|transferred).{0,50}\b(but|and) (it|the|my|i|nothing|no)\b|j'ai (deja )?paye.{0,40}\bmais\b|(ja )?paguei.{0,40}\bmas\b|(ya )?pague.{0,40}\bpero\b)",
    )
});

/// Needs the customer's own record, which no document holds.
fn is_account_matter(folded: &str) -> bool {
    if asks_about_rules(folded) && !ACCOUNT.is_match(folded) {
        return false;
    }
    // "How long do I have to return my order?" is about rules: it has no word for the state of this order.
    ACCOUNT.is_match(folded) || (OWN_MATTER.is_match(folded) && STATUS.is_match(folded) && !asks_how(folded))
}

/// "How do I cancel my order", "where do I send my parcel": a rule, not this order.
fn asks_how(folded: &str) -> bool {
    static HOW: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(how (do|can|could|should|would|to|long|much|many|late)|can i|could i|may i|am i allowed|is it possible|where (do|can|should) i|what (do|must|should) i|if i|if my|what if|puis-je|comment|est-il possible|si je|si mon|si ma|posso|como (faco|posso|e que)|e se|se eu|se o meu|puedo|como (puedo|hago|cancelo|cambio)|si mi|si yo)\b",
        )
    });
    HOW.is_match(folded)
}

/// A short message that asks and orders nothing: "you are doing well, keep it up".
pub(super) fn is_remark(message: &str) -> bool {
    static ASKS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\?|\b(how|what|which|who|when|where|why|can|could|do|does|did|is it|are there|will|should|tell|give|send|show|write|find|pretend|imagine|act|ignore|forget|make|way|help|need|want|looking|price|cost|buy|combien|comment|quel\w*|quand|pourquoi|qui|est-ce|peux|pouvez|donne\w*|envoie\w*|veux|quanto|como|qual|quais|quando|onde|quem|pode|quero|preciso|manda\w*|cuanto|cual\w*|cuando|donde|quien|puede\w*|quiero|necesito|dame)\b|\d",
        )
    });
    !ASKS.is_match(&fold(message)) && words(message).len() <= 9
}

/// Cues that a question needs a comparison, a computation or several facts. Two cues settle it.
pub(super) fn reasoning_cues(question: &str) -> usize {
    static STRONG: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(compar\w+|comparison|differences?|differ|cheaper|cheapest|dearer|versus|vs\.?|altogether|in total|total (to|cost|price|for|of|bill)|the whole thing|everything (included|together)|add(ed)? up|how much more|how much less|how much (do|would|will|can) i save|more expensive|most expensive|better (value|deal|than)|faster than|longer than|longest|shortest|lowest|highest|biggest|smallest|fastest|which of|which one|which (is|are|has|have|plan|option|model)\b.{0,60}\bor\b|each other|difference entre|moins cher\w*|plus cher\w*|en tout|au total|lequel|laquelle|lesquels|quelle difference|diferencas?|mais barat\w+|mais car\w+|ao todo|no total|qual (dos|das|deles|e melhor)|quanto poupo|quanto economizo|diferencias?|mas barat\w+|mas car\w+|en total|cual (de|es mejor|conviene)|cuanto ahorro)\b",
        )
    });
    static WEAK: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(both|total|together|per (month|year|week|day)|after (one|two|three|four|five|six|\d+) (weeks?|months?|years?|days?)|for (two|three|four|five|six|ten|\d+) (nights|months|weeks|years|days|people|persons|adults|pieces|units|items|boxes|of)|if i .{3,80}\b(how|what|when|can|do|will|is)\b|(how much|what|when|can|do|will|is)\b.{3,90}\bif i\b|and (also|how|what|when)|instead of|rather than|should i (buy|take|choose|get|pick)|les deux|pour (deux|trois|quatre|\d+) (nuits|mois|semaines|personnes)|si je|os dois|as duas|ambos|por (dois|tres|\d+) (meses|noites|dias|semanas|pessoas)|se eu|los dos|las dos|(por|para) (dos|tres|\d+) (meses|noches|dias|semanas|personas)|si (compro|pago|pido))\b",
        )
    });
    static CHOICE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b[\w -]{3,30} (or|ou|o) (the |a |le |la |o |el )?[\w -]{2,30}\?"));
    let folded = fold(question);
    let computes = Asked::of(question) == Some(Asked::Price) && multiplies(&folded);
    let questions = question.matches('?').count();
    2 * usize::from(has_condition(question, &folded))
        + 2 * STRONG.find_iter(&folded).count().min(1)
        + WEAK.find_iter(&folded).count()
        + usize::from(CHOICE.is_match(&folded) && folded.starts_with(['w', 'q', 'c']))
        + 2 * usize::from(computes)
        + usize::from(questions > 1)
        + 2 * usize::from(gives_amount(&folded))
}

/// The customer's own amount beside a question of what is allowed or free: "order of 900, is delivery free?".
fn gives_amount(folded: &str) -> bool {
    static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(it's|its|it is|order( of)?|orders|worth|cart( of)?|basket( of)?|purchase of|spend|spent|commande de|achat de|panier de|pedido de|compra de|carrinho de) ([a-z]{2,4}|[$€£])? ?\d{2,}|\b(order|commande|pedido) \d{2,}\b",
        )
    });
    static MAY: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(can i|could i|may i|do i|is (it|that)|free|allowed|discount|possible|enough|puis-je|gratuite?s?|offerte?|remise|posso|gratis|desconto|puedo|descuento)\b",
        )
    });
    AMOUNT.is_match(folded) && MAY.is_match(folded)
}

/// The customer tells a situation and asks what follows from it: a rule must be applied, not only looked up.
fn has_condition(question: &str, folded: &str) -> bool {
    static OWN_CASE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(i|we|my \w+|it|he|she|purchase|order) (bought|paid|ordered|finished|took|got|have (only|no|a|an|been)|only have|was (in|on)|were|is \d+|am \d+)\b|\b(got|bought|ordered|paid|finished|purchased)\b.{0,50}\b(ago|last|yesterday|since|in (january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)|on \d)|\b\d+ ?(weeks?|months?|days?|years?|yrs?|cycles|km|metres|meters) (ago|old|late)\b|\b(j'ai|je suis|mon fils|ma fille|il a|elle a) .{0,40}\b\d+|\bil y a \d+|\b(tenho|comprei|paguei|sou|vivo|moro|meu filho tem)\b|\bha \d+ (mes|meses|dias|semanas|anos)\b|\b(tengo|compre|pague|soy|vivo|hace \d+ (mes|meses|dias|semanas|anos))\b",
        )
    });
    static FOLLOWS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(can i (still|also|get|use|add|return|go)|could i|do i (still|also|get|pay|have to|need)|will i|am i|till when|until when|still (ok|okay|valid|possible|use|return)|(what|which|how many) (percent|percentage|share)|how much (do (i|you|u)|will i|back|off|more)|is (it|that) (enough|ok|okay|allowed)|peux|puis-je|peut|posso|podem|ajudam|puedo|cuanto (tengo|debo|pago)|combien (je|dois))\b",
        )
    });
    let several_parts = question.contains([',', '.', '?', '!']) || folded.split_whitespace().count() >= 9;
    let follows = FOLLOWS.is_match(folded) || folded.contains("what %");
    several_parts && OWN_CASE.is_match(folded) && follows
}

/// "How much for 3 lamps", "combien pour 2 nuits": a price times a number.
fn multiplies(folded: &str) -> bool {
    static TIMES: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(for|of|cost|costs|pay for|buy|order|take|pour|de|por|para) (two|three|four|five|six|seven|eight|nine|ten|twelve|deux|trois|quatre|cinq|dois|duas|tres|quatro|cinco|dos|cuatro|[2-9]|1\d|2\d) (\w+ )?(?:[a-z]{3,})s\b",
        )
    });
    static MEASURE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b\d+ ?(kg|kilos|km|hours|working days|years old)\b"));
    TIMES.is_match(folded) && !MEASURE.is_match(folded)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
