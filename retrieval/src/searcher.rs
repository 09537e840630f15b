//! The search itself: both legs at once, fused, joined to the live versions.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plumbline_models::{Embedders, Reranker};
use plumbline_store::{
    Filter, LiveHit, PassageQuery, RetrievalSettings, Scope, Store, StoreError, TenantTx, VectorMatch,
    VectorScan,
};
use uuid::Uuid;

use crate::catch_up::{IndexSlot, LexicalIndexes, TenantIndex};
use crate::collapse::Fingerprint;
use crate::found::Found;
use crate::fuse::{Weights, lexical_share};
use crate::lexical::{FieldBoosts, LexicalMatches};
use crate::outlook::Outlook;
use crate::rank::{Ranking, nearest};
use crate::rerank::{Passage, RERANKED, Rereading, features_of, read_again};
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

/// What is looked for, where.
struct Look<'a> {
    tenant: Uuid,
    query: &'a str,
    options: &'a SearchOptions,
    /// Candidates per leg.
    depth: usize,
    index: Arc<TenantIndex>,
}

/// The question as the model read it.
struct Question {
    vector: QueryVector,
    embed_ms: f64,
}

/// What the vector leg found, best first.
struct Nearest {
    matches: Vec<VectorMatch>,
    took_ms: f64,
}

/// What the lexical leg found.
struct Words {
    matches: LexicalMatches,
    state: LexicalState,
    took_ms: f64,
}

/// Both legs, and what the lexical one counts.
struct Legs<'a> {
    vector: &'a QueryVector,
    nearest: &'a [VectorMatch],
    lexical: &'a LexicalMatches,
    weight: f32,
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
        let look = Look {
            tenant,
            query,
            options,
            depth: options.settings.leg_depth.max(options.k).max(1),
            index: self.indexes.of(tenant, &options.scope)?,
        };
        let mut looks = 0;
        loop {
            looks += 1;
            let (results, moved) = Box::pin(self.look(&look, began)).await?;
            if !moved || looks == MOST_LOOKS {
                return Ok(results);
            }
        }
    }

    /// One search. The flag is true when a version was replaced or deleted between the legs and the join: what it held
    /// is missing from the result, and its successor was not looked for.
    async fn look(&self, look: &Look<'_>, began: Instant) -> Result<(Results, bool), SearchError> {
        let settings = &look.options.settings;
        let (question, outlook, lexical) = self.prepared(look).await?;
        // Both at once: the database compares vectors, this process words. Neither began earlier, while the question was being
        // embedded: on two cores that cost the embedding more than it gained.
        let nearest = self.vector_leg(look, &question.vector, outlook.scan);
        let words = lexical_leg(look, lexical, outlook.kept);
        let (nearest, words) = tokio::join!(biased; nearest, words);
        let (nearest, connection) = nearest?;

        let fusing = Instant::now();
        let weight = lexical_weight(settings, &question.vector, words.matches.language.as_deref());
        let legs = Legs {
            vector: &question.vector,
            nearest: &nearest.matches,
            lexical: &words.matches,
            weight,
        };
        let found = self.ranked(connection, look, &legs).await?;
        let hits = found.hits(look.options.k);
        let lexical_coverage = hits
            .first()
            .and_then(|hit| hit.lexical)
            .map_or(0.0, |place| lexical_share(place.score, words.matches.bound));
        let timings = SearchTimings {
            embed_ms: question.embed_ms,
            lexical_ms: words.took_ms,
            vector_ms: nearest.took_ms,
            fuse_ms: millis(fusing),
            total_ms: millis(began),
        };
        tracing::debug!(tenant = %look.tenant, hits = hits.len(), lexical = ?words.state, ?timings, "retrieval.search.done");
        let vector_scan = scan_name(outlook.scan);
        let trace = look.options.trace.then(|| SearchTrace {
            query: look.query.to_owned(),
            k: look.options.k,
            leg_depth: look.depth,
            analysis: words.matches.analysis(),
            lexical: LexicalTrace {
                state: words.state.clone(),
                found: words.matches.chunks.len(),
                bound: words.matches.bound,
            },
            vector: VectorTrace {
                model: question.vector.model().to_owned(),
                scan: vector_scan.to_owned(),
                windows: outlook.windows,
                found: nearest.matches.len(),
            },
            fusion: settings.fusion,
            lexical_weight: weight,
            rerank: found.rerank.clone(),
            candidates: found.considered(look.options.k),
            gone: found.gone,
            index_version: outlook.revision,
            timings,
        });
        let results = Results {
            hits,
            trace,
            query_vector: question.vector.into_own(),
            lexical_coverage,
            lexical_bound: words.matches.bound,
            lexical_weight: weight,
            lexical: words.state,
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

    /// The question as a vector, and what must be known before the legs look: the database is asked while the model reads.
    async fn prepared(&self, look: &Look<'_>) -> Result<(Question, Outlook, LexicalState), SearchError> {
        let model = &look.options.settings.model;
        let embedding = Instant::now();
        let question = async {
            let vector = self.embed(look.tenant, model, look.query).await?;
            Ok::<_, SearchError>(Question {
                vector,
                embed_ms: millis(embedding),
            })
        };
        let outlook = async {
            let space = self.spaces.of(&self.store, look.tenant, model).await?;
            let outlook = Outlook::read(&self.store, look.tenant, space, look.options, &look.index).await?;
            let lexical = self.lexical_state(look, outlook.revision).await?;
            Ok::<_, SearchError>((outlook, lexical))
        };
        let (question, (outlook, lexical)) = tokio::try_join!(question, outlook)?;
        Ok((question, outlook, lexical))
    }

    /// Whether the lexical index has seen `revision`, the newest one, after what it missed was replayed.
    async fn lexical_state(&self, look: &Look<'_>, revision: i64) -> Result<LexicalState, SearchError> {
        if !look.options.settings.lexical {
            return Ok(LexicalState::Off);
        }
        let patience = if look.index.is_preview() {
            PREVIEW_PATIENCE
        } else {
            CATCH_UP_PATIENCE
        };
        let replayed = look
            .index
            .catch_up_within(&self.store, look.tenant, revision, patience);
        match replayed.await {
            Ok(true) => Ok(LexicalState::Current),
            Ok(false) => Ok(LexicalState::Behind),
            Err(SearchError::Index { path, reason }) => {
                tracing::error!(path, reason, "retrieval.lexical.unavailable");
                Ok(LexicalState::Unavailable)
            }
            Err(error) => Err(error),
        }
    }

    /// The nearest chunks, and the connection that looked for them: the join goes on with it.
    async fn vector_leg(
        &self,
        look: &Look<'_>,
        query: &QueryVector,
        scan: VectorScan,
    ) -> Result<(Nearest, TenantTx), SearchError> {
        let began = Instant::now();
        let mut tx = self.store.tenant(look.tenant).await?;
        let options = look.options;
        let matches = if options.settings.vector {
            let (scope, filter) = (&options.scope, &options.filter);
            tx.nearest_chunks(query.space(), query.values(), look.depth, scan, scope, filter)
                .await?
        } else {
            Vec::new()
        };
        let took_ms = millis(began);
        Ok((Nearest { matches, took_ms }, tx))
    }

    /// Joins the candidates of both legs to the live versions and orders them for the question.
    async fn ranked(&self, mut tx: TenantTx, look: &Look<'_>, legs: &Legs<'_>) -> Result<Found, SearchError> {
        let (text, options) = (look.query, look.options);
        let settings = &options.settings;
        let Legs { vector, lexical, .. } = legs;
        let mut wanted: Vec<Uuid> = legs.nearest.iter().map(|m| m.chunk_id).collect();
        wanted.extend(lexical.chunks.iter().take(look.depth).map(|(chunk, _)| *chunk));
        wanted.sort();
        wanted.dedup();
        let query = settings.vector.then_some(PassageQuery {
            vector: vector.values(),
            whole_weight: settings.whole_weight,
        });
        let mut live = tx
            .live_hits(&wanted, vector.space(), query, &options.scope, &options.filter)
            .await?;
        for hit in &mut live {
            hit.cosine = hit.cosine.map(|cosine| vector.nearness(cosine));
        }
        let nearest = nearest(legs.nearest, &live);
        let ranking = Ranking {
            live: &live,
            nearest: &nearest,
            lexical,
            weights: Weights {
                fusion: settings.fusion,
                rrf_k: settings.rrf_k,
                lexical: legs.weight,
                pin_margin: settings.pin_margin.clamp(0.0, 1.0),
            },
            leading: RERANKED.max(options.k),
        };
        let leading = ranking.leading();
        let (space, pieces) = vector.pieces();
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
            let passages: Vec<Passage<'_>> = leading.iter().map(|hit| Passage::of(hit)).collect();
            let features = if settings.rerank {
                features_of(text, &lexical.words, &passages)
            } else {
                HashMap::new()
            };
            (features, passages)
        };
        // Polled in this order: the passages are read while the database looks for their pieces.
        let (signs, (features, passages)) = tokio::join!(biased; fetch, read);
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
        let ranked = ranking.order(&reread.bonuses, &Fingerprint::of_all(&passages));
        let live: HashMap<Uuid, LiveHit> = live.into_iter().map(|hit| (hit.chunk_id, hit)).collect();
        Ok(Found {
            // The vector leg saw live versions only: what is gone now was replaced in between.
            moved: nearest.len() < legs.nearest.len(),
            gone: wanted.len() - live.len(),
            rerank: reread.trace,
            ranked,
            live,
        })
    }
}

/// The chunks that hold the words of the question best, if there is an index to look in.
async fn lexical_leg(look: &Look<'_>, state: LexicalState, kept: Option<Vec<Uuid>>) -> Words {
    let began = Instant::now();
    let none = |state| Words {
        matches: LexicalMatches::default(),
        state,
        took_ms: millis(began),
    };
    if matches!(state, LexicalState::Off | LexicalState::Unavailable) {
        return none(state);
    }
    let settings = &look.options.settings;
    let boosts = FieldBoosts {
        heading: settings.heading_boost,
        title: settings.title_boost,
    };
    // A chunk outside the depth can still be a candidate of the other leg, so this leg looks deeper.
    match look.index.search(look.query, look.depth * 4, boosts, kept).await {
        Ok(matches) => Words {
            matches,
            state,
            took_ms: millis(began),
        },
        Err(error) => {
            tracing::error!(%error, "retrieval.lexical.unavailable");
            none(LexicalState::Unavailable)
        }
    }
}

/// How an answer names the way its vectors were searched.
fn scan_name(scan: VectorScan) -> &'static str {
    match scan {
        VectorScan::Exact => "exact",
        VectorScan::Approximate | VectorScan::Thorough => "hnsw",
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

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
