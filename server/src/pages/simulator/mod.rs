//! A chat with the business as a customer has it on WhatsApp, and beside it why each answer was given.
//!
//! The page is a window onto the fake Graph server: what the customer writes leaves it as a signed webhook, and what
//! appears was posted to it by the real Graph client. Nothing here answers a question.

mod stream;
pub mod view;

use std::sync::LazyLock;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;
use uuid::Uuid;

pub use stream::events;
use view::{Bubble, SimulatorPage, Tick};

use super::evidence::view::Evidence;
use super::layout::Tab;
use super::session::{Viewer, cookie, set_cookie};
use super::trouble::Trouble;
use super::{evidence, wants_part};
use crate::app::App;
use crate::simulator::graph::FakeEvent;

/// Name of the cookie that says which customer this browser is.
const CUSTOMER_COOKIE: &str = "plumbline_customer";
/// The customer of a client that keeps no cookies.
const FIRST_CUSTOMER: &str = "233200000100";
const CUSTOMER_NAME: &str = "Ama";
/// Longest message in bytes; WhatsApp takes 4,096 characters.
const LONGEST: usize = 16_384;

/// What people may want to ask the business of the golden corpus.
const STARTERS: &[&str] = &[
    "Can I reserve a product?",
    "Which payment methods do you take?",
    "Can a student take a plan?",
    "Who won the match yesterday?",
    "I want to talk to a person",
];

/// A message as typed, or one of the questions offered.
#[derive(Debug, Deserialize)]
pub struct Said {
    #[serde(default)]
    text: String,
    #[serde(default)]
    starter: String,
}

/// Tells this run of the program from earlier ones: the store may remember their customers, handed to a person long ago,
/// while the fake Graph server has forgotten the chats.
static RUN: LazyLock<String> = LazyLock::new(|| Uuid::new_v4().simple().to_string());

/// Which customer this browser became in this run.
fn known_customer(headers: &HeaderMap) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    let (digits, run) = jar.get(CUSTOMER_COOKIE)?.value().split_once('.')?;
    let is_number = (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && run == *RUN).then(|| digits.to_owned())
}

/// Which customer this browser is.
fn customer(headers: &HeaderMap) -> String {
    known_customer(headers).unwrap_or_else(|| FIRST_CUSTOMER.to_owned())
}

/// The chat as bubbles, oldest first.
fn bubbles(chat: Vec<FakeEvent>) -> Vec<Bubble> {
    let mut bubbles: Vec<Bubble> = Vec::new();
    for event in chat {
        match event {
            FakeEvent::CustomerMessage { wamid, text, at, .. } => {
                bubbles.push(Bubble::new(&wamid, true, &text, Tick::Sent, at));
            }
            FakeEvent::BusinessMessage { wamid, text, at, .. } => {
                bubbles.push(Bubble::new(&wamid, false, &text, Tick::Read, at));
            }
            FakeEvent::Read { wamid, .. } => {
                if let Some(bubble) = bubbles.iter_mut().rev().find(|bubble| bubble.wamid == wamid) {
                    bubble.tick = Tick::Read;
                }
            }
            FakeEvent::Typing { .. } | FakeEvent::Status { .. } => {}
        }
    }
    bubbles
}

/// The evidence of the latest answer in the chat.
async fn latest_evidence(
    app: &App,
    viewer: &Viewer,
    bubbles: &[Bubble],
) -> Result<Option<Evidence>, Trouble> {
    let Some(last) = bubbles.iter().rev().find(|bubble| !bubble.mine) else {
        return Ok(None);
    };
    let part = app
        .store
        .tenant(viewer.tenant.id)
        .await?
        .part_by_wamid(&last.wamid)
        .await?;
    match part.and_then(|part| part.answer_id) {
        Some(answer) => Ok(Some(evidence::load(&app.store, viewer, answer).await?)),
        None => Ok(None),
    }
}

/// `GET /simulator`
pub async fn show(State(app): State<App>, viewer: Viewer, headers: HeaderMap) -> Result<Response, Trouble> {
    let graph = app.fake_graph.clone().ok_or(Trouble::NoSimulator)?;
    let known = known_customer(&headers);
    let bubbles = known
        .as_deref()
        .map(|customer| bubbles(graph.chat(customer)))
        .unwrap_or_default();
    let evidence = latest_evidence(&app, &viewer, &bubbles).await?;
    let business = viewer.tenant.name.clone();
    let page = SimulatorPage {
        shell: viewer.shell(Tab::Simulator),
        initial: business
            .chars()
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .collect(),
        business,
        starters: if app.demo.is_some() && bubbles.is_empty() {
            STARTERS
        } else {
            &[]
        },
        bubbles,
        evidence,
        blank_title: "The evidence appears here",
        blank_text: "Ask something as a customer. For each answer you see what it rests on, sentence by sentence, \
                     what the search found, and how long it took.",
    };
    let page = Html(page.render()?);
    Ok(match known {
        Some(_) => page.into_response(),
        None => (somebody_new(&app), page).into_response(),
    })
}

/// `POST /simulator/messages`
pub async fn say(
    State(app): State<App>,
    _viewer: Viewer,
    headers: HeaderMap,
    Form(said): Form<Said>,
) -> Result<Response, Trouble> {
    let graph = app.fake_graph.clone().ok_or(Trouble::NoSimulator)?;
    let text = if said.starter.is_empty() {
        said.text.trim()
    } else {
        said.starter.trim()
    };
    if text.len() > LONGEST {
        return Err(Trouble::Conflict(
            "a WhatsApp message has at most 4,096 characters".to_owned(),
        ));
    }
    if !text.is_empty() {
        graph.customer_says(&customer(&headers), CUSTOMER_NAME, text);
    }
    Ok(if wants_part(&headers) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        to_chat()
    })
}

/// `POST /simulator/new`: this browser becomes another customer, with an empty chat.
pub async fn start_over(State(app): State<App>, _viewer: Viewer) -> Response {
    (somebody_new(&app), to_chat()).into_response()
}

/// The cookie of a customer whom nobody knows yet.
fn somebody_new(app: &App) -> [(HeaderName, String); 1] {
    let number = Uuid::new_v4().as_u128() % 10_000_000;
    let value = format!("23320{number:07}.{}", *RUN);
    set_cookie(cookie(CUSTOMER_COOKIE, &value, 24 * 3_600, app.web.https))
}

fn to_chat() -> Response {
    Redirect::to("/simulator").into_response()
}
