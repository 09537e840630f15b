//! The system under test inside this process: the gate of record.
//!
//! Everything is real: the private Postgres, the pipeline with its extraction in child processes,
//! the embedding model, the search and the one `Answerer` that customers are answered by. Only the
//! database is the eval's own.

use std::path::PathBuf;
use std::sync::Arc;

use plumbline_answer::{Answer, Answerer, Ask};
use plumbline_ingest::{Isolation, Limits, Pipeline};
use plumbline_models::{
    ChatModel, Embedder, Embedders, Extractive, OnDemand, OnnxEmbedder, OnnxOptions, OnnxReranker, Reranker,
    init_runtime,
};
use plumbline_retrieval::Searcher;
use plumbline_store::local::{LocalOptions, LocalPostgres, create_database};
use plumbline_store::{BlobStore, DataDir, Scope, Settings, SettingsVersion, Store};
use uuid::Uuid;

use super::VersionKey;
use super::corpus::{Shape, fingerprint, ingest};
use super::tenant::{TenantDocuments, TenantOptions};
use crate::error::EvalError;
use crate::golden::case::Case;
use crate::golden::load::Golden;
use crate::machine::Machine;
use crate::progress::Progress;
use crate::report::Mode;
use crate::tape::{Parts, Stage, Tape, Taped, Use, reply_parts};

/// Name of the chat model.
const MODEL: &str = "extractive";

/// Name of the eval's database.
const DATABASE: &str = "plumbline_eval";

/// What the in-process target needs.
#[derive(Debug, Clone, Default)]
pub struct LocalSettings {
    /// Data directory.
    pub data: PathBuf,
    /// A Postgres to use instead of a private one; the eval creates its own database there.
    pub database_url: Option<String>,
    /// The settings to answer with.
    pub settings: Settings,
    /// Where calls are recorded, or replayed from.
    pub tape: Option<Arc<Tape>>,
}

impl LocalSettings {
    /// The corpus by everything that shapes it, when cut by these settings on this machine.
    pub fn corpus(&self, machine: &Machine, golden: &Golden) -> String {
        let shape = Shape {
            chunking: &self.settings.chunking,
            extraction: &self.settings.extraction,
            limits: &machine.limits(),
            model: &self.models(machine),
        };
        fingerprint(&golden.manifest, shape)
    }

    /// Names of the embedding models: the installation's own, and the one that searches if it is another.
    fn models(&self, machine: &Machine) -> String {
        let (own, searching) = (machine.model_name(), &self.settings.retrieval.model);
        if searching.is_empty() || *searching == own {
            own
        } else {
            format!("{own} and {searching}")
        }
    }

    /// What a whole reply to a case depends on.
    pub fn reply_parts(&self, case: &Case, corpus: &str) -> Parts {
        reply_parts(case, &self.settings, MODEL, corpus)
    }

    /// What the report calls an answerer with these settings.
    pub fn label(&self, machine: &Machine) -> String {
        let settings = if self.settings == Settings::default() {
            "default"
        } else {
            "given"
        };
        format!(
            "in-process ({}, {MODEL}, {settings} settings)",
            self.models(machine)
        )
    }
}

/// An answerer on a private database with the golden corpus.
pub struct Local {
    answerer: Answerer,
    embedders: Embedders,
    reranker: Option<Arc<dyn Reranker>>,
    index: PathBuf,
    store: Store,
    tenant: Uuid,
    settings: SettingsVersion,
    scope: Scope,
    label: String,
    replayed: bool,
    // Last, so that the cluster ends after everything that uses it.
    _cluster: Option<LocalPostgres>,
}

impl Local {
    /// Starts the parts and brings the corpus in; a second run finds it there.
    pub async fn open(
        settings: &LocalSettings,
        machine: &Machine,
        golden: &Golden,
        progress: &Progress,
    ) -> Result<Self, EvalError> {
        let data = DataDir::new(&settings.data).eval();
        let embedders = load_embedders(machine)?;
        let embedder = Arc::clone(embedders.own());
        let (store, cluster) = open_store(settings, machine, &data).await?;
        let limits = machine.limits();
        let fingerprint = settings.corpus(machine, golden);
        let tenant = tenant_of(&store, golden, &settings.settings, &fingerprint).await?;
        search_with(&store, tenant, &embedders, &settings.settings.retrieval.model).await?;
        let blobs = BlobStore::Directory(data.blobs());
        let pipeline = Pipeline::new(store.clone(), blobs, embedders.clone(), isolation(limits)?);
        ingest(&pipeline, tenant, golden, progress).await?;
        let searcher = Searcher::open(store.clone(), embedders.clone(), &data.index()).map_err(infra)?;
        let reranker = load_reranker(machine)?;
        let searcher = searcher.with_reranker(reranker.clone());
        searcher.catch_up(tenant).await.map_err(infra)?;
        let mut model: Arc<dyn ChatModel> = Arc::new(Extractive::new(Arc::clone(&embedder)));
        if let Some(tape) = &settings.tape {
            model = Arc::new(Taped::new(model, Arc::clone(tape), fingerprint));
        }
        let label = settings.label(machine);
        let answerer = Answerer::new(store.clone(), Arc::new(searcher), Arc::clone(&embedder), model);
        answerer.warm_up().await.map_err(infra)?;
        let replayed = settings
            .tape
            .as_ref()
            .is_some_and(|tape| tape.purpose() == Use::Replay(Stage::Model));
        let settings = SettingsVersion {
            version: 0,
            settings: settings.settings.clone(),
        };
        Ok(Self {
            answerer,
            index: data.index(),
            embedders,
            store,
            tenant,
            settings,
            scope: Scope::default(),
            label,
            reranker,
            replayed,
            _cluster: cluster,
        })
    }

    /// Answers from a tenant's own documents, with what is staged among them.
    pub async fn of_tenant(
        documents: TenantDocuments,
        options: &TenantOptions,
        machine: &Machine,
    ) -> Result<Self, EvalError> {
        let embedders = load_embedders(machine)?;
        let embedder = Arc::clone(embedders.own());
        let index = DataDir::new(&options.data).eval().index();
        let TenantDocuments {
            store,
            tenant,
            scope,
            settings,
            ..
        } = documents;
        let reranker = load_reranker(machine)?;
        let searcher = Searcher::open(store.clone(), embedders.clone(), &index).map_err(infra)?;
        let searcher = searcher.with_reranker(reranker.clone());
        if scope.is_live() {
            searcher.catch_up(tenant).await.map_err(infra)?;
        }
        let model = Arc::new(Extractive::new(Arc::clone(&embedder)));
        let answerer = Answerer::new(store.clone(), Arc::new(searcher), Arc::clone(&embedder), model);
        answerer.warm_up().await.map_err(infra)?;
        Ok(Self {
            answerer,
            embedders,
            reranker,
            index,
            store,
            tenant,
            settings,
            scope,
            label: options.label(),
            replayed: false,
            _cluster: None,
        })
    }

    /// Where its replies come from: replayed model calls are not live, whatever else is.
    pub fn mode(&self) -> Mode {
        if self.replayed { Mode::Replayed } else { Mode::Live }
    }

    /// What the report calls it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The installation's own embedding model.
    pub fn embedder(&self) -> Arc<dyn Embedder> {
        Arc::clone(self.embedders.own())
    }

    /// The database with the corpus.
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// Another searcher over the same corpus, with another own model in front of the further ones.
    pub async fn searcher(&self, own: Arc<dyn Embedder>) -> Result<Searcher, EvalError> {
        let embedders = self.embedders.with_own(own);
        let searcher = Searcher::open(self.store.clone(), embedders, &self.index).map_err(infra)?;
        let searcher = searcher.with_reranker(self.reranker.clone());
        searcher.catch_up(self.tenant).await.map_err(infra)?;
        Ok(searcher)
    }

    /// Asks one case.
    pub async fn ask(&self, case: &Case) -> Result<Answer, String> {
        self.ask_of(&self.answerer, case, self.settings.clone()).await
    }

    /// Asks one case of another answerer over the same corpus.
    pub async fn ask_of(
        &self,
        answerer: &Answerer,
        case: &Case,
        settings: SettingsVersion,
    ) -> Result<Answer, String> {
        let ask = Ask {
            question: case.question.clone(),
            history: case.history.clone(),
            language_hint: None,
            settings: Some(settings),
            scope: self.scope.clone(),
            ..Ask::default()
        };
        answerer
            .answer(self.tenant, &ask)
            .await
            .map_err(|error| with_causes(&error))
    }

    /// The canonical text of a version.
    pub async fn version_text(&self, key: VersionKey) -> Result<Arc<str>, String> {
        let mut tx = self
            .store
            .tenant(self.tenant)
            .await
            .map_err(|error| error.to_string())?;
        tx.version_text(key.version_id)
            .await
            .map(Arc::from)
            .map_err(|error| error.to_string())
    }
}

fn load_embedders(machine: &Machine) -> Result<Embedders, EvalError> {
    init_runtime(&machine.onnx_runtime()).map_err(unprovisioned)?;
    let embedder = OnnxEmbedder::load(&OnnxOptions::new(machine.model_directory())).map_err(unprovisioned)?;
    let own: Arc<dyn Embedder> = Arc::new(embedder);
    let mut others = OnDemand::all(&machine.embedding_directories(), &own).map_err(unprovisioned)?;
    others.extend(machine.remote().connect(&own).map_err(unprovisioned)?);
    Embedders::new(own, others).map_err(unprovisioned)
}

fn load_reranker(machine: &Machine) -> Result<Option<Arc<dyn Reranker>>, EvalError> {
    let Some(directory) = &machine.reranker_dir else {
        return Ok(None);
    };
    let reranker = OnnxReranker::load(&OnnxOptions::new(directory))
        .map_err(|error| EvalError::Infra(format!("PLUMBLINE_RERANKER_DIR: {}", with_causes(&error))))?;
    Ok(Some(Arc::new(reranker)))
}

async fn open_store(
    settings: &LocalSettings,
    machine: &Machine,
    data: &DataDir,
) -> Result<(Store, Option<LocalPostgres>), EvalError> {
    let (url, cluster) = if let Some(admin) = &settings.database_url {
        create_database(admin, DATABASE).await.map_err(infra)?;
        let mut url = reqwest::Url::parse(admin).map_err(infra)?;
        url.set_path(DATABASE);
        (url.to_string(), None)
    } else {
        let install = machine.postgres();
        let options = LocalOptions {
            install,
            directory: data.postgres(),
            durable: true,
        };
        let start = tokio::task::spawn_blocking(move || LocalPostgres::start(&options));
        let cluster = start.await.map_err(infra)?.map_err(unprovisioned)?;
        (cluster.database(DATABASE).await.map_err(infra)?, Some(cluster))
    };
    Store::migrate(&url).await.map_err(infra)?;
    Ok((Store::connect(&url, 8).await.map_err(infra)?, cluster))
}

/// The tenant that holds exactly this corpus, cut exactly like this, for exactly this model.
async fn tenant_of(
    store: &Store,
    golden: &Golden,
    settings: &Settings,
    fingerprint: &str,
) -> Result<Uuid, EvalError> {
    let slug = format!("eval-{}", fingerprint.get(..24).unwrap_or(fingerprint));
    let mut system = store.system().await.map_err(infra)?;
    let tenant = system
        .ensure_tenant(&slug, &golden.header.name)
        .await
        .map_err(infra)?
        .id;
    system.commit().await.map_err(infra)?;
    let mut tx = store.tenant(tenant).await.map_err(infra)?;
    // The pipeline cuts by the tenant's live row; questions bring their settings along.
    let live = tx.settings().await.map_err(infra)?.settings;
    if live.chunking != settings.chunking || live.extraction != settings.extraction {
        let mut cut = settings.clone();
        cut.retrieval.model = live.retrieval.model; // see `search_with`
        tx.save_settings(&cut, "eval").await.map_err(infra)?;
    }
    tx.commit().await.map_err(infra)?;
    Ok(tenant)
}

/// Has the corpus of `tenant` embedded with the model that searches, beside the installation's own, as a tenant's is. Nothing
/// is ingested yet, so that it is in force at once and a document without its vectors is not done.
async fn search_with(
    store: &Store,
    tenant: Uuid,
    embedders: &Embedders,
    model: &str,
) -> Result<(), EvalError> {
    if embedders.is_own(model) {
        return Ok(());
    }
    let embedder = embedders.get(model).map_err(unprovisioned)?;
    let mut tx = store.tenant(tenant).await.map_err(infra)?;
    if tx.settings().await.map_err(infra)?.settings.retrieval.model != model {
        let space = tx
            .ensure_space(model, embedder.dimension())
            .await
            .map_err(infra)?;
        tx.want_model(model, false).await.map_err(infra)?;
        tx.note_model(model, Some(space), "").await.map_err(infra)?;
        tx.switch_model(model, space, false).await.map_err(infra)?;
    }
    tx.commit().await.map_err(infra)
}

/// Files are read by this very program, started again as `extract-worker`.
fn isolation(limits: Limits) -> Result<Isolation, EvalError> {
    let program = std::env::current_exe().map_err(infra)?;
    Ok(Isolation {
        limits,
        ..Isolation::new(program, ["extract-worker"])
    })
}

pub(super) fn infra(error: impl std::error::Error) -> EvalError {
    EvalError::Infra(with_causes(&error))
}

fn unprovisioned(error: impl std::error::Error) -> EvalError {
    EvalError::Infra(format!(
        "{}; `make runtime` brings what is missing, --runtime says where it is",
        with_causes(&error)
    ))
}

/// An error with what is behind it, without repeating what the outer message quotes already.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
