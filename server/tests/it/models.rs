//! Another embedding model: its vectors are made while the present one answers, and the switch is one moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use plumbline_models::{Embedder, HashEmbedder};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::{FAQ, Server, reply};

const MODEL: &str = "remote";
const DIMENSION: usize = 48;

/// An endpoint that answers as many requests as it has permits for.
#[derive(Clone)]
struct Endpoint {
    address: String,
    open: Arc<Semaphore>,
    texts: Arc<AtomicUsize>,
}

impl Endpoint {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Self {
            address: format!("http://{}/v1", listener.local_addr().unwrap()),
            open: Arc::new(Semaphore::new(0)),
            texts: Arc::default(),
        };
        let router = Router::new()
            .route("/v1/embeddings", post(embeddings))
            .with_state(endpoint.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        endpoint
    }

    async fn server(&self) -> Server {
        let address = self.address.clone();
        Server::start_as(|common| {
            common.embedding.embedding_url = Some(address);
            common.embedding.embedding_models = Some(format!("{MODEL}={DIMENSION}"));
            common.embedding.embedding_max_tokens = 512;
        })
        .await
    }

    fn open(&self) {
        self.open.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    fn embedded(&self) -> usize {
        self.texts.load(Ordering::SeqCst)
    }
}

async fn embeddings(State(endpoint): State<Endpoint>, Json(body): Json<Value>) -> Json<Value> {
    endpoint.open.acquire().await.unwrap().forget();
    let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap();
    endpoint.texts.fetch_add(texts.len(), Ordering::SeqCst);
    let vectors = HashEmbedder::new(DIMENSION).embed(texts).await.unwrap();
    let data: Vec<Value> = (0..)
        .zip(vectors)
        .map(|(index, embedding): (usize, _)| json!({ "index": index, "embedding": embedding }))
        .collect();
    Json(json!({ "data": data }))
}

async fn model(server: &Server, name: &str) -> Value {
    let (status, models) = server.get("/v1/models").await;
    assert_eq!(status, StatusCode::OK, "{models}");
    let models = models.as_array().unwrap();
    models
        .iter()
        .find(|model| model["model"] == name)
        .unwrap()
        .clone()
}

async fn own(server: &Server) -> Value {
    let (_, models) = server.get("/v1/models").await;
    models[0].clone()
}

async fn search(server: &Server) -> Value {
    let ask = json!({ "query": "how much is delivery to Tamale?" });
    let (status, found) = server.post("/v1/search", &ask).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    assert!(
        found["hits"][0]["text"].as_str().unwrap().contains("Tamale"),
        "{found}"
    );
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_model_answers_until_the_new_one_has_every_window_and_is_kept_for_a_rollback() {
    let endpoint = Endpoint::start().await;
    let server = endpoint.server().await;
    server.upload_ready("faq.md", FAQ).await;
    let (status, refused) = server.post("/v1/models/rollback", &json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    let (status, refused) = server
        .post("/v1/models/switch", &json!({ "model": "else" }))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    assert!(refused["message"].as_str().unwrap().contains(MODEL), "{refused}");

    // while the endpoint holds its answers back, questions never meet it
    let (status, switch) = server.post("/v1/models/switch", &json!({ "model": MODEL })).await;
    assert_eq!(
        (status, &switch["state"]),
        (StatusCode::ACCEPTED, &json!("building")),
        "{switch}"
    );
    search(&server).await;
    let building = model(&server, MODEL).await;
    assert_eq!(
        (&building["wanted"], &building["in_force"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(own(&server).await["in_force"], true);
    assert_eq!(endpoint.embedded(), 0);

    // what is uploaded meanwhile has vectors of both
    let (status, _) = server
        .upload(
            "hours.md",
            b"# Sundays\n\nOn Sundays the shop in Tamale is closed.\n".to_vec(),
        )
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
    endpoint.open();
    server
        .eventually("the model is in force", async || {
            model(&server, MODEL).await["in_force"] == true
        })
        .await;
    server.idle().await;
    let mut tx = server.app.store.tenant(server.tenant).await.unwrap();
    let space = tx.space_of(MODEL).await.unwrap().unwrap();
    assert_eq!(tx.missing_windows(space).await.unwrap(), 0);
    tx.commit().await.unwrap();
    // the first question also finds out where the cosines of the model begin
    let answer = server.answer("what is the price of delivery to Tamale?").await;
    assert!(answer["text"].as_str().unwrap().contains("GHS 45"), "{answer}");
    let before = endpoint.embedded();
    search(&server).await;
    assert_eq!(
        endpoint.embedded(),
        before + 1,
        "the question went to the endpoint"
    );

    let (status, back) = server.post("/v1/models/rollback", &json!({})).await;
    assert_eq!(
        (status, &back["state"]),
        (StatusCode::ACCEPTED, &json!("in_force")),
        "{back}"
    );
    let before = endpoint.embedded();
    search(&server).await;
    assert_eq!(endpoint.embedded(), before, "the own model embeds again");
    assert_eq!(model(&server, MODEL).await["kept"], true);

    // forth again needs no work, and what is in force stays
    let (_, forth) = server.post("/v1/models/switch", &json!({ "model": MODEL })).await;
    assert_eq!(forth["state"], "in_force", "{forth}");
    let remove = server.request(Method::DELETE, &format!("/v1/models/{MODEL}"));
    assert_eq!(reply(remove).await.0, StatusCode::CONFLICT);
    server.post("/v1/models/rollback", &json!({})).await;
    let remove = server.request(Method::DELETE, &format!("/v1/models/{MODEL}"));
    assert_eq!(reply(remove).await.0, StatusCode::NO_CONTENT);
    assert_eq!(model(&server, MODEL).await["kept"], false);
    search(&server).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_cannot_name_a_model_that_windows_have_no_vectors_of() {
    let endpoint = Endpoint::start().await;
    let server = endpoint.server().await;
    server.upload_ready("faq.md", FAQ).await;
    let (_, settings) = server.get("/v1/settings").await;
    let mut wanted = settings["settings"].clone();
    wanted["retrieval"]["model"] = json!(MODEL);
    let change = json!({ "version": settings["version"], "settings": wanted });
    let (status, refused) = reply(server.request(Method::PUT, "/v1/settings").json(&change)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("plumbline models switch remote"),
        "{refused}"
    );
    search(&server).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_that_were_made_before_an_interruption_are_not_made_again() {
    let endpoint = Endpoint::start().await;
    let server = endpoint.server().await;
    let paragraph = |n: u32| {
        let text =
            format!("Article number {n} costs GHS {n} in every shop of the country, batteries included. ");
        format!("# Item {n}\n\n{}", text.repeat(4))
    };
    let long = (0..300).map(paragraph).collect::<Vec<_>>().join("\n\n");
    server.upload_ready("prices.md", &long).await;
    let mut tx = server.app.store.tenant(server.tenant).await.unwrap();
    let space = tx.ensure_space(MODEL, DIMENSION).await.unwrap();
    let missing = usize::try_from(tx.missing_windows(space).await.unwrap()).unwrap();
    let version = tx.unembedded_version(space).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert!(missing > 200, "{missing}");

    endpoint.open.add_permits(2);
    let pipeline = server.app.pipeline.clone();
    let tenant = server.tenant;
    let filling = tokio::spawn(async move { pipeline.fill_version(tenant, version, MODEL).await });
    server
        .eventually("some vectors are kept", async || {
            let mut tx = server.app.store.tenant(tenant).await.unwrap();
            tx.missing_windows(space).await.unwrap() < i64::try_from(missing).unwrap()
        })
        .await;
    filling.abort();
    assert!(filling.await.is_err(), "it was interrupted, not done");
    let made = endpoint.embedded();
    assert!(made < missing);

    let (_, switch) = server.post("/v1/models/switch", &json!({ "model": MODEL })).await;
    assert_eq!(switch["windows_missing"], json!(missing - made), "{switch}");
    endpoint.open();
    server
        .eventually("the model is in force", async || {
            model(&server, MODEL).await["in_force"] == true
        })
        .await;
    let state = model(&server, MODEL).await;
    assert_eq!(state["windows_done"], json!(missing), "{state}");
    server.end().await;
}
