//! Tenants: whose data it is.

use serde::Serialize;
use uuid::Uuid;

use crate::{Channel, StoreError, SystemTx};

/// A business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Tenant {
    /// Identifier.
    pub id: Uuid,
    /// Short name in addresses and paths.
    pub slug: String,
    /// Name shown to people.
    pub name: String,
}

impl SystemTx {
    /// The tenant called `slug`, created when missing.
    pub async fn ensure_tenant(&mut self, slug: &str, name: &str) -> Result<Tenant, StoreError> {
        Ok(sqlx::query_as(
            "INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $3)
             ON CONFLICT (slug) DO UPDATE SET slug = excluded.slug
             RETURNING id, slug, name",
        )
        .bind(Uuid::now_v7())
        .bind(slug)
        .bind(name)
        .fetch_one(self.conn())
        .await?)
    }

    /// The tenant called `slug`.
    pub async fn tenant_by_slug(&mut self, slug: &str) -> Result<Option<Tenant>, StoreError> {
        Ok(
            sqlx::query_as("SELECT id, slug, name FROM tenants WHERE slug = $1")
                .bind(slug)
                .fetch_optional(self.conn())
                .await?,
        )
    }

    /// A tenant.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn tenant_by_id(&mut self, id: Uuid) -> Result<Tenant, StoreError> {
        sqlx::query_as("SELECT id, slug, name FROM tenants WHERE id = $1")
            .bind(id)
            .fetch_optional(self.conn())
            .await?
            .ok_or(StoreError::NotFound { what: "tenant" })
    }

    /// All tenants by slug.
    pub async fn tenants(&mut self) -> Result<Vec<Tenant>, StoreError> {
        Ok(sqlx::query_as("SELECT id, slug, name FROM tenants ORDER BY slug")
            .fetch_all(self.conn())
            .await?)
    }

    /// The WhatsApp numbers of a tenant.
    pub async fn channels(&mut self, tenant: Uuid) -> Result<Vec<Channel>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, tenant_id, phone_number_id, parked_reason FROM channels
              WHERE tenant_id = $1 ORDER BY phone_number_id",
        )
        .bind(tenant)
        .fetch_all(self.conn())
        .await?)
    }
}
