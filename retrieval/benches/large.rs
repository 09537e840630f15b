//! Search among 100,000 chunks of one tenant, beside another tenant's: latency, throughput, the recall of the vector
//! index, and how long the lexical index takes to catch up.
//!
//! `cargo bench --profile dev -p plumbline-retrieval --bench large` (`-- 20000` for fewer chunks,
//! `-- 100000 1` for chunks of one vector). The texts are sentences
//! of the golden corpus's text files, shuffled together three by three; a chunk's vector is the normalised sum of its
//! sentences' vectors by the real model, so that neighbourhoods are those of real language. Like chunks of real files it
//! has about four vectors: its own, and one per sentence with half as much of any other sentence, so that among the many
//! that share a sentence no two are the same. Questions are golden ones.
//! The floor is measured in the same run: embedding, the vector query and the lexical query one after the other, each
//! called as the search calls it. Filters that keep 1 % and 30 % of the documents are compared with what the index would
//! leave of them if it were filtered afterwards; a lost lexical index is rebuilt while questions go on coming; and
//! eight questions at a time are embedded together and one by one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plumbline_models::{Embedder, Embedding, InContext, OnnxEmbedder, OnnxOptions, init_runtime};
use plumbline_retrieval::{EXACT_SCAN_UP_TO, LexicalState, SearchOptions, SearchTimings, Searcher};
use plumbline_store::testing::{TestDatabase, find_runtime};
use plumbline_store::{
    BlobStore, BuiltVersion, Filter, NewChunk, NewExtraction, NewVector, NewVersion, NewWindow,
    RetrievalSettings, Scope, Store, VectorIndex, VectorScan,
};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

/// Chunks of a document.
const PER_DOCUMENT: usize = 500;

/// Vectors of a chunk, at most: its own and one per sentence.
const WINDOWS: usize = 4;

/// Chunks that are changed to see how the lexical index catches up.
const CHANGED: usize = 20_000;

/// Searches at a time in the second measurement.
const AT_ONCE: usize = 8;

/// Candidates that the vector index keeps while it searches.
const CANDIDATES: usize = 150;

/// Results that are compared with those of the exact scan.
const COMPARED: usize = 10;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --benches` only asks whether this builds and starts.
    if arguments.iter().any(|argument| argument == "--test") {
        return Ok(());
    }
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse().ok());
    let chunks = numbers.next().unwrap_or(100_000);
    let windows = numbers
        .next()
        .map_or(WINDOWS, |windows: usize| windows.clamp(1, WINDOWS));
    tokio::runtime::Runtime::new()?.block_on(measure(chunks, windows))
}

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

fn questions() -> Result<Vec<String>, Failure> {
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

fn model() -> Result<Arc<dyn Embedder>, Failure> {
    let runtime = find_runtime();
    let library = format!(
        "lib/{}onnxruntime{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    init_runtime(&runtime.join(library))?;
    let options = OnnxOptions::new(runtime.join("models/all-MiniLM-L6-v2"));
    Ok(Arc::new(OnnxEmbedder::load(&options)?))
}

/// Everything that chunks are made of.
struct Stuff {
    sentences: Vec<String>,
    read: Vec<Embedding>,
    windows: usize,
    random: StdRng,
}

impl Stuff {
    async fn gather(embedder: &dyn Embedder, windows: usize) -> Result<Self, Failure> {
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
async fn publish(
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

/// Median and 95th percentile (nearest rank) in milliseconds.
fn percentiles(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    if times.is_empty() {
        return (f64::NAN, f64::NAN);
    }
    let at = |share: usize| times[(times.len() * share).div_ceil(100).saturating_sub(1)].as_secs_f64() * 1e3;
    (at(50), at(95))
}

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// Writes `chunks` chunks of one tenant, beside another tenant's; returns the first.
async fn write(
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

/// Builds the vector index; returns its space.
async fn index(store: &Store, tenant: Uuid, embedder: &dyn Embedder) -> Result<i32, Failure> {
    let mut tx = store.tenant(tenant).await?;
    let space = tx.ensure_space(embedder.model(), embedder.dimension()).await?;
    tx.commit().await?;
    let began = Instant::now();
    store.build_vector_index(tenant, space).await?;
    let mut tx = store.tenant(tenant).await?;
    assert_eq!(tx.vector_index(space).await?, VectorIndex::Ready);
    tx.commit().await?;
    println!("vector index built in {:.1} s", began.elapsed().as_secs_f64());
    Ok(space)
}

async fn measure(chunks: usize, windows: usize) -> Result<(), Failure> {
    let embedder = model()?;
    let mut stuff = Stuff::gather(embedder.as_ref(), windows).await?;
    let questions = questions()?;
    let database = TestDatabase::create().await?;
    let store = database.store().await?;
    let tenant = write(&store, chunks, &mut stuff, embedder.as_ref()).await?;
    let space = index(&store, tenant, embedder.as_ref()).await?;

    let folder = tempfile::tempdir()?;
    let searcher = Arc::new(Searcher::open(
        store.clone(),
        Arc::clone(&embedder),
        folder.path(),
    )?);
    let began = Instant::now();
    searcher.catch_up(tenant).await?;
    println!(
        "lexical index of {chunks} chunks rebuilt in {:.1} s",
        began.elapsed().as_secs_f64()
    );

    recall(&store, tenant, space, &questions, embedder.as_ref()).await?;
    one_at_a_time(&store, tenant, space, &searcher, &questions, embedder.as_ref()).await?;
    many_at_once(&searcher, tenant, &questions).await?;
    let documents = chunks / PER_DOCUMENT;
    for percent in [1, 30] {
        let kept = Kept::of(documents, percent, windows);
        filtered(
            &store,
            tenant,
            space,
            &searcher,
            &questions,
            embedder.as_ref(),
            &kept,
        )
        .await?;
    }
    batches(&embedder, &questions).await?;
    println!("resident: {:.0} MiB", resident_mib());

    for number in 0..CHANGED.min(chunks) / PER_DOCUMENT {
        let key = format!("document-{number:04}");
        publish(&store, tenant, &key, PER_DOCUMENT, &mut stuff, embedder.as_ref()).await?;
    }
    let began = Instant::now();
    searcher.catch_up(tenant).await?;
    println!(
        "lexical index caught up with {} changed chunks in {:.2} s",
        CHANGED.min(chunks),
        began.elapsed().as_secs_f64()
    );
    drop(searcher);
    lost_while_asked(&store, tenant, &embedder, &questions).await?;
    store.close().await;
    database.drop().await?;
    Ok(())
}

/// How many of the nearest chunks the index finds.
async fn recall(
    store: &Store,
    tenant: Uuid,
    space: i32,
    questions: &[String],
    embedder: &dyn Embedder,
) -> Result<(), Failure> {
    let (mut found, mut wanted) = (0, 0);
    for question in questions.iter().take(100) {
        let vector = embedder.embed_one(question).await?;
        let mut tx = store.tenant(tenant).await?;
        let scope = Scope::default();
        let exact = tx
            .nearest_chunks(
                space,
                &vector,
                COMPARED,
                VectorScan::Exact,
                &scope,
                &Filter::default(),
            )
            .await?;
        let near = tx
            .nearest_chunks(
                space,
                &vector,
                COMPARED,
                VectorScan::Approximate,
                &scope,
                &Filter::default(),
            )
            .await?;
        tx.commit().await?;
        wanted += exact.len();
        found += exact
            .iter()
            .filter(|one| near.iter().any(|other| other.chunk_id == one.chunk_id))
            .count();
    }
    println!("recall@{COMPARED} of the vector index: {found}/{wanted}");
    Ok(())
}

fn options() -> SearchOptions {
    SearchOptions {
        k: 5,
        settings: RetrievalSettings::default(),
        scope: Scope::default(),
        filter: Filter::default(),
        trace: false,
    }
}

fn print_stages(stages: &[SearchTimings]) {
    let stage = |of: fn(&SearchTimings) -> f64| {
        let times = stages
            .iter()
            .map(|timings| Duration::from_secs_f64(of(timings) / 1e3));
        percentiles(times.collect()).0
    };
    println!(
        "stages of a search, p50: embedding {:.1} ms, vectors {:.1} ms, words (beside both) {:.1} ms, joining and ordering {:.1} ms",
        stage(|t| t.embed_ms),
        stage(|t| t.vector_ms),
        stage(|t| t.lexical_ms),
        stage(|t| t.fuse_ms)
    );
}

/// What embedding, the vector query and the lexical query take by themselves: the sum of their medians, in milliseconds.
async fn floor(
    store: &Store,
    tenant: Uuid,
    space: i32,
    searcher: &Searcher,
    questions: &[String],
    embedder: &dyn Embedder,
) -> Result<f64, Failure> {
    let depth = RetrievalSettings::default().leg_depth;
    let lexical_only = SearchOptions {
        settings: RetrievalSettings {
            vector: false,
            ..RetrievalSettings::default()
        },
        ..options()
    };
    let (mut embed, mut vectors, mut lexical) = (Vec::new(), Vec::new(), Vec::new());
    for question in questions {
        let began = Instant::now();
        let vector = embedder.embed_one(question).await?;
        embed.push(began.elapsed());
        let mut tx = store.tenant(tenant).await?;
        let began = Instant::now();
        tx.nearest_chunks(
            space,
            &vector,
            depth,
            VectorScan::Approximate,
            &Scope::default(),
            &Filter::default(),
        )
        .await?;
        vectors.push(began.elapsed());
        tx.commit().await?;
        let results = searcher.search(tenant, question, &lexical_only).await?;
        lexical.push(Duration::from_secs_f64(results.timings.lexical_ms / 1e3));
    }
    let mut floor = 0.0;
    for (name, times) in [
        ("embedding", embed),
        ("vector query", vectors),
        ("lexical query", lexical),
    ] {
        let (median, p95) = percentiles(times);
        floor += median;
        println!("{name}: p50 {median:.1} ms, p95 {p95:.1} ms");
    }
    Ok(floor)
}

/// Latency of single searches beside the floor of their parts.
async fn one_at_a_time(
    store: &Store,
    tenant: Uuid,
    space: i32,
    searcher: &Searcher,
    questions: &[String],
    embedder: &dyn Embedder,
) -> Result<(), Failure> {
    let late_off = SearchOptions {
        settings: RetrievalSettings {
            late_weight: 0.0,
            ..RetrievalSettings::default()
        },
        ..options()
    };
    // An index that was just built is not in PostgreSQL's cache yet.
    for question in questions {
        searcher.search(tenant, question, &options()).await?;
    }
    let floor = floor(store, tenant, space, searcher, questions, embedder).await?;
    // One pass over all questions each: asked twice in a row, a question would find in memory what the first time had to be
    // fetched.
    let (mut whole, mut stages) = (Vec::new(), Vec::new());
    for question in questions {
        let began = Instant::now();
        let results = searcher.search(tenant, question, &options()).await?;
        whole.push(began.elapsed());
        stages.push(results.timings);
        assert_eq!((results.hits.len(), results.vector_scan), (5, "hnsw"));
    }
    let mut without_late = Vec::new();
    for question in questions {
        let began = Instant::now();
        searcher.search(tenant, question, &late_off).await?;
        without_late.push(began.elapsed());
    }
    print_stages(&stages);
    let (median, p95) = percentiles(whole);
    println!(
        "search, one at a time: p50 {median:.1} ms, p95 {p95:.1} ms; {:.2} of the floor ({floor:.1} ms)",
        median / floor
    );
    let (median, p95) = percentiles(without_late);
    println!("the same without late interaction: p50 {median:.1} ms, p95 {p95:.1} ms");
    Ok(())
}

/// Throughput.
async fn many_at_once(searcher: &Arc<Searcher>, tenant: Uuid, questions: &[String]) -> Result<(), Failure> {
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..AT_ONCE {
        let searcher = Arc::clone(searcher);
        let mine: Vec<String> = questions.iter().skip(lane).step_by(AT_ONCE).cloned().collect();
        tasks.spawn(async move {
            let mut times = Vec::new();
            for question in mine {
                let began = Instant::now();
                searcher.search(tenant, &question, &options()).await?;
                times.push(began.elapsed());
            }
            Ok::<_, plumbline_retrieval::SearchError>(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    let rate = f64::from(u32::try_from(times.len())?) / began.elapsed().as_secs_f64();
    let (median, p95) = percentiles(times);
    println!("search, {AT_ONCE} at a time: {rate:.0} per second, p50 {median:.1} ms, p95 {p95:.1} ms");
    Ok(())
}

/// A filter that keeps a share of the documents.
struct Kept {
    percent: usize,
    windows: usize,
    filter: Filter,
}

impl Kept {
    /// Every n-th document, at least one; a filter names at most 100.
    fn of(documents: usize, percent: usize, windows: usize) -> Self {
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

/// Latency and recall under a filter, beside what is left of the index's own candidates when they are filtered afterwards.
async fn filtered(
    store: &Store,
    tenant: Uuid,
    space: i32,
    searcher: &Searcher,
    questions: &[String],
    embedder: &dyn Embedder,
    kept: &Kept,
) -> Result<(), Failure> {
    let options = SearchOptions {
        k: COMPARED,
        filter: kept.filter.clone(),
        ..options()
    };
    let scan = if i64::try_from(kept.windows)? > EXACT_SCAN_UP_TO {
        VectorScan::Approximate
    } else {
        VectorScan::Exact
    };
    let scope = Scope::default();
    let (mut times, mut wanted, mut found, mut left, mut left_found) = (Vec::new(), 0, 0, 0, 0);
    for question in questions.iter().take(100) {
        let began = Instant::now();
        let results = searcher.search(tenant, question, &options).await?;
        times.push(began.elapsed());
        assert_eq!(results.hits.len(), COMPARED, "never fewer than asked for");

        let vector = embedder.embed_one(question).await?;
        let mut tx = store.tenant(tenant).await?;
        let exact = tx
            .nearest_chunks(space, &vector, COMPARED, VectorScan::Exact, &scope, &kept.filter)
            .await?;
        let depth = options.settings.leg_depth;
        let near = tx
            .nearest_chunks(space, &vector, depth, scan, &scope, &kept.filter)
            .await?;
        // what an index without iterative scan returns: its candidates, of which the filter keeps what it keeps
        let candidates = tx
            .nearest_chunks(
                space,
                &vector,
                CANDIDATES,
                VectorScan::Approximate,
                &scope,
                &Filter::default(),
            )
            .await?;
        let ids: Vec<Uuid> = candidates.iter().map(|one| one.chunk_id).collect();
        let survivors = tx.live_hits(&ids, space, None, &scope, &kept.filter).await?;
        tx.commit().await?;
        wanted += exact.len();
        left += survivors.len().min(COMPARED);
        for one in &exact {
            found += usize::from(
                near.iter()
                    .take(COMPARED)
                    .any(|other| other.chunk_id == one.chunk_id),
            );
            left_found += usize::from(survivors.iter().any(|other| other.chunk_id == one.chunk_id));
        }
    }
    let (median, p95) = percentiles(times);
    println!(
        "filter that keeps {} % ({} windows, {scan:?}): p50 {median:.1} ms, p95 {p95:.1} ms, recall@{COMPARED} {found}/{wanted}; \
         {CANDIDATES} candidates filtered afterwards: {left} left of {wanted}, recall {left_found}/{wanted}",
        kept.percent, kept.windows
    );
    Ok(())
}

/// Whether questions that come together should be embedded together.
async fn batches(embedder: &Arc<dyn Embedder>, questions: &[String]) -> Result<(), Failure> {
    let together: Vec<&[String]> = questions.chunks_exact(AT_ONCE).take(30).collect();
    for _warm_up in 0..3 {
        embedder.embed(together[0].to_vec()).await?;
    }
    let (mut one_call, mut calls) = (Vec::new(), Vec::new());
    for batch in together {
        let began = Instant::now();
        embedder.embed(batch.to_vec()).await?;
        one_call.push(began.elapsed());
        let began = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for question in batch {
            let (embedder, question) = (Arc::clone(embedder), question.clone());
            tasks.spawn(async move { embedder.embed_one(&question).await });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        calls.push(began.elapsed());
    }
    for (name, times) in [("in one call", one_call), ("in calls of their own", calls)] {
        let (median, p95) = percentiles(times);
        println!("{AT_ONCE} questions embedded {name}: p50 {median:.1} ms, p95 {p95:.1} ms");
    }
    Ok(())
}

/// A lexical index that is lost and rebuilt while questions go on coming.
async fn lost_while_asked(
    store: &Store,
    tenant: Uuid,
    embedder: &Arc<dyn Embedder>,
    questions: &[String],
) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let searcher = Searcher::open(store.clone(), Arc::clone(embedder), folder.path())?;
    let began = Instant::now();
    let rebuilt = async {
        searcher.catch_up(tenant).await?;
        Ok::<_, Failure>(began.elapsed())
    };
    let asked = async {
        let mut times = Vec::new();
        for question in questions.iter().cycle() {
            let asking = Instant::now();
            let results = searcher.search(tenant, question, &options()).await?;
            if results.lexical != LexicalState::Behind {
                break;
            }
            assert_eq!(results.hits.len(), 5, "the vectors answer alone");
            times.push(asking.elapsed());
        }
        Ok::<_, Failure>(times)
    };
    let (rebuilt, times) = tokio::try_join!(rebuilt, asked)?;
    let answered = times.len();
    let (median, p95) = percentiles(times);
    println!(
        "lexical index rebuilt in {:.1} s while {answered} questions were answered without it: p50 {median:.1} ms, p95 {p95:.1} ms",
        rebuilt.as_secs_f64()
    );
    Ok(())
}
