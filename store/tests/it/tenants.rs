//! Tenants never meet.

use plumbline_store::{DocumentFilter, Filter, NeededVector, Scope, Settings, StoreError, VectorScan};

use crate::support::{World, unit};

#[tokio::test]
async fn one_tenant_sees_nothing_of_another() {
    let world = World::new().await;
    let received = world.receive(world.ours, "prices.csv", 1).await;
    world
        .build(world.ours, received.version_id, &["a fan costs 250"])
        .await;
    world.publish(world.ours, received.version_id).await;

    let mut theirs = world.store.tenant(world.theirs).await.unwrap();
    let filter = DocumentFilter {
        limit: 10,
        ..DocumentFilter::default()
    };
    assert_eq!(theirs.documents(&filter).await.unwrap(), vec![]);
    assert!(matches!(
        theirs.document(received.document_id).await,
        Err(StoreError::NotFound { .. })
    ));
    assert!(matches!(
        theirs.version_text(received.version_id).await,
        Err(StoreError::NotFound { .. })
    ));
    assert!(matches!(
        theirs.delete_document(received.document_id).await,
        Err(StoreError::NotFound { .. })
    ));
    assert!(theirs.publish_version(received.version_id).await.is_err());
    drop(theirs);

    let mut theirs = world.store.tenant(world.theirs).await.unwrap();
    let space = theirs.ensure_space("test", 3).await.unwrap();
    for scan in [VectorScan::Exact, VectorScan::Approximate] {
        assert_eq!(
            theirs
                .nearest_chunks(space, &unit(3), 10, scan, &Scope::default(), &Filter::default())
                .await
                .unwrap(),
            vec![]
        );
    }
    assert_eq!(theirs.revision().await.unwrap(), 0);
    let needed = NeededVector::whole([0; 32]);
    assert_eq!(
        theirs.unknown_windows(space, &[needed]).await.unwrap(),
        [[0; 32]],
        "a vector of another tenant is not known"
    );
    drop(theirs);

    let mut system = world.store.system().await.unwrap();
    assert_eq!(system.tenants().await.unwrap().len(), 2);
    drop(system);
    world.end().await;
}

#[tokio::test]
async fn settings_are_versions_and_a_rollback_is_a_pointer() {
    let world = World::new().await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    assert_eq!(tx.settings().await.unwrap().version, 0);
    let mut settings = Settings::default();
    settings.retrieval.lexical_weight = 0.3;
    assert_eq!(tx.save_settings(&settings, "tuned").await.unwrap(), 1);
    settings.conversation.bot_enabled = false;
    assert_eq!(tx.save_settings(&settings, "stop").await.unwrap(), 2);
    assert!(!tx.settings().await.unwrap().settings.conversation.bot_enabled);
    tx.activate_settings(1).await.unwrap();
    let live = tx.settings().await.unwrap();
    assert!(live.version == 1 && live.settings.conversation.bot_enabled);
    assert!(matches!(
        tx.activate_settings(9).await,
        Err(StoreError::NotFound { .. })
    ));
    drop(tx);
    world.end().await;
}

#[tokio::test]
async fn a_key_opens_its_tenant_until_it_is_unknown() {
    let world = World::new().await;
    let mut tx = world.store.system().await.unwrap();
    let key = tx.create_api_key(world.ours, "ci").await.unwrap();
    assert_eq!(tx.tenant_of_key(&key).await.unwrap(), Some(world.ours));
    let other = plumbline_store::Secret::presented("pl_guess");
    assert_eq!(tx.tenant_of_key(&other).await.unwrap(), None);
    drop(tx);
    world.end().await;
}

#[tokio::test]
async fn before_its_first_settings_a_tenant_had_the_own_model() {
    let world = World::new().await;
    let mut tx = world.store.tenant(world.ours).await.unwrap();
    assert_eq!(tx.model_before().await.unwrap(), None);
    let space = tx.ensure_space("other", 3).await.unwrap();
    tx.want_model("other", false).await.unwrap();
    tx.note_model("other", Some(space), "").await.unwrap();
    tx.switch_model("other", space, false).await.unwrap();
    assert_eq!(tx.settings().await.unwrap().settings.retrieval.model, "other");
    assert_eq!(tx.model_before().await.unwrap(), Some(String::new()));
    drop(tx);
    world.end().await;
}
