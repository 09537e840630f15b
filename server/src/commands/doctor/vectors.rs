//! How a tenant's vectors are searched, and why.

use plumbline_retrieval::EXACT_SCAN_UP_TO;
use plumbline_store::{RecallAudit, Store, VectorIndex};

use super::{Finding, INDENT, Outcome};
use crate::pages::words::thousands;

/// What there is over the vectors of one model.
#[derive(Debug, Clone)]
struct Index {
    model: String,
    state: VectorIndex,
    audit: Option<RecallAudit>,
}

/// Looks at the windows and indexes of the tenant of that name.
pub(super) async fn look(store: &Store, tenant: &str) -> anyhow::Result<Finding> {
    let mut tx = store.system().await?;
    let tenant = tx.tenant_by_slug(tenant).await?;
    tx.commit().await?;
    let (mut windows, mut indexes) = (0, Vec::new());
    if let Some(tenant) = tenant {
        let mut tx = store.tenant(tenant.id).await?;
        windows = tx.live_windows().await?;
        for index in tx.vector_indexes().await? {
            indexes.push(Index {
                audit: tx.recall_audits(index.space, 1).await?.pop(),
                model: index.model,
                state: index.state,
            });
        }
        tx.commit().await?;
    }
    Ok(("vectors", outcome(windows, &indexes)))
}

fn outcome(windows: i64, indexes: &[Index]) -> Outcome {
    let count = format!("{} windows", thousands(windows));
    let large = windows > EXACT_SCAN_UP_TO;
    if indexes.is_empty() {
        let limit = thousands(EXACT_SCAN_UP_TO);
        return if large {
            Outcome::Note(format!(
                "{count} and no index: every vector is compared until `plumbline serve` or `plumbline work` has built one"
            ))
        } else {
            Outcome::Fine(format!(
                "{count}: every vector is compared (an index is built above {limit})"
            ))
        };
    }
    if !large {
        let limit = thousands(EXACT_SCAN_UP_TO);
        return Outcome::Fine(format!(
            "{count}: every vector is compared (the index waits for more than {limit} again)"
        ));
    }
    let told: Vec<Outcome> = indexes
        .iter()
        .map(|index| match indexes {
            [_] => of_index(index, &count),
            _ => of_index(index, &format!("{count} of {}", index.model)),
        })
        .collect();
    worst_of(told)
}

fn of_index(index: &Index, count: &str) -> Outcome {
    let searched = match (index.state, &index.audit) {
        (VectorIndex::Absent | VectorIndex::Unfinished, _) => {
            return Outcome::Note(format!(
                "{count}: the index is being built, and every vector compared until it is ready"
            ));
        }
        (VectorIndex::Ready, None) => {
            return Outcome::Fine(format!(
                "{count}: HNSW index, not audited yet (a worker does it within the hour)"
            ));
        }
        (VectorIndex::Ready, Some(audit)) => audit,
    };
    let sampled = match searched.sampled_from_documents {
        0 => String::new(),
        sampled => format!(" ({sampled} of them sentences of documents)"),
    };
    let words = format!(
        "{count}: HNSW index, recall@10 {:.3} over {} questions on {}{sampled}",
        searched.recall(),
        searched.questions,
        searched.created_at.format("%Y-%m-%d")
    );
    if searched.is_good() {
        Outcome::Fine(words)
    } else {
        Outcome::Missing(format!(
            "{words}; the worst question got {:.0} %\n{INDENT}the search keeps {} candidates already. Build the index \
             anew: DROP INDEX CONCURRENTLY windows_hnsw_… (`\\di windows_hnsw*` in psql lists it); a worker builds it with \
             the next document",
            searched.worst * 100.0,
            searched.ef_search
        ))
    }
}

/// One outcome of several: as bad as the worst, with the words of all.
fn worst_of(outcomes: Vec<Outcome>) -> Outcome {
    let (mut rank, mut words) = (0, Vec::new());
    for outcome in outcomes {
        let (this, said) = match outcome {
            Outcome::Fine(said) => (0, said),
            Outcome::Note(said) => (1, said),
            Outcome::Missing(said) => (2, said),
        };
        rank = rank.max(this);
        words.push(said);
    }
    let words = words.join(&format!("\n{INDENT}"));
    match rank {
        0 => Outcome::Fine(words),
        1 => Outcome::Note(words),
        _ => Outcome::Missing(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(windows: i64, indexes: &[Index]) -> String {
        match outcome(windows, indexes) {
            Outcome::Fine(words) => format!("ok {words}"),
            Outcome::Note(words) => format!("note {words}"),
            Outcome::Missing(words) => format!("MISSING {words}"),
        }
    }

    fn index(state: VectorIndex, found: Option<i64>) -> Index {
        Index {
            model: "all-MiniLM-L6-v2".to_owned(),
            state,
            audit: found.map(|found| RecallAudit {
                created_at: "2026-11-29T12:00:00Z".parse().unwrap(),
                windows: 104_000,
                ef_search: 400,
                questions: 100,
                sampled_from_documents: 80,
                wanted: 1_000,
                found,
                worst: 0.5,
            }),
        }
    }

    #[test]
    fn it_says_how_vectors_are_searched_and_why() {
        let ready = |found| index(VectorIndex::Ready, found);
        let said = [
            words(0, &[]),
            words(12_300, &[]),
            words(24_000, &[]),
            words(12_300, &[ready(Some(991))]),
            words(104_000, &[index(VectorIndex::Unfinished, None)]),
            words(104_000, &[ready(None)]),
            words(104_000, &[ready(Some(991))]),
            words(104_000, &[ready(Some(950))]),
            words(104_000, &[ready(Some(991)), index(VectorIndex::Unfinished, None)]),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        ok 0 windows: every vector is compared (an index is built above 20,000)
        ok 12,300 windows: every vector is compared (an index is built above 20,000)
        note 24,000 windows and no index: every vector is compared until `plumbline serve` or `plumbline work` has built one
        ok 12,300 windows: every vector is compared (the index waits for more than 20,000 again)
        note 104,000 windows: the index is being built, and every vector compared until it is ready
        ok 104,000 windows: HNSW index, not audited yet (a worker does it within the hour)
        ok 104,000 windows: HNSW index, recall@10 0.991 over 100 questions on 2026-11-29 (80 of them sentences of documents)
        MISSING 104,000 windows: HNSW index, recall@10 0.950 over 100 questions on 2026-11-29 (80 of them sentences of documents); the worst question got 50 %
                                  the search keeps 400 candidates already. Build the index anew: DROP INDEX CONCURRENTLY windows_hnsw_… (`\di windows_hnsw*` in psql lists it); a worker builds it with the next document
        note 104,000 windows of all-MiniLM-L6-v2: HNSW index, recall@10 0.991 over 100 questions on 2026-11-29 (80 of them sentences of documents)
                                  104,000 windows of all-MiniLM-L6-v2: the index is being built, and every vector compared until it is ready
        ");
    }
}
