//! Drafts of golden cases: where they come from, and what becomes of them.

use plumbline_store::{
    DraftKind, DraftReason, DraftState, DraftTurn, NewAnswer, NewDraft, Scrubbed, TenantTx,
};
use serde_json::json;
use uuid::Uuid;

use crate::support::World;

fn draft(answer: Uuid, question: &str, reason: DraftReason) -> NewDraft {
    NewDraft {
        answer_id: answer,
        question: Scrubbed::new(question, &[]),
        understood: Scrubbed::new(question, &[]),
        history: vec![DraftTurn {
            role: "customer",
            text: Scrubbed::new("call 024 555 0199", &[]),
        }],
        lang: "en".to_owned(),
        kind: DraftKind::Unanswerable,
        reason,
    }
}

fn answer() -> NewAnswer {
    NewAnswer {
        id: Uuid::now_v7(),
        conversation_id: None,
        turn_id: None,
        question: "a question".to_owned(),
        outcome: "abstained".to_owned(),
        route: "commodity".to_owned(),
        reason: None,
        text: "an answer".to_owned(),
        confidence: 0.2,
        record: json!({}),
        settings_version: 0,
        model: String::new(),
        input_tokens: 0,
        output_tokens: 0,
        total_ms: 1.0,
        citations: Vec::new(),
    }
}

#[tokio::test]
async fn a_question_is_one_draft_and_comes_back_only_when_chosen() {
    let world = World::new().await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let given = answer();
    tx.insert_answer(&given).await.unwrap();
    let add = async |tx: &mut TenantTx, question: &str, reason| {
        tx.add_golden_draft(&draft(given.id, question, reason))
            .await
            .unwrap()
    };
    let (first, fresh) = add(&mut tx, "Cuánto cuesta? mail a@b.example", DraftReason::Abstained).await;
    assert!(fresh);
    let again = add(
        &mut tx,
        "¿cuanto CUESTA? mail c@d.example",
        DraftReason::ThumbsDown,
    )
    .await;
    assert_eq!(
        again,
        (first, false),
        "the same but for case, accents and what was taken out"
    );
    let stored = tx.golden_draft(first).await.unwrap();
    assert_eq!(stored.question, "Cuánto cuesta? mail [email]");
    assert_eq!(
        stored.history.0[0],
        json!({ "role": "customer", "text": "call [phone]" })
    );
    assert_eq!(tx.draft_of_answer(given.id).await.unwrap().unwrap().id, first);

    tx.set_draft_state(first, DraftState::Dismissed).await.unwrap();
    add(&mut tx, "cuanto cuesta mail x@y.example", DraftReason::Abstained).await;
    assert_eq!(
        tx.count_golden_drafts(DraftState::Draft).await.unwrap(),
        0,
        "dismissed stays so"
    );
    add(&mut tx, "cuanto cuesta mail x@y.example", DraftReason::Chosen).await;
    assert_eq!(tx.count_golden_drafts(DraftState::Draft).await.unwrap(), 1);

    let (second, _) = add(&mut tx, "another one", DraftReason::Handoff).await;
    let exported = tx.export_golden_drafts(DraftState::Draft).await.unwrap();
    let ids: Vec<Uuid> = exported.iter().map(|draft| draft.id).collect();
    assert_eq!(ids, [first, second], "oldest first");
    assert!(
        tx.export_golden_drafts(DraftState::Draft)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        tx.golden_drafts(DraftState::Exported, 10, 0).await.unwrap().len(),
        2
    );
    tx.commit().await.unwrap();

    let mut theirs = world.store.tenant(world.theirs).await.unwrap();
    assert!(
        theirs
            .golden_drafts(DraftState::Exported, 10, 0)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(theirs.golden_draft(first).await.is_err());
    drop(theirs);
    world.end().await;
}
