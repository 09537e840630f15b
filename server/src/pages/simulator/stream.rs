//! The live side of the chat as server-sent events.
//!
//! A stream begins with the latest bubbles and their ticks, which a page that has them already ignores. So nothing that
//! happened between loading the page and opening the stream, or while a connection was down, is missed.
//!
//! An open page must not keep the server from ending: a stream ends with the [`CancellationToken`] that the server puts
//! into its requests.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use serde_json::json;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

use super::view::{Bubble, BubblePart, Tick};
use super::{bubbles, customer};
use crate::app::App;
use crate::pages::session::Viewer;
use crate::pages::trouble::Trouble;
use crate::simulator::graph::{FakeEvent, FakeGraph};

/// Bubbles repeated at the beginning of a stream.
const REPEATED: usize = 50;

/// `GET /simulator/events`
pub async fn events(
    State(app): State<App>,
    _viewer: Viewer,
    stop: Option<Extension<CancellationToken>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Trouble> {
    let graph = app.fake_graph.clone().ok_or(Trouble::NoSimulator)?;
    let stopped = async move {
        match stop {
            Some(Extension(stop)) => stop.cancelled().await,
            None => std::future::pending().await,
        }
    };
    let chat = chat(&graph, customer(&headers)).take_until(stopped);
    Ok(Sse::new(chat).keep_alive(KeepAlive::default()))
}

fn chat(graph: &Arc<FakeGraph>, customer: String) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    // subscribed before the past is read: an event in between comes twice, not never
    let live = BroadcastStream::new(graph.subscribe());
    let past = bubbles(graph.chat(&customer));
    let skipped = past.len().saturating_sub(REPEATED);
    let past: Vec<Event> = past.into_iter().skip(skipped).flat_map(repeat).collect();
    let live = live.filter_map(move |event| {
        let told = match event {
            Ok(event) if event.customer() == customer => tell(event),
            Ok(_) => None,
            // the page fell behind; it has to load itself again
            Err(_) => Some(Event::default().event("reload").data("chat")),
        };
        std::future::ready(told)
    });
    stream::iter(past).chain(live).map(Ok)
}

fn repeat(bubble: Bubble) -> Vec<Event> {
    let tick = bubble.mine.then(|| ticked(&bubble.wamid, bubble.tick));
    drawn(bubble).into_iter().chain(tick).collect()
}

fn tell(event: FakeEvent) -> Option<Event> {
    match event {
        FakeEvent::CustomerMessage { wamid, text, at, .. } => {
            drawn(Bubble::new(&wamid, true, &text, Tick::Sent, at))
        }
        FakeEvent::BusinessMessage { wamid, text, at, .. } => {
            drawn(Bubble::new(&wamid, false, &text, Tick::Read, at))
        }
        FakeEvent::Read { wamid, .. } => Some(ticked(&wamid, Tick::Read)),
        // an event without data is none to a browser
        FakeEvent::Typing { .. } => Some(Event::default().event("typing").data("business")),
        // what became of our own message is the business's side of the chat
        FakeEvent::Status { .. } => None,
    }
}

fn drawn(bubble: Bubble) -> Option<Event> {
    match (BubblePart { bubble }).render() {
        Ok(html) => Some(Event::default().event("bubble").data(html)),
        Err(error) => {
            tracing::error!(%error, "pages.bubble.failed");
            None
        }
    }
}

fn ticked(wamid: &str, tick: Tick) -> Event {
    Event::default()
        .event("tick")
        .data(json!({ "wamid": wamid, "state": tick.to_string() }).to_string())
}
