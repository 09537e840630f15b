//! A preview sees staged versions as if they were live; customers do not. What was live once can be looked at again.

use plumbline_retrieval::SearchOptions;
use plumbline_store::{Filter, RetrievalSettings, Scope};
use uuid::Uuid;

use super::{World, owned};

/// What each leg alone and both together find, which must be the same texts.
async fn seen(world: &World, query: &str, staged: &[Uuid]) -> Vec<String> {
    seen_in(world, query, &Scope::preview(staged.to_vec())).await
}

async fn seen_in(world: &World, query: &str, scope: &Scope) -> Vec<String> {
    let mut answers = Vec::new();
    for (lexical, vector) in [(true, true), (true, false), (false, true)] {
        let options = SearchOptions {
            k: 5,
            settings: RetrievalSettings {
                lexical,
                vector,
                ..RetrievalSettings::default()
            },
            scope: scope.clone(),
            filter: Filter::default(),
            trace: false,
        };
        let results = world
            .searcher
            .search(world.tenant, query, &options)
            .await
            .unwrap();
        let mut texts: Vec<String> = results.hits.into_iter().map(|hit| hit.text).collect();
        texts.sort();
        answers.push(texts);
    }
    assert_eq!(answers[0], answers[1], "the lexical leg");
    assert_eq!(answers[0], answers[2], "the vector leg");
    answers.swap_remove(0)
}

#[tokio::test]
async fn a_staged_version_takes_the_place_of_the_live_one_and_a_new_document_joins() {
    let world = World::new().await;
    let shop = world.tenant;
    world
        .publish(shop, "fans", "en", &owned(&["a fan costs 250"]))
        .await;
    world
        .publish(shop, "kits", "en", &owned(&["a kit costs 900"]))
        .await;
    let (_, fans) = world
        .build(shop, "fans", "en", &owned(&["a fan costs 260"]))
        .await;
    let (_, pumps) = world
        .build(shop, "pumps", "en", &owned(&["a pump costs 700"]))
        .await;

    let live = ["a fan costs 250", "a kit costs 900"];
    assert_eq!(seen(&world, "costs", &[]).await, live);
    assert_eq!(
        seen(&world, "costs", &[fans]).await,
        ["a fan costs 260", "a kit costs 900"]
    );
    assert_eq!(
        seen(&world, "costs", &[pumps, fans]).await,
        ["a fan costs 260", "a kit costs 900", "a pump costs 700"]
    );
    assert_eq!(
        seen(&world, "costs", &[]).await,
        live,
        "customers saw nothing of it"
    );

    world
        .publish(shop, "kits", "en", &owned(&["a kit costs 950"]))
        .await;
    assert_eq!(
        seen(&world, "costs", &[fans]).await,
        ["a fan costs 260", "a kit costs 950"],
        "what is published meanwhile is seen"
    );
    let (_, foreign) = {
        let mut tx = world.store.system().await.unwrap();
        let other = tx.ensure_tenant("other", "Other").await.unwrap().id;
        tx.commit().await.unwrap();
        world
            .build(other, "fans", "en", &owned(&["their fan costs 1"]))
            .await
    };
    assert_eq!(
        seen(&world, "costs", &[foreign]).await,
        ["a fan costs 250", "a kit costs 950"]
    );
    world.end().await;
}

#[tokio::test]
async fn a_shop_with_nothing_live_can_be_looked_at_before_its_first_publish() {
    let world = World::new().await;
    let (_, fans) = world
        .build(world.tenant, "fans", "en", &owned(&["a fan costs 260"]))
        .await;
    assert!(seen(&world, "costs", &[]).await.is_empty());
    assert_eq!(seen(&world, "costs", &[fans]).await, ["a fan costs 260"]);
    world.end().await;
}

#[tokio::test]
async fn what_was_live_can_be_searched_again_and_what_was_deleted_cannot() {
    let world = World::new().await;
    let shop = world.tenant;
    world
        .publish(shop, "fans", "en", &owned(&["a fan costs 250"]))
        .await;
    let kits = world
        .publish(shop, "kits", "en", &owned(&["a kit costs 900"]))
        .await;
    let then = versions(&world).await;
    world
        .publish(shop, "fans", "en", &owned(&["a fan costs 260"]))
        .await;
    world
        .publish(shop, "pumps", "en", &owned(&["a pump costs 700"]))
        .await;

    let frozen = Scope::frozen(then.clone());
    assert_eq!(
        seen_in(&world, "costs", &frozen).await,
        ["a fan costs 250", "a kit costs 900"]
    );
    assert_eq!(
        seen_in(&world, "costs", &Scope::Live).await,
        ["a fan costs 260", "a kit costs 900", "a pump costs 700"]
    );
    let mut tx = world.store.tenant(shop).await.unwrap();
    tx.delete_document(kits).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(seen_in(&world, "costs", &frozen).await, ["a fan costs 250"]);
    assert!(
        seen_in(&world, "costs", &Scope::frozen(vec![])).await.is_empty(),
        "nothing was live then"
    );
    world.end().await;
}

/// The live versions.
async fn versions(world: &World) -> Vec<Uuid> {
    let mut tx = world.store.tenant(world.tenant).await.unwrap();
    let seen = tx.visible_documents(&Scope::Live).await.unwrap();
    tx.commit().await.unwrap();
    seen.into_iter().map(|document| document.version_id).collect()
}
