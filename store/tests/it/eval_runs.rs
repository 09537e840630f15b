//! Runs of the eval: what they judged, what they show over time, and what they hold back.

use plumbline_store::{EvalState, Settings, TenantTx, Verdict};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::World;

fn verdict(state: EvalState, recall: f64, selection: &str) -> Verdict {
    let report = json!({
        "exit": { "code": 0, "cause": "told" },
        "run": { "golden": "shop", "selection": selection, "cases": 3 },
        "metrics": [{ "name": "recall_at_5", "measured": { "value": { "point": recall } } }],
        "cases": [{ "id": "a long one" }],
    });
    Verdict {
        state,
        exit_code: Some(i32::from(state == EvalState::Refused)),
        cause: "told".to_owned(),
        report: Some(report),
    }
}

async fn gated(world: &World) {
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let mut settings = Settings::default();
    settings.publishing.gated = true;
    tx.save_settings(&settings, "gated").await.unwrap();
    tx.commit().await.unwrap();
}

async fn newest(tx: &mut TenantTx) -> plumbline_store::JudgedRun {
    tx.judged_runs(1, 0).await.unwrap().pop().unwrap()
}

#[tokio::test]
async fn a_run_says_which_version_it_judged_and_what_there_is_to_go_back_to() {
    let world = World::new().await;
    let first = world.receive(world.ours, "prices.txt", 1).await;
    world
        .build(world.ours, first.version_id, &["a fan costs 250"])
        .await;
    world.publish(world.ours, first.version_id).await;
    gated(&world).await;
    let second = world.receive(world.ours, "prices.txt", 2).await;
    world
        .build(world.ours, second.version_id, &["a fan costs 270"])
        .await;

    let mut tx = world.store.tenant(world.ours).await.unwrap();
    tx.publish_or_stage(second.version_id).await.unwrap();
    let waiting = newest(&mut tx).await;
    assert_eq!(
        (
            waiting.document_title.as_deref(),
            waiting.version_number,
            waiting.live
        ),
        (Some("A title"), Some(2), false)
    );
    let both = [first.version_id, second.version_id];
    let unproven = tx.unproven_among(&both).await.unwrap();
    assert_eq!(unproven.len(), 1, "the first was live before: {unproven:?}");
    assert_eq!(unproven[0].0, second.version_id);
    assert_eq!(tx.version_before_live(first.document_id).await.unwrap(), None);

    let passed = verdict(EvalState::Passed, 0.9, "all");
    tx.end_eval_run(waiting.run.id, &passed).await.unwrap();
    assert_eq!(tx.unproven(second.version_id).await.unwrap(), None);
    tx.publish_version(second.version_id).await.unwrap();
    let told = tx.judged_run(waiting.run.id).await.unwrap();
    assert!(told.live && !told.deleted);
    assert_eq!(told.made_on.unwrap()["golden"], "shop");
    assert_eq!(
        tx.version_before_live(first.document_id).await.unwrap(),
        Some((first.version_id, 1))
    );
    tx.delete_document(first.document_id).await.unwrap();
    assert!(newest(&mut tx).await.deleted);
    tx.commit().await.unwrap();

    let mut theirs = world.store.tenant(world.theirs).await.unwrap();
    assert!(theirs.judged_runs(10, 0).await.unwrap().is_empty());
    assert!(theirs.eval_trend(10).await.unwrap().is_empty());
    drop(theirs);
    world.end().await;
}

#[tokio::test]
async fn refused_settings_are_nothing_to_go_back_to() {
    let world = World::new().await;
    gated(&world).await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let mut settings = tx.settings().await.unwrap().settings;
    for (depth, state) in [(50, EvalState::Refused), (60, EvalState::Passed)] {
        settings.retrieval.leg_depth = depth;
        let (version, run) = tx.replace_or_stage_settings(1, &settings, "").await.unwrap();
        tx.end_eval_run(run.unwrap(), &verdict(state, 0.9, "all"))
            .await
            .unwrap();
        if state == EvalState::Passed {
            tx.activate_settings(version).await.unwrap();
        }
    }
    let run = newest(&mut tx).await;
    assert_eq!((run.run.settings_version, run.live), (Some(3), true));
    assert_eq!(
        tx.settings_before_live().await.unwrap(),
        Some(1),
        "not the refused 2"
    );
    drop(tx);
    world.end().await;
}

#[tokio::test]
async fn a_trend_holds_only_runs_of_the_same_questions() {
    let world = World::new().await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    let mut recorded: Vec<Uuid> = Vec::new();
    for (recall, selection) in [(0.8, "all"), (0.5, "dev"), (0.9, "all")] {
        let verdict = verdict(EvalState::Passed, recall, selection);
        recorded.push(tx.record_eval_run(&verdict).await.unwrap());
    }
    let broken = Verdict {
        state: EvalState::Broken,
        exit_code: None,
        cause: "killed".to_owned(),
        report: None,
    };
    tx.record_eval_run(&broken).await.unwrap();
    // a report is kept as it was sent, also one without figures
    let odd = Verdict {
        report: Some(json!({ "exit": { "code": 1, "cause": "" }, "metrics": "none" })),
        ..broken.clone()
    };
    tx.record_eval_run(&odd).await.unwrap();
    let trend = tx.eval_trend(30).await.unwrap();
    let points: Vec<&Value> = trend
        .iter()
        .map(|point| &point.metrics[0]["measured"]["value"]["point"])
        .collect();
    assert_eq!(points, [&json!(0.8), &json!(0.9)], "oldest first");
    assert_eq!(trend[0].id, recorded[0]);
    assert_eq!(tx.count_eval_runs().await.unwrap(), 5);
    assert_eq!(tx.reported_runs(10).await.unwrap().len(), 3);
    drop(tx);
    world.end().await;
}
