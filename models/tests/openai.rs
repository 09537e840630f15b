//! The OpenAI-compatible client against a server that speaks the format byte by byte, and against one that does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use plumbline_models::{
    ApiKey, Embedder, HashEmbedder, ModelError, OpenAiEmbedder, OpenAiOptions, RemoteModels, cosine,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const KEY: &str = "sk-test-0123456789abcdef";

/// What the server does with a request.
enum Reply {
    /// Status, extra header lines, body.
    Says(u16, &'static str, Value),
    /// The vector `[i + 1, 0, 0]` turned by the text's length, for every text, in reverse order.
    Embeds,
    /// Fewer bytes than it announces.
    BreaksOff,
    /// Nothing, ever.
    Hangs,
}

/// A server on a port of its own; answers the requests with the replies in order, then with [`Reply::Embeds`].
struct Endpoint {
    base: String,
    seen: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Endpoint {
    async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1/", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut replies = replies.into_iter();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let reply = replies.next().unwrap_or(Reply::Embeds);
                tokio::spawn(serve(stream, reply, Arc::clone(&kept)));
            }
        });
        Self { base, seen }
    }

    fn embedder(&self, change: impl FnOnce(&mut OpenAiOptions)) -> OpenAiEmbedder {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut options = OpenAiOptions::new(&self.base, "small", 3);
        options.api_key = Some(ApiKey::new(KEY));
        options.pause = Duration::from_millis(1);
        change(&mut options);
        OpenAiEmbedder::new(options, Arc::new(HashEmbedder::new(8))).unwrap()
    }

    fn requests(&self) -> Vec<(String, Value)> {
        self.seen.lock().unwrap().clone()
    }
}

/// One request and its reply, then the connection ends.
async fn serve(mut stream: TcpStream, reply: Reply, seen: Arc<Mutex<Vec<(String, Value)>>>) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut some = [0; 4096];
        let read = stream.read(&mut some).await.unwrap();
        if read == 0 {
            return;
        }
        bytes.extend_from_slice(&some[..read]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse::<usize>().unwrap());
        if bytes.len() >= end + 4 + length {
            break (head, serde_json::from_slice::<Value>(&bytes[end + 4..]).unwrap());
        }
    };
    seen.lock().unwrap().push((head, body.clone()));
    let (status, headers, answer, missing) = match reply {
        Reply::Says(status, headers, answer) => (status, headers, answer.to_string(), 0),
        Reply::Embeds => (200, "", embeddings(&body).to_string(), 0),
        Reply::BreaksOff => (200, "", embeddings(&body).to_string(), 40),
        Reply::Hangs => return std::future::pending().await,
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
        .write_all(&answer.as_bytes()[..answer.len() - missing])
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
}

/// Vectors that tell their texts apart by direction, twice as long as they should be, last one first.
fn embeddings(body: &Value) -> Value {
    let texts = body["input"].as_array().unwrap();
    let data: Vec<Value> = (0..texts.len())
        .rev()
        .map(|index| {
            let angle = f64::from(u32::try_from(texts[index].as_str().unwrap().len()).unwrap());
            let embedding = [2.0 * angle.cos(), 2.0 * angle.sin(), 0.0];
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    json!({ "object": "list", "data": data, "model": "small", "usage": { "prompt_tokens": 5, "total_tokens": 5 } })
}

fn says(status: u16, body: Value) -> Reply {
    Reply::Says(status, "", body)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[tokio::test]
async fn vectors_come_in_the_order_of_the_texts_and_with_unit_length() {
    let endpoint = Endpoint::start(Vec::new()).await;
    let embedder = endpoint.embedder(|_| {});
    let vectors = embedder.embed(texts(&["a", "bb", "ccc"])).await.unwrap();
    for (vector, length) in vectors.iter().zip([1.0_f32, 2.0, 3.0]) {
        let expected = [length.cos(), length.sin(), 0.0];
        assert!((cosine(vector, &expected) - 1.0).abs() < 1e-5, "{vector:?}");
    }
    let (head, body) = endpoint.requests().remove(0);
    assert!(head.starts_with("post /v1/embeddings "), "{head}");
    assert!(head.contains(&format!("authorization: bearer {KEY}")), "{head}");
    assert_eq!(
        body,
        json!({ "model": "small", "input": ["a", "bb", "ccc"], "encoding_format": "float" })
    );
}

#[tokio::test]
async fn requests_are_bounded_by_texts_and_by_tokens_and_long_texts_are_cut() {
    let endpoint = Endpoint::start(Vec::new()).await;
    let embedder = endpoint.embedder(|options| {
        options.batch_texts = 3;
        options.batch_tokens = 10;
        options.max_tokens = 6;
    });
    let long = ["word"; 40].join(" ");
    let all = texts(&["a", "b", "c", "d", &long, "one two three four five six", ""]);
    assert_eq!(embedder.embed(all).await.unwrap().len(), 7);
    let sent: Vec<usize> = endpoint
        .requests()
        .iter()
        .map(|(_, body)| body["input"].as_array().unwrap().len())
        .collect();
    assert_eq!(sent, [3, 2, 2], "the six words fit beside the empty text alone");
    let cut = endpoint.requests()[1].1["input"][1].as_str().unwrap().to_owned();
    assert!(
        long.starts_with(&cut) && embedder.count_tokens(&cut) <= 6,
        "{cut}"
    );
    assert_eq!(
        endpoint.requests()[2].1["input"][1],
        " ",
        "an endpoint refuses an empty text"
    );
}

#[tokio::test]
async fn a_shortened_model_asks_for_its_dimension_and_is_a_space_of_its_own() {
    let endpoint = Endpoint::start(Vec::new()).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let remote = RemoteModels {
        base_url: endpoint.base.clone(),
        models: "small=3, small@3".to_owned(),
        max_tokens: 100,
        ..RemoteModels::default()
    };
    let counter: Arc<dyn Embedder> = Arc::new(HashEmbedder::new(8));
    let models = remote.connect(&counter).unwrap();
    assert_eq!([models[0].model(), models[1].model()], ["small", "small@3"]);
    models[1].embed(texts(&["a"])).await.unwrap();
    let (head, body) = endpoint.requests().remove(0);
    assert_eq!(
        (&body["model"], &body["dimensions"]),
        (&json!("small"), &json!(3))
    );
    assert!(!head.contains("authorization"), "no key was given: {head}");
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let endpoint = Endpoint::start(vec![
        Reply::Says(
            429,
            "retry-after: 0\r\n",
            json!({ "error": { "message": "slow down" } }),
        ),
        says(503, json!("overloaded")),
        Reply::BreaksOff,
    ])
    .await;
    let embedder = endpoint.embedder(|_| {});
    let vectors = embedder.embed(texts(&["a"])).await.unwrap();
    assert_eq!((vectors.len(), endpoint.requests().len()), (1, 4));
}

#[tokio::test]
async fn the_pause_that_the_server_asks_for_is_kept_instead_of_ours() {
    let endpoint = Endpoint::start(vec![Reply::Says(429, "retry-after: 0\r\n", json!({}))]).await;
    // our own pause would outlive the test
    let embedder = endpoint.embedder(|options| options.pause = Duration::from_hours(1));
    embedder.embed(texts(&["a"])).await.unwrap();
    assert_eq!(endpoint.requests().len(), 2);
}

#[tokio::test]
async fn what_does_not_pass_is_given_up_after_the_attempts_and_named() {
    let endpoint = Endpoint::start((0..9).map(|_| says(500, json!({ "detail": "no gpu" }))).collect()).await;
    let embedder = endpoint.embedder(|options| options.attempts = 3);
    let error = embedder.embed(texts(&["a"])).await.unwrap_err();
    assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
    assert!(
        error.to_string().contains("500") && error.to_string().contains("no gpu"),
        "{error}"
    );
    assert_eq!(endpoint.requests().len(), 3);
}

#[tokio::test]
async fn a_wrong_key_is_told_at_once_and_never_repeated() {
    let message = format!("{} Incorrect API key provided: {KEY}. And more.", "x".repeat(250));
    let endpoint = Endpoint::start(vec![says(401, json!({ "error": { "message": message } }))]).await;
    let error = endpoint.embedder(|_| {}).embed(texts(&["a"])).await.unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(matches!(error, ModelError::Refused { .. }), "{said}");
    assert!(said.contains("PLUMBLINE_EMBEDDING_API_KEY"), "{said}");
    assert!(!said.contains(&KEY[..12]), "{said}");
    assert_eq!(endpoint.requests().len(), 1);
    assert!(!format!("{:?}", ApiKey::new(KEY)).contains("sk-"));
}

#[tokio::test]
async fn a_request_that_cannot_be_is_told_at_once() {
    let said =
        json!({ "error": { "message": "This model does not support specifying dimensions.", "code": null } });
    let endpoint = Endpoint::start(vec![says(400, said)]).await;
    let error = endpoint.embedder(|_| {}).embed(texts(&["a"])).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("does not support specifying dimensions"),
        "{error}"
    );
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_no_vector() {
    let datum = |index: usize, embedding: &[f32]| json!({ "index": index, "embedding": embedding });
    for (data, said) in [
        (
            json!([datum(0, &[1.0, 0.0]), datum(1, &[1.0, 0.0])]),
            "2 dimensions and 3 are expected",
        ),
        (
            json!([datum(0, &[1.0, 0.0, 0.0])]),
            "2 texts were sent and 1 vectors",
        ),
        (
            json!([datum(1, &[1.0, 0.0, 0.0]), datum(1, &[1.0, 0.0, 0.0])]),
            "comes twice",
        ),
        (
            json!([datum(0, &[1.0, 0.0, 0.0]), datum(7, &[1.0, 0.0, 0.0])]),
            "belongs to no text",
        ),
        (
            json!([datum(0, &[0.0, 0.0, 0.0]), datum(1, &[1.0, 0.0, 0.0])]),
            "has no length",
        ),
        (json!("?"), "no list of embeddings"),
    ] {
        let endpoint = Endpoint::start(vec![says(200, json!({ "data": data }))]).await;
        let error = endpoint
            .embedder(|_| {})
            .embed(texts(&["a", "bb"]))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(
            endpoint.requests().len(),
            1,
            "another attempt would bring the same"
        );
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let endpoint = Endpoint::start(vec![Reply::Hangs, Reply::Hangs, Reply::Hangs]).await;
    let embedder = endpoint.embedder(|options| {
        options.timeout = Duration::from_millis(50);
        options.attempts = 2;
    });
    let error = embedder.embed(texts(&["a"])).await.unwrap_err();
    assert!(matches!(error, ModelError::Unavailable { .. }), "{error}");
    let embedder = endpoint.embedder(|options| options.question_timeout = Duration::from_millis(50));
    let error = embedder.embed_one("a").await.unwrap_err();
    assert!(error.to_string().contains("within 50 ms"), "{error}");
}

#[test]
fn an_address_that_cannot_be_is_refused_before_anything_is_sent() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for base in [
        "",
        "api.openai.com/v1",
        "file:///v1",
        "https://user:secret@host/v1",
    ] {
        let options = OpenAiOptions::new(base, "small", 3);
        let error = OpenAiEmbedder::new(options, Arc::new(HashEmbedder::new(8)))
            .err()
            .unwrap();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
