//! A server that speaks S3's protocol, signatures included, and keeps its buckets in a temporary directory.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use plumbline_store::{S3Credentials, S3Options, S3Timeouts, Secret};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;

pub(crate) const BUCKET: &str = "plumbline-files";
pub(crate) const SECRET: &str = "a secret that must never be shown";

/// Stops when dropped.
pub(crate) struct S3Server {
    pub(crate) address: String,
    folder: tempfile::TempDir,
    watched: Arc<Watched>,
    serving: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Watched {
    requests: Mutex<Vec<String>>,
    refuse_parts: AtomicBool,
}

impl S3Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single("AKIATESTS", SECRET));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let watched = Arc::new(Watched::default());
        let serving = tokio::spawn(serve(listener, service.build(), Arc::clone(&watched)));
        Self {
            address,
            folder,
            watched,
            serving,
        }
    }

    /// Right in every respect.
    pub(crate) fn options(&self) -> S3Options {
        S3Options {
            bucket: BUCKET.to_owned(),
            prefix: "shop/files".to_owned(),
            region: "eu-west-1".to_owned(),
            endpoint: Some(self.address.clone()),
            path_style: true,
            credentials: S3Credentials {
                access_key_id: "AKIATESTS".to_owned(),
                secret_access_key: Secret::presented(SECRET),
                session_token: None,
            },
            spool: self.spool(),
            timeouts: S3Timeouts {
                connect: Duration::from_secs(2),
                attempt: Duration::from_secs(30),
            },
        }
    }

    /// Where the client keeps files on their way.
    pub(crate) fn spool(&self) -> PathBuf {
        self.folder.path().join("spool-of-the-client")
    }

    /// Where the server keeps an object.
    pub(crate) fn object(&self, key: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(key)
    }

    /// Requests since the last call, as `PUT /bucket/key?query`.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.watched.requests.lock().unwrap())
    }

    /// From now on parts after the first are refused for good.
    pub(crate) fn refuse_parts(&self) {
        self.watched.refuse_parts.store(true, Ordering::SeqCst);
    }

    /// What unfinished uploads in parts left on the server's disk.
    pub(crate) fn unfinished_uploads(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains(".upload"))
            .collect()
    }

    /// Nothing answers at its address any more.
    pub(crate) async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, service: S3Service, watched: Arc<Watched>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (service, watched) = (service.clone(), Arc::clone(&watched));
        connections.spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                let refused = watched.note(&request);
                let service = service.clone();
                async move {
                    if let Some((status, body)) = refused {
                        let mut response = Response::new(s3s::Body::from(body.to_owned()));
                        *response.status_mut() = status;
                        return Ok(response);
                    }
                    service.call(request.map(Into::into)).await
                }
            });
            let server = auto::Builder::new(TokioExecutor::new());
            // a client that hangs up is no failure of a test
            let _ = server.serve_connection(TokioIo::new(socket), answer).await;
        });
    }
}

impl Watched {
    /// Notes a request; says whether and how it is to be refused. The server itself would make a bucket that is
    /// written to, where S3 has this answer.
    fn note(&self, request: &Request<Incoming>) -> Option<(StatusCode, &'static str)> {
        if request.uri().path().split('/').nth(1) != Some(BUCKET) {
            let body = "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>";
            return Some((StatusCode::NOT_FOUND, body));
        }
        let query = request.uri().query().unwrap_or_default();
        let later_part = query.contains("partNumber=") && !query.contains("partNumber=1&");
        let line = format!("{} {}", request.method(), request.uri());
        self.requests.lock().unwrap().push(line);
        let refused = later_part && self.refuse_parts.load(Ordering::SeqCst);
        refused.then_some((StatusCode::BAD_REQUEST, ""))
    }
}
