//! Receiving uploads: the one path that the API, the pages and the command line share.

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;
use plumbline_ingest::{Code, NewFile};
use plumbline_store::{StoreError, Tags};
use serde::Serialize;
use uuid::Uuid;

use crate::app::{App, WebSettings};
use crate::http::error::{ApiError, ErrorBody};

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

/// Why a file was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Name of the file.
    pub file_name: String,
    /// Stable code.
    pub code: &'static str,
    /// What is wrong, with the limit and where it is changed.
    pub message: String,
}

impl Refusal {
    fn new(file_name: &str, code: &'static str, message: String) -> Self {
        Self {
            file_name: file_name.to_owned(),
            code,
            message,
        }
    }

    /// The status of a request whose only file was refused.
    pub fn status(&self) -> StatusCode {
        match self.code {
            "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
            "format_not_allowed" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// A file that was not taken.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RefusedFile {
    /// Name of the file.
    pub file_name: String,
    /// Why.
    pub error: ErrorBody,
}

impl From<Refusal> for RefusedFile {
    fn from(refusal: Refusal) -> Self {
        Self {
            file_name: refusal.file_name,
            error: ErrorBody {
                code: refusal.code,
                message: refusal.message,
            },
        }
    }
}

/// What may be uploaded: the tenant's settings below the server's own limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadLimits {
    /// Largest file in bytes.
    pub max_file_bytes: usize,
    /// Most files of one upload.
    pub max_files: usize,
    /// Formats that are accepted, empty for all.
    pub formats: Vec<String>,
    /// What sets the size of a file.
    size_from: &'static str,
    /// What sets the number of files.
    count_from: &'static str,
    /// Largest upload as a whole.
    whole_bytes: usize,
}

impl UploadLimits {
    fn new(settings: &plumbline_store::UploadSettings, web: WebSettings) -> Self {
        let file = usize::try_from(settings.max_file_mib)
            .unwrap_or(usize::MAX)
            .saturating_mul(1 << 20);
        let files = usize::try_from(settings.max_files).unwrap_or(usize::MAX);
        Self {
            max_file_bytes: file.min(web.max_upload_bytes),
            max_files: files.min(web.max_upload_files),
            formats: settings.formats.clone(),
            size_from: if file < web.max_upload_bytes {
                "the setting uploads.max_file_mib"
            } else {
                "PLUMBLINE_MAX_UPLOAD_MIB of the server"
            },
            count_from: if files < web.max_upload_files {
                "the setting uploads.max_files"
            } else {
                "PLUMBLINE_MAX_UPLOAD_FILES of the server"
            },
            whole_bytes: web.whole_upload_bytes(),
        }
    }

    /// Whether a file of this name cannot be of a format that is accepted. What its content is shows when it is read.
    pub fn check_name(&self, file_name: &str) -> Result<(), Refusal> {
        let promised = promised_formats(file_name);
        if self.formats.is_empty()
            || promised.is_empty()
            || promised
                .iter()
                .any(|format| self.formats.iter().any(|allowed| allowed == format))
        {
            return Ok(());
        }
        let message = format!(
            "{file_name} is {} by its name; the setting uploads.formats allows {}",
            promised.join(" or "),
            self.formats.join(", ")
        );
        Err(Refusal::new(file_name, Code::FormatNotAllowed.as_str(), message))
    }

    /// Whether a file of this size may be stored.
    pub fn check_size(&self, file_name: &str, bytes: usize) -> Result<(), Refusal> {
        if bytes <= self.max_file_bytes {
            return Ok(());
        }
        let message = format!(
            "{file_name} is larger than {} MiB; that limit is {}",
            self.max_file_bytes >> 20,
            self.size_from
        );
        Err(Refusal::new(file_name, Code::TooLarge.as_str(), message))
    }

    /// What to say of more files than are accepted.
    pub fn too_many(&self) -> String {
        format!(
            "more than {} files in one upload; send them in several, or raise {}",
            self.max_files, self.count_from
        )
    }
}

/// The formats that the extension of a name stands for; none for an extension that says nothing.
fn promised_formats(file_name: &str) -> &'static [&'static str] {
    let extension = file_name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("pdf") => &["pdf"],
        Some("docx" | "docm" | "dotx") => &["docx"],
        Some("csv" | "tsv" | "tab") => &["csv"],
        Some("md" | "markdown") => &["markdown", "text"],
        _ => &[],
    }
}

impl App {
    /// What `tenant` may upload.
    pub async fn upload_limits(&self, tenant: Uuid) -> Result<UploadLimits, StoreError> {
        let mut tx = self.store.tenant(tenant).await?;
        let settings = tx.settings().await?.settings;
        tx.commit().await?;
        Ok(UploadLimits::new(&settings.uploads, self.web))
    }

    /// Enqueues the building of versions of files that are stored; the same idempotency key with the same files does so
    /// once and is answered the same way again.
    pub async fn receive_files(
        &self,
        tenant: Uuid,
        files: Vec<NewFile>,
        idempotency_key: Option<&str>,
    ) -> Result<Vec<ReceivedFile>, ApiError> {
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

/// The files of a form: those that are stored, and those that were refused.
#[derive(Debug, Default)]
pub struct Uploads {
    /// Stored, in order.
    pub files: Vec<NewFile>,
    /// Refused.
    pub refused: Vec<Refusal>,
}

/// Stores the files of a form one after the other: every part with a file name is a file; a part `key` before it names
/// its document, else the file name does. A part `tags` holds for all files after it.
pub async fn read_uploads(
    app: &App,
    mut form: Multipart,
    limits: &UploadLimits,
) -> Result<Uploads, ApiError> {
    let broken = |error: MultipartError| broken(&error, limits);
    let mut uploads = Uploads::default();
    let (mut key, mut tags) = (None, None);
    while let Some(part) = form.next_field().await.map_err(broken)? {
        let Some(file_name) = part.file_name().map(file_name_only) else {
            match part.name() {
                Some("key") => {
                    key = Some(part.text().await.map_err(broken)?).filter(|text| !text.trim().is_empty());
                }
                Some("tags") => tags = Some(read_tags(&part.text().await.map_err(broken)?)?),
                _ => {}
            }
            continue;
        };
        if file_name.is_empty() {
            continue; // a form sent without choosing a file has one empty part
        }
        if uploads.files.len() + uploads.refused.len() == limits.max_files {
            return Err(ApiError::BadRequest(limits.too_many()));
        }
        let key = key.take().unwrap_or_else(|| file_name.clone()).trim().to_owned();
        match store_part(app, part, &key, &file_name, limits).await? {
            Ok(file) => uploads.files.push(NewFile {
                tags: tags.clone(),
                ..file
            }),
            Err(refusal) => uploads.refused.push(refusal),
        }
    }
    if uploads.files.is_empty() && uploads.refused.is_empty() {
        return Err(ApiError::BadRequest(
            "the form holds no file; send at least one part with a file name".to_owned(),
        ));
    }
    Ok(uploads)
}

/// Tags as a form sends them: one text, with commas between them.
pub(crate) fn read_tags(text: &str) -> Result<Tags, ApiError> {
    Tags::parse([text]).map_err(|problem| ApiError::BadRequest(format!("`tags`: {problem}")))
}

fn broken(error: &MultipartError, limits: &UploadLimits) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::TooLarge(format!(
            "the upload as a whole is larger than {} MiB; send the files in several uploads",
            limits.whole_bytes >> 20
        ))
    } else {
        ApiError::BadRequest(format!("the form cannot be read: {}", error.body_text()))
    }
}

/// Stores one file. One that is refused is read to its end all the same: the others come after it, and a browser shows
/// no answer before it has sent everything.
pub(crate) async fn store_part(
    app: &App,
    mut part: Field<'_>,
    key: &str,
    file_name: &str,
    limits: &UploadLimits,
) -> Result<Result<NewFile, Refusal>, ApiError> {
    let mut refusal = check_key(key, file_name).and(limits.check_name(file_name)).err();
    let mut writer = app.blobs.writer().await?;
    let mut bytes = 0;
    while let Some(piece) = part.chunk().await.map_err(|error| broken(&error, limits))? {
        bytes += piece.len();
        if refusal.is_none() {
            refusal = limits.check_size(file_name, bytes).err();
        }
        if refusal.is_none() {
            writer.write(&piece).await?;
        }
    }
    if let Some(refusal) = refusal {
        return Ok(Err(refusal));
    }
    let stored = writer.finish().await?;
    Ok(Ok(NewFile {
        key: key.to_owned(),
        file_name: file_name.to_owned(),
        bytes: stored.bytes,
        tags: None,
        sha256: stored.sha256,
    }))
}

/// Longest key of a document in bytes: it is indexed.
const LONGEST_KEY: usize = 500;

fn check_key(key: &str, file_name: &str) -> Result<(), Refusal> {
    let wrong = if key.contains('\0') {
        "`key` (or the file name) holds a NUL character; remove it".to_owned()
    } else if key.len() > LONGEST_KEY {
        format!("`key` (or the file name) is longer than {LONGEST_KEY} bytes")
    } else {
        return Ok(());
    };
    Err(Refusal::new(file_name, "bad_request", wrong))
}

/// The name without a path: some clients send one, and nothing of ours may depend on it.
pub(crate) fn file_name_only(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or(name).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use plumbline_store::UploadSettings;

    use super::*;

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

    #[test]
    fn the_lower_limit_counts_and_its_refusal_says_where_it_is_changed() {
        let web = WebSettings {
            max_upload_bytes: 2 << 20,
            max_upload_files: 5,
            https: false,
        };
        let own = UploadLimits::new(&UploadSettings::default(), web);
        assert_eq!((own.max_file_bytes, own.max_files), (2 << 20, 5));
        let refusal = own.check_size("a.pdf", (2 << 20) + 1).unwrap_err();
        assert!(
            refusal.message.contains("PLUMBLINE_MAX_UPLOAD_MIB"),
            "{refusal:?}"
        );
        let settings = UploadSettings {
            max_file_mib: 1,
            max_files: 3,
            formats: vec!["csv".to_owned(), "text".to_owned()],
        };
        let tenant = UploadLimits::new(&settings, web);
        let refusal = tenant.check_size("a.pdf", (1 << 20) + 1).unwrap_err();
        assert!(
            refusal.message.contains("larger than 1 MiB") && refusal.message.contains("uploads.max_file_mib")
        );
        assert!(tenant.too_many().contains("uploads.max_files"));
        for (name, taken) in [
            ("a.PDF", false),
            ("a.csv", true),
            ("a.md", true),
            ("a", true),
            ("a.docx", false),
        ] {
            assert_eq!(tenant.check_name(name).is_ok(), taken, "{name}");
        }
        assert!(own.check_name("a.pdf").is_ok());
    }
}
