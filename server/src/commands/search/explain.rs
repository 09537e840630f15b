//! A result as people read it at a terminal, and how it came about.

use std::fmt::Write;

use plumbline_retrieval::{Analysis, Hit, LexicalState, Results};

/// Characters of a passage that are shown.
const SHOWN: usize = 240;

/// The hits; with the `analysis` of the question, where each score comes from and what took how long.
pub(super) fn text(results: &Results, analysis: Option<&Analysis>) -> String {
    let explain = analysis.is_some();
    let mut text = analysis.map_or_else(String::new, |analysis| {
        format!("{}\n", crate::commands::traces::analysis(analysis))
    });
    for (place, hit) in (1..).zip(&results.hits) {
        let _ = writeln!(text, "{place}. {}", title(hit));
        if !hit.heading_path.is_empty() {
            let _ = writeln!(text, "   {}", hit.heading_path.join(" > "));
        }
        if explain {
            let _ = writeln!(text, "   {}\n   {}", sum(hit, results), legs(hit, results));
        }
        let _ = writeln!(text, "   {}\n", short(&hit.text));
    }
    if explain {
        let _ = writeln!(text, "{}", whole(results));
    }
    text
}

fn title(hit: &Hit) -> String {
    let spot = match (hit.page, hit.row) {
        (Some(page), _) => format!(", page {page}"),
        (None, Some(row)) => format!(", row {row}"),
        (None, None) => String::new(),
    };
    format!("{} (version {}{spot})", hit.document_key, hit.version_number)
}

fn short(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = text.chars().take(SHOWN).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short}{more}")
}

/// The fused score as the sum that it is.
fn sum(hit: &Hit, results: &Results) -> String {
    let (weight, parts) = (results.lexical_weight, hit.parts);
    let boosted = if (parts.boost - 1.0).abs() > f32::EPSILON {
        format!(", boosted by {:.2}", parts.boost)
    } else {
        String::new()
    };
    format!(
        "score {:.3} = {weight:.2} × lexical {:.3} + {:.2} × vector {:.3} + rerank {:.3} + late {:.3}{boosted}",
        hit.score,
        parts.lexical,
        1.0 - weight,
        parts.vector,
        parts.rerank,
        parts.late,
    )
}

fn legs(hit: &Hit, results: &Results) -> String {
    let lexical = hit.lexical.map_or_else(
        || "not found".to_owned(),
        |leg| {
            format!(
                "rank {}, BM25 {:.3} of at most {:.3}",
                leg.rank, leg.score, results.lexical_bound
            )
        },
    );
    let vector = match hit.vector {
        Some(leg) if leg.rank > 0 => format!("rank {}, cosine {:.3}", leg.rank, leg.score),
        Some(leg) => format!("not among the nearest, cosine {:.3}", leg.score),
        None => "not found".to_owned(),
    };
    format!("lexical leg: {lexical}; vector leg: {vector}")
}

fn whole(results: &Results) -> String {
    let state = match results.lexical {
        LexicalState::Current => "current",
        LexicalState::Behind => "behind: it is replaying what was published",
        LexicalState::Unavailable => "unavailable: the vectors answered alone",
        LexicalState::Off => "off in the settings",
    };
    let scan = match results.vector_scan {
        "exact" => "every vector compared",
        _ => "by the HNSW index",
    };
    let t = results.timings;
    format!(
        "lexical leg {state}; vector leg: {scan}\nembed {:.1} ms, lexical {:.1}, vector {:.1}, fuse {:.1}, total {:.1}",
        t.embed_ms, t.lexical_ms, t.vector_ms, t.fuse_ms, t.total_ms
    )
}

#[cfg(test)]
mod tests {
    use plumbline_retrieval::{AnalysedTerm, AnalysedWord, LegScore, ScoreParts, SearchTimings};
    use uuid::Uuid;

    use super::*;

    fn hit(key: &str, lexical: Option<(u32, f32)>, vector: Option<(u32, f32)>, score: f32) -> Hit {
        let leg = |(rank, score)| LegScore { rank, score };
        Hit {
            chunk_id: Uuid::nil(),
            document_id: Uuid::nil(),
            version_id: Uuid::nil(),
            document_key: key.to_owned(),
            document_title: "Prices".to_owned(),
            version_number: 2,
            start: 0,
            end: 40,
            page: None,
            row: Some(7),
            heading_path: vec!["Delivery".to_owned(), "Tamale".to_owned()],
            text: "Delivery to Tamale\ncosts GHS 45.".to_owned(),
            score,
            parts: ScoreParts {
                lexical: lexical.map_or(0.0, |(_, score)| score / 8.0),
                vector: vector.map_or(0.0, |(_, cosine)| cosine),
                rerank: 0.07,
                late: 0.03,
                boost: 1.0,
            },
            lexical: lexical.map(leg),
            vector: vector.map(leg),
            duplicate_of: None,
        }
    }

    #[test]
    fn a_result_says_where_every_score_comes_from() {
        let both = hit("prices.csv", Some((1, 6.0)), Some((2, 0.5)), 0.7);
        let mut boosted = hit("faq.md", None, Some((0, 0.4)), 0.68);
        (boosted.row, boosted.page) = (None, Some(3));
        boosted.parts.boost = 2.0;
        boosted.text = "long ".repeat(100);
        let lexical = hit("notes.txt", Some((9, 1.5)), None, 0.175);
        let results = Results {
            hits: vec![both, boosted, lexical],
            query_vector: Vec::new(),
            lexical_coverage: 0.75,
            lexical_bound: 8.0,
            lexical_weight: 0.4,
            lexical: LexicalState::Current,
            vector_scan: "exact",
            timings: SearchTimings {
                embed_ms: 3.25,
                lexical_ms: 1.0,
                vector_ms: 2.25,
                fuse_ms: 0.5,
                total_ms: 7.0,
            },
            trace: None,
        };
        let term = |text: &str, weight| AnalysedTerm {
            text: text.to_owned(),
            weight,
        };
        let word = |text: &str, idf, terms| AnalysedWord {
            text: text.to_owned(),
            idf,
            terms,
        };
        let analysis = Analysis {
            language: Some("en".to_owned()),
            words: vec![
                word("delivery", 1.25, vec![term("deliveri", 1.0), term("ship", 0.6)]),
                word("zongo", 9.5, vec![]),
            ],
        };
        insta::assert_snapshot!(text(&results, Some(&analysis)));
        let plain = text(&results, None);
        assert!(plain.contains("GHS 45") && !plain.contains("score"), "{plain}");
    }
}
