//! `/v1/search`: the passages that fit a question.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use plumbline_retrieval::{Hit, LexicalState, SearchOptions, SearchTimings};
use plumbline_store::TraceSource;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::auth::ApiTenant;
use super::error::{ApiError, ErrorBody, refuse_nul};
use super::preview::{Preview, look};
use crate::app::App;
use crate::filter::FilterRequest;
use crate::traces::{self, Asking, Keep, Origin};

/// Longest query in characters.
const LONGEST_QUERY: usize = 8_192;

/// Most passages of one search.
const LARGEST_K: usize = 50;

/// A search.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// The question, in words.
    #[serde(default)]
    #[schema(example = "how much is delivery to Tamale?", required = true)]
    pub query: String,
    /// Passages wanted, 1 to 50; 5 when left out.
    #[schema(minimum = 1, maximum = 50)]
    pub k: Option<usize>,
    /// Search only among these documents.
    #[serde(default)]
    pub filter: FilterRequest,
    /// Search among staged versions or with staged settings.
    pub preview: Option<Preview>,
    /// `true` keeps the trace of this search, `false` keeps none; left out, the setting `traces.sample` decides.
    pub trace: Option<bool>,
}

/// What was found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SearchResponse {
    /// Passages, best first, each with its rank and score in either leg.
    pub hits: Vec<Hit>,
    /// BM25 of the best passage as a share of the most this question could score, 0 to 1.
    pub lexical_coverage: f32,
    /// The most that any passage could score for this question in the lexical leg, in BM25.
    pub lexical_bound: f32,
    /// Weight of the lexical leg in the scores, 0 to 1; the vector leg gets the rest.
    pub lexical_weight: f32,
    /// State of the lexical leg.
    pub lexical: LexicalState,
    /// How the vectors were scanned: `exact` or `hnsw`.
    pub vector_scan: &'static str,
    /// Milliseconds per stage.
    pub timings: SearchTimings,
    /// Version of the settings in force.
    pub settings_version: i64,
    /// The trace of this search, see `/v1/traces/{id}`; none when it was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Uuid>,
}

/// Searches the live documents: as many passages come back as were wanted, if the filter keeps that many.
#[utoipa::path(post, path = "/v1/search", tag = "answers", security(("key" = [])), request_body = SearchRequest,
    responses((status = 200, body = SearchResponse), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
pub async fn search(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    request: Result<Json<SearchRequest>, JsonRejection>,
) -> Result<Json<SearchResponse>, ApiError> {
    let Json(request) = request.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    let k = request.k.unwrap_or(5);
    if !(1..=LARGEST_K).contains(&k) {
        return Err(ApiError::BadRequest(format!(
            "`k` is {k}; it must be 1 to {LARGEST_K}"
        )));
    }
    if request.query.trim().is_empty() {
        return Err(ApiError::BadRequest(
            "`query` is missing or empty; it is the question, as {\"query\": \"how much is delivery to Tamale?\"}".to_owned(),
        ));
    }
    refuse_nul("query", &request.query)?;
    if request.query.chars().count() > LONGEST_QUERY {
        return Err(ApiError::BadRequest(format!(
            "`query` has more than {LONGEST_QUERY} characters"
        )));
    }
    let filter = request.filter.read();
    let filter = filter.map_err(|problem| ApiError::BadRequest(problem.in_json()))?;
    let looked = look(&app, tenant, request.preview.as_ref()).await?;
    let options = SearchOptions {
        k,
        settings: looked.settings.settings.retrieval.clone(),
        scope: looked.scope,
        filter,
        trace: false,
    };
    let asking = Asking {
        origin: Origin {
            staged: looked.staged,
            ..Origin::of(TraceSource::Search)
        },
        keep: Keep::asked_for(request.trace, request.preview.is_some()),
        store_answer: false,
    };
    let settings = &looked.settings;
    let asked = traces::search(&app, tenant, &request.query, options, settings, &asking).await?;
    let results = asked.result;
    Ok(Json(SearchResponse {
        hits: results.hits,
        lexical_coverage: results.lexical_coverage,
        lexical_bound: results.lexical_bound,
        lexical_weight: results.lexical_weight,
        lexical: results.lexical,
        vector_scan: results.vector_scan,
        timings: results.timings,
        settings_version: looked.settings.version,
        trace_id: asked.trace_id,
    }))
}
