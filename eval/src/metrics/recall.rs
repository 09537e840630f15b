//! Did the search find the evidence? (definition row 3)
//!
//! Evidence comes in groups: any piece of a group will do, every group is needed. A chunk hits a
//! piece when both are of the same document and the chunk covers at least half of the piece in
//! source offsets; where the offsets cannot be compared, when the chunk contains the quote. The
//! gold is therefore independent of how documents are cut.

use std::collections::BTreeMap;

use plumbline_retrieval::Hit;
use serde::{Deserialize, Serialize};

use super::Measured;
use super::grade::Graded;
use crate::golden::case::Kind;
use crate::golden::normal::contains;
use crate::golden::pin::Span;
use crate::stats::{real, share};
use crate::target::http::same_document;

/// Share of a piece of evidence that a chunk has to cover.
pub const COVER: f64 = 0.5;

/// How well one ranking did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// Groups hit by the first hit / min(groups, 1).
    pub recall_at_1: f64,
    /// Groups hit within the first 5 / min(groups, 5).
    pub recall_at_5: f64,
    /// Groups hit within the first 10 / min(groups, 10).
    pub recall_at_10: f64,
    /// 1 when any group is hit within the first 5.
    pub success_at_5: f64,
    /// 1 when all groups are hit within the first 5.
    pub all_hit_at_5: f64,
    /// Graded gain 2^g − 1 of newly found groups, discounted by log2(rank + 1), over the ideal
    /// (K. Järvelin and J. Kekäläinen, ACM TOIS 20, 2002).
    pub ndcg_at_5: f64,
    /// 1 / rank of the first hit within the first 10, else 0.
    pub mrr: f64,
}

/// Whether a chunk holds a piece of evidence.
pub fn hits(hit: &Hit, span: &Span) -> bool {
    if !same_document(&hit.document_key, &span.doc) {
        return false;
    }
    match overlap(hit, span) {
        Some(bytes) => share(real(bytes), span.end - span.start) >= COVER,
        None => contains(&hit.text, &span.text),
    }
}

/// Bytes that chunk and evidence share; `None` when their offsets belong to different texts, which
/// shows in different bytes at the same place (another extractor or another file on the server).
fn overlap(hit: &Hit, span: &Span) -> Option<usize> {
    if hit.end.checked_sub(hit.start) != Some(hit.text.len()) || span.end <= span.start {
        return None;
    }
    let (start, end) = (hit.start.max(span.start), hit.end.min(span.end));
    if start >= end {
        return if contains(&hit.text, &span.text) {
            None
        } else {
            Some(0)
        };
    }
    let in_hit = hit.text.as_bytes().get(start - hit.start..end - hit.start)?;
    let in_span = span.text.as_bytes().get(start - span.start..end - span.start)?;
    (in_hit == in_span).then_some(end - start)
}

/// For each hit, the groups it holds.
pub fn marks(hits_found: &[Hit], spans: &[Span]) -> Vec<Vec<String>> {
    let groups_of = |hit: &Hit| {
        let mut groups: Vec<String> = spans
            .iter()
            .filter(|span| hits(hit, span))
            .map(|span| span.group.clone())
            .collect();
        groups.sort();
        groups.dedup();
        groups
    };
    hits_found.iter().map(groups_of).collect()
}

/// Scores one ranking against the evidence of its case.
pub fn rank(found: &[Hit], spans: &[Span]) -> Ranking {
    let mut grades: BTreeMap<&str, u8> = BTreeMap::new();
    for span in spans {
        let grade = grades.entry(&span.group).or_default();
        *grade = (*grade).max(span.grade);
    }
    // Per rank, the best grade with which each group is hit there.
    let per_rank: Vec<BTreeMap<&str, u8>> = found.iter().take(10).map(|hit| groups_hit(hit, spans)).collect();
    let found_within = |k: usize| {
        let mut groups: Vec<&str> = per_rank
            .iter()
            .take(k)
            .flat_map(|groups| groups.keys().copied())
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups.len()
    };
    let wanted = grades.len();
    let recall = |k: usize| share(real(found_within(k).min(k)), wanted.min(k));
    let first = per_rank.iter().position(|groups| !groups.is_empty());
    let flag = |condition: bool| if condition { 1.0 } else { 0.0 };
    Ranking {
        recall_at_1: recall(1),
        recall_at_5: recall(5),
        recall_at_10: recall(10),
        success_at_5: flag(found_within(5) > 0),
        all_hit_at_5: flag(wanted > 0 && found_within(5) == wanted),
        ndcg_at_5: ndcg(&per_rank, &grades, 5),
        mrr: first.map_or(0.0, |position| 1.0 / real(position + 1)),
    }
}

fn groups_hit<'a>(hit: &Hit, spans: &'a [Span]) -> BTreeMap<&'a str, u8> {
    let mut groups = BTreeMap::new();
    for span in spans.iter().filter(|span| hits(hit, span)) {
        let grade = groups.entry(span.group.as_str()).or_insert(0);
        *grade = span.grade.max(*grade);
    }
    groups
}

/// Each group counts once, where it is first found. A chunk that holds several groups may beat the
/// ideal of one group per rank, hence the cap at 1.
fn ndcg(per_rank: &[BTreeMap<&str, u8>], ideal: &BTreeMap<&str, u8>, k: usize) -> f64 {
    let gain = |grade: u8| f64::from(grade).exp2() - 1.0;
    let discount = |position: usize| real(position + 2).log2();
    let mut seen: Vec<&str> = Vec::new();
    let mut dcg = 0.0;
    for (position, groups) in per_rank.iter().take(k).enumerate() {
        for (&group, &grade) in groups {
            if !seen.contains(&group) {
                seen.push(group);
                dcg += gain(grade) / discount(position);
            }
        }
    }
    let mut grades: Vec<u8> = ideal.values().copied().collect();
    grades.sort_unstable_by(|a, b| b.cmp(a));
    let best: f64 = grades
        .iter()
        .take(k)
        .enumerate()
        .map(|(i, &grade)| gain(grade) / discount(i))
        .sum();
    if best > 0.0 { (dcg / best).min(1.0) } else { 0.0 }
}

/// Macro mean of one figure of the rankings over the answerable cases; an error scores 0.
pub fn mean(graded: &[&Graded], figure: fn(&Ranking) -> f64) -> Measured {
    let cases: Vec<&&Graded> = graded
        .iter()
        .filter(|g| g.case.kind == Kind::Answerable)
        .collect();
    let sum: f64 = cases.iter().filter_map(|g| of(g, figure)).sum();
    let errors = cases.iter().filter(|g| g.observed.is_error()).count();
    Measured::success(sum, cases.len(), errors)
}

/// One figure of one answerable case; an error scores 0.
pub fn of(graded: &Graded, figure: fn(&Ranking) -> f64) -> Option<f64> {
    (graded.case.kind == Kind::Answerable).then(|| graded.ranking.as_ref().map_or(0.0, figure))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::pin::How;
    use crate::testing::hit;
    use proptest::prelude::*;

    /// A text in which no two passages are alike.
    fn source(start: usize, end: usize) -> String {
        let words: Vec<String> = (0..=end / 5).map(|i| format!("{i:04} ")).collect();
        words.concat()[start..end].to_owned()
    }

    fn span(group: &str, start: usize, end: usize, grade: u8) -> Span {
        let text = source(start, end);
        Span {
            group: group.into(),
            doc: "d.txt".into(),
            start,
            end,
            text,
            grade,
            how: How::Exact,
        }
    }

    fn chunk(start: usize, end: usize) -> Hit {
        hit("d.txt", start, &source(start, end))
    }

    #[test]
    fn half_of_the_evidence_is_enough() {
        let evidence = span("1", 100, 200, 3);
        assert!(hits(&chunk(0, 150), &evidence));
        assert!(!hits(&chunk(0, 149), &evidence));
        let mut other = chunk(0, 300);
        other.document_key = "e.txt".into();
        assert!(!hits(&other, &evidence));
    }

    #[test]
    fn offsets_of_another_text_fall_back_to_the_quote() {
        let mut evidence = span("1", 0, 7, 3);
        evidence.text = "21 days".into();
        assert!(!hits(
            &hit("d.txt", 0, "Some other text at these offsets."),
            &evidence
        ));
        assert!(hits(
            &hit("d.txt", 0, "Now it reads: within 21  days of delivery."),
            &evidence
        ));
        assert!(hits(&hit("d.txt", 900, "It moved: 21 days."), &evidence));
    }

    /// Two groups: A (grade 3) at rank 2, B (grade 1) at rank 4.
    /// DCG = 7/log2(3) + 1/log2(5) = 4.41651 + 0.43068; ideal = 7 + 1/log2(3) = 7.63093.
    #[test]
    fn figures_by_hand() {
        let spans = [span("A", 100, 200, 3), span("B", 500, 600, 1)];
        let ranking = [
            chunk(900, 950),
            chunk(100, 200),
            chunk(120, 180),
            chunk(500, 600),
            chunk(0, 50),
        ];
        let score = rank(&ranking, &spans);
        assert!((score.recall_at_1 - 0.0).abs() < 1e-9);
        assert!((score.recall_at_5 - 1.0).abs() < 1e-9);
        assert!((score.mrr - 0.5).abs() < 1e-9);
        assert!(
            (score.ndcg_at_5 - (4.416_508 + 0.430_677) / 7.630_930).abs() < 1e-6,
            "{}",
            score.ndcg_at_5
        );
        assert!((score.all_hit_at_5 - 1.0).abs() < 1e-9);

        let one = rank(&ranking[..3], &spans);
        assert!((one.recall_at_5 - 0.5).abs() < 1e-9);
        assert!((one.success_at_5 - 1.0).abs() < 1e-9 && one.all_hit_at_5.abs() < 1e-9);
        assert_eq!(rank(&[], &spans), Ranking::default());
    }

    /// Six groups can never all be in five chunks of one group each: min(|G|, 5) is the divisor.
    #[test]
    fn more_groups_than_ranks() {
        let spans: Vec<Span> = (0..6)
            .map(|i| span(&i.to_string(), i * 100, i * 100 + 50, 3))
            .collect();
        let ranking: Vec<Hit> = (0..6).map(|i| chunk(i * 100, i * 100 + 50)).collect();
        assert!((rank(&ranking, &spans).recall_at_5 - 1.0).abs() < 1e-9);
        assert!((rank(&ranking[..4], &spans).recall_at_5 - 0.8).abs() < 1e-9);
        // One chunk that holds all six still cannot score above 1.
        assert!((rank(&[chunk(0, 600)], &spans).recall_at_5 - 1.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn every_figure_is_a_share(starts in proptest::collection::vec(0_usize..20, 0..12),
                                   gold in proptest::collection::vec((0_usize..4, 0_usize..20, 1_u8..=3), 1..6)) {
            let ranking: Vec<Hit> = starts.iter().map(|s| chunk(s * 50, s * 50 + 60)).collect();
            let spans: Vec<Span> =
                gold.iter().map(|&(g, s, grade)| span(&g.to_string(), s * 50, s * 50 + 40, grade)).collect();
            let r = rank(&ranking, &spans);
            for figure in [r.recall_at_1, r.recall_at_5, r.recall_at_10, r.success_at_5, r.all_hit_at_5, r.ndcg_at_5, r.mrr] {
                prop_assert!((0.0..=1.0).contains(&figure));
            }
            prop_assert!(r.all_hit_at_5 <= r.success_at_5);
            prop_assert!(r.recall_at_5 <= r.success_at_5);
            // Gold is a set: its order cannot matter. Nor can a hit added at the end lower anything.
            let mut reversed = spans.clone();
            reversed.reverse();
            prop_assert_eq!(rank(&ranking, &reversed), r);
        }
    }
}
