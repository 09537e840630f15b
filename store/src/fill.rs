//! Vectors of one more model for windows that exist already.

use std::collections::HashMap;

use pgvector::HalfVector;
use uuid::Uuid;

use crate::embedded::lost_vector;
use crate::{StoreError, TenantTx};

/// A window without a vector in some space.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UnembeddedWindow {
    /// Its chunk.
    pub chunk_id: Uuid,
    /// Its place among the windows of the chunk.
    pub ordinal: i32,
    /// Start in bytes of the canonical text.
    pub text_start: i64,
    /// End (exclusive).
    pub text_end: i64,
    /// Headings above its chunk, outermost first.
    pub heading_path: Vec<String>,
    /// The added question that it is, if it is one.
    pub question: Option<String>,
}

/// What the windows of a version are made of.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct WindowSource {
    /// Canonical text.
    pub text: String,
    /// Title found in the document.
    pub title: Option<String>,
}

impl TenantTx {
    /// Canonical text and title of a version; none when it was never read or is gone.
    pub async fn window_source(&mut self, version: Uuid) -> Result<Option<WindowSource>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT canonical_text AS text, outline #>> '{extraction,title}' AS title
               FROM document_versions WHERE id = $1 AND canonical_text IS NOT NULL",
        )
        .bind(version)
        .fetch_optional(self.conn())
        .await?)
    }

    /// At most `limit` windows of a version that have no vector in `space`.
    pub async fn unembedded_windows(
        &mut self,
        version: Uuid,
        space: i32,
        limit: usize,
    ) -> Result<Vec<UnembeddedWindow>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT DISTINCT ON (w.chunk_id, w.ordinal) w.chunk_id, w.ordinal, w.text_start, w.text_end,
                    c.heading_path, o.body AS question
               FROM windows w JOIN chunks c ON c.id = w.chunk_id LEFT JOIN overlays o ON o.id = w.overlay_id
              WHERE w.version_id = $1 AND w.space_id <> $2
                AND NOT EXISTS (SELECT FROM windows n
                                 WHERE n.chunk_id = w.chunk_id AND n.space_id = $2 AND n.ordinal = w.ordinal)
              ORDER BY w.chunk_id, w.ordinal LIMIT $3",
        )
        .bind(version)
        .bind(space)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.conn())
        .await?)
    }

    /// Whether a version, or the one that stands for its text, has windows without a vector in `space`.
    pub(crate) async fn has_unembedded(&mut self, version: Uuid, space: i32) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM document_versions v JOIN windows w ON w.version_id = coalesce(v.same_text_as, v.id)
              WHERE v.id = $1 AND w.space_id <> $2
                AND NOT EXISTS (SELECT FROM windows n
                                 WHERE n.chunk_id = w.chunk_id AND n.space_id = $2 AND n.ordinal = w.ordinal))",
        )
        .bind(version)
        .bind(space)
        .fetch_one(self.conn())
        .await?)
    }

    /// Gives windows their vector in `space`: the one in `vectors` for their hash, or one that is known already. Doing it
    /// again is harmless.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a vector that was known is gone.
    pub async fn put_windows(
        &mut self,
        space: i32,
        windows: &[(UnembeddedWindow, [u8; 32])],
        vectors: &HashMap<[u8; 32], Vec<f32>>,
    ) -> Result<(), StoreError> {
        self.check_dimension(space, vectors.values()).await?;
        let tenant = self.tenant();
        let vector =
            |(_, hash): &(_, [u8; 32])| vectors.get(hash).map(|vector| HalfVector::from_f32_slice(vector));
        sqlx::query(
            "INSERT INTO windows (tenant_id, version_id, space_id, chunk_id, ordinal, text_start, text_end, hash,
                                  embedding, overlay_id)
             SELECT $1, w.version_id, $2, w.chunk_id, w.ordinal, w.text_start, w.text_end, u.hash,
                    coalesce(u.embedding,
                             (SELECT n.embedding FROM windows n
                               WHERE n.tenant_id = $1 AND n.space_id = $2 AND n.hash = u.hash LIMIT 1),
                             (SELECT e.embedding FROM embedded_windows e
                               WHERE e.tenant_id = $1 AND e.space_id = $2 AND e.hash = u.hash LIMIT 1)),
                    w.overlay_id
               FROM unnest($3::uuid[], $4::int[], $5::bytea[], $6::halfvec[]) AS u(chunk_id, ordinal, hash, embedding)
              CROSS JOIN LATERAL
                    (SELECT * FROM windows k WHERE k.chunk_id = u.chunk_id AND k.ordinal = u.ordinal
                        AND k.space_id <> $2 LIMIT 1) w
             ON CONFLICT DO NOTHING",
        )
        .bind(tenant)
        .bind(space)
        .bind(windows.iter().map(|(w, _)| w.chunk_id).collect::<Vec<_>>())
        .bind(windows.iter().map(|(w, _)| w.ordinal).collect::<Vec<_>>())
        .bind(windows.iter().map(|(_, hash)| hash.as_slice()).collect::<Vec<_>>())
        .bind(windows.iter().map(vector).collect::<Vec<_>>())
        .execute(self.conn())
        .await
        .map_err(lost_vector)?;
        Ok(())
    }

    /// Refuses vectors of another length than the space's.
    pub(crate) async fn check_dimension(
        &mut self,
        space: i32,
        vectors: impl Iterator<Item = &Vec<f32>>,
    ) -> Result<(), StoreError> {
        let (model, dimension): (String, i32) =
            sqlx::query_as("SELECT model, dimension FROM embedding_spaces WHERE id = $1")
                .bind(space)
                .fetch_one(self.conn())
                .await?;
        let mut lengths = vectors.map(Vec::len);
        match lengths.find(|&length| i32::try_from(length) != Ok(dimension)) {
            None => Ok(()),
            Some(length) => Err(StoreError::Conflict(format!(
                "a vector of {length} dimensions does not belong to the space of {model}, which has {dimension}"
            ))),
        }
    }
}
