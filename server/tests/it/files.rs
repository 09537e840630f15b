//! Files on S3: everything that happens to a document happens without the data directory.

use plumbline_server::config::S3Args;
use plumbline_store::{BlobStore, Secret};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::s3_server::{BUCKET, S3Server, SECRET};
use crate::support::{FAQ, Server};

fn args(bucket: &S3Server) -> S3Args {
    S3Args {
        s3_bucket: Some(BUCKET.to_owned()),
        s3_prefix: Some("/shop/".to_owned()),
        s3_endpoint: Some(bucket.address.clone()),
        s3_path_style: true,
        s3_access_key_id: Some("AKIATESTS".to_owned()),
        s3_secret_access_key: Some(Secret::presented(SECRET)),
        ..S3Args::default()
    }
}

#[tokio::test]
async fn a_document_is_read_answered_from_and_downloaded_with_its_file_on_s3() {
    let bucket = S3Server::start().await;
    let server = Server::start_with(args(&bucket)).await;
    let document = server.upload_ready("faq.md", FAQ).await;
    let name = hex::encode(BlobStore::hash(FAQ.as_bytes()));
    let object = bucket.object(&format!("shop/{}/{name}", &name[..2]));
    assert_eq!(std::fs::read_to_string(&object).unwrap(), FAQ);

    let answer = server.answer("How much is delivery to Tamale?").await;
    assert!(answer["text"].as_str().unwrap().contains("GHS 45"), "{answer}");

    let path = format!("/v1/documents/{document}/versions/1/file");
    let response = server.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.content_length(), Some(FAQ.len() as u64));
    assert_eq!(response.text().await.unwrap(), FAQ);

    std::fs::remove_file(&object).unwrap();
    let (status, body) = server.get(&path).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    assert_eq!(body["code"], Value::from("unavailable"));
    server.end().await;
}

#[tokio::test]
async fn a_file_that_was_damaged_is_never_downloaded_whole() {
    let server = Server::start().await;
    let document = server.upload_ready("faq.md", FAQ).await;
    let hash = BlobStore::hash(FAQ.as_bytes());
    let stored = server.app.blobs.local(&hash).await.unwrap();
    std::fs::write(&*stored, FAQ.replace("GHS 45", "GHS 54")).unwrap();
    let path = format!("/v1/documents/{document}/versions/1/file");
    if let Ok(response) = server.request(Method::GET, &path).send().await {
        response.bytes().await.unwrap_err();
    }
    server.end().await;
}

#[test]
fn a_bucket_needs_a_key_and_a_region() {
    let spool = std::path::PathBuf::from("spool");
    let nothing = S3Args {
        s3_bucket: Some(String::new()),
        ..S3Args::default()
    };
    assert!(nothing.options(spool.clone()).unwrap().is_none());
    let mut args = S3Args {
        s3_bucket: Some(BUCKET.to_owned()),
        s3_access_key_id: Some("AKIATESTS".to_owned()),
        ..S3Args::default()
    };
    let says = |args: &S3Args| args.options(spool.clone()).unwrap_err().to_string();
    assert!(says(&args).contains("PLUMBLINE_S3_REGION"));
    args.aws_region = Some("eu-west-1".to_owned());
    assert!(says(&args).contains("AWS_SECRET_ACCESS_KEY"));
    args.s3_secret_access_key = Some(Secret::presented(SECRET));
    let region = |args: &S3Args| args.options(spool.clone()).unwrap().unwrap().region;
    assert_eq!(region(&args), "eu-west-1");
    args.s3_region = Some("af-south-1".to_owned());
    assert_eq!(region(&args), "af-south-1");
    assert!(!format!("{args:?}").contains(SECRET));
}
