//! A tenant with documents on a database of its own, answered through the real parts.

use std::sync::Arc;

use plumbline_answer::Answerer;
use plumbline_ingest::{ByteRange, Chunk, ChunkingSettings, Limits, chunk, extract};
use plumbline_models::{ChatModel, Embedder};
use plumbline_retrieval::Searcher;
use plumbline_store::testing::TestDatabase;
use plumbline_store::{
    BuiltVersion, Completed, NewChunk, NewExtraction, NewVector, NewVersion, NewWindow, Store,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

/// The tenant and what answers it.
pub(crate) struct Stand {
    pub(crate) store: Store,
    pub(crate) answerer: Answerer,
    pub(crate) tenant: Uuid,
    embedder: Arc<dyn Embedder>,
    searcher: Arc<Searcher>,
    _index: TempDir,
    // last, so that it ends after everything that uses it
    _database: TestDatabase,
}

impl Stand {
    pub(crate) async fn new(embedder: Arc<dyn Embedder>, model: Arc<dyn ChatModel>) -> Self {
        let database = TestDatabase::create().await.expect("a database");
        let store = database.store().await.expect("a store");
        let index = tempfile::tempdir().expect("a directory");
        let mut system = store.system().await.unwrap();
        let tenant = system.ensure_tenant("shop", "Shop").await.unwrap().id;
        system.commit().await.unwrap();
        let searcher = Arc::new(Searcher::open(store.clone(), Arc::clone(&embedder), index.path()).unwrap());
        let answerer = Answerer::new(store.clone(), Arc::clone(&searcher), Arc::clone(&embedder), model);
        Self {
            store,
            answerer,
            tenant,
            embedder,
            searcher,
            _index: index,
            _database: database,
        }
    }

    /// Publishes `bytes` as the newest version of the document `key`.
    pub(crate) async fn publish(&self, key: &str, bytes: &[u8]) {
        let extraction = extract(bytes, key, &Limits::default()).unwrap();
        let count = |text: &str| self.embedder.count_tokens(text);
        let chunks = chunk(&extraction, &ChunkingSettings::default(), &count);
        let mut tx = self.store.tenant(self.tenant).await.unwrap();
        let space = tx
            .ensure_space(self.embedder.model(), self.embedder.dimension())
            .await
            .unwrap();
        let new = NewVersion {
            key: key.to_owned(),
            file_name: key.to_owned(),
            blob_sha256: Sha256::digest(bytes).into(),
            blob_bytes: i64::try_from(bytes.len()).unwrap(),
        };
        let received = tx.receive_version(&new).await.unwrap();
        let saved = NewExtraction {
            version_id: received.version_id,
            media_type: extraction.format.media_type().to_owned(),
            text: extraction.text.clone(),
            text_sha256: Sha256::digest(extraction.text.as_bytes()).into(),
            outline: "{}".to_owned(),
            content_sha256: Sha256::digest(extraction.text.as_bytes()).into(),
            language: extraction.language.clone(),
            warnings: serde_json::json!([]),
            pages: serde_json::json!([]),
        };
        assert!(tx.save_extraction(&saved).await.unwrap());
        let mut written = Vec::new();
        for chunk in &chunks {
            let (chunk, vectors) = self
                .embedded(chunk, extraction.title.as_deref(), &extraction.text)
                .await;
            tx.save_vectors(received.version_id, space, &vectors)
                .await
                .unwrap();
            written.push(chunk);
        }
        let built = BuiltVersion {
            version_id: received.version_id,
            title: extraction.title.clone(),
            recipe_sha256: [0; 32],
            windows_embedded: 0,
            windows_reused: 0,
            chunks: written,
            space_id: space,
            places: Vec::new(),
            overlay_revision: 0,
        };
        assert_eq!(
            tx.complete_version(&built, &|_| {}).await.unwrap(),
            Completed::Written
        );
        tx.publish_version(received.version_id).await.unwrap();
        tx.commit().await.unwrap();
        self.searcher.catch_up(self.tenant).await.unwrap();
    }

    async fn embedded(&self, chunk: &Chunk, title: Option<&str>, text: &str) -> (NewChunk, Vec<NewVector>) {
        let headings = chunk
            .heading_path
            .iter()
            .map(String::as_str)
            .filter(|heading| title != Some(*heading));
        let heading = title.into_iter().chain(headings).collect::<Vec<_>>().join(" > ");
        let texts: Vec<String> = chunk
            .windows
            .iter()
            .map(|window| format!("{heading}\n{}", window.of(text)).trim().to_owned())
            .collect();
        let vectors = self.embedder.embed(texts.clone()).await.unwrap();
        let hash = |text: &String| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
        let window = |(range, text): (&ByteRange, &String)| NewWindow {
            start: range.start,
            end: range.end,
            hash: hash(text),
            in_pieces: false,
        };
        let written = NewChunk {
            ordinal: chunk.ordinal,
            start: chunk.range.start,
            end: chunk.range.end,
            page_from: chunk.page_from,
            page_to: chunk.page_to,
            row_from: chunk.row_from,
            row_to: chunk.row_to,
            heading_path: chunk.heading_path.clone(),
            text: chunk.text.clone(),
            tokens: chunk.tokens,
            hash: chunk.hash,
            windows: chunk.windows.iter().zip(&texts).map(window).collect(),
        };
        let new = texts.iter().map(hash).zip(vectors);
        (
            written,
            new.map(|(hash, vector)| NewVector::whole(hash, vector)).collect(),
        )
    }
}
