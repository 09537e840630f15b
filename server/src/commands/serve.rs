//! `plumbline serve` and `plumbline work`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use axum::Extension;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use super::stop::{close, interrupted};
use crate::app::{App, boot};
use crate::config::{CommonArgs, ServeArgs, WhatsappArgs};
use crate::{http, worker};

/// How long requests and jobs may take to end after the signal to stop.
const DRAIN: Duration = Duration::from_secs(10);

pub(crate) async fn serve(
    common: &CommonArgs,
    serve: &ServeArgs,
    work: bool,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let Some(booted) = stop.run_until_cancelled(boot(common, Some(serve))).await else {
        return Ok(interrupted());
    };
    let booted = booted?;
    tracing::info!(address = %serve.listen, tenant = booted.tenant.slug, work, "server.start");
    warn_about_whatsapp(serve);
    run(booted.app.clone(), serve.listen, work, stop).await?;
    close(&booted.app.store).await;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn work(
    common: &CommonArgs,
    serve: &ServeArgs,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let Some(booted) = stop.run_until_cancelled(boot(common, Some(serve))).await else {
        return Ok(interrupted());
    };
    let booted = booted?;
    tracing::info!(tenant = booted.tenant.slug, "worker.start");
    warn_about_whatsapp(serve);
    drained(worker::run(booted.app.clone(), stop.clone()), &stop).await;
    close(&booted.app.store).await;
    Ok(ExitCode::SUCCESS)
}

fn warn_about_whatsapp(serve: &ServeArgs) {
    let missing = missing_settings(&serve.whatsapp);
    if !missing.is_empty() {
        tracing::warn!(missing = missing.join(", "), "WhatsApp is not fully configured");
    }
}

/// Names of the settings without which no message comes in or goes out.
pub(super) fn missing_settings(whatsapp: &WhatsappArgs) -> Vec<&'static str> {
    let settings = [
        ("WHATSAPP_APP_SECRET", whatsapp.app_secret.is_some()),
        ("WHATSAPP_VERIFY_TOKEN", whatsapp.verify_token.is_some()),
        ("WHATSAPP_ACCESS_TOKEN", whatsapp.access_token.is_some()),
        ("WHATSAPP_PHONE_NUMBER_ID", whatsapp.phone_number_id.is_some()),
    ];
    let missing = settings.into_iter().filter(|(_, set)| !set);
    missing.map(|(name, _)| name).collect()
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
    let tidying = tokio::spawn(tidy_metrics(metrics.clone()));
    let warming = app.answerer.clone();
    tokio::spawn(async move { warming.warm_up().await });
    // streams of open pages end with the token, see the simulator's
    let router = http::router(app, metrics).layer(Extension(stop.clone()));
    let served = async {
        axum::serve(listener, router)
            .with_graceful_shutdown(stop.clone().cancelled_owned())
            .await?;
        stop.cancel();
        background.await?;
        Ok(())
    };
    let ended = drained(served, &stop).await;
    following.abort();
    tidying.abort();
    ended.unwrap_or(Ok(()))
}

/// Folds the samples of histograms now and then: they would grow for ever where nobody reads the metrics.
async fn tidy_metrics(metrics: Option<PrometheusHandle>) {
    let Some(metrics) = metrics else {
        return;
    };
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        metrics.run_upkeep();
    }
}

/// Waits for the end of `work`, but after `stop` no longer than [`DRAIN`]. What is cut off there comes back: requests are
/// repeated by whoever made them, jobs when their lease runs out.
async fn drained<T>(work: impl Future<Output = T>, stop: &CancellationToken) -> Option<T> {
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        ended = work => Some(ended),
        () = late => {
            tracing::warn!(seconds = DRAIN.as_secs(), "server.drain.cut_off");
            None
        }
    }
}

/// Keeps the lexical indexes current, whatever happens to the connection.
async fn follow(app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = app.searcher.follow().await {
            tracing::warn!(%error, "retrieval.follow.failed");
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }
}
