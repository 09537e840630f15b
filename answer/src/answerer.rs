//! The Answerer: a question and its conversation in, one structured answer out.
//!
//! Server, playground and eval all call this one function with the same settings row, so they cannot drift. It only
//! puts the stages in order and takes their times; what each stage does is in its own file.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use plumbline_models::reading::written_out;
use plumbline_models::{ChatModel, Embedder, ModelError};
use plumbline_retrieval::{Results, SearchError, SearchOptions, Searcher};
use plumbline_store::{Filter, Scope, Settings, SettingsVersion, Store, StoreError};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::answer::{Answer, Message, Reason, Route, Timings};
use crate::evidence::{Evidence, prefer_language};
use crate::phrases::Phrase;
use crate::reply::{self, Draft};
use crate::route::{self, RouteExamples, Routed, Thresholds, Witness};
use crate::trace::{AnswerTrace, packed};
use crate::{compose, ground, language, memory};

/// Longest question that is read, in characters; the rest of a longer one is not a question.
const LONGEST_QUESTION: usize = 1_500;

/// Times the wanted number of passages that are searched, to choose among them by language.
const SEARCHED: usize = 2;

/// Sets of extra route examples kept as vectors.
const KEPT_EXAMPLES: usize = 64;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The customer's turn: one message, or several joined by line breaks.
    pub question: String,
    /// Earlier messages, oldest first.
    pub history: Vec<Message>,
    /// Language the caller believes the customer speaks, used when the text does not say.
    pub language_hint: Option<String>,
    /// Settings to answer with; `None` takes the tenant's live row.
    pub settings: Option<SettingsVersion>,
    /// Which versions are quoted: the live ones, or a preview of staged ones among them.
    pub scope: Scope,
    /// Which documents among them are quoted.
    pub filter: Filter,
}

/// Why there is no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The settings could not be read.
    #[error("settings could not be read")]
    Settings(#[from] StoreError),
    /// The search failed.
    #[error("search failed")]
    Search(#[from] SearchError),
    /// A model failed.
    #[error("model failed")]
    Model(#[from] ModelError),
}

/// Route name to the examples of a business.
type ExtraExamples = BTreeMap<String, Vec<String>>;

/// Answers questions from a tenant's live documents.
pub struct Answerer {
    store: Store,
    searcher: Arc<Searcher>,
    embedder: Arc<dyn Embedder>,
    model: Arc<dyn ChatModel>,
    built_in: OnceCell<Arc<RouteExamples>>,
    extended: Mutex<HashMap<ExtraExamples, Arc<RouteExamples>>>,
}

impl Answerer {
    /// An answerer that searches with `searcher`, routes with `embedder` and composes with `model`.
    pub fn new(
        store: Store,
        searcher: Arc<Searcher>,
        embedder: Arc<dyn Embedder>,
        model: Arc<dyn ChatModel>,
    ) -> Self {
        Self {
            store,
            searcher,
            embedder,
            model,
            built_in: OnceCell::new(),
            extended: Mutex::default(),
        }
    }

    /// Embeds the built-in route examples (about a second), so that the first customer need not wait for it.
    pub async fn warm_up(&self) -> Result<(), AnswerError> {
        self.examples(&BTreeMap::new()).await.map(|_| ())
    }

    /// Answers one turn.
    ///
    /// # Errors
    /// [`AnswerError`] when a part the answer needs is down. Not knowing the answer is not an error.
    pub async fn answer(&self, tenant: Uuid, ask: &Ask) -> Result<Answer, AnswerError> {
        let mut unread = AnswerTrace::default();
        self.answer_into(tenant, ask, false, &mut unread).await
    }

    /// Answers one turn and says what was looked at on the way.
    ///
    /// # Errors
    /// As [`Answerer::answer`].
    pub async fn answer_traced(&self, tenant: Uuid, ask: &Ask) -> Result<(Answer, AnswerTrace), AnswerError> {
        let mut trace = AnswerTrace::default();
        let answer = self.answer_into(tenant, ask, true, &mut trace).await?;
        Ok((answer, trace))
    }

    #[tracing::instrument(name = "answer.turn.answer", skip_all, fields(%tenant))]
    async fn answer_into(
        &self,
        tenant: Uuid,
        ask: &Ask,
        traced: bool,
        trace: &mut AnswerTrace,
    ) -> Result<Answer, AnswerError> {
        let clock = Instant::now();
        let version = self.settings(tenant, ask).await?;
        let settings = &version.settings;
        let question: String = ask.question.trim().chars().take(LONGEST_QUESTION).collect();
        let language = language::detect(
            &question,
            &ask.history,
            ask.language_hint.as_deref(),
            &settings.answer.default_language,
        );
        let mut draft = Draft::new(version.version, language, question.clone());
        if !settings.conversation.bot_enabled {
            let routed = Routed {
                route: Route::Handoff,
                reason: Some(Reason::BotDisabled),
                phrase: Some(Phrase::BotDisabled),
            };
            return Ok(draft.say(routed, settings, clock));
        }
        let query = memory::resolve(&question, &ask.history, settings.answer.memory_turns);
        // Routing reads what was typed, search and reading what it stands for.
        draft.query = written_out(&query.text, &draft.language);
        trace.rewritten = query.rewritten;
        let routed = route::by_rules(&question, &query.text, &ask.history);
        draft.timings.route_ms = milliseconds(clock);
        if let Some(routed) = routed {
            return Ok(draft.say(routed, settings, clock));
        }
        let options = SearchOptions {
            k: settings.retrieval.top_k * SEARCHED,
            settings: settings.retrieval.clone(),
            scope: ask.scope.clone(),
            filter: ask.filter.clone(),
            trace: traced,
        };
        let mut results = self.searcher.search(tenant, &draft.query, &options).await?;
        trace.search = results.trace.take();
        draft.timings = Timings {
            route_ms: draft.timings.route_ms,
            embed_ms: results.timings.embed_ms,
            lexical_ms: results.timings.lexical_ms,
            vector_ms: results.timings.vector_ms,
            fuse_ms: results.timings.fuse_ms,
            ..Timings::default()
        };
        let routing = Instant::now();
        let routed = self.route(&query.text, &results, settings).await?;
        draft.timings.route_ms += milliseconds(routing);
        draft.lexical_coverage = results.lexical_coverage;
        draft.hits = prefer_language(results.hits, &draft.language, settings.retrieval.top_k);
        if routed.phrase.is_some() {
            return Ok(draft.say(routed, settings, clock));
        }
        let evidence = Evidence::from_hits(&draft.hits);
        if traced {
            trace.packed = packed(&evidence, &draft.hits);
        }
        self.quote_documents(draft, routed, &evidence, settings, clock)
            .await
    }

    /// Composes, grounds and decides.
    async fn quote_documents(
        &self,
        mut draft: Draft,
        routed: Routed,
        evidence: &Evidence,
        settings: &Settings,
        clock: Instant,
    ) -> Result<Answer, AnswerError> {
        let composing = Instant::now();
        let request = compose::request(&draft.query, &draft.language, evidence, &settings.answer);
        let composition = self.model.compose(&request).await?;
        draft.usage.model = self.model.name().to_owned();
        draft.usage.input_tokens = composition.usage.input;
        draft.usage.output_tokens = composition.usage.output;
        draft.timings.compose_ms = milliseconds(composing);

        let grounding = Instant::now();
        let sentences = compose::tidy(composition.sentences, &settings.answer);
        let grounded = ground::ground(sentences, &evidence.passages, &draft.query);
        let mut answer = reply::from_grounded(draft, routed, &grounded, evidence, settings);
        answer.timings.ground_ms = milliseconds(grounding);
        answer.timings.total_ms = milliseconds(clock);
        Ok(answer)
    }

    async fn settings(&self, tenant: Uuid, ask: &Ask) -> Result<SettingsVersion, AnswerError> {
        if let Some(settings) = &ask.settings {
            return Ok(settings.clone());
        }
        let mut transaction = self.store.tenant(tenant).await?;
        let settings = transaction.settings().await?;
        transaction.commit().await?;
        Ok(settings)
    }

    async fn route(
        &self,
        query: &str,
        results: &Results,
        settings: &Settings,
    ) -> Result<Routed, AnswerError> {
        let similar = self
            .examples(&settings.routing.examples)
            .await?
            .similarities(&results.query_vector);
        let witness = Witness {
            cosine: reply::best_cosine(&results.hits),
            lexical_coverage: results.lexical_coverage,
        };
        let thresholds = Thresholds {
            min_similarity: settings.routing.min_similarity,
            out_of_scope_below: settings.routing.out_of_scope_below,
        };
        Ok(route::by_similarity(query, &similar, witness, thresholds))
    }

    /// The route examples with a business's own ones; each set is embedded once.
    async fn examples(&self, extra: &ExtraExamples) -> Result<Arc<RouteExamples>, AnswerError> {
        let embedder = self.embedder.as_ref();
        let built_in = self
            .built_in
            .get_or_try_init(|| async { RouteExamples::built_in(embedder).await.map(Arc::new) })
            .await?;
        if extra.is_empty() {
            return Ok(Arc::clone(built_in));
        }
        let kept = self
            .extended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(extra)
            .cloned();
        if let Some(examples) = kept {
            return Ok(examples);
        }
        let examples = Arc::new(built_in.with(embedder, extra).await?);
        let mut extended = self.extended.lock().unwrap_or_else(PoisonError::into_inner);
        if extended.len() >= KEPT_EXAMPLES {
            extended.clear();
        }
        extended.insert(extra.clone(), Arc::clone(&examples));
        Ok(examples)
    }
}

pub(crate) fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
