//! What a passage says piece by piece is kept with it, and made up for when a version is built that reuses older vectors.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use plumbline_models::{Embedder, Embedding, HashEmbedder, InContext, ModelError, Piece};
use uuid::Uuid;

use crate::pipeline::World;

/// Tells one piece per passage, whose only sign byte is the number of its lines.
struct Telling {
    inner: HashEmbedder,
    tells: bool,
    texts: AtomicUsize,
}

impl Telling {
    fn new(tells: bool) -> Arc<Self> {
        Arc::new(Self {
            inner: HashEmbedder::new(32),
            tells,
            texts: AtomicUsize::new(0),
        })
    }

    fn texts(&self) -> usize {
        self.texts.swap(0, Ordering::SeqCst)
    }
}

#[async_trait]
impl Embedder for Telling {
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
        self.inner.embed(texts).await
    }
    fn tells_pieces(&self) -> bool {
        self.tells
    }
    async fn embed_in_pieces(&self, passages: Vec<InContext>) -> Result<Vec<Embedding>, ModelError> {
        self.texts.fetch_add(passages.len(), Ordering::SeqCst);
        let lines = passages
            .iter()
            .map(|passage| passage.text[passage.from..].lines().count());
        let pieces: Vec<Vec<Piece>> = lines
            .map(|lines| {
                let piece = Piece {
                    at: 0..1,
                    signs: vec![u8::try_from(lines).unwrap(); 4],
                };
                self.tells.then_some(piece).into_iter().collect()
            })
            .collect();
        let texts = passages.into_iter().map(|passage| passage.text);
        let vectors = self.inner.embed(texts.collect()).await?;
        let embedding = |(vector, pieces)| Embedding { vector, pieces };
        Ok(vectors.into_iter().zip(pieces).map(embedding).collect())
    }
}

/// Bytes of signs per chunk of the live version, in order.
async fn kept(world: &World, document: Uuid, model: &dyn Embedder) -> Vec<Vec<Vec<u8>>> {
    let chunks = world.live(document).await;
    let mut tx = world.store.tenant(world.tenant).await.unwrap();
    let space = tx.ensure_space(model.model(), model.dimension()).await.unwrap();
    let mut kept = Vec::new();
    for chunk in chunks {
        let of_chunk = tx.pieces_of(&[chunk.id], space).await.unwrap();
        kept.push(of_chunk.into_iter().map(|(_, signs)| signs).collect());
    }
    kept
}

/// Sections of several windows each, of which the model can read `lines` lines at once.
fn sections(lines: &[usize]) -> String {
    let mut text = String::new();
    for (n, lines) in lines.iter().enumerate() {
        let line = |line| {
            format!("Line {line} of section {n} says what a customer has to know about item {line}.\n")
        };
        let body: String = (0..*lines).map(line).collect();
        text.push_str(&format!("# Section {n}\n\n{body}\n"));
    }
    text
}

#[tokio::test]
async fn the_whole_of_a_chunk_is_kept_piece_by_piece_and_its_windows_are_not() {
    let world = World::new().await;
    let model = Telling::new(true);
    let pipeline = world.pipeline(model.clone());
    let received = world
        .upload(&pipeline, "handbook.md", &sections(&[12, 12, 12]))
        .await;
    let windows: i64 = {
        let mut tx = world.store.tenant(world.tenant).await.unwrap();
        tx.live_windows().await.unwrap()
    };
    let kept = kept(&world, received.document_id, model.as_ref()).await;
    assert!(
        usize::try_from(windows).unwrap() > 2 * kept.len(),
        "several windows each"
    );
    let chunks = world.live(received.document_id).await;
    for (of_chunk, chunk) in kept.into_iter().zip(chunks) {
        let lines = u8::try_from(chunk.body.lines().count()).unwrap();
        assert_eq!(of_chunk.len(), 1, "of the whole: {of_chunk:?}");
        assert_eq!(of_chunk[0], [lines; 4]);
    }
    world.end().await;
}

#[tokio::test]
async fn a_version_that_reuses_vectors_from_before_gets_the_pieces_that_are_missing() {
    let world = World::new().await;
    let before = Telling::new(false);
    let old = sections(&[12, 12]);
    let received = world
        .upload(&world.pipeline(before.clone()), "handbook.md", &old)
        .await;
    assert!(before.texts() > 4);
    let none = kept(&world, received.document_id, before.as_ref()).await;
    assert!(none.iter().all(Vec::is_empty), "{none:?}");

    let model = Telling::new(true);
    let pipeline = world.pipeline(model.clone());
    let new = format!("{old}# More\n\nWe open at nine.\n");
    world.upload(&pipeline, "handbook.md", &new).await;
    let kept_now = kept(&world, received.document_id, model.as_ref()).await;
    assert!(
        kept_now.iter().all(|of_chunk| of_chunk.len() == 1),
        "{kept_now:?}"
    );
    assert_eq!(
        model.texts(),
        kept_now.len(),
        "the wholes alone; their windows were known"
    );

    let newer = format!("{new}And close at six.\n");
    world.upload(&pipeline, "handbook.md", &newer).await;
    assert!(model.texts() <= 2, "what was kept once is known");
    let kept_later = kept(&world, received.document_id, model.as_ref()).await;
    assert!(kept_later.iter().all(|of_chunk| of_chunk.len() == 1));
    world.end().await;
}
