//! The texts that are embedded for a version, and the saving of their vectors.

use std::collections::HashSet;

use futures::stream::{self, StreamExt, TryStreamExt};
use plumbline_store::{BlobStore, StoreError};
use uuid::Uuid;

use super::spaces::Kept;
use super::stage::Teller;
use super::{BuildError, Pipeline};
use crate::{ByteRange, Chunk, Extraction};

/// Windows embedded and saved at a time: the most that a crash loses, half a second of work.
pub(super) const BATCH: usize = 64;

/// Batches at work at once, so that one large document keeps both cores busy and saving waits for nobody.
pub(super) const AT_ONCE: usize = 2;

/// Hashes looked up at a time.
const LOOKED_UP: usize = 5_000;

/// The windows of a version and the questions laid over it.
pub(super) struct Windows<'a> {
    extraction: &'a Extraction,
    chunks: &'a [Chunk],
    questions: &'a [String],
    /// What is embedded of every chunk, in order, with its hash.
    pub(super) ranges: Vec<Vec<(ByteRange, [u8; 32])>>,
    /// All of them.
    pub(super) total: usize,
}

/// One text to embed.
#[derive(Debug, Clone, Copy)]
enum Place {
    Window { chunk: usize, window: usize },
    Question(usize),
}

impl<'a> Windows<'a> {
    pub(super) fn new(
        extraction: &'a Extraction,
        chunks: &'a [Chunk],
        questions: &'a [String],
        max_tokens: usize,
    ) -> Self {
        let title = extraction.title.as_deref();
        let hashed = |chunk: &Chunk, range: ByteRange| {
            let text = embedded_text(title, &chunk.heading_path, range.of(&extraction.text));
            (range, BlobStore::hash(text.as_bytes()))
        };
        let ranges: Vec<Vec<(ByteRange, [u8; 32])>> = chunks
            .iter()
            .map(|chunk| {
                let embedded = chunk.embedded(max_tokens);
                embedded.into_iter().map(|range| hashed(chunk, range)).collect()
            })
            .collect();
        Self {
            extraction,
            chunks,
            questions,
            total: ranges.iter().map(Vec::len).sum(),
            ranges,
        }
    }

    fn text(&self, place: Place) -> String {
        match place {
            Place::Question(index) => self.questions[index].clone(),
            Place::Window { chunk, window } => {
                let (range, _) = self.ranges[chunk][window];
                let path = &self.chunks[chunk].heading_path;
                let body = range.of(&self.extraction.text);
                embedded_text(self.extraction.title.as_deref(), path, body)
            }
        }
    }

    fn places(&self) -> impl Iterator<Item = ([u8; 32], Place)> {
        let windows = self.ranges.iter().enumerate().flat_map(|(chunk, ranges)| {
            let place = move |(window, (_, hash)): (usize, &(ByteRange, [u8; 32]))| {
                (*hash, Place::Window { chunk, window })
            };
            ranges.iter().enumerate().map(place)
        });
        let question = |(index, text): (usize, &String)| (question_hash(text), Place::Question(index));
        windows.chain(self.questions.iter().enumerate().map(question))
    }

    /// Embeds and saves what has no vector in a space yet, each different text once; returns how many that were. `pass`
    /// is its number among the passes of this stage, one per space.
    pub(super) async fn embed(
        &self,
        pipeline: &Pipeline,
        (tenant, version): (Uuid, Uuid),
        kept: &Kept,
        (pass, passes): (usize, usize),
        teller: &Teller,
    ) -> Result<usize, BuildError> {
        let (before, all) = (pass * self.total, passes * self.total);
        let missing = self.missing(pipeline, tenant, kept.space).await?;
        let known = before + self.total.saturating_sub(missing.len());
        teller.send_replace((known, all));
        let batches: Vec<_> = missing
            .chunks(BATCH)
            .map(|batch| self.embed_batch(pipeline, (tenant, version), kept, batch))
            .collect();
        let mut saving = stream::iter(batches).buffer_unordered(AT_ONCE);
        let mut done = known;
        while let Some(saved) = saving.try_next().await? {
            done += saved;
            teller.send_replace((done, all));
        }
        drop(saving);
        Ok(missing.len())
    }

    async fn embed_batch(
        &self,
        pipeline: &Pipeline,
        (tenant, version): (Uuid, Uuid),
        kept: &Kept,
        batch: &[([u8; 32], Place)],
    ) -> Result<usize, BuildError> {
        let texts = batch.iter().map(|(_, place)| self.text(*place)).collect();
        let vectors = kept.embedder.embed(texts).await?;
        let vectors: Vec<([u8; 32], Vec<f32>)> = batch.iter().map(|(hash, _)| *hash).zip(vectors).collect();
        let mut tx = pipeline.store.tenant(tenant).await?;
        tx.save_vectors(version, kept.space, &vectors).await?;
        tx.commit().await?;
        Ok(batch.len())
    }

    async fn missing(
        &self,
        pipeline: &Pipeline,
        tenant: Uuid,
        space: i32,
    ) -> Result<Vec<([u8; 32], Place)>, StoreError> {
        let mut seen = HashSet::new();
        let mut places: Vec<([u8; 32], Place)> =
            self.places().filter(|(hash, _)| seen.insert(*hash)).collect();
        let mut unknown: HashSet<[u8; 32]> = HashSet::new();
        let mut tx = pipeline.store.tenant(tenant).await?;
        for some in places.chunks(LOOKED_UP) {
            let hashes: Vec<[u8; 32]> = some.iter().map(|(hash, _)| *hash).collect();
            unknown.extend(tx.unknown_windows(space, &hashes).await?);
        }
        tx.commit().await?;
        places.retain(|(hash, _)| unknown.contains(hash));
        Ok(places)
    }
}

/// Hash under which the vector of an added question is known.
pub(super) fn question_hash(question: &str) -> [u8; 32] {
    BlobStore::hash(question.as_bytes())
}

/// What is embedded of a window: its own words after the title and the headings it stands under, because "We refund it
/// within 14 days" says what "it" is only there.
pub(super) fn embedded_text(title: Option<&str>, heading_path: &[String], body: &str) -> String {
    let mut context: Vec<&str> = title.into_iter().collect();
    // the first heading is often the title again
    context.extend(
        heading_path
            .iter()
            .map(String::as_str)
            .filter(|heading| title != Some(*heading)),
    );
    if context.is_empty() {
        body.to_owned()
    } else {
        format!("{}\n{body}", context.join(" > "))
    }
}

#[cfg(test)]
mod tests {
    use super::embedded_text;

    #[test]
    fn a_window_is_embedded_with_the_words_it_depends_on() {
        let path = ["Returns".to_owned(), "Batteries".to_owned()];
        assert_eq!(
            embedded_text(Some("Policy"), &path, "Within 14 days."),
            "Policy > Returns > Batteries\nWithin 14 days."
        );
        assert_eq!(embedded_text(Some("Returns"), &path[..1], "x"), "Returns\nx");
        assert_eq!(embedded_text(None, &[], "x"), "x");
    }
}
