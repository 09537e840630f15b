//! Taking files.
//!
//! Each file becomes a version as soon as it is complete, so that a broken connection loses only the file it broke in. A
//! script of ours sends file by file, to show how far each is, and is answered in JSON; a form sends them all and gets
//! the page.

use askama::Template;
use axum::Json;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use plumbline_ingest::NewFile;
use plumbline_store::DocumentFilter;
use serde_json::json;

use super::view::Asked;
use crate::app::App;
use crate::documents::{file_name_only, store_part};
use crate::http::error::ApiError;
use crate::pages::layout::Notice;
use crate::pages::session::SignedIn;
use crate::pages::trouble::Trouble;
use crate::pages::words;

/// What became of the files of one upload.
#[derive(Debug, Default)]
struct Outcome {
    received: i64,
    unchanged: Vec<String>,
    refused: Vec<Notice>,
}

/// `POST /documents`
pub async fn upload(
    State(app): State<App>,
    who: SignedIn,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Trouble> {
    let Ok(form) = Multipart::from_request(request, &()).await else {
        return Err(Trouble::BadAddress(
            "Files are sent as a form with attachments, and this was none.",
        ));
    };
    let outcome = take(&app, &who, form).await?;
    let status = if outcome.refused.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepted == Some("application/json") {
        return Ok((status, Json(outcome.told())).into_response());
    }
    let notices = outcome.notices();
    let asked = Asked {
        page: 1,
        ..Asked::default()
    };
    let list = super::load(&app, &who, &asked).await?;
    Ok((status, Html(super::page(&app, &who, list, notices).render()?)).into_response())
}

async fn take(app: &App, who: &SignedIn, mut form: Multipart) -> Result<Outcome, Trouble> {
    let limits = app.upload_limits(who.tenant.id).await?;
    let mut outcome = Outcome::default();
    let mut files = 0;
    loop {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => return Ok(outcome),
            Err(error) => {
                outcome.broke_off(&error);
                return Ok(outcome);
            }
        };
        // a form sent without a choice still has the field, without a name in it
        let name = field
            .file_name()
            .map(file_name_only)
            .filter(|name| !name.is_empty());
        let Some(name) = name else {
            continue;
        };
        files += 1;
        if files > limits.max_files {
            outcome.refuse(&name, &limits.too_many(), "");
            return Ok(outcome);
        }
        let key = key_of(app, who, &name).await?;
        match store_part(app, field, &key, &name, &limits).await {
            Ok(Ok(file)) => {
                if receive(app, who, file).await? {
                    outcome.received += 1;
                } else {
                    outcome.unchanged.push(name);
                }
            }
            Ok(Err(refusal)) => outcome.refuse(&name, &refusal.message, ""),
            Err(ApiError::BadRequest(_) | ApiError::TooLarge(_)) => {
                outcome.refuse(
                    &name,
                    "the connection broke before it was complete",
                    "Upload it again.",
                );
                return Ok(outcome);
            }
            Err(error) => return Err(failed(&error)),
        }
    }
}

/// Whether the file was new.
async fn receive(app: &App, who: &SignedIn, file: NewFile) -> Result<bool, Trouble> {
    let received = app
        .receive_files(who.tenant.id, vec![file], None)
        .await
        .map_err(|error| failed(&error))?;
    Ok(received.iter().any(|file| !file.unchanged))
}

fn failed(error: &ApiError) -> Trouble {
    tracing::error!(%error, "pages.upload.failed");
    Trouble::Internal
}

/// The document that a file of this name is a version of: the one with this very key, else the only one whose key ends
/// in the name, because documents that came from a folder have its path in their key.
async fn key_of(app: &App, who: &SignedIn, name: &str) -> Result<String, Trouble> {
    let mut tx = app.store.tenant(who.tenant.id).await?;
    if tx.document_by_key(name).await?.is_some() {
        return Ok(name.to_owned());
    }
    let filter = DocumentFilter {
        search: Some(format!("/{name}")),
        limit: 50,
        ..DocumentFilter::default()
    };
    let found = tx.documents(&filter).await?;
    let mut named = found
        .into_iter()
        .map(|document| document.key)
        .filter(|key| file_name_only(key) == name);
    Ok(match (named.next(), named.next()) {
        (Some(key), None) => key,
        _ => name.to_owned(),
    })
}

impl Outcome {
    fn refuse(&mut self, name: &str, why: &str, to_do: &str) {
        self.refused.push(Notice {
            tone: "bad",
            text: format!("{name} was not taken: {why}."),
            to_do: to_do.to_owned(),
        });
    }

    fn broke_off(&mut self, error: &MultipartError) {
        tracing::info!(%error, "pages.upload.broke_off");
        self.refused.push(Notice {
            tone: "bad",
            text: "The upload broke off before all files had arrived.".to_owned(),
            to_do: "Upload the files that are missing from the list again.".to_owned(),
        });
    }

    /// For the script that sent the files.
    fn told(&self) -> serde_json::Value {
        let refused: Vec<String> = self
            .refused
            .iter()
            .map(|notice| format!("{} {}", notice.text, notice.to_do))
            .collect();
        json!({ "received": self.received, "unchanged": self.unchanged.len(), "refused": refused })
    }

    fn notices(self) -> Vec<Notice> {
        let mut notices = Vec::new();
        if self.received > 0 {
            notices.push(Notice {
                tone: "ok",
                text: format!(
                    "{} received and being read now.",
                    words::count(self.received, "file", "files")
                ),
                to_do: String::new(),
            });
        }
        if !self.unchanged.is_empty() {
            notices.push(Notice {
                tone: "ok",
                text: format!(
                    "{}: unchanged, so nothing had to be done.",
                    self.unchanged.join(", ")
                ),
                to_do: String::new(),
            });
        }
        notices.extend(self.refused);
        if notices.is_empty() {
            notices.push(Notice {
                tone: "warn",
                text: "No file was chosen.".to_owned(),
                to_do: "Choose one or more files, then upload.".to_owned(),
            });
        }
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_not_part_of_the_name() {
        assert_eq!(file_name_only("C:\\files\\prices.csv"), "prices.csv");
        assert_eq!(file_name_only("a/b/prices.csv"), "prices.csv");
        assert_eq!(file_name_only(" "), "");
    }

    #[test]
    fn an_upload_says_what_became_of_every_file() {
        let mut outcome = Outcome {
            received: 2,
            unchanged: vec!["a.pdf".to_owned()],
            refused: Vec::new(),
        };
        outcome.refuse("b.zip", "it is larger than 1 MB", "Split it.");
        let told = outcome.told();
        assert_eq!((&told["received"], &told["unchanged"]), (&json!(2), &json!(1)));
        assert_eq!(
            told["refused"][0],
            "b.zip was not taken: it is larger than 1 MB. Split it."
        );
        let texts: Vec<String> = outcome.notices().into_iter().map(|notice| notice.text).collect();
        assert_eq!(
            texts,
            [
                "2 files received and being read now.",
                "a.pdf: unchanged, so nothing had to be done.",
                "b.zip was not taken: it is larger than 1 MB."
            ]
        );
        assert_eq!(Outcome::default().notices()[0].text, "No file was chosen.");
    }
}
