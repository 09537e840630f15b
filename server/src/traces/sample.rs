//! Traces for tests.

use chrono::{DateTime, Duration, TimeZone, Utc};
use plumbline_retrieval::{
    AnalysedTerm, AnalysedWord, Analysis, Considered, LegScore, LexicalState, LexicalTrace, RerankTrace,
    ScoreParts, SearchTimings, SearchTrace, VectorTrace,
};
use plumbline_store::{Filter, Fusion, Settings, TraceRow, TraceSource};
use uuid::Uuid;

use super::{SCHEMA_VERSION, TraceRecord};

/// The time of all samples.
pub(crate) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 29, 12, 0, 0).unwrap()
}

/// A trace in a list.
pub(crate) fn row(number: u128, question: &str, outcome: Option<&str>) -> TraceRow {
    TraceRow {
        id: Uuid::from_u128(number),
        source: if outcome.is_some() {
            TraceSource::Whatsapp
        } else {
            TraceSource::Search
        },
        question: question.to_owned(),
        query: question.to_owned(),
        outcome: outcome.map(str::to_owned),
        settings_version: 4,
        index_version: Some(12),
        document_keys: vec!["prices.csv".to_owned()],
        total_ms: 41.25,
        created_at: now() - Duration::minutes(7),
    }
}

/// A passage of the price list.
pub(crate) fn considered(
    number: u128,
    version: i32,
    lexical: Option<(u32, f32)>,
    cosine: f32,
    text: &str,
) -> Considered {
    let leg = |(rank, score)| LegScore { rank, score };
    Considered {
        chunk_id: Uuid::from_u128(number),
        document_id: Uuid::from_u128(900),
        version_id: Uuid::from_u128(1_000 + u128::from(version.unsigned_abs())),
        document_key: "prices.csv".to_owned(),
        document_title: "Prices".to_owned(),
        version_number: version,
        page: None,
        row: Some(u64::try_from(number).unwrap_or_default()),
        heading_path: vec![],
        excerpt: text.to_owned(),
        lexical: lexical.map(leg),
        vector: Some(leg((0, cosine))),
        parts: ScoreParts {
            lexical: 0.5,
            vector: cosine,
            rerank: 0.1,
            late: 0.05,
            boost: 1.0,
        },
        score: cosine,
        fused_rank: 1,
        duplicate_of: None,
        hit: true,
    }
}

/// A search that considered these.
pub(crate) fn record(candidates: Vec<Considered>) -> TraceRecord {
    let search = SearchTrace {
        query: "delivery zongo".to_owned(),
        k: 2,
        leg_depth: 50,
        analysis: Analysis {
            language: Some("en".to_owned()),
            words: vec![
                AnalysedWord {
                    text: "delivery".to_owned(),
                    idf: 1.25,
                    terms: vec![AnalysedTerm {
                        text: "deliveri".to_owned(),
                        weight: 1.0,
                    }],
                },
                AnalysedWord {
                    text: "zongo".to_owned(),
                    idf: 9.5,
                    terms: vec![],
                },
            ],
        },
        lexical: LexicalTrace {
            state: LexicalState::Current,
            found: 7,
            bound: 8.0,
        },
        vector: VectorTrace {
            model: "all-MiniLM-L6-v2".to_owned(),
            scan: "exact".to_owned(),
            windows: 120,
            found: 50,
        },
        fusion: Fusion::Bounded,
        lexical_weight: 0.4,
        rerank: Some(RerankTrace {
            by: "features".to_owned(),
            read: 3,
            missed: None,
            ms: 0.25,
        }),
        candidates,
        gone: 0,
        index_version: 12,
        timings: SearchTimings {
            embed_ms: 3.25,
            lexical_ms: 1.0,
            vector_ms: 2.25,
            fuse_ms: 0.5,
            total_ms: 7.0,
        },
    };
    TraceRecord {
        schema_version: SCHEMA_VERSION,
        question: "delivery zongo".to_owned(),
        history: vec![],
        language_hint: None,
        k: 2,
        filter: Filter::default(),
        staged: vec![],
        settings: Settings::default(),
        changes: vec![],
        rewritten: false,
        hits: search
            .candidates
            .iter()
            .take(2)
            .map(|found| found.chunk_id)
            .collect(),
        search: Some(search),
        packed: vec![],
        answer: None,
        replay: None,
    }
}

/// A search whose third candidate repeats the first.
pub(crate) fn first() -> TraceRecord {
    let mut repeats = considered(3, 1, None, 0.25, "Delivery to Tamale costs GHS 45 again.");
    repeats.duplicate_of = Some(Uuid::from_u128(1));
    record(vec![
        considered(1, 1, Some((1, 6.0)), 0.75, "Delivery to Tamale costs GHS 45."),
        considered(2, 1, Some((2, 3.5)), 0.5, "Delivery to Ho costs GHS 30."),
        repeats,
    ])
}
