//! Receiving uploads: the one path that the API, the pages and the command line share.

use axum::extract::Multipart;
use plumbline_ingest::NewFile;
use serde::Serialize;
use uuid::Uuid;

use crate::app::{App, WebSettings};
use crate::http::error::{ApiError, refuse_nul};

/// A file that somebody wants to be searchable.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Logical key of the document; uploads of one key are versions of one document.
    pub key: String,
    /// Name of the file.
    pub file_name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReceivedFile {
    /// Name of the file.
    pub file_name: String,
    /// Logical key of the document.
    pub key: String,
    /// Document.
    pub document_id: Uuid,
    /// Version that holds the bytes.
    pub version_id: Uuid,
    /// Number of the version.
    pub version: i32,
    /// True when the newest version already held exactly these bytes, and nothing was added.
    pub unchanged: bool,
}

impl App {
    /// Stores files and enqueues the building of their versions; the same idempotency key with the same files does so
    /// once and is answered the same way again.
    pub async fn receive(
        &self,
        tenant: Uuid,
        uploads: Vec<Upload>,
        idempotency_key: Option<&str>,
    ) -> Result<Vec<ReceivedFile>, ApiError> {
        let mut files = Vec::with_capacity(uploads.len());
        for upload in uploads {
            files.push(NewFile {
                key: upload.key,
                file_name: upload.file_name,
                bytes: upload.bytes.len() as u64,
                sha256: self.blobs.put(upload.bytes).await?,
            });
        }
        let received = self.pipeline.receive(tenant, &files, idempotency_key).await?;
        Ok(files
            .into_iter()
            .zip(received)
            .map(|(file, received)| ReceivedFile {
                file_name: file.file_name,
                key: file.key,
                document_id: received.document_id,
                version_id: received.version_id,
                version: received.number,
                unchanged: received.unchanged,
            })
            .collect())
    }
}

/// Reads the files of a form: every part with a file name is a file; a part `key` before it names its document, else
/// the file name does.
pub async fn read_uploads(mut form: Multipart, limits: WebSettings) -> Result<Vec<Upload>, ApiError> {
    let broken = |error: axum::extract::multipart::MultipartError| {
        if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::TooLarge(format!(
                "the upload as a whole is larger than {} MiB; send the files in several uploads",
                limits.whole_upload_bytes() >> 20
            ))
        } else {
            ApiError::BadRequest(format!("the form cannot be read: {}", error.body_text()))
        }
    };
    let mut uploads = Vec::new();
    let mut key = None;
    while let Some(part) = form.next_field().await.map_err(broken)? {
        let Some(file_name) = part.file_name().map(file_name_only) else {
            if part.name() == Some("key") {
                key = Some(part.text().await.map_err(broken)?).filter(|text| !text.trim().is_empty());
            }
            continue;
        };
        if uploads.len() == limits.max_upload_files {
            return Err(ApiError::BadRequest(format!(
                "more than {} files in one upload; send them in several",
                limits.max_upload_files
            )));
        }
        let bytes = part.bytes().await.map_err(broken)?;
        if file_name.is_empty() {
            continue; // a form sent without choosing a file has one empty part
        }
        if bytes.len() > limits.max_upload_bytes {
            return Err(too_large(&file_name, limits));
        }
        let key = key.take().unwrap_or_else(|| file_name.clone());
        check_key(&key)?;
        uploads.push(Upload {
            key: key.trim().to_owned(),
            file_name,
            bytes: bytes.into(),
        });
    }
    if uploads.is_empty() {
        return Err(ApiError::BadRequest(
            "the form holds no file; send at least one part with a file name".to_owned(),
        ));
    }
    Ok(uploads)
}

/// Longest key of a document in bytes: it is indexed.
const LONGEST_KEY: usize = 500;

fn check_key(key: &str) -> Result<(), ApiError> {
    refuse_nul("key", key)?;
    if key.len() > LONGEST_KEY {
        return Err(ApiError::BadRequest(format!(
            "`key` (or the file name) is longer than {LONGEST_KEY} bytes"
        )));
    }
    Ok(())
}

fn too_large(what: &str, limits: WebSettings) -> ApiError {
    ApiError::TooLarge(format!(
        "{what} is larger than the limit of {} MiB",
        limits.max_upload_bytes >> 20
    ))
}

/// The name without a path: some clients send one, and nothing of ours may depend on it.
fn file_name_only(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or(name).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::file_name_only;

    #[test]
    fn a_path_in_a_file_name_is_dropped() {
        for (given, name) in [
            ("../../etc/passwd", "passwd"),
            (r"C:\docs\a.pdf", "a.pdf"),
            ("a b.csv", "a b.csv"),
            ("", ""),
        ] {
            assert_eq!(file_name_only(given), name);
        }
    }
}
