//! What each leg of the search is worth: alone, fused in each way there is, reranked.
//!
//! Fusion that is worse than one of its legs is a bug with two indexes. So it is an error, not a row in a table.

use std::fmt::Write as _;

use plumbline_store::{Fusion, Settings};

use super::trial::Bench;
use crate::error::EvalError;
use crate::gate::Exit;
use crate::metrics::recall::Ranking;
use crate::metrics::{Graded, recall};
use crate::progress::Progress;

/// By how much fusion may be below the better leg before it counts as worse: less than a case in 200.
pub const EPSILON: f64 = 0.005;

/// The legs by themselves.
const LEXICAL: &str = "lexical only";
const DENSE: &str = "dense only";
/// Fused as the settings say.
const FUSED: &str = "fused";
const RERANKED: &str = "fused and reranked";
/// Reranked by one of two things alone.
const FEATURES: &str = "reranked: features";
const LATE: &str = "reranked: late only";

/// Ways to fuse by name.
fn name_of(fusion: Fusion) -> &'static str {
    match fusion {
        Fusion::Bounded => "fused: bounded share",
        Fusion::Convex => "fused: min-max",
        Fusion::Rrf => "fused: RRF",
    }
}

/// One way to search.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Means over the cases.
    pub mean: Ranking,
    /// Answerable cases.
    pub n: usize,
}

/// Measures every way to search.
pub async fn measure(bench: &Bench, settings: &Settings, progress: &Progress) -> Result<Vec<Row>, EvalError> {
    let with = |lexical: bool, vector: bool, rerank: bool, fusion: Fusion| {
        let mut settings = settings.clone();
        settings.retrieval.lexical = lexical;
        settings.retrieval.vector = vector;
        settings.retrieval.rerank = rerank;
        settings.retrieval.fusion = fusion;
        settings
    };
    let chosen = settings.retrieval.fusion;
    let mut ways = vec![
        (LEXICAL, with(true, false, false, chosen)),
        (DENSE, with(false, true, false, chosen)),
    ];
    let others = Fusion::ALL.into_iter().filter(|fusion| *fusion != chosen);
    ways.extend(others.map(|fusion| (name_of(fusion), with(true, true, false, fusion))));
    ways.push((FUSED, with(true, true, false, chosen)));
    if settings.retrieval.rerank {
        let (mut features, mut late) = (with(true, true, true, chosen), with(true, true, true, chosen));
        features.retrieval.late_weight = 0.0;
        late.retrieval.rerank_weight = 0.0;
        ways.extend([(FEATURES, features), (LATE, late)]);
        ways.push((RERANKED, with(true, true, true, chosen)));
    }
    let mut rows = Vec::new();
    for (name, settings) in ways {
        let graded = bench.find(&settings, progress).await?;
        rows.push(row(name, &graded));
    }
    Ok(rows)
}

fn row(name: &'static str, graded: &[Graded]) -> Row {
    let all: Vec<&Graded> = graded.iter().collect();
    let mean = |figure: fn(&Ranking) -> f64| recall::mean(&all, figure).value.point;
    Row {
        name,
        n: all.len(),
        mean: Ranking {
            recall_at_1: mean(|r| r.recall_at_1),
            recall_at_5: mean(|r| r.recall_at_5),
            recall_at_10: mean(|r| r.recall_at_10),
            success_at_5: mean(|r| r.success_at_5),
            all_hit_at_5: mean(|r| r.all_hit_at_5),
            ndcg_at_5: mean(|r| r.ndcg_at_5),
            mrr: mean(|r| r.mrr),
        },
    }
}

/// The table, in Markdown, which a terminal shows as well.
pub fn table(rows: &[Row]) -> String {
    let mut out = String::from(
        "| search               | n    | recall@1 | recall@5 | recall@10 | nDCG@5 | MRR   |\n\
         |----------------------|------|----------|----------|-----------|--------|-------|\n",
    );
    for Row { name, mean, n } in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "| {name:<20} | {n:<4} | {:<8.3} | {:<8.3} | {:<9.3} | {:<6.3} | {:<5.3} |",
            mean.recall_at_1, mean.recall_at_5, mean.recall_at_10, mean.ndcg_at_5, mean.mrr
        );
    }
    out
}

/// Whether fusion, as customers get it, is worth having both legs.
pub fn verdict(rows: &[Row], epsilon: f64) -> Exit {
    let recall = |name: &str| {
        rows.iter()
            .find(|row| row.name == name)
            .map(|row| row.mean.recall_at_5)
    };
    let single = recall(LEXICAL)
        .into_iter()
        .chain(recall(DENSE))
        .fold(0.0, f64::max);
    let fused = recall(RERANKED).or(recall(FUSED)).unwrap_or_default();
    let told = format!("recall@5 of the fused search {fused:.3}, of the better single leg {single:.3}");
    if fused < single - epsilon {
        Exit {
            code: 1,
            cause: format!("{told}: fusion loses more than {epsilon}"),
        }
    } else {
        Exit::ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lexical: f64, dense: f64, fused: f64, reranked: Option<f64>) -> Vec<Row> {
        let row = |name, recall_at_5| Row {
            name,
            n: 100,
            mean: Ranking {
                recall_at_5,
                ..Ranking::default()
            },
        };
        let mut rows = vec![row(LEXICAL, lexical), row(DENSE, dense), row(FUSED, fused)];
        rows.extend(reranked.map(|recall| row(RERANKED, recall)));
        rows
    }

    #[test]
    fn fusion_below_its_better_leg_fails() {
        assert_eq!(verdict(&rows(0.70, 0.80, 0.85, None), EPSILON).code, 0);
        assert_eq!(verdict(&rows(0.70, 0.80, 0.797, None), EPSILON).code, 0);
        assert_eq!(verdict(&rows(0.70, 0.80, 0.79, None), EPSILON).code, 1);
        assert_eq!(verdict(&rows(0.86, 0.80, 0.85, None), EPSILON).code, 1);
        assert_eq!(
            verdict(&rows(0.70, 0.80, 0.85, Some(0.78)), EPSILON).code,
            1,
            "what customers get counts"
        );
        assert_eq!(verdict(&[], EPSILON).code, 0);
    }

    #[test]
    fn the_table_is_markdown() {
        insta::assert_snapshot!(table(&rows(0.7, 0.8, 0.85, Some(0.9))));
    }
}
