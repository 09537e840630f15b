//! The approximate index of one tenant's vectors.
//!
//! A tenant gets an HNSW index of its own, and only when it has so many vectors that comparing every one is slower. A
//! small tenant's uploads pay for no index and are searched with a recall of 1; what a large tenant finds never depends
//! on another tenant's vectors. The index is built in bulk, which is many times cheaper than vector by vector, and
//! `CONCURRENTLY`, so that nobody's upload waits for it.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use uuid::Uuid;

use crate::{Store, StoreError, TenantTx};

/// Queue of the jobs that build and drop vector indexes.
pub const VECTOR_INDEX_QUEUE: &str = "vector_index";

/// Candidates that are kept while a vector gets its neighbours. With pgvector's 64 the graph of 400,000 vectors, many of them
/// alike, leads past a twentieth of the nearest ten, however many candidates a search keeps (docs/benchmarks.md).
const EF_CONSTRUCTION: u32 = 200;

/// Memory in MiB for building an index over `vectors` of `dimension` halves, so that the graph is built without touching
/// disk: a vector with its neighbours takes some 800 bytes beside its values. A gibibyte at most, which is what compose.yaml
/// lets PostgreSQL's processes share.
fn build_memory(vectors: i64, dimension: i32) -> i64 {
    let bytes = vectors.saturating_mul(i64::from(dimension) * 2 + 800);
    (bytes >> 20).clamp(64, 1024)
}

/// State of a tenant's vector index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorIndex {
    /// There is none: every vector is compared.
    Absent,
    /// It is being built, or its building was interrupted: every vector is compared.
    Unfinished,
    /// Searches use it.
    Ready,
}

/// A tenant's index over the vectors of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantIndex {
    /// Space of the vectors.
    pub space: i32,
    /// Model that made them.
    pub model: String,
    /// State.
    pub state: VectorIndex,
}

impl VectorIndex {
    /// The state by what the catalogue says of the index: nothing, or whether it is valid.
    pub(crate) fn of(valid: Option<bool>) -> Self {
        match valid {
            None => Self::Absent,
            Some(false) => Self::Unfinished,
            Some(true) => Self::Ready,
        }
    }
}

impl TenantTx {
    /// State of the tenant's index over the vectors of `space`.
    pub async fn vector_index(&mut self, space: i32) -> Result<VectorIndex, StoreError> {
        let name = index_name(space, self.tenant());
        index_state(self.conn(), &name).await
    }

    /// The tenant's indexes, ready or not.
    pub async fn vector_indexes(&mut self) -> Result<Vec<TenantIndex>, StoreError> {
        let rows: Vec<(i32, String, bool)> = sqlx::query_as(
            "SELECT s.id, s.model, i.indisvalid FROM embedding_spaces s
               JOIN pg_index i ON i.indexrelid = to_regclass('windows_hnsw_' || s.id || '_' || $1) ORDER BY s.id",
        )
        .bind(self.tenant().simple().to_string())
        .fetch_all(self.conn())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(space, model, valid)| TenantIndex {
                space,
                model,
                state: VectorIndex::of(Some(valid)),
            })
            .collect())
    }

    /// Whether the index should be built, because more than `above` live vectors have none, or dropped, because less
    /// than half of that are left.
    pub async fn vector_index_is_due(&mut self, space: i32, above: i64) -> Result<bool, StoreError> {
        let windows = self.live_windows().await?;
        let state = self.vector_index(space).await?;
        Ok(match state {
            VectorIndex::Absent | VectorIndex::Unfinished if windows > above => true,
            VectorIndex::Unfinished | VectorIndex::Ready => windows < above / 2,
            VectorIndex::Absent => false,
        })
    }
}

impl Store {
    /// Builds the index of `tenant` over the vectors of `space`; false when another process is at it.
    ///
    /// # Errors
    /// [`StoreError::Database`], also when the user of the connection does not own the table; everything goes on
    /// working without the index then, more slowly.
    pub async fn build_vector_index(&self, tenant: Uuid, space: i32) -> Result<bool, StoreError> {
        let Some(mut connection) = self.index_keeper(tenant).await? else {
            return Ok(false);
        };
        let name = index_name(space, tenant);
        if index_state(&mut connection, &name).await? != VectorIndex::Ready {
            let (dimension, vectors): (i32, i64) = sqlx::query_as(
                "SELECT dimension, (SELECT count(*) FROM windows WHERE tenant_id = $2 AND space_id = s.id)
                   FROM embedding_spaces s WHERE id = $1",
            )
            .bind(space)
            .bind(tenant)
            .fetch_one(&mut connection)
            .await?;
            drop_index(&mut connection, &name).await?;
            let memory = build_memory(vectors, dimension);
            connection
                .execute(AssertSqlSafe(format!("SET maintenance_work_mem = '{memory}MB'")))
                .await?;
            // names and values are numbers of ours: an index's definition takes no parameters
            let sql = format!(
                "CREATE INDEX CONCURRENTLY {name} ON windows
                  USING hnsw ((embedding::halfvec({dimension})) halfvec_cosine_ops) WITH (ef_construction = {EF_CONSTRUCTION})
                  WHERE tenant_id = '{tenant}' AND space_id = {space}"
            );
            connection.execute(AssertSqlSafe(sql)).await?;
            // A tenant that has just grown so much has outgrown what the planner knows of these tables: until it is told, it
            // goes through every document to find the passages of a search, eight times as slow.
            connection
                .execute("ANALYZE documents, document_versions, chunks, windows")
                .await?;
        }
        release(connection).await
    }

    /// Drops the index of `tenant` over the vectors of `space`; false when another process is at it.
    pub async fn drop_vector_index(&self, tenant: Uuid, space: i32) -> Result<bool, StoreError> {
        let Some(mut connection) = self.index_keeper(tenant).await? else {
            return Ok(false);
        };
        drop_index(&mut connection, &index_name(space, tenant)).await?;
        release(connection).await
    }

    /// A connection with the rights of the user that connects (the program's role may not create indexes) and the lock
    /// that lets one process at a time work on a tenant's index; none when another has it. The lock ends with the
    /// connection.
    async fn index_keeper(&self, tenant: Uuid) -> Result<Option<PgConnection>, StoreError> {
        let mut connection = PgConnection::connect_with(self.options()).await?;
        let locked: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext('vector_index'), hashtext($1))")
                .bind(tenant.to_string())
                .fetch_one(&mut connection)
                .await?;
        Ok(locked.then_some(connection))
    }
}

/// Gives the lock back: at once, not when the database notices that the connection is gone.
async fn release(mut connection: PgConnection) -> Result<bool, StoreError> {
    connection.execute("SELECT pg_advisory_unlock_all()").await?;
    connection.close().await?;
    Ok(true)
}

/// The index's name: the catalogue is its only register.
pub(crate) fn index_name(space: i32, tenant: Uuid) -> String {
    format!("windows_hnsw_{space}_{}", tenant.simple())
}

async fn index_state(connection: &mut PgConnection, name: &str) -> Result<VectorIndex, StoreError> {
    let valid: Option<bool> =
        sqlx::query_scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)")
            .bind(name)
            .fetch_optional(connection)
            .await?;
    Ok(VectorIndex::of(valid))
}

async fn drop_index(connection: &mut PgConnection, name: &str) -> Result<(), StoreError> {
    connection
        .execute(AssertSqlSafe(format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")))
        .await?;
    Ok(())
}
