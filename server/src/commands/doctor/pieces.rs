//! Whether a tenant's passages are kept piece by piece, for late interaction.

use plumbline_store::Store;

use super::{Finding, Outcome};

/// Looks at the live documents of the tenant of that name.
pub(super) async fn look(store: &Store, tenant: &str) -> anyhow::Result<Finding> {
    let mut tx = store.system().await?;
    let tenant = tx.tenant_by_slug(tenant).await?;
    tx.commit().await?;
    let (mut documents, mut without) = (0, 0);
    if let Some(tenant) = tenant {
        let mut tx = store.tenant(tenant.id).await?;
        (documents, without) = tx.live_without_pieces().await?;
        tx.commit().await?;
    }
    Ok(("pieces", outcome(documents, without)))
}

fn outcome(documents: i64, without: i64) -> Outcome {
    if without == 0 {
        return Outcome::Fine(format!("all of {documents} documents are kept piece by piece"));
    }
    Outcome::Note(format!(
        "{without} of {documents} documents were built by an earlier version and are not kept piece by piece: late \
         interaction (retrieval.late_weight) passes them over until \"Read the newest file again\" on their page or \
         POST /v1/documents/{{id}}/rebuild"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_what_to_do() {
        assert!(matches!(outcome(40, 0), Outcome::Fine(words) if words.contains("40 documents")));
        let Outcome::Note(words) = outcome(40, 12) else {
            panic!("no note")
        };
        assert!(
            words.starts_with("12 of 40") && words.contains("/rebuild"),
            "{words}"
        );
    }
}
