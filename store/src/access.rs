//! Who may act for a tenant: API keys of programs, sign-ins of admins.
//!
//! Only hashes are stored. Secrets are made here, shown once by the caller and never logged.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{StoreError, SystemTx};

/// A secret that is shown once. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// `prefix` followed by 256 random bits in hex.
    ///
    /// # Errors
    /// [`StoreError::Local`] when the operating system has no randomness to give.
    pub fn random(prefix: &str) -> Result<Self, StoreError> {
        let mut bytes = [0_u8; 32];
        OsRng
            .try_fill_bytes(&mut bytes)
            .map_err(|error| StoreError::Local(format!("no randomness: {error}")))?;
        Ok(Self(format!("{prefix}{}", hex::encode(bytes))))
    }

    /// A secret that somebody presented.
    pub fn presented(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An admin who signed in.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Admin {
    /// Identifier.
    pub id: Uuid,
    /// Tenant.
    pub tenant_id: Uuid,
    /// E-mail address, lower case.
    pub email: String,
    /// Argon2 hash in PHC form.
    pub password_hash: String,
}

/// An API key as it may be shown: without the key.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ApiKey {
    /// Identifier.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it is refused.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl SystemTx {
    /// Makes an API key for a tenant. The key is returned once and stored only as a hash.
    pub async fn create_api_key(&mut self, tenant: Uuid, name: &str) -> Result<Secret, StoreError> {
        let key = Secret::random("pl_")?;
        self.store_api_key(tenant, name, &key).await?;
        Ok(key)
    }

    /// Stores a given API key (a demo or a deployment brings its own). Storing it again does nothing.
    pub async fn store_api_key(&mut self, tenant: Uuid, name: &str, key: &Secret) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO api_keys (id, tenant_id, name, hash) VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING",
        )
        .bind(Uuid::now_v7())
        .bind(tenant)
        .bind(name)
        .bind(key.hash())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The tenant a key stands for; `None` for an unknown or revoked key.
    pub async fn tenant_of_key(&mut self, key: &Secret) -> Result<Option<Uuid>, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT tenant_id FROM api_keys WHERE hash = $1 AND revoked_at IS NULL")
                .bind(key.hash())
                .fetch_optional(self.conn())
                .await?,
        )
    }

    /// The keys of a tenant, revoked ones too, oldest first.
    pub async fn api_keys(&mut self, tenant: Uuid) -> Result<Vec<ApiKey>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, name, created_at, revoked_at FROM api_keys WHERE tenant_id = $1 ORDER BY created_at, id",
        )
        .bind(tenant)
        .fetch_all(self.conn())
        .await?)
    }

    /// Refuses a key from now on. Revoking it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such key.
    pub async fn revoke_api_key(&mut self, tenant: Uuid, id: Uuid) -> Result<(), StoreError> {
        let revoked = sqlx::query(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE tenant_id = $1 AND id = $2",
        )
        .bind(tenant)
        .bind(id)
        .execute(self.conn())
        .await?;
        if revoked.rows_affected() == 0 {
            Err(StoreError::NotFound { what: "API key" })
        } else {
            Ok(())
        }
    }

    /// Creates an admin or gives an existing one of the same tenant a new password hash. Sessions opened with the old
    /// password end.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the address belongs to another tenant's admin.
    pub async fn put_admin(
        &mut self,
        tenant: Uuid,
        email: &str,
        password_hash: &str,
    ) -> Result<Uuid, StoreError> {
        let admin: Uuid = sqlx::query_scalar(
            "INSERT INTO admins (id, tenant_id, email, password_hash) VALUES ($1, $2, lower($3), $4)
             ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash
               WHERE admins.tenant_id = excluded.tenant_id
             RETURNING id",
        )
        .bind(Uuid::now_v7())
        .bind(tenant)
        .bind(email)
        .bind(password_hash)
        .fetch_optional(self.conn())
        .await?
        .ok_or_else(|| StoreError::Conflict("this address signs in for another tenant".to_owned()))?;
        sqlx::query("DELETE FROM sessions WHERE admin_id = $1")
            .bind(admin)
            .execute(self.conn())
            .await?;
        Ok(admin)
    }

    /// The admin with this address.
    pub async fn admin_by_email(&mut self, email: &str) -> Result<Option<Admin>, StoreError> {
        Ok(
            sqlx::query_as("SELECT id, tenant_id, email, password_hash FROM admins WHERE email = lower($1)")
                .bind(email)
                .fetch_optional(self.conn())
                .await?,
        )
    }

    /// Opens a session of an admin and forgets expired ones.
    pub async fn open_session(&mut self, admin: &Admin, lifetime: Duration) -> Result<Secret, StoreError> {
        let token = Secret::random("")?;
        sqlx::query("DELETE FROM sessions WHERE expires_at < now()")
            .execute(self.conn())
            .await?;
        sqlx::query(
            "INSERT INTO sessions (hash, tenant_id, admin_id, expires_at)
             VALUES ($1, $2, $3, now() + make_interval(secs => $4))",
        )
        .bind(token.hash())
        .bind(admin.tenant_id)
        .bind(admin.id)
        .bind(lifetime.as_secs_f64())
        .execute(self.conn())
        .await?;
        Ok(token)
    }

    /// The admin of a session that has not expired.
    pub async fn admin_of_session(&mut self, token: &Secret) -> Result<Option<Admin>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT a.id, a.tenant_id, a.email, a.password_hash
               FROM sessions s JOIN admins a ON a.id = s.admin_id
              WHERE s.hash = $1 AND s.expires_at > now()",
        )
        .bind(token.hash())
        .fetch_optional(self.conn())
        .await?)
    }

    /// Ends a session.
    pub async fn close_session(&mut self, token: &Secret) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE hash = $1")
            .bind(token.hash())
            .execute(self.conn())
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_never_shows_in_debug_output() {
        let secret = Secret::presented("hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(Secret::random("pl_").unwrap(), Secret::random("pl_").unwrap());
    }
}
