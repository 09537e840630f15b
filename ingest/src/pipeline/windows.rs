//! The texts that are embedded for a version, and the saving of their vectors.

use std::collections::HashSet;

use futures::stream::{self, StreamExt, TryStreamExt};
use plumbline_models::{Embedding, InContext};
use plumbline_store::{BlobStore, NeededVector, NewVector, NewWindow, StoreError};
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
    /// What is embedded of every chunk, in order.
    pub(super) of_chunks: Vec<Vec<NewWindow>>,
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
        let window = |chunk: &Chunk, range: ByteRange, in_pieces| {
            let text = embedded_text(title, &chunk.heading_path, range.of(&extraction.text));
            NewWindow {
                start: range.start,
                end: range.end,
                hash: BlobStore::hash(text.as_bytes()),
                in_pieces,
            }
        };
        let of_chunks: Vec<Vec<NewWindow>> = chunks
            .iter()
            .map(|chunk| {
                let embedded = chunk.embedded(max_tokens);
                // the whole says all that its windows say
                let whole = embedded.contains(&chunk.range);
                let window = |range| window(chunk, range, !whole || range == chunk.range);
                embedded.into_iter().map(window).collect()
            })
            .collect();
        Self {
            extraction,
            chunks,
            questions,
            total: of_chunks.iter().map(Vec::len).sum(),
            of_chunks,
        }
    }

    fn text(&self, place: Place) -> InContext {
        match place {
            Place::Question(index) => self.questions[index].clone().into(),
            Place::Window { chunk, window } => {
                let NewWindow { start, end, .. } = self.of_chunks[chunk][window];
                let path = &self.chunks[chunk].heading_path;
                let body = ByteRange { start, end }.of(&self.extraction.text);
                let text = embedded_text(self.extraction.title.as_deref(), path, body);
                InContext {
                    from: text.len() - body.len(),
                    text,
                }
            }
        }
    }

    /// Every text with what is needed of it; those whose pieces are needed come first.
    fn places(&self, in_pieces: bool) -> Vec<(NeededVector, Place)> {
        let windows = self.of_chunks.iter().enumerate().flat_map(|(chunk, windows)| {
            let place = move |(window, new): (usize, &NewWindow)| {
                let needed = NeededVector {
                    hash: new.hash,
                    in_pieces: in_pieces && new.in_pieces,
                };
                (needed, Place::Window { chunk, window })
            };
            windows.iter().enumerate().map(place)
        });
        let question = |(index, text): (usize, &String)| {
            let needed = NeededVector::whole(question_hash(text));
            (needed, Place::Question(index))
        };
        let mut places: Vec<_> = windows
            .chain(self.questions.iter().enumerate().map(question))
            .collect();
        places.sort_by_key(|(needed, _)| !needed.in_pieces);
        places
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
        let missing = self.missing(pipeline, tenant, kept).await?;
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
        batch: &[(NeededVector, Place)],
    ) -> Result<usize, BuildError> {
        let texts = batch.iter().map(|(_, place)| self.text(*place)).collect();
        let embedded = kept.embedder.embed_in_pieces(texts).await?;
        let new = |((needed, _), embedding): (&(NeededVector, _), Embedding)| NewVector {
            hash: needed.hash,
            pieces: needed.in_pieces.then(|| embedding.signs()).flatten(),
            vector: embedding.vector,
        };
        let vectors: Vec<NewVector> = batch.iter().zip(embedded).map(new).collect();
        let mut tx = pipeline.store.tenant(tenant).await?;
        tx.save_vectors(version, kept.space, &vectors).await?;
        tx.commit().await?;
        Ok(batch.len())
    }

    async fn missing(
        &self,
        pipeline: &Pipeline,
        tenant: Uuid,
        kept: &Kept,
    ) -> Result<Vec<(NeededVector, Place)>, StoreError> {
        let mut seen = HashSet::new();
        let mut places = self.places(kept.in_pieces);
        places.retain(|(needed, _)| seen.insert(needed.hash));
        let mut unknown: HashSet<[u8; 32]> = HashSet::new();
        let mut tx = pipeline.store.tenant(tenant).await?;
        for some in places.chunks(LOOKED_UP) {
            let needed: Vec<NeededVector> = some.iter().map(|(needed, _)| *needed).collect();
            unknown.extend(tx.unknown_windows(kept.space, &needed).await?);
        }
        tx.commit().await?;
        places.retain(|(needed, _)| unknown.contains(&needed.hash));
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
