//! The ONNX models with the provisioned runtime: they load, they agree with the reference, they keep order.
//!
//! These tests fail, they are not skipped, when the runtime is missing: `make runtime` provisions it.

use std::path::PathBuf;
use std::sync::Arc;

use plumbline_models::{
    ChatModel, ComposeRequest, Embedder, Extractive, HashEmbedder, InContext, ModelError, OnDemand,
    OnnxEmbedder, OnnxOptions, OnnxReranker, Passage, Reranker, cosine, init_runtime,
};

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line; this is their only setting"
)]
fn runtime() -> PathBuf {
    if let Some(path) = std::env::var_os("PLUMBLINE_RUNTIME") {
        return path.into();
    }
    let here = std::env::current_dir().expect("a working directory");
    here.ancestors()
        .map(|folder| folder.join("runtime/.local"))
        .find(|path| path.is_dir())
        .expect("runtime/.local above the working directory; run `make runtime`")
}

fn load(model: &str) -> OnnxEmbedder {
    let runtime = runtime();
    let library = if cfg!(target_os = "macos") {
        "libonnxruntime.dylib"
    } else {
        "libonnxruntime.so"
    };
    init_runtime(&runtime.join("lib").join(library)).expect("ONNX Runtime; run `make runtime`");
    OnnxEmbedder::load(&OnnxOptions::new(runtime.join("models").join(model)))
        .expect("the model; run `make runtime`")
}

fn assert_unit(vectors: &[Vec<f32>], dimension: usize) {
    for vector in vectors {
        assert_eq!(vector.len(), dimension);
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-4);
    }
}

#[tokio::test]
async fn the_tiny_model_embeds_any_text_in_order() {
    let embedder = load("tiny-bert");
    assert_eq!(embedder.model(), "tiny-bert");
    let texts: Vec<String> = ["a", "the delivery takes three days", "", "é ñ 你好 👍", "price"]
        .map(String::from)
        .into();
    let together = embedder.embed(texts.clone()).await.unwrap();
    assert_unit(&together, embedder.dimension());
    for (text, vector) in texts.iter().zip(&together) {
        let alone = embedder.embed_one(text).await.unwrap();
        assert!(
            cosine(&alone, vector) > 0.9999,
            "a batch changed the vector of {text:?}"
        );
    }
    assert!(embedder.embed(vec![]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_text_longer_than_the_model_reads_is_cut_not_refused() {
    let embedder = load("tiny-bert");
    let long = "delivery price ".repeat(2_000);
    assert!(embedder.count_tokens(&long) > embedder.max_tokens());
    assert_unit(&[embedder.embed_one(&long).await.unwrap()], embedder.dimension());
}

#[tokio::test]
async fn a_cross_encoder_is_no_model_for_embeddings() {
    let error = load("tiny-cross").embed_one("a").await.unwrap_err().to_string();
    assert!(error.contains("no model for embeddings"), "{error}");
}

#[tokio::test]
async fn many_callers_share_the_sessions() {
    let embedder = Arc::new(load("tiny-bert"));
    let reference = embedder.embed_one("delivery 3").await.unwrap();
    let calls = (0..24).map(|n| {
        let embedder = Arc::clone(&embedder);
        tokio::spawn(async move {
            embedder
                .embed(vec![format!("delivery {}", n % 4), "x".to_owned()])
                .await
        })
    });
    for (n, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        let vectors = call.await.unwrap().unwrap();
        assert_unit(&vectors, embedder.dimension());
        assert!(n % 4 != 3 || cosine(&vectors[0], &reference) > 0.9999);
    }
}

/// The sums that fastembed's own tests expect of this model, as near as matrices in integers come to them: the exported graph
/// is the published model.
#[tokio::test]
async fn the_real_model_gives_the_reference_sums() {
    let embedder = load("all-MiniLM-L6-v2");
    assert_eq!(
        (embedder.dimension(), embedder.model()),
        (384, "all-MiniLM-L6-v2")
    );
    let texts = [
        "Hello, World!",
        "This is an example passage.",
        "fastembed-rs is licensed under Apache-2.0",
        "Some other short text here blah blah blah",
    ];
    let vectors = embedder.embed(texts.map(String::from).into()).await.unwrap();
    for (vector, expected) in
        vectors
            .iter()
            .zip([0.596_055_27_f32, 0.365_429_25, -0.164_500_31, -0.409_039_88])
    {
        let sum: f32 = vector.iter().sum();
        assert!((sum - expected).abs() < 0.2, "{sum} instead of {expected}");
    }
}

#[tokio::test]
async fn the_model_of_many_languages_finds_the_answer_in_another_one() {
    let embedder = load("multilingual-e5-small");
    assert!(embedder.speaks("pt") && embedder.speaks("sw"));
    let passages = [
        "Delivery within Accra takes two working days.",
        "Le magasin est fermé le dimanche et les jours fériés.",
        "A solar panel is cleaned with water and a soft cloth.",
    ];
    let passages = embedder.embed(passages.map(String::from).into()).await.unwrap();
    for (question, answer) in [
        ("quanto tempo demora a entrega em Acra?", 0),
        ("¿abren ustedes los domingos?", 1),
        ("Wie mache ich das Solarmodul sauber?", 2),
    ] {
        let question = embedder.embed_one(question).await.unwrap();
        let best = (0..3).max_by(|&a, &b| {
            let near = |i: usize| cosine(&question, &passages[i]);
            near(a).total_cmp(&near(b))
        });
        assert_eq!(best, Some(answer), "{question:?}");
    }
}

#[tokio::test]
async fn a_question_and_a_passage_get_the_prompts_that_the_model_was_trained_with() {
    let text = "delivery to Tema";
    let plain = load("all-MiniLM-L6-v2");
    let same = cosine(
        &plain.embed_one(text).await.unwrap(),
        &plain.embed(vec![text.to_owned()]).await.unwrap()[0],
    );
    assert!(same > 0.9999, "{same}");
    let prompted = load("multilingual-e5-small");
    let as_question = prompted.embed_one(text).await.unwrap();
    let as_passage = prompted.embed(vec![text.to_owned()]).await.unwrap();
    let told_apart = cosine(&as_question, &as_passage[0]);
    assert!(told_apart < 0.99, "{told_apart}");
}

#[tokio::test]
async fn a_passage_is_told_piece_by_piece_without_what_stands_before_it() {
    let plain = load("all-MiniLM-L6-v2");
    let (heading, body) = ("Delivery > Tema\n", "Delivery to Tema: GHS 45, unrefundable.");
    let passage = InContext {
        text: format!("{heading}{body}"),
        from: heading.len(),
    };
    let vector = plain.embed(vec![passage.text.clone()]).await.unwrap();
    let told = plain.embed_in_pieces(vec![passage]).await.unwrap();
    assert!(plain.tells_pieces());
    assert_eq!(told[0].vector, vector[0]);
    let written: Vec<&str> = told[0]
        .pieces
        .iter()
        .map(|piece| &body[piece.at.clone()])
        .collect();
    assert_eq!(
        written,
        [
            "Delivery", "to", "Te", "ma", "G", "HS", "45", "un", "re", "fu", "nda", "ble"
        ]
    );
    assert!(told[0].pieces.iter().all(|piece| piece.signs.len() == 384 / 8));
    assert_eq!(told[0].signs().unwrap().len(), written.len() * 384 / 8);

    // a prompt is no part of the question either
    let prompted = load("multilingual-e5-small");
    let question = "query: quanto custa?";
    let told = prompted.embed_one_in_pieces(question).await.unwrap();
    let written: Vec<&str> = told
        .pieces
        .iter()
        .map(|piece| question[piece.at.clone()].trim())
        .collect();
    assert_eq!(written, ["que", "ry", "quanto", "custa"]);
    assert_eq!(told.vector, prompted.embed_one(question).await.unwrap());
}

#[tokio::test]
async fn a_model_on_demand_is_what_the_loaded_one_is() {
    let loaded: Arc<dyn Embedder> = Arc::new(load("tiny-bert"));
    let directory = runtime().join("models/tiny-bert");
    let models = OnDemand::all(&[directory], &loaded).unwrap();
    let model = &models[0];
    assert_eq!((model.model(), model.dimension()), ("tiny-bert", 32));
    assert_eq!(
        model.embed_one("delivery 3").await.unwrap(),
        loaded.embed_one("delivery 3").await.unwrap()
    );
}

#[test]
fn further_models_are_those_that_are_named_or_the_provided_one() {
    let own = runtime().join("models/all-MiniLM-L6-v2");
    let provided = runtime().join("models/multilingual-e5-small");
    let directories =
        |named: Option<&[PathBuf]>, own: &PathBuf| OnDemand::directories(named, &runtime(), own);
    assert_eq!(directories(None, &own), std::slice::from_ref(&provided));
    assert!(
        directories(None, &provided).is_empty(),
        "it is the own one already"
    );
    let named = [PathBuf::from("/a"), PathBuf::from("/b")];
    assert_eq!(directories(Some(&named), &own), named);
    assert!(
        directories(Some(&[PathBuf::new()]), &own).is_empty(),
        "an empty variable is none"
    );
}

#[test]
fn a_directory_without_a_model_is_told_before_it_is_needed() {
    let counter: Arc<dyn Embedder> = Arc::new(HashEmbedder::new(16));
    let missing = PathBuf::from("/nowhere/multilingual");
    let error = OnDemand::all(&[missing], &counter).err().unwrap().to_string();
    assert!(error.contains("/nowhere/multilingual/model.onnx"), "{error}");
}

/// Numbers are rounded by token, not by batch: a passage has one vector, whatever is embedded with it.
#[tokio::test]
async fn what_else_is_in_a_batch_does_not_change_a_vector() {
    for model in ["all-MiniLM-L6-v2", "multilingual-e5-small"] {
        let embedder = load(model);
        let text = "The fan costs GHS 250.".to_owned();
        let others = [
            "x",
            "!!! ??? 999 999 999",
            "Delivery within Accra takes two working days.",
        ];
        let alone = embedder.embed(vec![text.clone()]).await.unwrap();
        let batch = std::iter::once(text).chain(others.map(String::from)).collect();
        let together = embedder.embed(batch).await.unwrap();
        let same = cosine(&alone[0], &together[0]);
        assert!(same > 0.9999, "{model}: {same}");
    }
}

#[tokio::test]
async fn the_real_model_finds_what_shares_no_word() {
    let model = Extractive::new(Arc::new(load("all-MiniLM-L6-v2")));
    let request = ComposeRequest {
        question: "Can I get my money back?".to_owned(),
        language: "en".to_owned(),
        passages: vec![Passage {
            title: "Shop rules".to_owned(),
            heading_path: vec![],
            text: "Our shop has a large car park. Refunds are possible within 14 days. Dogs are welcome."
                .to_owned(),
            score: 0.5,
        }],
        max_sentences: 1,
        max_chars: 700,
    };
    let composition = model.compose(&request).await.unwrap();
    assert_eq!(
        composition.sentences[0].text,
        "Refunds are possible within 14 days."
    );
}

#[test]
fn what_is_missing_is_named() {
    let missing = std::path::Path::new("/nowhere/libonnxruntime.so");
    assert!(matches!(init_runtime(missing), Err(ModelError::Runtime { path, .. }) if path == missing));
    let error = OnnxEmbedder::load(&OnnxOptions::new("/nowhere/model"))
        .err()
        .expect("an error");
    assert!(error.to_string().contains("/nowhere/model"), "{error}");
}

fn load_reranker(model: &str) -> Result<OnnxReranker, ModelError> {
    let _embedder_loads_the_runtime = load("tiny-bert");
    OnnxReranker::load(&OnnxOptions::new(runtime().join("models").join(model)))
}

#[tokio::test]
async fn a_cross_encoder_judges_each_passage_by_itself_and_in_order() {
    let reranker = load_reranker("tiny-cross").expect("the model; run `make runtime`");
    assert_eq!(reranker.model(), "tiny-cross");
    let question = "how much is delivery?";
    let passages: Vec<String> = (0..19)
        .map(|n| format!("delivery {n} costs {}", "very ".repeat(n)))
        .chain([String::new(), "delivery price ".repeat(2_000)])
        .collect();
    let together = reranker.score(question, passages.clone()).await.unwrap();
    assert_eq!(together.len(), passages.len());
    for (passage, score) in passages.iter().zip(&together) {
        let alone = reranker.score(question, vec![passage.clone()]).await.unwrap();
        assert!(
            (alone[0] - score).abs() < 1e-4,
            "{passage:.40}: {} {score}",
            alone[0]
        );
    }
    let other = reranker
        .score("where is the shop?", passages[..1].to_vec())
        .await
        .unwrap();
    assert!((other[0] - together[0]).abs() > 1e-6, "the question counts");
    assert!(reranker.score(question, vec![]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_model_that_is_no_cross_encoder_is_an_error_not_a_score() {
    let reranker = load_reranker("tiny-bert").expect("its files are those of a model");
    let failed = reranker.score("a question", vec!["a passage".to_owned()]).await;
    assert!(matches!(failed, Err(ModelError::Inference { .. })), "{failed:?}");
    let missing = load_reranker("nowhere");
    assert!(matches!(missing, Err(ModelError::File { .. })));
}
