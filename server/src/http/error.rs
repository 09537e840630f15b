//! One error enum with one mapping to HTTP.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plumbline_ingest::BuildError;
use plumbline_store::StoreError;
use serde::Serialize;

use crate::documents::Refusal;
use crate::traces::{AskError, ReplayError};

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No usable key.
    #[error("this path needs the header `Authorization: Bearer <API key>` with a key that was not revoked")]
    Unauthorized,
    /// The request is wrong; the text names the field and what to do.
    #[error("{0}")]
    BadRequest(String),
    /// Too large.
    #[error("{0}")]
    TooLarge(String),
    /// The only file, or every file, of an upload was refused.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// What the request is based on is not what is there any more.
    #[error("{0}")]
    Precondition(String),
    /// The store's answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What a change of a version's content met.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Something of ours is down.
    #[error("{0}")]
    Unavailable(String),
}

impl From<AskError> for ApiError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Store(error) => error.into(),
            error => Self::Unavailable(chain(&error)),
        }
    }
}

impl From<ReplayError> for ApiError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Store(error) => error.into(),
            ReplayError::Ask(error) => error.into(),
            ReplayError::NoSettings(_) => Self::BadRequest(error.to_string()),
            ReplayError::NothingSearched | ReplayError::NotKept | ReplayError::Unreadable(_) => {
                StoreError::Conflict(error.to_string()).into()
            }
        }
    }
}

/// An error with all its causes, for logs: the outermost alone rarely says what to mend.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut words: Vec<String> = causes.map(ToString::to_string).collect();
    words.dedup();
    words.join(": ")
}

/// Refuses what the database cannot hold.
pub fn refuse_nul(field: &str, text: &str) -> Result<(), ApiError> {
    if text.contains('\0') {
        return Err(ApiError::BadRequest(format!(
            "`{field}` holds a NUL character; remove it"
        )));
    }
    Ok(())
}

/// The body of every error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// Stable code.
    pub code: &'static str,
    /// What happened and what to do.
    pub message: String,
}

impl ApiError {
    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Refused(refusal) => (refusal.status(), refusal.code),
            Self::Precondition(_) => (StatusCode::PRECONDITION_FAILED, "precondition_failed"),
            Self::Store(StoreError::NotFound { .. })
            | Self::Build(BuildError::Store(StoreError::NotFound { .. })) => {
                (StatusCode::NOT_FOUND, "not_found")
            }
            Self::Store(StoreError::Conflict(_))
            | Self::Build(BuildError::Store(StoreError::Conflict(_))) => (StatusCode::CONFLICT, "conflict"),
            Self::Store(_) | Self::Build(_) | Self::Unavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.parts();
        let message = if status.is_server_error() {
            // What failed inside is for the log; an error of the database may quote data.
            tracing::error!(error = %self, "http.request.failed");
            "the service could not do this just now; try again in a moment".to_owned()
        } else {
            self.to_string()
        };
        (status, Json(ErrorBody { code, message })).into_response()
    }
}
