//! A database with two tenants.

use plumbline_store::testing::TestDatabase;
use plumbline_store::{
    BuiltVersion, Completed, NewChunk, NewExtraction, NewVector, NewVersion, NewWindow, Received, Store,
    VersionState,
};
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) ours: Uuid,
    pub(crate) theirs: Uuid,
    database: TestDatabase,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await.unwrap();
        let store = database.store().await.unwrap();
        let mut tx = store.system().await.unwrap();
        let ours = tx.ensure_tenant("ours", "Our shop").await.unwrap().id;
        let theirs = tx.ensure_tenant("theirs", "Their shop").await.unwrap().id;
        tx.commit().await.unwrap();
        Self {
            store,
            ours,
            theirs,
            database,
        }
    }

    pub(crate) async fn end(self) {
        self.store.close().await;
        self.database.drop().await.unwrap();
    }

    /// Changes something as nobody but the database's owner may.
    pub(crate) async fn execute(&self, statement: &'static str) {
        self.database.execute(statement).await.unwrap();
    }

    /// What a query counts, with the rights of the database's owner.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        self.database.count(query).await.unwrap()
    }

    pub(crate) async fn receive(&self, tenant: Uuid, key: &str, bytes: u8) -> Received {
        let mut tx = self.store.tenant(tenant).await.unwrap();
        let new = NewVersion {
            key: key.into(),
            file_name: key.into(),
            blob_sha256: [bytes; 32],
            blob_bytes: 1,
        };
        let received = tx.receive_version(&new).await.unwrap();
        tx.commit().await.unwrap();
        received
    }

    /// A version of one chunk per text, complete but not published.
    pub(crate) async fn build(&self, tenant: Uuid, version: Uuid, texts: &[&str]) -> bool {
        let mut tx = self.store.tenant(tenant).await.unwrap();
        let space = tx.ensure_space("test", 3).await.unwrap();
        tx.begin_stage(version, VersionState::Embedding, 0).await.unwrap();
        if !tx
            .save_extraction(&extraction(version, &texts.join("\n\n")))
            .await
            .unwrap()
        {
            return false;
        }
        let vectors: Vec<NewVector> = (0..texts.len())
            .map(|ordinal| NewVector::whole(hash_of(ordinal), unit(texts[ordinal].len())))
            .collect();
        tx.save_vectors(version, space, &vectors).await.unwrap();
        let built = built(version, space, texts);
        let completed = tx.complete_version(&built, &|_| {}).await.unwrap();
        tx.commit().await.unwrap();
        completed == Completed::Written
    }

    pub(crate) async fn publish(&self, tenant: Uuid, version: Uuid) {
        let mut tx = self.store.tenant(tenant).await.unwrap();
        tx.publish_version(version).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// A unit vector whose direction depends on `n`.
pub(crate) fn unit(n: usize) -> Vec<f32> {
    #[expect(clippy::cast_precision_loss, reason = "small test numbers")]
    let angle = n as f32 / 10.0;
    vec![angle.cos(), angle.sin(), 0.0]
}

fn hash_of(ordinal: usize) -> [u8; 32] {
    [u8::try_from(ordinal).unwrap(); 32]
}

/// An extraction of `text` without structure.
pub(crate) fn extraction(version_id: Uuid, text: &str) -> NewExtraction {
    NewExtraction {
        version_id,
        media_type: "text/plain".into(),
        text: text.into(),
        text_sha256: [0; 32],
        outline: "{}".into(),
        content_sha256: plumbline_store::BlobStore::hash(text.as_bytes()),
        language: Some("en".into()),
        warnings: serde_json::json!([]),
        pages: serde_json::json!([]),
    }
}

/// A version of one chunk per text, whose hashes are those of the texts.
pub(crate) fn built(version_id: Uuid, space_id: i32, texts: &[&str]) -> BuiltVersion {
    let mut start = 0;
    let chunks = (0_u32..)
        .zip(texts)
        .map(|(ordinal, body)| {
            let end = start + body.len();
            let window = NewWindow {
                start,
                end,
                hash: hash_of(ordinal as usize),
                in_pieces: true,
            };
            let chunk = NewChunk {
                ordinal,
                start,
                end,
                page_from: Some(1),
                page_to: Some(1),
                row_from: None,
                row_to: None,
                heading_path: vec!["Prices".into(), "Fans & \"coolers\"".into()],
                text: (*body).into(),
                tokens: 3,
                hash: plumbline_store::BlobStore::hash(body.as_bytes()),
                windows: vec![window],
            };
            start = end + 2;
            chunk
        })
        .collect();
    BuiltVersion {
        version_id,
        title: Some("A title".into()),
        recipe_sha256: [7; 32],
        chunks,
        space_id,
        windows_embedded: i32::try_from(texts.len()).unwrap(),
        windows_reused: 0,
        places: Vec::new(),
        overlay_revision: 0,
    }
}
