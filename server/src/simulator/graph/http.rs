//! The API as the Graph client sees it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use serde_json::{Value, json};

use super::script::Step;
use super::state::Recorded;
use super::statuses::{self, Course};
use super::validate::{self, Refusal};
use super::{Shared, wire};

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/{version}/{phone_number_id}/messages", post(messages))
        .with_state(shared)
}

async fn messages(
    State(shared): State<Arc<Shared>>,
    Path((version, phone_number_id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&shared, &headers)?;
    if !is_version(&version) {
        return Err(Refusal::unknown_path());
    }
    if phone_number_id != shared.options.phone_number_id {
        return Err(Refusal::unknown_object(&phone_number_id));
    }
    let body: Value = serde_json::from_slice(&body).map_err(|_| Refusal::no_json())?;
    validate::product(&body)?;
    if body["status"].is_null() {
        send(&shared, body).await
    } else {
        read(&shared, &body)
    }
}

fn authorize(shared: &Shared, headers: &HeaderMap) -> Result<(), Refusal> {
    let expected = format!("Bearer {}", shared.options.access_token.expose());
    let presented = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if presented == Some(expected.as_str()) {
        Ok(())
    } else {
        Err(Refusal::bad_token())
    }
}

/// `v23.0` and the like.
fn is_version(text: &str) -> bool {
    let numbers = text.strip_prefix('v').and_then(|numbers| numbers.split_once('.'));
    numbers.is_some_and(|(major, minor)| major.parse::<u32>().is_ok() && minor.parse::<u32>().is_ok())
}

/// A read receipt, perhaps with the typing indicator.
fn read(shared: &Shared, body: &Value) -> Result<Response, Refusal> {
    let wamid = validate::receipt(body)?;
    let said = shared.state.said(wamid).ok_or_else(Refusal::unknown_message)?;
    shared.state.read(
        wamid,
        said.customer.address(),
        !body["typing_indicator"].is_null(),
    );
    Ok(Json(json!({ "success": true })).into_response())
}

/// A business message meets its fate.
async fn send(shared: &Arc<Shared>, body: Value) -> Result<Response, Refusal> {
    validate::message(&body)?;
    let accept = |course| accept(shared, &body, course);
    match shared.state.next_step() {
        Step::Accept => Ok(accept(Course::Usual)),
        Step::Statuses(statuses) => Ok(accept(Course::Scripted(statuses))),
        Step::FailLater(code) => Ok(accept(Course::Fails(code))),
        Step::Delay(wait) => {
            let answer = accept(Course::Usual);
            // a stop must not wait for it
            shared
                .stopping
                .run_until_cancelled(tokio::time::sleep(wait))
                .await;
            Ok(answer)
        }
        Step::StatusesFirst => {
            let message = record(shared, &body);
            shared
                .stopping
                .run_until_cancelled(statuses::follow(shared, &message, &Course::Usual))
                .await;
            Ok(Json(wire::accepted(&message)).into_response())
        }
        Step::AcceptThenDrop => {
            accept(Course::Usual);
            Ok(broken())
        }
        Step::Drop => Ok(broken()),
        Step::NoBody(status) => Ok(http_status(status).into_response()),
        Step::Refuse {
            status,
            code,
            retry_after,
        } => {
            let mut response = Refusal::scripted(http_status(status), code).into_response();
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            Ok(response)
        }
    }
}

fn accept(shared: &Arc<Shared>, body: &Value, course: Course) -> Response {
    let message = record(shared, body);
    let response = Json(wire::accepted(&message)).into_response();
    statuses::begin(shared, message, course);
    response
}

fn record(shared: &Shared, body: &Value) -> Recorded {
    let words = |value: &Value| value.as_str().map(str::to_owned);
    let address = body["to"]
        .as_str()
        .or_else(|| body["recipient"].as_str())
        .unwrap_or_default();
    let message = Recorded {
        wamid: wire::wamid(),
        customer: shared.state.customer_named(address.trim_start_matches('+')),
        text: words(&body["text"]["body"]).unwrap_or_default(),
        reply_to: words(&body["context"]["message_id"]),
        callback: words(&body["biz_opaque_callback_data"]),
        payload: body.clone(),
        at: (shared.options.clock)(),
        statuses: Vec::new(),
    };
    shared.state.business_said(message.clone());
    message
}

fn http_status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A response whose body fails before its first byte: the connection closes and the client reads no answer.
fn broken() -> Response {
    let failure: Result<Bytes, std::io::Error> = Err(std::io::Error::other("scripted"));
    Body::from_stream(futures::stream::once(async { failure })).into_response()
}
