//! What a running program consists of, and how it is put together.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::extract::FromRef;
use plumbline_answer::Answerer;
use plumbline_ingest::{Isolation, Limits, Pipeline, Progress};
use plumbline_models::{
    Embedder, Embedders, Extractive, OnDemand, OnnxEmbedder, OnnxOptions, OnnxReranker, QueryCache, Reranker,
    init_runtime,
};
use plumbline_retrieval::Searcher;
use plumbline_store::local::{LocalOptions, LocalPostgres};
use plumbline_store::{BlobStore, Secret, Store, Tenant};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::config::{CommonArgs, ServeArgs};
use crate::simulator::graph::FakeGraph;
use crate::watch::VersionWatch;
use crate::whatsapp::graph::GraphClient;
use crate::worker::gate::EvalProgram;

/// The parts of a running server; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Database.
    pub store: Store,
    /// Original files.
    pub blobs: BlobStore,
    /// Embedding models.
    pub embedders: Embedders,
    /// Search.
    pub searcher: Arc<Searcher>,
    /// Answers.
    pub answerer: Arc<Answerer>,
    /// Builds document versions.
    pub pipeline: Pipeline,
    /// Sends to WhatsApp, if configured.
    pub graph: Option<Arc<GraphClient>>,
    /// What the webhook checks against.
    pub webhook: WebhookSecrets,
    /// Limits and cookies.
    pub web: WebSettings,
    /// The simulator's Graph server, in a demo.
    pub fake_graph: Option<Arc<FakeGraph>>,
    /// The tenant that a demo shows without a sign-in.
    pub demo: Option<Uuid>,
    /// Timing of the workers.
    pub work: WorkSettings,
    /// Tells how far the versions built in this process are.
    pub progress: ProgressBoard,
    /// Hears of the versions built anywhere.
    pub versions: VersionWatch,
    /// Judges what is staged.
    pub eval: Option<Arc<EvalProgram>>,
}

/// Tells whoever listens how far versions are.
#[derive(Debug, Clone)]
pub struct ProgressBoard(broadcast::Sender<(Uuid, Progress)>);

impl Default for ProgressBoard {
    fn default() -> Self {
        Self(broadcast::channel(256).0)
    }
}

impl ProgressBoard {
    /// Tells the progress of a version; nobody need listen.
    pub fn tell(&self, version: Uuid, progress: Progress) {
        let _ = self.0.send((version, progress));
    }

    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<(Uuid, Progress)> {
        self.0.subscribe()
    }
}

/// What the webhook checks against.
#[derive(Debug, Clone, Default)]
pub struct WebhookSecrets {
    /// Signs the bodies.
    pub app_secret: Option<Secret>,
    /// Answers the handshake.
    pub verify_token: Option<Secret>,
}

/// Limits of uploads, and how cookies travel.
#[derive(Debug, Clone, Copy)]
pub struct WebSettings {
    /// Largest file in bytes.
    pub max_upload_bytes: usize,
    /// Most files of one upload.
    pub max_upload_files: usize,
    /// Cookies are marked `Secure`.
    pub https: bool,
}

impl WebSettings {
    /// Largest upload of several files together.
    pub fn whole_upload_bytes(self) -> usize {
        self.max_upload_bytes.saturating_mul(self.max_upload_files)
    }
}

/// Timing of the workers.
#[derive(Debug, Clone, Copy)]
pub struct WorkSettings {
    /// How long a worker holds a job without a sign of life.
    pub lease: Duration,
    /// How long a send of unknown outcome waits for a status before it is repeated.
    pub ambiguous_grace: Duration,
    /// When this process began to listen: a status cannot have come before.
    pub since: std::time::Instant,
    /// How often an idle queue is looked at, should a notification be lost.
    pub poll: Duration,
}

impl Default for WorkSettings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            ambiguous_grace: Duration::from_mins(1),
            since: std::time::Instant::now(),
            poll: Duration::from_millis(500),
        }
    }
}

impl FromRef<App> for Store {
    fn from_ref(app: &App) -> Self {
        app.store.clone()
    }
}

impl FromRef<App> for WebSettings {
    fn from_ref(app: &App) -> Self {
        app.web
    }
}

/// An [`App`] with what must live as long as it.
pub struct Booted {
    /// The parts.
    pub app: App,
    /// The tenant named on the command line.
    pub tenant: Tenant,
    // declared last, dropped last: PostgreSQL stops after everything that uses it
    _postgres: Option<LocalPostgres>,
}

/// A database that is up to date, with the private PostgreSQL that serves it, if it is one.
pub async fn open_database(common: &CommonArgs) -> anyhow::Result<(String, Option<LocalPostgres>)> {
    let (url, postgres) = if let Some(url) = &common.database_url {
        (url.clone(), None)
    } else {
        let options = LocalOptions {
            install: common.postgres_install(),
            directory: common.data_dir().postgres(),
            durable: true,
        };
        let postgres = tokio::task::spawn_blocking(move || LocalPostgres::start(&options)).await??;
        (postgres.database("plumbline").await?, Some(postgres))
    };
    Store::migrate(&url)
        .await
        .context("the database could not be brought up to date")?;
    Ok((url, postgres))
}

/// The embedding model, loaded, with a memory for questions.
pub async fn load_embedder(common: &CommonArgs) -> anyhow::Result<Arc<dyn Embedder>> {
    let (library, directory) = (common.onnx_runtime(), common.model_directory());
    let embedder = tokio::task::spawn_blocking(move || {
        init_runtime(&library)?;
        OnnxEmbedder::load(&OnnxOptions::new(directory))
    })
    .await??;
    Ok(Arc::new(QueryCache::new(Arc::new(embedder))))
}

/// The embedding model with the further ones of this machine and those of the endpoint; nothing is asked of them yet.
pub async fn load_embedders(common: &CommonArgs) -> anyhow::Result<Embedders> {
    let own = load_embedder(common).await?;
    let mut others = OnDemand::all(&common.embedding_directories(), &own)
        .context("a model in PLUMBLINE_EMBEDDING_DIRS cannot be used")?;
    others.extend(common.embedding.remote().connect(&own)?);
    Ok(Embedders::new(own, others)?)
}

/// The reranking model, if one is installed. ONNX Runtime is loaded already, with the embedding model.
pub async fn load_reranker(common: &CommonArgs) -> anyhow::Result<Option<Arc<dyn Reranker>>> {
    let Some(directory) = common.reranker_dir.clone() else {
        return Ok(None);
    };
    let loading = tokio::task::spawn_blocking(move || OnnxReranker::load(&OnnxOptions::new(directory)));
    let reranker = loading
        .await?
        .context("the model in PLUMBLINE_RERANKER_DIR cannot be used; without the variable none is")?;
    Ok(Some(Arc::new(reranker)))
}

/// How files are extracted: by this very program as a child process.
pub fn isolation(common: &CommonArgs) -> anyhow::Result<Isolation> {
    let mut isolation = Isolation::new(std::env::current_exe()?, ["extract-worker"]);
    isolation.limits = Limits {
        libpdfium: Some(common.pdfium_library()),
        ..Limits::default()
    };
    Ok(isolation)
}

/// The database and the files, without a model: what is enough to see that there is nothing to do.
pub struct Opened {
    /// Database.
    pub store: Store,
    /// Original files.
    pub blobs: BlobStore,
    /// The tenant named on the command line.
    pub tenant: Tenant,
    url: Secret,
    postgres: Option<LocalPostgres>,
}

/// Opens the database and the files.
pub async fn open(common: &CommonArgs) -> anyhow::Result<Opened> {
    let (url, postgres) = open_database(common).await?;
    let store = Store::connect(&url, 24).await?;
    let blobs = common.blobs()?;
    let mut tx = store.system().await?;
    let tenant = tx.ensure_tenant(&common.tenant, &common.tenant).await?;
    tx.commit().await?;
    Ok(Opened {
        store,
        blobs,
        tenant,
        url: Secret::presented(&url),
        postgres,
    })
}

/// Puts the parts together. Without `serve` the program neither listens nor sends.
pub async fn boot(common: &CommonArgs, serve: Option<&ServeArgs>) -> anyhow::Result<Booted> {
    boot_on(open(common).await?, common, serve).await
}

/// Puts the parts together on what was opened before.
pub async fn boot_on(
    opened: Opened,
    common: &CommonArgs,
    serve: Option<&ServeArgs>,
) -> anyhow::Result<Booted> {
    let Opened {
        store,
        blobs,
        tenant,
        url,
        postgres,
    } = opened;
    let data = common.data_dir();
    if let Err(error) = blobs.clear_abandoned().await {
        tracing::warn!(%error, "blob.spool.uncleared");
    }
    let embedders = load_embedders(common).await?;
    let embedder = Arc::clone(embedders.own());
    let searcher = Searcher::open(store.clone(), embedders.clone(), &data.index())?;
    let searcher = Arc::new(searcher.with_reranker(load_reranker(common).await?));
    let model = Arc::new(Extractive::new(Arc::clone(&embedder)));
    let answerer = Arc::new(Answerer::new(
        store.clone(),
        Arc::clone(&searcher),
        embedder,
        model,
    ));
    let pipeline = Pipeline::new(
        store.clone(),
        blobs.clone(),
        embedders.clone(),
        isolation(common)?,
    );
    let mut tx = store.system().await?;
    let number = serve.and_then(|serve| serve.whatsapp.phone_number_id.as_deref());
    let channel = match number {
        Some(number) => Some(tx.ensure_channel(tenant.id, number, "").await?),
        None => None,
    };
    tx.commit().await?;
    if let Some(channel) =
        channel.filter(|_| serve.is_some_and(|serve| serve.whatsapp.access_token.is_some()))
    {
        resume_sending(&store, &channel).await?;
    }
    let graph = serve.map(graph_client).transpose()?.flatten();
    let app = App {
        versions: VersionWatch::new(store.clone()),
        store,
        blobs,
        embedders,
        searcher,
        answerer,
        pipeline,
        graph,
        webhook: WebhookSecrets {
            app_secret: serve.and_then(|serve| serve.whatsapp.app_secret.clone()),
            verify_token: serve.and_then(|serve| serve.whatsapp.verify_token.clone()),
        },
        web: WebSettings {
            max_upload_bytes: serve.map_or(100, |serve| serve.max_upload_mib) << 20,
            max_upload_files: serve.map_or(50, |serve| serve.max_upload_files),
            https: serve.is_some_and(|serve| serve.https),
        },
        fake_graph: None,
        demo: None,
        work: WorkSettings {
            ambiguous_grace: Duration::from_secs(serve.map_or(60, |serve| serve.whatsapp.send_grace_seconds)),
            ..WorkSettings::default()
        },
        progress: ProgressBoard::default(),
        eval: Some(Arc::new(EvalProgram::beside_this_one(common, url)?)),
    };
    Ok(Booted {
        app,
        tenant,
        _postgres: postgres,
    })
}

/// A restart with an access token is how an admin mends a channel that was parked.
async fn resume_sending(store: &Store, channel: &plumbline_store::Channel) -> anyhow::Result<()> {
    if channel.parked_reason.is_some() {
        let mut tx = store.tenant(channel.tenant_id).await?;
        tx.park_channel(channel.id, None).await?;
        tx.hurry_jobs(plumbline_store::SEND_QUEUE).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn graph_client(serve: &ServeArgs) -> anyhow::Result<Option<Arc<GraphClient>>> {
    let whatsapp = &serve.whatsapp;
    let Some(token) = whatsapp.access_token.clone() else {
        return Ok(None);
    };
    let url = reqwest::Url::parse(&whatsapp.graph_url)
        .with_context(|| format!("WHATSAPP_GRAPH_URL {:?} is no address", whatsapp.graph_url))?;
    let http = crate::whatsapp::graph::http_client(&url)?;
    Ok(Some(Arc::new(GraphClient::new(
        http,
        url,
        whatsapp.graph_version.clone(),
        token,
    ))))
}
