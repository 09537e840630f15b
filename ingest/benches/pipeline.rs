//! What the pipeline costs beside embedding, and how much memory the largest file takes.
//!
//! `cargo bench --profile dev -p plumbline-ingest --bench pipeline` builds the golden corpus twice over with the real model, two
//! versions at a time as the workers do, and embeds the very same texts alone before and after. The first figure is the
//! ratio of the two: everything that is not embedding (reading in child processes, chunking, writing, indexing) either
//! runs beside it or costs this much.
//!
//! `… --bench pipeline -- memory` builds a CSV file of 200,000 rows and prints the peak resident memory of this process
//! over idle. (The child that reads has a limit of its own.)

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use plumbline_ingest::{Isolation, Pipeline};
use plumbline_models::{Embedder, HashEmbedder, ModelError, OnnxEmbedder, OnnxOptions, init_runtime};
use plumbline_store::testing::{TestDatabase, find_runtime};
use plumbline_store::{BlobStore, Store};
use uuid::Uuid;

/// Versions built at once, batches embedded at once: as the workers do.
const AT_ONCE: usize = 2;

/// Remembers what it was asked to embed.
struct Remembering {
    inner: Arc<dyn Embedder>,
    batches: Mutex<Vec<Vec<String>>>,
}

#[async_trait]
impl Embedder for Remembering {
    fn model(&self) -> &str {
        self.inner.model()
    }
    fn dimension(&self) -> usize {
        self.inner.dimension()
    }
    fn max_tokens(&self) -> usize {
        self.inner.max_tokens()
    }
    fn speaks(&self, language: &str) -> bool {
        self.inner.speaks(language)
    }
    fn count_tokens(&self, text: &str) -> usize {
        self.inner.count_tokens(text)
    }
    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        self.batches
            .lock()
            .expect("no panic holds it")
            .push(texts.clone());
        self.inner.embed(texts).await
    }
}

struct Bench {
    store: Store,
    tenant: Uuid,
    blobs: BlobStore,
    database: TestDatabase,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let database = TestDatabase::create().await.expect("a database");
        let store = database.store().await.expect("a store");
        let mut tx = store.system().await.expect("a transaction");
        let tenant = tx.ensure_tenant("bench", "Bench").await.expect("a tenant").id;
        tx.commit().await.expect("a commit");
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            store,
            tenant,
            blobs: BlobStore::Directory(folder.path().to_owned()),
            database,
            _folder: folder,
        }
    }

    fn pipeline(&self, embedder: Arc<dyn Embedder>) -> Pipeline {
        let worker = env!("CARGO_BIN_EXE_plumbline-extract-worker");
        let reader = Isolation::new(worker, Vec::<String>::new());
        Pipeline::new(self.store.clone(), self.blobs.clone(), embedder, reader)
    }

    /// Receives and builds files; returns the time of the building.
    async fn build(&self, pipeline: &Pipeline, files: Vec<(String, Vec<u8>)>) -> Duration {
        let mut versions = Vec::new();
        for (name, bytes) in files {
            let received = pipeline.receive_bytes(self.tenant, &name, &name, bytes).await;
            versions.push((name, received.expect("received").version_id));
        }
        let began = Instant::now();
        stream::iter(versions)
            .for_each_concurrent(AT_ONCE, |(name, version)| async move {
                let built = pipeline.build(self.tenant, version, &|_| {}).await;
                let built = built.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(built.published, "{name} is not published: {built:?}");
            })
            .await;
        began.elapsed()
    }

    async fn end(self) {
        self.store.close().await;
        self.database.drop().await.expect("dropped");
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if std::env::args().any(|argument| argument == "memory") {
        runtime.block_on(memory());
    } else {
        runtime.block_on(overhead());
    }
}

fn real_model() -> Arc<dyn Embedder> {
    let runtime = find_runtime();
    let library = runtime.join("lib").join(format!(
        "{}onnxruntime{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ));
    init_runtime(&library).expect("ONNX Runtime; run `make runtime`");
    let model = OnnxEmbedder::load(&OnnxOptions::new(runtime.join("models/all-MiniLM-L6-v2")));
    Arc::new(model.expect("the embedding model; run `make runtime`"))
}

fn corpus() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/corpus");
    let mut folders: Vec<PathBuf> = vec![root];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the golden corpus") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).expect("a file");
                files.push((path.display().to_string(), bytes));
            }
        }
    }
    files.sort();
    files
}

async fn overhead() {
    let model = real_model();
    let remembering = Arc::new(Remembering {
        inner: Arc::clone(&model),
        batches: Mutex::default(),
    });
    let bench = Bench::new().await;
    let building = bench.build(&bench.pipeline(remembering.clone()), corpus()).await;
    bench.end().await;
    let batches = std::mem::take(&mut *remembering.batches.lock().expect("no panic holds it"));
    let texts: usize = batches.iter().map(Vec::len).sum();
    let first = embed_alone(&model, &batches).await;
    let bench = Bench::new().await;
    let again = bench.build(&bench.pipeline(Arc::clone(&model)), corpus()).await;
    bench.end().await;
    let second = embed_alone(&model, &batches).await;
    for (build, alone) in [(building, first), (again, second)] {
        println!(
            "{texts} windows: pipeline {:.2} s, embedding alone {:.2} s, ratio {:.3}",
            build.as_secs_f64(),
            alone.as_secs_f64(),
            build.as_secs_f64() / alone.as_secs_f64()
        );
    }
}

async fn embed_alone(model: &Arc<dyn Embedder>, batches: &[Vec<String>]) -> Duration {
    let began = Instant::now();
    stream::iter(batches.to_vec())
        .for_each_concurrent(AT_ONCE, |texts| async move {
            model.embed(texts).await.expect("vectors");
        })
        .await;
    began.elapsed()
}

/// Peak resident memory of this process in MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

#[expect(clippy::format_push_string, reason = "brevity over allocations in a fixture")]
fn rows(count: usize) -> Vec<u8> {
    let mut text = String::from("sku,name,category,price,stock,warehouse\n");
    for n in 0..count {
        let (price, stock, depot) = (100 + n % 900, n % 40, n % 7);
        text += &format!(
            "SKU-{n:06},Ceiling fan model {n},Fans and coolers,{price}.50,{stock},Kumasi depot {depot}\n"
        );
    }
    text.into_bytes()
}

async fn memory() {
    let bench = Bench::new().await;
    // What is measured is what the pipeline holds; a neural network would hold the same beside it.
    let pipeline = bench.pipeline(Arc::new(HashEmbedder::new(384)));
    bench
        .build(
            &pipeline,
            vec![("small.txt".to_owned(), b"We open at nine.".to_vec())],
        )
        .await;
    let idle = peak();
    let csv = rows(200_000);
    let took = bench.build(&pipeline, vec![("rows.csv".to_owned(), csv)]).await;
    let peak = peak();
    println!(
        "200,000 rows: peak {peak:.0} MiB, {:.0} MiB over idle ({idle:.0} MiB), {:.0} s",
        peak - idle,
        took.as_secs_f64()
    );
    bench.end().await;
}
