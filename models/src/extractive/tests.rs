use super::*;
use crate::{HashEmbedder, Passage};

fn passage(title: &str, heading: &str, text: &str, score: f32) -> Passage {
    Passage {
        title: title.to_owned(),
        heading_path: if heading.is_empty() {
            vec![]
        } else {
            vec![heading.to_owned()]
        },
        text: text.to_owned(),
        score,
    }
}

async fn ask_with(
    question: &str,
    passages: Vec<Passage>,
    max_sentences: usize,
    max_chars: usize,
) -> Composition {
    let request = ComposeRequest {
        question: question.to_owned(),
        language: "en".to_owned(),
        passages,
        max_sentences,
        max_chars,
    };
    let composition = Extractive::new(Arc::new(HashEmbedder::new(256)))
        .compose(&request)
        .await
        .unwrap();
    for sentence in &composition.sentences {
        for source in &sentence.sources {
            assert!(
                request.passages[source.passage]
                    .text
                    .get(source.start..source.end)
                    .is_some_and(|t| !t.is_empty())
            );
        }
    }
    composition
}

async fn ask(question: &str, passages: Vec<Passage>) -> Vec<String> {
    ask_with(question, passages, 3, 700)
        .await
        .sentences
        .into_iter()
        .map(|s| s.text)
        .collect()
}

const TARIFF: &str = "Town: Tema | Weight band: 0-5 kg | Price GHS: 20\nTown: Tema | Weight band: 5-10 kg | Price GHS: 35\n\
    Town: Ho | Weight band: 0-5 kg | Price GHS: 40\nTown: Ho | Weight band: 5-10 kg | Price GHS: 55";

#[tokio::test]
async fn the_row_must_match_every_specific_term() {
    let found = ask(
        "How much is delivery of an 8 kg parcel to Tema?",
        vec![passage("Delivery tariff", "", TARIFF, 0.7)],
    )
    .await;
    assert_eq!(found, ["Town: Tema, Weight band: 5-10 kg, Price GHS: 35."]);
    let found = ask(
        "price for 3 kg to ho",
        vec![passage("Delivery tariff", "", TARIFF, 0.7)],
    )
    .await;
    assert_eq!(found, ["Town: Ho, Weight band: 0-5 kg, Price GHS: 40."]);
}

#[tokio::test]
async fn both_rows_answer_when_the_question_leaves_them_open() {
    let found = ask(
        "What does delivery to Ho cost?",
        vec![passage("Delivery tariff", "", TARIFF, 0.7)],
    )
    .await;
    assert_eq!(
        found,
        [
            "Town: Ho, Weight band: 0-5 kg, Price GHS: 40.",
            "Town: Ho, Weight band: 5-10 kg, Price GHS: 55."
        ]
    );
}

#[tokio::test]
async fn a_further_sentence_limits_the_first_or_adds_what_is_asked() {
    let offer = "Everybody who buys a kettle receives a free cup. The offer is not valid online. Our history began in a barn.";
    let found = ask(
        "Do I receive a free cup with a kettle?",
        vec![passage("Offers", "", offer, 0.7)],
    )
    .await;
    assert_eq!(
        found,
        [
            "Everybody who buys a kettle receives a free cup.",
            "The offer is not valid online."
        ]
    );
    let plain = "The kettle holds 2 litres. The town hall was painted in May. A barn is a building.";
    let found = ask(
        "How many litres does the kettle hold?",
        vec![passage("Kettle", "", plain, 0.7)],
    )
    .await;
    assert_eq!(found, ["The kettle holds 2 litres."]);
}

#[tokio::test]
async fn sentences_are_quoted_whole_and_off_topic_ones_left_out() {
    let text = "Returns are accepted within 14 days of delivery. The shop in the old town has a red door. Bring the receipt.";
    let composition = ask_with(
        "Within how many days can I return something?",
        vec![passage("Returns", "", text, 0.6)],
        3,
        700,
    )
    .await;
    assert_eq!(composition.sentences.len(), 1);
    assert_eq!(
        composition.sentences[0].text,
        "Returns are accepted within 14 days of delivery."
    );
    let source = composition.sentences[0].sources[0];
    assert_eq!(&text[source.start..source.end], composition.sentences[0].text);
}

#[tokio::test]
async fn a_list_keeps_its_lead_in() {
    let text = "To open an account you need the following documents:\n- a valid identity card\n- proof of address\n- one photograph\n\nAccounts are free.";
    let found = ask(
        "Which documents do I need to open an account?",
        vec![passage("Accounts", "Opening", text, 0.6)],
    )
    .await;
    assert_eq!(
        found,
        [
            "To open an account you need the following documents:\n- a valid identity card\n- proof of address\n- one photograph"
        ]
    );
}

#[tokio::test]
async fn one_item_of_a_list_carries_the_lead_in() {
    let text = "The following are not accepted:\n- opened cosmetics\n- swimwear without the hygiene label\n- gift cards";
    let found = ask_with(
        "Is swimwear accepted?",
        vec![passage("Returns", "", text, 0.6)],
        1,
        700,
    )
    .await;
    assert_eq!(
        found.sentences[0].text,
        "The following are not accepted: swimwear without the hygiene label."
    );
    assert_eq!(found.sentences[0].sources.len(), 2);
}

#[tokio::test]
async fn question_and_answer_pairs_answer() {
    let text = "Question: Do you open on Sundays? | Answer: Yes, from 9:00 to 12:00\nQuestion: Do you sell paint? | Answer: No, only tools";
    let found = ask("are you open on sundays", vec![passage("FAQ", "", text, 0.6)]).await;
    assert_eq!(found, ["Yes, from 9:00 to 12:00."]);
}

#[tokio::test]
async fn limits_are_respected() {
    let text = "Delivery costs GHS 20 in town. Delivery costs GHS 30 in the region. Delivery costs GHS 50 elsewhere.";
    let one = ask_with("delivery costs", vec![passage("Delivery", "", text, 0.6)], 1, 700).await;
    assert_eq!(one.sentences.len(), 1);
    let short = ask_with("delivery costs", vec![passage("Delivery", "", text, 0.6)], 3, 40).await;
    assert!(short.sentences.iter().map(|s| s.text.len()).sum::<usize>() <= 40);
    assert!(!short.sentences.is_empty());
}

#[tokio::test]
async fn nothing_to_say_is_an_empty_composition() {
    assert!(ask("anything", vec![]).await.is_empty());
    assert!(
        ask("anything", vec![passage("Empty", "", " \n ", 0.5)])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_repeated_question_embeds_nothing_again() {
    struct Counting(HashEmbedder, std::sync::atomic::AtomicUsize);
    #[async_trait]
    impl Embedder for Counting {
        fn model(&self) -> &'static str {
            "counting"
        }
        fn dimension(&self) -> usize {
            self.0.dimension()
        }
        fn max_tokens(&self) -> usize {
            self.0.max_tokens()
        }
        fn speaks(&self, language: &str) -> bool {
            self.0.speaks(language)
        }
        fn count_tokens(&self, text: &str) -> usize {
            self.0.count_tokens(text)
        }
        async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
            self.1
                .fetch_add(texts.len(), std::sync::atomic::Ordering::Relaxed);
            assert!(texts.len() <= CANDIDATES + 1);
            self.0.embed(texts).await
        }
    }
    let embedder = Arc::new(Counting(
        HashEmbedder::new(64),
        std::sync::atomic::AtomicUsize::new(0),
    ));
    let model = Extractive::new(Arc::clone(&embedder) as Arc<dyn Embedder>);
    let request = ComposeRequest {
        question: "delivery to Ho".to_owned(),
        language: "en".to_owned(),
        passages: vec![passage("Tariff", "", &TARIFF.repeat(9), 0.5)],
        max_sentences: 3,
        max_chars: 700,
    };
    let first = model.compose(&request).await.unwrap();
    let after_first = embedder.1.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(model.compose(&request).await.unwrap(), first);
    assert_eq!(embedder.1.load(std::sync::atomic::Ordering::Relaxed), after_first);
}
