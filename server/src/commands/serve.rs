//! `plumbline serve` and `plumbline work`.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio_util::sync::CancellationToken;

use crate::app::{App, boot};
use crate::config::{CommonArgs, ServeArgs};
use crate::{http, worker};

pub(crate) async fn serve(common: &CommonArgs, serve: &ServeArgs, work: bool) -> anyhow::Result<ExitCode> {
    let booted = boot(common, Some(serve)).await?;
    tracing::info!(address = %serve.listen, tenant = booted.tenant.slug, work, "server.start");
    warn_about_whatsapp(serve);
    run(booted.app.clone(), serve.listen, work, stop_on_signal()).await?;
    booted.app.store.close().await;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn work(common: &CommonArgs, serve: &ServeArgs) -> anyhow::Result<ExitCode> {
    let booted = boot(common, Some(serve)).await?;
    tracing::info!(tenant = booted.tenant.slug, "worker.start");
    warn_about_whatsapp(serve);
    worker::run(booted.app.clone(), stop_on_signal()).await;
    booted.app.store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn warn_about_whatsapp(serve: &ServeArgs) {
    let whatsapp = &serve.whatsapp;
    let settings = [
        ("WHATSAPP_APP_SECRET", whatsapp.app_secret.is_some()),
        ("WHATSAPP_VERIFY_TOKEN", whatsapp.verify_token.is_some()),
        ("WHATSAPP_ACCESS_TOKEN", whatsapp.access_token.is_some()),
        ("WHATSAPP_PHONE_NUMBER_ID", whatsapp.phone_number_id.is_some()),
    ];
    let missing: Vec<&str> = settings
        .iter()
        .filter(|(_, set)| !set)
        .map(|(name, _)| *name)
        .collect();
    if !missing.is_empty() {
        tracing::warn!(missing = missing.join(", "), "WhatsApp is not fully configured");
    }
}

/// Listens until `stop`, then ends what is under way.
pub(crate) async fn run(
    app: App,
    listen: SocketAddr,
    work: bool,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; choose another address with --listen"))?;
    serve_on(app, listener, work, stop).await
}

/// Serves on a socket that is bound already, until `stop`; with `work`, the workers run too.
pub async fn serve_on(
    app: App,
    listener: tokio::net::TcpListener,
    work: bool,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let metrics = PrometheusBuilder::new().install_recorder().ok();
    let background = {
        let (app, stop) = (app.clone(), stop.clone());
        tokio::spawn(async move {
            if work {
                worker::run(app, stop).await;
            }
        })
    };
    let following = tokio::spawn(follow(app.clone(), stop.clone()));
    let warming = app.answerer.clone();
    tokio::spawn(async move { warming.warm_up().await });
    let quiet = stop.clone();
    axum::serve(listener, http::router(app, metrics))
        .with_graceful_shutdown(async move { quiet.cancelled().await })
        .await?;
    stop.cancel();
    background.await?;
    following.abort();
    Ok(())
}

/// Keeps the lexical indexes current, whatever happens to the connection.
async fn follow(app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = app.searcher.follow().await {
            tracing::warn!(%error, "retrieval.follow.failed");
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        }
    }
}

/// Cancelled by Ctrl-C or SIGTERM; a second one ends the program at once.
pub(crate) fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let cancel = stop.clone();
    tokio::spawn(async move {
        signal().await;
        cancel.cancel();
        signal().await;
        std::process::exit(130);
    });
    stop
}

async fn signal() {
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    match terminate {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
