//! The worker that builds documents is killed at random moments, again and again. Whatever a search returns meanwhile is
//! part of one live version; afterwards nothing is unfinished and nothing is left over.
//!
//! `PLUMBLINE_KILLS` sets the number of kills, `PLUMBLINE_KILL_SEED` repeats a run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plumbline_answer::Answerer;
use plumbline_ingest::{Isolation, Pipeline, WantedOverlay};
use plumbline_models::{Embedder, Extractive, HashEmbedder};
use plumbline_retrieval::{SearchOptions, Searcher};
use plumbline_server::app::{App, ProgressBoard, WebSettings, WebhookSecrets, WorkSettings};
use plumbline_server::watch::VersionWatch;
use plumbline_server::worker;
use plumbline_store::testing::TestDatabase;
use plumbline_store::{BlobStore, Filter, OverlayKind, RetrievalSettings, Scope, Store};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Kills of a run in CI.
const KILLS: u32 = 200;

/// Documents that are changed all the time.
const DOCUMENTS: usize = 6;

/// Kills between two inspections. A job has four attempts: two kills, and a lease lost by a starved machine, leave one.
const KILLS_PER_ROUND: u32 = 2;

/// The parts of a program without a neural network: what is tested is the order of writes, not the meaning of words.
async fn app(url: &str, root: &Path, index: &str) -> App {
    let store = Store::connect(url, 8).await.unwrap();
    let embedder: Arc<dyn Embedder> = Arc::new(HashEmbedder::new(64));
    let searcher = Searcher::open(store.clone(), Arc::clone(&embedder), &root.join(index)).unwrap();
    let searcher = Arc::new(searcher);
    let model = Arc::new(Extractive::new(Arc::clone(&embedder)));
    let answerer = Answerer::new(store.clone(), Arc::clone(&searcher), Arc::clone(&embedder), model);
    let blobs = BlobStore::Directory(root.join("blobs"));
    let reader = Isolation::new(env!("CARGO_BIN_EXE_plumbline"), ["extract-worker"]);
    App {
        versions: VersionWatch::new(store.clone()),
        pipeline: Pipeline::new(store.clone(), blobs.clone(), Arc::clone(&embedder), reader),
        store,
        blobs,
        embedders: embedder.into(),
        searcher,
        answerer: Arc::new(answerer),
        graph: None,
        webhook: WebhookSecrets::default(),
        web: WebSettings {
            max_upload_bytes: 1 << 20,
            max_upload_files: 5,
            https: false,
        },
        fake_graph: None,
        demo: None,
        work: WorkSettings {
            // a dead worker's jobs must come back at once, or the test would only wait
            lease: Duration::from_millis(450),
            poll: Duration::from_millis(20),
            ..WorkSettings::default()
        },
        progress: ProgressBoard::default(),
        eval: None,
    }
}

/// Not a test of its own: the process that [`the_worker_is_killed_at_random_moments`] starts and kills.
#[tokio::test]
#[ignore = "the child that the_worker_is_killed_at_random_moments starts and kills; it never ends by itself"]
#[expect(
    clippy::disallowed_methods,
    reason = "how the test tells its child what to do"
)]
async fn killed_worker() {
    let url = std::env::var("PLUMBLINE_KILL_URL").unwrap();
    let root = PathBuf::from(std::env::var_os("PLUMBLINE_KILL_ROOT").unwrap());
    let app = app(&url, &root, "index-of-the-killed").await;
    println!("ready");
    worker::run_documents(app, CancellationToken::new()).await;
}

/// Runs the worker until a random moment after it began.
async fn work_and_die(url: &str, root: &Path, alive: Duration) {
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "ingest_kill::killed_worker",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env("PLUMBLINE_KILL_URL", url)
        .env("PLUMBLINE_KILL_ROOT", root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.ends_with("ready") {
            break;
        }
    }
    tokio::time::sleep(alive).await;
    child.start_kill().unwrap();
    let status = child.wait().await.unwrap();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(9),
        "the worker ended by itself: {status}"
    );
}

/// What the test knows of a document.
#[derive(Debug, Clone, Default)]
struct Known {
    id: Option<Uuid>,
    edition: u32,
    /// An admin rolled back: the newest version need not answer.
    rolled_back: bool,
}

struct World {
    app: App,
    tenant: Uuid,
    /// Which edition a version holds.
    editions: HashMap<Uuid, u32>,
    documents: Vec<Known>,
    random: StdRng,
}

#[expect(clippy::format_push_string, reason = "brevity over allocations in a fixture")]
fn text(document: usize, edition: u32) -> String {
    let mut text = String::new();
    for section in 0..3 + edition % 3 {
        let sentence =
            format!("Thing number{document} in edition{edition} is described under part {section} here. ");
        text.push_str(&format!(
            "# Part {section} of number{document}\n\n{}\n\n",
            sentence.repeat(8)
        ));
    }
    text
}

impl World {
    async fn upload(&mut self, index: usize) -> Uuid {
        self.documents[index].edition += 1;
        let edition = self.documents[index].edition;
        let key = format!("{index}.md");
        let received = self
            .app
            .pipeline
            .receive_bytes(self.tenant, &key, &key, text(index, edition).into())
            .await
            .unwrap();
        self.editions.insert(received.version_id, edition);
        self.documents[index].id = Some(received.document_id);
        self.documents[index].rolled_back = false;
        received.version_id
    }

    /// One thing that an admin may do.
    async fn act(&mut self) {
        let index = self.random.random_range(0..DOCUMENTS);
        let version = self.upload(index).await;
        let document = self.documents[index].id.unwrap();
        match self.random.random_range(0..10) {
            0 => {
                let mut tx = self.app.store.tenant(self.tenant).await.unwrap();
                tx.delete_document(document).await.unwrap();
                tx.commit().await.unwrap();
                self.documents[index].id = None;
                self.upload(index).await;
            }
            1 => drop(self.app.pipeline.cancel(self.tenant, version).await),
            2 => self.roll_back(index, document).await,
            3 => self.lay_over(document).await,
            _ => {}
        }
    }

    async fn roll_back(&mut self, index: usize, document: Uuid) {
        let mut tx = self.app.store.tenant(self.tenant).await.unwrap();
        let versions = tx.versions(document).await.unwrap();
        drop(tx);
        if let Some(ready) = versions.iter().rfind(|version| version.state.is_ready()) {
            self.app.pipeline.publish(self.tenant, ready).await.unwrap();
            self.documents[index].rolled_back = true;
        }
    }

    async fn lay_over(&mut self, document: Uuid) {
        let mut tx = self.app.store.tenant(self.tenant).await.unwrap();
        let live = tx.document(document).await.unwrap().live_version_id;
        let chunks = match live {
            Some(live) => tx.all_chunks(live).await.unwrap(),
            None => return,
        };
        drop(tx);
        let (kind, body) = match self.random.random_range(0..3) {
            0 => (OverlayKind::Pin, None),
            1 => (OverlayKind::Question, Some("what is the thing called".to_owned())),
            _ => (
                OverlayKind::Edit,
                chunks.first().map(|chunk| format!("{} Edited.", chunk.body)),
            ),
        };
        let wanted = WantedOverlay {
            kind,
            body,
            factor: None,
            by: None,
        };
        let (_, rebuilt) = self
            .app
            .pipeline
            .add_overlay(self.tenant, chunks[0].id, &wanted)
            .await
            .unwrap();
        if let Some(rebuilt) = rebuilt {
            let document = self
                .documents
                .iter()
                .find(|known| known.id == Some(document))
                .unwrap();
            self.editions.insert(rebuilt.version_id, document.edition);
        }
    }

    /// The furthest stage that a version was in when the worker died.
    async fn stage(&self) -> &'static str {
        let mut tx = self.app.store.tenant(self.tenant).await.unwrap();
        let mut furthest = "waiting or done";
        for known in &self.documents {
            let Some(id) = known.id else { continue };
            for version in tx.versions(id).await.unwrap() {
                let name = version.state.as_str();
                if ["extracting", "chunking", "embedding", "indexing"].contains(&name) {
                    furthest = name;
                }
            }
        }
        furthest
    }

    /// Works the queue in this process until nothing is left.
    async fn drain(&self) {
        let stop = CancellationToken::new();
        let working = tokio::spawn(worker::run_documents(self.app.clone(), stop.clone()));
        for round in 0_u32.. {
            let mut tx = self.app.store.system().await.unwrap();
            let open = tx.queue_depths().await.unwrap();
            drop(tx);
            if open.is_empty() {
                break;
            }
            assert!(
                open.iter().all(|depth| depth.state != "dead"),
                "given up: {open:?}"
            );
            assert!(round < 6_000, "unfinished after five minutes: {open:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
        working.await.unwrap();
    }

    /// After a restart: everything has ended, the newest version answers, every chunk of it is found, once.
    async fn inspect(&self, database: &TestDatabase) {
        for (index, known) in self.documents.iter().enumerate() {
            let Some(id) = known.id else { continue };
            let mut tx = self.app.store.tenant(self.tenant).await.unwrap();
            let document = tx.document(id).await.unwrap();
            let versions = tx.versions(id).await.unwrap();
            for version in &versions {
                assert!(
                    version.state.is_ready() || version.state.as_str() == "cancelled",
                    "{version:#?}"
                );
            }
            let newest = versions.iter().find(|version| version.state.is_ready());
            let expected = newest.map(|version| version.same_text_as.unwrap_or(version.id));
            if !known.rolled_back {
                assert_eq!(
                    document.live_version_id, expected,
                    "document {index}: {versions:#?}"
                );
            }
            let Some(live) = document.live_version_id else {
                continue;
            };
            let chunks = tx.all_chunks(live).await.unwrap();
            drop(tx);
            let expected: HashSet<Uuid> = chunks.iter().map(|chunk| chunk.id).collect();
            let hits = search(&self.app, self.tenant, &format!("Thing number{index}")).await;
            let found: Vec<Uuid> = hits
                .iter()
                .filter(|hit| hit.document_id == id)
                .map(|hit| hit.chunk_id)
                .collect();
            assert_eq!(found.len(), expected.len(), "document {index}");
            assert_eq!(found.into_iter().collect::<HashSet<_>>(), expected);
        }
        for (what, query) in [
            (
                "chunks of versions that are not ready",
                "SELECT count(*) FROM chunks c JOIN document_versions v
                ON v.id = c.version_id WHERE v.state NOT IN ('ready', 'ready_with_warnings')",
            ),
            (
                "vectors of builds that have ended",
                "SELECT count(*) FROM embedded_windows",
            ),
            (
                "windows without the version of their chunk",
                "SELECT count(*) FROM windows w JOIN chunks c
                ON c.id = w.chunk_id WHERE c.version_id <> w.version_id",
            ),
            (
                "chunks without a window",
                "SELECT count(*) FROM chunks c WHERE NOT EXISTS
                (SELECT FROM windows w WHERE w.chunk_id = c.id)",
            ),
            (
                "jobs that were given up",
                "SELECT count(*) FROM jobs WHERE state = 'dead'",
            ),
        ] {
            assert_eq!(database.count(query).await.unwrap(), 0, "{what}");
        }
    }
}

async fn search(app: &App, tenant: Uuid, query: &str) -> Vec<plumbline_retrieval::Hit> {
    let options = SearchOptions {
        scope: Scope::default(),
        filter: Filter::default(),
        k: 100,
        settings: RetrievalSettings {
            leg_depth: 100,
            ..RetrievalSettings::default()
        },
        trace: false,
    };
    app.searcher.search(tenant, query, &options).await.unwrap().hits
}

/// Searches without pause: what is found belongs to one version of each document, and never comes twice.
async fn watch(app: App, tenant: Uuid, stop: CancellationToken, looks: Arc<AtomicU64>) {
    while !stop.is_cancelled() {
        for index in 0..DOCUMENTS {
            let before = live(&app, tenant).await;
            let hits = search(&app, tenant, &format!("Thing number{index} in edition1")).await;
            let after = live(&app, tenant).await;
            let mut versions: HashMap<Uuid, Uuid> = HashMap::new();
            let mut seen = HashSet::new();
            for hit in &hits {
                assert!(seen.insert((hit.version_id, hit.start)), "twice: {hit:?}");
                let version = *versions.entry(hit.document_id).or_insert(hit.version_id);
                assert_eq!(
                    version, hit.version_id,
                    "two versions of one document in one answer"
                );
                if before.get(&hit.document_id) == after.get(&hit.document_id) {
                    assert_eq!(
                        after.get(&hit.document_id).map(|(version, _)| *version),
                        Some(hit.version_id),
                        "stale or orphan: {hit:?}"
                    );
                }
            }
            for (document, (version, chunks)) in &after {
                if before.get(document) == Some(&(*version, *chunks))
                    && versions.get(document) == Some(version)
                {
                    let found = hits.iter().filter(|hit| hit.document_id == *document).count();
                    assert_eq!(found, *chunks, "a part of a version is missing");
                }
            }
            looks.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The live version of every document with the number of its chunks.
async fn live(app: &App, tenant: Uuid) -> HashMap<Uuid, (Uuid, usize)> {
    let mut tx = app.store.tenant(tenant).await.unwrap();
    let filter = plumbline_store::DocumentFilter {
        limit: 1_000,
        ..Default::default()
    };
    let documents = tx.documents(&filter).await.unwrap();
    let mut live = HashMap::new();
    for document in documents {
        if let Some(version) = document.live_version_id {
            let chunks = tx.version(version).await.unwrap().chunk_count;
            live.insert(document.id, (version, usize::try_from(chunks).unwrap()));
        }
    }
    live
}

#[expect(clippy::disallowed_methods, reason = "a test has no command line")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worker_is_killed_at_random_moments() {
    let kills = setting("PLUMBLINE_KILLS").map_or(KILLS, |kills| u32::try_from(kills).unwrap());
    let seed = setting("PLUMBLINE_KILL_SEED").unwrap_or_else(|| rand::rng().random());
    println!("seed {seed}, {kills} kills");
    let database = TestDatabase::create().await.unwrap();
    let root = tempfile::tempdir().unwrap();
    let app = app(database.url(), root.path(), "index").await;
    let mut tx = app.store.system().await.unwrap();
    let tenant = tx.ensure_tenant("shop", "Shop").await.unwrap().id;
    tx.commit().await.unwrap();
    let mut world = World {
        app: app.clone(),
        tenant,
        editions: HashMap::new(),
        documents: vec![Known::default(); DOCUMENTS],
        random: StdRng::seed_from_u64(seed),
    };
    for index in 0..DOCUMENTS {
        world.upload(index).await;
    }
    world.drain().await;
    let stop = CancellationToken::new();
    let looks = Arc::new(AtomicU64::new(0));
    let watching = tokio::spawn(watch(app.clone(), tenant, stop.clone(), Arc::clone(&looks)));
    let mut done = 0;
    let mut struck: BTreeMap<&str, u32> = BTreeMap::new();
    while done < kills {
        for _ in 0..KILLS_PER_ROUND.min(kills - done) {
            for _ in 0..world.random.random_range(1..4) {
                world.act().await;
            }
            let alive = Duration::from_micros(world.random.random_range(0..150_000));
            work_and_die(database.url(), root.path(), alive).await;
            done += 1;
            *struck.entry(world.stage().await).or_insert(0_u32) += 1;
        }
        world.drain().await;
        world.inspect(&database).await;
        assert!(
            !watching.is_finished(),
            "the watcher saw something wrong, see above; seed {seed}"
        );
        if done % 500 == 0 {
            println!("{done} kills so far: {struck:?}"); // a long run that is stopped has said how far it came
        }
    }
    stop.cancel();
    watching.await.unwrap();
    println!(
        "{done} kills, {} searches, {} versions; killed while a version was: {struck:?}",
        looks.load(Ordering::Relaxed),
        world.editions.len()
    );
    if kills >= KILLS {
        for stage in ["extracting", "embedding", "indexing"] {
            assert!(
                struck.contains_key(stage),
                "never killed while {stage}: {struck:?}"
            );
        }
    }
    app.store.close().await;
    drop((app, world));
    database.drop().await.unwrap();
}
