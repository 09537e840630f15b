//! What is searched: chunks made of the golden corpus's sentences, with vectors of the real model.

use std::path::{Path, PathBuf};
use std::time::Instant;

use plumbline_models::{Embedder, Embedding, InContext};
use plumbline_store::{
    BlobStore, BuiltVersion, Filter, NewChunk, NewExtraction, NewVector, NewVersion, NewWindow, Store,
};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::Failure;

/// Chunks of a document.
pub(crate) const PER_DOCUMENT: usize = 500;

/// Vectors of a chunk, at most: its own and one per sentence.
pub(crate) const WINDOWS: usize = 4;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden")
}

fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Sentences and rows of the corpus, without repetitions.
fn sentences() -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for file in files(&golden(), &["md", "txt", "csv"])? {
        let text = String::from_utf8_lossy(&std::fs::read(file)?).into_owned();
        let parts = text.lines().flat_map(|line| line.split(". "));
        let whole = parts.map(str::trim).filter(|part| part.len() > 30);
        all.extend(whole.map(|part| part.chars().take(300).collect::<String>()));
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// The golden questions that have an answer.
pub(crate) fn questions() -> Result<Vec<String>, Failure> {
    let mut questions = Vec::new();
    for file in files(&golden().join("cases"), &["jsonl"])? {
        for line in std::fs::read_to_string(file)?.lines() {
            if let Ok(case) = serde_json::from_str::<serde_json::Value>(line)
                && case["kind"] == "answerable"
            {
                questions.push(case["question"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    Ok(questions)
}

/// Everything that chunks are made of.
pub(crate) struct Stuff {
    sentences: Vec<String>,
    read: Vec<Embedding>,
    windows: usize,
    random: StdRng,
}

impl Stuff {
    /// Reads the corpus; chunks will have `windows` vectors.
    pub(crate) async fn gather(embedder: &dyn Embedder, windows: usize) -> Result<Self, Failure> {
        let sentences = sentences()?;
        let mut read = Vec::with_capacity(sentences.len());
        for batch in sentences.chunks(64) {
            let passages = batch.iter().cloned().map(InContext::from).collect();
            read.extend(embedder.embed_in_pieces(passages).await?);
        }
        Ok(Self {
            sentences,
            read,
            windows,
            random: StdRng::seed_from_u64(7),
        })
    }

    /// Three sentences, the pieces of all, and the vector of the whole.
    fn chunk(&mut self) -> Made {
        let all: Vec<usize> = (0..self.sentences.len()).collect();
        let chosen: Vec<usize> = all.choose_multiple(&mut self.random, 3).copied().collect();
        let mut whole = vec![0.0_f32; self.read[0].vector.len()];
        let mut pieces = Vec::new();
        for (weight, i) in [0.6, 0.3, 0.1].iter().zip(&chosen) {
            add(&mut whole, &self.read[*i].vector, *weight);
            pieces.extend(self.read[*i].pieces.clone());
        }
        normalise(&mut whole);
        let number: u32 = self.random.random_range(10_000..99_999);
        let mut sentences: Vec<(String, Vec<f32>)> = Vec::new();
        for i in chosen {
            let mut vector = self.read[i].vector.clone();
            let other = self.random.random_range(0..self.read.len());
            add(&mut vector, &self.read[other].vector, 0.5);
            normalise(&mut vector);
            sentences.push((format!("{}.", self.sentences[i]), vector));
        }
        let last = &mut sentences[2].0;
        *last = format!("{last} Ref {number}.");
        let whole = Embedding {
            vector: whole,
            pieces,
        };
        Made { sentences, whole }
    }
}

/// A chunk before it is written.
struct Made {
    sentences: Vec<(String, Vec<f32>)>,
    whole: Embedding,
}

fn add(sum: &mut [f32], part: &[f32], weight: f32) {
    for (sum, part) in sum.iter_mut().zip(part) {
        *sum += weight * part;
    }
}

fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    for x in vector {
        *x /= length;
    }
}

/// The next chunk of a document, from byte `start` of its text on, and its text; its vectors are added to `vectors`.
fn written(
    stuff: &mut Stuff,
    (document, ordinal): (&str, u32),
    start: usize,
    vectors: &mut Vec<NewVector>,
) -> (NewChunk, String) {
    let Made { sentences, whole } = stuff.chunk();
    let texts: Vec<&str> = sentences.iter().map(|(text, _)| text.as_str()).collect();
    let body = texts.join(" ");
    let end = start + body.len();
    let hash = BlobStore::hash(body.as_bytes());
    vectors.push(NewVector {
        hash,
        pieces: whole.signs(),
        vector: whole.vector,
    });
    let mut windows = vec![NewWindow {
        start,
        end,
        hash,
        in_pieces: true,
    }];
    let mut from = start;
    for (sentence, vector) in sentences.into_iter().take(stuff.windows - 1) {
        let hash = BlobStore::hash(format!("{sentence} in {body}").as_bytes());
        vectors.push(NewVector {
            hash,
            pieces: None,
            vector,
        });
        windows.push(NewWindow {
            start: from,
            end: from + sentence.len(),
            hash,
            in_pieces: false,
        });
        from += sentence.len() + 1;
    }
    let chunk = NewChunk {
        ordinal,
        start,
        end,
        page_from: None,
        page_to: None,
        row_from: None,
        row_to: None,
        heading_path: vec!["Section".to_owned(), document.to_owned()],
        text: body.clone(),
        tokens: 60,
        hash,
        windows,
    };
    (chunk, body)
}

/// A published document of `count` chunks.
pub(crate) async fn publish(
    store: &Store,
    tenant: Uuid,
    key: &str,
    count: usize,
    stuff: &mut Stuff,
    embedder: &dyn Embedder,
) -> Result<(), Failure> {
    let (mut start, mut chunks, mut vectors, mut text) = (0, Vec::new(), Vec::new(), String::new());
    for ordinal in 0..u32::try_from(count)? {
        let (chunk, body) = written(stuff, (key, ordinal), start, &mut vectors);
        start = chunk.end + 1;
        text.push_str(&body);
        text.push('\n');
        chunks.push(chunk);
    }
    let sha = BlobStore::hash(text.as_bytes());
    let mut tx = store.tenant(tenant).await?;
    let new = NewVersion {
        key: key.to_owned(),
        file_name: key.to_owned(),
        blob_sha256: sha,
        blob_bytes: i64::try_from(text.len())?,
    };
    let received = tx.receive_version(&new).await?;
    let space_id = tx.ensure_space(embedder.model(), embedder.dimension()).await?;
    let extraction = NewExtraction {
        version_id: received.version_id,
        media_type: "text/plain".to_owned(),
        text,
        text_sha256: sha,
        outline: "{}".to_owned(),
        content_sha256: sha,
        language: Some("en".to_owned()),
        warnings: serde_json::json!([]),
        pages: serde_json::json!([]),
    };
    tx.save_extraction(&extraction).await?;
    tx.save_vectors(received.version_id, space_id, &vectors).await?;
    let built = BuiltVersion {
        version_id: received.version_id,
        title: Some(key.to_owned()),
        recipe_sha256: [0; 32],
        chunks,
        space_id,
        windows_embedded: i32::try_from(vectors.len())?,
        windows_reused: 0,
        places: Vec::new(),
        overlay_revision: 0,
    };
    tx.complete_version(&built, &|_| {}).await?;
    tx.publish_if_newest(received.version_id).await?;
    Ok(tx.commit().await?)
}

/// Writes `chunks` chunks of one tenant, beside another tenant's; returns the first.
pub(crate) async fn write(
    store: &Store,
    chunks: usize,
    stuff: &mut Stuff,
    embedder: &dyn Embedder,
) -> Result<Uuid, Failure> {
    let mut tx = store.system().await?;
    let tenant = tx.ensure_tenant("large", "Large").await?.id;
    let other = tx.ensure_tenant("other", "Other").await?.id;
    tx.commit().await?;

    let began = Instant::now();
    for number in 0..chunks / PER_DOCUMENT {
        let key = format!("document-{number:04}");
        publish(store, tenant, &key, PER_DOCUMENT, stuff, embedder).await?;
    }
    publish(store, other, "other", PER_DOCUMENT, stuff, embedder).await?;
    println!(
        "{chunks} chunks of {} vectors written in {:.1} s ({} distinct sentences)",
        stuff.windows,
        began.elapsed().as_secs_f64(),
        stuff.sentences.len()
    );
    Ok(tenant)
}

/// A filter that keeps a share of the documents.
pub(crate) struct Kept {
    pub(crate) percent: usize,
    pub(crate) windows: usize,
    pub(crate) filter: Filter,
}

impl Kept {
    /// Every n-th document, at least one; a filter names at most 100.
    pub(crate) fn of(documents: usize, percent: usize, windows: usize) -> Self {
        let count = (documents * percent / 100).clamp(1, 100);
        let keys = (0..count).map(|number| format!("document-{:04}", number * documents / count));
        Self {
            percent,
            windows: count * PER_DOCUMENT * windows,
            filter: Filter {
                documents: keys.collect(),
                ..Filter::default()
            },
        }
    }
}
