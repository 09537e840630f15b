//! A whole server on a fresh database.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plumbline_ingest::{Isolation, Limits, Pipeline};
use plumbline_server::app::{App, Booted, boot};
use plumbline_server::config::{CommonArgs, EmbeddingArgs, S3Args, ServeArgs, WhatsappArgs};
use plumbline_server::simulator::graph::{FakeGraph, FakeGraphOptions, StatusDelays};
use plumbline_server::whatsapp::graph::{GraphClient, http_client};
use plumbline_store::testing::{TestDatabase, find_runtime};
use plumbline_store::{Secret, Settings};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) const NUMBER: &str = "106540352242922";
pub(crate) const APP_SECRET: &str = "an app secret of the tests";
pub(crate) const ACCESS_TOKEN: &str = "EAA-token-of-the-tests";
pub(crate) const CUSTOMER: &str = "233200000001";

/// What every question of these tests is about.
pub(crate) const FAQ: &str = "# Delivery\n\nDelivery to Tamale costs GHS 45 and takes three days.\n\n\
    # Warranty\n\nThe battery of the kit has a warranty of 24 months from the day of purchase.\n\n\
    # Opening hours\n\nThe shop in Kumasi opens at 08:30 on weekdays and at 09:00 on Saturdays.\n";

/// A server that listens, with its fake Graph server.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) tenant: Uuid,
    pub(crate) address: String,
    pub(crate) key: Secret,
    pub(crate) fake: Arc<FakeGraph>,
    pub(crate) http: Client,
    database: TestDatabase,
    booted: Option<Booted>,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<anyhow::Result<()>>,
    _data: tempfile::TempDir,
}

/// The arguments of a program that works on `url`.
pub(crate) fn common(url: &str, data: PathBuf) -> CommonArgs {
    CommonArgs {
        data,
        database_url: Some(url.to_owned()),
        runtime: find_runtime(),
        model_dir: None,
        embedding_dirs: None,
        reranker_dir: None,
        onnx_library: None,
        pdfium: None,
        pg_dir: None,
        tenant: "default".to_owned(),
        s3: S3Args::default(),
        embedding: EmbeddingArgs::default(),
    }
}

pub(crate) fn serve_args() -> ServeArgs {
    ServeArgs {
        listen: ([127, 0, 0, 1], 0).into(),
        https: false,
        max_upload_mib: 2,
        max_upload_files: 5,
        whatsapp: WhatsappArgs {
            app_secret: Some(Secret::presented(APP_SECRET)),
            verify_token: Some(Secret::presented("a verify token")),
            access_token: None,
            phone_number_id: Some(NUMBER.to_owned()),
            graph_url: "http://127.0.0.1:1".to_owned(),
            graph_version: "v23.0".to_owned(),
            send_grace_seconds: 2,
        },
    }
}

impl Server {
    /// A server without documents.
    pub(crate) async fn start() -> Self {
        Self::start_with(S3Args::default()).await
    }

    /// A server that keeps its files as `s3` says.
    pub(crate) async fn start_with(s3: S3Args) -> Self {
        Self::start_as(|common| common.s3 = s3).await
    }

    /// A server with other arguments.
    pub(crate) async fn start_as(change: impl FnOnce(&mut CommonArgs)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = TestDatabase::create().await.unwrap();
        let data = tempfile::tempdir().unwrap();
        let mut common = common(database.url(), data.path().to_owned());
        change(&mut common);
        let booted = boot(&common, Some(&serve_args())).await.unwrap();
        let (mut app, tenant) = (booted.app.clone(), booted.tenant.id);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let fake = fake_graph(&address).await;
        app.graph = Some(Arc::new(graph_client(&fake)));
        // the test program is not `plumbline`, which files are read by
        let mut isolation = Isolation::new(env!("CARGO_BIN_EXE_plumbline"), ["extract-worker"]);
        isolation.limits = Limits {
            libpdfium: Some(common.pdfium_library()),
            ..Limits::default()
        };
        app.pipeline = Pipeline::new(
            app.store.clone(),
            app.blobs.clone(),
            app.embedders.clone(),
            isolation,
        );
        let key = configure(&app, tenant).await;
        let stop = CancellationToken::new();
        let serving = tokio::spawn(plumbline_server::serve_on(
            app.clone(),
            listener,
            true,
            stop.clone(),
        ));
        let http = Client::builder().no_proxy().build().unwrap();
        let booted = Some(booted);
        Self {
            app,
            tenant,
            address,
            key,
            fake,
            http,
            database,
            booted,
            stop,
            serving,
            _data: data,
        }
    }

    /// A server that can answer questions about [`FAQ`].
    pub(crate) async fn with_faq() -> Self {
        let server = Self::start().await;
        server.upload_ready("faq.md", FAQ).await;
        server
    }

    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.address))
            .bearer_auth(self.key.expose())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        reply(self.request(reqwest::Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        reply(self.request(reqwest::Method::POST, path).json(body)).await
    }

    pub(crate) async fn upload(&self, name: &str, bytes: Vec<u8>) -> (StatusCode, Value) {
        let part = reqwest::multipart::Part::bytes(bytes).file_name(name.to_owned());
        let form = reqwest::multipart::Form::new().part("file", part);
        reply(
            self.request(reqwest::Method::POST, "/v1/documents")
                .multipart(form),
        )
        .await
    }

    /// Uploads a text and waits until it answers; returns the document's id.
    pub(crate) async fn upload_ready(&self, name: &str, text: &str) -> String {
        let (status, body) = self.upload(name, text.as_bytes().to_vec()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
        let document = body["files"][0]["document_id"].as_str().unwrap().to_owned();
        let version = body["files"][0]["version_id"].clone();
        self.eventually("the document is live", async || {
            let (_, document) = self.get(&format!("/v1/documents/{document}")).await;
            document["live_version_id"] == version
        })
        .await;
        document
    }

    pub(crate) async fn answer(&self, question: &str) -> Value {
        let (status, answer) = self.post("/v1/answer", &json!({ "question": question })).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// Waits for `condition`, a minute at most: long enough for a machine under load, never a measure of speed.
    pub(crate) async fn eventually(&self, what: &str, condition: impl AsyncFn() -> bool) {
        for _ in 0..600 {
            if condition().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("never happened: {what}");
    }

    /// Waits until `count` messages reached the customer, and nothing more is on its way.
    pub(crate) async fn replies(&self, count: usize) -> Vec<String> {
        self.eventually("the replies arrive", async || self.fake.messages().len() >= count)
            .await;
        self.idle().await;
        self.fake
            .messages()
            .into_iter()
            .map(|message| message.text)
            .collect()
    }

    /// Waits until no job is queued or running.
    pub(crate) async fn idle(&self) {
        self.eventually("the queues are empty", async || {
            let mut tx = self.app.store.system().await.unwrap();
            let depths = tx.queue_depths().await.unwrap();
            depths.iter().all(|depth| depth.state == "dead")
        })
        .await;
    }

    /// The database, for programs beside the server.
    pub(crate) fn database_url(&self) -> &str {
        self.database.url()
    }

    /// Ends every connection to the database, as a restart of PostgreSQL would.
    pub(crate) async fn break_connections(&self) {
        self.database.break_connections().await.unwrap();
    }

    /// Stops everything; fails when a job was given up on the way.
    pub(crate) async fn end(mut self) {
        self.fake.stop().await;
        self.stop.cancel();
        self.serving.await.unwrap().unwrap();
        let mut tx = self.app.store.tenant(self.tenant).await.unwrap();
        let dead = tx.dead_jobs(10).await.unwrap();
        assert!(dead.is_empty(), "jobs were given up: {dead:?}");
        drop(tx);
        self.app.store.close().await;
        drop(self.app);
        self.booted.take();
        self.database.drop().await.unwrap();
    }
}

pub(crate) async fn reply(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.bytes().await.unwrap();
    (
        status,
        serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned())),
    )
}

pub(crate) async fn fake_graph(address: &str) -> Arc<FakeGraph> {
    let webhook = Url::parse(&format!("{address}/webhook")).unwrap();
    let mut options = FakeGraphOptions::new(
        webhook,
        Secret::presented(APP_SECRET),
        NUMBER,
        Secret::presented(ACCESS_TOKEN),
    );
    options.status_delays = StatusDelays::NONE;
    Arc::new(FakeGraph::start(options).await.unwrap())
}

pub(crate) fn graph_client(fake: &FakeGraph) -> GraphClient {
    let url = fake.base_url();
    GraphClient::new(
        http_client(&url).unwrap(),
        url,
        "v23.0",
        Secret::presented(ACCESS_TOKEN),
    )
}

/// An API key, and a debounce short enough for tests.
pub(crate) async fn configure(app: &App, tenant: Uuid) -> Secret {
    let mut tx = app.store.tenant(tenant).await.unwrap();
    let mut settings = Settings::default();
    settings.conversation.debounce_ms = 200;
    settings.conversation.debounce_max_ms = 1_000;
    tx.save_settings(&settings, "tests").await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = app.store.system().await.unwrap();
    let key = tx.create_api_key(tenant, "tests").await.unwrap();
    tx.commit().await.unwrap();
    key
}
