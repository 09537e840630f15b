//! The blob store: one list of checks for both kinds, and what only a bucket can get wrong.

use std::path::{Path, PathBuf};
use std::time::Duration;

use plumbline_store::{BlobStore, Finished, S3Blobs, S3Options, StoreError};
use tokio::io::AsyncReadExt;

use crate::s3_server::{BUCKET, S3Server, SECRET};

/// Larger than a part, and no multiple of one; no two parts are alike.
fn large() -> Vec<u8> {
    let length = (20 << 20) + 4_321_u32;
    (0..length)
        .flat_map(|i| (i ^ (i >> 8) ^ (i >> 16)).to_le_bytes().into_iter().take(1))
        .collect()
}

fn bucket(options: S3Options) -> BlobStore {
    BlobStore::S3(S3Blobs::connect(options).unwrap())
}

/// Names of the unfinished files in `folder`.
fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect()
}

#[tokio::test]
async fn a_directory_keeps_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("blobs");
    keeps_files(&BlobStore::Directory(root.clone()), &root).await;
    let blobs = BlobStore::Directory(root.clone());
    let hash = blobs.put(b"price list".to_vec()).await.unwrap();
    let local = blobs.local(&hash).await.unwrap();
    assert!(
        local.starts_with(&root),
        "a directory needs no copy: {}",
        local.display()
    );
    drop(local);
    assert_eq!(blobs.get(&hash).await.unwrap(), b"price list");
}

#[tokio::test]
async fn a_bucket_keeps_files() {
    let server = S3Server::start().await;
    keeps_files(&bucket(server.options()), &server.spool()).await;
    assert_eq!(server.unfinished_uploads(), Vec::<String>::new());
}

async fn keeps_files(blobs: &BlobStore, spool: &Path) {
    blobs.check().await.unwrap();
    for bytes in [b"price list".to_vec(), Vec::new(), large()] {
        let hash = blobs.put(bytes.clone()).await.unwrap();
        assert_eq!(hash, BlobStore::hash(&bytes));
        assert_eq!(blobs.put(bytes.clone()).await.unwrap(), hash);
        assert!(blobs.get(&hash).await.unwrap() == bytes);

        let mut reader = blobs.open(&hash).await.unwrap();
        assert_eq!(reader.length(), bytes.len() as u64);
        let mut first = vec![0; bytes.len().min(5)];
        reader.read_exact(&mut first).await.unwrap();
        assert_eq!(first, bytes[..first.len()]);

        let local = blobs.local(&hash).await.unwrap();
        assert!(std::fs::read(&*local).unwrap() == bytes);
        drop(local);

        blobs.delete(&hash).await.unwrap();
        blobs.delete(&hash).await.unwrap();
        missing(blobs, &hash).await;
    }
    writes_piece_by_piece(blobs, spool).await;
    assert_eq!(unfinished(spool), Vec::<PathBuf>::new());
}

async fn missing(blobs: &BlobStore, hash: &[u8]) {
    let gets = [
        blobs.get(hash).await.map(drop),
        blobs.open(hash).await.map(drop),
        blobs.local(hash).await.map(drop),
    ];
    for get in gets {
        let error = get.unwrap_err();
        assert!(matches!(error, StoreError::BlobMissing { .. }), "{error:?}");
        let words = error.to_string();
        assert!(
            words.contains(&hex::encode(hash)) && words.contains(&blobs.to_string()),
            "{words}"
        );
    }
}

async fn writes_piece_by_piece(blobs: &BlobStore, spool: &Path) {
    let bytes = large();
    let mut writer = blobs.writer().await.unwrap();
    for piece in bytes.chunks(700_001) {
        writer.write(piece).await.unwrap();
    }
    let finished = writer.finish().await.unwrap();
    let expected = Finished {
        sha256: BlobStore::hash(&bytes),
        bytes: bytes.len() as u64,
    };
    assert_eq!(finished, expected);
    assert!(blobs.get(&finished.sha256).await.unwrap() == bytes);

    let mut given_up = blobs.writer().await.unwrap();
    given_up.write(&vec![7; 3 << 20]).await.unwrap();
    assert_eq!(unfinished(spool).len(), 1);
    drop(given_up);
    assert_eq!(unfinished(spool), Vec::<PathBuf>::new());
    missing(blobs, &BlobStore::hash(&vec![7; 3 << 20])).await;

    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, b"from a file").unwrap();
    let (hash, length) = blobs.put_file(file.path()).await.unwrap();
    assert_eq!((hash, length), (BlobStore::hash(b"from a file"), 11));
    assert_eq!(blobs.get(&hash).await.unwrap(), b"from a file");
}

#[tokio::test]
async fn a_damaged_file_is_not_handed_out_and_is_mended_by_storing_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = S3Server::start().await;
    let name = hex::encode(BlobStore::hash(b"price list"));
    let name = format!("{}/{name}", &name[..2]);
    for (blobs, path) in [
        (
            BlobStore::Directory(folder.path().to_owned()),
            folder.path().join(&name),
        ),
        (
            bucket(server.options()),
            server.object(&format!("shop/files/{name}")),
        ),
    ] {
        let hash = blobs.put(b"price list".to_vec()).await.unwrap();
        std::fs::write(&path, b"prize list").unwrap();
        let error = blobs.get(&hash).await.unwrap_err().to_string();
        assert!(
            error.contains("damaged") || error.contains("checksum"),
            "{blobs}: {error}"
        );
        std::fs::write(&path, b"price").unwrap();
        blobs.put(b"price list".to_vec()).await.unwrap();
        assert_eq!(blobs.get(&hash).await.unwrap(), b"price list");
    }
}

#[tokio::test]
async fn storing_again_sends_nothing() {
    let server = S3Server::start().await;
    let blobs = bucket(server.options());
    let hash = blobs.put(b"price list".to_vec()).await.unwrap();
    let sent = server.requests();
    let name = hex::encode(hash);
    let put = format!("PUT /{BUCKET}/shop/files/{}/{name}", &name[..2]);
    assert_eq!(
        sent.iter().filter(|line| line.starts_with(&put)).count(),
        1,
        "{sent:?}"
    );
    blobs.put(b"price list".to_vec()).await.unwrap();
    let sent = server.requests();
    assert!(sent.iter().all(|line| line.starts_with("HEAD ")), "{sent:?}");
}

#[tokio::test]
async fn a_large_file_goes_in_parts() {
    let server = S3Server::start().await;
    let blobs = bucket(server.options());
    blobs.put(large()).await.unwrap();
    let sent = server.requests();
    let parts = sent.iter().filter(|line| line.contains("partNumber=")).count();
    assert_eq!(parts, 3, "20 MiB in parts of 8: {sent:?}");
}

#[tokio::test]
async fn an_upload_that_fails_halfway_leaves_no_parts() {
    let server = S3Server::start().await;
    let blobs = bucket(server.options());
    server.refuse_parts();
    let error = blobs.put(large()).await.unwrap_err().to_string();
    assert!(error.contains("refuses the request"), "{error}");
    assert_eq!(server.unfinished_uploads(), Vec::<String>::new());
    let sent = server.requests();
    assert!(
        sent.iter()
            .any(|line| line.starts_with("DELETE ") && line.contains("uploadId=")),
        "{sent:?}"
    );
    missing(&blobs, &BlobStore::hash(&large())).await;
}

#[tokio::test]
async fn a_copy_lives_as_long_as_it_is_held() {
    let server = S3Server::start().await;
    let blobs = bucket(server.options());
    let hash = blobs.put(b"price list".to_vec()).await.unwrap();
    let local = blobs.local(&hash).await.unwrap();
    let path = local.to_path_buf();
    assert!(path.starts_with(server.spool()) && path.is_file());
    drop(local);
    assert!(!path.exists());
}

#[tokio::test]
async fn what_an_operator_can_get_wrong_is_said() {
    let server = S3Server::start().await;
    let mut wrong_secret = server.options();
    wrong_secret.credentials.secret_access_key = plumbline_store::Secret::presented("another secret");
    let mut wrong_key = server.options();
    wrong_key.credentials.access_key_id = "AKIASOMEBODY".to_owned();
    let mut no_bucket = server.options();
    no_bucket.bucket = "nobody-made-this".to_owned();
    for (options, says) in [
        (wrong_secret, "check the key id and the secret"),
        (wrong_key, "the key"),
        (no_bucket, "the bucket does not exist; create it or name another"),
    ] {
        let blobs = bucket(options);
        for error in [
            blobs.check().await.unwrap_err(),
            blobs.put(b"price list".to_vec()).await.unwrap_err(),
            blobs.put(large()).await.unwrap_err(),
            blobs.get(&[7; 32]).await.unwrap_err(),
        ] {
            let words = format!("{error} {error:?} {blobs:?}");
            assert!(error.to_string().contains(says), "{error}");
            assert!(words.contains(&blobs.to_string()), "{words}");
            assert!(
                !words.contains(SECRET) && !words.contains("another secret"),
                "{words}"
            );
        }
    }
    let options = format!("{:?}", server.options());
    assert!(!options.contains(SECRET), "{options}");
}

#[tokio::test]
async fn options_that_cannot_be_right_are_refused_at_once() {
    let server = S3Server::start().await;
    for (endpoint, region, says) in [
        ("minio:9000", "eu-west-1", "must begin with https:// or http://"),
        (
            "https://user:hunter2@minio",
            "eu-west-1",
            "must not hold a user name",
        ),
        ("https://minio", "", "the region is empty"),
    ] {
        let mut options = server.options();
        options.endpoint = Some(endpoint.to_owned());
        options.region = region.to_owned();
        let error = S3Blobs::connect(options).unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_down_or_silent_is_an_error_and_no_wait() {
    let mut server = S3Server::start().await;
    let options = server.options();
    let blobs = bucket(options.clone());
    let hash = blobs.put(b"price list".to_vec()).await.unwrap();
    server.stop().await;
    for error in [
        blobs.get(&hash).await.unwrap_err(),
        blobs.put(b"price list".to_vec()).await.unwrap_err(),
        blobs.check().await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("cannot be reached"), "{error}");
    }
    // It accepts connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options;
    options.endpoint = Some(format!("http://{}", silent.local_addr().unwrap()));
    options.timeouts.attempt = Duration::from_millis(200);
    let error = bucket(options).check().await.unwrap_err().to_string();
    assert!(error.contains("does not answer in time"), "{error}");
}
