//! Vectors and pieces of texts, known by the hash of the text: what a build still needs, what it saved batch by batch, and
//! what windows that exist already lend it.

use pgvector::HalfVector;
use uuid::Uuid;

use crate::{StoreError, TenantTx};

/// What is known of the text with a hash in space `$3` of tenant `$1`, a column of its windows: saved by the build of version
/// `$2` or another one, or that of a window that exists already.
macro_rules! known_of {
    ($column:literal, $hash:literal) => {
        concat!(
            "coalesce(
                (SELECT e.",
            $column,
            " FROM embedded_windows e WHERE e.version_id = $2 AND e.space_id = $3 AND e.hash = ",
            $hash,
            "),
                (SELECT w.",
            $column,
            " FROM windows w WHERE w.tenant_id = $1 AND w.space_id = $3 AND w.",
            $column,
            " IS NOT NULL AND w.hash = ",
            $hash,
            " LIMIT 1),
                (SELECT e.",
            $column,
            " FROM embedded_windows e WHERE e.tenant_id = $1 AND e.space_id = $3 AND e.",
            $column,
            " IS NOT NULL AND e.hash = ",
            $hash,
            " LIMIT 1))"
        )
    };
}
pub(crate) use known_of;

/// A text whose vector a build needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NeededVector {
    /// sha256 of the text that is embedded.
    pub hash: [u8; 32],
    /// Whether its pieces are needed too.
    pub in_pieces: bool,
}

impl NeededVector {
    /// A text of which only the vector is needed.
    pub fn whole(hash: [u8; 32]) -> Self {
        Self {
            hash,
            in_pieces: false,
        }
    }
}

/// A text that was embedded.
#[derive(Debug, Clone)]
pub struct NewVector {
    /// sha256 of the text.
    pub hash: [u8; 32],
    /// Its vector, of the space's dimension.
    pub vector: Vec<f32>,
    /// The signs of its pieces, as the model tells them.
    pub pieces: Option<Vec<u8>>,
}

impl NewVector {
    /// A vector without pieces.
    pub fn whole(hash: [u8; 32], vector: Vec<f32>) -> Self {
        Self {
            hash,
            vector,
            pieces: None,
        }
    }
}

impl TenantTx {
    /// The hashes of those of `needed` that no window of the tenant and no unfinished build has yet.
    pub async fn unknown_windows(
        &mut self,
        space: i32,
        needed: &[NeededVector],
    ) -> Result<Vec<[u8; 32]>, StoreError> {
        let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
            "SELECT h.hash FROM unnest($2::bytea[], $4::bool[]) WITH ORDINALITY AS h(hash, in_pieces, place)
              WHERE NOT EXISTS (SELECT FROM windows w WHERE w.tenant_id = $3 AND w.space_id = $1 AND w.hash = h.hash
                                                        AND (w.pieces IS NOT NULL OR NOT h.in_pieces))
                AND NOT EXISTS (SELECT FROM embedded_windows e WHERE e.tenant_id = $3 AND e.space_id = $1
                                                                 AND e.hash = h.hash
                                                                 AND (e.pieces IS NOT NULL OR NOT h.in_pieces))
              ORDER BY h.place",
        )
        .bind(space)
        .bind(needed.iter().map(|one| one.hash.as_slice()).collect::<Vec<_>>())
        .bind(self.tenant())
        .bind(needed.iter().map(|one| one.in_pieces).collect::<Vec<_>>())
        .fetch_all(self.conn())
        .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(hash,)| hash.try_into().ok())
            .collect())
    }

    /// Saves the vectors of a batch of windows for a version that is being built; writing them again is harmless.
    pub async fn save_vectors(
        &mut self,
        version: Uuid,
        space: i32,
        vectors: &[NewVector],
    ) -> Result<(), StoreError> {
        self.check_dimension(space, vectors.iter().map(|new| &new.vector))
            .await?;
        let tenant = self.tenant();
        sqlx::query(
            "INSERT INTO embedded_windows (tenant_id, version_id, space_id, hash, embedding, pieces)
             SELECT $1, $2, $3, u.* FROM unnest($4::bytea[], $5::halfvec[], $6::bytea[]) AS u ON CONFLICT DO NOTHING",
        )
        .bind(tenant)
        .bind(version)
        .bind(space)
        .bind(vectors.iter().map(|new| new.hash.as_slice()).collect::<Vec<_>>())
        .bind(
            vectors
                .iter()
                .map(|new| HalfVector::from_f32_slice(&new.vector))
                .collect::<Vec<_>>(),
        )
        .bind(vectors.iter().map(|new| new.pieces.as_deref()).collect::<Vec<_>>())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Forgets the saved vectors of a version that has ended.
    pub async fn forget_embedded(&mut self, version: Uuid) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM embedded_windows WHERE version_id = $1")
            .bind(version)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}

/// A window without a vector violates NOT NULL: somebody else's vector that was counted on is gone.
pub(crate) fn lost_vector(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(database) if database.kind() == sqlx::error::ErrorKind::NotNullViolation => {
            StoreError::Conflict(
                "a vector that was known is gone; the version must be built again".to_owned(),
            )
        }
        _ => error.into(),
    }
}
