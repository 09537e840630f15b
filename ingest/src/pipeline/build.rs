//! The stages of a build, in order.

use std::sync::Arc;
use std::time::Duration;

use plumbline_store::{
    BlobStore, BuiltVersion, ChunkingSettings, Completed, NewChunk, NewExtraction, NewPlace, NewWindow,
    OverlayKind, Overlays, Publication, Settings, StoreError, Version, VersionState,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::overlays::place;
use super::spaces::{Completing, Kept};
use super::stage::{Stage, teller};
use super::windows::Windows;
use super::{BuildError, Built, Pipeline, Progress};
use crate::extract::{Ocr, Wanted};
use crate::overlay::{Edited, apply_edits};
use crate::{Chunk, Code, Extraction, chunk};

/// Attempts to complete a version whose overlays are being edited at this very moment.
const PLACINGS: usize = 5;

impl Pipeline {
    /// Builds a version and publishes it, unless a newer one answers already. Repeating it is harmless, and a build
    /// that was killed goes on after the last stage it finished.
    pub async fn build(
        &self,
        tenant: Uuid,
        version_id: Uuid,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Built, BuildError> {
        let mut tx = self.store.tenant(tenant).await?;
        let version = tx.version(version_id).await?;
        let settings = tx.settings().await?.settings;
        tx.commit().await?;
        if version.state.is_final() {
            return Ok(already_built(&version));
        }
        let stage = Stage {
            store: &self.store,
            tenant,
            version: version_id,
            progress,
        };
        let outcome = tokio::select! {
            outcome = Box::pin(self.stages(&stage, &version, &settings)) => outcome,
            () = stage.cancelled() => Err(BuildError::Cancelled),
        };
        match outcome {
            // The child was killed from outside, or could not be started: that says nothing about the file.
            Err(BuildError::File(error)) if error.code == Code::WorkerDied => {
                Err(BuildError::Interrupted(error))
            }
            Err(BuildError::File(error)) => {
                self.record_failure(tenant, version_id, &error).await?;
                Err(error.into())
            }
            Err(BuildError::Cancelled) => {
                let mut tx = self.store.tenant(tenant).await?;
                let now = tx.version(version_id).await?;
                tx.commit().await?;
                Ok(already_built(&now))
            }
            other => other,
        }
    }

    /// What was read out of the file of a version, edits included; none before it was.
    pub async fn saved_extraction(
        &self,
        tenant: Uuid,
        version: Uuid,
    ) -> Result<Option<Extraction>, StoreError> {
        let saved = self.store.tenant(tenant).await?.saved_extraction(version).await?;
        let extraction = saved.and_then(|saved| parse_outline(&saved.outline, saved.text));
        Ok(extraction.map(|(extraction, _)| extraction))
    }

    async fn stages(
        &self,
        stage: &Stage<'_>,
        version: &Version,
        settings: &Settings,
    ) -> Result<Built, BuildError> {
        let overlays = self
            .store
            .tenant(stage.tenant)
            .await?
            .overlays(version.document_id)
            .await?;
        let (extraction, edited) = self.read(stage, version, settings, &overlays).await?;
        let recipe = recipe(&settings.chunking, self.embedders.own().model());
        if let Some(built) = self.same_text(stage, version, &recipe).await? {
            return Ok(built);
        }
        let (extraction, chunks) = self.cut(stage, extraction, &settings.chunking).await?;
        let questions: Vec<String> = overlays
            .list
            .iter()
            .filter(|overlay| overlay.kind == OverlayKind::Question)
            .filter_map(|overlay| overlay.body.clone())
            .collect();
        let windows = Windows::new(
            &extraction,
            &chunks,
            &questions,
            self.embedders.own().max_tokens(),
        );
        let (space, kept, embedded) = self.embed(stage, &windows).await?;
        let written = windows
            .of_chunks
            .iter()
            .zip(&chunks)
            .map(|(windows, chunk)| new_chunk(chunk, windows));
        let built = BuiltVersion {
            version_id: version.id,
            title: extraction.title.clone(),
            recipe_sha256: recipe,
            chunks: written.collect(),
            space_id: space,
            windows_embedded: i32::try_from(embedded).unwrap_or(i32::MAX),
            windows_reused: i32::try_from(windows.total.saturating_sub(embedded)).unwrap_or(i32::MAX),
            places: Vec::new(),
            overlay_revision: overlays.revision,
        };
        drop((extraction, chunks));
        let mut completing = Completing { built, kept };
        self.index(stage, version, &mut completing, overlays, &edited)
            .await
    }

    /// Extracting, unless an earlier attempt did: then its result is there, edits included.
    async fn read(
        &self,
        stage: &Stage<'_>,
        version: &Version,
        settings: &Settings,
        overlays: &Overlays,
    ) -> Result<(Extraction, Vec<Edited>), BuildError> {
        let saved = self
            .store
            .tenant(stage.tenant)
            .await?
            .saved_extraction(version.id)
            .await?;
        if let Some((extraction, edited)) = saved.and_then(|saved| parse_outline(&saved.outline, saved.text))
        {
            return Ok((extraction, edited));
        }
        stage.begin(VersionState::Extracting, 0).await?;
        let blob = self.blobs.local(&version.blob_sha256).await?;
        let wanted = wanted(settings)?;
        // The isolated reader has a clock of its own that ends it; this one is for what surrounds it.
        let teller = teller();
        let told = |done, total| {
            teller.send_replace((count(done), count(total)));
        };
        let reading = async {
            let name = &version.file_name;
            Ok(self.isolation.extract(&blob, name, &wanted, &told).await?)
        };
        let mut extraction = stage
            .run(VersionState::Extracting, READING, &teller, reading)
            .await?;
        let edited = apply_edits(&mut extraction, &overlays.list);
        let mut tx = self.store.tenant(stage.tenant).await?;
        let (new, text) = new_extraction(version.id, &mut extraction, &edited)?;
        let saved = tx.save_extraction(&new).await?;
        tx.commit().await?;
        extraction.text = text;
        if saved {
            Ok((extraction, edited))
        } else {
            Err(BuildError::Cancelled)
        }
    }

    /// Ends the build here when the live version was made of the same text in the same way.
    async fn same_text(
        &self,
        stage: &Stage<'_>,
        version: &Version,
        recipe: &[u8; 32],
    ) -> Result<Option<Built>, BuildError> {
        let mut tx = self.store.tenant(stage.tenant).await?;
        let Some(twin) = tx.live_twin(version.id, recipe).await? else {
            return Ok(None);
        };
        if !tx.complete_as_same_text(version.id, twin).await? {
            return Ok(None);
        }
        tx.commit().await?;
        let now = self.store.tenant(stage.tenant).await?.version(version.id).await?;
        stage.tell(now.state, 0, 0);
        Ok(Some(Built {
            reused: usize::try_from(now.windows_reused).unwrap_or_default(),
            ..already_built(&now)
        }))
    }

    /// Chunking counts tokens of every sentence: work for a blocking thread.
    async fn cut(
        &self,
        stage: &Stage<'_>,
        extraction: Extraction,
        settings: &ChunkingSettings,
    ) -> Result<(Extraction, Vec<Chunk>), BuildError> {
        let blocks = extraction.blocks.len();
        stage.begin(VersionState::Chunking, blocks).await?;
        let embedder = Arc::clone(self.embedders.own());
        let settings = settings.clone();
        let limit = deadline(blocks, Duration::from_millis(5));
        let cutting = async {
            tokio::task::spawn_blocking(move || {
                let chunks = chunk(&extraction, &settings, &|text| embedder.count_tokens(text));
                (extraction, chunks)
            })
            .await
            .map_err(|error| BuildError::Panicked(error.to_string()))
        };
        stage.run(VersionState::Chunking, limit, &teller(), cutting).await
    }

    /// Embeds into the own space, and into the others that the tenant keeps: those that succeeded are returned.
    async fn embed(
        &self,
        stage: &Stage<'_>,
        windows: &Windows<'_>,
    ) -> Result<(i32, Vec<Kept>, usize), BuildError> {
        let own = self.own_space(stage.tenant).await?;
        let others = self.kept_spaces(stage.tenant).await?;
        let passes = 1 + others.len();
        stage
            .begin(VersionState::Embedding, windows.total * passes)
            .await?;
        let limit = deadline(windows.total * passes, Duration::from_secs(1));
        let place = (stage.tenant, stage.version);
        let teller = teller();
        let embedding = async {
            let embedded = windows.embed(self, place, &own, (0, passes), &teller).await?;
            let mut kept = Vec::with_capacity(others.len());
            for (pass, other) in (1..).zip(others) {
                match windows.embed(self, place, &other, (pass, passes), &teller).await {
                    Ok(_) => kept.push(other),
                    Err(error) if other.needed => return Err(error),
                    Err(error) => {
                        let model = other.embedder.model();
                        tracing::warn!(version = %stage.version, model, %error, "ingest.space.behind");
                    }
                }
            }
            Ok((own.space, kept, embedded))
        };
        stage
            .run(VersionState::Embedding, limit, &teller, embedding)
            .await
    }

    /// Writes what search reads, places the overlays, publishes.
    async fn index(
        &self,
        stage: &Stage<'_>,
        version: &Version,
        completing: &mut Completing,
        overlays: Overlays,
        edited: &[Edited],
    ) -> Result<Built, BuildError> {
        let total = completing.built.chunks.len();
        stage.begin(VersionState::Indexing, total).await?;
        let limit = deadline(total, Duration::from_millis(200));
        let teller = teller();
        let noted = |done| {
            teller.send_replace((done, total));
        };
        let work = self.complete(stage, version, completing, overlays, edited, &noted);
        let publication = stage.run(VersionState::Indexing, limit, &teller, work).await?;
        let mut tx = self.store.tenant(stage.tenant).await?;
        let now = tx.version(version.id).await?;
        tx.commit().await?;
        stage.tell(now.state, total, total);
        Ok(Built {
            embedded: usize::try_from(completing.built.windows_embedded).unwrap_or_default(),
            reused: usize::try_from(completing.built.windows_reused).unwrap_or_default(),
            published: publication == Publication::Live,
            staged: publication == Publication::Staged,
            ..already_built(&now)
        })
    }

    async fn complete(
        &self,
        stage: &Stage<'_>,
        version: &Version,
        completing: &mut Completing,
        mut overlays: Overlays,
        edited: &[Edited],
        noted: &(dyn Fn(usize) + Sync),
    ) -> Result<Publication, BuildError> {
        for _ in 0..PLACINGS {
            let built = &mut completing.built;
            built.places = place(&overlays.list, &built.chunks);
            built.places.extend(edit_places(&built.chunks, edited));
            built.overlay_revision = overlays.revision;
            let place = (stage.tenant, version.id);
            let mut own = vec![self.own_space(stage.tenant).await?];
            self.embed_questions(place, &mut own, &overlays.list).await?;
            self.embed_questions(place, &mut completing.kept, &overlays.list)
                .await?;
            let also = completing.also();
            let mut tx = self.store.tenant(stage.tenant).await?;
            match tx.complete_version_in(&completing.built, &also, noted).await? {
                Completed::Written => {
                    let publication = tx.publish_or_stage(version.id).await?;
                    tx.commit().await?;
                    return Ok(publication);
                }
                Completed::Ended => return Err(BuildError::Cancelled),
                Completed::ModelChanged => {
                    // what is done is saved: the next attempt makes the vectors that are missing
                    return Err(StoreError::Conflict(
                        "another embedding model was put into force while the version was being built"
                            .to_owned(),
                    )
                    .into());
                }
                Completed::OverlaysChanged => {
                    drop(tx);
                    overlays = self
                        .store
                        .tenant(stage.tenant)
                        .await?
                        .overlays(version.document_id)
                        .await?;
                }
            }
        }
        Err(StoreError::Conflict("the overlays of the document keep changing".to_owned()).into())
    }
}

/// Longest that reading one file may take, text recognition of hundreds of pages included.
const READING: Duration = Duration::from_hours(4);

fn count(steps: u64) -> usize {
    usize::try_from(steps).unwrap_or(usize::MAX)
}

/// What the settings want of a file.
fn wanted(settings: &Settings) -> Result<Wanted, StoreError> {
    let format = |name: &String| {
        serde_json::from_value(json!(name)).map_err(|_| {
            StoreError::Conflict(format!(
                "the setting uploads.formats holds {name:?}, which is no format"
            ))
        })
    };
    let formats = settings
        .uploads
        .formats
        .iter()
        .map(format)
        .collect::<Result<_, _>>()?;
    let ocr = settings.extraction.ocr.then(|| Ocr {
        languages: settings.extraction.ocr_languages.clone(),
        ..Ocr::default()
    });
    Ok(Wanted { formats, ocr })
}

/// Time for a stage: two minutes, and something for every step.
fn deadline(steps: usize, each: Duration) -> Duration {
    Duration::from_mins(2) + each.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
}

/// The report of a version that has ended. Completing and publishing are one transaction, so there is nothing left to
/// publish; and what an admin rolled back since must stay so.
fn already_built(version: &Version) -> Built {
    Built {
        state: version.state,
        chunks: usize::try_from(version.chunk_count).unwrap_or_default(),
        embedded: 0,
        reused: 0,
        published: false,
        staged: false,
    }
}

/// Raised when other texts are embedded of the same chunks.
const EMBEDDED_AS: u32 = 3;

/// What besides the text decides the chunks and their vectors.
fn recipe(chunking: &ChunkingSettings, model: &str) -> [u8; 32] {
    Sha256::digest(json!([chunking, model, env!("CARGO_PKG_VERSION"), EMBEDDED_AS]).to_string()).into()
}

/// The extraction as it is saved; its text is handed back, because it is not part of the outline.
fn new_extraction(
    version_id: Uuid,
    extraction: &mut Extraction,
    edited: &[Edited],
) -> Result<(NewExtraction, String), BuildError> {
    let text = std::mem::take(&mut extraction.text);
    let outline = serde_json::to_string(&Outline {
        extraction: std::borrow::Cow::Borrowed(extraction),
        edited: edited.to_vec(),
    })
    .map_err(|error| BuildError::Panicked(error.to_string()))?;
    let structure = json!([extraction.title, extraction.language, extraction.blocks]).to_string();
    let mut content = Sha256::new();
    content.update((text.len() as u64).to_le_bytes());
    content.update(&text);
    content.update(structure);
    let new = NewExtraction {
        version_id,
        media_type: extraction.format.media_type().to_owned(),
        text_sha256: BlobStore::hash(text.as_bytes()),
        text: text.clone(),
        outline,
        content_sha256: content.finalize().into(),
        language: extraction.language.clone(),
        warnings: json!(extraction.warnings),
        pages: json!(extraction.pages),
    };
    Ok((new, text))
}

/// What is saved of an extraction beside its text.
#[derive(serde::Serialize, serde::Deserialize)]
struct Outline<'a> {
    extraction: std::borrow::Cow<'a, Extraction>,
    edited: Vec<Edited>,
}

/// None when another release wrote it in another form: the file is read again.
fn parse_outline(outline: &str, text: String) -> Option<(Extraction, Vec<Edited>)> {
    let outline: Outline<'static> = serde_json::from_str(outline).ok()?;
    let mut extraction = outline.extraction.into_owned();
    extraction.text = text;
    Some((extraction, outline.edited))
}

/// Where the edits came to lie: on the chunk that holds the beginning of their text.
fn edit_places(chunks: &[NewChunk], edited: &[Edited]) -> Vec<NewPlace> {
    let place = |edit: &Edited| {
        let (chunk, note) = match &edit.place {
            Ok(start) => {
                let holds = chunks.iter().find(|chunk| *start < chunk.end);
                (holds.map(|chunk| chunk.ordinal), String::new())
            }
            Err(note) => (None, note.clone()),
        };
        NewPlace {
            overlay_id: edit.overlay,
            similarity: if chunk.is_some() { 1.0 } else { 0.0 },
            chunk,
            note,
            question_hash: None,
        }
    };
    edited.iter().map(place).collect()
}

fn new_chunk(chunk: &Chunk, windows: &[NewWindow]) -> NewChunk {
    NewChunk {
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
        windows: windows.to_vec(),
    }
}
