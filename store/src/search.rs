//! The vector leg's query, and the join that every hit of either leg passes before use.

use pgvector::HalfVector;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, QueryBuilder};
use uuid::Uuid;

use crate::filter::push_visible;
use crate::vector_index::index_name;
use crate::{Filter, StoreError, TenantTx, VectorIndex};

/// Which versions a search sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// What customers get.
    #[default]
    Live,
    /// These versions as if they were live, each instead of the live one of its document, and the live ones of all others.
    Preview(Vec<Uuid>),
    /// These versions and no others, as far as their documents still exist: what was live at an earlier time.
    Frozen(Vec<Uuid>),
}

impl Scope {
    /// The live versions with these instead of their documents' live ones, in any order.
    pub fn preview(mut staged: Vec<Uuid>) -> Self {
        staged.sort();
        staged.dedup();
        if staged.is_empty() {
            Self::Live
        } else {
            Self::Preview(staged)
        }
    }

    /// These versions and no others, in any order.
    pub fn frozen(mut versions: Vec<Uuid>) -> Self {
        versions.sort();
        versions.dedup();
        Self::Frozen(versions)
    }

    /// Whether it is what customers get.
    pub fn is_live(&self) -> bool {
        *self == Self::Live
    }

    /// The versions that it names.
    pub fn named(&self) -> &[Uuid] {
        match self {
            Self::Live => &[],
            Self::Preview(versions) | Self::Frozen(versions) => versions,
        }
    }
}

/// What every connection is told about HNSW indexes when it is made. Iterative, so that the condition for live windows
/// never starves a result; 150 candidates ([`VectorScan::Approximate`]) are what a recall of .98 takes among 400,000 windows.
pub(crate) const HNSW_SESSION: &str = "SET hnsw.iterative_scan = relaxed_order; SET hnsw.ef_search = 150";

/// Windows that the index is asked for per chunk wanted, because several of one chunk may be near: of 150 windows of real
/// manuals and FAQs at least 57 chunks are hit. For the 40 chunks of a search that is fewer than the index keeps: were it as
/// many, one window of a replaced version among them would have the index walked a second time. When they are of fewer
/// chunks than wanted, [`MORE_WINDOWS`] are read.
const WINDOWS: usize = 3;
const MORE_WINDOWS: usize = 12;

/// How the vectors are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorScan {
    /// All live windows of the tenant: exact, fast up to some ten thousand windows.
    Exact,
    /// The tenant's HNSW index with iterative scan, so that the filter for live windows never starves the result.
    Approximate,
    /// The same with twice as many candidates, for a tenant whose last audit found that fewer miss too much.
    Thorough,
}

impl VectorScan {
    /// Candidates that the index keeps while it searches; none without an index.
    pub(crate) fn ef_search(self) -> i32 {
        match self {
            Self::Exact => 0,
            Self::Approximate => 150,
            Self::Thorough => 400,
        }
    }

    /// The way to search the index that keeps `ef_search` candidates.
    fn with(ef_search: Option<i32>) -> Self {
        if ef_search == Some(Self::Thorough.ef_search()) {
            Self::Thorough
        } else {
            Self::Approximate
        }
    }
}

/// What a search must know of a tenant before it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchState {
    /// Newest revision, 0 when nothing was ever published.
    pub revision: i64,
    /// State of the index over the vectors.
    pub vector_index: VectorIndex,
    /// How that index is searched: as its last audit found necessary.
    pub index_scan: VectorScan,
}

/// A chunk found by the vector leg.
#[derive(Debug, Clone, Copy, PartialEq, sqlx::FromRow)]
pub struct VectorMatch {
    /// Chunk.
    pub chunk_id: Uuid,
    /// Cosine of its best window, −1 to 1.
    pub cosine: f32,
}

/// What the passages that were found are compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PassageQuery<'a> {
    /// Vector of the question.
    pub vector: &'a [f32],
    /// Weight of the vector of the whole passage, 0 to 1; its nearest window gets the rest.
    pub whole_weight: f32,
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
    /// How near it is to the question, when a vector was given: the weighted mean of the cosine of its best window and of
    /// that of the whole chunk, or the cosine of a question that an admin says it answers, if that is nearer. −1 to 1.
    pub cosine: Option<f32>,
}

impl TenantTx {
    /// The newest revision, the state of the index over the vectors of `space` and how it is searched, in one round trip.
    pub async fn search_state(&mut self, space: i32) -> Result<SearchState, StoreError> {
        let (revision, valid, ef_search): (i64, Option<bool>, Option<i32>) = sqlx::query_as(
            "SELECT (SELECT coalesce(max(revision), 0) FROM revisions),
                    (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)),
                    (SELECT ef_search FROM recall_audits WHERE space_id = $2 ORDER BY created_at DESC LIMIT 1)",
        )
        .bind(index_name(space, self.tenant()))
        .bind(space)
        .fetch_one(self.conn())
        .await?;
        Ok(SearchState {
            revision,
            vector_index: VectorIndex::of(valid),
            index_scan: VectorScan::with(ef_search),
        })
    }

    /// The chunks in `scope` that `filter` keeps whose best window is nearest to `query`, best first.
    pub async fn nearest_chunks(
        &mut self,
        space: i32,
        query: &[f32],
        limit: usize,
        scan: VectorScan,
        scope: &Scope,
        filter: &Filter,
    ) -> Result<Vec<VectorMatch>, StoreError> {
        if scan != VectorScan::Exact {
            self.set_candidates(scan).await?;
            for windows in [WINDOWS, MORE_WINDOWS].map(|windows| limit.saturating_mul(windows)) {
                let (found, read) = self
                    .nearest_by_index(space, query, (limit, windows), scope, filter)
                    .await?;
                if found.len() >= limit {
                    return Ok(found);
                }
                if read < windows {
                    break; // the index gives up after a number of rows: what is left only a look at all finds
                }
            }
        }
        let mut sql = QueryBuilder::new("SELECT w.chunk_id, (1 - min(w.embedding <=> ");
        sql.push_bind(HalfVector::from_f32_slice(query)).push(
            "))::float4 AS cosine FROM windows w WHERE w.version_id = ANY(ARRAY(SELECT v.version_id FROM ",
        );
        // As a list that is read once, the versions decide which windows are read. Of a join the planner cannot tell how few
        // a filter keeps, and reads the windows of the tenant.
        push_visible(&mut sql, scope, filter);
        sql.push(" v WHERE v.version_id IS NOT NULL)) AND w.space_id = ")
            .push_bind(space)
            .push(
                " AND NOT EXISTS (SELECT FROM chunks c WHERE c.id = w.chunk_id AND c.disabled)
                  GROUP BY w.chunk_id ORDER BY cosine DESC, w.chunk_id LIMIT ",
            )
            .push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        Ok(sql.build_query_as().fetch_all(self.conn()).await?)
    }

    /// Makes the index keep as many candidates as `scan` says, to the end of the transaction. The usual number is that of
    /// the connection and costs nothing.
    async fn set_candidates(&mut self, scan: VectorScan) -> Result<(), StoreError> {
        if scan == VectorScan::Thorough {
            let sql = format!("SET LOCAL hnsw.ef_search = {}", scan.ef_search());
            sqlx::query(AssertSqlSafe(sql)).execute(self.conn()).await?;
        }
        Ok(())
    }

    /// The chunks of the nearest windows, and how many windows there were of those asked for.
    async fn nearest_by_index(
        &mut self,
        space: i32,
        query: &[f32],
        (limit, windows): (usize, usize),
        scope: &Scope,
        filter: &Filter,
    ) -> Result<(Vec<VectorMatch>, usize), StoreError> {
        // What the definition of the index names must be part of the text, see vector_index.rs; all are values of ours.
        // So must the limits, which a plan is worth remembering for: with a parameter there the statement is planned anew
        // each time.
        let (dimension, tenant) = (query.len(), self.tenant());
        let vector = HalfVector::from_f32_slice(query);
        let mut sql = QueryBuilder::new(
            "SELECT chunk_id, (1 - min(distance))::float4 AS cosine, (sum(count(*)) OVER ())::int8 AS read FROM (",
        );
        sql.push(format_args!(
            "SELECT w.chunk_id, w.embedding::halfvec({dimension}) <=> "
        ))
        .push_bind(&vector)
        .push(format_args!(
            " AS distance FROM windows w WHERE w.tenant_id = '{tenant}' AND w.space_id = {space}
                 AND EXISTS (SELECT FROM "
        ));
        push_visible(&mut sql, scope, filter);
        sql.push(format_args!(
            " v WHERE v.version_id = w.version_id)
                 AND NOT EXISTS (SELECT FROM chunks c WHERE c.id = w.chunk_id AND c.disabled)
               ORDER BY w.embedding::halfvec({dimension}) <=> "
        ))
        .push_bind(&vector)
        .push(format_args!(
            " LIMIT {windows}) near GROUP BY chunk_id ORDER BY cosine DESC, chunk_id LIMIT {limit}"
        ));
        let found: Vec<(Uuid, f32, i64)> = sql.build_query_as().fetch_all(self.conn()).await?;
        let read = found.first().map_or(0, |(_, _, read)| *read);
        let matches = found
            .into_iter()
            .map(|(chunk_id, cosine, _)| VectorMatch { chunk_id, cosine });
        Ok((matches.collect(), usize::try_from(read).unwrap_or(usize::MAX)))
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

    /// How many live documents there are in each language (ISO 639-1), most first; those whose language could not be told
    /// are left out.
    pub async fn live_languages(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT v.language, count(*)
               FROM documents d JOIN document_versions v ON v.id = d.live_version_id
              WHERE d.deleted_at IS NULL AND v.language IS NOT NULL
              GROUP BY v.language ORDER BY count(*) DESC, v.language",
        )
        .fetch_all(self.conn())
        .await?)
    }

    /// How many live documents have passages, and how many of them no passage that is kept piece by piece.
    pub async fn live_without_pieces(&mut self) -> Result<(i64, i64), StoreError> {
        Ok(sqlx::query_as(
            "SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT FROM windows w
                       WHERE w.version_id = coalesce(v.same_text_as, v.id) AND w.pieces IS NOT NULL))
               FROM documents d JOIN document_versions v ON v.id = d.live_version_id
              WHERE d.deleted_at IS NULL AND v.chunk_count > 0",
        )
        .fetch_one(self.conn())
        .await?)
    }

    /// Loads those of `chunks` that belong to a version in `scope` that `filter` keeps, in no particular order, with their
    /// cosine to `query`. A chunk of a replaced or deleted version is simply not there.
    pub async fn live_hits(
        &mut self,
        chunks: &[Uuid],
        space: i32,
        query: Option<PassageQuery<'_>>,
        scope: &Scope,
        filter: &Filter,
    ) -> Result<Vec<LiveHit>, StoreError> {
        let whole = query.map_or(0.0, |query| query.whole_weight);
        let mut sql = QueryBuilder::new(
            "SELECT c.id AS chunk_id, d.id AS document_id, v.id AS version_id, d.key AS document_key,
                    d.title AS document_title, v.number AS version_number, c.text_start, c.text_end, c.page_from,
                    c.row_from, c.heading_path, c.body, c.pinned, c.boost,
                    (SELECT (1 - least((1 - ",
        );
        sql.push_bind(whole)
            .push(
                ") * min(distance) FILTER (WHERE own)
                                       + ",
            )
            .push_bind(whole)
            .push(
                " * coalesce(min(distance) FILTER (WHERE own AND whole), min(distance) FILTER (WHERE own)),
                                       min(distance) FILTER (WHERE NOT own)))::float4
                       FROM (SELECT w.embedding <=> ",
            )
            .push_bind(query.map(|query| HalfVector::from_f32_slice(query.vector)))
            .push(
                " AS distance, w.overlay_id IS NULL AS own,
                                    w.text_start <= c.text_start AND w.text_end >= c.text_end AS whole
                               FROM windows w WHERE w.chunk_id = c.id AND w.space_id = ",
            )
            .push_bind(space)
            .push(") near) AS cosine FROM chunks c JOIN ");
        push_visible(&mut sql, scope, filter);
        sql.push(
            " seen ON seen.version_id = c.version_id
               JOIN documents d ON d.id = seen.document_id
               JOIN document_versions v ON v.id = c.version_id
              WHERE NOT c.disabled AND c.id = ANY(",
        )
        .push_bind(chunks)
        .push(")");
        Ok(sql.build_query_as().fetch_all(self.conn()).await?)
    }

    /// The signs of the pieces of `chunks` in `space`, in no particular order: one row per window that has them. Those of a
    /// chunk that was built before there were any are not there.
    pub async fn pieces_of(
        &mut self,
        chunks: &[Uuid],
        space: i32,
    ) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT chunk_id, pieces FROM windows WHERE chunk_id = ANY($1) AND space_id = $2 AND pieces IS NOT NULL",
        )
        .bind(chunks)
        .bind(space)
        .fetch_all(self.conn())
        .await?)
    }
}
