use super::*;

fn said(text: &str) -> Message {
    Message {
        role: Speaker::Customer,
        text: text.to_owned(),
    }
}

fn after(previous: &str, question: &str) -> String {
    resolve(
        question,
        &[
            said(previous),
            Message {
                role: Speaker::Bot,
                text: "Yes.".to_owned(),
            },
        ],
        6,
    )
    .text
}

#[test]
fn a_changed_detail_takes_the_place_of_the_old_one() {
    for (previous, follow_up, query) in [
        (
            "How much is delivery to Tema?",
            "and to Kumasi?",
            "How much is delivery to Kumasi?",
        ),
        (
            "How much is delivery to Cape Coast?",
            "What about Ho?",
            "How much is delivery to Ho?",
        ),
        (
            "Are you open on Saturdays?",
            "and for Sundays?",
            "Are you open on Sundays?",
        ),
        (
            "Estão abertos ao sábado?",
            "e ao domingo?",
            "Estão abertos ao domingo?",
        ),
        (
            "Êtes-vous ouverts le samedi ?",
            "et le dimanche ?",
            "Êtes-vous ouverts le dimanche ?",
        ),
        ("¿Abren los sábados?", "¿y los domingos?", "¿Abren los domingos?"),
        (
            "What does the SunRay 50 cost?",
            "and the SunRay 80?",
            "What does the SunRay 80 cost?",
        ),
        (
            "How much is delivery to Tema?",
            "Kumasi?",
            "How much is delivery to Kumasi?",
        ),
    ] {
        assert_eq!(after(previous, follow_up), query);
    }
}

#[test]
fn otherwise_the_subject_is_carried_over() {
    for (previous, follow_up, carried) in [
        ("Do you sell the Kora A3?", "How much is it?", "Kora A3"),
        (
            "Do you repair broken screens?",
            "How long does that take?",
            "repair broken screens",
        ),
        (
            "What are your opening hours?",
            "and for Sundays?",
            "opening hours",
        ),
        ("Vocês vendem geradores?", "Quanto custa?", "geradores"),
        (
            "Vous vendez des lampes solaires ?",
            "Combien ça coûte ?",
            "lampes solaires",
        ),
        ("¿Venden lámparas solares?", "¿Cuánto cuesta?", "lámparas solares"),
        ("Is the deposit refundable?", "why?", "deposit refundable"),
    ] {
        let query = after(previous, follow_up);
        assert!(query.contains(carried), "{query}");
        let own = follow_up
            .trim_matches(['?', '¿', ' '])
            .split(' ')
            .next_back()
            .unwrap()
            .to_owned();
        assert!(query.contains(&own), "{query}");
    }
}

#[test]
fn a_self_contained_question_is_left_alone() {
    for question in [
        "How long is the warranty on the battery?",
        "If the lamp breaks within a month, do you replace it?",
        "And how much is the deposit for the big fridge?",
        "Quel est le délai de livraison à Lomé ?",
        "Qual é o prazo de entrega em Luanda?",
        "¿Cuál es el plazo de devolución?",
        "What are your opening hours?",
    ] {
        assert_eq!(after("How much is delivery to Tema?", question), question);
    }
    assert!(
        !resolve("How much is it?", &[], 6).rewritten,
        "nothing to refer to"
    );
}

#[test]
fn a_chain_of_follow_ups_keeps_its_subject() {
    let history = [said("How much is delivery to Tema?"), said("and to Kumasi?")];
    assert_eq!(
        resolve("and to Ho?", &history, 6).text,
        "How much is delivery to Ho?"
    );
}

#[test]
fn the_bots_words_help_when_the_customers_do_not() {
    let history = [
        said("hi"),
        Message {
            role: Speaker::Bot,
            text: "Our Baobab card is free. Ask away.".to_owned(),
        },
    ];
    assert!(
        resolve("how long is it valid?", &history, 6)
            .text
            .contains("Baobab card")
    );
}

#[test]
fn only_the_last_messages_count() {
    let history = [
        said("How much is delivery to Tema?"),
        said("thanks"),
        said("ok"),
        said("bye"),
    ];
    assert!(!resolve("and to Ho?", &history, 3).rewritten);
    assert!(resolve("and to Ho?", &history, 4).rewritten);
}

#[test]
fn a_leading_greeting_is_not_searched() {
    assert_eq!(
        resolve("Good morning, do you deliver to Ho?", &[], 6).text,
        "do you deliver to Ho?"
    );
}

proptest::proptest! {
    #[test]
    fn any_conversation_resolves(question in "\\PC{0,40}", previous in "\\PC{0,40}") {
        let query = resolve(&question, &[said(&previous)], 6);
        proptest::prop_assert!(query.rewritten || question.ends_with(&query.text));
    }
}
