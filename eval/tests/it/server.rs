//! A server of a few lines that answers the three calls that the eval makes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use plumbline_eval::golden::pin::sha256_hex;
use serde_json::{Value, json};

/// What the server does with a question; the number is that of the article asked about.
pub(crate) type Behaviour = Arc<dyn Fn(usize) -> Option<Value> + Send + Sync>;

/// Starts a server on a free port; it lives as long as the test process.
pub(crate) fn start(corpus: String, behaviour: Behaviour) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (corpus, behaviour) = (corpus.clone(), Arc::clone(&behaviour));
            std::thread::spawn(move || serve(stream, &corpus, &behaviour));
        }
    });
    url
}

fn serve(mut stream: TcpStream, corpus: &str, behaviour: &Behaviour) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (status, reply) = route(&head, &body, corpus, behaviour);
    let text = reply.to_string();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{text}", text.len()).ok()
}

fn route(head: &str, body: &[u8], corpus: &str, behaviour: &Behaviour) -> (&'static str, Value) {
    if !head.to_ascii_lowercase().contains("authorization: bearer secret") {
        return ("401 Unauthorized", json!({"error": "no key"}));
    }
    let id = |n: u32| format!("00000000-0000-0000-0000-{n:012}");
    if head.starts_with("GET /v1/documents?") {
        let document =
            json!({"id": id(1), "key": "returns.txt", "live_version_id": id(2), "title": "Returns"});
        return ("200 OK", json!({"documents": [document], "total": 1}));
    }
    if head.starts_with(&format!("GET /v1/documents/{}/versions ", id(1))) {
        return (
            "200 OK",
            json!([{"id": id(2), "number": 1, "blob_sha256": sha256_hex(corpus.as_bytes())}]),
        );
    }
    if head.starts_with(&format!("GET /v1/documents/{}/versions/1/text ", id(1))) {
        return ("200 OK", json!({"text": corpus, "language": "en"}));
    }
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let question = asked["question"].as_str().unwrap_or_default();
    let number: String = question.chars().filter(char::is_ascii_digit).collect();
    match number.parse().ok().and_then(|number| behaviour(number)) {
        Some(answer) => ("200 OK", answer),
        None => ("500 Internal Server Error", json!({"error": "down"})),
    }
}

/// The right answer about an article: found at `rank`, quoted and cited.
pub(crate) fn answer(corpus: &str, number: usize, rank: usize) -> Value {
    let id = |n: u32| format!("00000000-0000-0000-0000-{n:012}");
    let line = |i: usize| {
        let text = format!("Article number {i:03} is returned within {i} days of delivery.");
        let start = corpus.find(&text).unwrap_or_default();
        (start, text)
    };
    let articles = corpus.lines().count();
    let hit = |i: usize| {
        let (start, text) = line(i);
        json!({
            "chunk_id": id(9), "document_id": id(1), "version_id": id(2), "document_key": "returns.txt",
            "document_title": "Returns", "version_number": 1, "start": start, "end": start + text.len(),
            "page": null, "row": null, "heading_path": [], "text": text, "score": 0.5,
            "lexical": null, "vector": {"rank": 1, "score": 0.5},
        })
    };
    let mut hits: Vec<Value> = (1..10).map(|step| hit((number + step) % articles)).collect();
    hits.insert(rank - 1, hit(number));
    let (start, text) = line(number);
    json!({
        "id": id(3), "outcome": "answered", "route": "commodity", "reason": null, "text": text,
        "sentences": [{"text": text, "citations": [0]}],
        "citations": [{
            "document_id": id(1), "version_id": id(2), "document_key": "returns.txt", "document_title": "Returns",
            "version_number": 1, "chunk_id": id(9), "start": start, "end": start + text.len(),
            "page": null, "row": null, "quote": text,
        }],
        "confidence": 0.9, "query": "q", "hits": hits, "language": "en",
        "timings": {"route_ms": 0.1, "embed_ms": 1.0, "lexical_ms": 1.0, "vector_ms": 1.0, "fuse_ms": 0.1,
                    "compose_ms": 1.0, "ground_ms": 0.1, "total_ms": 4.3},
        "usage": {"model": "extractive", "input_tokens": 0, "output_tokens": 0}, "settings_version": 0,
    })
}
