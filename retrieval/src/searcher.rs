//! The search itself: both legs at once, fused, joined to the live versions.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use plumbline_models::{Embedders, Reranker};
use plumbline_store::{
    Filter, LiveHit, PassageQuery, RetrievalSettings, Scope, Store, StoreError, TenantTx, VectorMatch,
    VectorScan,
};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::catch_up::{IndexSlot, LexicalIndexes, TenantIndex};
use crate::collapse::Fingerprint;
use crate::found::Found;
use crate::fuse::{Weights, lexical_share};
use crate::lexical::{FieldBoosts, LexicalMatches};
use crate::outlook::Outlook;
use crate::rank::{Ranking, nearest};
use crate::rerank::{RERANKED, Rereading, features_of, read_again};
use crate::spaces::{QueryVector, Spaces};
use crate::{LexicalState, LexicalTrace, Results, SearchError, SearchTimings, SearchTrace, VectorTrace};

/// Live windows of a tenant up to which every one is compared; above, the tenant gets an HNSW index. An exact scan of
/// 20,000 vectors of 384 dimensions takes some 15 ms, which is what the filtered index needs too, at a recall of 1.
pub const EXACT_SCAN_UP_TO: i64 = 20_000;

/// How long a question waits for the lexical index to replay what was just published.
const CATCH_UP_PATIENCE: Duration = Duration::from_millis(400);

/// How long a search of a preview waits for its index, which is built for it: a judgement on half an index is worthless.
const PREVIEW_PATIENCE: Duration = Duration::from_mins(2);

/// Looks at most, when versions are replaced while a search runs.
const MOST_LOOKS: u32 = 3;

/// What to search with.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchOptions {
    /// Hits wanted.
    pub k: usize,
    /// Settings of the tenant.
    pub settings: RetrievalSettings,
    /// Which versions are seen: the live ones, or a preview of staged ones among them.
    pub scope: Scope,
    /// Which documents among them.
    pub filter: Filter,
    /// Whether what the search looks at is written down, see [`SearchTrace`].
    pub trace: bool,
}

/// Searches tenants' live documents. Cheap to share behind an [`Arc`].
pub struct Searcher {
    store: Store,
    spaces: Spaces,
    indexes: LexicalIndexes,
    reranker: Option<Arc<dyn Reranker>>,
}

impl Searcher {
    /// A searcher whose lexical indexes live in a free slot below `index_root`. Questions are embedded by the model that
    /// the settings name.
    ///
    /// # Errors
    /// [`SearchError::Index`] when the directory cannot be written.
    pub fn open(
        store: Store,
        embedders: impl Into<Embedders>,
        index_root: &std::path::Path,
    ) -> Result<Self, SearchError> {
        let indexes = LexicalIndexes::new(IndexSlot::take(index_root)?);
        Ok(Self {
            store,
            spaces: Spaces::new(embedders.into()),
            indexes,
            reranker: None,
        })
    }

    /// The same with a cross-encoder for tenants whose settings ask for one.
    #[must_use]
    pub fn with_reranker(mut self, reranker: Option<Arc<dyn Reranker>>) -> Self {
        self.reranker = reranker;
        self
    }

    /// The `options.k` passages of live versions that fit `query` best.
    pub async fn search(
        &self,
        tenant: Uuid,
        query: &str,
        options: &SearchOptions,
    ) -> Result<Results, SearchError> {
        let began = Instant::now();
        let mut looks = 0;
        loop {
            looks += 1;
            let (results, moved) = Box::pin(self.look(tenant, query, options, began)).await?;
            if !moved || looks == MOST_LOOKS {
                return Ok(results);
            }
        }
    }

    /// One search. The flag is true when a version was replaced or deleted between the legs and the join: what it held
    /// is missing from the result, and its successor was not looked for.
    async fn look(
        &self,
        tenant: Uuid,
        query: &str,
        options: &SearchOptions,
        began: Instant,
    ) -> Result<(Results, bool), SearchError> {
        let settings = &options.settings;
        let depth = settings.leg_depth.max(options.k).max(1);
        let index = self.indexes.of(tenant, &options.scope)?;
        let (mut vector, (matches, lexical, lexical_ms)) =
            self.legs(tenant, query, depth, options, &index).await?;

        let fusing = Instant::now();
        let weight = lexical_weight(settings, &vector.query, matches.language.as_deref());
        let connection = match vector.connection.take() {
            Some(connection) => connection,
            None => self.store.tenant(tenant).await?,
        };
        let found = self
            .ranked((connection, query), &vector, &matches, weight, options)
            .await?;
        let hits = found.hits(options.k);
        let lexical_coverage = hits
            .first()
            .and_then(|hit| hit.lexical)
            .map_or(0.0, |place| lexical_share(place.score, matches.bound));
        let timings = SearchTimings {
            embed_ms: vector.embed_ms,
            lexical_ms,
            vector_ms: vector.search_ms,
            fuse_ms: millis(fusing),
            total_ms: millis(began),
        };
        tracing::debug!(%tenant, hits = hits.len(), ?lexical, ?timings, "retrieval.search.done");
        let trace = options.trace.then(|| SearchTrace {
            query: query.to_owned(),
            k: options.k,
            leg_depth: depth,
            analysis: matches.analysis(),
            lexical: LexicalTrace {
                state: lexical.clone(),
                found: matches.chunks.len(),
                bound: matches.bound,
            },
            vector: VectorTrace {
                model: vector.query.model().to_owned(),
                scan: vector.scan.to_owned(),
                windows: vector.windows,
                found: vector.matches.len(),
            },
            fusion: settings.fusion,
            lexical_weight: weight,
            rerank: found.rerank.clone(),
            candidates: found.considered(options.k),
            gone: found.gone,
            index_version: vector.revision,
            timings,
        });
        let vector_scan = vector.scan;
        let results = Results {
            hits,
            trace,
            query_vector: vector.query.into_own(),
            lexical_coverage,
            lexical_bound: matches.bound,
            lexical_weight: weight,
            lexical,
            vector_scan,
            timings,
        };
        Ok((results, found.moved))
    }

    /// Replays what was published into the lexical index of `tenant` now, without the patience of a question.
    pub async fn catch_up(&self, tenant: Uuid) -> Result<(), SearchError> {
        let index = self.indexes.of(tenant, &Scope::default())?;
        index.catch_up(&self.store, tenant).await
    }

    /// Keeps the indexes of all tenants that were searched current, until dropped: replays whenever a version is
    /// published, so that a question rarely has to wait for it.
    pub async fn follow(&self) -> Result<(), SearchError> {
        let mut listener = self.store.listen("plumbline_revisions").await?;
        loop {
            let note = listener.recv().await.map_err(StoreError::from)?;
            if let Ok(tenant) = Uuid::parse_str(note.payload())
                && let Err(error) = self.catch_up(tenant).await
            {
                tracing::warn!(%tenant, %error, "retrieval.catch_up.failed");
            }
        }
    }

    /// `text` as a vector of the model that settings name.
    pub(crate) async fn embed(
        &self,
        tenant: Uuid,
        model: &str,
        text: &str,
    ) -> Result<QueryVector, SearchError> {
        self.spaces.embed(&self.store, tenant, model, text).await
    }

    /// The database that it searches.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// What is known before the legs look, read by the first of them.
    async fn outlook<'a>(
        &self,
        tenant: Uuid,
        options: &SearchOptions,
        index: &TenantIndex,
        outlook: &'a OnceCell<Outlook>,
    ) -> Result<&'a Outlook, SearchError> {
        outlook
            .get_or_try_init(|| async {
                let space = self
                    .spaces
                    .of(&self.store, tenant, &options.settings.model)
                    .await?;
                Ok(Outlook::read(&self.store, tenant, space, options, index).await?)
            })
            .await
    }

    /// Both legs, side by side.
    async fn legs(
        &self,
        tenant: Uuid,
        query: &str,
        depth: usize,
        options: &SearchOptions,
        index: &Arc<TenantIndex>,
    ) -> Result<(VectorLeg, (LexicalMatches, LexicalState, f64)), SearchError> {
        let outlook = OnceCell::new(); // whichever leg needs it first reads it
        let words_are_found = AtomicBool::new(false);
        let vector_leg = async {
            let mut leg = self
                .vector_leg(tenant, query, depth, options, index, &outlook)
                .await?;
            // A connection is used again only if the other leg, which may have to replay what was published, needs none any more.
            if !words_are_found.load(Ordering::Relaxed) {
                leg.connection = None;
            }
            Ok::<_, SearchError>(leg)
        };
        let lexical_leg = async {
            let leg = self
                .lexical_leg(tenant, query, depth, options, index, &outlook)
                .await;
            words_are_found.store(true, Ordering::Relaxed);
            leg
        };
        let (vector_leg, lexical_leg) = tokio::join!(vector_leg, lexical_leg);
        Ok((vector_leg?, lexical_leg?))
    }

    async fn vector_leg(
        &self,
        tenant: Uuid,
        query: &str,
        depth: usize,
        options: &SearchOptions,
        index: &TenantIndex,
        outlook: &OnceCell<Outlook>,
    ) -> Result<VectorLeg, SearchError> {
        let embedding = Instant::now();
        let embed = async {
            let model = &options.settings.model;
            let query = self.embed(tenant, model, query).await?;
            Ok::<_, SearchError>((query, millis(embedding)))
        };
        let outlook = self.outlook(tenant, options, index, outlook);
        let ((query, embed_ms), outlook) = tokio::try_join!(embed, outlook)?;
        let scan = outlook.scan;
        let searching = Instant::now();
        let mut connection = None;
        let matches = if options.settings.vector {
            let mut tx = self.store.tenant(tenant).await?;
            let matches = tx
                .nearest_chunks(
                    query.space(),
                    query.values(),
                    depth,
                    scan,
                    &options.scope,
                    &options.filter,
                )
                .await?;
            connection = Some(tx);
            matches
        } else {
            Vec::new()
        };
        let scan = if scan == VectorScan::Exact {
            "exact"
        } else {
            "hnsw"
        };
        Ok(VectorLeg {
            query,
            matches,
            scan,
            windows: outlook.windows,
            revision: outlook.revision,
            embed_ms,
            search_ms: millis(searching),
            connection,
        })
    }

    async fn lexical_leg(
        &self,
        tenant: Uuid,
        query: &str,
        depth: usize,
        options: &SearchOptions,
        index: &Arc<TenantIndex>,
        outlook: &OnceCell<Outlook>,
    ) -> Result<(LexicalMatches, LexicalState, f64), SearchError> {
        let began = Instant::now();
        if !options.settings.lexical {
            return Ok((LexicalMatches::default(), LexicalState::Off, 0.0));
        }
        let patience = if index.is_preview() {
            PREVIEW_PATIENCE
        } else {
            CATCH_UP_PATIENCE
        };
        let outlook = self.outlook(tenant, options, index, outlook).await?;
        let revision = outlook.revision;
        let state = match index
            .catch_up_within(&self.store, tenant, revision, patience)
            .await
        {
            Ok(true) => LexicalState::Current,
            Ok(false) => LexicalState::Behind,
            Err(SearchError::Index { path, reason }) => {
                tracing::error!(path, reason, "retrieval.lexical.unavailable");
                return Ok((
                    LexicalMatches::default(),
                    LexicalState::Unavailable,
                    millis(began),
                ));
            }
            Err(error) => return Err(error),
        };
        // A chunk outside the depth can still be a candidate of the other leg, so this leg looks deeper.
        let boosts = FieldBoosts {
            heading: options.settings.heading_boost,
            title: options.settings.title_boost,
        };
        match index.search(query, depth * 4, boosts, outlook.kept.clone()).await {
            Ok(matches) => Ok((matches, state, millis(began))),
            Err(error) => {
                tracing::error!(%error, "retrieval.lexical.unavailable");
                Ok((
                    LexicalMatches::default(),
                    LexicalState::Unavailable,
                    millis(began),
                ))
            }
        }
    }

    /// Joins the candidates of both legs to the live versions and orders them for the question `text`.
    async fn ranked(
        &self,
        (mut tx, text): (TenantTx, &str),
        vector: &VectorLeg,
        lexical: &LexicalMatches,
        weight: f32,
        options: &SearchOptions,
    ) -> Result<Found, SearchError> {
        let settings = &options.settings;
        let depth = settings.leg_depth.max(options.k).max(1);
        let mut wanted: Vec<Uuid> = vector.matches.iter().map(|m| m.chunk_id).collect();
        wanted.extend(lexical.chunks.iter().take(depth).map(|(chunk, _)| *chunk));
        wanted.sort();
        wanted.dedup();
        let query = settings.vector.then_some(PassageQuery {
            vector: vector.query.values(),
            whole_weight: settings.whole_weight,
        });
        let mut live = tx
            .live_hits(
                &wanted,
                vector.query.space(),
                query,
                &options.scope,
                &options.filter,
            )
            .await?;
        for hit in &mut live {
            hit.cosine = hit.cosine.map(|cosine| vector.query.nearness(cosine));
        }
        let nearest = nearest(&vector.matches, &live);
        let ranking = Ranking {
            live: &live,
            nearest: &nearest,
            lexical,
            weights: Weights {
                fusion: settings.fusion,
                rrf_k: settings.rrf_k,
                lexical: weight,
                pin_margin: settings.pin_margin.clamp(0.0, 1.0),
            },
            leading: RERANKED.max(options.k),
        };
        let leading = ranking.leading();
        let (space, pieces) = vector.query.pieces();
        let wants_pieces = settings.rerank && settings.late_weight > 0.0 && !pieces.is_empty();
        let fetch = async {
            let mut signs: HashMap<Uuid, Vec<u8>> = HashMap::new();
            if wants_pieces {
                let chunks: Vec<Uuid> = leading.iter().map(|hit| hit.chunk_id).collect();
                for (chunk, of_window) in tx.pieces_of(&chunks, space).await? {
                    signs.entry(chunk).or_default().extend(of_window);
                }
            }
            Ok::<_, StoreError>(signs)
        };
        let read = async {
            let features = if settings.rerank {
                features_of(text, &lexical.words, &leading)
            } else {
                HashMap::new()
            };
            (features, Fingerprint::of_all(&leading))
        };
        // Polled in this order: the passages are read while the database looks for their pieces.
        let (signs, (features, fingerprints)) = tokio::join!(biased; fetch, read);
        let signs = signs?;
        drop(tx); // it only read, and nobody needs to wait for its end
        let reading = Rereading {
            question: text,
            known: &lexical.words,
            pieces,
            leading: &leading,
            features: &features,
            signs: &signs,
        };
        let reread = read_again(self.reranker.as_ref(), &reading, settings).await;
        let ranked = ranking.order(&reread.bonuses, &fingerprints);
        let live: HashMap<Uuid, LiveHit> = live.into_iter().map(|hit| (hit.chunk_id, hit)).collect();
        Ok(Found {
            // The vector leg saw live versions only: what is gone now was replaced in between.
            moved: nearest.len() < vector.matches.len(),
            gone: wanted.len() - live.len(),
            rerank: reread.trace,
            ranked,
            live,
        })
    }
}

/// What the lexical share counts for a question in `language`, 0 to 1.
fn lexical_weight(settings: &RetrievalSettings, query: &QueryVector, language: Option<&str>) -> f32 {
    match (settings.lexical, settings.vector) {
        (true, false) => 1.0,
        (false, true) => 0.0,
        _ => match language {
            Some(language) if !query.speaks(language) => settings.lexical_weight_foreign,
            _ => settings.lexical_weight,
        }
        .clamp(0.0, 1.0),
    }
}

struct VectorLeg {
    query: QueryVector,
    matches: Vec<VectorMatch>,
    scan: &'static str,
    windows: i64,
    revision: i64,
    embed_ms: f64,
    search_ms: f64,
    connection: Option<TenantTx>,
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
