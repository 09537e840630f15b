//! Files in a bucket of S3, or of a store that speaks its protocol.

mod trouble;
mod upload;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::{Client, Config};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use tokio::io::AsyncReadExt;
use uuid::Uuid;

use super::name_of;
use super::reader::BlobReader;
use crate::{Secret, StoreError};
pub(super) use upload::Body;

/// Where the bucket is, and how it is reached.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// Name of the bucket; it must exist.
    pub bucket: String,
    /// Folder in the bucket; empty for none.
    pub prefix: String,
    /// Region of the bucket.
    pub region: String,
    /// Address of a store other than AWS.
    pub endpoint: Option<String>,
    /// The bucket is named in the path of an address, not in its host name.
    pub path_style: bool,
    /// Who asks.
    pub credentials: S3Credentials,
    /// Directory for files on their way to and from the bucket.
    pub spool: PathBuf,
    /// Patience.
    pub timeouts: S3Timeouts,
}

/// An access key.
#[derive(Debug, Clone)]
pub struct S3Credentials {
    /// Its name.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Secret,
    /// Present when the key is a temporary one.
    pub session_token: Option<Secret>,
}

/// How long one attempt of three may take, so that nothing hangs.
#[derive(Debug, Clone, Copy)]
pub struct S3Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until a request is answered. A download whose bytes stop coming is given up by itself.
    pub attempt: Duration,
}

impl Default for S3Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            attempt: Duration::from_mins(1),
        }
    }
}

/// Attempts per request; the SDK repeats what may succeed at another time.
const ATTEMPTS: u32 = 3;

/// A bucket; cheap to clone.
#[derive(Clone)]
pub struct S3Blobs {
    client: Client,
    bucket: Arc<str>,
    /// Empty, or ends with a slash.
    prefix: Arc<str>,
    place: Arc<str>,
    spool: Arc<Path>,
}

impl S3Blobs {
    /// Prepares the connection; nothing is sent before the first operation.
    ///
    /// # Errors
    /// When the options cannot be right.
    pub fn connect(options: S3Options) -> Result<Self, StoreError> {
        let place = match &options.endpoint {
            Some(endpoint) => format!("bucket {} at {endpoint}", options.bucket),
            None => format!("bucket {} in {}", options.bucket, options.region),
        };
        trouble::check_options(&options)?;
        let prefix = match options.prefix.trim_matches('/') {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let client = Client::from_conf(config(&options));
        Ok(Self {
            client,
            bucket: options.bucket.into(),
            prefix: prefix.into(),
            place: place.into(),
            spool: options.spool.into(),
        })
    }

    pub(super) fn spool(&self) -> &Path {
        &self.spool
    }

    fn key(&self, hash: &[u8]) -> String {
        format!("{}{}", self.prefix, name_of(hash))
    }

    pub(super) async fn open(&self, hash: &[u8]) -> Result<BlobReader, StoreError> {
        let request = self.client.get_object().bucket(&*self.bucket).key(self.key(hash));
        let output = request.send().await.map_err(|error| {
            if error
                .as_service_error()
                .is_some_and(GetObjectError::is_no_such_key)
            {
                StoreError::BlobMissing {
                    store: self.to_string(),
                    sha256: hex::encode(hash),
                }
            } else {
                self.trouble("read a file of", &error)
            }
        })?;
        let length = output
            .content_length
            .and_then(|length| u64::try_from(length).ok())
            .unwrap_or_default();
        Ok(BlobReader::new(output.body.into_async_read(), length, hash))
    }

    pub(super) async fn delete(&self, hash: &[u8]) -> Result<(), StoreError> {
        self.remove(&self.key(hash)).await
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        let request = self.client.delete_object().bucket(&*self.bucket).key(key);
        let removed = request.send().await;
        removed.map_err(|error| self.trouble("remove a file of", &error))?;
        Ok(())
    }

    pub(super) async fn check(&self) -> Result<(), StoreError> {
        let probe = Uuid::new_v4();
        let key = format!("{}probe-{probe}", self.prefix);
        let request = self.client.put_object().bucket(&*self.bucket).key(&key);
        let written = request
            .body(ByteStream::from(probe.as_bytes().to_vec()))
            .send()
            .await;
        written.map_err(|error| self.trouble("write to", &error))?;
        let request = self.client.get_object().bucket(&*self.bucket).key(&key);
        let read = request
            .send()
            .await
            .map_err(|error| self.trouble("read a file of", &error))?;
        let mut bytes = Vec::new();
        let read = read.body.into_async_read().take(64).read_to_end(&mut bytes).await;
        self.remove(&key).await?;
        if read.is_err() || bytes != probe.as_bytes() {
            return Err(StoreError::Blob {
                action: "use",
                store: self.to_string(),
                reason: "what was written is not what is read back; check what stands between".to_owned(),
            });
        }
        Ok(())
    }
}

/// The one TLS stack of the program, and limits to every wait.
fn config(options: &S3Options) -> Config {
    let S3Credentials {
        access_key_id,
        secret_access_key,
        session_token,
    } = &options.credentials;
    let credentials = Credentials::new(
        access_key_id,
        secret_access_key.expose(),
        session_token.as_ref().map(|token| token.expose().to_owned()),
        None,
        "plumbline",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(options.timeouts.connect)
        .operation_attempt_timeout(options.timeouts.attempt)
        .operation_timeout(options.timeouts.attempt * (ATTEMPTS + 1))
        .build();
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(options.region.clone()))
        .credentials_provider(credentials)
        .force_path_style(options.path_style)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts)
        .http_client(http);
    config.set_endpoint_url(options.endpoint.clone());
    config.build()
}

impl std::fmt::Display for S3Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place)
    }
}

/// Where it is, and never who asks.
impl std::fmt::Debug for S3Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Blobs")
            .field("place", &self.place)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
