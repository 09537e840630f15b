//! Which documents a search is limited to.
//!
//! A filter is a condition on documents and the versions that a scope sees, and it stands in the statements that search:
//! both legs cut their results after it, never before, so that it cannot starve them. The lexical index knows nothing of
//! tags or dates; it is given the documents that are kept, which makes PostgreSQL the only one to judge and spares a
//! replay when a tag changes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{Scope, StoreError, TenantTx};

/// What a document must be for its passages to be found; a field that is empty asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Filter {
    /// Logical keys or ids of documents; a key that ends in `/` stands for every document below that folder.
    pub documents: Vec<String>,
    /// Tags, in the form of [`crate::Tags`]; a document with any of them is kept.
    pub tags: Vec<String>,
    /// Language of the version's text, ISO 639-1. A version whose language could not be told is not kept.
    pub language: Option<String>,
    /// The version was received at this time or later. Publishing an old version again does not make its text newer, so
    /// what counts is the upload.
    pub since: Option<DateTime<Utc>>,
    /// The version was received before this time.
    pub until: Option<DateTime<Utc>>,
}

impl Filter {
    /// Whether it keeps everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn asks_for_versions(&self) -> bool {
        self.language.is_some() || self.since.is_some() || self.until.is_some()
    }
}

/// Appends the versions that `scope` sees and `filter` keeps, as a table of `document_id` and `version_id`. A document
/// without a version that answers may be among them when the filter asks nothing of versions; its `version_id` is null.
pub(crate) fn push_visible(sql: &mut QueryBuilder<Postgres>, scope: &Scope, filter: &Filter) {
    // Where nothing is staged the pointer alone decides, and there is an index of it. Behind `coalesce` no index is used:
    // each candidate of a search would be compared with every document.
    let (version, join) = match scope {
        Scope::Live => ("d.live_version_id", None),
        Scope::Preview(_) => ("coalesce(s.id, d.live_version_id)", Some(" LEFT JOIN")),
        Scope::Frozen(_) => ("s.id", Some(" JOIN")),
    };
    sql.push("(SELECT d.id AS document_id, ")
        .push(version)
        .push(" AS version_id FROM documents d");
    if let Some(join) = join {
        sql.push(join)
            .push(" document_versions s ON s.document_id = d.id AND s.id = ANY(")
            .push_bind(scope.named())
            .push(")");
    }
    if filter.asks_for_versions() {
        sql.push(" JOIN document_versions f ON f.id = ").push(version);
    }
    sql.push(" WHERE d.deleted_at IS NULL");
    push_documents(sql, &filter.documents);
    if !filter.tags.is_empty() {
        sql.push(" AND d.tags && ").push_bind(&filter.tags);
    }
    if let Some(language) = &filter.language {
        sql.push(" AND f.language = ").push_bind(language);
    }
    if let Some(since) = filter.since {
        sql.push(" AND f.created_at >= ").push_bind(since);
    }
    if let Some(until) = filter.until {
        sql.push(" AND f.created_at < ").push_bind(until);
    }
    sql.push(")");
}

fn push_documents(sql: &mut QueryBuilder<Postgres>, documents: &[String]) {
    if documents.is_empty() {
        return;
    }
    let ids: Vec<Uuid> = documents
        .iter()
        .filter_map(|name| Uuid::try_parse(name).ok())
        .collect();
    let folders: Vec<&String> = documents.iter().filter(|name| name.ends_with('/')).collect();
    sql.push(" AND (d.key = ANY(")
        .push_bind(documents)
        .push(") OR d.id = ANY(")
        .push_bind(ids)
        .push(") OR EXISTS (SELECT FROM unnest(")
        .push_bind(folders)
        .push("::text[]) AS folder WHERE starts_with(d.key, folder)))");
}

impl TenantTx {
    /// The documents that `scope` sees a version of and `filter` keeps.
    pub async fn kept_documents(&mut self, scope: &Scope, filter: &Filter) -> Result<Vec<Uuid>, StoreError> {
        let mut sql = QueryBuilder::new("SELECT seen.document_id FROM ");
        push_visible(&mut sql, scope, filter);
        sql.push(" seen WHERE seen.version_id IS NOT NULL");
        Ok(sql.build_query_scalar().fetch_all(self.conn()).await?)
    }

    /// How many windows the versions have that `scope` sees and `filter` keeps: what decides between the two scans.
    pub async fn kept_windows(&mut self, scope: &Scope, filter: &Filter) -> Result<i64, StoreError> {
        let mut sql = QueryBuilder::new(
            "SELECT coalesce(sum(v.windows_embedded + v.windows_reused), 0)::bigint
               FROM document_versions v JOIN ",
        );
        push_visible(&mut sql, scope, filter);
        sql.push(" seen ON seen.version_id = v.id");
        Ok(sql.build_query_scalar().fetch_one(self.conn()).await?)
    }
}
