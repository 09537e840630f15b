//! The feed that derived indexes replay: which documents' live text changed, in commit order.

use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::chunk::chunk_columns;
use crate::filter::push_visible;
use crate::{ChunkRow, Filter, Scope, StoreError, TenantTx};

/// What a derived index must do to catch up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Watermark after these changes.
    pub revision: i64,
    /// Documents whose live text changed since the watermark given.
    pub documents: Vec<Uuid>,
}

impl TenantTx {
    /// Announces that the live text of `document` changed. The lock is held to the end of the transaction, so revisions
    /// become visible in the order of their numbers.
    pub(crate) async fn bump_revision(&mut self, document: Uuid) -> Result<(), StoreError> {
        let tenant = self.tenant();
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext('plumbline.revisions'))")
            .execute(self.conn())
            .await?;
        // A replay reads what is live now, so only the newest revision of a document matters.
        sqlx::query("DELETE FROM revisions WHERE document_id = $1")
            .bind(document)
            .execute(self.conn())
            .await?;
        sqlx::query("INSERT INTO revisions (tenant_id, document_id) VALUES ($1, $2)")
            .bind(tenant)
            .bind(document)
            .execute(self.conn())
            .await?;
        sqlx::query("SELECT pg_notify('plumbline_revisions', $1::text)")
            .bind(tenant)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// The newest revision of the tenant, 0 when nothing was ever published.
    pub async fn revision(&mut self) -> Result<i64, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT coalesce(max(revision), 0) FROM revisions")
                .fetch_one(self.conn())
                .await?,
        )
    }

    /// Documents whose live text changed after `watermark`.
    pub async fn changes_since(&mut self, watermark: i64) -> Result<Changes, StoreError> {
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT document_id, max(revision) FROM revisions WHERE revision > $1 GROUP BY document_id ORDER BY 2",
        )
        .bind(watermark)
        .fetch_all(self.conn())
        .await?;
        let revision = rows.last().map_or(watermark, |(_, revision)| *revision);
        Ok(Changes {
            revision,
            documents: rows.into_iter().map(|(document, _)| document).collect(),
        })
    }

    /// The chunks of the version of a document that `scope` sees, with the document's title and the text's language;
    /// nothing for one that has no such version.
    pub async fn visible_chunks(
        &mut self,
        document: Uuid,
        scope: &Scope,
    ) -> Result<Vec<LiveChunk>, StoreError> {
        let mut sql = QueryBuilder::new(concat!(
            "SELECT ",
            chunk_columns!(),
            ", d.title, v.language FROM "
        ));
        push_visible(&mut sql, scope, &Filter::default());
        sql.push(
            " seen
               JOIN documents d ON d.id = seen.document_id
               JOIN document_versions v ON v.id = seen.version_id
               JOIN chunks c ON c.version_id = v.id AND NOT c.disabled
              WHERE d.id = ",
        )
        .push_bind(document)
        .push(" ORDER BY c.ordinal");
        Ok(sql.build_query_as().fetch_all(self.conn()).await?)
    }
}

/// A chunk of a live version, as the lexical index reads it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct LiveChunk {
    /// The chunk.
    #[sqlx(flatten)]
    pub chunk: ChunkRow,
    /// Title of the document.
    pub title: String,
    /// Language of the version's text, ISO 639-1.
    pub language: Option<String>,
}
