use plumbline_models::{ChatModel, ComposeRequest, ScriptedChat};

use super::*;

const EVIDENCE: &str = "Delivery to Tema costs GHS 35 and takes 3 working days. The shop opens at 08:00 from Monday to Friday. \
    Orders of GHS 1,200 or more are free. Opened boxes cannot be returned. Call +233 30 555 0100 or write to help@shop.example. \
    The sale ends on 12 January 2026. Product code SN-080TV. Two guarantors sign. Price GHS: 48";

fn passage() -> Passage {
    Passage {
        title: "Delivery Policy".to_owned(),
        heading_path: vec!["Before the driver comes".to_owned()],
        text: EVIDENCE.to_owned(),
        score: 1.0,
    }
}

async fn said(sentence: &str) -> Grounded {
    let request = ComposeRequest {
        question: "How much is delivery to Tema?".to_owned(),
        language: "en".to_owned(),
        passages: vec![passage()],
        max_sentences: 3,
        max_chars: 700,
    };
    let composition = ScriptedChat::new([sentence]).compose(&request).await.unwrap();
    ground(composition.sentences, &request.passages, &request.question)
}

#[tokio::test]
async fn what_the_evidence_says_is_sent() {
    for sentence in [
        "Delivery to Tema costs GHS 35 and takes 3 working days.",
        "Delivery to Tema costs 35 cedis.",
        "Delivery takes three working days.",
        "The shop opens at 8 a.m. from Monday to Friday.",
        "Orders of GHS 1200 or more are free.",
        "Orders of 1 200 GHS or more are free.",
        "You cannot return opened boxes.",
        "Call +233305550100 or write to help@shop.example.",
        "The sale ends on January 12, 2026.",
        "The product code is SN 080TV.",
        "The price is GHS 48.",
        "2 guarantors sign.",
        "La livraison à Tema coûte 35 GHS et prend 3 jours ouvrables.",
        "A entrega em Tema custa 35 GHS.",
        "La tienda abre a las 08:00 de lunes a viernes.",
    ] {
        let grounded = said(sentence).await;
        assert_eq!(grounded.sentences.len(), 1, "{sentence}: {:?}", grounded.vetoed);
    }
}

#[tokio::test]
async fn what_is_invented_is_not() {
    for (sentence, detail) in [
        ("Delivery to Tema costs GHS 45.", "a price"),
        ("Delivery to Tema costs USD 35.", "a currency"),
        ("Delivery to Tema takes 35 working days.", "a unit"),
        ("Delivery to Tema takes 3 weeks.", "a unit"),
        ("Delivery takes five working days.", "a number word"),
        ("The sale ends on 12 February 2026.", "a month"),
        ("The sale ends on 12 January 2027.", "a year"),
        ("The shop opens at 09:00 from Monday to Friday.", "a time"),
        ("The shop opens at 8 p.m. from Monday to Friday.", "half a day"),
        ("The shop opens at 08:00 on Sunday.", "a weekday"),
        ("Call +233 30 555 0199.", "a phone"),
        ("Write to sales@shop.example.", "an e-mail"),
        ("Order at https://shop.example/tema today.", "a link"),
        ("The product code is SN-090TV.", "a code"),
        ("Delivery to Kumasi costs GHS 35.", "a place"),
        ("Ask for Kofi Mensah when you call.", "a name"),
        ("Opened boxes can be returned.", "a negation dropped"),
        ("Orders of GHS 1,200 or more are not free.", "a negation added"),
        ("Customers love our friendly staff and modern showroom.", "words"),
        ("La livraison à Tema coûte 53 GHS.", "a price in another language"),
        (
            "La tienda abre a las 08:00 el domingo.",
            "a weekday in another language",
        ),
    ] {
        let grounded = said(sentence).await;
        assert!(grounded.sentences.is_empty(), "{detail}: {sentence}");
    }
}

#[tokio::test]
async fn one_bad_sentence_does_not_take_the_good_ones_along() {
    let request = ComposeRequest {
        question: "delivery?".to_owned(),
        language: "en".to_owned(),
        passages: vec![passage()],
        max_sentences: 3,
        max_chars: 700,
    };
    let model = ScriptedChat::new(["Delivery to Tema costs GHS 35.", "It costs GHS 99."]);
    let grounded = ground(
        model.compose(&request).await.unwrap().sentences,
        &request.passages,
        "delivery?",
    );
    assert_eq!(grounded.sentences.len(), 1);
    assert_eq!(grounded.vetoed.len(), 1);
}

#[test]
fn a_sentence_without_a_valid_source_is_not_sent() {
    let sentence = |sources| ComposedSentence {
        text: "Orders are free.".to_owned(),
        sources,
        relevance: 1.0,
    };
    for sources in [
        vec![],
        vec![Source {
            passage: 9,
            start: 0,
            end: 5,
        }],
        vec![Source {
            passage: 0,
            start: 0,
            end: 99_999,
        }],
        vec![Source {
            passage: 0,
            start: 5,
            end: 2,
        }],
        vec![Source {
            passage: 0,
            start: 3,
            end: 3,
        }],
    ] {
        let grounded = ground(vec![sentence(sources)], &[passage()], "");
        assert_eq!(
            grounded.vetoed.first().map(|(_, veto)| veto),
            Some(&Veto::NoSource)
        );
    }
}

proptest::proptest! {
    #[test]
    fn a_sentence_that_is_its_source_is_always_grounded(text in "[A-Z][a-z]{2,8}( [A-Za-z]{1,8}| [0-9]{1,4}([.,][0-9]{1,3})?| GHS [0-9]{2}| not| [0-9]{1,2}:[0-9]{2}){1,9}\\.") {
        let passage = Passage { title: String::new(), heading_path: vec![], text: text.clone(), score: 1.0 };
        let sources = vec![Source { passage: 0, start: 0, end: text.len() }];
        let grounded = ground(vec![ComposedSentence { text, sources, relevance: 1.0 }], &[passage], "");
        proptest::prop_assert_eq!(grounded.vetoed, vec![]);
    }
}
