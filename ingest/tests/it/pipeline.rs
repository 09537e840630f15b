//! The pipeline on a real database: nothing is done twice, nothing is lost, and what an admin laid over a document stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use plumbline_ingest::{BuildError, Isolation, NewFile, Pipeline, WantedOverlay};
use plumbline_models::{Embedder, HashEmbedder, ModelError};
use plumbline_store::testing::TestDatabase;
use plumbline_store::{BlobStore, ChunkRow, OverlayKind, Received, Store, Version, VersionState};
use uuid::Uuid;

/// Counts what it embeds, and fails from a given call on.
struct Counting {
    inner: HashEmbedder,
    texts: AtomicUsize,
    calls_left: AtomicUsize,
}

impl Counting {
    fn new(calls: usize) -> Arc<Self> {
        Arc::new(Self {
            inner: HashEmbedder::new(32),
            texts: AtomicUsize::new(0),
            calls_left: AtomicUsize::new(calls),
        })
    }

    fn texts(&self) -> usize {
        self.texts.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Embedder for Counting {
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
        let left = self.calls_left.load(Ordering::SeqCst);
        if left == 0 {
            return Err(ModelError::Inference {
                model: self.model().to_owned(),
                reason: "the power failed".to_owned(),
            });
        }
        self.calls_left.store(left - 1, Ordering::SeqCst);
        self.texts.fetch_add(texts.len(), Ordering::SeqCst);
        self.inner.embed(texts).await
    }
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) tenant: Uuid,
    blobs: BlobStore,
    database: TestDatabase,
    _folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await.unwrap();
        let store = database.store().await.unwrap();
        let mut tx = store.system().await.unwrap();
        let tenant = tx.ensure_tenant("shop", "Shop").await.unwrap().id;
        tx.commit().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self {
            store,
            tenant,
            blobs: BlobStore::Directory(folder.path().to_owned()),
            database,
            _folder: folder,
        }
    }

    pub(crate) async fn end(self) {
        self.store.close().await;
        self.database.drop().await.unwrap();
    }

    pub(crate) fn pipeline(&self, embedder: Arc<dyn Embedder>) -> Pipeline {
        let reader = Isolation::new(
            env!("CARGO_BIN_EXE_plumbline-extract-worker"),
            Vec::<String>::new(),
        );
        Pipeline::new(self.store.clone(), self.blobs.clone(), embedder, reader)
    }

    /// A pipeline whose reader does what a shell script says.
    fn reading_by(&self, script: &str, embedder: Arc<dyn Embedder>) -> Pipeline {
        let reader = Isolation::new("/bin/sh", ["-c", script]);
        Pipeline::new(self.store.clone(), self.blobs.clone(), embedder, reader)
    }

    pub(crate) async fn upload(&self, pipeline: &Pipeline, key: &str, text: &str) -> Received {
        let received = pipeline
            .receive_bytes(self.tenant, key, key, text.into())
            .await
            .unwrap();
        if !received.unchanged {
            pipeline
                .build(self.tenant, received.version_id, &|_| {})
                .await
                .unwrap();
        }
        received
    }

    async fn version(&self, id: Uuid) -> Version {
        self.store
            .tenant(self.tenant)
            .await
            .unwrap()
            .version(id)
            .await
            .unwrap()
    }

    pub(crate) async fn live(&self, document: Uuid) -> Vec<ChunkRow> {
        let mut tx = self.store.tenant(self.tenant).await.unwrap();
        let live = tx.document(document).await.unwrap().live_version_id.unwrap();
        tx.all_chunks(live).await.unwrap()
    }

    /// The chunk of the live version that holds `words`.
    async fn chunk(&self, document: Uuid, words: &str) -> ChunkRow {
        let chunks = self.live(document).await;
        chunks
            .iter()
            .find(|chunk| chunk.body.contains(words))
            .unwrap_or_else(|| panic!("no chunk holds {words:?}: {chunks:#?}"))
            .clone()
    }
}

/// Sections that do not fit one chunk together.
fn handbook(sections: usize) -> String {
    let mut text = String::new();
    for n in 0..sections {
        let sentence =
            format!("Item {n} of the handbook is explained here with its own price of {n} shillings. ");
        text.push_str(&format!("# Section {n}\n\n{}\n\n", sentence.repeat(12).trim()));
    }
    text
}

fn wish(kind: OverlayKind) -> WantedOverlay {
    WantedOverlay {
        kind,
        body: None,
        factor: None,
        by: None,
    }
}

#[tokio::test]
async fn a_build_that_died_goes_on_after_the_last_batch_without_reading_the_file_again() {
    let world = World::new().await;
    let dying = Counting::new(2);
    let pipeline = world.pipeline(dying.clone());
    let received = pipeline
        .receive_bytes(world.tenant, "handbook.md", "handbook.md", handbook(200).into())
        .await
        .unwrap();
    let died = pipeline.build(world.tenant, received.version_id, &|_| {}).await;
    assert!(matches!(died, Err(BuildError::Model(_))), "{died:?}");
    let version = world.version(received.version_id).await;
    assert_eq!(version.state, VersionState::Embedding);
    let windows = usize::try_from(version.stage_total).unwrap();
    assert!(dying.texts() > 0 && windows > dying.texts(), "{windows}");

    let later = Counting::new(usize::MAX);
    let pipeline = world.reading_by("echo the file must not be read again >&2; exit 1", later.clone());
    let built = pipeline
        .build(world.tenant, received.version_id, &|_| {})
        .await
        .unwrap();
    assert!(built.published && built.state == VersionState::Ready);
    // one batch may have been embedded and lost with the crash; never more
    assert!(
        later.texts() + dying.texts() <= windows + 64,
        "{} + {}",
        later.texts(),
        dying.texts()
    );
    assert!(later.texts() < windows);
    world.end().await;
}

#[tokio::test]
async fn a_new_file_of_the_same_text_changes_nothing_for_customers() {
    let world = World::new().await;
    let embedder = Counting::new(usize::MAX);
    let pipeline = world.pipeline(embedder.clone());
    let text = "# Hours\n\nWe open at nine.\n";
    let first = world.upload(&pipeline, "hours.md", text).await;
    let before = embedder.texts();
    let second = world
        .upload(&pipeline, "hours.md", &text.replace('\n', "\r\n"))
        .await;
    assert_eq!((second.number, second.unchanged), (2, false));
    let version = world.version(second.version_id).await;
    assert_eq!(version.state, VersionState::Ready);
    assert_eq!(version.same_text_as, Some(first.version_id));
    assert_eq!(embedder.texts(), before, "nothing was embedded");
    assert_eq!(
        world.live(first.document_id).await[0].version_id,
        first.version_id
    );
    let again = world
        .upload(&pipeline, "hours.md", &text.replace('\n', "\r\n"))
        .await;
    assert!(
        again.unchanged && again.version_id == second.version_id,
        "{again:?}"
    );
    // rolled back to something else, it can be published like any version
    let third = world
        .upload(&pipeline, "hours.md", "# Hours\n\nWe open at ten.\n")
        .await;
    assert_eq!(
        world.live(first.document_id).await[0].version_id,
        third.version_id
    );
    pipeline.publish(world.tenant, &version).await.unwrap();
    assert_eq!(
        world.live(first.document_id).await[0].version_id,
        first.version_id
    );
    let mut tx = world.store.tenant(world.tenant).await.unwrap();
    assert_eq!(tx.chunks(second.version_id, 9, 0).await.unwrap().len(), 1);
    drop(tx);
    world.end().await;
}

#[tokio::test]
async fn cancelling_stops_the_reader_and_a_retry_builds_after_all() {
    let world = World::new().await;
    let marker = tempfile::NamedTempFile::new().unwrap();
    let script = format!("sleep 30; echo still running > {}", marker.path().display());
    let slow = world.reading_by(&script, Counting::new(usize::MAX));
    let received = slow
        .receive_bytes(world.tenant, "a.txt", "a.txt", "We open at nine.".into())
        .await
        .unwrap();
    let building = {
        let (slow, tenant) = (slow.clone(), world.tenant);
        tokio::spawn(async move { slow.build(tenant, received.version_id, &|_| {}).await })
    };
    while world.version(received.version_id).await.state != VersionState::Extracting {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    slow.cancel(world.tenant, received.version_id).await.unwrap();
    let built = building.await.unwrap().unwrap();
    assert_eq!((built.state, built.published), (VersionState::Cancelled, false));
    assert_eq!(
        std::fs::read(marker.path()).unwrap(),
        b"",
        "the reader was killed"
    );
    let version = world.version(received.version_id).await;
    assert_eq!(version.reason_code.as_deref(), Some("cancelled"));
    assert!(
        slow.cancel(world.tenant, received.version_id).await.is_err(),
        "once is enough"
    );
    let pipeline = world.pipeline(Counting::new(usize::MAX));
    pipeline.retry(world.tenant, &version).await.unwrap();
    let built = pipeline
        .build(world.tenant, received.version_id, &|_| {})
        .await
        .unwrap();
    assert!(built.published);
    world.end().await;
}

#[tokio::test]
async fn overlays_survive_a_new_upload_or_say_why_not() {
    let world = World::new().await;
    let pipeline = world.pipeline(Counting::new(usize::MAX));
    let first = world.upload(&pipeline, "handbook.md", &handbook(6)).await;
    let document = first.document_id;
    let lay = async |words: &str, wanted: WantedOverlay| {
        let chunk = world.chunk(document, words).await;
        pipeline
            .add_overlay(world.tenant, chunk.id, &wanted)
            .await
            .unwrap()
            .0
    };
    let disabled = lay("Item 1 of", wish(OverlayKind::Disable)).await;
    lay("Item 2 of", wish(OverlayKind::Pin)).await;
    let boost = WantedOverlay {
        factor: Some(2.0),
        ..wish(OverlayKind::Boost)
    };
    lay("Item 3 of", boost).await;
    let question = WantedOverlay {
        body: Some("Is the fourth thing expensive?".to_owned()),
        ..wish(OverlayKind::Question)
    };
    lay("Item 4 of", question).await;
    let flags = |chunk: &ChunkRow| (chunk.disabled, chunk.pinned, chunk.questions.len());
    assert_eq!(flags(&world.chunk(document, "Item 1 of").await), (true, false, 0));

    // section 5 is new, section 3 is rewritten, the rest stays
    let new = handbook(6).replace("# Section 0", "# Section zero").replace(
        handbook(6)
            .split("# Section 3\n\n")
            .nth(1)
            .unwrap()
            .split("\n\n")
            .next()
            .unwrap(),
        "Nothing is sold under this number any more.",
    );
    let second = world.upload(&pipeline, "handbook.md", &new).await;
    assert_eq!(flags(&world.chunk(document, "Item 1 of").await), (true, false, 0));
    assert_eq!(flags(&world.chunk(document, "Item 2 of").await), (false, true, 0));
    assert_eq!(
        flags(&world.chunk(document, "Item 4 of").await),
        (false, false, 1)
    );
    let mut tx = world.store.tenant(world.tenant).await.unwrap();
    let places = tx.overlay_places(second.version_id).await.unwrap();
    let conflicts: Vec<_> = places.iter().filter(|place| place.chunk_id.is_none()).collect();
    assert_eq!((places.len(), conflicts.len()), (4, 1), "{places:#?}");
    assert!(conflicts[0].note.contains("not in this version"));
    drop(tx);

    pipeline.remove_overlay(world.tenant, disabled.id).await.unwrap();
    assert_eq!(
        flags(&world.chunk(document, "Item 1 of").await),
        (false, false, 0)
    );
    // rolled back, the first version knows of the removal too
    pipeline
        .publish(world.tenant, &world.version(first.version_id).await)
        .await
        .unwrap();
    assert_eq!(
        flags(&world.chunk(document, "Item 1 of").await),
        (false, false, 0)
    );
    assert!((world.chunk(document, "Item 3 of").await.boost - 2.0).abs() < f32::EPSILON);
    world.end().await;
}

#[tokio::test]
async fn an_edit_is_part_of_the_text_and_of_every_later_upload() {
    let world = World::new().await;
    let pipeline = world.pipeline(Counting::new(usize::MAX));
    let text = "# Prices\n\nA fan costs 250 shillings.\n\n# Hours\n\nWe open at nine.\n";
    let first = world.upload(&pipeline, "a.md", text).await;
    let chunk = world.live(first.document_id).await[0].clone();
    let wanted = WantedOverlay {
        body: Some(chunk.body.replace("250", "240")),
        ..wish(OverlayKind::Edit)
    };
    let (edit, rebuilt) = pipeline
        .add_overlay(world.tenant, chunk.id, &wanted)
        .await
        .unwrap();
    let rebuilt = rebuilt.unwrap();
    pipeline
        .build(world.tenant, rebuilt.version_id, &|_| {})
        .await
        .unwrap();
    let edited = world.live(first.document_id).await;
    assert!(edited[0].body.contains("240") && edited[0].version_id == rebuilt.version_id);
    let mut tx = world.store.tenant(world.tenant).await.unwrap();
    let canonical = tx.version_text(rebuilt.version_id).await.unwrap();
    let range = usize::try_from(edited[0].text_start).unwrap()..usize::try_from(edited[0].text_end).unwrap();
    assert_eq!(
        canonical[range], edited[0].body,
        "a citation shows what customers get"
    );
    drop(tx);

    let later = world
        .upload(
            &pipeline,
            "a.md",
            &format!("{text}\n# Returns\n\nWithin 14 days.\n"),
        )
        .await;
    assert!(world.chunk(first.document_id, "Within 14").await.version_id == later.version_id);
    world.chunk(first.document_id, "240").await;
    let gone = world
        .upload(
            &pipeline,
            "a.md",
            "# Prices\n\nA fan costs 300 shillings from now on.\n",
        )
        .await;
    let mut tx = world.store.tenant(world.tenant).await.unwrap();
    let places = tx.overlay_places(gone.version_id).await.unwrap();
    assert!(
        places[0].chunk_id.is_none() && !places[0].note.is_empty(),
        "{places:?}"
    );
    drop(tx);
    let rebuilt = pipeline.remove_overlay(world.tenant, edit.id).await.unwrap();
    assert!(rebuilt.is_some(), "the text without the edit is a version too");
    world.end().await;
}

#[tokio::test]
async fn overlays_that_make_no_sense_are_refused() {
    let world = World::new().await;
    let pipeline = world.pipeline(Counting::new(usize::MAX));
    let first = world.upload(&pipeline, "a.txt", "We open at nine.").await;
    let chunk = world.live(first.document_id).await[0].id;
    let wrong = [
        wish(OverlayKind::Edit),
        wish(OverlayKind::Question),
        wish(OverlayKind::Boost),
        WantedOverlay {
            factor: Some(0.0),
            ..wish(OverlayKind::Boost)
        },
        WantedOverlay {
            body: Some("  \n".to_owned()),
            ..wish(OverlayKind::Question)
        },
    ];
    for wanted in wrong {
        let refused = pipeline.add_overlay(world.tenant, chunk, &wanted).await;
        assert!(matches!(refused, Err(BuildError::Store(_))), "{wanted:?}");
    }
    assert!(
        pipeline
            .add_overlay(world.tenant, Uuid::now_v7(), &wish(OverlayKind::Pin))
            .await
            .is_err()
    );
    world.end().await;
}

#[tokio::test]
async fn an_upload_that_is_sent_again_with_its_key_happens_once() {
    let world = World::new().await;
    let pipeline = world.pipeline(Counting::new(usize::MAX));
    let file = |key: &str, byte: u8| NewFile {
        key: key.to_owned(),
        file_name: key.to_owned(),
        sha256: [byte; 32],
        bytes: 1,
        tags: None,
    };
    let files = [file("b.txt", 1), file("a.txt", 2)];
    let (one, two) = tokio::join!(
        pipeline.receive(world.tenant, &files, Some("upload 17")),
        pipeline.receive(world.tenant, &files, Some("upload 17")),
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one, two);
    assert!(one.iter().all(|received| !received.unchanged));
    let other = pipeline
        .receive(world.tenant, &[file("b.txt", 3)], Some("upload 17"))
        .await;
    assert!(other.unwrap_err().to_string().contains("another request"));
    let known: Vec<(String, [u8; 32])> = files.iter().map(|file| (file.key.clone(), file.sha256)).collect();
    let unchanged = pipeline.unchanged(world.tenant, &known).await.unwrap();
    assert_eq!(unchanged.iter().flatten().count(), 2, "both are being built");
    world.end().await;
}
