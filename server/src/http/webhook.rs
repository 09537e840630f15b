//! The WhatsApp webhook: verify, store, answer 200. Nothing else happens in the request.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::whatsapp::{parse, signature};

/// The platform's bodies go up to 3 MB.
const LARGEST_BODY: usize = 4 << 20;

/// `GET` and `POST /webhook`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/webhook", get(handshake).post(receive))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

#[derive(Debug, Deserialize)]
struct Handshake {
    #[serde(rename = "hub.mode")]
    mode: Option<String>,
    #[serde(rename = "hub.verify_token")]
    token: Option<String>,
    #[serde(rename = "hub.challenge")]
    challenge: Option<String>,
}

/// Meta asks once, when the address is registered.
async fn handshake(State(app): State<App>, Query(asked): Query<Handshake>) -> Result<String, StatusCode> {
    let expected = app.webhook.verify_token.as_ref().ok_or(StatusCode::FORBIDDEN)?;
    let token = asked.token.unwrap_or_default();
    let same: bool = token.as_bytes().ct_eq(expected.expose().as_bytes()).into();
    if asked.mode.as_deref() == Some("subscribe") && same {
        Ok(asked.challenge.unwrap_or_default())
    } else {
        Err(StatusCode::FORBIDDEN)
    }
}

/// Stores a signed body and its elements. A body that is signed but cannot be read is stored all the same: refusing it
/// would only make the platform send it again for days.
async fn receive(State(app): State<App>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Some(secret) = &app.webhook.app_secret else {
        tracing::warn!("a webhook came, but WHATSAPP_APP_SECRET is not set");
        return StatusCode::FORBIDDEN;
    };
    let header = headers
        .get("x-hub-signature-256")
        .and_then(|value| value.to_str().ok());
    if let Err(error) = signature::verify(secret.expose().as_bytes(), &body, header) {
        tracing::warn!(%error, "whatsapp.webhook.refused");
        metrics::counter!("plumbline_webhooks_total", "result" => "refused").increment(1);
        return StatusCode::UNAUTHORIZED;
    }
    let parsed = parse::elements(&body);
    match app
        .store
        .store_webhook(&body, &parsed.elements, parsed.problem.as_deref())
        .await
    {
        Ok(stored) => {
            tracing::debug!(?stored, "whatsapp.webhook.stored");
            if let Some(problem) = &parsed.problem {
                tracing::warn!(problem, "whatsapp.webhook.unreadable");
            }
            if stored.unrouted > 0 {
                let numbers: BTreeSet<&str> = parsed
                    .elements
                    .iter()
                    .map(|element| element.phone_number_id.as_str())
                    .collect();
                tracing::warn!(
                    ?numbers,
                    "whatsapp.webhook.unknown_number: check WHATSAPP_PHONE_NUMBER_ID"
                );
            }
            metrics::counter!("plumbline_webhooks_total", "result" => "stored").increment(1);
            StatusCode::OK
        }
        Err(error) => {
            // Not stored, so not acknowledged: the platform will deliver it again.
            tracing::error!(%error, "whatsapp.webhook.failed");
            metrics::counter!("plumbline_webhooks_total", "result" => "failed").increment(1);
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
