//! `plumbline demo`: everything on one machine, with a simulator in place of WhatsApp.
//!
//! Nothing in here is a shortcut: a message of the simulator travels as a signed webhook, the reply goes out through
//! the Graph client to a local Graph server, and its statuses come back as signed webhooks.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use plumbline_store::{Secret, Tenant};
use reqwest::Url;
use tokio_util::sync::CancellationToken;

use super::stop::{close, interrupted};
use super::{ingest, serve};
use crate::app::{App, boot};
use crate::config::CommonArgs;
use crate::password;
use crate::simulator::graph::{FakeGraph, FakeGraphOptions};
use crate::whatsapp::graph::{GraphClient, http_client};

const PHONE_NUMBER_ID: &str = "100000000000001";
const DISPLAY_NUMBER: &str = "+233 30 000 0000";
const ADMIN: &str = "admin@example.com";
/// Name of the demo's API key; every start revokes the earlier ones.
const KEY_NAME: &str = "demo";

pub(crate) async fn run(
    common: &CommonArgs,
    listen: SocketAddr,
    corpus: &Path,
    business: &str,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    // Bound before anything slow: a port that is taken is told at once.
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; choose another address with --listen"))?;
    let address = format!("http://{}", listener.local_addr()?);
    eprintln!("starting PostgreSQL and loading the model …");
    let Some(booted) = stop.run_until_cancelled(boot(common, None)).await else {
        return Ok(interrupted());
    };
    let mut booted = booted?;
    let files = ingest::find_files(&[corpus.to_owned()])?;
    eprintln!("reading {} documents of {} …", files.len(), corpus.display());
    let report = ingest::Report::bars();
    let ended = ingest::ingest(&booted.app, booted.tenant.id, &files, None, &report, &stop).await?;
    let ingest::Ended::All { failed } = ended else {
        close(&booted.app.store).await;
        return Ok(interrupted());
    };
    for line in failed {
        eprintln!("  not searchable: {line}");
    }
    let access = prepare(&booted.app, &booted.tenant, business).await?;
    let meta = Meta {
        app_secret: Secret::random("")?,
        access_token: Secret::random("EAA")?,
    };
    let fake = start_graph(&address, &meta).await?;
    connect(&mut booted.app, &booted.tenant, &fake, meta)?;
    println!(
        "\nPlumbline is ready after {:.1} s.\n",
        began.elapsed().as_secs_f64()
    );
    println!("  simulator   {address}/simulator      chat as a customer");
    println!(
        "  documents   {address}/documents      sign in as {ADMIN} with {}",
        access.password.expose()
    );
    println!(
        "  API         {address}/openapi.json   Authorization: Bearer {}",
        access.key.expose()
    );
    println!("\nCtrl-C stops everything.");
    serve::serve_on(booted.app.clone(), listener, true, stop).await?;
    fake.stop().await;
    close(&booted.app.store).await;
    eprintln!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// What one signs in with.
struct Access {
    password: Secret,
    key: Secret,
}

/// A channel, a sign-in, an API key and the business's name; fresh secrets at every start.
async fn prepare(app: &App, tenant: &Tenant, business: &str) -> anyhow::Result<Access> {
    let password: String = Secret::random("")?.expose().chars().take(16).collect();
    let hash =
        password::hash(&password).map_err(|error| anyhow::anyhow!("cannot hash a password: {error}"))?;
    let mut tx = app.store.system().await?;
    tx.ensure_channel(tenant.id, PHONE_NUMBER_ID, DISPLAY_NUMBER)
        .await?;
    tx.put_admin(tenant.id, ADMIN, &hash).await?;
    for key in tx.api_keys(tenant.id).await? {
        if key.name == KEY_NAME {
            tx.revoke_api_key(tenant.id, key.id).await?;
        }
    }
    let key = tx.create_api_key(tenant.id, KEY_NAME).await?;
    tx.commit().await?;
    let mut tx = app.store.tenant(tenant.id).await?;
    let mut settings = tx.settings().await?.settings;
    if settings.answer.business_name != business {
        business.clone_into(&mut settings.answer.business_name);
        tx.save_settings(&settings, "name of the business in the demo")
            .await?;
    }
    tx.commit().await?;
    Ok(Access {
        password: Secret::presented(password),
        key,
    })
}

/// The secrets that Meta and the server share.
struct Meta {
    app_secret: Secret,
    access_token: Secret,
}

async fn start_graph(address: &str, meta: &Meta) -> anyhow::Result<Arc<FakeGraph>> {
    let webhook = Url::parse(&format!("{address}/webhook"))?;
    let mut options = FakeGraphOptions::new(
        webhook,
        meta.app_secret.clone(),
        PHONE_NUMBER_ID,
        meta.access_token.clone(),
    );
    DISPLAY_NUMBER.clone_into(&mut options.display_phone_number);
    Ok(Arc::new(
        FakeGraph::start(options)
            .await
            .context("the simulator's Graph server did not start")?,
    ))
}

/// Ties the server to the fake Graph server as it would be to the real one.
fn connect(app: &mut App, tenant: &Tenant, fake: &Arc<FakeGraph>, meta: Meta) -> anyhow::Result<()> {
    let url = fake.base_url();
    let graph = GraphClient::new(http_client(&url)?, url, "v23.0", meta.access_token);
    app.graph = Some(Arc::new(graph));
    app.webhook.app_secret = Some(meta.app_secret);
    app.fake_graph = Some(Arc::clone(fake));
    app.demo = Some(tenant.id);
    Ok(())
}
