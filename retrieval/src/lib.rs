//! Hybrid search over the live versions of a tenant's documents.
//!
//! Two legs look at once: BM25 in a tantivy index that is derived from Postgres and may be lost at any time, and cosine
//! over embedding windows in pgvector. Their scores are fused so that the lexical share adapts to the question (see
//! `fuse`), and every hit is joined to the live version of its document before it is returned: a replaced or deleted
//! version cannot be found, however late an index is.

mod audit;
mod catch_up;
mod collapse;
mod error;
mod found;
mod fuse;
mod hit;
mod lexical;
mod outlook;
mod rank;
mod rerank;
mod results;
mod searcher;
mod spaces;
mod trace;

pub use audit::{Audited, Recall, sentence_to_ask};
pub use error::SearchError;
pub use hit::{Hit, LegScore, ScoreParts};
pub use results::{LexicalState, Results, SearchTimings};
pub use searcher::{EXACT_SCAN_UP_TO, SearchOptions, Searcher};
pub use trace::{
    AnalysedTerm, AnalysedWord, Analysis, Considered, LexicalTrace, RerankTrace, SearchTrace, VectorTrace,
};
