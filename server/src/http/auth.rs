//! Whose API key it is.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use plumbline_store::{Secret, Store};
use uuid::Uuid;

use super::error::ApiError;

/// The tenant that the request's API key stands for.
#[derive(Debug, Clone, Copy)]
pub struct ApiTenant(pub Uuid);

impl<S> FromRequestParts<S> for ApiTenant
where
    S: Send + Sync,
    Store: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let key = header
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(ApiError::Unauthorized)?;
        let mut tx = Store::from_ref(state).system().await?;
        let tenant = tx.tenant_of_key(&Secret::presented(key.trim())).await?;
        tx.commit().await?;
        tenant.map(Self).ok_or(ApiError::Unauthorized)
    }
}
