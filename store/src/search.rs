//! The vector leg's query, and the join that every hit of either leg passes before use.

use pgvector::HalfVector;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::{StoreError, TenantTx};

/// Which versions a search sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Versions that are looked at as if they were live, each instead of the live one of its document. Empty means what
    /// customers get.
    pub staged: Vec<Uuid>,
}

impl Scope {
    /// The live versions with these instead of their documents' live ones, in any order.
    pub fn preview(mut staged: Vec<Uuid>) -> Self {
        staged.sort();
        staged.dedup();
        Self { staged }
    }

    /// Whether it is what customers get.
    pub fn is_live(&self) -> bool {
        self.staged.is_empty()
    }
}

/// The versions that a scope sees, whose staged versions are the parameter named.
macro_rules! visible {
    ($staged:literal) => {
        concat!(
            "(SELECT d.id AS document_id, coalesce(s.id, d.live_version_id) AS version_id
                FROM documents d LEFT JOIN document_versions s ON s.document_id = d.id AND s.id = ANY(",
            $staged,
            ") WHERE d.deleted_at IS NULL)"
        )
    };
}
pub(crate) use visible;

/// How the vectors are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorScan {
    /// All live windows of the tenant: exact, fast up to some ten thousand windows.
    Exact,
    /// The tenant's HNSW index with iterative scan, so that the filter for live windows never starves the result.
    Approximate,
}

/// A chunk found by the vector leg.
#[derive(Debug, Clone, Copy, PartialEq, sqlx::FromRow)]
pub struct VectorMatch {
    /// Chunk.
    pub chunk_id: Uuid,
    /// Cosine of its best window, −1 to 1.
    pub cosine: f32,
}

/// A chunk of a live version with all that a hit shows.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct LiveHit {
    /// Chunk.
    pub chunk_id: Uuid,
    /// Document.
    pub document_id: Uuid,
    /// Version.
    pub version_id: Uuid,
    /// Logical key.
    pub document_key: String,
    /// Title.
    pub document_title: String,
    /// Version number.
    pub version_number: i32,
    /// Start in bytes of the canonical text.
    pub text_start: i64,
    /// End (exclusive).
    pub text_end: i64,
    /// First page.
    pub page_from: Option<i32>,
    /// First data row.
    pub row_from: Option<i64>,
    /// Headings above.
    pub heading_path: Vec<String>,
    /// Text.
    pub body: String,
    /// An admin pinned it.
    pub pinned: bool,
    /// Factor an admin gave its score.
    pub boost: f32,
    /// Cosine of its best window to the question, when a vector was given.
    pub cosine: Option<f32>,
}

impl TenantTx {
    /// The chunks in `scope` whose best window is nearest to `query`, best first.
    pub async fn nearest_chunks(
        &mut self,
        space: i32,
        query: &[f32],
        limit: usize,
        scan: VectorScan,
        scope: &Scope,
    ) -> Result<Vec<VectorMatch>, StoreError> {
        if scan == VectorScan::Approximate {
            let found = self.nearest_by_index(space, query, limit, scope).await?;
            // the index gives up after a number of rows, so that a shortage needs a second look
            if found.len() >= limit {
                return Ok(found);
            }
        }
        Ok(sqlx::query_as(concat!(
            "SELECT w.chunk_id, (1 - min(w.embedding <=> $2))::float4 AS cosine
               FROM ",
            visible!("$4"),
            " v JOIN windows w ON w.version_id = v.version_id
              WHERE w.space_id = $1
                AND NOT EXISTS (SELECT FROM chunks c WHERE c.id = w.chunk_id AND c.disabled)
              GROUP BY w.chunk_id ORDER BY cosine DESC, w.chunk_id LIMIT $3"
        ))
        .bind(space)
        .bind(HalfVector::from_f32_slice(query))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(&scope.staged)
        .fetch_all(self.conn())
        .await?)
    }

    async fn nearest_by_index(
        &mut self,
        space: i32,
        query: &[f32],
        limit: usize,
        scope: &Scope,
    ) -> Result<Vec<VectorMatch>, StoreError> {
        sqlx::query("SET LOCAL hnsw.iterative_scan = relaxed_order")
            .execute(self.conn())
            .await?;
        sqlx::query("SET LOCAL hnsw.ef_search = 200")
            .execute(self.conn())
            .await?;
        // What the definition of the index names must be part of the text, see vector_index.rs; all are values of ours.
        // Several windows of one chunk may be near: four times as many windows are read as chunks wanted.
        let (dimension, tenant) = (query.len(), self.tenant());
        let visible = visible!("$3");
        let sql = format!(
            "SELECT chunk_id, (1 - min(distance))::float4 AS cosine FROM (
                 SELECT w.chunk_id, w.embedding::halfvec({dimension}) <=> $1 AS distance
                   FROM windows w
                  WHERE w.tenant_id = '{tenant}' AND w.space_id = {space}
                    AND EXISTS (SELECT FROM {visible} v WHERE v.version_id = w.version_id)
                    AND NOT EXISTS (SELECT FROM chunks c WHERE c.id = w.chunk_id AND c.disabled)
                  ORDER BY w.embedding::halfvec({dimension}) <=> $1 LIMIT $2 * 4) near
              GROUP BY chunk_id ORDER BY cosine DESC, chunk_id LIMIT $2"
        );
        Ok(sqlx::query_as(AssertSqlSafe(sql))
            .bind(HalfVector::from_f32_slice(query))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(&scope.staged)
            .fetch_all(self.conn())
            .await?)
    }

    /// How many windows the live versions have: what decides between the two scans.
    pub async fn live_windows(&mut self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT coalesce(sum(v.windows_embedded + v.windows_reused), 0)::bigint
               FROM documents d JOIN document_versions v ON v.id = d.live_version_id WHERE d.deleted_at IS NULL",
        )
        .fetch_one(self.conn())
        .await?)
    }

    /// Loads those of `chunks` that belong to a version in `scope`, in no particular order, with their cosine to `query`.
    /// A chunk of a replaced or deleted version is simply not there.
    pub async fn live_hits(
        &mut self,
        chunks: &[Uuid],
        space: i32,
        query: Option<&[f32]>,
        scope: &Scope,
    ) -> Result<Vec<LiveHit>, StoreError> {
        Ok(sqlx::query_as(concat!(
            "SELECT c.id AS chunk_id, d.id AS document_id, v.id AS version_id, d.key AS document_key,
                    d.title AS document_title, v.number AS version_number, c.text_start, c.text_end, c.page_from,
                    c.row_from, c.heading_path, c.body, c.pinned, c.boost,
                    (SELECT (1 - min(w.embedding <=> $3))::float4 FROM windows w
                      WHERE w.chunk_id = c.id AND w.space_id = $2) AS cosine
               FROM chunks c
               JOIN ",
            visible!("$4"),
            " seen ON seen.version_id = c.version_id
               JOIN documents d ON d.id = seen.document_id
               JOIN document_versions v ON v.id = c.version_id
              WHERE c.id = ANY($1) AND NOT c.disabled"
        ))
        .bind(chunks)
        .bind(space)
        .bind(query.map(HalfVector::from_f32_slice))
        .bind(&scope.staged)
        .fetch_all(self.conn())
        .await?)
    }
}
