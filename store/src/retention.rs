//! Forgetting what would grow for ever and that nobody reads any more.

use std::time::Duration;

use uuid::Uuid;

use crate::{Store, StoreError};

impl Store {
    /// Forgets the raw webhook bodies that are older than `age`. Their elements stay: they are what conversations are
    /// made of, and what a repeated delivery is recognised by.
    pub async fn forget_inbound_events(&self, age: Duration) -> Result<u64, StoreError> {
        let mut tx = self.system().await?;
        let gone =
            sqlx::query("DELETE FROM inbound_events WHERE received_at < now() - make_interval(secs => $1)")
                .bind(age.as_secs_f64())
                .execute(tx.conn())
                .await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }

    /// Forgets the chunks, windows and structure of documents that were deleted longer than `age` ago; returns how many
    /// chunks. The canonical text of their versions stays for ever: answers cite it.
    pub async fn forget_deleted_chunks(&self, age: Duration) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        for tenant in self.tenants().await? {
            forgotten += self.forget_chunks_of(tenant, age).await?;
        }
        Ok(forgotten)
    }

    /// All tenants, for what is done for each of them.
    pub async fn tenants(&self) -> Result<Vec<Uuid>, StoreError> {
        let mut tx = self.system().await?;
        let tenants = sqlx::query_scalar("SELECT id FROM tenants ORDER BY id")
            .fetch_all(tx.conn())
            .await?;
        tx.commit().await?;
        Ok(tenants)
    }

    async fn forget_chunks_of(&self, tenant: Uuid, age: Duration) -> Result<u64, StoreError> {
        let mut tx = self.tenant(tenant).await?;
        let documents: Vec<Uuid> = sqlx::query_scalar(
            "SELECT d.id FROM documents d
              WHERE d.deleted_at < now() - make_interval(secs => $1)
                AND EXISTS (SELECT FROM document_versions v WHERE v.document_id = d.id AND v.outline IS NOT NULL)",
        )
        .bind(age.as_secs_f64())
        .fetch_all(tx.conn())
        .await?;
        tx.commit().await?;
        let mut forgotten = 0;
        // one document at a time: no transaction holds its locks for long
        for document in documents {
            let mut tx = self.tenant(tenant).await?;
            let gone = sqlx::query(
                "DELETE FROM chunks c USING document_versions v WHERE v.document_id = $1 AND c.version_id = v.id",
            )
            .bind(document)
            .execute(tx.conn())
            .await?;
            sqlx::query("UPDATE document_versions SET outline = NULL WHERE document_id = $1")
                .bind(document)
                .execute(tx.conn())
                .await?;
            tx.commit().await?;
            forgotten += gone.rows_affected();
        }
        Ok(forgotten)
    }
}
