//! API keys, passwords and sessions.

use std::time::Duration;

use plumbline_store::StoreError;

use crate::support::World;

#[tokio::test]
async fn a_revoked_key_opens_nothing_and_stays_listed() {
    let world = World::new().await;
    let mut tx = world.store.system().await.unwrap();
    let kept = tx.create_api_key(world.ours, "kept").await.unwrap();
    let lost = tx.create_api_key(world.ours, "lost").await.unwrap();
    tx.create_api_key(world.theirs, "theirs").await.unwrap();
    let keys = tx.api_keys(world.ours).await.unwrap();
    let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["kept", "lost"]);

    assert!(matches!(
        tx.revoke_api_key(world.theirs, keys[1].id).await,
        Err(StoreError::NotFound { .. })
    ));
    tx.revoke_api_key(world.ours, keys[1].id).await.unwrap();
    tx.revoke_api_key(world.ours, keys[1].id).await.unwrap();
    assert_eq!(tx.tenant_of_key(&lost).await.unwrap(), None);
    assert_eq!(tx.tenant_of_key(&kept).await.unwrap(), Some(world.ours));
    let keys = tx.api_keys(world.ours).await.unwrap();
    assert!(keys[0].revoked_at.is_none() && keys[1].revoked_at.is_some());
    drop(tx);
    world.end().await;
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_of_its_admin_alone() {
    let world = World::new().await;
    let mut tx = world.store.system().await.unwrap();
    let mut sessions = Vec::new();
    for email in ["ama@shop.example", "kofi@shop.example"] {
        tx.put_admin(world.ours, email, "a hash").await.unwrap();
        let admin = tx.admin_by_email(email).await.unwrap().unwrap();
        sessions.push(tx.open_session(&admin, Duration::from_mins(1)).await.unwrap());
    }
    tx.put_admin(world.ours, "Ama@shop.example", "another hash")
        .await
        .unwrap();
    assert_eq!(tx.admin_of_session(&sessions[0]).await.unwrap(), None);
    assert!(tx.admin_of_session(&sessions[1]).await.unwrap().is_some());
    drop(tx);
    world.end().await;
}
