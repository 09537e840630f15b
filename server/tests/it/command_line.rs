//! The program as a person at a terminal runs it.

use std::path::Path;
use std::time::Duration;

use plumbline_store::testing::{TestDatabase, find_runtime};
use tokio::io::{AsyncBufReadExt, BufReader};
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
    assert!(
        report.contains("0 windows: every vector is compared (an index is built above 20,000)"),
        "{report}"
    );

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

/// What `ingest --json` says of each file, by key.
fn told(output: &str) -> std::collections::BTreeMap<String, serde_json::Value> {
    output
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| (line["key"].as_str().unwrap().to_owned(), line))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_ingested_once_and_nothing_is_loaded_when_nothing_changed() {
    let database = TestDatabase::create().await.unwrap();
    let (runtime, folder, data) = (
        find_runtime(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("prices/fans.md", b"# Fans\n\nA ceiling fan costs 250 cedis.\n");
    write("hours.txt", b"We open at nine.\n");
    write("broken.docx", b"PK\x03\x04 this is no archive");
    let ingest = async |model: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plumbline"));
        command
            .args(["ingest", "--json"])
            .arg(folder.path())
            .env("DATABASE_URL", database.url())
            .env("PLUMBLINE_DATA", data.path())
            .env("PLUMBLINE_RUNTIME", &runtime);
        if let Some(model) = model {
            command.env("PLUMBLINE_MODEL_DIR", model);
        }
        let output = command.output().await.unwrap();
        (
            output.status.code(),
            told(&String::from_utf8(output.stdout).unwrap()),
        )
    };
    let (code, files) = ingest(None).await;
    assert_eq!(code, Some(1), "one failed: {files:?}");
    assert_eq!(files["prices/fans.md"]["state"], "ready");
    assert!(files["prices/fans.md"]["embedded"].as_i64().unwrap() > 0);
    assert_eq!(files["broken.docx"]["state"], "failed");
    assert!(files["broken.docx"]["code"].is_string() && files["broken.docx"]["suggestion"].is_string());

    std::fs::remove_file(folder.path().join("broken.docx")).unwrap();
    let (code, files) = ingest(Some("/nowhere")).await;
    assert_eq!(code, Some(0), "no model is needed: {files:?}");
    assert!(
        files
            .values()
            .all(|file| file["unchanged"] == true && file["embedded"] == 0),
        "{files:?}"
    );
    assert_eq!(files["hours.txt"]["state"], "ready");

    write("hours.txt", b"We open at nine.\r\n");
    write("prices/fans.md", b"# Fans\n\nA ceiling fan costs 260 cedis.\n");
    let (code, files) = ingest(None).await;
    assert_eq!(code, Some(0), "{files:?}");
    assert_eq!(
        (&files["hours.txt"]["same_text"], &files["hours.txt"]["version"]),
        (&true.into(), &2.into())
    );
    assert_eq!(files["prices/fans.md"]["same_text"], false);
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_limited_and_explained() {
    let database = TestDatabase::create().await.unwrap();
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::create_dir(folder.path().join("prices")).unwrap();
    std::fs::write(
        folder.path().join("prices/fans.md"),
        "A ceiling fan costs 250 cedis.\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("news.md"), "A fan is better than no fan.\n").unwrap();
    let run = async |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_plumbline"))
            .args(arguments)
            .env("DATABASE_URL", database.url())
            .env("PLUMBLINE_DATA", data.path())
            .env("PLUMBLINE_RUNTIME", find_runtime())
            .output()
            .await
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.success(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let path = folder.path().display().to_string();
    assert!(run(&["ingest", "--json", &path]).await.0);
    let fans = folder.path().join("prices").display().to_string();
    assert!(run(&["ingest", "--json", &fans, "--tag", "Fans"]).await.0);

    let keys = async |flags: &[&str]| {
        let mut all = vec!["search", "what does a fan cost", "--json", "-k", "9"];
        all.extend(flags);
        let (ok, text, problem) = run(&all).await;
        assert!(ok, "{problem}");
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        let hits = found["hits"].as_array().unwrap().iter();
        let mut keys: Vec<String> = hits
            .map(|hit| hit["document_key"].as_str().unwrap().to_owned())
            .collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&[]).await, ["fans.md", "news.md", "prices/fans.md"]);
    assert_eq!(keys(&["--document", "prices/"]).await, ["prices/fans.md"]);
    assert_eq!(
        keys(&["--document", "news.md", "--document", "fans.md"]).await,
        ["fans.md", "news.md"]
    );
    assert_eq!(
        keys(&["--tag", "FANS", "--since", "2026-01-01"]).await,
        ["fans.md"]
    );
    assert!(keys(&["--until", "2000-01-01"]).await.is_empty());
    // the same files with another tag: nothing is built, and the tags are others
    assert!(run(&["ingest", "--json", &path, "--tag", "all"]).await.0);
    assert_eq!(keys(&["--tag", "all"]).await, ["news.md", "prices/fans.md"]);

    let (_, explained, _) = run(&["search", "what does a fan cost", "--explain", "-k", "1"]).await;
    for words in ["× lexical", "BM25", "cosine", "every vector compared", "total"] {
        assert!(explained.contains(words), "{words}: {explained}");
    }
    for (flags, words) in [
        (
            ["--language", "english"],
            "--language: \"english\" is no language code",
        ),
        (["--since", "soon"], "--since: \"soon\" is no date"),
        (["--tag", ","], "--tag: "),
        (["-k", "0"], "-k: "),
    ] {
        let (ok, _, problem) = run(&["search", "fan", flags[0], flags[1]]).await;
        assert!(!ok && problem.contains(words), "{words}: {problem}");
    }
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_passage_weighs_what_the_setting_says() {
    let database = TestDatabase::create().await.unwrap();
    let runtime = find_runtime();
    let folder = tempfile::tempdir().unwrap();
    let sentences = [
        "A ceiling fan costs 250 cedis and comes with three blades, a remote control and a warranty of two years. ",
        "Our vans leave for Tamale every Monday at seven in the morning and carry parcels of up to thirty kilograms. ",
        "Solar lamps are repaired in our workshop behind the old market, which is open from Tuesday to Saturday. ",
        "Who pays by mobile money gets a receipt by message within the hour, and another one by post if it is asked for. ",
    ];
    std::fs::write(folder.path().join("shop.md"), sentences.concat()).unwrap();
    let run = async |arguments: &[&str]| plumbline(&database, &runtime, arguments).await;
    assert!(run(&["ingest", &folder.path().display().to_string()]).await.0);
    let nearness = async |weight: &str| {
        let change = format!("retrieval.whole_weight={weight}");
        assert!(run(&["settings", "set", &change]).await.0);
        let (_, json) = run(&["search", "what does a fan cost", "--json"]).await;
        let found: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(found["hits"].as_array().unwrap().len(), 1, "{json}");
        found["hits"][0]["parts"]["vector"].as_f64().unwrap()
    };
    let (window, half, whole) = (nearness("0").await, nearness("0.5").await, nearness("1").await);
    assert!(window > whole, "one window is about fans alone: {window} {whole}");
    assert!(
        (f64::midpoint(window, whole) - half).abs() < 1e-3,
        "{window} {half} {whole}"
    );
    assert!(!run(&["settings", "set", "retrieval.whole_weight=1.1"]).await.0);
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_of_other_languages_switches_to_the_provided_model_and_back() {
    let database = TestDatabase::create().await.unwrap();
    let runtime = find_runtime();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        (
            "horaires.txt",
            "Le magasin est fermé le dimanche et les jours fériés.\n",
        ),
        (
            "retours.txt",
            "Un article peut être rendu pendant quatorze jours.\n",
        ),
        (
            "livraison.txt",
            "Nous livrons à Bouaké en trois jours ouvrables.\n",
        ),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let run = async |arguments: &[&str]| plumbline(&database, &runtime, arguments).await;
    let files = folder.path().display().to_string();
    assert!(run(&["ingest", &files]).await.0);
    let (_, told) = run(&["doctor", "--quick"]).await;
    assert!(
        !told.contains("languages"),
        "the quick look leaves rows alone: {told}"
    );
    let (_, told) = run(&["doctor"]).await;
    assert!(told.contains("does not know") && told.contains(" fr:"), "{told}");
    assert!(told.contains("models switch multilingual-e5-small"), "{told}");

    let (ok, listed) = run(&["models", "list"]).await;
    assert!(ok && listed.contains("* all-MiniLM-L6-v2"), "{listed}");
    let (ok, said) = run(&["models", "switch", "multilingual-e5-small"]).await;
    assert!(ok && said.contains("3 windows"), "{said}");
    database.drop().await.unwrap();

    // where nothing is missing it answers at once
    let database = TestDatabase::create().await.unwrap();
    let run = async |arguments: &[&str]| plumbline(&database, &runtime, arguments).await;
    assert!(run(&["models", "switch", "multilingual-e5-small"]).await.0);
    assert!(run(&["ingest", &files]).await.0);
    let (ok, found) = run(&["search", "are you open on Sundays?", "-k", "1"]).await;
    assert!(ok && found.contains("horaires.txt"), "{found}");
    let (_, told) = run(&["doctor"]).await;
    assert!(told.contains("multilingual-e5-small knows them"), "{told}");
    let (ok, said) = run(&["models", "rollback"]).await;
    assert!(ok && said.contains("all-MiniLM-L6-v2"), "{said}");
    let (_, listed) = run(&["models", "list"]).await;
    assert!(listed.contains("* all-MiniLM-L6-v2"), "{listed}");
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_of_a_search_is_listed_shown_and_asked_again() {
    let database = TestDatabase::create().await.unwrap();
    let runtime = find_runtime();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fans.md"), "A ceiling fan costs 250 cedis.\n").unwrap();
    let run = async |arguments: &[&str]| plumbline(&database, &runtime, arguments).await;
    assert!(run(&["ingest", &folder.path().display().to_string()]).await.0);

    let (ok, found) = run(&["search", "what does a fan cost", "--trace"]).await;
    assert!(ok, "{found}");
    let (_, listed) = run(&["traces", "list"]).await;
    let id = listed.split_whitespace().next().unwrap();
    assert!(listed.contains("what does a fan cost"), "{listed}");
    assert!(
        found.contains(id),
        "the search says under which name its trace is kept: {found}"
    );

    let (ok, shown) = run(&["traces", "show", id]).await;
    assert!(ok, "{shown}");
    for words in ["cost", "idf", "fans.md", "words 0.25", "hit 1"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let (_, json) = run(&["traces", "show", id, "--json"]).await;
    let trace: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(trace["question"], "what does a fan cost");

    // what is live changes: the passage of then is gone, another one has come
    std::fs::write(folder.path().join("fans.md"), "A ceiling fan costs 300 cedis.\n").unwrap();
    assert!(run(&["ingest", &folder.path().display().to_string()]).await.0);
    let (ok, then) = run(&["traces", "replay", id]).await;
    assert!(
        ok && then.contains("the same passages") && then.contains("250 cedis"),
        "{then}"
    );
    let (ok, now) = run(&["traces", "replay", id, "--now"]).await;
    assert!(ok && now.contains("300 cedis"), "{now}");

    let (ok, _) = run(&["traces", "show", "01a2267b-0000-7096-a267-4edf81538825"]).await;
    assert!(!ok, "a trace that is not there is an error");
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_extracted_without_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.csv");
    std::fs::write(&file, "item,price\nfan,250\nkit,900\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_plumbline"))
        .arg("extract")
        .arg(&file)
        .arg("--json")
        .env("PLUMBLINE_DATA", folder.path().join("data"))
        .env("PLUMBLINE_RUNTIME", find_runtime())
        .output()
        .await
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = read["blocks"].as_array().unwrap().last().unwrap();
    assert_eq!((&read["format"], &row["row"]), (&"csv".into(), &2.into()));
    assert!(read["pages"].is_array() && read["warnings"].is_array() && row["range"]["end"].is_u64());
    assert!(!folder.path().join("data").exists(), "it writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_shown_changed_and_brought_back() {
    let database = TestDatabase::create().await.unwrap();
    let runtime = find_runtime();
    let settings = async |arguments: &[&str]| {
        let mut all = vec!["settings"];
        all.extend(arguments);
        plumbline(&database, &runtime, &all).await
    };
    let (_, shown) = settings(&["show"]).await;
    assert!(
        shown.contains("# version 0") && shown.contains("chunking.target_tokens = 180"),
        "{shown}"
    );
    assert!(
        settings(&["set", "chunking.target_tokens=220", "extraction.ocr=true"])
            .await
            .0
    );
    assert!(
        settings(&["set", "uploads.formats=pdf,csv", "--note", "only these"])
            .await
            .0
    );
    assert!(!settings(&["set", "chunking.target_tokens=1"]).await.0);
    let (_, shown) = settings(&["show"]).await;
    for line in [
        "# version 2",
        "chunking.target_tokens = 220",
        "extraction.ocr = true",
        r#"uploads.formats = ["pdf","csv"]"#,
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(settings(&["activate", "1"]).await.0);
    let (_, history) = settings(&["history"]).await;
    let lines: Vec<&str> = history.lines().collect();
    assert!(
        lines[0].ends_with("only these") && lines[1].starts_with('*'),
        "{history}"
    );
    database.drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_folder_is_followed_until_the_program_is_asked_to_end() {
    let database = TestDatabase::create().await.unwrap();
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("a.txt"), "We open at nine.").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_plumbline"))
        .args(["ingest", "--json", "--watch"])
        .arg(folder.path())
        .env("DATABASE_URL", database.url())
        .env("PLUMBLINE_DATA", data.path())
        .env("PLUMBLINE_RUNTIME", find_runtime())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = tokio::time::timeout(Duration::from_mins(1), lines.next_line()).await;
        let line = line.unwrap().unwrap().unwrap();
        serde_json::from_str::<serde_json::Value>(&line).unwrap()
    };
    let first = next().await;
    assert_eq!(
        (&first["key"], &first["state"]),
        (&"a.txt".into(), &"ready".into())
    );
    std::fs::write(folder.path().join("b.txt"), "We close at six.").unwrap();
    let second = next().await;
    assert_eq!((&second["key"], &second["version"]), (&"b.txt".into(), &1.into()));
    std::fs::write(folder.path().join("a.txt"), "We open at half past nine.").unwrap();
    let third = next().await;
    assert_eq!((&third["key"], &third["version"]), (&"a.txt".into(), &2.into()));
    let id = child.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().await.unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    database.drop().await.unwrap();
}
