//! The audit of a vector index, from the queue to the row that searches and people read.

use std::time::Duration;

use plumbline_store::{NewJob, RECALL_QUEUE};
use serde_json::json;

use crate::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_audited_with_what_customers_asked_and_with_sentences_of_documents() {
    let server = Server::with_faq().await;
    server.answer("How much is delivery to Tamale?").await;
    let (store, own) = (&server.app.store, server.app.embedders.own());
    let mut tx = store.tenant(server.tenant).await.unwrap();
    let space = tx.ensure_space(own.model(), own.dimension()).await.unwrap();
    let asked = tx.searched_questions(100).await.unwrap().len();
    tx.commit().await.unwrap();
    let ask = async || {
        let mut tx = store.tenant(server.tenant).await.unwrap();
        let job = NewJob {
            queue: RECALL_QUEUE,
            key: RECALL_QUEUE.to_owned(),
            dedupe: Some(space.to_string()),
            payload: json!({ "space": space }),
            delay: Duration::ZERO,
            max_attempts: 1,
        };
        tx.enqueue(&job, Duration::ZERO).await.unwrap();
        tx.commit().await.unwrap();
        server.idle().await;
        let mut tx = store.tenant(server.tenant).await.unwrap();
        tx.recall_audits(space, 10).await.unwrap()
    };
    assert_eq!(ask().await, [], "without an index there is nothing to audit");

    assert!(store.build_vector_index(server.tenant, space).await.unwrap());
    let audits = ask().await;
    assert_eq!(audits.len(), 1);
    let audit = &audits[0];
    assert_eq!(
        usize::try_from(audit.questions - audit.sampled_from_documents).unwrap(),
        asked
    );
    assert!(audit.sampled_from_documents > 0, "{audit:?}");
    assert_eq!(
        (audit.found, audit.ef_search),
        (audit.wanted, 150),
        "a handful of chunks is found whole: {audit:?}"
    );
    let mut tx = store.system().await.unwrap();
    assert_eq!(tx.lowest_recall().await.unwrap(), Some(1.0));
    tx.commit().await.unwrap();
    server.end().await;
}
