//! A database with two tenants.

use plumbline_store::testing::TestDatabase;
use plumbline_store::{BuiltVersion, NewChunk, NewVersion, NewWindow, Received, Store};
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
        let text = texts.join("\n\n");
        let mut start = 0;
        let chunks = (0_u32..)
            .zip(texts)
            .map(|(ordinal, body)| {
                let end = start + body.len();
                let vector = unit(body.len());
                let window = NewWindow {
                    start,
                    end,
                    hash: [ordinal.to_le_bytes()[0]; 32],
                    embedding: vector,
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
                    hash: [1; 32],
                    windows: vec![window],
                };
                start = end + 2;
                chunk
            })
            .collect();
        let built = BuiltVersion {
            version_id: version,
            title: Some("A title".into()),
            media_type: "text/plain".into(),
            text,
            text_sha256: [0; 32],
            language: Some("en".into()),
            warnings: serde_json::json!([]),
            pages: serde_json::json!([]),
            chunks,
            space_id: space,
            windows_embedded: i32::try_from(texts.len()).unwrap(),
            windows_reused: 0,
        };
        let written = tx.complete_version(&built).await.unwrap();
        tx.commit().await.unwrap();
        written
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
