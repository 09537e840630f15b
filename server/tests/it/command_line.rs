//! The program as a person at a terminal runs it.

use std::path::Path;

use plumbline_store::testing::{TestDatabase, find_runtime};
use tokio::process::Command;

/// Runs the program; returns whether it succeeded, and what it printed.
async fn plumbline(database: &TestDatabase, runtime: &Path, arguments: &[&str]) -> (bool, String) {
    let data = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_plumbline"))
        .args(arguments)
        .env("DATABASE_URL", database.url())
        .env("PLUMBLINE_DATA", data.path())
        .env("PLUMBLINE_RUNTIME", runtime)
        .output()
        .await
        .unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_listed_and_revoked() {
    let database = TestDatabase::create().await.unwrap();
    let runtime = find_runtime();
    let access = async |arguments: &[&str]| {
        let mut all = vec!["access"];
        all.extend(arguments);
        plumbline(&database, &runtime, &all).await
    };
    let (_, key) = access(&["create-key", "--name", "till"]).await;
    let (_, list) = access(&["list-keys"]).await;
    assert!(list.contains("till") && list.contains("valid"), "{list}");
    assert!(!list.contains(key.trim()), "a key is shown once");

    let id = list.split_whitespace().next().unwrap().to_owned();
    assert!(access(&["revoke-key", &id]).await.0);
    let (_, list) = access(&["list-keys"]).await;
    assert!(list.contains("revoked"), "{list}");
    assert!(
        !access(&["revoke-key", "00000000-0000-0000-0000-000000000000"])
            .await
            .0
    );
    let store = database.store().await.unwrap();
    let key = plumbline_store::Secret::presented(key.trim());
    let tenant = store.system().await.unwrap().tenant_of_key(&key).await.unwrap();
    assert_eq!(tenant, None);
    store.close().await;
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_is_wrong_and_how_it_is_mended() {
    let database = TestDatabase::create().await.unwrap();
    let (sound, report) = plumbline(&database, &find_runtime(), &["doctor"]).await;
    assert!(sound, "{report}");
    assert!(report.contains("no dead jobs"), "{report}");

    let store = database.store().await.unwrap();
    let mut tx = store.system().await.unwrap();
    let tenant = tx.ensure_tenant("default", "default").await.unwrap().id;
    let channel = tx.ensure_channel(tenant, "106540352242922", "").await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.tenant(tenant).await.unwrap();
    tx.park_channel(channel.id, Some("the access token has expired"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    let nowhere = Path::new("/nowhere");
    let mut arguments = vec!["doctor", "--app-secret", "a secret of the tests"];
    arguments.extend(["--s3-bucket", "files", "--s3-endpoint", "http://127.0.0.1:1"]);
    arguments.extend(["--s3-access-key-id", "AKIA", "--s3-secret-access-key", "hunter2"]);
    let (sound, report) = plumbline(&database, nowhere, &arguments).await;
    assert!(!sound, "{report}");
    for words in [
        "106540352242922 sends nothing: the access token has expired",
        "with a valid WHATSAPP_ACCESS_TOKEN",
        "cannot write to bucket files at http://127.0.0.1:1: it cannot be reached",
        "change PLUMBLINE_S3_BUCKET",
        "embedding model",
        "run `make runtime`, or set PLUMBLINE_MODEL_DIR",
        "set WHATSAPP_VERIFY_TOKEN, WHATSAPP_ACCESS_TOKEN, WHATSAPP_PHONE_NUMBER_ID",
    ] {
        assert!(report.contains(words), "{words}: {report}");
    }
    assert!(!report.contains("hunter2"), "{report}");
    database.drop().await.unwrap();
}
